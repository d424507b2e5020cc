"""What a page of a report is made from, how much room its pictures have, and what is said of the files."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest
from metric_rows import metric_row

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.reports.charts.line_styles import COLOURS, DARK
from codecarena.reports.files import page, report
from codecarena.reports.files.page_pictures import PageSheet, Shot, Strip
from codecarena.reports.tables.leaderboard_tables import RatePoint
from codecarena.reports.tables.table import Column, Entry, Row, Table

TABLE = Table("Rates", (Column("Codec"),), (Row((Entry("<zip>"),)),))


def sheet(toy: bool) -> PageSheet:
    shots = (Shot("original", "data:", ()), Shot("zip", "data:", (), toy))
    return PageSheet("zoo", "1.0", (Strip("a.png", "all of it", 4, 4, shots),), ())


@pytest.mark.parametrize("toy", [False, True])
def test_what_a_page_is_rendered_from(monkeypatch: pytest.MonkeyPatch, toy: bool) -> None:
    settings: list[dict[str, Any]] = []

    def environment(**named: Any) -> Any:
        settings.append(named)
        return SimpleNamespace(
            get_template=lambda name: SimpleNamespace(render=lambda **words: (name, words))
        )

    runs = [SimpleNamespace(run_id=place, suite_text="" if place % 2 else "text") for place in range(60)]
    monkeypatch.setattr(page, "Environment", environment)
    monkeypatch.setattr(page, "read_provenance", lambda store: SimpleNamespace(runs=runs, store=store))
    monkeypatch.setattr(page, "provenance_tables", lambda known, sets: (known.store, sets))
    monkeypatch.setattr(page, "inline_svg", lambda *words: f"<svg>{words}</svg>")
    content: Any = SimpleNamespace(image_sets=("zoo", "park"))
    sheets = [sheet(toy=False), sheet(toy)]
    name, words = page.html_page("store", content, sheets)  # type: ignore[arg-type, misc]
    (given,) = settings
    # Names of codecs and sets are not ours.
    assert (given["autoescape"], given["undefined"]) == (True, jinja2.StrictUndefined)
    assert (name, words["title"], words["report"]) == ("page.html", "codecarena: zoo, park", content)
    assert (words["sheets"], words["has_toys"]) == (sheets, toy)
    assert words["provenance"] == ("store", ("zoo", "park"))
    # The newest twenty with a suite of their own.
    assert [run.run_id for run in words["runs"]] == list(range(0, 40, 2))
    assert datetime.strptime(words["written"], "%Y-%m-%d %H:%M")
    # A browser runs the script only if the page's policy names its hash.
    hashed = base64.b64decode(words["script_hash"])
    assert hashed == hashlib.sha256(words["script"].encode()).digest()
    assert words["script"].startswith("// Turn a finished table into one that a click on a heading sorts")
    assert words["script"].endswith((page.WEB / "page.js").read_text())
    assert "export default" not in words["script"]
    # Every colour of a drawing has another one on a dark ground.
    assert f"--{COLOURS[0][1:]}: {DARK[COLOURS[0]]};" in words["style"]
    assert "--ffffff: #15181d;" in words["style"]
    assert "&lt;zip&gt;" in words["grid"](TABLE)
    drawing = words["drawing"](SimpleNamespace(figure="figure", description="about"), 2, 3)
    assert drawing == "<svg>('figure', 'chart2x3', 'about')</svg>"


def test_sets_share_the_room_for_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    remade: list[Any] = []
    drawn: list[Any] = []

    def plan(_: Any, *, image_set: str) -> Any:
        if image_set == "failed":
            raise AnalysisError("no results")
        bands = [SimpleNamespace(picture_sha256=f"{image_set} {place}") for place in range(2)]
        return SimpleNamespace(image_set=image_set, bands=bands, cells=[f"{image_set} cell"])

    def remake(store: Any, originals: Any, cells: Any) -> Any:
        remade.append((store, originals, cells))
        return SimpleNamespace(pixels="pixels", missing="missing")

    monkeypatch.setattr(page, "plan", plan)
    monkeypatch.setattr(page, "page_sheet", lambda plan, *words: drawn.append((plan.image_set, *words)))
    content: Any = SimpleNamespace(image_sets=("zoo", "failed", "park", "lake"))
    assert len(page.page_sheets("store", content, remake)) == 3  # type: ignore[arg-type]
    # A third of 6.5 MB each.
    assert drawn == [(name, "pixels", "missing", 2_166_666) for name in ("zoo", "park", "lake")]
    assert remade[0] == ("store", ["zoo 0", "zoo 1"], ["zoo cell"])


def test_what_was_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[Any] = []
    closed: list[bool] = []

    def report_of(_: Any, **named: Any) -> str:
        asked.append(named)
        return "report"

    store = SimpleNamespace(close=lambda: closed.append(True))
    monkeypatch.setattr(page, "Store", lambda url: store if url == "arena" else None)
    monkeypatch.setattr(page, "report", report_of)
    monkeypatch.setattr(page, "page_sheets", lambda *words: list(words))
    monkeypatch.setattr(page, "html_page", lambda _, content, sheets: 1_250_000 * "x" + sheets[1] + content)
    monkeypatch.setattr(page, "write_latex", lambda content, folder: [content, folder])
    out, folder = tmp_path / "r.html", tmp_path / "tables"

    def write(*places: Path | None, **named: Any) -> list[str]:
        return page.write("arena", "remake", *places, **named)  # type: ignore[arg-type]

    wanted = {"image_set": "zoo", "metrics": ("psnr",), "anchor": "zip"}
    assert write(out, folder, **wanted) == [
        f"2 tables written to {folder}; tables.tex holds them all",
        f"report written to {out} (1.3 MB)",
    ]
    assert asked == [wanted]
    assert out.read_text().endswith("xreportreport")
    assert write(None, folder) == [f"2 tables written to {folder}; tables.tex holds them all"]
    assert write(tmp_path / "R.HTM") == [f"report written to {tmp_path / 'R.HTM'} (1.3 MB)"]
    assert closed == [True] * 3
    for wrong, said in (
        ("r.pdf", "expected a name that ends with .html"),
        ("no/r.html", "there is no folder"),
    ):
        with pytest.raises(AnalysisError, match=said):
            write(tmp_path / wrong)
    assert len(asked) == 3
    (tmp_path / "d.html").mkdir()
    with pytest.raises(AnalysisError, match=r"cannot write .*d\.html"):
        write(tmp_path / "d.html")


@pytest.mark.parametrize("reason", ["", "no votes yet"])
def test_a_study_is_a_section_of_a_report(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    monkeypatch.setattr(report, "scale_chart", lambda scale, title: (scale, title))
    outcomes = [SimpleNamespace(scale=f"scale {n}", title=f"title {n}") for n in (1, 2)]
    findings: Any = SimpleNamespace(
        study=SimpleNamespace(label="tea"), lines=("12 votes",), reason=reason, tables=(TABLE,),
        warning="made up", results=None if reason else SimpleNamespace(outcomes=outcomes),
    )  # fmt: skip
    section = report._study(findings)
    assert (section.title, section.warning) == ("Study tea", "made up")
    assert section.tables == (replace(TABLE, label="study-tea-rates"),)
    assert section.lines == (("12 votes", reason) if reason else ("12 votes",))
    charts = [] if reason else [("scale 1", "tea: title 1")]
    assert [chart.figure for chart in section.charts] == charts


def test_three_metrics_have_a_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("psnr", "ms-ssim", "butteraugli", "flip")
    metrics: list[Any] = [
        metric_row(name, name, "x", "1", "RGB", "lower" if name == "butteraugli" else "higher", None)
        for name in names
    ]
    points = [RatePoint(codec, 1.0, rate, 30.0) for codec in ("zip", "hyper") for rate in (1.0, 2.0)]
    drawn: list[Any] = []
    monkeypatch.setattr(report, "curve_points", lambda *_: None)
    monkeypatch.setattr(report, "rate_points", lambda *_: (points, 7))
    monkeypatch.setattr(report, "shared_notes", lambda *_: [])
    monkeypatch.setattr(
        report.rd_figure, "rate_distortion", lambda _, styles, **named: drawn.append((list(styles), named))
    )
    grids = [SimpleNamespace(codec=SimpleNamespace(label=name)) for name in ("zip", "hyper", "new")]
    part: Any = SimpleNamespace(
        grids=grids, title=lambda metric: metric.name.upper(), image_set="zoo", picture_names={},
        comparison=lambda _: None,
    )  # fmt: skip
    section = report._curves(part, metrics, None)  # type: ignore[arg-type]
    assert [chart.description for chart in section.charts] == [
        f"{name.upper()} over bits per pixel of 2 codecs; the tables hold the numbers" for name in names[:3]
    ]
    assert (section.title, section.lines) == ("Rate and distortion · zoo", ())
    assert [(named["unit"], named["decibels"], named["better"]) for _, named in drawn] == [
        ("dB", False, "higher"), ("", True, "higher"), ("", False, "lower"),
    ]  # fmt: skip
    assert drawn[0][0] == ["hyper", "new", "zip"]  # all codecs of the set, so that each keeps its look
    assert drawn[0][1]["title"] == "PSNR, means over 7 pictures"
    points.clear()
    empty = report._curves(part, metrics, None)  # type: ignore[arg-type]
    assert (empty.charts, empty.lines) == ((), ("No curve yet: no picture is finished by all codecs.",))
