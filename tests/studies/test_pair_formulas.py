"""Tests of pairs, ranks and values of conditions by their formulas on small numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fitted import COVARIANCE, NAMES, VALUES, drawn, given_fit, table
from scipy import stats

from codecarena.bench.analysis.intervals import holm
from codecarena.studies.scale.fisher_scoring import Problem
from codecarena.studies.scale.fit import Fit, fit
from codecarena.studies.scale.models import BRADLEY_TERRY, JOD, THURSTONE
from codecarena.studies.scale.pair_counts import PairCounts, Tally, from_table
from codecarena.studies.scale.pair_tests import condition_scales, pair_tests
from codecarena.studies.scale.resampling import Draws, interval
from codecarena.studies.scale.scale import analyse
from codecarena.studies.scale.scale_results import Interval
from codecarena.studies.scale.votes import VoteRecord, from_records

COVARIANCE_OF_FIVE = np.zeros((5, 5))
COVARIANCE_OF_FIVE[:3, :3] = COVARIANCE

# Pairs


def won(**wins: tuple[int, int]) -> PairCounts:
    """Return counts of pairs of one-letter conditions, of unknown sides: how often each of the two won."""
    first, second = zip(*wins, strict=True)
    return from_table(first, second, *zip(*wins.values(), strict=True), sided=False)


def test_pairs_without_raters_are_tested_by_the_score_of_equal_conditions() -> None:
    """m and z met 40 times, each met a 50 times; p and q are by themselves.

    With m = z both beat a at the pooled share, 65 of 100. The score of the difference m - z is half of
    (6 + 6) + (35 - 32.5) - (30 - 32.5); its variance a quarter of 40 + 2 x 50 x 0.65 x 0.35.
    """
    fitted = fit(won(mz=(26, 14), ma=(35, 15), za=(30, 20), pq=(12, 4)), BRADLEY_TERRY)
    tests = {(test.first, test.second): test for test in pair_tests(fitted, ())}
    assert tests.keys() == {("m", "z"), ("a", "m"), ("a", "z"), ("p", "q")}
    normal = 8.5 / np.sqrt((40 + 100 * 0.65 * 0.35) / 4)
    assert tests["m", "z"].p == pytest.approx(2 * stats.norm.sf(normal), rel=1e-6)
    # By themselves 12 of 16 are 4 more than half; the deviation of a half is 2. No other pair is allowed for.
    assert tests["p", "q"].p == tests["p", "q"].p_holm == pytest.approx(2 * stats.norm.sf(2.0), rel=1e-6)
    three = [tests[key] for key in (("m", "z"), ("a", "m"), ("a", "z"))]
    assert [test.p_holm for test in three] == pytest.approx(holm([test.p for test in three]))
    values = dict(zip(fitted.problem.pairs.conditions, fitted.values, strict=True))
    for (first, second), compared in tests.items():
        assert compared.difference == pytest.approx(values[first] - values[second])
        assert compared.preferred == pytest.approx(1 / (1 + np.exp(-compared.difference)))
        assert (compared.by_rater, compared.by_rater_and_picture) == (None, None)


@pytest.mark.parametrize("unit", [1.0, JOD])
def test_intervals_are_those_of_the_resamples(unit: float) -> None:
    fitted = given_fit()
    if unit != 1.0:
        fitted = replace(fitted, problem=replace(fitted.problem, model=THURSTONE))
    rater, both = drawn("rater", 8), drawn("rater x picture", 5, 1, 0.2)
    for draws, freedom in (((rater,), 7), ((rater, both), 4)):
        widest = draws[-1]
        for test, (i, j) in zip(pair_tests(fitted, draws), ((0, 1), (0, 2), (1, 2)), strict=True):
            gaps = (widest.parameters[:, i] - widest.parameters[:, j]) * unit
            error = np.sqrt(gaps.var(ddof=1) * (freedom + 1) / freedom)
            assert test.difference == pytest.approx((VALUES[i] - VALUES[j]) * unit)
            span = test.by_rater_and_picture if widest is both else test.by_rater
            low, high = interval(gaps, freedom + 1)
            assert span == Interval(pytest.approx(low), pytest.approx(high), pytest.approx(error))
            assert (test.by_rater_and_picture is None) == (widest is rater)
            assert test.by_rater is not None


@pytest.mark.parametrize("draws", [(), (drawn("rater", 8),)])
def test_too_many_pairs_are_tested_by_the_resampled_error_unless_that_leaves_a_doubt(
    monkeypatch: pytest.MonkeyPatch, draws: tuple[Draws, ...]
) -> None:
    """Of three pairs m - a and z - a are sure, by t of 14 errors; of m - z the score is asked again."""
    fitted = fit(won(mz=(22, 18), ma=(180, 20), za=(172, 28)), BRADLEY_TERRY)
    assert {test.p < 1e-10 for test in pair_tests(fitted, ()) if test.first == "a"} == {True}
    score = {(test.first, test.second): test.p for test in pair_tests(fitted, ())}
    parameters = np.random.default_rng(1).normal(fitted.parameters, 0.15, (400, 5))
    draws = tuple(replace(draw, parameters=parameters) for draw in draws)
    monkeypatch.setattr("codecarena.studies.scale.pair_tests._LARGEST", 3 * 9 - 1)
    monkeypatch.setattr("codecarena.studies.scale.pair_tests._AGAIN", 9)
    for test in pair_tests(fitted, draws):
        error = np.sqrt(_variance(fitted, test.first, test.second))
        if draws:
            places = [fitted.problem.pairs.conditions.index(name) for name in (test.first, test.second)]
            error = np.std(parameters[:, places[0]] - parameters[:, places[1]], ddof=1) * np.sqrt(8 / 7)
        wald = 2 * stats.t.sf(abs(test.difference) / error, 7 if draws else np.inf)
        expected = score["m", "z"] if test.first == "m" else wald
        assert test.p == pytest.approx(expected, rel=1e-6)


def _variance(fitted: Fit, first: str, second: str) -> float:
    i, j = (fitted.problem.pairs.conditions.index(name) for name in (first, second))
    return fitted.covariance[i, i] + fitted.covariance[j, j] - 2 * fitted.covariance[i, j]


def test_the_widest_of_many_pairs_is_computed_in_parts_as_in_one() -> None:
    """33 conditions are 528 pairs: more than the 500 that are computed together."""
    size = 33
    first, second = np.triu_indices(size, 1)
    pairs = PairCounts(tuple(f"c{n}" for n in range(size)), first, second, np.full((3, len(first)), 2.0))
    values = np.random.default_rng(2).normal(size=size)
    problem = Problem(pairs, BRADLEY_TERRY, np.zeros(size, int), order=False, ridge=0.0)
    fitted = Fit(problem, np.append(values, [0, 0]), np.eye(size + 2) * 0.1, 0.0)
    parameters = np.random.default_rng(3).normal(np.append(values, [0, 0]), 0.3, (60, size + 2))
    tests = pair_tests(fitted, (Draws("rater", parameters, np.zeros(60, bool), 10),))
    assert len(tests) == 528
    for row in (0, 499, 500, 527):
        gaps = parameters[:, first[row]] - parameters[:, second[row]]
        low, high = interval(gaps, 10)
        error = np.sqrt(gaps.var(ddof=1) * 10 / 9)
        assert tests[row].by_rater == Interval(
            pytest.approx(low), pytest.approx(high), pytest.approx(error)
        )  # fmt: skip


def test_with_a_ridge_intervals_span_those_by_vote_as_well() -> None:
    fitted = replace(given_fit(ridge=0.05), covariance=COVARIANCE_OF_FIVE / 4)
    narrow = drawn("rater", 50, spread=1e-6)
    [test, *_] = pair_tests(fitted, (narrow,))
    error = np.sqrt(0.17 / 4)
    assert test.by_rater is not None
    assert test.by_rater.standard_error == pytest.approx(error)
    assert test.by_rater.low == pytest.approx(-0.8 - 1.959964 * error)
    assert test.by_rater.high == pytest.approx(-0.8 + 1.959964 * error)
    wide = drawn("rater", 50, spread=2.0)
    [again, *_] = pair_tests(fitted, (wide,))
    assert again.by_rater == pair_tests(given_fit(), (wide,))[0].by_rater


# Conditions


@pytest.mark.parametrize("anchor", [None, "m", "z", "a"])
@pytest.mark.parametrize("unit", [1.0, JOD])
def test_conditions_stand_best_first_against_the_anchor(anchor: str | None, unit: float) -> None:
    fitted = given_fit()
    if unit != 1.0:
        fitted = replace(fitted, problem=replace(fitted.problem, model=THURSTONE))
    rater, both = drawn("rater", 8), drawn("rater x picture", 5, 1, 0.2)
    rows = condition_scales(fitted, (rater, both), anchor, ())
    assert [row.condition for row in rows] == ["z", "m", "a"]
    assert [row.rank for row in rows] == [1, 2, 3]
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
        scale.condition: scale
        for scale in condition_scales(given_fit(component=[0, 1, 0]), (), "a", ())
    }  # fmt: skip
    assert [rows[name].value for name in NAMES] == pytest.approx([1.4, 1.0, 0.0])
    assert [rows[name].component for name in NAMES] == [0, 1, 0]
    assert [rows[name].rank for name in NAMES] == [1, 1, 2]
    assert [rows[name].rank_high for name in NAMES] == [2, 1, 2]
    assert (rows["m"].by_rater, rows["m"].by_rater_and_picture) == (None, None)


@pytest.mark.parametrize("names", [("m", "z", "a"), ("a", "m", "z"), ("z", "a", "m")])
def test_ranks_span_what_tests_of_the_right_winner_leave_open(names: tuple[str, str, str]) -> None:
    """Named as anybody likes, the second beats the first 11 to 9, and both beat the last 35 to 5."""
    middle, best, worst = names
    pairs = from_table([middle, middle, best], [best, worst, worst], [9, 35, 35], [11, 5, 5], sided=False)
    fitted = fit(pairs, BRADLEY_TERRY)
    tests = pair_tests(fitted, ())
    decided = {frozenset((test.first, test.second)) for test in tests if test.p_holm < 0.05}
    assert decided == {frozenset((middle, worst)), frozenset((best, worst))}
    rows = {scale.condition: scale for scale in condition_scales(fitted, (), None, tests)}
    ranks = {name: (row.rank_low, row.rank, row.rank_high) for name, row in rows.items()}
    assert ranks == {best: (1, 1, 2), middle: (1, 2, 2), worst: (3, 3, 3)}


def test_a_test_at_five_percent_exactly_decides_no_rank() -> None:
    tests = [replace(test, p_holm=0.05) for test in pair_tests(given_fit(), ())]
    rows = condition_scales(given_fit(), (), None, tests)
    assert {(row.rank_low, row.rank_high) for row in rows} == {(1, 3)}


def test_equal_values_share_the_better_rank() -> None:
    fitted = replace(given_fit(), parameters=np.array([0.5, -1.0, 0.5, 0.0, 0.0]))
    ranks = {scale.condition: scale.rank for scale in condition_scales(fitted, (), None, ())}
    assert ranks == {"m": 1, "a": 1, "z": 3}


# The whole scale


def test_names_that_say_nothing_of_quality_change_no_number() -> None:
    """The same votes under names in the order of quality, against it, and neither."""
    records = [
        (record.rater, record.picture, record.first, record.second, record.outcome)
        for record in _records(table(9, 4))
    ]
    scales = {}
    for names in ("abc", "cab", "cba"):
        new = dict(zip("mza", names, strict=True))
        votes = from_records(
            VoteRecord(r, p, new[first], new[second], won) for r, p, first, second, won in records
        )
        scale = analyse(votes, unit="log-worth", resamples=0, anchor=new["z"])
        old = {name: condition for condition, name in new.items()}
        scales[names] = {
            old[condition.condition]: (
                condition.value,
                condition.by_vote.standard_error,
                condition.rank,
                condition.rank_low,
                condition.rank_high,
            )
            for condition in scale.conditions
        }
        wins = {frozenset((old[pair.first], old[pair.second])): pair.p_holm for pair in scale.pairs}
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
    # 150 of 200 are 50 more than half; the deviation of a half is the root of 200 / 4.
    assert test.p == pytest.approx(2 * stats.norm.sf(50 / np.sqrt(50)), rel=1e-6)
    for condition in scale.conditions:
        assert condition.by_vote.standard_error == pytest.approx(error / 2, rel=1e-5)
        assert abs(condition.value) == pytest.approx(0.5)
    assert scale.order_effect is not None
    assert scale.order_effect.value == pytest.approx(0.0, abs=1e-9)
    assert scale.order_effect.first_share == 0.5
    assert scale.equality.degrees == 1
    assert scale.equality.statistic == pytest.approx(
        2 * 200 * (0.75 * np.log(1.5) + 0.25 * np.log(0.5)), rel=1e-6
    )
    assert holm([test.p]) == pytest.approx([test.p_holm])
