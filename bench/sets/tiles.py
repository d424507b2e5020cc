"""Cut a picture into the views that metrics of sets describe: tiles of two grids, or the whole picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...codecs.base import Image

TILE_PIXELS = 256
SHIFT_PIXELS = 128


def corners(height: int, width: int) -> list[tuple[int, int]]:
    """Return the top left corners (row, column) of the tiles of a picture.

    The first grid begins in the picture's corner, the second `SHIFT_PIXELS` further right and down, where
    both sides have at least 1.5 tiles; what is left over at the far ends belongs to no tile.

    Mentzer et al., "High-Fidelity Generative Image Compression" (NeurIPS 2020); the rule of 1.5 tiles is that
    of NeuralCompression's ``update_patch_fid`` (commit 937d68a), which calls the scores FID/256 and KID/256.
    """
    tile_corners = _grid(0, height, width)
    if 2 * min(height, width) >= 3 * TILE_PIXELS:
        tile_corners += _grid(SHIFT_PIXELS, height, width)
    return tile_corners


def tiles(pixels: Image) -> list[Image]:
    """Return the tiles of a picture, each (256, 256, 3); none of one that is smaller than a tile."""
    return [
        pixels[row : row + TILE_PIXELS, column : column + TILE_PIXELS]
        for row, column in corners(*pixels.shape[:2])
    ]


def whole(pixels: Image) -> list[Image]:
    """Return the picture as its only view."""
    return [pixels]


def _grid(start: int, height: int, width: int) -> list[tuple[int, int]]:
    return [
        (row, column)
        for row in range(start, height - TILE_PIXELS + 1, TILE_PIXELS)
        for column in range(start, width - TILE_PIXELS + 1, TILE_PIXELS)
    ]
