"""Fits, resamples and votes of three conditions whose names say nothing of their quality."""

from __future__ import annotations

import numpy as np

from codecarena.studies.scale.fisher_scoring import Problem
from codecarena.studies.scale.fit import Fit
from codecarena.studies.scale.models import BRADLEY_TERRY
from codecarena.studies.scale.pair_counts import PairCounts, Tally, tally
from codecarena.studies.scale.resampling import Draws, Scheme
from codecarena.studies.scale.votes import VoteRecord, from_records

NAMES = ("m", "z", "a")
"""Neither in the order of the alphabet nor, below, in that of quality."""
VALUES = np.array([0.2, 1.0, -1.2])
COVARIANCE = np.array([[0.05, -0.02, -0.03], [-0.02, 0.08, -0.06], [-0.03, -0.06, 0.09]])


def given_fit(names: tuple[str, ...] = NAMES, ridge: float = 0.0, component: list[int] | None = None) -> Fit:
    """Return a fit whose values and covariance are the ones above, of 10 votes a pair and side."""
    size = len(names)
    first, second = (place.ravel() for place in np.where(~np.eye(size, dtype=bool)))
    counts = np.stack([np.full(len(first), 6.0), np.full(len(first), 1.0), np.full(len(first), 4.0)])
    pairs = PairCounts(names, first, second, counts)
    apart = np.array(component or [0] * size)
    problem = Problem(pairs, BRADLEY_TERRY, apart, order=True, ridge=ridge)
    covariance = np.zeros((size + 2, size + 2))
    covariance[:size, :size] = COVARIANCE
    covariance[-2, -2] = 0.01
    return Fit(problem, np.array([*VALUES, 0.3, 0.0]), covariance, -100.0)


def drawn(scheme: Scheme, clusters: int, seed: int = 0, spread: float = 0.1) -> Draws:
    """Return 400 normal draws about the values."""
    random = np.random.default_rng(seed)
    values = VALUES + random.normal(0, spread, (400, 3)) * [1.0, 2.0, 3.0]
    rest = np.stack([random.normal(0.3, spread, 400), np.zeros(400)], axis=1)
    return Draws(scheme, np.hstack([values, rest]), np.zeros(400, bool), clusters)


def table(raters: int, pictures: int, seed: int = 0, names: str = "mza") -> Tally:
    """Return one decided vote of each rater on each pair of each picture; the second name is best."""
    random = np.random.default_rng(seed)
    worth = dict(zip(names, (0.2, 1.0, -1.2), strict=True))
    rows: list[VoteRecord] = []
    for rater in range(raters):
        for picture in range(pictures):
            for upper, lower in ("mz", "za", "am"):
                first, second = (upper, lower) if random.random() < 0.5 else (lower, upper)
                wins = random.random() < 1 / (1 + np.exp(worth[second] - worth[first]))
                rows.append(VoteRecord(f"r{rater}", f"p{picture}", first, second, 1 if wins else -1))
    return tally(from_records(rows))
