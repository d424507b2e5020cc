"""Infer the posterior of each condition from wins, and the information gain of one more vote (ASAP).

The model and the gain are those of ASAP (Mikhailiuk et al., "Active Sampling for Pairwise Comparisons via
Approximate Message Passing and Information Gain Maximization", ICPR 2020): each condition has a Gaussian
score of prior variance 1/2, one beats another when their difference plus noise of variance 1 is above 0, and
the posterior comes from message passing (TrueSkill's). Equal votes send equal messages, so each ordered pair
is one factor with a count: time does not grow with votes, and a count need not be whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import erfcx, ndtr

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

PRIOR_VARIANCE = 0.5
SWEEPS = 6
"""The paper's code stops after so many."""
MOST_SWEEPS = 100
SWEEPS_AGAIN = 4
"""For one more vote: as many as the paper's code, but from where the others have settled."""
COLUMNS = 128
"""Further votes tried together: as many as a processor's cache has room for."""


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs:
    """Independent Gaussians, one a condition."""

    mean: FloatArray
    """Shape (conditions,), in standard deviations of the noise of one answer."""
    variance: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Messages:
    """What each factor says of its two conditions: Gaussians as precision, and precision times mean."""

    winner_precision: FloatArray
    winner_shift: FloatArray
    loser_precision: FloatArray
    loser_shift: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Factors:
    """The ordered pairs with a count above 0."""

    winner: IntArray
    loser: IntArray
    to_winner: sparse.csr_matrix
    """Shape (conditions, factors): the count where the condition is the factor's winner."""
    to_loser: sparse.csr_matrix

    def sums(self, messages: _Messages) -> tuple[FloatArray, FloatArray]:
        """Return precision and shift of each condition, shape (conditions, columns)."""
        precision = self._sum(messages.winner_precision, messages.loser_precision)
        return precision + 1 / PRIOR_VARIANCE, self._sum(messages.winner_shift, messages.loser_shift)

    def _sum(self, winner: FloatArray, loser: FloatArray) -> FloatArray:
        return np.asarray(self.to_winner @ winner + self.to_loser @ loser, np.float64)


def posterior(wins: FloatArray) -> Beliefs:
    """Return what is believed of each condition.

    Args:
        wins: Shape (conditions, conditions): how often the row's condition beat the column's; parts count.
    """
    factors = _factors(wins)
    precision, shift = factors.sums(_settle(factors))
    return _beliefs(precision[:, 0], shift[:, 0])


def information_gain(wins: FloatArray, first: IntArray, second: IntArray) -> FloatArray:
    """Return how much one more vote on each of these pairs tells, in nats, before its answer is known.

    It is the mean, over both answers, of the divergence of the beliefs after it from those before.

    Args:
        wins: As of `posterior`.
        first: One condition of each pair, shape (pairs,).
        second: The other.
    """
    factors = _factors(wins)
    messages = _settle(factors)
    # Swept as often as with a further vote, so that what has not quite settled does not count as told.
    calm = messages
    for _ in range(SWEEPS_AGAIN):
        calm = _sweep(factors, calm, *factors.sums(calm))
    precision, shift = factors.sums(calm)
    before = _beliefs(precision[:, 0], shift[:, 0])
    divergence = [
        _divergences(factors, messages, before, winner, loser)
        for winner, loser in ((first, second), (second, first))
    ]
    spread = np.sqrt(1 + before.variance[first] + before.variance[second])
    first_wins = ndtr((before.mean[first] - before.mean[second]) / spread)
    return first_wins * divergence[0] + (1 - first_wins) * divergence[1]


def spanning_tree(first: IntArray, second: IntArray, gain: FloatArray) -> IntArray:
    """Return the rows of the pairs that link all conditions and tell most, the most telling first.

    Where the pairs link no further there is a tree for each part.

    Args:
        first: Index of each pair's first condition, shape (pairs,).
        second: Of its second condition.
        gain: Expected information of each pair; more tells more.
    """
    size = int(max(first.max(initial=0), second.max(initial=0))) + 1
    # Ranks for weights: a tree depends on their order only, and none of them can vanish.
    weight = np.empty(len(gain))
    weight[np.argsort(-gain, kind="stable")] = np.arange(1, len(gain) + 1)
    tree = sparse.csgraph.minimum_spanning_tree(sparse.csr_matrix((weight, (first, second)), (size, size)))
    row_of_rank = np.argsort(weight)
    return row_of_rank[np.sort(tree.data.astype(np.int64)) - 1]


def _beliefs(precision: FloatArray, shift: FloatArray) -> Beliefs:
    return Beliefs(shift / precision, 1 / precision)


def _factors(wins: FloatArray) -> _Factors:
    winner, loser = np.nonzero(wins)
    rows, shape = np.arange(len(winner)), (len(wins), len(winner))
    count = wins[winner, loser].astype(float)
    return _Factors(
        winner,
        loser,
        sparse.csr_matrix((count, (winner, rows)), shape),
        sparse.csr_matrix((count, (loser, rows)), shape),
    )


def _settle(factors: _Factors) -> _Messages:
    """Return messages, shape (factors, 1), after the paper's sweeps, and more where they still move.

    Thousands of votes on few pairs can make them swing for ever; half steps then calm them.
    """
    messages = _nothing((len(factors.winner), 1))
    precision, shift = factors.sums(messages)
    for sweep in range(MOST_SWEEPS):
        new = _sweep(factors, messages, precision, shift)
        messages = new if sweep < SWEEPS else _halfway(messages, new)
        before = shift / precision
        precision, shift = factors.sums(messages)
        moved = shift / precision - before
        # A move of all conditions together changes no difference; it dies out slowly and does not matter.
        if sweep >= SWEEPS - 1 and np.ptp(moved) < 0.02 * (precision**-0.5).min():
            break
    return messages


def _nothing(shape: tuple[int, ...]) -> _Messages:
    return _Messages(*(np.zeros(shape) for _ in range(4)))


def _halfway(first: _Messages, second: _Messages) -> _Messages:
    return _Messages(
        (first.winner_precision + second.winner_precision) / 2,
        (first.winner_shift + second.winner_shift) / 2,
        (first.loser_precision + second.loser_precision) / 2,
        (first.loser_shift + second.loser_shift) / 2,
    )


def _sweep(factors: _Factors, messages: _Messages, precision: FloatArray, shift: FloatArray) -> _Messages:
    """Return what all factors say anew, each having heard the others."""
    winner, loser = factors.winner, factors.loser
    return _say(messages, precision[winner], shift[winner], precision[loser], shift[loser])


def _say(
    said: _Messages,
    winner_precision: FloatArray,
    winner_shift: FloatArray,
    loser_precision: FloatArray,
    loser_shift: FloatArray,
) -> _Messages:
    """Return the factors' next messages, given what all, they included, say of their conditions.

    With the factor's own message taken out, the difference has mean m and variance v (noise included); that
    it is above 0 shrinks it by psi = phi(t) / Phi(t), t = m / sqrt(v), and w = psi (psi + t). The moments of
    the difference, passed on to either end, come down to the lines below.
    """
    winner_variance = 1 / (winner_precision - said.winner_precision)
    loser_variance = 1 / (loser_precision - said.loser_precision)
    winner_mean = (winner_shift - said.winner_shift) * winner_variance
    loser_mean = (loser_shift - said.loser_shift) * loser_variance
    variance = 1 + winner_variance + loser_variance
    root = np.sqrt(variance)
    t = (winner_mean - loser_mean) / root
    # phi / Phi by the scaled complementary error function: exact far out, where Phi underflows.
    psi = np.sqrt(2 / np.pi) / erfcx(t * -np.sqrt(0.5))
    w = psi * (psi + t)
    push = root * psi
    to_winner = 1 / (variance - w * winner_variance)
    to_loser = 1 / (variance - w * loser_variance)
    return _Messages(
        w * to_winner,
        (w * winner_mean + push) * to_winner,
        w * to_loser,
        (w * loser_mean - push) * to_loser,
    )


def _divergences(
    factors: _Factors, messages: _Messages, before: Beliefs, winner: IntArray, loser: IntArray
) -> FloatArray:
    """Return what each further vote, its answer given, would change: shape (votes,)."""
    parts = [slice(start, start + COLUMNS) for start in range(0, len(winner), COLUMNS)]
    return np.concatenate(
        [np.empty(0), *(_change(factors, messages, before, winner[part], loser[part]) for part in parts)]
    )


def _change(
    factors: _Factors, messages: _Messages, before: Beliefs, winner: IntArray, loser: IntArray
) -> FloatArray:
    """Return the divergence after one further vote, one in each column."""
    column = np.arange(len(winner))
    at_winner, at_loser = (winner, column), (loser, column)
    shape = (len(factors.winner), len(winner))
    heard = _Messages(*(np.broadcast_to(part, shape) for part in _parts(messages)))
    vote = _nothing(winner.shape)
    precision, shift = factors.sums(heard)
    for sweep in range(SWEEPS_AGAIN + 1):
        said = _say(vote, precision[at_winner], shift[at_winner], precision[at_loser], shift[at_loser])
        if sweep:
            heard = _sweep(factors, heard, precision, shift)
        vote = said
        precision, shift = factors.sums(heard)
        precision[at_winner] += vote.winner_precision
        shift[at_winner] += vote.winner_shift
        precision[at_loser] += vote.loser_precision
        shift[at_loser] += vote.loser_shift
    ratio = 1 / (precision * before.variance[:, None])
    moved = shift / precision - before.mean[:, None]
    return 0.5 * (ratio + moved**2 / before.variance[:, None] - 1 - np.log(ratio)).sum(0)


def _parts(messages: _Messages) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    return (
        messages.winner_precision,
        messages.winner_shift,
        messages.loser_precision,
        messages.loser_shift,
    )
