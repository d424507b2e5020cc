"""What adaptive designs make of the votes so far, by hand: wins, pictures, rounds, how large a batch is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.special import ndtr

from codecarena.studies.design.adaptive import LEAST_BATCH, _parts, _wins
from codecarena.studies.design.asap import information_gain, posterior, spanning_tree
from codecarena.studies.design.design import Pairs, PairTotals, find_design


def every_pair(conditions: int, contents: int) -> Pairs:
    rows = [(c, a, b) for c in range(contents) for a, b in combinations(range(conditions), 2)]
    return Pairs(*np.array(rows, np.int64).T)


def pair_totals(
    given: list[int], first_won: list[int] | None = None, second_won: list[int] | None = None
) -> PairTotals:
    """Return what is known; who won nothing else is said of won half of it."""
    columns = [
        np.array(counts if counts is not None else [0] * len(given))
        for counts in (given, first_won, second_won)
    ]
    return PairTotals(*columns, columns[0] - columns[1] - columns[2])


def batch(
    name: str, pairs: Pairs, known: PairTotals, count: int, opened: list[int] | None = None, seed: int = 0
) -> list[int]:
    still_open = np.zeros(len(pairs), bool)
    still_open[opened if opened is not None else list(range(len(pairs)))] = True
    return [
        choice.pair
        for choice in find_design(name).choose(pairs, known, still_open, count, np.random.default_rng(seed))
    ]


def test_a_tie_and_an_answer_that_is_still_out_are_half_a_win_for_either() -> None:
    pairs = Pairs(np.array([0, 1, 0]), np.array([0, 0, 1]), np.array([1, 1, 2]))
    wins = _wins(pairs, pair_totals([4, 2, 3], [2, 1, 0], [1, 0, 1]))
    assert wins.tolist() == [[0, 4, 0], [2, 0, 1], [0, 2, 0]]


def test_the_parts_of_a_picture_are_what_its_own_votes_link() -> None:
    pairs = every_pair(3, 2)  # rows 01 02 12 of either picture
    part = _parts(pairs, np.array([1, 0, 0, 0, 2, 1]))
    assert part.shape == (2, 3)
    assert part[0, 0] == part[0, 1] != part[0, 2]
    assert part[1, 0] == part[1, 1] == part[1, 2]
    assert not set(part[0]) & set(part[1])


@pytest.mark.parametrize("name", ["asap", "swiss"])
@pytest.mark.parametrize("seed", range(4))
def test_a_pair_is_asked_for_in_the_picture_that_needs_it_most(name: str, seed: int) -> None:
    """Only conditions 0 and 1 can be compared; what else a picture was given decides its turn."""
    pairs = every_pair(3, 5)
    given = np.zeros(15, int)
    given[1] = 5  # p0: 02, so 01 is not linked, but the picture had 5
    given[4] = 1  # p1: 02, it had 1
    given[[7, 8]] = 1  # p2: 02 and 12 link 0 and 1; it had 2
    given[9] = 1  # p3: 01 itself
    given[[13, 14]] = 3  # p4: linked; it had 6
    opened = [0, 3, 6, 9, 12]
    rows = batch(name, pairs, pair_totals(given.tolist()), 5, opened, seed)
    assert rows == [3, 0, 6, 12, 9]


@pytest.mark.parametrize(
    ("conditions", "name", "count", "size"),
    [
        (6, "swiss", 1, 3),
        (6, "swiss", 3, 3),
        (6, "swiss", 4, 6),
        (7, "swiss", 3, 3),
        (6, "swiss", 99, 18),
        (4, "asap", 1, 3),
        (4, "asap", 3, 3),
        (4, "asap", 4, 6),
        (4, "asap", 99, 18),
        (20, "asap", 99, 19),
    ],
)
def test_a_batch_is_whole_rounds_or_trees_of_16_pairs_or_what_is_wanted(
    conditions: int, name: str, count: int, size: int
) -> None:
    pairs = every_pair(conditions, 8)
    rows = batch(name, pairs, pair_totals([0] * len(pairs)), count)
    assert len(rows) == len(set(rows)) == size
    assert LEAST_BATCH == 16


def test_an_asap_batch_begins_with_the_most_telling_pair_of_a_tree() -> None:
    pairs = every_pair(5, 1)
    generator = np.random.default_rng(3)
    given = generator.integers(1, 9, 10)
    won = generator.binomial(given, 0.6)
    known = pair_totals(given.tolist(), won.tolist(), (given - won).tolist())
    gain = information_gain(_wins(pairs, known), pairs.first, pairs.second)
    assert batch("asap", pairs, known, 4) == spanning_tree(pairs.first, pairs.second, gain).tolist()
    assert batch("asap", pairs, known, 4)[0] == gain.argmax()


def test_a_tree_of_unlinked_pairs_is_one_for_each_part() -> None:
    first, second = np.array([0, 0, 1, 3]), np.array([1, 2, 2, 4])
    assert spanning_tree(first, second, np.array([1.0, 3.0, 2.0, 0.5])).tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("met", "rounds"),
    [
        # Nobody met: each with the next below.
        ({}, {(1, 3), (0, 5), (2, 4)}),
        # 3 and 1 met, so 3 meets 5; 1 then meets 0.
        ({(1, 3): 2}, {(3, 5), (0, 1), (2, 4)}),
        # 3 met 1 and 5 more than 0; then 1 meets 5.
        ({(1, 3): 2, (3, 5): 2}, {(0, 3), (1, 5), (2, 4)}),
        # 4 stands too far below: of 1, 5 and 0 the one met least, the nearer of two.
        ({(1, 3): 4, (3, 5): 2, (0, 3): 2}, {(3, 5), (0, 1), (2, 4)}),
    ],
)
def test_a_swiss_round_goes_from_the_top_to_who_was_met_least_of_three(
    met: dict[tuple[int, int], int], rounds: set[tuple[int, int]]
) -> None:
    """From the best: 3, 1, 5, 0, 4, 2; those who met each other tied.

    A seventh condition, which everybody met 20 times, makes the order; nobody is paired with it.
    """
    order = [3, 1, 5, 0, 4, 2]
    inner = every_pair(6, 2)
    columns = (inner.content, inner.first, inner.second), (np.zeros(6, int), np.arange(6), np.full(6, 6))
    pairs = Pairs(*np.concatenate(columns, axis=1))
    ties = [0 if c else met.get((int(a), int(b)), 0) for c, a, b in zip(*columns[0], strict=True)]
    won = [18 - 3 * order.index(condition) for condition in range(6)]
    known = pair_totals([*ties, *[20] * 6], [*[0] * 30, *won], [*[0] * 30, *(20 - wins for wins in won)])
    believed = posterior(_wins(pairs, known)).mean[:6]
    assert np.argsort(-believed).tolist() == order
    chosen = batch("swiss", pairs, known, 1, list(range(30)))
    assert {(int(pairs.first[row]), int(pairs.second[row])) for row in chosen} == rounds


def test_the_first_vote_tells_minus_the_logarithm_of_1_less_1_over_2_pi() -> None:
    """Either mean moves by sqrt(1 / 4 pi), and either variance shrinks by 1 - 1 / 2 pi."""
    first, second = np.triu_indices(3, 1)
    gain = information_gain(np.zeros((3, 3)), first, second)
    assert gain == pytest.approx(np.full(3, -np.log(1 - 1 / (2 * np.pi))))
    believed = posterior(np.array([[0.0, 0.0], [1.0, 0.0]]))
    assert believed.mean == pytest.approx([-np.sqrt(1 / (4 * np.pi)), np.sqrt(1 / (4 * np.pi))])
    assert believed.variance == pytest.approx([0.5 * (1 - 1 / (2 * np.pi))] * 2)


def test_gains_of_many_pairs_are_those_of_running_the_posterior_again() -> None:
    """17 conditions are 136 pairs: more than the 128 that are tried together."""
    wins = np.random.default_rng(1).poisson(1.0, (17, 17)) * (1.0 - np.eye(17))
    first, second = np.triu_indices(17, 1)
    gain = information_gain(wins, first, second)
    before = posterior(wins)
    rows = [0, 40, 77, 127, 128, 135]
    for row in rows:
        upper, lower = int(first[row]), int(second[row])
        spread = np.sqrt(1 + before.variance[upper] + before.variance[lower])
        chance = ndtr((before.mean[upper] - before.mean[lower]) / spread)
        expected = 0.0
        for winner, loser, likely in ((upper, lower, chance), (lower, upper, 1 - chance)):
            more = wins.copy()
            more[winner, loser] += 1
            after = posterior(more)
            ratio = after.variance / before.variance
            moved = (after.mean - before.mean) ** 2 / before.variance
            expected += likely * 0.5 * float((ratio + moved - 1 - np.log(ratio)).sum())
        assert gain[row] == pytest.approx(expected, rel=0.004)
        alone = information_gain(wins, first[[row]], second[[row]])
        assert alone == pytest.approx(gain[[row]], abs=1e-12)
