"""Encode and decode pictures with one of Pillow's file formats."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import numpy as np
import PIL
import PIL.Image
from PIL import features

from .base import CodecError, check_image, check_size

if TYPE_CHECKING:
    from .base import Image, Picture

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
"""Chroma samplings that Pillow's encoders know by these names."""


def encode(picture: Picture, file_format: str, mode: str = "RGB", /, **options: object) -> bytes:
    """Return the file that Pillow writes with these options.

    Args:
        picture: What to write.
        file_format: Pillow's name of the format.
        mode: ``RGB``, or ``RGBA`` for an encoder that is to get an opaque picture with alpha.
        **options: Of the format.

    Raises:
        CodecError: The format cannot hold the picture, most often because of its size.
    """
    check_image(picture.pixels)
    file = io.BytesIO()
    try:
        image = PIL.Image.fromarray(picture.pixels)
        (image if mode == "RGB" else image.convert(mode)).save(file, file_format, **options)
    except Exception as error:  # Pillow's plug-ins raise what they like
        raise CodecError(f"Pillow cannot write this picture as {file_format}: {error}") from error
    return file.getvalue()


def decode(bitstream: bytes, file_format: str) -> Image:
    """Return the pixels of a file of exactly this format.

    Raises:
        CodecError: Another format, damaged or cut off, larger than `MAX_PIXELS`, or of other channels than
            red, green and blue.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures are legal here, absurd ones are refused below
            with PIL.Image.open(io.BytesIO(bitstream), formats=[file_format]) as image:
                check_size(*image.size)
                if image.mode != "RGB":  # no encoder here writes another, and converting one would hide it
                    raise CodecError(f"expected an RGB picture, the bitstream holds {image.mode}")
                return np.array(image)
    except CodecError:
        raise
    except Exception as error:  # on damaged files Pillow raises nearly everything
        raise CodecError(f"not a whole {file_format} file: {error}") from error


def size(bitstream: bytes, file_format: str) -> tuple[int, int]:
    """Return the width and height that the header of a file of this format claims.

    Raises:
        CodecError: Another format, or damaged.
    """
    try:
        with PIL.Image.open(io.BytesIO(bitstream), formats=[file_format]) as image:
            return image.size
    except Exception as error:  # on damaged files Pillow raises nearly everything
        raise CodecError(f"not a whole {file_format} file: {error}") from error


def version(*libraries: str) -> str:
    """Return Pillow's version and those of its libraries: ``Pillow 13.0.0, webp 1.6.0``."""
    return ", ".join(
        [f"Pillow {PIL.__version__}", *(f"{library} {features.version(library)}" for library in libraries)]
    )


def avif_version(*coders: str) -> str:
    """Return the versions of Pillow, libavif and these of its AV1 coders: ``aom``, ``dav1d``."""
    # Only Pillow's private module has these versions; another libaom writes other bytes.
    import PIL._avif

    built = dict(part.strip().split(":", 1) for part in PIL._avif.codec_versions().split(","))
    known = {name.split()[0]: text for name, text in built.items()}
    return ", ".join([version("avif"), *(f"{coder} {known.get(coder, 'unknown')}" for coder in coders)])
