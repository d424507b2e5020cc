"""Codecs of one setting against the others' curves at their own bytes, worked out by hand and by SciPy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import isfinite, log10
from statistics import fmean, median

import numpy as np
import pytest
from engines import OfColumns
from scipy import stats
from scipy.interpolate import PchipInterpolator
from scored_cells import DELTA, MS_SSIM, PSNR, cell, ladder_cells

from codecarena.bench.analysis.bootstrap import resample, usual_resampling
from codecarena.bench.analysis.intervals import zero_test
from codecarena.bench.analysis.own_rate import OwnRateRow, Reach, codecs_without_curve, own_rate_rows
from codecarena.bench.records.rows import MetricRow, Score, ScoredCell

LINE = [(0.1, 30.0), (0.4, 34.0), (1.6, 38.0)]
"""2 dB for each doubling of the rate: 32 dB at 0.2 bits per pixel, 36 dB at 0.8."""


def rows_of(
    cells: Sequence[ScoredCell], codec: str = "own", metric: MetricRow = PSNR
) -> dict[str, OwnRateRow]:
    """Return a codec's rows, by the other codec; it has one setting."""
    rows = own_rate_rows(OfColumns.compare(cells, metric), metric, [f"id-{codec}"])
    assert len({row.setting for row in rows}) <= 1
    return {row.against_id.removeprefix("id-"): row for row in rows}


def own(points: dict[str, tuple[float, float | None]], codec: str = "own") -> list[ScoredCell]:
    """Return the cells of a codec with one setting: picture -> bits per pixel and PSNR."""
    return ladder_cells(codec, {picture: [point] for picture, point in points.items()})


def gains(differences: Sequence[float], rival: str = "line") -> list[ScoredCell]:
    """Return a codec and a straight line that differ by just this on each picture, read at 0.2."""
    names = [f"p{place}" for place in range(len(differences))]
    points = {name: (0.2, 32.0 + gain) for name, gain in zip(names, differences, strict=True)}
    return [*own(points), *ladder_cells(rival, dict.fromkeys(names, LINE))]


def reach(of_pictures: int, compared: int, **rest: int) -> Reach:
    """Return counts of which those that are not given are 0."""
    none = {"below": 0, "above": 0, "other_lossless": 0, "other_without_curve": 0, "other_without_score": 0}
    return Reach(of_pictures, compared, **{**none, **rest})


def test_each_picture_is_read_at_the_bytes_that_the_codec_spends_on_it() -> None:
    steep = [(0.1, 20.0), (1.6, 40.0)]  # 5 dB for each doubling: 30 dB at 0.4
    row = rows_of(
        [*own({"a": (0.2, 33.0), "b": (0.4, 27.0)}), *ladder_cells("line", {"a": LINE, "b": steep})]
    )["line"]
    assert row.reach == reach(2, 2)
    # 33 - 32 = 1 on a, 27 - 30 = -3 on b.
    assert row.mean_difference == pytest.approx(-1.0, abs=1e-12)
    assert row.median_difference == pytest.approx(-1.0, abs=1e-12)
    assert row.bits_per_pixel == pytest.approx(0.3)
    assert (row.codec_id, row.setting, row.wins, row.losses) == ("id-own", 10.0, 1, 1)
    assert (row.interval.reason, row.p_value, row.verdict) == ("fewer than 5 pictures", None, None)


def test_mean_median_interval_and_verdict_of_many_pictures() -> None:
    differences = [0.5, 1.0, 1.5, 2.0, 6.0, -0.2]
    row = rows_of(gains(differences))["line"]
    assert row.mean_difference == pytest.approx(1.8)
    assert row.median_difference == pytest.approx(1.25)
    assert (row.wins, row.losses) == (5, 1)
    resampling = usual_resampling(6)
    expected = zero_test(resampling.sample(resampling.weights @ np.array(differences)))
    assert (row.interval.low, row.interval.high) == pytest.approx(
        (expected.interval.low, expected.interval.high)
    )
    assert row.p_value == pytest.approx(expected.p_value)  # one test only: nothing to correct
    worse = rows_of(gains([-2.0, -1.9, -2.1, -2.0, -2.2]))["line"]
    better = rows_of(gains([2.0, 1.9, 2.1, 2.0, 2.2]))["line"]
    unclear = rows_of(gains([2.0, -1.9, 2.1, -2.0, 0.1]))["line"]
    assert [tested.verdict for tested in (worse, better, unclear)] == ["worse", "better", "not shown"]


def test_a_metric_where_less_is_better_is_mirrored() -> None:
    """Its differences keep the metric's own sign; wins and verdicts say who is better."""

    def mirrored(cells: list[ScoredCell]) -> list[ScoredCell]:
        return [
            cell(entry.codec, entry.picture_sha256, entry.quality, rate=entry.bits_per_pixel,
                 scores={DELTA.metric_id: Score(50.0 - (entry.scores[PSNR.metric_id].value or 0.0))})
            for entry in cells
        ]  # fmt: skip

    cells = gains([2.0, 1.9, 2.1, 2.0, 2.2, -0.5])
    up, down = rows_of(cells)["line"], rows_of(mirrored(cells), metric=DELTA)["line"]
    assert down.mean_difference == pytest.approx(-9.7 / 6)
    assert down.median_difference == pytest.approx(-2.0)
    assert (down.wins, down.losses, down.verdict) == (up.wins, up.losses, up.verdict) == (5, 1, "better")
    assert down.p_value == pytest.approx(up.p_value, rel=1e-6)
    assert down.interval.low == pytest.approx(-(up.interval.high or 0.0))
    assert down.interval.high == pytest.approx(-(up.interval.low or 0.0))


def test_a_similarity_is_read_in_decibels_and_compared_on_its_own_scale() -> None:
    def scored(codec: str, rate: float, value: float) -> ScoredCell:
        return cell(codec, "a", 100 * rate, rate=rate, scores={MS_SSIM.metric_id: Score(value)})

    # 10 and 30 dB at 0.1 and 0.4: 20 dB, that is 0.99, at 0.2.
    cells = [scored("own", 0.2, 0.97), scored("line", 0.1, 0.9), scored("line", 0.4, 0.999)]
    assert rows_of(cells, metric=MS_SSIM)["line"].mean_difference == pytest.approx(-0.02)


def test_the_rates_at_both_ends_of_a_curve_are_reached_and_those_beyond_are_not() -> None:
    points = {
        "a": (0.1, 31.0), "b": (1.6, 37.0), "c": (0.4, 34.0),
        "d": (0.0999, 31.0), "e": (1.6001, 37.0), "f": (2.0, 37.0),
    }  # fmt: skip
    row = rows_of([*own(points), *ladder_cells("line", dict.fromkeys(points, LINE))])["line"]
    assert row.reach == reach(6, 3, below=1, above=2)
    assert (row.mean_difference, row.wins, row.losses) == (pytest.approx(0.0, abs=1e-12), 1, 1)
    assert row.reason is None


@pytest.mark.parametrize(
    ("reached", "missed", "reason"),
    [
        (2, 2, None), (3, 2, None), (2, 3, "2 of 5 pictures"), (1, 2, "1 of 3 pictures"),
        (0, 3, "0 of 3 pictures"), (1, 0, None),
    ],
)  # fmt: skip
def test_half_of_the_pictures_must_be_reached(reached: int, missed: int, reason: str | None) -> None:
    points = {f"r{entry}": (0.2, 33.0) for entry in range(reached)}
    points |= {f"m{entry}": (0.05, 28.0) for entry in range(missed)}
    row = rows_of([*own(points), *ladder_cells("line", dict.fromkeys(points, LINE))])["line"]
    assert row.reach == reach(reached + missed, reached, below=missed)
    assert row.reason == reason
    assert row.mean_difference == (pytest.approx(1.0) if reason is None else None)
    assert row.median_difference == (pytest.approx(1.0) if reason is None else None)
    assert (row.wins, row.losses) == ((reached, 0) if reason is None else (0, 0))
    assert row.interval.low is None
    assert row.bits_per_pixel == pytest.approx((0.2 * reached + 0.05 * missed) / (reached + missed))


def test_lossless_pictures_of_either_codec_are_counted_apart() -> None:
    cells = own({"a": (0.2, None), "b": (0.2, 33.0), "c": (0.2, 33.0), "d": (0.2, 33.0), "e": (0.2, 33.0)})
    curves = {
        "a": LINE,  # the codec itself comes back identical
        "b": [(0.1, 30.0), (0.2, None), (0.4, 34.0)],  # identical for the very same bytes
        "c": [(0.1, 30.0), (0.15, None)],  # and for fewer, with one point beside it
        "d": [(0.1, 30.0), (0.4, 34.0), (0.8, None)],  # for more only: the curve is read
        "e": LINE,
    }
    row = rows_of([*cells, *ladder_cells("line", curves)])["line"]
    assert (row.lossless, row.without_score) == (1, 0)
    assert row.reach == reach(4, 2, other_lossless=2)
    assert row.mean_difference == pytest.approx(1.0)


def test_a_setting_that_is_lossless_everywhere_says_so() -> None:
    row = rows_of([*own({"a": (0.2, None)}), *ladder_cells("line", {"a": LINE})])["line"]
    assert (row.reason, row.lossless, row.bits_per_pixel) == ("lossless", 1, None)
    assert row.reach == reach(0, 0)


def test_pictures_without_a_score_or_a_curve_are_counted_apart() -> None:
    blank = {"scores": {}}
    cells = own({"a": (0.2, 33.0), "b": (0.2, 33.0), "c": (0.2, 33.0), "d": (0.2, 33.0), "e": (0.2, 33.0)})
    cells += [cell("own", "f", 10.0, rate=0.2, **blank)]
    cells += ladder_cells("line", {"a": LINE, "b": LINE, "c": LINE, "d": LINE[:1]})
    cells += [cell("line", "e", 10.0, rate=0.1, **blank), cell("line", "z", 10.0, rate=0.1)]
    row = rows_of(cells)["line"]
    assert (row.lossless, row.without_score) == (0, 1)
    assert row.reach == reach(5, 3, other_without_curve=1, other_without_score=1)
    assert row.mean_difference == pytest.approx(1.0)


def test_why_a_codec_has_no_difference_from_another() -> None:
    points = dict.fromkeys("abc", (0.2, 33.0))
    cells = [
        *own(points), *own(points, "point"), *ladder_cells("blind", dict.fromkeys("abc", LINE), scores={}),
        *ladder_cells("dear", {"a": LINE, "b": [(0.3, 33.0), (0.4, 34.0)], "c": [(0.3, 33.0), (0.4, 34.0)]}),
        *ladder_cells("elsewhere", {"d": LINE}), *ladder_cells("png", dict.fromkeys("abc", ((9.0, None),))),
    ]  # fmt: skip
    reasons = {name: row.reason for name, row in rows_of(cells).items()}
    assert reasons == {
        "blind": "no psnr yet", "dear": "1 of 3 pictures", "elsewhere": "0 of 3 pictures", "png": "lossless",
        "point": "one point",
    }  # fmt: skip


def test_equal_scores_are_neither_won_nor_lost_and_show_nothing() -> None:
    points = {f"p{place}": LINE[2] for place in range(6)}
    row = rows_of([*own(points), *ladder_cells("line", dict.fromkeys(points, LINE))])["line"]
    assert (row.mean_difference, row.median_difference, row.wins, row.losses) == (0.0, 0.0, 0, 0)
    assert (row.interval.low, row.interval.high, row.p_value) == (0.0, 0.0, 1.0)
    assert row.verdict == "not shown"
    # The end of this curve comes back as 38.9 less 7e-15: rounding makes no winner.
    curve = [(0.39, 28.2), (0.64, 31.6), (0.78, 38.9)]
    row = rows_of([*own({"a": curve[-1]}), *ladder_cells("line", {"a": curve})])["line"]
    assert (row.wins, row.losses, row.mean_difference) == (0, 0, 0.0)


def test_seeds_are_averaged_first() -> None:
    cells = [
        cell("own", "a", 10.0, rate=rate, score=score, seed=seed)
        for seed, rate, score in ((1, 0.1, 31.0), (2, 0.3, 36.0))
    ]
    cells += [
        cell("line", "a", setting, rate=rate, score=score + shift, seed=seed)
        for setting, (rate, score) in enumerate(LINE)
        for seed, shift in ((1, -0.5), (2, 0.7))
    ]
    row = rows_of(cells)["line"]
    # Means of 0.2 bits per pixel and 33.5 dB, on a line that lies 0.1 dB higher: 32.1 dB.
    assert row.mean_difference == pytest.approx(1.4)
    assert (row.reach, row.bits_per_pixel) == (reach(1, 1), pytest.approx(0.2))


def test_each_setting_is_a_row_at_its_own_bytes_and_rare_ones_are_none() -> None:
    cells = ladder_cells("own", {name: [(0.2, 33.0), (0.8, 35.0)] for name in "abc"})
    cells += [cell("own", "a", 30.0, rate=1.0, score=36.0)]  # one picture of three
    cells += ladder_cells("line", dict.fromkeys("abc", LINE))
    cells += ladder_cells("zig", dict.fromkeys("abc", ((0.4, 30.0), (1.6, 40.0))))
    rows = own_rate_rows(OfColumns.compare(cells, PSNR), PSNR, ["id-own"])
    outcome = [
        (row.setting, row.against_id, row.bits_per_pixel, row.mean_difference, row.reason) for row in rows
    ]
    assert outcome == [
        (10.0, "id-line", pytest.approx(0.2), pytest.approx(1.0), None),
        (10.0, "id-zig", pytest.approx(0.2), None, "0 of 3 pictures"),
        (20.0, "id-line", pytest.approx(0.8), pytest.approx(-1.0), None),
        (20.0, "id-zig", pytest.approx(0.8), pytest.approx(0.0, abs=1e-12), None),
    ]


def test_holms_correction_is_over_the_codecs_that_one_setting_is_compared_with() -> None:
    shifts = {"far": 0.0, "near": 0.55, "middle": 0.25}
    noise = np.random.default_rng(5).normal(0.9, 0.6, 12)
    together, alone = gains(noise, "far"), {}
    names = [cell.picture_sha256 for cell in together if cell.codec == "own"]
    for rival, shift in shifts.items():
        line = [(rate, score + shift) for rate, score in LINE]
        cells = ladder_cells(rival, dict.fromkeys(names, line))
        alone[rival] = rows_of([*(cell for cell in together if cell.codec == "own"), *cells])[rival].p_value
        together += cells if rival != "far" else []
    assert 0 < alone["far"] < alone["middle"] < alone["near"] < 0.2
    outcome = {rival: row.p_value for rival, row in rows_of(together).items()}
    assert outcome["far"] == pytest.approx(3 * alone["far"])
    assert outcome["middle"] == pytest.approx(max(3 * alone["far"], 2 * alone["middle"]))
    assert outcome["near"] == pytest.approx(max(2 * alone["middle"], alone["near"]))


def test_which_codecs_have_too_few_points_for_a_bd_rate() -> None:
    pictures = "abcd"
    cells = [
        *ladder_cells("three", dict.fromkeys(pictures, LINE)),
        *ladder_cells("dominated", dict.fromkeys(pictures, ((0.2, 33.0), (0.4, 32.0)))),
        *ladder_cells("identical", dict.fromkeys(pictures, ((2.0, None),))),
        *own(dict.fromkeys(pictures, (0.2, 33.0))),
        *own({"a": (0.2, 33.0)}, "few"),
    ]
    comparison = OfColumns.compare(cells, PSNR)
    assert codecs_without_curve(comparison, PSNR) == ["id-dominated", "id-own"]
    assert codecs_without_curve(comparison, PSNR, "akima") == ["id-dominated", "id-own"]
    assert codecs_without_curve(comparison, PSNR, "cubic") == ["id-dominated", "id-own", "id-three"]
    assert own_rate_rows(comparison, PSNR, []) == []


def random_cells(random: np.random.Generator) -> list[ScoredCell]:
    """Return codecs with gaps of every kind: pictures, settings, scores, seeds, identical pixels, ties."""
    cells: list[ScoredCell] = []
    for codec, settings in (("own", 1), ("two", 2), ("five", 5), ("six", 6)):
        for picture in (f"p{place}" for place in range(30)):
            detail = random.uniform(0.6, 1.6)
            for setting in range(settings):
                rate = detail * (0.4 if codec == "own" else 0.1 * 1.9**setting)
                if setting and random.random() < 0.1:
                    rate = cells[-1].bits_per_pixel
                for seed in range(random.integers(1, 3)):
                    score = 32 + 3 * np.log2(rate) + random.normal(0, 1.5)
                    lossless = random.random() < 0.05
                    scores = {} if random.random() < 0.05 else {PSNR.metric_id: Score(score, lossless)}
                    if random.random() > 0.05:
                        cells.append(
                            cell(codec, picture, float(setting), rate=rate, seed=seed, scores=scores)
                        )
    return cells


def points_of(cells: Sequence[ScoredCell]) -> dict[str, dict[str, dict[float, tuple[float, float | None]]]]:
    """Return codec -> picture -> setting -> mean rate and score over seeds; None where some is identical."""
    groups: dict[tuple[str, str, float], list[ScoredCell]] = defaultdict(list)
    for measured in cells:
        groups[measured.codec, measured.picture_sha256, measured.quality].append(measured)
    outcome: dict[str, dict[str, dict[float, tuple[float, float | None]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for (codec, picture, setting), seeds in groups.items():
        scores = [seed.scores.get(PSNR.metric_id) for seed in seeds]
        if all(scores):
            known = [score for score in scores if score]
            numbers = [float(score.value or 0.0) for score in known if not score.lossless]
            value = fmean(numbers) if len(numbers) == len(known) else None
            outcome[codec][picture][setting] = fmean(seed.bits_per_pixel for seed in seeds), value
    return outcome


def read(points: Sequence[tuple[float, float | None]], rate: float) -> float | str:
    """Return the score of a picture's curve at a rate, or why there is none."""
    if any(score is None and known <= rate for known, score in points):
        return "other_lossless"
    by_rate: dict[float, list[float]] = defaultdict(list)
    for known, score in points:
        if score is not None:
            by_rate[known].append(score)
    curve: list[tuple[float, float]] = []
    for known in sorted(by_rate):
        score = max(by_rate[known])
        if not curve or score > max(best for _, best in curve):
            curve.append((known, score))
    if len(curve) < 2:
        return "other_without_curve"
    if rate < curve[0][0]:
        return "below"
    if rate > curve[-1][0]:
        return "above"
    return float(
        PchipInterpolator([log10(entry) for entry, _ in curve], [entry for _, entry in curve])(log10(rate))
    )


@pytest.mark.parametrize("seed", range(8))
def test_it_is_what_plain_python_and_scipy_make_of_random_stores(seed: int) -> None:
    cells = random_cells(np.random.default_rng(seed))
    points = points_of(cells)
    mine = {picture: settings[0.0] for picture, settings in points["own"].items() if 0.0 in settings}
    lossy = {picture: (rate, score) for picture, (rate, score) in mine.items() if score is not None}
    for rival, row in rows_of(cells).items():
        counts, differences = dict.fromkeys(asdict(reach(0, 0)), 0), []
        for picture, (rate, score) in lossy.items():
            known = list(points[rival].get(picture, {}).values())
            value = read(known, rate) if known else "other_without_score"
            counts[value if isinstance(value, str) else "compared"] += 1
            differences += [] if isinstance(value, str) else [score - value]
        assert row.reach == Reach(**{**counts, "of_pictures": len(lossy)})
        assert (row.lossless, row.bits_per_pixel) == (
            len(mine) - len(lossy),
            pytest.approx(fmean(rate for rate, _ in lossy.values()), rel=1e-12),
        )
        assert (row.reason is None) == (2 * len(differences) >= len(lossy))
        if row.reason is None:
            assert row.mean_difference == pytest.approx(fmean(differences), rel=1e-12, abs=1e-12)
            assert row.median_difference == pytest.approx(median(differences), rel=1e-12, abs=1e-12)
            assert row.wins == sum(difference > 1e-7 for difference in differences)
            assert row.losses == sum(difference < -1e-7 for difference in differences)
            assert isfinite(row.p_value or 0.0)


@pytest.mark.scaled
def test_the_interval_holds_the_true_difference(tenth: Callable[[int], int]) -> None:
    random, studies, pictures, hits = np.random.default_rng(3), tenth(2000), 12, 0
    names = [f"p{place}" for place in range(pictures)]
    for _ in range(studies):
        # Skewed: a few pictures gain much. Each picture has its own line, a tenth of them above the rate.
        gain = random.gamma(2.0, 1.0, pictures)
        base, low = random.normal(30, 3, pictures), np.where(random.random(pictures) < 0.1, 0.3, 0.1)
        points = {name: (0.2, base[at] + gain[at]) for at, name in enumerate(names)}
        lines = {
            name: [(low[at], base[at] + 2 * np.log2(low[at] / 0.2)), (0.8, base[at] + 4.0)]
            for at, name in enumerate(names)
        }
        comparison = OfColumns.compare([*own(points), *ladder_cells("line", lines)], PSNR)
        (row,) = own_rate_rows(comparison, PSNR, ["id-own"], lambda count: resample(count, random, 1000))
        assert row.interval.low is not None
        assert row.interval.high is not None
        hits += row.interval.low < 2.0 < row.interval.high
    # Of 12 skewed pictures the interval holds the truth 91 to 96 % of the time; on either side a false alarm
    # is one in a thousand.
    low_hits, high_hits = stats.binom.ppf(0.001, studies, 0.91), stats.binom.ppf(0.999, studies, 0.96)
    assert low_hits <= hits <= high_hits
