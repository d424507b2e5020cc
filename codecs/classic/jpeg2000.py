"""JPEG 2000 in a JP2 file, through Pillow's OpenJPEG.

HTJ2K, the fast block coder of JPEG 2000 part 15, is left out: the only binding (imagecodecs, OpenJPH 0.26)
wraps around in lossy mode, with errors of 255 levels, and a lossless codec has no rate-distortion curve.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .. import pillow
from ..base import CodecInfo, QualityScale, check_choice, check_quality
from .containers import jpeg2000_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts

_SHORTFALL_DB = 1.0
"""OpenJPEG estimates what it reaches: on photographs it ends up to so much below what it was asked for."""
_RATE_STEP = 1.005
"""The search among rates ends where two neighbouring rates differ by less than this factor."""


class Jpeg2000:
    """JPEG 2000 part 1 by OpenJPEG, one thread; quality is the PSNR in dB that the encoder aims at.

    OpenJPEG allocates bytes by an estimate of the distortion that fails on flat and half flat pictures: black
    came back at 5 dB when 32 were asked for. The encoder therefore decodes what it wrote. Where that is more
    than 1 dB short, it looks for the smallest rate at which the PSNR is reached, or takes the largest rate
    where none reaches it, as above 50 dB with the 9/7 wavelet.

    Args:
        irreversible: Whether to use the 9/7 wavelet; the 5/3 one can end lossless but codes worse until then.
    """

    def __init__(self, irreversible: bool = True) -> None:
        check_choice("irreversible", irreversible, (False, True))
        # Pillow leaves the colour transform out unless asked: 2.3 times the bytes at the same PSNR (kodim05).
        self._options = {"irreversible": irreversible, "mct": 1}
        ladder = (26.0, 29.0, 32.0, 35.0, 38.0, 41.0, 44.0)
        scale = QualityScale("psnr_db", 10, 60, 0.01, continuous=True)
        version = f"{pillow.version('jpg_2000')}; checked 2"
        self.info = CodecInfo("jpeg2000", version, "classic", ladder, scale)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a JP2 file with one quality layer."""
        check_quality(self.info, quality)
        file = self._written(picture, "dB", quality)
        if _psnr_db(picture, file) >= quality - _SHORTFALL_DB:
            return file
        return self._smallest_reaching(picture, quality, len(file))

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels."""
        jpeg2000_parts(bitstream)
        return pillow.decode(bitstream, "JPEG2000")

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return boxes with the main header, and tile parts."""
        return jpeg2000_parts(bitstream)

    def _smallest_reaching(self, picture: Picture, psnr_db: float, too_few_bytes: int) -> bytes:
        """Return the smallest file that a search among rates finds to reach a PSNR, or the largest file."""
        pixel_bytes = picture.pixels.size
        reaching = self._written(picture, "rates", 1)
        if _psnr_db(picture, reaching) < psnr_db:
            return reaching
        low, high = float(too_few_bytes), float(max(len(reaching), too_few_bytes))
        while high > low * _RATE_STEP:
            middle = math.sqrt(low * high)
            file = self._written(picture, "rates", pixel_bytes / middle)
            if _psnr_db(picture, file) >= psnr_db:
                high, reaching = middle, file
            else:
                low = middle
        return reaching

    def _written(self, picture: Picture, mode: str, layer: float) -> bytes:
        """Return the file of one layer, a PSNR (``dB``) or pixels' bytes over the file's (``rates``)."""
        return pillow.encode(picture, "JPEG2000", quality_mode=mode, quality_layers=[layer], **self._options)


def _psnr_db(picture: Picture, file: bytes) -> float:
    error = picture.pixels.astype(np.int16) - pillow.decode(file, "JPEG2000")
    mean_squared = float(np.square(error, dtype=np.int32).mean(dtype=np.float64))
    return 10 * math.log10(255**2 / mean_squared) if mean_squared else math.inf
