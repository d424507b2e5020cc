"""The layers of a picture as arrays and text: everything a decoder gets."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ....base import Image

KEYPOINTS = 18
"""Points of a skeleton, in the order of OpenPose's COCO model: nose, neck, right arm, left arm, right leg,
left leg, right eye, left eye, right ear, left ear."""
CANVAS_AREA = 512 * 512
"""Pixels of the canvas that decoders paint on, about: the size Stable Diffusion 1 was trained at."""
CANVAS_MULTIPLE = 64
"""What both sides of the canvas divide by."""
WIDEST = 16
"""A canvas is at most so many times as long as it is wide, whatever the picture, so that no header can ask
for a canvas of unbounded area."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The pose of one person."""

    points: NDArray[np.float64]
    """Shape (18, 2): x and y as shares of width and height, 0 to 1; 0 where not visible."""
    visible: NDArray[np.bool_]
    """Shape (18,)."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of one stream; None for those it does not hold."""

    width: int
    """Of the picture, pixels."""
    height: int
    """Of the picture, pixels."""
    caption: str | None = None
    """Semantic layer."""
    edges: NDArray[np.bool_] | None = None
    """Structure layer: shape (rows, columns), one cell of the picture each."""
    skeletons: tuple[Skeleton, ...] | None = None
    """Structure layer of the other kind."""
    colours: NDArray[np.uint8] | None = None
    """Texture layer: shape (rows, columns, 3), the mean sRGB colour of each cell of the picture."""
    negative_prompt: str = ""
    """What the picture is steered away from: of no layer, but of the stream."""


class LayerDecoder(Protocol):
    """Something that paints a picture from layers."""

    toy: bool
    """Whether its weights are small ones, trained only to show that the path works."""
    weights_sha256: str
    """Empty for a decoder without weights."""
    weights_bytes: int
    trained_on: str | None
    generator: str | None
    """The image generator whose weights paint; None where there is none."""
    version: str
    settings: bytes
    """What it was constructed with, as its streams carry it: all that decides on the pixels besides weights,
    layers, seed and the negative prompt. Empty where there is nothing."""
    negative_prompt: str
    """Likewise; a stream carries it in a chunk of its own, and none where it is empty."""

    def decode(self, layers: Layers, seed: int, settings: bytes) -> Image:
        """Return a canvas of `canvas_size`; the codec brings it to the picture's size.

        Args:
            layers: Of the stream.
            seed: Of all that is drawn.
            settings: Of the stream; they and the layers' negative prompt count, not the decoder's own.

        Raises:
            CodecError: The settings are others than the decoder has, or out of range.
        """
        ...


def canvas_size(
    width: int, height: int, area: int = CANVAS_AREA, multiple: int = CANVAS_MULTIPLE
) -> tuple[int, int]:
    """Return width and height of the canvas that stands for a picture of this size, in pixels.

    The aspect is kept up to rounding and up to 16 to 1; small pictures are painted as large as others.

    Args:
        width: Of the picture.
        height: Of the picture.
        area: Pixels of the canvas, about.
        multiple: What both sides are made to divide by.
    """
    aspect = min(max(width / height, 1 / WIDEST), WIDEST)
    sides = math.sqrt(area * aspect), math.sqrt(area / aspect)
    across, down = (max(1, round(side / multiple)) * multiple for side in sides)
    return across, down
