"""Build rate-distortion curves, and compute the BD-rate of two."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import Akima1DInterpolator, PchipInterpolator, make_interp_spline

from ..records.metric_facts import CurveScale, Direction

FloatArray: TypeAlias = NDArray[np.float64]

Method: TypeAlias = Literal["pchip", "cubic", "akima"]

NO_OVERLAP = "no overlap"
NO_SHARED_RATE = "no shared rate"
NO_NUMBER = "more than any number"
ONE_POINT = "one point"
NO_CURVE = "no curve"

SAME_RATE = 1e-12
"""Share of a rate below which two are equal: means of equal rates differ in their last digit."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A rate-distortion curve that rises strictly in both rate and quality."""

    rates: FloatArray
    """Shape (points,), rising; any unit."""
    qualities: FloatArray
    """Shape (points,), rising; higher is better."""
    columns: FloatArray
    """Shape (columns, points): whatever else was measured at each point, such as seconds."""
    dropped: int = 0
    """Settings left out: another one gave at least the same quality for no more rate."""

    @property
    def points(self) -> int:
        """How many points the curve has."""
        return len(self.rates)


@dataclass(frozen=True, slots=True)
class BdRate:
    """The BD-rate of a test curve against an anchor, or the reason why there is none."""

    percent: float | None
    """Mean difference in rate at equal quality; negative where the test curve needs less."""
    reason: str | None = None
    """Why ``percent`` is None."""
    shared_low: float | None = None
    """Worst quality that both curves reach."""
    shared_high: float | None = None
    """Best quality that both curves reach."""
    overlap: float = 0.0
    """Shared range over the range that the two curves span together, 0 to 1."""
    dropped: int = 0
    """Dominated settings left out of the test curve."""


@dataclass(frozen=True, slots=True)
class BdQuality:
    """The mean difference in quality of a test curve from an anchor at equal rate, or why there is none."""

    difference: float | None
    """On the quality scale of the curves, such as dB; positive where the test curve is better."""
    reason: str | None = None
    """Why ``difference`` is None."""
    shared_low: float | None = None
    """Lowest rate that both curves reach."""
    shared_high: float | None = None
    """Highest rate that both curves reach."""


class _Interpolant(Protocol):
    def __call__(self, x: float) -> FloatArray: ...

    def integrate(self, a: float, b: float) -> FloatArray: ...


class _Cubic:
    """One cubic through all points by least squares, as VCEG-M33 has it."""

    def __init__(self, x: FloatArray, y: FloatArray) -> None:
        self._polynomial = Polynomial.fit(x, y, 3)

    def __call__(self, x: float) -> FloatArray:
        return np.asarray(self._polynomial(x))

    def integrate(self, a: float, b: float) -> FloatArray:
        antiderivative = self._polynomial.integ()
        return np.asarray(antiderivative(b) - antiderivative(a))


def to_quality(scale: CurveScale, better: Direction, scores: ArrayLike) -> FloatArray:
    """Return scores on a scale where more is better and differences mean about the same everywhere.

    Args:
        scale: The metric's. On ``decibel`` similarities, which crowd against 1, become -10 log10(1 - x), a
            perfect one infinite; on ``linear`` scores stay as they are.
        better: The metric's; where lower is better, scores on ``linear`` change their sign.
        scores: Any shape.
    """
    values = np.asarray(scores, dtype=np.float64)
    if scale == "decibel":
        with np.errstate(divide="ignore"):
            return -10.0 * np.log10(np.maximum(1.0 - values, 0.0))
    return values if better == "higher" else -values


def from_quality(scale: CurveScale, better: Direction, quality: float) -> float:
    """Return the score that `to_quality` turned into this quality.

    Args:
        scale: The metric's scale, ``linear`` or ``decibel``.
        better: Which scores of the metric are better.
        quality: A quality of `to_quality`, higher is better.
    """
    if scale == "decibel":
        return 1.0 - 10.0 ** (-quality / 10.0)
    return quality if better == "higher" else -quality


def clean(rates: ArrayLike, qualities: ArrayLike, *columns: ArrayLike) -> Curve:
    """Return the curve through these points, made strictly rising.

    Points whose quality is not finite are left out. A setting that costs at least as much as another and
    looks no better is dropped and counted: nobody would choose it, and rate would have two values at one
    quality. Of two settings that cost the same, that is the worse one.

    Args:
        rates: Shape (points,), positive; any order.
        qualities: Shape (points,), higher is better.
        *columns: Further values of the same points.
    """
    table = np.array([rates, qualities, *columns], dtype=np.float64).reshape(2 + len(columns), -1)
    table = table[:, np.isfinite(table[1]) & (table[0] > 0)]
    order, kept = undominated(table[0], table[1])
    used = table[:, order[kept]]
    return Curve(used[0], used[1], used[2:], int(np.count_nonzero(~kept)))


def undominated(rates: FloatArray, qualities: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the order of points by rate, the best of one rate first, and which of them no other dominates.

    Rates that differ by less than `SAME_RATE` are one rate.

    Args:
        rates: Shape (..., points), positive; infinite where a point is not used.
        qualities: Of the same shape; minus infinity where a point is not used.

    Returns:
        Places, and a mask in that order; both of the shape of the rates.
    """
    by_rate = np.argsort(rates, axis=-1, kind="stable")
    rising = np.take_along_axis(rates, by_rate, axis=-1)
    with np.errstate(invalid="ignore"):
        dearer = np.diff(rising, axis=-1, prepend=-np.inf) > SAME_RATE * rising
    rate_number = np.cumsum(dearer, axis=-1)
    best_first = np.lexsort((-np.take_along_axis(qualities, by_rate, axis=-1), rate_number), axis=-1)
    order = np.take_along_axis(by_rate, best_first, axis=-1)
    sorted_qualities = np.take_along_axis(qualities, order, axis=-1)
    best = np.maximum.accumulate(sorted_qualities, axis=-1)
    cheaper = np.concatenate([np.full((*best.shape[:-1], 1), -np.inf), best], axis=-1)[..., :-1]
    return order, sorted_qualities > cheaper


def bd_rate(
    anchor_rates: ArrayLike,
    anchor_qualities: ArrayLike,
    test_rates: ArrayLike,
    test_qualities: ArrayLike,
    method: Method = "pchip",
) -> BdRate:
    """Return the BD-rate of a test curve against an anchor; see `bd_rate_of_curves`.

    Args:
        anchor_rates: Shape (points,), bits per pixel, positive; any order.
        anchor_qualities: Shape (points,), higher is better.
        test_rates: Shape (points,), bits per pixel, positive; any order.
        test_qualities: Shape (points,), on the scale of ``anchor_qualities``.
        method: How log rate is interpolated over quality.
    """
    return bd_rate_of_curves(clean(anchor_rates, anchor_qualities), clean(test_rates, test_qualities), method)


def bd_rate_of_curves(anchor: Curve, test: Curve, method: Method = "pchip") -> BdRate:
    """Return the mean difference in log rate over the shared range of quality, in percent.

    The logarithm of rate is interpolated over quality and integrated exactly; nothing is extrapolated.

    Source: Bjontegaard, VCEG-M33 (2001) for ``cubic``; Herglotz et al., "The Bjontegaard Bible" (IEEE TIP
    2024) for ``pchip`` and ``akima``. Equals the package ``bjontegaard`` 1.3 on curves that rise strictly; it
    takes others as they are, and refuses them (``pchip``, ``akima``) or fits dominated settings too.

    Args:
        anchor: The curve that the difference is relative to.
        test: The curve to judge; negative where it needs fewer bits.
        method: How log rate is interpolated over quality.
    """
    least = 4 if method == "cubic" else 2
    for who, curve in (("anchor: ", anchor), ("", test)):
        if curve.points < least:
            few = {0: NO_CURVE, 1: ONE_POINT}.get(curve.points, f"fewer than {least} points")
            return BdRate(None, who + few, dropped=test.dropped)
    low = float(max(anchor.qualities[0], test.qualities[0]))
    high = float(min(anchor.qualities[-1], test.qualities[-1]))
    if high <= low:
        return BdRate(None, NO_OVERLAP, dropped=test.dropped)
    span = max(anchor.qualities[-1], test.qualities[-1]) - min(anchor.qualities[0], test.qualities[0])
    areas = [
        float(_interpolant(curve.qualities, np.log(curve.rates), method).integrate(low, high))
        for curve in (anchor, test)
    ]
    overlap = float((high - low) / span)
    try:
        percent = 100.0 * math.expm1((areas[1] - areas[0]) / (high - low))
    except OverflowError:  # one cubic through points that nearly share a quality swings anywhere
        return BdRate(None, NO_NUMBER, low, high, overlap, test.dropped)
    return BdRate(percent, None, low, high, overlap, test.dropped)


def bd_quality_of_curves(anchor: Curve, test: Curve, method: Method = "pchip") -> BdQuality:
    """Return the mean difference in quality over the shared range of log rate: BD-PSNR, where it is PSNR.

    Quality is interpolated over the logarithm of rate and integrated exactly; nothing is extrapolated.

    Source: Bjontegaard, VCEG-M33 (2001); equals ``bd_psnr`` of the package ``bjontegaard`` 1.3.

    Args:
        anchor: The curve that the difference is from.
        test: The curve to judge.
        method: How quality is interpolated over log rate.
    """
    least = 4 if method == "cubic" else 2
    for who, curve in (("anchor: ", anchor), ("", test)):
        if curve.points < least:
            few = {0: NO_CURVE, 1: ONE_POINT}.get(curve.points, f"fewer than {least} points")
            return BdQuality(None, who + few)
    low = float(max(anchor.rates[0], test.rates[0]))
    high = float(min(anchor.rates[-1], test.rates[-1]))
    if high <= low:
        return BdQuality(None, NO_SHARED_RATE)
    # The logarithm of one number may differ in the last digit from that of an array: it would lie outside.
    logarithms = [np.log(curve.rates) for curve in (anchor, test)]
    ends = max(own[0] for own in logarithms), min(own[-1] for own in logarithms)
    areas = [
        float(_interpolant(own, curve.qualities, method).integrate(*ends))
        for own, curve in zip(logarithms, (anchor, test), strict=True)
    ]
    return BdQuality((areas[1] - areas[0]) / (ends[1] - ends[0]), None, low, high)


def _interpolant(x: FloatArray, y: FloatArray, method: Method) -> _Interpolant:
    if method == "cubic":
        return _Cubic(x, y)
    if method == "akima":
        # Akima's end conditions need three points.
        return Akima1DInterpolator(x, y) if len(x) > 2 else make_interp_spline(x, y, k=1)
    return PchipInterpolator(x, y)
