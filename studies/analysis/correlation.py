"""Correlate metric scores with human values of the same stimuli, for many weightings at a time."""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.special import expit

from ..scale.models import FloatArray

_STEPS, _STEPS_AGAIN = 100, 25
"""At most: from a straight line, and from where a like fit has settled."""
_ENOUGH = 1e-7
"""Relative gain in the sum of squares below which a fit has settled."""


def pearson(first: FloatArray, second: FloatArray, weight: FloatArray) -> FloatArray:
    """Return Pearson's correlation of every row, shape (batch,); NaN where one of the two is constant.

    Args:
        first: Shape (batch, stimuli); finite where the weight is above 0.
        second: Likewise.
        weight: How often each stimulus counts, shape (batch, stimuli).
    """
    first, second = _centred(first, weight), _centred(second, weight)
    together = (weight * first * second).sum(1)
    spread = (weight * first**2).sum(1) * (weight * second**2).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, together / np.sqrt(spread), np.nan)


def _centred(values: FloatArray, weight: FloatArray) -> FloatArray:
    values = np.where(weight > 0, values, 0.0)
    mean = (weight * values).sum(1, keepdims=True) / np.maximum(weight.sum(1, keepdims=True), 1e-300)
    away = np.where(weight > 0, values - mean, 0.0)
    # What rounding leaves of equal values is no spread.
    return np.where(np.abs(away) > 1e-12 * np.maximum(np.abs(mean), 1e-300), away, 0.0)


def ranks(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the ranks of every row's values if each stood there ``weight`` times; equal values share theirs.

    Args:
        values: Shape (batch, stimuli).
        weight: Likewise; the rank of what weighs nothing means nothing.
    """
    order = np.argsort(values, axis=1, kind="stable")
    value, count = np.take_along_axis(values, order, 1), np.take_along_axis(weight, order, 1)
    upto = np.cumsum(count, axis=1)
    place = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    new = np.ones(values.shape, np.bool_)
    new[:, 1:] = value[:, 1:] != value[:, :-1]
    last = np.ones(values.shape, np.bool_)
    last[:, :-1] = new[:, 1:]
    begins = np.maximum.accumulate(np.where(new, place, 0), axis=1)
    ends = np.minimum.accumulate(np.where(last, place, values.shape[1])[:, ::-1], axis=1)[:, ::-1]
    before = np.take_along_axis(upto - count, begins, 1)
    shared = (before + np.take_along_axis(upto, ends, 1) + 1.0) / 2.0
    ranked = np.empty(values.shape)
    np.put_along_axis(ranked, order, shared, 1)
    return ranked


def spearman(first: FloatArray, second: FloatArray, weight: FloatArray) -> FloatArray:
    """Return Spearman's rank correlation of every row, shape (batch,); arguments as in `pearson`."""
    return pearson(ranks(first, weight), ranks(second, weight), weight)


def monotone_fit(
    score: FloatArray, target: FloatArray, weight: FloatArray, begin: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return scores turned into targets by a rising logistic, shape (batch, stimuli), and its parameters.

    Four parameters of each row, by least squares (Levenberg and Marquardt's steps). All but flat where the
    metric does not rise with the target.

    Source: VQEG, "Final report, phase II" (2003), whose logistic it is.

    Args:
        score: Shape (batch, stimuli); finite where the weight is above 0.
        target: Human values, likewise.
        weight: How often each stimulus counts, likewise.
        begin: Parameters to begin with, shape (batch, 4); those of a straight line where not given.
    """
    score, target = (np.where(weight > 0, values, 0.0) for values in (score, target))
    parameters = _straight(score, target, weight) if begin is None else begin.copy()
    active, damping = np.arange(len(score)), np.full(len(score), 1e-3)
    error = _error(parameters, score, target, weight)
    for _ in range(_STEPS if begin is None else _STEPS_AGAIN):
        tried = parameters[active] + _step(
            parameters[active], score[active], target[active], weight[active], damping
        )
        after = _error(tried, score[active], target[active], weight[active])
        better = after < error[active]
        # A damped step gains little wherever it is.
        little = (error[active] - after <= _ENOUGH * error[active]) & (damping < 1e-2)
        settled = better & little | (damping > 1e8)
        parameters[active[better]], error[active[better]] = tried[better], after[better]
        damping = np.where(better, damping / 10.0, damping * 10.0)
        active, damping = active[~settled], damping[~settled]
        if not len(active):
            break
    return _logistic(parameters, score)[0], parameters


def _straight(score: FloatArray, target: FloatArray, weight: FloatArray) -> FloatArray:
    """Return parameters of a logistic that is nearly straight over the scores."""
    total = np.maximum(weight.sum(1), 1e-300)
    middle = (weight * score).sum(1) / total
    spread = np.sqrt((weight * (score - middle[:, None]) ** 2).sum(1) / total)
    low = np.where(weight > 0, target, np.inf).min(1)
    height = np.where(weight > 0, target, -np.inf).max(1) - low
    return np.stack(
        [low, np.log(np.maximum(height, 1e-9)), middle, np.log(np.maximum(spread / 2.0, 1e-9))], axis=1
    )


def _logistic(parameters: FloatArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the logistic's values, shape (batch, stimuli), and slopes, shape (batch, stimuli, 4)."""
    bottom, height, middle, width = (parameters[:, [place]] for place in range(4))
    scale, narrow = np.exp(np.clip(height, -60.0, 60.0)), np.exp(-np.clip(width, -60.0, 60.0))
    away = (score - middle) * narrow
    share = expit(away)
    rise = scale * share * (1.0 - share)
    slopes = np.stack([np.ones_like(share), scale * share, -rise * narrow, -rise * away], axis=2)
    return bottom + scale * share, slopes


def _error(parameters: FloatArray, score: FloatArray, target: FloatArray, weight: FloatArray) -> FloatArray:
    return (weight * (_logistic(parameters, score)[0] - target) ** 2).sum(1)


def _step(
    parameters: FloatArray, score: FloatArray, target: FloatArray, weight: FloatArray, damping: FloatArray
) -> FloatArray:
    value, slopes = _logistic(parameters, score)
    weighted = slopes * weight[:, :, None]
    square = weighted.transpose(0, 2, 1) @ slopes
    down = -(weighted.transpose(0, 2, 1) @ (value - target)[:, :, None])
    diagonal = np.einsum("bii->bi", square)
    held = (diagonal * damping[:, None] + 1e-12 * diagonal.max(1, keepdims=True) + 1e-300)[:, :, None]
    return np.linalg.solve(square + held * np.eye(4), down)[:, :, 0]


def meng_rosenthal_rubin(first: float, second: float, between: float, samples: int) -> float:
    """Return the two-sided p-value of a difference between two correlations with one and the same variable.

    Args:
        first: Correlation of the first predictor with the target.
        second: Of the second.
        between: Correlation of the two predictors.
        samples: How many independent samples, above 3.

    Source: Meng, Rosenthal and Rubin, Psychological Bulletin 111 (1992), equations 1 to 3.
    """
    mean_square = (first**2 + second**2) / 2.0
    if between >= 1.0 or mean_square >= 1.0:
        return 1.0
    f = min((1.0 - between) / (2.0 * (1.0 - mean_square)), 1.0)
    h = (1.0 - f * mean_square) / (1.0 - mean_square)
    z = (np.arctanh(first) - np.arctanh(second)) * np.sqrt((samples - 3) / (2.0 * (1.0 - between) * h))
    return float(2.0 * stats.norm.sf(abs(z)))
