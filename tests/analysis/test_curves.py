from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import bjontegaard
import numpy as np
import pytest
from metric_rows import named
from row_oracle.curves import columns_at_quality, quality_at_rate, rate_at_quality

from codecarena.bench.analysis.curves import (
    NO_OVERLAP,
    BdQuality,
    Method,
    bd_quality_of_curves,
    bd_rate,
    clean,
    from_quality,
    to_quality,
)
from codecarena.bench.records.metric_facts import CurveScale, Direction

RATES = [0.1, 0.2, 0.4, 0.8]
QUALITIES = [28.0, 31.0, 34.0, 37.0]


def published(folder: Path, codec: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
    path = folder / "published" / "compressai_kodak" / f"{codec}.json"
    results = json.loads(path.read_text())["results"]
    return np.array(results["bpp"]), to_quality(named(metric).curve_scale, "higher", results[f"{metric}-rgb"])


@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("metric", ["psnr", "ms-ssim"])
@pytest.mark.parametrize("anchor", ["jpeg", "bpg_444_x265_ycbcr"])
@pytest.mark.parametrize("test", ["webp", "jpeg2000"])
def test_agrees_with_bjontegaard_on_published_curves(
    test_data: Path, anchor: str, test: str, metric: str, method: Method
) -> None:
    a, t = published(test_data, anchor, metric), published(test_data, test, metric)
    oracle = bjontegaard.bd_rate(*a, *t, method=method, require_matching_points=False, min_overlap=0)
    computed = bd_rate(*a, *t, method=method)
    assert computed.percent == pytest.approx(oracle, abs=1e-6)
    assert computed.reason is None
    assert computed.dropped == 0


@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_bjontegaard_on_curves_of_any_shape_that_rise(seed: int, method: Method) -> None:
    random = np.random.default_rng(seed)

    def curve(points: int, gain: float) -> tuple[np.ndarray, np.ndarray]:
        log_rates = -2.5 + np.cumsum(random.gamma(1.5, 0.4, points))
        qualities = 25 + np.cumsum(random.gamma(1.5, 1.2, points)) + gain
        return np.exp(log_rates), qualities

    anchor, test = curve(random.integers(4, 12), 0.0), curve(random.integers(4, 12), random.normal(0, 1))
    oracle = bjontegaard.bd_rate(*anchor, *test, method=method, require_matching_points=False, min_overlap=0)
    shuffled = random.permutation(len(test[0]))
    computed = bd_rate(*anchor, test[0][shuffled], test[1][shuffled], method)
    assert computed.percent == pytest.approx(oracle, abs=1e-6, rel=1e-7)


def quality_difference(anchor, test, method: Method = "pchip") -> BdQuality:
    return bd_quality_of_curves(clean(*anchor), clean(*test), method)


@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("metric", ["psnr", "ms-ssim"])
@pytest.mark.parametrize("anchor", ["jpeg", "bpg_444_x265_ycbcr"])
@pytest.mark.parametrize("test", ["webp", "jpeg2000"])
def test_bd_quality_agrees_with_bjontegaard_on_published_curves(
    test_data: Path, anchor: str, test: str, metric: str, method: Method
) -> None:
    a, t = published(test_data, anchor, metric), published(test_data, test, metric)
    oracle = bjontegaard.bd_psnr(*a, *t, method=method, require_matching_points=False, min_overlap=0)
    computed = quality_difference(a, t, method)
    assert computed.difference == pytest.approx(oracle, abs=1e-9)
    assert (computed.shared_low, computed.shared_high) == (
        max(min(a[0]), min(t[0])),
        min(max(a[0]), max(t[0])),
    )


def test_bd_quality_of_a_shift_is_the_shift_and_of_unlike_rates_nothing() -> None:
    shifted = [quality + 1.5 for quality in QUALITIES]
    for method in get_args(Method):
        assert quality_difference((RATES, QUALITIES), (RATES, shifted), method).difference == pytest.approx(
            1.5
        )
    # Twice the rate at 3 dB an octave.
    doubled = quality_difference((RATES, QUALITIES), ([2 * rate for rate in RATES], QUALITIES))
    assert doubled.difference == pytest.approx(-3)
    apart = quality_difference((RATES, QUALITIES), ([10 * rate for rate in RATES], QUALITIES))
    assert (apart.difference, apart.reason) == (None, "no shared rate")
    assert quality_difference((RATES, QUALITIES), ([0.3], [30.0])).reason == "one point"
    assert quality_difference(([0.3], [30.0]), (RATES, QUALITIES)).reason == "anchor: one point"
    few = quality_difference((RATES[:3], QUALITIES[:3]), (RATES, QUALITIES), "cubic")
    assert few.reason == "anchor: fewer than 4 points"


def test_curves_that_do_not_rise_are_where_we_differ_from_bjontegaard() -> None:
    """The package refuses them, or fits the dominated setting too; we leave it out and say so."""
    rates, qualities = [0.1, 0.2, 0.3, 0.4, 0.8], [28.0, 31.0, 30.0, 34.0, 37.0]
    with pytest.raises(ValueError, match="strictly increasing"):
        bjontegaard.bd_rate(RATES, QUALITIES, rates, qualities, "pchip", require_matching_points=False)
    oracle = bjontegaard.bd_rate(RATES, QUALITIES, rates, qualities, "cubic", require_matching_points=False)
    assert oracle > 1
    for method in get_args(Method):
        computed = bd_rate(RATES, QUALITIES, rates, qualities, method)
        assert computed.percent == pytest.approx(0, abs=1e-9)
        assert computed.dropped == 1


def test_a_cubic_that_swings_beyond_all_numbers_has_a_reason() -> None:
    steep = [0.001, 0.2, 400.0, 500.0], [28.0, 30.0, 30.0001, 60.0]
    flat = RATES, [28.0, 38.0, 50.0, 60.0]
    assert bd_rate(*flat, *steep, "cubic").reason == "more than any number"
    assert bd_rate(*steep, *flat, "cubic").percent == -100


@pytest.mark.parametrize("method", get_args(Method))
def test_equal_curves_differ_by_nothing_and_what_is_no_number_is_left_out(method: Method) -> None:
    nothing = [np.nan, np.inf]
    result = bd_rate(RATES, QUALITIES, [*RATES, 1.0, 2.0], [*QUALITIES, *nothing], method)
    assert result.percent == pytest.approx(0, abs=1e-9)
    assert bd_rate(RATES, QUALITIES, RATES, [np.nan] * 4, method).reason == "no curve"


def test_lower_is_better_agrees_with_bjontegaard() -> None:
    test = [0.09, 0.17, 0.37, 0.7], [5.5, 4.1, 2.0, 1.2]
    anchor = RATES, [6.0, 4.0, 2.5, 1.0]
    computed = bd_rate(
        anchor[0], to_quality("linear", "lower", anchor[1]), test[0], to_quality("linear", "lower", test[1])
    )
    # The oracle wants its points in the order of rising distance.
    oracle = bjontegaard.bd_rate(
        *(list(reversed(column)) for column in (*anchor, *test)), method="pchip", min_overlap=0
    )
    assert computed.percent == pytest.approx(oracle, abs=1e-9)


def test_half_the_rate_at_every_quality_is_minus_fifty_percent() -> None:
    result = bd_rate(RATES, QUALITIES, [rate / 2 for rate in RATES], QUALITIES)
    assert result.percent == pytest.approx(-50)
    assert (result.shared_low, result.shared_high, result.overlap) == (28.0, 37.0, 1.0)


def test_overlap_is_the_shared_part_of_the_range_both_span() -> None:
    result = bd_rate(RATES, QUALITIES, RATES, [34.0, 37.0, 38.0, 40.0])
    assert (result.shared_low, result.shared_high) == (34.0, 37.0)
    assert result.overlap == pytest.approx(3 / 12)


@pytest.mark.parametrize("shift", [9.0, 20.0])
def test_curves_that_share_no_range_have_a_reason(shift: float) -> None:
    result = bd_rate(RATES, QUALITIES, RATES, [quality + shift for quality in QUALITIES])
    assert (result.percent, result.reason) == (None, NO_OVERLAP)


def test_too_few_points_have_a_reason() -> None:
    assert bd_rate(RATES, QUALITIES, [0.3], [30.0]).reason == "one point"
    assert bd_rate([0.3], [30.0], RATES, QUALITIES).reason == "anchor: one point"
    assert bd_rate(RATES, QUALITIES, [], []).reason == "no curve"
    assert bd_rate(RATES, QUALITIES, RATES[:3], QUALITIES[:3], method="cubic").reason == "fewer than 4 points"


def test_a_dominated_setting_is_dropped_and_counted() -> None:
    worse = bd_rate(RATES, QUALITIES, [*RATES, 0.5], [*QUALITIES, 33.0])
    assert worse.percent == pytest.approx(0)
    assert worse.dropped == 1


def test_clean_sorts_drops_the_worse_of_equal_rates_and_leaves_out_the_infinite() -> None:
    curve = clean([0.8, 0.2, 0.2, 0.4, 0.9], [37, 30, 32, 34, np.inf], [8, 1, 3, 4, 9])
    np.testing.assert_array_equal(curve.rates, [0.2, 0.4, 0.8])
    np.testing.assert_array_equal(curve.qualities, [32, 34, 37])
    np.testing.assert_array_equal(curve.columns, [[3, 4, 8]])
    assert curve.dropped == 1


@pytest.mark.parametrize("dearer", [0.0, 1e-17, 1e-3])
@pytest.mark.parametrize("method", get_args(Method))
def test_of_two_settings_of_one_rate_the_worse_is_dropped_as_when_it_costs_more(
    dearer: float, method: Method
) -> None:
    rates, qualities = [0.08, 0.16 + dearer, 0.16, 0.32, 0.64], [28.0, 28.5, 31.0, 34.0, 37.0]
    result = bd_rate(RATES, QUALITIES, rates, qualities, method)
    assert (result.percent, result.dropped) == (pytest.approx(-20), 1)
    # The other way round, what costs as much and looks better than the anchor's.
    opposite = bd_rate(rates, qualities, RATES, QUALITIES, method)
    assert opposite.percent == pytest.approx(25)


def test_of_two_settings_that_are_alike_one_is_left() -> None:
    result = bd_rate(RATES, QUALITIES, [*RATES, 0.2], [*QUALITIES, 31.0])
    assert (result.percent, result.dropped) == (pytest.approx(0), 1)


def test_of_equal_qualities_the_dearer_is_dropped() -> None:
    curve = clean([0.1, 0.3, 0.2, 0.4], [28, 31, 31, 34])
    np.testing.assert_array_equal(curve.rates, [0.1, 0.2, 0.4])
    assert curve.dropped == 1


@pytest.mark.parametrize(
    ("scale", "better", "score", "quality"),
    [("linear", "higher", 31.5, 31.5), ("decibel", "higher", 0.99, 20.0), ("linear", "lower", 2.5, -2.5)],
)
def test_quality_scale_and_back(scale: CurveScale, better: Direction, score: float, quality: float) -> None:
    assert float(to_quality(scale, better, score)) == pytest.approx(quality)
    assert from_quality(scale, better, quality) == pytest.approx(score)


def test_a_perfect_similarity_is_infinite_quality() -> None:
    assert np.isposinf(to_quality("decibel", "higher", [1.0, 1.0 + 1e-9])).all()


def test_interpolation_hits_the_points_and_stops_at_the_ends() -> None:
    curve = clean(RATES, QUALITIES, [1, 2, 3, 10])
    assert quality_at_rate(curve, 0.4) == pytest.approx(34)
    assert rate_at_quality(curve, 34) == pytest.approx(0.4)
    assert columns_at_quality(curve, 34) == pytest.approx([3])
    assert 31 < (quality_at_rate(curve, 0.3) or 0) < 34
    assert quality_at_rate(curve, 0.81) is None
    assert rate_at_quality(curve, 27.9) is None
    assert columns_at_quality(curve, 37.1) is None


def test_one_point_is_no_curve_to_read_from() -> None:
    assert quality_at_rate(clean([0.3], [30]), 0.3) is None
    assert rate_at_quality(clean([], []), 30) is None
