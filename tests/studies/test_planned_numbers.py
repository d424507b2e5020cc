"""What programs answer and planners promise: shares, counts and prices worked out by hand."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import norm

from codecarena.studies.design import power
from codecarena.studies.design.power import Prices, Simulation, simulate
from codecarena.studies.design.simulation import (
    Assumptions,
    Deviations,
    answers,
    deviations,
    simulate_votes,
    threshold,
)
from codecarena.studies.scale.models import JOD
from codecarena.studies.scale.scale_results import Interval, PairTest, ScaleError
from codecarena.studies.scale.votes import Kind

MANY = 40_000
EXACT = {"rater_spread": 0.0, "picture_spread": 0.0, "lapse_rate": 0.0}


def shares(outcomes: np.ndarray) -> list[float]:
    """Return the shares of first, no preference and second."""
    return [float((outcomes == answer).mean()) for answer in (1, 0, -1)]


def near(*expected: float) -> object:
    """Shares of MANY answers, within 4.5 standard errors."""
    return pytest.approx(expected, abs=4.5 * 0.5 / np.sqrt(MANY))


# Answers of programs


@pytest.mark.parametrize(
    ("difference", "tie_rate", "lapse_rate", "expected"),
    [
        (0.0, 0.0, 0.0, (0.5, 0.0, 0.5)),
        (norm.ppf(0.75), 0.0, 0.0, (0.75, 0.0, 0.25)),
        (-norm.ppf(0.9), 0.0, 0.0, (0.1, 0.0, 0.9)),
        (0.0, 0.4, 0.0, (0.3, 0.4, 0.3)),
        # Lapses are any answer there is: two without ties, three with them.
        (9.0, 0.0, 0.4, (0.8, 0.0, 0.2)),
        (-9.0, 0.0, 0.4, (0.2, 0.0, 0.8)),
        (9.0, 0.3, 0.6, (0.6, 0.2, 0.2)),
        (-9.0, 0.3, 0.6, (0.2, 0.2, 0.6)),
        (norm.ppf(0.75), 0.0, 0.5, (0.625, 0.0, 0.375)),
        (0.0, 0.4, 0.9, (0.33, 0.34, 0.33)),
    ],
)
def test_answers_are_those_of_the_threshold_probit_with_lapses(
    difference: float, tie_rate: float, lapse_rate: float, expected: tuple[float, ...]
) -> None:
    assumed = Assumptions({}, tie_rate=tie_rate, lapse_rate=lapse_rate)
    given = answers(np.full(MANY, difference), assumed, np.random.default_rng(5))
    assert given.dtype == np.int8
    assert shares(given) == near(*expected)
    if not tie_rate:
        assert not (given == 0).any()


@pytest.mark.parametrize(("rate", "reach"), [(0.0, 0.0), (0.5, 0.674490), (0.682689, 1.0), (0.95, 1.959964)])
def test_the_threshold_is_where_equals_tie_at_the_rate(rate: float, reach: float) -> None:
    assert threshold(rate) == pytest.approx(reach, abs=1e-5)


def test_assumptions_and_prices_that_nobody_names() -> None:
    assumed = Assumptions({"a": 0.0})
    assert (assumed.raters, assumed.pictures, assumed.votes_per_rater) == (20, 12, None)
    assert (assumed.tie_rate, assumed.lapse_rate, assumed.order_effect) == (0.0, 0.02, 0.0)
    assert (assumed.rater_spread, assumed.picture_spread) == (0.5, 0.5)
    assert Prices() == Prices(6.0, 4.0, 12.0, 1 / 3)


def test_deviations_have_the_spreads_of_raters_and_of_pictures() -> None:
    assumed = Assumptions(
        dict.fromkeys("abcdefgh", 0.0), raters=4000, pictures=3000, rater_spread=0.3, picture_spread=0.9
    )
    drawn = deviations(assumed, np.random.default_rng(1))
    assert (drawn.by_rater.shape, drawn.by_picture.shape) == ((4000, 8), (3000, 8))
    assert [drawn.by_rater.std(), drawn.by_picture.std()] == pytest.approx([0.3, 0.9], rel=0.02)
    assert [drawn.by_rater.mean(), drawn.by_picture.mean()] == pytest.approx([0, 0], abs=0.02)


def test_a_vote_is_drawn_from_scale_rater_picture_and_side() -> None:
    """One JOD is 75 % each time: by the scale, by the rater, by the picture, by the side."""
    scale = {"z": 0.0, "a": 0.0}
    cases = {
        "scale": (Assumptions({"z": 1.0, "a": 0.0}, **EXACT), np.zeros((1, 2)), np.zeros((1, 2))),
        "rater": (Assumptions(scale, **EXACT), np.array([[1.0, 0.0]]), np.zeros((1, 2))),
        "picture": (Assumptions(scale, **EXACT), np.zeros((1, 2)), np.array([[1.5, 0.5]])),
        "both": (Assumptions(scale, **EXACT), np.array([[0.0, 0.5]]), np.array([[1.5, 0.0]])),
    }
    for name, (assumed, by_rater, by_picture) in cases.items():
        alone = Assumptions(assumed.scale, raters=1, pictures=1, votes_per_rater=MANY, **EXACT)
        votes = simulate_votes(alone, np.random.default_rng(2), Deviations(by_rater, by_picture))
        z_won = np.where(votes.first == 0, votes.outcome, -votes.outcome)
        assert shares(z_won) == near(0.75, 0.0, 0.25), name
        assert shares(np.where(votes.first == 0, 1, -1)) == near(0.5, 0.0, 0.5), name
    sided = Assumptions(scale, raters=1, pictures=1, votes_per_rater=MANY, order_effect=1.0, **EXACT)
    votes = simulate_votes(sided, np.random.default_rng(3))
    for side in (0, 1):
        assert (votes.outcome[votes.first == side] == 1).mean() == pytest.approx(0.75, abs=0.015)
    assert norm.cdf(1 / JOD) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("wanted", "times"),
    [(None, [1] * 12), (12, [1] * 12), (7, [0] * 5 + [1] * 7), (30, [2] * 6 + [3] * 6)],
)
def test_every_rater_has_each_pair_of_each_picture_once_before_any_comes_again(
    wanted: int | None, times: list[int]
) -> None:
    assumed = Assumptions({"z": 0.0, "a": 1.0, "m": 2.0}, raters=3, pictures=4, votes_per_rater=wanted)
    votes = simulate_votes(assumed, np.random.default_rng(4))
    assert votes.raters == ("rater 1", "rater 2", "rater 3")
    assert votes.pictures == ("picture 1", "picture 2", "picture 3", "picture 4")
    assert votes.conditions == ("z", "a", "m")
    assert set(votes.kind.tolist()) == {Kind.PLAIN}
    assert np.isnan(votes.seconds).all()
    cells = [(p, *pair) for p in range(4) for pair in combinations(range(3), 2)]
    for rater in range(3):
        mine = votes.keep(votes.rater == rater)
        low, high = np.minimum(mine.first, mine.second), np.maximum(mine.first, mine.second)
        seen = Counter(zip(mine.picture.tolist(), low.tolist(), high.tolist(), strict=True))
        assert sorted(seen[cell] for cell in cells) == times
        assert seen.keys() <= set(cells)


# What a planner promises


def pair_results(*rows: tuple[str, str, float, float, float | None]) -> list[PairTest]:
    """Return pair tests of first, second, difference, p and half width."""
    return [
        PairTest(
            first, second, difference, 0.5,
            None if half is None else Interval(difference - half, difference + half, 0.1),
            None if half is None else Interval(difference - 2 * half, difference + 2 * half, 0.1),
            p / 10, p,
        )
        for first, second, difference, p, half in rows
    ]  # fmt: skip


@pytest.mark.parametrize(("in_general", "factor"), [(True, 2.0), (False, 1.0)])
def test_power_is_the_share_of_studies_that_find_the_right_direction(
    monkeypatch: pytest.MonkeyPatch, in_general: bool, factor: float
) -> None:
    """Six studies: two without a scale, one in the wrong direction, one at 5 % exactly."""
    given = iter(
        [
            (pair_results(("z", "a", 1.0, 0.01, 0.5), ("a", "m", -0.2, 0.6, 0.7)), 2.0),
            (pair_results(("z", "a", -1.0, 0.01, 0.5), ("a", "m", -0.4, 0.04, 0.9)), 3.0),
            None,
            None,
            (pair_results(("z", "a", 0.8, 0.05, 1.0), ("a", "m", 0.4, 0.04, 0.8)), 4.0),
            (pair_results(("z", "a", 0.9, 0.049, 1.2), ("a", "m", -0.4, 0.04, 0.8)), 7.0),
        ]
    )
    monkeypatch.setattr(power, "_study", lambda *_: next(given))
    assumed = Assumptions({"z": 1.0, "a": 0.0, "m": 0.5}, raters=10, pictures=3)
    planned = simulate(assumed, studies=6, in_general=in_general)
    assert (planned.studies, planned.unusable) == (6, 2)
    assert planned.scheme == ("rater x picture" if in_general else "rater")
    assert planned.design_effect == pytest.approx(4.0)
    first, second = planned.pairs
    assert (first.first, first.second, first.difference, first.power) == ("a", "m", -0.5, 2 / 6)
    assert first.width == pytest.approx(2 * 0.8 * factor)
    assert (second.first, second.second, second.difference, second.power) == ("z", "a", 1.0, 2 / 6)
    assert second.width == pytest.approx(2 * 0.8 * factor)
    assert planned.width == pytest.approx((first.width + second.width) / 2)


def test_one_picture_says_nothing_of_pictures_in_general(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "_study", lambda *_: (pair_results(("a", "b", 1.0, 0.01, 0.5)), 1.0))
    simulation = simulate(Assumptions({"a": 1.0, "b": 0.0}, pictures=1), studies=1)
    assert simulation.scheme == "rater"
    two = simulate(Assumptions({"a": 1.0, "b": 0.0}, pictures=2), studies=1)
    assert two.scheme == "rater x picture"


def test_no_study_with_a_scale_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power, "_study", lambda *_: None)
    with pytest.raises(ScaleError, match="no simulated study gave a scale"):
        simulate(Assumptions({"a": 1.0, "b": 0.0}), studies=2)


@pytest.mark.parametrize(
    ("own", "votes", "minutes"), [(None, 5 * 6, 5 * 6 * 8 / 60 + 3), (40, 40, 40 * 8 / 60 + 3)]
)
def test_votes_minutes_and_cost_by_hand(
    monkeypatch: pytest.MonkeyPatch, own: int | None, votes: int, minutes: float
) -> None:
    monkeypatch.setattr(power, "_study", lambda *_: (pair_results(("a", "b", 1.0, 0.01, 0.5)), 1.0))
    assumed = Assumptions({"a": 1.0, "b": 0.0, "c": 0.0, "d": 0.0}, raters=7, pictures=5, votes_per_rater=own)
    prices = Prices(seconds_per_vote=8, minutes_besides=3, per_hour=9, fee=0.3)
    planned: Simulation = simulate(assumed, prices=prices, studies=1)
    assert (planned.raters, planned.pictures) == (7, 5)
    assert (planned.votes, planned.votes_per_rater) == (7 * votes, votes)
    assert planned.minutes_per_rater == pytest.approx(minutes)
    assert planned.hours == pytest.approx(7 * minutes / 60)
    assert planned.cost == pytest.approx(7 * minutes / 60 * 9 * 1.3)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("raters", (2, 100_000), (1, 100_001)),
        ("pictures", (1, 100_000), (0, 100_001)),
        ("votes_per_rater", (1, 100_000), (-1, 100_001)),
        ("tie_rate", (0, 0.95), (-0.01, 0.96)),
        ("lapse_rate", (0, 0.95), (-0.01, 0.96)),
        ("rater_spread", (0, 100), (-0.1, 101)),
        ("picture_spread", (0, 100), (-0.1, 101)),
    ],
)
def test_assumptions_are_refused_outside_their_range(
    monkeypatch: pytest.MonkeyPatch, name: str, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    monkeypatch.setattr(power, "_study", lambda *_: (pair_results(("a", "b", 1.0, 0.01, 0.5)), 1.0))
    scale = {"a": 1.0, "b": 0.0}
    for value in inside:
        simulate(Assumptions(scale, **{name: value}), studies=1)  # type: ignore[arg-type]
    for value in outside:
        with pytest.raises(ScaleError, match=f"expected {name} from"):
            simulate(Assumptions(scale, **{name: value}), studies=1)  # type: ignore[arg-type]


def test_at_least_two_conditions_and_one_study_are_simulated() -> None:
    with pytest.raises(ScaleError, match="expected conditions from 2 to 1000; got 1"):
        simulate(Assumptions({"a": 1.0}))
    with pytest.raises(ScaleError, match="expected studies from 1 to 1e"):
        simulate(Assumptions({"a": 1.0, "b": 0.0}), studies=0)


def test_the_seed_decides_what_is_simulated() -> None:
    assumed = Assumptions({"z": 1.0, "a": 0.0}, raters=6, pictures=2, tie_rate=0.2)
    first, again, other = (simulate(assumed, studies=3, resamples=20, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.width != other.width


def test_a_design_effect_is_the_clustered_variance_over_that_of_votes() -> None:
    """Raters who see it alike, many times over, give votes that hardly hang together."""
    alike = Assumptions({"z": 0.5, "a": 0.0}, raters=30, pictures=8, **EXACT)
    apart_ones = Assumptions({"z": 0.5, "a": 0.0}, raters=30, pictures=8, rater_spread=3.0, picture_spread=0)
    effects = [
        simulate(assumed, studies=8, resamples=100, in_general=False).design_effect
        for assumed in (alike, apart_ones)
    ]
    assert effects[0] == pytest.approx(1.0, abs=0.3)
    assert effects[1] > 2
