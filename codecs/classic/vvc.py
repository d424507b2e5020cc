"""VVC (H.266) encoded by libvvenc and decoded by FFmpeg's own decoder.

The stream is ours: width, height and length as three LEB128 numbers, then that many raw H.266 bytes. 4:2:0
needs even sides and FFmpeg fails on tiny pictures, so the size says what to crop; FFmpeg paints something
where the last bytes are cut off, so the length is checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import leb128
from ..base import (
    MAX_PIXELS,
    CodecError,
    CodecInfo,
    QualityScale,
    RateParts,
    check_choice,
    check_image,
    check_quality,
    check_size,
)
from ..bitstream import Reader
from ..ycbcr import bt709
from . import ffmpeg

if TYPE_CHECKING:
    from ..base import Image, Picture

_CODING = bt709(10)
# FFmpeg's libvvenc wrapper keeps one byte for each pixel and fails when the stream needs more: headers alone
# overflow that below 24 x 24, and photographs do from about qp 10 on, where the scale therefore ends.
_SMALLEST = 64
_BEST_QP = 13
_PRESETS = ("faster", "fast", "medium", "slow", "slower")


def _coded(side: int) -> int:
    return max(side + side % 2, _SMALLEST)


def _header(bitstream: bytes) -> tuple[int, int, int]:
    """Return width, height and the position of the raw stream."""
    reader = Reader(bitstream)
    width, height = (leb128.read(reader, MAX_PIXELS, f"the {side}") for side in ("width", "height"))
    length = leb128.read(reader, len(bitstream), "the bytes of VVC")
    check_size(width, height)
    if len(reader.rest()) != length:
        raise CodecError(f"expected {length} bytes of VVC, got {len(bitstream) - reader.position}")
    position = len(bitstream) - length
    if bitstream[position : position + 3] not in (b"\0\0\0", b"\0\0\1"):
        raise CodecError("not a VVC stream of this codec: no start code")
    return width, height, position


class Vvc:
    """VVC still picture, 10-bit 4:2:0, BT.709 full range; quality is the quantization parameter.

    Args:
        preset: Effort: ``faster``, ``fast``, ``medium``, ``slow`` or ``slower``.
        qpa: Whether libvvenc adapts the parameter to perception, its own default: half as many bits again.
        threads: Encoder threads; their number leaves the bytes alone.
    """

    def __init__(self, preset: str = "medium", qpa: bool = False, threads: int = 1) -> None:
        check_choice("preset", preset, _PRESETS)
        check_choice("qpa", qpa, (False, True))
        check_choice("threads", threads, range(1, 65))
        coder = f"-c:v libvvenc -preset {preset} -qpa {int(qpa)} -threads {threads}"
        # The wrapper drops FFmpeg's colour range, and players would take limited range for granted.
        self._options = [*coder.split(), "-vvenc-params", "range=full"]
        version = ffmpeg.version("libvvenc", r"libvvenc version: (\S+)") + "; FFmpeg vvc; planes 2"
        ladder = (52.0, 47.0, 42.0, 37.0, 32.0, 27.0, 22.0)
        self.info = CodecInfo("vvc", version, "classic", ladder, QualityScale("qp", 63, _BEST_QP))

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return size, length and a raw H.266 stream of one picture."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        height, width = picture.pixels.shape[:2]
        pixels = ffmpeg.pad(picture.pixels, _coded(width), _coded(height))
        options = [*self._options, "-qp", str(round(quality)), "-f", "vvc"]
        stream = ffmpeg.encode(pixels, _CODING, "bt709", options)
        return b"".join(map(leb128.write, (width, height, len(stream)))) + stream

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels, decoded in one thread."""
        width, height, position = _header(bitstream)
        options = ["-threads", "1", "-f", "vvc"]
        decoded = ffmpeg.decode(bitstream[position:], options, _CODING, _coded(width), _coded(height))
        return decoded[:height, :width].copy()

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return our own bytes, and the H.266 stream with its parameter sets."""
        position = _header(bitstream)[2]
        return RateParts(position, len(bitstream) - position)
