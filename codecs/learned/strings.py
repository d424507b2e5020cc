"""Code integer symbols as rANS strings under probability tables, and never read past a string's end.

CompressAI's range decoder (``compressai.ans.RansDecoder``) takes any bytes for a string and reads on beyond
their end. Here every string gets zeros behind it, enough for the longest walk that its symbols can make, and
a checksum of the symbols tells a wrong string from a right one. `latents` codes latents with it.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from .. import leb128
from ..base import CodecError
from .library import RansDecoder, RansEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from compressai.entropy_models import EntropyModel
    from torch import Tensor

    from ..bitstream import Reader

CHECKSUM_BYTES = 3
SEGMENT_SYMBOLS = 2**19
"""Symbols of one string; more go into further strings, so that the zeros behind one stay small."""

_PRECISION = 2**16
_SMALLEST_STATE, _STATES = 2**31, 2**63
_LARGEST_SYMBOL = 2**24
"""CompressAI's encoder loops for ever on symbols from 2 ** 27."""
_FEWEST_SYMBOLS = 4
"""CompressAI's encoder writes eight bytes into four times as many bytes as there are symbols."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The cumulative probabilities of an entropy model, checked, as the range coder takes them."""

    rows: tuple[list[int], ...]
    """Of each index: 0 to 65536, rising; the last step stands for all symbols outside the table."""
    offsets: tuple[int, ...]
    """Of each index: the symbol of the first step."""

    def of(self, indexes: Sequence[int]) -> tuple[list[int], list[list[int]], list[int], list[int]]:
        """Return renumbered indexes, and the rows, lengths and offsets of those alone that occur.

        The binding copies all rows at every call, which would take most of an autoregressive decoder's time.
        """
        used = sorted(set(indexes))
        if used and not 0 <= used[0] <= used[-1] < len(self.rows):
            raise CodecError(f"expected table indexes 0 to {len(self.rows) - 1}, got {used[0]} to {used[-1]}")
        place = {index: position for position, index in enumerate(used)}
        rows = [self.rows[index] for index in used]
        offsets = [self.offsets[index] for index in used]
        return [place[index] for index in indexes], rows, [len(row) for row in rows], offsets


def tables(model: EntropyModel) -> Tables:
    """Return the tables of a CompressAI entropy model, as they were loaded: nothing is computed.

    Raises:
        CodecError: There are none, or they would lead the range coder out of its memory.
    """
    buffers = (model.quantized_cdf, model.cdf_length, model.offset)
    cdf, lengths, offsets = (cast("Tensor", buffer).detach().cpu().numpy() for buffer in buffers)
    if cdf.size == 0:
        raise CodecError(
            f"the weights hold no probability tables for {type(model).__name__}: "
            "call the model's update() after training and save it again"
        )
    if cdf.ndim != 2 or lengths.shape != (len(cdf),) or offsets.shape != (len(cdf),):
        raise CodecError(
            f"expected a probability table with a length and an offset for each row, "
            f"got {cdf.shape}, {lengths.shape}, {offsets.shape}"
        )
    rows: list[list[int]] = []
    for number, (row, length, offset) in enumerate(zip(cdf, lengths, offsets, strict=True)):
        row = row[: max(0, length)]
        whole = 2 <= length <= cdf.shape[1] and row[0] == 0 and row[-1] == _PRECISION
        if not whole or (np.diff(row) < 1).any() or abs(int(offset)) >= _LARGEST_SYMBOL:
            raise CodecError(f"row {number} of a probability table does not rise from 0 to {_PRECISION}")
        rows.append(row.tolist())
    return Tables(tuple(rows), tuple(offsets.tolist()))


def segments(count: int, unit: int = 1) -> Iterator[slice]:
    """Yield what each string holds of ``count`` symbols, whole units of ``unit`` symbols each."""
    step = max(1, SEGMENT_SYMBOLS // unit) * unit
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def segment_count(count: int, unit: int = 1) -> int:
    """Return the number of strings for so many symbols."""
    return sum(1 for _ in segments(count, unit))


def rounded(values: Tensor, means: Tensor | None = None) -> Tensor:
    """Return the integer symbols of values about their means.

    Raises:
        CodecError: The values are not finite, or too large for the range coder.
    """
    symbols = torch.round(values if means is None else values - means)
    # `not (<)` rather than `>=`: NaN compares false.
    if not bool((symbols.abs() < _LARGEST_SYMBOL).all()):
        raise CodecError(
            f"the network made latents that are no numbers or not below {_LARGEST_SYMBOL}; "
            "are these its weights, and is the device's arithmetic sound?"
        )
    return symbols.int()


def encode_symbols(model: Tables, symbols: Tensor, indexes: Tensor, unit: int = 1) -> list[bytes]:
    """Return the strings of symbols; one string up to `SEGMENT_SYMBOLS`, then the same as CompressAI's.

    Args:
        model: See `tables`.
        symbols: Integers of any shape; coded in the order of their memory.
        indexes: Of the shape of ``symbols``: which row of the table is each one's.
        unit: Symbols that must not be parted; see `segments`.
    """
    flat, rows = symbols.reshape(-1).tolist(), indexes.reshape(-1).tolist()
    if len(flat) < _FEWEST_SYMBOLS:
        raise CodecError(f"the range coder takes {_FEWEST_SYMBOLS} symbols or more, got {len(flat)}")
    encoder = RansEncoder()
    return [
        encoder.encode_with_indexes(flat[part], *model.of(rows[part])) for part in segments(len(flat), unit)
    ]


def decode_symbols(model: Tables, strings: Sequence[bytes], indexes: Tensor, unit: int = 1) -> Tensor:
    """Return the symbols of strings: int32, of the shape of ``indexes``.

    Args:
        model: See `tables`.
        strings: What `encode_symbols` returned, or damaged; then the symbols are wrong ones.
        indexes: As they were encoded.
        unit: As it was encoded.

    Raises:
        CodecError: There are too few strings, or one is no string of the range coder at all.
    """
    rows = indexes.reshape(-1).tolist()
    symbols: list[int] = []
    for string, part in zip(_expected(strings, len(rows), unit), segments(len(rows), unit), strict=True):
        symbols += SymbolDecoder(string, part.stop - part.start).take(model, rows[part])
    return torch.tensor(symbols, dtype=torch.int32).reshape(indexes.shape)


def _expected(strings: Sequence[bytes], count: int, unit: int) -> Sequence[bytes]:
    if len(strings) != segment_count(count, unit):
        raise CodecError(
            f"expected {segment_count(count, unit)} strings for {count} symbols, got {len(strings)}"
        )
    return strings


class SymbolDecoder:
    """Takes the symbols of one string one after another.

    The state of the decoder lies between 2 ** 31 and 2 ** 63 if it does so at first, which is checked here.
    Then a symbol of a table takes at most 16 bits of a string. One outside the table takes 4 bits for each
    nibble: a run of nibbles of value 15 and one other, whose sum is the number of nibbles that follow. In
    the zeros behind a string such a run is at most 8 nibbles long, as those after the state's own are 0, so
    that no symbol takes more than 16 + 4 * (8 + 1 + 8 * 15) bits, which is below 68 bytes. In the string
    itself each nibble of a run may ask for 15 more behind it: 15 bytes for each of the string's.

    Args:
        string: As it came; a whole one is never longer than 7 bytes for each symbol and 16.
        count: Symbols that will be taken in all.

    Raises:
        CodecError: It is no string of the range coder.
    """

    def __init__(self, string: bytes, count: int) -> None:
        state = int.from_bytes(string[:8], "little")
        if len(string) < 8 or not _SMALLEST_STATE <= state < _STATES or len(string) > 7 * count + 16:
            raise CodecError(f"{len(string)} bytes are no string of {count} symbols: the stream is damaged")
        self._left = count
        self._decoder = RansDecoder()
        self._decoder.set_stream(string + bytes(15 * len(string) + 68 * count + 64))

    def take(self, model: Tables, indexes: Sequence[int]) -> list[int]:
        """Return the next symbols, one for each index."""
        self._left -= len(indexes)
        if self._left < 0:
            raise CodecError("more symbols were asked of a string than it was opened for")
        return self._decoder.decode_stream(*model.of(indexes))


def symbol_checksum(*symbols: Tensor, size: int = CHECKSUM_BYTES) -> bytes:
    """Return bytes that change with any symbol: the end of the CRC-32 of all."""
    crc = 0
    for symbol in symbols:
        crc = zlib.crc32(symbol.detach().cpu().numpy().astype("<i4").tobytes(), crc)
    return crc.to_bytes(4, "big")[-size:]


def check_symbols(expected: bytes, *symbols: Tensor) -> None:
    """Raise `CodecError` unless the symbols are those the checksum was made of."""
    if symbol_checksum(*symbols, size=len(expected)) != expected:
        raise CodecError(
            "the decoded symbols do not match their checksum: the stream is damaged, or this machine's "
            "arithmetic differs from that of the one that encoded it"
        )


def pack_strings(strings: Sequence[bytes]) -> bytes:
    """Return strings one behind another, all but the last with their length before them."""
    return b"".join(leb128.write(len(string)) + string for string in strings[:-1]) + b"".join(strings[-1:])


def unpack_strings(reader: Reader, count: int) -> list[bytes]:
    """Return so many strings; the last takes all that is left.

    Raises:
        CodecError: They are cut short.
    """
    return [
        reader.take(leb128.read(reader, 2**32 - 1, "the length of a string")) for _ in range(count - 1)
    ] + [reader.rest()]
