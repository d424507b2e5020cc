"""Code a decoder's settings that a stream carries, one byte each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....base import CodecError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Setting:
    """A number that a decoder paints by."""

    name: str
    """Of the decoder's parameter."""
    lowest: float
    highest: float
    units: float = 1
    """That make 1. A stream holds the number of units above the lowest, 0 to 255."""

    def check(self, value: float) -> None:
        """Raise `CodecError` unless a parameter lies between the two ends."""
        if not self.lowest <= value <= self.highest:
            raise CodecError(
                f"parameter {self.name!r} must lie between {self.lowest} and {self.highest}, got {value!r}"
            )


STEPS = Setting("steps", 1, 100)
"""Bounded so that no forged stream paints for ever."""
GUIDANCE = Setting("guidance", 1, 25, units=10)
SAMPLING = (STEPS, GUIDANCE)
"""What the settings of every decoder begin with that has any."""


def pack(settings: Sequence[Setting], values: Mapping[str, float]) -> bytes:
    """Return the values of settings as a stream carries them: rounded to its units.

    Args:
        settings: In the order of the stream.
        values: By the settings' names.

    Raises:
        CodecError: A value is out of range.
    """
    for setting in settings:
        setting.check(values[setting.name])
    return bytes(round((values[setting.name] - setting.lowest) * setting.units) for setting in settings)


def unpack(settings: Sequence[Setting], packed: bytes) -> dict[str, float]:
    """Return the values of settings by name.

    Raises:
        CodecError: They are others than these, or out of range.
    """
    if len(packed) != len(settings):
        names = ", ".join(setting.name for setting in settings)
        raise CodecError(
            f"expected {len(settings)} bytes of settings in the layered stream ({names}), got {len(packed)}"
        )
    values = {
        setting.name: setting.lowest + count / setting.units
        for setting, count in zip(settings, packed, strict=True)
    }
    for setting in settings:
        if values[setting.name] > setting.highest:
            raise CodecError(
                f"expected {setting.name} up to {setting.highest} in the layered stream, "
                f"got {values[setting.name]}"
            )
    return values
