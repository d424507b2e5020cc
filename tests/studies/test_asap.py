"""ASAP's posterior and gain: the published answer, integrals, and numbers of votes that break other code."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr

from codecarena.studies.design.asap import information_gain, posterior, spanning_tree


def test_the_published_matrix_has_its_posterior_and_its_best_pair(test_data: Path) -> None:
    oracle = json.loads((test_data / "oracles" / "expected.json").read_text())["asap_readme_matrix"]
    wins = np.array(oracle["M"], float)
    believed = posterior(wins)
    assert believed.mean.round(4).tolist() == oracle["posterior_mean"]
    assert np.sqrt(believed.variance).round(4).tolist() == oracle["posterior_sd"]
    first, second = np.triu_indices(5, 1)
    gain = information_gain(wins, first, second)
    assert [first[gain.argmax()], second[gain.argmax()]] == oracle["best_pair"]


def test_one_vote_moves_beliefs_as_the_integrals_say() -> None:
    believed = posterior(np.array([[0.0, 1.0], [0.0, 0.0]]))
    grid = np.linspace(-6, 6, 1201)
    density = np.exp(-(grid**2))  # N(0, 1/2)
    winner = density * (density * ndtr(grid[:, None] - grid)).sum(1)
    winner /= winner.sum()
    mean = (winner * grid).sum()
    assert believed.mean == pytest.approx([mean, -mean], abs=1e-6)
    assert believed.variance == pytest.approx([(winner * grid**2).sum() - mean**2] * 2, abs=1e-6)


def test_gain_is_the_mean_divergence_of_running_the_posterior_again() -> None:
    generator = np.random.default_rng(4)
    wins = generator.poisson(1.0, (7, 7)) * (1 - np.eye(7))
    first, second = np.triu_indices(7, 1)
    before = posterior(wins)
    again = []
    for upper, lower in zip(first, second, strict=True):
        spread = np.sqrt(1 + before.variance[upper] + before.variance[lower])
        likely = ndtr((before.mean[upper] - before.mean[lower]) / spread)
        total = 0.0
        for winner, loser, chance in ((upper, lower, likely), (lower, upper, 1 - likely)):
            more = wins.copy()
            more[winner, loser] += 1
            after = posterior(more)
            ratio = after.variance / before.variance
            moved = (after.mean - before.mean) ** 2 / before.variance
            total += chance * 0.5 * (ratio + moved - 1 - np.log(ratio)).sum()
        again.append(total)
    assert information_gain(wins, first, second) == pytest.approx(again, rel=0.1)


@pytest.mark.parametrize(("won", "lost"), [(840_000, 160_000), (1_000_000, 0), (3, 0)])
def test_any_number_of_votes_on_one_pair_stays_stable(won: int, lost: int) -> None:
    believed = posterior(np.array([[0.0, won], [lost, 0.0]]))
    assert np.isfinite(believed.mean).all()
    assert believed.mean[0] == pytest.approx(-believed.mean[1])
    assert (believed.variance > 0).all()
    if lost:
        # 0.9945 = the normal quantile of 0.84.
        assert believed.mean[0] - believed.mean[1] == pytest.approx(0.9945, abs=2e-3)


def test_many_votes_find_the_truth() -> None:
    generator = np.random.default_rng(0)
    values = generator.normal(0, 0.7, 12)
    values -= values.mean()
    wins = np.zeros((12, 12))
    for upper, lower in combinations(range(12), 2):
        wins[upper, lower] = generator.binomial(5000, ndtr(values[upper] - values[lower]))
        wins[lower, upper] = 5000 - wins[upper, lower]
    believed = posterior(wins)
    assert believed.mean - believed.mean.mean() == pytest.approx(values, abs=0.03)


def test_a_tree_takes_the_most_telling_pairs_that_close_no_ring() -> None:
    first, second = np.triu_indices(4, 1)  # 01 02 03 12 13 23
    rows = spanning_tree(first, second, np.array([5.0, 4.0, 1.0, 4.5, 0.5, 2.0]))
    assert rows.tolist() == [0, 3, 5]
