"""Our own metrics against the packages whose definitions they follow."""

from __future__ import annotations

import io
import math
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Pillow
from skimage import data
from skimage.color import deltaE_ciede2000, rgb2lab

from codecarena.bench.metrics import colorvideovdp, ssimulacra
from codecarena.bench.metrics.base import MetricError
from codecarena.bench.metrics.ciede2000 import Ciede2000, difference, lab
from codecarena.bench.metrics.colorvideovdp import ColorVideoVdp, ColorVideoVdpFullHd
from codecarena.bench.metrics.pixels import LastPair
from codecarena.bench.metrics.psnr import Psnr, PsnrLuma
from codecarena.bench.metrics.ssim import MsSsim, Ssim
from codecarena.bench.metrics.ssimulacra import Ssimulacra2Port
from codecarena.codecs.base import Image, Picture

if TYPE_CHECKING:
    from pathlib import Path

PICTURES = {
    "astronaut": lambda: data.astronaut()[:256, 96:416],
    "odd": lambda: data.astronaut()[:301, :263],
    "smallest": lambda: data.coffee()[100:261, 100:275],
    "bright": lambda: np.maximum(data.coffee()[:200, :220], 250),
    "dark": lambda: data.chelsea()[:200, :211] // 16,
}


def jpeg(pixels: Image, quality: int) -> Image:
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.array(Pillow.open(stream))


@pytest.fixture(params=PICTURES)
def pixels(request: pytest.FixtureRequest) -> Image:
    return np.ascontiguousarray(PICTURES[request.param]())


@pytest.mark.parametrize("quality", [5, 50, 95])
def test_ssim_and_ms_ssim_are_those_of_pytorch_msssim(pixels: Image, quality: int) -> None:
    torch = pytest.importorskip("torch")
    oracle = pytest.importorskip("pytorch_msssim")
    decoded = jpeg(pixels, quality)
    # In float64: its float32 is off by up to 1e-4 where the picture is flat and bright.
    planes = [
        torch.from_numpy(image.astype(np.float64)).permute(2, 0, 1)[None] for image in (pixels, decoded)
    ]
    for metric, reference in ((Ssim(), oracle.ssim), (MsSsim(), oracle.ms_ssim)):
        score = metric.score(metric.prepare(Picture(pixels)), decoded)
        assert score == pytest.approx(reference(*planes, data_range=255).item(), abs=1e-6)


def test_ms_ssim_of_whole_photographs(kodak: list[Path]) -> None:
    torch = pytest.importorskip("torch")
    oracle = pytest.importorskip("pytorch_msssim")
    metric = MsSsim()
    for path in (kodak[0], kodak[19]):  # the second has a saturated sky
        pixels = np.array(Pillow.open(path).convert("RGB"))
        decoded = jpeg(pixels, 10)
        planes = [torch.from_numpy(image.astype(float)).permute(2, 0, 1)[None] for image in (pixels, decoded)]
        score = metric.score(metric.prepare(Picture(pixels)), decoded)
        assert score == pytest.approx(oracle.ms_ssim(*planes, data_range=255).item(), abs=1e-6)


def test_unlike_pictures_have_no_ms_ssim_below_zero() -> None:
    pixels = data.astronaut()
    metric = MsSsim()
    assert metric.score(metric.prepare(Picture(pixels)), 255 - pixels) == 0.0


@pytest.mark.parametrize("shape", [(160, 400), (400, 160)])
def test_ms_ssim_refuses_160_pixels_and_takes_161(shape: tuple[int, int]) -> None:
    with pytest.raises(MetricError, match="at least 161 pixels on each side, got a picture of"):
        MsSsim().prepare(Picture(np.zeros((*shape, 3), np.uint8)))
    taken = np.zeros((shape[0] + 1, shape[1] + 1, 3), np.uint8)
    metric = MsSsim()
    assert metric.score(metric.prepare(Picture(taken)), taken) == 1.0


def test_psnr_is_one_error_over_all_channels() -> None:
    original = np.zeros((3, 5, 3), np.uint8)
    decoded = original.copy()
    decoded[1, 2] = (255, 0, 3)
    expected = 10 * math.log10(255**2 / ((255**2 + 9) / 45))
    assert Psnr().score(Psnr().prepare(Picture(original)), decoded) == pytest.approx(expected, abs=1e-12)


def test_psnr_of_luma_is_full_range_bt601_without_rounding(pixels: Image) -> None:
    decoded = jpeg(pixels, 40)
    weights = np.array([0.299, 0.587, 0.114])
    error = np.mean((pixels.astype(float) @ weights - decoded.astype(float) @ weights) ** 2)
    score = PsnrLuma().score(PsnrLuma().prepare(Picture(pixels)), decoded)
    assert score == pytest.approx(10 * math.log10(255**2 / error), abs=1e-5)


@pytest.mark.parametrize("quality", [10, 60, 95])
def test_ciede2000_is_that_of_scikit_image(pixels: Image, quality: int) -> None:
    decoded = jpeg(pixels, quality)
    metric = Ciede2000()
    expected = deltaE_ciede2000(rgb2lab(pixels), rgb2lab(decoded)).mean()
    assert metric.score(metric.prepare(Picture(pixels)), decoded) == pytest.approx(expected, abs=3e-6)


def test_ciede2000_of_unrelated_and_of_grey_colours() -> None:
    random = np.random.default_rng(1)
    first, second = random.integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    grey = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    for entry, other in ((first, second), (grey, grey[::-1]), (grey, first[:16, :16])):
        computed = difference(lab(np.ascontiguousarray(entry)), lab(np.ascontiguousarray(other)))
        reference = deltaE_ciede2000(rgb2lab(entry), rgb2lab(other))
        assert np.mean(computed, dtype=float) == pytest.approx(reference.mean(), abs=5e-6)
        assert np.abs(computed - reference).max() < 0.1


def test_ssimulacra2_is_that_of_the_python_port(tmp_path: Path) -> None:
    from ssimulacra2 import compute_ssimulacra2

    metric = Ssimulacra2Port()
    # Odd sides at several scales, fewer scales than six, and a side of exactly eight pixels.
    for shape in ((201, 143), (33, 100), (8, 9)):
        pixels = np.ascontiguousarray(data.astronaut()[90 : 90 + shape[0], 180 : 180 + shape[1]])
        prepared = metric.prepare(Picture(pixels))
        Pillow.fromarray(pixels).save(tmp_path / "original.png")
        for quality in (5, 50, 95):
            decoded = jpeg(pixels, quality)
            Pillow.fromarray(decoded).save(tmp_path / "decoded.png")
            expected = compute_ssimulacra2(tmp_path / "original.png", tmp_path / "decoded.png")
            assert metric.score(prepared, decoded) == pytest.approx(expected, abs=2e-5)


def test_ssimulacra2_in_strips_is_that_of_the_whole_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    original = np.ascontiguousarray(data.astronaut()[90:291, 180:323])
    decoded = jpeg(original, 30)
    scores: list[float] = []
    for rows in (10_000, 128, 7, 1):
        monkeypatch.setattr(ssimulacra, "STRIP_ROWS", rows)
        metric = Ssimulacra2Port()
        scores.append(metric.score(metric.prepare(Picture(original)), decoded))
    assert scores == pytest.approx([scores[0]] * 4, abs=1e-6)


def test_ssimulacra2_holds_little_beside_what_it_keeps_of_an_original() -> None:
    pixels = np.tile(data.astronaut(), (2, 1, 1))
    tracemalloc.start()
    try:
        prepared = Ssimulacra2Port().prepare(Picture(pixels))
        kept, peak = (held / pixels[..., 0].size for held in tracemalloc.get_traced_memory())
    finally:
        tracemalloc.stop()
    assert prepared
    assert 110 < kept < 140
    assert peak < kept + 80


@pytest.mark.parametrize("kind", [ColorVideoVdp, ColorVideoVdpFullHd], ids=lambda kind: kind.name)
def test_colorvideovdp_in_strips_is_what_its_package_says_of_the_whole_pair(
    kind: type[ColorVideoVdp], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoded picture is the test and the original the reference: the other way round it differs."""
    pytest.importorskip("pycvvdp")
    metric = kind()
    for height, width, quality in ((8, 8, 10), (11, 23, 30), (131, 96, 5), (381, 352, 60)):
        original = np.ascontiguousarray(data.astronaut()[90 : 90 + height, 140 : 140 + width])
        decoded = jpeg(original, quality)
        expected, swapped = (
            float(metric._model.predict(*pair, dim_order="HWC")[0])
            for pair in ((decoded, original), (original, decoded))
        )
        assert abs(expected - swapped) > 1e-5
        for pixels in (colorvideovdp.STRIP_PIXELS, 7000, 1):
            with monkeypatch.context() as patched:
                patched.setattr(colorvideovdp, "STRIP_PIXELS", pixels)
                assert metric.score(metric.prepare(Picture(original)), decoded) == pytest.approx(
                    expected, abs=1e-6
                )
    assert metric.score(metric.prepare(Picture(original)), original) == 10


def test_two_metrics_of_one_run_share_it() -> None:
    runs: list[int] = []

    def compute(original: Image, decoded: Image) -> int:
        runs.append(int(original.sum()) + int(decoded.sum()))
        return runs[-1]

    last = LastPair(compute)
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert [last(black, white), last(black.copy(), white.copy())] == [12 * 255, 12 * 255]
    assert len(runs) == 1
    assert last(white, white) == 24 * 255
    white[0, 0, 0] = 0  # the same array with other contents is another picture
    assert last(black, white) == 11 * 255
    assert len(runs) == 3
