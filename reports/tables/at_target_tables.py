"""Leaderboards of a selection at one point of the curves: scores at a rate, and costs at a score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...bench.analysis.coverage import CodecSummary
from ...bench.analysis.intervals import Spread
from ...bench.records.rows import MetricRow
from . import digits
from .evidence import affinity_notes
from .leaderboards import (
    CODEC,
    RATES,
    codec_entry,
    codec_record,
    coverage_entries,
    last_notes,
    pictures_column,
)
from .reasons import explain
from .selection import Selection
from .table import Column, Entry, Row, Table

ACHIEVED_NOTE = (
    "Achieved: what the settings found by `run --match` gave, nothing interpolated; other rows are read off "
    "curves."
)
FROM_CURVE = "curve"
SPREAD_NOTE = "Median over pictures (5th…95th percentile)"


def at_rate_table(
    selection: Selection, metrics: Sequence[MetricRow], bits_per_pixel: float, because: str = ""
) -> Table:
    """Return every codec's scores at a rate: median, 5th and 95th percentile over pictures.

    Args:
        selection: The pictures and codecs to compare.
        metrics: One column each; the first sorts the rows.
        bits_per_pixel: Where each picture's curve is read; a codec whose curve does not reach it has no
            score.
        because: Why there are no BD-rates to show instead, where nobody asked for a rate.
    """
    summaries = selection.at_rate(metrics, bits_per_pixel)
    searched = any(row.achieved for row in summaries)
    columns = [
        Column(selection.title(metric), digits.unit_of(metric), help=f"{SPREAD_NOTE}.") for metric in metrics
    ]
    rows: list[Row] = []
    for row in summaries:
        spreads = [row.scores.get(metric.metric_id) for metric in metrics]
        entries = [
            _entry(spread and digits.spread_of_scores(metric, spread), spread, row.codec.reason)
            for metric, spread in zip(metrics, spreads, strict=True)
        ]
        record = {
            **codec_record(row.codec),
            "at_bits_per_pixel": bits_per_pixel,
            "achieved_bits_per_pixel": row.achieved and _spread_record(row.achieved),
            "scores": {
                metric.metric_id: {"metric": metric.name, **_spread_record(spread)}
                for metric, spread in zip(metrics, spreads, strict=True)
            },
        }
        achieved = _achieved(row.achieved and digits.spread_of_amounts(row.achieved), row.achieved, searched)
        ends = coverage_entries(row.codec, _reached(spreads))
        rows.append(Row((codec_entry(row.codec), *achieved, *entries, *ends), record))
    notes = [
        *[f"Scores at a rate, as there are no BD-rates to compare by: {because}."] * bool(because),
        f"{SPREAD_NOTE}, best {selection.title(metrics[0])} first. Each picture's curve is read at the rate "
        "by PCHIP over log rate, never beyond its ends.",
        *[ACHIEVED_NOTE] * searched,
        *_notes([(row.codec, _reached(row.scores.values())) for row in summaries], "the rate"),
        *affinity_notes(selection),
    ]
    title = f"Scores at {digits.significant(bits_per_pixel, 2)} bits per pixel · {selection.image_set}"
    achieved = [Column("Achieved", "bits/pixel", help=f"{SPREAD_NOTE}.")] * searched
    shown = (CODEC, *achieved, *columns, pictures_column("whose curve or setting reaches the rate"), RATES)
    return Table(title, shown, tuple(rows), tuple(notes))


def at_score_table(selection: Selection, metric: MetricRow, score: float) -> Table:
    """Return what every codec spends for a score: bits per pixel, bytes, encode time.

    Args:
        selection: The pictures and codecs to compare.
        metric: Whose score it is.
        score: On the metric's own scale, as stored.
    """
    summaries = selection.at_score(metric, score)
    searched = any(row.achieved for row in summaries)
    rows: list[Row] = []
    for row in summaries:
        rate, size, seconds = row.bits_per_pixel, row.bitstream_bytes, row.encode_seconds
        mark = "†" if row.contended else ""
        achieved = row.achieved and digits.spread_of_scores(metric, row.achieved)
        entries = [
            *_achieved(achieved, row.achieved, searched),
            _entry(rate and digits.spread_of_amounts(rate), rate, row.codec.reason),
            _entry(size and digits.spread_of_amounts(size, 1e-3), size),
            _entry(seconds and digits.spread_of_amounts(seconds, 1e3) + mark, seconds),
        ]
        record = {
            **codec_record(row.codec),
            "at_score": {"metric": metric.name, "metric_id": metric.metric_id, "value": score},
            "achieved_score": row.achieved and _spread_record(row.achieved),
            "bits_per_pixel": _spread_record(rate),
            "bitstream_bytes": _spread_record(size),
            "encode_seconds": {**_spread_record(seconds), "contended": row.contended},
        }
        rows.append(
            Row((codec_entry(row.codec), *entries, *coverage_entries(row.codec, _reached([rate]))), record)
        )
    notes = [
        f"{SPREAD_NOTE}, fewest bits first. Each picture's curve is read at the score by PCHIP, never beyond "
        "its ends.",
        *[ACHIEVED_NOTE] * searched,
        *_notes([(row.codec, _reached([row.bits_per_pixel])) for row in summaries], "the score"),
        *affinity_notes(selection),
    ]
    if any(row.contended for row in summaries):
        notes.append(
            "† Timed while other cells or programs ran: good for planning. Speed is what the timing pass "
            "measures: codecarena leaderboard --speed."
        )
    columns = (
        CODEC,
        *[Column("Achieved", digits.unit_of(metric), help=f"{SPREAD_NOTE}.")] * searched,
        Column("Rate", "bits/pixel", help=f"{SPREAD_NOTE}."),
        Column("File", "kB", help=f"{SPREAD_NOTE}; 1 kB is 1000 bytes."),
        Column("Encode", "ms", help=f"{SPREAD_NOTE}; wall time of one encode."),
        pictures_column("whose curve or setting reaches the score"),
        RATES,
    )
    unit = digits.unit_of(metric)
    asked = f"{selection.title(metric)} {digits.score(metric, score)}{' ' + unit if unit else ''}"
    return Table(f"Cost of {asked} · {selection.image_set}", columns, tuple(rows), tuple(notes))


def _achieved(text: str | None, spread: Spread | None, searched: bool) -> list[Entry]:
    """Return the cell of a searched setting, where the table has the column."""
    return [_entry(text, spread) if spread else Entry(FROM_CURVE)] * searched


def _entry(text: str | None, spread: Spread | None, reason: str | None = None) -> Entry:
    if text and spread:
        return Entry(text, spread.median)
    beyond = "Outside the codec's curves on every picture: nothing is extrapolated."
    return Entry(f"{digits.EMPTY} {reason}" if reason else digits.EMPTY, hint=explain(reason) or beyond)


def _reached(spreads: Iterable[Spread | None]) -> int:
    return max((spread.pictures for spread in spreads if spread), default=0)


def _spread_record(spread: Spread | None) -> dict[str, Any]:
    if spread is None:
        return {"median": None, "percentile_5": None, "percentile_95": None, "pictures": 0}
    return {
        "median": spread.median,
        "percentile_5": spread.low,
        "percentile_95": spread.high,
        "pictures": spread.pictures,
    }


def _notes(coverage: Sequence[tuple[CodecSummary, int]], what: str) -> list[str]:
    notes: list[str] = []
    if any(0 < reached < summary.of_pictures for summary, reached in coverage):
        notes.append(
            f"A codec that does not reach {what} on every picture has its median over fewer, often easier "
            "ones; below half of them it stands last."
        )
    return notes + last_notes([summary for summary, _ in coverage])
