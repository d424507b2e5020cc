"""Pack palette, indices and the denoiser's start into the bytes behind the header, and unpack them.

    entries - 1: 1 byte | error: 1 byte | steps: 7 bits, deflated: 1 bit | palette, indices

Palette and indices stand at their full length, each index in as many bits as its palette needs, or one byte
for each index and all of it deflated, whichever is shorter. Zeros may follow, see `bitstream.pad_payload`.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...base import CodecError, RateParts
from ...bitstream import Reader, check_claim, pad_payload
from .palette import uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...bitstream import Header
    from .palette import Indices, Palette

SETTINGS_BYTES = 3
PUBLISHED = 0
"""The error byte that stands for the fixed start of the published pipeline."""
MOST_STEPS = 127
PALETTE_CHANNELS = 4
"""Latents of four channels are coded by a palette; of others, each value by itself."""
_SMALLEST_ERROR = 0.005
_CODES_PER_OCTAVE = 24


@dataclass(frozen=True, slots=True)
class Layout:
    """The shape of the latents of one picture, from which the length of the payload follows."""

    height: int
    width: int
    channels: int

    @classmethod
    def of(cls, header: Header, factor: int, channels: int) -> Layout:
        """Return the layout of a picture whose sides are divided by ``factor``, rounded up.

        Args:
            header: Of the stream: width and height in pixels.
            factor: Pixels a latent cell is wide, 8 for Stable Diffusion.
            channels: Of the latents.
        """
        return cls(-(-header.height // factor), -(-header.width // factor), channels)

    @property
    def has_palette(self) -> bool:
        """Whether a palette travels with the indices."""
        return self.channels == PALETTE_CHANNELS

    @property
    def index_shape(self) -> tuple[int, ...]:
        """One index for each pixel with a palette, else one for each value."""
        plane = (self.height, self.width)
        return plane if self.has_palette else (self.channels, *plane)

    @property
    def index_count(self) -> int:
        """Number of indices."""
        return math.prod(self.index_shape)

    def palette_bytes(self, entries: int) -> int:
        """Return the length of a palette in the stream."""
        return entries * self.channels if self.has_palette else 0


@dataclass(frozen=True, slots=True)
class Payload:
    """What the decoder reads behind the header."""

    palette: Palette
    """(entries, channels), or (entries, 1) equal steps that do not travel."""
    indices: Indices
    """Rows of the palette, of the shape `Layout.index_shape`."""
    error: int
    """`PUBLISHED`, or the coded rms error of the quantised latents: see `error_code`."""
    steps: int
    """Denoising steps, 0 to 127."""

    def pack(self, header: Header, layout: Layout) -> bytes:
        """Return the bytes behind the header."""
        entries = len(self.palette)
        palette = self.palette.tobytes() if layout.has_palette else b""
        flat = palette + _to_bits(self.indices, _index_bits(entries))
        deflated = zlib.compress(palette + self.indices.tobytes(), 9)
        shorter = len(deflated) < len(flat)
        settings = bytes([entries - 1, self.error, self.steps << 1 | shorter])
        return pad_payload(header, settings + (deflated if shorter else flat))

    def levels(self, layout: Layout) -> NDArray[np.uint8]:
        """Return the latents that palette and indices stand for, (height, width, channels)."""
        latent_levels = self.palette[self.indices]
        return (
            latent_levels
            if layout.has_palette
            else np.ascontiguousarray(latent_levels[..., 0].transpose(1, 2, 0))
        )


def unpack(header: Header, payload: bytes, layout: Layout) -> Payload:
    """Return what `Payload.pack` was given.

    Args:
        header: Of the stream: width, height and quality.
        payload: The bytes after the header.
        layout: Size of the latents, by `Layout.of`.

    Raises:
        CodecError: The length is not what width, height and number of entries ask for, an index has no
            entry, or the header claims more than so few bytes may hold.
    """
    check_claim(header, payload)
    reader = Reader(payload)
    entries, error, steps = reader.number(1) + 1, reader.number(1), reader.number(1)
    body, before = reader.rest(), layout.palette_bytes(entries)
    bits = 8 if steps & 1 else _index_bits(entries)
    expected = before + -(-layout.index_count * bits // 8)
    plain = _inflate(body, expected) if steps & 1 else _cut(body, expected)
    indices = _from_bits(plain[before:], bits, layout.index_count)
    if indices.max(initial=0) >= entries:
        raise CodecError(f"latent stream names entry {indices.max()} of a palette of {entries}")
    palette = np.frombuffer(plain, np.uint8, before).reshape(-1, layout.channels)
    return Payload(
        palette if layout.has_palette else uniform(entries),
        indices.reshape(layout.index_shape),
        error,
        steps >> 1,
    )


def parts(header: Header, payload: bytes, layout: Layout) -> RateParts:
    """Return header and settings, indices, and the palette; of a deflated body, in their share of it.

    Args:
        header: Of the stream: width, height and quality.
        payload: The bytes after the header.
        layout: Size of the latents, by `Layout.of`.

    Raises:
        CodecError: See `unpack`.
    """
    entries = len(unpack(header, payload, layout).palette)
    bits = 8 if payload[2] & 1 else _index_bits(entries)
    palette, indices = layout.palette_bytes(entries), -(-layout.index_count * bits // 8)
    body = len(payload) - SETTINGS_BYTES
    side = body * palette // max(palette + indices, 1)
    return RateParts(header.kind.header_bytes + SETTINGS_BYTES, body - side, side)


def error_code(rms: float) -> int:
    """Return the byte, 1 to 255, of an rms error in standard deviations of the latents: 3 % apart."""
    code = 1 + round(_CODES_PER_OCTAVE * math.log2(max(rms, _SMALLEST_ERROR) / _SMALLEST_ERROR))
    return min(code, 255)


def error_of(code: int) -> float:
    """Return the rms error of a byte from 1 to 255; from 0.005 to 7.7."""
    return _SMALLEST_ERROR * 2 ** ((code - 1) / _CODES_PER_OCTAVE)


def _index_bits(entries: int) -> int:
    return (entries - 1).bit_length()


def _to_bits(indices: Indices, bits: int) -> bytes:
    return np.packbits(np.unpackbits(indices.reshape(-1, 1), axis=1)[:, 8 - bits :]).tobytes()


def _from_bits(packed: bytes, bits: int, count: int) -> NDArray[np.uint8]:
    digits = np.unpackbits(np.frombuffer(packed, np.uint8), count=count * bits).reshape(count, bits)
    return np.packbits(np.pad(digits, ((0, 0), (8 - bits, 0))), axis=1).reshape(count)


def _inflate(body: bytes, expected: int) -> bytes:
    """Return the bytes that were deflated, never more than one beyond the expected number."""
    reader = zlib.decompressobj()
    try:
        plain = reader.decompress(body, expected + 1)
    except zlib.error as error:
        raise CodecError(f"latent stream does not inflate: {error}") from error
    if len(plain) != expected or not reader.eof:
        raise CodecError(f"latent stream does not inflate to the {expected} bytes of its size and palette")
    _cut(reader.unused_data, 0)
    return plain


def _cut(body: bytes, expected: int) -> bytes:
    """Return the first bytes of a body behind which only zeros may stand."""
    if len(body) < expected or any(body[expected:]):
        raise CodecError(f"expected {expected} bytes of palette and indices and zeros, got {len(body)} bytes")
    return body[:expected]
