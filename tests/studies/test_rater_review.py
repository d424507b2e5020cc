"""Careless raters and leaning raters are found, and agreement is what Krippendorff and Kendall defined."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import krippendorff
import numpy as np
import pytest

from codecarena.studies.analysis.agreement import alpha, transitivity
from codecarena.studies.analysis.analysis import BenchmarkFacts, analyse_study
from codecarena.studies.analysis.review import GoldenAnswer, judge, outlying, proportion, review
from codecarena.studies.design.simulation import Assumptions, simulate_votes
from codecarena.studies.organise.findings import findings
from codecarena.studies.scale.fit import Fit, fit
from codecarena.studies.scale.models import BRADLEY_TERRY, choose_model
from codecarena.studies.scale.pair_counts import from_matrix, tally
from codecarena.studies.scale.votes import Kind, VoteRecord, Votes, from_records

SCALE = {"a": -1.2, "b": -0.4, "c": 0.2, "d": 0.7, "e": 1.2}


def study(seed: int, **assumed: object) -> Votes:
    settings = {"raters": 20, "pictures": 8, "tie_rate": 0.2, "lapse_rate": 0.0} | assumed
    return simulate_votes(Assumptions(SCALE, **settings), np.random.default_rng(seed))  # type: ignore[arg-type]


def fitted(votes: Votes) -> Fit:
    pairs = tally(votes.of_kind(Kind.PLAIN)).pairs
    return fit(pairs, choose_model("JOD", pairs.has_ties))


def with_answers(votes: Votes, rater: int, answers: np.ndarray, share: float = 1.0) -> Votes:
    mine = np.flatnonzero(votes.rater == rater)
    mine = mine[: round(share * len(mine))]
    outcome = votes.outcome.copy()
    outcome[mine] = answers[: len(mine)]
    return replace(votes, outcome=outcome)


@pytest.mark.parametrize("seed", range(5))
def test_a_careless_rater_is_found(seed: int) -> None:
    votes = study(seed)
    random = np.random.default_rng(seed).choice(np.array([-1, 0, 1], np.int8), 80)
    votes = with_answers(votes, 4, random)
    rows = {row.rater: row for row in review(votes, fitted(votes))}
    assert "unlike the others" in rows["rater 5"].labels
    assert max(rows.values(), key=lambda row: row.distance).rater == "rater 5"
    assert sum(bool(row.labels) for row in rows.values()) <= 4


@pytest.mark.parametrize("seed", range(5))
def test_a_side_bias_is_found_and_no_other(seed: int) -> None:
    votes = study(seed + 50, order_effect=0.1)
    votes = with_answers(votes, 7, np.ones(80, np.int8), share=0.5)
    leaning = [row.rater for row in review(votes, fitted(votes)) if "favours a side" in row.labels]
    assert leaning == ["rater 8"]


def test_labels_delete_nothing_and_results_come_with_and_without() -> None:
    votes = with_answers(study(3), 4, np.random.default_rng(0).choice(np.array([-1, 0, 1], np.int8), 80))
    analysis = analyse_study(votes, resamples=100)
    assert "rater 5" in analysis.flagged
    assert analysis.scale.raters == 20
    assert analysis.without_flagged is not None
    assert analysis.without_flagged.raters == 20 - len(analysis.flagged)
    assert analysis.without_flagged.votes < analysis.scale.votes == len(votes)
    spread = [scale.conditions[0].value for scale in (analysis.scale, analysis.without_flagged)]
    assert spread[1] > spread[0]


def test_golden_trials_and_repeats() -> None:
    votes = study(9, tie_rate=0.0)
    records = votes.records()
    for rater, wrong in (("rater 1", 0), ("rater 2", 6)):
        records += [
            VoteRecord(rater, "picture 1", "e", "a", -1 if turn < wrong else 1, Kind.GOLDEN)
            for turn in range(10)
        ]
    swapped = [
        replace(record, first=record.second, second=record.first, kind=Kind.REPEAT) for record in records
    ]
    again = [replace(record, outcome=-record.outcome) for record in swapped if record.rater == "rater 1"][:40]
    unsure = [record for record in swapped if record.rater == "rater 2"][:40]
    votes = from_records([*records, *again, *unsure])
    rows = {row.rater: row for row in review(votes, fitted(votes), [GoldenAnswer("picture 1", "e", "a")])}
    steady, fickle, other = rows["rater 1"], rows["rater 2"], rows["rater 3"]
    assert steady.golden == proportion(10, 10)
    assert "fails golden trials" not in steady.labels
    assert fickle.golden is not None
    assert (fickle.golden.successes, fickle.golden.trials) == (4, 10)
    assert "fails golden trials" in fickle.labels
    assert steady.repeats == proportion(40, 40)
    assert fickle.repeats is not None
    assert fickle.repeats.successes == 0
    assert "inconsistent" in fickle.labels
    assert other.repeats is None
    assert other.golden is None


def test_expected_repeats_are_those_of_two_independent_answers() -> None:
    pair = [VoteRecord(f"r{n}", "p", *("ab" if n % 2 else "ba"), 1 if n % 2 else -1) for n in range(75)]
    rest = [VoteRecord(f"s{n}", "p", *("ab" if n % 2 else "ba"), -1 if n % 2 else 1) for n in range(25)]
    repeat = VoteRecord("r1", "p", "b", "a", -1, Kind.REPEAT)
    votes = from_records([*pair, *rest, repeat])
    pairs = tally(votes.of_kind(Kind.PLAIN)).pairs
    rows = {row.rater: row for row in review(votes, fit(pairs, BRADLEY_TERRY, order=False))}
    assert rows["r1"].expected_repeats == pytest.approx(0.75**2 + 0.25**2)
    assert rows["r1"].repeats == proportion(1, 1)


def test_outlying_uses_pwcmp_quartiles() -> None:
    fits = np.array([-1.0, -0.5, -0.4, -0.3, -0.2])
    # Quartiles by (k - 0.5) / n: k = 1.75 and 4.25, so -0.625 and -0.275.
    assert outlying(fits)[0] == pytest.approx((1.0 - 0.625) / 0.35)
    assert (outlying(fits)[1:] == 0).all()


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_alpha_equals_the_package(level: str) -> None:
    votes = study(11)
    random = np.random.default_rng(0)
    votes = votes.keep(random.random(len(votes)) < 0.4)
    unit = votes.picture * 25 + np.minimum(votes.first, votes.second) * 5
    unit = unit + np.maximum(votes.first, votes.second)
    data = np.full((20, 8 * 25 + 25), np.nan)
    data[votes.rater, unit] = np.where(votes.first < votes.second, votes.outcome, -votes.outcome)
    agreement = alpha(votes, level)  # type: ignore[arg-type]
    # Every unit both ways round: which of two conditions is listed first means nothing.
    both = np.concatenate([data, -data], axis=1)
    assert agreement.value == pytest.approx(krippendorff.alpha(both, level_of_measurement=level), abs=1e-12)
    listed = from_records(votes.records(), conditions=votes.conditions[::-1])
    assert alpha(listed, level).value == pytest.approx(agreement.value, abs=1e-12)  # type: ignore[arg-type]
    assert agreement.low is not None
    assert agreement.high is not None
    assert agreement.low < agreement.value < agreement.high


def test_alpha_of_perfect_agreement_and_of_nothing() -> None:
    rows = [VoteRecord(f"r{n}", "p", *pair, 1) for n in range(3) for pair in ("ab", "cb")]
    assert alpha(from_records(rows)).value == pytest.approx(1.0)
    assert alpha(from_records(rows[:2])).value is None


def test_circular_triads_of_single_raters() -> None:
    def rater(name: str, *wins: str) -> list[VoteRecord]:
        return [VoteRecord(name, "p", winner, loser, 1) for winner, loser in wins]

    ordered = rater("ordered", "ab", "bc", "ac")
    circular = rater("circular", "ab", "bc", "ca")
    incomplete = rater("incomplete", "ab", "bc")
    votes = from_records([*ordered, *circular, *incomplete])
    violations = transitivity(votes, tally(votes).pairs)
    assert (violations.circular_triads, violations.complete_sets) == (1, 2)
    assert violations.consistency == pytest.approx(0.5)


def test_violations_of_stochastic_transitivity() -> None:
    strong = from_matrix("abc", [[0, 8, 7], [2, 0, 8], [3, 2, 0]])
    weak = from_matrix("abc", [[0, 8, 4], [2, 0, 8], [6, 2, 0]])
    none = from_matrix("abc", [[0, 8, 9], [2, 0, 8], [1, 2, 0]])
    empty = from_records([])
    counts = [
        (violations.triples, violations.weak, violations.strong)
        for violations in (transitivity(empty, pairs) for pairs in (none, strong, weak))
    ]
    assert counts == [(1, 0, 0), (1, 0, 1), (1, 1, 1)]


def nearly_unanimous(*dissents: int) -> Votes:
    """Return 24 votes of each of 30 raters for z against a, but so many against of the last raters."""
    wrong = [0] * (30 - len(dissents)) + list(dissents)
    return from_records(
        VoteRecord(f"r{rater:02}", f"p{vote}", *("za" if vote % 2 else "az"), won if vote % 2 else -won)
        for rater, against in enumerate(wrong)
        for vote in range(24)
        for won in [-1 if vote < against else 1]
    )


def test_one_dissent_where_all_others_agree_is_no_label() -> None:
    """Of 30 honest raters five dissented once in 24 votes: all five were labelled."""
    votes = nearly_unanimous(1, 1, 1, 1, 1)
    rows = {row.rater: row for row in review(votes, fitted(votes))}
    assert [name for name, row in rows.items() if row.labels] == []
    # P of one dissent or more, the others having dissented four times in 29 x 24, or of a slip, half of 2 %.
    assert rows["r29"].distance > 1.5
    assert rows["r29"].fit_p == pytest.approx(1 - (1 - 0.98 * 4 / 696 - 0.01) ** 24, abs=0.05)
    assert rows["r00"].fit_p is None
    votes = nearly_unanimous(1, 1, 1, 1, 6)
    assert [row.rater for row in review(votes, fitted(votes)) if row.labels] == ["r29"]


def test_raters_are_judged_by_each_picture_s_own_scale_where_pictures_differ(test_data: Path) -> None:
    """pwcmp's example of tone mapping: of 18 raters two are beyond 1.5, at 3.45 and 4.47 by its own prior.

    One scale for all five scenes labelled neither: its largest distance was 0.53.
    """
    folder = test_data / "oracles"
    want = json.loads((folder / "expected.json").read_text())["pwcmp_ex3_tone_mapping"]
    with (folder / want["file"]).open() as file:
        rows = list(csv.DictReader(file))
    votes = from_records(
        [
            VoteRecord(
                row["observer"], row["scene"], row["condition_A"], row["condition_B"],
                1 if row["is_A_selected"] == "1" else -1,
            )
            for row in rows
        ],
        sided=False,
    )  # fmt: skip
    analysis = analyse_study(votes, resamples=20)
    assert analysis.by_picture is not None
    assert analysis.by_picture.p_permuted is not None
    assert analysis.by_picture.p_permuted < 0.01
    assert [row.rater for row in analysis.reviews] == want["observers"]
    assert {row.judged_by for row in analysis.reviews} == {"each picture"}
    beyond = [index for index, distance in enumerate(want["outlier_distance"]) if distance > 1.5]
    assert list(analysis.flagged) == [want["observers"][index] for index in beyond]
    fits = [row.fit for row in analysis.reviews]
    assert fits == pytest.approx(want["outlier_log10_likelihood"], abs=0.035)
    assert [row.distance for row in analysis.reviews] == pytest.approx(want["outlier_distance"], abs=0.5)
    notes = next(notes for title, _, notes in findings(analysis) if title == "Raters")
    assert "by the scale of all others, each picture's own" in notes[0]
    alike = analyse_study(nearly_unanimous(1, 2), resamples=2)
    assert {row.judged_by for row in alike.reviews} == {"all pictures"}


def test_pictures_own_scales_are_for_so_many_raters_only(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = tally(nearly_unanimous())
    assert judge(counted, False) == "all pictures"
    monkeypatch.setattr("codecarena.studies.analysis.review._LARGEST", 30 * 24 * 4)
    assert judge(counted, True) == "each picture"
    monkeypatch.setattr("codecarena.studies.analysis.review._LARGEST", 30 * 24 * 4 - 1)
    assert judge(counted, True) == "all pictures"


def test_a_whole_study_with_nothing_beside() -> None:
    analysis = analyse_study(study(1), BenchmarkFacts(), resamples=50)
    assert analysis.by_picture is not None
    assert analysis.by_kind is None
    assert analysis.bd_rates == ()
    assert analysis.metrics is None
