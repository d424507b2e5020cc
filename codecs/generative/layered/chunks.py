"""Write coded layers as the chunks of a stream that may be cut between any two, and read them.

    header with its CRC-32 | length 1 | settings of the decoder | chunk | chunk | chunk
    chunk: type 1 | length LEB128 | data | CRC-32 4, over all of the chunk before it

The header's CRC-32 covers the settings and their length too, but no chunk. Chunks come in the order of their
types: the negative prompt where there is one, text, then edges or poses, then colours. Each is sealed for
itself, so that a stream which ends after any of the layers decodes, and one can be replaced without touching
another.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from ... import leb128
from ...base import CodecError, RateParts
from ...bitstream import Kind, Reader, seal, unseal
from .coding.grids import check_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...bitstream import Header

LARGEST_CHUNK = 2**20
"""Bytes."""


class Layer(IntEnum):
    """What a chunk holds; the number is its type in the stream."""

    NEGATIVE = 0
    """The negative prompt: no layer of the picture, and ahead of all layers so that every cut keeps it."""
    TEXT = 1
    EDGES = 2
    POSES = 3
    COLOURS = 4

    @property
    def level(self) -> int:
        """How many layers a stream has that ends with this one: 1, 2 or 3; 0 before the first."""
        return {Layer.NEGATIVE: 0, Layer.TEXT: 1, Layer.EDGES: 2, Layer.POSES: 2, Layer.COLOURS: 3}[self]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The coded data of one layer."""

    layer: Layer
    data: bytes

    def pack(self) -> bytes:
        """Return the chunk as it stands in the stream."""
        packed = bytes([self.layer]) + leb128.write(len(self.data)) + self.data
        return packed + struct.pack(">I", zlib.crc32(packed))


@dataclass(frozen=True, slots=True)
class Stream:
    """The parts of a stream."""

    header: Header
    settings: bytes
    """Of the decoder, as it packed them; at most 255 bytes."""
    chunks: tuple[Chunk, ...]


def join(stream: Stream) -> bytes:
    """Return the bytes of a stream, its chunks put in order.

    Raises:
        CodecError: There is no layer, or two of one level, or the picture is too large.
    """
    check_pixels(stream.header.width, stream.header.height)
    ordered = sorted(stream.chunks, key=lambda chunk: chunk.layer)
    _check_order(ordered)
    _check_any_layer(ordered)
    sealed = seal(stream.header, bytes([len(stream.settings)]) + stream.settings)
    return sealed + b"".join(chunk.pack() for chunk in ordered)


def split(bitstream: bytes) -> Stream:
    """Return the parts of a stream; what the settings say is the decoder's to check.

    Raises:
        CodecError: The header, the settings or a chunk are cut short or damaged, a chunk is unknown,
            repeated or out of order, there is none, or the picture is too large.
    """
    start = Kind.LAYERED.header_bytes
    end = start + 1 + int.from_bytes(bitstream[start : start + 1], "big")
    header, sealed = unseal(bitstream[:end], Kind.LAYERED)
    check_pixels(header.width, header.height)
    reader = Reader(sealed)
    settings = reader.take(reader.number(1))
    return Stream(header, settings, _chunks(bitstream[end:]))


def parts(bitstream: bytes) -> RateParts:
    """Return the bytes of header, settings and framing, of structure and texture, and of texts (side)."""
    chunks = split(bitstream).chunks
    text = sum(len(chunk.data) for chunk in chunks if chunk.layer in (Layer.NEGATIVE, Layer.TEXT))
    payload = sum(len(chunk.data) for chunk in chunks) - text
    return RateParts(len(bitstream) - payload - text, payload, text)


def _chunks(payload: bytes) -> tuple[Chunk, ...]:
    chunks: list[Chunk] = []
    reader = Reader(payload)
    while reader.position < len(payload):
        chunks.append(_read(reader, payload))
        _check_order(chunks)
    _check_any_layer(chunks)
    return tuple(chunks)


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


def _check_any_layer(chunks: Sequence[Chunk]) -> None:
    if not any(chunk.layer.level for chunk in chunks):
        raise CodecError("layered stream holds no layer, only what stands before the first")


def _check_order(chunks: Sequence[Chunk]) -> None:
    levels = [chunk.layer.level for chunk in chunks]
    if sorted(set(levels)) != levels:
        names = ", ".join(chunk.layer.name.lower() for chunk in chunks)
        raise CodecError(
            f"expected negative, text, edges or poses, colours at most once and in order, got {names}"
        )
