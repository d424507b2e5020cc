"""AVIF encoded by SVT-AV1 or rav1e through FFmpeg, and decoded as `avif.decode` does.

FFmpeg writes the file; colours are BT.601 full range, as libavif does for `Avif`, so that only the AV1
encoder differs. rav1e takes no picture under 16 pixels and none of odd sides, SVT-AV1 not the smallest: they
are extended, and a ``free`` box after the file, which every reader skips, holds one byte: how many columns
(times 16) and rows to take away.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import pillow
from ..base import (
    CodecError,
    CodecInfo,
    QualityScale,
    check_choice,
    check_image,
    check_quality,
)
from ..ycbcr import bt601
from . import avif, ffmpeg
from .containers import boxes, media_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts
    from ..ycbcr import Coding

_MATRIX = "bt470bg"  # BT.601 in one of its two numbers
_SMALLEST = 16
_CROP_BYTES = 9
_CROP_START = struct.pack(">I4s", _CROP_BYTES, b"free")


def _encode(pixels: Image, options: list[str], coding: Coding, *, even: bool = False) -> bytes:
    height, width = pixels.shape[:2]
    step = 2 if even else 1
    columns, rows = (max(_SMALLEST, -(-side // step) * step) - side for side in (width, height))
    padded = ffmpeg.pad(pixels, width + columns, height + rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.avif")  # FFmpeg writes boxes only where it can seek
        ffmpeg.encode(padded, coding, _MATRIX, [*options, "-f", "avif"], str(path))
        file = path.read_bytes()
    return file + _CROP_START + bytes([columns << 4 | rows]) if columns or rows else file


def _decode(bitstream: bytes) -> Image:
    pixels = avif.decode(bitstream)
    kind, start, end = list(boxes(bitstream))[-1]
    if kind != b"free" or end - start != 1:
        return pixels
    columns, rows = divmod(bitstream[start], 16)
    height, width = pixels.shape[0] - rows, pixels.shape[1] - columns
    if width < 1 or height < 1:
        raise CodecError(f"cannot crop {pixels.shape[1]} x {pixels.shape[0]} pixels to {width} x {height}")
    return np.ascontiguousarray(pixels[:height, :width])


def _coding(bit_depth: int) -> Coding:
    check_choice("bit_depth", bit_depth, (8, 10))
    return bt601(bit_depth)


def _decoder_version(bit_depth: int) -> str:
    return pillow.avif_version("dav1d") if bit_depth == 8 else avif.deep_version()


class AvifSvt:
    """AVIF: an AV1 still picture by SVT-AV1, 4:2:0.

    Args:
        preset: 0 (slow) to 13 (fast).
        bit_depth: Of the coded samples: 8 or 10.
        threads: SVT-AV1's level of parallelism; its number leaves the bytes alone.
    """

    def __init__(self, preset: int = 6, bit_depth: int = 8, threads: int = 1) -> None:
        check_choice("preset", preset, range(14))
        check_choice("threads", threads, range(1, 65))
        self._coding = _coding(bit_depth)
        coder = f"-c:v libsvtav1 -preset {preset} -svtav1-params lp={threads}:avif=1"
        self._options = coder.split()
        encoder = ffmpeg.version("libsvtav1", r"SVT-AV1 Encoder Lib (\S+)")
        version = f"{encoder}; {_decoder_version(bit_depth)}; planes 2"
        ladder = (62.0, 55.0, 48.0, 40.0, 32.0, 24.0, 16.0)
        self.info = CodecInfo("avif-svt", version, "classic", ladder, QualityScale("crf", 63, 1))

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return an AVIF file."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        return _encode(picture.pixels, [*self._options, "-crf", str(round(quality))], self._coding)

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels."""
        return _decode(bitstream)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return boxes and coded pixels."""
        return media_parts(bitstream)


class AvifRav1e:
    """AVIF: an AV1 still picture by rav1e, 4:2:0.

    Args:
        speed: 0 (slow) to 10 (fast).
        bit_depth: Of the coded samples: 8 or 10.
        threads: Encoder threads.
    """

    def __init__(self, speed: int = 6, bit_depth: int = 8, threads: int = 1) -> None:
        check_choice("speed", speed, range(11))
        check_choice("threads", threads, range(1, 65))
        self._coding = _coding(bit_depth)
        self._options = f"-c:v librav1e -speed {speed} -threads {threads}".split()
        version = f"{ffmpeg.version('librav1e')}; {_decoder_version(bit_depth)}; planes 2"
        ladder = (240.0, 200.0, 160.0, 130.0, 100.0, 70.0, 40.0)
        self.info = CodecInfo("avif-rav1e", version, "classic", ladder, QualityScale("qp", 255, 1))

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return an AVIF file."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        # FFmpeg hands rav1e half the rows of chroma, rounded down: of odd pictures the last would be missing.
        options = [*self._options, "-qp", str(round(quality))]
        return _encode(picture.pixels, options, self._coding, even=True)

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels."""
        return _decode(bitstream)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return boxes and coded pixels."""
        return media_parts(bitstream)
