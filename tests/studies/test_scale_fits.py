"""What can be fitted, what is refused, and what other software says of the same votes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from statsmodels.genmod import families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.multitest import multipletests

from codecarena.studies.design.simulation import Assumptions, simulate_votes
from codecarena.studies.scale.connectivity import (
    components,
    is_separated,
    order_is_confounded,
    win_components,
)
from codecarena.studies.scale.fisher_scoring import Problem, solve, start
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import (
    BRADLEY_TERRY,
    DAVIDSON,
    JOD,
    MODELS,
    THRESHOLD_PROBIT,
    THURSTONE,
)
from codecarena.studies.scale.pair_counts import PairCounts, from_matrix, from_table, tally
from codecarena.studies.scale.resampling import RIDGE
from codecarena.studies.scale.scale import analyse, resample
from codecarena.studies.scale.scale_results import ScaleError
from codecarena.studies.scale.votes import Kind, VoteRecord, Votes, VotesError, from_records

SCALE = {"a": -1.0, "b": -0.3, "c": 0.4, "d": 0.9}


def study(seed: int = 0, **assumed: object) -> Votes:
    settings = {"raters": 25, "pictures": 10, "order_effect": 0.2} | assumed
    return simulate_votes(Assumptions(SCALE, **settings), np.random.default_rng(seed))  # type: ignore[arg-type]


def votes_of(*rows: tuple[str, str, int], rater: str = "r") -> Votes:
    return from_records(VoteRecord(rater, "p", first, second, outcome) for first, second, outcome in rows)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_fit_and_clustered_errors_equal_those_of_statsmodels(link: str) -> None:
    votes = study()
    design = np.zeros((len(votes), len(SCALE) + 1))
    rows = np.arange(len(votes))
    design[rows, votes.first] += 1
    design[rows, votes.second] -= 1
    design[:, -1] = 1
    family = families.Binomial(families.links.Logit() if link == "logit" else families.links.Probit())
    glm = GLM((votes.outcome > 0).astype(float), design[:, 1:], family=family)
    plain = glm.fit(tol=1e-12)
    clustered = glm.fit(tol=1e-12, cov_type="cluster", cov_kwds={"groups": votes.rater})
    scale = analyse(votes, model="bradley-terry" if link == "logit" else "thurstone", anchor="a")
    unit = 1.0 if link == "logit" else JOD
    assert scale.order_effect is not None
    assert scale.order_effect.value == pytest.approx(plain.params[-1] * unit, abs=1e-7)
    for place, name in enumerate("bcd"):
        condition = scale.condition(name)
        assert condition.value == pytest.approx(plain.params[place] * unit, abs=1e-7)
        assert condition.by_vote.standard_error == pytest.approx(plain.bse[place] * unit, rel=1e-5)
        assert condition.by_rater is not None
        assert condition.by_rater.standard_error == pytest.approx(clustered.bse[place] * unit, rel=0.12)


@pytest.mark.scaled
def test_separation_is_found_exactly_where_the_fit_runs_away(tenth: Callable[[int], int]) -> None:
    random = np.random.default_rng(4)
    separated, tables = 0, tenth(150)
    for model in MODELS.values():
        for _ in range(tables):
            size, votes = int(random.integers(2, 6)), int(random.integers(3, 16))
            first = random.integers(0, size, votes)
            second = (first + random.integers(1, size, votes)) % size
            outcome = random.integers(0, 3, votes) if model.ties else random.choice([0, 2], votes)
            names = [str(index) for index in range(size)]
            pairs = from_table(
                [names[index] for index in first],
                [names[index] for index in second],
                outcome == 0,
                outcome == 2,
                outcome == 1,
                sided=True,
                conditions=names,
            )
            if (
                components(pairs).any()
                or (model.ties and not pairs.has_ties)
                or not pairs.counts[[0, 2]].any()
            ):
                continue
            order = not order_is_confounded(pairs)
            is_apart = is_separated(pairs, model, order)
            problem = Problem(pairs, model, components(pairs), order, 0.0)
            converged = solve(problem, pairs.counts[:, None], start(problem), 1e-8, 300).converged[0]
            assert is_apart != converged, (model.name, pairs)
            if not order and not model.ties:
                assert is_apart == (win_components(pairs, pairs.counts, ties=False) > 1)
            separated += is_apart
    assert 0.15 < separated / (tables * len(MODELS)) < 0.85


def test_separated_votes_get_a_stated_ridge_or_are_refused() -> None:
    votes = votes_of(
        *[("a", "b", 1)] * 5, *[("b", "a", -1)] * 5, ("b", "c", 1), ("c", "b", 1), ("b", "c", -1)
    )
    scale = analyse(votes)
    assert scale.ridge == RIDGE
    assert any("always won" in note for note in scale.notes)
    assert 0 < scale.condition("a").value < 10
    with pytest.raises(ScaleError, match=r"separated.*ridge"):
        analyse(votes, ridge=0.0)


def test_unanimous_raters_do_not_make_a_sure_distance() -> None:
    rows = [
        VoteRecord(f"r{rater}", f"p{picture}", *("ab" if rater % 2 else "ba"), -1 if rater % 2 else 1)
        for rater in range(6)
        for picture in range(4)
    ]
    scale = analyse(from_records(rows), resamples=50)
    assert scale.ridge == RIDGE
    for span in (scale.condition("b").by_rater, scale.condition("b").by_rater_and_picture):
        assert span is not None
        assert span.standard_error >= scale.condition("b").by_vote.standard_error


def test_unlinked_conditions_have_a_scale_each_and_no_test_across() -> None:
    linked = study(1)
    other = [VoteRecord(f"r{n % 7}", "q", *("xy" if n % 2 else "yx"), -1 if n % 3 else 1) for n in range(40)]
    scale = analyse(from_records([*linked.records(), *other]), resamples=50)
    assert scale.components == 2
    assert any("never compared" in note and "x, y" in note for note in scale.notes)
    assert {condition.condition for condition in scale.conditions if condition.component == 1} == {"x", "y"}
    assert not [pair for pair in scale.pairs if ({pair.first, pair.second} & {"x", "y"}) in ({"x"}, {"y"})]
    alone = analyse(linked, resamples=0, order=False)
    joint = analyse(from_records([*linked.records(), *other]), resamples=0, order=False)
    for name in SCALE:
        assert joint.condition(name).value == pytest.approx(alone.condition(name).value, abs=1e-8)


def test_an_order_effect_that_cannot_be_told_from_the_conditions_is_not_fitted() -> None:
    scale = analyse(votes_of(("a", "b", 1), ("a", "b", 1), ("a", "b", -1)))
    assert scale.order_effect is None
    assert any("sides were not turned" in note for note in scale.notes)
    assert scale.condition("a").value - scale.condition("b").value == pytest.approx(JOD * 0.430727, abs=1e-5)


def test_known_values_ties_and_order_effect_are_recovered() -> None:
    votes = study(3, raters=300, rater_spread=0.0, picture_spread=0.0, tie_rate=0.3, lapse_rate=0.0)
    probit = analyse(votes, resamples=200, anchor="a")
    assert probit.model == "threshold-probit"
    assert probit.ties is not None
    assert probit.order_effect is not None
    for name, value in SCALE.items():
        span = probit.condition(name).by_vote
        assert abs(probit.condition(name).value - (value - SCALE["a"])) < 3.5 * max(span.standard_error, 1e-9)
    assert probit.ties.rate_between_equals == pytest.approx(0.3, abs=0.01)
    assert probit.order_effect.value == pytest.approx(0.2, abs=0.05)
    davidson = analyse(votes, unit="log-worth", resamples=0)
    assert davidson.model == "davidson"
    assert davidson.ties is not None
    assert davidson.ties.rate_between_equals == pytest.approx(0.3, abs=0.02)
    assert davidson.order_effect is not None
    order = sorted(SCALE, key=lambda name: -SCALE[name])
    assert [condition.condition for condition in davidson.conditions] == order


def test_davidson_recovers_its_own_truth() -> None:
    random = np.random.default_rng(0)
    worth, order, log_nu = np.array([-0.6, 0.0, 0.6]), 0.25, -0.2
    first, second = (place.ravel() for place in np.where(~np.eye(3, dtype=bool)))
    odds = np.stack(
        [
            np.exp(worth[first] + order),
            np.exp(log_nu + (worth[first] + worth[second]) / 2),
            np.exp(worth[second]),
        ]
    )
    counts = np.array([random.multinomial(20_000, column / column.sum()) for column in odds.T], float).T
    scale = analyse(PairCounts(("a", "b", "c"), first, second, counts), unit="log-worth")
    assert [scale.condition(name).value for name in "abc"] == pytest.approx(worth, abs=0.02)
    assert scale.ties is not None
    assert scale.ties.value == pytest.approx(log_nu, abs=3 * scale.ties.standard_error)
    assert scale.order_effect is not None
    assert scale.order_effect.value == pytest.approx(order, abs=0.03)
    assert scale.goodness.p > 0.001


def test_ties_as_half_wins_would_flatten_the_scale() -> None:
    pairs = tally(study(2, tie_rate=0.4, raters=100)).pairs
    halves = pairs.counts.copy()
    halves[[0, 2]] += halves[1] / 2
    halves[1] = 0
    whole = analyse(pairs, unit="log-worth")
    half = analyse(pairs.with_counts(halves), unit="log-worth")
    assert half.conditions[0].value < 0.85 * whole.conditions[0].value


def test_counts_without_raters_say_that_their_intervals_are_not_honest() -> None:
    scale = analyse(from_matrix("abc", [[0, 6, 7], [4, 0, 5], [3, 5, 0]]))
    assert scale.raters == 0
    assert scale.tested_by == "vote"
    assert all(condition.by_rater is None for condition in scale.conditions)
    assert any("every vote for independent" in note for note in scale.notes)
    unknown = replace(votes_of(("a", "b", 1), ("b", "a", 1), ("b", "a", -1)), raters_known=False)
    assert analyse(unknown).tested_by == "vote"


def test_counts_of_votes_and_of_a_table_give_one_scale() -> None:
    votes = study(5, tie_rate=0.2)
    counted = tally(votes)
    assert counted.pairs.votes == len(votes)
    weighted = counted.weigh(np.ones((1, len(counted.count))))[:, 0]
    assert (weighted == counted.pairs.counts).all()
    assert (counted.by(counted.rater, 25).sum(1) == counted.pairs.counts).all()
    by_votes, by_table = analyse(votes, resamples=0), analyse(counted.pairs)
    assert [condition.value for condition in by_votes.conditions] == [
        condition.value for condition in by_table.conditions
    ]


def test_only_plain_votes_make_the_scale() -> None:
    votes = study(6)
    noise = [
        VoteRecord("rater 1", "picture 1", "a", "d", 1, kind) for kind in Kind if kind != Kind.PLAIN
    ] * 50
    more = from_records([*votes.records(), *noise])
    values = [condition.value for condition in analyse(votes, resamples=0).conditions]
    assert [condition.value for condition in analyse(more, resamples=0).conditions] == pytest.approx(
        values, abs=1e-9
    )


def test_failed_resamples_are_counted() -> None:
    random = np.random.default_rng(1)
    rows = [
        VoteRecord(f"r{rater}", "p", *pair, int(random.choice([1, -1])))
        for rater in range(6)
        for pair in (("a", "b"), ("b", "a"))
    ]
    lone = [VoteRecord("r0", "p", "b", "c", 1), VoteRecord("r1", "p", "b", "c", -1)]
    counted = tally(from_records([*rows, *lone]))
    draws = resample(fit(counted.pairs, BRADLEY_TERRY), counted, 300, 0, ("rater",))[0]
    share = draws.failed.mean()
    # Without both of the two raters who saw c there is no distance to it: 1 - 2 (5/6)^6 + (4/6)^6 have both.
    assert share > 1 - (1 - 2 * (5 / 6) ** 6 + (4 / 6) ** 6) - 0.1
    assert np.isfinite(draws.parameters).all()
    assert any("had no maximum likelihood" in note for note in analyse(from_records([*rows, *lone])).notes)


def test_p_values_of_pairs_allow_for_all_of_them() -> None:
    scale = analyse(study(9), resamples=100)
    p_values = [pair.p for pair in scale.pairs]
    assert [pair.p_holm for pair in scale.pairs] == pytest.approx(multipletests(p_values, method="holm")[1])


def test_ranks_span_what_the_tests_leave_open() -> None:
    scale = analyse(study(7, raters=80, pictures=20), resamples=200)
    for condition in scale.conditions:
        assert 1 <= condition.rank_low <= condition.rank <= condition.rank_high <= len(SCALE)
    assert scale.conditions[0].condition == "d"
    assert scale.conditions[-1].rank_low > scale.conditions[0].rank_high


def test_a_scale_is_plain_numbers() -> None:
    scale = analyse(study(8, tie_rate=0.2), resamples=50)
    assert json.loads(json.dumps(asdict(scale)))["unit"] == "JOD"


@pytest.mark.parametrize("model", [DAVIDSON, THRESHOLD_PROBIT, THURSTONE])
def test_votes_that_decide_nothing_are_refused(model: object) -> None:
    with pytest.raises(ScaleError, match="all 'no preference'"):
        analyse(votes_of(("a", "b", 0), ("b", "a", 0)), model=model.name)  # type: ignore[attr-defined]
    with pytest.raises(ScaleError, match="no vote"):
        analyse(votes_of())


def test_an_unknown_anchor_is_refused_by_name() -> None:
    with pytest.raises(ScaleError, match="among a, b; got 'original'"):
        analyse(votes_of(("a", "b", 1), ("b", "a", 1)), anchor="original")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([VoteRecord("r", "p", "a", "b", 2)], r"vote 0: expected outcome \+1, 0 or -1; got 2"),
        ([VoteRecord("r", "p", "a", "a", 1)], "two conditions"),
    ],
)
def test_impossible_votes_are_refused(rows: list[VoteRecord], message: str) -> None:
    with pytest.raises(VotesError, match=message):
        from_records(rows)
