"""Reduce a picture to a grid of cells, and fit a painted canvas to the size of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Pillow

from ....base import CodecError, check_size
from .layers import canvas_size

if TYPE_CHECKING:
    from ....base import Image

CANVAS_ROWS = 512
"""Rows of a square picture's canvas; grids are given by their rows on it."""
MOST_PIXELS = 2**26
"""A few hundred bytes may claim any size; a picture larger than this is refused on both sides."""


def check_pixels(width: int, height: int) -> None:
    """Raise `CodecError` for pictures that are larger than a layered stream may stand for."""
    check_size(width, height)
    if width * height > MOST_PIXELS:
        raise CodecError(
            f"expected at most {MOST_PIXELS} pixels for a layered stream, got {width} x {height}"
        )


def grid_shape(width: int, height: int, rows: int) -> tuple[int, int]:
    """Return rows and columns of a grid over a picture.

    Its cells divide the canvas evenly, so that pictures of any size and aspect have about as many.

    Args:
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        rows: What a square picture's grid has.
    """
    across, down = canvas_size(width, height)
    return max(1, down * rows // CANVAS_ROWS), max(1, across * rows // CANVAS_ROWS)


def cell_means(pixels: Image, rows: int, columns: int) -> Image:
    """Return the mean of each cell of a grid over the pixels, uint8 of shape (rows, columns, 3).

    Args:
        pixels: (height, width, 3), uint8.
        rows: Of the grid, from 1.
        columns: Of the grid, from 1.
    """
    return _resized(pixels, columns, rows, Pillow.Resampling.BOX)


def fitted(canvas: Image, width: int, height: int) -> Image:
    """Return the canvas at the size of the picture, by bicubic filtering.

    Args:
        canvas: (rows, columns, 3) uint8.
        width: Of the result, pixels.
        height: Of the result, pixels.
    """
    if canvas.shape[:2] == (height, width):
        return np.ascontiguousarray(canvas)
    return _resized(canvas, width, height, Pillow.Resampling.BICUBIC)


def _resized(pixels: Image, width: int, height: int, filtering: Pillow.Resampling) -> Image:
    return np.array(Pillow.fromarray(pixels).resize((width, height), filtering))
