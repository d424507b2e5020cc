from __future__ import annotations

import csv
import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from codecarena.bench.analysis.detail import (
    STRONGEST_UNSHARP,
    Control,
    gradient_energy_ratio,
    laplacian_energy_ratio,
    log_spectrum_distance,
    mean_gradient_ratio,
    patch_sliced_wasserstein,
    phase_share,
    residual_cosine,
    unsharp_at_psnr,
    white_noise_at_psnr,
)
from codecarena.bench.metrics.base import MetricError
from codecarena.bench.metrics.psnr import Psnr
from codecarena.codecs import pillow
from codecarena.codecs.base import Image, Picture
from codecarena.codecs.contract import photograph

RATIOS = (gradient_energy_ratio, mean_gradient_ratio, laplacian_energy_ratio)
DISTANCES = (log_spectrum_distance, patch_sliced_wasserstein)
PAIRED = (*RATIOS, *DISTANCES)


def bytes_of(values: np.ndarray) -> Image:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def blurred(pixels: Image, radius: float = 2.0) -> Image:
    return bytes_of(gaussian_filter(pixels.astype(float), (radius, radius, 0), mode="nearest"))


def grey_noise(largest: int, scale: int, seed: int = 0) -> Image:
    """Whole levels about 128, the same in all channels, so that doubling the scale doubles exactly."""
    noise = np.random.default_rng(seed).integers(-largest, largest + 1, (128, 120, 1))
    return np.repeat(128 + scale * noise, 3, axis=2).astype(np.uint8)


def psnr(decoded: Image, original: Image) -> float:
    return Psnr().score(original, decoded)


CONTROLS = {
    "white": white_noise_at_psnr,
    "grey": lambda *given: white_noise_at_psnr(*given, grey=True),
    "unsharp": unsharp_at_psnr,
}


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (3, 2), (33, 47)], ids=str)
def test_identical_pictures_of_any_size_are_perfect(size: tuple[int, int]) -> None:
    pixels = photograph()[: size[0], : size[1]]
    assert [ratio(pixels, pixels) for ratio in RATIOS] == [1, 1, 1]
    assert [distance(pixels, pixels) for distance in DISTANCES] == [0, 0]


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (3, 2)], ids=str)
def test_tiny_pictures_have_finite_residual_measures_and_controls(size: tuple[int, int]) -> None:
    original = photograph()[: size[0], : size[1]]
    coarse = np.full_like(original, 90)
    assert residual_cosine(original, coarse, original) == pytest.approx(1)
    assert 0 <= phase_share(original, coarse) <= 1 + 1e-9
    for make in CONTROLS.values():
        made = make(coarse, original, psnr(coarse, original) - 1)
        assert made.pixels.shape == original.shape
        assert made.psnr_db == pytest.approx(psnr(made.pixels, original))


@pytest.mark.parametrize("measure", PAIRED, ids=lambda entry: entry.__name__)
def test_other_sizes_are_refused(measure) -> None:
    with pytest.raises(MetricError, match="equal size"):
        measure(photograph(), photograph()[1:])


def test_residual_measures_and_controls_refuse_other_sizes() -> None:
    original, cut = photograph(), photograph()[1:]
    for wrong in (
        lambda: residual_cosine(original, cut, original),
        lambda: residual_cosine(cut, original, original),
        lambda: phase_share(original, cut),
        *(lambda make=make: make(cut, original, 20.0) for make in CONTROLS.values()),
    ):
        with pytest.raises(MetricError, match="equal size"):
            wrong()


def test_doubled_noise_has_twice_the_gradient_and_four_times_the_energy() -> None:
    single, double = grey_noise(10, 1), grey_noise(10, 2)
    assert mean_gradient_ratio(double, single) == pytest.approx(2)
    assert gradient_energy_ratio(double, single) == pytest.approx(4)
    assert laplacian_energy_ratio(double, single) == pytest.approx(4)
    assert gradient_energy_ratio(single, double) == pytest.approx(1 / 4)


def test_white_noise_adds_its_known_energy() -> None:
    """Neighbouring differences of white noise have twice its variance; of two directions, four times."""
    slope = np.repeat((np.arange(240) // 2)[None, :, None] + 50, 200, axis=0).repeat(3, axis=2)
    noisy = slope + np.random.default_rng(0).integers(-6, 7, (200, 240, 1))
    variance = (13**2 - 1) / 12
    steps = 0.5  # every second difference is one level
    ratio = gradient_energy_ratio(noisy.astype(np.uint8), slope.astype(np.uint8))
    assert ratio == pytest.approx((steps + 4 * variance) / steps, rel=0.02)


def test_flat_originals_have_infinite_ratios_and_finite_distances() -> None:
    flat, lively = np.full((20, 30, 3), 128, np.uint8), photograph(20, 30)
    assert [ratio(lively, flat) for ratio in RATIOS] == [math.inf] * 3
    assert [ratio(flat, lively) for ratio in RATIOS] == [0, 0, 0]
    assert all(0 < distance(lively, flat) < 100 for distance in DISTANCES)


def test_doubled_contrast_moves_the_log_spectrum_by_twice_log_two_everywhere() -> None:
    distance = log_spectrum_distance(grey_noise(40, 2), grey_noise(40, 1))
    assert distance == pytest.approx(2 * math.log(2), abs=0.01)


def test_log_spectrum_does_not_see_another_draw_but_sees_a_blur_and_noise() -> None:
    original = grey_noise(60, 1)
    assert log_spectrum_distance(grey_noise(60, 1, seed=1), original) < 0.3
    assert log_spectrum_distance(blurred(original), original) > 2
    assert log_spectrum_distance(original, blurred(original)) > 2


def test_doubled_patches_are_as_far_away_as_a_flat_picture() -> None:
    """Of sorted values, the mean of |2p - p| is the mean of |p - 0|."""
    single, double = grey_noise(20, 1), grey_noise(20, 2)
    flat = np.full_like(single, 128)
    distance = patch_sliced_wasserstein(double, single)
    assert distance == pytest.approx(patch_sliced_wasserstein(flat, single), rel=1e-9)
    assert distance > 10 * patch_sliced_wasserstein(grey_noise(20, 1, seed=1), single)


def test_sliced_wasserstein_depends_on_its_seed_alone() -> None:
    original = photograph()
    values = [patch_sliced_wasserstein(blurred(original), original, seed) for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]
    assert values[2] == pytest.approx(values[0], rel=0.1)


def test_cosine_knows_the_true_residual_its_opposite_noise_and_nothing() -> None:
    original = photograph()
    coarse = blurred(original)
    opposite = bytes_of(2.0 * coarse - original)
    noise = coarse + np.random.default_rng(0).integers(-8, 9, coarse.shape)
    assert residual_cosine(original, coarse, original) == pytest.approx(1)
    assert residual_cosine(opposite, coarse, original) < -0.9
    assert abs(residual_cosine(bytes_of(noise), coarse, original)) < 0.03
    assert residual_cosine(coarse, coarse, original) == 0


@pytest.mark.parametrize("period", [2, 4, 5])
def test_a_periodic_pattern_is_all_phase_and_noise_is_not(period: int) -> None:
    generator = np.random.default_rng(0)
    coarse = np.full((90, 122, 3), 128, np.uint8)
    pattern = np.tile(generator.integers(-9, 10, (period, period, 3)), (61, 61, 1))[:90, :122]
    assert phase_share(bytes_of(coarse + pattern), coarse, period) == pytest.approx(1)
    noise = generator.integers(-9, 10, coarse.shape)
    assert phase_share(bytes_of(coarse + noise), coarse, period) < 0.005
    mixed = phase_share(bytes_of(coarse + pattern + noise), coarse, period)
    variances = pattern.var(axis=(0, 1)).sum(), noise.var(axis=(0, 1)).sum()
    assert mixed == pytest.approx(variances[0] / sum(variances), abs=0.02)


def test_a_constant_shift_and_nothing_added_have_no_phase() -> None:
    coarse = photograph() // 2
    assert phase_share(coarse + np.uint8(7), coarse) == 0
    assert phase_share(coarse, coarse) == 0


@pytest.mark.parametrize("lower_db", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("name", CONTROLS)
def test_controls_hit_their_psnr(name: str, lower_db: float) -> None:
    original = photograph()
    coarse = blurred(original)
    wanted = psnr(coarse, original) - lower_db
    made: Control = CONTROLS[name](coarse, original, wanted)
    assert made.strength > 0
    assert made.psnr_db == pytest.approx(psnr(made.pixels, original))
    assert made.psnr_db == pytest.approx(wanted, abs=0.01)


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_better_than_the_coarse_picture_is_the_coarse_picture(name: str) -> None:
    original = photograph()
    coarse = blurred(original)
    made = CONTROLS[name](coarse, original, psnr(coarse, original) + 1)
    assert made.strength == 0
    assert np.array_equal(made.pixels, coarse)
    assert made.psnr_db == pytest.approx(psnr(coarse, original))


def test_a_flat_picture_cannot_be_sharpened_and_the_control_says_so() -> None:
    original = photograph()
    flat = np.full_like(original, 120)
    made = unsharp_at_psnr(flat, original, psnr(flat, original) - 1)
    assert made.strength == STRONGEST_UNSHARP
    assert made.psnr_db == pytest.approx(psnr(flat, original))


def test_noise_depends_on_its_seed_and_grey_noise_has_no_colour() -> None:
    original = photograph() // 2 + np.uint8(60)
    coarse = np.full_like(original, 128)
    wanted = psnr(coarse, original) - 1
    first, again, other = (white_noise_at_psnr(coarse, original, wanted, seed).pixels for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    grey = white_noise_at_psnr(coarse, original, wanted, grey=True).pixels
    assert np.array_equal(grey[..., 0], grey[..., 2])
    assert not np.array_equal(first[..., 0], first[..., 2])


def test_detail_of_the_right_spectrum_beats_noise_and_sharpening_of_equal_psnr() -> None:
    """Texture of another draw: no pixel is restored, but it looks right, as the spectrum distance says."""
    generator = np.random.default_rng(3)
    draws = [
        gaussian_filter(generator.normal(0, 90, (192, 192, 3)), (1, 1, 0), mode="wrap") for _ in range(2)
    ]
    coarse = photograph(192, 192) // 2 + np.uint8(64)
    original, decoded = (bytes_of(coarse + draw) for draw in draws)
    controls = [make(coarse, original, psnr(decoded, original)).pixels for make in CONTROLS.values()]
    for distance in DISTANCES:
        assert distance(decoded, original) < 0.5 * min(
            distance(entry, original) for entry in (coarse, *controls)
        )
    assert abs(residual_cosine(decoded, coarse, original)) < 0.05


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The benchmark that judges HFD by these measures."""
    path = Path(__file__).parents[2] / "docs" / "benchmarks" / "hfd_quality.py"
    spec = importlib.util.spec_from_file_location("hfd_quality", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hfd_quality"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_criterion_asks_for_the_whole_interval(script: ModuleType) -> None:
    values = np.array([0.9, 1.0, 1.1, 1.2])
    mean, low, high = script.interval(values)
    assert mean == pytest.approx(1.05)
    assert 0.9 <= low < mean < high <= 1.2
    verdicts = {
        (0.8, 1.25): "met",
        (1.04, 1.25): "mean only",
        (0.8, 1.06): "mean only",
        (1.1, 1.25): "**not met**",
    }
    assert {ends: script.Criterion("any", "", values, *ends).verdict for ends in verdicts} == verdicts


def test_benchmark_records_what_a_pair_of_codecs_shows(script: ModuleType, tmp_path: Path) -> None:
    """The second decoder gives the coarse picture itself: it must fail whatever asks for added detail."""
    for index in range(3):
        pixels = np.ascontiguousarray(photograph()[index * 8 :, 40 : 90 + index])
        (tmp_path / f"{index}.png").write_bytes(pillow.encode(Picture(pixels), "PNG"))
    record = tmp_path / "record.md"
    pair = ["--coarse", "jpeg", "--decoder", "mozjpeg", "--decoder", "jpeg", "subsampling=4:2:0"]
    script.main([str(tmp_path), *pair, "--quality", "20", "--limit", "2", "--record", str(record)])
    text = record.read_text()
    lines = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]
    verdicts = {cells[0]: cells[3] for cells in lines if len(cells) == 4 and cells[1] != "---"}
    assert text.count("### Criteria") == 1
    assert "on 2 pictures" in text
    for start in ("gradient energy, distance", "log-spectrum distance less the coarse's", "residual cosine"):
        (verdict,) = (cell for name, cell in verdicts.items() if name.startswith(start))
        assert verdict == "0 **not met**"
    assert verdicts["bytes more than the coarse stream"] == "0 met"
    assert verdicts["share of pictures bit-equal with one seed"] == "1 met"
    assert verdicts["share of pictures that differ with two seeds"] == "0 **not met**"
    summary = next(cells for cells in lines if cells[0] == "jpeg subsampling=4:2:0")
    assert len(summary) == 4
    assert "residual cosine" in summary[3]
    assert "bytes more" not in summary[3]
    means = {cells[0]: cells[1:] for cells in lines if len(cells) == 11}
    assert means["jpeg subsampling=4:2:0"][:-1] == means["jpeg"][:-1]
    with (tmp_path / "record.csv").open(newline="") as opened:
        numbers = {(row["decoder"], row["less"], row["measure"]): row for row in csv.DictReader(opened)}
    computed, control = (
        numbers[name, "", "PSNR, dB"]["mean"] for name in ("mozjpeg", "mozjpeg: white noise")
    )
    assert float(control) == pytest.approx(float(computed), abs=0.02), "not at equal PSNR"
    difference = numbers["mozjpeg", "mozjpeg: white noise", "PSNR, dB"]
    assert float(difference["mean"]) == pytest.approx(float(computed) - float(control), abs=1e-4)
    assert float(difference["low"]) <= float(difference["mean"]) <= float(difference["high"])


def test_summary_names_hfds_own_steps(script: ModuleType) -> None:
    titles = [
        script.Entrant(" ".join(words), dict(word.split("=") for word in words[1:]), None)
        for words in script.HFD
    ]
    given = [
        title._replace(given=title.given | {"steps": int(title.given["steps"])}).title for title in titles
    ]
    assert [entry for entry in given if entry.endswith("(default)")] == [
        "hfd mode=flow steps=4 (default)",
        "hfd mode=diffusion steps=64 (default)",
    ]


def test_benchmark_needs_two_pictures(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        script.main([str(tmp_path)])
    assert "at least two PNG pictures" in capsys.readouterr().err


@pytest.mark.parametrize("level", [0, 255])
def test_noise_beyond_black_or_white_stays_there(level: int) -> None:
    plain = np.full((32, 32, 3), level, np.uint8)
    control = white_noise_at_psnr(plain, plain, 38.0)
    assert control.psnr_db == pytest.approx(38.0, abs=0.05)
    assert np.abs(control.pixels.astype(int) - level).max() < 40


def test_a_speck_is_heard_alike_wherever_it_lies() -> None:
    plain = np.full((24, 20, 3), 128, np.uint8)
    distances = []
    # No patch with the speck in it reaches the border, and every patch of so small a picture is drawn.
    for row, column in ((8, 8), (15, 8), (12, 11)):
        speck = plain.copy()
        speck[row, column] = 255
        distances.append(patch_sliced_wasserstein(speck, plain))
    assert distances[0] > 0
    assert distances == pytest.approx([distances[0]] * 3)
