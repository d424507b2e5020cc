"""Prepare pairs of pictures for metrics: checked shapes, luma, files, reused buffers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from .base import MetricError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ...codecs.base import Image

Result = TypeVar("Result")

Plane: TypeAlias = NDArray[Any]
"""Float values at each pixel; Any, because OpenCV's stubs do not know which float type comes back."""


def check_size(name: str, pixels: Image, smallest_side: int) -> None:
    """Raise `MetricError` when a picture is smaller than the metric is defined for.

    Args:
        name: The metric's name, for the message.
        pixels: Shape (height, width, channels).
        smallest_side: Pixels that both sides must have at least.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < smallest_side:
        raise MetricError(
            f"{name} needs at least {smallest_side} pixels on each side, "
            f"got a picture of {width}x{height}; leave it out of suites with such pictures"
        )


def check_pair(name: str, original: Image, decoded: Image) -> None:
    """Raise `MetricError` unless the decoded picture is uint8 and has the original's shape.

    Args:
        name: The metric's name, for the message.
        original: Shape (height, width, 3), uint8.
        decoded: What to check against it.
    """
    if decoded.dtype != np.uint8 or decoded.shape != original.shape:
        raise MetricError(
            f"{name} compares pictures of equal size: expected uint8 {original.shape} like the original, "
            f"got {decoded.dtype} {decoded.shape}"
        )


def luma(pixels: Plane | Image) -> Plane:
    """Return BT.601 full-range luma of pixels or of differences, shape (height, width), not rounded."""
    return pixels @ np.array([0.299, 0.587, 0.114])


def write_ppm(path: Path, pixels: Image) -> None:
    """Write a picture as binary PPM, which every tool reads as sRGB without a colour profile."""
    height, width = pixels.shape[:2]
    path.write_bytes(b"P6\n%d %d\n255\n" % (width, height) + np.ascontiguousarray(pixels).tobytes())


class Scratch:
    """Numbered float32 buffers that grow to the largest picture; fresh pages cost as much as a filter."""

    def __init__(self) -> None:
        self._buffers: dict[int, NDArray[np.float32]] = {}

    def __call__(self, number: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return buffer ``number`` in this shape; its contents are whatever was there."""
        count = int(np.prod(shape))
        buffer = self._buffers.get(number)
        if buffer is None or buffer.size < count:
            buffer = self._buffers[number] = np.empty(count, np.float32)
        return buffer[:count].reshape(shape)


class LastPair(Generic[Result]):
    """The result of the last pair, so that two metrics read from one process run cost one run."""

    def __init__(self, compute: Callable[[Image, Image], Result]) -> None:
        self._compute = compute
        self._key: tuple[Any, ...] = ()  # shapes and digests; compared, never read
        self._result: Result | None = None

    def __call__(self, original: Image, decoded: Image) -> Result:
        """Return the result for this pair, computed only when the last call had another one."""
        key = (original.shape, _digest(original), _digest(decoded))
        if self._result is None or key != self._key:
            self._result = None
            self._result, self._key = self._compute(original, decoded), key
        return self._result


def _digest(pixels: Image) -> bytes:
    return hashlib.blake2b(pixels.tobytes()).digest()
