"""Flags shown beside a codec's name: imported, rates estimated, verified, with an encoder that varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..records.columns import ColumnCodec, Columns, IntArray


@dataclass(frozen=True, slots=True)
class CodecFlags:
    """What a reader must know of a codec's measurements before believing its numbers."""

    imported: bool = False
    """Whether the measurements come from a file: nothing was encoded or decoded here."""
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
    """Where imported measurements come from."""
    estimated: bool = False
    """Whether any of its rates is an estimate of an entropy model, the size of no bitstream."""


NO_FLAGS = CodecFlags()


def marks(columns: Columns, codec: ColumnCodec, members: IntArray) -> CodecFlags:
    """Return the flags of one codec.

    Args:
        columns: The measurements of all codecs of a store or set.
        codec: The codec to describe; of an imported one only provenance and kind of rate are known.
        members: Which measurements are the codec's, shape (measurements of the codec,).
    """
    if codec.imported:
        estimated = bool(columns.estimated[members].any())
        return CodecFlags(imported=True, provenance=codec.provenance, estimated=estimated)
    verified, isolated, wrong = (
        int(np.count_nonzero(mask[members])) for mask in (columns.verified, columns.isolated, columns.wrong)
    )
    return CodecFlags(False, len(members), verified, isolated, wrong, bool(columns.varies[members].any()))
