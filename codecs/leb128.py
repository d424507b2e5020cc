"""Code whole numbers in as few bytes as they need: seven bits in each, the lowest first (LEB128 of DWARF)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import CodecError

if TYPE_CHECKING:
    from .bitstream import Reader


def write(number: int) -> bytes:
    """Return the bytes of a number, 0 or more."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def read(reader: Reader, largest: int, what: str) -> int:
    """Return the next number of a stream.

    Args:
        reader: The stream.
        largest: What the number may be at most.
        what: It stands for, for the message.

    Raises:
        CodecError: The stream ends, or the number is larger, or written with more bytes than it needs.
    """
    number, shift, byte = 0, 0, 0x80
    while byte & 0x80:
        byte = reader.number(1)
        number |= (byte & 0x7F) << shift
        shift += 7
        if number > largest or shift > 35 or (byte == 0 and shift > 7):
            raise CodecError(f"expected at most {largest} for {what} in the stream, got {number} or more")
    return number
