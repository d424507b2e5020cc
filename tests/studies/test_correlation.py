"""Weighted correlations are those of repeated rows, and the logistic is the least squares one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import least_squares
from scipy.special import expit

from codecarena.studies.analysis.correlation import (
    meng_rosenthal_rubin,
    monotone_fit,
    pearson,
    ranks,
    spearman,
)


@pytest.fixture
def rows() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with ties, targets, and weights, some of them 0."""
    random = np.random.default_rng(0)
    score = np.round(random.normal(size=(40, 30)) * 3) * random.choice([0.01, 1.0, 50.0], (40, 1))
    target = np.tanh(score / score.std(1, keepdims=True)) + random.normal(0, 0.4, score.shape)
    return score, target, random.integers(0, 4, score.shape).astype(float)


def repeated(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.repeat(values, weight.astype(int))


def test_a_weight_is_so_many_rows(rows: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    score, target, weight = rows
    straight, ranked = pearson(score, target, weight), spearman(score, target, weight)
    for at, (left, right, often) in enumerate(zip(*rows, strict=True)):
        first, second = repeated(left, often), repeated(right, often)
        assert straight[at] == pytest.approx(stats.pearsonr(first, second).statistic, abs=1e-12)
        assert ranked[at] == pytest.approx(stats.spearmanr(first, second).statistic, abs=1e-12)
        mine = repeated(ranks(left[None], often[None])[0], often)
        assert mine == pytest.approx(stats.rankdata(first))


def test_what_weighs_nothing_need_not_be_a_number() -> None:
    score = np.array([[1.0, 2.0, 4.0, np.inf]])
    target = np.array([[1.0, 3.0, 2.0, np.nan]])
    weight = np.array([[1.0, 1.0, 1.0, 0.0]])
    assert pearson(score, target, weight) == pytest.approx(np.corrcoef([1, 2, 4], [1, 3, 2])[0, 1])
    assert np.isfinite(monotone_fit(score, target, weight)[0][:, :3]).all()


def test_without_spread_there_is_no_correlation() -> None:
    flat, rising, weight = np.full((1, 5), 0.1), np.arange(5.0)[None], np.ones((1, 5))
    assert np.isnan(pearson(flat, rising, weight)).all()
    assert np.isnan(spearman(rising, flat, weight)).all()


def test_the_monotone_fit_straightens_a_bent_metric() -> None:
    score = np.linspace(-3, 3, 60)[None]
    target = 5 / (1 + np.exp(-2 * score)) - 1
    assert monotone_fit(score, target, np.ones_like(score))[0] == pytest.approx(target, abs=1e-3)
    bent = monotone_fit(score, np.sin(score), np.ones_like(score))[0]
    assert (np.diff(bent) >= -1e-9).all()


def test_the_monotone_fit_is_as_near_as_that_of_minpack(
    rows: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    score, target, weight = rows
    fitted, parameters = monotone_fit(score, target, weight)
    again, _ = monotone_fit(score, target, weight, parameters)
    # Some rows have their best fit infinitely far away: the values still creep, the correlation does not.
    assert pearson(again, target, weight) == pytest.approx(pearson(fitted, target, weight), abs=1e-3)
    for at, (left, right, often) in enumerate(zip(*rows, strict=True)):
        first, second = repeated(left, often), repeated(right, often)

        def away(p: np.ndarray, first: np.ndarray = first, second: np.ndarray = second) -> np.ndarray:
            return p[0] + p[1] * expit((first - p[2]) / p[3]) - second

        begin = [second.min(), np.ptp(second), np.median(first), first.std() / 2]
        theirs = (away(least_squares(away, begin, method="lm").x) ** 2).sum()
        assert (weight[at] * (fitted[at] - target[at]) ** 2).sum() <= theirs * 1.005


def test_meng_rosenthal_and_rubin_follow_their_equations() -> None:
    # By hand from equations 1 to 3.
    mean_square = (0.63**2 + 0.46**2) / 2
    f = 0.5 / (2 * (1 - mean_square))
    h = (1 - f * mean_square) / (1 - mean_square)
    z = (np.arctanh(0.63) - np.arctanh(0.46)) * np.sqrt(12 / (2 * 0.5 * h))
    assert meng_rosenthal_rubin(0.63, 0.46, 0.5, 15) == pytest.approx(2 * stats.norm.sf(z))
    assert meng_rosenthal_rubin(0.5, 0.5, 0.3, 50) == 1.0
