"""Turn votes into tests of whether one scale serves all: between pictures, and between kinds of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .fit import Fit
from .models import FloatArray
from .newton import Problem, log_likelihood, solve_together
from .pair_counts import IntArray, Tally
from .scale import likelihood_ratio
from .scale_results import LikelihoodRatio, ScaleError

_LARGEST = 4_000_000
"""Numbers in one array of `by_picture`: about a gibibyte in all."""
_RIDGE = 1e-3
"""Holds what a single picture cannot decide; the log-likelihood is judged without it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One condition in two kinds of pictures, in the scale's unit, each scale's mean 0."""

    condition: str
    first: float
    second: float
    p_permuted: float
    """Two-sided, by exchanging kinds among pictures."""


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Whether pictures, or kinds of pictures, have scales of their own."""

    groups: tuple[str, ...]
    test: LikelihoodRatio
    """A scale for each group against one for all, order effect and ties in common; every vote counts as
    independent, so p is too small where raters see a picture's pair several times."""
    p_permuted: float | None
    """Share of random exchanges of the kinds among pictures with at least this statistic: holds even though
    pictures differ. None where groups are single pictures."""
    shifts: tuple[Shift, ...]
    """Where there are two groups: how the first's scale differs from the second's."""


def by_picture(found: Fit, counted: Tally) -> Heterogeneity | None:
    """Return the test of a scale per picture against one for all.

    None for one picture, and where there are too many pictures times pairs to fit all of them at once.
    """
    member = np.arange(len(counted.pictures))
    pairs = found.problem.pairs
    if len(member) < 2 or len(member) * max(len(pairs.first), len(pairs.conditions) ** 2) > _LARGEST:
        return None
    statistic, degrees, _ = _statistic(found, counted, member, len(member))
    return Heterogeneity(counted.pictures, _test(statistic, degrees), None, ())


def by_kind(
    found: Fit, counted: Tally, kinds: Mapping[str, str], exchanges: int = 999, seed: int = 0
) -> Heterogeneity | None:
    """Return the test of whether the scale depends on the kind of picture, or None for one kind.

    It is the interaction of condition and kind, such as natural against AI-generated. The headline is
    ``p_permuted``: pictures are the units that were drawn, so their kinds are exchanged at random.

    Args:
        found: The pooled scale.
        counted: The votes behind it.
        kinds: By picture.
        exchanges: How many random exchanges.
        seed: Of the exchanges.

    Raises:
        ScaleError: A picture has no kind.
    """
    if missing := [one for one in counted.pictures if one not in kinds]:
        raise ScaleError(f"expected the kind of every picture; got none for {missing[0]!r}")
    names, member = np.unique([kinds[one] for one in counted.pictures], return_inverse=True)
    if len(names) < 2:
        return None
    statistic, degrees, values = _statistic(found, counted, member, len(names))
    random = np.random.default_rng(seed)
    drawn = [_statistic(found, counted, random.permutation(member), len(names)) for _ in range(exchanges)]
    at_least = sum(one[0] >= statistic - 1e-9 for one in drawn)
    shifts = _shifts(found, values, np.stack([one[2] for one in drawn])) if len(names) == 2 else ()
    p = (1.0 + at_least) / (1.0 + exchanges)
    return Heterogeneity(tuple(str(one) for one in names), _test(statistic, degrees), p, shifts)


def _test(statistic: float, degrees: int) -> LikelihoodRatio:
    return likelihood_ratio(statistic / 2.0, 0.0, degrees)


def _shifts(found: Fit, values: FloatArray, drawn: FloatArray) -> tuple[Shift, ...]:
    scale = found.problem.model.per_unit
    gaps = np.abs(drawn[:, 0] - drawn[:, 1])
    at_least = (gaps >= np.abs(values[0] - values[1]) - 1e-9).sum(0)
    return tuple(
        Shift(
            name,
            float(values[0, place]) * scale,
            float(values[1, place]) * scale,
            float((1.0 + at_least[place]) / (1.0 + len(drawn))),
        )
        for place, name in enumerate(found.problem.pairs.conditions)
    )


def _statistic(found: Fit, counted: Tally, member: IntArray, groups: int) -> tuple[float, int, FloatArray]:
    """Return twice the gain in log-likelihood, its degrees of freedom, and values by group."""
    counts = counted.by(member[counted.picture], groups)
    problem = replace(found.problem, ridge=max(found.problem.ridge, _RIDGE))
    parameters = solve_together(problem, counts, found.parameters)
    gain = float(log_likelihood(problem, counts, parameters).sum()) - found.log_likelihood
    degrees = _degrees(problem, counts) - problem.free() + int(problem.order) + int(problem.model.ties)
    return max(2.0 * gain, 0.0), max(degrees, 0), parameters[:, :-2]


def _degrees(problem: Problem, counts: FloatArray) -> int:
    """Return how many differences the groups decide between them."""
    size = len(problem.pairs.conditions)
    total = 0
    for seen in counts[list(problem.model.outcomes)].sum(0) > 0:
        places = (problem.pairs.first[seen], problem.pairs.second[seen])
        graph = sparse.csr_matrix((np.ones(int(seen.sum())), places), (size, size))
        total += size - int(connected_components(graph, directed=False)[0])
    return total
