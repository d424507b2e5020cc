"""Describe views by features that need no weights: patches of a Laplacian pyramid, or power spectra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..analysis.detail import PATCH_SIDE, RING_CYCLES_PER_PIXEL, ring_power
from .tiles import TILE_PIXELS

if TYPE_CHECKING:
    from ...codecs.base import Image

LEVELS = 4
PATCHES_PER_LEVEL = 32


class PyramidPatches:
    """Colour patches of every level of a Laplacian pyramid, at places drawn once: the same in every tile.

    Burt and Adelson, "The Laplacian Pyramid as a Compact Image Code" (1983), by OpenCV's pyrDown and pyrUp;
    the last level is the Gaussian one. Patches of 7 x 7 on pyramid levels as in Karras et al. (ICLR 2018).
    """

    extractor = (
        f"RGB Laplacian pyramid of {LEVELS} levels, {PATCHES_PER_LEVEL} patches of "
        f"{PATCH_SIDE}x{PATCH_SIDE} a level and tile, seed 0"
    )
    weights_sha256 = None

    def __init__(self) -> None:
        generator = np.random.default_rng(0)
        self._places = [
            generator.integers(0, (TILE_PIXELS >> level) - PATCH_SIDE + 1, (2, PATCHES_PER_LEVEL))
            for level in range(LEVELS)
        ]

    def describe(self, views: Sequence[Image]) -> NDArray[np.float32]:
        """Return the patches, shape (views x 32, levels, 147)."""
        return np.concatenate([self._patches(view) for view in views])

    def _patches(self, view: Image) -> NDArray[np.float32]:
        drawn: list[NDArray[np.float32]] = []
        for plane, (rows, columns) in zip(_pyramid(view), self._places, strict=True):
            windows = sliding_window_view(plane, (PATCH_SIDE, PATCH_SIDE, 3))[:, :, 0]
            drawn.append(windows[rows, columns].reshape(PATCHES_PER_LEVEL, -1))
        return np.stack(drawn, axis=1)


class RingPower:
    """The power of luma in rings of frequency; `bench.analysis.detail.ring_power` says how."""

    extractor = f"luma power in rings of {RING_CYCLES_PER_PIXEL:g} cycles per pixel, Hann window"
    weights_sha256 = None

    def describe(self, views: Sequence[Image]) -> NDArray[np.float64]:
        """Return the power, shape (views, rings)."""
        return np.stack([ring_power(view) for view in views])


def _pyramid(view: Image) -> list[NDArray[np.float32]]:
    planes: list[NDArray[np.float32]] = []
    plane = view.astype(np.float32)
    for _ in range(LEVELS - 1):
        half = cv2.pyrDown(plane)
        blurred = cv2.pyrUp(half, dstsize=(plane.shape[1], plane.shape[0]))
        planes.append(np.asarray(plane - blurred, np.float32))
        plane = np.asarray(half, np.float32)
    return [*planes, plane]
