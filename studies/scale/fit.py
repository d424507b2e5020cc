"""Fit one scale to the counts of pairs, after checking what the counts identify."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .connectivity import components, is_separated
from .fisher_scoring import (
    Problem,
    answers_of,
    log_likelihood,
    solve,
    start,
)
from .fisher_scoring import covariance as covariance_of
from .models import FloatArray, Model
from .pair_counts import FIRST, SECOND, TIE, IntArray, PairCounts
from .resampling import RIDGE
from .scale_results import ScaleError

ORDER_VOTES = 4
"""Votes between equals that an order effect must be worth to be fitted: its error is then 1.5 JOD or less."""
_TURNED = 0.25
"""Share of the information on the order effect that the pairs' own distances do not take, below which pairs
were hardly turned: shown the other way round in 1 vote of 15."""
_ORDER_VOTES_HARDLY_TURNED = 100
"""Votes that it must be worth there (error 0.2 JOD): else it shifts the conditions more than it explains."""
_ORDER_UNKNOWN = (
    "no order effect: the sides were not turned often enough, or the votes are too much one way, to tell it "
    "from the conditions, so any preference for a side is part of the scale"
)


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """One fitted scale."""

    problem: Problem
    parameters: FloatArray
    """Shape (conditions + 2,), in the model's own unit: values of mean 0, order effect, tie parameter."""
    covariance: FloatArray
    """If every vote were independent, shape (conditions + 2, conditions + 2)."""
    log_likelihood: float
    """Without multinomial coefficients and ridge."""
    notes: tuple[str, ...] = ()

    @property
    def values(self) -> FloatArray:
        """Shape (conditions,): in the model's own unit."""
        return self.parameters[:-2]


def fit(pairs: PairCounts, model: Model, *, order: bool = True, ridge: float | None = None) -> Fit:
    """Return the scale of these counts.

    An order effect is fitted where sides are known and it can be told from the conditions. Where no maximum
    likelihood exists and no ridge is given, `RIDGE` is taken and noted.

    Args:
        pairs: The counts.
        model: One of `models.MODELS`.
        order: Whether to fit an order effect.
        ridge: Penalty on squares; 0 refuses separated votes, None chooses.

    Raises:
        ScaleError: No vote, nothing decided, or separated votes with ``ridge=0``.
    """
    _refuse_empty(pairs, model)
    component = components(_explained(pairs, model))
    order, notes = _order(pairs, order)
    fitted = _fit(pairs, model, component, False, ridge)
    if order and (unknown := _order_unknown(fitted)):
        notes.append(unknown)
    elif order:
        fitted = _fit(pairs, model, component, True, ridge)
    if component.max(initial=0):
        notes.append(_apart(pairs, component))
    return replace(fitted, notes=(*notes, *fitted.notes))


def _fit(pairs: PairCounts, model: Model, component: IntArray, order: bool, ridge: float | None) -> Fit:
    ridge, notes = _ridge(pairs, model, order, ridge)
    problem = Problem(pairs, model, component, order, ridge)
    counts = pairs.counts[:, None]
    solution = solve(problem, counts, start(problem), 1e-10, 400)
    if not solution.converged[0]:
        raise ScaleError(f"the {model.name} fit did not settle in 400 steps; give a ridge such as {RIDGE}")
    return Fit(
        problem,
        solution.parameters[0],
        covariance_of(problem, counts, solution.parameters)[0],
        float(log_likelihood(problem, counts, solution.parameters)[0]),
        tuple(notes),
    )


def _explained(pairs: PairCounts, model: Model) -> PairCounts:
    """Return the counts that the model explains: one without ties leaves them out."""
    if model.ties:
        return pairs
    counts = pairs.counts.copy()
    counts[TIE] = 0.0
    return pairs.with_counts(counts)


def _refuse_empty(pairs: PairCounts, model: Model) -> None:
    won = pairs.counts[[FIRST, SECOND]].sum()
    if won == 0:
        tied = f"{pairs.counts[TIE].sum():g} answers, all 'no preference'" if pairs.has_ties else "no vote"
        raise ScaleError(f"expected votes that prefer one of two conditions; got {tied}")
    if model.ties and not pairs.has_ties:
        raise ScaleError(f"{model.name} needs 'no preference' answers; got none: take a model without ties")


def _order(pairs: PairCounts, wanted: bool) -> tuple[bool, list[str]]:
    if not wanted:
        return False, []
    if not pairs.sided:
        return False, ["no order effect: nobody noted which condition was shown first"]
    return True, []


def _order_unknown(without: Fit) -> str:
    """Return why an order effect cannot be told from the conditions, or nothing where it can.

    What counts is the information that votes of one pair shown both ways round carry on it, whatever the
    pair's distance, at the scale without it, in votes between equals, which carry most. A pair that is never
    turned carries none, however many votes it has: distances that do not add up over pairs would tell of an
    effect, too, but they have other reasons as well. One whose votes are all one way carries next to none.
    """
    problem = without.problem
    pairs, size = problem.pairs, len(problem.pairs.conditions)
    answers = answers_of(problem, without.parameters[None])
    explained = pairs.counts[list(problem.model.outcomes)].sum(0)
    information = explained * (answers.probability * answers.by_difference**2).sum(0)[0]
    low, high = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
    _, pair = np.unique(low * size + high, return_inverse=True)
    distance = np.bincount(pair, information)
    order = np.bincount(pair, information * pairs.side)
    both = np.bincount(pair, information * pairs.side * np.where(pairs.first == low, 1.0, -1.0))
    beside = float((order - both**2 / np.maximum(distance, 1e-300)).sum())
    equals = problem.model.answers(np.zeros(1), without.parameters[-1:])
    votes = beside / float((equals.probability * equals.by_difference**2).sum())
    share = beside / max(float(order.sum()), 1e-300)
    enough = ORDER_VOTES if share >= _TURNED else _ORDER_VOTES_HARDLY_TURNED
    if votes >= enough:
        return ""
    return f"{_ORDER_UNKNOWN} (what turned pairs tell of it is worth {votes:.1f} votes, less than {enough})"


def _apart(pairs: PairCounts, component: IntArray) -> str:
    sets = [
        ", ".join(name for name, mine in zip(pairs.conditions, component, strict=True) if mine == label)
        for label in np.unique(component)
    ]
    return (
        f"{len(sets)} sets of conditions were never compared with each other and have a scale each, "
        f"not comparable: {' | '.join(sets)}"
    )


def _ridge(pairs: PairCounts, model: Model, order: bool, ridge: float | None) -> tuple[float, list[str]]:
    if ridge is not None and ridge < 0:
        raise ScaleError(f"expected a ridge of 0 or more; got {ridge:g}")
    if ridge:
        return ridge, [f"ridge {ridge:g} on the squares of all parameters"]
    if not is_separated(pairs, model, order):
        return 0.0, []
    if ridge == 0:
        raise ScaleError(
            "the votes are separated: some conditions, or one side, win so consistently that there is no "
            f"maximum likelihood; give a ridge such as {RIDGE}, or collect more votes"
        )
    return RIDGE, [
        f"ridge {RIDGE:g} on the squares of all parameters: some conditions, or one side, always won, so "
        "without it their distance would be infinite; distances depend on the ridge, their order does not"
    ]
