"""Values of metrics worked out by hand; stand-ins find faces, read text and describe pictures."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest

from codecarena.bench.metrics import faces, text_error
from codecarena.bench.metrics.ciede2000 import difference
from codecarena.bench.metrics.faces import FaceEdges, FaceIdentity, FaceKept, FaceSsim, cut, overlap_of
from codecarena.bench.metrics.pixels import Scratch, check_pair, luma
from codecarena.bench.metrics.psnr import Psnr, decibels
from codecarena.bench.metrics.similarity import _Described, _Similarity
from codecarena.bench.metrics.ssim import Ssim, _halve
from codecarena.bench.metrics.text_error import TextError, _Known, edits, language
from codecarena.codecs.base import Image, Picture

BOXES = ((10, 20, 40, 40), (80, 20, 40, 40))
"""Left, top, width and height of two faces."""


@pytest.mark.parametrize(
    ("error", "peak", "expected"),
    [(255.0**2, 255.0, 0.0), (650.25, 255.0, 20.0), (0.01, 1.0, 20.0), (0.0, 255.0, math.inf)],
)
def test_decibels_of_an_error(error: float, peak: float, expected: float) -> None:
    assert decibels(error, peak) == pytest.approx(expected)
    assert decibels(65.025) == pytest.approx(30.0)


def test_psnr_counts_every_channel_of_every_pixel() -> None:
    original = np.zeros((4, 5, 3), np.uint8)
    decoded = original.copy()
    decoded[0, 0, 1] = 60
    # An error of 60^2 on one of 60 samples is 60 on average.
    assert Psnr().score(original, decoded) == pytest.approx(10 * math.log10(255**2 / 60))


def test_luma_weighs_red_green_and_blue_by_bt_601() -> None:
    pixels = np.array([[[100, 0, 0], [0, 100, 0], [0, 0, 100], [100, 100, 100]]], np.uint8)
    assert luma(pixels)[0] == pytest.approx([29.9, 58.7, 11.4, 100.0])


def test_ssim_of_two_flat_pictures_is_the_luminance_term() -> None:
    dark, bright = (np.full((16, 16, 3), level, np.uint8) for level in (100, 150))
    c1 = (0.01 * 255) ** 2
    expected = (2 * 100 * 150 + c1) / (100**2 + 150**2 + c1)
    assert Ssim().score(Ssim().prepare(Picture(dark)), bright) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1, 3], [5, 7]], [[4]]),
        # An odd side gets zeros on both ends, as avg_pool2d(padding=1) does.
        ([[4, 8, 12]], [[1, 5]]),
        ([[4], [8], [12]], [[1], [5]]),
    ],
)
def test_halving_takes_means_of_two_by_two(values: list[list[float]], expected: list[list[float]]) -> None:
    assert _halve(np.array(values, np.float64)).tolist() == expected


def test_buffers_grow_and_are_used_again() -> None:
    scratch = Scratch()
    small, large = scratch(0, (2, 3)), scratch(0, (4, 5))
    again = scratch(0, (2, 2))
    assert (small.shape, large.shape, again.shape) == ((2, 3), (4, 5), (2, 2))
    assert np.shares_memory(large, again)
    assert not np.shares_memory(large, scratch(1, (4, 5)))


# Sharma, Wu and Dalal (2005), table 1: pairs 1, 4, 7, 17 and 25 of L*a*b* colours and their differences.
SHARMA = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0000),
    ((50, 0, 0), (50, -1, 2), 2.3669),
    ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
]


@pytest.mark.parametrize(("first", "second", "expected"), SHARMA)
def test_ciede2000_of_published_pairs(first: Any, second: Any, expected: float) -> None:
    entry, other = (np.array([colour], np.float64) for colour in (first, second))
    assert float(difference(entry, other)[0]) == pytest.approx(expected, abs=1e-4)


def photograph() -> Image:
    return np.random.default_rng(1).integers(0, 256, (80, 140, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        (BOXES, 1.0),
        ((), 0.0),
        (BOXES[:1], 0.5),
        # Half of a box over one and a half, and the other one whole.
        (((30, 20, 40, 40), BOXES[1]), (1 / 3 + 1) / 2),
        # One box cannot stand for two faces, and a false one counts for nothing.
        (((10, 20, 110, 40),), 40 / 110 / 2),
        ((*BOXES, (0, 0, 5, 5)), 1.0),
    ],
)
def test_faces_that_are_found_again_count_by_their_overlap(
    boxes: tuple[faces.Box, ...], expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric = FaceKept()
    monkeypatch.setattr(metric, "_find", lambda _: boxes)
    assert metric.score(faces._Faces(photograph(), BOXES), photograph()) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (5, 0, 10, 10), 50 / 150),
        ((0, 0, 10, 10), (0, 6, 10, 10), 40 / 160),
        ((0, 0, 10, 20), (2, 5, 4, 6), 24 / 200),
        ((0, 0, 10, 10), (10, 0, 10, 10), 0.0),
        ((0, 0, 10, 10), (20, 30, 5, 5), 0.0),
    ],
)
def test_overlap_of_two_boxes(first: faces.Box, second: faces.Box, expected: float) -> None:
    assert overlap_of(first, second) == overlap_of(second, first) == pytest.approx(expected)


def test_a_box_is_left_top_width_and_height() -> None:
    pixels = photograph()
    assert np.array_equal(cut(pixels, (3, 5, 20, 10)), pixels[5:15, 3:23])


def test_faces_are_scored_inside_of_their_boxes_and_averaged() -> None:
    original, decoded = photograph(), photograph()
    decoded[20:60, 80:120] = cv2.GaussianBlur(decoded, (0, 0), 4)[20:60, 80:120]
    damaged = Ssim().score(Ssim().prepare(Picture(cut(original, BOXES[1]))), cut(decoded, BOXES[1]))
    prepared = faces._Faces(original, BOXES)
    assert damaged < 0.6
    assert FaceSsim().score(prepared, decoded) == pytest.approx((1 + damaged) / 2, abs=1e-6)
    assert 0.4 < FaceEdges().score(prepared, decoded) < 1
    assert FaceEdges().score(prepared, original) == 1
    identity = FaceIdentity.__new__(FaceIdentity)
    identity.identity = FaceSsim.identity
    identity._cosine = lambda _original, _decoded, box: {BOXES[0]: 0.9, BOXES[1]: 0.2}[box]
    assert identity.score(prepared, decoded) == pytest.approx(0.55)


@pytest.mark.parametrize(
    ("known", "read", "expected"),
    [
        ("OPEN", "OPEN", 0.0),
        ("OPEN", "OPEM", 0.25),
        ("OPEN", "OPE", 0.25),
        ("OPEN", " O P E N \n", 0.75),
        ("AB", "", 1.0),
        ("AB", "CDEFG", 1.0),
        ("EIGHT CH", "EIGHT", 3 / 8),
    ],
)
def test_the_character_error_rate_is_edits_over_known_characters(
    known: str, read: str, expected: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_error, "read_text", lambda _pixels, _models: read)
    pixels = np.zeros((8, 8, 3), np.uint8)
    metric = TextError.__new__(TextError)
    assert metric.score(_Known(pixels, known, "eng"), pixels) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("", "", 0),
        ("abc", "", 3),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
        ("ab", "ba", 2),
        ("flaw", "lawn", 2),
    ],
)
def test_edits_between_two_words(first: str, second: str, expected: int) -> None:
    assert edits(first, second) == edits(second, first) == expected


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("OPEN", "eng"),
        ("straße", "deu"),
        ("12 %", "eng"),
        ("ανοικτό", "ell"),
        ("открыто", "rus"),
        ("ab открыто", "rus"),
    ],
)
def test_the_commonest_script_names_the_model(text: str, model: str) -> None:
    assert language(text) == model


def test_similarity_is_the_cosine_of_two_descriptions() -> None:
    import torch

    def processor(images: Image, return_tensors: str) -> dict[str, torch.Tensor]:
        assert return_tensors == "pt"
        return {"pixel_values": torch.from_numpy(images.copy())[None]}

    class StandIn(_Similarity):
        name = "stand-in"

        def __init__(self) -> None:
            self._processor = processor

        def _describe(self, planes: torch.Tensor) -> torch.Tensor:
            return planes[:, 0, 0].float()

    first, second = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    first[0, 0], second[0, 0] = (3, 4, 0), (0, 4, 3)
    metric = StandIn()
    prepared = metric.prepare(Picture(first))
    assert isinstance(prepared, _Described)
    assert metric.score(prepared, second) == pytest.approx(16 / 25)
    assert metric.score(prepared, first) == pytest.approx(1.0)


def test_a_pair_is_of_one_size_and_of_bytes() -> None:
    pixels = np.zeros((3, 4, 3), np.uint8)
    check_pair("x", pixels, pixels)
    for other in (pixels[:2], pixels[:, :3], pixels.astype(np.int16)):
        with pytest.raises(Exception, match="x compares pictures of equal size"):
            check_pair("x", pixels, other)
