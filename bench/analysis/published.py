"""Compute BD-rates of published means against an anchor that was measured here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from ..records.rows import MetricRow
from ..store.imports import Published
from .codec_grids import Comparison
from .curves import BdRate, Curve, bd_rate_of_curves, clean, to_quality
from .leaderboard import NO_ANCHOR_CURVE


@dataclass(frozen=True, slots=True)
class PublishedCurve:
    """One codec's published means under one metric, beside an anchor measured here."""

    codec: str
    metric: MetricRow
    points: int
    lowest_rate: float
    highest_rate: float
    bd_rate: BdRate
    provenance: str
    estimated: bool
    """Whether any of its rates is an estimate of an entropy model, the size of no bitstream."""


def published_curves(
    points: Iterable[Published], metric: MetricRow, comparison: Comparison, anchor_id: str
) -> list[PublishedCurve]:
    """Return the published curves that have a metric of this name, best first.

    Args:
        points: Published means of one image set.
        metric: The metric as measured here; the published values were computed by other code.
        comparison: The codecs measured here, under this metric.
        anchor_id: Id of the codec measured here that BD-rates are relative to.
    """
    grouped: dict[str, list[Published]] = defaultdict(list)
    for point in points:
        if metric.name in point.scores:
            grouped[point.codec].append(point)
    anchor = comparison.curves.get(anchor_id)
    curve = anchor.curve(metric) if anchor else None
    curves = [_curve(codec, of_codec, metric, curve) for codec, of_codec in grouped.items()]
    return sorted(
        curves, key=lambda curve: (curve.bd_rate.percent is None, curve.bd_rate.percent or 0.0, curve.codec)
    )


def _curve(codec: str, points: list[Published], metric: MetricRow, anchor: Curve | None) -> PublishedCurve:
    rates = [point.bits_per_pixel for point in points]
    scores = [point.scores[metric.name] for point in points]
    curve = clean(rates, to_quality(metric.curve_scale, metric.better, scores))
    result = bd_rate_of_curves(anchor, curve) if anchor else BdRate(None, NO_ANCHOR_CURVE)
    estimated = any(point.rate_kind == "estimated" for point in points)
    return PublishedCurve(
        codec, metric, len(points), min(rates), max(rates), result, points[0].provenance, estimated
    )
