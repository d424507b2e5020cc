"""Run the FFmpeg that imageio-ffmpeg brings: planes of a picture in, coded bytes out, and the way back.

FFmpeg converts no colours: its scaler gives 10-bit samples a quarter of their value instead of 255 / 1023,
and moves chroma by half a level.
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache
from typing import TYPE_CHECKING

import imageio_ffmpeg
import numpy as np

from ...system_errors import reason
from .. import ycbcr
from ..base import MAX_PIXELS, CodecError, Image, MissingBackendError

if TYPE_CHECKING:
    from ..ycbcr import Coding

_SRGB = "color_primaries=bt709:color_trc=iec61966-2-1"
_MESSAGE_CHARACTERS = 600


def _program() -> str:
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise MissingBackendError(f"no FFmpeg is found; install codecarena[video]: {error}") from error


def run(arguments: list[str], standard_input: bytes = b"", level: str = "error") -> tuple[bytes, str]:
    """Return FFmpeg's standard output and its messages.

    Args:
        arguments: What stands behind the program's name and the options that keep it quiet.
        standard_input: What FFmpeg reads from ``pipe:0``.
        level: Of FFmpeg's log; ``verbose`` has the encoders announce themselves.

    Raises:
        CodecError: FFmpeg cannot be started, or ends with another status than 0.
    """
    command = [_program(), "-hide_banner", "-nostdin", "-loglevel", level, *arguments]
    quiet = os.environ | ({} if level == "verbose" else {"SVT_LOG": "1"})  # SVT-AV1 talks past FFmpeg's log
    try:
        ended = subprocess.run(command, input=standard_input, capture_output=True, check=False, env=quiet)
    except OSError as error:
        raise CodecError(f"FFmpeg does not start: {reason(error)}") from error
    messages = ended.stderr.decode(errors="replace")
    if ended.returncode:
        tail = messages.strip()[-_MESSAGE_CHARACTERS:]
        raise CodecError(f"FFmpeg ended with status {ended.returncode}: {tail}")
    return ended.stdout, messages


def encode(pixels: Image, coding: Coding, matrix: str, arguments: list[str], output: str = "pipe:1") -> bytes:
    """Return what FFmpeg writes to standard output for one picture.

    Args:
        pixels: The picture; at odd sides the chroma planes are rounded up.
        coding: Of the samples that the encoder gets, with halved chroma.
        matrix: FFmpeg's name of the coding's colour matrix, written into the stream.
        arguments: Encoder, its options, and the output format.
        output: Where to write.
    """
    height, width = pixels.shape[:2]
    source = ["-f", "rawvideo", "-pix_fmt", _pixel_format(coding), "-s", f"{width}x{height}", "-i", "pipe:0"]
    place = "left" if coding.left else "center"
    said = f"setparams=range=full:colorspace={matrix}:{_SRGB}:chroma_location={place}"
    target = ["-frames:v", "1", "-vf", said, *arguments, "-y", output]
    return run([*source, *target], ycbcr.halved(pixels, coding))[0]


def decode(bitstream: bytes, arguments: list[str], coding: Coding, width: int, height: int) -> Image:
    """Return the one picture, of a size known beforehand, that FFmpeg finds in these bytes.

    Args:
        bitstream: What the encoder wrote.
        arguments: Options of the decoder.
        coding: Of the samples that the decoder gives.
        width: Of the picture, even.
        height: Of the picture, even.

    Raises:
        CodecError: FFmpeg finds damage, another size, or no picture at all.
    """
    source = ["-max_pixels", str(MAX_PIXELS), "-err_detect", "explode", "-xerror", *arguments, "-i", "pipe:0"]
    # The filter converts nothing where the stream has the samples that it should have.
    target = ["-frames:v", "1", "-vf", f"format={_pixel_format(coding)}", "-threads", "1"]
    samples = run([*source, *target, "-f", "rawvideo", "pipe:1"], bitstream)[0]
    expected = width * height * 3 // 2 * (1 if coding.bits == 8 else 2)
    if len(samples) != expected:
        raise CodecError(
            f"expected {width} x {height} pixels, {expected} bytes, from FFmpeg, got {len(samples)} bytes"
        )
    return ycbcr.from_halved(samples, width, height, coding)


def _pixel_format(coding: Coding) -> str:
    return "yuv420p" if coding.bits == 8 else f"yuv420p{coding.bits}le"


def pad(pixels: Image, width: int, height: int) -> Image:
    """Return the picture extended to this size by repeating its last column and row.

    Args:
        pixels: (rows, columns, 3), not larger than the new size.
        width: In pixels, after the extension.
        height: In pixels, after the extension.
    """
    rows, columns = pixels.shape[:2]
    return np.pad(pixels, ((0, height - rows), (0, width - columns), (0, 0)), mode="edge")


@cache
def version(encoder: str, banner: str = "") -> str:
    """Return FFmpeg's version and that of an encoder in it, as the encoder announces itself.

    Args:
        encoder: FFmpeg's name of the encoder.
        banner: Regular expression whose first group is the encoder's version, in the log of a tiny encode;
            empty where the encoder announces nothing.

    Raises:
        MissingBackendError: This FFmpeg lacks the encoder.
    """
    first_line = run(["-version"])[0].decode(errors="replace").splitlines()[0]
    frame = ["-f", "lavfi", "-i", "color=s=64x64", "-frames:v", "1", "-threads", "1"]
    try:
        log = run([*frame, "-c:v", encoder, "-f", "null", "-"], level="verbose")[1]
    except CodecError as error:
        install = "install codecarena[video], or unset IMAGEIO_FFMPEG_EXE"
        raise MissingBackendError(
            f"{_program()} does not encode with {encoder}; {install}: {error}"
        ) from error
    match = re.search(banner, log) if banner else None
    coder = f"{encoder} {match[1]}" if match else encoder
    return f"FFmpeg {first_line.split()[2]}, {coder}"
