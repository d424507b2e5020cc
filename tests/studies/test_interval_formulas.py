"""Intervals, tests and ranks by their formulas on small numbers: level, n / (n - 1), freedom, covariances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from codecarena.bench.analysis.intervals import holm
from codecarena.studies.fit import Fit, fit
from codecarena.studies.models import BRADLEY_TERRY, JOD, THURSTONE
from codecarena.studies.newton import Problem
from codecarena.studies.pair_counts import PairCounts, Tally, from_table, tally
from codecarena.studies.pair_tests import condition_scales, pair_tests
from codecarena.studies.resampling import Draws, Scheme, draw, interval, weights
from codecarena.studies.scale import analyse, likelihood_ratio, resample, spread_of, wald
from codecarena.studies.scale_results import Interval
from codecarena.studies.votes import VoteRecord, from_records

NAMES = ("m", "z", "a")
"""Neither in the order of the alphabet nor, below, in that of quality."""
VALUES = np.array([0.2, 1.0, -1.2])
COVARIANCE = np.array([[0.05, -0.02, -0.03], [-0.02, 0.08, -0.06], [-0.03, -0.06, 0.09]])


def given_fit(names: tuple[str, ...] = NAMES, ridge: float = 0.0, component: list[int] | None = None) -> Fit:
    """Return a fit whose values and covariance are the ones above, of 10 votes a pair and side."""
    size = len(names)
    first, second = (place.ravel() for place in np.where(~np.eye(size, dtype=bool)))
    counts = np.stack([np.full(len(first), 6.0), np.full(len(first), 1.0), np.full(len(first), 4.0)])
    pairs = PairCounts(names, first, second, counts)
    apart = np.array(component or [0] * size)
    problem = Problem(pairs, BRADLEY_TERRY, apart, order=True, ridge=ridge)
    covariance = np.zeros((size + 2, size + 2))
    covariance[:size, :size] = COVARIANCE
    covariance[-2, -2] = 0.01
    return Fit(problem, np.array([*VALUES, 0.3, 0.0]), covariance, -100.0)


def drawn(scheme: Scheme, clusters: int, seed: int = 0, spread: float = 0.1) -> Draws:
    """Return 400 normal draws about the values."""
    random = np.random.default_rng(seed)
    values = VALUES + random.normal(0, spread, (400, 3)) * [1.0, 2.0, 3.0]
    rest = np.stack([random.normal(0.3, spread, 400), np.zeros(400)], axis=1)
    return Draws(scheme, np.hstack([values, rest]), np.zeros(400, bool), clusters)


def table(raters: int, pictures: int, seed: int = 0, names: str = "mza") -> Tally:
    """Return one decided vote of each rater on each pair of each picture; the second name is best."""
    random = np.random.default_rng(seed)
    worth = dict(zip(names, (0.2, 1.0, -1.2), strict=True))
    rows: list[VoteRecord] = []
    for rater in range(raters):
        for picture in range(pictures):
            for one, other in ("mz", "za", "am"):
                first, second = (one, other) if random.random() < 0.5 else (other, one)
                wins = random.random() < 1 / (1 + np.exp(worth[second] - worth[first]))
                rows.append(VoteRecord(f"r{rater}", f"p{picture}", first, second, 1 if wins else -1))
    return tally(from_records(rows))


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
    assert ratio.p == pytest.approx(p, abs=1e-6)


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
    found = fit(counted.pairs, BRADLEY_TERRY, order=False, ridge=0.05)
    draws = draw(found.problem, counted, found.parameters, scheme, 5, np.random.default_rng(0))
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
    one = counted.rater * 4 + counted.picture
    for cell in range(20):
        assert (np.ptp(both.groups[:, one == cell], axis=1) == 0).all()
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
    found = fit(counted.pairs, BRADLEY_TERRY)
    one, again, other = (resample(found, counted, 20, seed) for seed in (7, 7, 8))
    assert [draws.scheme for draws in one] == ["rater", "rater x picture"]
    for first, second, third in zip(one, again, other, strict=True):
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
    found = fit(counted.pairs, BRADLEY_TERRY, order=False, ridge=0.05)
    draws = resample(found, counted, resamples, 0)
    assert [one.scheme for one in draws] == schemes
    assert all(len(one.parameters) == resamples for one in draws)


# Pairs


def test_pairs_without_resamples_are_tested_by_the_normal_distribution() -> None:
    found = given_fit()
    tests = {(one.first, one.second): one for one in pair_tests(found, ())}
    # Var(a - b) = Var(a) + Var(b) - 2 Cov(a, b), by hand from the table above.
    variances = {("m", "z"): 0.17, ("m", "a"): 0.20, ("z", "a"): 0.29}
    gaps = {("m", "z"): -0.8, ("m", "a"): 1.4, ("z", "a"): 2.2}
    assert tests.keys() == variances.keys()
    p_values = {key: 2 * stats.norm.sf(abs(gaps[key]) / np.sqrt(variances[key])) for key in gaps}
    # Holm: the smallest p times 3, the next times 2, the largest as it is.
    assert sorted(p_values, key=p_values.__getitem__) == [("z", "a"), ("m", "a"), ("m", "z")]
    for key, times in ((("z", "a"), 3), (("m", "a"), 2), (("m", "z"), 1)):
        one = tests[key]
        assert one.difference == pytest.approx(gaps[key])
        assert one.preferred == pytest.approx(1 / (1 + np.exp(-gaps[key])))
        assert one.p == pytest.approx(p_values[key])
        assert one.p_holm == pytest.approx(times * p_values[key])
        assert (one.by_rater, one.by_rater_and_picture) == (None, None)


@pytest.mark.parametrize("unit", [1.0, JOD])
def test_pairs_are_tested_by_student_with_the_freedom_of_the_widest_resampling(unit: float) -> None:
    found = given_fit()
    if unit != 1.0:
        found = replace(found, problem=replace(found.problem, model=THURSTONE))
    rater, both = drawn("rater", 8), drawn("rater x picture", 5, 1, 0.2)
    for draws, freedom in (((rater,), 7), ((rater, both), 4)):
        widest = draws[-1]
        for test, (i, j) in zip(pair_tests(found, draws), ((0, 1), (0, 2), (1, 2)), strict=True):
            gaps = (widest.parameters[:, i] - widest.parameters[:, j]) * unit
            error = np.sqrt(gaps.var(ddof=1) * (freedom + 1) / freedom)
            difference = (VALUES[i] - VALUES[j]) * unit
            assert test.difference == pytest.approx(difference)
            assert test.p == pytest.approx(2 * stats.t.sf(abs(difference) / error, freedom))
            span = test.by_rater_and_picture if widest is both else test.by_rater
            low, high = interval(gaps, freedom + 1)
            assert span == Interval(pytest.approx(low), pytest.approx(high), pytest.approx(error))
            assert (test.by_rater_and_picture is None) == (widest is rater)
            assert test.by_rater is not None


def test_one_cluster_leaves_one_degree_of_freedom() -> None:
    [test, *_] = pair_tests(given_fit(), (drawn("rater", 1),))
    gaps = drawn("rater", 1).parameters[:, 0] - drawn("rater", 1).parameters[:, 1]
    assert test.p == pytest.approx(2 * stats.t.sf(0.8 / gaps.std(ddof=1), 1))


def test_holm_allows_for_the_pairs_of_a_component_and_no_pair_lies_across() -> None:
    four = PairCounts(
        ("d", "b", "c", "a"), np.array([0, 1, 2, 3]), np.array([2, 3, 0, 1]), np.full((3, 4), 5.0)
    )
    problem = Problem(four, BRADLEY_TERRY, np.array([0, 1, 0, 1]), order=False, ridge=0.0)
    found = Fit(problem, np.array([0.5, 0.3, -0.5, -0.3, 0, 0]), np.eye(6) * 0.02, 0.0)
    tests = {(one.first, one.second): one for one in pair_tests(found, ())}
    assert tests.keys() == {("d", "c"), ("b", "a")}
    for gap, one in zip((1.0, 0.6), tests.values(), strict=True):
        assert one.p_holm == one.p == pytest.approx(2 * stats.norm.sf(gap / 0.2))


def test_the_widest_of_many_pairs_is_computed_in_parts_as_in_one() -> None:
    """33 conditions are 528 pairs: more than the 500 that are computed together."""
    size = 33
    first, second = np.triu_indices(size, 1)
    pairs = PairCounts(tuple(f"c{n}" for n in range(size)), first, second, np.full((3, len(first)), 2.0))
    values = np.random.default_rng(2).normal(size=size)
    problem = Problem(pairs, BRADLEY_TERRY, np.zeros(size, int), order=False, ridge=0.0)
    found = Fit(problem, np.append(values, [0, 0]), np.eye(size + 2) * 0.1, 0.0)
    parameters = np.random.default_rng(3).normal(np.append(values, [0, 0]), 0.3, (60, size + 2))
    tests = pair_tests(found, (Draws("rater", parameters, np.zeros(60, bool), 10),))
    assert len(tests) == 528
    for row in (0, 499, 500, 527):
        gaps = parameters[:, first[row]] - parameters[:, second[row]]
        low, high = interval(gaps, 10)
        error = np.sqrt(gaps.var(ddof=1) * 10 / 9)
        assert tests[row].by_rater == Interval(
            pytest.approx(low), pytest.approx(high), pytest.approx(error)
        )  # fmt: skip


def test_with_a_ridge_intervals_span_those_by_vote_as_well() -> None:
    found = given_fit(ridge=0.05)
    narrow = drawn("rater", 50, spread=1e-6)
    [test, *_] = pair_tests(found, (narrow,))
    error = np.sqrt(0.17)
    assert test.by_rater is not None
    assert test.by_rater.standard_error == pytest.approx(error)
    assert test.by_rater.low == pytest.approx(-0.8 - 1.959964 * error)
    assert test.by_rater.high == pytest.approx(-0.8 + 1.959964 * error)
    wide = drawn("rater", 50, spread=2.0)
    [again, *_] = pair_tests(found, (wide,))
    assert again.by_rater == pair_tests(given_fit(), (wide,))[0].by_rater


# Conditions


@pytest.mark.parametrize("anchor", [None, "m", "z", "a"])
@pytest.mark.parametrize("unit", [1.0, JOD])
def test_conditions_stand_best_first_against_the_anchor(anchor: str | None, unit: float) -> None:
    found = given_fit()
    if unit != 1.0:
        found = replace(found, problem=replace(found.problem, model=THURSTONE))
    rater, both = drawn("rater", 8), drawn("rater x picture", 5, 1, 0.2)
    rows = condition_scales(found, (rater, both), anchor, ())
    assert [one.condition for one in rows] == ["z", "m", "a"]
    assert [one.rank for one in rows] == [1, 2, 3]
    held = None if anchor is None else NAMES.index(anchor)
    for row, place in zip(rows, (1, 0, 2), strict=True):
        zero, variance = 0.0, COVARIANCE[place, place]
        if held is not None:
            zero = VALUES[held]
            variance += COVARIANCE[held, held] - 2 * COVARIANCE[place, held]
        value, error = (VALUES[place] - zero) * unit, np.sqrt(max(variance, 0)) * unit
        assert row.value == pytest.approx(value, abs=1e-12)
        low, high = value - 1.959964 * error, value + 1.959964 * error
        assert row.by_vote == Interval(
            pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6), pytest.approx(error, abs=1e-12)
        )
        for draws, span in ((rater, row.by_rater), (both, row.by_rater_and_picture)):
            values = draws.parameters[:, place] - (0 if held is None else draws.parameters[:, held])
            ends = interval(values * unit, draws.clusters)
            spread = np.sqrt(values.var(ddof=1) * draws.inflation) * unit
            assert span is not None
            assert (span.low, span.high) == pytest.approx(tuple(ends), abs=1e-12)
            assert span.standard_error == pytest.approx(spread, abs=1e-12)
        # Four ordered pairs of 10 decided votes; the model has no ties.
        assert row.votes == 40


def test_an_anchor_is_zero_in_its_component_only() -> None:
    rows = {
        one.condition: one
        for one in condition_scales(given_fit(component=[0, 1, 0]), (), "a", ())
    }  # fmt: skip
    assert [rows[name].value for name in NAMES] == pytest.approx([1.4, 1.0, 0.0])
    assert [rows[name].component for name in NAMES] == [0, 1, 0]
    assert [rows[name].rank for name in NAMES] == [1, 1, 2]
    assert [rows[name].rank_high for name in NAMES] == [2, 1, 2]
    assert (rows["m"].by_rater, rows["m"].by_rater_and_picture) == (None, None)


@pytest.mark.parametrize("names", [("m", "z", "a"), ("a", "m", "z"), ("z", "a", "m")])
def test_ranks_span_what_tests_of_the_right_winner_leave_open(names: tuple[str, str, str]) -> None:
    """Named as anybody likes, the first has 0.2, the second 1.0, the third -1.2; only the last is sure."""
    middle, best, worst = names
    found = given_fit(names)
    tests = pair_tests(found, ())
    decided = {frozenset((one.first, one.second)) for one in tests if one.p_holm < 0.05}
    assert decided == {frozenset((middle, worst)), frozenset((best, worst))}
    rows = {one.condition: one for one in condition_scales(found, (), None, tests)}
    ranks = {name: (one.rank_low, one.rank, one.rank_high) for name, one in rows.items()}
    assert ranks == {best: (1, 1, 2), middle: (1, 2, 2), worst: (3, 3, 3)}


def test_a_test_at_five_percent_exactly_decides_no_rank() -> None:
    tests = [replace(one, p_holm=0.05) for one in pair_tests(given_fit(), ())]
    rows = condition_scales(given_fit(), (), None, tests)
    assert {(one.rank_low, one.rank_high) for one in rows} == {(1, 3)}


def test_equal_values_share_the_better_rank() -> None:
    found = replace(given_fit(), parameters=np.array([0.5, -1.0, 0.5, 0.0, 0.0]))
    ranks = {one.condition: one.rank for one in condition_scales(found, (), None, ())}
    assert ranks == {"m": 1, "a": 1, "z": 3}


# The whole scale


def test_names_that_say_nothing_of_quality_change_no_number() -> None:
    """The same votes under names in the order of quality, against it, and neither."""
    records = [(one.rater, one.picture, one.first, one.second, one.outcome) for one in _records(table(9, 4))]
    scales = {}
    for names in ("abc", "cab", "cba"):
        new = dict(zip("mza", names, strict=True))
        votes = from_records(VoteRecord(r, p, new[one], new[other], won) for r, p, one, other, won in records)
        scale = analyse(votes, unit="log-worth", resamples=0, anchor=new["z"])
        old = {name: condition for condition, name in new.items()}
        scales[names] = {
            old[one.condition]: (one.value, one.by_vote.standard_error, one.rank, one.rank_low, one.rank_high)
            for one in scale.conditions
        }
        wins = {frozenset((old[one.first], old[one.second])): one.p_holm for one in scale.pairs}
        scales[names] |= wins
    first, *others = scales.values()
    for other in others:
        assert other.keys() == first.keys()
        for key in first:
            assert other[key] == pytest.approx(first[key], abs=1e-7), key
    assert [first[name][2] for name in "mza"] == [2, 1, 3]


def _records(counted: Tally) -> list[VoteRecord]:
    pairs = counted.pairs
    return [
        VoteRecord(
            counted.raters[counted.rater[row]],
            counted.pictures[counted.picture[row]],
            pairs.conditions[pairs.first[counted.pair[row]]],
            pairs.conditions[pairs.second[counted.pair[row]]],
            1 - int(counted.outcome[row]),
        )
        for row in range(len(counted.count))
        for _ in range(int(counted.count[row]))
    ]


def test_a_probit_scale_of_two_conditions_has_the_errors_of_a_proportion() -> None:
    """75 of 100 on either side: 1 JOD apart; the delta method gives the error of the difference."""
    pairs = from_table(["z", "a"], ["a", "z"], [75, 25], [25, 75], sided=True)
    scale = analyse(pairs)
    [test] = scale.pairs
    assert (test.first, test.second) == ("a", "z")
    assert test.difference == pytest.approx(-1.0)
    assert test.preferred == pytest.approx(0.25)
    error = JOD * np.sqrt(0.25 * 0.75 / 200) / stats.norm.pdf(stats.norm.ppf(0.75))
    assert test.p == pytest.approx(2 * stats.norm.sf(1 / error), rel=1e-4)
    for one in scale.conditions:
        assert one.by_vote.standard_error == pytest.approx(error / 2, rel=1e-5)
        assert abs(one.value) == pytest.approx(0.5)
    assert scale.order_effect is not None
    assert scale.order_effect.value == pytest.approx(0.0, abs=1e-9)
    assert scale.order_effect.first_share == 0.5
    assert scale.equality.degrees == 1
    assert scale.equality.statistic == pytest.approx(
        2 * 200 * (0.75 * np.log(1.5) + 0.25 * np.log(0.5)), rel=1e-6
    )
    assert holm([test.p]) == pytest.approx([test.p_holm])
