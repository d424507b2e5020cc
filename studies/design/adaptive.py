"""Choose the pairs that are expected to be most informative, given the votes so far.

Both look at conditions over all pictures, as the scale does, and then choose a picture for each pair. 'No
preference' counts as half a win for either here, as does a trial whose answer is still out: so a pair that
somebody is looking at promises less, and another one is asked for. That is for choosing only; the scale fits
ties as what they are.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .asap import FloatArray, information_gain, posterior, spanning_tree
from .design import BoolArray, Choice, IntArray, Pairs, PairTotals

LEAST_BATCH = 16
"""Pairs proposed at a time, if there are so many: what raters use up until the next batch is ready."""
REACH = 3
"""How many places apart neighbours in the order may stand."""


class Asap:
    """The pairs of most expected information that link all conditions (ASAP's batch mode).

    Source: see ``asap.py``. A batch is one spanning tree, or several where there are few conditions, each
    made as if the answers to those before it were out.
    """

    adaptive = True

    def choose(
        self,
        pairs: Pairs,
        pair_totals: PairTotals,
        open_pairs: BoolArray,
        count: int,
        generator: np.random.Generator,
    ) -> list[Choice]:
        """Return a batch of trees, in each the most telling pair first; arguments as in `Design.choose`."""
        board = _Board(pairs, pair_totals, open_pairs, generator)
        while len(board.chosen) < min(count, LEAST_BATCH):
            first, second = board.matchups()
            if not len(first):
                break
            gain = information_gain(board.wins, first, second)
            # Equal gains, as all are at the start, in random order.
            gain *= 1 + 1e-9 * generator.random(len(gain))
            for row in spanning_tree(first, second, gain):
                board.take(int(first[row]), int(second[row]))
        return board.choices()


class Swiss:
    """Neighbours in the order so far, as in a Swiss tournament; who met most already meets others first.

    A round pairs each condition once, from the top: with the one met least among the nearest below that
    have no opponent yet.
    """

    adaptive = True

    def choose(
        self,
        pairs: Pairs,
        pair_totals: PairTotals,
        open_pairs: BoolArray,
        count: int,
        generator: np.random.Generator,
    ) -> list[Choice]:
        """Return some rounds, the pairs of each in random order; arguments as in `Design.choose`."""
        board = _Board(pairs, pair_totals, open_pairs, generator)
        while len(board.chosen) < min(count, LEAST_BATCH):
            opponents = _opponents(board, generator)
            if not opponents:
                break
            for place in generator.permutation(len(opponents)):
                board.take(*opponents[place])
        return board.choices()


def _opponents(board: _Board, generator: np.random.Generator) -> list[tuple[int, int]]:
    """Return the pairs of one round."""
    allowed = np.zeros(board.wins.shape, np.bool_)
    first, second = board.matchups()
    allowed[first, second] = allowed[second, first] = True
    met = board.wins + board.wins.T
    shuffled = generator.permutation(len(met))
    waiting = [
        int(condition)
        for condition in shuffled[np.argsort(-posterior(board.wins).mean[shuffled], kind="stable")]
    ]
    opponents: list[tuple[int, int]] = []
    while waiting:
        upper = waiting.pop(0)
        below = [condition for condition in waiting if allowed[upper, condition]][:REACH]
        if below:
            lower = min(below, key=lambda condition: met[upper, condition])
            waiting.remove(lower)
            opponents.append((min(upper, lower), max(upper, lower)))
    return opponents


class _Board:
    """What stands while a batch is put together: pairs that are taken count as given."""

    def __init__(
        self, pairs: Pairs, pair_totals: PairTotals, open_pairs: BoolArray, generator: np.random.Generator
    ) -> None:
        self.chosen: list[int] = []
        self.wins = _wins(pairs, pair_totals)
        self._pairs = pairs
        self._generator = generator
        self._given = pair_totals.given.copy()
        self._load = np.bincount(pairs.content, pair_totals.given, pairs.content.max(initial=0) + 1)
        self._part = _parts(pairs, pair_totals.given)
        self._rows: dict[tuple[int, int], list[int]] = {}
        for row in np.flatnonzero(open_pairs):
            self._rows.setdefault((int(pairs.first[row]), int(pairs.second[row])), []).append(int(row))

    def matchups(self) -> tuple[IntArray, IntArray]:
        """Return the conditions that can still be compared, as two columns."""
        first, second = np.array(list(self._rows), np.int64).reshape(-1, 2).T
        return first, second

    def take(self, first: int, second: int) -> None:
        """Choose these conditions, in the picture that needs the pair most."""
        rows = np.array(self._rows[first, second])
        row = int(rows[np.lexsort(self._wishes(rows))[0]])
        self._rows[first, second].remove(row)
        if not self._rows[first, second]:
            del self._rows[first, second]
        self.chosen.append(row)
        self._given[row] += 1
        self._load[self._pairs.content[row]] += 1
        self.wins[first, second] += 0.5
        self.wins[second, first] += 0.5

    def _wishes(self, rows: IntArray) -> tuple[FloatArray | IntArray | BoolArray, ...]:
        """Return what speaks against each row, the weightiest last."""
        content = self._pairs.content[rows]
        # A rate saving can be told for a picture only once its own votes link its conditions.
        linked = self._part[content, self._pairs.first[rows]] == self._part[content, self._pairs.second[rows]]
        return self._generator.random(len(rows)), self._load[content], self._given[rows], linked

    def choices(self) -> list[Choice]:
        """Return what was chosen: certain, as a queue from which each is taken in turn."""
        return [Choice(row, 1.0) for row in self.chosen]


def _wins(pairs: Pairs, pair_totals: PairTotals) -> FloatArray:
    size = int(pairs.second.max(initial=0)) + 1
    wins = np.zeros((size, size))
    half = (pair_totals.given - pair_totals.first_won - pair_totals.second_won) / 2
    np.add.at(wins, (pairs.first, pairs.second), pair_totals.first_won + half)
    np.add.at(wins, (pairs.second, pairs.first), pair_totals.second_won + half)
    return wins


def _parts(pairs: Pairs, given: IntArray) -> IntArray:
    """Return for each picture and condition which part of the picture's graph it is in."""
    contents, conditions = int(pairs.content.max(initial=0)) + 1, int(pairs.second.max(initial=0)) + 1
    compared = given > 0
    ends = pairs.content * conditions + pairs.first, pairs.content * conditions + pairs.second
    links = (np.ones(int(compared.sum())), (ends[0][compared], ends[1][compared]))
    _, part = connected_components(sparse.coo_matrix(links, (contents * conditions,) * 2), directed=False)
    return part.reshape(contents, conditions)
