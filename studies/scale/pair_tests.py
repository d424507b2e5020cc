"""Return a scale's values with intervals, the tests of all pairs, and the ranges of ranks that follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from ...bench.analysis.intervals import holm
from .fit import Fit
from .models import FloatArray
from .pair_counts import IntArray, Tally
from .resampling import Draws, Scheme, interval
from .scale_results import ConditionScale, Interval, PairTest
from .score_tests import clusters, conditions_only, contrasts, near_bounds
from .score_tests import p_values as score_p

SIGNIFICANT = 0.05
_SURE = 0.001
"""Of p by t of the resampled error, times the pairs: below, no other test is asked."""
_LARGEST = 20_000_000
"""Pairs all tested by scores times the numbers that each takes: about two seconds."""
_AGAIN = 2_000_000
"""The same of pairs tested again, where there are more."""


def pair_tests(fitted: Fit, draws: Sequence[Draws], counted: Tally | None = None) -> tuple[PairTest, ...]:
    """Return the tests of all pairs within components, by scores (`score_tests`).

    They allow for what the last (widest) resampling draws, or take votes for independent where there is none.
    Where there are too many pairs and votes for a score test of each, pairs are tested by t of the resampled
    error, and by scores again where that leaves a doubt, the largest differences first.

    Args:
        fitted: The fit.
        draws: Its resamples.
        counted: The votes behind it, where raters are known.
    """
    component = fitted.problem.component
    first, second = np.triu_indices(len(component), 1)
    same = component[first] == component[second]
    first, second = first[same], second[same]
    if not len(first):
        return ()
    scale = fitted.problem.model.per_unit
    contrast = contrasts(fitted.problem.size, first, second)
    differences = contrast @ fitted.parameters * scale
    spans: dict[Scheme, FloatArray] = {draw.scheme: _spans(fitted, draw, counted, contrast) for draw in draws}
    p = _p_values(fitted, draws, counted, contrast, spans)
    adjusted = _holm(p, component[first])
    preferred = _preferred(fitted, first, second)
    names = fitted.problem.pairs.conditions
    return tuple(
        PairTest(
            names[first[row]],
            names[second[row]],
            float(differences[row]),
            float(preferred[row]),
            _row(spans.get("rater"), row),
            _row(spans.get("rater x picture"), row),
            float(p[row]),
            float(adjusted[row]),
        )
        for row in range(len(first))
    )


def _holm(p: FloatArray, component: IntArray) -> FloatArray:
    adjusted = np.ones(len(p))
    for label in np.unique(component):
        mine = component == label
        adjusted[mine] = np.array(holm(p[mine].tolist()), np.float64)
    return adjusted


def _p_values(
    fitted: Fit,
    draws: Sequence[Draws],
    counted: Tally | None,
    contrast: FloatArray,
    spans: dict[Scheme, FloatArray],
) -> FloatArray:
    allowed = clusters(counted, draws[-1].scheme if draws else "vote")
    numbers = 3 * len(fitted.problem.pairs.first) + sum(member.nnz for member in allowed.members)
    if len(contrast) * numbers <= _LARGEST:
        return score_p(fitted, allowed, contrast)
    errors = spans[draws[-1].scheme][2] if draws else _by_vote(fitted, contrast)
    differences = np.abs(contrast @ fitted.parameters * fitted.problem.model.per_unit)
    freedom = max(draws[-1].clusters - 1, 1) if draws else float("inf")
    p = 2.0 * stats.t.sf(differences / np.maximum(errors, 1e-300), freedom)
    doubtful = np.flatnonzero(p * len(p) >= _SURE)
    again = doubtful[np.argsort(-differences[doubtful], kind="stable")][: max(_AGAIN // numbers, 1)]
    p[again] = score_p(fitted, allowed, contrast[again])
    return p


def _by_vote(fitted: Fit, contrast: FloatArray) -> FloatArray:
    """Return the error of each contrast if votes were independent, in the scale's unit."""
    variance = np.einsum("ij,jk,ik->i", contrast, fitted.covariance, contrast, optimize=True)
    return np.sqrt(np.maximum(variance, 0.0)) * fitted.problem.model.per_unit


def _spans(fitted: Fit, draws: Draws, counted: Tally | None, contrast: FloatArray) -> FloatArray:
    """Return low, high and standard error of contrasts by resampling, shape (3, contrasts).

    Where all raters agreed every resample agrees as well, and resampling would show no doubt at all. With a
    ridge intervals therefore also span those by vote; where that one would reach beyond 0, which is
    meaningless of votes that are all one way, its near end is the one of the score test.
    """
    spans = _intervals(draws, contrast, fitted.problem.model.per_unit)
    if fitted.problem.ridge == 0:
        return spans
    scale = fitted.problem.model.per_unit
    values, errors = contrast @ fitted.parameters * scale, _by_vote(fitted, contrast)
    reach = float(stats.norm.ppf(0.975)) * errors
    low, high = values - reach, values + reach
    beyond = np.flatnonzero((low * high < 0.0) & (values != 0.0))
    far = np.where(values > 0.0, low, high)[beyond] / scale
    near = near_bounds(fitted, clusters(counted, draws.scheme), contrast[beyond], far) * scale
    low[beyond] = np.where(values[beyond] > 0.0, near, low[beyond])
    high[beyond] = np.where(values[beyond] > 0.0, high[beyond], near)
    return np.stack([np.minimum(spans[0], low), np.maximum(spans[1], high), np.maximum(spans[2], errors)])


def _intervals(draws: Draws, contrast: FloatArray, scale: float) -> FloatArray:
    """Return low, high and standard error of contrasts, shape (3, contrasts)."""
    spans = np.empty((3, len(contrast)))
    for low in range(0, len(contrast), 500):
        part = slice(low, low + 500)
        values = draws.parameters @ contrast[part].T * scale
        spans[:2, part] = interval(values, draws.clusters)
        spans[2, part] = np.sqrt(values.var(0, ddof=1) * draws.inflation)
    return spans


def _row(spans: FloatArray | None, row: int) -> Interval | None:
    return None if spans is None else Interval(*(float(number) for number in spans[:, row]))


def _preferred(fitted: Fit, first: IntArray, second: IntArray) -> FloatArray:
    differences = fitted.values[first] - fitted.values[second]
    won, _, lost = fitted.problem.model.probabilities(differences, fitted.parameters[-1])
    return won / (won + lost)


def condition_scales(
    fitted: Fit,
    draws: Sequence[Draws],
    anchor: str | None,
    tests: Sequence[PairTest],
    counted: Tally | None = None,
) -> tuple[ConditionScale, ...]:
    """Return every condition with its intervals and its range of ranks, by component, best first.

    Args:
        fitted: The fit.
        draws: Its resamples.
        anchor: Condition at 0; the mean of each component is 0 where None.
        tests: Of all pairs.
        counted: The votes behind the fit, where raters are known.
    """
    problem = fitted.problem
    names, component = problem.pairs.conditions, problem.component
    contrast = conditions_only(_against(names, component, anchor))
    values = contrast @ fitted.parameters * problem.model.per_unit
    errors = _by_vote(fitted, contrast)
    spans = {draw.scheme: _spans(fitted, draw, counted, contrast) for draw in draws}
    better, worse = _beaten(names, tests)
    votes = problem.pairs.incidence @ problem.pairs.counts[list(problem.model.outcomes)].sum(0)
    reach = float(stats.norm.ppf(0.975))
    rows: list[ConditionScale] = []
    for place in np.lexsort((-values, component)):
        mine = component == component[place]
        value, error = float(values[place]), float(errors[place])
        rows.append(
            ConditionScale(
                names[place],
                int(component[place]),
                value,
                _row(spans.get("rater"), place),
                _row(spans.get("rater x picture"), place),
                Interval(value - reach * error, value + reach * error, error),
                1 + int((values[mine] > value).sum()),
                1 + int(better[place]),
                int(mine.sum()) - int(worse[place]),
                float(votes[place]),
            )
        )
    return tuple(rows)


def _against(names: Sequence[str], component: IntArray, anchor: str | None) -> FloatArray:
    """Return the matrix that turns values into values against the anchor, or against their mean."""
    matrix = np.eye(len(names))
    if anchor is not None:
        place = names.index(anchor)
        matrix[component == component[place], place] -= 1.0
    return matrix


def _beaten(names: Sequence[str], tests: Sequence[PairTest]) -> tuple[IntArray, IntArray]:
    """Return for every condition how many are better and how many are worse by the Holm tests."""
    place = {name: index for index, name in enumerate(names)}
    better, worse = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    for test in tests:
        if test.p_holm < SIGNIFICANT:
            first, second = place[test.first], place[test.second]
            winner, loser = (first, second) if test.difference > 0 else (second, first)
            better[loser] += 1
            worse[winner] += 1
    return better, worse
