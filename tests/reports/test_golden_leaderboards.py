"""Every cell of the leaderboards holds its own number: rows by hand, of answers that differ in all."""

from __future__ import annotations

from typing import Any

import pytest
from report_rows import BUTTERAUGLI, MS_SSIM, PSNR, Answers, Kept, summary, text_columns, texts, values

from codecarena.bench.analysis.codec_grids import CodecFlags
from codecarena.bench.analysis.curves import BdQuality, BdRate
from codecarena.bench.analysis.intervals import Interval
from codecarena.bench.analysis.leaderboard import BdRow, Leaderboard
from codecarena.bench.analysis.significance import Evidence
from codecarena.bench.records.rows import MetricRow
from codecarena.reports.tables import digits
from codecarena.reports.tables.evidence import (
    Pending,
    affinity_notes,
    board_evidence,
    board_ranks,
    curve_points,
    interval_notes,
)
from codecarena.reports.tables.leaderboards import THIN_OVERLAP, bd_table
from codecarena.reports.tables.table import Table

WEBP = summary("webp", toy=True, failed=3, marks=CodecFlags(bitstreams=8, encoder_varies=True))
JPEG = summary("jpeg", pictures=9, lowest_rate=0.25, highest_rate=0.25)
HEIC, AVIF, NEW = summary("heic"), summary("avif"), summary("new", pictures=6)
BROKEN = summary(
    "broken", pictures=0, lowest_rate=None, highest_rate=None, reason="crash in encode", failed=1
)

BD_ROWS = (
    BdRow(WEBP, BdRate(-35.84, None, 28.25, 40.5, 0.4599, 2), -38.71, 5, (95.0, 100.0),
          BdQuality(1.234, None, 0.125, 2.5)),
    BdRow(JPEG, BdRate(0.0, None, 20.0, 45.0, 1.0), 0.0, 6, (), BdQuality(0.0, None, 0.25, 0.25)),
    BdRow(AVIF, BdRate(1.0, None, 29.0, 41.0, 0.75, 1), 2.0, 6, ()),
    BdRow(NEW, BdRate(2.0, None, 27.0, 42.0, 0.625), None, 0, (7.0,)),
    BdRow(HEIC, BdRate(4.04, None, 30.0, 44.0, THIN_OVERLAP), 5.06, 6, (), BdQuality(-0.256)),
    BdRow(BROKEN, BdRate(None, "crash in encode"), None, 0, (3.0,)),
)  # fmt: skip
EVIDENCE = {
    "webp-id": Evidence(
        Interval(-40.14, -30.26), Interval(-44.04, -33.33), 0.0301, "better", Interval(0.91, 1.55)
    ),
    "heic-id": Evidence(Interval(1.46, 6.25), Interval(2.5, 7.0), 0.0004, "worse"),
    "avif-id": Evidence(Interval(-2.0, 3.0), Interval(-1.0, 4.0), 0.4, "not shown"),
    "new-id": Evidence(
        Interval(None, None, "fewer than 5 pictures"), Interval(None, None, "no value"), None, None
    ),
}


def board(metric: MetricRow = PSNR, rows: tuple[BdRow, ...] = BD_ROWS, common: int = 6) -> Leaderboard:
    return Leaderboard(metric, "jpeg", "jpeg-id", common, rows, comparison=None)  # type: ignore[arg-type]


def record_of(table: Table, label: str) -> Any:
    return next(row.record for row in table.rows if row.record["codec"] == label)


def test_bd_rates_of_one_metric_in_detail() -> None:
    part = Answers({PSNR.metric_id: board()}, near={("webp", "same weights"): 4})
    table = bd_table(part, [PSNR], "jpeg", derived=Kept(against_anchor=EVIDENCE))
    assert table.title == "BD-rate against jpeg by PSNR · photos"
    assert [column.heading for column in table.columns] == [
        "Codec", "BD-rate, %", "BD-PSNR, dB", "Mean of pictures, %", "Shared range, dB", "Overlap, %",
        "Pictures", "Rate range, bits/pixel",
    ]  # fmt: skip
    assert texts(table) == [
        ["webp (toy) ~", "−35.8*▼ (−40.1…−30.3)", "+1.23 (+0.91…+1.55)", "−38.7 of 5/6 (−44.0…−33.3)",
         "28.25…40.50", "45", "7/9", "0.050…2.50"],
        ["jpeg", "anchor", "anchor", "0.0", "20.00…45.00", "100", "9/9", "0.25"],
        ["avif", "+1.0 (−2.0…+3.0)", "–", "+2.0 (−1.0…+4.0)", "29.00…41.00", "75", "7/9", "0.050…2.50"],
        ["new", "+2.0", "–", "–", "27.00…42.00", "62", "6/9", "0.050…2.50"],
        ["heic", "+4.0▲ (+1.5…+6.2)", "−0.26", "+5.1 (+2.5…+7.0)", "30.00…44.00", "50", "7/9", "0.050…2.50"],
        ["broken", "– crash in encode", "–", "–", "–", "–", "0/9", "–"],
    ]  # fmt: skip
    assert text_columns(table) == ["Codec", "Shared range, dB", "Rate range, bits/pixel"]
    assert values(table)[0] == pytest.approx([None, -35.84, 1.234, -38.71, 28.25, 45.99, 7, 0.05])
    assert values(table)[1][1] == 0.0
    assert values(table)[-1] == [None, None, None, None, None, None, 0.0, None]
    assert [row.entries[1].tone for row in table.rows] == ["better", "", "", "", "worse", ""]
    assert [row.entries[1].hint for row in table.rows] == [
        "Fewer bits than the anchor: p = 0.030 after Holm's correction.",
        "",
        "No difference from the anchor is shown: p = 0.400 after Holm's correction.",
        "No interval: fewer than 5 pictures.",
        "More bits than the anchor: p < 0.001 after Holm's correction.",
        "Every attempt failed (crash in encode); the page Runs shows what the codec said.",
    ]
    first, brackets, reason, *rest = table.notes
    assert first.startswith(
        "Minus: fewer bits than jpeg at equal score. Of the mean curve over the 6 pictures that"
    )
    assert "; PCHIP over log rate; " in first
    assert brackets.startswith("In brackets: 95 % interval over pictures, 10\N{NARROW NO-BREAK SPACE}000 ")
    assert reason == "No interval: fewer than 5 pictures."
    assert rest == [
        "* The two curves share less than half of the range they span together.",
        "webp, PSNR: setting 95, 100 left out: identical on half of the pictures or more.",
        "webp, PSNR: 2 settings left out: another is as good for no more bits.",
        "avif, PSNR: 1 setting left out: another is as good for no more bits.",
        "new, PSNR: setting 7 left out: identical on half of the pictures or more.",
        "webp: 4 pictures with affinity to it: same weights.",
        "~ webp: its encoder wrote other bytes when asked again; the rate is of one try.",
        "webp: 3 attempts failed.",
        "broken: 1 attempt failed.",
        digits.TOY_NOTE,
    ]


NONE = "no codec needs fewer bits than the anchor, the next is"


@pytest.mark.parametrize(
    ("row", "proof", "said"),
    [
        (
            BD_ROWS[0],
            "webp-id",
            "webp (toy) ~ needs the fewest bits: BD-rate −35.8 % against jpeg (95 % −40.1 to −30.3) "
            "over 0 pictures, on less than half of the range that the two curves span; the difference is "
            "significant.",
        ),
        (
            BD_ROWS[2],
            "avif-id",
            f"{NONE} avif: BD-rate +1.0 % against jpeg (95 % −2.0 to +3.0) over 0 pictures; no difference is "
            "shown.",
        ),
        (
            BD_ROWS[3],
            "new-id",
            f"{NONE} new: BD-rate +2.0 % against jpeg over 0 pictures; no interval: fewer than 5 pictures.",
        ),
        # The interval is being computed.
        (BD_ROWS[4], "", f"{NONE} heic: BD-rate +4.0 % against jpeg over 0 pictures."),
        (BD_ROWS[5], "", None),
    ],
)
def test_a_table_of_bd_rates_begins_with_what_it_says(row: BdRow, proof: str, said: str | None) -> None:
    part = Answers({PSNR.metric_id: board(rows=(BD_ROWS[1], row))})
    known = {proof: EVIDENCE[proof]} if proof else {}
    table = bd_table(part, [PSNR], "jpeg", derived=Kept(against_anchor=known))
    assert (table.summary and table.summary.text) == (said and f"By PSNR, {said}")
    if table.summary:
        assert (table.summary.codec_id, table.summary.other_id) == (row.codec.codec_id, "jpeg-id")
    assert [shown.pinned for shown in table.rows] == [True, False]


def test_the_record_of_a_bd_rate() -> None:
    part = Answers({PSNR.metric_id: board()})
    table = bd_table(part, [PSNR], "jpeg", derived=Kept(against_anchor=EVIDENCE))
    record = dict(record_of(table, "webp"))
    assert record.pop("bd_rate") == {
        PSNR.metric_id: {
            "metric": "psnr", "implementation": "codecarena", "version": "0.1", "anchor": "jpeg",
            "common_pictures": 6, "pictures": 0, "pictures_left_out": [], "percent": -35.84, "reason": None,
            "shared_range": (28.25, 40.5), "bd_quality": 1.234, "bd_quality_unit": "dB",
            "bd_quality_reason": None, "bd_quality_shared_rates": (0.125, 2.5),
            "bd_quality_interval_95": (0.91, 1.55),
            "overlap": 0.4599, "mean_of_pictures_percent": -38.71, "pictures_in_that_mean": 5,
            "lossless_settings": (95.0, 100.0), "dominated_settings": 2, "method": "pchip",
            "interval_95": (-40.14, -30.26), "mean_of_pictures_interval_95": (-44.04, -33.33),
            "no_interval_because": None, "p_value_holm": 0.0301, "verdict": "better", "rate_kind": "bytes",
        }
    }  # fmt: skip
    marks = record.pop("marks")
    assert (marks["bitstreams"], marks["encoder_varies"]) == (8, True)
    assert record == {
        "codec": "webp", "codec_id": "webp-id", "family": "classic", "toy": True, "pictures": 7,
        "of_pictures": 9, "lowest_rate": 0.05, "highest_rate": 2.5, "failed": 3, "reason": None,
    }  # fmt: skip
    new = record_of(table, "new")["bd_rate"][PSNR.metric_id]
    assert (new["interval_95"], new["no_interval_because"]) == (None, "fewer than 5 pictures")
    bare = record_of(table, "broken")["bd_rate"][PSNR.metric_id]
    assert (bare["reason"], bare["shared_range"], bare["p_value_holm"]) == ("crash in encode", None, None)


def test_where_less_is_better_the_shared_range_is_in_the_metrics_own_values() -> None:
    rows = (BdRow(AVIF, BdRate(-3.0, None, -2.75, -1.25, 0.9), -2.0, 6, (), BdQuality(0.5)),)
    known = {"avif-id": EVIDENCE["webp-id"]}
    table = bd_table(Answers({BUTTERAUGLI.metric_id: board(BUTTERAUGLI, rows)}), [BUTTERAUGLI], "jpeg",
                     derived=Kept(against_anchor=known))  # fmt: skip
    # Half a point better is half a point less.
    assert texts(table)[0][:3] == ["avif", "−3.0▼ (−40.1…−30.3)", "−0.50 (−1.55…−0.91)"]
    assert texts(table)[0][3:] == ["−2.0 (−44.0…−33.3)", "2.75…1.25", "90", "7/9", "0.050…2.50"]
    assert record_of(table, "avif")["bd_rate"][BUTTERAUGLI.metric_id]["bd_quality_interval_95"] == (
        -1.55,
        -0.91,
    )
    # A similarity of 0.9 is 10 dB, one of 0.99 is 20 dB.
    rows = (BdRow(AVIF, BdRate(-3.0, None, 10.0, 20.0, 0.9), -2.0, 6, (), BdQuality(0.5)),)
    table = bd_table(Answers({MS_SSIM.metric_id: board(MS_SSIM, rows)}), [MS_SSIM], "jpeg",
                     derived=Kept(against_anchor={}))  # fmt: skip
    assert texts(table)[0][4] == "0.9000…0.9900"
    assert (table.columns[2].heading, texts(table)[0][2]) == ("BD-MS-SSIM, dB", "+0.50")


def test_a_thin_overlap_is_noted_where_there_is_one() -> None:
    # 46 %, exactly half, 75 %, and no BD-rate.
    rows = ((BD_ROWS[0], True), (BD_ROWS[4], False), (BD_ROWS[2], False), (BD_ROWS[5], False))
    for row, noted in rows:
        part = Answers({PSNR.metric_id: board(rows=(row,))})
        notes = bd_table(part, [PSNR], "jpeg", derived=Kept(against_anchor={})).notes
        assert any(note.startswith("* The two curves share less than half") for note in notes) is noted


@pytest.mark.parametrize(
    ("counts", "shown"), [((6, 6, 6), "6"), ((8, 6, 6), "6 to 8"), ((7, 9, 6), "6 to 9")]
)
def test_the_fewest_and_the_most_pictures_of_the_metrics_are_told(
    counts: tuple[int, ...], shown: str
) -> None:
    metrics = (PSNR, MS_SSIM, BUTTERAUGLI)
    boards = {
        metric.metric_id: board(metric, BD_ROWS[1:2], common)
        for metric, common in zip(metrics, counts, strict=True)
    }
    table = bd_table(Answers(boards), metrics, "jpeg", derived=Kept(against_anchor={}))
    assert f"over the {shown} pictures that all compared codecs finished" in table.notes[0]


def test_bd_rates_of_several_metrics_side_by_side() -> None:
    by_ssim = (
        BdRow(JPEG, BdRate(0.0, None, 10.0, 20.0, 1.0), 0.0, 8, ()),
        BdRow(AVIF, BdRate(-12.5, None, 11.0, 19.0, 0.8), -13.0, 8, ()),
        BdRow(WEBP, BdRate(None, "no overlap"), None, 0, (1.0,)),
    )
    part = Answers({
        PSNR.metric_id: board(rows=BD_ROWS[:3]),
        MS_SSIM.metric_id: board(MS_SSIM, by_ssim, common=8),
    })  # fmt: skip
    table = bd_table(part, [PSNR, MS_SSIM], "jpeg", derived=Kept(against_anchor={}))
    assert table.title == "BD-rate against jpeg, every metric · photos"
    assert [column.heading for column in table.columns] == [
        "Codec", "PSNR, %", "MS-SSIM, %", "Pictures", "Rate range, bits/pixel",
    ]  # fmt: skip
    assert texts(table) == [
        ["webp (toy) ~", "−35.8*", "– no overlap", "7/9", "0.050…2.50"],
        ["jpeg", "anchor", "anchor", "9/9", "0.25"],
        ["avif", "+1.0", "−12.5", "7/9", "0.050…2.50"],
    ]
    assert "over the 6 to 8 pictures that all compared codecs finished" in table.notes[0]
    assert "webp, MS-SSIM: setting 1 left out" not in " ".join(table.notes)
    assert record_of(table, "avif")["bd_rate"][MS_SSIM.metric_id]["percent"] == -12.5
    assert record_of(table, "avif")["bd_rate"][PSNR.metric_id]["percent"] == 1.0


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("no overlap", "share no score"),
        ("lossless", "gives pictures back identical"),
        ("one point", "needs two settings"),
        ("no curve", "No lossy setting is left"),
        ("anchor: one point", "The anchor: A curve needs two settings"),
        ("no anchor curve", "The anchor finished fewer than half"),
        ("no common picture", "No picture was finished by all codecs"),
        ("2 of 8 pictures", "Finished 2 of 8 pictures; codecs are compared once they have finished half"),
        ("no psnr yet", "Not scored by this metric"),
        ("error in load", "Every attempt failed (error in load)"),
        ("something else", "something else"),
    ],
)
def test_an_empty_bd_rate_says_why(reason: str, hint: str) -> None:
    rows = (BdRow(AVIF, BdRate(None, reason), None, 0, ()),)
    table = bd_table(
        Answers({PSNR.metric_id: board(rows=rows)}), [PSNR], "jpeg", derived=Kept(against_anchor={})
    )
    entry = table.rows[0].entries[1]
    assert (entry.text, entry.value) == (f"– {reason}", None)
    assert hint in entry.hint


def test_an_answer_is_asked_for_by_question_and_part_and_waited_for_by_nobody() -> None:
    part, row_board = Answers({PSNR.metric_id: board()}), board()
    kept = Kept(against_anchor={}, ranks={}, points={})
    board_evidence(part, row_board, kept)
    board_ranks(part, row_board, kept)
    curve_points(part, PSNR, kept)
    assert kept.questions == [
        "against anchor | jpeg-id | psnr-id-0 | pchip | photos | every kind",
        "ranks | jpeg-id | psnr-id-0 | pchip | photos | every kind",
        "points | psnr-id-0 | photos | every kind",
    ]

    class Busy:
        def answer(self, *_: object) -> Any:
            raise Pending

    assert board_evidence(part, row_board, Busy()) == {}
    assert board_ranks(part, row_board, Busy()) == {}
    assert curve_points(part, PSNR, Busy()) == {}


def test_notes_on_intervals_and_affinity() -> None:
    with_one, without, no_value = (
        EVIDENCE["webp-id"],
        EVIDENCE["new-id"],
        Evidence(Interval(None, None, "no value"), Interval(None, None, "no value"), None, None),
    )
    assert interval_notes([without, no_value], "jpeg") == ["No interval: fewer than 5 pictures."]
    (note,) = interval_notes([with_one, no_value], "jpeg")
    assert "▼ fewer, ▲ more bits than jpeg" in note
    assert interval_notes([no_value], "jpeg") == []
    near = {("zeta", "same weights"): 1, ("alpha", "same generator family"): 1200}
    assert affinity_notes(Answers(near=near)) == [
        "alpha: 1\N{NARROW NO-BREAK SPACE}200 pictures with affinity to it: same generator family.",
        "zeta: 1 picture with affinity to it: same weights.",
    ]
