"""Designs that are not ours: random tables against statsmodels, neutral ground, odd counts, odd names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, ndtr
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM

from codecarena.studies.analysis.analysis import analyse_study
from codecarena.studies.organise.findings import findings
from codecarena.studies.scale.connectivity import order_is_confounded
from codecarena.studies.scale.models import JOD, MODELS
from codecarena.studies.scale.pair_counts import PairCounts, from_matrix, from_table
from codecarena.studies.scale.scale import analyse
from codecarena.studies.scale.scale_results import ScaleError, StudyScale
from codecarena.studies.scale.votes import VoteRecord, Votes, VotesError, from_records

LINKS = {"bradley-terry": families.links.Logit(), "thurstone": families.links.Probit()}


def random_table(seed: int, ties: bool) -> PairCounts:
    """Return any design: few or many conditions, rows without a vote, whole or fractional, neutral ground."""
    random = np.random.default_rng(seed)
    size, rows = int(random.integers(2, 9)), int(random.integers(4, 40))
    first = random.integers(0, size, rows)
    second = (first + random.integers(1, size, rows)) % size
    counts = random.integers(0, 12, (3, rows)) * (random.random((3, rows)) < 0.9)
    counts = counts * (random.random((3, rows)) if seed % 3 == 0 else 1.0)
    neutral = random.random(rows) < (0.4 if seed % 2 else 0.0)
    names = [f"équipe {number} | 日本" for number in range(size)]
    left, right = [names[index] for index in first], [names[index] for index in second]
    won, tied, lost = counts
    return from_table(left, right, won, lost, tied if ties else None, sided=True, neutral=neutral)


def unpenalised(pairs: PairCounts, model: str) -> StudyScale | None:
    """Return the scale where votes decide all of it; None where a ridge or components are needed."""
    try:
        scale = analyse(pairs, model=model, anchor=pairs.conditions[0])  # type: ignore[arg-type]
    except ScaleError:
        return None
    return scale if scale.ridge == 0 and scale.components == 1 else None


def design(pairs: PairCounts, order: bool) -> np.ndarray:
    """Return +1 first and -1 second, the anchor left out, and the side where there is an order effect."""
    columns = [pairs.signs.toarray()[1:].T]
    return np.column_stack([*columns, pairs.side] if order else columns)


def numbers(pairs: PairCounts, scale: StudyScale) -> tuple[list[float], list[float]]:
    """Return values and standard errors in the order of the design's columns."""
    scaled = [scale.condition(name) for name in pairs.conditions[1:]]
    values, errors = (
        [condition.value for condition in scaled],
        [condition.by_vote.standard_error for condition in scaled],
    )
    if scale.order_effect:
        values.append(scale.order_effect.value)
        errors.append(scale.order_effect.by_vote.standard_error)
    return values, errors


@pytest.mark.scaled
@pytest.mark.parametrize("model", list(LINKS))
def test_random_designs_equal_statsmodels(tenth: Callable[[int], int], model: str) -> None:
    compared, designs = 0, tenth(200)
    for seed in range(designs):
        pairs = random_table(seed, ties=False)
        scale = unpenalised(pairs, model)
        if scale is None or scale.goodness.degrees == 0:  # statsmodels divides by these degrees
            continue
        matrix, answers = design(pairs, scale.order_effect is not None), pairs.counts[[0, 2]].T
        family = families.Binomial(LINKS[model])
        theirs = GLM(answers, matrix, family=family).fit(tol=1e-13, maxiter=200)
        values, errors = numbers(pairs, scale)
        unit = MODELS[model].per_unit  # type: ignore[index]
        assert values == pytest.approx(theirs.params * unit, abs=1e-6), seed
        assert errors == pytest.approx(theirs.bse * unit, rel=1e-6), seed
        assert scale.goodness.g2 == pytest.approx(theirs.deviance, abs=1e-7), seed
        assert scale.goodness.pearson == pytest.approx(theirs.pearson_chi2, abs=1e-5), seed
        assert scale.goodness.degrees == max(theirs.df_resid, 0), seed
        single = (answers * np.log(np.stack([theirs.fittedvalues, 1 - theirs.fittedvalues], 1))).sum()
        assert scale.log_likelihood == pytest.approx(single, abs=1e-7), seed
        equal = -answers.sum() * np.log(2)
        if scale.order_effect:
            equal = GLM(answers, pairs.side[:, None], family=family).fit(tol=1e-13, maxiter=200).deviance
            equal = single + (theirs.deviance - equal) / 2
        assert scale.equality.statistic == pytest.approx(2 * (single - equal), abs=1e-6), seed
        compared += 1
    assert compared >= designs / 2


def shares(model: str, difference: np.ndarray, side: np.ndarray, tie: float, half: float) -> np.ndarray:
    """Return P(first), P(tie), P(second), written anew from the papers.

    Davidson and Beaver 1977: worth of the first times the order effect, ties by the worths alone; on a design
    with neutral ground by the worths as they are there. Rao and Kupper 1967, Glenn and David 1960.
    """
    if model == "davidson":
        odds = np.exp(np.stack([difference / 2 + side, tie + half * side, -difference / 2]))
        return odds / odds.sum(0)
    rises = expit if model == "rao-kupper" else ndtr
    first, second = rises(difference + side - tie), rises(-difference - side - tie)
    return np.stack([first, 1 - first - second, second])


@pytest.mark.parametrize("model", ["davidson", "threshold-probit", "rao-kupper"])
def test_random_designs_with_ties_are_at_the_maximum_of_the_papers_likelihood(model: str) -> None:
    compared = 0
    for seed in range(16):
        pairs = random_table(100 + seed, ties=True)
        scale = unpenalised(pairs, model)
        if scale is None or scale.ties is None:
            continue
        order = scale.order_effect is not None
        matrix, half = design(pairs, order), 0.5 if pairs.neutral is not None else 0.0
        unit = JOD if MODELS[model].unit == "JOD" else 1.0  # type: ignore[index]
        fitted = np.append(numbers(pairs, scale)[0], scale.ties.value) / unit

        def less(
            parameters: np.ndarray,
            pairs: PairCounts = pairs,
            matrix: np.ndarray = matrix,
            order: bool = order,
            half: float = half,
        ) -> float:
            side = parameters[-2] * pairs.side if order else np.zeros(len(pairs.first))
            whole = matrix @ parameters[:-1]
            chances = shares(model, whole - side, side, parameters[-1], half)
            return -float((pairs.counts * np.log(np.maximum(chances, 1e-300))).sum())

        assert -less(fitted) == pytest.approx(scale.log_likelihood, abs=1e-8), seed
        random = np.random.default_rng(seed)
        best = minimize(
            less, fitted + random.normal(0, 0.1, len(fitted)), method="BFGS", options={"gtol": 1e-6}
        )
        assert best.fun >= less(fitted) - 1e-8, seed
        assert best.x == pytest.approx(fitted, abs=1e-3), seed
        compared += 1
    assert compared >= 8


def test_only_contests_with_a_side_have_an_order_effect() -> None:
    """Ten cities that play at home or, half of the time, where nobody is at home."""
    random = np.random.default_rng(1)
    worth, home, games = random.normal(0, 0.5, 10), 0.6, 400
    first, second = (ends.ravel() for ends in np.where(~np.eye(10, dtype=bool)))
    rows = np.concatenate([first, first]), np.concatenate([second, second])
    neutral = np.repeat([False, True], len(first))
    names = [f"city {number}" for number in range(10)]
    won = random.binomial(games, expit(worth[rows[0]] - worth[rows[1]] + home * ~neutral))
    table = [names[index] for index in rows[0]], [names[index] for index in rows[1]], won, games - won
    scale = analyse(from_table(*table, sided=True, neutral=neutral), unit="log-worth")
    untold = analyse(from_table(*table, sided=True), unit="log-worth")
    assert scale.order_effect is not None
    assert untold.order_effect is not None
    assert scale.order_effect.value == pytest.approx(home, abs=4 * scale.order_effect.by_vote.standard_error)
    assert untold.order_effect.value == pytest.approx(home / 2, abs=0.05)
    assert scale.goodness.p > 0.01
    assert scale.goodness.degrees == 90 + 45 - 10
    at_home = ~neutral
    assert scale.order_effect.first_share == pytest.approx(won[at_home].sum() / (games * at_home.sum()))


def test_neutral_ground_alone_has_no_order_effect() -> None:
    pairs = from_table("abca", "bcab", [5, 6, 3, 2], [4, 2, 5, 3], sided=True, neutral=[True] * 4)
    assert order_is_confounded(pairs)
    scale = analyse(pairs)
    unsided = analyse(from_table("abca", "bcab", [5, 6, 3, 2], [4, 2, 5, 3], sided=False))
    assert scale.order_effect is None
    assert [condition.value for condition in scale.conditions] == [
        condition.value for condition in unsided.conditions
    ]


@pytest.mark.parametrize("model", list(MODELS))
def test_a_pair_may_stand_in_several_rows(model: str) -> None:
    """Values, errors and tests are those of the rows added up."""
    pairs = random_table(103, ties=True)
    again = PairCounts(
        pairs.conditions, np.tile(pairs.first, 3), np.tile(pairs.second, 3), np.tile(pairs.counts / 3, 3),
        neutral=None if pairs.neutral is None else np.tile(pairs.neutral, 3),
    )  # fmt: skip
    scale, other = analyse(pairs, model=model), analyse(again, model=model)  # type: ignore[arg-type]
    for name in pairs.conditions:
        assert other.condition(name).value == pytest.approx(scale.condition(name).value, abs=1e-8)
        error = scale.condition(name).by_vote.standard_error
        assert other.condition(name).by_vote.standard_error == pytest.approx(error, rel=1e-8)
    assert other.equality.statistic == pytest.approx(scale.equality.statistic, abs=1e-7)


def votes(conditions: str | list[str] = "abc", raters: int = 5, pictures: int = 3, rows: int = 90) -> Votes:
    random = np.random.default_rng(1)
    records: list[VoteRecord] = []
    for _ in range(rows):
        first, second = random.choice(len(conditions), 2, replace=False)
        rater, picture = f"r{random.integers(raters)}", f"p{random.integers(pictures)}"
        outcome = int(random.choice([1, 1, 0, -1]))
        records.append(VoteRecord(rater, picture, conditions[first], conditions[second], outcome))
    return from_records(records)


@pytest.mark.parametrize(
    "study",
    [
        votes(raters=1),
        votes(pictures=1),
        votes(raters=1, pictures=1),
        votes("ab"),
        votes(raters=10**6),
        votes("ab", rows=1),
        replace(votes(), raters_known=False),
        replace(votes(), sided=False),
        from_records([*votes("ab").records(), *votes("xy").records()]),
        from_records([VoteRecord("r", "p", "a", "b", 0)] * 20 + [VoteRecord("s", "p", "b", "a", 1)]),
        from_records(record for record in votes().records() if record.outcome == 1),
        votes(["ä | b", "<b>日本</b>", "line\nbreak", "𝒳"]),
    ],
    ids=[
        "one rater", "one picture", "one of either", "two conditions", "a vote each", "one vote",
        "unknown raters", "unknown sides", "two parts", "ties but one", "the first always", "odd names",
    ],
)  # fmt: skip
@pytest.mark.parametrize("unit", ["JOD", "log-worth"])
def test_a_study_of_any_shape_is_analysed(study: Votes, unit: str) -> None:
    analysis = analyse_study(study, resamples=20, unit=unit)  # type: ignore[arg-type]
    assert findings(analysis)
    assert all(np.isfinite(condition.value) for condition in analysis.scale.conditions)
    assert {condition.condition for condition in analysis.scale.conditions} == set(study.conditions)


def test_a_hundred_and_twenty_conditions_are_analysed() -> None:
    names = [f"c{number}" for number in range(120)]
    scale = analyse(votes(names, rows=3000), resamples=10)
    assert len(scale.conditions) == 120
    assert scale.components == 1
    assert len(scale.pairs) == 120 * 119 // 2


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: from_table("a", "b", [-1], [2], sided=True), "finite and not negative"),
        (lambda: from_table("aa", "bb", [-1, 3], [2, 2], sided=True), "finite and not negative"),
        (lambda: from_table("a", "b", [np.nan], [2], sided=True), "finite and not negative"),
        (lambda: from_table("a", "a", [1], [2], sided=True), "one condition against itself"),
        (lambda: from_table("a", "x", [1], [2], sided=True, conditions="ab"), "among a, b; got 'x'"),
        (lambda: from_table("a", "b", [1], [2], sided=True, conditions="aba"), "once; got 'a' twice"),
        (lambda: from_matrix("ab", [[0, 1, 2]]), "shape"),
        (lambda: from_matrix("ab", [[0, 1], [2, 0]], [[0, 0], [3, 0]]), "symmetric"),
    ],
)
def test_impossible_tables_are_refused(make: object, said: str) -> None:
    with pytest.raises(VotesError, match=said):
        make()  # type: ignore[operator]
