"""Lossy WebP, through Pillow's libwebp."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import pillow
from ..base import CodecInfo, QualityScale, check_choice, check_quality
from .containers import webp_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts


class WebP:
    """Lossy WebP, always 4:2:0; the defaults are Pillow's, as in the published CompressAI curves.

    Args:
        method: Effort, 0 (fast) to 6 (slow).
    """

    def __init__(self, method: int = 4) -> None:
        check_choice("method", method, range(7))
        self._method = method
        ladder = (0.0, 10.0, 30.0, 50.0, 70.0, 85.0, 95.0)
        scale = QualityScale("quality", 0, 100)
        self.info = CodecInfo("webp", pillow.version("webp"), "classic", ladder, scale)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a WebP file."""
        check_quality(self.info, quality)
        return pillow.encode(picture, "WEBP", quality=round(quality), method=self._method)

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels; chroma is interpolated (libwebp's fancy upsampling)."""
        webp_parts(bitstream)
        return pillow.decode(bitstream, "WEBP")

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return RIFF framing and coded pixels."""
        return webp_parts(bitstream)
