"""Estimate a bit's probability from its contexts: adaptive statistics, mixed by how well each predicted.

Each input keeps, for every context it meets, an adaptive probability and how often the context came. The
probabilities are mixed in the logistic domain with weights that learn from every bit (M. Mahoney, "Adaptive
weighing of context models for lossless data compression", 2005); here a weight is chosen by how often the
context was met. All in integers, so that encoder and decoder agree on every machine.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .arithmetic import ONE, PROBABILITY_BITS

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from .arithmetic import Coder

_LOGIT_STEPS = 256
"""Steps of the logistic domain to one unit of the natural logarithm."""
_LOGIT_BOUND = 2047


def _squash(logit: int) -> int:
    # Decimal rounds correctly by its specification, which the exponential of a C library need not.
    return round(ONE / (1 + (-Decimal(logit) / _LOGIT_STEPS).exp()))


_PROBABILITIES = [_squash(logit) for logit in range(-_LOGIT_BOUND, _LOGIT_BOUND + 1)]


def _invert() -> list[int]:
    logits: list[int] = []
    at = 0
    for part in range(4096):
        while at < 2 * _LOGIT_BOUND and _PROBABILITIES[at] < 16 * part + 8:
            at += 1
        logits.append(at - _LOGIT_BOUND)
    return logits


_LOGITS = _invert()
"""The logit of a probability by its upper twelve bits."""

_STATE_BITS = 22
"""Precision of the probability of one context; its upper twelve bits choose the logit."""
_COUNT_BITS = 8
_MOST = (1 << _COUNT_BITS) - 1
"""Largest count of a context: from there on its statistics forget, at this pace."""
_LOGIT_SHIFT = _STATE_BITS - 12 + _COUNT_BITS
"""What takes a state to the upper twelve bits of its probability."""
_DOUBTS = [2 * count + 3 for count in range(_MOST + 1)]
"""Twice by how much a count divides a step: the mean of what was seen, with one and a half bits of doubt."""
_UNSEEN = 1 << (_STATE_BITS - 1 + _COUNT_BITS)
"""State of a context that was never met: probability one half, count 0."""
_LEVELS = [min(count.bit_length(), 5) for count in range(_MOST + 1)]
"""The weight that a count chooses."""
_WEIGHT_BITS = 16
_LEARNING_SHIFT = 13
"""Halves of a weight's learning step."""


class Model:
    """Predicts bits from the contexts each of them comes in, and learns from what they were.

    Args:
        inputs: Number of contexts given with every bit.
    """

    def __init__(self, inputs: int) -> None:
        self._tables: list[dict[Hashable, int]] = [{} for _ in range(inputs)]
        # Together a little more than one, as inputs that agree are surer than each of them.
        self._weights = [[(3 << _WEIGHT_BITS) // (2 * inputs)] * 6 for _ in range(inputs)]

    def copy(self) -> Model:
        """Return a model that has learned the same and goes on for itself."""
        other = Model(len(self._tables))
        other._tables = [table.copy() for table in self._tables]
        other._weights = [weights.copy() for weights in self._weights]
        return other

    def code(self, coder: Coder, contexts: Sequence[Hashable], bit: int | None = None) -> int:
        """Write a bit with an encoder, or read one with a decoder; return it and learn from it.

        Args:
            coder: Takes or gives the bit.
            contexts: One for each input.
            bit: For an encoder; None for a decoder.
        """
        total = 0
        met: list[tuple[dict[Hashable, int], list[int], Hashable, int, int, int]] = []
        for table, weights, context in zip(self._tables, self._weights, contexts, strict=True):
            state = table.get(context, _UNSEEN)
            level = _LEVELS[state & _MOST]
            logit = _LOGITS[state >> _LOGIT_SHIFT]
            total += weights[level] * logit
            met.append((table, weights, context, state, level, logit))
        logit = min(max(total >> _WEIGHT_BITS, -_LOGIT_BOUND), _LOGIT_BOUND)
        probability = _PROBABILITIES[logit + _LOGIT_BOUND]
        bit = coder.code(probability, bit)
        error = (bit << PROBABILITY_BITS) - probability
        certain = bit << _STATE_BITS
        # In line, and not a function of its own: this is run three times for each cell of an edge map.
        for table, weights, context, state, level, logit in met:
            count, likely = state & _MOST, state >> _COUNT_BITS
            likely += (certain - likely) * 2 // _DOUBTS[count]
            table[context] = likely << _COUNT_BITS | (count + 1 if count < _MOST else _MOST)
            weights[level] += logit * error >> _LEARNING_SHIFT
        return bit
