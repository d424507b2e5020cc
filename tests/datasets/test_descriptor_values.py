"""Descriptors and picks worked out by hand: letters in a row, colours, ranks, the furthest first."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from scipy import ndimage

from codecarena.datasets.description import descriptors
from codecarena.datasets.manifest import DatasetError
from codecarena.datasets.sets.subset import _ranks, pick


def letters(
    count: int = 6,
    *,
    size: tuple[int, int] = (10, 6),
    step: int = 10,
    drop: int = 0,
    ink: int = 0,
    shape: str = "L",
) -> np.ndarray:
    """Return 120 x 240 pixels of mid grey with a row of letters; every second one stands lower."""
    pixels = np.full((120, 240, 3), 128, np.uint8)
    height, width = size
    for place in range(count):
        top, left = 40 + drop * (place % 2), 20 + step * place
        letter = pixels[top : top + height, left : left + width]
        letter[:] = ink
        if shape == "L":
            letter[: height // 2, (width + 1) // 2 :] = 128
        elif shape == "frame":
            letter[1:-1, 1:-1] = 128
    return pixels


def share(height: int, width: int) -> float:
    return height * width / (120 * 240)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        # Six letters of 10 x 6, ten pixels apart, are a row of 10 x 56.
        (letters(), share(10, 56)),
        (letters(ink=255), share(10, 56)),
        (letters(8), share(10, 76)),
        (letters(5), 0.0),
        (letters(12, step=9), share(10, 9 * 11 + 6)),
        # A letter may be 6 to 80 pixels high, and from a tenth to 1.6 times as wide as it is high.
        (letters(size=(6, 4)), share(6, 54)),
        (letters(size=(5, 4)), 0.0),
        (letters(size=(10, 16), step=20), share(10, 116)),
        (letters(size=(10, 17), step=20), 0.0),
        (letters(size=(20, 2)), share(20, 52)),
        (letters(size=(30, 2)), 0.0),
        # The gap to the next one may be 1.2 times the height, the base lines a fifth of it apart.
        (letters(step=18), share(10, 96)),
        (letters(step=19), 0.0),
        (letters(drop=2), share(12, 56)),
        (letters(drop=3), 0.0),
        # Too little contrast, thin frames, full boxes.
        (letters(ink=100), 0.0),
        (letters(size=(30, 30), step=36, shape="frame"), 0.0),
        (letters(shape="box"), 0.0),
    ],
)
def test_text_is_rows_of_six_letters_or_more(pixels: np.ndarray, expected: float) -> None:
    assert descriptors.text_share(pixels) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("box", "continues"),
    [
        # Behind a letter of ten by ten: a gap from a fifth of it before its end to 1.2 times the higher one.
        ((8, 0, 18, 10), True),
        ((7, 0, 17, 10), False),
        ((22, 0, 32, 10), True),
        ((23, 0, 33, 10), False),
        ((34, -10, 44, 10), True),
        ((35, -10, 45, 10), False),
        # From half as high to twice as high.
        ((12, 5, 22, 10), True),
        ((12, 6, 22, 10), False),
        ((12, -11, 22, 10), False),
        # Its base line a fifth of the higher one further up or down.
        ((12, 2, 22, 12), True),
        ((12, 3, 22, 13), False),
        ((12, -2, 22, 8), True),
        ((12, -3, 22, 7), False),
    ],
)
def test_a_letter_continues_a_row_beside_one_of_like_height(
    box: tuple[int, int, int, int], continues: bool
) -> None:
    assert descriptors._continues((0, 0, 10, 10), box) is continues


def test_two_rows_of_text_cover_both() -> None:
    pixels = letters()
    pixels[80:90] = pixels[40:50]
    assert descriptors.text_share(pixels) == pytest.approx(2 * share(10, 56))


def test_colourfulness_of_a_picture_half_red_and_half_blue() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, :4, 0] = pixels[:, 4:, 2] = 255
    # Red less green is 255 and 0; the mean of these two less blue is 127.5 and -255.
    spread, mean = math.hypot(127.5, 191.25), math.hypot(127.5, 63.75)
    assert descriptors.colourfulness(pixels) == pytest.approx(spread + 0.3 * mean)


def test_entropy_of_levels_that_take_a_half_a_quarter_and_two_eighths() -> None:
    levels = np.array([10] * 4 + [60] * 2 + [120, 200], np.uint8)
    pixels = np.repeat(np.tile(levels, (8, 1))[..., None], 3, axis=2)
    assert descriptors.entropy(pixels) == pytest.approx(1.75)


def test_edges_are_a_share_of_the_pixels() -> None:
    pixels = np.zeros((40, 50, 3), np.uint8)
    pixels[:, 25:] = 255
    assert descriptors.edge_density(pixels) == pytest.approx(1 / 50)


NOISE = np.repeat(np.random.default_rng(4).integers(60, 200, (40, 50, 1), dtype=np.uint8), 3, axis=2)


def test_spatial_information_leaves_out_the_outermost_pixels() -> None:
    luma = NOISE[..., 0].astype(float)
    gradient = np.hypot(ndimage.sobel(luma, 0), ndimage.sobel(luma, 1))[1:-1, 1:-1]
    assert descriptors.spatial_information(NOISE) == pytest.approx(gradient.std())
    assert descriptors.spatial_information(NOISE[:2]) == 0.0


def test_edges_are_cannys_between_100_and_200() -> None:
    large = np.tile(np.random.default_rng(5).integers(60, 200, (400, 400, 1), dtype=np.uint8), 3)
    blurred = np.asarray(cv2.GaussianBlur(large, (0, 0), 0.7), np.uint8)
    expected = (cv2.Canny(blurred[..., 0], 100, 200) > 0).mean()
    assert 0.05 < expected < 0.5
    assert descriptors.edge_density(blurred) == expected


def test_faces_are_looked_for_from_40_pixels_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def cascade(path: str) -> Any:
        assert path.endswith("haarcascade_frontalface_default.xml")
        return SimpleNamespace(
            detectMultiScale=lambda *words, **named: asked.append((words[1:], named)) or [1, 2]
        )

    monkeypatch.setattr(cv2, "CascadeClassifier", cascade)
    monkeypatch.setattr(descriptors, "_on_thread", SimpleNamespace())
    assert descriptors.face_count(NOISE) == 2.0
    assert asked == [((1.1, 6), {"minSize": (40, 40)})]


def test_a_detector_that_is_not_here_leaves_its_descriptor_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "_FACE_CASCADE", "no-such-file.xml")
    assert set(descriptors.describe_pixels(letters())) == set(descriptors.DESCRIPTORS) - {"face_count"}


def test_ranks_run_from_0_to_1_with_ties_and_gaps_in_the_middle() -> None:
    described: list[dict[str, float]] = [
        {"a": 5.0, "b": 1.0},
        {"a": 7.0},
        {"a": 7.0, "b": 1.0},
        {"a": 9.0, "b": 4.0},
    ]
    # a: ranks 1, 2.5, 2.5, 4; b: ranks 1.5, none, 1.5, 3.
    assert _ranks(described) == pytest.approx(np.array([[0, 0.25], [0.5, 0.5], [0.5, 0.25], [1, 1]]))
    assert _ranks([{"a": 3.0}, {"a": 3.0}]) == pytest.approx(np.array([[0.5], [0.5]]))


def test_each_pick_lies_furthest_from_those_before_it() -> None:
    line = [{"a": float(place)} for place in range(5)]
    first = {pick(line, 1, seed)[0]: seed for seed in range(40)}
    assert set(first) == {0, 1, 2, 3, 4}
    assert pick(line, 5, first[0]) == (0, 4, 2, 1, 3)
    assert pick(line, 5, first[4]) == (4, 0, 2, 1, 3)
    assert pick(line, 3, first[2]) == (2, 0, 4)
    assert pick(line, 4, first[1]) == (1, 4, 0, 2)


@pytest.mark.parametrize("count", [0, 6, -1])
def test_no_fewer_than_one_and_no_more_than_all_are_picked(count: int) -> None:
    line: list[dict[str, Any]] = [{"a": float(place)} for place in range(5)]
    with pytest.raises(DatasetError, match=f"asked for {count} of 5 pictures; expected 1 to 5"):
        pick(line, count)
