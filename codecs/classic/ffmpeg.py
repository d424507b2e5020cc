"""Run the FFmpeg that imageio-ffmpeg brings: raw RGB pictures in, coded bytes out, and the way back."""

from __future__ import annotations

import os
import re
import subprocess
from functools import cache

import imageio_ffmpeg
import numpy as np

from ..base import MAX_PIXELS, CodecError, Image, MissingBackendError

_SCALER = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
_SRGB = "color_primaries=bt709:color_trc=iec61966-2-1"
_MESSAGE_CHARACTERS = 600


def _program() -> str:
    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise MissingBackendError(f"no FFmpeg is found; install codecarena[video]: {error}") from error


def run(arguments: list[str], standard_input: bytes = b"", level: str = "error") -> tuple[bytes, str]:
    """Return FFmpeg's standard output and its messages.

    Raises:
        CodecError: FFmpeg cannot be started, or ends with another status than 0.
    """
    command = [_program(), "-hide_banner", "-nostdin", "-loglevel", level, *arguments]
    quiet = os.environ | ({} if level == "verbose" else {"SVT_LOG": "1"})  # SVT-AV1 talks past FFmpeg's log
    try:
        ended = subprocess.run(command, input=standard_input, capture_output=True, check=False, env=quiet)
    except OSError as error:
        raise CodecError(f"FFmpeg does not start: {error}") from error
    messages = ended.stderr.decode(errors="replace")
    if ended.returncode:
        tail = messages.strip()[-_MESSAGE_CHARACTERS:]
        raise CodecError(f"FFmpeg ended with status {ended.returncode}: {tail}")
    return ended.stdout, messages


def encode(
    pixels: Image, to_yuv: str, pixel_format: str, arguments: list[str], output: str = "pipe:1"
) -> bytes:
    """Return what FFmpeg writes to standard output for one picture.

    Args:
        pixels: The picture.
        to_yuv: Options of the scale filter that name the colour matrix, range and chroma position.
        pixel_format: FFmpeg's name of the encoder's input.
        arguments: Encoder, its options, and the output format.
        output: Where to write.
    """
    height, width = pixels.shape[:2]
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-i", "pipe:0"]
    filters = f"scale={to_yuv}:out_range=full:{_SCALER},format={pixel_format},setparams={_SRGB}"
    target = ["-frames:v", "1", "-vf", filters, *arguments, "-y", output]
    return run([*source, *target], pixels.tobytes())[0]


def decode(bitstream: bytes, arguments: list[str], from_yuv: str, width: int, height: int) -> Image:
    """Return the one picture, of a size known beforehand, that FFmpeg finds in these bytes.

    Raises:
        CodecError: FFmpeg finds damage, another size, or no picture at all.
    """
    source = ["-max_pixels", str(MAX_PIXELS), "-err_detect", "explode", "-xerror", *arguments, "-i", "pipe:0"]
    filters = f"scale={from_yuv}:in_range=full:out_range=full:{_SCALER},format=rgb24"
    target = ["-frames:v", "1", "-vf", filters, "-threads", "1", "-f", "rawvideo", "pipe:1"]
    found = run([*source, *target], bitstream)[0]
    if len(found) != width * height * 3:
        raise CodecError(f"expected {width} x {height} pixels from FFmpeg, got {len(found)} bytes")
    return np.frombuffer(found, np.uint8).reshape(height, width, 3)


def pad(pixels: Image, width: int, height: int) -> Image:
    """Return the picture extended to this size by repeating its last column and row."""
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
    found = re.search(banner, log) if banner else None
    coder = f"{encoder} {found[1]}" if found else encoder
    return f"FFmpeg {first_line.split()[2]}, {coder}"
