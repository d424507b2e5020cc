from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from engines import OfColumns, OfRecords
from metric_rows import metric_row

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.analysis.curves import bd_rate, to_quality
from codecarena.bench.analysis.intervals import spread
from codecarena.bench.records.rows import Failure, MetricRow, Score, ScoredCell

PSNR = metric_row("m-psnr", "psnr", "codecarena", "1", "RGB", "higher", None)
MS_SSIM = metric_row("m-ms", "ms-ssim", "codecarena", "1", "RGB", "higher", 1.0)
DELTA = metric_row("m-delta", "ciede2000", "codecarena", "1", "Lab", "lower", 0.0)
PIXELS = 80_000

Points = Mapping[float, tuple[float, float | None]]
"""Setting -> (bits per pixel, score)."""

JPEG: Points = {20: (0.2, 28.0), 40: (0.4, 31.0), 60: (0.8, 34.0), 80: (1.6, 37.0)}
HALF: Points = {setting: (rate / 2, score) for setting, (rate, score) in JPEG.items()}


@pytest.fixture(params=[OfRecords, OfColumns])
def engine(request: pytest.FixtureRequest):
    return request.param


def cells(
    codec: str,
    picture: str,
    points: Points,
    *,
    metric: MetricRow | None = PSNR,
    seed: int | None = None,
    codec_id: str | None = None,
    contended: bool = True,
) -> list[ScoredCell]:
    return [
        ScoredCell(
            "set", picture, f"sha-{picture}", "natural", PIXELS, codec_id or f"id-{codec}", codec, "classic",
            False, setting, seed, round(rate * PIXELS / 8), f"b{setting}", f"d{setting}-{seed}",
            (rate, 5 * rate, 2 * rate), (0.01,), contended,
            {metric.metric_id: Score(score, score is None)} if metric else {},
        )
        for setting, (rate, score) in points.items()
    ]  # fmt: skip


def shifted(points: Points, by: float) -> Points:
    return {
        setting: (rate, None if score is None else score + by) for setting, (rate, score) in points.items()
    }


def failure(codec: str, picture: str, *, settled: bool = False) -> Failure:
    return Failure(
        "set", picture, f"sha-{picture}", f"id-{codec}", codec, 20, None, None, "timeout", "encode", None,
        "took longer than 5 s", "", "2026-01-01T00:00:00", settled,
    )  # fmt: skip


def by_label(rows):
    return {row.codec.label: row for row in rows}


def test_headline_is_of_the_mean_curve_and_the_mean_of_pictures_stands_apart(engine) -> None:
    test_a = {20: (0.1, 28.0), 40: (0.3, 31.5), 60: (0.5, 35.0), 80: (1.1, 38.0)}
    test_b = {20: (0.3, 24.0), 40: (0.5, 30.0), 60: (1.5, 33.0), 80: (2.1, 39.0)}
    stored = [
        *cells("jpeg", "a", JPEG),
        *cells("jpeg", "b", shifted(JPEG, 2)),
        *cells("webp", "a", test_a),
        *cells("webp", "b", test_b),
    ]
    row = by_label(engine.leaderboard(stored, PSNR, "jpeg").rows)["webp"]

    def columns(points: Points) -> tuple[list[float], list[float]]:
        return [rate for rate, _ in points.values()], [score or 0 for _, score in points.values()]

    def mean(first: Points, second: Points) -> tuple[list[float], list[float]]:
        pairs = list(zip(first.values(), second.values(), strict=True))
        return [(a[0] + b[0]) / 2 for a, b in pairs], [(a[1] + b[1]) / 2 for a, b in pairs]

    expected = bd_rate(*mean(JPEG, shifted(JPEG, 2)), *mean(test_a, test_b)).percent
    each = [
        bd_rate(*columns(JPEG), *columns(test_a)).percent,
        bd_rate(*columns(shifted(JPEG, 2)), *columns(test_b)).percent,
    ]
    assert row.bd_rate.percent == pytest.approx(expected)
    assert row.mean_of_pictures == pytest.approx(np.mean(each))
    assert abs(row.bd_rate.percent - row.mean_of_pictures) > 1
    assert row.pictures_with_bd_rate == 2


def test_rows_are_best_first_and_carry_the_rate_range(engine) -> None:
    worse = {setting: (rate * 2, score) for setting, (rate, score) in JPEG.items()}
    stored = [*cells("worse", "a", worse), *cells("jpeg", "a", JPEG), *cells("half", "a", HALF)]
    board = engine.leaderboard(stored, PSNR, "jpeg")
    assert [row.codec.label for row in board.rows] == ["half", "jpeg", "worse"]
    assert [row.bd_rate.percent for row in board.rows] == pytest.approx([-50, 0, 100])
    assert (board.rows[0].codec.lowest_rate, board.rows[0].codec.highest_rate) == pytest.approx((0.1, 0.8))


def test_means_are_over_the_pictures_that_all_compared_codecs_finished(engine) -> None:
    hard = shifted(JPEG, -9)
    stored = [
        *cells("jpeg", "a", JPEG), *cells("jpeg", "b", hard), *cells("jpeg", "c", JPEG),
        *cells("half", "a", HALF), *cells("half", "c", HALF),
    ]  # fmt: skip
    board = engine.leaderboard(stored, PSNR, "jpeg", [failure("half", "b")])
    rows = by_label(board.rows)
    assert board.common_pictures == 2
    assert rows["half"].bd_rate.percent == pytest.approx(-50)
    assert (rows["half"].codec.pictures, rows["half"].codec.of_pictures, rows["half"].codec.failed) == (
        2,
        3,
        1,
    )
    assert rows["jpeg"].codec.pictures == 3


def test_a_codec_with_few_pictures_is_listed_and_does_not_shrink_the_set(engine) -> None:
    stored = [cell for picture in "abcde" for cell in cells("jpeg", picture, JPEG)]
    board = engine.leaderboard([*stored, *cells("new", "a", HALF)], PSNR, "jpeg")
    assert board.common_pictures == 5
    assert by_label(board.rows)["new"].bd_rate.reason == "1 of 5 pictures"


def test_codecs_without_a_result_or_without_the_score_have_a_row_with_the_reason(engine) -> None:
    stored = [*cells("jpeg", "a", JPEG), *cells("unscored", "a", HALF, metric=None)]
    rows = by_label(
        engine.leaderboard(stored, PSNR, "jpeg", [failure("broken", "a"), failure("broken", "b")]).rows
    )
    assert rows["broken"].bd_rate.reason == "timeout in encode"
    assert (rows["broken"].codec.pictures, rows["broken"].codec.of_pictures) == (0, 2)
    assert rows["unscored"].bd_rate.reason == "no psnr yet"
    assert rows["unscored"].codec.lowest_rate is not None


def test_lossless_settings_leave_the_curve(engine) -> None:
    stored = [
        *cells("jpeg", "a", JPEG), *cells("jpeg", "b", JPEG),
        *cells("near", "a", {**HALF, 100: (5.0, None)}), *cells("near", "b", {**HALF, 100: (5.0, 60.0)}),
        *cells("png", "a", {0: (9.0, None)}), *cells("png", "b", {0: (9.0, None)}),
    ]  # fmt: skip
    rows = by_label(engine.leaderboard(stored, PSNR, "jpeg").rows)
    assert rows["near"].bd_rate.percent == pytest.approx(-50)
    assert rows["near"].lossless_settings == (100,)
    assert (rows["png"].bd_rate.percent, rows["png"].bd_rate.reason) == (None, "lossless")


def test_a_perfect_similarity_leaves_the_curve_too(engine) -> None:
    curve: Points = {20: (0.2, 0.9), 40: (0.4, 0.95), 60: (0.8, 0.99), 100: (4.0, 1.0)}
    stored = cells("jpeg", "a", curve, metric=MS_SSIM)
    (row,) = engine.leaderboard(stored, MS_SSIM, "jpeg").rows
    assert row.lossless_settings == (100,)
    assert row.bd_rate.shared_high == pytest.approx(20)


def test_the_probe_of_a_search_is_no_point_of_the_mean_curve(engine) -> None:
    stored = [cell for picture in "abc" for codec in ("jpeg", "half") for cell in cells(codec, picture, JPEG)]
    probed = [*stored, *cells("half", "a", {33: (0.3, 90.0)})]
    assert engine.leaderboard(probed, PSNR, "jpeg").common_pictures == 3
    assert by_label(engine.leaderboard(probed, PSNR, "jpeg").rows)["half"].bd_rate.percent == pytest.approx(0)


def test_seeds_of_one_bitstream_are_averaged_first(engine) -> None:
    stored = [
        *cells("jpeg", "a", JPEG),
        *cells("gen", "a", shifted(HALF, 1), seed=1),
        *cells("gen", "a", shifted(HALF, -1), seed=2),
    ]
    row = by_label(engine.leaderboard(stored, PSNR, "jpeg").rows)["gen"]
    assert row.bd_rate.percent == pytest.approx(-50)
    assert row.pictures_with_bd_rate == 1


def test_versions_of_one_codec_are_told_apart(engine) -> None:
    stored = [
        *cells("jpeg", "a", JPEG),
        *cells("avif", "a", HALF, codec_id="0123456789"),
        *cells("avif", "a", JPEG, codec_id="abcdefabcd"),
    ]
    rows = by_label(engine.leaderboard(stored, PSNR, "jpeg").rows)
    assert rows.keys() == {"jpeg", "avif [012345]", "avif [abcdef]"}
    assert engine.leaderboard(stored, PSNR, "abcdefabcd").anchor == "avif [abcdef]"


def test_an_unknown_anchor_names_the_nearest_codec(engine) -> None:
    with pytest.raises(AnalysisError, match="did you mean 'jpeg'"):
        engine.leaderboard(cells("jpeg", "a", JPEG), PSNR, "jpg")
    with pytest.raises(AnalysisError, match="stored: none"):
        engine.leaderboard([], PSNR, "jpeg")


def test_scores_at_a_rate_have_median_tails_and_coverage(engine) -> None:
    stored = [
        *(cell for i in range(5) for cell in cells("jpeg", f"p{i}", shifted(JPEG, i))),
        *cells("jpeg", "far", {20: (0.5, 20.0), 80: (2.0, 30.0)}),
    ]
    (row,) = engine.at_rate(stored, [PSNR], 0.4)
    outcome = row.scores[PSNR.metric_id]
    assert outcome is not None
    assert (outcome.median, outcome.low, outcome.high) == pytest.approx((33.0, 31.0, 35.0))
    assert (outcome.pictures, row.codec.of_pictures) == (5, 6)


def test_at_a_rate_lower_is_better_ranks_upwards_and_partial_coverage_last(engine) -> None:
    good: Points = {1: (0.1, 4.0), 2: (0.8, 1.0)}
    bad: Points = {1: (0.1, 5.0), 2: (0.8, 3.0)}
    stored = [
        *(cell for p in "abc" for cell in cells("bad", p, bad, metric=DELTA)),
        *(cell for p in "abc" for cell in cells("good", p, good, metric=DELTA)),
        *cells("partial", "a", {1: (0.1, 2.0), 2: (0.8, 0.1)}, metric=DELTA),
    ]
    rows = engine.at_rate(stored, [DELTA], 0.3, [failure("broken", "a")])
    assert [row.codec.label for row in rows] == ["good", "bad", "partial", "broken"]
    assert rows[-1].codec.reason == "timeout in encode"


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_must_be_positive(engine, rate: float) -> None:
    with pytest.raises(AnalysisError, match="above 0"):
        engine.at_rate(cells("jpeg", "a", JPEG), [PSNR], rate)


def test_costs_at_a_score(engine) -> None:
    stored = [
        *(cell for p in "abc" for cell in cells("jpeg", p, JPEG)),
        *(cell for p in "abc" for cell in cells("half", p, HALF, contended=False)),
        *cells("low", "a", {1: (0.1, 20.0), 2: (0.2, 30.0)}),
    ]
    rows = engine.at_score(stored, PSNR, 31.0)
    assert [row.codec.label for row in rows] == ["half", "jpeg", "low"]
    half = rows[0]
    assert half.bits_per_pixel is not None
    assert half.bitstream_bytes is not None
    assert half.encode_seconds is not None
    assert half.bits_per_pixel.median == pytest.approx(0.2)
    assert half.bitstream_bytes.median == pytest.approx(0.2 * PIXELS / 8)
    assert half.encode_seconds.median == pytest.approx(0.4)
    assert (half.contended, rows[1].contended) == (False, True)
    assert rows[2].bits_per_pixel is None


def test_a_score_that_no_lossy_codec_reaches_is_refused(engine) -> None:
    with pytest.raises(AnalysisError, match="lossy"):
        engine.at_score(cells("jpeg", "a", JPEG, metric=MS_SSIM), MS_SSIM, 1.0)


def test_the_view_is_bd_rate_when_all_curves_overlap_and_a_rate_otherwise(engine) -> None:
    pair = [*cells("jpeg", "a", JPEG), *cells("half", "a", HALF), *cells("png", "a", {0: (9.0, None)})]
    assert engine.choose_view(pair, PSNR).anchor == "jpeg"
    apart = engine.choose_view([*pair, *cells("tiny", "a", {1: (0.01, 15.0), 2: (0.3, 20.0)})], PSNR)
    assert (apart.anchor, apart.bits_per_pixel) == (None, 0.25)
    assert engine.choose_view([], PSNR).anchor is None


def test_default_anchor_is_jpeg_or_the_longest_ladder(engine) -> None:
    assert engine.default_anchor(
        [*cells("avif", "a", JPEG), *cells("jpeg(progressive=True)", "a", HALF)]
    ) == ("jpeg(progressive=True)")
    assert engine.default_anchor([*cells("a", "a", {1: (0.1, 20.0)}), *cells("b", "a", JPEG)]) == "b"
    assert engine.default_anchor([]) is None


def test_spread_ignores_what_was_not_measured() -> None:
    median_and_range = spread([1.0, float("nan"), 3.0])
    assert median_and_range is not None
    assert (median_and_range.median, median_and_range.pictures) == (2.0, 2)
    assert spread([float("nan")]) is None


def test_quality_scale_is_used_between_points(engine) -> None:
    curve: Points = {1: (0.1, 0.9), 2: (0.4, 0.999)}
    (row,) = engine.at_rate(cells("jpeg", "a", curve, metric=MS_SSIM), [MS_SSIM], 0.2)
    outcome = row.scores[MS_SSIM.metric_id]
    middle = (to_quality("decibel", "higher", 0.9) + to_quality("decibel", "higher", 0.999)) / 2
    assert outcome is not None
    assert to_quality("decibel", "higher", outcome.median) == pytest.approx(middle)
