"""Compute BD-rates of published means against a codec measured here, and the other way round."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..records.rows import MetricRow
from ..store.imports import Published
from .codec_grids import Comparison
from .curves import BdRate, Curve, Method, bd_rate_of_curves, clean, to_quality
from .leaderboard import LOSSLESS, NO_ANCHOR_CURVE


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


def codecs_against(
    points: Sequence[Published], metric: MetricRow, comparison: Comparison, method: Method = "pchip"
) -> dict[str, BdRate]:
    """Return the BD-rate of each measured codec's mean curve against one published curve, by codec id.

    Args:
        points: Of one published codec on one image set.
        metric: As measured here.
        comparison: The codecs measured here, under this metric; those without a curve are left out.
        method: How log rate is interpolated over quality.
    """
    scored = [point for point in points if metric.name in point.scores]
    anchor = _curve_of(scored, metric)
    return {
        codec_id: bd_rate_of_curves(anchor, curve.curve(metric), method)
        if curve.points
        else BdRate(None, LOSSLESS)
        for codec_id, curve in comparison.curves.items()
        if scored
    }


def _curve_of(points: Iterable[Published], metric: MetricRow) -> Curve:
    listed = list(points)
    scores = [point.scores[metric.name] for point in listed]
    rates = [point.bits_per_pixel for point in listed]
    return clean(rates, to_quality(metric.curve_scale, metric.better, scores))


def _curve(codec: str, points: list[Published], metric: MetricRow, anchor: Curve | None) -> PublishedCurve:
    rates = [point.bits_per_pixel for point in points]
    curve = _curve_of(points, metric)
    result = bd_rate_of_curves(anchor, curve) if anchor else BdRate(None, NO_ANCHOR_CURVE)
    estimated = any(point.rate_kind == "estimated" for point in points)
    return PublishedCurve(
        codec, metric, len(points), min(rates), max(rates), result, points[0].provenance, estimated
    )
