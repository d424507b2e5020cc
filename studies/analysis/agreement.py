"""Measure how far raters agree with each other and how consistent their preferences are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from ..scale.models import FloatArray
from ..scale.pair_counts import FIRST, SECOND, IntArray, PairCounts
from ..scale.votes import Kind, Votes

Level: TypeAlias = Literal["nominal", "ordinal"]


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha: 1 is perfect agreement, 0 what chance would give."""

    level: Level
    value: float | None
    """None where no unit has two votes, or nobody preferred anything."""
    low: float | None
    """95 % percentile interval over resampled units."""
    high: float | None
    units: int
    """Pairs of one picture that at least two raters judged."""


@dataclass(frozen=True, slots=True)
class Transitivity:
    """How often the majorities contradict an order; triples of conditions that were all compared."""

    triples: int
    weak: int
    """a over b and b over c by half or more, yet not a over c."""
    strong: int
    """a over c by less than the clearer of the two."""
    circular_triads: int
    """Within single raters and pictures, over complete sets of decided pairs."""
    complete_sets: int
    consistency: float | None
    """Kendall's coefficient zeta over all complete sets: 1 is no circular triad, 0 the most there can be."""


def alpha(votes: Votes, level: Level = "nominal", resamples: int = 500, seed: int = 0) -> Alpha:
    """Return Krippendorff's alpha of plain votes; a unit is a pair of conditions of a picture.

    A rater's first vote on a unit counts. Values are lower index won, no preference, higher index won. Which
    of two conditions has the lower index means nothing, so every unit enters both ways round: else alpha
    would depend on the order in which conditions are listed. It is low for pairs near the threshold by
    design: no gate.

    Source: Krippendorff, "Content Analysis" (2004), 11.3; equals the package ``krippendorff`` 0.9.

    Args:
        votes: Of all kinds; plain ones count.
        level: Of measurement: nominal, or ordinal distances between the answers.
        resamples: Of raters, for the interval.
        seed: Of the resampling.
    """
    table = _units(votes.of_kind(Kind.PLAIN))
    table = table[table.sum(1) > 1]
    random = np.random.default_rng(seed)
    drawn: list[float] = []
    for _ in range(resamples if len(table) > 1 else 0):
        value = _alpha(table[random.integers(0, len(table), len(table))], level)
        if value is not None:
            drawn.append(value)
    low, high = (float(bound) for bound in np.quantile(drawn, [0.025, 0.975])) if drawn else (None, None)
    return Alpha(level, _alpha(table, level), low, high, len(table))


def _units(votes: Votes) -> FloatArray:
    """Return how often each unit got each value, shape (units, 3), a rater's first vote only."""
    size = max(len(votes.conditions), 1)
    low, high, value = _turned(votes)
    unit = (votes.picture.astype(np.int64) * size + low) * size + high
    _, once = np.unique(unit * max(len(votes.raters), 1) + votes.rater, return_index=True)
    _, place = np.unique(unit[once], return_inverse=True)
    units = int(place.max(initial=-1)) + 1
    return np.bincount(place * 3 + value[once], minlength=3 * units).reshape(units, 3).astype(np.float64)


def _turned(votes: Votes) -> tuple[IntArray, IntArray, IntArray]:
    """Return the lower condition, the higher one, and FIRST, TIE or SECOND as if the lower were first."""
    first, second = votes.first.astype(np.int64), votes.second.astype(np.int64)
    value = 1 - votes.outcome.astype(np.int64)
    turned = first > second
    return np.minimum(first, second), np.maximum(first, second), np.where(turned, 2 - value, value)


def _alpha(table: FloatArray, level: Level) -> float | None:
    """Return alpha of a table of shape (units, values), every row with two votes or more."""
    if not len(table):
        return None
    table = np.concatenate([table, table[:, ::-1]])
    votes = table.sum(1)
    seen = (table.T / (votes - 1.0)) @ table - np.diag((table / (votes - 1.0)[:, None]).sum(0))
    totals = table.sum(0)
    distance = _distance(totals, level)
    expected = float((np.outer(totals, totals) * distance).sum())
    if expected == 0:
        return None
    return 1.0 - (totals.sum() - 1.0) * float((seen * distance).sum()) / expected


def _distance(totals: FloatArray, level: Level) -> FloatArray:
    """Return the squared distance between values."""
    if level == "nominal":
        return 1.0 - np.eye(len(totals))
    place = np.cumsum(totals) - totals / 2.0
    return (place[:, None] - place[None, :]) ** 2


def transitivity(votes: Votes, pairs: PairCounts) -> Transitivity:
    """Return violations of transitivity in the pooled majorities and within raters.

    Source: Tversky 1969 for stochastic transitivity; Kendall and Babington Smith 1940 for circular triads.
    """
    triples, weak, strong = _stochastic(pairs)
    circular = most = sets = 0
    for size, wins in _complete_sets(votes.of_kind(Kind.PLAIN)):
        sets += 1
        circular += size * (size - 1) * (2 * size - 1) // 12 - int((wins**2).sum()) // 2
        most += (size**3 - size) // 24 if size % 2 else (size**3 - 4 * size) // 24
    return Transitivity(triples, weak, strong, circular, sets, 1.0 - circular / most if most else None)


def _stochastic(pairs: PairCounts) -> tuple[int, int, int]:
    """Return triples with all pairs seen, and how many violate weak and strong transitivity."""
    size = len(pairs.conditions)
    won, seen = np.zeros((size, size)), np.zeros((size, size))
    half = pairs.counts[1] / 2.0
    np.add.at(won, (pairs.first, pairs.second), pairs.counts[FIRST] + half)
    np.add.at(won, (pairs.second, pairs.first), pairs.counts[SECOND] + half)
    seen = won + won.T
    share = np.where(seen > 0, won / np.maximum(seen, 1e-300), np.nan)
    triples = weak = strong = 0
    for a in range(size):
        for b in range(a + 1, size):
            rest = np.arange(b + 1, size)
            rest = rest[~np.isnan(share[a, rest] + share[b, rest] + share[a, b])]
            triples += len(rest)
            orders = _orders(share, a, b, rest)
            weak += int(orders[0].sum())
            strong += int(orders[1].sum())
    return triples, weak, strong


def _orders(share: FloatArray, a: int, b: int, rest: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return which triples violate weak and strong transitivity in any order of their members."""
    weak, strong = np.zeros(len(rest), bool), np.zeros(len(rest), bool)
    fixed = {"a": np.full(len(rest), a), "b": np.full(len(rest), b), "c": rest}
    for x, y, z in ("abc", "acb", "bac", "bca", "cab", "cba"):
        over, under = share[fixed[x], fixed[y]], share[fixed[y], fixed[z]]
        whole = share[fixed[x], fixed[z]]
        chain = (over >= 0.5) & (under >= 0.5)
        weak |= chain & (whole < 0.5)
        strong |= chain & (whole < np.maximum(over, under) - 1e-12)
    return weak, strong


def _complete_sets(votes: Votes) -> list[tuple[int, IntArray]]:
    """Return size and wins of every set of three or more conditions that one rater decided all pairs of."""
    low, high, value = _turned(votes)
    owner = votes.rater.astype(np.int64) * max(len(votes.pictures), 1) + votes.picture
    order = np.argsort(owner, kind="stable")
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    sets: list[tuple[int, IntArray]] = []
    for rows in np.split(order, starts[1:]):
        members = np.unique(np.concatenate([low[rows], high[rows]]))
        _, once = np.unique(low[rows] * len(votes.conditions) + high[rows], return_index=True)
        rows = rows[once]
        size = len(members)
        if size < 3 or len(rows) != size * (size - 1) // 2 or (value[rows] == 1).any():
            continue
        winners = np.where(value[rows] == FIRST, low[rows], high[rows])
        sets.append((size, np.bincount(np.searchsorted(members, winners), minlength=size)))
    return sets
