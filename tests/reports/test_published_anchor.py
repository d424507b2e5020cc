"""A published curve as the anchor of the leaderboard: a number without an interval, and said so."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_rows import CELL, MS_SSIM, PSNR, texts, values
from streamlit.testing.v1 import AppTest

from arena import call
from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.records.rows import Score, ScoredCell
from codecarena.bench.store.imports import Published, save_published
from codecarena.bench.store.store import Store
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.files.export import write
from codecarena.reports.server.server import STORE_VARIABLE
from codecarena.reports.tables.leaderboard_tables import leaderboard_tables
from codecarena.reports.tables.table import Table

# Streamlit's own script runner, under AppTest, warns about itself.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

LEADERBOARD = """
import streamlit as st
from codecarena.reports.views import leaderboard, navigation
st.session_state["page"] = "leaderboard"
leaderboard.main()
"""
SIZES, SCORES = (12, 24, 48, 96), (30.0, 33.0, 36.0, 39.0)
"""3 dB more for twice the bytes, of pictures of 800 pixels."""


def cells(codec: str, factor: float) -> list[ScoredCell]:
    return [
        replace(
            CELL, image_set="photos", picture=f"{picture}.png", picture_sha256=picture, kind="natural",
            pixel_count=800, quality=float(place), bitstream_bytes=round(factor * size), codec=codec,
            codec_id=f"{codec}-id", decoded_sha256=f"{codec}{picture}{place}", seed=None, toy=False,
            verdict=None, picture_generator=None, codec_generator=None, scores={PSNR.metric_id: Score(score)},
        )
        for picture in "abcdef"
        for place, (size, score) in enumerate(zip(SIZES, SCORES, strict=True))
    ]  # fmt: skip


def published(codec: str, factor: float = 1.0, image_set: str = "photos", **changes: Any) -> list[Published]:
    return [
        Published(image_set, codec, factor * size / 100, {"psnr": score}, None, None, None,
                  f"paper on {codec}", **changes)
        for size, score in zip(SIZES, SCORES, strict=True)
    ]  # fmt: skip


@pytest.fixture
def store(make_store: Callable[..., Store]) -> Store:
    made = make_store([*cells("jpeg", 1), *cells("mine", 0.5)], metrics=(PSNR, MS_SSIM))
    keep(made, [*published("vtm", 0.8), *published("jpeg", 4), *published("bpg", 1, "elsewhere")])
    return made


def keep(store: Store, points: Sequence[Published]) -> None:
    writer = StoreWriter(store.location.store_option)
    save_published(writer, points)
    writer.close()


def board(store: Store, anchor: str, **asked: Any) -> Table:
    (table,) = leaderboard_tables(store, anchor=anchor, metrics=("psnr",), **asked)
    return table


def test_mine_against_the_published_curve(store: Store) -> None:
    table = board(store, "vtm")
    assert table.title == "BD-rate against the published vtm, no interval · photos"
    # 0.5 / 0.8 and 1 / 0.8 of its bits at every score; the best first.
    assert texts(table) == [
        ["mine", "−37.5", "6", "0.060…0.48"],
        ["jpeg", "+25.0", "6", "0.12…0.96"],
    ]
    assert values(table)[0][1] == pytest.approx(-37.5)
    assert table.summary is not None
    assert table.summary.text == (
        "By PSNR, mine needs the fewest bits: BD-rate −37.5 % against the published vtm; no interval and no "
        "test, as no picture of a published curve is known."
    )
    assert "no interval and no test" in table.notes[0]
    assert table.notes[0].endswith("Source: paper on vtm")
    bd_rate = table.rows[0].record["bd_rate"][PSNR.metric_id]
    assert {name: bd_rate[name] for name in ("anchor", "anchor_published", "interval_95", "rate_kind")} == {
        "anchor": "vtm", "anchor_published": True, "interval_95": None, "rate_kind": "bytes",
    }  # fmt: skip


def test_the_page_offers_the_published_curves_of_the_metric(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(store, [replace(point, scores={"vmaf": 90.0}) for point in published("other")])
    monkeypatch.setenv(STORE_VARIABLE, store.location.store_option)
    page = AppTest.from_string(LEADERBOARD, default_timeout=60)
    page.query_params["anchor"] = "published:vtm"
    page.run()
    anchor = page.selectbox(key="anchor of leaderboard")
    assert anchor.options == ["jpeg", "mine", "jpeg (published)", "vtm (published)"]
    assert anchor.value == "published:vtm"
    assert page.header[0].value.replace("\\", "") == "BD-rate against the published vtm, no interval · photos"
    assert not page.warning
    # At a rate there is nothing to compare with.
    page.selectbox(key="view of leaderboard").select("rate").run()
    assert page.selectbox(key="anchor of leaderboard").options == ["jpeg", "mine"]
    assert not page.exception


def test_exports_and_the_report_take_the_same_anchor(store: Store, tmp_path: Path) -> None:
    write(store, "json", tmp_path / "board.json", "leaderboard", metrics=("psnr",), anchor="vtm")
    (table,) = json.loads((tmp_path / "board.json").read_text())
    assert [row["codec"] for row in table["rows"]] == ["mine", "jpeg"]
    write(store, "latex", tmp_path / "board.tex", "leaderboard", metrics=("psnr",), anchor="vtm")
    assert "published vtm, no interval" in (tmp_path / "board.tex").read_text()
    ended = call(
        "report", "report.html", "--anchor", "vtm", "--store", store.location.store_option, folder=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    assert "BD-rate against the published vtm, no interval" in (tmp_path / "report.html").read_text()


def test_a_codec_measured_here_comes_before_a_published_one_of_its_name(store: Store) -> None:
    assert board(store, "jpeg").title.startswith("BD-rate against jpeg by PSNR")
    table = board(store, "published:jpeg")
    assert texts(table)[0][:2] == ["mine", "−87.5"]


def test_an_estimated_anchor_makes_every_number_an_estimate(store: Store) -> None:
    keep(store, published("model", 1, rate_kind="estimated"))
    table = board(store, "model")
    assert {row.record["bd_rate"][PSNR.metric_id]["rate_kind"] for row in table.rows} == {"estimated"}
    assert any(note.startswith("(estimated) model: rates that an entropy model") for note in table.notes)


def test_a_short_overlap_is_starred_and_none_is_said(store: Store) -> None:
    keep(store, [replace(point, scores={"psnr": point.scores["psnr"] + 5}) for point in published("above")])
    keep(store, [replace(point, scores={"psnr": point.scores["psnr"] + 50}) for point in published("far")])
    table = board(store, "above")
    assert texts(table)[1][1] == f"+{100 * (2 ** (5 / 3) - 1):.1f}*"
    assert "* The two curves share less than half of the range they span together." in table.notes
    assert math.isclose(values(table)[1][1] or 0, 100 * (2 ** (5 / 3) - 1), rel_tol=1e-6)
    assert [row[1] for row in texts(board(store, "far"))] == ["– no overlap"] * 2


@pytest.mark.parametrize(
    ("anchor", "asked", "said"),
    [
        ("bpg", {}, "no stored codec is called 'bpg'"),
        ("published:bpg", {}, "no published curve on photos is called 'bpg'; there are jpeg, vtm"),
    ],
)
def test_what_is_no_anchor_is_an_error(store: Store, anchor: str, asked: Any, said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        board(store, anchor, **asked)


def test_a_curve_without_the_metric_names_what_it_has(store: Store) -> None:
    keep(store, [replace(point, scores={"vmaf": 90.0}) for point in published("other")])
    table = board(store, "other")
    assert [row[1] for row in texts(table)] == ["– not published"] * 2
    assert "The published curve other is of vmaf." in table.notes
    assert table.rows[0].record["bd_rate"][PSNR.metric_id]["reason"] == "not published"
