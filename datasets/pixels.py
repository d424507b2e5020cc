"""Read picture files as 8-bit sRGB pixels, or refuse them and say why.

Each case of the treatment is a row of the table in ``docs/pictures.md``; `picture_file` applies it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..picture_file import PictureError, decode

EXTENSIONS = (
    *(".avif", ".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)
"""File names a folder's pictures end with, in lower case; the content decides what a file is."""

MAX_FILE_BYTES = 2**30
"""Largest file that is opened."""


def read_pixels(path: Path, sha256: str | None = None) -> NDArray[np.uint8]:
    """Return the pixels of a picture file: (height, width, 3), uint8, sRGB, C-contiguous.

    Args:
        path: A PNG, JPEG, WebP, AVIF, TIFF, BMP, PPM or still GIF file.
        sha256: Hash that the file's bytes must have, in hex; None accepts any.

    Raises:
        PictureError: The file is absent, has another hash, is no picture, is damaged, or holds what has
            no single meaning as opaque 8-bit sRGB; the message names it.
    """
    data = check_file(path, sha256)
    try:
        return decode(data)
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from error.__cause__


def check_file(path: Path, sha256: str | None = None) -> bytes:
    """Return a file's bytes, which must have this hash.

    Raises:
        PictureError: The file is absent, unreadably large, or has another hash.
    """
    data = _read_bytes(path)
    read_sha256 = hashlib.sha256(data).hexdigest()
    if sha256 is not None and read_sha256 != sha256:
        raise PictureError(
            f"{path}: not the file of the manifest: expected sha256 {sha256}, got {read_sha256}; "
            "delete it and fetch the set again, or correct the manifest"
        )
    return data


def pixels_sha256(pixels: NDArray[np.uint8]) -> str:
    """Return the hash that stands for a picture's pixels, as 64 hex digits.

    It is the SHA-256 of the ASCII line ``HEIGHTxWIDTHx3`` with a newline, followed by the samples row by
    row, left to right, red, green, blue, one byte each.

    Raises:
        ValueError: The array is not uint8 of shape (height, width, 3).
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"expected uint8 of shape (height, width, 3), got {pixels.dtype} {pixels.shape}")
    digest = hashlib.sha256(f"{pixels.shape[0]}x{pixels.shape[1]}x3\n".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def _read_bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise PictureError(f"{path}: {size} bytes, more than the {MAX_FILE_BYTES} that are opened")
        return path.read_bytes()
    except OSError as error:
        raise PictureError(
            f"{path}: cannot be read ({error.strerror}); check path and permissions"
        ) from error
