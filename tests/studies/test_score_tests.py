"""Tests of differences where votes are (nearly) all one way, by hand on small numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import BRADLEY_TERRY, JOD, MODELS, THURSTONE
from codecarena.studies.scale.pair_counts import Tally, from_table, tally
from codecarena.studies.scale.resampling import Scheme
from codecarena.studies.scale.scale import analyse
from codecarena.studies.scale.score_tests import (
    clusters,
    contrasts,
    near_bounds,
    order_only,
    p_values,
    statistics,
)
from codecarena.studies.scale.votes import VoteRecord, Votes, from_records

WINS = np.array([[5, 3, 6], [2, 4, 5], [6, 5, 6], [3, 3, 4]])
"""Of 6 votes of each of four raters on each of three pictures, how many z won against a."""


def two_conditions(wins: np.ndarray) -> Tally:
    rows = [
        VoteRecord(f"r{rater}", f"p{picture}", "z", "a", 1 if vote < won else -1)
        for (rater, picture), won in np.ndenumerate(wins)
        for vote in range(6)
    ]
    return tally(from_records(rows, sided=False))


def test_two_conditions_have_a_proportion_s_errors_by_rater_and_picture() -> None:
    """Of two conditions the score is wins less half of the votes, its rest wins less their share of them."""
    counted = two_conditions(WINS)
    fitted = fit(counted.pairs, BRADLEY_TERRY)
    contrast = contrasts(4, np.array([1]), np.array([0]))
    rest = WINS - 6 * WINS.sum() / 72
    raters = (rest.sum(1) ** 2).sum() * 4 / 3
    pictures = (rest.sum(0) ** 2).sum() * 3 / 2
    both = raters + pictures - (rest**2).sum() * 12 / 11
    least = 72 / 4
    assert max(raters, pictures, both) > least
    expected: dict[Scheme, tuple[float, float]] = {
        "vote": (least, np.inf),
        "rater": (max(raters, least), 3),
        "rater x picture": (max(raters, pictures, both, least), 2),
    }
    for scheme, (variance, freedom) in expected.items():
        t = (WINS.sum() - 36) / np.sqrt(variance)
        allowed = clusters(counted, scheme)
        assert allowed.freedom == freedom
        assert statistics(fitted, allowed, contrast, np.zeros(1)) == pytest.approx([t], rel=1e-6)
        assert p_values(fitted, allowed, contrast) == pytest.approx([2 * stats.t.sf(t, freedom)], rel=1e-6)


def test_the_model_does_not_matter_for_two_conditions() -> None:
    counted = two_conditions(WINS)
    contrast = contrasts(4, np.array([0]), np.array([1]))
    t = [
        statistics(fit(counted.pairs, model), clusters(counted, "rater"), contrast, np.zeros(1))[0]
        for model in (BRADLEY_TERRY, THURSTONE)
    ]
    assert t[0] == pytest.approx(t[1], rel=1e-6)
    assert t[0] < 0


def test_raters_who_agree_leave_no_smaller_error_than_that_of_votes() -> None:
    """72 of 72: half of them over the root of a quarter, whatever the clusters; the ridge takes a little."""
    counted = two_conditions(np.full((4, 3), 6))
    fitted = fit(counted.pairs, BRADLEY_TERRY)
    contrast = contrasts(4, np.array([1]), np.array([0]))
    for scheme in ("vote", "rater", "rater x picture"):
        t = statistics(fitted, clusters(counted, scheme), contrast, np.zeros(1))
        assert t == pytest.approx([np.sqrt(72)], rel=1e-3)


def test_the_near_end_of_an_interval_is_what_the_votes_just_do_not_reject() -> None:
    """At a chance of p, 72 wins of 72 are the root of 72 (1 - p) / p deviations from what is expected."""
    counted = two_conditions(np.full((4, 3), 6))
    fitted = fit(counted.pairs, BRADLEY_TERRY)
    contrast = contrasts(4, np.array([1]), np.array([0]))
    for scheme, freedom in (("vote", np.inf), ("rater", 3), ("rater x picture", 2)):
        reach = stats.t.ppf(0.975, freedom)
        end = near_bounds(fitted, clusters(counted, scheme), contrast, np.array([-9.0]))
        # The ridge, a normal prior of deviation 4.5 on either value, draws the end in by a little.
        assert end == pytest.approx([np.log(72 / reach**2)], rel=0.02)


def sharing(share: float, raters: int, pictures: int, seed: int = 0) -> Votes:
    """Return a vote of each rater on each pair of each picture, that share of them for the earlier letter."""
    random = np.random.default_rng(seed)
    rows: list[VoteRecord] = []
    for rater in range(raters):
        for picture in range(pictures):
            for pair in ("AB", "BC", "AC"):
                sides = pair if (rater + picture) % 2 else pair[::-1]
                won = (random.random() < share) == (sides == pair)
                rows.append(VoteRecord(f"r{rater}", f"p{picture}", *sides, 1 if won else -1))
    return from_records(rows)


def test_votes_that_are_all_one_way_decide_the_order() -> None:
    """480 of 480 had p = 0.64 and ranks 1-2, 1-3, 2-3: an estimate over its error."""
    scale = analyse(sharing(1.0, 40, 12), resamples=50)
    ranks = [(condition.condition, condition.rank_low, condition.rank_high) for condition in scale.conditions]
    assert ranks == [
        ("A", 1, 1), ("B", 2, 2), ("C", 3, 3),
    ]  # fmt: skip
    assert scale.ridge > 0
    for test in scale.pairs:
        assert test.p_holm < 1e-6
        assert test.by_rater is not None
        assert test.by_rater_and_picture is not None
        assert 0 < test.by_rater_and_picture.low <= test.by_rater.low < test.difference < test.by_rater.high


def test_an_order_effect_that_votes_all_one_way_leave_open_is_not_told() -> None:
    """It had the interval +0.00 to +0.00: every resample agrees as well."""
    scale = analyse(sharing(1.0, 40, 12), resamples=50)
    assert scale.order_effect is None
    assert any(note.startswith("no order effect: the sides were not turned often") for note in scale.notes)


def test_an_order_effect_beside_votes_all_one_way_has_the_doubt_of_its_votes() -> None:
    """C is always beaten; A and B tell the order effect: 4 of 8 went to the first."""
    wins = [("A", "B", 1), ("A", "B", -1), ("B", "A", 1), ("B", "A", -1)] * 2 + [
        ("A", "C", 1),
        ("C", "B", -1),
    ]
    votes = from_records(
        VoteRecord(f"r{rater}", "p", first, second, won) for rater in range(4) for first, second, won in wins
    )
    effect = analyse(votes, resamples=20).order_effect
    assert effect is not None
    assert effect.by_rater is not None
    assert effect.by_rater.low <= effect.by_vote.low < -0.2
    assert effect.by_rater.high >= effect.by_vote.high > 0.2
    assert effect.p > 0.5


@pytest.mark.parametrize(("raters", "pictures"), [(40, 12), (12, 6), (6, 12), (5, 8), (20, 1)])
def test_p_falls_as_votes_become_more_decided(raters: int, pictures: int) -> None:
    p_values = [
        {
            (pair.first, pair.second): pair.p
            for pair in analyse(sharing(share, raters, pictures), resamples=3).pairs
        }
        for share in (0.6, 0.75, 0.9, 0.97, 1.0)
    ]
    falling = [p["A", "B"] for p in p_values]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 0.01


def test_p_falls_as_counts_of_unknown_raters_become_more_decided() -> None:
    """The score of 300 votes is wins less 150, its deviation the root of 75."""
    for wins in (180, 225, 270, 299, 300):
        [test] = analyse(from_table(["z"], ["a"], [wins], [300 - wins], sided=False)).pairs
        assert test.p == pytest.approx(2 * stats.norm.sf((wins - 150) / np.sqrt(75)), rel=1e-4)


@pytest.mark.parametrize("raters", [2, 3, 4])
def test_few_raters_who_agree_in_one_vote_each_decide_nothing(raters: int) -> None:
    rows = [VoteRecord(f"r{rater}", f"p{rater % 2}", "z", "a", 1) for rater in range(raters)]
    [test] = analyse(from_records(rows, sided=False), resamples=5).pairs
    assert test.p > 0.05


# Order effects


@pytest.mark.parametrize(("turned", "fitted"), [(0, False), (1, False), (8, False), (100, True)])
def test_an_order_effect_is_fitted_where_enough_pairs_were_turned(turned: int, fitted: bool) -> None:
    """A beats B 3 of 4, shown first in all of 480 but a few, in which B wins half."""
    half = turned / 2
    shown = 480 - turned
    pairs = from_table(["A", "B"], ["B", "A"], [0.75 * shown, half], [0.25 * shown, half], sided=True)
    scale = analyse(pairs)
    assert (scale.order_effect is not None) == fitted
    assert any(note.startswith("no order effect") for note in scale.notes) != fitted


def test_pairs_that_were_never_turned_tell_no_order_effect_however_many_their_votes() -> None:
    """A against C is nearer than A against B and B against C make it, which an effect of +1 JOD explains."""
    pairs = from_table(["A", "B", "A"], ["B", "C", "C"], [800, 800, 850], [200, 200, 150], sided=True)
    scale = analyse(pairs, model="thurstone")
    assert scale.order_effect is None
    assert any("worth 0.0 votes" in note for note in scale.notes)


def test_a_condition_that_won_479_of_480_stays_above() -> None:
    """One vote turned made the first side 1.4 JOD better and B better than A."""
    pairs = from_table(["A", "B"], ["B", "A"], [478, 1], [1, 0], sided=True)
    scale = analyse(pairs, model="thurstone")
    assert scale.order_effect is None
    assert [condition.condition for condition in scale.conditions] == ["A", "B"]
    [test] = scale.pairs
    assert test.difference == pytest.approx(JOD * stats.norm.ppf(478 / 480), rel=1e-6)


def test_the_order_effect_s_p_allows_for_raters() -> None:
    """Each of 30 raters always chooses one side, 18 the first: an effect by votes, none by raters."""
    rows = [
        VoteRecord(f"r{rater}", "p", *sides, 1 if rater < 18 else -1)
        for rater in range(30)
        for sides in ("AB", "BA") * 5
    ]
    effect = analyse(from_records(rows), resamples=20).order_effect
    assert effect is not None
    # Wins of the first side: 180 of 300; by rater they are 10 or 0, about 6.
    spread = np.sqrt((18 * 4**2 + 12 * 6**2) * 30 / 29)
    assert effect.p == pytest.approx(2 * stats.t.sf(30 / spread, 29), rel=1e-6)
    by_vote = fit(tally(from_records(rows)).pairs, MODELS["thurstone"])
    assert p_values(by_vote, clusters(None, "vote"), order_only("AB")) == pytest.approx(
        [2 * stats.norm.sf(30 / np.sqrt(75))], rel=1e-6
    )
