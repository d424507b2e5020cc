"""Leaderboards of a selection at one point of the curves: scores at a rate, and costs at a score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from ...bench.analysis.at_target import AtRateRow, AtScoreRow
from ...bench.analysis.coverage import CodecSummary
from ...bench.analysis.differences import Difference
from ...bench.analysis.intervals import LEAST_FOR_PERCENTILES, Spread
from ...bench.analysis.significance import percent
from ...bench.records.rows import MetricRow
from . import digits
from .anchor_differences import (
    Against,
    difference_notes,
    difference_record,
    rate_difference_entry,
    score_difference_entry,
)
from .evidence import (
    AnswerCache,
    affinity_notes,
    rate_differences,
    score_differences,
)
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
from .table import Column, Entry, Row, Summary, Table

ACHIEVED_NOTE = (
    "Achieved: what the settings found by `run --match` gave, nothing interpolated; other rows are read off "
    "curves."
)
FROM_CURVE = "curve"

AnyRow = TypeVar("AnyRow", AtRateRow, AtScoreRow)


def at_rate_table(
    selection: Selection,
    metrics: Sequence[MetricRow],
    bits_per_pixel: float,
    because: str = "",
    *,
    anchor: str | None = None,
    derived: AnswerCache | None = None,
) -> Table:
    """Return every codec's scores at a rate: median and tails over pictures, as in `Spread`.

    With an anchor also each codec's difference from it, over the pictures on which both reach the rate; these
    order the codecs, as medians over unlike pictures cannot.

    Args:
        selection: The pictures and codecs to compare.
        metrics: One column each; the first sorts the rows.
        bits_per_pixel: Where each picture's curve is read; a codec whose curve does not reach it has no
            score.
        because: Why there are no BD-rates to show instead, where nobody asked for a rate.
        anchor: Label or id of the codec that differences are from; None for medians alone.
        derived: Keeps the differences; without it they are computed anew.
    """
    first = metrics[0]
    summaries = selection.at_rate(metrics, bits_per_pixel)
    against = Against.of(summaries, anchor)
    differences = {
        metric.metric_id: rate_differences(selection, metric, bits_per_pixel, against.codec_id, derived)
        if against
        else {}
        for metric in metrics
    }
    reached = {row.codec.codec_id: _reached([row.scores.get(first.metric_id)]) for row in summaries}
    sign = -1.0 if first.better == "higher" else 1.0
    summaries = _ordered(summaries, differences[first.metric_id], against, reached, sign)
    searched = any(row.achieved for row in summaries)
    spread_note = _spread_note(spread for row in summaries for spread in (row.achieved, *row.scores.values()))
    rows: list[Row] = []
    for row in summaries:
        spreads = [row.scores.get(metric.metric_id) for metric in metrics]
        entries = [
            _entry(spread and digits.spread_of_scores(metric, spread), spread, row.codec.reason)
            for metric, spread in zip(metrics, spreads, strict=True)
        ]
        if against:
            own = differences[first.metric_id].get(row.codec.codec_id)
            entries[1:1] = against.entries(row.codec.codec_id, own, partial(score_difference_entry, first))
        record = {
            **codec_record(row.codec),
            "at_bits_per_pixel": bits_per_pixel,
            "achieved_bits_per_pixel": row.achieved and _spread_record(row.achieved),
            "scores": {
                metric.metric_id: {"metric": metric.name, **_spread_record(spread)}
                for metric, spread in zip(metrics, spreads, strict=True)
            },
        }
        if against:
            record["against"] = {
                metric.metric_id: difference_record(against.label, of_metric.get(row.codec.codec_id))
                for metric, of_metric in zip(metrics, differences.values(), strict=True)
            }
        achieved = _achieved(row.achieved and digits.spread_of_amounts(row.achieved), row.achieved, searched)
        ends = coverage_entries(row.codec, _reached(spreads))
        pinned = against is not None and row.codec.codec_id == against.codec_id
        rows.append(Row((codec_entry(row.codec), *achieved, *entries, *ends), record, pinned=pinned))
    titles = [
        Column(selection.title(metric), digits.unit_of(metric), help=f"{spread_note}.") for metric in metrics
    ]
    notes = [f"Scores at a rate, as there are no BD-rates to compare by: {because}."] * bool(because)
    if against:
        titles[1:1] = against.columns("rate", digits.unit_of(first), first.better)
        notes += difference_notes(
            list(differences[first.metric_id].values()), against.label, "▲ better, ▼ worse score"
        )
    notes += [
        f"{spread_note}{f', best {selection.title(first)} first' * (not against)}. Each picture's curve is "
        "read at the rate by PCHIP over log rate, never beyond its ends.",
        *[ACHIEVED_NOTE] * searched,
        *_notes([(row.codec, _reached(row.scores.values())) for row in summaries], "the rate"),
        *affinity_notes(selection),
    ]
    title = f"Scores at {digits.significant(bits_per_pixel, 2)} bits per pixel · {selection.image_set}"
    achieved = [Column("Achieved", "bits/pixel", help=f"{spread_note}.")] * searched
    shown = (CODEC, *achieved, *titles, pictures_column("whose curve or setting reaches the rate"), RATES)
    unit = digits.unit_of(first)
    summary = against and _summary(
        f"Best by {selection.title(first)} at {digits.significant(bits_per_pixel, 2)} bits per pixel",
        _leading(summaries, reached),
        lambda best: rate_differences(selection, first, bits_per_pixel, best, derived),
        lambda value: f"{digits.signed_score(first, value)} {unit}".rstrip(),
    )
    return Table(title, shown, tuple(rows), tuple(notes), summary=summary)


def at_score_table(
    selection: Selection,
    metric: MetricRow,
    score: float,
    *,
    anchor: str | None = None,
    derived: AnswerCache | None = None,
) -> Table:
    """Return what every codec spends for a score: bits per pixel, bytes, encode time.

    Args:
        selection: The pictures and codecs to compare.
        metric: Whose score it is.
        score: On the metric's own scale, as stored.
        anchor: Label or id of the codec that rates are compared with, on the pictures on which both reach the
            score; None for medians alone.
        derived: Keeps the differences; without it they are computed anew.
    """
    summaries = selection.at_score(metric, score)
    against = Against.of(summaries, anchor)
    differences = score_differences(selection, metric, score, against.codec_id, derived) if against else {}
    reached = {row.codec.codec_id: _reached([row.bits_per_pixel]) for row in summaries}
    summaries = _ordered(summaries, differences, against, reached, 1.0)
    searched = any(row.achieved for row in summaries)
    spread_note = _spread_note(
        spread for row in summaries
        for spread in (row.achieved, row.bits_per_pixel, row.bitstream_bytes, row.encode_seconds)
    )  # fmt: skip
    rows: list[Row] = []
    for row in summaries:
        rate, size, seconds = row.bits_per_pixel, row.bitstream_bytes, row.encode_seconds
        mark = "†" if row.contended else ""
        achieved = row.achieved and digits.spread_of_scores(metric, row.achieved)
        own = differences.get(row.codec.codec_id)
        entries = [
            *_achieved(achieved, row.achieved, searched),
            _entry(rate and digits.spread_of_amounts(rate), rate, row.codec.reason),
            *(against.entries(row.codec.codec_id, own, rate_difference_entry) if against else ()),
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
        if against:
            record["against"] = difference_record(against.label, own, percent)
        ends = coverage_entries(row.codec, _reached([rate]))
        pinned = against is not None and row.codec.codec_id == against.codec_id
        rows.append(Row((codec_entry(row.codec), *entries, *ends), record, pinned=pinned))
    notes = [
        *(
            difference_notes(list(differences.values()), against.label, "▼ fewer, ▲ more bits")
            if against
            else ()
        ),
        f"{spread_note}{', fewest bits first' * (not against)}. Each picture's curve is read at the score "
        "by PCHIP, never beyond its ends.",
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
        *[Column("Achieved", digits.unit_of(metric), help=f"{spread_note}.")] * searched,
        Column("Rate", "bits/pixel", help=f"{spread_note}."),
        *(against.columns("score", "%", "lower") if against else ()),
        Column("File", "kB", help=f"{spread_note}; 1 kB is 1000 bytes."),
        Column("Encode", "ms", help=f"{spread_note}; wall time of one encode."),
        pictures_column("whose curve or setting reaches the score"),
        RATES,
    )
    unit = digits.unit_of(metric)
    asked = f"{selection.title(metric)} {digits.score(metric, score)}{' ' + unit if unit else ''}"
    summary = against and _summary(
        f"Fewest bits for {asked}",
        _leading(summaries, reached),
        lambda best: score_differences(selection, metric, score, best, derived),
        lambda value: f"{digits.percent(percent(value))} %",
    )
    return Table(
        f"Cost of {asked} · {selection.image_set}", columns, tuple(rows), tuple(notes), summary=summary
    )


def _ordered(
    rows: Sequence[AnyRow],
    differences: Mapping[str, Difference],
    against: Against | None,
    reached: Mapping[str, int],
    sign: float,
) -> list[AnyRow]:
    """Return the rows by their difference from the anchor, where it and the codec reach half of the pictures.

    Args:
        rows: By their medians, which stay the order of the others.
        differences: By codec id.
        against: The anchor; its own difference is zero.
        reached: How many pictures each codec reaches, by id.
        sign: 1.0 where the lowest difference comes first, -1.0 where the highest does.
    """
    if against is None or not differences:
        return list(rows)

    def place(row: AnyRow) -> tuple[int, float]:
        codec_id, half = row.codec.codec_id, row.codec.of_pictures / 2
        if codec_id == against.codec_id and reached[codec_id] >= half:
            return 0, 0.0
        own = differences.get(codec_id)
        if own is None or own.mean is None or own.pictures < half:
            return 1, 0.0
        return 0, sign * own.mean

    return sorted(rows, key=place)


def _leading(rows: Sequence[AnyRow], reached: Mapping[str, int]) -> list[CodecSummary]:
    """Return the codecs in their order that reach the rate or score on half of the pictures or more."""
    return [row.codec for row in rows if 2 * reached[row.codec.codec_id] >= row.codec.of_pictures]


def _summary(
    lead: str,
    order: Sequence[CodecSummary],
    differences_from: Callable[[str], Mapping[str, Difference]],
    write: Callable[[float], str],
) -> Summary | None:
    """Return which codec is the best, and whether it differs from the next; None while that is computed.

    Args:
        lead: What it is the best at.
        order: The best codec first.
        differences_from: Returns the others' differences from a codec, by its id.
        write: Writes a difference, with its unit.
    """
    if len(order) < 2:
        return None
    best, following = order[:2]
    from_best = differences_from(best.codec_id).get(following.codec_id)
    if from_best is None or from_best.mean is None:
        return None
    ends = from_best.interval
    spread = (
        f"no interval: {ends.reason}"
        if ends.low is None or ends.high is None
        else f"95 % {write(ends.low)} to {write(ends.high)}"
    )
    shown = {
        "worse": "the difference is significant",
        "better": "the difference is significant, the other way on these pictures",
        "not shown": "no difference is shown",
    }.get(from_best.verdict or "", "too few for a test")
    return Summary(
        f"{lead}: {best.label}. The next, {following.label}: {write(from_best.mean)} ({spread}) on the "
        f"{digits.counted(from_best.pictures, 'picture')} that both reach; {shown}.",
        best.codec_id,
        following.codec_id,
    )


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
        return {"median": None, "low": None, "high": None, "low_and_high": None, "pictures": 0}
    return {
        "median": spread.median,
        "low": spread.low,
        "high": spread.high,
        "low_and_high": spread.ends,
        "pictures": spread.pictures,
    }


def _spread_note(spreads: Iterable[Spread | None]) -> str:
    """Return what the numbers in brackets are: of few pictures other ones than of many."""
    ends = {spread.ends for spread in spreads if spread}
    few = f", of fewer than {LEAST_FOR_PERCENTILES} pictures " if len(ends) == 2 else ""
    return f"Median over pictures ({few.join(sorted(ends)) or 'no picture'})"


def _notes(coverage: Sequence[tuple[CodecSummary, int]], what: str) -> list[str]:
    notes: list[str] = []
    if any(0 < reached < summary.of_pictures for summary, reached in coverage):
        notes.append(
            f"A codec that does not reach {what} on every picture has its median over fewer, often easier "
            "ones; below half of them it stands last."
        )
    return notes + last_notes([summary for summary, _ in coverage])
