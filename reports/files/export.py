"""Write a store to files for other programs: cells or tables in several forms, and CompressAI's results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from ...bench.analysis.affinity import affinity
from ...bench.analysis.coverage import AnalysisError
from ...bench.records.frames import data_frame
from ...bench.records.rows import MetricRow, ScoredCell
from ...bench.store.store import Store
from ...counts import counted
from ...system_errors import reason
from ...text_file import guarded_rows
from ..tables import digits
from ..tables.latex import latex
from ..tables.leaderboard_tables import refuse_unreached
from ..tables.rate_table import rate_table
from ..tables.seed_table import seed_table
from ..tables.selection import choose_metrics, choose_sets, selections
from ..tables.table import Table, as_json
from .complete_boards import complete_boards, labelled
from .compressai import results

FORMS = ("csv", "parquet", "json", "latex", "compressai")
WHATS = ("cells", "leaderboard", "rates", "seeds")


def write(
    store: Store,
    form: str,
    out: Path,
    what: str | None = None,
    *,
    image_set: str | None = None,
    metrics: Sequence[str] = (),
    anchor: str | None = None,
    at: str | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> str:
    """Write a store's cells or one of its tables and return what was written, in words.

    Args:
        store: Where they are.
        form: One of `FORMS`; ``compressai`` writes a folder with one file for each set and codec.
        out: File, or folder, to write.
        what: One of `WHATS`; None for cells in CSV and Parquet, for the leaderboard in JSON and LaTeX.
        image_set: One set; None for all.
        metrics: Those of the leaderboard or of the seeds; all where empty.
        anchor: Of the leaderboard.
        at: Of the leaderboard.
        note: Called with each sentence about what CompressAI's files leave out.

    Raises:
        AnalysisError: The form is unknown, the store is empty or the file cannot be written.
    """
    if form not in FORMS:
        raise AnalysisError(f"cannot export {form!r}; expected {', '.join(FORMS[:-1])} or {FORMS[-1]}")
    what = what or ("cells" if form in ("csv", "parquet") else "leaderboard")
    if what not in WHATS:
        raise AnalysisError(f"--what {what!r}: expected {', '.join(WHATS[:-1])} or {WHATS[-1]}")
    _refuse_unused(form, what, {"--metric": metrics, "--anchor": anchor, "--at": at})
    try:
        if form == "compressai":
            return _write_compressai(store, out, image_set, note)
        if what == "cells":
            return _write_cells(store, form, out, image_set)
        tables = _tables(store, what, image_set, metrics, anchor, at)
        return _write_tables(tables, form, out)
    except OSError as error:
        raise AnalysisError(f"cannot write {out}: {reason(error)}") from error


def _refuse_unused(form: str, what: str, options: Mapping[str, object]) -> None:
    """Raise `AnalysisError` where an option would change nothing of what is written."""
    used = {"leaderboard": ("--metric", "--anchor", "--at"), "seeds": ("--metric",)}.get(what, ())
    used = () if form == "compressai" else used
    unused = [name for name, given in options.items() if given and name not in used]
    if unused:
        whole = f"the table {what}" if what in ("rates", "seeds") and form != "compressai" else "every cell"
        advice = "" if form == "compressai" else ", or choose --what leaderboard"
        raise AnalysisError(
            f"{' and '.join(unused)} would change nothing: {form} is to hold {whole}; leave it out{advice}"
        )


def _write_cells(store: Store, form: str, out: Path, image_set: str | None) -> str:
    rows = cell_rows(store, image_set)
    if form == "latex":
        raise AnalysisError("a row a cell is no table for a page; choose --what leaderboard, rates or seeds")
    if form == "json":
        out.write_text(json.dumps(rows, indent=1))
    else:
        _write_frame(rows, form, out)
    return f"{counted(len(rows), 'row')}"


def _write_tables(tables: Sequence[Table], form: str, out: Path) -> str:
    rows = sum(len(table.rows) for table in tables)
    if form == "latex":
        out.write_text("\n".join(latex(table) for table in tables), encoding="utf-8")
    elif form == "json":
        out.write_text(json.dumps(as_json(tables), indent=1))
    else:
        _write_frame([_flat(table, row.record) for table in tables for row in table.rows], form, out)
    return f"{counted(rows, 'row')} of {digits.counted(len(tables), 'table')}"


def _write_frame(rows: Sequence[Mapping[str, Any]], form: str, out: Path) -> None:
    if form == "csv":
        data_frame(guarded_rows(rows)).to_csv(out, index=False)
    else:
        data_frame(rows).to_parquet(out, index=False)


def _flat(table: Table, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record without inner records: ``scores.psnr.median``."""
    flat: dict[str, Any] = {"table": table.title}

    def add(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                add(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            flat[prefix] = json.dumps(value) if isinstance(value, (list, tuple)) else value

    add("", record)
    return flat


def _tables(
    store: Store,
    what: str,
    image_set: str | None,
    metrics: Sequence[str],
    anchor: str | None,
    at: str | None,
) -> list[Table]:
    if what == "leaderboard":
        tables = [
            table
            for selection in selections(store, image_set)
            for table in complete_boards(store, selection, metrics=metrics, anchor=anchor, at=at)
        ]
        if at:
            refuse_unreached(store, tables, image_set, at)
    elif what == "rates":
        tables = [
            table
            for selection in selections(store, image_set)
            for table in labelled([rate_table(selection)], "rates", selection.image_set)
        ]
    else:
        tables = [
            table
            for selection in selections(store, image_set)
            if (seeds := seed_table(selection, choose_metrics(selection.all_metrics, metrics)))
            for table in labelled([seeds], "seeds", selection.image_set)
        ]
    if not tables:
        raise AnalysisError(f"the store holds nothing for the table {what}")
    return tables


def _write_compressai(store: Store, out: Path, image_set: str | None, note: Callable[[str], None]) -> str:
    files: list[tuple[str, str, dict[str, Any]]] = []
    notes: list[str] = []
    for selection in selections(store, image_set):
        written = results(selection)
        files += [(selection.image_set, name, content) for name, content in written.files.items()]
        notes += written.notes
    if not files and notes:
        raise AnalysisError(f"no codec has a curve to write. {' '.join(notes)}")
    if not files:
        raise AnalysisError("the store holds no results yet; run a suite first: codecarena run quick")
    for set_name, name, content in files:
        path = out / set_name / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2))
    for sentence in notes:
        note(sentence)
    return digits.counted(len(files), "file")


def cell_rows(store: Store, image_set: str | None = None) -> list[dict[str, Any]]:
    """Return one record a cell, scores as columns.

    Raises:
        AnalysisError: The store is empty or has no such set.
    """
    columns = _columns(store.metrics())
    rows = [_row(cell, columns) for name in choose_sets(store, image_set) for cell in store.cells(name)]
    if not rows:
        raise AnalysisError("the store holds no results yet; run a suite first: codecarena run quick")
    return rows


def _columns(metrics: list[MetricRow]) -> dict[str, str]:
    """Return a column name for each metric id; those of identities that share a name differ."""
    shared = Counter(metric.name for metric in metrics)
    return {
        metric.metric_id: metric.name
        if shared[metric.name] == 1
        else f"{metric.name} ({metric.implementation} {metric.version})"
        for metric in metrics
    }


def _row(cell: ScoredCell, columns: dict[str, str]) -> dict[str, Any]:
    parts = (None, None, None) if cell.imported else (cell.header_bytes, cell.payload_bytes, cell.side_bytes)
    row: dict[str, Any] = {
        "image_set": cell.image_set,
        "picture": cell.picture,
        "kind": cell.kind,
        "generator": cell.picture_generator,
        "affinity": affinity(cell.picture_generator, cell.codec_generator),
        "codec": cell.codec,
        "codec_id": cell.codec_id,
        "family": cell.family,
        "toy": cell.toy,
        "imported": cell.imported,
        "probe": cell.probe,
        "quality": cell.quality,
        "seed": cell.seed,
        "pixels": cell.pixel_count,
        "bits_per_pixel": cell.bits_per_pixel,
        "rate_kind": cell.rate_kind,
        "bitstream_bytes": cell.bitstream_bytes,
        **dict(zip(("header_bytes", "payload_bytes", "side_bytes"), parts, strict=True)),
        "encode_seconds": median(cell.encode_seconds) if cell.encode_seconds else None,
        "decode_seconds": median(cell.decode_seconds) if cell.decode_seconds else None,
        "contended": cell.contended,
        "lossless": cell.decoded_sha256 == cell.picture_sha256,
        "verified": cell.verdict.outcome if cell.verdict else None,
        "isolation": cell.verdict.isolation if cell.verdict else None,
        "encoder_repeats": cell.verdict.encoder_repeats if cell.verdict else None,
        "picture_sha256": cell.picture_sha256,
        "bitstream_sha256": cell.bitstream_sha256 or None,
        "decoded_sha256": cell.decoded_sha256,
    }
    scores = {column: cell.scores.get(metric_id) for metric_id, column in columns.items()}
    return row | {column: score.value if score else None for column, score in scores.items()}
