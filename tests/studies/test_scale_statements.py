"""What a scale says beside its values: order effect, ties, goodness of fit and notes, each at its bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, gammaln
from voting import random_votes, votes_of

from codecarena.studies.analysis import analysis as module
from codecarena.studies.analysis.analysis import BenchmarkFacts, analyse_study
from codecarena.studies.analysis.human_rate import CodedCondition
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.goodness import goodness_of_fit
from codecarena.studies.scale.models import BRADLEY_TERRY, DAVIDSON, JOD, MODELS
from codecarena.studies.scale.pair_counts import PairCounts, from_table, tally
from codecarena.studies.scale.resampling import draw
from codecarena.studies.scale.scale import analyse
from codecarena.studies.scale.scale_results import ScaleError
from codecarena.studies.scale.votes import Kind, VoteRecord, Votes, VotesError, from_records


def tied(raters: int = 12, pictures: int = 11) -> Votes:
    """Return votes in which every seventh is a tie."""
    votes = random_votes(raters, pictures)
    outcome = votes.outcome.copy()
    outcome[::7] = 0
    return replace(votes, outcome=outcome)


ROUGH = {
    "raters": "only {} raters: intervals by rater are rough below 10",
    "pictures": "only {} pictures: intervals for pictures in general are rough below 10",
}
WEAK = "; below 6 a difference that is there may well not be significant"


@pytest.mark.parametrize(
    ("raters", "pictures", "notes"),
    [
        (10, 10, []),
        (12, 11, []),
        (9, 10, [ROUGH["raters"].format(9)]),
        (6, 10, [ROUGH["raters"].format(6)]),
        (5, 10, [ROUGH["raters"].format(5) + WEAK]),
        (10, 9, [ROUGH["pictures"].format(9)]),
        (10, 6, [ROUGH["pictures"].format(6)]),
        (10, 5, [ROUGH["pictures"].format(5) + WEAK]),
        (10, 1, ["one picture: nothing is said about pictures in general"]),
    ],
)
def test_few_raters_and_pictures_are_said(raters: int, pictures: int, notes: list[str]) -> None:
    scale = analyse(random_votes(raters, pictures), unit="log-worth", resamples=2)
    assert (scale.raters, scale.pictures) == (raters, pictures)
    assert [note for note in scale.notes if "resamples" not in note] == notes
    assert scale.tested_by == ("rater x picture" if pictures > 1 else "rater")


@pytest.mark.parametrize(("resamples", "said"), [(0, True), (1, True), (2, False)])
def test_votes_taken_for_independent_are_said(resamples: int, said: bool) -> None:
    scale = analyse(random_votes(12, 11), unit="log-worth", resamples=resamples)
    assert any("take every vote for independent" in note for note in scale.notes) == said
    assert (scale.tested_by == "vote") == said
    assert len(scale.resampling) == (0 if said else 2)


def test_ties_that_a_model_leaves_out_are_counted() -> None:
    votes = tied()
    ties = int((votes.outcome == 0).sum())
    scale = analyse(votes, model="bradley-terry", resamples=0)
    assert f"{ties} 'no preference' answers are left out: bradley-terry has no ties" in scale.notes
    assert scale.votes == len(votes) - ties
    assert scale.ties is None
    davidson = analyse(votes, model="davidson", resamples=0)
    assert davidson.votes == len(votes)
    assert not any("left out" in note for note in davidson.notes)


def test_a_design_effect_is_clustered_over_independent_variance() -> None:
    votes = random_votes(12, 11)
    scale = analyse(votes, unit="log-worth", resamples=40, seed=5)
    counted = tally(votes)
    fitted = fit(counted.pairs, BRADLEY_TERRY)
    random = np.random.default_rng(5)
    for resampling, scheme, clusters in zip(
        scale.resampling, ("rater", "rater x picture"), (12, 11), strict=True
    ):
        drawn = draw(fitted.problem, counted, fitted.parameters, scheme, 40, random)  # type: ignore[arg-type]
        clustered = drawn.parameters[:, :4].var(0, ddof=1).sum() * clusters / (clusters - 1)
        assert (resampling.scheme, resampling.resamples, resampling.failed, resampling.clusters) == (
            scheme,
            40,
            0,
            clusters,
        )
        assert resampling.design_effect == pytest.approx(
            clustered / np.trace(fitted.covariance[:4, :4]), rel=1e-6
        )


# Order and ties


def test_an_order_effect_is_tested_against_a_scale_without_it() -> None:
    votes = random_votes(12, 11)
    first_too = np.random.default_rng(1).random(len(votes)) < 0.3
    votes = replace(votes, outcome=np.where(first_too, 1, votes.outcome).astype(np.int8))
    scale = analyse(votes, resamples=50, seed=2)
    pairs = tally(votes).pairs
    free, held = (fit(pairs, MODELS["thurstone"], order=order) for order in (True, False))
    effect = scale.order_effect
    assert effect is not None
    assert effect.value == pytest.approx(free.parameters[-2] * JOD)
    assert effect.value > 0.3
    error = np.sqrt(free.covariance[-2, -2]) * JOD
    assert effect.by_vote.standard_error == pytest.approx(error)
    assert (effect.by_vote.low, effect.by_vote.high) == pytest.approx(
        (effect.value - 1.959964 * error, effect.value + 1.959964 * error)
    )
    statistic = 2 * (free.log_likelihood - held.log_likelihood)
    assert (effect.test.statistic, effect.test.degrees) == (pytest.approx(statistic), 1)
    assert effect.test.p_by_vote == pytest.approx(stats.chi2.sf(statistic, 1))
    assert effect.first_share == pytest.approx((votes.outcome == 1).mean())
    assert effect.by_rater is not None
    draws = draw(free.problem, tally(votes), free.parameters, "rater", 50, np.random.default_rng(2))
    spread = draws.parameters[:, -2].std(ddof=1) * np.sqrt(12 / 11) * JOD
    assert effect.by_rater.standard_error == pytest.approx(spread, rel=1e-6)
    assert analyse(votes, resamples=0, order=False).order_effect is None
    without = analyse(votes, resamples=0).order_effect
    assert without is not None
    assert without.by_rater is None


def sided_table(neutral: bool) -> PairCounts:
    return from_table(
        ["z", "a", "m", "z", "a", "m"],
        ["a", "z", "z", "m", "m", "a"],
        [14, 9, 5, 16, 12, 4],
        [6, 12, 11, 3, 5, 9],
        [5, 6, 7, 2, 4, 8],
        sided=True,
        neutral=[False] * 5 + [True] if neutral else None,
    )


@pytest.mark.parametrize("neutral", [False, True])
@pytest.mark.parametrize(
    ("model", "parameter", "unit"),
    [("davidson", "log nu", 1.0), ("threshold-probit", "threshold", JOD), ("rao-kupper", "log theta", 1.0)],
)
def test_a_tie_parameter_in_the_form_of_its_paper(
    model: str, parameter: str, unit: float, neutral: bool
) -> None:
    pairs = sided_table(neutral)
    fitted = fit(pairs, MODELS[model])  # type: ignore[index]
    effect = analyse(pairs, model=model).ties  # type: ignore[arg-type]
    assert effect is not None
    # Davidson and Beaver's log nu stands beside a whole order effect on the first side, ours beside half.
    half = 0.5 if model == "davidson" and not neutral else 0.0
    assert effect.parameter == parameter
    assert effect.value == pytest.approx(fitted.parameters[-1] * unit + half * fitted.parameters[-2])
    covariance = fitted.covariance[-2:, -2:]
    gradient = np.array([half, unit])
    assert effect.standard_error == pytest.approx(np.sqrt(gradient @ covariance @ gradient))
    assert effect.share == pytest.approx(32 / 138)
    tie = fitted.parameters[-1]
    equals = {
        "davidson": np.exp(tie) / (2 + np.exp(tie)),
        "threshold-probit": stats.norm.cdf(tie) - stats.norm.cdf(-tie),
        "rao-kupper": expit(tie) - expit(-tie),
    }[model]
    assert effect.rate_between_equals == pytest.approx(equals)


# Likelihoods


@pytest.mark.parametrize("model", ["davidson", "bradley-terry"])
def test_likelihood_and_goodness_by_hand(model: str) -> None:
    pairs = sided_table(neutral=False)
    fitted = fit(pairs, MODELS[model])  # type: ignore[index]
    scale = analyse(pairs, model=model)  # type: ignore[arg-type]
    value = dict(zip(pairs.conditions, fitted.values, strict=True))
    order, tie = fitted.parameters[-2:]
    seen, expected = [], []
    for place in range(6):
        first, second = pairs.conditions[pairs.first[place]], pairs.conditions[pairs.second[place]]
        half = (value[first] - value[second] + order) / 2
        weights = np.exp([half, tie if model == "davidson" else -np.inf, -half])
        counts = pairs.counts[:, place] * ([1, 1, 1] if model == "davidson" else [1, 0, 1])
        seen.append(counts)
        expected.append(counts.sum() * weights / weights.sum())
    seen, expected = np.array(seen), np.array(expected)
    kept = expected > 0
    shares = expected / expected.sum(1, keepdims=True)
    likelihood = (seen[kept] * np.log(shares[kept])).sum()
    coefficients = (gammaln(seen.sum(1) + 1) - gammaln(seen + 1).sum(1)).sum()
    g2 = 2 * (seen[kept] * np.log(seen[kept] / expected[kept])).sum()
    assert scale.log_likelihood == pytest.approx(likelihood)
    assert scale.log_likelihood_of_counts == pytest.approx(likelihood + coefficients)
    assert scale.goodness.g2 == pytest.approx(g2)
    assert scale.goodness.pearson == pytest.approx(((seen - expected)[kept] ** 2 / expected[kept]).sum())
    degrees = 6 * 2 - 4 if model == "davidson" else 6 * 1 - 3
    assert scale.goodness.degrees == degrees
    assert scale.goodness.thin == pytest.approx((expected[kept] < 5).mean())
    assert 0 < scale.goodness.thin < 1


def test_a_scale_that_fits_every_count_has_no_degrees_left() -> None:
    pairs = from_table(["z", "a"], ["a", "z"], [14, 9], [6, 12], sided=True)
    fitness = goodness_of_fit(fit(pairs, BRADLEY_TERRY))
    assert (fitness.degrees, fitness.p, fitness.p_by) == (0, 1.0, "vote")
    assert fitness.g2 == pytest.approx(0, abs=1e-9)
    assert goodness_of_fit(fit(pairs, BRADLEY_TERRY, order=False)).degrees == 1


@pytest.mark.parametrize(
    ("model", "order", "degrees"),
    [("davidson", True, 2), ("davidson", False, 2), ("bradley-terry", True, 2), ("bradley-terry", False, 2)],
)
def test_equality_is_tested_beside_the_same_order_effect_and_ties(
    model: str, order: bool, degrees: int
) -> None:
    pairs = sided_table(neutral=False)
    scale = analyse(pairs, model=model, order=order)  # type: ignore[arg-type]
    counts = pairs.counts.sum(1) * ([1, 1, 1] if model == "davidson" else [1, 0, 1])
    if not order:
        counts = np.array([(counts[0] + counts[2]) / 2, counts[1], (counts[0] + counts[2]) / 2])
    shares = counts / counts.sum()
    # Equal conditions answer by the shares of first, none and second over all pairs.
    equal = (counts[counts > 0] * np.log(shares[counts > 0])).sum()
    assert scale.equality.degrees == degrees
    assert scale.equality.statistic == pytest.approx(2 * (scale.log_likelihood - equal), abs=1e-6)
    assert scale.equality.p_by_vote == pytest.approx(stats.chi2.sf(scale.equality.statistic, degrees))
    assert scale.equality_p == min(test.p_holm for test in scale.pairs)


# Votes and the whole analysis


def test_an_impossible_column_is_refused_with_its_row() -> None:
    votes = votes_of(("r", "p", "za", 1), ("s", "q", "az", -1))
    for change, said in (
        ({"rater": np.array([0, 2], np.int32)}, "vote 1: expected rater 0 to 1; got 2"),
        ({"picture": np.array([-1, 0], np.int32)}, "vote 0: expected picture 0 to 1; got -1"),
        ({"second": np.array([0, 2], np.int32)}, "vote 1: expected second 0 to 1; got 2"),
        ({"outcome": np.array([1, -2], np.int8)}, "vote 1: expected outcome"),
        ({"kind": np.array([0, 9], np.int8)}, "vote 1: expected kind a value of Kind; got 9"),
        ({"seconds": np.zeros(3, np.float32)}, "expected 2 values of seconds, one a vote; got 3"),
    ):
        with pytest.raises(VotesError, match=said.replace("+", r"\+")):
            replace(votes, **change)  # type: ignore[arg-type]
    with pytest.raises(VotesError, match="expected conditions among z; got 'a'"):
        from_records(votes.records(), conditions=["z"])


def test_votes_are_kept_by_kind_and_rater_and_come_back_as_records() -> None:
    records = [
        VoteRecord("r2", "q", "z", "a", -1, Kind.GOLDEN, 2.5),
        VoteRecord("r1", "p", "a", "z", 0, Kind.PLAIN, 1.5),
        VoteRecord("r2", "p", "z", "z", 1, Kind.IDENTICAL, 0.5),
    ]
    votes = from_records(records, sided=False, raters_known=False)
    assert votes.records() == records
    assert votes.of_kind(Kind.PLAIN, Kind.GOLDEN).records() == records[:2]
    assert votes.without_raters(["r2", "nobody"]).records() == records[1:2]
    kept = votes.keep(np.array([False, True, True]))
    assert (kept.sided, kept.raters_known, kept.raters) == (False, False, ("r1", "r2"))
    assert len(votes) == 3


def test_a_whole_analysis_passes_on_what_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    votes = tied(8, 4)
    asked: dict[str, tuple[object, ...]] = {}

    def note(name: str, value: object) -> None:
        def call(*given: object, **named: object) -> object:
            asked[name] = (*given, *named.values())
            return value

        monkeypatch.setattr(module, name, call)

    note("by_kind", None)
    note("human_bd_rates", ())
    note("agreements", None)
    kinds = dict.fromkeys(("p0", "p1", "p2", "p3"), "x")
    coded = (CodedCondition("z", "new", {}), CodedCondition("a", "old", {}))
    beside = BenchmarkFacts(
        kinds=kinds, coded=coded, scores={"m": {("p0", "z"): 1.0, ("p0", "a"): 2.0}}
    )  # fmt: skip
    analysis = analyse_study(votes, beside, unit="log-worth", anchor="k", resamples=30, seed=9)
    assert analysis.scale == analyse(votes, unit="log-worth", anchor="k", resamples=30, seed=9)
    assert analysis.scale.model == DAVIDSON.name
    assert asked["by_kind"][2:] == (kinds, 30, 9)
    assert asked["human_bd_rates"][1].scheme == "rater x picture"  # type: ignore[attr-defined]
    assert asked["human_bd_rates"][3:] == (coded, "new")
    assert asked["agreements"][4:] == ("k", 30, 9)
    analyse_study(votes, replace(beside, anchor_codec="old"), resamples=300)
    assert asked["human_bd_rates"][4] == "old"
    assert asked["agreements"][4:] == (None, 200, 0)
    with pytest.raises(ScaleError, match="expected the anchor among a, k, m, z; got 'q'"):
        analyse_study(votes, anchor="q")
    alike = analyse_study(votes, BenchmarkFacts(), resamples=2)
    assert (alike.by_kind, alike.bd_rates, alike.metrics) == (None, (), None)
