"""Distances between sets worked out by hand, with originals that are not the decoded pictures; views."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from codecarena.bench.sets import distances, registry
from codecarena.bench.sets.textures import LEVELS, PATCHES_PER_LEVEL, PyramidPatches, RingPower
from codecarena.bench.sets.tiles import corners, tiles, whole


def cloud(*values: float) -> np.ndarray:
    """Return vectors of one feature."""
    return np.array(values, dtype=float)[:, None]


def level(*values: float) -> np.ndarray:
    """Return vectors of one axis on one level."""
    return np.array(values, dtype=float)[:, None, None]


@pytest.mark.parametrize(
    ("originals", "decoded", "expected"),
    [
        # Of normal distributions with one feature: (m1 - m2)^2 + (s1 - s2)^2, deviations over n - 1.
        (cloud(0, 2), cloud(0, 2), 0.0),
        (cloud(0, 2), cloud(5, 7), 25.0),
        (cloud(0, 2), cloud(1, 7), 3**2 + (math.sqrt(2) - math.sqrt(18)) ** 2),
        (cloud(-1, 0, 1), cloud(-6, 0, 6), (1 - 6) ** 2),
        (cloud(-1, 0, 1), cloud(0, 0, 0), 1.0),
    ],
)
def test_the_frechet_distance_of_two_lines_of_points(originals, decoded, expected: float) -> None:
    assert distances.frechet(originals, decoded) == pytest.approx(expected, abs=1e-12)
    assert distances.frechet(decoded, originals) == pytest.approx(expected, abs=1e-12)


def test_the_frechet_distance_of_a_turned_ellipse() -> None:
    """Axes of variance 4 and 1, exchanged: each axis adds (2 - 1)^2."""
    corners_of = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]) * math.sqrt(3 / 4)
    flat, tall = corners_of * [2, 1], corners_of * [1, 2]
    assert distances.frechet(flat, tall) == pytest.approx(2.0)
    assert distances.frechet(flat, tall + np.array([3, 4])) == pytest.approx(2.0 + 25.0)


@pytest.mark.parametrize(
    ("originals", "decoded", "expected"),
    [
        # k(x, y) = (x y + 1)^3. Within: k(0, 1) = 1 and k(1, 2) = 27; between: 1, 1, 8, 27.
        (cloud(0, 1), cloud(1, 2), 1 + 27 - 2 * (1 + 1 + 8 + 27) / 4),
        (cloud(0, 0), cloud(0, 0), 0.0),
        # Equal clouds: pairs of equal pictures count between the clouds only, so it is below 0.
        (cloud(0, 1), cloud(0, 1), 1 + 1 - 2 * (1 + 1 + 1 + 8) / 4),
        # Three against two: within the mean of k over 6 ordered pairs, between over 6 pairs.
        (cloud(0, 1, 2), cloud(0, 2), (1 + 1 + 27) / 3 + 1 - 2 * (1 + 1 + 1 + 27 + 1 + 125) / 6),
        # Two features: the product is halved.
        (
            np.array([[1.0, 1.0], [2.0, 0.0]]),
            np.array([[0.0, 0.0], [0.0, 4.0]]),
            8 + 1 - 2 * (1 + 27 + 1 + 1) / 4,
        ),
    ],
)
def test_the_kernel_distance_of_a_few_points(originals, decoded, expected: float) -> None:
    assert distances.kernel(originals, decoded) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("rows", [1, 2, 3, 2048])
def test_the_kernel_distance_is_the_same_in_however_many_parts(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distances, "_ROWS", rows)
    assert distances.kernel(cloud(0, 1, 2), cloud(0, 2)) == pytest.approx(29 / 3 + 1 - 2 * 156 / 6)


@pytest.mark.parametrize(
    ("originals", "decoded", "expected"),
    [
        # In deviations of the originals, which are 1, 1 and 5; the decoded pictures' are others.
        (level(-1, 1), level(9, 11), 10.0),
        (level(-1, 1), level(-3, 3), 2.0),
        (level(-5, 5), level(-1, 1), 4 / 5),
        (level(-5, 5), level(20, 30), 5.0),
        # Originals that are all equal keep their own units.
        (level(7, 7), level(8, 10), 2.0),
        # The order of the pictures says nothing: -1 goes to -2 and 1 to 3.
        (level(1, -1), level(-2, 3), 1.5),
    ],
)
def test_the_sliced_distance_is_in_deviations_of_the_originals(originals, decoded, expected: float) -> None:
    """On one axis every projection is that axis or its mirror."""
    assert distances.sliced_wasserstein(originals, decoded) == pytest.approx(expected)


def test_the_sliced_distance_is_the_mean_over_levels_and_over_projections() -> None:
    first, second = level(-1, 1), level(-3, 3)
    both = np.concatenate([first, first], axis=1), np.concatenate([second, first], axis=1)
    assert distances.sliced_wasserstein(*both) == pytest.approx((2.0 + 0.0) / 2)
    generator = np.random.default_rng(3)
    originals, decoded = generator.normal(2, 3, (9, 1, 4)), generator.normal(1, 5, (9, 1, 4))
    scaled = [
        (entry[:, 0] - originals[:, 0].mean(0)) / originals[:, 0].std(0) for entry in (originals, decoded)
    ]
    directions = np.random.default_rng(0).standard_normal((4, 512))
    directions /= np.sqrt((directions**2).sum(axis=0))
    projected = [wasserstein_distance(*(entry @ direction for entry in scaled)) for direction in directions.T]
    assert distances.sliced_wasserstein(originals, decoded) == pytest.approx(np.mean(projected))
    assert distances.PROJECTIONS == 512


def test_the_spectrum_distance_is_of_the_mean_spectra_and_either_way_as_far() -> None:
    originals = np.array([[1.0, 10.0], [3.0, 30.0]])
    decoded = np.array([[20.0, 2.0]])
    # Means 2 and 20 against 20 and 2: both rings are 10 dB apart, one up and one down.
    assert distances.spectrum(originals, decoded) == pytest.approx(10.0)
    assert distances.spectrum(decoded, originals) == pytest.approx(10.0)
    assert distances.spectrum(originals, np.array([[2.0, 200.0]])) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((255, 256), []),
        ((256, 255), []),
        ((256, 256), [(0, 0)]),
        ((383, 511), [(0, 0)]),
        ((383, 512), [(0, 0), (0, 256)]),
        ((512, 256), [(0, 0), (256, 0)]),
        # From 1.5 tiles on both sides there is a second grid, 128 further right and down.
        ((384, 383), [(0, 0)]),
        ((384, 384), [(0, 0), (128, 128)]),
        ((384, 640), [(0, 0), (0, 256), (128, 128), (128, 384)]),
    ],
)
def test_tiles_lie_on_two_grids(size: tuple[int, int], expected: list[tuple[int, int]]) -> None:
    assert corners(*size) == expected
    pixels = np.zeros((*size, 3), np.uint8)
    assert [tile.shape for tile in tiles(pixels)] == [(256, 256, 3)] * len(expected)
    assert whole(pixels)[0] is pixels


def test_patches_come_from_every_level_of_the_pyramid_at_the_same_places_in_every_tile() -> None:
    flat = np.full((256, 256, 3), 90, np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    patches = PyramidPatches().describe([noise, flat, noise])
    assert (LEVELS, PATCHES_PER_LEVEL, patches.shape) == (4, 32, (96, 4, 147))
    assert np.array_equal(patches[:32], patches[64:])
    # Of a flat tile every difference is nothing, and the last level is the colour itself.
    assert not patches[32:64, :3].any()
    assert (patches[32:64, 3] == 90).all()
    # The first level holds detail: a patch of it is the tile less its own blur.
    assert patches[:32, 0].std() > 2 * patches[:32, 3].std()


def test_patches_lie_all_over_a_tile_and_none_reaches_beyond_it() -> None:
    """Of 64 places drawn at random the lowest and highest are near the ends."""
    for level, places in enumerate(PyramidPatches()._places):
        last = 256 // 2**level - 7
        assert 0 <= places.min() < 0.1 * last
        assert 0.9 * last < places.max() <= last


def test_a_finer_pattern_has_its_power_in_a_higher_ring() -> None:
    columns = np.arange(256)
    waves = [
        np.broadcast_to(
            (128 + 90 * np.cos(2 * np.pi * columns / period))[None, :, None], (256, 256, 3)
        ).astype(np.uint8)
        for period in (16, 4)
    ]
    coarse, fine = RingPower().describe(waves)
    assert RingPower().describe(waves).shape[0] == 2
    assert int(np.argmax(coarse)) < int(np.argmax(fine))


@pytest.mark.parametrize(
    ("name", "distance", "tile", "shift", "needs_many"),
    [
        ("fid", distances.frechet, 256, 128, True),
        ("kid", distances.kernel, 256, 128, False),
        ("fid-whole", distances.frechet, None, None, True),
        ("swd", distances.sliced_wasserstein, 256, 128, False),
        ("spectrum", distances.spectrum, 256, 128, False),
    ],
)
def test_each_metric_of_sets_has_its_own_distance_and_views(
    name: str,
    distance: object,
    tile: int | None,
    shift: int | None,
    needs_many: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Weightless:
        extractor, weights_sha256 = "made up", "abc"

    monkeypatch.setattr(registry, "_describer", lambda _: Weightless())
    metric = registry.create(name)
    assert metric.distance is distance
    identity = metric.identity
    assert (identity.name, identity.extractor, identity.weights_sha256) == (name, "made up", "abc")
    assert (identity.tile_pixels, identity.shift_pixels, metric.needs_many) == (tile, shift, needs_many)
