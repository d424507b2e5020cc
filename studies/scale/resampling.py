"""Bootstrap confidence intervals: raters, or raters and pictures, are resampled with replacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .connectivity import win_components
from .fisher_scoring import Problem, Solution, solve
from .models import FloatArray
from .pair_counts import Tally

Scheme: TypeAlias = Literal["rater", "rater x picture", "vote"]

RIDGE = 0.05
"""Penalty where the maximum likelihood does not exist: a normal prior of standard deviation 4.5 on each value
in the model's own unit (log-worth, or standard deviations of a difference)."""

_STEPS = 30
_TOLERANCE = 1e-6
_GROUPS_AT_ONCE = 8_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Scales of many resamples."""

    scheme: Scheme
    parameters: FloatArray
    """Shape (resamples, conditions + 2), in the model's own unit: values, order effect, tie parameter."""
    failed: NDArray[np.bool_]
    """Shape (resamples,): no maximum likelihood, so fitted with `RIDGE`."""
    clusters: int
    """Raters, or the fewer of raters and pictures, or votes: what the degrees of freedom come from."""
    pictures: FloatArray | None = None
    """Shape (resamples, pictures): how often each was drawn; None where pictures were not drawn."""

    @property
    def inflation(self) -> float:
        """Return by how much a variance over resamples is too small: n / (n - 1)."""
        return self.clusters / max(self.clusters - 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """How often everything is drawn."""

    groups: FloatArray
    """Shape (resamples, groups): votes of one rater on one picture, pair and outcome."""
    pictures: FloatArray | None = None
    """Shape (resamples, pictures); None where pictures are not drawn."""


def weights(tally: Tally, scheme: Scheme, resamples: int, random: np.random.Generator) -> Weights:
    """Return how often each group of votes is drawn.

    ``rater x picture`` draws raters and pictures independently and multiplies (McCullagh 2000, Owen 2007:
    somewhat too wide rather than too narrow). ``vote`` takes every vote for independent.

    Args:
        tally: Whose groups are weighted.
        scheme: What is drawn: raters, raters and pictures, or votes.
        resamples: How many.
        random: The source of all chance.
    """
    if scheme == "vote":
        votes = round(float(tally.count.sum()))
        return Weights(random.multinomial(votes, tally.count / tally.count.sum(), resamples) / tally.count)
    drawn = _drawn(len(tally.raters), resamples, random)[:, tally.rater]
    if scheme == "rater":
        return Weights(drawn)
    pictures = _drawn(len(tally.pictures), resamples, random)
    return Weights(drawn * pictures[:, tally.picture], pictures)


def _drawn(members: int, resamples: int, random: np.random.Generator) -> FloatArray:
    return random.multinomial(members, np.full(members, 1.0 / members), resamples).astype(np.float64)


def draw(
    problem: Problem,
    tally: Tally,
    begin: FloatArray,
    scheme: Scheme,
    resamples: int,
    random: np.random.Generator,
) -> Draws:
    """Return the scales of resamples, each fitted to its maximum from ``begin``, shape (size,).

    Args:
        problem: Pairs, model, ridge and constraints.
        tally: The votes by rater, picture and ordered pair.
        begin: Parameters of the fit to all votes.
        scheme: What is drawn: raters, raters and pictures, or votes.
        resamples: How many.
        random: The source of all chance.
    """
    parts: list[Solution] = []
    pictures: list[FloatArray] = []
    at_once = max(1, _GROUPS_AT_ONCE // (len(tally.count) + 3 * len(tally.pairs.first)))
    for low in range(0, resamples, at_once):
        drawn = weights(tally, scheme, min(at_once, resamples - low), random)
        parts.append(_fit(problem, tally.weigh(drawn.groups), begin))
        if drawn.pictures is not None:
            pictures.append(drawn.pictures)
    clusters = {"rater": len(tally.raters), "vote": round(float(tally.count.sum()))}
    clusters["rater x picture"] = min(len(tally.raters), len(tally.pictures))
    return Draws(
        scheme,
        np.concatenate([part.parameters for part in parts]),
        ~np.concatenate([part.converged for part in parts]),
        clusters[scheme],
        np.concatenate(pictures) if pictures else None,
    )


def _fit(problem: Problem, counts: FloatArray, begin: FloatArray) -> Solution:
    """Return the scale of each weighting; one without a maximum gets the ridge and is not converged."""
    ties = problem.model.ties
    whole = len(np.unique(problem.component))
    linked = [
        win_components(problem.pairs, counts[:, weighting], ties) == whole
        for weighting in range(counts.shape[1])
    ]
    solution = solve(problem, counts, begin, _TOLERANCE, _STEPS)
    converged = solution.converged & np.array(linked)
    if problem.ridge == 0.0 and not converged.all():
        kept = Problem(problem.pairs, problem.model, problem.component, problem.order, RIDGE)
        again = solve(kept, counts[:, ~converged], begin, _TOLERANCE, 2 * _STEPS)
        solution.parameters[~converged] = again.parameters
    return Solution(solution.parameters, converged)


def interval(draws: FloatArray, clusters: int, level: float = 0.95) -> FloatArray:
    """Return the expanded percentile interval of each column, shape (2, columns), for draws by row.

    Percentiles are taken further out, so that few clusters do not give too narrow an interval: where a
    normal quantile stood, sqrt(n / (n - 1)) times that of t with n - 1 degrees of freedom stands.

    Source: Hesterberg, "What teachers should know about the bootstrap" (The American Statistician 2015), 5.3.

    Args:
        draws: Shape (resamples, columns).
        clusters: The smaller number of groups drawn; the fewer, the wider the interval.
        level: Share inside, such as 0.95.
    """
    freedom = max(clusters - 1, 1)
    reach = np.sqrt(clusters / freedom) * stats.t.ppf(0.5 + level / 2.0, freedom)
    tail = float(stats.norm.cdf(-reach))
    return np.quantile(draws, [tail, 1.0 - tail], axis=0)
