"""Map a rectangle or a mask of a picture to the cells of a layer's grid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ....base import CodecError
from .grids import cell_means

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Part of a picture, its ends as shares of width and height, 0 to 1."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise CodecError(
                "expected a region inside the picture, left before right and top before bottom, "
                f"got {self.left:g}, {self.top:g}, {self.right:g}, {self.bottom:g} of its sides"
            )

    @classmethod
    def in_pixels(cls, ends: Sequence[float], width: int, height: int) -> Rectangle:
        """Return the rectangle from left, top, right and bottom in pixels of a picture.

        Args:
            ends: Left, top, right, bottom; right and bottom are the first pixels outside.
            width: Of the picture, pixels.
            height: Of the picture, pixels.
        """
        left, top, right, bottom = ends
        return cls(left / width, top / height, right / width, bottom / height)


Region: TypeAlias = Rectangle | NDArray[np.bool_]
"""A rectangle, or a mask over the whole picture, of any shape (rows, columns)."""


def parse(text: str, width: int, height: int) -> Rectangle:
    """Return the rectangle of a text: left, top, right, bottom, in pixels or all in percent.

    Args:
        text: Four numbers with commas between them, all in pixels or all with a percent sign.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.

    Raises:
        CodecError: It is no rectangle inside the picture.
    """
    number = r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*"
    match = re.fullmatch(",".join([number] * 4), text)
    if not match or len(set(match.groups()[1::2])) != 1:
        raise CodecError(f"expected LEFT,TOP,RIGHT,BOTTOM in pixels, or each with a % sign, got {text!r}")
    ends = [float(group) for group in match.groups()[::2]]
    return Rectangle.in_pixels(ends, 100, 100) if match[2] else Rectangle.in_pixels(ends, width, height)


def cells(region: Region, rows: int, columns: int) -> NDArray[np.bool_]:
    """Return the cells of a grid that belong to a region, boolean of shape (rows, columns).

    These are the cells that it covers by half or more; where there is none, the one it covers most.

    Args:
        region: A rectangle or a mask, in shares of the picture.
        rows: Of the grid.
        columns: Of the grid.

    Raises:
        CodecError: A mask has no pixel set.
    """
    share = _coverage(region, rows, columns)
    if not share.max() > 0:
        raise CodecError("the mask of the region is empty")
    return share >= min(0.5, share.max())


def holds(region: Region, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points lie in a region.

    Args:
        region: The region.
        points: (count, 2), x and y as shares of width and height.
    """
    if isinstance(region, Rectangle):
        low, high = (region.left, region.top), (region.right, region.bottom)
        return ((points >= low) & (points <= high)).all(axis=1)
    rows, columns = region.shape
    x, y = np.minimum(points * (columns, rows), (columns - 1, rows - 1)).astype(int).T
    return region[y, x]


def _coverage(region: Region, rows: int, columns: int) -> NDArray[np.float64]:
    """Return the share of each cell that a region covers."""
    if isinstance(region, Rectangle):
        down = _overlap(region.top, region.bottom, rows)
        return down[:, None] * _overlap(region.left, region.right, columns)[None, :]
    if region.ndim != 2 or region.dtype != np.bool_ or not region.size:
        raise CodecError(f"expected a boolean mask of two axes, got {region.dtype} {region.shape}")
    levels = np.repeat((region * 255).astype(np.uint8)[:, :, None], 3, axis=2)
    return cell_means(levels, rows, columns)[..., 0] / 255


def _overlap(start: float, end: float, count: int) -> NDArray[np.float64]:
    """Return the share of each of ``count`` equal parts of [0, 1] that lies between two ends."""
    places = np.arange(count + 1) / count
    covered = np.minimum(places[1:], end) - np.maximum(places[:-1], start)
    return covered.clip(0) * count
