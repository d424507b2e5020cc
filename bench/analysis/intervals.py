"""Compute medians and spreads over pictures, and confidence intervals and tests from resamples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from .bootstrap import Sample
from .curves import FloatArray

SIGNIFICANCE = 0.05
LEAST_FOR_PERCENTILES = 20
"""Of fewer values the 5th percentile lies below the second smallest: it would be made of the smallest two."""
LEAST_PICTURES = 5
"""The rarest resample is one picture n times, of probability n ** -n: with fewer pictures than this it is
likelier than the tail that `interval` would cut off."""
MOST_UNDEFINED = 0.01
"""A statistic that more than this share of the resamples does not have gets no interval."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and tails of a value over pictures."""

    median: float
    low: float
    """5th percentile; the least of fewer than `LEAST_FOR_PERCENTILES` values."""
    high: float
    """95th percentile; the greatest of so few."""
    pictures: int
    """How many pictures have a value."""

    @property
    def ends(self) -> str:
        """What `low` and `high` are."""
        return "minimum…maximum" if self.pictures < LEAST_FOR_PERCENTILES else "5th…95th percentile"


def spread(values: Iterable[float]) -> Spread | None:
    """Return median and tails of the finite values, or None when there are none.

    The tails are the 5th and 95th percentile; of fewer than `LEAST_FOR_PERCENTILES` values, the extremes.
    Percentiles interpolate linearly between order statistics (Hyndman and Fan 1996, type 7, NumPy's default).
    """
    numbers = np.array(list(values), dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return None
    tail = 0 if len(finite) < LEAST_FOR_PERCENTILES else 5
    low, median, high = np.percentile(finite, [tail, 50, 100 - tail])
    return Spread(float(median), float(low), float(high), len(finite))


@dataclass(frozen=True, slots=True)
class Interval:
    """The 95 % confidence interval of a statistic, or the reason why there is none."""

    low: float | None
    high: float | None
    reason: str | None = None
    """Why there are no ends."""

    def through(self, function: Callable[[float], float]) -> Interval:
        """Return the interval of a rising function of the statistic."""
        if self.low is None or self.high is None:
            return self
        return Interval(function(self.low), function(self.high))


@dataclass(frozen=True, slots=True)
class Tested:
    """An interval and the test that goes with it."""

    interval: Interval
    p_value: float | None
    """Two-sided, of the statistic being zero; None where there is no interval."""


def interval(sample: Sample) -> Interval:
    """Return the expanded percentile interval of a statistic.

    A percentile interval of n pictures is too narrow, by sqrt((n - 1) / n) and by the normal quantile where
    Student's belongs; here the percentiles are moved out by just that. `docs/benchmarks/interval_coverage.md`
    compares it with others on simulated curves.

    Source: Hesterberg, "What teachers should know about the bootstrap", The American Statistician 69 (2015),
    section 5.3; for several groups with the degrees of freedom of Welch (Biometrika 34, 1947).
    """
    reason = _refusal(sample)
    if reason:
        return Interval(None, None, reason)
    inflation, degrees = _expansion(sample)
    tail = float(ndtr(inflation * stdtrit(degrees, SIGNIFICANCE / 2)))
    low, high = np.quantile(sample.draws[np.isfinite(sample.draws)], [tail, 1 - tail])
    return Interval(float(low), float(high))


def bounded_interval(sample: Sample, bound: float) -> Interval:
    """Return the interval of a mean that lies on one side of a bound, such as a rate above 0.

    Student's interval of the logarithm of the distance from the bound, with the resamples' standard error.
    Means of rates, and of similarities near 1, are skewed away from the bound: `interval` is too short on
    that side while pictures are few. Where a resample reaches the bound, as error rates of 0 do, it is
    `interval` all the same.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), section 12.6: Student's interval
    on a scale on which the spread does not depend on the mean.
    """
    side = math.copysign(1.0, sample.estimate - bound)
    distances = side * (sample.draws[np.isfinite(sample.draws)] - bound)
    if _refusal(sample) or sample.estimate == bound or distances.min() <= 0:
        return interval(sample)
    inflation, degrees = _expansion(sample)
    factor = math.exp(-stdtrit(degrees, SIGNIFICANCE / 2) * inflation * float(np.log(distances).std()))
    distance = sample.estimate - bound
    low, high = sorted((bound + distance / factor, bound + distance * factor))
    return Interval(low, high)


def zero_test(sample: Sample) -> Tested:
    """Return the interval and the two-sided p-value of the statistic being zero.

    The p-value is one minus the confidence at which `interval` would just touch zero. Beyond the outermost
    resample the tail is taken as normal, so that strong evidence is not cut off at one in ten thousand.
    """
    ends = interval(sample)
    if ends.reason:
        return Tested(ends, None)
    draws = sample.draws[np.isfinite(sample.draws)]
    inflation, degrees = _expansion(sample)
    return Tested(ends, float(2 * stdtr(degrees, -_distance_of_zero(draws) / inflation)))


def _distance_of_zero(draws: FloatArray) -> float:
    """Return how far in a resample's tail zero lies, in standard deviations of a normal distribution."""
    below = np.count_nonzero(draws < 0) + 0.5 * np.count_nonzero(draws == 0)
    share = min(below, len(draws) - below) / len(draws)
    outermost = -float(ndtri(1 / (len(draws) + 1)))
    if share > 1 / (len(draws) + 1):
        return -float(ndtri(share))
    return max(outermost, abs(float(draws.mean())) / max(float(draws.std()), math.ulp(0.0)))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return the p-values adjusted for being many tests; those that are None are no tests.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6 (1979).
    """
    tests = sorted((p_value, place) for place, p_value in enumerate(p_values) if p_value is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p_value, place) in enumerate(tests):
        highest = max(highest, min(1.0, (len(tests) - rank) * p_value))
        adjusted[place] = highest
    return adjusted


def _refusal(sample: Sample) -> str | None:
    if not any(group.pictures for group in sample.groups):
        return "no pictures"
    if not math.isfinite(sample.estimate):
        return "no value"
    if any(group.pictures < LEAST_PICTURES for group in sample.groups):
        return f"fewer than {LEAST_PICTURES} pictures"
    undefined = float(np.mean(~np.isfinite(sample.draws)))
    if undefined > MOST_UNDEFINED:
        return f"undefined in {undefined:.0%} of resamples"
    return None


def _expansion(sample: Sample) -> tuple[float, float]:
    """Return by how much resamples vary too little, as a ratio of standard deviations, and the freedom."""
    plugged_in = sum(group.variance for group in sample.groups)
    parts = [
        (group.variance * group.pictures / (group.pictures - 1), group.pictures - 1)
        for group in sample.groups
    ]
    unbiased = sum(variance for variance, _ in parts)
    if not plugged_in:
        return 1.0, float(sum(freedom for _, freedom in parts))
    freedom = unbiased**2 / sum(variance**2 / degrees for variance, degrees in parts)
    return math.sqrt(unbiased / plugged_in), freedom
