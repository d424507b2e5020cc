"""Measure how plainly a picture's pixels lie in blocks of 8x8 or 4x4, as lossy coding leaves them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GRID_FOUND = {8: 5.0, 4: 6.0}
"""By side of the block: how many standard errors tell of an earlier coding. Of Kodak's 24 pictures none
comes as far, of 27 generated ones one; `docs/benchmarks/picture_history.md` has what is found at which
quality."""

STRONGEST = 20.0
"""More standard errors say no more."""
_SIDE = 1248
"""Pixels of the middle that are looked at, a multiple of every block."""
_FLAT = 0.6
"""Levels: mean size of a block's high frequencies where a coder has dropped them, rounding of pixels
included."""


def block_grid(luma: NDArray[np.float64], side: int, offset: tuple[int, int] = (0, 0)) -> float:
    """Return how much more often high frequencies are missing in blocks of a grid than beside it.

    JPEG, WebP, AVIF and HEIC drop high frequencies block by block. What the picture itself lacks is missing
    on every grid alike: grids that lie half a block away are the comparison. In standard errors of the share
    of blocks, 0 to `STRONGEST`.

    Args:
        luma: (height, width), levels.
        side: Of a block: 8 for JPEG and AVIF, 4 for WebP, AVIF and HEIC.
        offset: Row and column of the first block's corner.
    """
    if min(luma.shape) < 8 * side:
        return 0.0
    middle = _middle(luma[offset[0] :, offset[1] :])
    half = side // 2
    shares = [_flat_share(middle, side, place) for place in ((0, 0), (half, half), (half, 0), (0, half))]
    beside = max(share for share, _ in shares[1:])
    share, blocks = shares[0]
    error = float(np.sqrt(max(beside * (1 - beside), 1 / blocks) / blocks))
    return min(max((share - beside) / error, 0.0), STRONGEST)


def _middle(luma: NDArray[np.float64]) -> NDArray[np.float64]:
    top, left = (max(0, (length - _SIDE) // 2) // 48 * 48 for length in luma.shape)
    return luma[top : top + _SIDE, left : left + _SIDE]


def _flat_share(luma: NDArray[np.float64], side: int, place: tuple[int, int]) -> tuple[float, int]:
    """Return the share of blocks without high frequencies on a grid, and how many blocks it has."""
    from scipy.fft import dctn

    rows, columns = (length // side - 1 for length in luma.shape)
    cut = luma[place[0] : place[0] + rows * side, place[1] : place[1] + columns * side]
    blocks = cut.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)
    high = np.add.outer(np.arange(side), np.arange(side)) >= side
    sizes = np.abs(np.asarray(dctn(blocks, axes=(1, 2), norm="ortho"))[:, high]).mean(axis=1)
    return float((sizes < _FLAT).mean()), len(blocks)
