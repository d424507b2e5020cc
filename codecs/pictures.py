"""Write a picture to a file that foreign programs read, and read the file they wrote: PNG, PPM or Y4M.

A Y4M file carries its own size, as raw YUV does not, and video encoders read and write it. Ours is 10-bit
4:4:4 with BT.709 colours in full range (ITU-T H.273, MatrixCoefficients 1).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .base import CodecError, check_size
from .classic import pillow

if TYPE_CHECKING:
    from .base import Image, Picture

_RED, _BLUE = 0.2126, 0.0722
_GREEN = 1 - _RED - _BLUE
_MATRIX = np.array(
    [
        [_RED, _GREEN, _BLUE],
        [-_RED / (1 - _BLUE) / 2, -_GREEN / (1 - _BLUE) / 2, 0.5],
        [0.5, -_GREEN / (1 - _RED) / 2, -_BLUE / (1 - _RED) / 2],
    ]
)
_TOP = 1023
_NEUTRAL = np.array([0.0, 512.0, 512.0])


def write(picture: Picture, path: Path) -> None:
    """Write the picture in the format that the file name's suffix names."""
    if path.suffix == ".y4m":
        path.write_bytes(_y4m(picture.pixels))
    else:
        path.write_bytes(pillow.encode(picture, path.suffix[1:].upper()))


def read(path: Path) -> Image:
    """Return the pixels of a file in the format that its suffix names.

    Raises:
        CodecError: The file is damaged, cut off, too large or of another format.
    """
    data = path.read_bytes()
    return _from_y4m(data) if path.suffix == ".y4m" else pillow.decode(data, path.suffix[1:].upper())


def _y4m(pixels: Image) -> bytes:
    height, width = pixels.shape[:2]
    header = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C444p10 XYSCSS=444P10 XCOLORRANGE=FULL\nFRAME\n"
    planes = (pixels * (_TOP / 255)) @ _MATRIX.T + _NEUTRAL
    return header.encode() + np.rint(planes).clip(0, _TOP).astype("<u2").transpose(2, 0, 1).tobytes()


def _from_y4m(data: bytes) -> Image:
    header, _, rest = data.partition(b"\n")
    frame, _, samples = rest.partition(b"\n")
    found = re.match(rb"YUV4MPEG2 (?:.* )?W(\d+) H(\d+) (?:.* )?C(\w+)", header)
    if not found or not frame.startswith(b"FRAME"):
        raise CodecError("not a Y4M file")
    width, height, sampling = int(found[1]), int(found[2]), found[3].decode()
    check_size(width, height)
    if sampling != "444p10":
        raise CodecError(f"expected 10-bit 4:4:4 samples (C444p10) in the Y4M file, got C{sampling}")
    if len(samples) != width * height * 6:
        raise CodecError(
            f"expected one frame of {width * height * 6} bytes in the Y4M file, got {len(samples)}"
        )
    planes = np.frombuffer(samples, "<u2").reshape(3, height, width).transpose(1, 2, 0)
    colours = (planes - _NEUTRAL) @ np.linalg.inv(_MATRIX).T * (255 / _TOP)
    return np.ascontiguousarray(np.rint(colours).clip(0, 255).astype(np.uint8))
