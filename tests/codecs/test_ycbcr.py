"""Planes of video have the samples that ITU-T H.273 and BT.601 / BT.709 give, at every size."""

from __future__ import annotations

import numpy as np
import pytest

from codecarena.codecs.contract import photograph
from codecarena.codecs.ycbcr import (
    Coding,
    bt601,
    bt709,
    from_halved,
    halved,
    to_pixels,
    to_planes,
    to_samples,
)

CODINGS = {"601, 8 bits": bt601(8), "601, 10 bits": bt601(10), "709, 10 bits": bt709(10)}


@pytest.fixture(params=CODINGS)
def coding(request: pytest.FixtureRequest) -> Coding:
    return CODINGS[request.param]


@pytest.mark.parametrize(
    ("coding", "colour", "samples"),
    [
        # BT.601 in full range: Y = 0.299 R + 0.587 G + 0.114 B, and about the middle of the range
        # Cb = (B - Y) / 1.772, Cr = (R - Y) / 1.402.
        (bt601(8), (0, 0, 0), (0, 128, 128)),
        (bt601(8), (255, 255, 255), (255, 128, 128)),
        (bt601(8), (255, 0, 0), (76, 85, 255)),
        (bt601(8), (220, 30, 40), (88, 101, 222)),
        (bt601(10), (255, 255, 255), (1023, 512, 512)),
        # BT.709: Y = 0.2126 R + 0.7152 G + 0.0722 B, Cb = (B - Y) / 1.8556, Cr = (R - Y) / 1.5748.
        (bt709(10), (255, 255, 255), (1023, 512, 512)),
        (bt709(10), (0, 0, 255), (74, 1023, 465)),
        (bt709(10), (0, 255, 0), (732, 118, 47)),
    ],
)
def test_colours_have_the_samples_of_the_standard(
    coding: Coding, colour: tuple[int, int, int], samples: tuple[int, int, int]
) -> None:
    written = to_samples(to_planes(np.array([[colour]], np.uint8), coding), coding)
    assert tuple(np.frombuffer(written, np.uint8 if coding.bits == 8 else "<u2")) == samples


def test_full_planes_come_back_to_the_level(coding: Coding) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    assert np.array_equal(to_pixels(*to_planes(pixels, coding), coding), pixels)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1), (3, 5), (65, 64), (64, 65), (7, 31)])
def test_halved_planes_round_up_and_flat_colours_come_back(coding: Coding, size: tuple[int, int]) -> None:
    flat = np.full((*size, 3), (220, 30, 40), np.uint8)
    samples = halved(flat, coding)
    count = size[0] * size[1] + 2 * -(-size[0] // 2) * -(-size[1] // 2)
    assert len(samples) == count * (1 if coding.bits == 8 else 2)
    assert np.abs(from_halved(samples, size[1], size[0], coding).astype(int) - flat).max() <= 1


def test_an_odd_picture_is_its_even_twin_but_for_the_last_line(coding: Coding) -> None:
    odd = photograph(75, 91)
    twin = np.pad(odd, ((0, 1), (0, 1), (0, 0)), mode="edge")
    of_odd = from_halved(halved(odd, coding), 91, 75, coding)
    assert np.array_equal(of_odd, from_halved(halved(twin, coding), 92, 76, coding)[:75, :91])


def test_halving_chroma_shifts_no_colour(coding: Coding) -> None:
    pixels = (photograph() // 2 + 64).astype(np.uint8)  # within the gamut: nothing is clipped
    decoded = from_halved(halved(pixels, coding), pixels.shape[1], pixels.shape[0], coding)
    assert np.abs((decoded.astype(float) - pixels).reshape(-1, 3).mean(axis=0)).max() < 0.05


@pytest.mark.parametrize(
    ("left", "shares"),
    # Between columns: means of two. On the left one: (-1 0 9 16 9 0 -1) / 32 about columns 0, 2, 4 and 6.
    [(False, [0, 0, 1, 1]), (True, [0, -1 / 32, 24 / 32, 33 / 32])],
)
def test_a_halved_sample_lies_between_its_columns_or_on_the_left_one(left: bool, shares: list[float]) -> None:
    pixels = np.full((2, 8, 3), 64, np.uint8)
    pixels[:, 4:, 2] = 160
    step = (160 - 64) * (1 - 0.114) / 1.772  # of Cb
    samples = np.frombuffer(halved(pixels, Coding(0.299, 0.114, 8, left=left)), np.uint8)
    assert (samples[16:20].astype(float) - 128) / step == pytest.approx(shares, abs=0.011)
