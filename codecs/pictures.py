"""Write a picture to a file that foreign programs read, and read the file they wrote: PNG, PPM or Y4M.

A Y4M file carries its own size, as raw YUV does not, and video encoders read and write it. Ours is 10-bit
4:4:4 with BT.709 colours in full range (ITU-T H.273, MatrixCoefficients 1).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..picture_file import PictureError, decode
from . import pillow
from .base import CodecError, check_size
from .ycbcr import bt709, from_samples, to_pixels, to_planes, to_samples

if TYPE_CHECKING:
    from .base import Image, Picture

_CODING = bt709(10)


def write(picture: Picture, path: Path) -> None:
    """Write the picture in the format that the file name's suffix names."""
    if path.suffix == ".y4m":
        path.write_bytes(_y4m(picture.pixels))
    else:
        path.write_bytes(pillow.encode(picture, path.suffix[1:].upper()))


def read(path: Path) -> Image:
    """Return the pixels of a file in the format that its suffix names.

    A PNG or PPM file is read as an original is: what is refused there, as 16 bits or see-through pixels, is
    refused here too, since a conversion in silence would be counted as the decoder's doing.

    Raises:
        CodecError: The file is damaged, cut off, too large, of another format, or no opaque 8-bit sRGB.
    """
    data = path.read_bytes()
    if path.suffix == ".y4m":
        return _from_y4m(data)
    try:
        return decode(data, (path.suffix[1:].upper(),))
    except PictureError as error:
        raise CodecError(str(error)) from error


def _y4m(pixels: Image) -> bytes:
    height, width = pixels.shape[:2]
    header = f"YUV4MPEG2 W{width} H{height} F25:1 Ip A1:1 C444p10 XYSCSS=444P10 XCOLORRANGE=FULL\nFRAME\n"
    return header.encode() + to_samples(to_planes(pixels, _CODING), _CODING)


def _from_y4m(data: bytes) -> Image:
    header, _, rest = data.partition(b"\n")
    frame, _, samples = rest.partition(b"\n")
    match = re.match(rb"YUV4MPEG2 (?:.* )?W(\d+) H(\d+) (?:.* )?C(\w+)", header)
    if not match or not frame.startswith(b"FRAME"):
        raise CodecError("not a Y4M file")
    width, height, sampling = int(match[1]), int(match[2]), match[3].decode()
    check_size(width, height)
    if b"XCOLORRANGE=LIMITED" in header:
        raise CodecError(
            "expected samples in full range in the Y4M file, its header says XCOLORRANGE=LIMITED"
        )
    if sampling != "444p10":
        raise CodecError(f"expected 10-bit 4:4:4 samples (C444p10) in the Y4M file, got C{sampling}")
    if len(samples) != width * height * 6:
        raise CodecError(
            f"expected one frame of {width * height * 6} bytes in the Y4M file, got {len(samples)}"
        )
    planes = from_samples(samples, ((height, width), (height, width)), _CODING)
    return to_pixels(*planes, _CODING)
