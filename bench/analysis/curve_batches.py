"""Compute the BD-rates of thousands of resampled rate-distortion curves at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .curves import SAME_RATE, FloatArray, Method, undominated

LEAST_POINTS = {"pchip": 2, "akima": 2, "cubic": 4}
AKIMA_FLAT = 1e-9
"""Below this share of a curve's largest change of slope, Akima's weights are undefined (as in SciPy)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """Piecewise cubics of those curves of a batch that have the same number of points."""

    rows: NDArray[np.intp]
    qualities: FloatArray
    """Shape (rows, points), rising."""
    log_rates: FloatArray
    """Shape (rows, points)."""
    slopes: FloatArray
    """Derivatives at the points, shape (rows, points)."""
    areas: FloatArray
    """Integral from the worst quality to each point, shape (rows, points)."""

    def integrals(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """Return the integral from ``low`` to ``high`` under each curve; all of shape (rows,)."""
        return self._area_up_to(high) - self._area_up_to(low)

    def _area_up_to(self, end: FloatArray) -> FloatArray:
        """Return the integral of Hermite's cubic from the worst quality to an end on each curve."""
        rows, piece = np.arange(len(end)), np.zeros(len(end), dtype=np.intp)
        for inner in self.qualities.T[1:-1]:
            piece += inner <= end
        start, step = self.qualities[rows, piece], self.qualities[rows, piece + 1]
        step -= start
        value, slope = self.log_rates[rows, piece], self.slopes[rows, piece]
        rise = (self.log_rates[rows, piece + 1] - value) / step
        next_slope = self.slopes[rows, piece + 1]
        t = np.clip(end - start, 0, step)
        quadratic, cubic = (
            (3 * rise - 2 * slope - next_slope) / step,
            (slope + next_slope - 2 * rise) / step**2,
        )
        return self.areas[rows, piece] + t * (value + t * (slope / 2 + t * (quadratic / 3 + t * cubic / 4)))


@dataclass(frozen=True, slots=True, eq=False)
class _SingleCubics:
    """One cubic through each of those curves of a batch that have the same number of points."""

    rows: NDArray[np.intp]
    qualities: FloatArray
    """Shape (rows, points), rising."""
    coefficients: FloatArray
    """In qualities scaled to -1 ... 1, shape (rows, 4), lowest power first."""

    def integrals(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """Return the integral from ``low`` to ``high`` under each curve; all of shape (rows,)."""
        powers = np.arange(1, 5)
        ends = _scaled(self.qualities, np.column_stack([low, high]))
        antiderivative = np.sum(self.coefficients[:, None] / powers * ends[..., None] ** powers, axis=2)
        half_range = (self.qualities[:, -1] - self.qualities[:, 0]) / 2
        return (antiderivative[:, 1] - antiderivative[:, 0]) * half_range


class CurveBatch:
    """Many rate-distortion curves, each cleaned and interpolated as `curves` does it for one.

    Args:
        rates: Shape (curves, settings), positive.
        qualities: Shape (curves, settings), higher is better; settings that are not finite are left out.
        method: How log rate is interpolated over quality.
        over_rate: Whether quality is interpolated over log rate instead. Where the words below say quality,
            it is log rate then, and the other way round.
    """

    def __init__(
        self, rates: FloatArray, qualities: FloatArray, method: Method = "pchip", *, over_rate: bool = False
    ) -> None:
        self.method: Method = method
        if not rates.shape[1]:  # a codec without any lossy setting
            rates = qualities = np.full((len(rates), 1), np.nan)
        log_rates, sorted_qualities, points = _clean(rates, qualities)
        if over_rate:
            log_rates, sorted_qualities = sorted_qualities, log_rates
        self.points = points
        """Points of each curve after cleaning, shape (curves,)."""
        rows = np.arange(len(points))
        some = points > 0
        self.low = np.where(some, sorted_qualities[:, 0], np.nan)
        """Worst quality of each curve."""
        self.high = np.where(some, sorted_qualities[rows, np.maximum(points, 1) - 1], np.nan)
        """Best quality of each curve."""
        self._groups = [
            _interpolate(np.flatnonzero(points == count), log_rates, sorted_qualities, int(count), method)
            for count in np.unique(points)
            if count >= LEAST_POINTS[method]
        ]

    def areas(self, low: FloatArray, high: FloatArray) -> FloatArray:
        """Return the integral of log rate from ``low`` to ``high`` under each curve; NaN without a curve.

        Exact for the interpolant. Outside a curve's own qualities the value means nothing.
        """
        areas = np.full(len(self.points), np.nan)
        for group in self._groups:
            areas[group.rows] = group.integrals(low[group.rows], high[group.rows])
        return areas


def log_rate_differences(anchor: CurveBatch, test: CurveBatch) -> FloatArray:
    """Return mean log rate(test) - log rate(anchor) over the shared qualities of each pair of curves.

    Shape (curves,). NaN where `curves.bd_rate_of_curves` gives a reason; elsewhere ``100 expm1`` of it is
    that function's percentage. Of batches over rate it is the difference of `curves.bd_quality_of_curves`.
    """
    low, high = np.maximum(anchor.low, test.low), np.minimum(anchor.high, test.high)
    with np.errstate(invalid="ignore", divide="ignore"):
        difference = (test.areas(low, high) - anchor.areas(low, high)) / (high - low)
        return np.where(high > low, difference, np.nan)


def _clean(rates: FloatArray, qualities: FloatArray) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Return log rates and qualities, rising and moved to the left, and how many are left in each row."""
    for step in (1, -1):  # nearly all means of resampled pictures are clean, by rising or falling setting
        if _rising(rates[:, ::step], qualities[:, ::step]):
            return np.log(rates[:, ::step]), qualities[:, ::step], np.full(len(rates), rates.shape[1])
    used = np.isfinite(qualities) & (rates > 0)
    usable_rates, usable_qualities = np.where(used, rates, np.inf), np.where(used, qualities, -np.inf)
    order, kept = undominated(usable_rates, usable_qualities)
    order = np.take_along_axis(order, np.argsort(~kept, axis=1, kind="stable"), axis=1)
    sorted_rates = np.take_along_axis(usable_rates, order, axis=1)
    sorted_qualities = np.take_along_axis(usable_qualities, order, axis=1)
    return np.log(sorted_rates), sorted_qualities, np.count_nonzero(kept, axis=1)


def _rising(rates: FloatArray, qualities: FloatArray) -> bool:
    """Whether every row is a clean curve already: positive rates and finite qualities, both rising."""
    return bool(
        (rates > 0).all()
        and np.isfinite(qualities).all()
        and (rates[:, 1:] > (1 + SAME_RATE) * rates[:, :-1]).all()
        and (qualities[:, 1:] > qualities[:, :-1]).all()
    )


def _interpolate(
    rows: NDArray[np.intp], log_rates: FloatArray, qualities: FloatArray, count: int, method: Method
) -> _Pieces | _SingleCubics:
    x, y = qualities[rows, :count], log_rates[rows, :count]
    if method == "cubic":
        return _SingleCubics(rows, x, _cubic_coefficients(x, y))
    slopes = _SLOPES[method](x, y)
    return _Pieces(rows, x, y, slopes, _areas(x, y, slopes))


def _areas(x: FloatArray, y: FloatArray, slopes: FloatArray) -> FloatArray:
    """Return the integral of Hermite's cubics from the first point to each, shape (rows, points)."""
    steps = np.diff(x, axis=1)
    trapezia = steps * (y[:, 1:] + y[:, :-1]) / 2
    areas = np.zeros_like(x)
    np.cumsum(trapezia - steps**2 * np.diff(slopes, axis=1) / 12, axis=1, out=areas[:, 1:])
    return areas


def pchip_slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return PCHIP's derivatives at the points.

    Source: Fritsch and Butland (SIAM J. Sci. Stat. Comput. 5, 1984) inside, Moler, "Numerical Computing with
    MATLAB" (2004), section 3.6, at the ends; as in SciPy.
    """
    steps = np.diff(x, axis=1)
    secants = np.diff(y, axis=1) / steps
    if x.shape[1] == 2:
        return np.repeat(secants, 2, axis=1)
    after, before = secants[:, 1:], secants[:, :-1]
    first, second = 2 * steps[:, 1:] + steps[:, :-1], steps[:, 1:] + 2 * steps[:, :-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        harmonic = (first + second) / (first / before + second / after)
    inside = np.where(before * after > 0, harmonic, 0.0)
    left = _pchip_end(steps[:, 0], steps[:, 1], secants[:, 0], secants[:, 1])
    right = _pchip_end(steps[:, -1], steps[:, -2], secants[:, -1], secants[:, -2])
    return np.column_stack([left, inside, right])


def _pchip_end(
    step: FloatArray, next_step: FloatArray, secant: FloatArray, next_secant: FloatArray
) -> FloatArray:
    slope = ((2 * step + next_step) * secant - step * next_secant) / (step + next_step)
    turns = np.sign(secant) != np.sign(next_secant)
    slope = np.where(turns & (np.abs(slope) > 3 * np.abs(secant)), 3 * secant, slope)
    return np.where(np.sign(slope) == np.sign(secant), slope, 0.0)


def _akima_slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return Akima's derivatives at the points (J. ACM 17, 1970), with SciPy's rule for undefined weights."""
    secants = np.diff(y, axis=1) / np.diff(x, axis=1)
    if x.shape[1] == 2:
        return np.repeat(secants, 2, axis=1)
    left = 2 * secants[:, 0] - secants[:, 1]
    right = 2 * secants[:, -1] - secants[:, -2]
    wide = np.column_stack([2 * left - secants[:, 0], left, secants, right, 2 * right - secants[:, -1]])
    change = np.abs(np.diff(wide, axis=1))
    weight, other = change[:, :-2], change[:, 2:]
    total = weight + other
    with np.errstate(invalid="ignore", divide="ignore"):
        weighted = wide[:, 1:-2] + weight / total * (wide[:, 2:-1] - wide[:, 1:-2])
    defined = total > AKIMA_FLAT * total.max(axis=1, keepdims=True)
    return np.where(defined, weighted, 0.5 * (wide[:, 3:] + wide[:, :-3]))


def _cubic_coefficients(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return the least-squares cubic in qualities scaled to -1 ... 1, shape (rows, 4), lowest power first."""
    orthogonal, triangular = np.linalg.qr(_scaled(x, x)[..., None] ** np.arange(4))
    return np.linalg.solve(triangular, orthogonal.transpose(0, 2, 1) @ y[..., None])[..., 0]


def _scaled(x: FloatArray, values: FloatArray) -> FloatArray:
    low, high = x[:, :1], x[:, -1:]
    return (2 * values - low - high) / (high - low)


_SLOPES: dict[Method, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "pchip": pchip_slopes,
    "akima": _akima_slopes,
}
