"""Every formula of the intervals and tests on numbers small enough to work out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from codecarena.bench.analysis import intervals
from codecarena.bench.analysis.bootstrap import Group, Resampling, Sample, resample
from codecarena.bench.analysis.intervals import Interval, bounded_interval, interval, spread, zero_test

EVENLY = np.linspace(0.0, 1.0, 10_001)
"""The q-quantile of these is q."""


def sample(draws: np.ndarray, *groups: tuple[int, float], estimate: float = 0.5) -> Sample:
    """A statistic with these resamples, of groups of (pictures, variance)."""
    return Sample(estimate, draws, tuple(Group(*group) for group in groups))


def test_the_level_is_95_percent() -> None:
    assert intervals.SIGNIFICANCE == 0.05, "exactly: at p = 0.05 nothing is shown"


@pytest.mark.parametrize("pictures", [5, 6, 24, 1000])
def test_the_percentiles_are_students_widened_for_the_plug_in_variance(pictures: int) -> None:
    bounds = interval(sample(EVENLY, (pictures, 3.0)))
    quantile = stats.t.ppf(0.025, pictures - 1) * math.sqrt(pictures / (pictures - 1))
    assert (bounds.low, bounds.high) == pytest.approx((stats.norm.cdf(quantile), stats.norm.cdf(-quantile)))
    # For very many pictures it is the plain 95 % interval; for few it is wider.
    if pictures == 1000:
        assert (bounds.low, bounds.high) == pytest.approx((0.025, 0.975), abs=1e-3)


def test_of_two_groups_the_freedom_is_welchs() -> None:
    bounds = interval(sample(EVENLY, (5, 4.0), (9, 1.0)))
    # Unbiased variances are 4 x 5/4 = 5 and 1 x 9/8; the freedom is (5 + 9/8)^2 / (5^2/4 + (9/8)^2/8).
    unbiased = 5 + 9 / 8
    freedom = unbiased**2 / (25 / 4 + (9 / 8) ** 2 / 8)
    quantile = stats.t.ppf(0.025, freedom) * math.sqrt(unbiased / 5)
    assert (bounds.low, bounds.high) == pytest.approx((stats.norm.cdf(quantile), stats.norm.cdf(-quantile)))


def test_without_any_spread_the_interval_is_the_value() -> None:
    bounds = interval(sample(np.full(100, 0.5), (5, 0.0), (7, 0.0)))
    assert (bounds.low, bounds.high) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("groups", "undefined", "estimate", "reason"),
    [
        (((5, 1.0),), 0, 0.5, None),
        (((4, 1.0),), 0, 0.5, "fewer than 5 pictures"),
        (((9, 1.0), (4, 1.0)), 0, 0.5, "fewer than 5 pictures"),
        (((9, 1.0),), 2, 0.5, None),
        (((9, 1.0),), 3, 0.5, "undefined in 2% of resamples"),
        (((9, 1.0),), 0, math.nan, "no value"),
        (((4, 1.0),), 3, math.nan, "no value"),
    ],
)
def test_an_interval_is_refused_with_the_reason(groups, undefined, estimate, reason) -> None:
    draws = np.linspace(0, 1, 200)
    draws[:undefined] = np.nan
    bounds = interval(sample(draws, *groups, estimate=estimate))
    assert bounds.reason == reason
    assert (bounds.low is None) == (bounds.high is None) == (reason is not None)


def test_an_interval_goes_through_a_rising_function() -> None:
    assert Interval(1.0, 2.0).through(lambda entry: 10 * entry) == Interval(10.0, 20.0)
    nothing = Interval(None, None, "no value")
    assert nothing.through(math.exp) == nothing


@pytest.mark.parametrize(("bound", "side"), [(0.0, 1), (1.0, -1), (-2.0, 1)])
def test_a_bounded_interval_is_students_of_the_logarithm(bound: float, side: int) -> None:
    logarithms = np.array([-0.3, 0.3] * 50)
    distance = 0.25
    draws = bound + side * distance * np.exp(logarithms)
    bounds = bounded_interval(sample(draws, (7, 2.0), estimate=bound + side * distance), bound)
    factor = math.exp(stats.t.ppf(0.975, 6) * math.sqrt(7 / 6) * 0.3)
    ends = sorted((bound + side * distance / factor, bound + side * distance * factor))
    assert (bounds.low, bounds.high) == pytest.approx(tuple(ends))


def test_a_bounded_interval_leaves_out_undefined_resamples() -> None:
    draws = np.tile(np.exp([-0.2, 0.2]), 100)
    with_undefined = np.concatenate([draws, [np.nan]])
    groups = ((8, 1.0),)
    whole, part = (
        bounded_interval(sample(entry, *groups, estimate=1.0), 0.0) for entry in (draws, with_undefined)
    )
    assert (part.low, part.high) == pytest.approx((whole.low, whole.high))


def zero_p(draws: np.ndarray, *groups: tuple[int, float]) -> float:
    tested = zero_test(sample(draws, *(groups or ((9, 1.0),))))
    assert tested.p_value is not None
    return tested.p_value


def p_of(deviations: float, freedom: float = 8, inflation: float = math.sqrt(9 / 8)) -> float:
    """Two-sided p-value of zero so many standard deviations of the resamples away."""
    return 2 * stats.t.sf(deviations / inflation, freedom)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("below", "at_zero", "share"),
    [(10, 0, 0.10), (0, 10, 0.05), (10, 5, 0.125), (50, 0, 0.5), (40, 20, 0.5), (2, 0, 0.02)],
)
def test_a_p_value_is_the_share_of_resamples_beyond_zero(below, at_zero, share, sign) -> None:
    draws = sign * np.concatenate(
        [np.full(below, -1.0), np.zeros(at_zero), np.full(100 - below - at_zero, 1.0)]
    )
    assert zero_p(draws) == pytest.approx(p_of(-stats.norm.ppf(share)))


def test_resamples_at_exactly_zero_are_half_on_either_side() -> None:
    assert zero_p(np.zeros(100)) == pytest.approx(1.0)
    assert zero_p(np.array([0.0] * 50 + [1.0] * 50)) == pytest.approx(p_of(-stats.norm.ppf(0.25)))


def test_beyond_the_outermost_resample_the_tail_is_normal() -> None:
    far = np.array([9.0, 11.0] * 50)
    assert zero_p(far) == zero_p(-far) == pytest.approx(p_of(10.0))
    # Resamples far from normal: zero lies no nearer than the outermost of n, 1 / (n + 1).
    skewed = np.array([0.01] * 99 + [50.0])
    assert zero_p(skewed) == pytest.approx(p_of(-stats.norm.ppf(1 / 101)))
    # One of a hundred beyond zero is nearer than that, half of one is not.
    assert zero_p(np.array([-1.0] + [1.0] * 99)) == pytest.approx(p_of(-stats.norm.ppf(0.01)))
    half = np.array([0.0] + [1.0] * 99)
    assert zero_p(half) == pytest.approx(p_of(half.mean() / half.std()))
    assert zero_p(np.full(100, 3.0)) == 0


def test_the_p_value_of_two_groups_has_welchs_freedom() -> None:
    draws = np.array([-1.0] * 10 + [1.0] * 90)
    unbiased = 5 + 9 / 8
    freedom = unbiased**2 / (25 / 4 + (9 / 8) ** 2 / 8)
    expected = p_of(-stats.norm.ppf(0.1), freedom, math.sqrt(unbiased / 5))
    assert zero_p(draws, (5, 4.0), (9, 1.0)) == pytest.approx(expected)


def test_undefined_resamples_are_in_no_share() -> None:
    draws = np.array([-1.0] * 20 + [1.0] * 180 + [np.nan] * 2)
    assert zero_p(draws) == pytest.approx(p_of(-stats.norm.ppf(0.1)))


def test_a_spread_is_median_and_5th_and_95th_percentile() -> None:
    median_and_range = spread([*range(20, -1, -1), math.inf, -math.inf, math.nan])
    assert median_and_range is not None
    assert (
        median_and_range.low,
        median_and_range.median,
        median_and_range.high,
        median_and_range.pictures,
    ) == (1.0, 10.0, 19.0, 21)
    assert median_and_range.ends == "5th…95th percentile"
    assert spread([]) is None


def test_a_spread_of_few_is_median_and_minimum_and_maximum() -> None:
    few, enough = spread(range(19)), spread(range(20))
    assert few is not None
    assert enough is not None
    assert (few.low, few.median, few.high, few.ends) == (0.0, 9.0, 18.0, "minimum…maximum")
    assert (enough.low, enough.high) == pytest.approx((0.95, 18.05))


def test_resamples_draw_as_many_pictures_as_there_are() -> None:
    weights = resample(4, np.random.default_rng(1), 500).weights
    assert weights.shape == (501, 4)
    np.testing.assert_array_equal(weights[0], [0.25] * 4)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert set(np.unique(weights[1:] * 4)) == {0, 1, 2, 3, 4}
    np.testing.assert_allclose(weights[1:].mean(axis=0), 0.25, atol=0.03)
    # A count of 4 draws at 1/4 has variance 4 x 1/4 x 3/4.
    np.testing.assert_allclose((4 * weights[1:]).var(axis=0), 0.75, atol=0.15)


def test_means_are_of_what_is_defined() -> None:
    resampling = Resampling(np.array([[0.25] * 4, [0.5, 0.5, 0, 0], [0, 0, 0, 1.0]]))
    assert resampling.pictures == 4
    values = np.array([1.0, 3.0, 8.0, np.nan])
    np.testing.assert_allclose(resampling.means_of_defined(values), [4.0, 2.0, np.nan])
    np.testing.assert_allclose(resampling.means(values[:3, None].repeat(2, axis=1)[[0, 1, 2, 0]]), [
        [13 / 4] * 2, [2, 2], [1, 1],
    ])  # fmt: skip
    drawn = resampling.sample(np.array([7.0, 1.0, np.nan, 5.0]))
    assert drawn.estimate == 7.0
    np.testing.assert_array_equal(drawn.draws, [1.0, np.nan, 5.0])
    assert drawn.groups == (Group(4, 4.0),)
    assert resampling.sample(np.array([7.0, np.nan])).groups == (Group(4, 0.0),)


def test_a_paired_difference_is_one_group_and_an_unpaired_one_two() -> None:
    drawn = sample(np.array([1.0, 2.0, 6.0]), (5, 3.0), estimate=3.0)
    other = sample(np.array([1.0, 4.0, 4.0]), (7, 2.0), estimate=2.0)
    unpaired, paired = drawn.minus(other), drawn.paired_minus(other)
    for outcome in (unpaired, paired):
        assert outcome.estimate == 1.0
        np.testing.assert_array_equal(outcome.draws, [0.0, -2.0, 2.0])
    assert unpaired.groups == (Group(5, 3.0), Group(7, 2.0))
    assert paired.groups == (Group(5, pytest.approx(8 / 3)),)
