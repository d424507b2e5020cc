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
        row.picture_sha256: ColumnPicture(
            row.picture_sha256, row.picture, row.kind, row.pixel_count, row.picture_generator
        )
        for row in reversed(rows)
    }
    codecs = {
        row.codec_id: ColumnCodec(
            row.codec_id, row.codec, row.family, row.toy, row.imported, row.provenance, row.codec_generator
        )
        for row in rows
    }
    picture_places = {sha256: place for place, sha256 in enumerate(pictures)}
    codec_places = {codec_id: place for place, codec_id in enumerate(codecs)}
    verdicts = [row.verdict for row in rows]
    scores = [row.scores.get(metric_id) for row in rows]
    columns = Columns(
        rows[0].image_set if rows else "",
        tuple(pictures.values()),
        tuple(codecs.values()),
        np.arange(len(rows), dtype=np.int64),
        np.array([picture_places[row.picture_sha256] for row in rows], dtype=np.int64),
        np.array([codec_places[row.codec_id] for row in rows], dtype=np.int64),
        np.array([row.quality for row in rows], dtype=np.float64),
        np.array([NO_SEED if row.seed is None else row.seed for row in rows], dtype=np.int64),
        np.array([row.bitstream_bytes for row in rows], dtype=np.int64),
        np.array([row.contended for row in rows], dtype=bool),
        np.array([row.probe for row in rows], dtype=bool),
        np.array([verdict is not None for verdict in verdicts], dtype=bool),
        np.array([verdict is not None and verdict.isolation != "none" for verdict in verdicts], dtype=bool),
        np.array(
            [verdict is not None and verdict.outcome in ("differs", "failed") for verdict in verdicts],
            dtype=bool,
        ),
        np.array(
            [verdict is not None and verdict.encoder_repeats is False for verdict in verdicts], dtype=bool
        ),
        np.array([row.rate_kind == "estimated" for row in rows], dtype=bool),
    )
    values = [
        np.nan if score is None or score.value is None or score.lossless else score.value for score in scores
    ]
    return columns, ScoreColumn(
        np.array(values, dtype=np.float64),
        np.array([score is not None and score.applicable for score in scores], dtype=bool),
        np.array([score is not None and not score.applicable for score in scores], dtype=bool),
    )


def encode_seconds_of(cells: Iterable[ScoredCell]) -> FloatArray:
    """Return the median time of each cell's encodes; NaN where none was timed."""
    times = [cell.encode_seconds for cell in unique(cells)]
    return np.array([median(time) if time else np.nan for time in times], dtype=np.float64)


def byte_parts_of(cells: Iterable[ScoredCell]) -> ByteParts:
    """Return what the bytes of each cell are for."""
    rows = unique(cells)
    names = ("header_bytes", "payload_bytes", "side_bytes")
    return ByteParts(*(np.array([getattr(row, name) for row in rows], dtype=np.float64) for name in names))


def kept_by(cells: Iterable[ScoredCell], failures: Iterable[Failure], metric_id: str) -> list[bytes]:
    """Return what tells an answer about these cells from one about others."""
    return list(rows_of(*columns_of(cells, metric_id), failures))
