"""Find the Pareto front: the points of all codecs that no other point beats in everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records.rows import MetricRow
from .curves import FloatArray, to_quality
from .significance import Paired

FRONT_RESAMPLES = 1000
"""A share needs fewer resamples than the end of an interval."""


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """One setting of one codec: means over the common pictures."""

    codec_id: str
    setting: float
    bits_per_pixel: float
    score: float
    decode_seconds_per_megapixel: float | None
    """Of the timing pass; None where it was not timed."""
    on_front: bool
    front_share: float
    """In how many resamples of the pictures it is on the front, 0 to 1."""


def pareto_points(
    paired: Paired, metric: MetricRow, decode_seconds: Mapping[tuple[str, float], float] | None = None
) -> list[ParetoPoint]:
    """Return every point of the mean curves, and which are on the front, by rising rate.

    The means are over the pictures that the curves share: a setting that is blank on one would seem to beat
    others on an easier set.

    Args:
        paired: All compared codecs, on resamples of their common pictures.
        metric: The metric of the comparison, one criterion beside bits per pixel.
        decode_seconds: Seconds per megapixel by codec id and setting. With them, decode time is the third
            criterion and settings that were not timed are left out; None compares rate and quality.
    """
    keys: list[tuple[str, float]] = []
    columns: list[tuple[FloatArray, FloatArray]] = []
    shared = paired.shared
    for codec_id, table in shared.tables.items():
        for column, setting in enumerate(table.settings):
            if decode_seconds is None or (codec_id, setting) in decode_seconds:
                keys.append((codec_id, setting))
                columns.append((table.rates[:, column], table.scores[:, column]))
    if not keys:
        return []
    weights = shared.resampling.weights[: 1 + FRONT_RESAMPLES]
    rates, scores = (weights @ np.column_stack([pair[side] for pair in columns]) for side in (0, 1))
    costs = [rates, -to_quality(metric.curve_scale, metric.better, scores)]
    seconds = [None if decode_seconds is None else decode_seconds[key] for key in keys]
    if decode_seconds is not None:
        costs.append(np.broadcast_to(np.array(seconds, dtype=np.float64), rates.shape))
    fronts = on_front(np.stack(costs, axis=-1))
    shares = fronts[1:].mean(axis=0)
    points = [
        ParetoPoint(
            codec_id,
            setting,
            float(rates[0, place]),
            float(scores[0, place]),
            seconds[place],
            bool(fronts[0, place]),
            float(shares[place]),
        )
        for place, (codec_id, setting) in enumerate(keys)
    ]
    return sorted(points, key=lambda point: point.bits_per_pixel)


def on_front(costs: FloatArray) -> NDArray[np.bool_]:
    """Return which points no other one beats: is nowhere dearer and somewhere cheaper.

    Args:
        costs: Shape (draws, points, criteria), lower is better.

    Returns:
        Shape (draws, points).
    """
    unbeaten = np.ones(costs.shape[:2], dtype=bool)
    for point in range(costs.shape[1]):
        point_costs = costs[:, point : point + 1]
        beaten = (costs <= point_costs).all(axis=2) & (costs < point_costs).any(axis=2)
        unbeaten[:, point] = ~beaten.any(axis=1)
    return unbeaten
