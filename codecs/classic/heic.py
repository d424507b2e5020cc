"""HEIC encoded by x265 and decoded by libde265, through pillow-heif."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pillow_heif

from ..base import (
    CodecError,
    CodecInfo,
    QualityScale,
    check_choice,
    check_image,
    check_quality,
    check_size,
)
from ..pillow import SUBSAMPLINGS
from .containers import media_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts

_FAST = ("ultrafast", "superfast", "veryfast", "faster", "fast")
_PRESETS = (*_FAST, "medium", "slow", "slower", "veryslow", "placebo")
_SMALLEST_OF_PLACEBO = 32
"""Pixels of a side below which x265 does not open with that preset's coding units of 64."""


class Heic:
    """HEIC: an HEVC still picture by x265.

    Args:
        preset: x265's effort, ``ultrafast`` to ``placebo``; ``slow`` is libheif's default.
        subsampling: Chroma sampling: ``4:4:4``, ``4:2:2`` or ``4:2:0``.
        threads: x265's worker threads. From 2 on they code rows of blocks side by side (wavefront), which
            writes another stream than one thread does, the same for any number.
    """

    def __init__(self, preset: str = "slow", subsampling: str = "4:2:0", threads: int = 1) -> None:
        check_choice("preset", preset, _PRESETS)
        check_choice("subsampling", subsampling, SUBSAMPLINGS)
        check_choice("threads", threads, range(1, 65))
        self._subsampling = subsampling
        # On a busy machine a pool of one worker misses its wake-ups: ten times the wall time, even for ever.
        self._parameters = {"preset": preset, "x265:pools": str(threads) if threads > 1 else "none"}
        libheif = pillow_heif.libheif_info()
        coders = f"{libheif['encoders']['x265']}; {libheif['decoders']['libde265']}"
        version = f"pillow-heif {pillow_heif.__version__}, libheif {libheif['libheif']}, {coders}"
        ladder = (5.0, 15.0, 25.0, 35.0, 45.0, 55.0, 65.0)
        self.info = CodecInfo("heic", version, "classic", ladder, QualityScale("quality", 0, 100))

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a HEIC file with one image item."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        height, width = picture.pixels.shape[:2]
        parameters = dict(self._parameters)  # pillow-heif writes into it
        if min(height, width) < _SMALLEST_OF_PLACEBO and parameters["preset"] == "placebo":
            parameters["x265:ctu"] = "32"
        file = io.BytesIO()
        try:
            image = pillow_heif.from_bytes("RGB", (width, height), picture.pixels.tobytes())
            image.save(
                file,
                quality=round(quality),
                subsampling=self._subsampling,
                enc_params=parameters,
                tile_size=0,  # a grid of tiles would be another codec
            )
        except Exception as error:  # libheif's errors come in five classes
            raise CodecError(f"x265 cannot write this picture: {error}") from error
        return file.getvalue()

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels, decoded in one thread."""
        media_parts(bitstream)
        pillow_heif.options.DECODE_THREADS = 1  # the decoder takes no argument for it
        try:
            file = pillow_heif.open_heif(bitstream)
            check_size(*file.size)
            if file.mode != "RGB":
                raise CodecError(f"expected an RGB picture, the bitstream holds {file.mode}")
            return np.array(file)
        except CodecError:
            raise
        except Exception as error:  # on damaged files libheif's errors come in five classes
            raise CodecError(f"not a whole HEIC file: {error}") from error

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return boxes with parameter sets, and coded pixels."""
        return media_parts(bitstream)
