"""JPEG encoded by jpegli, and decoded by jpegli or libjpeg-turbo."""

from __future__ import annotations

from importlib.metadata import version as installed
from typing import TYPE_CHECKING

import numpy as np
import pyjpegli

from .. import pillow
from ..base import (
    MAX_PIXELS,
    CodecError,
    CodecInfo,
    QualityScale,
    check_choice,
    check_image,
    check_quality,
)
from .containers import jpeg_parts
from .jpeg import LADDER

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts


class Jpegli:
    """JPEG by jpegli: adaptive quantization, 4:2:0; the binding offers no other setting.

    Args:
        decoder: ``jpegli``, whose output is rounded from more than 8 bits, or ``turbo``, which is what old
            software shows; they differ by 0.2 dB.
    """

    def __init__(self, decoder: str = "jpegli") -> None:
        check_choice("decoder", decoder, ("jpegli", "turbo"))
        self._decoder = decoder
        encoder = f"pyjpegli {installed('pyjpegli')}"
        version = f"{encoder}; {encoder if decoder == 'jpegli' else pillow.version('libjpeg_turbo')}"
        self.info = CodecInfo("jpegli", version, "classic", LADDER, QualityScale("quality", 1, 100))

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a JPEG file."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        height, width = picture.pixels.shape[:2]
        try:
            return pyjpegli.encode(picture.pixels.tobytes(), width, height, round(quality))
        except (ValueError, RuntimeError, MemoryError) as error:
            raise CodecError(f"jpegli cannot write this picture: {error}") from error

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels, as the chosen decoder sees them."""
        jpeg_parts(bitstream)
        if self._decoder == "turbo":
            return pillow.decode(bitstream, "JPEG")
        try:
            pixels, width, height = pyjpegli.decode(bitstream, max_pixels=MAX_PIXELS)
        except (ValueError, RuntimeError, MemoryError) as error:
            raise CodecError(f"not a whole JPEG file: {error}") from error
        return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return headers with tables, and coded pixels."""
        return jpeg_parts(bitstream)
