"""Cells as columns: what a store that held them would give."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

import numpy as np
from row_oracle.points import unique

from codecarena.bench.records.cells import NO_SEED
from codecarena.bench.records.columns import (
    ByteParts,
    ColumnCodec,
    ColumnPicture,
    Columns,
    FloatArray,
    ScoreColumn,
)
from codecarena.bench.records.rows import Failure, ScoredCell
from codecarena.bench.store.derived_cache import rows_of


def columns_of(cells: Iterable[ScoredCell], metric_id: str) -> tuple[Columns, ScoreColumn]:
    """Return cells as the columns of a store that holds them, with the scores of one metric."""
    rows = unique(cells)
    pictures = {
        one.picture_sha256: ColumnPicture(
            one.picture_sha256, one.picture, one.kind, one.pixel_count, one.picture_generator
        )
        for one in reversed(rows)
    }
    codecs = {
        one.codec_id: ColumnCodec(
            one.codec_id, one.codec, one.family, one.toy, one.imported, one.provenance, one.codec_generator
        )
        for one in rows
    }
    picture_places = {sha256: place for place, sha256 in enumerate(pictures)}
    codec_places = {codec_id: place for place, codec_id in enumerate(codecs)}
    verdicts = [one.verdict for one in rows]
    scores = [one.scores.get(metric_id) for one in rows]
    columns = Columns(
        rows[0].image_set if rows else "",
        tuple(pictures.values()),
        tuple(codecs.values()),
        np.arange(len(rows), dtype=np.int64),
        np.array([picture_places[one.picture_sha256] for one in rows], dtype=np.int64),
        np.array([codec_places[one.codec_id] for one in rows], dtype=np.int64),
        np.array([one.quality for one in rows], dtype=np.float64),
        np.array([NO_SEED if one.seed is None else one.seed for one in rows], dtype=np.int64),
        np.array([one.bitstream_bytes for one in rows], dtype=np.int64),
        np.array([one.contended for one in rows], dtype=bool),
        np.array([one.probe for one in rows], dtype=bool),
        np.array([one is not None for one in verdicts], dtype=bool),
        np.array([one is not None and one.isolation != "none" for one in verdicts], dtype=bool),
        np.array([one is not None and one.outcome in ("differs", "failed") for one in verdicts], dtype=bool),
        np.array([one is not None and one.encoder_repeats is False for one in verdicts], dtype=bool),
    )
    values = [np.nan if one is None or one.value is None or one.lossless else one.value for one in scores]
    return columns, ScoreColumn(
        np.array(values, dtype=np.float64),
        np.array([one is not None and one.applicable for one in scores], dtype=bool),
        np.array([one is not None and not one.applicable for one in scores], dtype=bool),
    )


def encode_seconds_of(cells: Iterable[ScoredCell]) -> FloatArray:
    """Return the median time of each cell's encodes; NaN where none was timed."""
    times = [one.encode_seconds for one in unique(cells)]
    return np.array([median(one) if one else np.nan for one in times], dtype=np.float64)


def byte_parts_of(cells: Iterable[ScoredCell]) -> ByteParts:
    """Return what the bytes of each cell are for."""
    rows = unique(cells)
    names = ("header_bytes", "payload_bytes", "side_bytes")
    return ByteParts(*(np.array([getattr(one, name) for one in rows], dtype=np.float64) for name in names))


def kept_by(cells: Iterable[ScoredCell], failures: Iterable[Failure], metric_id: str) -> list[bytes]:
    """Return what tells an answer about these cells from one about others."""
    return list(rows_of(*columns_of(cells, metric_id), failures))
