"""What makes a cell the same cell in every run, and what of it is to be saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

NO_SEED = -1
"""Stands in keys for a stream's own seed: NULL would slip past a unique index."""


@dataclass(frozen=True, slots=True)
class CellKey:
    """What makes a cell the same cell in every run."""

    picture_sha256: str
    codec_id: str
    quality: float
    seed: int
    """`NO_SEED` for the stream's own."""

    @property
    def stream(self) -> CellKey:
        """What the decodes of one bitstream with several seeds have in common."""
        return replace(self, seed=NO_SEED)


@dataclass(frozen=True, slots=True)
class Saved:
    """What `StoreWriter.save` needs beside the outcome."""

    key: CellKey
    run_id: int
    decoded_sha256: str | None
    """Of an earlier measurement, where only scores were asked for."""
    metric_ids: Mapping[str, str]
    contended: bool
    replace: bool
    """Whether a current measurement becomes history (``--force``) or wins over this one."""
    probe: bool = False
    """Whether a search asked for it: no point of a mean curve then."""


def seed_key(seed: int | None) -> int:
    """Return a seed as the store's key holds it."""
    return NO_SEED if seed is None else seed
