"""Count votes by ordered pair of conditions and outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from .votes import Votes, VotesError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

FIRST, TIE, SECOND = 0, 1, 2
"""Outcomes in the order in which counts and probabilities keep them."""


@dataclass(frozen=True, eq=False)
class PairCounts:
    """Counts of the three outcomes for every pair of conditions that was seen."""

    conditions: tuple[str, ...]
    first: IntArray
    """Shape (pairs,): index of the condition shown first."""
    second: IntArray
    counts: FloatArray
    """Shape (3, pairs): the first won, no preference, the second won; weights need not be whole."""
    sided: bool = True
    """Whether first and second are sides as shown; where False the lower index stands first."""
    neutral: BoolArray | None = None
    """Shape (pairs,): where neither of the two stood first though others did, as on neutral ground; None
    where there is no such pair."""

    def __post_init__(self) -> None:
        """Refuse counts that cannot be."""
        if self.counts.shape != (3, len(self.first)) or len(self.first) != len(self.second):
            raise VotesError(f"expected counts of shape (3, {len(self.first)}); got {self.counts.shape}")
        _refuse(self.counts)
        if (self.first == self.second).any():
            raise VotesError("expected pairs of two conditions; got one condition against itself")
        if self.neutral is not None and self.neutral.shape != self.first.shape:
            raise VotesError(f"expected neutral of shape ({len(self.first)},); got {self.neutral.shape}")

    @cached_property
    def side(self) -> FloatArray:
        """Return 1 for each pair with an order effect, 0 where sides mean nothing, shape (pairs,)."""
        if not self.sided:
            return np.zeros(len(self.first))
        return np.ones(len(self.first)) if self.neutral is None else 1.0 - self.neutral

    @cached_property
    def signs(self) -> sparse.csr_matrix:
        """Return the design, shape (conditions, pairs): +1 where first, -1 where second."""
        pairs = np.arange(len(self.first))
        places = (np.concatenate([self.first, self.second]), np.concatenate([pairs, pairs]))
        values = np.repeat([1.0, -1.0], len(pairs))
        return sparse.csr_matrix((values, places), (len(self.conditions), len(pairs)))

    @cached_property
    def incidence(self) -> sparse.csr_matrix:
        """Return 1 for the two conditions of each pair, shape (conditions, pairs)."""
        return sparse.csr_matrix(abs(self.signs))

    @cached_property
    def meetings(self) -> sparse.csr_matrix:
        """Return 1 where two conditions make a pair, shape (conditions squared, pairs)."""
        size, pairs = len(self.conditions), np.arange(len(self.first))
        places = (self.first * size + self.second, pairs)
        return sparse.csr_matrix((np.ones(len(pairs)), places), (size**2, len(pairs)))

    @property
    def votes(self) -> float:
        """How many votes were counted."""
        return float(self.counts.sum())

    @property
    def has_ties(self) -> bool:
        """Whether anyone answered 'no preference'."""
        return bool(self.counts[TIE].sum() > 0)

    def with_counts(self, counts: FloatArray) -> PairCounts:
        """Return the same pairs with other counts, shape (3, pairs)."""
        return PairCounts(self.conditions, self.first, self.second, counts, self.sided, self.neutral)


def _refuse(counts: FloatArray) -> None:
    if not (np.isfinite(counts).all() and (counts >= 0).all()):
        raise VotesError("expected counts that are finite and not negative")


def from_table(
    first: Sequence[str],
    second: Sequence[str],
    first_won: ArrayLike,
    second_won: ArrayLike,
    ties: ArrayLike | None = None,
    *,
    sided: bool,
    neutral: ArrayLike | None = None,
    conditions: Sequence[str] | None = None,
) -> PairCounts:
    """Return the counts of a table with one row a pair; rows of one pair are added.

    Args:
        first: Names of the first conditions, one a row.
        second: Names of the second ones.
        first_won: How often the first was preferred.
        second_won: How often the second was preferred.
        ties: How often neither was.
        sided: Whether the first was shown first (left, at home); False where the order means nothing.
        neutral: In which rows it means nothing though it does in others; in none where not given.
        conditions: Their order; sorted names where not given.
    """
    names = tuple(conditions) if conditions is not None else tuple(sorted({*first, *second}))
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise VotesError(f"expected every condition once; got {repeated[0]!r} twice")
    place = {name: index for index, name in enumerate(names)}
    if strange := [name for name in (*first, *second) if name not in place]:
        raise VotesError(f"expected conditions among {', '.join(names)}; got {strange[0]!r}")
    won, lost = np.asarray(first_won, np.float64), np.asarray(second_won, np.float64)
    neither = np.zeros(len(won)) if ties is None else np.asarray(ties, np.float64)
    rows = np.array([[place[name] for name in first], [place[name] for name in second]], np.int64)
    ground = np.zeros(len(won), np.bool_) if neutral is None else np.asarray(neutral, np.bool_)
    return _gather(names, rows.reshape(2, -1), np.stack([won, neither, lost]), sided, ground)


def from_matrix(conditions: Sequence[str], wins: ArrayLike, ties: ArrayLike | None = None) -> PairCounts:
    """Return the counts of a square table whose row was preferred to its column so many times.

    ``ties`` is symmetric, each tie standing in both triangles. Sides are unknown. What stands on the diagonal
    says nothing and is left out.

    Args:
        conditions: Names of rows and columns.
        wins: Square, counts of at least 0.
        ties: Square and symmetric; none where None.
    """
    won = np.asarray(wins, np.float64)
    if won.shape != (len(conditions), len(conditions)):
        raise VotesError(f"expected a table of shape {(len(conditions),) * 2}; got {won.shape}")
    neither = np.zeros_like(won) if ties is None else np.asarray(ties, np.float64)
    if neither.shape != won.shape or not np.array_equal(neither, neither.T):
        raise VotesError("expected a symmetric table of ties, as large as that of wins")
    rows = np.array(np.triu_indices(len(conditions), 1))
    upper = (rows[0], rows[1])
    counts = np.stack([won[upper], neither[upper], won.T[upper]])
    return _gather(tuple(conditions), rows, counts, False, np.zeros(len(rows[0]), np.bool_))


def _gather(
    names: tuple[str, ...], rows: IntArray, counts: FloatArray, sided: bool, neutral: BoolArray
) -> PairCounts:
    """Return counts with equal pairs added, sides put in order where they mean nothing."""
    _refuse(counts)
    turned = (rows[0] > rows[1]) & (neutral | (not sided))
    rows = np.where(turned, rows[::-1], rows)
    counts = np.where(turned, counts[::-1], counts)
    used = counts.sum(0) > 0
    ends = rows[0, used] * len(names) + rows[1, used]
    keys, place = np.unique(ends * 2 + neutral[used], return_inverse=True)
    added = np.array([np.bincount(place, row[used], len(keys)) for row in counts], np.float64)
    ends, ground = keys // 2, (keys % 2).astype(np.bool_)
    some = ground if sided and ground.any() else None
    return PairCounts(names, ends // len(names), ends % len(names), added, sided, some)


@dataclass(frozen=True, eq=False)
class Tally:
    """Votes counted by rater, picture, pair and outcome, so that any of them can be weighted at once."""

    raters: tuple[str, ...]
    pictures: tuple[str, ...]
    pairs: PairCounts
    rater: IntArray
    """Shape (groups,)."""
    picture: IntArray
    pair: IntArray
    """Index into the pairs."""
    outcome: IntArray
    """FIRST, TIE or SECOND."""
    count: FloatArray
    """Votes in the group."""

    def rows(self, chosen: IntArray) -> Tally:
        """Return some of the groups, with the same names and pairs."""
        return replace(
            self,
            rater=self.rater[chosen],
            picture=self.picture[chosen],
            pair=self.pair[chosen],
            outcome=self.outcome[chosen],
            count=self.count[chosen],
        )

    @cached_property
    def _slots(self) -> sparse.csr_matrix:
        groups = np.arange(len(self.count))
        width = 3 * len(self.pairs.first)
        places = (self.outcome * len(self.pairs.first) + self.pair, groups)
        return sparse.csr_matrix((self.count, places), (width, len(groups)))

    def weigh(self, weights: FloatArray) -> FloatArray:
        """Return weighted counts, shape (3, batch, pairs), for weights of shape (batch, groups)."""
        flat = np.asarray(self._slots @ np.ascontiguousarray(weights.T))
        return np.ascontiguousarray(flat.reshape(3, -1, len(weights)).transpose(0, 2, 1))

    def by(self, member: IntArray, members: int) -> FloatArray:
        """Return the counts of each member of a partition of the groups, shape (3, members, pairs)."""
        pairs = len(self.pairs.first)
        place = (self.outcome * members + member) * pairs + self.pair
        counts = np.bincount(place, self.count, 3 * members * pairs).astype(np.float64)
        return counts.reshape(3, members, pairs)


def tally(votes: Votes) -> Tally:
    """Return votes counted; raters, pictures and conditions without a vote are left out.

    Pairs of a condition with itself say nothing about a scale and are left out.
    """
    votes = votes.keep(votes.first != votes.second)
    raters, rater = np.unique(votes.rater, return_inverse=True)
    pictures, picture = np.unique(votes.picture, return_inverse=True)
    used, place = np.unique(np.concatenate([votes.first, votes.second]), return_inverse=True)
    first, second = np.split(place.astype(np.int64), 2)
    outcome = 1 - votes.outcome.astype(np.int64)
    if not votes.sided:
        turned = first > second
        first, second = np.where(turned, second, first), np.where(turned, first, second)
        outcome = np.where(turned, 2 - outcome, outcome)
    names = tuple(votes.conditions[index] for index in used)
    keys, pair = np.unique(first * len(names) + second, return_inverse=True)
    table = np.stack([rater, picture, pair, outcome])
    groups, count = _unique_columns(table)
    counts = np.bincount(groups[3] * len(keys) + groups[2], count, 3 * len(keys)).astype(np.float64)
    size = max(len(names), 1)
    pairs = PairCounts(names, keys // size, keys % size, counts.reshape(3, -1), votes.sided)
    return Tally(
        tuple(votes.raters[index] for index in raters),
        tuple(votes.pictures[index] for index in pictures),
        pairs,
        groups[0],
        groups[1],
        groups[2],
        groups[3],
        count,
    )


def _unique_columns(table: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the different columns of a table of small indices, and how often each stands there."""
    sizes = tuple(int(row.max(initial=0)) + 1 for row in table)
    keys, count = np.unique(np.ravel_multi_index(tuple(table), sizes), return_counts=True)
    return np.array(np.unravel_index(keys, sizes)), count.astype(np.float64)
