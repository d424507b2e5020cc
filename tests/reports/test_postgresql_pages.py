"""The commands and the pages on a store that a PostgreSQL server keeps."""

from __future__ import annotations

import gc
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from browsing import needs_chromium
from dashboard import server as dashboard
from dashboard import settle, visiting, watched
from postgresql import new_database, programs
from streamlit.testing.v1 import AppTest

from arena import call
from codecarena.reports.server import sign_in

pytestmark = [
    pytest.mark.skipif(programs() is None, reason="no PostgreSQL server: apt-get install postgresql"),
    pytest.mark.xdist_group("postgresql"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
pytest.importorskip("psycopg", reason="no psycopg: pip install codecarena[postgresql]")

SUITE = """
name = "small"
sets = "photos"
metrics = ["psnr", "ssim"]
[[codecs]]
name = "jpeg"
qualities = [10, 50, 90]
[[codecs]]
name = "webp"
qualities = [20, 50, 80]
"""
SHOWN = {
    "leaderboard": "webp",
    "rates": "2 codecs",
    "look": "jpeg",
    "speed": "webp",
    "natural": "natural",
    "people": "votes",
    "runs": "small",
}
"""What stands on each page of this store."""
ONE_PAGE = """
import streamlit as st
from codecarena.reports.views import {name}, navigation
st.session_state["page"] = "{name}"
{name}.main({arguments})
"""
COMMANDS = (
    "run suite.toml -j 1 --limit 2",
    "run suite.toml -j 1 --limit 2 --match bpp=0.5",
    "score suite.toml -m psnr-y",
    "time suite.toml --limit 1 --only codec=jpeg",
    "verify suite.toml --limit 1 --only codec=jpeg",
    "leaderboard --at bpp=0.5",
    "compare",
    "rates",
    "export csv cells.csv",
    "sheet sheet.png",
    "report report.html",
    "study init",
    "study plan study.toml",
    "study open demo",
    "study invite demo --count 2",
    "study status demo",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("postgresql")
    (folder / "suite.toml").write_text(SUITE)
    return folder


@pytest.fixture(scope="module")
def store(folder: Path, postgresql_server: str) -> Iterator[str]:
    """Return the address of an empty database; blobs go to a folder of the test."""
    url = new_database(postgresql_server)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODECARENA_BLOBS", str(folder / "blobs"))
        patch.setenv("CODECARENA_STORE", url)
        yield url


@pytest.fixture(scope="module")
def filled(folder: Path, store: str) -> dict[str, subprocess.CompletedProcess[str]]:
    """Return how every command ended, by its words."""
    return {words: call(*words.split(), folder=folder) for words in COMMANDS}


@pytest.mark.slow("sixteen commands, five of which code and measure in processes of their own")
def test_every_command_works_on_it(filled: dict[str, subprocess.CompletedProcess[str]], folder: Path) -> None:
    failed = {words: ended.stderr for words, ended in filled.items() if ended.returncode}
    assert failed == {}
    assert "webp" in filled["leaderboard --at bpp=0.5"].stdout
    assert filled["study invite demo --count 2"].stdout.count("http://") == 2
    assert (folder / "report.html").stat().st_size > 100_000
    assert "jpeg" in (folder / "cells.csv").read_text()


@pytest.fixture
def emptied_cache() -> Iterator[None]:
    """Let no connection of a page outlive its test."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()
    gc.collect()


def drawn(name: str) -> AppTest:
    page = AppTest.from_string(
        ONE_PAGE.format(name=name, arguments="None" if name == "studies" else ""), default_timeout=300
    ).run()
    assert not page.exception, [element.value for element in page.exception]
    return page


@pytest.mark.slow("the first starts the server and measures the suite that all of them show")
@pytest.mark.usefixtures("filled", "emptied_cache")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Streamlit's script runner warns about itself
@pytest.mark.parametrize(("name", "shown"), SHOWN.items())
def test_every_page_is_drawn_from_it(name: str, shown: str) -> None:
    page = drawn(name)
    texts = [
        element.value for element in [*page.header, *page.caption, *page.markdown, *page.info, *page.code]
    ]
    tables = [json.loads(element.proto.json).get("html", "") for element in page.get("bidi_component")]
    choices = [str(element.options) for element in page.selectbox]
    assert shown in " ".join([*texts, *tables, *choices])


@pytest.mark.usefixtures("filled", "emptied_cache")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_organiser_watches_its_study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(sign_in.VARIABLE, sign_in.hash_password("correct horse battery"))
    page = drawn("studies")
    page.text_input[0].set_value("correct horse battery")
    next(element for element in page.button if element.label == "Sign in").click().run()
    numbers = {element.label: element.value for element in page.metric}
    assert (numbers["Raters finished"], numbers["Votes"]) == ("0 of 2", "0")


@needs_chromium
@pytest.mark.browser
@pytest.mark.usefixtures("filled")
def test_its_pages_are_served(chromium: Any, store: str) -> None:
    troubles: list[str] = []
    with dashboard(store) as url, visiting(chromium) as visit:
        page = watched(visit, url, troubles)
        page.goto(f"{url}/rates")
        settle(page)
        page.locator("svg.marks text", has_text="webp").first.wait_for()
    assert troubles == []
