"""Points, ladders, mean curves and coverage, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from row_oracle.coverage import count_inapplicable, count_pictures, summarise
from row_oracle.points import (
    Point,
    average,
    collect,
    finished,
    ladder,
    mean_curve,
    picture_curve,
    picture_table,
)
from scored_cells import CELL, DELTA, MS_SSIM, PSNR, cell, failure, ladder_cells

from codecarena.bench.analysis.coverage import AnalysisError, absent_codecs, find_codec
from codecarena.bench.records.rows import Score


def point(rate: float, score: float | None, size: float = 1.0, seconds: float = 1.0) -> Point:
    return Point(rate, size, seconds, False, {PSNR.metric_id: score})


def measured_at(*settings: float) -> dict[float, Point]:
    return {setting: point(1.0, 30.0) for setting in settings}


def test_a_point_is_the_mean_over_seeds_of_the_median_of_repeats() -> None:
    # Of two decodes of one bitstream only the first was encoded: no time is no zero.
    seeds = [
        replace(CELL, seed=1, bitstream_bytes=500, encode_seconds=(4.0, 1.0, 2.0)),
        replace(CELL, seed=2, bitstream_bytes=1000, encode_seconds=()),
        replace(CELL, seed=3, bitstream_bytes=1500, encode_seconds=(5.0, 7.0)),
    ]
    outcome = average(seeds)
    assert (outcome.bits_per_pixel, outcome.bitstream_bytes, outcome.encode_seconds) == (4.0, 1000.0, 4.0)
    assert math.isnan(average([seeds[1]]).encode_seconds)


@pytest.mark.parametrize(
    ("marks", "contended"), [((False, False), False), ((True, False), True), ((False, True), True)]
)
def test_one_contended_seed_makes_a_point_contended(marks: tuple[bool, ...], contended: bool) -> None:
    assert average(
        [replace(CELL, seed=place, contended=entry) for place, entry in enumerate(marks)]
    ).contended is (contended)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((Score(30.0), Score(34.0)), {"m": 32.0}),
        ((Score(30.0), None), {}),
        ((None, Score(34.0)), {}),
        ((Score(30.0), Score(None, lossless=True)), {"m": None}),
        ((Score(1.0, lossless=True), Score(0.9)), {"m": None}),
        ((Score(30.0), Score(None, applicable=False)), {}),
        ((Score(None), Score(None)), {"m": None}),
    ],
    ids=["both", "second unscored", "first unscored", "lossless", "bounded lossless", "no text", "unbounded"],
)  # fmt: skip
def test_a_score_needs_every_seed(
    scores: tuple[Score | None, ...], expected: dict[str, float | None]
) -> None:
    seeds = [
        replace(CELL, seed=place, scores={"m": entry} if entry else {}) for place, entry in enumerate(scores)
    ]
    assert average(seeds).scores == expected


def test_codecs_are_collected_by_label_without_probes() -> None:
    stored = [
        cell("z"),
        cell("b", "b", 20.0, toy=True, family="generative"),
        cell("b", "a", 30.0, probe=True),
        cell("b", "a", 20.0, toy=True, family="generative"),
        cell("only probes", probe=True),
    ]
    outcome = collect(stored)
    assert [(entry.label, entry.codec_id, entry.family, entry.toy) for entry in outcome] == [
        ("b", "id-b", "generative", True),
        ("z", "id-z", "learned", False),
    ]
    assert {picture: list(points) for picture, points in outcome[0].pictures.items()} == {
        "a": [20.0],
        "b": [20.0],
    }
    assert outcome[0].marks.bitstreams == 2
    with_probes = collect(stored, probes=True)
    assert [with_probe.label for with_probe in with_probes] == ["b", "only probes", "z"]
    assert with_probes[0].pictures["a"].keys() == {20.0, 30.0}


def test_points_with_a_score_are_told_from_those_without() -> None:
    (codec,) = collect([cell(), cell(quality=20.0, scores={}), cell(picture="b", scores={})])
    assert {picture: list(points) for picture, points in codec.scored(PSNR.metric_id).items()} == {
        "a": [10.0]
    }
    assert codec.scored("another") == {}


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ((4, 2, 1), [10.0, 20.0]),
        ((3, 3, 0), [10.0, 20.0]),
        ((4, 0, 4), [10.0, 30.0]),
    ],
)
def test_a_setting_of_exactly_half_of_the_pictures_is_on_the_ladder(
    uses: tuple[int, ...], expected: list[float]
) -> None:
    settings = {place: [] for place in range(4)}
    for setting, count in zip((30.0, 20.0, 10.0), reversed(uses), strict=True):
        for place in range(count):
            settings[place].append(setting)
    pictures = {str(place): measured_at(*chosen) for place, chosen in settings.items()}
    assert ladder(pictures) == expected


def test_the_ladder_of_an_odd_number_of_pictures_needs_more_than_half() -> None:
    pictures = {"a": measured_at(1, 2), "b": measured_at(1), "c": measured_at(1)}
    assert ladder(pictures) == [1]
    assert finished(pictures) == {"a", "b", "c"}
    pictures["b"] = measured_at(1, 2)
    assert ladder(pictures) == [1, 2]
    assert finished(pictures) == {"a", "b"}
    assert ladder({}) == []


def test_a_mean_curve_is_of_the_chosen_pictures_alone() -> None:
    pictures = {
        "a": {10.0: point(0.2, 30.0), 20.0: point(0.4, 33.0)},
        "b": {10.0: point(0.6, 32.0), 20.0: point(1.0, 37.0)},
        "c": {10.0: point(9.0, 10.0), 20.0: point(9.5, 11.0)},
    }
    outcome = mean_curve(pictures, {"b", "a"}, PSNR)
    points = [
        value for point in outcome.points for value in (point.setting, point.bits_per_pixel, point.score)
    ]
    assert points == pytest.approx([10, 0.4, 31, 20, 0.7, 35])
    assert outcome.lossless_settings == ()
    assert mean_curve(pictures, (), PSNR).points == ()
    curve = outcome.curve(PSNR)
    np.testing.assert_allclose([curve.rates, curve.qualities], [[0.4, 0.7], [31, 35]])


def test_a_setting_with_one_lossless_picture_leaves_the_mean_curve() -> None:
    pictures = {
        "a": {10.0: point(0.2, 30.0), 20.0: point(0.4, None), 30.0: point(0.5, 36.0)},
        "b": {10.0: point(0.6, 32.0), 20.0: point(1.0, 37.0), 30.0: point(1.1, 38.0)},
    }
    curve = mean_curve(pictures, pictures, PSNR)
    assert [point.setting for point in curve.points] == [10.0, 30.0]
    assert curve.lossless_settings == (20.0,)


def test_a_pictures_curve_carries_bytes_and_seconds() -> None:
    points = [point(0.4, 33.0, 50.0, 0.7), point(0.2, 30.0, 25.0, 0.5), point(0.9, None, 90.0, 0.9)]
    curve = picture_curve(points, PSNR)
    np.testing.assert_array_equal(curve.rates, [0.2, 0.4])
    np.testing.assert_array_equal(curve.columns, [[25.0, 50.0], [0.5, 0.7]])
    distance = [Point(0.4, 1, 1, False, {"m-delta": 2.0}), Point(0.2, 1, 1, False, {"m-delta": 5.0})]
    np.testing.assert_array_equal(picture_curve(distance, DELTA).qualities, [-5.0, -2.0])


def test_a_table_has_nan_where_there_is_no_value() -> None:
    pictures = {
        "a": {10.0: point(0.2, 30.0), 20.0: point(0.4, None)},
        "b": {20.0: point(1.0, 37.0)},
    }
    outcome = picture_table(pictures, ["b", "a"], [20.0, 10.0, 30.0], PSNR.metric_id)
    nan = np.nan
    assert outcome.settings == (20.0, 10.0, 30.0)
    np.testing.assert_array_equal(outcome.rates, [[1.0, nan, nan], [0.4, 0.2, nan]])
    np.testing.assert_array_equal(outcome.scores, [[37.0, nan, nan], [nan, 30.0, nan]])


def test_coverage_counts_whole_ladders_and_open_failures() -> None:
    (codec,) = collect(
        [
            *ladder_cells("x", {"a": [(0.2, 30.0), (0.5, 33.0)], "b": [(0.4, 30.0), (0.9, 33.0)]}, toy=True),
            *ladder_cells("x", {"c": [(7.0, 30.0)]}, toy=True),
        ]
    )
    failures = [
        failure("x", "c"), failure("x", "b", settled=True), failure("x", "c"), failure("y", "c")
    ]  # fmt: skip
    summary = summarise(codec, failures, 5)
    assert (summary.codec_id, summary.label, summary.family, summary.toy) == ("id-x", "x", "learned", True)
    assert (summary.pictures, summary.of_pictures, summary.failed, summary.reason) == (2, 5, 2, None)
    assert (summary.lowest_rate, summary.highest_rate) == pytest.approx((0.3, 0.7))
    assert summary.marks == codec.marks


def test_pictures_that_were_tried_count_whatever_came_of_it() -> None:
    codecs = collect([cell("x", "a"), cell("y", "b"), cell("y", "a"), cell("y", "probed", probe=True)])
    assert count_pictures(codecs, []) == 2
    assert (
        count_pictures(codecs, [failure("z", "c"), failure("x", "a"), failure("z", "c", settled=True)]) == 3
    )
    nothing = {MS_SSIM.metric_id: Score(None, applicable=False)}
    stored = [cell("x", "a", scores=nothing), cell("y", "a", scores=nothing), cell("y", "b"), cell("z", "c")]
    assert count_inapplicable(stored, MS_SSIM.metric_id) == 1
    assert count_inapplicable(stored, PSNR.metric_id) == 0


def test_a_codec_that_failed_everywhere_has_its_commonest_reason() -> None:
    failures = [
        failure("zebra", "a", "memory"),
        failure("zebra", "b", "crash"),
        failure("zebra", "c", "crash"),
        failure("zebra", "d", "memory", settled=True),
        failure("zebra", "e", "memory", settled=True),
        failure("ape", "a", "error", stage="load"),
        failure("here", "a"),
        failure("made good", "a", settled=True),
    ]
    absent = absent_codecs(collect([cell("here")]), failures, 7)
    assert [(entry.label, entry.codec_id, entry.reason, entry.failed) for entry in absent] == [
        ("ape", "id-ape", "error in load", 1),
        ("zebra", "id-zebra", "crash in encode", 3),
    ]
    for entry in absent:
        assert (entry.pictures, entry.of_pictures, entry.family, entry.lowest_rate, entry.highest_rate) == (
            0, 7, None, None, None,
        )  # fmt: skip
        assert not entry.toy


def test_a_codec_is_found_by_label_or_id() -> None:
    codecs = collect([cell("jpegli"), cell("webp")])
    assert find_codec(codecs, "webp").codec_id == find_codec(codecs, "id-webp").codec_id == "id-webp"
    with pytest.raises(AnalysisError, match=r"'vvc'; stored: jpegli, webp"):
        find_codec(codecs, "vvc")
