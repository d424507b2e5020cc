"""Write every measurement to a file: one row a cell, one column a metric."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from ..bench.analysis.coverage import AnalysisError
from ..bench.store.rows import MetricRow, ScoredCell
from .slices import Source

FORMS = ("csv", "parquet")


def write(source: Source, form: str, out: Path) -> int:
    """Write a store's cells and return how many rows there are.

    Raises:
        AnalysisError: The form is unknown, the store is empty or the file cannot be written.
    """
    import pandas as pd  # half a second

    if form not in FORMS:
        raise AnalysisError(f"cannot export {form!r}; expected {' or '.join(FORMS)}")
    columns = _columns(source.metrics())
    rows = [_row(cell, columns) for name in source.image_sets() for cell in source.cells(name)]
    if not rows:
        raise AnalysisError("the store holds no results yet; run a suite first: codecarena run quick")
    frame = pd.DataFrame(rows)
    try:
        if form == "csv":
            frame.to_csv(out, index=False)
        else:
            frame.to_parquet(out, index=False)
    except OSError as error:
        raise AnalysisError(f"cannot write {out}: {error}") from error
    return len(rows)


def _columns(metrics: list[MetricRow]) -> dict[str, str]:
    """Return a column name for each metric id; identities that share a name are told apart."""
    shared = Counter(metric.name for metric in metrics)
    return {
        one.metric_id: one.name
        if shared[one.name] == 1
        else f"{one.name} ({one.implementation} {one.version})"
        for one in metrics
    }


def _row(cell: ScoredCell, columns: dict[str, str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "image_set": cell.image_set,
        "picture": cell.picture,
        "kind": cell.kind,
        "codec": cell.codec,
        "codec_id": cell.codec_id,
        "family": cell.family,
        "toy": cell.toy,
        "quality": cell.quality,
        "seed": cell.seed,
        "bits_per_pixel": cell.bits_per_pixel,
        "bitstream_bytes": cell.bitstream_bytes,
        "encode_seconds": median(cell.encode_seconds),
        "decode_seconds": median(cell.decode_seconds),
        "contended": cell.contended,
        "lossless": cell.decoded_sha256 == cell.picture_sha256,
        "picture_sha256": cell.picture_sha256,
        "bitstream_sha256": cell.bitstream_sha256,
        "decoded_sha256": cell.decoded_sha256,
    }
    scores = {column: cell.scores.get(metric_id) for metric_id, column in columns.items()}
    return row | {column: score.value if score else None for column, score in scores.items()}
