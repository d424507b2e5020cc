"""Encode stimuli as PNG for a rater's browser: pixels only, files of equal length for equal size."""

from __future__ import annotations

import struct
import zlib
from collections import OrderedDict
from pathlib import Path
from threading import Lock

SIGNATURE = b"\x89PNG\r\n\x1a\n"
EIGHT_BIT_RGB = bytes((8, 2, 0, 0, 0))
SRGB = b"\x00"
"""Perceptual intent; the tag says what numbers mean, and browsers then convert for the screen."""
MOST_KEPT_BYTES = 128 * 2**20


class StimulusError(ValueError):
    """A stored picture cannot be read."""


class _Kept:
    """The PNGs asked for last, up to so many bytes: the raters of a study see the same few pictures."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._found: OrderedDict[Path, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, path: Path) -> bytes | None:
        with self._lock:
            if path in self._found:
                self._found.move_to_end(path)
            return self._found.get(path)

    def put(self, path: Path, png: bytes) -> None:
        with self._lock:
            if path in self._found:
                return
            self._found[path] = png
            self._bytes += len(png)
            while self._bytes > self._most and len(self._found) > 1:
                self._bytes -= len(self._found.popitem(last=False)[1])


_kept = _Kept(MOST_KEPT_BYTES)


def plain_png(path: Path) -> bytes:
    """Return a picture as PNG with an sRGB tag and uncompressed pixels, nothing else that its file held.

    How well a picture compresses tells how it was coded; stored as they are (deflate level 0, no filter),
    pictures of one size give files of one length, chunk by chunk.

    Args:
        path: A picture of the store; its name is the hash of its pixels, so it never changes.

    Raises:
        StimulusError: The file is absent or no picture.
    """
    png = _kept.get(path)
    if png is None:
        png = _encode(path)
        _kept.put(path, png)
    return png


def _encode(path: Path) -> bytes:
    import cv2  # costs 90 ms that planning and analysis do not need

    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None
    if pixels is None:
        raise StimulusError(f"{path}: cannot be read as a picture; plan the study again")
    height, width, _ = pixels.shape
    rows = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    lines = b"".join(b"\x00" + row.tobytes() for row in rows)
    return b"".join(
        (
            SIGNATURE,
            _chunk(b"IHDR", struct.pack(">II", width, height) + EIGHT_BIT_RGB),
            _chunk(b"sRGB", SRGB),
            _chunk(b"IDAT", zlib.compress(lines, 0)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
