"""Turn stored PNGs into what a rater's browser is sent: nothing but pixels, all of a trial equally long."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = (b"IHDR", b"PLTE", b"IDAT")
SRGB = b"sRGB", b"\x00"
"""Perceptual intent; the tag says what numbers mean, and browsers then convert for the screen."""
PADDING = b"paDd"
"""A private chunk that decoders skip (PNG specification, 5.4: the case of each letter says so)."""
CHUNK_BYTES = 12
"""Length, name and checksum around a chunk's content."""


class StimulusError(ValueError):
    """A stored picture is not a PNG as the store writes them."""


def padded_png(path: Path, total_bytes: int) -> bytes:
    """Return a picture's PNG with an sRGB tag and padding, without anything else that it held.

    Args:
        path: A PNG.
        total_bytes: Length of the result, at least `least_bytes`.

    Raises:
        StimulusError: The file is absent or no PNG, or longer than that.
    """
    bare = _bare(path)
    room = total_bytes - len(bare) - 2 * CHUNK_BYTES
    if room < 0:
        raise StimulusError(f"{path}: {len(bare)} bytes do not fit into {total_bytes}")
    return bare + _chunk(PADDING, bytes(room)) + _chunk(b"IEND", b"")


def least_bytes(path: Path) -> int:
    """Return how long a picture's PNG is with its tag and no padding."""
    return len(_bare(path)) + 2 * CHUNK_BYTES


@lru_cache(maxsize=256)
def _bare(path: Path) -> bytes:
    """Return the PNG up to its last chunk of pixels; the file's name is its hash, so it never changes."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StimulusError(f"{path}: cannot be read ({error.strerror}); plan the study again") from error
    if not content.startswith(SIGNATURE):
        raise StimulusError(f"{path}: expected a PNG")
    kept = [SIGNATURE]
    at = len(SIGNATURE)
    while at < len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        end = at + length + CHUNK_BYTES
        if name in KEPT:
            kept.append(content[at:end])
        if name == b"IHDR":
            kept.append(_chunk(*SRGB))
        at = end
    return b"".join(kept)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
