"""Turn layers' coded data into a stream that may be cut between any two of them, and back.

    header with its CRC-32 | chunk | chunk | chunk
    chunk: type 1 | length LEB128 | data | CRC-32 4, over all of the chunk before it

Chunks come in the order of their types: text, then edges or poses, then colours. Each is sealed for itself,
so that a stream which ends after any of them decodes, and one can be replaced without touching another.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from ...base import CodecError, RateParts
from ...bitstream import Kind, Reader, seal, unseal
from . import leb128
from .grids import check_pixels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...bitstream import Header

LARGEST_CHUNK = 2**20
"""Bytes."""


class Layer(IntEnum):
    """What a chunk holds; the number is its type in the stream."""

    TEXT = 1
    EDGES = 2
    POSES = 3
    COLOURS = 4

    @property
    def level(self) -> int:
        """How many layers a stream has that ends with this one: 1, 2 or 3."""
        return {Layer.TEXT: 1, Layer.EDGES: 2, Layer.POSES: 2, Layer.COLOURS: 3}[self]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The coded data of one layer."""

    layer: Layer
    data: bytes

    def pack(self) -> bytes:
        """Return the chunk as it stands in the stream."""
        packed = bytes([self.layer]) + leb128.write(len(self.data)) + self.data
        return packed + struct.pack(">I", zlib.crc32(packed))


def join(header: Header, chunks: Iterable[Chunk]) -> bytes:
    """Return the stream of a header and chunks, which are put in order.

    Raises:
        CodecError: There is no chunk, or two of one level, or the picture is too large.
    """
    check_pixels(header.width, header.height)
    ordered = sorted(chunks, key=lambda chunk: chunk.layer)
    _check_layers([chunk.layer for chunk in ordered])
    return seal(header, b"") + b"".join(chunk.pack() for chunk in ordered)


def split(bitstream: bytes) -> tuple[Header, list[Chunk]]:
    """Return the header and the chunks of a stream.

    Raises:
        CodecError: The header or a chunk is cut short or damaged, a chunk is unknown, repeated or out of
            order, there is none, or the picture is too large.
    """
    length = Kind.LAYERED.header_bytes
    header, _ = unseal(bitstream[:length], Kind.LAYERED)
    check_pixels(header.width, header.height)
    chunks: list[Chunk] = []
    reader = Reader(bitstream[length:])
    while reader.position < len(bitstream) - length:
        chunks.append(_read(reader, bitstream[length:]))
        _check_layers([chunk.layer for chunk in chunks])
    _check_layers([chunk.layer for chunk in chunks])
    return header, chunks


def parts(bitstream: bytes) -> RateParts:
    """Return the bytes of header and chunk framing, of structure and texture, and of text (side)."""
    _, chunks = split(bitstream)
    text = sum(len(chunk.data) for chunk in chunks if chunk.layer is Layer.TEXT)
    payload = sum(len(chunk.data) for chunk in chunks) - text
    return RateParts(len(bitstream) - payload - text, payload, text)


def _read(reader: Reader, payload: bytes) -> Chunk:
    start = reader.position
    kind = reader.number(1)
    if kind not in set(Layer):
        raise CodecError(f"layered stream holds a chunk of the unknown type {kind} at byte {start}")
    name = Layer(kind).name.lower()
    data = reader.take(leb128.read(reader, LARGEST_CHUNK, f"the bytes of the chunk of {name}"))
    expected = zlib.crc32(payload[start : reader.position])
    if reader.number(4) != expected:
        raise CodecError(f"layered stream is damaged: the CRC-32 of its chunk of {name} does not match")
    return Chunk(Layer(kind), data)


def _check_layers(layers: list[Layer]) -> None:
    levels = [layer.level for layer in layers]
    if not levels:
        raise CodecError("layered stream holds no layer, only a header")
    if sorted(set(levels)) != levels:
        names = ", ".join(layer.name.lower() for layer in layers)
        raise CodecError(f"expected text, edges or poses, colours at most once and in order, got {names}")
