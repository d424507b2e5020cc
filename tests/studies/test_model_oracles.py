"""Models by their papers, slopes by differences, and fits where the likelihood is highest."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.special import expit, ndtr, ndtri

from codecarena.studies.scale.fisher_scoring import (
    Problem,
    answers_of,
    covariance,
    differences,
    log_likelihood,
    solve,
    solve_together,
    start,
)
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import (
    BRADLEY_TERRY,
    DAVIDSON,
    JOD,
    MODELS,
    THURSTONE,
    Model,
    choose_model,
)
from codecarena.studies.scale.pair_counts import PairCounts, from_matrix
from codecarena.studies.scale.resampling import RIDGE
from codecarena.studies.scale.scale import analyse
from codecarena.studies.scale.scale_results import ScaleError

ALL = list(MODELS.values())
WITH_TIES = [model for model in ALL if model.ties]
DIFFERENCES = np.array([-2.3, -0.4, 0.0, 0.7, 3.1])
TIE = 0.6


def named(model: Model) -> str:
    return model.name


def table(names: tuple[str, ...] = ("m", "z", "a"), neutral: bool = False, sided: bool = True) -> PairCounts:
    """Return counts of six ordered pairs, in which the second name is best and the first side favoured."""
    first, second = np.array([0, 0, 1, 1, 2, 2]), np.array([1, 2, 0, 2, 0, 1])
    counts = np.array([[4, 9, 12, 14, 5, 3], [3, 2, 2, 1, 3, 2], [9, 4, 3, 2, 8, 11]], float)
    ground = np.array([False, True, False, False, True, False]) if neutral else None
    return PairCounts(names, first, second, counts, sided, ground)


def problem(model: Model, **change: object) -> Problem:
    return replace(Problem(table(), model, np.zeros(3, int), order=True, ridge=0.0), **change)  # type: ignore[arg-type]


# Models


@pytest.mark.parametrize(
    ("model", "first", "second"),
    [
        ("bradley-terry", expit(DIFFERENCES), expit(-DIFFERENCES)),
        ("thurstone", ndtr(DIFFERENCES), ndtr(-DIFFERENCES)),
        ("threshold-probit", ndtr(DIFFERENCES - TIE), ndtr(-DIFFERENCES - TIE)),
        ("rao-kupper", expit(DIFFERENCES - TIE), expit(-DIFFERENCES - TIE)),
        (
            "davidson",
            1 / (1 + np.exp(TIE - DIFFERENCES / 2) + np.exp(-DIFFERENCES)),
            1 / (1 + np.exp(TIE + DIFFERENCES / 2) + np.exp(DIFFERENCES)),
        ),
    ],
)
def test_probabilities_of_the_answers(model: str, first: np.ndarray, second: np.ndarray) -> None:
    won, tied, lost = MODELS[model].probabilities(DIFFERENCES, TIE)  # type: ignore[index]
    assert won == pytest.approx(first)
    assert lost == pytest.approx(second)
    assert tied == pytest.approx(1 - first - second, abs=1e-12)
    assert (tied.any()) == MODELS[model].ties  # type: ignore[index]


@pytest.mark.parametrize("model", ALL, ids=named)
def test_slopes_are_those_of_the_logarithms(model: Model) -> None:
    step = 1e-6
    answers = model.answers(DIFFERENCES, np.array(TIE))

    def logarithm(difference: float = 0.0, tie: float = 0.0) -> np.ndarray:
        return np.log(model.answers(DIFFERENCES + difference, np.array(TIE + tie)).probability)

    by_difference = (logarithm(step) - logarithm(-step)) / (2 * step)
    assert answers.by_difference == pytest.approx(by_difference, abs=1e-7)
    if answers.by_tie is not None:
        by_tie = (logarithm(tie=step) - logarithm(tie=-step)) / (2 * step)
        assert answers.by_tie == pytest.approx(by_tie, abs=1e-7)
    assert (answers.by_tie is None) == (not model.ties)
    assert len(answers.probability) == len(model.outcomes) == (3 if model.ties else 2)


@pytest.mark.parametrize("model", ALL, ids=named)
def test_probabilities_far_out_keep_their_digits(model: Model) -> None:
    for difference in (-40.0, 40.0):
        won, tied, lost = model.answers(np.array([difference]), np.array(TIE)).probability[[0, -1, 0]]
        assert np.isfinite([won, tied, lost]).all()
        far = model.answers(np.array([8.0]), np.array(TIE)).probability[-1, 0]
        near = model.answers(np.array([-8.0]), np.array(TIE)).probability[0, 0]
        assert far == pytest.approx(near, rel=1e-9)
        assert far > 0
    if model.ties:
        up = model.answers(np.array([7.0]), np.array(TIE)).probability[1, 0]
        down = model.answers(np.array([-7.0]), np.array(TIE)).probability[1, 0]
        assert up == pytest.approx(down, rel=1e-9)
        assert up > 0


@pytest.mark.parametrize("share", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("model", WITH_TIES, ids=named)
def test_the_tie_parameter_begins_where_equals_tie_at_the_share(model: Model, share: float) -> None:
    assert model.probabilities(np.zeros(1), model.tie_start(share))[1, 0] == pytest.approx(share)
    assert model.tie_start(0.0) == model.tie_start(0.01)
    assert model.tie_start(1.0) == model.tie_start(0.99)


@pytest.mark.parametrize("model", [BRADLEY_TERRY, THURSTONE], ids=named)
def test_a_model_without_ties_has_no_tie_parameter(model: Model) -> None:
    assert model.tie_start(0.4) == 0.0


def test_one_jod_is_a_preference_of_three_in_four() -> None:
    assert pytest.approx(1 / 0.6744898) == JOD
    assert THURSTONE.probabilities(np.array([1 / JOD]))[0, 0] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("unit", "has_ties", "name", "per_unit"),
    [
        ("JOD", True, "threshold-probit", JOD),
        ("JOD", False, "thurstone", JOD),
        ("log-worth", True, "davidson", 1.0),
        ("log-worth", False, "bradley-terry", 1.0),
    ],
)
def test_a_unit_and_ties_make_the_model(unit: str, has_ties: bool, name: str, per_unit: float) -> None:
    model = choose_model(unit, has_ties)  # type: ignore[arg-type]
    assert (model.name, model.unit, model.per_unit, model.ties) == (name, unit, per_unit, has_ties)
    assert MODELS["rao-kupper"].unit == "log-worth"


# Fitting


@pytest.mark.parametrize("neutral", [False, True])
def test_differences_are_first_minus_second_with_the_order_effect_of_sides(neutral: bool) -> None:
    made = problem(BRADLEY_TERRY, pairs=table(neutral=neutral))
    got = differences(made, np.array([[0.1, 1.0, -1.1, 0.25, 9.0]]))[0]
    side = 0.25 * (1 - np.array([0, 1, 0, 0, 1, 0]) if neutral else np.ones(6))
    assert got == pytest.approx(np.array([-0.9, 1.2, 0.9, 2.1, -1.2, -2.1]) + side)


@pytest.mark.parametrize("model", ALL, ids=named)
@pytest.mark.parametrize("ridge", [0.0, 0.3])
@pytest.mark.parametrize("order", [True, False])
def test_the_fit_is_where_the_penalised_likelihood_is_flat_and_highest(
    model: Model, ridge: float, order: bool
) -> None:
    made = problem(model, ridge=ridge, order=order)
    counts = made.pairs.counts[:, None]
    solution = solve(made, counts, start(made))
    best = solution.parameters[0]
    assert solution.converged.tolist() == [True]
    assert best[:3].sum() == pytest.approx(0, abs=1e-9)

    def height(parameters: np.ndarray) -> float:
        shown = parameters.copy()
        shown[-2] *= order
        penalty = ridge / 2 * (shown[:3] ** 2).sum() + ridge / 2 * (shown[-2] ** 2)
        penalty += ridge / 2 * shown[-1] ** 2 if model.ties else 0.0
        probability = model.answers(differences(made, shown[None]), shown[None, [-1]]).probability[:, 0]
        seen = made.pairs.counts[list(model.outcomes)]
        return float((seen * np.log(probability)).sum()) - penalty

    top = height(best)
    if not ridge:
        assert log_likelihood(made, counts, best[None])[0] == pytest.approx(top)
    moves = [
        np.array(move) for move in ([1, -1, 0, 0, 0], [0, 1, -1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1])
    ]
    for move, size in product(moves, (1e-4, -1e-4, 0.2, -0.2)):
        if (not order and move[3]) or (not model.ties and move[4]):
            continue
        assert height(best + size * move) <= top + 1e-12
    assert (best[-2] == 0) == (not order)


@pytest.mark.parametrize("model", ALL, ids=named)
def test_the_covariance_is_the_inverse_of_the_expected_information(model: Model) -> None:
    """The information of free parameters by numerical slopes, mapped to values of mean 0."""
    made = problem(model)
    parameters = np.array([0.1, 0.8, -0.9, 0.2, 0.5 if model.ties else 0.0])
    basis = np.zeros((5, 4))
    basis[:3, 0], basis[:3, 1] = [1, -1, 0], [0, 1, -1]
    basis[3, 2], basis[4, 3] = 1, 1
    basis = basis if model.ties else basis[:, :3]

    def chances(free: np.ndarray) -> np.ndarray:
        moved = (parameters + basis @ free)[None]
        return answers_of(made, moved).probability[:, 0]

    width, step = basis.shape[1], 1e-5
    slopes = np.stack(
        [(chances(step * direction) - chances(-step * direction)) / (2 * step) for direction in np.eye(width)]
    )  # fmt: skip
    totals = made.pairs.counts[list(model.outcomes)].sum(0)
    information = np.einsum("iop,jop,op->ij", slopes, slopes, totals / chances(np.zeros(width)))
    expected = basis @ np.linalg.inv(information) @ basis.T
    got = covariance(made, made.pairs.counts[:, None], parameters[None])[0]
    assert got == pytest.approx(expected, rel=1e-5, abs=1e-9)
    assert (got[-1] == 0).all() == (not model.ties)


def test_a_batch_is_solved_as_each_weighting_alone() -> None:
    made = problem(DAVIDSON)
    random = np.random.default_rng(0)
    weighted = made.pairs.counts[:, None] * random.integers(1, 5, (1, 7, 6))
    whole = solve(made, weighted, start(made))
    for index in range(7):
        alone = solve(made, weighted[:, [index]], start(made))
        assert whole.parameters[index] == pytest.approx(alone.parameters[0], abs=1e-9)
    assert whole.converged.all()


def test_a_batch_is_solved_in_parts_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = problem(BRADLEY_TERRY)
    weighted = made.pairs.counts[:, None] * np.arange(1, 6)[None, :, None]
    whole = solve(made, weighted, start(made)).parameters
    monkeypatch.setattr("codecarena.studies.scale.fisher_scoring._CELLS_AT_ONCE", 50)
    assert solve(made, weighted, start(made)).parameters == pytest.approx(whole, abs=1e-9)


def test_a_separated_weighting_says_that_it_has_no_maximum() -> None:
    made = problem(BRADLEY_TERRY, order=False)
    never = made.pairs.counts.copy()
    # z loses to nobody: not as the second of rows 0 and 5, nor as the first of rows 2 and 3.
    never[0, [0, 5]] = never[2, [2, 3]] = 0
    counts = np.stack([made.pairs.counts, never], axis=1)
    assert solve(made, counts, start(made)).converged.tolist() == [True, False]


@pytest.mark.parametrize("begin", [0.01, 0.5, 2.0, 3.0, 5.0])
@pytest.mark.parametrize("model", [model for model in WITH_TIES if model.tie_above_zero], ids=named)
def test_a_threshold_stays_positive_from_wherever_it_begins(model: Model, begin: float) -> None:
    """One tie of 90 answers: a threshold near 0, far below where the search begins."""
    made = problem(model)
    counts = made.pairs.counts.copy()
    counts[1] = [1, 0, 0, 0, 0, 0]
    near, far = start(made), start(made)
    near[-1], far[-1] = 0.03, begin
    best, again = (solve(made, counts[:, None], begin) for begin in (near, far))
    assert again.converged.all()
    assert again.parameters == pytest.approx(best.parameters, abs=1e-8)
    assert 0 < again.parameters[0, -1] < 0.05


@pytest.mark.parametrize("times", [1e-4, 0.01, 100.0, 1e4])
def test_the_same_shares_of_more_votes_move_no_value_and_narrow_the_errors(times: float) -> None:
    # An order effect would not be fitted to the hundredth part of the votes.
    scale = analyse(table(), unit="log-worth", order=times >= 1)
    many = analyse(table().with_counts(table().counts * times), unit="log-worth", order=times >= 1)
    for name in ("m", "z", "a"):
        assert many.condition(name).value == pytest.approx(scale.condition(name).value, abs=1e-7)
        error = scale.condition(name).by_vote.standard_error / np.sqrt(times)
        assert many.condition(name).by_vote.standard_error == pytest.approx(error)


@pytest.mark.parametrize("model", [BRADLEY_TERRY, DAVIDSON], ids=named)
def test_groups_with_an_order_effect_in_common_are_at_the_maximum_of_their_sum(model: Model) -> None:
    made = problem(model, ridge=0.05)
    groups = np.stack([made.pairs.counts, made.pairs.counts[:, ::-1] + 1, made.pairs.counts * 2], axis=1)
    best = solve_together(made, groups, start(made), tolerance=1e-11, steps=60)
    assert np.ptp(best[:, -2:], axis=0) == pytest.approx([0, 0], abs=1e-9)
    assert best[:, :3].sum(1) == pytest.approx(np.zeros(3), abs=1e-7)

    def height(parameters: np.ndarray) -> float:
        penalty = 0.05 / 2 * (parameters**2).sum()
        return float(log_likelihood(made, groups, parameters).sum()) - penalty

    top = height(best)
    for group, move in product(range(3), ([1, -1, 0], [0, 1, -1])):
        for size in (1e-3, -1e-3, 0.3, -0.3):
            moved = best.copy()
            moved[group, :3] += size * np.array(move)
            assert height(moved) < top
    for place in (-2, -1) if model.ties else (-2,):
        for size in (1e-3, -1e-3, 0.3, -0.3):
            moved = best.copy()
            moved[:, place] += size
            assert height(moved) < top


def test_one_group_together_is_that_group_alone() -> None:
    made = problem(DAVIDSON)
    alone = solve(made, made.pairs.counts[:, None], start(made)).parameters
    together = solve_together(made, made.pairs.counts[:, None], start(made), tolerance=1e-11, steps=60)
    assert together == pytest.approx(alone, abs=1e-7)


@pytest.mark.parametrize(
    ("component", "order", "model", "free"),
    [
        ([0, 0, 0], True, DAVIDSON, 4),
        ([0, 0, 0], False, BRADLEY_TERRY, 2),
        ([0, 1, 0], True, BRADLEY_TERRY, 2),
        ([0, 1, 2], False, DAVIDSON, 1),
    ],
)
def test_how_many_parameters_votes_decide(component: list[int], order: bool, model: Model, free: int) -> None:
    assert problem(model, component=np.array(component), order=order).free() == free


def test_what_a_ridge_may_be() -> None:
    with pytest.raises(ScaleError, match=r"expected a ridge of 0 or more; got -0\.1"):
        fit(table(), BRADLEY_TERRY, ridge=-0.1)
    kept = fit(table(), BRADLEY_TERRY, ridge=0.2)
    assert (kept.problem.ridge, kept.notes) == (0.2, ("ridge 0.2 on the squares of all parameters",))
    free = fit(table(), BRADLEY_TERRY, ridge=0.0)
    assert (free.problem.ridge, free.notes) == (0.0, ())
    assert abs(kept.values).max() < abs(free.values).max()
    assert RIDGE == 0.05
    assert fit(table(), DAVIDSON, order=False).parameters[-2] == 0


def test_three_to_one_is_ln_3_and_one_jod() -> None:
    pairs = from_matrix("zam", [[0, 30, 0], [10, 0, 20], [0, 20, 0]])
    worth, jod = analyse(pairs, unit="log-worth"), analyse(pairs)
    gaps = [scale.condition("z").value - scale.condition("a").value for scale in (worth, jod)]
    assert gaps == pytest.approx([np.log(3), 1.0])
    assert worth.condition("m").value == pytest.approx(worth.condition("a").value)
    assert ndtri(0.75) * JOD == pytest.approx(1.0)
