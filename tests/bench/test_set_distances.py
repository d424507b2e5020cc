"""Tiles, features and distances of sets, against independent implementations on the same data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import linalg
from sklearn.metrics.pairwise import polynomial_kernel

from codecarena.bench.metrics.base import MetricError, MissingMetricError
from codecarena.bench.sets import distances
from codecarena.bench.sets.inception import OWN_WEIGHTS, Inception
from codecarena.bench.sets.registry import create, entries
from codecarena.bench.sets.textures import PyramidPatches, RingPower
from codecarena.bench.sets.tiles import corners, tiles
from codecarena.codecs.base import Image, Picture
from codecarena.codecs.classic.jpeg import Jpeg
from codecarena.datasets.pixels import read_pixels

pytestmark = pytest.mark.xdist_group("iqa")  # two of them load pyiqa, which takes seconds

Side = tuple[list[Image], list[Image]]


def unfolded(pixels: Image) -> NDArray[np.uint8]:
    """Return the tiles as `torch.nn.functional.unfold` cuts them, both grids, by NeuralCompression's rule."""
    planes = torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()).float()
    grids = [planes, planes[:, :, 128:, 128:]] if min(pixels.shape[:2]) >= 1.5 * 256 else [planes]
    cut = [
        torch.nn.functional.unfold(grid, kernel_size=256, stride=256)
        .permute(0, 2, 1)
        .reshape(-1, 3, 256, 256)
        for grid in grids
    ]
    return torch.cat(cut).permute(0, 2, 3, 1).byte().numpy()


@pytest.mark.parametrize("size", [(512, 768), (383, 700), (384, 384), (256, 256), (641, 897), (1100, 300)])
def test_tiles_are_those_of_neural_compression(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert np.array_equal(np.stack(tiles(pixels)), unfolded(pixels))


def test_a_picture_smaller_than_a_tile_has_none() -> None:
    assert corners(255, 4000) == []


@pytest.fixture(scope="module")
def sides(kodak: list[Path]) -> Side:
    """Every tile of Kodak, and of Kodak as JPEG."""
    codec = Jpeg()
    originals = [read_pixels(path) for path in kodak]
    decoded = [codec.decode(codec.encode(Picture(original), 20)) for original in originals]
    return [tile for original in originals for tile in tiles(original)], [
        tile for entry in decoded for tile in tiles(entry)
    ]


def random_weights(views: list[Image]) -> NDArray[np.float32]:
    """Return 64 features of a small network of random weights."""
    generator = torch.Generator().manual_seed(3)
    first = torch.randn(32, 3, 8, 8, generator=generator) / 14
    second = torch.randn(64, 32, 4, 4, generator=generator) / 22
    described = []
    for view in views:
        planes = torch.from_numpy(view.transpose(2, 0, 1)[None].copy()).float() / 128 - 1
        hidden = torch.relu(torch.nn.functional.conv2d(planes, first, stride=8))
        described.append(torch.relu(torch.nn.functional.conv2d(hidden, second, stride=4)).mean((2, 3)))
    return torch.cat(described).numpy()


def frechet_by_matrix_root(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    entry, two = first.astype(np.float64), second.astype(np.float64)
    root = linalg.sqrtm(np.cov(entry, rowvar=False) @ np.cov(two, rowvar=False)).real
    shift = entry.mean(0) - two.mean(0)
    return float(shift @ shift + np.trace(np.cov(entry, rowvar=False) + np.cov(two, rowvar=False) - 2 * root))


def kernel_by_sklearn(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    entry, two = first.astype(np.float64), second.astype(np.float64)
    within = [polynomial_kernel(cloud, degree=3, gamma=1 / cloud.shape[1], coef0=1) for cloud in (entry, two)]
    for matrix in within:
        np.fill_diagonal(matrix, np.nan)
    between = polynomial_kernel(entry, two, degree=3, gamma=1 / entry.shape[1], coef0=1)
    return float(np.nanmean(within[0]) + np.nanmean(within[1]) - 2 * between.mean())


def test_kodak_gives_192_tiles_and_the_distances_of_scipy_and_scikit_learn(sides: Side) -> None:
    originals, decoded = (random_weights(side) for side in sides)
    assert len(originals) == len(decoded) == 192
    expected = frechet_by_matrix_root(originals, decoded)
    assert distances.frechet(originals, decoded) == pytest.approx(expected, rel=1e-6)
    assert expected > 0
    assert distances.kernel(originals, decoded) == pytest.approx(
        kernel_by_sklearn(originals, decoded), rel=1e-9
    )


def test_the_frechet_distance_of_fewer_vectors_than_features() -> None:
    random = np.random.default_rng(5)
    first, second = random.normal(size=(40, 90)), random.normal(0.1, 1.3, size=(55, 90))
    # The trace of the root from the eigenvalues of the product: no root of a singular matrix is taken.
    values = linalg.eigvals(np.cov(first, rowvar=False) @ np.cov(second, rowvar=False))
    root_trace = np.sqrt(np.clip(values.real, 0, None)).sum()
    shift = first.mean(0) - second.mean(0)
    variances = first.var(0, ddof=1).sum() + second.var(0, ddof=1).sum()
    expected = shift @ shift + variances - 2 * root_trace
    assert distances.frechet(first, second) == pytest.approx(expected, rel=1e-5)


def test_the_kernel_distance_does_not_depend_on_how_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(6)
    first, second = random.normal(size=(50, 8)), random.normal(size=(41, 8))
    whole = distances.kernel(first, second)
    monkeypatch.setattr(distances, "_ROWS", 7)
    assert distances.kernel(first, second) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize(
    ("describer", "distance"),
    [(PyramidPatches(), distances.sliced_wasserstein), (RingPower(), distances.spectrum)],
    ids=["swd", "spectrum"],
)
def test_distances_without_weights_are_zero_for_equal_sets_and_rise_with_lost_detail_and_contrast(
    describer: PyramidPatches | RingPower, distance: Callable[..., float], kodak: list[Path]
) -> None:
    codec = Jpeg()
    pictures = [read_pixels(path) for path in kodak[:4]]
    originals = describer.describe([tile for picture in pictures for tile in tiles(picture)])

    def to(changed: list[Image]) -> float:
        return distance(originals, describer.describe([tile for entry in changed for tile in tiles(entry)]))

    coded = [
        [codec.decode(codec.encode(Picture(picture), quality)) for picture in pictures] for quality in (30, 5)
    ]
    faint = [(64 + picture // 2).astype(np.uint8) for picture in pictures]
    assert to(pictures) == 0
    assert 0 < to(coded[0]) < to(coded[1])
    assert to(faint) > to(coded[0])


def test_the_sliced_distance_of_shifted_clouds_is_the_shift_in_deviations() -> None:
    cloud = np.random.default_rng(2).normal(5, 3, size=(4000, 1, 1))
    assert distances.sliced_wasserstein(cloud, cloud + 6) == pytest.approx(6 / cloud.std(), rel=1e-9)


def test_the_spectrum_distance_of_doubled_power_is_three_decibels() -> None:
    power = np.random.default_rng(2).uniform(1, 9, size=(30, 12))
    assert distances.spectrum(power, 2 * power) == pytest.approx(10 * np.log10(2))


def test_a_misspelt_metric_of_sets_gets_the_nearest() -> None:
    with pytest.raises(MetricError, match="no metric of sets is named 'kidd'; did you mean 'kid'"):
        create("kidd")
    assert list(entries()) == ["fid", "kid", "fid-whole", "swd", "spectrum"]


def test_absent_weights_of_inception_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyiqa")
    monkeypatch.delenv(OWN_WEIGHTS, raising=False)
    monkeypatch.delenv("CODECARENA_ALLOW_DOWNLOADS", raising=False)
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        MissingMetricError, match=r"(?s)pt_inception-2015-12-05-6726825d\.pth .*CODECARENA_ALLOW"
    ):
        Inception()
    monkeypatch.setenv(OWN_WEIGHTS, str(tmp_path / "none.pth"))
    with pytest.raises(MissingMetricError, match=r"CODECARENA_INCEPTION names .*none\.pth, which is no file"):
        Inception()
    (tmp_path / "none.pth").write_bytes(b"nothing")
    with pytest.raises(MissingMetricError, match="does not hold the weights of FID's Inception network"):
        Inception()


def test_inception_features_are_the_networks_own(
    inception_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow 1 takes the source pixel at destination x 256 / 299, without half a pixel's offset."""
    monkeypatch.setenv(OWN_WEIGHTS, str(inception_weights))
    describer = Inception()
    views = [np.random.default_rng(entry).integers(0, 256, (256, 256, 3), dtype=np.uint8) for entry in (1, 2)]
    place = np.arange(299) * 256 / 299
    low = np.floor(place).astype(int)
    high, share = np.minimum(low + 1, 255), place - low
    matrix = np.zeros((299, 256))
    matrix[np.arange(299), low] += 1 - share
    matrix[np.arange(299), high] += share
    resized = np.stack([matrix @ view.transpose(2, 0, 1) @ matrix.T for view in views])
    with torch.inference_mode():
        network = describer._network
        expected = network(torch.from_numpy((resized - 128) / 128).float())[0].flatten(1).numpy()
    assert expected.shape == (2, 2048)
    spread = float(np.abs(expected[0] - expected[1]).mean())
    assert describer.describe(views) == pytest.approx(expected, abs=1e-3 * spread)
    assert spread > 1e-3
    assert "other weights" in describer.extractor
    assert describer.weights_sha256 is not None


@pytest.fixture(scope="module")
def inception_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights in the shape of the published one."""
    pytest.importorskip("pyiqa")
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        from pyiqa.archs import inception

        torch.manual_seed(0)
        patch.setattr(inception, "load_pretrained_network", lambda *_: None)
        network = inception.fid_inception_v3()
        for module in network.modules():
            # As torch begins, a signal fades away over so many layers: every feature would be zero.
            if isinstance(module, torch.nn.Conv2d):
                torch.nn.init.kaiming_normal_(module.weight)
        torch.save(network.state_dict(), path)
    return path
