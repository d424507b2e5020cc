"""The commands and the pages on a store that a PostgreSQL server keeps."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import needs_chromium
from dashboard import PAGES, settle, visiting, watched
from dashboard import server as dashboard
from postgresql import new_database, programs

from arena import call

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
SHOWN = {"natural": "natural", "people": "votes", "runs": "small", "studies": "Password"}
"""What stands on the pages where no codec does."""
COMMANDS = (
    "run suite.toml -j 1 --limit 2",
    "run suite.toml -j 1 --limit 2 --match bpp=0.5",
    "score suite.toml -m psnr-y",
    "time suite.toml --limit 1 --only codec=jpeg",
    "verify suite.toml --limit 1",
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


def test_every_command_works_on_it(filled: dict[str, subprocess.CompletedProcess[str]], folder: Path) -> None:
    failed = {words: ended.stderr for words, ended in filled.items() if ended.returncode}
    assert failed == {}
    assert "webp" in filled["leaderboard --at bpp=0.5"].stdout
    assert filled["study invite demo --count 2"].stdout.count("http://") == 2
    assert (folder / "report.html").stat().st_size > 100_000
    assert "jpeg" in (folder / "cells.csv").read_text()


@needs_chromium
@pytest.mark.browser
@pytest.mark.usefixtures("filled")
def test_every_page_opens_on_it(chromium: Any, store: str) -> None:
    troubles: list[str] = []
    with dashboard(store) as url, visiting(chromium) as visit:
        for path in PAGES:
            page = watched(visit, url, troubles)
            page.goto(f"{url}/{path}")
            settle(page)
            page.get_by_text(SHOWN.get(path, "jpeg")).first.wait_for(state="attached")
            page.close()
    assert troubles == []
