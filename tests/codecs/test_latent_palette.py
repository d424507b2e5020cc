"""Latents become a palette and indices and come back; dithering moves the error to high frequencies."""

from __future__ import annotations

import numpy as np
import pytest

from codecarena.codecs.contract import photograph
from codecarena.codecs.generative.latent.palette import Indices, Levels, Palette, diffuse, quantise, uniform


def latents(side: int = 64) -> Levels:
    """Four channels with the statistics of latents: mean colours of squares, and a slope."""
    blocks = photograph(8 * side, 8 * side).astype(float).reshape(side, 8, side, 8, 3)
    light = blocks.mean(4)
    slope = light[:, 4:].mean((1, 3)) - light[:, :4].mean((1, 3))
    planes = np.concatenate([blocks.mean((1, 3)), slope[..., None]], 2)
    planes = (planes - planes.mean((0, 1))) / planes.std((0, 1))
    return np.clip(planes * 30 + 128, 0, 255).astype(np.uint8)


def rms(levels: Levels, palette: Palette, indices: Indices, low_pass: int = 1) -> float:
    error = palette[indices].astype(float) - levels
    side = len(error) // low_pass
    blocks = error.reshape(side, low_pass, side, low_pass, 4).mean((1, 3))
    return float(np.sqrt((blocks**2).mean()))


@pytest.mark.parametrize(("height", "width", "colours"), [(1, 1, 1), (1, 9, 2), (7, 1, 5), (20, 30, 256)])
def test_as_many_entries_as_vectors_lose_nothing(height: int, width: int, colours: int) -> None:
    rng = np.random.default_rng(0)
    known = rng.integers(0, 256, (colours, 4), np.uint8)
    levels = known[rng.integers(0, colours, (height, width))]
    palette, indices = quantise(levels, 256)
    assert len(palette) <= colours
    assert np.array_equal(palette[indices], levels)


def test_few_entries_are_kept_to_and_their_indices_fit() -> None:
    for entries in (1, 2, 16, 256):
        palette, indices = quantise(latents(), entries)
        assert palette.shape == (entries, 4)
        assert palette.dtype == indices.dtype == np.uint8
        assert indices.shape == (64, 64)
        assert indices.max() < entries


def test_equal_latents_give_equal_palettes() -> None:
    first, second = quantise(latents(), 64), quantise(latents(), 64)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_more_entries_leave_less_error() -> None:
    levels = latents()
    errors = [rms(levels, *quantise(levels, entries)) for entries in (16, 32, 64, 128, 256)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 2


def test_clusters_beat_a_random_choice_of_vectors() -> None:
    levels = latents()
    chosen = np.random.default_rng(1).permutation(levels.reshape(-1, 4))[:64]
    random = diffuse(levels, chosen, 0.0)
    assert rms(levels, *quantise(levels, 64, 0.0)) < 0.95 * rms(levels, chosen, random)


def test_without_dithering_each_pixel_takes_the_nearest_entry() -> None:
    levels = latents(24)
    palette, indices = quantise(levels, 32, 0.0)
    distances = ((levels[:, :, None].astype(int) - palette) ** 2).sum(3)
    assert np.array_equal(
        np.take_along_axis(distances, indices[..., None].astype(int), 2)[..., 0], distances.min(2)
    )


def test_dithering_lowers_the_error_of_means_for_more_error_of_pixels() -> None:
    levels = latents()
    for entries in (16, 64, 256):
        plain, dithered = quantise(levels, entries, 0.0), quantise(levels, entries, 1.0)
        assert rms(levels, *dithered, low_pass=8) < rms(levels, *plain, low_pass=8)
        assert rms(levels, *dithered) > rms(levels, *plain)


def in_reading_order(levels: Levels, palette: Palette, strength: float) -> Indices:
    """Floyd-Steinberg pixel after pixel, as it is usually written."""
    height, width, _ = levels.shape
    wanted = levels.astype(np.float32)
    indices = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            target = wanted[y, x].clip(0, 255)
            indices[y, x] = ((target - palette) ** 2).sum(1).argmin()
            error = (target - palette[indices[y, x]]) * strength
            for row, column, share in ((y, x + 1, 7), (y + 1, x - 1, 3), (y + 1, x, 5), (y + 1, x + 1, 1)):
                if row < height and 0 <= column < width:
                    wanted[row, column] += error * share / 16
    return indices


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 12), (12, 1), (2, 3), (17, 11), (11, 17)])
def test_waves_settle_what_reading_order_settles(height: int, width: int) -> None:
    levels = np.ascontiguousarray(latents(24)[:height, :width])
    palette = np.random.default_rng(2).integers(60, 200, (8, 4), np.uint8)
    assert np.array_equal(diffuse(levels, palette, 0.75), in_reading_order(levels, palette, 0.75))


def test_uniform_palette_goes_from_end_to_end() -> None:
    assert uniform(2).tolist() == [[0], [255]]
    assert np.array_equal(uniform(256)[:, 0], np.arange(256))
