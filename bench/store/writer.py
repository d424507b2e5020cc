"""Write to the store: short transactions that wait for each other and lose nothing."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

import psutil
from sqlalchemy import Connection, Insert, delete, func, insert, select, update
from sqlalchemy.exc import OperationalError

from ...codecs.base import CodecInfo
from ...codecs.registry import Value
from ...datasets.manifest import LocalPicture
from ..records.cells import CellKey, Saved
from ..records.identities import metric_id
from ..records.messages import Described, Identified, Outcome, Stored
from .database import StoreError, begin_writing, is_locked
from .store import Store, chunks
from .tables.schema import (
    AttemptTable,
    Base,
    CodecTable,
    FileTable,
    MachineTable,
    MeasurementTable,
    MemberTable,
    MetricTable,
    PictureTable,
    RunTable,
    ScoreTable,
)

Result = TypeVar("Result")
_WRITING = ("title", "unit", "decimals", "curve_scale", "default_order")
"""Facts of a metric that are no part of its identity."""
TRIES = 5
"""How often a transaction is begun again when another writer held the lock past the busy timeout."""


def now() -> str:
    """Return the time as the store writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class StoreWriter(Store):
    """A store that is written to; made, and migrated, where it is not there yet."""

    def __init__(self, store: str = "arena") -> None:
        super().__init__(store, read_only=False)

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Return what the work returns, done in one transaction; begun again while others hold the lock."""
        for attempt in range(TRIES):
            try:
                with self.engine.begin() as connection:
                    begin_writing(connection)
                    return work(connection)
            except OperationalError as error:
                if attempt == TRIES - 1 or not is_locked(error):
                    raise StoreError(f"cannot write to {self.location.shown}: {error.orig}") from error
                time.sleep(0.1 * 2**attempt)
        raise AssertionError("the loop returns or raises")

    def insert_or_ignore(self, table: type[Base], rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert the rows whose key is not there yet."""
        listed = list(rows)
        if listed:
            self.write(lambda connection: connection.execute(self._ignoring(table), listed))

    def _ignoring(self, table: type[Base]) -> Insert:
        if self.engine.dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import insert as postgresql_insert

            return postgresql_insert(table).on_conflict_do_nothing()
        return insert(table).prefix_with("OR IGNORE")

    # Pictures

    def known_files(self, paths: Iterable[str]) -> dict[str, tuple[int, int, str]]:
        """Return bytes, modification time and picture hash of those files that were read before."""
        known: dict[str, tuple[int, int, str]] = {}
        with self.engine.connect() as connection:
            for chunk in chunks(paths):
                query = select(FileTable.__table__).where(FileTable.path.in_(chunk))
                for row in connection.execute(query):
                    known[row.path] = (row.file_bytes, row.modified_ns, row.picture_sha256)
        return known

    def picture_sizes(self) -> dict[str, int]:
        """Return the pixel count of every picture, by hash."""
        query = select(PictureTable.sha256, PictureTable.height * PictureTable.width)
        with self.engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def add_files(self, identified: Iterable[tuple[Identified, int, int]]) -> None:
        """Remember which pixels each file holds, with the file's bytes and modification time."""
        listed = list(identified)
        self.insert_or_ignore(
            PictureTable,
            [
                {"sha256": picture.sha256, "height": picture.height, "width": picture.width}
                for picture, _, _ in listed
            ],
        )

        def replace(connection: Connection) -> None:
            for picture, file_bytes, modified_ns in listed:
                connection.execute(delete(FileTable).where(FileTable.path == picture.path))
                connection.execute(
                    insert(FileTable),
                    {
                        "path": picture.path,
                        "file_bytes": file_bytes,
                        "modified_ns": modified_ns,
                        "picture_sha256": picture.sha256,
                    },
                )

        self.write(replace)

    def add_members(
        self, image_set: str, members: Iterable[tuple[LocalPicture, str]], *, whole: bool = True
    ) -> None:
        """Record which pictures a set has.

        Args:
            image_set: The set's name.
            members: Its pictures and the hashes of their pixels.
            whole: Whether these are all: then those it lost leave it; their measurements stay.

        Raises:
            StoreError: The store knows a set of this name that shares no picture with this one.
        """
        rows = [
            {
                "image_set": image_set,
                "name": picture.name,
                "picture_sha256": sha256,
                "kind": picture.kind,
                "path": str(picture.path),
                "caption": picture.caption,
                "text": picture.text,
                "generator": picture.generator,
                "licence": picture.licence,
                "source": picture.source,
            }
            for picture, sha256 in members
        ]
        names = [row["name"] for row in rows]
        of_this_set = MemberTable.image_set == image_set

        def replace(connection: Connection) -> None:
            before = connection.execute(
                select(MemberTable.picture_sha256, MemberTable.path).where(of_this_set)
            ).all()
            if before and not {row[0] for row in before} & {row["picture_sha256"] for row in rows}:
                raise StoreError(
                    f"this store knows another set {image_set!r}, with {before[0][1]} in it; give this one "
                    "a name of its own in a manifest.toml, or use another --store"
                )
            gone = delete(MemberTable).where(of_this_set)
            connection.execute(gone if whole else gone.where(MemberTable.name.in_(names)))
            connection.execute(insert(MemberTable), rows)

        self.write(replace)

    # Codecs, metrics, runs

    def add_codec(self, codec_id: str, info: CodecInfo, label: str, parameters: Mapping[str, Value]) -> None:
        """Record the codec of an id.

        Args:
            codec_id: Hash of the codec's identity and parameters.
            info: What the codec declares: version, family, weights.
            label: Its name in tables.
            parameters: All its parameters, defaults included.
        """
        row = {key: value for key, value in asdict(info).items() if key in CodecTable.__table__.columns}
        row |= {"id": codec_id, "label": label, "parameters": dict(parameters)}
        self.insert_or_ignore(CodecTable, [row])
        if info.generator:
            # Rows of stores that are older than the column.
            unsaid = CodecTable.id == codec_id, CodecTable.generator.is_(None)
            change = update(CodecTable).where(*unsaid).values(generator=info.generator)
            self.write(lambda connection: connection.execute(change))

    def add_metric(self, described: Described) -> str:
        """Record a metric identity and return its id; how its values are written may change later."""
        assert described.identity is not None
        facts = described.facts
        identity = metric_id(described.identity, facts)
        meaning = {name: _finite(getattr(facts, name)) for name in ("lowest", "highest", "perfect")}
        writing = {name: getattr(facts, name) for name in _WRITING}
        row = {**asdict(described.identity), "id": identity, "better": facts.better, **meaning, **writing}
        self.insert_or_ignore(MetricTable, [row])
        self._change_writing(identity, writing)
        return identity

    def _change_writing(self, identity: str, writing: Mapping[str, object]) -> None:
        """Record how a metric's values are written, where the store says otherwise."""
        table = MetricTable
        columns = [table.__table__.columns[name] for name in writing]
        with self.engine.connect() as connection:
            stored = connection.execute(select(*columns).where(table.id == identity)).mappings().one()
        if dict(stored) != dict(writing):
            change = update(table).where(table.id == identity).values(**writing)
            self.write(lambda connection: connection.execute(change))

    def begin_run(
        self,
        suite: str,
        suite_text: str,
        machine: Mapping[str, Any],
        workers: int,
        cells: int,
        call: Sequence[str] | None = None,
    ) -> int:
        """Record that a run begins and return its id; runs whose process is gone are marked as killed.

        Args:
            suite: Name of the suite.
            suite_text: Text of its file.
            machine: Description of this machine, as `device.describe` returns it.
            workers: How many workers run.
            cells: How many cells are planned.
            call: The command and its options, but for the suite, the store and the workers.
        """
        machine_id = id_of_machine(machine)
        self.insert_or_ignore(MachineTable, [{"id": machine_id, "description": dict(machine)}])

        def begin(connection: Connection) -> int:
            running = select(RunTable.id, RunTable.process_id).where(
                RunTable.status == "running", RunTable.machine_id == machine_id
            )
            for run_id, process_id in connection.execute(running).all():
                if not psutil.pid_exists(process_id):
                    connection.execute(update(RunTable).where(RunTable.id == run_id).values(status="killed"))
            row = {
                "suite": suite,
                "suite_text": suite_text,
                "call": None if call is None else list(call),
                "machine_id": machine_id,
                "workers": workers,
                "process_id": os.getpid(),
                "planned_cells": cells,
                "status": "running",
                "started_at": now(),
            }
            return connection.execute(insert(RunTable).values(row).returning(RunTable.id)).scalar_one()

        return self.write(begin)

    def end_run(self, run_id: int, status: str) -> None:
        """Record how a run ended."""
        change = update(RunTable).where(RunTable.id == run_id).values(status=status, finished_at=now())
        self.write(lambda connection: connection.execute(change))

    # Cells

    def measured(self, codec_ids: Iterable[str]) -> dict[CellKey, Stored]:
        """Return the current measurement of every cell of these codecs."""
        table = MeasurementTable
        columns = (table.picture_sha256, table.codec_id, table.quality, table.seed)
        measurements: dict[CellKey, Stored] = {}
        with self.engine.connect() as connection:
            for chunk in chunks(codec_ids):
                query = select(*columns, table.bitstream_sha256, table.decoded_sha256).where(
                    table.codec_id.in_(chunk), table.superseded_at.is_(None)
                )
                measurements.update(
                    (CellKey(*row[:4]), Stored(*row[4:])) for row in connection.execute(query)
                )
        return measurements

    def scored(self, metric_ids: Iterable[str]) -> set[tuple[str, str, str]]:
        """Return (original hash, decoded hash, metric id) of every score of these metrics."""
        table = ScoreTable
        query = select(table.original_sha256, table.decoded_sha256, table.metric_id)
        with self.engine.connect() as connection:
            rows = connection.execute(query.where(table.metric_id.in_(list(metric_ids))))
            return {(row[0], row[1], row[2]) for row in rows}

    def attempted(self, codec_ids: Iterable[str]) -> set[tuple[CellKey, str | None]]:
        """Return each cell, and each metric of a cell, that has failed at least once."""
        table = AttemptTable
        columns = (table.picture_sha256, table.codec_id, table.quality, table.seed)
        failed: set[tuple[CellKey, str | None]] = set()
        with self.engine.connect() as connection:
            for chunk in chunks(codec_ids):
                query = select(*columns, table.metric).where(table.codec_id.in_(chunk)).distinct()
                failed.update((CellKey(*row[:4]), row[4]) for row in connection.execute(query))
        return failed

    def pace(self) -> dict[str, tuple[float, float]]:
        """Return seconds per pixel (encoding and decoding) and bytes per pixel of each codec, by id."""
        table = MeasurementTable
        query = select(
            table.codec_id,
            table.encode_seconds,
            table.decode_seconds,
            table.bitstream_bytes,
            PictureTable.height * PictureTable.width,
        ).join(PictureTable, PictureTable.sha256 == table.picture_sha256)
        totals: dict[str, list[float]] = {}
        with self.engine.connect() as connection:
            for codec_id, encode, decode, bitstream_bytes, pixels in connection.execute(query):
                row = totals.setdefault(codec_id, [0.0, 0.0, 0.0])
                for place, value in enumerate((sum(encode) + sum(decode), bitstream_bytes, pixels)):
                    row[place] += value
        return {key: (seconds / pixels, size / pixels) for key, (seconds, size, pixels) in totals.items()}

    def score_seconds(self) -> dict[str, float]:
        """Return the mean time of one score of each metric, by id."""
        query = select(ScoreTable.metric_id, func.avg(ScoreTable.seconds)).group_by(ScoreTable.metric_id)
        with self.engine.connect() as connection:
            return {row[0]: float(row[1]) for row in connection.execute(query)}

    def save(self, outcomes: Iterable[tuple[Saved, Outcome]]) -> None:
        """Write the outcomes of some cells in one transaction."""
        listed = list(outcomes)

        def work(connection: Connection) -> None:
            for saved, outcome in listed:
                if saved.replace and outcome.measured:
                    self._supersede(connection, saved.key)
            for table, rows in (
                (
                    MeasurementTable,
                    [_measurement_row(saved, answer) for saved, answer in listed if answer.measured],
                ),
                (ScoreTable, [row for saved, answer in listed for row in _score_rows(saved, answer)]),
                (AttemptTable, [row for saved, answer in listed for row in _attempt_rows(saved, answer)]),
            ):
                if rows:
                    connection.execute(self._ignoring(table), rows)

        if listed:
            self.write(work)

    def _supersede(self, connection: Connection, key: CellKey) -> None:
        table = MeasurementTable
        current = (
            update(table)
            .where(table.picture_sha256 == key.picture_sha256, table.codec_id == key.codec_id)
            .where(table.quality == key.quality, table.seed == key.seed, table.superseded_at.is_(None))
        )
        connection.execute(current.values(superseded_at=now()))


def id_of_machine(machine: Mapping[str, Any]) -> str:
    """Return 16 hex digits that stand for a machine's description."""
    return hashlib.sha256(json.dumps(machine, sort_keys=True).encode()).hexdigest()[:16]


def _measurement_row(saved: Saved, outcome: Outcome) -> dict[str, Any]:
    assert outcome.measured is not None
    row = asdict(outcome.measured)
    return {
        **asdict(saved.key),
        **row.pop("parts"),
        **row,
        "run_id": saved.run_id,
        "contended": saved.contended,
        "probe": saved.probe,
        "created_at": now(),
    }


def _score_rows(saved: Saved, outcome: Outcome) -> list[dict[str, Any]]:
    decoded_sha256 = outcome.measured.decoded_sha256 if outcome.measured else saved.decoded_sha256
    return [
        {
            "original_sha256": saved.key.picture_sha256,
            "decoded_sha256": decoded_sha256,
            "metric_id": saved.metric_ids[scored.metric],
            "value": scored.value,
            "lossless": scored.lossless,
            "seconds": scored.seconds,
        }
        for scored in outcome.scored
    ]


def _attempt_rows(saved: Saved, outcome: Outcome) -> list[dict[str, Any]]:
    # A worker that was killed because the run stops has not failed.
    failed = [] if outcome.stopped else outcome.failed
    shared = {**asdict(saved.key), "run_id": saved.run_id, "created_at": now()}
    return [{**asdict(failure), **shared} for failure in failed]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
