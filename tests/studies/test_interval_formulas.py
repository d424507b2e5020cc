"""Intervals by their formulas on small numbers: level, n / (n - 1), freedom, what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from fitted import drawn, table
from scipy import stats

from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import BRADLEY_TERRY
from codecarena.studies.scale.pair_counts import tally
from codecarena.studies.scale.resampling import Scheme, draw, interval, weights
from codecarena.studies.scale.scale import likelihood_ratio, resample, spread_of, wald
from codecarena.studies.scale.scale_results import Interval
from codecarena.studies.scale.votes import VoteRecord, from_records

# One interval


@pytest.mark.parametrize(
    ("clusters", "level", "reach"),
    [
        # sqrt(n / (n - 1)) times Student's quantile of a printed table.
        (2, 0.95, np.sqrt(2) * 12.7062),
        (5, 0.95, np.sqrt(5 / 4) * 2.77645),
        (10, 0.95, np.sqrt(10 / 9) * 2.26216),
        (31, 0.95, np.sqrt(31 / 30) * 2.04227),
        (10, 0.90, np.sqrt(10 / 9) * 1.83311),
        (10, 0.99, np.sqrt(10 / 9) * 3.24984),
    ],
)
def test_the_percentiles_of_an_interval_are_those_of_expanded_student_quantiles(
    clusters: int, level: float, reach: float
) -> None:
    draws = np.random.default_rng(1).gamma(2.0, size=(200, 2))
    low, high = interval(draws, clusters, level)
    for column in range(2):
        assert low[column] == pytest.approx(np.quantile(draws[:, column], stats.norm.sf(reach)), abs=1e-4)
        assert high[column] == pytest.approx(np.quantile(draws[:, column], stats.norm.cdf(reach)), abs=1e-4)


def test_an_interval_of_normal_draws_is_as_wide_as_its_formula_says() -> None:
    """Draws at the quantiles of N(3, 2) make the ends exact: 3 -+ 2 sqrt(20 / 19) t(0.975, 19)."""
    draws = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000, 3, 2)
    reach = 2 * np.sqrt(20 / 19) * 2.093024
    assert interval(draws, 20) == pytest.approx([3 - reach, 3 + reach], abs=1e-3)


def test_an_interval_holds_the_truth_95_times_of_100_and_no_90() -> None:
    """The mean of ten normal clusters, 2,000 times; the bands of 90 and 95 % do not meet."""
    random = np.random.default_rng(1)
    means = (random.multinomial(10, np.full(10, 0.1), 500) / 10) @ random.normal(size=(10, 2000))
    held = []
    for level in (0.90, 0.95):
        low, high = interval(means, 10, level)
        held.append(float(((low <= 0) & (high >= 0)).mean()))
    assert 0.88 <= held[0] <= 0.92
    assert 0.93 <= held[1] <= 0.965


@pytest.mark.parametrize(("clusters", "inflation"), [(2, 2.0), (5, 1.25), (20, 20 / 19), (1, 1.0)])
def test_a_variance_over_resamples_is_inflated_by_n_over_n_minus_1(clusters: int, inflation: float) -> None:
    assert drawn("rater", clusters).inflation == pytest.approx(inflation)


def test_an_error_over_resamples_is_their_inflated_deviation() -> None:
    values = np.array([1.0, 2.0, 3.0, 6.0])
    spread = spread_of(values, drawn("rater", 4))
    # Squares about 3 are 4 + 1 + 0 + 9 = 14; over 3, times 4 / 3.
    assert spread.standard_error == pytest.approx(np.sqrt(14 / 3 * 4 / 3))
    assert (spread.low, spread.high) == pytest.approx(tuple(interval(values, 4)))


def test_wald_s_interval_is_1_96_errors_wide_to_either_side() -> None:
    assert wald(2.0, 0.5) == Interval(pytest.approx(1.020018), pytest.approx(2.979982), 0.5)


@pytest.mark.parametrize(
    ("full", "restricted", "degrees", "statistic", "p"),
    [
        (-10.0, -11.92072941, 1, 3.84145882, 0.05),
        (-10.0, -12.995732, 2, 5.991465, 0.05),
        (-10.0, -9.999, 2, 0.0, 1.0),
        (-10.0, -12.0, 0, 4.0, 1.0),
    ],
)
def test_a_likelihood_ratio_is_twice_the_gain_against_chi_squared(
    full: float, restricted: float, degrees: int, statistic: float, p: float
) -> None:
    ratio = likelihood_ratio(full, restricted, degrees)
    assert (ratio.statistic, ratio.degrees) == (pytest.approx(statistic), degrees)
    assert ratio.p_by_vote == pytest.approx(p, abs=1e-6)


# What is drawn


@pytest.mark.parametrize(
    ("scheme", "raters", "pictures", "clusters"),
    [
        ("rater", 6, 3, 6),
        ("rater", 3, 6, 3),
        ("rater x picture", 6, 3, 3),
        ("rater x picture", 3, 6, 3),
        ("vote", 4, 2, 24),
    ],
)
def test_freedom_comes_from_the_fewer_of_what_is_drawn(
    scheme: Scheme, raters: int, pictures: int, clusters: int
) -> None:
    counted = table(raters, pictures)
    fitted = fit(counted.pairs, BRADLEY_TERRY, order=False, ridge=0.05)
    draws = draw(fitted.problem, counted, fitted.parameters, scheme, 5, np.random.default_rng(0))
    assert (draws.scheme, draws.clusters, len(draws.parameters)) == (scheme, clusters, 5)
    assert (draws.pictures is not None) == (scheme == "rater x picture")


def test_raters_are_drawn_whole_and_pictures_beside_them() -> None:
    counted = table(5, 4)
    random = np.random.default_rng(3)
    by_rater = weights(counted, "rater", 50, random).groups
    for rater in range(5):
        assert (np.ptp(by_rater[:, counted.rater == rater], axis=1) == 0).all()
    # Every rater has 12 votes, so that 5 raters drawn are always 60.
    assert (by_rater @ counted.count == 60).all()
    both = weights(counted, "rater x picture", 50, random)
    assert both.pictures is not None
    assert (both.pictures.sum(1) == 4).all()
    block = counted.rater * 4 + counted.picture
    for cell in range(20):
        assert (np.ptp(both.groups[:, block == cell], axis=1) == 0).all()
    assert (both.groups[:, counted.picture == 2][both.pictures[:, 2] == 0] == 0).all()


def test_single_votes_are_drawn_by_how_many_there_are() -> None:
    """A group of c of 6 votes is drawn c times in the mean, with variance c (1 - c / 6)."""
    rows = [("r1", 1), ("r1", 1), ("r1", 1), ("r1", -1), ("r2", 1), ("r2", 1)]
    counted = tally(from_records(VoteRecord(rater, "p", "z", "a", outcome) for rater, outcome in rows))
    assert sorted(counted.count) == [1, 2, 3]
    drawn = weights(counted, "vote", 4000, np.random.default_rng(3)).groups * counted.count
    assert drawn.sum(1) == pytest.approx(np.full(4000, 6.0))
    assert drawn.mean(0) == pytest.approx(counted.count, abs=0.1)
    assert drawn.var(0) == pytest.approx(counted.count * (1 - counted.count / 6), rel=0.1)


def test_the_seed_decides_what_is_drawn() -> None:
    counted = table(12, 4)
    fitted = fit(counted.pairs, BRADLEY_TERRY)
    resamples, again, other = (resample(fitted, counted, 20, seed) for seed in (7, 7, 8))
    assert [draws.scheme for draws in resamples] == ["rater", "rater x picture"]
    for first, second, third in zip(resamples, again, other, strict=True):
        assert (first.parameters == second.parameters).all()
        assert (first.parameters != third.parameters).any()


@pytest.mark.parametrize(
    ("raters", "pictures", "resamples", "schemes"),
    [
        (2, 2, 2, ["rater", "rater x picture"]),
        (2, 1, 2, ["rater"]),
        (1, 3, 9, []),
        (3, 3, 1, []),
        (3, 3, 0, []),
    ],
)
def test_what_there_are_two_of_is_drawn(
    raters: int, pictures: int, resamples: int, schemes: list[Scheme]
) -> None:
    counted = table(raters, pictures)
    fitted = fit(counted.pairs, BRADLEY_TERRY, order=False, ridge=0.05)
    draws = resample(fitted, counted, resamples, 0)
    assert [draw.scheme for draw in draws] == schemes
    assert all(len(draw.parameters) == resamples for draw in draws)
