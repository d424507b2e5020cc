"""Rates at equal human quality and fool rates, each number worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from voting import votes_of

from codecarena.bench.analysis.curves import bd_rate
from codecarena.studies.analysis.fool_rate import fool_rates, share_interval
from codecarena.studies.analysis.human_rate import CodedCondition, human_bd_rates
from codecarena.studies.scale.fit import Fit, fit
from codecarena.studies.scale.models import JOD, THURSTONE
from codecarena.studies.scale.pair_counts import Tally, tally
from codecarena.studies.scale.resampling import Draws, interval
from codecarena.studies.scale.scale_results import Interval, ScaleError
from codecarena.studies.scale.votes import Kind, VoteRecord, from_records

# Rates

CODED = {
    "o1": ("old", (0.2, 0.4)),
    "o2": ("old", (0.6, 1.0)),
    "n1": ("new", (0.1, 0.3)),
    "n2": ("new", (0.5, 0.7)),
}
"""Condition -> codec and rates in the two pictures."""


def rated(rates: dict[str, tuple[str, tuple[float, float]]] = CODED) -> list[CodedCondition]:
    return [
        CodedCondition(name, codec, dict(zip(("p0", "p1"), each, strict=True)))
        for name, (codec, each) in rates.items()
    ]


def ladder() -> tuple[Tally, Fit]:
    """Return votes that link four conditions in both pictures, and a fit whose values are given."""
    rows = [
        (f"r{n}", f"p{picture}", (first, second), 1 if n % 2 else -1)
        for n in range(4)
        for picture in range(2)
        for first, second in permutations(CODED, 2)
    ]
    votes = from_records(VoteRecord(r, p, *pair, won) for r, p, pair, won in rows)
    counted = tally(votes)
    fitted = fit(counted.pairs, THURSTONE)
    order = counted.pairs.conditions
    given = {"o1": -1.0, "o2": 0.6, "n1": -0.9, "n2": 1.3}
    parameters = np.array([given[name] / JOD for name in order] + [0.0, 0.0])
    return counted, Fit(fitted.problem, parameters, fitted.covariance, fitted.log_likelihood)


def savings(values: np.ndarray, weight: Sequence[float]) -> float:
    """Return the BD-rate of new against old where pictures weigh so much."""
    rates = {name: float(np.dot(each, weight)) for name, (_, each) in CODED.items()}
    places = {"n1": 0, "n2": 1, "o1": 2, "o2": 3}
    percent = bd_rate(
        [rates["o1"], rates["o2"]],
        [values[places["o1"]], values[places["o2"]]],
        [rates["n1"], rates["n2"]],
        [values[places["n1"]], values[places["n2"]]],
    ).percent
    assert percent is not None
    return percent


def test_a_human_bd_rate_is_that_of_the_mean_rates_and_the_scale() -> None:
    counted, fitted = ladder()
    assert counted.pairs.conditions == ("n1", "n2", "o1", "o2")
    [saving] = human_bd_rates(fitted, None, counted, rated(), "old")
    assert (saving.codec, saving.anchor) == ("new", "old")
    assert saving.bd_rate.percent == pytest.approx(savings(fitted.values * JOD, [0.5, 0.5]))
    assert (saving.low, saving.high, saving.resamples, saving.undefined) == (None, None, 0, 0)
    [turned] = human_bd_rates(fitted, None, counted, rated(), "new")
    assert (turned.codec, turned.anchor) == ("old", "new")
    assert saving.bd_rate.percent < 0 < turned.bd_rate.percent


def test_resampled_rates_are_those_of_the_pictures_that_were_drawn() -> None:
    counted, fitted = ladder()
    random = np.random.default_rng(1)
    parameters = fitted.parameters + random.normal(0, 0.05, (60, 6))
    pictures = random.multinomial(2, [0.5, 0.5], 60).astype(float)
    draws = Draws("rater x picture", parameters, np.zeros(60, bool), 2, pictures)
    [saving] = human_bd_rates(fitted, draws, counted, rated(), "old")
    percents = [
        savings(values[:4] * JOD, weight / 2) for values, weight in zip(parameters, pictures, strict=True)
    ]
    ends = interval(np.log1p(np.array(percents) / 100), 2)
    assert (saving.low, saving.high) == pytest.approx(tuple(100 * np.expm1(ends)))
    assert (saving.resamples, saving.undefined) == (60, 0)


@pytest.mark.parametrize(("broken", "shown"), [(0, True), (2, True), (3, False)])
def test_an_interval_of_rates_needs_95_of_100_resamples(broken: int, shown: bool) -> None:
    """In a broken one the new codec is far above the old: the curves share no quality."""
    counted, fitted = ladder()
    parameters = np.tile(fitted.parameters, (40, 1))
    parameters[:broken, :2] += 50.0
    draws = Draws("rater x picture", parameters, np.zeros(40, bool), 2, np.ones((40, 2)))
    [saving] = human_bd_rates(fitted, draws, counted, rated(), "old")
    assert (saving.resamples, saving.undefined) == (40, broken)
    assert (saving.low is not None, saving.high is not None) == (shown, shown)
    [plain] = human_bd_rates(
        fitted, Draws("rater", parameters, np.zeros(40, bool), 4), counted, rated(), "old"
    )
    assert (plain.low, plain.resamples) == (None, 0)


def test_a_picture_that_does_not_link_the_rates_is_named() -> None:
    counted, fitted = ladder()
    names = counted.pairs.conditions
    low = np.isin([names[condition] for condition in counted.pairs.first], ["n1", "o1"])
    high = np.isin([names[condition] for condition in counted.pairs.second], ["n1", "o1"])
    across = (low != high)[counted.pair]
    for picture in (0, 1):
        apart = counted.rows(np.flatnonzero(~(across & (counted.picture == picture))))
        [saving] = human_bd_rates(fitted, None, apart, rated(), "old")
        assert saving.bd_rate.percent is None
        assert saving.bd_rate.reason == (
            f"votes on p{picture} do not link all rates of the two codecs: add linking pairs"
        )
    with pytest.raises(ScaleError, match="expected a rate of 'n1' for picture 'p1'"):
        human_bd_rates(fitted, None, counted, [CodedCondition("n1", "new", {"p0": 0.1}), *rated()[:2]], "old")


# Fool rates


def test_a_fool_rate_counts_the_coded_picture_from_either_side() -> None:
    votes = votes_of(
        ("r1", "p", "zo", 1), ("r1", "q", "oz", -1), ("r2", "p", "oz", 1), ("r2", "q", "zo", 0),
        ("r3", "q", "zo", 1), ("r1", "p", "ao", -1), ("r2", "p", "oa", 1), ("r1", "q", "oa", 0),
        ("r1", "p", "mo", 0), ("r1", "p", "za", 1), ("r2", "p", "az", -1),
    )  # fmt: skip
    golden = from_records([*votes.records(), VoteRecord("r1", "p", "a", "o", 1, Kind.GOLDEN)])
    z, a, m = fool_rates(golden, "o")
    assert (z.condition, z.votes, z.no_preference, z.preferred, z.rate) == ("z", 5, 1, 3, 0.75)
    assert (a.condition, a.votes, a.no_preference, a.preferred, a.rate) == ("a", 3, 1, 0, 0.0)
    assert (m.condition, m.votes, m.no_preference, m.preferred, m.rate) == ("m", 1, 1, 0, None)
    # Raters r1: 2 of 2, r2: 0 of 1, r3: 1 of 1.
    assert z.by_rater == share_interval(np.array([1, 1, 0, 1]), np.array([0, 0, 1, 2]))
    assert m.by_rater is None


def test_the_interval_of_a_share_allows_for_raters() -> None:
    """Three raters of 4, 2 and 2 votes, 6 of 8 right, written anew from Korn and Graubard's formulas."""
    won, rater = np.array([1, 1, 1, 1, 1, 0, 1, 0]), np.array([0, 0, 0, 0, 1, 1, 2, 2])
    span = share_interval(won, rater)
    excess = np.array([4 - 0.75 * 4, 1 - 0.75 * 2, 1 - 0.75 * 2])
    variance = (excess**2).sum() * (3 / 2) / 8**2
    worth = 0.75 * 0.25 / variance
    assert 3 < worth < 8
    z = 1.959963985
    centre = (0.75 + z**2 / (2 * worth)) / (1 + z**2 / worth)
    reach = z / (1 + z**2 / worth) * np.sqrt(0.75 * 0.25 / worth + z**2 / (4 * worth**2))
    assert span == Interval(
        pytest.approx(centre - reach), pytest.approx(centre + reach), pytest.approx(np.sqrt(variance))
    )


@pytest.mark.parametrize(
    ("won", "rater", "worth"),
    [
        ([1, 1, 1, 1], [0, 0, 1, 1], 2),  # all alike: worth their raters
        ([0, 0, 0], [0, 1, 2], 3),
        ([1, 1, 0, 0], [0, 0, 1, 1], 2),  # never fewer than the raters
        ([1, 0, 1, 0], [0, 0, 1, 1], 2),
        ([1, 0, 1, 0, 1, 0], [0, 0, 1, 1, 2, 2], 3),
    ],
)
def test_votes_are_worth_no_fewer_than_their_raters(won: list[int], rater: list[int], worth: int) -> None:
    span = share_interval(np.array(won), np.array(rater))
    assert span is not None
    share = np.mean(won)
    wilson = stats.binomtest(round(share * worth * 1000), worth * 1000)
    assert wilson.statistic == pytest.approx(share, abs=1e-3)
    z = 1.959963985
    centre = (share + z**2 / (2 * worth)) / (1 + z**2 / worth)
    reach = z / (1 + z**2 / worth) * np.sqrt(share * (1 - share) / worth + z**2 / (4 * worth**2))
    assert (span.low, span.high) == pytest.approx((centre - reach, centre + reach), abs=1e-8)


def test_votes_that_even_out_within_raters_are_worth_no_more_than_themselves() -> None:
    span = share_interval(np.array([1, 0, 0, 1, 0, 1, 0]), np.array([0, 0, 1, 1, 2, 2, 2]))
    assert span is not None
    wilson = stats.binomtest(3, 7).proportion_ci(method="wilson")
    assert (span.low, span.high) == pytest.approx((wilson.low, wilson.high))
    assert share_interval(np.array([1, 0]), np.array([0, 0])) is None
