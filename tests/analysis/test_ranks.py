"""Places, duels and verdicts, worked out by hand on resamples that are written down."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from engines import compare
from scored_cells import DELTA, MS_SSIM, PSNR, ladder_cells
from statsmodels.stats.multitest import multipletests

from codecarena.bench.analysis import intervals
from codecarena.bench.analysis.bootstrap import Resampling, usual_resampling
from codecarena.bench.analysis.intervals import Interval, interval, zero_test
from codecarena.bench.analysis.pareto import pareto_points
from codecarena.bench.analysis.significance import (
    HeadToHead,
    Paired,
    against_anchor,
    head_to_heads,
    percent,
    point_evidence,
    rank_ranges,
    verdict,
    win_matrix,
)
from codecarena.bench.records.rows import MetricRow, Score, ScoredCell

BOTH, FIRST, SECOND = (0.5, 0.5), (1.0, 0.0), (0.0, 1.0)
"""How often each of two pictures counts."""


def scaled(first: float, second: float, scores: tuple[float, ...] = (28.0, 31.0, 34.0, 37.0)):
    """Curves of two pictures at multiples of the rates 0.1, 0.2, 0.4, 0.8."""
    return {
        picture: [(factor * 0.1 * 2**step, score) for step, score in enumerate(scores)]
        for picture, factor in (("p", first), ("q", second))
    }


def paired(stored: list[ScoredCell], *resamples: tuple[float, float], metric: MetricRow = PSNR) -> Paired:
    """All codecs on the two pictures and on these resamples of them."""
    return Paired(
        compare(stored, metric), metric, resampling_of=lambda _: Resampling(np.array([BOTH, *resamples]))
    )


# Scores are equal, so that a mean curve's BD-rate is the ratio of mean rates: on the first picture z needs
# half of m's bits and a 0.9 of them; on the second z four times as many; on both together 2.25 times.
THREE = [
    *ladder_cells("z", scaled(0.5, 4)), *ladder_cells("m", scaled(1, 1)), *ladder_cells("a", scaled(0.9, 0.9))
]  # fmt: skip


def test_places_are_counted_anew_in_every_resample() -> None:
    ranks = rank_ranges(paired(THREE, *[FIRST] * 40, *[SECOND] * 60), "id-m")
    assert {name: (entry.rank, entry.low, entry.high) for name, entry in ranks.items()} == {
        "id-z": (3, 1, 3), "id-m": (2, 2, 3), "id-a": (1, 1, 2),
    }  # fmt: skip
    assert {name: entry.first_share for name, entry in ranks.items()} == pytest.approx(
        {"id-z": 0.4, "id-m": 0.0, "id-a": 0.6}
    )


@pytest.mark.parametrize(("first", "low", "high"), [(2, 3, 3), (3, 1, 3), (5, 1, 3), (97, 1, 3), (98, 1, 1)])
def test_a_range_of_places_holds_95_percent_of_the_resamples(first: int, low: int, high: int) -> None:
    ranks = rank_ranges(paired(THREE, *[FIRST] * first, *[SECOND] * (100 - first)), "id-m")
    assert (ranks["id-z"].low, ranks["id-z"].high) == (low, high)


def test_equal_codecs_share_the_better_place() -> None:
    stored = [*THREE, *ladder_cells("twin", scaled(1, 1))]
    ranks = rank_ranges(paired(stored, *[FIRST] * 10), "id-m")
    # On both pictures together a 0.9, the twins 1, z 2.25; on the first alone z leads.
    assert {name: entry.rank for name, entry in ranks.items()} == {
        "id-a": 1, "id-m": 2, "id-twin": 2, "id-z": 4,
    }  # fmt: skip
    assert (ranks["id-twin"].low, ranks["id-m"].high, ranks["id-a"].low, ranks["id-z"].low) == (3, 3, 2, 1)


# On either picture alone the curve of "far" lies beyond the others', on their mean it does not.
FAR = [
    *ladder_cells("m", scaled(1, 1)),
    *ladder_cells("far", {**scaled(3, 3, (58, 61, 64, 67)), "q": scaled(3, 3, (-2, 1, 4, 7))["q"]}),
    *ladder_cells("a", scaled(0.9, 0.9)),
]


def test_resamples_in_which_a_curve_does_not_meet_the_anchors_count_for_nobody() -> None:
    ranks = rank_ranges(paired(FAR, *[BOTH] * 6, *[FIRST] * 94), "id-m")
    assert {name: (own.rank, own.low, own.high, own.first_share) for name, own in ranks.items()} == {
        "id-m": (2, 2, 2, 0.0), "id-far": (3, 3, 3, 0.0), "id-a": (1, 1, 1, 1.0),
    }  # fmt: skip


def test_a_codec_that_never_meets_the_anchor_has_no_place() -> None:
    beyond = ladder_cells("beyond", scaled(1, 1, (58, 61, 64, 67)))
    ranks = rank_ranges(paired([*THREE, *beyond], FIRST), "id-m")
    assert sorted(ranks) == ["id-a", "id-m", "id-z"]
    assert rank_ranges(paired([*ladder_cells("m", scaled(1, 1)), *beyond], FIRST), "id-m") == {}
    assert rank_ranges(paired(THREE, FIRST), "id-nobody") == {}
    assert against_anchor(paired(THREE, FIRST), "id-nobody") == {}


def test_without_a_common_picture_there_is_no_evidence() -> None:
    # Each codec is done on half of the two pictures, and on another half.
    stored = [
        *ladder_cells("m", {"p": scaled(1, 1)["p"]}), *ladder_cells("a", {"q": scaled(1, 1)["q"]})
    ]  # fmt: skip
    comparison = compare(stored, PSNR)
    assert (comparison.common, sorted(comparison.curves)) == (frozenset(), ["id-a", "id-m"])
    nothing = Paired(comparison, PSNR)
    assert (rank_ranges(nothing, "id-m"), against_anchor(nothing, "id-m"), head_to_heads(nothing)) == (
        {},
        {},
        [],
    )


def noisy(pictures: int = 12, **gains: float) -> list[ScoredCell]:
    """Codecs of these mean gains in log rate, unlike from picture to picture."""
    random = np.random.default_rng(8)
    stored: list[ScoredCell] = []
    for codec, gain in gains.items():
        factors = np.exp(gain + random.normal(0, 0.15, pictures))
        stored += ladder_cells(
            codec,
            {
                f"p{place:02}": [(float(factor * 0.2 * 2**step), 28.0 + 3 * step) for step in range(4)]
                for place, factor in enumerate(factors)
            },
        )
    return stored


def test_p_values_are_corrected_for_the_number_of_codecs_and_of_pairs() -> None:
    stored = noisy(z=-0.12, m=0.0, b=0.1, k=0.03)
    all_of_them = Paired(compare(stored, PSNR), PSNR)
    tests = [codec_id for codec_id in all_of_them.codec_ids if codec_id != "id-m"]
    raw = [zero_test(all_of_them.against("id-m", test)).p_value for test in tests]
    evidence = against_anchor(all_of_them, "id-m")
    assert [evidence[test].p_value for test in tests] == pytest.approx(multipletests(raw, method="holm")[1])
    pairs = list(combinations(all_of_them.codec_ids, 2))
    raw = [zero_test(all_of_them.against(anchor, test)).p_value for test, anchor in pairs]
    matches = head_to_heads(all_of_them)
    corrected = multipletests(raw, method="holm")[1]
    assert [match.p_value for match in matches] == pytest.approx(corrected)
    assert any(p_value < 0.05 <= other for p_value, other in zip(raw, corrected, strict=True))
    shown = [match.verdict != "not shown" for match in matches]
    assert shown == [bool(p_value < 0.05) for p_value in corrected]


def test_a_duel_says_who_needs_fewer_bits_on_how_many_pictures() -> None:
    stored = [*ladder_cells("z", scaled(0.5, 0.8)), *ladder_cells("a", scaled(1.0, 1.0))]
    stored += [
        *ladder_cells("z", {"r": scaled(2, 2)["p"], "s": scaled(1, 1, (58, 61, 64, 67))["p"]}),
        *ladder_cells("a", {"r": scaled(1, 1)["p"], "s": scaled(1, 1)["p"]}),
    ]
    weights = np.full((7, 4), 0.25)
    all_of_them = Paired(compare(stored, PSNR), PSNR, resampling_of=lambda _: Resampling(weights))
    matrix = win_matrix(head_to_heads(all_of_them))
    won, lost = matrix["id-z", "id-a"], matrix["id-a", "id-z"]
    assert (won.wins, won.losses, won.pictures) == (2, 1, 3)
    assert (lost.wins, lost.losses, lost.pictures) == (1, 2, 3)
    assert won.interval.reason == "fewer than 5 pictures"
    # Half, 0.8 and twice the bits of the three pictures that can be compared.
    assert all_of_them.mean_of_pictures("id-a", "id-z").estimate == pytest.approx(
        (-50 - 20 + 100) / 3, abs=1e-3
    )


@pytest.mark.parametrize(
    ("seen", "from_the_other_side"),
    [
        ("better", "worse"),
        ("worse", "better"),
        ("not shown", "not shown"),
        (None, None),
    ],
)
def test_a_turned_duel_is_the_reciprocal(seen, from_the_other_side) -> None:
    duel = HeadToHead("t", "a", -50.0, Interval(-60.0, -20.0), 5, 2, 8, 0.03, seen)
    turned = duel.turned()
    assert (turned.test_id, turned.anchor_id) == ("a", "t")
    assert (turned.percent, turned.interval.low, turned.interval.high) == pytest.approx((100, 25, 150))
    assert (turned.wins, turned.losses, turned.pictures, turned.p_value) == (2, 5, 8, 0.03)
    assert turned.verdict == from_the_other_side


def test_a_duel_without_an_interval_or_without_bounds_turns_too() -> None:
    none = HeadToHead("t", "a", None, Interval(None, None, "no overlap"), 0, 0, 0, None, None).turned()
    assert (none.percent, none.interval) == (None, Interval(None, None, "no overlap"))
    extreme = HeadToHead("t", "a", -100.0, Interval(-100.0, 300.0), 1, 0, 1, None, None).turned()
    assert (extreme.percent, extreme.interval.low, extreme.interval.high) == (math.inf, -75.0, math.inf)


@pytest.mark.parametrize(
    ("ends", "p_value", "expected"),
    [
        ((-0.3, -0.1), 0.049, "better"),
        ((0.1, 0.3), 0.049, "worse"),
        ((-0.3, -0.1), 0.05, "not shown"),
        # Holm's p may be small though the plain interval reaches over zero: its middle tells the side.
        ((-0.3, 0.1), 0.01, "better"),
        ((-0.1, 0.3), 0.01, "worse"),
        ((-0.3, -0.1), None, None),
        ((None, None), 0.01, None),
    ],
)
def test_a_verdict_needs_significance_and_a_side(ends, p_value, expected) -> None:
    assert verdict(intervals.Tested(Interval(*ends), 0.001), p_value) == expected


def test_a_difference_in_log_rate_is_a_percentage() -> None:
    assert [percent(entry) for entry in (0.0, math.log(2), math.log(0.5))] == pytest.approx([0, 100, -50])
    assert percent(1e6) == math.inf


def test_points_keep_to_their_side_of_the_bound_and_unbounded_ones_have_the_plain_interval() -> None:
    pictures = [f"p{place}" for place in range(9)]
    rates = np.random.default_rng(2).lognormal(0, 0.5, 9).round(3)
    stored = [
        cell
        for picture, rate in zip(pictures, rates, strict=True)
        for cell in ladder_cells(
            "x",
            {picture: [(float(rate), 30 - float(rate)), (3 * float(rate), 35 - float(rate))]},
        )
    ]
    scores = {PSNR.metric_id: lambda entry: entry, MS_SSIM.metric_id: lambda entry: 1 - (36 - entry) / 100}
    all_of_them = [
        replace(
            cell,
            scores={
                metric_id: Score(function(cell.scores[PSNR.metric_id].value))
                for metric_id, function in scores.items()
            },
        )
        for cell in stored
    ]
    resampling = usual_resampling(9)
    for metric in (PSNR, MS_SSIM):
        first, second = point_evidence(Paired(compare(all_of_them, metric), metric))["id-x"]
        assert (first.setting, second.setting) == (10.0, 20.0)
        for point, times, score in ((first, 1, 30), (second, 3, 35)):
            assert point.bits_per_pixel == pytest.approx(times * rates.mean())
            expected = scores[metric.metric_id](score - rates.mean())
            assert point.score == pytest.approx(expected)
            low, high = point.rate_interval.low, point.rate_interval.high
            assert low is not None
            assert high is not None
            # Student's interval of the logarithm.
            assert low * high == pytest.approx(point.bits_per_pixel**2)
            ends = point.score_interval
            assert ends.low is not None
            assert ends.high is not None
            if metric is MS_SSIM:
                assert (1 - ends.low) * (1 - ends.high) == pytest.approx((1 - point.score) ** 2)
            else:
                plain = interval(resampling.sample(resampling.means(score - rates[:, None])[:, 0]))
                assert (ends.low, ends.high) == pytest.approx((plain.low, plain.high))


def distances(codec: str, first: tuple[float, float], second: tuple[float, float]) -> list[ScoredCell]:
    """Cells of a metric where lower is better: (rate, score) of the two pictures."""
    outcome = ladder_cells(codec, {"p": [first], "q": [second]})
    return [replace(cell, scores={DELTA.metric_id: cell.scores[PSNR.metric_id]}) for cell in outcome]


def test_the_front_of_a_metric_where_lower_is_better_has_the_low_scores() -> None:
    # On the first picture z is nearer the original than a, on the second and on both together a is.
    stored = distances("z", (1.0, 2.0), (1.0, 6.0)) + distances("a", (1.0, 3.0), (1.0, 3.0))
    # Of 2000 resamples the first 1000 count.
    resamples = [FIRST] * 250 + [SECOND] * 750 + [FIRST] * 1000
    points = {
        point.codec_id: point for point in pareto_points(paired(stored, *resamples, metric=DELTA), DELTA)
    }
    assert (points["id-z"].score, points["id-a"].score) == pytest.approx((4.0, 3.0))
    assert (points["id-z"].on_front, points["id-a"].on_front) == (False, True)
    assert (points["id-z"].front_share, points["id-a"].front_share) == (0.25, 0.75)
    assert points["id-z"].decode_seconds_per_megapixel is None


def test_decode_time_is_a_third_criterion_and_what_was_not_timed_is_left_out() -> None:
    stored = distances("z", (2.0, 3.0), (2.0, 3.0)) + distances("a", (1.0, 2.0), (1.0, 2.0))
    stored += distances("m", (3.0, 9.0), (3.0, 9.0))
    all_of_them = paired(stored, FIRST, SECOND, metric=DELTA)
    plain = pareto_points(all_of_them, DELTA)
    assert [(cell.codec_id, cell.on_front) for cell in plain] == [
        ("id-a", True), ("id-z", False), ("id-m", False),
    ]  # fmt: skip
    timed = pareto_points(all_of_them, DELTA, {("id-z", 10.0): 0.1, ("id-a", 10.0): 0.5})
    assert [(cell.codec_id, cell.on_front, cell.decode_seconds_per_megapixel) for cell in timed] == [
        ("id-a", True, 0.5), ("id-z", True, 0.1),
    ]  # fmt: skip
    slower = pareto_points(all_of_them, DELTA, {("id-z", 10.0): 0.5, ("id-a", 10.0): 0.5})
    assert [(cell.codec_id, cell.on_front, cell.front_share) for cell in slower] == [
        ("id-a", True, 1.0), ("id-z", False, 0.0),
    ]  # fmt: skip
    assert pareto_points(all_of_them, DELTA, {}) == []
