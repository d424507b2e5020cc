"""Rates, metrics and kinds of pictures against what people preferred; and what a planned study would find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from codecarena.studies.analysis.analysis import BenchmarkFacts, analyse_study, table
from codecarena.studies.analysis.heterogeneity import by_kind
from codecarena.studies.analysis.human_metrics import agreements
from codecarena.studies.analysis.human_rate import CodedCondition, HumanBdRate, human_bd_rates
from codecarena.studies.design.power import Prices, simulate
from codecarena.studies.design.simulation import Assumptions, Deviations, simulate_votes
from codecarena.studies.organise.findings import findings
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import THURSTONE, choose_model
from codecarena.studies.scale.pair_counts import Tally, tally
from codecarena.studies.scale.scale import resample
from codecarena.studies.scale.scale_results import ScaleError
from codecarena.studies.scale.votes import Votes

RATES = (0.1, 0.2, 0.4, 0.8)
SAVING = 0.25


def quality(rate: float) -> float:
    return 1.2 * float(np.log2(rate / RATES[0]))


LADDERS = {f"old {rate}": quality(rate) for rate in RATES} | {
    f"new {rate}": quality(rate / (1 - SAVING)) for rate in RATES
}


def ladder_votes(seed: int, **assumed: object) -> Votes:
    settings = {"raters": 40, "pictures": 12, "tie_rate": 0.3, "votes_per_rater": 100} | assumed
    return simulate_votes(Assumptions(LADDERS, **settings), np.random.default_rng(seed))  # type: ignore[arg-type]


def coded(counted: Tally) -> list[CodedCondition]:
    return [
        CodedCondition(
            name, name.split()[0], {picture: float(name.split()[1]) for picture in counted.pictures}
        )
        for name in LADDERS
    ]


def saving(votes: Votes) -> HumanBdRate:
    counted = tally(votes)
    fitted = fit(counted.pairs, choose_model("JOD", counted.pairs.has_ties))
    draws = resample(fitted, counted, 200, 0, ("rater x picture",))[0]
    return human_bd_rates(fitted, draws, counted, coded(counted), "old")[0]


@pytest.mark.scaled
def test_a_known_rate_saving_is_recovered_with_30_percent_ties(tenth: Callable[[int], int]) -> None:
    studies = tenth(100)
    savings = [saving(ladder_votes(seed)) for seed in range(studies)]
    percents = [saving.bd_rate.percent for saving in savings if saving.bd_rate.percent is not None]
    assert len(percents) == studies
    # Once in 1,000 times for a right one; a saving in percent is bent a little, as any exponential.
    errors = stats.t.isf(0.0005, studies - 1) * np.std(percents, ddof=1) / np.sqrt(studies)
    assert np.mean(percents) == pytest.approx(-100 * SAVING, abs=errors + 1)
    held = [
        saving.low <= -25 <= saving.high
        for saving in savings
        if saving.low is not None and saving.high is not None
    ]
    assert len(held) == studies
    assert sum(held) >= stats.binom.ppf(0.001, studies, 0.92)


def test_rates_that_a_picture_does_not_link_are_refused() -> None:
    votes = ladder_votes(1)
    names = votes.conditions
    low = np.array([name.split()[1] in ("0.1", "0.2") for name in names])
    across = low[votes.first] != low[votes.second]
    bd_rate = saving(votes.keep(~(across & (votes.picture == 3))))
    assert bd_rate.bd_rate.percent is None
    assert bd_rate.bd_rate.reason is not None
    assert "picture 4" in bd_rate.bd_rate.reason
    assert "linking pairs" in bd_rate.bd_rate.reason


def test_a_missing_rate_or_anchor_is_named() -> None:
    counted = tally(ladder_votes(0))
    fitted = fit(counted.pairs, choose_model("JOD", has_ties=True))
    with pytest.raises(ScaleError, match="among new, old; got 'jpeg'"):
        human_bd_rates(fitted, None, counted, coded(counted), "jpeg")
    some = [replace(condition, bits_per_pixel={"picture 1": 1.0}) for condition in coded(counted)]
    with pytest.raises(ScaleError, match="for picture 'picture"):
        human_bd_rates(fitted, None, counted, some, "old")


def test_metrics_are_ranked_by_how_well_they_predict_people() -> None:
    votes = ladder_votes(2)
    counted = tally(votes)
    fitted = fit(counted.pairs, choose_model("JOD", has_ties=True))
    random = np.random.default_rng(0)
    cells = [(picture, name) for picture in counted.pictures for name in LADDERS]
    offsets = {picture: random.normal(0, 20) for picture in counted.pictures}

    def scores(noise: float) -> dict[tuple[str, str], float]:
        return {(p, c): np.exp(LADDERS[c] / 2) + random.normal(0, noise) + offsets[p] for p, c in cells}

    tables = [table(name, scores(noise), counted) for name, noise in (("poor", 3.0), ("good", 0.1))]
    result = agreements(fitted, counted, tables, resamples=60).whole
    assert [metric.metric for metric in result.metrics] == ["good", "poor"]
    good, poor = result.metrics
    assert poor.accuracy < good.accuracy <= result.ceiling <= 1
    assert good.srcc is not None
    assert poor.srcc is not None
    assert good.srcc > 0.9 > poor.srcc
    assert good.plcc is not None
    assert good.plcc > 0.9
    assert all(difference.p_holm < 0.01 for difference in result.differences)
    srcc = next(difference for difference in result.differences if difference.statistic == "SRCC")
    assert srcc.p_meng is not None
    assert srcc.p_meng < 0.01
    assert result.stimuli == len(cells)


def test_the_anchor_makes_pictures_comparable() -> None:
    votes = ladder_votes(2, raters=10)
    counted = tally(votes)
    beside = BenchmarkFacts(
        scores={"m": {(p, c): LADDERS[c] for p in counted.pictures for c in LADDERS}},
        coded=tuple(coded(counted)),
        anchor_codec="old",
        kinds={picture: "natural" if n % 2 else "generated" for n, picture in enumerate(counted.pictures)},
    )
    whole = analyse_study(votes, beside, anchor="old 0.1", resamples=50)
    assert whole.metrics is not None
    assert whole.metrics.whole.stimuli == 12 * (len(LADDERS) - 1)
    assert whole.bd_rates[0].codec == "new"
    assert whole.by_kind is not None
    assert whole.scale.condition("old 0.1").value == 0
    tables = {title: rows for title, rows, _ in findings(whole)}
    assert tables["Rate at equal human quality"][0]["codec"] == "new"
    assert tables["Rate at equal human quality"][0]["rate against old"].endswith("%")
    assert tables["Metrics against people"][0]["metric"] == "m"
    assert len(tables["Pairs"]) == 28
    assert tables["Pairs"][0]["p (Holm)"] == "< 0.001"
    assert len(tables["Does the scale depend on the kind of picture? (JOD)"]) == len(LADDERS)
    assert "alpha" in tables["Fit"][-1]["answer"]


def test_a_codec_that_is_better_on_generated_pictures_only_is_found() -> None:
    scale = {"a": 0.0, "b": 0.0, "c": 0.0}
    assumed = Assumptions(scale, raters=20, pictures=16, picture_spread=0.0)
    random = np.random.default_rng(0)
    shift = np.zeros((16, 3))
    shift[:8, 1] = 1.2
    shift += random.normal(0, 0.3, shift.shape)
    drawn = Deviations(random.normal(0, 0.4, (20, 3)), shift)
    counted = tally(simulate_votes(assumed, random, drawn))
    kinds = {
        picture: "generated" if int(picture.split()[1]) <= 8 else "natural" for picture in counted.pictures
    }
    heterogeneity = by_kind(fit(counted.pairs, THURSTONE), counted, kinds, exchanges=199)
    assert heterogeneity is not None
    assert heterogeneity.groups == ("generated", "natural")
    assert heterogeneity.p_permuted is not None
    assert heterogeneity.p_permuted <= 0.01
    best = next(shift for shift in heterogeneity.shifts if shift.condition == "b")
    assert best.first - best.second == pytest.approx(0.8, abs=0.35)
    random_kinds = {picture: "x" if int(picture.split()[1]) % 2 else "y" for picture in counted.pictures}
    chance = by_kind(fit(counted.pairs, THURSTONE), counted, random_kinds, exchanges=199)
    assert chance is not None
    assert chance.p_permuted is not None
    assert chance.p_permuted > 0.05
    # Taking votes for independent, it would have been found: pictures do differ.
    assert chance.gain is not None
    assert stats.chi2.sf(chance.gain, 2) < chance.p_permuted


def test_a_kind_for_every_picture_or_none() -> None:
    counted = tally(ladder_votes(0))
    fitted = fit(counted.pairs, choose_model("JOD", has_ties=True))
    with pytest.raises(ScaleError, match="kind of every picture"):
        by_kind(fitted, counted, {"picture 1": "natural"})


def test_the_planner_prices_a_study_and_more_raters_narrow_it() -> None:
    scale = {"a": 0.0, "b": 0.1, "c": 1.5}
    small = simulate(
        Assumptions(scale, raters=8, pictures=10, tie_rate=0.2), studies=15, resamples=100, in_general=False
    )
    large = simulate(
        Assumptions(scale, raters=64, pictures=10, tie_rate=0.2),
        prices=Prices(seconds_per_vote=6, minutes_besides=4, per_hour=12, fee=0.25),
        studies=15,
        resamples=100,
        in_general=False,
    )
    assert large.width < small.width / 2
    assert large.votes == 64 * 30
    assert large.minutes_per_rater == pytest.approx(7.0)
    assert large.cost == pytest.approx(64 * 7 / 60 * 12 * 1.25)
    power = {(pair.first, pair.second): pair.power for pair in large.pairs}
    assert power["a", "c"] == 1.0
    assert power["a", "b"] < 0.7
    assert large.design_effect > 1.5


def test_the_planner_refuses_what_cannot_be() -> None:
    with pytest.raises(ScaleError, match="expected tie_rate from 0 to"):
        simulate(Assumptions({"a": 0.0, "b": 1.0}, tie_rate=1.2))
    with pytest.raises(ScaleError, match="expected conditions from 2"):
        simulate(Assumptions({"a": 0.0}))
