"""Turn a picture into an AVIF file by SVT-AV1 or rav1e, through FFmpeg, and back by dav1d, through Pillow.

FFmpeg writes the file; colours are BT.601 full range, as libavif does for `Avif`, so that only the AV1
encoder differs. rav1e takes no picture under 16 pixels, SVT-AV1 not the smallest: they are extended, and a
``free`` box after the file, which every reader skips, holds their true width and height.
"""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..base import (
    CodecError,
    CodecInfo,
    QualityScale,
    check_choice,
    check_image,
    check_quality,
)
from . import avif, ffmpeg, pillow
from .containers import media_parts

if TYPE_CHECKING:
    from ..base import Image, Picture, RateParts

_MATRIX = "out_color_matrix=bt601:out_chroma_loc=center"
_SMALLEST = 16
_CROP = struct.Struct(">I4s4sII")
_CROP_START = struct.pack(">I4s4s", _CROP.size, b"free", b"crop")


def _encode(pixels: Image, options: list[str], pixel_format: str) -> bytes:
    height, width = pixels.shape[:2]
    padded = ffmpeg.pad(pixels, max(width, _SMALLEST), max(height, _SMALLEST))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.avif")  # FFmpeg writes boxes only where it can seek
        ffmpeg.encode(padded, _MATRIX, pixel_format, [*options, "-f", "avif"], str(path))
        file = path.read_bytes()
    small = padded.shape != pixels.shape
    return file + _CROP.pack(_CROP.size, b"free", b"crop", width, height) if small else file


def _decode(bitstream: bytes) -> Image:
    pixels = avif.decode(bitstream)
    box = bitstream[-_CROP.size :]
    if not box.startswith(_CROP_START):
        return pixels
    *_, width, height = _CROP.unpack(box)
    if not (0 < width <= pixels.shape[1] and 0 < height <= pixels.shape[0]):
        raise CodecError(f"cannot crop {pixels.shape[1]} x {pixels.shape[0]} pixels to {width} x {height}")
    return pixels[:height, :width].copy()


def _pixel_format(bit_depth: int) -> str:
    check_choice("bit_depth", bit_depth, (8, 10))
    return "yuv420p" if bit_depth == 8 else "yuv420p10le"


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
        self._pixel_format = _pixel_format(bit_depth)
        coder = f"-c:v libsvtav1 -preset {preset} -svtav1-params lp={threads}:avif=1"
        self._options = coder.split()
        encoder = ffmpeg.version("libsvtav1", r"SVT-AV1 Encoder Lib (\S+)")
        version = f"{encoder}; {pillow.avif_version('dav1d')}"
        ladder = (62.0, 55.0, 48.0, 40.0, 32.0, 24.0, 16.0)
        self.info = CodecInfo("avif-svt", version, "classic", ladder, QualityScale("crf", 63, 1))

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return an AVIF file."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        return _encode(picture.pixels, [*self._options, "-crf", str(round(quality))], self._pixel_format)

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
        self._pixel_format = _pixel_format(bit_depth)
        self._options = f"-c:v librav1e -speed {speed} -threads {threads}".split()
        version = f"{ffmpeg.version('librav1e')}; {pillow.avif_version('dav1d')}"
        ladder = (240.0, 200.0, 160.0, 130.0, 100.0, 70.0, 40.0)
        self.info = CodecInfo("avif-rav1e", version, "classic", ladder, QualityScale("qp", 255, 1))

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return an AVIF file."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        return _encode(picture.pixels, [*self._options, "-qp", str(round(quality))], self._pixel_format)

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels."""
        return _decode(bitstream)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return boxes and coded pixels."""
        return media_parts(bitstream)
