"""The table of published results as BD-rates against a codec measured here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ...bench.analysis.codec_grids import Comparison
from ...bench.analysis.coverage import AnalysisError, find_codec
from ...bench.analysis.published import PublishedCurve, published_curves
from ...bench.records.rows import MetricRow
from ...bench.store.imports import Published
from . import digits
from .leaderboards import THIN_NOTE, THIN_OVERLAP
from .selection import Selection
from .table import Column, Entry, Row, Table

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
