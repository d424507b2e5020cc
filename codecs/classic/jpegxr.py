"""JPEG XR, through imagecodecs' jxrlib.

Eight bytes follow the file, which readers of the format skip. First the width: below quality 50 jxrlib codes
4:2:0 with two levels of overlap, which it refuses under 17 columns, so narrow pictures are extended. Then a
CRC-32: jxrlib 1.1 kills its process (SIGFPE) on some damaged files, so those must never reach it.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np

from ..base import (
    CodecError,
    CodecInfo,
    QualityScale,
    RateParts,
    check_image,
    check_quality,
    check_size,
)
from .containers import jpegxr_fields

if TYPE_CHECKING:
    from ..base import Image, Picture

_NARROWEST = 17
_TRAILER = struct.Struct("<II")


def _opened(bitstream: bytes) -> tuple[bytes, int]:
    """Return the JPEG XR file and the picture's width."""
    if len(bitstream) <= _TRAILER.size:
        raise CodecError(f"not a JPEG XR file of this codec: {len(bitstream)} bytes")
    width, checksum = _TRAILER.unpack(bitstream[-_TRAILER.size :])
    if zlib.crc32(bitstream[:-4]) != checksum:
        raise CodecError("not a whole JPEG XR file of this codec: the checksum differs")
    return bitstream[: -_TRAILER.size], width


class JpegXr:
    """JPEG XR (ITU-T T.832) by jxrlib, one thread; it hardly gets below half a bit per pixel.

    jxrlib chooses 4:2:0 below quality 50 and 4:4:4 from there on.
    """

    def __init__(self) -> None:
        version = f"imagecodecs {imagecodecs.__version__}, {imagecodecs.jpegxr_version()}"
        ladder = (2.0, 10.0, 20.0, 30.0, 45.0, 60.0)
        scale = QualityScale("quality", 2, 100)  # the binding takes 1 and less as lossless
        self.info = CodecInfo("jpegxr", version, "classic", ladder, scale)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a JPEG XR file, the width and a checksum."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        width = picture.pixels.shape[1]
        missing = max(0, _NARROWEST - width)
        pixels = np.pad(picture.pixels, ((0, 0), (0, missing), (0, 0)), mode="edge")
        try:
            file = bytes(imagecodecs.jpegxr_encode(pixels, level=quality))
        except Exception as error:  # JpegxrError and whatever the binding raises
            raise CodecError(f"jxrlib cannot write this picture: {error}") from error
        sized = file + width.to_bytes(4, "little")
        return sized + zlib.crc32(sized).to_bytes(4, "little")

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels."""
        file, width = _opened(bitstream)
        fields = jpegxr_fields(file)
        check_size(fields.get(0xBC80, 0), fields.get(0xBC81, 0))
        try:
            pixels = imagecodecs.jpegxr_decode(file)
        except Exception as error:
            raise CodecError(f"not a whole JPEG XR file: {error}") from error
        check_image(pixels[:, :width])
        return np.ascontiguousarray(pixels[:, :width])

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return tags, width and checksum, and the coded image with its headers."""
        payload = jpegxr_fields(_opened(bitstream)[0])[0xBCC1]
        return RateParts(len(bitstream) - payload, payload)
