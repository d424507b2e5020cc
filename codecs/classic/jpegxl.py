"""JPEG XL as a bare codestream, through imagecodecs' libjxl."""

from __future__ import annotations

from typing import TYPE_CHECKING

import imagecodecs

from ..base import (
    CodecError,
    CodecInfo,
    QualityScale,
    RateParts,
    check_choice,
    check_image,
    check_quality,
    check_size,
)

if TYPE_CHECKING:
    from ..base import Image, Picture

_SIGNATURE = b"\xff\x0a"
_RATIOS = ((1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def codestream_size(bitstream: bytes) -> tuple[int, int]:
    """Return the width and height that a codestream's SizeHeader claims (ISO/IEC 18181-1, D.3).

    Raises:
        CodecError: This is no bare JPEG XL codestream.
    """
    if bitstream[:2] != _SIGNATURE or len(bitstream) < 12:
        raise CodecError("not a bare JPEG XL codestream")
    bits, position = int.from_bytes(bitstream[2:12], "little"), 0

    def take(count: int) -> int:
        nonlocal position
        position += count
        return bits >> (position - count) & ((1 << count) - 1)

    small = take(1)

    def side() -> int:
        return 8 * (take(5) + 1) if small else take((9, 13, 18, 30)[take(2)]) + 1

    height, ratio = side(), take(3)
    if not ratio:
        return side(), height
    numerator, denominator = _RATIOS[ratio - 1]
    return height * numerator // denominator, height


class JpegXl:
    """JPEG XL's lossy mode by libjxl; quality is the Butteraugli distance, 1 being visually lossless.

    Args:
        effort: 1 (fast) to 9 (slow); 7 is libjxl's default.
        threads: Encoder threads; their number leaves the bytes alone.
    """

    def __init__(self, effort: int = 7, threads: int = 1) -> None:
        check_choice("effort", effort, range(1, 10))
        check_choice("threads", threads, range(1, 65))
        self._effort, self._threads = effort, threads
        version = f"imagecodecs {imagecodecs.__version__}, {imagecodecs.jpegxl_version()}"
        ladder = (15.0, 10.0, 6.0, 4.0, 2.5, 1.5, 0.7)
        scale = QualityScale("distance", 25, 0.05, 0.01, continuous=True)
        self.info = CodecInfo("jpegxl", version, "classic", ladder, scale)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return a codestream without a container."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        try:
            return bytes(
                imagecodecs.jpegxl_encode(
                    picture.pixels,
                    distance=quality,
                    effort=self._effort,
                    numthreads=self._threads,
                    usecontainer=False,
                )
            )
        except Exception as error:  # JpegxlError and whatever the binding raises
            raise CodecError(f"libjxl cannot write this picture: {error}") from error

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels, decoded in one thread."""
        check_size(*codestream_size(bitstream))
        try:
            pixels = imagecodecs.jpegxl_decode(bitstream, numthreads=1)
        except Exception as error:
            raise CodecError(f"not a whole JPEG XL codestream: {error}") from error
        check_image(pixels)
        return pixels

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return the signature, and all else: libjxl does not say where its headers end."""
        codestream_size(bitstream)
        return RateParts(len(_SIGNATURE), len(bitstream) - len(_SIGNATURE))
