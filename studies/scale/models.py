"""Paired comparison models: the probabilities of first, no preference and second from a difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri

FloatArray: TypeAlias = NDArray[np.float64]

ModelName: TypeAlias = Literal["bradley-terry", "davidson", "thurstone", "threshold-probit", "rao-kupper"]

JOD = float(1.0 / ndtri(0.75))
"""JOD in a standard deviation of a difference: 1 JOD is a 75 % preference (Perez-Ortiz, Mantiuk 2017)."""

_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Probabilities and the derivatives of their logarithms; axis 0 runs over the model's outcomes."""

    probability: FloatArray
    by_difference: FloatArray
    """d log p / d difference."""
    by_tie: FloatArray | None
    """d log p / d tie parameter; None in a model without ties."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model of paired comparison; differences include the order effect."""

    name: ModelName
    unit: Literal["log-worth", "JOD"]
    per_unit: float
    """The scale's unit in the model's own: multiply the model's values by it."""
    ties: bool
    """Whether 'no preference' is an outcome; a model without drops such votes."""
    tie_above_zero: bool
    """Whether the tie parameter must be positive: a threshold, not a logarithm."""
    answers: Callable[[FloatArray, FloatArray], Answers]
    """From differences and tie parameters of shapes that broadcast."""

    @property
    def outcomes(self) -> tuple[int, ...]:
        """Return which of the three counts the model explains."""
        return (0, 1, 2) if self.ties else (0, 2)

    def probabilities(self, difference: FloatArray, tie: FloatArray | float = 0.0) -> FloatArray:
        """Return P(first), P(no preference), P(second), shape (3, ...)."""
        probability = self.answers(
            np.asarray(difference, np.float64), np.asarray(tie, np.float64)
        ).probability
        return (
            probability
            if self.ties
            else np.stack([probability[0], np.zeros_like(probability[0]), probability[1]])
        )

    def tie_start(self, share: float) -> float:
        """Return the tie parameter that gives this share of ties between equals."""
        if not self.ties:
            return 0.0
        share = min(max(share, 0.01), 0.99)
        if self.name == "davidson":
            return float(np.log(2.0 * share / (1.0 - share)))
        if self.name == "rao-kupper":
            return float(np.log((1.0 + share) / (1.0 - share)))
        return float(ndtri((1.0 + share) / 2.0))


def _bradley_terry(difference: FloatArray, _: FloatArray) -> Answers:
    first, second = expit(difference), expit(-difference)
    return Answers(np.stack([first, second]), np.stack([second, -first]), None)


def _thurstone(difference: FloatArray, _: FloatArray) -> Answers:
    first, second = ndtr(difference), ndtr(-difference)
    density = _normal(difference)
    slopes = [density / np.maximum(first, _TINY), -density / np.maximum(second, _TINY)]
    return Answers(np.stack([first, second]), np.stack(slopes), None)


def _davidson(difference: FloatArray, tie: FloatArray) -> Answers:
    half = np.clip(difference, -600.0, 600.0) / 2.0
    weights = np.stack([np.exp(half), np.broadcast_to(np.exp(tie), half.shape), np.exp(-half)])
    probability = weights / weights.sum(0)
    lean = (probability[0] - probability[2]) / 2.0
    tied = probability[1]
    return Answers(
        probability, np.stack([0.5 - lean, -lean, -0.5 - lean]), np.stack([-tied, 1.0 - tied, -tied])
    )


def _threshold(
    distribution: Callable[[FloatArray], FloatArray], density: Callable[[FloatArray], FloatArray]
) -> Callable[[FloatArray, FloatArray], Answers]:
    def answers(difference: FloatArray, tie: FloatArray) -> Answers:
        low, high = difference - tie, difference + tie
        first, second = distribution(low), distribution(-high)
        # From the side where the numbers are small, so that digits are kept far from zero.
        between = np.where(
            difference > 0, distribution(-low) - second, distribution(high) - distribution(low)
        )
        probability = np.maximum(np.stack([first, between, second]), _TINY)
        at_low, at_high = density(low), density(high)
        by_difference = np.stack([at_low, at_high - at_low, -at_high]) / probability
        by_tie = np.stack([-at_low, at_high + at_low, -at_high]) / probability
        return Answers(probability, by_difference, by_tie)

    return answers


def _normal(x: FloatArray) -> FloatArray:
    return np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi)


def _logistic(x: FloatArray) -> FloatArray:
    return expit(x) * expit(-x)


BRADLEY_TERRY = Model("bradley-terry", "log-worth", 1.0, False, False, _bradley_terry)
DAVIDSON = Model("davidson", "log-worth", 1.0, True, False, _davidson)
THURSTONE = Model("thurstone", "JOD", JOD, False, False, _thurstone)
THRESHOLD_PROBIT = Model("threshold-probit", "JOD", JOD, True, True, _threshold(ndtr, _normal))
RAO_KUPPER = Model("rao-kupper", "log-worth", 1.0, True, True, _threshold(expit, _logistic))

MODELS: Mapping[ModelName, Model] = MappingProxyType(
    {model.name: model for model in (BRADLEY_TERRY, DAVIDSON, THURSTONE, THRESHOLD_PROBIT, RAO_KUPPER)}
)


def choose_model(unit: Literal["log-worth", "JOD"], has_ties: bool) -> Model:
    """Return the model of a unit that suits the answers: with ties where 'no preference' was answered."""
    if unit == "JOD":
        return THRESHOLD_PROBIT if has_ties else THURSTONE
    return DAVIDSON if has_ties else BRADLEY_TERRY
