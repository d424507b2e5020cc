"""Convert 8-bit RGB to the YCbCr planes that video encoders take and back, exactly, chroma halved or not.

Full range: luma from 0 to the largest sample, chroma about half of the sample range (ITU-T H.273). The
arithmetic is element by element in one order, so that every machine rounds to the same samples. Conversions
that come with encoders are fast and shift colours by up to half a level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .base import Image

Plane: TypeAlias = NDArray[np.float32]
"""Samples of one component, of shape (rows, columns); chroma less its middle, so that grey is 0."""

_Taps: TypeAlias = tuple[tuple[int, float], ...]
"""Offsets in samples, and the weights of the samples there."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How RGB becomes samples."""

    red: float
    """Weight of red in luma."""
    blue: float
    """Weight of blue in luma."""
    bits: int
    """Of a sample: 8 or 10."""
    left: bool = False
    """Of halved chroma: whether a sample lies on the left one of its two columns, or between them."""

    @property
    def top(self) -> int:
        """The largest sample, white's luma."""
        return 2**self.bits - 1

    @property
    def middle(self) -> int:
        """The chroma sample of grey."""
        return 2 ** (self.bits - 1)


def bt601(bits: int) -> Coding:
    """Return the coding of AVIF and JPEG: matrix coefficients 5 or 6, chroma between its columns."""
    return Coding(0.299, 0.114, bits)


def bt709(bits: int) -> Coding:
    """Return the coding of video: matrix coefficients 1, chroma on its left column."""
    return Coding(0.2126, 0.0722, bits, left=True)


def to_planes(pixels: Image, coding: Coding) -> tuple[Plane, Plane, Plane]:
    """Return luma and both chroma planes, each of shape (height, width), before they are rounded."""
    red, green, blue = (pixels[..., index].astype(np.float32) * (coding.top / 255) for index in range(3))
    luma = red * coding.red + green * (1 - coding.red - coding.blue) + blue * coding.blue
    return luma, (blue - luma) / (2 * (1 - coding.blue)), (red - luma) / (2 * (1 - coding.red))


def to_pixels(luma: Plane, chroma_blue: Plane, chroma_red: Plane, coding: Coding) -> Image:
    """Return the pixels of three planes of shape (height, width): uint8, (height, width, 3).

    Args:
        luma: 0 to ``coding.top``; all planes are of one shape.
        chroma_blue: Around 0.
        chroma_red: Around 0.
        coding: The planes' matrix and bit depth.
    """
    red = luma + chroma_red * (2 * (1 - coding.red))
    blue = luma + chroma_blue * (2 * (1 - coding.blue))
    green = (luma - red * coding.red - blue * coding.blue) / (1 - coding.red - coding.blue)
    levels = np.empty((*luma.shape, 3), np.uint8)
    for index, plane in enumerate((red, green, blue)):
        levels[..., index] = np.rint(plane * (255 / coding.top)).clip(0, 255)
    return levels


def to_samples(planes: tuple[Plane, Plane, Plane], coding: Coding) -> bytes:
    """Return the samples plane by plane, row by row, as FFmpeg's raw video and Y4M have them.

    A sample takes a byte, or two with the lower one first where it has more than 8 bits.
    """
    kind = np.uint8 if coding.bits == 8 else np.dtype("<u2")
    shifted = (planes[0], planes[1] + coding.middle, planes[2] + coding.middle)
    return b"".join(np.rint(plane).clip(0, coding.top).astype(kind).tobytes() for plane in shifted)


def from_samples(
    samples: bytes, shapes: tuple[tuple[int, int], tuple[int, int]], coding: Coding
) -> tuple[Plane, Plane, Plane]:
    """Return the planes of samples.

    Args:
        samples: As many as the planes have; see `to_samples`.
        shapes: Of the luma plane, and of each chroma plane: (rows, columns).
        coding: Of the samples.
    """
    flat = np.frombuffer(samples, np.uint8 if coding.bits == 8 else np.dtype("<u2")).astype(np.float32)
    (rows, columns), chroma = shapes
    luma, blue, red = np.split(flat, (rows * columns, rows * columns + chroma[0] * chroma[1]))
    middle = np.float32(coding.middle)
    return luma.reshape(rows, columns), blue.reshape(chroma) - middle, red.reshape(chroma) - middle


def halved(pixels: Image, coding: Coding) -> bytes:
    """Return the samples of a picture with chroma halved in both directions (4:2:0), rounded up at odd sides.

    A picture of odd sides is extended by its last row and column for that: a chroma sample beyond the edge
    would otherwise be made of half its pixels.
    """
    height, width = pixels.shape[:2]
    even = np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    luma, blue, red = to_planes(even, coding)
    columns = _ON_SAMPLE if coding.left else _BETWEEN
    halved_blue, halved_red = (
        _filtered(_filtered(plane, _BETWEEN, 0, 2), columns, 1, 2) for plane in (blue, red)
    )
    return to_samples((luma[:height, :width], halved_blue, halved_red), coding)


def from_halved(samples: bytes, width: int, height: int, coding: Coding) -> Image:
    """Return the picture of samples with halved chroma (4:2:0); see `halved`.

    Args:
        samples: Luma, then blue and red chroma, row by row; 16-bit samples little-endian.
        width: Of the picture, in pixels; chroma planes have half of it, rounded up.
        height: Likewise.
        coding: The samples' matrix, bit depth and chroma place.
    """
    half = (-(-height // 2), -(-width // 2))
    luma, blue, red = from_samples(samples, ((height, width), half), coding)
    full = (_doubled(_doubled(plane, 0, on_sample=False), 1, on_sample=coding.left) for plane in (blue, red))
    chroma_blue, chroma_red = (plane[:height, :width] for plane in full)
    return to_pixels(luma, chroma_blue, chroma_red, coding)


_BETWEEN: _Taps = ((0, 0.5), (1, 0.5))
_ON_SAMPLE: _Taps = ((-3, -1 / 32), (-1, 9 / 32), (0, 16 / 32), (1, 9 / 32), (3, -1 / 32))
# Catmull and Rom's cubic at half a sample, and at a quarter before and behind one.
_HALF: _Taps = ((-1, -1 / 16), (0, 9 / 16), (1, 9 / 16), (2, -1 / 16))
_BEFORE: _Taps = ((-2, -3 / 128), (-1, 29 / 128), (0, 111 / 128), (1, -9 / 128))
_BEHIND: _Taps = ((-1, -9 / 128), (0, 111 / 128), (1, 29 / 128), (2, -3 / 128))
_REACH = 3


def _doubled(plane: Plane, axis: int, *, on_sample: bool) -> Plane:
    """Return a plane of twice the samples along an axis: on and behind each sample, or around it."""
    first = plane if on_sample else _filtered(plane, _BEFORE, axis)
    second = _filtered(plane, _HALF if on_sample else _BEHIND, axis)
    return np.stack((first, second), axis + 1).reshape(
        [side * (2 if index == axis else 1) for index, side in enumerate(plane.shape)]
    )


def _filtered(plane: Plane, taps: _Taps, axis: int, step: int = 1) -> Plane:
    """Return a weighted sum of neighbours along an axis, at each sample or at each second one."""
    room = [(0, 0), (0, 0)]
    room[axis] = (_REACH, _REACH)
    extended = np.moveaxis(np.pad(plane, room, mode="edge"), axis, 0)
    count = plane.shape[axis]
    total = np.zeros_like(extended[_REACH : _REACH + count : step])
    for offset, weight in taps:
        total += extended[_REACH + offset : _REACH + offset + count : step] * np.float32(weight)
    return np.moveaxis(total, 0, axis)
