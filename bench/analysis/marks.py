"""Turn a codec's cells into what stands beside its name: imported, verified, with an encoder that varies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..store.rows import ScoredCell


@dataclass(frozen=True, slots=True)
class Marks:
    """What a reader must know of a codec's rows before believing its numbers."""

    imported: bool = False
    """Whether the rows come from a file: nothing was encoded or decoded here."""
    bitstreams: int = 0
    """How many there are."""
    verified: int = 0
    """How many of them `codecarena verify` decoded again."""
    isolated: int = 0
    """How many of those with nothing else in reach."""
    wrong: int = 0
    """How many gave other pixels, or none."""
    encoder_varies: bool = False
    """Whether the encoder wrote other bytes when it was asked again."""
    provenance: str | None = None
    """Where imported rows come from."""


NO_MARKS = Marks()


def marks(cells: Iterable[ScoredCell]) -> Marks:
    """Return the marks of one codec's cells."""
    cells = list(cells)
    streams = [cell for cell in cells if not cell.imported]
    verdicts = [cell.verdict for cell in streams if cell.verdict]
    return Marks(
        any(cell.imported for cell in cells),
        len(streams),
        len(verdicts),
        sum(one.isolation != "none" for one in verdicts),
        sum(one.outcome in ("differs", "failed") for one in verdicts),
        any(one.encoder_repeats is False for one in verdicts),
        next((cell.provenance for cell in cells if cell.imported), None),
    )
