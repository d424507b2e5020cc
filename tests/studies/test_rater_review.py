"""Careless raters and leaning raters are found, and agreement is what Krippendorff and Kendall defined."""

from __future__ import annotations

from dataclasses import replace

import krippendorff
import numpy as np
import pytest

from codecarena.studies.agreement import alpha, transitivity
from codecarena.studies.analysis import Beside, analyse_study
from codecarena.studies.fit import Fit, fit
from codecarena.studies.models import BRADLEY_TERRY, choose_model
from codecarena.studies.pair_counts import from_matrix, tally
from codecarena.studies.review import GoldenAnswer, outlying, proportion, review
from codecarena.studies.simulation import Assumptions, simulate_votes
from codecarena.studies.votes import Kind, VoteRecord, Votes, from_records

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
    found = analyse_study(votes, resamples=100)
    assert "rater 5" in found.flagged
    assert found.scale.raters == 20
    assert found.without_flagged is not None
    assert found.without_flagged.raters == 20 - len(found.flagged)
    assert found.without_flagged.votes < found.scale.votes == len(votes)
    spread = [scale.conditions[0].value for scale in (found.scale, found.without_flagged)]
    assert spread[1] > spread[0]


def test_golden_trials_and_repeats() -> None:
    votes = study(9, tie_rate=0.0)
    records = votes.records()
    for rater, wrong in (("rater 1", 0), ("rater 2", 6)):
        records += [
            VoteRecord(rater, "picture 1", "e", "a", -1 if turn < wrong else 1, Kind.GOLDEN)
            for turn in range(10)
        ]
    swapped = [replace(one, first=one.second, second=one.first, kind=Kind.REPEAT) for one in records]
    again = [replace(one, outcome=-one.outcome) for one in swapped if one.rater == "rater 1"][:40]
    unsure = [one for one in swapped if one.rater == "rater 2"][:40]
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
    found = alpha(votes, level)  # type: ignore[arg-type]
    # Every unit both ways round: which of two conditions is listed first means nothing.
    both = np.concatenate([data, -data], axis=1)
    assert found.value == pytest.approx(krippendorff.alpha(both, level_of_measurement=level), abs=1e-12)
    listed = from_records(votes.records(), conditions=votes.conditions[::-1])
    assert alpha(listed, level).value == pytest.approx(found.value, abs=1e-12)  # type: ignore[arg-type]
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high


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
    found = transitivity(votes, tally(votes).pairs)
    assert (found.circular_triads, found.complete_sets) == (1, 2)
    assert found.consistency == pytest.approx(0.5)


def test_violations_of_stochastic_transitivity() -> None:
    strong = from_matrix("abc", [[0, 8, 7], [2, 0, 8], [3, 2, 0]])
    weak = from_matrix("abc", [[0, 8, 4], [2, 0, 8], [6, 2, 0]])
    none = from_matrix("abc", [[0, 8, 9], [2, 0, 8], [1, 2, 0]])
    empty = from_records([])
    counts = [
        (found.triples, found.weak, found.strong)
        for found in (transitivity(empty, one) for one in (none, strong, weak))
    ]
    assert counts == [(1, 0, 0), (1, 0, 1), (1, 1, 1)]


def test_a_whole_study_with_nothing_beside() -> None:
    found = analyse_study(study(1), Beside(), resamples=50)
    assert found.by_picture is not None
    assert found.by_kind is None
    assert found.bd_rates == ()
    assert found.metrics is None
