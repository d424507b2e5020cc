"""The range coder's strings hold their symbols, and no string leads the decoder out of its memory."""

from __future__ import annotations

import random
from collections.abc import Iterator

import networks
import pytest
import torch

from codecarena.codecs.base import CodecError
from codecarena.codecs.bitstream import Reader
from codecarena.codecs.learned import strings

TABLES = strings.tables(networks.untrained("mbt2018-mean").gaussian_conditional)


class _Reference:
    """CompressAI's range decoder by its source, which counts what it reads and finds zeros past the end."""

    def __init__(self, string: bytes) -> None:
        self.string, self.position = string, 8
        self.state = int.from_bytes(string[:8], "little")

    def _refill(self) -> None:
        if self.state < 2**31:
            word = self.string[self.position : self.position + 4].ljust(4, b"\0")
            self.state = self.state << 32 | int.from_bytes(word, "little")
            self.position += 4

    def _nibble(self) -> int:
        value = self.state & 15
        self.state >>= 4
        self._refill()
        return value

    def symbol(self, row: list[int], offset: int) -> int:
        place = self.state & 0xFFFF
        step = next(index for index, start in enumerate(row) if start > place) - 1
        self.state = (row[step + 1] - row[step]) * (self.state >> 16) + place - row[step]
        self._refill()
        if step != len(row) - 2:
            return step + offset
        count = run = self._nibble()
        while run == 15:
            run = self._nibble()
            count += run
        raw = 0
        for position in range(count):
            raw |= self._nibble() << 4 * position % 32
        raw = (raw + 2**31) % 2**32 - 2**31
        return (-(raw >> 1) - 1 if raw & 1 else (raw >> 1) + step) + offset


def _wild_strings(rng: random.Random) -> Iterator[bytes]:
    for _ in range(60):
        kind = rng.randrange(4)
        length = 4 * rng.randrange(1, 60)
        if kind == 0:
            tail = rng.randbytes(length)
        elif kind == 1:
            tail = b"\xff" * length
        elif kind == 2:  # a table's last step, then runs
            tail = b"".join(
                rng.choice([b"\xff\xff\xff\xff", b"\xff\xff\0\0", rng.randbytes(4)]) for _ in range(20)
            )
        else:
            tail = bytes(length)
        yield rng.choice([b"\xff" * 7 + b"\x7f", b"\0" * 7 + b"\1", rng.randbytes(7) + b"\1"]) + tail


def test_no_walk_is_longer_than_the_zeros_behind_a_string() -> None:
    """The decoder agrees with a reference that counts, which never comes near the end of the zeros."""
    rng = random.Random(0)
    longest = 0.0
    for string in _wild_strings(rng):
        count = 120
        indexes = [rng.randrange(len(TABLES.rows)) for _ in range(count)]
        reference = _Reference(string)
        expected = [reference.symbol(TABLES.rows[index], TABLES.offsets[index]) for index in indexes]
        allowed = len(string) + 15 * len(string) + 68 * count + 64
        longest = max(longest, reference.position / allowed)
        if all(abs(integer) < 2**28 for integer in expected):  # beyond, C++ may do as it likes
            assert strings.SymbolDecoder(string, count).take(TABLES, indexes) == expected
        else:
            strings.SymbolDecoder(string, count).take(TABLES, indexes)
    assert 0.2 < longest <= 1, "the strings are not wild enough to test the bound, or break it"


def test_symbols_come_back_outside_the_table_too() -> None:
    generator = torch.Generator().manual_seed(1)
    indexes = torch.randint(0, len(TABLES.rows), (1, 6, 9, 5), generator=generator)
    for width in (2, 300, 2**23):
        symbols = torch.randint(-width, width + 1, indexes.shape, generator=generator, dtype=torch.int32)
        coded = strings.encode_symbols(TABLES, symbols, indexes)
        assert torch.equal(strings.decode_symbols(TABLES, coded, indexes), symbols)
        with pytest.raises(CodecError, match="expected 1 strings for 270 symbols, got 2"):
            strings.decode_symbols(TABLES, coded * 2, indexes)


def test_checksums_tell_symbols_apart() -> None:
    symbols = torch.arange(-3, 9, dtype=torch.int32)
    checksum = strings.symbol_checksum(symbols)
    assert len(checksum) == strings.CHECKSUM_BYTES
    strings.check_symbols(checksum, symbols)
    strings.check_symbols(checksum, symbols[:5], symbols[5:])
    for changed in (symbols + 1, symbols.flip(0), symbols[1:]):
        with pytest.raises(CodecError, match="checksum"):
            strings.check_symbols(checksum, changed)


def test_strings_are_packed_with_their_lengths() -> None:
    whole = [b"", b"a" * 127, b"b" * 128, b"c" * 40000, b"d"]
    packed = strings.pack_strings(whole)
    assert len(packed) == sum(map(len, whole)) + 1 + 1 + 2 + 3
    assert strings.unpack_strings(Reader(packed), 5) == whole
    with pytest.raises(CodecError, match="cut short"):
        strings.unpack_strings(Reader(packed[:200]), 5)
    with pytest.raises(CodecError, match="at most"):
        strings.unpack_strings(Reader(b"\xff" * 99), 2)


@pytest.mark.parametrize("string", [b"", bytes(7), bytes(50), b"\xff" * 50, b"\0" * 7 + b"\1" + bytes(99)])
def test_what_is_no_string_is_refused(string: bytes) -> None:
    with pytest.raises(CodecError, match="no string of 12 symbols"):
        strings.SymbolDecoder(string, 12)


def test_a_string_gives_no_more_symbols_than_it_was_opened_for() -> None:
    (string,) = strings.encode_symbols(
        TABLES, torch.zeros(8, dtype=torch.int32), torch.zeros(8, dtype=torch.int32)
    )
    decoder = strings.SymbolDecoder(string, 8)
    assert decoder.take(TABLES, [0] * 5) == [0] * 5
    with pytest.raises(CodecError, match="more symbols"):
        decoder.take(TABLES, [0] * 4)


def test_what_the_library_would_not_survive_is_refused() -> None:
    few = torch.zeros(3, dtype=torch.int32)
    with pytest.raises(CodecError, match="4 symbols or more, got 3"):
        strings.encode_symbols(TABLES, few, few)
    many = torch.zeros(9, dtype=torch.int32)
    with pytest.raises(CodecError, match="indexes 0 to 63, got 0 to 64"):
        strings.encode_symbols(TABLES, many, torch.tensor([0] * 8 + [64]))
    for value in (float("nan"), float("inf"), 2.0**24):
        with pytest.raises(CodecError, match="no numbers"):
            strings.rounded(torch.tensor([0.0, value]))
