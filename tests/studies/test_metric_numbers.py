"""Metrics against people on studies so small that each number is worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from voting import random_votes, votes_of

from codecarena.bench.analysis.intervals import holm
from codecarena.studies.analysis import human_metrics
from codecarena.studies.analysis.correlation import meng_rosenthal_rubin
from codecarena.studies.analysis.human_metrics import MetricAgreement, agreements, comparable
from codecarena.studies.analysis.metric_estimates import Estimator, MetricScores, PartSample, Sample, within
from codecarena.studies.analysis.stimulus_parts import BANDS, RateBand, StimulusPart, parts_of, whole
from codecarena.studies.scale.fit import Fit, fit
from codecarena.studies.scale.models import THURSTONE, Model
from codecarena.studies.scale.pair_counts import Tally, tally
from codecarena.studies.scale.resampling import interval
from codecarena.studies.scale.scale_results import Interval, ScaleError


def fitted(counted: Tally, model: Model = THURSTONE) -> Fit:
    return fit(counted.pairs, model)


# Metrics

SCORES = {"good": {"m": 1.0, "z": 4.0, "a": 0.5, "k": 3.0}, "flat": dict.fromkeys("mzak", 2.0)}


def tables(counted: Tally, scores: dict[str, dict[str, float]] | None = None) -> list[MetricScores]:
    names = counted.pairs.conditions
    return [
        MetricScores(metric, np.tile([by[name] for name in names], (len(counted.pictures), 1)))
        for metric, by in (scores or SCORES).items()
    ]


def test_accuracy_is_the_share_of_decided_votes_on_the_metric_s_side() -> None:
    votes = votes_of(
        ("r1", "p", "zm", 1), ("r2", "p", "mz", 1), ("r3", "p", "zm", 0), ("r1", "q", "za", 1),
        ("r2", "q", "az", -1), ("r3", "q", "az", 1), ("r1", "q", "mk", -1), ("r2", "q", "km", 1),
    )  # fmt: skip
    counted = tally(votes)
    sample = Sample(fitted(counted), counted, tables(counted), None)
    part = PartSample(sample, whole(counted))
    even = Estimator(sample, [part])(np.ones(3), np.ones(2))
    # zm: right, wrong; za: right, right, wrong; km: right, right; equal scores count half.
    assert even[0, :, 0] == pytest.approx([5 / 7, 0.5])
    weighted = Estimator(sample, [part])(np.array([2.0, 0.0, 1.0]), np.array([3.0, 1.0]))
    # r1 twice: zm right (x 3), za right, km right; r3: za wrong.
    assert weighted[0, 0, 0] == pytest.approx((6 + 2 + 2) / (6 + 2 + 2 + 1))
    agreement = agreements(fitted(counted), counted, tables(counted), resamples=20).whole
    assert (agreement.votes, agreement.stimuli, agreement.pictures) == (7, 2 + 4, 2)
    # The majorities: one of two on zm, two of three on za, two of two on km.
    assert agreement.ceiling == pytest.approx(5 / 7)
    assert [metric.metric for metric in agreement.metrics] == ["good", "flat"]
    assert (part.members, part.clusters) == ((3, 2), 2)


def test_correlations_of_a_part_are_those_of_its_stimuli() -> None:
    """Against an anchor, whose own stimuli do not count, and against the picture's mean."""
    counted = tally(random_votes(raters=8))
    scale = fitted(counted)
    names = counted.pairs.conditions
    random = np.random.default_rng(7)
    values = random.normal(size=(4, 4))
    for anchor in ("k", None):
        sample = Sample(scale, counted, [MetricScores("m", values)], anchor)
        part = PartSample(sample, whole(counted))
        estimates = Estimator(sample, [part])(np.ones(8), np.ones(4))[0, 0]
        human = sample.values(counted)
        if anchor:
            human = human - human[:, [names.index("k")]]
            kept = [place for place, name in enumerate(names) if name != "k"]
            score, target = values[:, kept], human[:, kept]
        else:
            score = values - values.mean(1, keepdims=True)
            target = human - human.mean(1, keepdims=True)
        assert estimates[1] == pytest.approx(stats.spearmanr(score.ravel(), target.ravel()).statistic)
        assert part.stimuli.sum() == score.size


def test_gaps_in_scores_leave_votes_and_stimuli_out() -> None:
    counted = tally(random_votes(raters=8))
    names = counted.pairs.conditions
    values = np.tile([SCORES["good"][name] for name in names], (4, 1))
    values[1, names.index("z")] = np.nan
    values[2, [names.index(name) for name in "mak"]] = np.nan
    sample = Sample(fitted(counted), counted, [MetricScores("m", values)], None)
    part = PartSample(sample, whole(counted))
    expected = np.ones((4, 4), bool)
    expected[1, names.index("z")] = False
    expected[2] = False  # one alone is its own mean
    assert (part.stimuli == expected).all()
    mine = [
        (counted.pictures[p], counted.pair[row]) for row, p in enumerate(counted.picture) if part.votes[row]
    ]
    assert {picture for picture, _ in mine} == {"p0", "p1", "p3"}
    first, second = counted.pairs.first[counted.pair], counted.pairs.second[counted.pair]
    z = names.index("z")
    at_p1 = part.votes & (counted.picture == 1)
    assert at_p1.any()
    assert not ((first[at_p1] == z) | (second[at_p1] == z)).any()
    assert (within(expected, counted) == part.votes).all()
    assert comparable([MetricScores("m", values)], counted)
    assert not comparable([MetricScores("m", np.full((4, 4), np.nan))], counted)


@pytest.mark.parametrize(
    ("votes", "pictures", "raters", "enough"),
    [(30, 3, 2, True), (29, 3, 2, False), (30, 2, 2, False), (30, 3, 1, False)],
)
def test_a_part_needs_30_votes_on_3_pictures_by_2_raters(
    votes: int, pictures: int, raters: int, enough: bool
) -> None:
    rows = [(f"r{n % raters}", f"p{n % pictures}", "zm" if n % 5 else "mz", 1) for n in range(votes)]
    rows.append(("r0", "p0", "zm", 0))
    counted = tally(votes_of(*rows))
    sample = Sample(fitted(counted), counted, tables(counted), None)
    lack = PartSample(sample, whole(counted)).lack()
    by = f"{raters} rater{'' if raters == 1 else 's'}"
    said = f"{votes} decided votes on {pictures} pictures by {by}: too few, "
    said += "expected 30 on 3 by 2 or more"
    assert lack == (None if enough else said)


def test_metrics_are_compared_on_the_same_resamples() -> None:
    whole_estimates = np.array([[0.8, 0.6, 0.7], [0.7, 0.9, 0.75], [0.6, 0.5, np.nan]])
    random = np.random.default_rng(0)
    drawn = whole_estimates + random.normal(0, 0.02, (80, 3, 3))
    counted = tally(random_votes(raters=8))
    scores = tables(counted, {"x": SCORES["good"], "y": SCORES["flat"], "w": SCORES["good"]})
    part = PartSample(Sample(fitted(counted), counted, scores, None), whole(counted))
    assert part.clusters == 4
    rows = human_metrics._differences(part, whole_estimates, drawn)
    differences = {(row.statistic, row.first, row.second): row for row in rows}
    assert len(differences) == 3 + 3 + 1
    for at, statistic in enumerate(("pairwise accuracy", "SRCC")):
        p_values = []
        for upper, lower in ((0, 1), (0, 2), (1, 2)):
            row = differences[statistic, "xyw"[upper], "xyw"[lower]]  # type: ignore[index]
            gaps = drawn[:, upper, at] - drawn[:, lower, at]
            gap = whole_estimates[upper, at] - whole_estimates[lower, at]
            error = gaps.std(ddof=1) * np.sqrt(4 / 3)
            low, high = interval(gaps, 4)
            assert row.difference == pytest.approx(gap)
            assert row.interval == Interval(
                pytest.approx(low), pytest.approx(high), pytest.approx(error)
            )  # fmt: skip
            p_values.append(2 * stats.t.sf(abs(gap) / error, 3))
            assert (row.p_meng is None) == (statistic != "SRCC")
        for p, (upper, lower) in zip(holm(p_values), ("xy", "xw", "yw"), strict=True):
            assert differences[statistic, upper, lower].p_holm == pytest.approx(p)  # type: ignore[index]
    # x and w have the same scores.
    same = differences["SRCC", "x", "w"]
    assert same.p_meng == meng_rosenthal_rubin(0.6, 0.5, 1.0, 16) == 1.0


def test_kinds_of_pictures_are_compared_on_the_same_resamples() -> None:
    """Holm over the metrics of a statistic; freedom from the kind of fewer raters or pictures."""
    counted = tally(random_votes(raters=8, pictures=8))
    sample = Sample(fitted(counted), counted, tables(counted), None)
    parts = []
    for pictures in (3, 5):
        part = whole(counted)
        part.stimuli[pictures:] = False
        parts.append(PartSample(sample, part))
    assert [part.clusters for part in parts] == [3, 5]
    random = np.random.default_rng(0)
    first = np.array([[0.8, 0.6, 0.7], [0.7, 0.9, np.nan]])
    second = np.array([[0.6, 0.65, 0.5], [0.72, 0.8, 0.3]])
    drawn = [mean + random.normal(0, spread, (60, 2, 3)) for mean, spread in ((first, 0.03), (second, 0.05))]
    rows = human_metrics._kinds(
        [("x", parts[0], first, drawn[0]), ("y", parts[1], second, drawn[1])], ["good", "flat"]
    )
    differences = {(row.statistic, row.metric): row for row in rows}
    assert len(differences) == 2 + 2 + 1
    assert {(row.first, row.second) for row in rows} == {("x", "y")}
    for at, statistic in enumerate(("pairwise accuracy", "SRCC", "PLCC")):
        p_values = []
        for place, metric in enumerate(("good", "flat")):
            if statistic == "PLCC" and metric == "flat":
                continue
            row = differences[statistic, metric]  # type: ignore[index]
            gaps = drawn[0][:, place, at] - drawn[1][:, place, at]
            gap, error = first[place, at] - second[place, at], gaps.std(ddof=1) * np.sqrt(3 / 2)
            low, high = interval(gaps, 3)
            assert row.difference == pytest.approx(gap)
            span = (row.interval.low, row.interval.high, row.interval.standard_error)
            assert span == pytest.approx((low, high, error))
            p_values.append((metric, 2 * stats.t.sf(abs(gap) / error, 2)))
        for p, (metric, _) in zip(holm([p for _, p in p_values]), p_values, strict=True):
            assert differences[statistic, metric].p_holm == pytest.approx(p)  # type: ignore[index]


def test_the_seed_decides_which_raters_and_pictures_are_drawn() -> None:
    counted = tally(random_votes(raters=8))
    scale = fitted(counted)
    first, again, other = (
        agreements(scale, counted, tables(counted), resamples=12, seed=n) for n in (1, 1, 2)
    )
    assert first == again
    assert first.whole.metrics[0].accuracy_interval != other.whole.metrics[0].accuracy_interval
    assert first.whole.metrics[0].accuracy == other.whole.metrics[0].accuracy


def test_no_vote_with_both_scores_is_an_error() -> None:
    counted = tally(random_votes(raters=8))
    lacking = [MetricScores("m", np.full((4, 4), np.nan))]
    with pytest.raises(ScaleError, match="no decided vote has both scores"):
        agreements(fitted(counted), counted, lacking, resamples=2)


def test_an_estimate_without_resamples_has_no_interval() -> None:
    values = np.arange(30.0)
    values[9:] = np.nan
    assert human_metrics._interval(values, 5) is None
    values[9] = 3.0
    span = human_metrics._interval(values, 5)
    low, high = interval(values[:10], 5)
    assert span == Interval(low, high, pytest.approx(values[:10].std(ddof=1) * np.sqrt(5 / 4)))
    drawn = np.full((30, 3), np.nan)
    row = human_metrics._row("m", np.array([0.7, np.nan, np.nan]), drawn, 5)
    assert row == MetricAgreement("m", 0.7, Interval(0.7, 0.7, 0.0), None, None, None, None)


# Parts


def test_bands_hold_their_lower_edge_and_not_their_upper() -> None:
    assert [(band.low, band.high) for band in BANDS] == [
        (None, 0.18),
        (0.18, 0.36),
        (0.36, 0.65),
        (0.65, None),
    ]
    assert [band.title for band in BANDS] == [
        "below 0.18 bpp", "0.18 to 0.36 bpp", "0.36 to 0.65 bpp", "0.65 bpp and more"
    ]  # fmt: skip
    counted = tally(random_votes())
    names = counted.pairs.conditions
    rates = {(picture, name): rate for picture in counted.pictures
             for name, rate in zip("mza", (0.17, 0.18, 0.65), strict=True)}  # fmt: skip
    rates["p2", "z"] = 0.359
    rates["p3", "z"] = 0.36
    parts = parts_of(counted, None, rates, uncoded=("k",))
    stimuli: dict[RateBand | None, StimulusPart] = {part.band: part for part in parts}
    assert list(stimuli) == list(BANDS)
    for band, (name, pictures) in zip(BANDS, (("m", 4), ("z", 3), ("z", 1), ("a", 4)), strict=True):
        inside = stimuli[band].stimuli
        assert inside[:, names.index(name)].sum() == pictures
        assert inside[:, names.index("k")].all()
        assert inside.sum() == pictures + 4


def test_parts_are_kinds_bands_and_both() -> None:
    counted = tally(random_votes())
    kinds = {"p0": "x", "p1": "y", "p2": "x", "p3": "x"}
    rates = {(picture, name): 0.1 if name in "mz" else 0.5 for picture in counted.pictures for name in "mzak"}
    parts = {(part.kind, part.band): part.stimuli for part in parts_of(counted, kinds, rates)}
    low, middle = BANDS[0], BANDS[2]
    assert set(parts) == {
        ("x", None), ("y", None), (None, low), (None, middle), ("x", low), ("x", middle),
        ("y", low), ("y", middle),
    }  # fmt: skip
    assert [parts[key].sum() for key in (("x", None), ("y", None), (None, low), ("y", middle))] == [
        12,
        4,
        8,
        2,
    ]
    assert parts_of(counted, dict.fromkeys(counted.pictures, "x"), None) == ()
    alike = {(picture, name): 0.5 for picture in counted.pictures for name in "mzak"}
    assert parts_of(counted, None, alike) == ()
