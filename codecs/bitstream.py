"""The header of our own bitstreams: what a decoder must know before it believes a single payload byte.

    magic 2 | codec 1 | format version 1 | width 3 | height 3 | weights id 6 | seed 4 | CRC-32 4

Numbers are big-endian. The seed is there for stochastic decoders only. The CRC-32 covers all bytes of the
stream but itself.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from .base import CodecError, check_range, check_size

MAGIC = b"cA"
FORMAT_VERSION = 1
WEIGHTS_ID_BYTES = 6
NO_WEIGHTS = bytes(WEIGHTS_ID_BYTES)
"""The weights id of a stream whose decoder has no weights."""
LARGEST_SIDE = 2**24 - 1
LARGEST_SEED = 2**32 - 1
PIXELS_PER_BYTE = 4096
"""A stream may not claim more pixels for each of its bytes, so that no small file asks for much work."""


class Kind(IntEnum):
    """The codec that wrote a stream; a number is never used again for another."""

    HYPERPRIOR = 1
    ZOO = 2
    HFD = 3
    LATENT = 4
    LAYERED = 5
    ILLM = 6

    @property
    def seeded(self) -> bool:
        """Whether the header carries the decoder's default seed."""
        return self in (Kind.HFD, Kind.LATENT, Kind.LAYERED)

    @property
    def header_bytes(self) -> int:
        """Length of the header with its CRC-32."""
        return 24 if self.seeded else 20


@dataclass(frozen=True, slots=True)
class Header:
    """What every stream of ours begins with."""

    kind: Kind
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    weights_id: bytes
    """The first six bytes of the SHA-256 of the decoder's weights."""
    seed: int = 0
    """0 to `LARGEST_SEED`; 0 where the codec draws nothing."""

    def pack(self) -> bytes:
        """Return the header without its CRC-32."""
        check_size(self.width, self.height)
        if max(self.width, self.height) > LARGEST_SIDE:
            raise CodecError(f"expected sides up to {LARGEST_SIDE} pixels, got {self.width} x {self.height}")
        sides = self.width.to_bytes(3, "big") + self.height.to_bytes(3, "big")
        seed = struct.pack(">I", self.seed) if self.kind.seeded else b""
        return MAGIC + bytes([self.kind, FORMAT_VERSION]) + sides + self.weights_id + seed


def seal(header: Header, payload: bytes) -> bytes:
    """Return the stream of a header and a payload, with the CRC-32 between them."""
    packed = header.pack()
    return packed + struct.pack(">I", zlib.crc32(payload, zlib.crc32(packed))) + payload


def unseal(bitstream: bytes, kind: Kind, weights_id: bytes | None = None) -> tuple[Header, bytes]:
    """Return the header and the payload of a stream.

    Args:
        bitstream: What `seal` returned.
        kind: The codec that is about to decode.
        weights_id: Of the decoder's weights; None leaves the comparison to the caller.

    Raises:
        CodecError: The stream is another codec's, of another format version, cut short, damaged, or made
            for other weights; the message says which.
    """
    name = kind.name.lower()
    if bitstream[:2] != MAGIC:
        raise CodecError(
            f"not a {name} stream: expected the bytes {MAGIC.hex(' ')} at its beginning, "
            f"got {bitstream[:2].hex(' ') or 'none'}"
        )
    if len(bitstream) < kind.header_bytes:
        raise CodecError(f"{name} stream is cut short: {len(bitstream)} bytes of its header")
    if bitstream[2] != kind:
        other = Kind(bitstream[2]).name.lower() if bitstream[2] in set(Kind) else f"codec {bitstream[2]}"
        raise CodecError(f"expected a {name} stream, this one was written by {other}")
    if bitstream[3] != FORMAT_VERSION:
        raise CodecError(
            f"{name} stream of format version {bitstream[3]}, this decoder reads {FORMAT_VERSION}"
        )
    packed, payload = bitstream[: kind.header_bytes - 4], bitstream[kind.header_bytes :]
    (expected,) = struct.unpack(">I", bitstream[len(packed) : kind.header_bytes])
    if zlib.crc32(payload, zlib.crc32(packed)) != expected:
        raise CodecError(f"{name} stream is damaged or cut short: its CRC-32 does not match its bytes")
    seed = struct.unpack(">I", packed[16:])[0] if kind.seeded else 0
    header = Header(
        kind, int.from_bytes(packed[4:7], "big"), int.from_bytes(packed[7:10], "big"), packed[10:16], seed
    )
    check_size(header.width, header.height)
    if weights_id is not None:
        check_weights(header, weights_id)
    return header, payload


def check_weights(header: Header, weights_id: bytes) -> None:
    """Raise `CodecError` unless the stream was made for these weights."""
    if header.weights_id != weights_id:
        raise CodecError(
            f"{header.kind.name.lower()} stream was made for the weights {header.weights_id.hex()}, "
            f"this decoder holds {weights_id.hex()}"
        )


def seed_of(header: Header, seed: int | None) -> int:
    """Return the seed that a decoder is to draw from: the one it was called with, else the stream's.

    Raises:
        CodecError: It is no whole number from 0 to `LARGEST_SEED`.
    """
    if seed is None:
        return header.seed
    check_range("seed", seed, 0, LARGEST_SEED, whole=True)
    return seed


def pad_payload(header: Header, payload: bytes) -> bytes:
    """Return the payload, zeros behind it where it is too short for its picture; see `PIXELS_PER_BYTE`."""
    return payload.ljust(header.width * header.height // PIXELS_PER_BYTE, b"\0")


def check_claim(header: Header, payload: bytes) -> None:
    """Raise `CodecError` when the header claims more pixels than so short a payload may hold."""
    if header.width * header.height // PIXELS_PER_BYTE > len(payload):
        raise CodecError(
            f"{header.kind.name.lower()} stream claims {header.width} x {header.height} pixels "
            f"in {len(payload)} bytes, fewer than one for {PIXELS_PER_BYTE} pixels"
        )


class Reader:
    """Takes the fields of a payload one after another; past its end it raises `CodecError`."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self.position = 0

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        if count < 0 or self.position + count > len(self._payload):
            raise CodecError(
                f"stream is cut short: {count} bytes expected at byte {self.position} of {len(self._payload)}"
            )
        self.position += count
        return self._payload[self.position - count : self.position]

    def number(self, size: int) -> int:
        """Return the next big-endian number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(len(self._payload) - self.position)
