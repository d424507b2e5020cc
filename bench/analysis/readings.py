"""Read thousands of rate-distortion curves at one rate or one quality, as `curves` reads a single one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records.rows import MetricRow
from .codec_grids import ScoredGrid
from .curve_batches import pchip_slopes
from .curves import FloatArray, to_quality, undominated


@dataclass(frozen=True, slots=True, eq=False)
class CleanCurves:
    """Curves made strictly rising; shape (curves, points), NaN behind the last point of each."""

    rates: FloatArray
    qualities: FloatArray
    columns: FloatArray
    """Shape (columns, curves, points)."""
    points: NDArray[np.intp]


def curves_of(scored_grid: ScoredGrid, metric: MetricRow, *columns: FloatArray) -> CleanCurves:
    """Return the curve of each of a codec's pictures; columns are (pictures, settings) arrays of its grid."""
    return clean_curves(
        scored_grid.rates, to_quality(metric.curve_scale, metric.better, scored_grid.scores), *columns
    )


def clean_curves(rates: FloatArray, qualities: FloatArray, *columns: FloatArray) -> CleanCurves:
    """Return the curves as `curves.clean` makes each; arrays of shape (curves, settings)."""
    stack = np.stack([rates, qualities, *columns])
    used = np.isfinite(qualities) & (rates > 0)
    order, kept = undominated(np.where(used, rates, np.inf), np.where(used, qualities, -np.inf))
    order = np.take_along_axis(order, np.argsort(~kept, axis=1, kind="stable"), axis=1)
    stack = np.take_along_axis(stack, order[None], axis=2)
    points = np.count_nonzero(kept, axis=1)
    stack[:, np.arange(stack.shape[2]) >= points[:, None]] = np.nan
    return CleanCurves(stack[0], stack[1], stack[2:], points)


def qualities_at_rate(curves: CleanCurves, rate: float | FloatArray) -> FloatArray:
    """Return each curve's quality at a rate by PCHIP over log rate, NaN outside it; shape (curves,).

    The rate is the same for all curves, or each has its own: shape (curves,), NaN where there is none.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return _read(np.log(curves.rates), curves.qualities[None], curves.points, np.log(rate))[0]


def rates_at_quality(curves: CleanCurves, quality: float) -> FloatArray:
    """Return each curve's rate at a quality, NaN outside it; shape (curves,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.exp(_read(curves.qualities, np.log(curves.rates)[None], curves.points, quality)[0])


def columns_at_quality(curves: CleanCurves, quality: float) -> FloatArray:
    """Return the further columns at a quality by PCHIP, NaN outside; shape (columns, curves)."""
    return _read(curves.qualities, curves.columns, curves.points, quality)


def _read(x: FloatArray, values: FloatArray, points: NDArray[np.intp], at: float | FloatArray) -> FloatArray:
    """Return each cubic at its place; x of shape (curves, points), values (columns, curves, points)."""
    interpolated = np.full(values.shape[:2], np.nan)
    places = np.broadcast_to(np.asarray(at, dtype=np.float64), len(points))
    for count in np.unique(points[points > 1]):
        rows = np.flatnonzero(points == count)
        own = x[rows, :count]
        inside = (own[:, 0] <= places[rows]) & (places[rows] <= own[:, -1])
        rows, own = rows[inside], own[inside]
        if len(rows):
            for column, y in enumerate(values):
                interpolated[column, rows] = _hermite(own, y[rows, :count], places[rows])
    return interpolated


def _hermite(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    slopes = pchip_slopes(x, y)
    rows = np.arange(len(x))
    piece = np.clip((x <= at[:, None]).sum(axis=1) - 1, 0, x.shape[1] - 2)
    left, right = x[rows, piece], x[rows, piece + 1]
    step, t = right - left, at - left
    rise = (y[rows, piece + 1] - y[rows, piece]) / step
    first, second = slopes[rows, piece], slopes[rows, piece + 1]
    quadratic, cubic = (3 * rise - 2 * first - second) / step, (first + second - 2 * rise) / step**2
    return y[rows, piece] + t * (first + t * (quadratic + t * cubic))
