"""Write cells as records to a real store, so that what is read back can be held against them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from codecarena.bench.records.cells import NO_SEED
from codecarena.bench.records.rows import Failure, Match, MetricRow, ScoredCell, Verdict
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables.schema import (
    AttemptTable,
    CodecTable,
    MachineTable,
    MatchTable,
    MeasurementTable,
    MemberTable,
    MetricTable,
    PictureTable,
    RunTable,
    ScoreTable,
    VerificationTable,
)
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.tables.selection import Kind, Selection, StoredColumns

NOW = "2026-01-01T00:00:00+00:00"


def store_of(
    folder: Path | str,
    cells: Sequence[ScoredCell],
    metrics: Sequence[MetricRow],
    failures: Iterable[Failure] = (),
    matches: Iterable[Match] = (),
) -> Store:
    """Return a new store that holds these cells, with their verdicts, and nothing else."""
    cells, failures = list(cells), list(failures)
    # A picture in two sets is measured once.
    measured = list(
        {(cell.picture_sha256, cell.codec_id, cell.quality, cell.seed): cell for cell in cells}.values()
    )
    run = {"id": 1, "suite": "made", "suite_text": "", "machine_id": "desk", "workers": 1,
           "planned_cells": len(cells), "status": "finished", "started_at": NOW,
           "finished_at": NOW}  # fmt: skip
    rows: dict[Any, list[dict[str, Any]]] = {
        MachineTable: [{"id": "desk", "description": {"cpu": "made up", "cores": 1}}],
        RunTable: [run],
        PictureTable: _by_key(
            "sha256",
            ({"sha256": cell.picture_sha256, "height": 1, "width": cell.pixel_count} for cell in cells),
            ({"sha256": failure.picture_sha256, "height": 1, "width": 1} for failure in failures),
        ),
        MemberTable: _by_key("image_set name", map(_member, cells), map(_failed_member, failures)),
        CodecTable: _by_key("id", map(_codec, cells), map(_failed_codec, failures)),
        MetricTable: [
            {**_without(asdict(metric), "metric_id"), "id": metric.metric_id} for metric in metrics
        ],
        MeasurementTable: [{**_measurement(cell), "id": place} for place, cell in enumerate(measured, 1)],
        VerificationTable: [
            _verification(place, cell.verdict) for place, cell in enumerate(measured, 1) if cell.verdict
        ],
        ScoreTable: _by_key(
            "original_sha256 decoded_sha256 metric_id", (score for cell in cells for score in _scores(cell))
        ),
        AttemptTable: [_attempt(failure) for failure in failures],
        MatchTable: [{**asdict(match), "run_id": 1, "created_at": NOW} for match in matches],
    }
    writer = StoreWriter(str(folder))
    with writer.engine.begin() as connection:
        for table, records in rows.items():
            if records:
                connection.execute(insert(table), records)
    writer.close()
    return Store(str(folder))


def _by_key(names: str, *records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first record of each key; what cells say of a row counts before what failures say."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    cells, *rest = records
    for cell in cells:
        key = tuple(cell[name] for name in names.split())
        assert rows.setdefault(key, cell) == cell, f"{key} is told in two ways"
    for cell in (failure for some in rest for failure in some):
        rows.setdefault(tuple(cell[name] for name in names.split()), cell)
    return list(rows.values())


def _without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


def _member(cell: ScoredCell) -> dict[str, Any]:
    return {
        "image_set": cell.image_set, "name": cell.picture, "picture_sha256": cell.picture_sha256,
        "kind": cell.kind,
        "path": "", "caption": None, "text": None, "generator": cell.picture_generator, "licence": None,
        "source": None,
    }  # fmt: skip


def _codec(cell: ScoredCell) -> dict[str, Any]:
    return {
        "id": cell.codec_id, "name": cell.codec, "label": cell.codec, "version": "1", "family": cell.family,
        "parameters": {}, "stochastic": False, "toy": cell.toy, "tolerance_levels": 0,
        "weights_sha256": None, "weights_bytes": 0, "trained_on": None, "imported": cell.imported,
        "provenance": cell.provenance, "generator": cell.codec_generator,
    }  # fmt: skip


def _failed_member(failure: Failure) -> dict[str, Any]:
    return {
        "image_set": failure.image_set, "name": failure.picture, "picture_sha256": failure.picture_sha256,
        "kind": "natural", "path": "", "caption": None, "text": None, "generator": None, "licence": None,
        "source": None,
    }  # fmt: skip


def _failed_codec(failure: Failure) -> dict[str, Any]:
    return {
        "id": failure.codec_id, "name": failure.codec, "label": failure.codec, "version": "1",
        "family": "classic",
        "parameters": {}, "stochastic": False, "toy": False, "tolerance_levels": 0, "weights_sha256": None,
        "weights_bytes": 0, "trained_on": None, "imported": False, "provenance": None, "generator": None,
    }  # fmt: skip


def _verification(measurement_id: int, verdict: Verdict) -> dict[str, Any]:
    return {
        "measurement_id": measurement_id, "outcome": verdict.outcome, "isolation": verdict.isolation,
        "encoder_repeats": verdict.encoder_repeats, "message": "", "machine_id": "desk", "created_at": NOW,
    }  # fmt: skip


def _measurement(cell: ScoredCell) -> dict[str, Any]:
    kept = ("picture_sha256", "codec_id", "quality", "bitstream_sha256", "bitstream_bytes", "header_bytes",
            "payload_bytes", "side_bytes", "decoded_sha256", "contended", "probe")  # fmt: skip
    return {
        **{name: getattr(cell, name) for name in kept},
        "seed": NO_SEED if cell.seed is None else cell.seed,
        "run_id": 1,
        "encode_seconds": list(cell.encode_seconds),
        "decode_seconds": list(cell.decode_seconds),
        "load_seconds": 0.1,
        "created_at": NOW,
        "superseded_at": None,
    }


def _scores(cell: ScoredCell) -> Iterable[dict[str, Any]]:
    return (
        {
            "original_sha256": cell.picture_sha256, "decoded_sha256": cell.decoded_sha256,
            "metric_id": metric_id, "value": score.value, "lossless": score.lossless, "seconds": 0.01,
        }
        for metric_id, score in cell.scores.items()
    )  # fmt: skip


def _attempt(failure: Failure) -> dict[str, Any]:
    kept = _without(asdict(failure), "image_set", "picture", "codec", "settled")
    return {**kept, "seed": NO_SEED if failure.seed is None else failure.seed, "run_id": 1}


def part_of(store: Store, image_set: str = "photos", kind: Kind | None = None) -> Selection:
    """Return one image set of a store, or only its pictures of one kind."""
    return Selection(StoredColumns(store, image_set), kind)
