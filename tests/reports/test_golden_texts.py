"""Tables of runs, failures and studies, and every table as text: what stands where, and when it changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from report_rows import CELL, PSNR, WIDE, text_columns, texts, values
from stored_cells import part_of

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.analysis.intervals import Interval
from codecarena.bench.analysis.significance import PointEvidence
from codecarena.bench.records.rows import Failure, Match, MatchRow, MetricRow, RunRow, Score, ScoredCell
from codecarena.bench.store.run_details import RunDetail, Version
from codecarena.reports.charts.study_tables import record_table
from codecarena.reports.tables.latex import LONG, escaped, latex
from codecarena.reports.tables.leaderboard_tables import (
    OperatingPoint,
    failures_summary,
    failures_table,
    parse_operating_point,
    rate_points,
    running,
    tables_of,
)
from codecarena.reports.tables.markup import html_table
from codecarena.reports.tables.run_tables import (
    failure_title,
    machine,
    open_failures,
    runs_table,
    versions_table,
)
from codecarena.reports.tables.selection import choose_metrics, selections
from codecarena.reports.tables.table import Column, Entry, Row, Table, as_json

NARROW = "\N{NARROW NO-BREAK SPACE}"
"""No process has this id: Linux gives at most 2 ** 22."""

RUN = RunRow(17, "quick", "finished", 3, 1200, "2026-02-03T04:05:06+00:00", "2026-02-03T04:06:36+00:00", ())
DETAIL = RunDetail(
    RUN, "", {"cpu": "Ryzen", "cores": 16, "gpus": ["H200"]}, 1100, 13, "2026-02-03T04:05:56+00:00"
)
FAILURE = Failure("photos", "a.png", "a", "jpeg-id", "jpeg", 7.5, None, None, "crash", "encode", -11,
                  "signal 11", "", "2026-01-01T00:00:00", False)  # fmt: skip


def test_a_run_in_a_row() -> None:
    table = runs_table([DETAIL, replace(DETAIL, run=replace(RUN, run_id=2), machine={})])
    assert [column.heading for column in table.columns] == [
        "Run", "Suite", "Kind", "Status", "Began, UTC", "Took", "Planned", "Results", "Failed", "Workers",
        "Machine",
    ]  # fmt: skip
    assert texts(table) == [
        ["17", "quick", "measurements", "finished", "2026-02-03 04:05", "90 s", f"1{NARROW}200",
         f"1{NARROW}100", "13", "3", "Ryzen, 16 cores, H200"],
        ["2", "quick", "measurements", "finished", "2026-02-03 04:05", "90 s", f"1{NARROW}200",
         f"1{NARROW}100", "13", "3", "0 cores"],
    ]  # fmt: skip
    assert text_columns(table) == ["Run", "Suite", "Kind", "Status", "Began, UTC", "Took", "Machine"]
    assert values(table)[0] == [17, None, None, None, None, 90, 1200, 1100, 13, 3, None]


@pytest.mark.parametrize(
    ("call", "suite", "is_timing_pass", "kind"),
    [
        ((), "quick", False, "measurements"), (("run", "--limit", "2"), "quick", False, "measurements"),
        (("run",), "quick", True, "timing pass"), (("time",), "quick", True, "timing pass"),
        (("score",), "quick", False, "scores"), ((), "import votes.csv", False, "import"),
        (("verify",), "quick", False, "verify"),
    ],
)  # fmt: skip
def test_what_a_run_did_is_said(call: tuple[str, ...], suite: str, is_timing_pass: bool, kind: str) -> None:
    detail = replace(DETAIL, run=replace(RUN, call=call, suite=suite), is_timing_pass=is_timing_pass)
    assert texts(runs_table([detail]))[0][2] == kind


@pytest.mark.parametrize(
    ("began", "finished", "newest", "took"),
    [
        ("00:00:00", "00:01:59", "00:00:30", "119 s"),
        ("00:00:00", "00:02:00", None, "2 min"),
        ("00:00:00", "01:59:00", None, "119 min"),
        ("00:00:00", "02:00:00", None, "2.0 h"),
        ("00:00:00", "05:30:00", None, "5.5 h"),
        ("00:00:30", None, "00:01:00", "30 s"),
        ("00:00:00", None, None, "–"),
    ],
)
def test_how_long_a_run_took(began: str, finished: str | None, newest: str | None, took: str) -> None:
    def at(clock: str | None) -> str | None:
        return clock and f"2026-01-01T{clock}+00:00"

    run = replace(RUN, started_at=str(at(began)), finished_at=at(finished))
    assert texts(runs_table([replace(DETAIL, run=run, newest=at(newest))]))[0][5] == took


def test_only_a_run_that_is_alive_is_announced() -> None:
    runs = [replace(RUN, status=status) for status in ("running", "killed", "finished", "interrupted")]

    class Store:
        def runs(self) -> list[RunRow]:
            return runs

    assert running(Store()) == runs[:1]


def test_a_machine_in_a_few_words() -> None:
    assert machine(replace(DETAIL, machine={"cpu": "M2", "cores": 1})) == "M2, 1 core"
    assert machine(replace(DETAIL, machine={"cores": 2, "gpus": ["a", "b"]})) == "2 cores, a, b"


def test_failures_newest_first_and_in_a_line() -> None:
    settled, older, newer = (
        replace(FAILURE, settled=True),
        FAILURE,
        replace(FAILURE, metric="psnr", stage="score"),
    )
    assert open_failures([older, settled, newer]) == [newer, older]
    assert failure_title(older) == "jpeg at 7.5 on a.png: crash in encode"
    assert failure_title(newer) == "jpeg at 7.5 on a.png: crash in score, metric psnr"


def test_alike_failures_stand_together_the_commonest_first() -> None:
    other = replace(FAILURE, codec="avif", outcome="timeout", stage="decode", message="60 s")
    listed = [FAILURE, other, replace(other, settled=True), replace(other, picture="b.png"), other]
    table = failures_summary(listed)
    assert texts(table) == [
        ["avif", "timeout in decode", "60 s", "3"],
        ["jpeg", "crash in encode", "signal 11", "1"],
    ]
    assert text_columns(table) == ["Codec", "Outcome", "Message"]
    assert values(table)[0] == [None, None, None, 3.0]
    assert table.rows[0].record == {
        "codec": "avif", "outcome": "timeout in decode", "message": "60 s", "attempts": 3,
    }  # fmt: skip
    assert (table.title, failures_summary(listed, "photos").title) == ("Failures", "Failures · photos")


def test_versions() -> None:
    cases = [
        Version("codec", "latent", "1.2", "0123456789abcdef", ""),
        Version("metric", "psnr", "0.1", None, "codecarena"),
    ]
    table = versions_table(cases)
    assert texts(table) == [
        ["latent", "codec", "1.2", "0123456789ab", "–"],
        ["psnr", "metric", "0.1", "–", "codecarena"],
    ]
    assert len(text_columns(table)) == 5
    assert [row.entries[3].hint for row in table.rows] == ["0123456789abcdef", ""]
    assert [column.title for column in table.columns] == ["Name", "Is a", "Version", "Weights", "From"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bpp=0.25", OperatingPoint("bpp", 0.25)),
        (" psnr = 30", OperatingPoint("psnr", 30.0)),
        ("a=b=1", None),
        ("bpp", None),
        ("bpp=", None),
    ],
)
def test_what_at_asks_for(text: str, expected: OperatingPoint | None) -> None:
    if expected is None:
        with pytest.raises(AnalysisError, match="expected bpp=NUMBER or METRIC=NUMBER"):
            parse_operating_point(text)
    else:
        assert parse_operating_point(text) == expected


def ladder(codec: str, *points: tuple[int, float | None], **changes: Any) -> list[ScoredCell]:
    """Return a codec's cells of a picture of 800 pixels: bytes and PSNR of each setting."""
    return [
        replace(
            CELL, image_set="photos", picture_sha256="a", pixel_count=800, codec=codec,
            codec_id=f"{codec}-id",
            quality=float(place), seed=None, toy=False, verdict=None, bitstream_bytes=size,
            scores={PSNR.metric_id: Score(score, lossless=score is None)}, **changes,
        )
        for place, (size, score) in enumerate(points)
    ]  # fmt: skip


def test_the_usual_score_is_the_median_of_the_lossy_ones(make_store: Callable) -> None:
    cells = ladder("jpeg", (10, 30.001), (20, 31.0), (30, 36.0), (40, None))
    cells.append(replace(cells[0], scores={}, quality=9.0))
    part = part_of(make_store(cells, metrics=(PSNR,)))
    assert part.usual_score(PSNR) == 31.0
    assert part_of(make_store(cells[:2], metrics=(PSNR,))).usual_score(PSNR) == 30.5
    assert part_of(make_store(cells[3:], metrics=(PSNR,))).usual_score(PSNR) == 0.0


def test_points_of_a_chart_carry_their_own_interval(make_store: Callable) -> None:
    cells = [*ladder("zip", (100, 30.0), (200, 33.0)), *ladder("avif", (50, 29.0), (400, 39.0))]
    cells = [replace(cell, toy=cell.codec == "avif") for cell in cells]
    part = part_of(make_store(cells, metrics=(PSNR,)))
    spread = PointEvidence(1.0, 2.0, Interval(1.5, 2.5), 33.0, Interval(32.0, 35.0))
    bare = PointEvidence(0.0, 1.0, Interval(0.5, 1.5), 30.0, Interval(None, None, "few"))
    points, pictures = rate_points(part, PSNR, {"zip-id": [spread, bare]})
    assert pictures == 1
    described = {
        (point.label, point.setting): (point.bits_per_pixel, point.score, point.low, point.high)
        for point in points
    }
    assert described == {
        ("zip", 0.0): (1.0, 30.0, None, None), ("zip", 1.0): (2.0, 33.0, 32.0, 35.0),
        ("avif (toy)", 0.0): (0.5, 29.0, None, None), ("avif (toy)", 1.0): (4.0, 39.0, None, None),
    }  # fmt: skip
    assert {point.codec_id for point in points} == {"zip-id", "avif-id"}


def searched(kind: str, target: float, metric_id: str | None = None) -> MatchRow:
    match = Match("set", "photos", None, 1, "zip-id", kind, metric_id, target, 1.0, target, 1, 1, "close")
    return MatchRow(match, None, "zip")


@pytest.mark.parametrize(
    ("matches", "probe", "title"),
    [
        (
            [searched("psnr", 31.0, PSNR.metric_id), searched("bpp", 1.5)],
            True,
            "Scores at 1.5 bits per pixel",
        ),
        ([searched("psnr", 31.0, PSNR.metric_id)], True, "Cost of PSNR 31.00 dB"),
        ([searched("bpp", 1.25)], False, "BD-rate against avif by PSNR"),
    ],
)
def test_a_store_of_searches_alone_opens_at_their_target(
    make_store: Callable, matches: list[MatchRow], probe: bool, title: str
) -> None:
    cells = [
        *ladder("zip", (100, 30.0), (200, 33.0), probe=probe),
        *ladder("avif", (50, 29.0), (400, 39.0), probe=probe),
    ]
    part = part_of(make_store(cells, metrics=(PSNR,), matches=[match.match for match in matches]))
    assert tables_of(part)[0].title == f"{title} · photos"


def test_metrics_are_chosen_by_name_or_id_in_the_order_asked_for(make_store: Callable) -> None:
    def metric(metric_id: str, name: str, default_order: int | None = None) -> MetricRow:
        return replace(PSNR, metric_id=metric_id, name=name, default_order=default_order)

    stored = [metric("1", "zeta"), metric("2", "psnr", 5), metric("3", "ssim", 4), metric("4", "alpha"),
              metric("5", "psnr", 5), metric("6", "ssimulacra2-py", 2),
              metric("7", "ms-ssim", 3)]  # fmt: skip
    assert [metric.metric_id for metric in choose_metrics(stored)] == ["6", "7", "3", "2", "5", "4", "1"]
    assert [metric.metric_id for metric in choose_metrics(stored, ["zeta", "psnr", "2", "3"])] == [
        "1",
        "2",
        "5",
        "3",
    ]
    assert [metric.metric_id for metric in choose_metrics(stored, ["ssimulacra2"])] == ["6"]
    with pytest.raises(AnalysisError, match="no scores of 'zzz'; stored: alpha, ms-ssim, psnr"):
        choose_metrics(stored, ["zzz"])
    part = part_of(make_store(ladder("zip", (100, 30.0)), metrics=(PSNR, metric("other", "zeta"))))
    assert part.chosen_metrics() == [PSNR]
    assert part.chosen_metrics(["zeta"]) == []


def test_a_set_with_failures_alone_is_a_part_and_an_empty_one_is_none(make_store: Callable) -> None:
    store = make_store([], [FAILURE], metrics=(PSNR,))
    (part,) = selections(store)
    assert texts(failures_table(part)) == [["jpeg", "crash in encode", "signal 11", "1"]]
    assert failures_table(part).title == "Failures · photos"
    assert selections(store, "photos", "natural") == []


def test_records_of_studies_as_a_table() -> None:
    records: Sequence[dict[str, object]] = [
        {"condition": "3 jpeg", "value": "-1.25", "range": "1-2", "p": "<0.001", "note": None, "share": 7},
        {"condition": "b (-2)", "value": "-", "range": "+3", "p": "", "note": "a-b", "share": 0},
    ]
    table = record_table("Scale", records, ["a note"])
    assert [column.title for column in table.columns] == ["condition", "value", "range", "p", "note", "share"]
    assert [column.numeric for column in table.columns] == [False, True, True, True, False, True]
    assert texts(table) == [
        ["3 jpeg", "−1.25", "1-2", "<0.001", "", "7"],
        ["b (−2)", "–", "+3", "", "a-b", "0"],
    ]
    assert values(table) == [[None, -1.25, 1.0, 0.001, None, 7.0], [None, None, 3.0, None, None, 0.0]]
    assert (table.title, table.notes, table.rows[0].record) == ("Scale", ("a note",), records[0])
    assert [column.numeric for column in record_table("T", records, numeric=True).columns] == [False] + [
        True
    ] * 5
    assert not any(column.numeric for column in record_table("T", records, numeric=False).columns)
    assert record_table("T", []).columns == ()
    assert [column.numeric for column in record_table("T", [{"a": 1, "b": ""}]).columns] == [False, False]


@pytest.mark.parametrize(
    ("written", "shown", "number"),
    [
        ("61.2%", "61.2 %", 61.2), ("58.0% to 64.2%", "58.0 %…64.2 %", 58.0),
        ("0.81 (0.70 to 0.90)", "0.81 (0.70…0.90)", 0.81), ("-0.25 to +0.10", "−0.25…+0.10", -0.25),
        (f"1{NARROW}200 of 1{NARROW}500", f"1{NARROW}200 of 1{NARROW}500", 1200.0),
        ("3 to be", "3 to be", 3.0),
        (0.5, "0.5", 0.5), (12, "12", 12.0), ("+5.0 JOD", "+5.0 JOD", 5.0),
    ],
)  # fmt: skip
def test_numbers_of_studies_are_written_and_sorted_as_in_all_tables(
    written: object, shown: str, number: float
) -> None:
    (row,) = record_table("T", [{"condition": "a", "value": written}]).rows
    assert (row.entries[1].text, row.entries[1].value) == (shown, number)


def test_the_heading_of_a_row_may_lead_somewhere() -> None:
    rows = tuple(Row((Entry(name),)) for name in ("a<b", "c"))
    table = Table("T", (Column("Picture", numeric=False),), rows)
    page = html_table(table, ['look?set=a&codec="b', ""])
    assert '<a href="look?set=a&amp;codec=&quot;b">a&lt;b</a></th>' in page
    assert page.count("<a ") == 1
    assert "<a " not in html_table(table)


def test_a_row_may_have_a_picture_and_be_pinned() -> None:
    rows = (Row((Entry("cat"),), {"picture_sha256": "f00"}), Row((Entry("jpeg"),), pinned=True))
    table = Table("T", (Column("Picture", numeric=False),), rows)
    page = html_table(table, ["look?a", ""], "small/")
    assert '<a href="look?a"><img src="small/f00" alt="" loading="lazy">cat</a></th>' in page
    assert '<tr class="pinned"><th scope="row" title="jpeg">jpeg</th>' in page
    assert page.count("<img") == 1
    # A file has no server that makes small pictures.
    assert "<img" not in html_table(table)


def test_a_table_in_html() -> None:
    page = html_table(WIDE)
    assert page == (
        '<div class="arena" role="region" tabindex="0" aria-label="Title"><table><thead><tr>'
        '<th scope="col">Codec</th>'
        '<th scope="col" class="number" title="of &lt;it&gt;">Rate, bits/pixel</th>'
        '<th scope="col">Range, dB</th></tr></thead><tbody>'
        '<tr><th scope="row" title="jpeg">jpeg</th>'
        '<td class="number better" title="a &quot;hint&quot;" data-value="0.25">0.25 (0.10…0.50)</td>'
        '<td class="">20.00…45.00</td></tr>'
        '<tr><th scope="row" title="zip">zip</th><td class="number empty">–</td>'
        f'<td class="message">{41 * "m"}</td></tr></tbody></table></div>'
    )
    short = Table("T", WIDE.columns, (Row((Entry("a"), Entry("1", 1.0), Entry(40 * "m"))),))
    assert f'<td class="">{40 * "m"}</td>' in html_table(short)


def test_a_table_in_latex() -> None:
    lines = latex(WIDE).split("\n")
    assert r"\caption{Title}" in lines
    assert r"\begin{tabular}{lrp{120pt}}" in lines
    assert r"Codec & Rate, bits/pixel & Range, dB \\" in lines
    assert r"jpeg & 0.25 (0.10\,\ldots\,0.50) & 20.00\,\ldots\,45.00 \\" in lines
    assert [line for line in lines if " note" in line] == [
        r"first note\par", r"second note\par",
    ]  # fmt: skip
    order = [
        lines.index(command) for command in (r"\toprule", r"\midrule", r"\bottomrule", r"\end{tabular}}")
    ]
    assert order == sorted(order)
    short = Table("T", (Column("A", numeric=False),), (Row((Entry(LONG * "a"),)),))
    assert r"\begin{tabular}{l}" in latex(short)
    assert r"\begin{tabular}{l}" in latex(Table("T", (Column("A", numeric=False),), ()))


def test_accents_and_signs_that_latex_lacks() -> None:
    assert escaped("àáâãāăȧäåőčç") == r"\`{a}\'{a}\^{a}\~{a}\={a}\u{a}\.{a}\"{a}\r{a}\H{o}\v{c}\c{c}"
    assert escaped("ậ") == r"\texttt{U+1EAD}"  # two marks
    assert escaped("ж") == r"\texttt{U+0436}"
    assert escaped("\x07") == r"\texttt{U+0007}"


def test_a_table_as_records() -> None:
    assert as_json([WIDE]) == [
        {"title": "Title", "notes": ["first note", "second note"],
         "rows": [{"codec": "jpeg", "rate": 0.25}, {"codec": "zip"}]}
    ]  # fmt: skip
