"""What a result file of another tool holds, before it is stored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ..records.rows import RateKind

SIZES = ("bytes", "bits", "bpp")
"""Columns that may hold the size of a bitstream."""


class InterchangeError(Exception):
    """A file cannot be imported; the message names it, the place, and what was expected there."""


@dataclass(frozen=True, slots=True)
class PublishedPoint:
    """One setting of a codec as somebody published it: means over a set."""

    image_set: str
    codec: str
    bits_per_pixel: float
    scores: dict[str, float]
    """By our metric names, on our scales; whose code computed them is not known."""
    quality: float | None = None
    encode_seconds: float | None = None
    decode_seconds: float | None = None
    rate_kind: RateKind = "bytes"


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """One decoded picture that somebody else's codec made, and how large its bitstream was."""

    line: int
    """Of the file."""
    picture: str
    """As the file calls the original."""
    decoded: Path
    codec: str
    size: float
    unit: str
    """One of `SIZES`: what ``size`` counts."""
    quality: float
    seed: int | None
    encode_seconds: float | None
    decode_seconds: float | None
    rate_kind: RateKind = "bytes"

    def bitstream_bytes(self, pixel_count: int) -> int:
        """Return the size in bytes; a part of a byte counts as a whole one."""
        whole = {"bytes": self.size, "bits": self.size / 8, "bpp": self.size * pixel_count / 8}[self.unit]
        # bpp is often rounded to a few digits: 1e-6 of a byte too much is no further byte.
        return max(1, math.ceil(whole - 1e-6))


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds."""

    points: tuple[PublishedPoint, ...] = ()
    reconstructions: tuple[Reconstruction, ...] = ()
    sha256: str = ""
    """Of the file."""
    origin: str = ""
    """Where the numbers come from, as the file says itself."""
