"""Tables of published results: as BD-rates against a codec measured here, or as the anchor of all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...bench.analysis.codec_grids import Comparison
from ...bench.analysis.coverage import AnalysisError, CodecSummary, find_codec
from ...bench.analysis.curves import BdRate, Method
from ...bench.analysis.published import PublishedCurve, codecs_against, published_curves
from ...bench.records.rows import MetricRow
from ...bench.store.imports import Published, read_published
from . import digits
from .leaderboards import CODEC, METHODS, RATES, THIN_NOTE, THIN_OVERLAP
from .selection import Selection
from .table import Column, Entry, Row, Summary, Table

PUBLISHED = "published:"
"""Before the name of an anchor: a published curve is meant, though a codec of that name was measured."""
NO_CURVE, NOT_PUBLISHED = "no curve", "not published"
COLUMNS = (
    Column("Published codec", numeric=False),
    Column("Metric", numeric=False),
    Column("BD-rate", "%", help="Against our anchor's mean curve; minus is better."),
    Column("Overlap", "%", help="Shared range over the range that both curves span together."),
    Column("Points"),
    Column("Rate range", "bits/pixel", False),
    Column("Source", numeric=False),
)


def published_table(
    selection: Selection, points: Iterable[Published], metrics: Sequence[MetricRow], anchor: str | None
) -> Table | None:
    """Return BD-rates of a set's published curves against a codec measured here; None where there are none.

    Args:
        selection: The set whose codec is the anchor.
        points: Published ones of any set; those of other sets are left out.
        metrics: One row for each curve and metric.
        anchor: Label or id of a codec measured here; the usual one if absent.

    Raises:
        AnalysisError: No codec has the anchor's label or id, or none was measured on this set.
    """
    of_this_set = [point for point in points if point.image_set == selection.image_set]
    chosen = anchor or selection.usual_anchor
    if not of_this_set:
        return None
    if chosen is None:
        raise AnalysisError(f"nothing was measured here on {selection.image_set} that could be an anchor")
    rows: list[Row] = []
    shown: list[PublishedCurve] = []
    label, common, anchor_estimated = chosen, 0, False
    for metric in metrics:
        comparison = selection.comparison(metric)
        anchor_codec = find_codec(comparison.codecs, chosen)
        label, common = anchor_codec.label, max(common, _pictures_of(comparison, anchor_codec.codec_id))
        anchor_estimated |= anchor_codec.marks.estimated
        curves = published_curves(of_this_set, metric, comparison, anchor_codec.codec_id)
        rows += [_row(curve, selection, label, anchor_codec.marks.estimated) for curve in curves]
        shown += curves
    notes = [
        f"Published points are means over a whole set, computed by other code; {label} is its mean over "
        f"{digits.counted(common, 'picture')} measured here. No interval: no picture is known one by one.",
    ]
    if any(_is_thin(curve) for curve in shown):
        notes.append(THIN_NOTE)
    estimated = [label] * anchor_estimated + [curve.codec for curve in shown if curve.estimated]
    notes += [digits.estimate_note(name) for name in dict.fromkeys(estimated)]
    return Table(f"Published, against {label} · {selection.image_set}", COLUMNS, tuple(rows), tuple(notes))


def _pictures_of(comparison: Comparison, codec_id: str) -> int:
    """Return how many pictures a codec's mean curve is over."""
    curve = comparison.curves.get(codec_id)
    return len(curve.pictures) if curve else 0


def _is_thin(curve: PublishedCurve) -> bool:
    return curve.bd_rate.percent is not None and curve.bd_rate.overlap < THIN_OVERLAP


def _row(curve: PublishedCurve, selection: Selection, anchor: str, anchor_estimated: bool) -> Row:
    percent, overlap = curve.bd_rate.percent, 100 * curve.bd_rate.overlap
    value = Entry(f"{digits.EMPTY} {curve.bd_rate.reason}")
    if percent is not None:
        value = Entry(digits.percent(percent) + "*" * _is_thin(curve), percent)
    entries = (
        Entry(" ".join([curve.codec, *[digits.ESTIMATED] * curve.estimated])),
        Entry(selection.title(curve.metric)),
        value,
        # Rounded down, so that a starred value never stands beside 50 %.
        Entry(digits.EMPTY) if percent is None else Entry(digits.number(math.floor(overlap), 0), overlap),
        Entry(str(curve.points), float(curve.points)),
        Entry(
            digits.between(digits.rate(curve.lowest_rate), digits.rate(curve.highest_rate)), curve.lowest_rate
        ),
        Entry(digits.shortened(curve.provenance)),
    )
    return Row(entries, _record(curve, anchor, anchor_estimated))


def _record(curve: PublishedCurve, anchor: str, anchor_estimated: bool) -> dict[str, Any]:
    return {
        "codec": curve.codec,
        "metric": curve.metric.name,
        "anchor": anchor,
        "bd_rate_percent": curve.bd_rate.percent,
        "reason": curve.bd_rate.reason,
        "overlap": curve.bd_rate.overlap,
        "points": curve.points,
        "lowest_rate": curve.lowest_rate,
        "highest_rate": curve.highest_rate,
        "rate_kind": "estimated" if curve.estimated or anchor_estimated else "bytes",
        "provenance": curve.provenance,
    }


def is_published(selection: Selection, anchor: str | None) -> bool:
    """Whether an anchor is a published curve of this set, and no codec that was measured here."""
    if anchor is None or anchor in _measured(selection):
        return False
    return any(
        (point.image_set, point.codec) == (selection.image_set, anchor.removeprefix(PUBLISHED))
        for point in read_published(selection.source.store)
    )


def published_anchors(selection: Selection, metric: MetricRow) -> list[str]:
    """Return the published curves of a set that have a metric, as anchors are named."""
    return sorted(
        {
            f"{PUBLISHED}{point.codec}"
            for point in read_published(selection.source.store)
            if point.image_set == selection.image_set and metric.name in point.scores
        }
    )


def _measured(selection: Selection) -> set[str]:
    return {name for grid in selection.grids for name in (grid.codec.label, grid.codec.codec_id)}


def against_published(
    selection: Selection, metrics: Sequence[MetricRow], anchor: str, method: Method = "pchip"
) -> Table | None:
    """Return BD-rates of the codecs measured here against a published curve; None where that is none.

    A codec measured here comes before a published one of its name, unless the name begins with `PUBLISHED`.

    Args:
        selection: The set that was measured here.
        metrics: A column each, of those that the published curve has, or all where it has none of them; the
            first sorts the rows.
        anchor: Name of the published codec.
        method: How log rate is interpolated over quality.

    Raises:
        AnalysisError: The name begins with `PUBLISHED` and no published codec of this set has the rest.
    """
    if anchor in _measured(selection):
        return None
    of_this_set = [
        point for point in read_published(selection.source.store) if point.image_set == selection.image_set
    ]
    name = anchor.removeprefix(PUBLISHED)
    points = [point for point in of_this_set if point.codec == name]
    if not points:
        if anchor == name:
            return None
        known = ", ".join(sorted({point.codec for point in of_this_set})) or "none: codecarena import"
        raise AnalysisError(
            f"no published curve on {selection.image_set} is called {name!r}; there are {known}"
        )
    shown = [metric for metric in metrics if any(metric.name in point.scores for point in points)]
    return _anchored(selection, shown or metrics, points, method)


def _anchored(
    selection: Selection, metrics: Sequence[MetricRow], points: Sequence[Published], method: Method
) -> Table:
    name, estimated = points[0].codec, any(point.rate_kind == "estimated" for point in points)
    rates = {
        metric.metric_id: codecs_against(points, metric, selection.comparison(metric), method)
        for metric in metrics
    }
    of = sorted({metric for point in points for metric in point.scores})
    lacking = None if set(of) & {metric.name for metric in metrics} else NOT_PUBLISHED
    board = selection.board(metrics[0], selection.usual_anchor or "", method)
    summaries = [row.codec for row in board.rows]
    rows: list[Row] = []
    for summary in summaries:
        bd_rates = {metric.metric_id: rates[metric.metric_id].get(summary.codec_id) for metric in metrics}
        entries = [Entry(" ".join([summary.label, *digits.marks(summary.marks, summary.toy)]))]
        entries += [_value(bd_rates[metric.metric_id], lacking or summary.reason) for metric in metrics]
        ends = Entry(digits.EMPTY)
        if summary.lowest_rate is not None and summary.highest_rate is not None:
            low, high = digits.rate(summary.lowest_rate), digits.rate(summary.highest_rate)
            ends = Entry(digits.between(low, high), summary.lowest_rate)
        counts = [_pictures_of(selection.comparison(metric), summary.codec_id) for metric in metrics]
        entries += [Entry(str(max(counts)), float(max(counts))), ends]
        kind = "estimated" if estimated or summary.marks.estimated else "bytes"
        record = {
            "codec": summary.label,
            "codec_id": summary.codec_id,
            "bd_rate": {
                metric.metric_id: _anchored_record(
                    metric, name, bd_rates[metric.metric_id], lacking or summary.reason
                )
                | {"method": method, "rate_kind": kind}
                for metric in metrics
            },
        }
        rows.append(Row(tuple(entries), record))
    first = metrics[0].metric_id
    rows.sort(key=lambda row: _order(row.record["bd_rate"][first]["percent"]))
    columns = (
        CODEC,
        *(
            Column(
                selection.title(metric), "%", help=f"BD-rate against the published {name}; minus is better."
            )
            for metric in metrics
        ),
        Column("Pictures", help="That the codec's mean curve is over."),
        RATES,
    )
    notes = [
        f"{name} is a published curve: means over a whole set, computed by other code, maybe of other "
        "versions of the pictures or metrics. So there is no interval and no test. "
        f"{METHODS[method]} over log rate; only the shared range counts. Source: {points[0].provenance}",
    ]
    if lacking:
        notes.append(f"The published curve {name} is of {', '.join(of)}.")
    known = [rate for by_codec in rates.values() for rate in by_codec.values() if rate.percent is not None]
    if any(rate.overlap < THIN_OVERLAP for rate in known):
        notes.append(THIN_NOTE)
    if estimated:
        notes.append(digits.estimate_note(name))
    notes += [note for summary in summaries for note in digits.mark_notes(summary.label, summary.marks)]
    title = f"BD-rate against the published {name}, no interval · {selection.image_set}"
    summary = _summary(selection, metrics[0], name, rates[first], summaries)
    return Table(title, columns, tuple(rows), tuple(notes), summary=summary)


def _summary(
    selection: Selection,
    metric: MetricRow,
    anchor: str,
    rates: Mapping[str, BdRate],
    summaries: Sequence[CodecSummary],
) -> Summary | None:
    percents = {codec_id: rate.percent for codec_id, rate in rates.items() if rate.percent is not None}
    if not percents:
        return None
    best = min(percents, key=percents.__getitem__)
    label = next(summary.label for summary in summaries if summary.codec_id == best)
    lead = "needs the fewest bits" if percents[best] < 0 else "comes nearest, but needs more bits"
    return Summary(
        f"By {selection.title(metric)}, {label} {lead}: BD-rate {digits.percent(percents[best])} % against "
        f"the published {anchor}; no interval and no test, as no picture of a published curve is known.",
        best,
    )


def _value(bd_rate: BdRate | None, reason: str | None) -> Entry:
    if bd_rate is None or bd_rate.percent is None:
        why = (bd_rate.reason if bd_rate else reason) or NO_CURVE
        return Entry(f"{digits.EMPTY} {why}")
    thin = "*" if bd_rate.overlap < THIN_OVERLAP else ""
    return Entry(digits.percent(bd_rate.percent) + thin, bd_rate.percent)


def _anchored_record(
    metric: MetricRow, anchor: str, bd_rate: BdRate | None, reason: str | None
) -> dict[str, Any]:
    return {
        "metric": metric.name,
        "anchor": anchor,
        "anchor_published": True,
        "percent": bd_rate and bd_rate.percent,
        "reason": bd_rate.reason if bd_rate else reason or NO_CURVE,
        "overlap": bd_rate.overlap if bd_rate else 0.0,
        "interval_95": None,
        "no_interval_because": "the anchor is a published mean: no picture of it is known",
    }


def _order(percent: float | None) -> tuple[bool, float]:
    return percent is None, percent or 0.0
