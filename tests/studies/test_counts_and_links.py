"""Votes counted by hand, and what such counts can tell: links, wins that never return, sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codecarena.studies.scale.connectivity import (
    components,
    is_separated,
    linked_pictures,
    order_is_confounded,
    win_components,
)
from codecarena.studies.scale.models import BRADLEY_TERRY
from codecarena.studies.scale.pair_counts import from_matrix, from_table, tally
from codecarena.studies.scale.votes import Kind, VoteRecord, VotesError, from_records

# Links


def test_parts_are_numbered_by_size() -> None:
    pairs = from_table("ybcdx", "xcdbz", [1] * 5, [1] * 5, sided=True, conditions="zyxbcdq")
    # b, c, d and z, y, x are of three each: the first named is 0; q is alone.
    assert components(pairs).tolist() == [0, 0, 0, 1, 1, 1, 2]
    more = from_table("ybcdx", "xcdbz", [1, 1, 1, 1, 0], [1, 1, 1, 1, 0], sided=True, conditions="zyxbcd")
    assert components(more).tolist() == [2, 1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("wins", "ties", "sets", "sets_with_ties"),
    [
        ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], None, 1, 1),
        ([[0, 1, 1], [0, 0, 1], [0, 0, 0]], None, 3, 3),
        ([[0, 1, 0], [1, 0, 1], [0, 0, 0]], None, 2, 2),
        ([[0, 1, 0], [1, 0, 1], [0, 0, 0]], [[0, 0, 0], [0, 0, 1], [0, 1, 0]], 2, 1),
    ],
)
def test_chains_of_wins_join_conditions(
    wins: list[list[int]], ties: list[list[int]] | None, sets: int, sets_with_ties: int
) -> None:
    pairs = from_matrix("zam", wins, ties)
    assert win_components(pairs, pairs.counts, ties=False) == sets
    assert win_components(pairs, pairs.counts, ties=True) == sets_with_ties
    assert is_separated(pairs, BRADLEY_TERRY, order=False) == (sets > 1)


@pytest.mark.parametrize(
    ("first", "second", "confounded"),
    [
        ("ab", "ba", False),
        ("aa", "bb", True),
        ("abc", "bca", False),  # round a ring one way
        ("aba", "bcc", False),  # round it with turns of 1 + 1 - 1
        ("abda", "bccd", True),  # round a ring of four with turns of 1 + 1 - 1 - 1
        ("ab", "bc", True),
    ],
)
def test_sides_turned_unequally_round_a_ring_tell_the_order_effect(
    first: str, second: str, confounded: bool
) -> None:
    pairs = from_table(first, second, [2] * len(first), [1] * len(first), sided=True)
    assert order_is_confounded(pairs) == confounded


def test_pictures_whose_own_votes_do_not_link_what_is_wanted() -> None:
    picture = np.array([0, 0, 1, 1, 2])
    first, second = np.array([0, 1, 0, 2, 0]), np.array([1, 2, 1, 3, 3])
    wanted = np.array([[True, False, True, False], [True, False, True, False], [False] * 4])
    assert linked_pictures(picture, first, second, wanted) == [1]
    wanted[2, [1, 2]] = True
    assert linked_pictures(picture, first, second, wanted) == [1, 2]
    # Alone or by itself anything is linked.
    assert linked_pictures(picture, first, second, np.eye(3, 4, dtype=bool)) == []


# Counts


def test_votes_are_counted_by_pair_side_and_answer() -> None:
    rows = [("za", 1), ("za", 1), ("az", 1), ("za", 0), ("az", -1), ("mz", -1)]
    records = [VoteRecord("r", "p", *sides, outcome) for sides, outcome in rows]
    records.append(VoteRecord("r", "p", "z", "z", 1, Kind.IDENTICAL))
    counted = tally(from_records(records))
    pairs = counted.pairs
    counts = {
        (pairs.conditions[first], pairs.conditions[second]): pairs.counts[:, place].tolist()
        for place, (first, second) in enumerate(zip(pairs.first, pairs.second, strict=True))
    }
    assert counts == {("z", "a"): [2, 1, 0], ("a", "z"): [1, 0, 1], ("m", "z"): [0, 0, 1]}
    assert (pairs.votes, pairs.has_ties) == (6, True)
    unsided = tally(from_records(records, sided=False)).pairs
    counts = {
        (unsided.conditions[first], unsided.conditions[second]): unsided.counts[:, place].tolist()
        for place, (first, second) in enumerate(zip(unsided.first, unsided.second, strict=True))
    }
    # a before z: z won twice and a once as the second named, a won once and lost once as the first.
    assert counts == {("a", "z"): [1, 1, 3], ("m", "z"): [0, 0, 1]}
    assert not unsided.side.any()


def test_a_matrix_of_wins_is_counted_once_a_pair() -> None:
    wins = [[9, 5, 0], [3, 9, 2], [0, 4, 9]]
    ties = [[0, 1, 0], [1, 0, 6], [0, 6, 0]]
    pairs = from_matrix("zam", wins, ties)
    counts = {
        (pairs.conditions[first], pairs.conditions[second]): pairs.counts[:, place].tolist()
        for place, (first, second) in enumerate(zip(pairs.first, pairs.second, strict=True))
        if pairs.counts[:, place].any()
    }
    assert counts == {("z", "a"): [5, 1, 3], ("a", "m"): [2, 6, 4]}
    assert (pairs.sided, pairs.votes) == (False, 21)


def test_rows_of_one_pair_are_added_and_neutral_ground_is_kept_apart() -> None:
    pairs = from_table("aab", "bba", [1, 2, 4], [3, 5, 7], [0, 1, 0], sided=True)
    assert sorted(map(tuple, pairs.counts.T.tolist())) == [(3, 1, 8), (4, 0, 7)]
    assert pairs.neutral is None
    apart = from_table("aab", "bba", [1, 2, 4], [3, 5, 7], sided=True, neutral=[False, True, False])
    assert apart.neutral is not None
    assert apart.neutral.sum() == 1
    assert apart.side.sum() == len(apart.first) - 1
    assert apart.counts[0, apart.neutral].tolist() == [2]


def test_weights_and_partitions_of_votes() -> None:
    rows = [("r1", "za", 1), ("r1", "za", 1), ("r2", "za", 1), ("r2", "az", 0), ("r3", "az", -1)]
    counted = tally(from_records(VoteRecord(r, "p", *sides, outcome) for r, sides, outcome in rows))
    raters = np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 5.0]])
    weighted = counted.weigh(raters[:, counted.rater])
    place = {
        (counted.pairs.conditions[first], counted.pairs.conditions[second]): at
        for at, (first, second) in enumerate(zip(counted.pairs.first, counted.pairs.second, strict=True))
    }
    assert weighted[:, 0, place["z", "a"]].tolist() == [4, 0, 0]
    assert weighted[:, 1, place["z", "a"]].tolist() == [3, 0, 0]
    assert weighted[:, 0, place["a", "z"]].tolist() == [0, 0, 1]
    assert weighted[:, 1, place["a", "z"]].tolist() == [0, 3, 5]
    parts = counted.by(counted.rater, 3)
    assert parts[:, 0, place["z", "a"]].tolist() == [2, 0, 0]
    assert parts[:, 2, place["a", "z"]].tolist() == [0, 0, 1]
    assert (parts.sum(1) == counted.pairs.counts).all()
    some = counted.rows(np.flatnonzero(counted.rater == 1))
    assert some.count.sum() == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"counts": np.ones((2, 3))}, "shape"),
        ({"counts": np.ones((3, 2))}, "shape"),
        ({"second": np.array([1, 2])}, "shape"),
        ({"neutral": np.zeros(2, bool)}, "neutral of shape"),
    ],
)
def test_counts_of_the_wrong_shape_are_refused(change: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(VotesError, match=said):
        replace(from_matrix("zam", np.ones((3, 3))), **change)  # type: ignore[arg-type]
