"""AVIF encoded by libaom and decoded by dav1d, through Pillow's libavif."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
from PIL import AvifImagePlugin

from .. import pillow
from ..base import (
    CodecError,
    CodecInfo,
    QualityScale,
    check_choice,
    check_image,
    check_quality,
    check_size,
)
from .containers import media_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts


_EXACT_PLANES = {"alpha_premultiplied": True}
"""libavif's fast conversion of RGB takes half a level off chroma. It has none for a picture whose alpha is to
be multiplied in, and then converts exactly; an alpha of 255 everywhere changes nothing and is not written."""


def decode(bitstream: bytes) -> Image:
    """Return the pixels of a whole AVIF file, decoded in one thread.

    Samples of more than 8 bits go through imagecodecs' libavif, as Pillow's drops their low bits before it
    converts colours, which shifts them by up to 0.7 of a level.

    Raises:
        CodecError: Anything else.
    """
    media_parts(bitstream)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the decoder takes no argument for it, and speed is measured
    if not _is_deep(bitstream):
        return pillow.decode(bitstream, "AVIF")
    check_size(*pillow.size(bitstream, "AVIF"))
    try:
        levels = imagecodecs.avif_decode(bitstream, numthreads=1)
    except Exception as error:  # AvifError and whatever the binding raises
        raise CodecError(f"not a whole AVIF file: {error}") from error
    pixels = np.rint(levels * (255 / 1023)).clip(0, 255).astype(np.uint8)
    check_image(pixels)
    return pixels


def deep_version() -> str:
    """Return the versions of what decodes samples of more than 8 bits."""
    return f"imagecodecs {imagecodecs.__version__}, {imagecodecs.avif_version()}"


def _is_deep(bitstream: bytes) -> bool:
    """Whether the file's AV1 configuration (its third byte) declares more than 8 bits."""
    place = bitstream.find(b"av1C") + 6
    return 6 <= place < len(bitstream) and bool(bitstream[place] & 0x40)


class Avif:
    """AVIF: an AV1 still picture by libaom.

    Args:
        speed: 0 (slow) to 10 (fast); 6 is libavif's default.
        subsampling: Chroma sampling: ``4:4:4``, ``4:2:2`` or ``4:2:0``.
        threads: Encoder threads; more than one writes other bytes.
    """

    def __init__(self, speed: int = 6, subsampling: str = "4:2:0", threads: int = 1) -> None:
        check_choice("speed", speed, range(11))
        check_choice("subsampling", subsampling, pillow.SUBSAMPLINGS)
        check_choice("threads", threads, range(1, 65))
        self._options = {"speed": speed, "subsampling": subsampling, "max_threads": threads}
        ladder = (10.0, 25.0, 40.0, 55.0, 70.0, 80.0, 90.0)
        scale = QualityScale("quality", 0, 100)
        version = f"{pillow.avif_version('aom', 'dav1d')}; planes 2"
        self.info = CodecInfo("avif", version, "classic", ladder, scale)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return an AVIF file."""
        check_quality(self.info, quality)
        return pillow.encode(
            picture,
            "AVIF",
            "RGBA",
            quality=round(quality),
            codec="aom",
            **_EXACT_PLANES,
            **self._options,
        )

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels."""
        return decode(bitstream)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return boxes and coded pixels."""
        return media_parts(bitstream)
