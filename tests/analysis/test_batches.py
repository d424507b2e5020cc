from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import bjontegaard
import numpy as np
import pytest
from metric_rows import named

from codecarena.bench.analysis.curve_batches import CurveBatch, log_rate_differences
from codecarena.bench.analysis.curves import Method, bd_quality_of_curves, bd_rate, clean, to_quality


def published(folder: Path, codec: str, metric: str) -> tuple[np.ndarray, np.ndarray]:
    results = json.loads((folder / "published" / "compressai_kodak" / f"{codec}.json").read_text())["results"]
    return np.array(results["bpp"]), to_quality(named(metric).curve_scale, "higher", results[f"{metric}-rgb"])


def ragged(random: np.random.Generator, settings: int) -> tuple[np.ndarray, np.ndarray]:
    """Curves with ties in rate, dominated settings and lossless ones."""
    rates = np.round(np.cumsum(random.exponential(0.2, (300, settings)), axis=1) + 0.02, 2)
    qualities = 28 + 6 * np.log2(rates) + random.normal(0, 0.8, rates.shape)
    qualities[random.random(rates.shape) < 0.05] = np.inf
    return rates, qualities


@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("metric", ["psnr", "ms-ssim"])
def test_batches_agree_with_bjontegaard_on_published_curves(
    test_data: Path, metric: str, method: Method
) -> None:
    names = ("jpeg", "bpg_444_x265_ycbcr", "webp", "jpeg2000")
    curves = {name: published(test_data, name, metric) for name in names}
    pairs = [(name, other) for name in names for other in names if name != other]
    for anchor, test in pairs:
        batches = [CurveBatch(*(column[None] for column in curves[name]), method) for name in (anchor, test)]
        computed = 100 * np.expm1(log_rate_differences(*batches)[0])
        oracle = bjontegaard.bd_rate(
            *curves[anchor], *curves[test], method=method, require_matching_points=False, min_overlap=0
        )
        assert computed == pytest.approx(oracle, abs=1e-6)


@pytest.mark.parametrize("method", get_args(Method))
def test_a_batch_is_every_curve_on_its_own(method: Method) -> None:
    random = np.random.default_rng(3)
    anchor, test = ragged(random, 6), ragged(random, 8)
    differences = log_rate_differences(CurveBatch(*anchor, method), CurveBatch(*test, method))
    single = [bd_rate(*(side[row] for side in (*anchor, *test)), method) for row in range(len(differences))]
    expected = [np.nan if entry.percent is None else np.log1p(entry.percent / 100) for entry in single]
    assert np.count_nonzero(np.isnan(expected)) > 3
    assert any(entry.dropped for entry in single)
    np.testing.assert_allclose(differences, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", get_args(Method))
def test_over_rate_a_batch_is_the_difference_in_quality_of_each(method: Method) -> None:
    random = np.random.default_rng(3)
    anchor, test = ragged(random, 6), ragged(random, 8)
    batches = [CurveBatch(*side, method, over_rate=True) for side in (anchor, test)]
    single = [
        bd_quality_of_curves(*(clean(*(side[row] for side in curve)) for curve in (anchor, test)), method)
        for row in range(len(anchor[0]))
    ]
    known = [entry.difference for entry in single if entry.difference is not None]
    assert len(known) > 150
    assert np.isfinite(known).all()
    expected = [np.nan if entry.difference is None else entry.difference for entry in single]
    np.testing.assert_allclose(log_rate_differences(*batches), expected, rtol=1e-6, atol=1e-8)


def test_rates_that_only_rounding_tells_apart_are_one_rate() -> None:
    # Means of equal rates over resampled pictures differ in their last digit.
    rates = np.array([[0.1, 0.2, 0.2, 0.4], [0.1, np.nextafter(0.2, 0), 0.2, 0.4]])
    qualities = np.array([[28.0, 29.0, 31.0, 34.0]] * 2)
    anchor = CurveBatch(np.array([[0.1, 0.2, 0.4]] * 2), np.array([[28.0, 31.0, 34.0]] * 2))
    batch = CurveBatch(rates, qualities)
    np.testing.assert_array_equal(batch.points, [3, 3])
    np.testing.assert_allclose(log_rate_differences(anchor, batch), 0, atol=1e-9)


def test_curves_of_two_points_are_straight_and_of_one_none() -> None:
    rates, qualities = np.array([[1.0, np.e], [1.0, 2.0]]), np.array([[30.0, 40.0], [30.0, 29.0]])
    batch = CurveBatch(rates, qualities)
    np.testing.assert_array_equal(batch.points, [2, 1])
    areas = batch.areas(np.array([30.0, 30.0]), np.array([40.0, 40.0]))
    assert areas[0] == pytest.approx(5)
    assert np.isnan(areas[1])


def test_curves_without_any_setting_have_no_area() -> None:
    batch = CurveBatch(np.empty((3, 0)), np.empty((3, 0)))
    other = CurveBatch(np.array([[1.0, 2.0]] * 3), np.array([[30.0, 40.0]] * 3))
    np.testing.assert_array_equal(batch.points, [0, 0, 0])
    assert np.isnan(log_rate_differences(other, batch)).all()
    assert np.isnan(log_rate_differences(batch, other)).all()
