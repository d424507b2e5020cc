"""Curves read by the thousand are read as each is alone; plateaus, ties and ends are as worked out."""

from __future__ import annotations

from typing import get_args

import bjontegaard
import numpy as np
import pytest
from engines import compare
from metric_rows import named
from row_oracle.curves import columns_at_quality, quality_at_rate, rate_at_quality
from scipy.interpolate import Akima1DInterpolator, PchipInterpolator
from scored_cells import DELTA, PSNR, ladder_cells

from codecarena.bench.analysis.curve_batches import CurveBatch, log_rate_differences, pchip_slopes
from codecarena.bench.analysis.curves import (
    Method,
    bd_rate,
    clean,
    from_quality,
    to_quality,
)
from codecarena.bench.analysis.published import published_curves
from codecarena.bench.analysis.readings import (
    clean_curves,
    qualities_at_rate,
    rates_at_quality,
)
from codecarena.bench.analysis.readings import (
    columns_at_quality as columns_of_all,
)
from codecarena.bench.store.imports import Published

NAN, INF = np.nan, np.inf
CURVES = [
    # rates, qualities
    ([0.4, 0.1, 0.2, 0.8], [34, 28, 31, 37]),  # in any order
    ([0.1, 0.2, 0.2, 0.8], [28, 30, 32, 37]),  # two of one rate
    ([0.1, 0.1, 0.1, 0.1], [28, 30, 32, 37]),  # all of one rate
    ([0.1, 0.2, 0.4, 0.8], [28, 33, 32, 37]),  # one dominated
    ([0.1, 0.2, 0.4, 0.8], [28, 28, 32, 32]),  # plateaus
    ([0.1, 0.2, 0.4, 0.8], [37, 34, 31, 28]),  # falling
    ([0.1, 0.2, 0.4, 0.8], [28, 31, INF, NAN]),  # lossless, and without a score
    ([NAN, 0.2, 0.4, NAN], [NAN, 31, 34, NAN]),  # not measured
    ([0.0, -0.2, 0.4, 0.8], [28, 31, 34, 37]),  # no rates
    ([NAN] * 4, [NAN] * 4),
    ([0.1, 0.2, 0.2, 0.8], [28, 30, INF, 37]),  # of two of one rate, one lossless
    ([0.1, 0.2, 0.2, 0.8], [30, 29, 33, 37]),  # of two of one rate, the better stands first or last
]  # fmt: skip
RATES, QUALITIES = (np.array([curve[side] for curve in CURVES], dtype=float) for side in (0, 1))
SIZES, SECONDS = 1000 * RATES + 7, 3 + np.arange(RATES.size).reshape(RATES.shape) ** 1.1


@pytest.mark.parametrize("at", [0.1, 0.15, 0.2, 0.3, 0.4, 0.8, 0.81, 0.09])
def test_every_curve_at_a_rate(at: float) -> None:
    outcome = qualities_at_rate(clean_curves(RATES, QUALITIES), at)
    single = [quality_at_rate(clean(*pair), at) for pair in zip(RATES, QUALITIES, strict=True)]
    np.testing.assert_allclose(outcome, [NAN if entry is None else entry for entry in single], rtol=1e-12)


@pytest.mark.parametrize("at", [27.9, 28.0, 30.0, 31.0, 32.5, 37.0, 37.1])
def test_every_curve_at_a_quality(at: float) -> None:
    curves = clean_curves(RATES, QUALITIES, SIZES, SECONDS)
    rows = [clean(*row) for row in zip(RATES, QUALITIES, SIZES, SECONDS, strict=True)]
    np.testing.assert_array_equal(curves.points, [row.points for row in rows])
    rates = [rate_at_quality(row, at) for row in rows]
    np.testing.assert_allclose(
        rates_at_quality(curves, at), [NAN if rate is None else rate for rate in rates]
    )
    columns = [columns_at_quality(row, at) for row in rows]
    expected = np.array([[NAN, NAN] if column is None else column for column in columns]).T
    np.testing.assert_allclose(columns_of_all(curves, at), expected)


def test_curves_are_clean_and_nan_behind_their_last_point() -> None:
    curves = clean_curves(RATES, QUALITIES, SIZES)
    np.testing.assert_array_equal(curves.points, [4, 3, 1, 3, 2, 1, 2, 2, 2, 0, 3, 3])
    np.testing.assert_allclose(curves.rates[1], [0.1, 0.2, 0.8, NAN])
    np.testing.assert_allclose(curves.qualities[1], [28, 32, 37, NAN])
    np.testing.assert_allclose(curves.columns[0, 3], [107, 207, 807, NAN])
    np.testing.assert_allclose(curves.qualities[11], [30, 33, 37, NAN])
    assert np.isnan(curves.rates[9]).all()


@pytest.mark.parametrize("method", get_args(Method))
def test_a_batch_of_odd_curves_is_each_on_its_own(method: Method) -> None:
    anchor = np.tile([0.1, 0.2, 0.4, 0.8], (len(CURVES), 1)), np.tile([27.0, 30, 33, 38], (len(CURVES), 1))
    differences = log_rate_differences(CurveBatch(*anchor, method), CurveBatch(RATES, QUALITIES, method))
    single = [bd_rate(*(side[row] for side in anchor), *CURVES[row], method) for row in range(len(CURVES))]
    expected = [NAN if entry.percent is None else np.log1p(entry.percent / 100) for entry in single]
    np.testing.assert_allclose(differences, expected, rtol=1e-9, atol=1e-12)
    turned = log_rate_differences(CurveBatch(RATES, QUALITIES, method), CurveBatch(*anchor, method))
    np.testing.assert_allclose(turned, -differences, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_slopes_and_areas_are_scipys(seed: int) -> None:
    random = np.random.default_rng(seed)
    x = np.cumsum(random.gamma(1.0, 1.0, (40, 3 + seed)), axis=1)
    # Not every step rises: slopes turn, and some are level.
    y = np.cumsum(np.round(random.normal(0.3, 1.0, x.shape), 0), axis=1)
    slopes = pchip_slopes(x, y)
    oracle = [PchipInterpolator(*row).derivative()(row[0]) for row in zip(x, y, strict=True)]
    np.testing.assert_allclose(slopes, oracle, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    "qualities",
    [
        [28.0, 31, 34, 37, 40],  # evenly: Akima's weights are undefined everywhere
        [28.0, 31, 34, 37, 42],  # and but for one end
        [28.0, 29, 34, 34.5, 40],
    ],
)
def test_akimas_rule_for_straight_pieces_is_scipys(qualities: list[float]) -> None:
    x, y = np.array([qualities]), np.log([[0.1, 0.2, 0.4, 0.8, 1.6]])
    batch = CurveBatch(np.exp(y), x, "akima")
    low, high = np.array([29.0]), np.array([36.0])
    oracle = Akima1DInterpolator(x[0], y[0]).integrate(29.0, 36.0)
    assert batch.areas(low, high)[0] == pytest.approx(float(oracle))


@pytest.mark.parametrize("method", get_args(Method))
def test_a_plateau_counts_once_at_its_cheaper_end(method: Method) -> None:
    plateau = [0.1, 0.15, 0.2, 0.4, 0.5, 0.8], [28.0, 28.0, 31.0, 34.0, 34.0, 37.0]
    plain = [0.1, 0.2, 0.4, 0.8], [28.0, 31.0, 34.0, 37.0]
    anchor = [0.11, 0.21, 0.39, 0.83], [27.5, 30.5, 34.5, 38.0]
    computed = bd_rate(*anchor, *plateau, method)
    assert computed.dropped == 2
    oracle = bjontegaard.bd_rate(*anchor, *plain, method=method, require_matching_points=False, min_overlap=0)
    assert computed.percent == pytest.approx(oracle, abs=1e-6)
    assert bd_rate(*plateau, *anchor, method).dropped == 0


def test_one_shared_quality_is_no_range() -> None:
    assert bd_rate([0.1, 0.2], [28, 31], [0.3, 0.4], [31, 34]).reason == "no overlap"
    two = bd_rate([0.1, 0.2], [28, 31], [0.1, 0.2], [28, 31])
    assert (two.percent, two.overlap) == (pytest.approx(0), 1.0)
    assert bd_rate([0.1, 0.2, 0.3, 0.4], [1, 2, 3, 4], [0.1, 0.2, 0.3], [1, 2, 3], "cubic").reason == (
        "fewer than 4 points"
    )
    assert bd_rate([0.1, 0.2, 0.3], [1, 2, 3], [0.1, 0.2, 0.3], [1, 2, 3], "cubic").reason == (
        "anchor: fewer than 4 points"
    )
    assert bd_rate([0.1, 0.2, 0.3], [1, 2, 3], [0.2, 0.1, 0.3], [2, 1, 3], "akima").percent == pytest.approx(
        0
    )


@pytest.mark.parametrize(
    ("name", "better", "score", "quality"),
    [
        ("ssim", "higher", 0.9, 10.0), ("ms-ssim", "higher", 0.0, 0.0), ("pyiqa:ssim", "higher", 0.99, 20.0),
        ("pyiqa:ssimc", "higher", 0.999, 30.0), ("pyiqa:ms_ssim", "higher", 0.99, 20.0),
        ("ssimulacra2", "higher", 0.9, 0.9),
        ("butteraugli", "lower", 1.5, -1.5), ("psnr", "higher", 31.0, 31.0),
    ],
)  # fmt: skip
def test_a_similarity_is_read_in_decibels_and_a_distance_with_its_sign(name, better, score, quality) -> None:
    scale = named(name).curve_scale
    assert float(to_quality(scale, better, score)) == pytest.approx(quality)
    assert from_quality(scale, better, quality) == pytest.approx(score)


def test_two_points_are_read_along_a_straight_line_of_log_rate() -> None:
    curve = clean([0.1, 0.4], [30.0, 34.0], [100.0, 300.0])
    assert quality_at_rate(curve, 0.2) == pytest.approx(32.0)
    assert rate_at_quality(curve, 31.0) == pytest.approx(0.1 * 4**0.25)
    assert columns_at_quality(curve, 33.0) == pytest.approx([250.0])
    ends = [quality_at_rate(curve, 0.1), quality_at_rate(curve, 0.4), rate_at_quality(curve, 34.0)]
    assert ends == pytest.approx([30.0, 34.0, 0.4])


def test_published_means_stand_beside_an_anchor_of_ours() -> None:
    points = [(0.1, 28.0), (0.2, 31.0), (0.4, 34.0), (0.8, 37.0)]
    comparison = compare(ladder_cells("m", {"a": points}), PSNR)
    rows = [
        Published("set", codec, factor * rate, {"psnr": score}, None, None, None, f"{codec}.csv")
        for codec, factor in (("a", 2.0), ("z", 0.5), ("k", 0.5), ("one", 1.0))
        for rate, score in (points[:1] if codec == "one" else points)
    ]
    rows.append(Published("set", "other", 0.3, {"ms-ssim": 0.9}, None, None, None, "other.csv"))
    outcome = published_curves(rows, PSNR, comparison, "id-m")
    assert [cell.codec for cell in outcome] == ["k", "z", "a", "one"]
    assert [entry.bd_rate.percent for entry in outcome[:3]] == pytest.approx([-50, -50, 100], abs=1e-3)
    assert (outcome[2].points, outcome[2].lowest_rate, outcome[2].highest_rate) == (4, 0.2, 1.6)
    assert (outcome[2].provenance, outcome[3].bd_rate.reason) == ("a.csv", "one point")
    assert {curve.bd_rate.reason for curve in published_curves(rows, PSNR, comparison, "nobody")} == {
        "no anchor curve"
    }
    assert published_curves(rows, DELTA, comparison, "id-m") == []


def test_a_flat_curve_beside_a_steep_one_keeps_its_own_slopes() -> None:
    # What is too flat for Akima's weights is told by each curve's own changes of slope.
    shape, x = np.array([0.0, 1, 1.5, 4, 5]), np.array([28.0, 29, 33, 34, 40])
    rates, qualities = np.exp([1e-4 * shape, 5 * shape]), np.array([x, 1e-7 * x])
    low, high = np.array([28.5, 2.9e-6]), np.array([38.0, 3.8e-6])
    together = CurveBatch(rates, qualities, "akima").areas(low, high)
    alone = [
        CurveBatch(rates[[row]], qualities[[row]], "akima").areas(low[[row]], high[[row]])[0]
        for row in (0, 1)
    ]
    np.testing.assert_allclose(together, alone, rtol=1e-9)


def test_every_curve_at_a_rate_of_its_own() -> None:
    at = np.array([0.15, 0.2, 0.1, 0.4, 0.15, 0.1, 0.19, 0.3, NAN, 0.2, 0.8, 0.81])
    outcome = qualities_at_rate(clean_curves(RATES, QUALITIES), at)
    single = [quality_at_rate(clean(*pair), rate) for *pair, rate in zip(RATES, QUALITIES, at, strict=True)]
    np.testing.assert_allclose(outcome, [NAN if entry is None else entry for entry in single], rtol=1e-12)
    assert np.isfinite(outcome).sum() == 7
