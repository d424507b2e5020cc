"""What designs spread and how likely each choice is: pairs, pictures, conditions, sides and order by hand."""

from __future__ import annotations

from itertools import combinations

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


def chosen(
    name: str, pairs: Pairs, given: np.ndarray, count: int, seed: int = 0, closed: tuple[int, ...] = ()
) -> list[Choice]:
    still_open = np.ones(len(pairs), bool)
    still_open[list(closed)] = False
    none = np.zeros_like(given)
    pair_totals = PairTotals(given, none, none, none)
    return find_design(name).choose(pairs, pair_totals, still_open, count, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_balanced_incomplete_meets_every_condition_before_any_again(seed: int) -> None:
    """Three pairs of six conditions: each condition once, and each of three pictures once."""
    pairs = every_pair(6, 3)
    rows = [choice.pair for choice in chosen("balanced-incomplete", pairs, np.zeros(45, np.int64), 3, seed)]
    assert sorted([*pairs.first[rows], *pairs.second[rows]]) == list(range(6))
    assert sorted(pairs.content[rows]) == [0, 1, 2]


def test_balanced_incomplete_takes_first_what_was_given_least() -> None:
    pairs = every_pair(4, 2)
    given = np.array([3, 3, 0, 3, 3, 3, 3, 1, 3, 3, 2, 2])
    first, second, third, fourth = chosen("balanced-incomplete", pairs, given, 4)
    assert [first.pair, second.pair, {third.pair, fourth.pair}] == [2, 7, {10, 11}]
    assert [first.probability, second.probability] == [1.0, 1.0]
    # Of rows 10 (1-3) and 11 (2-3) neither picture nor conditions differ in number: 2 was 0-3, 7 is 0-2.
    assert (third.pair, third.probability) == (10, 1.0)


def test_a_probability_is_one_over_the_pairs_alike() -> None:
    pairs = every_pair(3, 4)
    [first, second] = chosen("balanced-incomplete", pairs, np.zeros(12, np.int64), 2)
    assert first.probability == 1 / 12
    # In each of three other pictures two pairs share one condition with the first, and one shares both.
    assert second.probability == 1 / 6
    assert pairs.content[first.pair] != pairs.content[second.pair]
    full = chosen("full", pairs, np.zeros(12, np.int64), 3, closed=(0, 5))
    assert {choice.probability for choice in full} == {3 / 10}
    assert not {0, 5} & {choice.pair for choice in full}
    assert chosen("full", pairs, np.zeros(12, np.int64), 3, closed=tuple(range(12))) == []
    more = chosen("full", pairs, np.zeros(12, np.int64), 20)
    assert (len(more), more[0].probability) == (12, 1.0)


@pytest.mark.parametrize("design", ["full", "balanced-incomplete"])
def test_any_pair_may_come_first(design: str) -> None:
    pairs = every_pair(3, 2)
    first = {chosen(design, pairs, np.zeros(6, np.int64), 1, seed)[0].pair for seed in range(60)}
    assert first == set(range(6))


def test_no_more_is_given_than_is_open() -> None:
    pairs = every_pair(3, 2)
    for design in ("full", "balanced-incomplete"):
        rows = [choice.pair for choice in chosen(design, pairs, np.zeros(6, np.int64), 9, closed=(1,))]
        assert sorted(rows) == [0, 2, 3, 4, 5]
    some = np.array([True, False, True, False, False, False])
    given = with_random_share([], pairs, some, 9, 0.5, np.random.default_rng(0))
    assert sorted(choice.pair for choice in given) == [0, 2]
    assert [choice.probability for choice in given][-1] == 1.0


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_wanted_pair_that_is_certain_by_itself_is_mixed_with_the_random_share(share: float) -> None:
    """Of six open pairs the front one, wanted with probability 0.5: 0.5 (1 - share) + share / 6."""
    pairs, all_open = every_pair(3, 2), np.ones(6, bool)
    for seed in range(40):
        [choice] = with_random_share(
            [Choice(4, 0.5), Choice(1, 1.0)], pairs, all_open, 1, share, np.random.default_rng(seed)
        )
        expected = share / 6 + (0.5 * (1 - share) if choice.pair == 4 else 0.0)
        assert choice.probability == pytest.approx(expected)
        assert share > 0 or choice.pair == 4


def test_wanted_pairs_come_in_their_order_and_random_ones_after_them() -> None:
    pairs = every_pair(3, 4)
    wanted = [Choice(7, 1.0), Choice(2, 1.0), Choice(9, 1.0)]
    given = with_random_share(wanted, pairs, np.ones(12, bool), 5, 0.0, np.random.default_rng(1))
    assert [choice.pair for choice in given][:3] == [7, 2, 9]
    assert len({choice.pair for choice in given}) == 5
    assert given[3].probability == 1 / 9


@pytest.mark.parametrize(
    ("balance", "left"), [([5], [False]), ([-5], [True]), ([1], [False]), ([-1], [True])]
)
def test_a_pair_that_stood_left_too_often_is_turned(balance: list[int], left: list[bool]) -> None:
    for seed in range(8):
        generator = np.random.default_rng(seed)
        sides = left_first(np.array([3]), np.array([1]), np.array(balance), generator)
        assert sides.tolist() == left


def test_without_a_balance_sides_are_random() -> None:
    sides = [
        bool(left_first(np.array([0]), np.array([1]), np.array([0]), np.random.default_rng(seed))[0])
        for seed in range(400)
    ]
    assert 0.4 < np.mean(sides) < 0.6


def test_the_walk_with_the_greatest_excess_is_the_one_that_is_evened_out() -> None:
    """A triangle walked round: every condition is left once; the sum of the balances decides which way."""
    first, second = np.array([0, 1, 0]), np.array([1, 2, 2])
    # 0 -> 1 -> 2 -> 0 has 0-2 backwards: its excess is 2 + 3 - (-4) = 9, so the walk is turned.
    sides = left_first(first, second, np.array([2, 3, -4]), np.random.default_rng(0))
    assert sides.tolist() == [False, False, True]
    sides = left_first(first, second, np.array([-2, -3, 4]), np.random.default_rng(0))
    assert sides.tolist() == [True, True, False]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    ("content", "before", "possible"),
    [
        ([0, 0, 0, 1, 2], None, {(0, 1, 0, 2, 0), (0, 2, 0, 1, 0)}),
        ([0, 0, 1, 1], 0, {(1, 0, 1, 0)}),
        ([0, 0, 1, 1], 1, {(0, 1, 0, 1)}),
        ([0, 0, 1], 0, {(0, 1, 0), (1, 0, 0)}),
        ([2, 2], 2, {(2, 2)}),
    ],
)
def test_an_order_keeps_pictures_apart_as_far_as_it_can(
    content: list[int], before: int | None, possible: set[tuple[int, ...]], seed: int
) -> None:
    order = apart(np.array(content), before, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(content)))
    assert tuple(content[row] for row in order) in possible


def test_orders_are_random() -> None:
    content = np.array([0, 1, 2])
    orders = {tuple(apart(content, None, np.random.default_rng(seed)).tolist()) for seed in range(100)}
    assert len(orders) == 6


@pytest.mark.parametrize(
    ("count", "before", "fits"),
    [(5, None, 2), (1, None, 1), (6, None, 3), (5, 1, 3), (5, 0, 2), (6, 1, 3), (6, 0, 3), (2, 0, 1)],
)
def test_a_picture_is_chosen_as_often_as_an_order_has_room_for(
    count: int, before: int | None, fits: int
) -> None:
    """All that is wanted is of the first picture; four others have pairs as well."""
    pairs = every_pair(4, 5)
    wanted = [Choice(row, 1.0) for row in range(6)]
    generator = np.random.default_rng(2)
    given = with_random_share(wanted, pairs, np.ones(30, bool), count, 0.0, generator, before)
    rows = [choice.pair for choice in given]
    assert rows[:fits] == list(range(fits))
    assert (pairs.content[rows] == 0).sum() == fits
    # Where nothing else is open there is no room to keep.
    only = pairs.content == 0
    given = with_random_share(wanted, pairs, only, count, 0.0, generator, before)
    assert len(given) == min(count, 6)
