"""Simulate the votes of a study from assumptions about conditions, raters and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ..scale.models import JOD, THRESHOLD_PROBIT, FloatArray
from ..scale.pair_counts import IntArray
from ..scale.votes import Kind, Votes


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a planned study is taken to be like; values in JOD."""

    scale: Mapping[str, float]
    """By condition: what an average rater sees in an average picture."""
    raters: int = 20
    pictures: int = 12
    votes_per_rater: int | None = None
    """None: every pair of every picture once. More than that starts again."""
    tie_rate: float = 0.0
    """P(no preference) between equals; 0 where the answer is not allowed."""
    lapse_rate: float = 0.02
    """Share of answers given without looking: any answer equally likely."""
    rater_spread: float = 0.5
    """Standard deviation over raters of a condition's value."""
    picture_spread: float = 0.5
    """Standard deviation over pictures of a condition's value."""
    order_effect: float = 0.0
    """Added where a condition is shown first."""


@dataclass(frozen=True, slots=True, eq=False)
class Deviations:
    """How raters and pictures differ from the average, JOD."""

    by_rater: FloatArray
    """Shape (raters, conditions)."""
    by_picture: FloatArray
    """Shape (pictures, conditions)."""


def deviations(assumed: Assumptions, random: np.random.Generator) -> Deviations:
    """Return normal deviations, drawn anew."""
    conditions = len(assumed.scale)
    return Deviations(
        random.normal(0.0, assumed.rater_spread, (assumed.raters, conditions)),
        random.normal(0.0, assumed.picture_spread, (assumed.pictures, conditions)),
    )


def simulate_votes(
    assumed: Assumptions, random: np.random.Generator, drawn: Deviations | None = None
) -> Votes:
    """Return one study's votes; sides are random, and each rater gets a random part of the pairs.

    An answer is that of the threshold probit: the difference on the rater's own scale for this picture plus
    normal noise, 'no preference' within a threshold; or a lapse.

    Args:
        assumed: Scale, spreads, lapses and numbers of the study.
        random: The source of all chance.
        drawn: Deviations of raters and pictures to use again; drawn anew where None.
    """
    drawn = drawn or deviations(assumed, random)
    rater, picture, first, second = _trials(assumed, random)
    scale = np.array(list(assumed.scale.values()))
    own = scale[first] - scale[second] + assumed.order_effect
    own = own + drawn.by_rater[rater, first] - drawn.by_rater[rater, second]
    own = own + drawn.by_picture[picture, first] - drawn.by_picture[picture, second]
    outcome = answers(own / JOD, assumed, random)
    return Votes(
        tuple(f"rater {index + 1}" for index in range(assumed.raters)),
        tuple(f"picture {index + 1}" for index in range(assumed.pictures)),
        tuple(assumed.scale),
        rater.astype(np.int32),
        picture.astype(np.int32),
        first.astype(np.int32),
        second.astype(np.int32),
        outcome,
        np.full(len(rater), Kind.PLAIN, np.int8),
        np.full(len(rater), np.nan, np.float32),
    )


def _trials(
    assumed: Assumptions, random: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return rater, picture, first and second of every trial."""
    low, high = np.triu_indices(len(assumed.scale), 1)
    full = len(low) * assumed.pictures
    wanted = assumed.votes_per_rater or full
    rounds = -(-wanted // full)
    chosen = np.concatenate(
        [
            np.concatenate([random.permutation(full) for _ in range(rounds)])[:wanted]
            for _ in range(assumed.raters)
        ]
    )
    rater = np.repeat(np.arange(assumed.raters), wanted)
    picture, pair = np.divmod(chosen, len(low))
    turned = random.random(len(chosen)) < 0.5
    first = np.where(turned, high[pair], low[pair])
    return rater, picture, first, np.where(turned, low[pair], high[pair])


def threshold(tie_rate: float) -> float:
    """Return the threshold, in standard deviations of a difference, at which equals tie at a rate."""
    return float(ndtri((1.0 + tie_rate) / 2.0))


def answers(
    difference: FloatArray, assumed: Assumptions, random: np.random.Generator
) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """Return an outcome for each difference of first minus second, in standard deviations: 1, 0 or -1.

    Args:
        difference: First minus second, in standard deviations of the noise; any shape.
        assumed: Threshold of 'no preference', order effect and lapses.
        random: The source of all chance.
    """
    probability = THRESHOLD_PROBIT.probabilities(difference, threshold(assumed.tie_rate))
    lapse = np.array([1.0, float(assumed.tie_rate > 0), 1.0])[:, None]
    probability = (1 - assumed.lapse_rate) * probability + assumed.lapse_rate * lapse / lapse.sum()
    drawn = random.random(len(difference)) * probability.sum(0)
    return (1 - (drawn > probability[0]) - (drawn > probability[0] + probability[1])).astype(np.int8)
