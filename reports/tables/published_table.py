"""Turn published means and one part of a store into a table of BD-rates against a codec measured here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...bench.analysis.coverage import AnalysisError, find_codec
from ...bench.analysis.published import PublishedCurve, published_curves
from ...bench.records.rows import MetricRow
from ...bench.store.imports import Published
from . import digits
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
    """Return the published curves of a set beside a codec of ours; None where nothing is published of it.

    Raises:
        AnalysisError: No codec has the anchor's label or id, or none was measured on this set.
    """
    ours = [point for point in points if point.image_set == selection.image_set]
    chosen = anchor or selection.usual_anchor
    if not ours:
        return None
    if chosen is None:
        raise AnalysisError(f"nothing was measured here on {selection.image_set} that could be an anchor")
    rows: list[Row] = []
    label, common = chosen, 0
    for metric in metrics:
        every = selection.comparison(metric)
        found = find_codec(every.codecs, chosen)
        label, common = found.label, max(common, len(every.common))
        rows += [
            _row(curve, selection, label) for curve in published_curves(ours, metric, every, found.codec_id)
        ]
    notes = (
        f"Published points are means over a whole set, computed by other code; {label} is its mean over the "
        f"{digits.counted(common, 'picture')} common here. No interval: no picture is known one by one.",
    )
    return Table(f"Published, against {label} · {selection.image_set}", COLUMNS, tuple(rows), notes)


def _row(one: PublishedCurve, selection: Selection, anchor: str) -> Row:
    percent, overlap = one.bd_rate.percent, 100 * one.bd_rate.overlap
    known = percent is not None
    entries = (
        Entry(one.codec),
        Entry(selection.title(one.metric)),
        Entry(digits.percent(percent), percent) if known else Entry(f"{digits.EMPTY} {one.bd_rate.reason}"),
        Entry(digits.number(overlap, 0), overlap) if known else Entry(digits.EMPTY),
        Entry(str(one.points), float(one.points)),
        Entry(digits.between(digits.rate(one.lowest_rate), digits.rate(one.highest_rate)), one.lowest_rate),
        Entry(digits.shortened(one.provenance)),
    )
    return Row(entries, _record(one, anchor))


def _record(one: PublishedCurve, anchor: str) -> dict[str, Any]:
    return {
        "codec": one.codec,
        "metric": one.metric.name,
        "anchor": anchor,
        "bd_rate_percent": one.bd_rate.percent,
        "reason": one.bd_rate.reason,
        "overlap": one.bd_rate.overlap,
        "points": one.points,
        "lowest_rate": one.lowest_rate,
        "highest_rate": one.highest_rate,
        "provenance": one.provenance,
    }
