"""Test differences on a scale by scores at the hypothesis: valid where votes are (nearly) all one way.

An estimate over its standard error grows smaller the more one-sided the votes become (Hauck and Donner,
JASA 72, 1977; Yee, JASA 117, 2022). A score test asks the votes at the hypothesis, where nothing runs away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats

from .fisher_scoring import (
    ORDER,
    TIE_PARAMETER,
    Problem,
    answers_of,
    gradient_of,
    information_of,
    invertible,
    moved_by,
)
from .fit import Fit
from .models import Answers, FloatArray
from .pair_counts import IntArray, Tally
from .resampling import Scheme

_LONGEST_STEP = 3.0
_CALM_AFTER = 25
_STEPS = 60
_TOLERANCE = 1e-7
_BISECTIONS = 12
_NUMBERS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """What a test allows for: nothing, raters, or raters and pictures."""

    members: tuple[sparse.csr_matrix, ...]
    """Votes of each member by outcome and pair, shapes (members, 3 x pairs): none; raters; or raters,
    pictures and the two together."""
    freedom: float
    """Degrees of freedom: the raters, or the fewer of raters and pictures, less 1; infinite by vote."""


def clusters(counted: Tally | None, scheme: Scheme) -> Clusters:
    """Return what a test of these votes allows for."""
    if counted is None or scheme == "vote":
        return Clusters((), float("inf"))
    raters, pictures = len(counted.raters), len(counted.pictures)
    by_rater = _votes_of(counted, counted.rater, raters)
    if scheme == "rater":
        return Clusters((by_rater,), float(max(raters - 1, 1)))
    blocks, block = np.unique(counted.rater * pictures + counted.picture, return_inverse=True)
    members = by_rater, _votes_of(counted, counted.picture, pictures), _votes_of(counted, block, len(blocks))
    return Clusters(members, float(max(min(raters, pictures) - 1, 1)))


def _votes_of(counted: Tally, member: IntArray, members: int) -> sparse.csr_matrix:
    pairs = len(counted.pairs.first)
    places = (member, counted.outcome * pairs + counted.pair)
    return sparse.csr_matrix((counted.count, places), (members, 3 * pairs))


def contrasts(size: int, first: IntArray, second: IntArray) -> FloatArray:
    """Return first minus second for each pair of conditions, shape (pairs, size).

    Args:
        size: Number of the fit's parameters: of conditions, and two.
        first: Index of each pair's first condition.
        second: Of its second condition.
    """
    rows = np.arange(len(first))
    contrast = np.zeros((len(first), size))
    contrast[rows, first] = 1.0
    contrast[rows, second] = -1.0
    return contrast


def p_values(fitted: Fit, clustered: Clusters, contrast: FloatArray) -> FloatArray:
    """Return the two-sided p of each contrast being 0, shape (contrasts,), for contrasts by row.

    Args:
        fitted: The scale that the scores are taken at.
        clustered: Groups whose votes are not independent.
        contrast: Shape (contrasts, conditions + 2).
    """
    statistic = statistics(fitted, clustered, contrast, np.zeros(len(contrast)))
    return np.minimum(2.0 * stats.t.sf(np.abs(statistic), clustered.freedom), 1.0)


def statistics(fitted: Fit, clustered: Clusters, contrast: FloatArray, value: FloatArray) -> FloatArray:
    """Return t of each contrast having a value, shape (contrasts,): positive where it is larger.

    The scale is fitted with the contrast held at the value. The score along the contrast, freed of all other
    parameters, is divided by its standard error: clustered by raters and pictures (Cameron, Gelbach and
    Miller, JBES 29, 2011) after one step towards the estimate, and at least that of independent votes at
    the hypothesis.

    Args:
        fitted: The fit.
        clustered: What the error allows for.
        contrast: Shape (contrasts, conditions + 2): of the parameters; a condition alone is taken against
            the mean of its component.
        value: Shape (contrasts,), in the model's own unit.
    """
    contrast = contrast @ fitted.problem.centre
    at_once = max(1, _NUMBERS_AT_ONCE // (3 * len(fitted.problem.pairs.first) + contrast.shape[1] ** 2))
    parts = [
        _statistics(fitted, clustered, contrast[low : low + at_once], value[low : low + at_once])
        for low in range(0, len(contrast), at_once)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def _statistics(fitted: Fit, clustered: Clusters, contrast: FloatArray, value: FloatArray) -> FloatArray:
    problem = fitted.problem
    parameters = _held(fitted, contrast, value)
    answers = answers_of(problem, parameters)
    counts = problem.pairs.counts[list(problem.model.outcomes)][:, None]
    matrix = invertible(problem, information_of(problem, counts.sum(0), answers))
    direction = np.linalg.solve(matrix, contrast[..., None])[..., 0]
    variance = 1.0 / np.maximum((contrast * direction).sum(1), 1e-300)
    direction *= variance[:, None]
    score = (gradient_of(problem, counts, answers, parameters) * direction).sum(1)
    rest = _rests(problem, answers, direction, score / variance)
    spread = [_variance(member, rest) for member in clustered.members]
    if len(spread) == 3:
        raters, pictures, together = spread
        spread = [raters, pictures, raters + pictures - together]
    return score / np.sqrt(np.maximum.reduce([variance, *spread]))


def _variance(members: sparse.csr_matrix, rest: FloatArray) -> FloatArray:
    sums = np.asarray(members @ rest)
    return (sums**2).sum(0) * len(sums) / max(len(sums) - 1, 1)


def _held(fitted: Fit, contrast: FloatArray, value: FloatArray) -> FloatArray:
    """Return the most likely parameters with each contrast held at its value, shape (contrasts, size)."""
    problem = fitted.problem
    counts = problem.pairs.counts[list(problem.model.outcomes)][:, None]
    totals = counts.sum(0)
    away = (contrast @ fitted.parameters - value) / (contrast**2).sum(1)
    parameters = fitted.parameters - away[:, None] * contrast
    for step in range(_STEPS):
        answers = answers_of(problem, parameters)
        slope = gradient_of(problem, counts, answers, parameters)
        matrix = invertible(problem, information_of(problem, totals, answers))
        solved = np.linalg.solve(matrix, np.stack([slope, contrast], axis=2))
        free, along = solved[..., 0], solved[..., 1]
        pull = (contrast * free).sum(1) / np.maximum((contrast * along).sum(1), 1e-300)
        change = free - pull[:, None] * along
        longest = np.abs(change).max(1)
        change *= np.minimum(1.0, _LONGEST_STEP / np.maximum(longest, 1e-300))[:, None]
        parameters = moved_by(problem, parameters, change if step < _CALM_AFTER else change / 2.0)
        if (longest < _TOLERANCE).all():
            break
    return parameters


def _rests(problem: Problem, answers: Answers, direction: FloatArray, step: FloatArray) -> FloatArray:
    """Return what the step leaves of a vote's score by outcome and pair, shape (3 x pairs, contrasts)."""
    pairs = problem.pairs
    along = direction[:, pairs.first] - direction[:, pairs.second] + direction[:, [ORDER]] * pairs.side
    score = answers.by_difference * along
    if answers.by_tie is not None:
        score = score + answers.by_tie * direction[:, [TIE_PARAMETER]]
    expected = (answers.probability * score**2).sum(0) * step[:, None]
    rest = np.zeros((3, len(direction), len(pairs.first)))
    rest[list(problem.model.outcomes)] = score - expected
    return rest.transpose(0, 2, 1).reshape(-1, len(direction))


def near_bounds(
    fitted: Fit, clustered: Clusters, contrast: FloatArray, far: FloatArray, level: float = 0.95
) -> FloatArray:
    """Return the end of each contrast's interval that lies towards 0 from the estimate, shape (contrasts,).

    It is the value that the score test just does not reject.

    Args:
        fitted: The fit.
        clustered: What the test allows for.
        contrast: Shape (contrasts, conditions + 2).
        far: Shape (contrasts,): where the end lies at the furthest, on the other side of the estimate.
        level: Of the interval.
    """
    reach = stats.t.ppf(0.5 + level / 2.0, clustered.freedom)
    kept = contrast @ fitted.parameters
    rejected = far.astype(np.float64)
    for _ in range(_BISECTIONS):
        middle = (kept + rejected) / 2.0
        holds = np.abs(statistics(fitted, clustered, contrast, middle)) < reach
        kept, rejected = np.where(holds, middle, kept), np.where(holds, rejected, middle)
    return kept


def conditions_only(against: FloatArray) -> FloatArray:
    """Return contrasts of conditions, shape (contrasts, conditions), as contrasts of all parameters."""
    return np.hstack([against, np.zeros((len(against), 2))])


def order_only(names: Sequence[str]) -> FloatArray:
    """Return the contrast that is the order effect, shape (1, conditions + 2)."""
    contrast = np.zeros((1, len(names) + 2))
    contrast[0, ORDER] = 1.0
    return contrast
