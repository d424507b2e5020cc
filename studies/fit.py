"""Turn counts into one fitted scale, after asking what the counts can tell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .connection import components, is_separated, order_is_confounded
from .models import FloatArray, Model
from .newton import Problem, log_likelihood, solve, start
from .newton import covariance as covariance_of
from .pair_counts import FIRST, SECOND, TIE, IntArray, PairCounts
from .resampling import RIDGE
from .scale_results import ScaleError


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
    order, notes = _order(pairs, model, order)
    component = components(_explained(pairs, model))
    if component.max(initial=0):
        notes.append(_apart(pairs, component))
    ridge, more = _ridge(pairs, model, order, ridge)
    problem = Problem(pairs, model, component, order, ridge)
    counts = pairs.counts[:, None]
    found = solve(problem, counts, start(problem), 1e-10, 400)
    if not found.converged[0]:
        raise ScaleError(f"the {model.name} fit did not settle in 400 steps; give a ridge such as {RIDGE}")
    return Fit(
        problem,
        found.parameters[0],
        covariance_of(problem, counts, found.parameters)[0],
        float(log_likelihood(problem, counts, found.parameters)[0]),
        (*notes, *more),
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


def _order(pairs: PairCounts, model: Model, wanted: bool) -> tuple[bool, list[str]]:
    if not wanted:
        return False, []
    if not pairs.sided:
        return False, ["no order effect: nobody noted which condition was shown first"]
    if order_is_confounded(_explained(pairs, model)):
        return False, [
            "no order effect: the sides were not turned often enough to tell it from the conditions, "
            "so any preference for a side is part of the scale"
        ]
    return True, []


def _apart(pairs: PairCounts, component: IntArray) -> str:
    sets = [
        ", ".join(name for name, mine in zip(pairs.conditions, component, strict=True) if mine == one)
        for one in np.unique(component)
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
