"""Baseline and progressive JPEG, through Pillow's libjpeg-turbo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import pillow
from ..base import CodecInfo, QualityScale, check_choice, check_quality
from .containers import jpeg_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts

LADDER = (5.0, 15.0, 30.0, 50.0, 70.0, 85.0, 95.0)
"""Qualities of the three JPEG encoders: about 0.2 to 3.5 bits per pixel on photographs."""


class Jpeg:
    """JPEG (ITU-T T.81) by libjpeg-turbo.

    The defaults are what Pillow does given only the quality, as in the published CompressAI curves.

    Args:
        subsampling: Chroma sampling: ``4:4:4``, ``4:2:2`` or ``4:2:0``.
        optimize: Whether to compute Huffman tables for the picture: 1 to 13 % smaller.
        progressive: Whether to code in several scans, which implies ``optimize``.
    """

    def __init__(self, subsampling: str = "4:2:0", optimize: bool = False, progressive: bool = False) -> None:
        check_choice("subsampling", subsampling, pillow.SUBSAMPLINGS)
        check_choice("optimize", optimize, (False, True))
        check_choice("progressive", progressive, (False, True))
        self._options = {"subsampling": subsampling, "optimize": optimize, "progressive": progressive}
        version = pillow.version("libjpeg_turbo")
        self.info = CodecInfo("jpeg", version, "classic", LADDER, QualityScale("quality", 1, 100))

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a JFIF file."""
        check_quality(self.info, quality)
        return pillow.encode(picture, "JPEG", quality=round(quality), **self._options)

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels; chroma is interpolated (libjpeg's fancy upsampling)."""
        jpeg_parts(bitstream)
        return pillow.decode(bitstream, "JPEG")

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return headers with tables, and coded pixels."""
        return jpeg_parts(bitstream)
