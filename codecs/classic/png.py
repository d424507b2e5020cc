"""PNG: lossless, and the row that measures the harness itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import pillow
from ..base import CodecInfo, QualityScale, check_choice, check_quality
from .containers import png_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts


class Png:
    """PNG through Pillow; its only quality, 0, is lossless.

    Args:
        compress_level: zlib's effort, 0 to 9.
    """

    def __init__(self, compress_level: int = 6) -> None:
        check_choice("compress_level", compress_level, range(10))
        self._compress_level = compress_level
        scale = QualityScale("lossless", 0, 0)
        self.info = CodecInfo("png", pillow.version("zlib"), "classic", (0,), scale)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a PNG file."""
        check_quality(self.info, quality)
        return pillow.encode(picture, "PNG", compress_level=self._compress_level)

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the very pixels."""
        png_parts(bitstream)
        return pillow.decode(bitstream, "PNG")

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return chunk framing and coded pixels."""
        return png_parts(bitstream)
