"""Turn a picture into a JP2 file and back, through Pillow's OpenJPEG.

HTJ2K, the fast block coder of JPEG 2000 part 15, is left out: the only binding (imagecodecs, OpenJPH 0.26)
wraps around in lossy mode, with errors of 255 levels, and a lossless codec has no rate-distortion curve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base import CodecInfo, QualityScale, check_choice, check_quality
from . import pillow
from .containers import jpeg2000_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts


class Jpeg2000:
    """JPEG 2000 part 1 by OpenJPEG, one thread; quality is the PSNR in dB that the encoder aims at.

    Args:
        irreversible: Whether to use the 9/7 wavelet; the 5/3 one can end lossless but codes worse until then.
    """

    def __init__(self, irreversible: bool = True) -> None:
        check_choice("irreversible", irreversible, (False, True))
        # Pillow leaves the colour transform out unless asked: 2.3 times the bytes at the same PSNR (kodim05).
        self._options = {"quality_mode": "dB", "irreversible": irreversible, "mct": 1}
        ladder = (26.0, 29.0, 32.0, 35.0, 38.0, 41.0, 44.0)
        scale = QualityScale("psnr_db", 10, 60, 0.01, continuous=True)
        self.info = CodecInfo("jpeg2000", pillow.version("jpg_2000"), "classic", ladder, scale)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a JP2 file with one quality layer."""
        check_quality(self.info, quality)
        return pillow.encode(picture, "JPEG2000", quality_layers=[quality], **self._options)

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels."""
        jpeg2000_parts(bitstream)
        return pillow.decode(bitstream, "JPEG2000")

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return boxes with the main header, and tile parts."""
        return jpeg2000_parts(bitstream)
