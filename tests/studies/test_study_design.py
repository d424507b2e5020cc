"""Which pairs, on which side, in which order: the counts that a design promises, on many random cases."""

from __future__ import annotations

from collections import Counter
from itertools import combinations, pairwise

import numpy as np
import pytest

from codecarena.studies.design.design import (
    Choice,
    Pairs,
    PairTotals,
    apart,
    find_design,
    left_first,
    with_random_share,
)


def every_pair(conditions: int, contents: int) -> Pairs:
    rows = [(c, a, b) for c in range(contents) for a, b in combinations(range(conditions), 2)]
    return Pairs(*np.array(rows, np.int64).T)


def pair_totals(given: np.ndarray) -> PairTotals:
    none = np.zeros(len(given), np.int64)
    return PairTotals(given, none, none, none)


def test_full_gives_every_pair_once() -> None:
    pairs = every_pair(4, 3)
    chosen = find_design("full").choose(
        pairs, pair_totals(np.zeros(18, np.int64)), np.ones(18, bool), 18, np.random.default_rng(1)
    )
    assert sorted(choice.pair for choice in chosen) == list(range(18))
    assert {choice.probability for choice in chosen} == {1.0}


@pytest.mark.parametrize(("conditions", "contents", "count"), [(5, 4, 10), (7, 3, 13), (3, 9, 4)])
def test_balanced_incomplete_spreads_pairs_pictures_and_conditions(
    conditions: int, contents: int, count: int
) -> None:
    pairs = every_pair(conditions, contents)
    given = np.zeros(len(pairs), np.int64)
    generator = np.random.default_rng(5)
    spread = []
    for _ in range(30):
        chosen = find_design("balanced-incomplete").choose(
            pairs, pair_totals(given), np.ones(len(pairs), bool), count, generator
        )
        rows = [choice.pair for choice in chosen]
        assert len(set(rows)) == count
        assert all(0 < choice.probability <= 1 for choice in chosen)
        given[rows] += 1
        spread.append(np.ptp(np.bincount(pairs.content[rows], minlength=contents)))
    # Equal counts of pairs come first, so a single rater's pictures may be a little off.
    assert np.mean(spread) <= 2
    assert np.ptp(given) <= 1


@pytest.mark.parametrize("seed", range(20))
def test_within_a_rater_every_condition_stands_left_half_of_the_time(seed: int) -> None:
    generator = np.random.default_rng(seed)
    pairs = every_pair(int(generator.integers(2, 8)), int(generator.integers(1, 6)))
    rows = np.sort(generator.permutation(len(pairs))[: int(generator.integers(1, len(pairs) + 1))])
    first, second = pairs.first[rows], pairs.second[rows]
    forward = left_first(first, second, np.zeros(len(rows), np.int64), generator)
    left = np.bincount(np.where(forward, first, second), minlength=8)
    right = np.bincount(np.where(forward, second, first), minlength=8)
    assert np.abs(left - right).max() <= 1


def test_over_two_raters_of_the_same_pairs_sides_even_out_exactly() -> None:
    pairs = every_pair(5, 4)
    generator = np.random.default_rng(2)
    balance = np.zeros(len(pairs), np.int64)
    for rater in range(1, 7):
        forward = left_first(pairs.first, pairs.second, balance, generator)
        balance += np.where(forward, 1, -1)
        if rater % 2 == 0:
            assert not balance.any()


@pytest.mark.parametrize("seed", range(20))
def test_no_picture_follows_itself_where_that_can_be(seed: int) -> None:
    generator = np.random.default_rng(seed)
    content = generator.integers(0, int(generator.integers(2, 6)), 25)
    most = np.bincount(content).max()
    order = apart(content, None, generator)
    assert sorted(order) == list(range(25))
    like = sum(content == other for content, other in pairwise(content[order]))
    # 25 places hold at most 13 of one picture apart; the rest must touch.
    assert like == max(0, 2 * most - 26)


def test_a_picture_does_not_follow_the_one_before() -> None:
    for seed in range(20):
        order = apart(np.array([0, 0, 1, 1, 2, 2]), 1, np.random.default_rng(seed))
        assert np.array([0, 0, 1, 1, 2, 2])[order[0]] != 1


def test_the_random_share_is_random_and_its_probability_is_the_mixture_s() -> None:
    generator = np.random.default_rng(3)
    wanted = [Choice(4, 1.0), Choice(2, 1.0)]
    counts: Counter[int] = Counter()
    for _ in range(4000):
        [choice] = with_random_share(wanted, every_pair(5, 1), np.ones(10, bool), 1, 0.3, generator)
        counts[choice.pair] += 1
        assert choice.probability == pytest.approx(0.73 if choice.pair == 4 else 0.03)
    assert counts[4] / 4000 == pytest.approx(0.73, abs=0.03)
    assert counts[7] / 4000 == pytest.approx(0.03, abs=0.015)


def test_closed_pairs_are_never_given() -> None:
    open_pairs = np.array([True, False, True, False])
    for seed in range(10):
        chosen = with_random_share(
            [Choice(1, 1.0), Choice(2, 1.0)],
            every_pair(2, 4),
            open_pairs,
            4,
            0.5,
            np.random.default_rng(seed),
        )
        assert sorted(choice.pair for choice in chosen) == [0, 2]
