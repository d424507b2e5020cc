"""Compare counts with the fitted scale: whether the model explains the pairs."""

from __future__ import annotations

import numpy as np
from scipy import sparse, stats
from scipy.special import xlogy

from .fisher_scoring import answers_of, information_of, invertible, solve
from .fit import Fit
from .models import FloatArray
from .pair_counts import Tally
from .scale_results import GoodnessOfFit

FEWEST_RATERS = 6
"""Below, the signs of the raters' residuals can be turned in too few ways for p < 0.05."""
_THIN = 5.0
"""Expected count from which chi-squared holds (Cochran 1954)."""
_DRAWS = 499
_DRAWS_AT_ONCE = 100


def goodness_of_fit(fitted: Fit, counted: Tally | None = None, seed: int = 0) -> GoodnessOfFit:
    """Return G2 and Pearson's X2 of the counts by ordered pair against the fit, with the p of X2.

    Votes of a rater hang together, and cells are thin, so chi-squared alarms falsely. Where raters are known
    each rater's residuals are turned as a whole, with random signs, and what a refit would take up is taken
    off (a wild bootstrap by clusters: Cameron, Gelbach and Miller, Review of Economics and Statistics 90,
    2008). Where they are not, counts are drawn from the fit and fitted again, unless no cell is thin.

    Args:
        fitted: The fit.
        counted: The votes behind it, where raters are known.
        seed: Of what is drawn.
    """
    problem = fitted.problem
    counts = problem.pairs.counts[list(problem.model.outcomes)]
    probability = answers_of(problem, fitted.parameters[None]).probability[:, 0]
    expected = counts.sum(0) * probability
    used = counts.sum(0) > 0
    degrees = max(int(used.sum()) * (len(counts) - 1) - problem.free(), 0)
    pearson = _pearson(counts, expected)
    random = np.random.default_rng(seed)
    if counted is None:
        thin = bool((expected[:, used] < _THIN).any())
        p = _by_drawing(fitted, pearson, random) if thin else float(stats.chi2.sf(pearson, max(degrees, 1)))
    else:
        p = _by_turning(fitted, counted, pearson, random) if len(counted.raters) >= FEWEST_RATERS else None
    g2 = 2.0 * float((xlogy(counts, counts) - xlogy(counts, np.maximum(expected, 1e-300))).sum())
    return GoodnessOfFit(
        max(g2, 0.0),
        pearson,
        degrees,
        p if degrees else 1.0,
        "vote" if counted is None else "rater",
        float((expected[:, used] < _THIN).mean()),
    )


def _pearson(counts: FloatArray, expected: FloatArray) -> float:
    return float(((counts - expected) ** 2 / np.maximum(expected, 1e-300)).sum())


def _by_drawing(fitted: Fit, pearson: float, random: np.random.Generator) -> float:
    """Return the share of drawn tables that lie as far from their own fit."""
    problem = fitted.problem
    outcomes = list(problem.model.outcomes)
    probability = answers_of(problem, fitted.parameters[None]).probability[:, 0]
    totals = problem.pairs.counts[outcomes].sum(0)
    # Weights need not be whole; a draw does.
    drawn = random.multinomial(np.rint(totals).astype(np.int64), probability.T, (_DRAWS, len(totals)))
    counts = np.zeros((3, _DRAWS, len(totals)))
    counts[outcomes] = drawn.transpose(2, 0, 1)
    parameters = solve(problem, counts, fitted.parameters, 1e-6, 30).parameters
    expected = counts.sum(0) * answers_of(problem, parameters).probability
    distance = ((counts[outcomes] - expected) ** 2 / np.maximum(expected, 1e-300)).sum((0, 2))
    return float((1 + (distance >= pearson * (1 - 1e-9)).sum()) / (1 + _DRAWS))


def _by_turning(fitted: Fit, counted: Tally, pearson: float, random: np.random.Generator) -> float:
    """Return the share of random signs of the raters' residuals that put the counts as far from the fit."""
    problem = fitted.problem
    counts = problem.pairs.counts[list(problem.model.outcomes)]
    answers = answers_of(problem, fitted.parameters[None])
    expected = (counts.sum(0) * answers.probability[:, 0]).ravel()
    design = _design(fitted)
    matrix = invertible(problem, information_of(problem, counts.sum(0)[None], answers))[0]
    inverse = np.linalg.inv(matrix)
    residuals = _residuals(fitted, counted)
    distances: list[FloatArray] = []
    for low in range(0, _DRAWS, _DRAWS_AT_ONCE):
        signs = random.choice(np.array([-1.0, 1.0]), (min(_DRAWS_AT_ONCE, _DRAWS - low), len(counted.raters)))
        turned = np.asarray(residuals.T @ signs.T).T
        refit = np.asarray(design.T @ turned.T).T @ inverse
        turned = turned - np.asarray(design @ refit.T).T * expected
        distances.append((turned**2 / np.maximum(expected, 1e-300)).sum(1))
    at_least = (np.concatenate(distances) >= pearson * (1 - 1e-9)).sum()
    return float((1 + at_least) / (1 + _DRAWS))


def _design(fitted: Fit) -> sparse.csr_matrix:
    """Return the derivative of log P of each outcome of each pair, shape (outcomes x pairs, parameters)."""
    problem, pairs = fitted.problem, fitted.problem.pairs
    answers = answers_of(problem, fitted.parameters[None])
    order = sparse.csr_matrix((pairs.side * problem.order)[:, None])
    rows = sparse.hstack([pairs.signs.T, order])
    blocks: list[sparse.csr_matrix] = []
    for outcome, slope in enumerate(answers.by_difference[:, 0]):
        by_tie = np.zeros(len(slope)) if answers.by_tie is None else answers.by_tie[outcome, 0]
        block = sparse.hstack([sparse.diags(slope) @ rows, sparse.csr_matrix(by_tie[:, None])])
        blocks.append(sparse.csr_matrix(block))
    return sparse.csr_matrix(sparse.vstack(blocks))


def _residuals(fitted: Fit, counted: Tally) -> sparse.csr_matrix:
    """Return seen less expected counts of each rater, shape (raters, outcomes x pairs)."""
    problem = fitted.problem
    outcomes, pairs = list(problem.model.outcomes), len(problem.pairs.first)
    probability = answers_of(problem, fitted.parameters[None]).probability[:, 0]
    place = np.full(3, -1)
    place[outcomes] = np.arange(len(outcomes))
    kept = place[counted.outcome] >= 0
    rater, pair, count = counted.rater[kept], counted.pair[kept], counted.count[kept]
    shape = (len(counted.raters), len(outcomes) * pairs)
    seen = sparse.csr_matrix((count, (rater, place[counted.outcome[kept]] * pairs + pair)), shape)
    rows, columns = (
        np.tile(rater, len(outcomes)),
        np.concatenate([pair + pairs * outcome for outcome in range(len(outcomes))]),
    )
    expected = sparse.csr_matrix((np.concatenate(list(count * probability[:, pair])), (rows, columns)), shape)
    return sparse.csr_matrix(seen - expected)
