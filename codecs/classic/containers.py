"""Split a coded file into container bytes and coded pixels, by reading its chunks, boxes or markers.

A container that does not add up is refused: several decoders paint grey where a file was cut off.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator

from ..base import CodecError, RateParts

_Parts = Callable[[bytes], RateParts]


def _damage_is_codec_error(parts: _Parts) -> _Parts:
    @functools.wraps(parts)
    def checked(bitstream: bytes) -> RateParts:
        try:
            return parts(bitstream)
        except (struct.error, IndexError, ValueError) as error:
            raise CodecError(f"the container is damaged or cut off: {error}") from error

    return checked


def _split(bitstream: bytes, payload_bytes: int) -> RateParts:
    return RateParts(len(bitstream) - payload_bytes, payload_bytes)


@_damage_is_codec_error
def png_parts(bitstream: bytes) -> RateParts:
    """Return the parts of a PNG file: the contents of its IDAT chunks are payload."""
    position, payload, kind = 8, 0, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", bitstream, position)
        payload += length if kind == b"IDAT" else 0
        position += 12 + length
    if position != len(bitstream):
        raise ValueError(f"IEND ends at byte {position} of {len(bitstream)}")
    return _split(bitstream, payload)


@_damage_is_codec_error
def jpeg_parts(bitstream: bytes) -> RateParts:
    """Return the parts of a JPEG file: payload starts after the first scan header.

    The tables between the scans of a progressive file count as payload.
    """
    if bitstream[-2:] != b"\xff\xd9":
        raise ValueError("no end-of-image marker")
    position = 2
    while True:
        marker, length = struct.unpack_from(">HH", bitstream, position)
        if marker < 0xFFC0:
            raise ValueError(f"expected a marker at byte {position}, got {marker:#06x}")
        position += 2 + length
        if marker == 0xFFDA:
            return _split(bitstream, len(bitstream) - position - 2)


@_damage_is_codec_error
def webp_parts(bitstream: bytes) -> RateParts:
    """Return the parts of a WebP file: the contents of its VP8, VP8L and ALPH chunks are payload."""
    magic, size, kind = struct.unpack_from("<4sI4s", bitstream)
    if (magic, kind) != (b"RIFF", b"WEBP") or size + 8 != len(bitstream):
        raise ValueError(f"expected a RIFF of {size + 8} bytes, got {len(bitstream)}")
    position, payload = 12, 0
    while position < len(bitstream):
        kind, length = struct.unpack_from("<4sI", bitstream, position)
        payload += length if kind in (b"VP8 ", b"VP8L", b"ALPH") else 0
        position += 8 + length + length % 2
    return _split(bitstream, payload)


def boxes(bitstream: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind, first content byte and end of each top-level box of an ISO base media file.

    Raises:
        ValueError: The last box does not end where the file does.
        struct.error: The file ends inside a box header.
    """
    position = 0
    while position < len(bitstream):
        length, kind = struct.unpack_from(">I4s", bitstream, position)
        start = position + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", bitstream, start)
            start += 8
        end = position + length if length else len(bitstream)
        if end < start or end > len(bitstream):
            raise ValueError(f"box {kind!r} ends at byte {end} of {len(bitstream)}")
        yield kind, start, end
        position = end


@_damage_is_codec_error
def media_parts(bitstream: bytes) -> RateParts:
    """Return the parts of an AVIF or HEIC file: the contents of its ``mdat`` box are payload."""
    return _split(bitstream, sum(end - start for kind, start, end in boxes(bitstream) if kind == b"mdat"))


@_damage_is_codec_error
def jpeg2000_parts(bitstream: bytes) -> RateParts:
    """Return the parts of a JP2 file: payload starts at the first tile part of its codestream."""
    for kind, start, end in boxes(bitstream):
        if kind == b"jp2c":
            if bitstream[end - 2 : end] != b"\xff\xd9":
                raise ValueError("no end-of-codestream marker")
            position = start + 2
            while bitstream[position : position + 2] != b"\xff\x90":
                (length,) = struct.unpack_from(">H", bitstream, position + 2)
                position += 2 + length
            return _split(bitstream, end - position)
    raise ValueError("no jp2c box")


def jpegxr_fields(bitstream: bytes) -> dict[int, int]:
    """Return the numeric tags of a JPEG XR file: 0xBC80 width, 0xBC81 height, 0xBCC0 offset, 0xBCC1 length.

    Raises:
        CodecError: This is no JPEG XR file, or one cut off.
    """
    try:
        magic, directory = struct.unpack_from("<4sI", bitstream)
        if magic[:3] != b"II\xbc":
            raise ValueError("no JPEG XR signature")
        (count,) = struct.unpack_from("<H", bitstream, directory)
        entries = [struct.unpack_from("<HHII", bitstream, directory + 2 + 12 * i) for i in range(count)]
        fields = {tag: value for tag, _, number, value in entries if number == 1}
        if fields[0xBCC0] + fields[0xBCC1] > len(bitstream):
            raise ValueError(f"expected {fields[0xBCC0] + fields[0xBCC1]} bytes, got {len(bitstream)}")
    except (struct.error, KeyError, ValueError) as error:
        raise CodecError(f"not a whole JPEG XR file: {error}") from error
    return fields
