"""Whether the model explains the pairs, on tables small enough to count all that could have come."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from codecarena.studies.design.simulation import Assumptions, simulate_votes
from codecarena.studies.scale.fit import Fit, fit
from codecarena.studies.scale.goodness import goodness_of_fit
from codecarena.studies.scale.models import BRADLEY_TERRY, THRESHOLD_PROBIT, THURSTONE
from codecarena.studies.scale.pair_counts import from_table, tally
from codecarena.studies.scale.votes import VoteRecord, from_records


def ring(*won: float, votes: float) -> Fit:
    """Return the fit of how often a beat b, b beat c and c beat a."""
    return fit(from_table("abc", "bca", won, [votes - wins for wins in won], sided=False), BRADLEY_TERRY)


def test_counts_of_five_and_more_are_judged_by_chi_squared() -> None:
    """20 of 30 all round the ring: equal conditions, 5 above 15 in each of six cells, one degree left."""
    fitness = goodness_of_fit(ring(20, 20, 20, votes=30))
    assert fitness.pearson == pytest.approx(6 * 5**2 / 15, rel=1e-6)
    assert fitness.g2 == pytest.approx(2 * 3 * (20 * np.log(4 / 3) + 10 * np.log(2 / 3)), rel=1e-6)
    assert (fitness.degrees, fitness.p_by, fitness.thin) == (1, "vote", 0.0)
    assert fitness.p == pytest.approx(stats.chi2.sf(10, 1), rel=1e-6)


def test_thin_counts_are_judged_by_all_that_could_have_come() -> None:
    """Four votes a pair, 3, 3 and 3 won: equal conditions. Each of 125 tables is fitted and weighed."""
    seen = ring(3, 3, 3, votes=4)
    fitness = goodness_of_fit(seen)
    assert fitness.pearson == pytest.approx(6 * 1 / 2, rel=1e-6)
    assert fitness.thin == 1.0
    exact = 0.0
    for won in product(range(5), repeat=3):
        # Separated tables lie as far from the fit as their own fit says, which the ridge hardly moves.
        pearson = goodness_of_fit(fit(seen.problem.pairs.with_counts(table(won)), BRADLEY_TERRY)).pearson
        exact += float(np.prod(stats.binom.pmf(won, 4, 0.5))) * (pearson >= 3.0 - 1e-6)
    assert 0.05 < exact < 0.5
    assert fitness.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 499))


def table(won: tuple[int, ...]) -> np.ndarray:
    """Return counts of a - b, a - c, b - c, of which the ring's c - a stands the other way round."""
    first = np.array([won[0], 4 - won[2], won[1]], float)
    return np.stack([first, np.zeros(3), 4 - first])


def circular(*ways: int) -> list[VoteRecord]:
    """Return three votes of each rater on each pair: round the ring one way or the other."""
    return [
        VoteRecord(f"r{rater}", f"p{turn}", first, second, way)
        for rater, way in enumerate(ways)
        for first, second in ("ab", "bc", "ca")
        for turn in range(3)
    ]


def test_what_all_raters_share_is_a_misfit_and_what_they_do_not_is_none() -> None:
    """Of eight raters' signs all are equal in 2 of 256 ways; where half go the other way all counts fit."""
    same = tally(from_records(circular(*[1] * 8), sided=False))
    fitness = goodness_of_fit(fit(same.pairs, BRADLEY_TERRY), same)
    assert fitness.p_by == "rater"
    assert fitness.p == pytest.approx(2 / 256, abs=4 * np.sqrt(2 / 256 / 499) + 1 / 500)
    halves = tally(from_records(circular(*[1, -1] * 4), sided=False))
    fitness = goodness_of_fit(fit(halves.pairs, BRADLEY_TERRY), halves)
    assert (fitness.pearson, fitness.p) == (pytest.approx(0, abs=1e-9), 1.0)


def test_five_raters_have_too_few_signs() -> None:
    few, enough = (tally(from_records(circular(*[1] * raters), sided=False)) for raters in (5, 6))
    assert goodness_of_fit(fit(few.pairs, BRADLEY_TERRY), few).p is None
    assert goodness_of_fit(fit(enough.pairs, BRADLEY_TERRY), enough).p is not None


@pytest.mark.parametrize("ties", [0.0, 0.3])
def test_a_model_that_fits_is_not_denied_on_a_sparse_table(ties: float) -> None:
    """Chi-squared denied one in six such studies: 90 ordered pairs, 900 votes of raters who differ."""
    scale = {f"c{place}": place / 6 for place in range(10)}
    assumed = Assumptions(scale, 20, 24, 45, ties, 0.0, rater_spread=0.6, picture_spread=0.0)
    p_values: list[float] = []
    for seed in range(40):
        counted = tally(simulate_votes(assumed, np.random.default_rng(seed)))
        fitted = fit(counted.pairs, THRESHOLD_PROBIT if ties else THURSTONE)
        p = goodness_of_fit(fitted, counted).p
        assert p is not None
        p_values.append(p)
    # Binomial: of 40 more than 6 have 0.3 % at a rate of 5 %.
    assert sum(p < 0.05 for p in p_values) <= 6
    assert 0.3 < np.mean(p_values) < 0.7
