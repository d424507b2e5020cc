"""Fit maximum likelihood scales by Fisher scoring, a whole batch of weightings at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .models import Answers, FloatArray, Model
from .pair_counts import IntArray, PairCounts

ORDER, TIE_PARAMETER = -2, -1
"""Places of the order effect and the tie parameter behind the conditions' values."""

_LONGEST_STEP = 3.0
_CALM_AFTER = 25
"""Steps after which they are halved: scoring may swing where a probit fits badly."""
_CELLS_AT_ONCE = 400_000
"""Numbers in one array: what the processor's cache holds a few of."""


@dataclass(frozen=True, eq=False)
class Problem:
    """What is fitted: everything but the counts."""

    pairs: PairCounts
    model: Model
    component: IntArray
    """Shape (conditions,): conditions of one component have one scale, whose mean is 0."""
    order: bool
    """Whether an order effect is fitted."""
    ridge: float
    """Penalty ridge / 2 x (sum of squared values + squared order effect + squared tie parameter)."""

    @property
    def size(self) -> int:
        """Length of a parameter vector: the conditions, the order effect, the tie parameter."""
        return len(self.pairs.conditions) + 2

    def free(self) -> int:
        """Return how many parameters the data decide."""
        conditions = len(self.pairs.conditions) - len(np.unique(self.component))
        return conditions + int(self.order) + int(self.model.ties)

    @cached_property
    def centre(self) -> FloatArray:
        """Return the projection onto scales of mean 0, shape (size, size); unfitted parameters become 0."""
        projection = np.diag(self.fitted)
        projection[:-2, :-2] -= self.component_mean[:-2, :-2]
        return projection

    @cached_property
    def fitted(self) -> FloatArray:
        """Return 1 for every value and for the order effect and the tie parameter if fitted, else 0."""
        return np.concatenate([np.ones(self.size - 2), [self.order, self.model.ties]])

    @cached_property
    def component_mean(self) -> FloatArray:
        """Return what gives each condition the mean of its component, shape (size, size)."""
        same = self.component[:, None] == self.component[None, :]
        averaging = np.zeros((self.size, self.size))
        averaging[:-2, :-2] = same / same.sum(1, keepdims=True)
        return averaging

    @cached_property
    def held(self) -> FloatArray:
        """Return what, times the level of an information, makes it invertible, shape (size, size).

        It gives each component the mean 0, holds parameters that are not fitted, and keeps a batch alive when
        one weighting has lost all votes of a condition; it moves no maximum.
        """
        return self.component_mean + np.diag(1.0 - self.fitted) + 1e-10 * np.eye(self.size)


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Fitted parameters of a batch."""

    parameters: FloatArray
    """Shape (batch, conditions + 2), in the model's own unit: values, order effect, tie parameter."""
    converged: NDArray[np.bool_]
    """Shape (batch,)."""


def start(problem: Problem) -> FloatArray:
    """Return parameters to begin with, shape (size,): equal conditions and the share of ties seen."""
    counts = problem.pairs.counts.sum(1)
    parameters = np.zeros(problem.size)
    parameters[TIE_PARAMETER] = problem.model.tie_start(float(counts[1] / max(counts.sum(), 1e-9)))
    return parameters


def solve(
    problem: Problem, counts: FloatArray, begin: FloatArray, tolerance: float = 1e-10, steps: int = 100
) -> Solution:
    """Return the penalised maximum likelihood of every weighting of a batch, by Fisher scoring.

    A weighting with no maximum (separated) never converges and says so.

    Args:
        problem: What is fitted.
        counts: Shape (3, batch, pairs).
        begin: Shape (size,) or (batch, size).
        tolerance: Largest last step of any parameter.
        steps: At most.
    """
    batch = counts.shape[1]
    parameters = np.broadcast_to(begin, (batch, problem.size)).copy()
    converged = np.zeros(batch, bool)
    at_once = max(1, _CELLS_AT_ONCE // max(len(problem.pairs.first), problem.size**2))
    for low in range(0, batch, at_once):
        part = slice(low, low + at_once)
        parameters[part], converged[part] = _solve(
            problem, counts[:, part], parameters[part], tolerance, steps
        )
    return Solution(parameters, converged)


def _solve(
    problem: Problem, counts: FloatArray, parameters: FloatArray, tolerance: float, steps: int
) -> tuple[FloatArray, NDArray[np.bool_]]:
    counts = counts[list(problem.model.outcomes)]
    totals = counts.sum(0)
    last = np.full(len(parameters), np.inf)
    for step in range(steps):
        answers = answers_of(problem, parameters)
        gradient = gradient_of(problem, counts, answers, parameters)
        change = np.linalg.solve(
            invertible(problem, information_of(problem, totals, answers)), gradient[..., None]
        )
        change = change[..., 0]
        last = np.abs(change).max(1)
        change *= np.minimum(1.0, _LONGEST_STEP / np.maximum(last, 1e-300))[:, None]
        parameters = moved_by(problem, parameters, change if step < _CALM_AFTER else change / 2.0)
        if (last < tolerance).all():
            break
    return parameters, last < tolerance


def solve_together(
    problem: Problem, counts: FloatArray, begin: FloatArray, tolerance: float = 1e-5, steps: int = 30
) -> FloatArray:
    """Return a scale for each group with order effect and tie parameter in common, shape (groups, size).

    Fisher scoring; the common parameters' step comes from the Schur complement. A group that is separated
    is taken as far as the steps go.

    Args:
        problem: What is fitted.
        counts: Shape (3, groups, pairs).
        begin: Shape (size,).
        tolerance: Largest last step of any parameter.
        steps: At most.
    """
    parameters = np.broadcast_to(begin, (counts.shape[1], problem.size)).copy()
    counts = counts[list(problem.model.outcomes)]
    totals = counts.sum(0)
    for _ in range(steps):
        answers = answers_of(problem, parameters)
        gradient = gradient_of(problem, counts, answers, parameters)
        information = invertible(problem, information_of(problem, totals, answers))
        border = information[:, :-2, -2:]
        solved = np.linalg.solve(
            information[:, :-2, :-2], np.concatenate([gradient[:, :-2, None], border], axis=2)
        )
        pulled = border.transpose(0, 2, 1) @ solved
        inner = (information[:, -2:, -2:] - pulled[:, :, 1:]).sum(0)
        common = np.linalg.solve(inner, (gradient[:, -2:] - pulled[:, :, 0]).sum(0))
        change = np.empty_like(parameters)
        change[:, :-2] = solved[:, :, 0] - solved[:, :, 1:] @ common
        change[:, -2:] = common
        last = np.abs(change).max()
        parameters = moved_by(problem, parameters, change * min(1.0, _LONGEST_STEP / max(last, 1e-300)))
        if last < tolerance:
            break
    return parameters


def moved_by(problem: Problem, parameters: FloatArray, change: FloatArray) -> FloatArray:
    """Return parameters after a step; a threshold stays positive.

    Args:
        problem: Pairs, model, ridge and constraints.
        parameters: Shape (batch, size).
        change: Of the parameters; the same shape.
    """
    moved = parameters + change
    if problem.model.tie_above_zero:
        least = parameters[:, TIE_PARAMETER] / 4.0
        moved[:, TIE_PARAMETER] = np.maximum(moved[:, TIE_PARAMETER], least)
    return moved


def differences(problem: Problem, parameters: FloatArray) -> FloatArray:
    """Return first minus second plus the order effect for every pair, shape (batch, pairs)."""
    values = parameters[:, :-2]
    pairs = problem.pairs
    return values[:, pairs.first] - values[:, pairs.second] + parameters[:, [ORDER]] * pairs.side


def answers_of(problem: Problem, parameters: FloatArray) -> Answers:
    """Return the model's answers for every pair, arrays of shape (outcomes, batch, pairs)."""
    return problem.model.answers(differences(problem, parameters), parameters[:, [TIE_PARAMETER]])


def log_likelihood(problem: Problem, counts: FloatArray, parameters: FloatArray) -> FloatArray:
    """Return the log-likelihood of each weighting, shape (batch,), without the ridge.

    The multinomial coefficients are left out, as in a product over single votes.

    Args:
        problem: Pairs, model, ridge and constraints.
        counts: Of the three answers, shape (3, batch, pairs).
        parameters: Shape (batch, size).
    """
    counts = counts[list(problem.model.outcomes)]
    probability = answers_of(problem, parameters).probability
    return np.where(counts > 0, counts * np.log(np.maximum(probability, 1e-300)), 0.0).sum((0, 2))


def covariance(problem: Problem, counts: FloatArray, parameters: FloatArray) -> FloatArray:
    """Return the inverse expected information, shape (batch, size, size), values centred.

    It is the covariance if every vote were independent of every other.

    Args:
        problem: Pairs, model, ridge and constraints.
        counts: Of the three answers, shape (3, batch, pairs).
        parameters: Shape (batch, size).
    """
    totals = counts[list(problem.model.outcomes)].sum(0)
    information = invertible(problem, information_of(problem, totals, answers_of(problem, parameters)))
    centre = problem.centre
    return centre @ np.linalg.inv(information) @ centre


def gradient_of(problem: Problem, counts: FloatArray, answers: Answers, parameters: FloatArray) -> FloatArray:
    """Return the gradient of the penalised log-likelihood, shape (batch, size).

    Args:
        problem: What is fitted.
        counts: Shape (outcomes of the model, batch or 1, pairs).
        answers: Of the model at the parameters.
        parameters: Shape (batch, size).
    """
    by_difference = (counts * answers.by_difference).sum(0)
    gradient = np.zeros((len(by_difference), problem.size))
    gradient[:, :-2] = (problem.pairs.signs @ by_difference.T).T
    if problem.order:
        gradient[:, ORDER] = by_difference @ problem.pairs.side
    if answers.by_tie is not None:
        gradient[:, TIE_PARAMETER] = (counts * answers.by_tie).sum((0, 2))
    penalised = problem.centre.diagonal().astype(bool)
    return gradient - problem.ridge * parameters * penalised


def information_of(problem: Problem, totals: FloatArray, answers: Answers) -> FloatArray:
    """Return the expected information, shape (batch, size, size), without ridge or constraint.

    Args:
        problem: Pairs, model, ridge and constraints.
        totals: Votes on each pair, shape (batch, pairs).
        answers: Probabilities and slopes of the answers at the parameters.
    """
    pairs, signs = problem.pairs, problem.pairs.signs
    scaled = answers.probability * answers.by_difference
    weight = totals * (scaled * answers.by_difference).sum(0)
    matrix = np.zeros((len(weight), problem.size, problem.size))
    together = np.asarray((pairs.meetings @ weight.T).T).reshape(-1, problem.size - 2, problem.size - 2)
    matrix[:, :-2, :-2] = -together - together.transpose(0, 2, 1)
    diagonal = np.arange(problem.size - 2)
    matrix[:, diagonal, diagonal] = (pairs.incidence @ weight.T).T
    if problem.order:
        _border(matrix, ORDER, (signs @ (weight * pairs.side).T).T)
        matrix[:, ORDER, ORDER] = weight @ pairs.side
    if answers.by_tie is not None:
        mixed = totals * (scaled * answers.by_tie).sum(0)
        _border(matrix, TIE_PARAMETER, (signs @ mixed.T).T)
        if problem.order:
            matrix[:, ORDER, TIE_PARAMETER] = matrix[:, TIE_PARAMETER, ORDER] = mixed @ pairs.side
        square = totals * (answers.probability * answers.by_tie * answers.by_tie).sum(0)
        matrix[:, TIE_PARAMETER, TIE_PARAMETER] = square.sum(1)
    return matrix


def _border(matrix: FloatArray, place: int, values: FloatArray) -> None:
    matrix[:, place, :-2] = values
    matrix[:, :-2, place] = values


def invertible(problem: Problem, information: FloatArray) -> FloatArray:
    """Return the information made invertible: ridge, mean 0 in each component, unfitted parameters held."""
    level = np.diagonal(information, axis1=1, axis2=2).mean(1)[:, None, None] + 1e-12
    return information + level * problem.held + np.diag(problem.ridge * problem.fitted)
