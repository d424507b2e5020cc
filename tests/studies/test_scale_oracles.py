"""Published answers, to the digits given, and libraries where they are right."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, xlogy

from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import RAO_KUPPER, THURSTONE
from codecarena.studies.scale.pair_counts import TIE, PairCounts, from_matrix, from_table
from codecarena.studies.scale.scale import analyse
from codecarena.studies.scale.scale_results import StudyScale


@pytest.fixture(scope="module")
def oracles(test_data: Path) -> Path:
    return test_data / "oracles"


@pytest.fixture(scope="module")
def expected(oracles: Path) -> dict:
    return json.loads((oracles / "expected.json").read_text())


def columns(path: Path) -> dict[str, list[str]]:
    rows = list(csv.DictReader(path.read_text().splitlines()))
    return {name: [row[name] for row in rows] for name in rows[0]}


def numbers(values: list[str]) -> list[float]:
    return [float(value) for value in values]


def values(scale: StudyScale) -> dict[str, float]:
    return {condition.condition: condition.value for condition in scale.conditions}


def errors(scale: StudyScale) -> dict[str, float]:
    return {condition.condition: condition.by_vote.standard_error for condition in scale.conditions}


@pytest.fixture(scope="module")
def pudding(oracles: Path) -> PairCounts:
    table = columns(oracles / "davidson1970_pudding.csv")
    counts = [numbers(table[name]) for name in ("w_ij", "w_ji", "t_ij")]
    return from_table(table["i"], table["j"], *counts, sided=False)


@pytest.fixture(scope="module")
def baseball(oracles: Path) -> PairCounts:
    table = columns(oracles / "agresti_baseball1987.csv")
    counts = [numbers(table[name]) for name in ("home.wins", "away.wins")]
    return from_table(table["home.team"], table["away.team"], *counts, sided=True)


@pytest.fixture(scope="module")
def citations(oracles: Path) -> PairCounts:
    table = columns(oracles / "stigler_citations.csv")
    names = sorted({*table["cited"]})
    cited = np.zeros((len(names), len(names)))
    for row, column, count in zip(table["cited"], table["citing"], numbers(table["Freq"]), strict=True):
        cited[names.index(row), names.index(column)] += count if row != column else 0
    return from_matrix(names, cited)


def test_davidson_on_the_pudding_data(pudding: PairCounts, expected: dict) -> None:
    want = expected["pudding"]
    scale = analyse(pudding, unit="log-worth", anchor="1")
    fitted = values(scale)
    assert scale.model == "davidson"
    assert [fitted[str(i)] for i in range(1, 7)] == pytest.approx(want["log_worth_vs_1"], abs=5e-8)
    assert [errors(scale)[str(i)] for i in range(1, 7)] == pytest.approx(want["se"], abs=5e-8)
    worth = np.exp([fitted[str(i)] for i in range(1, 7)])
    assert worth / worth.sum() == pytest.approx(want["worth"], abs=5e-7)
    assert scale.ties is not None
    assert scale.ties.value == pytest.approx(want["log_nu"], abs=5e-8)
    assert np.exp(scale.ties.value) == pytest.approx(want["davidson_nu"], abs=5e-7)
    assert scale.ties.standard_error == pytest.approx(want["se_log_nu"], abs=5e-8)
    assert scale.log_likelihood == pytest.approx(want["logLik_no_const"], abs=5e-8)
    assert scale.equality.statistic == pytest.approx(want["lr_equal_worth"], abs=5e-7)
    assert scale.equality.degrees == want["lr_df"]
    assert scale.goodness.g2 == pytest.approx(want["G2"], abs=5e-7)
    assert scale.goodness.pearson == pytest.approx(want["pearson_X2"], abs=5e-7)
    assert scale.goodness.degrees == want["gof_df"]


def test_other_treatments_of_the_pudding_ties(pudding: PairCounts, expected: dict) -> None:
    want = expected["pudding"]
    halves = pudding.counts.copy()
    halves[[0, 2]] += halves[TIE] / 2
    halves[TIE] = 0
    half = analyse(pudding.with_counts(halves), unit="log-worth", anchor="1")
    dropped = analyse(pudding, model="bradley-terry", anchor="1")
    for scale, name in ((half, "ties_half"), (dropped, "ties_dropped")):
        fitted = values(scale)
        published = want[f"{name}_bt_log_worth_vs_1"]
        assert [fitted[str(i)] for i in range(1, 7)] == pytest.approx(published, abs=5e-6)
    assert any("202 'no preference' answers are left out" in note for note in dropped.notes)
    theta = np.exp(fit(pudding, RAO_KUPPER).parameters[-1])
    assert theta == pytest.approx(want["rao_kupper_theta"], abs=5e-7)


def test_bradley_terry_on_the_baseball_data(baseball: PairCounts, expected: dict) -> None:
    want = expected["baseball"]
    plain = analyse(baseball, unit="log-worth", anchor="Baltimore", order=False)
    for team, value in want["bt_vs_Baltimore"].items():
        assert values(plain)[team] == pytest.approx(value, abs=5e-8)
    assert plain.goodness.g2 == pytest.approx(want["deviance"], abs=5e-8)
    assert plain.goodness.degrees == want["df"]
    assert plain.log_likelihood_of_counts == pytest.approx(want["logLik"], abs=5e-7)


def design_of(pairs: PairCounts, anchor: str) -> np.ndarray:
    """Return one row for each pair: +1 first, -1 second, the anchor left out, then 1 for the order effect."""
    whole = pairs.signs.T.toarray()
    kept = [place for place, name in enumerate(pairs.conditions) if name != anchor]
    return np.column_stack([whole[:, kept], np.ones(len(whole))])


def errors_as_r_takes_them(pairs: PairCounts, anchor: str) -> Iterator[float]:
    """Yield the order effect's standard error after each step of R's ``glm.fit`` with its own stopping rule.

    It starts at (wins + 1/2) / (games + 1), ends when the deviance changes by less than 1e-8 of itself + 0.1,
    and takes the errors from the weights of its last step, which are those of the estimate before.
    """
    design, wins, games = design_of(pairs, anchor), pairs.counts[0], pairs.counts[[0, 2]].sum(0)
    share = (wins + 0.5) / (games + 1.0)
    eta = np.log(share / (1.0 - share))
    before = deviance(wins, games, share)
    while True:
        slope = share * (1.0 - share)
        root = np.sqrt(games * slope)
        target = eta + (wins / games - share) / slope
        q, r = np.linalg.qr(root[:, None] * design)
        eta = design @ np.linalg.solve(r, q.T @ (root * target))
        share = expit(eta)
        yield float(np.sqrt(np.linalg.inv(r.T @ r)[-1, -1]))
        after = deviance(wins, games, share)
        if abs(after - before) / (abs(after) + 0.1) < 1e-8:
            return
        before = after


def deviance(wins: np.ndarray, games: np.ndarray, share: np.ndarray) -> float:
    """Return twice the log-likelihood that is missing to a model with a share for each pair."""
    lost = games - wins
    gain = xlogy(wins, wins / games / share) + xlogy(lost, lost / games / (1.0 - share))
    return 2.0 * float(gain.sum())


def maximum_error(pairs: PairCounts, anchor: str) -> float:
    """Return the order effect's standard error at the maximum, by Newton's steps until nothing moves."""
    design, wins, games = design_of(pairs, anchor), pairs.counts[0], pairs.counts[[0, 2]].sum(0)
    values = np.zeros(design.shape[1])
    for _ in range(50):
        share = expit(design @ values)
        information = design.T @ ((games * share * (1.0 - share))[:, None] * design)
        values += np.linalg.solve(information, design.T @ (wins - games * share))
    return float(np.sqrt(np.linalg.inv(information)[-1, -1]))


def test_the_order_effect_of_the_baseball_data(baseball: PairCounts, expected: dict) -> None:
    want = expected["baseball"]["with_order_effect"]
    scale = analyse(baseball, unit="log-worth", anchor="Baltimore")
    for team in expected["baseball"]["bt_vs_Baltimore"]:
        assert values(scale)[team] == pytest.approx(want[team], abs=5e-8)
    assert scale.order_effect is not None
    assert scale.order_effect.value == pytest.approx(want["at.home"], abs=5e-8)
    # Ours is the error at the maximum, the published one that of R's last but one step: 7e-8 apart.
    standard_error = scale.order_effect.by_vote.standard_error
    steps = list(errors_as_r_takes_them(baseball, "Baltimore"))
    assert steps[-1] == pytest.approx(want["se_at.home"], abs=5e-9)
    assert standard_error == pytest.approx(maximum_error(baseball, "Baltimore"), rel=1e-9)
    assert standard_error != pytest.approx(want["se_at.home"], abs=5e-8)
    assert scale.goodness.g2 == pytest.approx(want["deviance"], abs=5e-8)
    assert scale.goodness.degrees == want["df"]
    worth = np.exp(sorted(values(scale).values()))
    published = expected["baseball"]["published_rounded"]["worth_sorted"]
    assert worth / worth.sum() == pytest.approx(published, abs=6e-4)
    gain = expected["baseball"]["deviance"] - want["deviance"]
    assert scale.order_effect.test.statistic == pytest.approx(gain, abs=1e-7)


def test_logit_and_probit_on_the_citations(citations: PairCounts, expected: dict) -> None:
    want = expected["citations"]
    logit = analyse(citations, unit="log-worth", anchor="Biometrika")
    for journal, value in want["bt_vs_Biometrika"].items():
        assert values(logit)[journal] == pytest.approx(value, abs=5e-8)
        assert errors(logit)[journal] == pytest.approx(want["se"][journal], abs=5e-9)
    assert logit.goodness.g2 == pytest.approx(want["deviance"], abs=5e-7)
    assert logit.goodness.degrees == want["df"]
    probit = fit(citations, THURSTONE).values
    against = dict(zip(citations.conditions, probit - probit[0], strict=True))
    for journal, value in want["probit_vs_Biometrika"].items():
        assert against[journal] == pytest.approx(value, abs=5e-8)


def test_jod_of_the_pwcmp_toy(expected: dict) -> None:
    want = expected["pwcmp_ex1"]
    pairs = from_matrix(("1", "2", "3"), want["matrix"])
    centred, fixed = analyse(pairs), analyse(pairs, anchor="1")
    for name, mean0, fix0 in zip("123", want["jod_no_prior_mean0"], want["jod_fix0"], strict=True):
        assert values(centred)[name] == pytest.approx(mean0, abs=want["tolerance"])
        assert values(fixed)[name] == pytest.approx(fix0, abs=want["tolerance"])
