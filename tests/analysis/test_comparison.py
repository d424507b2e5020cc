from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest
from engines import compare, leaderboard
from metric_rows import metric_row

from codecarena.bench.analysis.curves import bd_rate
from codecarena.bench.analysis.intervals import interval
from codecarena.bench.analysis.pareto import on_front, pareto_points
from codecarena.bench.analysis.significance import (
    Paired,
    against_anchor,
    head_to_heads,
    point_evidence,
    win_matrix,
)
from codecarena.bench.records.rows import Score, ScoredCell

PSNR = metric_row("m-psnr", "psnr", "codecarena", "1", "RGB", "higher", None)
PIXELS = 8_000_000
SETTINGS = (10, 20, 30, 40)


def cells(
    codec: str, curves: dict[str, list[tuple[float, float | None]]], **changes: object
) -> list[ScoredCell]:
    """Cells of a codec: picture -> (bits per pixel, score) at the four settings."""
    return [
        ScoredCell(
            image_set="set", picture=picture, picture_sha256=f"sha-{picture}", kind="natural",
            pixel_count=PIXELS, codec_id=f"id-{codec}", codec=codec, family="classic", toy=False,
            quality=setting, seed=None, bitstream_bytes=round(rate * PIXELS / 8), bitstream_sha256="",
            decoded_sha256="", encode_seconds=(0.1,), decode_seconds=(0.1,), contended=True,
            scores={PSNR.metric_id: Score(score, score is None)}, **changes,
        )
        for picture, points in curves.items()
        for setting, (rate, score) in zip(SETTINGS, points, strict=True)
    ]  # fmt: skip


def many(
    factor: float, pictures: int, spread: float, seed: int
) -> dict[str, list[tuple[float, float | None]]]:
    """Curves of pictures of unlike detail, at a multiple of a common rate that varies with the picture."""
    detail = np.random.default_rng(1).normal(0, 0.4, pictures)
    gains = np.log(factor) + np.random.default_rng(seed).normal(0, spread, pictures)
    return {
        f"p{place:02}": [
            (float(0.2 * 2**step * np.exp(detail[place] + gains[place])), 28 + 3 * step - 2 * detail[place])
            for step in range(4)
        ]
        for place in range(pictures)
    }


def test_the_two_estimands_are_apart_and_both_right() -> None:
    # A cheap picture on which the test codec halves the rate, a dear one on which it needs a tenth more.
    anchor = {
        "cheap": [(0.1 * 2**k, 30.0 + 3 * k) for k in range(4)],
        "dear": [(1.0 * 2**k, 30.0 + 3 * k) for k in range(4)],
    }
    test = {
        "cheap": [(0.5 * rate, score) for rate, score in anchor["cheap"]],
        "dear": [(1.1 * rate, score) for rate, score in anchor["dear"]],
    }
    # Scores agree, so every mean curve is the mean rate: (0.05 + 1.1) / (0.1 + 1.0) of the anchor's.
    row = next(
        row
        for row in leaderboard(cells("a", anchor) + cells("t", test), PSNR, "a").rows
        if row.codec.label == "t"
    )
    assert row.bd_rate.percent == pytest.approx(100 * (1.15 / 1.1 - 1), abs=1e-4)
    assert row.mean_of_pictures == pytest.approx((-50 + 10) / 2, abs=1e-4)


def test_estimates_are_the_leaderboards_and_intervals_hold_them() -> None:
    stored = cells("a", many(1, 24, 0, 2)) + cells("t", many(0.8, 24, 0.2, 3))
    board = leaderboard(stored, PSNR, "a")
    paired = Paired(board.comparison, PSNR)
    row = next(row for row in board.rows if row.codec.label == "t")
    sample = paired.against("id-a", "id-t")
    assert 100 * np.expm1(sample.estimate) == pytest.approx(row.bd_rate.percent, abs=1e-9)
    assert paired.mean_of_pictures("id-a", "id-t").estimate == pytest.approx(row.mean_of_pictures, abs=1e-9)
    evidence = against_anchor(paired, "id-a")["id-t"]
    for ends, value in (
        (evidence.interval, row.bd_rate.percent),
        (evidence.mean_of_pictures, row.mean_of_pictures),
    ):
        assert ends.low is not None
        assert ends.high is not None
        assert value is not None
        assert ends.low < value < ends.high
        assert ends.high - ends.low < 30
    assert evidence.verdict == "better"


def test_bd_quality_is_the_leaderboards_and_its_interval_is_of_paired_resamples() -> None:
    stored = cells("a", many(1, 24, 0, 2)) + cells("t", many(0.8, 24, 0.2, 3))
    board = leaderboard(stored, PSNR, "a")
    row = next(row for row in board.rows if row.codec.label == "t")
    paired = Paired(board.comparison, PSNR)
    sample = paired.quality_against("id-a", "id-t")
    assert sample.estimate == pytest.approx(row.bd_quality.difference, abs=1e-9)
    # 3 dB an octave: on every resample it is the BD-rate by another name.
    octaves = -paired.against("id-a", "id-t").draws / np.log(2)
    np.testing.assert_allclose(sample.draws, 3 * octaves, rtol=0.05, atol=0.03)
    ends = against_anchor(paired, "id-a")["id-t"].quality
    assert ends.low is not None
    assert ends.high is not None
    assert 0 < ends.low < sample.estimate < ends.high
    assert against_anchor(paired, "id-a")["id-t"].quality == interval(sample)


def test_pairing_cancels_what_pictures_have_in_common() -> None:
    stored = cells("a", many(1, 24, 0, 2)) + cells("t", many(0.97, 24, 0.01, 3))
    evidence = against_anchor(Paired(compare(stored, PSNR), PSNR), "id-a")["id-t"]
    assert evidence.interval.low is not None
    assert evidence.interval.high is not None
    # Rates differ by a factor of two between pictures; the interval is as narrow as the codecs' difference.
    assert evidence.interval.high - evidence.interval.low < 2
    assert evidence.verdict == "better"


def test_a_difference_that_chance_explains_is_not_shown_and_holm_counts_codecs() -> None:
    stored = cells("a", many(1, 24, 0, 2))
    for place in range(6):
        stored += cells(f"t{place}", many(0.93, 24, 0.15, 10 + place))
    paired = Paired(compare(stored, PSNR), PSNR)
    family = against_anchor(paired, "id-a")
    alone = {
        entry: against_anchor(
            Paired(compare([c for c in stored if c.codec in {"a", entry[3:]}], PSNR), PSNR), "id-a"
        )[entry]
        for entry in family
    }
    assert all(family[entry].p_value >= alone[entry].p_value for entry in family)  # type: ignore[operator]
    assert sum(tested.verdict == "better" for tested in family.values()) < sum(
        tested.verdict == "better" for tested in alone.values()
    )


def test_codecs_without_a_shared_range_have_no_interval_and_no_verdict() -> None:
    low = {
        name: [(rate, score - 30) for rate, score in points if score]
        for name, points in many(1, 8, 0, 2).items()
    }
    paired = Paired(compare(cells("a", many(1, 8, 0, 2)) + cells("t", low), PSNR), PSNR)  # type: ignore[arg-type]
    evidence = against_anchor(paired, "id-a")["id-t"]
    assert (evidence.interval.low, evidence.p_value, evidence.verdict) == (None, None, None)
    (duel,) = head_to_heads(paired)
    assert (duel.percent, duel.interval.reason, duel.pictures, duel.verdict) == (None, "no overlap", 0, None)


def test_every_duel_is_seen_from_both_sides() -> None:
    stored = (
        cells("a", many(1, 12, 0, 2)) + cells("b", many(0.5, 12, 0.05, 3)) + cells("c", many(0.9, 12, 0.3, 4))
    )
    paired = Paired(compare(stored, PSNR), PSNR)
    matrix = win_matrix(head_to_heads(paired))
    assert len(matrix) == 6
    for (test, anchor), duel in matrix.items():
        other = matrix[anchor, test]
        assert (duel.wins, duel.losses, duel.pictures) == (other.losses, other.wins, other.pictures)
        assert duel.percent is not None
        assert other.percent is not None
        assert (1 + duel.percent / 100) * (1 + other.percent / 100) == pytest.approx(1)
        assert 100 * np.expm1(paired.against(anchor, test).estimate) == pytest.approx(duel.percent)
        assert duel.interval.low is not None
        assert duel.interval.low < duel.percent
    best = matrix["id-b", "id-a"]
    assert (best.wins, best.verdict, matrix["id-a", "id-b"].verdict) == (12, "better", "worse")


def test_wins_count_each_pictures_own_bd_rate() -> None:
    a, b = many(1, 7, 0, 2), many(1.02, 7, 0.2, 5)
    (duel,) = head_to_heads(Paired(compare(cells("a", a) + cells("b", b), PSNR), PSNR))
    single = [bd_rate(*zip(*b[name], strict=True), *zip(*a[name], strict=True)).percent for name in a]
    assert duel.wins == sum(difference is not None and difference < 0 for difference in single)
    assert 0 < duel.wins < 7


def test_points_carry_intervals_of_both_means() -> None:
    curves = many(1, 24, 0.1, 2)
    comparison = compare(cells("a", curves), PSNR)
    outcome = point_evidence(Paired(comparison, PSNR))["id-a"]
    assert [point.setting for point in outcome] == list(SETTINGS)
    rates = [points[0][0] for points in curves.values()]
    assert outcome[0].bits_per_pixel == pytest.approx(fmean(rates), abs=1e-6)
    low, high = outcome[0].rate_interval.low, outcome[0].rate_interval.high
    assert low is not None
    assert high is not None
    assert high - low == pytest.approx(2 * 2.07 * np.std(rates, ddof=1) / np.sqrt(24), rel=0.15)
    assert outcome[0].score_interval.low is not None
    # Rates have a bound below, these scores one above: each interval reaches further away from its own.
    similarity = metric_row("m-psnr", "ssim", "codecarena", "1", "RGB", "higher", 1.0)
    skewed = {
        name: [(rate, 1 - 0.1 / rate) for rate, _ in points] for name, points in many(1, 7, 0, 2).items()
    }
    (first, *_) = point_evidence(Paired(compare(cells("a", skewed), similarity), similarity))["id-a"]
    for value, ends, outwards in (
        (first.bits_per_pixel, first.rate_interval, 1),
        (first.score, first.score_interval, -1),
    ):
        assert ends.low is not None
        assert ends.high is not None
        assert outwards * ((ends.high - value) - (value - ends.low)) > 0


def test_the_front_is_what_nothing_beats() -> None:
    costs = np.array([[[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [2.0, 3.0], [2.0, 2.0], [4.0, 4.0]]])
    # Equal points do not beat each other.
    np.testing.assert_array_equal(on_front(costs)[0], [True, True, True, False, True, False])
    slow_but_only = np.concatenate([costs, np.array([[[9.0], [9.0], [9.0], [1.0], [9.0], [9.0]]])], axis=2)
    assert on_front(slow_but_only)[0, 3]


def test_pareto_points_of_codecs() -> None:
    stored = cells("a", many(1, 12, 0, 2)) + cells("b", many(0.5, 12, 0.05, 3))
    paired = Paired(compare(stored, PSNR), PSNR)
    points = pareto_points(paired, PSNR)
    assert {point.codec_id for point in points if point.on_front} == {"id-b"}
    assert all(point.front_share == point.on_front for point in points)
    times = {
        (f"id-{codec}", float(setting)): seconds
        for codec, seconds in (("a", 0.01), ("b", 1.0))
        for setting in SETTINGS
    }
    del times["id-a", 40.0]
    timed = pareto_points(paired, PSNR, times)
    assert len(timed) == 7
    assert all(point.on_front for point in timed)
