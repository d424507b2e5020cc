"""Choose which pairs a rater compares, on which side each picture stands, and in which order they come.

A design is a plug-in: see `Design`. Two are here, the adaptive ones in ``adaptive.py``; other packages may
register more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...plugins import Plugin, find_plugins

if TYPE_CHECKING:
    from collections.abc import Mapping

IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

GROUP = "codecarena.designs"
"""Entry point group under which other packages register a design class."""


class DesignError(ValueError):
    """A design cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The pairs that a plan compares, as columns; a pair is known by its row."""

    content: IntArray
    """Shape (pairs,): which picture, 0 to contents - 1."""
    first: IntArray
    """Which condition, 0 to conditions - 1; first < second."""
    second: IntArray

    def __len__(self) -> int:
        return len(self.content)


@dataclass(frozen=True, slots=True, eq=False)
class PairTotals:
    """What is known of each pair by now; trials of the design only, never golden ones or repeats."""

    given: IntArray
    """Shape (pairs,): votes, and trials given out whose lease runs."""
    first_won: IntArray
    second_won: IntArray
    ties: IntArray

    def turned(self) -> PairTotals:
        """Return what the same answers mean where the question asks for the worse picture."""
        return replace(self, first_won=self.second_won, second_won=self.first_won)


@dataclass(frozen=True, slots=True)
class Choice:
    """A pair that a design wants compared."""

    pair: int
    """Row of `Pairs`."""
    probability: float
    """That it was chosen where it was, given what was known: above 0, at most 1."""


class Design(Protocol):
    """Which pairs to compare.

    The caller owns leases, sides, order, golden trials and repeats, and the random share of adaptive
    designs. A design keeps no state: the same arguments give the same choice.
    """

    adaptive: bool
    """True: `choose` runs in the background with every pair open and an exact `PairTotals`; raters are given
    its choices in order, each once, until the next batch replaces them. It may take seconds.
    False: `choose` runs in a rater's request, with the pairs open that the rater has not had and the three
    columns of answers all 0. It must be quick."""

    def choose(
        self,
        pairs: Pairs,
        pair_totals: PairTotals,
        open_pairs: BoolArray,
        count: int,
        generator: np.random.Generator,
    ) -> list[Choice]:
        """Return different open pairs, the most wanted first: ``count`` of them, or all where fewer are open.

        An adaptive design may return fewer or more: a batch.

        Args:
            pairs: Every pair of the study.
            pair_totals: What is known of each pair by now.
            open_pairs: Which of them this rater may get, shape (pairs,).
            count: How many pairs are wanted; a batch of an adaptive design may have more or fewer.
            generator: The source of all chance.
        """
        ...


class Full:
    """Everybody compares every pair, or a random part of them."""

    adaptive = False

    def choose(
        self,
        pairs: Pairs,  # noqa: ARG002 - the protocol's
        pair_totals: PairTotals,  # noqa: ARG002
        open_pairs: BoolArray,
        count: int,
        generator: np.random.Generator,
    ) -> list[Choice]:
        """Return open pairs drawn at random without putting back; arguments as in `Design.choose`."""
        rows = np.flatnonzero(open_pairs)
        drawn = generator.permutation(rows)[:count]
        probability = min(1.0, count / len(rows)) if len(rows) else 1.0
        return [Choice(int(row), probability) for row in drawn]


class BalancedIncomplete:
    """Each rater compares a part; pairs, and within a rater pictures and conditions, come equally often.

    The classic tables of balanced incomplete blocks exist for few sizes and break when a rater leaves. This
    draws, one by one, among the pairs given least so far those whose picture and conditions this rater has
    had least: counts of pairs differ by at most one while everybody finishes, for any size.
    """

    adaptive = False

    def choose(
        self,
        pairs: Pairs,
        pair_totals: PairTotals,
        open_pairs: BoolArray,
        count: int,
        generator: np.random.Generator,
    ) -> list[Choice]:
        """Return pairs given least so far, over pictures and conditions; arguments as in `Design.choose`."""
        still_open = open_pairs.copy()
        pictures = np.zeros(int(pairs.content.max(initial=0)) + 1, np.int64)
        conditions = np.zeros(int(pairs.second.max(initial=0)) + 1, np.int64)
        chosen: list[Choice] = []
        for _ in range(min(count, int(open_pairs.sum()))):
            rows = np.flatnonzero(still_open)
            rows = _least(rows, pair_totals.given[rows])
            rows = _least(rows, pictures[pairs.content[rows]])
            rows = _least(rows, conditions[pairs.first[rows]] + conditions[pairs.second[rows]])
            row = int(generator.choice(rows))
            chosen.append(Choice(row, 1 / len(rows)))
            still_open[row] = False
            pictures[pairs.content[row]] += 1
            conditions[[pairs.first[row], pairs.second[row]]] += 1
        return chosen


def _least(rows: IntArray, cost: IntArray) -> IntArray:
    return rows[cost == cost.min()]


_DESIGNS = {
    "full": ".design:Full",
    "balanced-incomplete": ".design:BalancedIncomplete",
    "swiss": ".adaptive:Swiss",
    "asap": ".adaptive:Asap",
}


@cache
def _plugins() -> Mapping[str, Plugin]:
    return find_plugins(GROUP, _DESIGNS.keys())


def design_names() -> list[str]:
    """Return the names of all designs: ours, then those of other packages."""
    return list(dict.fromkeys([*_DESIGNS, *_plugins()]))


def find_design(name: str) -> Design:
    """Return the design of this name; a module is loaded when its design is first asked for.

    Raises:
        DesignError: The name is unknown or claimed by two packages, or a package's design does not load.
    """
    plugin = _plugins().get(name)
    if plugin is None and name in _DESIGNS:
        module, _, kind = _DESIGNS[name].partition(":")
        return getattr(import_module(module, __package__), kind)()
    if plugin is None:
        raise DesignError(f"no design is named {name!r}; expected one of {', '.join(design_names())}")
    if plugin.clash:
        raise DesignError(f"design {name!r}: {plugin.clash}")
    try:
        return plugin.load()()
    except Exception as error:
        raise DesignError(
            f"design {name!r} ({plugin.path}, {plugin.package}) does not load: {error!r}"
        ) from error


def with_random_share(
    wanted: list[Choice],
    pairs: Pairs,
    open_pairs: BoolArray,
    count: int,
    share: float,
    generator: np.random.Generator,
    before: int | None = None,
) -> list[Choice]:
    """Return ``count`` open pairs: each wanted one in turn, or with a chance of ``share`` one at random.

    Fit and heterogeneity can be tested on the random part only, because its pairs were not picked for their
    answers. A stored probability is that of the mixture. Where nothing is wanted all are random. No picture
    is chosen more often than an order in which none follows itself has room for, as far as others are open.

    Args:
        wanted: The queue of an adaptive design.
        pairs: The plan's.
        open_pairs: Which of them may be chosen.
        count: How many trials the rater gets.
        share: Part of them at random.
        generator: The choice's randomness.
        before: Picture of the trial that came last, if it is known.
    """
    still_open = open_pairs.copy()
    room = _room(pairs, count, before)
    chosen: list[Choice] = []
    for _ in range(min(count, int(open_pairs.sum()))):
        apart_ones = still_open & (room[pairs.content] > 0)
        picked = _one_of(wanted, apart_ones if apart_ones.any() else still_open, share, generator)
        chosen.append(picked)
        still_open[picked.pair] = False
        room[pairs.content[picked.pair]] -= 1
    return chosen


def _room(pairs: Pairs, count: int, before: int | None) -> IntArray:
    """Return how often each picture fits into so many trials without following itself."""
    pictures = int(pairs.content.max(initial=0)) + 1
    if before is None:
        # Whatever came before.
        return np.full(pictures, max(1, count // 2), np.int64)
    room = np.full(pictures, (count + 1) // 2, np.int64)
    room[before] = count // 2
    return room


def _one_of(
    wanted: list[Choice], open_pairs: BoolArray, share: float, generator: np.random.Generator
) -> Choice:
    front = next((choice for choice in wanted if open_pairs[choice.pair]), None)
    rows = np.flatnonzero(open_pairs)
    if front is None:
        return Choice(int(generator.choice(rows)), 1 / len(rows))
    wish = (1 - share) * front.probability
    if generator.random() >= share:
        return Choice(front.pair, min(1.0, wish + share / len(rows)))
    row = int(generator.choice(rows))
    return Choice(row, min(1.0, share / len(rows) + (wish if row == front.pair else 0.0)))


def left_first(
    first: IntArray, second: IntArray, balance: IntArray, generator: np.random.Generator
) -> BoolArray:
    """Return for each pair of one rater whether its first condition stands left.

    The pairs, seen as edges between conditions, are cut into closed walks, and a leftover of open ones; along
    a walk each condition stands as often left as right, whichever way it is walked. So within the rater every
    condition is left half of the time (to within one), and each walk's direction is free to even out the
    sides of its pairs over all raters.

    Args:
        first: Condition of each pair, shape (pairs,).
        second: Likewise.
        balance: Over all raters so far: how often the first stood left, less how often right.
        generator: Decides where the balance does not.
    """
    forward = np.zeros(len(first), np.bool_)
    for walk in _walks(first, second):
        rows = np.array([row for row, _ in walk])
        ways = np.array([along for _, along in walk])
        # Positive: the first ones of this walk, as it stands, have been left too often.
        excess = int((balance[rows] * np.where(ways, 1, -1)).sum())
        turn = excess > 0 or (excess == 0 and generator.random() < 0.5)
        forward[rows] = ways ^ turn
    return forward


def _walks(first: IntArray, second: IntArray) -> list[list[tuple[int, bool]]]:
    """Return walks that use each edge once: (row, whether walked from first to second)."""
    edges: dict[int, list[int]] = {}
    for row in range(len(first)):
        edges.setdefault(int(first[row]), []).append(row)
        edges.setdefault(int(second[row]), []).append(row)
    free = set(range(len(first)))
    walks: list[list[tuple[int, bool]]] = []
    # Ends of odd degree first: what remains after their walks closes upon itself.
    odd = [node for node, rows in sorted(edges.items()) if len(rows) % 2]
    for start in [*odd, *sorted(edges)]:
        while walk := _walk(start, first, second, edges, free, closes=start not in odd):
            walks.append(walk)
            if start in odd:
                break
    return walks


def _walk(
    start: int,
    first: IntArray,
    second: IntArray,
    edges: dict[int, list[int]],
    free: set[int],
    *,
    closes: bool,
) -> list[tuple[int, bool]]:
    walk: list[tuple[int, bool]] = []
    node = start
    while True:
        while edges[node] and edges[node][-1] not in free:
            edges[node].pop()
        if not edges[node]:
            break
        row = edges[node].pop()
        free.discard(row)
        along = bool(first[row] == node)
        walk.append((row, along))
        node = int(second[row] if along else first[row])
        if closes and node == start:
            break
    return walk


def apart(content: IntArray, before: int | None, generator: np.random.Generator) -> IntArray:
    """Return a random order of trials in which no picture follows itself, as far as there is one.

    Args:
        content: Picture of each trial, shape (trials,).
        before: Picture of the trial that came last, if any.
        generator: The order's randomness.
    """
    left: dict[int, list[int]] = {}
    for row in generator.permutation(len(content)):
        left.setdefault(int(content[row]), []).append(int(row))
    order: list[int] = []
    for remaining in range(len(content), 0, -1):
        others = [picture for picture in left if picture != before] or list(left)
        most = max(left, key=lambda picture: len(left[picture]))
        # A picture that fills half of what is left must come now, or it follows itself later.
        must = 2 * len(left[most]) > remaining and most in others
        weights = np.array([len(left[picture]) for picture in others], float)
        before = most if must else others[int(generator.choice(len(others), p=weights / weights.sum()))]
        order.append(left[before].pop())
        if not left[before]:
            del left[before]
    return np.array(order, np.int64)
