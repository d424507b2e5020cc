"""Kinds of pictures, agreement of raters and order of majorities, each number worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from voting import random_votes, votes_of

from codecarena.studies.analysis.agreement import alpha, transitivity
from codecarena.studies.analysis.heterogeneity import by_kind, by_picture
from codecarena.studies.design.simulation import Assumptions, simulate_votes
from codecarena.studies.scale.fisher_scoring import Problem, log_likelihood, solve, start
from codecarena.studies.scale.fit import Fit, fit
from codecarena.studies.scale.models import BRADLEY_TERRY, JOD, THURSTONE, Model
from codecarena.studies.scale.pair_counts import PairCounts, Tally, from_matrix, tally
from codecarena.studies.scale.votes import VoteRecord, from_records


def fitted(counted: Tally, model: Model = THURSTONE) -> Fit:
    return fit(counted.pairs, model)


# Kinds and pictures


def alone(counted: Tally, model: Model, order: float, member: np.ndarray) -> tuple[float, list[np.ndarray]]:
    """Return the log-likelihood and values of a scale for each group, the order effect given."""
    pairs = counted.pairs
    total, values = 0.0, []
    for group in np.unique(member):
        counts = counted.by(member[counted.picture], int(member.max()) + 1)[:, group]
        made = Problem(pairs, model, np.zeros(len(pairs.conditions), int), order=False, ridge=1e-3)
        scale = solve(made, counts[:, None], start(made)).parameters
        total += float(log_likelihood(made, counts[:, None], scale)[0])
        values.append(scale[0, :-2])
    return total, values


def test_a_scale_for_each_kind_gains_what_fits_of_each_kind_gain() -> None:
    votes = random_votes(seed=3)
    counted = tally(votes)
    fitted = fit(counted.pairs, BRADLEY_TERRY, order=False)
    kinds = {"p0": "natural", "p1": "drawn", "p2": "natural", "p3": "drawn"}
    heterogeneity = by_kind(fitted, counted, kinds, exchanges=19, seed=4)
    assert heterogeneity is not None
    assert heterogeneity.groups == ("drawn", "natural")
    member = np.array([1, 0, 1, 0])
    likelihood, values = alone(counted, BRADLEY_TERRY, 0.0, member)
    statistic = 2 * (likelihood - fitted.log_likelihood)
    assert heterogeneity.gain == pytest.approx(statistic, abs=1e-3)
    assert [shift.condition for shift in heterogeneity.shifts] == ["a", "k", "m", "z"]
    for place, shift in enumerate(heterogeneity.shifts):
        assert (shift.first, shift.second) == pytest.approx((values[0][place], values[1][place]), abs=1e-3)
    random = np.random.default_rng(4)
    drawn = [alone(counted, BRADLEY_TERRY, 0.0, random.permutation(member)) for _ in range(19)]
    gains = [2 * (log_likelihood - fitted.log_likelihood) for log_likelihood, _ in drawn]
    assert heterogeneity.p_permuted == (1 + sum(gain >= statistic - 1e-6 for gain in gains)) / 20
    for place, shift in enumerate(heterogeneity.shifts):
        gap = abs(values[0][place] - values[1][place])
        as_far = sum(abs(scales[0][place] - scales[1][place]) >= gap - 1e-6 for _, scales in drawn)
        assert shift.p_permuted == (1 + as_far) / 20
    again = by_kind(fitted, counted, kinds, exchanges=19, seed=4)
    assert again == heterogeneity


def test_shifts_are_in_the_scale_s_unit() -> None:
    counted = tally(random_votes(seed=3))
    heterogeneity = by_kind(
        fitted(counted), counted, dict(zip(counted.pictures, "abab", strict=True)), exchanges=1
    )
    plain = by_kind(
        fit(counted.pairs, BRADLEY_TERRY), counted, dict(zip(counted.pictures, "abab", strict=True)), 1
    )
    assert heterogeneity is not None
    assert plain is not None
    # A probit's standard deviations times 1.48 are JOD; a logit's log-worths are about 1.7 of them.
    ratio = heterogeneity.shifts[0].first / plain.shifts[0].first
    assert ratio == pytest.approx(JOD / 1.65, rel=0.1)


def test_three_kinds_have_a_test_and_no_shifts_and_one_kind_has_neither() -> None:
    counted = tally(random_votes())
    fitted = fit(counted.pairs, BRADLEY_TERRY, order=False)
    three = by_kind(fitted, counted, dict(zip(counted.pictures, "abca", strict=True)), exchanges=5)
    assert three is not None
    assert (three.groups, three.shifts) == (("a", "b", "c"), ())
    assert by_kind(fitted, counted, dict.fromkeys(counted.pictures, "a"), exchanges=5) is None


def picture_votes(*tables: tuple[int, int], raters: int = 25) -> Tally:
    """Return votes in which of each rater's ones z wins so many and a so many, a picture each."""
    rows = [
        VoteRecord(f"r{rater}", f"p{picture}", "z", "a", outcome)
        for rater in range(raters)
        for picture, counts in enumerate(tables)
        for outcome in (1,) * counts[0] + (-1,) * counts[1]
    ]
    return tally(from_records(rows, sided=False))


def test_pictures_that_all_raters_see_alike_differ() -> None:
    """z wins 3 of 4 in one picture and 1 of 4 in the other: equal in the pool, so a win scores 1/2.

    A rater's two pictures score +1 and -1 in z, the opposite in a. In their places they sum to 25 and -25 in
    z and a: 4 x 25^2. Exchanged they sum to less, unless all 25 raters exchange or none does: 2^-24.
    """
    counted = picture_votes((3, 1), (1, 3))
    heterogeneity = by_picture(fit(counted.pairs, BRADLEY_TERRY), counted, exchanges=99)
    assert heterogeneity is not None
    assert (heterogeneity.groups, heterogeneity.reason, heterogeneity.gain, heterogeneity.shifts) == (
        ("p0", "p1"),
        "",
        None,
        (),
    )
    assert heterogeneity.p_permuted == 1 / 100
    # The information of 100 votes at 1/4 each is a matrix of four 25s in each of two pictures, of four 1s in
    # each of 50 blocks of one rater and picture. Of the statistic each block gives 2 by itself.
    variance = (4 * 25**2 - 50 * 2) / (2 * 4 * 25**2 - 50 * 4)
    assert heterogeneity.spread == pytest.approx(np.sqrt(variance))


def test_what_only_raters_have_of_their_own_is_no_difference_of_pictures() -> None:
    """Each rater answers both pictures alike, so that nothing changes when they are exchanged."""
    rows = [
        VoteRecord(f"r{rater}", picture, "z", "a", 1 if rater % 2 else -1)
        for rater in range(26)
        for picture in ("p", "q")
        for _ in range(4)
    ]
    counted = tally(from_records(rows, sided=False))
    heterogeneity = by_picture(fit(counted.pairs, BRADLEY_TERRY), counted, exchanges=19)
    assert heterogeneity is not None
    assert (heterogeneity.p_permuted, heterogeneity.spread) == (1.0, 0.0)


def test_one_scale_for_all_pictures_is_not_denied_on_a_sparse_table() -> None:
    """24 pictures, 10 conditions, 900 votes: a likelihood ratio by chi-squared had p < 0.05 in most."""
    scale = {f"c{place}": place / 6 for place in range(10)}
    assumed = Assumptions(scale, 20, 24, 45, lapse_rate=0.0, rater_spread=0.0, picture_spread=0.0)
    p_values, shifted = [], []
    for seed in range(20):
        for spread, kept in ((0.0, p_values), (0.5, shifted)):
            votes = simulate_votes(replace(assumed, picture_spread=spread), np.random.default_rng(seed))
            heterogeneity = by_picture(fitted(tally(votes)), tally(votes), exchanges=199)
            assert heterogeneity is not None
            assert heterogeneity.p_permuted is not None
            kept.append(heterogeneity.p_permuted)
    # Binomial: of 20 more than 4 have 0.3 % at a rate of 5 %, fewer than 17 have 1.6 % at 95 %.
    assert sum(p < 0.05 for p in p_values) <= 4
    assert sum(p < 0.05 for p in shifted) >= 17


def test_pictures_are_not_tested_with_too_few_votes_or_raters() -> None:
    assert by_picture(fitted(one_picture := tally(random_votes(pictures=1))), one_picture) is None
    for counted, said in (
        (picture_votes((3, 1), (2, 2), raters=24), "expected at least 200 decided votes; got 192"),
        (picture_votes((30, 10), (25, 35), raters=5), "expected several raters who each judged several"),
    ):
        heterogeneity = by_picture(fit(counted.pairs, BRADLEY_TERRY), counted)
        assert heterogeneity is not None
        assert (heterogeneity.p_permuted, heterogeneity.spread, heterogeneity.groups) == (
            None,
            None,
            ("p0", "p1"),
        )
        assert heterogeneity.reason.startswith(said)
    # Five raters exchange two pictures in 2^4 ways beside all together, six in 2^5: enough for p < 0.05.
    enough = picture_votes((30, 10), (25, 35), raters=6)
    heterogeneity = by_picture(fit(enough.pairs, BRADLEY_TERRY), enough, exchanges=19)
    assert heterogeneity is not None
    assert heterogeneity.reason == ""


# Agreement


def test_alpha_of_a_table_by_hand() -> None:
    """Units (3, 0, 0), (1, 1, 0), (0, 0, 2) for a over z, each entered both ways round."""
    votes = votes_of(
        ("r1", "p", "az", 1), ("r2", "p", "za", -1), ("r3", "p", "az", 1),
        ("r1", "q", "az", 1), ("r2", "q", "az", 0),
        ("r1", "s", "az", -1), ("r2", "s", "za", 1),
        # One vote alone is no unit, and a second vote of a rater does not count.
        ("r1", "t", "az", 1), ("r1", "q", "az", -1), ("r2", "p", "az", -1),
    )  # fmt: skip
    nominal = alpha(votes, resamples=0)
    # Of 7 votes both ways: 14 values, 6 of either end and 2 ties.  Disagreeing pairs: 2 in q, twice.
    disagreeing, values = 2 * 2 / 1, 14
    expected = (values**2 - 6**2 - 6**2 - 2**2) / (values - 1)
    assert nominal.value == pytest.approx(1 - disagreeing / expected)
    assert (nominal.units, nominal.low, nominal.high) == (3, None, None)
    ordinal = alpha(votes, "ordinal", resamples=0)
    # Places are the middles of 6, 2, 6: 3, 7, 11; squares of distances 16 and 64.
    seen = 2 * 2 * 16
    chance = 2 * (6 * 2 * 16 + 6 * 2 * 16 + 6 * 6 * 64) / (values - 1)
    assert ordinal.value == pytest.approx(1 - seen / chance)


def test_alpha_s_interval_is_of_units_drawn_again_by_seed() -> None:
    votes = random_votes(raters=5, pictures=3)
    first, again, other = (alpha(votes, resamples=200, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)
    assert first.low is not None
    assert first.high is not None
    assert first.value is not None
    assert first.low < first.value < first.high
    many = alpha(votes, resamples=2000, seed=3)
    narrower = alpha(votes, resamples=2000, seed=4)
    assert (many.low, many.high) == pytest.approx((narrower.low, narrower.high), abs=0.03)


@pytest.mark.parametrize(
    ("wins", "violations"),
    [
        # By the shares of a over b, b over c, a over c.
        ([[0, 6, 5.5], [4, 0, 6], [4.5, 4, 0]], (1, 0, 1)),
        # b over c, and c over a by just half, yet a over b.
        ([[0, 6, 5], [4, 0, 6], [5, 4, 0]], (1, 1, 1)),
        ([[0, 6, 6], [4, 0, 6], [4, 4, 0]], (1, 0, 0)),
        ([[0, 6, 4.9], [4, 0, 6], [5.1, 4, 0]], (1, 1, 1)),
        ([[0, 5, 5], [5, 0, 5], [5, 5, 0]], (1, 0, 0)),
        ([[0, 6, 0], [4, 0, 6], [0, 4, 0]], (0, 0, 0)),
    ],
)
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_transitivity_does_not_depend_on_the_order_of_conditions(
    wins: list[list[float]], violations: tuple[int, int, int], order: tuple[int, ...]
) -> None:
    table = np.array(wins)[np.ix_(order, order)]
    pooled = transitivity(from_records([]), from_matrix("zam", table))
    assert (pooled.triples, pooled.weak, pooled.strong) == violations


def test_ties_are_half_a_win_of_a_majority() -> None:
    pairs = PairCounts(
        ("z", "a", "m"),
        np.array([0, 1, 2]),
        np.array([1, 2, 0]),
        np.array([[3, 3, 0], [4, 4, 2], [1, 1, 6]], float),
    )
    # z over a and a over m: 5 of 8; z over m: 7 of 8.
    violations = transitivity(from_records([]), pairs)
    assert (violations.triples, violations.weak, violations.strong) == (1, 0, 0)


@pytest.mark.parametrize(
    ("size", "circles", "zeta"),
    # Kendall and Babington Smith: at most (n^3 - n) / 24 of an odd number, (n^3 - 4 n) / 24 of an even one.
    [(3, 1, 0.0), (4, 1, 0.5), (5, 1, 0.8)],
)
def test_one_circle_in_an_order(size: int, circles: int, zeta: float) -> None:
    """Each beats all that come after, but the last beats the one two before it."""
    names = "mzakb"[:size]
    rows = [
        (names[upper], names[lower], 1)
        for upper in range(size)
        for lower in range(upper + 1, size)
        if (upper, lower) != (size - 3, size - 1)
    ]
    rows.append((names[size - 1], names[size - 3], 1))
    votes = from_records([VoteRecord("r", "p", *row) for row in rows])
    violations = transitivity(votes, tally(votes).pairs)
    assert (violations.circular_triads, violations.complete_sets) == (circles, 1)
    assert violations.consistency == pytest.approx(zeta)
    tied = from_records(
        [VoteRecord("r", "p", *row) for row in rows[:-1]] + [VoteRecord("r", "p", *rows[-1][:2], 0)]
    )
    assert transitivity(tied, tally(tied).pairs).consistency is None
