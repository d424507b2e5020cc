from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from codecarena.bench.store.rows import RunRow
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.server import APP, STORE_VARIABLE
from codecarena.reports.views import leaderboard as view

# Streamlit's own script runner, under AppTest, warns about itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    def open_one(store: Path | str, **query: str) -> AppTest:
        monkeypatch.setenv(STORE_VARIABLE, str(store))
        page = AppTest.from_file(str(APP), default_timeout=30)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception, [one.value for one in page.exception]
        return page

    return open_one


@pytest.fixture
def open_memory(open_page, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Open the page on a store held in lists."""

    def open_one(store, **query: str) -> AppTest:
        monkeypatch.setattr(view, "open_store", lambda _: store)
        return open_page("memory", **query)

    return open_one


def subheaders(page: AppTest) -> list[str]:
    return [one.value.replace("\\", "") for one in page.subheader]


def html(page: AppTest) -> str:
    return "".join(one.proto.body for one in page.get("html"))


def test_the_page_opens_on_the_leaderboard_of_a_real_store(open_page, seeded_store: Path) -> None:
    page = open_page(seeded_store)
    assert subheaders(page) == [
        "BD-rate against jpeg by MS-SSIM · photos",
        "Rate and distortion",
        "BD-rate against jpeg, every metric · photos",
    ]
    assert page.caption[0].value == "2 pictures · 3 codecs · 14 results"
    assert "– lossless" in html(page)


def test_pickers_change_the_table(open_page, seeded_store: Path) -> None:
    page = open_page(seeded_store)
    page.selectbox(key="metric").select_index(1).run()
    page.selectbox(key="anchor").select("webp").run()
    assert subheaders(page)[0] == "BD-rate against webp by PSNR · photos"
    page.selectbox(key="view").select("At a rate").run()
    page.slider(key="bpp").set_value(0.75).run()
    assert subheaders(page)[0] == "Scores at 0.75 bits per pixel · photos"
    page.selectbox(key="view").select("At a score").run()
    page.number_input[0].set_value(30.0).run()
    assert subheaders(page)[0] == "Cost of PSNR 30.00 dB · photos"
    assert not page.exception


def test_the_url_holds_the_view(open_page, seeded_store: Path) -> None:
    page = open_page(seeded_store, view="At a rate", bpp="1.0")
    assert subheaders(page)[0] == "Scores at 1.0 bits per pixel · photos"


def test_no_store_says_how_to_make_one(open_page, tmp_path: Path) -> None:
    page = open_page(tmp_path / "nowhere")
    assert "nowhere" in page.info[0].value.replace("\\", "")
    assert page.code[0].value == "codecarena demo"
    assert not (tmp_path / "nowhere").exists()


def test_an_empty_store_says_what_to_run(open_page, tmp_path: Path) -> None:
    StoreWriter(str(tmp_path / "arena")).close()
    page = open_page(tmp_path / "arena")
    assert "empty" in page.info[0].value
    assert page.code[0].value == "codecarena run quick"


def test_one_codec_one_picture(open_memory, arena_cells, make_store) -> None:
    lone = [cell for cell in arena_cells if cell.codec == "webp" and cell.picture == "coffee"]
    page = open_memory(make_store(lone))
    assert "One codec so far" in page.info[0].value
    assert subheaders(page)[0].startswith("Scores at")


def test_no_scores_yet(open_memory, arena_cells, make_store) -> None:
    page = open_memory(make_store([replace(cell, scores={}) for cell in arena_cells]))
    assert "No scores yet" in page.warning[0].value
    assert "codecarena score" in page.code[0].value


def test_failures_are_listed_and_names_stay_text(open_memory, arena_cells, broken, make_store) -> None:
    page = open_memory(make_store(arena_cells, broken))
    assert page.expander[0].label == "Failures: 1 kind"
    assert "the encoder died of signal 11" in html(page)
    assert "<b>broken" not in html(page)


def test_only_failures(open_memory, broken, make_store) -> None:
    page = open_memory(make_store([], broken))
    assert page.expander[0].label == "Failures: 1 kind"


def test_a_run_in_progress_is_announced(open_memory, arena_cells, make_store) -> None:
    run = RunRow(1, "<i>*mine*</i>", "running", 2, 1234, os.getpid(), "2026-01-01T00:00:00+00:00", None)
    page = open_memory(make_store(arena_cells, runs=[run]))
    assert "1\u202f234 cells planned" in page.info[0].value.replace("\\", "")
    ended = open_memory(make_store(arena_cells, runs=[replace(run, status="finished")]))
    assert not ended.info


def test_kinds_can_be_told_apart(open_memory, arena_cells, make_store) -> None:
    mixed = [replace(cell, kind="ai-generated") if cell.picture == "coffee" else cell for cell in arena_cells]
    assert "2/2" in html(open_memory(make_store(mixed)))
    natural = html(open_memory(make_store(mixed), kind="Natural"))
    assert "1/1" in natural
    assert "2/2" not in natural
