"""JPEG encoded by mozjpeg through pyvips, and decoded by libjpeg-turbo."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pyvips

from .. import pillow
from ..base import (
    CodecError,
    CodecInfo,
    MissingBackendError,
    QualityScale,
    check_choice,
    check_image,
    check_quality,
)
from .containers import jpeg_parts
from .jpeg import LADDER

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts

_SUBSAMPLING = {"4:2:0": "on", "4:4:4": "off"}


@cache
def _is_mozjpeg() -> bool:
    """Whether this libvips writes JPEG with mozjpeg: a libvips without it ignores what it does not know."""
    black = pyvips.Image.black(8, 8)
    return black.jpegsave_buffer(quant_table=0) != black.jpegsave_buffer(quant_table=3)


class Mozjpeg:
    """JPEG by mozjpeg, with everything it adds to libjpeg switched on.

    Args:
        subsampling: Chroma sampling: ``4:4:4`` or ``4:2:0``. libvips itself switches to 4:4:4 at quality 90.
        trellis: Whether to choose coefficients by rate and distortion.
        deringing: Whether to overshoot at clipped edges, where the decoder clips it away.
        progressive: Whether to code in several scans, the best split of which is searched.
        quant_table: mozjpeg's number of a quantization table, 0 to 8; 3 is its own default.
    """

    def __init__(
        self,
        subsampling: str = "4:2:0",
        trellis: bool = True,
        deringing: bool = True,
        progressive: bool = True,
        quant_table: int = 3,
    ) -> None:
        check_choice("subsampling", subsampling, _SUBSAMPLING)
        check_choice("quant_table", quant_table, range(9))
        for name, flag in (("trellis", trellis), ("deringing", deringing), ("progressive", progressive)):
            check_choice(name, flag, (False, True))
        if not _is_mozjpeg():
            raise MissingBackendError("this libvips is built without mozjpeg; install codecarena[mozjpeg]")
        self._subsample_mode = _SUBSAMPLING[subsampling]
        self._trellis, self._deringing, self._progressive = trellis, deringing, progressive
        self._quant_table = quant_table
        libvips = ".".join(str(pyvips.version(part)) for part in range(3))
        version = f"pyvips {pyvips.__version__}, libvips {libvips}; {pillow.version('libjpeg_turbo')}"
        self.info = CodecInfo("mozjpeg", version, "classic", LADDER, QualityScale("quality", 1, 100))

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a JFIF file."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        height, width, bands = picture.pixels.shape
        try:
            image = pyvips.Image.new_from_memory(picture.pixels.tobytes(), width, height, bands, "uchar")
            return image.copy(interpretation="srgb").jpegsave_buffer(
                Q=round(quality),
                subsample_mode=self._subsample_mode,
                trellis_quant=self._trellis,
                overshoot_deringing=self._deringing,
                optimize_coding=True,
                interlace=self._progressive,
                optimize_scans=self._progressive,
                quant_table=self._quant_table,
                keep=0,  # no metadata
            )
        except pyvips.Error as error:
            raise CodecError(f"mozjpeg cannot write this picture: {error}") from error

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels, as libjpeg-turbo sees them."""
        jpeg_parts(bitstream)
        return pillow.decode(bitstream, "JPEG")

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return headers with tables, and coded pixels."""
        return jpeg_parts(bitstream)
