"""Keep studies in the store: plans, raters, trials and votes as rows in, frozen records out.

A committed vote survives the death of any process: SQLite's write-ahead log is in the system's hands then.
When the power goes, the last moments before may be lost, but never a part of a vote: a rater's position is
derived from the stored votes, so the trials in question are asked again.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, Executable, and_, bindparam, event, func, insert, or_, select, update

from ...bench.store.database import StoreError
from ...bench.store.store import RESTART_SECONDS, Store
from ...bench.store.tables.study_tables import (
    Base,
    ConditionTable,
    ContentTable,
    EnvironmentTable,
    PairTable,
    RaterTable,
    SessionTable,
    StimulusTable,
    StudyEventTable,
    StudyTable,
)
from ...bench.store.writer import StoreWriter, now
from ..records.records import (
    Condition,
    Content,
    Pair,
    RaterRow,
    Stimulus,
    StoredStudy,
    StudyMaterial,
    StudyRow,
)
from .erasure import erase_rater, remove_study

Result = TypeVar("Result")
Line: TypeAlias = Any
"""A row: the columns differ from query to query; the records' own types say what they are."""
_RATER = (
    RaterTable.id,
    RaterTable.study_id,
    StudyTable.state,
    RaterTable.name,
    RaterTable.stage,
    RaterTable.consent_version,
    RaterTable.accepts_presentation,
    RaterTable.breaks,
)
_RATERS = select(*_RATER).join(StudyTable, StudyTable.id == RaterTable.study_id)
# Statements of every request are made once: to put one together takes longer than to run it.
_BY_SESSION = _RATERS.join(SessionTable, SessionTable.rater_id == RaterTable.id).where(
    SessionTable.token_sha256 == bindparam("token_sha256")
)


def digest(secret: str) -> str:
    """Return the SHA-256 that a token is looked up by; the token itself is not stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Ledger:
    """Studies of one store. One writer at a time a process; readers are never in its way."""

    restart_seconds = RESTART_SECONDS
    """How long a database server that went away is waited for."""

    def __init__(self, store: str = "arena", *, read_only: bool = False, make: bool = True) -> None:
        """Open the studies of a store.

        Args:
            store: A folder or a database URL.
            read_only: Whether nothing is written.
            make: Whether a store is made where there is none; else that is a `StoreError`.
        """
        waits = self.restart_seconds
        self._writer = None if read_only else StoreWriter(store, make=make, restart_seconds=waits)
        if self._writer is not None and self._writer.engine.dialect.name == "sqlite":
            event.listen(self._writer.engine, "connect", _erase_for_certain)
            self._writer.engine.dispose()  # The connection of the version check is not set up so.
        self.store = Store(store, restart_seconds=waits)
        self._turn = threading.Lock()

    def close(self) -> None:
        """Give back the connections."""
        self.store.close()
        if self._writer is not None:
            self._writer.close()

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Return what the work returns, done in one transaction; threads wait their turn without polling."""
        if self._writer is None:
            raise StoreError("this ledger was opened to be read")
        with self._turn:
            # A session or a participant is there once; whoever asked asks again, and is then answered so.
            return self._writer.write(work, repeatable=False)

    # Any: values of a query's parameters.
    def rows(self, query: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Line]:
        """Return what a query finds, without waiting for a writer."""
        with self.store.reading() as connection:
            return connection.execute(query, values).all()

    def row(self, query: Executable, values: Mapping[str, Any] | None = None) -> Line:
        """Return the first that a query finds, or None."""
        with self.store.reading() as connection:
            return connection.execute(query, values).first()

    # Studies

    def studies(self) -> list[StudyRow]:
        """Return every study, oldest first."""
        return [StudyRow(*row) for row in self.rows(select(StudyTable.__table__).order_by(StudyTable.id))]

    def find(self, name: str) -> StudyRow | None:
        """Return the study of this name, if there is one."""
        row = self.row(select(StudyTable.__table__).where(StudyTable.name == name))
        return StudyRow(*row) if row else None

    def study(self, name: str) -> StudyRow:
        """Return the study of this name.

        Raises:
            StoreError: There is none.
        """
        if stored := self.find(name):
            return stored
        known = ", ".join(study.name for study in self.studies()) or "none yet: codecarena study init"
        raise StoreError(f"no study {name!r} in this store; there are: {known}")

    def keep(self, name: str, plan: str, sha256: str, state: str, material: StudyMaterial) -> int:
        """Store a study and return its row id; one of the name that is not open yet is replaced.

        Args:
            name: Of the study; letters, digits and hyphens.
            plan: The plan's text as it was read.
            sha256: Seal over plan and stimuli.
            state: ``planned``, or ``imported``.
            material: What is compared.

        Raises:
            StoreError: A study of this name has been opened, or was imported.
        """

        def work(connection: Connection) -> int:
            before = connection.execute(
                select(StudyTable.id, StudyTable.state).where(StudyTable.name == name)
            ).first()
            if before and before.state != "planned":
                raise StoreError(
                    f"study {name!r} is {before.state}, its plan is sealed; give the new plan another name"
                )
            if before:
                remove_study(connection, before.id)
            row = {"name": name, "plan": plan, "sha256": sha256, "state": state}
            values = {**row, "salt": secrets.token_hex(32), "created_at": now()}
            study_id = connection.execute(
                insert(StudyTable).values(values).returning(StudyTable.id)
            ).scalar_one()
            _insert_material(connection, study_id, material)
            _log(connection, study_id, state, {"sha256": sha256})
            return study_id

        return self.write(work)

    def known(self, study: StudyRow) -> StoredStudy:
        """Return all that a study compares, with row ids."""
        study_id = study.study_id
        tables = (ConditionTable, ContentTable, StimulusTable, PairTable)
        order = (ConditionTable.place, ContentTable.id, StimulusTable.id, PairTable.id)
        conditions, contents, stimuli, pairs = (
            self.rows(select(table.__table__).where(table.study_id == study_id).order_by(key))
            for table, key in zip(tables, order, strict=True)
        )
        content_place = {row.id: index for index, row in enumerate(contents)}
        condition_place = {row.id: index for index, row in enumerate(conditions)}
        stimulus_place = {row.id: index for index, row in enumerate(stimuli)}
        material = StudyMaterial(
            tuple(_record(Condition, row) for row in conditions),
            tuple(_record(Content, row) for row in contents),
            tuple(
                _record(
                    Stimulus,
                    row,
                    content=content_place[row.content_id],
                    condition=condition_place[row.condition_id],
                )
                for row in stimuli
            ),
            tuple(
                _record(Pair, row, first=stimulus_place[row.first_id], second=stimulus_place[row.second_id])
                for row in pairs
            ),
        )
        return StoredStudy(study, material, tuple(row.id for row in stimuli), tuple(row.id for row in pairs))

    def set_state(self, study: StudyRow, state: str) -> None:
        """Open or close a study."""
        stamp = {"open": {"opened_at": now(), "closed_at": None}, "closed": {"closed_at": now()}}[state]

        def work(connection: Connection) -> None:
            change = update(StudyTable).where(StudyTable.id == study.study_id)
            connection.execute(change.values(state=state, **stamp))
            _log(connection, study.study_id, state, {"sha256": study.sha256})

        self.write(work)

    def log(self, study: StudyRow, what: str, detail: Mapping[str, Any]) -> None:
        """Record what the organiser did.

        Args:
            study: The study, as stored.
            what: The action, one word of the log.
            detail: JSON of what belongs to it.
        """
        self.write(lambda connection: _log(connection, study.study_id, what, detail))

    def events(self, study: StudyRow) -> list[tuple[str, str, Mapping[str, Any]]]:
        """Return (time, event, detail) of what the organiser did, oldest first."""
        table = StudyEventTable
        query = select(table.created_at, table.event, table.detail).where(table.study_id == study.study_id)
        return [(row[0], row[1], row[2]) for row in self.rows(query.order_by(table.id))]

    # Raters

    def add_raters(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Store raters, as columns of their table; a participant whom the study knows is left as is."""
        listed = [{**NEW_RATER, "invited_at": now(), **row} for row in rows]

        def work(connection: Connection) -> None:
            for row in listed:
                of_study = RaterTable.study_id == row["study_id"]
                known = select(RaterTable.id).where(
                    of_study, RaterTable.participant_hash == row["participant_hash"]
                )
                if row["participant_hash"] is None or not connection.execute(known).first():
                    connection.execute(insert(RaterTable).values(row))

        self.write(work)

    def rater_by_session(self, token: str) -> RaterRow | None:
        """Return whose session this is."""
        row = self.row(_BY_SESSION, {"token_sha256": digest(token)})
        return RaterRow(*row) if row else None

    def rater_by_invitation(self, token: str) -> RaterRow | None:
        """Return whose invitation this is."""
        return self._rater(_RATERS.where(RaterTable.invitation_sha256 == digest(token)))

    def rater_by_participant(self, study_id: int, participant_hash: str) -> RaterRow | None:
        """Return the panel's participant."""
        participant = and_(RaterTable.study_id == study_id, RaterTable.participant_hash == participant_hash)
        return self._rater(_RATERS.where(participant))

    def _rater(self, query: Executable) -> RaterRow | None:
        row = self.row(query)
        return RaterRow(*row) if row else None

    def finished_raters(self, study_id: int) -> int:
        """Return how many raters have finished."""
        query = select(func.count()).where(RaterTable.study_id == study_id, RaterTable.stage == "done")
        row = self.row(query)
        return row[0] if row else 0

    def begin_session(self, rater: RaterRow, token: str) -> None:
        """Store a session; the rater has joined."""

        def work(connection: Connection) -> None:
            row = {"token_sha256": digest(token), "rater_id": rater.rater_id, "created_at": now()}
            connection.execute(insert(SessionTable).values(row))
            joined = update(RaterTable).where(RaterTable.id == rater.rater_id, RaterTable.joined_at.is_(None))
            connection.execute(joined.values(joined_at=now()))

        self.write(work)

    # Any: columns of a rater.
    def set_rater(self, rater: RaterRow, **values: Any) -> None:
        """Change columns of a rater."""
        change = update(RaterTable).where(RaterTable.id == rater.rater_id).values(**values)
        self.write(lambda connection: connection.execute(change))

    def add_environment(self, rater: RaterRow, record: Mapping[str, Any], stage: str) -> None:
        """Keep what was told of screen and surroundings and where the rater stands then.

        Args:
            rater: Whose screen it is.
            record: JSON of the page's form.
            stage: Where the rater stands then.
        """

        def work(connection: Connection) -> None:
            row = {"rater_id": rater.rater_id, "record": dict(record), "created_at": now()}
            connection.execute(insert(EnvironmentTable).values(row))
            connection.execute(update(RaterTable).where(RaterTable.id == rater.rater_id).values(stage=stage))

        self.write(work)

    def withdraw(self, token: str) -> int | None:
        """Erase the rater of a session, invitation or withdrawal code; return the votes, None for nobody."""
        by_session = select(SessionTable.rater_id).where(SessionTable.token_sha256 == digest(token))
        owner = or_(
            RaterTable.id.in_(by_session),
            RaterTable.invitation_sha256 == digest(token),
            RaterTable.withdrawal_sha256 == digest(token),
        )

        def work(connection: Connection) -> int | None:
            rater = connection.execute(select(RaterTable.id, RaterTable.study_id).where(owner)).first()
            return None if rater is None else erase_rater(connection, rater.id, rater.study_id)

        return self.write(work)


def _erase_for_certain(connection: sqlite3.Connection, _record: object) -> None:
    # What a withdrawal deletes is overwritten in the file, not only unlinked.
    connection.execute("PRAGMA secure_delete=ON")


NEW_RATER: Mapping[str, Any] = {
    "invitation_sha256": None,
    "participant_hash": None,
    "panel": {},
    "stage": "consent",
    "of_age": False,
    "accepts_presentation": False,
    "answers": {},
    "breaks": 0,
}


# Any: a record's class and its columns.
def _record(kind: type[Result], row: Line, **changed: Any) -> Result:
    names = kind.__dataclass_fields__  # pyright: ignore[reportAttributeAccessIssue] - all records are
    return kind(**{name: changed[name] if name in changed else getattr(row, name) for name in names})


def _log(connection: Connection, study_id: int, what: str, detail: Mapping[str, Any]) -> None:
    row = {"study_id": study_id, "event": what, "detail": dict(detail), "created_at": now()}
    connection.execute(insert(StudyEventTable).values(row))


def _insert(connection: Connection, table: type[Base], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the ids of the inserted rows, in order."""
    if not rows:
        return []
    column = table.__table__.c.id
    return list(connection.scalars(insert(table).returning(column, sort_by_parameter_order=True), rows))


def _insert_material(connection: Connection, study_id: int, material: StudyMaterial) -> None:
    of_study = {"study_id": study_id}
    conditions = [
        {**asdict(condition), **of_study, "place": place}
        for place, condition in enumerate(material.conditions)
    ]
    condition_ids = _insert(connection, ConditionTable, conditions)
    content_ids = _insert(
        connection, ContentTable, [{**asdict(content), **of_study} for content in material.contents]
    )
    stimuli = [
        {
            **asdict(stimulus),
            **of_study,
            "content_id": content_ids[stimulus.content],
            "condition_id": condition_ids[stimulus.condition],
        }
        for stimulus in material.stimuli
    ]
    for row in stimuli:
        del row["content"], row["condition"]
    stimulus_ids = _insert(connection, StimulusTable, stimuli)
    pairs = [
        {
            **of_study,
            "kind": pair.kind,
            "content_id": content_ids[material.stimuli[pair.first].content],
            "first_id": stimulus_ids[pair.first],
            "second_id": stimulus_ids[pair.second],
            "votes": 0,
            "balance": 0,
        }
        for pair in material.pairs
    ]
    _insert(connection, PairTable, pairs)
