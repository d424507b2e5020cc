"""Turn a picture into an AVIF file by libaom and back by dav1d, through Pillow's libavif."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import AvifImagePlugin

from ..base import CodecInfo, QualityScale, check_choice, check_quality
from . import pillow
from .containers import media_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts


def decode(bitstream: bytes) -> Image:
    """Return the pixels of a whole AVIF file, decoded in one thread.

    Raises:
        CodecError: Anything else.
    """
    media_parts(bitstream)
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # the decoder takes no argument for it, and speed is measured
    return pillow.decode(bitstream, "AVIF")


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
        self.info = CodecInfo("avif", pillow.avif_version("aom", "dav1d"), "classic", ladder, scale)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return an AVIF file."""
        check_quality(self.info, quality)
        return pillow.encode(picture, "AVIF", quality=round(quality), codec="aom", **self._options)

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels."""
        return decode(bitstream)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return boxes and coded pixels."""
        return media_parts(bitstream)
