"""BD-rates by kind of picture, and the pictures on which a codec differs most from its usual BD-rate."""

from __future__ import annotations

import numpy as np

from ...bench.analysis.bootstrap import Resampling
from ...bench.analysis.significance import Paired, percent
from ...bench.records.rows import MetricRow
from . import digits
from .selection import Selection
from .table import Column, Entry, Row, Table

MOST = 12


def points_by_kind(selection: Selection, metric: MetricRow, anchor_id: str) -> dict[str, dict[str, float]]:
    """Return every codec's BD-rate on either kind of picture, percent, by label and kind; no intervals.

    Args:
        selection: Pictures of both kinds.
        metric: Whose scores decide.
        anchor_id: Codec whose BD-rate is 0.
    """
    comparison = selection.comparison(metric)
    kinds = {picture.sha256: picture.kind for picture in selection.columns.pictures}
    labels = {codec.codec_id: codec.label for codec in comparison.codecs}
    percents: dict[str, dict[str, float]] = {}
    for kind in ("natural", "ai-generated"):
        own = sorted(sha256 for sha256 in comparison.common if kinds[sha256] == kind)
        if not own or anchor_id not in comparison.curves:
            continue
        paired = Paired(comparison, metric, "pchip", own, Resampling(np.full((1, len(own)), 1 / len(own))))
        for codec_id in paired.codec_ids:
            estimate = paired.against(anchor_id, codec_id).estimate
            if codec_id != anchor_id and np.isfinite(estimate):
                percents.setdefault(labels[codec_id], {})[kind] = percent(estimate)
    return percents


def points_table(points: dict[str, dict[str, float]], title: str) -> Table:
    """Return the BD-rates as a table, while their intervals are being computed."""
    kinds = ("natural", "ai-generated")
    rows = tuple(
        Row(
            (
                Entry(label),
                *(
                    Entry(digits.percent(values[kind]), values[kind])
                    if kind in values
                    else Entry(digits.EMPTY)
                    for kind in kinds
                ),
            )
        )
        for label, values in sorted(points.items())
    )
    return Table(
        title, (Column("Codec", numeric=False), Column("Natural", "%"), Column("AI-generated", "%")), rows
    )


def dividing_pictures(selection: Selection, metric: MetricRow, anchor_id: str) -> Table:
    """Return the pictures on which a codec's BD-rate is furthest from what it usually is, furthest first.

    Args:
        selection: Pictures of both kinds.
        metric: Whose scores decide.
        anchor_id: Codec whose BD-rate is 0 on every picture.
    """
    comparison = selection.comparison(metric)
    labels = {codec.codec_id: codec.label for codec in comparison.codecs}
    pictures = {picture.sha256: picture for picture in selection.columns.pictures}
    columns = (
        Column("Picture", numeric=False),
        Column("Kind", numeric=False),
        Column("Codec", numeric=False),
        Column("BD-rate", "%", help="Of the picture's own curves."),
        Column("Usually", "%", help="Median of the codec's BD-rates over all pictures."),
    )
    title = f"Pictures on which codecs differ most from themselves · {selection.image_set}"
    if anchor_id not in comparison.curves or not comparison.common:
        return Table(title, columns, ())
    paired = Paired(
        comparison,
        metric,
        "pchip",
        None,
        Resampling(np.full((1, len(comparison.common)), 1 / len(comparison.common))),
    )
    distances_and_rows: list[tuple[float, Row]] = []
    for codec_id in paired.codec_ids:
        if codec_id == anchor_id:
            continue
        each = paired.of_pictures(anchor_id, codec_id)
        known = np.flatnonzero(np.isfinite(each))
        if len(known) < 2:
            continue
        usual = float(np.median(each[known]))
        for place in known[np.argsort(-np.abs(each[known] - usual))][:MOST]:
            picture, own = pictures[paired.pictures[place]], float(each[place])
            entries = (
                Entry(picture.name),
                Entry(digits.KINDS.get(picture.kind, picture.kind)),
                Entry(labels[codec_id]),
                Entry(digits.percent(percent(own)), percent(own)),
                Entry(digits.percent(percent(usual)), percent(usual)),
            )
            distances_and_rows.append(
                (abs(own - usual), Row(entries, {"codec": labels[codec_id], "picture": picture.name}))
            )
    distances_and_rows.sort(key=lambda pair: -pair[0])
    return Table(
        title,
        columns,
        tuple(row for _, row in distances_and_rows[:MOST]),
        (f"BD-rate against {labels[anchor_id]} by {selection.title(metric)}; the page Look shows them.",),
    )
