"""Turn a fit and its resamples into values with intervals, tests of all pairs, and ranges of ranks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from ..bench.analysis.intervals import holm
from .fit import Fit
from .models import FloatArray
from .pair_counts import IntArray
from .resampling import Draws, Scheme, interval
from .scale_results import ConditionScale, Interval, PairTest

SIGNIFICANT = 0.05


def pair_tests(found: Fit, draws: Sequence[Draws]) -> tuple[PairTest, ...]:
    """Return the tests of all pairs within components: t on the resampled error of the difference.

    The error is that of the last (widest) resampling, or of independent votes where there is none.
    """
    component = found.problem.component
    first, second = np.triu_indices(len(component), 1)
    same = component[first] == component[second]
    first, second = first[same], second[same]
    if not len(first):
        return ()
    scale = found.problem.model.per_unit
    differences = (found.values[first] - found.values[second]) * scale
    plain = _by_vote(found, first, second)
    spans: dict[Scheme, FloatArray] = {
        one.scheme: _at_least(found, _intervals(one, first, second, scale), differences, plain)
        for one in draws
    }
    errors, freedom = _errors(found, draws, spans, first, second)
    p_values = 2.0 * stats.t.sf(np.abs(differences) / np.maximum(errors, 1e-300), freedom)
    adjusted = np.ones(len(first))
    for one in np.unique(component):
        mine = component[first] == one
        adjusted[mine] = np.array(holm(p_values[mine].tolist()), np.float64)
    preferred = _preferred(found, first, second)
    names = found.problem.pairs.conditions
    return tuple(
        PairTest(
            names[first[row]],
            names[second[row]],
            float(differences[row]),
            float(preferred[row]),
            _row(spans.get("rater"), row),
            _row(spans.get("rater x picture"), row),
            float(p_values[row]),
            float(adjusted[row]),
        )
        for row in range(len(first))
    )


def _errors(
    found: Fit, draws: Sequence[Draws], spans: dict[Scheme, FloatArray], first: IntArray, second: IntArray
) -> tuple[FloatArray, float]:
    if draws:
        return spans[draws[-1].scheme][2], float(max(draws[-1].clusters - 1, 1))
    return _by_vote(found, first, second), float("inf")


def _by_vote(found: Fit, first: IntArray, second: IntArray) -> FloatArray:
    covariance = found.covariance
    variance = covariance[first, first] + covariance[second, second] - 2.0 * covariance[first, second]
    return np.sqrt(np.maximum(variance, 0.0)) * found.problem.model.per_unit


def _at_least(found: Fit, spans: FloatArray, values: FloatArray, errors: FloatArray) -> FloatArray:
    """Return intervals that with a ridge also span those by vote, shape (3, columns).

    Where all raters agreed every resample agrees as well, and resampling would show no doubt at all.
    """
    if found.problem.ridge == 0:
        return spans
    reach = float(stats.norm.ppf(0.975)) * errors
    low, high = np.minimum(spans[0], values - reach), np.maximum(spans[1], values + reach)
    return np.stack([low, high, np.maximum(spans[2], errors)])


def _intervals(draws: Draws, first: IntArray, second: IntArray, scale: float) -> FloatArray:
    """Return low, high and standard error of the differences, shape (3, pairs)."""
    spans = np.empty((3, len(first)))
    for low in range(0, len(first), 500):
        part = slice(low, low + 500)
        values = (draws.parameters[:, first[part]] - draws.parameters[:, second[part]]) * scale
        spans[:2, part] = interval(values, draws.clusters)
        spans[2, part] = np.sqrt(values.var(0, ddof=1) * draws.inflation)
    return spans


def _row(spans: FloatArray | None, row: int) -> Interval | None:
    return None if spans is None else Interval(*(float(one) for one in spans[:, row]))


def _preferred(found: Fit, first: IntArray, second: IntArray) -> FloatArray:
    differences = found.values[first] - found.values[second]
    won, _, lost = found.problem.model.probabilities(differences, found.parameters[-1])
    return won / (won + lost)


def condition_scales(
    found: Fit, draws: Sequence[Draws], anchor: str | None, tests: Sequence[PairTest]
) -> tuple[ConditionScale, ...]:
    """Return every condition with its intervals and its range of ranks, by component, best first."""
    problem = found.problem
    names, component = problem.pairs.conditions, problem.component
    against = _against(names, component, anchor)
    values = against @ found.values * problem.model.per_unit
    variance = np.diag(against @ found.covariance[:-2, :-2] @ against.T)
    errors = np.sqrt(np.maximum(variance, 0.0)) * problem.model.per_unit
    spans = {
        one.scheme: _at_least(
            found, _condition_intervals(one, against, problem.model.per_unit), values, errors
        )
        for one in draws
    }
    better, worse = _beaten(names, tests)
    votes = abs(problem.pairs.signs) @ problem.pairs.counts[list(problem.model.outcomes)].sum(0)
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


def _condition_intervals(draws: Draws, against: FloatArray, scale: float) -> FloatArray:
    values = draws.parameters[:, :-2] @ against.T * scale
    return np.vstack([interval(values, draws.clusters), np.sqrt(values.var(0, ddof=1) * draws.inflation)])


def _beaten(names: Sequence[str], tests: Sequence[PairTest]) -> tuple[IntArray, IntArray]:
    """Return for every condition how many are better and how many are worse by the Holm tests."""
    place = {name: index for index, name in enumerate(names)}
    better, worse = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    for one in tests:
        if one.p_holm < SIGNIFICANT:
            first, second = place[one.first], place[one.second]
            winner, loser = (first, second) if one.difference > 0 else (second, first)
            better[loser] += 1
            worse[winner] += 1
    return better, worse
