"""Write to the store: short transactions that wait for each other and lose nothing."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Insert, delete, insert, select, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from ...codecs.base import CodecInfo
from ...codecs.registry import Value
from ...datasets.manifest import LocalPicture
from ...liveness import Heartbeat
from ..records.cells import Saved
from ..records.identities import metric_id
from ..records.messages import Described, Identified, Outcome
from .database import StoreError, begin_writing
from .database_errors import explained
from .plan_store import PlanStore, refuse_other_set, retire_outdated
from .store import RESTART_SECONDS
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
BEAT_SECONDS = 20
"""How often a run says that it is alive."""
_WRITING = ("title", "unit", "decimals", "curve_scale", "default_order")
"""Facts of a metric that are no part of its identity."""
_ATTEMPT_KEY = ("picture_sha256", "codec_id", "quality", "seed", "run_id", "metric", "created_at")
"""What no two attempts share."""


def now() -> str:
    """Return the time as the store writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class StoreWriter(PlanStore):
    """A store that is written to."""

    def __init__(
        self, store: str = "arena", *, make: bool = True, restart_seconds: float = RESTART_SECONDS
    ) -> None:
        """Open a store.

        Args:
            store: Its folder or database URL.
            make: Whether it is made where it is not there yet; else that is an error.
            restart_seconds: How long a database server that went away is waited for.

        Raises:
            StoreError: It does not open.
        """
        super().__init__(store, "make" if make else "write", restart_seconds)
        self._heartbeats: dict[int, Heartbeat] = {}

    def write(self, work: Callable[[Connection], Result], *, repeatable: bool = True) -> Result:
        """Return what the work returns, done in one transaction.

        It is begun again while others hold the lock, and where the database's server went away.

        Args:
            work: What to do.
            repeatable: Whether it may be done once more where the server went away in the very moment of
                storing it, so that nobody knows whether it is stored.

        Raises:
            StoreError: It could not be written, or nobody knows.
        """

        def begin() -> Result:
            with self.engine.connect() as connection, connection.begin() as transaction:
                begin_writing(connection)
                result = work(connection)
                try:
                    transaction.commit()
                except OperationalError as error:
                    if repeatable or not error.connection_invalidated:
                        raise
                    raise StoreError(
                        f"{self.location.shown} went away while something was stored: look whether it is "
                        "there before giving the same command again"
                    ) from error
                return result

        try:
            return self.patiently(begin)
        except OperationalError as error:
            raise StoreError(f"cannot write to {self.location.shown}: {explained(error)}") from error

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

        A picture's measurements by codecs that read its caption become history when it has another one: its
        bitstreams are not what those codecs would write now.

        Args:
            image_set: The set's name.
            members: Its pictures and the hashes of their pixels.
            whole: Whether these are all: then those it lost leave it; their measurements stay.

        Raises:
            StoreError: The store knows another set of this name.
        """
        listed = list(members)
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
            for picture, sha256 in listed
        ]
        names = [row["name"] for row in rows]
        of_this_set = MemberTable.image_set == image_set

        def replace(connection: Connection) -> None:
            refuse_other_set(connection, image_set, listed, whole=whole)
            retire_outdated(connection, listed, now())
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
        with self.reading() as connection:
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
        """Record that a run begins and return its id; those that ended without a word are marked as killed.

        Until `end_run`, or until the store is closed, the run tells three times a minute that it is alive.

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

        row: dict[str, Any] = {
            "suite": suite,
            "suite_text": suite_text,
            "call": None if call is None else list(call),
            "machine_id": machine_id,
            "workers": workers,
            "planned_cells": cells,
            "status": "running",
            "started_at": now(),
            "seen_at": now(),
        }
        same = [
            RunTable.__table__.columns[name] == row[name] for name in ("machine_id", "suite", "started_at")
        ]

        def begin(connection: Connection) -> int:
            # Where the server went away just as this was stored, it is there.
            if stored := connection.scalar(select(RunTable.id).where(*same)):
                return stored
            running = select(RunTable.id, RunTable.seen_at).where(RunTable.status == "running")
            for other_id, seen_at in connection.execute(running).all():
                if not self.is_alive(other_id, seen_at):
                    change = update(RunTable).where(RunTable.id == other_id)
                    connection.execute(change.values(status="killed"))
            return connection.execute(insert(RunTable).values(row).returning(RunTable.id)).scalar_one()

        run_id = self.write(begin)
        lock = self.blobs.run_lock_path(run_id)
        self._heartbeats[run_id] = Heartbeat(lock, partial(self._say_alive, run_id), BEAT_SECONDS)
        return run_id

    def _say_alive(self, run_id: int) -> None:
        change = update(RunTable).where(RunTable.id == run_id).values(seen_at=now())
        # What ails the store is told where its results are written.
        with contextlib.suppress(StoreError, SQLAlchemyError):
            self.write(lambda connection: connection.execute(change))

    def end_run(self, run_id: int, status: str) -> None:
        """Record how a run ended."""
        change = update(RunTable).where(RunTable.id == run_id).values(status=status, finished_at=now())
        self.write(lambda connection: connection.execute(change))
        if heartbeat := self._heartbeats.pop(run_id, None):
            heartbeat.stop()

    def close(self) -> None:
        """Give back the connections; runs that have not ended count as killed."""
        for heartbeat in self._heartbeats.values():
            heartbeat.stop()
        self._heartbeats.clear()
        super().close()

    # Cells

    def save(self, outcomes: Iterable[tuple[Saved, Outcome]]) -> None:
        """Write the outcomes of some cells in one transaction."""
        listed = list(outcomes)
        measured = [(saved, _measurement_row(saved, answer)) for saved, answer in listed if answer.measured]
        measurements = [row for _, row in measured]
        replacing = [row for saved, row in measured if saved.replace]
        scores = [row for saved, answer in listed for row in _score_rows(saved, answer)]
        attempts = [row for saved, answer in listed for row in _attempt_rows(saved, answer)]

        def work(connection: Connection) -> None:
            for row in replacing:
                self._supersede(connection, row)
            for table, rows in ((MeasurementTable, measurements), (ScoreTable, scores)):
                if rows:
                    connection.execute(self._ignoring(table), rows)
            add_attempts(connection, attempts)

        if listed:
            self.write(work)

    def _supersede(self, connection: Connection, row: Mapping[str, Any]) -> None:
        columns = MeasurementTable.__table__.columns
        cell = (columns[name] == row[name] for name in ("picture_sha256", "codec_id", "quality", "seed"))
        # Where the server went away just as this was stored, the current row is the new one.
        older = columns["superseded_at"].is_(None), columns["created_at"] != row["created_at"]
        connection.execute(update(MeasurementTable).where(*cell, *older).values(superseded_at=now()))


def add_attempts(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert attempts, but for those that are there: a server may have gone away just as they were stored."""
    columns = AttemptTable.__table__.columns
    for row in rows:
        same = (columns[name].is_not_distinct_from(row[name]) for name in _ATTEMPT_KEY)
        if connection.execute(select(AttemptTable.id).where(*same)).first() is None:
            connection.execute(insert(AttemptTable), row)


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
