"""Every cell of the tables at a rate and at a score holds its own number: rows by hand that differ in all."""

from __future__ import annotations

from typing import Any

import pytest
from report_rows import BUTTERAUGLI, MS_SSIM, PSNR, Answers, summary, text_columns, texts, values

from codecarena.bench.analysis.at_target import AtRateRow, AtScoreRow
from codecarena.bench.analysis.codec_grids import CodecFlags
from codecarena.bench.analysis.intervals import Spread
from codecarena.reports.tables import digits
from codecarena.reports.tables.at_target_tables import at_rate_table, at_score_table
from codecarena.reports.tables.table import Row, Table

WEBP = summary("webp", toy=True, failed=3, marks=CodecFlags(bitstreams=8, encoder_varies=True))
JPEG = summary("jpeg", pictures=9, lowest_rate=0.25, highest_rate=0.25)
HEIC = summary("heic")
BROKEN = summary(
    "broken", pictures=0, lowest_rate=None, highest_rate=None, reason="crash in encode", failed=1
)


def record_of(table: Table, label: str) -> Any:
    return next(row.record for row in table.rows if row.record["codec"] == label)


def row_of(table: Table, label: str) -> Row:
    return next(row for row in table.rows if row.record["codec"] == label)


def test_scores_at_a_rate() -> None:
    rows = (
        AtRateRow(WEBP, {PSNR.metric_id: Spread(31.25, 29.5, 33.75, 4),
                         MS_SSIM.metric_id: Spread(0.95, 0.9, 0.99, 6)}),
        AtRateRow(JPEG, {PSNR.metric_id: Spread(30.0, 28.0, 32.0, 9), MS_SSIM.metric_id: None}),
        AtRateRow(BROKEN, {}),
    )  # fmt: skip
    table = at_rate_table(Answers(rate_rows=rows), [PSNR, MS_SSIM], 0.25)
    assert table.title == "Scores at 0.25 bits per pixel · photos"
    assert [column.heading for column in table.columns] == [
        "Codec", "PSNR, dB", "MS-SSIM", "Pictures", "Rate range, bits/pixel",
    ]  # fmt: skip
    assert texts(table) == [
        ["webp (toy) ~", "31.25 (29.50…33.75)", "0.9500 (0.9000…0.9900)", "6/9", "0.050…2.50"],
        ["jpeg", "30.00 (28.00…32.00)", "–", "9/9", "0.25"],
        ["broken", "– crash in encode", "– crash in encode", "0/9", "–"],
    ]
    assert text_columns(table) == ["Codec", "Rate range, bits/pixel"]
    assert values(table)[0] == [None, 31.25, 0.95, 6.0, 0.05]
    assert row_of(table, "jpeg").entries[2].hint.startswith("Outside the codec's curves")
    assert row_of(table, "broken").entries[2].hint.startswith("Every attempt failed")
    record = record_of(table, "webp")
    assert (record["at_bits_per_pixel"], record["achieved_bits_per_pixel"]) == (0.25, None)
    assert record["scores"][PSNR.metric_id] == {
        "metric": "psnr", "median": 31.25, "low": 29.5, "high": 33.75, "low_and_high": "minimum…maximum",
        "pictures": 4,
    }  # fmt: skip
    assert record_of(table, "jpeg")["scores"][MS_SSIM.metric_id] == {
        "metric": "ms-ssim", "median": None, "low": None, "high": None, "low_and_high": None, "pictures": 0,
    }  # fmt: skip
    assert "best PSNR first" in table.notes[0]
    assert any(note.startswith("A codec that does not reach the rate") for note in table.notes)
    assert not any(note.startswith("Achieved") for note in table.notes)
    assert list(table.notes[-4:]) == [
        "~ webp: its encoder wrote other bytes when asked again; the rate is of one try.",
        "webp: 3 attempts failed.",
        "broken: 1 attempt failed.",
        digits.TOY_NOTE,
    ]


def test_scores_at_a_rate_that_was_searched_for() -> None:
    scores = {PSNR.metric_id: Spread(30.0, 28.0, 32.0, 9)}
    rows = (AtRateRow(JPEG, scores, Spread(0.26, 0.24, 0.275, 9)), AtRateRow(HEIC, scores))
    table = at_rate_table(Answers(rate_rows=rows), [PSNR], 0.25)
    assert [column.heading for column in table.columns[:3]] == ["Codec", "Achieved, bits/pixel", "PSNR, dB"]
    assert [row[1] for row in texts(table)] == ["0.260 (0.240…0.275)", "curve"]
    assert values(table)[0][1] == 0.26
    assert record_of(table, "jpeg")["achieved_bits_per_pixel"]["high"] == 0.275
    assert record_of(table, "heic")["achieved_bits_per_pixel"] is None
    assert table.notes[1].startswith("Achieved: what the settings found by `run --match` gave")
    assert len(table.notes) == 2  # every codec reaches the rate on every picture


def test_costs_at_a_score() -> None:
    rows = (
        AtScoreRow(WEBP, Spread(0.5, 0.25, 1.25, 5), Spread(24_000, 12_000, 60_000, 4),
                   Spread(0.3, 0.2, 0.7, 3), True),
        AtScoreRow(JPEG, Spread(0.75, 0.5, 1.5, 9), Spread(36_000, 999, 70_000, 9),
                   Spread(0.004, 0.003, 0.005, 9), False),
        AtScoreRow(BROKEN, None, None, None, False),
        AtScoreRow(HEIC, None, None, None, False),
    )  # fmt: skip
    table = at_score_table(Answers(score_rows=rows), PSNR, 32.5)
    assert table.title == "Cost of PSNR 32.50 dB · photos"
    assert [column.heading for column in table.columns] == [
        "Codec", "Rate, bits/pixel", "File, kB", "Encode, ms", "Pictures", "Rate range, bits/pixel",
    ]  # fmt: skip
    assert texts(table) == [
        ["webp (toy) ~", "0.500 (0.250…1.25)", "24.0 (12.0…60.0)", "300 (200…700)†", "5/9", "0.050…2.50"],
        ["jpeg", "0.750 (0.500…1.50)", "36.0 (0.999…70.0)", "4.00 (3.00…5.00)", "9/9", "0.25"],
        ["broken", "– crash in encode", "–", "–", "0/9", "–"],
        ["heic", "–", "–", "–", "0/9", "0.050…2.50"],
    ]
    assert text_columns(table) == ["Codec", "Rate range, bits/pixel"]
    assert values(table)[0] == [None, 0.5, 24_000, 0.3, 5.0, 0.05]
    assert row_of(table, "heic").entries[1].hint.startswith("Outside the codec's curves")
    record = record_of(table, "webp")
    assert record["at_score"] == {"metric": "psnr", "metric_id": "psnr-id-0", "value": 32.5}
    assert record["bits_per_pixel"] == {
        "median": 0.5, "low": 0.25, "high": 1.25, "low_and_high": "minimum…maximum", "pictures": 5,
    }  # fmt: skip
    assert record["bitstream_bytes"]["low"] == 12_000
    assert record["encode_seconds"] == {
        "median": 0.3, "low": 0.2, "high": 0.7, "low_and_high": "minimum…maximum", "pictures": 3,
        "contended": True,
    }  # fmt: skip
    assert table.notes[-1].startswith("† Timed while other cells or programs ran")
    quiet = at_score_table(Answers(score_rows=[rows[1]]), BUTTERAUGLI, 1.5)
    assert quiet.title == "Cost of Butteraugli 1.50 · photos"
    assert len(quiet.notes) == 1


def test_costs_at_a_score_that_was_searched_for() -> None:
    cost = Spread(0.5, 0.25, 1.25, 9), Spread(24_000, 12_000, 60_000, 9), Spread(0.3, 0.2, 0.7, 9)
    rows = (AtScoreRow(JPEG, *cost, False, Spread(32.25, 32.0, 33.0, 9)), AtScoreRow(HEIC, *cost, False))
    table = at_score_table(Answers(score_rows=rows), PSNR, 32.5)
    assert [column.heading for column in table.columns[:3]] == ["Codec", "Achieved, dB", "Rate, bits/pixel"]
    assert [row[1] for row in texts(table)] == ["32.25 (32.00…33.00)", "curve"]
    assert record_of(table, "jpeg")["achieved_score"]["median"] == 32.25
    assert record_of(table, "heic")["achieved_score"] is None
    assert table.notes[1].startswith("Achieved: ")


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        ((19, 7), "Median over pictures (minimum…maximum)"),
        ((20, 24), "Median over pictures (5th…95th percentile)"),
        ((20, 19), "Median over pictures (5th…95th percentile, of fewer than 20 pictures minimum…maximum)"),
    ],
)
def test_the_brackets_say_what_they_hold(pictures: tuple[int, int], said: str) -> None:
    rows = [
        AtRateRow(codec, {PSNR.metric_id: Spread(30.0, 28.0, 32.0, count)})
        for codec, count in zip((WEBP, JPEG), pictures, strict=True)
    ]
    table = at_rate_table(Answers(rate_rows=rows), [PSNR], 0.25)
    assert table.notes[0].startswith(f"{said}, best PSNR first.")
    assert table.columns[1].help == f"{said}."


@pytest.mark.parametrize(("reached", "said"), [(0, False), (1, True), (8, True), (9, False)])
def test_a_codec_that_reaches_the_rate_on_some_pictures_only_is_noted(reached: int, said: bool) -> None:
    spread = Spread(30.0, 28.0, 32.0, reached) if reached else None
    table = at_rate_table(Answers(rate_rows=[AtRateRow(JPEG, {PSNR.metric_id: spread})]), [PSNR], 0.25)
    assert any(note.startswith("A codec that does not reach the rate") for note in table.notes) is said
