"""A binary arithmetic coder, in integers alone.

A range coder with 32-bit bounds: each bit narrows the interval [low, low + range) in proportion to its
probability, and a byte leaves whenever the range falls below 2 ** 24 (G. Martin, "Range encoding", 1979).
Integers make both sides agree on every machine.
"""

from __future__ import annotations

from ....base import CodecError

PROBABILITY_BITS = 16
ONE = 1 << PROBABILITY_BITS
"""A probability is a whole number of these parts, from 1 to ONE - 1."""

_WORD = (1 << 32) - 1
_SMALLEST_RANGE = 1 << 24
_WORD_BYTES = 4


class Encoder:
    """Writes bits under their probabilities."""

    def __init__(self) -> None:
        self._low = 0
        self._range = _WORD
        self._written = bytearray()

    def code(self, probability: int, bit: int | None) -> int:
        """Write a bit and return it.

        Args:
            probability: That the bit is 1, in parts of `ONE`.
            bit: 0 or 1. None, which the decoder is given, is refused.
        """
        if bit is None:
            raise CodecError("an encoder needs the bit that it is to write")
        bound = self._range * probability >> PROBABILITY_BITS
        if bit:
            self._range = bound
        else:
            self._low += bound
            self._range -= bound
        if self._range < _SMALLEST_RANGE or self._low > _WORD:
            self._shift()
        return bit

    def finish(self) -> bytes:
        """Return all bytes; the fewest that any value inside the last interval needs."""
        count, value = 0, self._round_up(0)
        while value >= self._low + self._range:
            count += 1
            value = self._round_up(count)
        self._low = value
        self._carry()
        return bytes(self._written) + self._low.to_bytes(_WORD_BYTES, "big")[:count]

    def _round_up(self, count: int) -> int:
        """Return the first value from low on whose bytes after the first ``count`` are zeros."""
        unit = 1 << 8 * (_WORD_BYTES - count)
        return -(-self._low // unit) * unit

    def _shift(self) -> None:
        self._carry()
        while self._range < _SMALLEST_RANGE:
            self._written.append(self._low >> 24)
            self._low = self._low << 8 & _WORD
            self._range <<= 8

    def _carry(self) -> None:
        if self._low <= _WORD:
            return
        self._low &= _WORD
        place = len(self._written) - 1
        while self._written[place] == 0xFF:
            self._written[place] = 0
            place -= 1
        self._written[place] += 1


class Decoder:
    """Reads what an `Encoder` wrote, under the same probabilities."""

    def __init__(self, written: bytes) -> None:
        self._written = written
        self._place = _WORD_BYTES
        self._range = _WORD
        # The encoder leaves out the last bytes where zeros do.
        self._value = int.from_bytes(written[:_WORD_BYTES].ljust(_WORD_BYTES, b"\0"), "big")

    def code(self, probability: int, bit: int | None = None) -> int:  # noqa: ARG002
        """Return the next bit.

        Args:
            probability: As the encoder's.
            bit: Not looked at; it is there so that one function can drive encoder and decoder.

        Raises:
            CodecError: More bits are asked for than the bytes can hold.
        """
        bound = self._range * probability >> PROBABILITY_BITS
        if self._value < bound:
            self._range, decoded_bit = bound, 1
        else:
            self._value -= bound
            self._range -= bound
            decoded_bit = 0
        while self._range < _SMALLEST_RANGE:
            self._range <<= 8
            self._value = self._value << 8 | self._next()
        return decoded_bit

    def finish(self) -> None:
        """Raise `CodecError` when bytes are left over."""
        if self._place < len(self._written):
            raise CodecError(f"coded data are too long: {len(self._written) - self._place} bytes left over")

    def _next(self) -> int:
        place = self._place
        self._place += 1
        if place >= len(self._written) + _WORD_BYTES:
            raise CodecError(f"coded data are cut short: they end at byte {len(self._written)}")
        return self._written[place] if place < len(self._written) else 0


Coder = Encoder | Decoder
"""Either; what codes symbols is written once for both."""
