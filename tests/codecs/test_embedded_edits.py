"""Edits of layered streams, judged on the pictures that the embedded decoder paints of them.

Under `make long` on its whole canvas of 512 x 512 pixels, else on one of 256 x 256.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from canvas import small_canvas
from numpy.typing import NDArray
from PIL import Image as PillowImage

from codecarena.codecs import registry
from codecarena.codecs.base import Codec, Image, Picture
from codecarena.codecs.generative.layered import editing
from codecarena.codecs.generative.layered.coding.regions import Rectangle
from codecarena.codecs.generative.layered.detectors import canny, on_grid

GRID = 128
MIDDLE = Rectangle(0.25, 0.25, 0.75, 0.75)
INSIDE = np.s_[GRID // 4 : 3 * GRID // 4, GRID // 4 : 3 * GRID // 4]
pytestmark = pytest.mark.scaled


@pytest.fixture(scope="module")
def full_size(tenth: Callable[[int], int]) -> bool:
    """Whether `make long` runs."""
    return tenth(10) == 10


@pytest.fixture(scope="module", autouse=True)
def canvas(full_size: bool) -> Iterator[None]:
    with nullcontext() if full_size else small_canvas(256 * 256):
        yield


@pytest.fixture(scope="module")
def codec() -> Codec:
    return registry.create("layered")


@pytest.fixture(scope="module")
def streams(codec: Codec, kodak: list[Path], full_size: bool) -> list[bytes]:
    """Four squares of the canvas's size; on a small canvas two that have few fine edges, which it blurs."""
    squares = []
    for index in (2, 4, 14, 22) if full_size else (14, 15):
        square = PillowImage.open(kodak[index]).convert("RGB").crop((128, 0, 640, 512))
        squares.append(np.asarray(square if full_size else square.reduce(2)))
    return [codec.encode(Picture(square), 3) for square in squares]


@pytest.fixture(scope="module")
def painted(codec: Codec, streams: list[bytes]) -> list[Image]:
    return [codec.decode(stream) for stream in streams]


def edges(pixels: Image) -> NDArray[np.bool_]:
    return canny(pixels, GRID, GRID)


def edge_f1(detected: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> float:
    """F1 with a tolerance of one cell."""
    import cv2

    near = np.ones((3, 3), np.uint8)
    detected_cells, wanted_cells = detected.astype(np.uint8), wanted.astype(np.uint8)
    precision = (detected_cells & cv2.dilate(wanted_cells, near)).sum() / max(1, detected_cells.sum())
    recall = (wanted_cells & cv2.dilate(detected_cells, near)).sum() / max(1, wanted_cells.sum())
    return float(2 * precision * recall / max(1e-9, precision + recall))


def drawing() -> NDArray[np.bool_]:
    """Two nested squares and a cross."""
    drawn = np.zeros((GRID, GRID), np.bool_)
    for margin in (40, 52):
        for line in (margin, GRID - 1 - margin):
            drawn[line, margin : GRID - margin] = drawn[margin : GRID - margin, line] = True
    drawn[GRID // 2, 40:88] = drawn[40:88, GRID // 2] = True
    return drawn


def test_a_new_structure_shows_inside_the_mask_alone(
    codec: Codec, streams: list[bytes], painted: list[Image]
) -> None:
    wanted = drawing()
    gains, ratios = [], []
    for stream, before in zip(streams, painted, strict=True):
        after = codec.decode(editing.replace_structure(stream, wanted, MIDDLE))
        gains.append(
            edge_f1(edges(after)[INSIDE], wanted[INSIDE]) - edge_f1(edges(before)[INSIDE], wanted[INSIDE])
        )
        ratios.append(_outside(after, before) / _inside(after, before))
    assert np.mean(gains) > 0.3
    assert np.mean(ratios) < 0.1


def test_a_recoloured_cell_moves_and_its_surroundings_stay(
    codec: Codec, streams: list[bytes], painted: list[Image]
) -> None:
    moved, leaked = [], []
    for stream, before in zip(streams, painted, strict=True):
        colour_map = editing.inspect(stream).colours
        assert colour_map is not None
        mean = colour_map[2:6, 2:6].reshape(-1, 3).mean(0)
        target = np.where(mean > 128, mean - 90, mean + 90).round().astype(int)
        after = codec.decode(editing.recolour(stream, MIDDLE, tuple(target.tolist())))
        change = after.astype(float) - before
        request = target - _part(before, 1 / 4).reshape(-1, 3).mean(0)
        along = _part(change, 1 / 4).reshape(-1, 3).mean(0) @ request / (request @ request)
        moved.append(along)
        ring = np.ones(change.shape[:2], np.bool_)
        _part(ring, 1 / 8)[:] = False  # a cell's width about the region is where colours blend
        leaked.append(abs(change[ring].mean(0) @ request / (request @ request)))
    assert 0.8 <= np.mean(moved) <= 1.2
    assert np.mean(leaked) < 0.05 * np.mean(moved)


def test_erasing_thins_the_edges_inside_the_mask_alone(
    codec: Codec, streams: list[bytes], painted: list[Image]
) -> None:
    inside, outside = [], []
    for stream, before in zip(streams, painted, strict=True):
        after = codec.decode(editing.erase(stream, MIDDLE))
        was, now = edges(before), edges(after)
        inside.append(now[INSIDE].mean() / max(1e-9, was[INSIDE].mean()))
        was[24:104, 24:104] = now[24:104, 24:104] = False
        outside.append(now.mean() / max(1e-9, was.mean()))
    assert np.mean(inside) < 0.5
    assert 0.95 < np.mean(outside) < 1.05


def test_what_is_kept_is_the_drawing(streams: list[bytes]) -> None:
    edge_map = editing.inspect(editing.replace_structure(streams[0], drawing(), MIDDLE)).edges
    assert edge_map is not None
    assert np.array_equal(on_grid(edge_map, GRID, GRID)[INSIDE], drawing()[INSIDE])


def _part(pixels: np.ndarray, margin: float) -> np.ndarray:
    """What lies at least so large a share of a square's side from its border."""
    side = len(pixels)
    start, end = round(margin * side), round((1 - margin) * side)
    return pixels[start:end, start:end]


def _inside(after: Image, before: Image) -> float:
    return float(np.abs(_part(after, 1 / 4).astype(float) - _part(before, 1 / 4)).mean())


def _outside(after: Image, before: Image) -> float:
    """Mean change beyond a cell's width about the region."""
    change = np.abs(after.astype(float) - before).mean(-1)
    _part(change, 1 / 8)[:] = np.nan
    return float(np.nanmean(change))
