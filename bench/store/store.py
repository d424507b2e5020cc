"""Read the store: tables in, frozen records out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from sqlalchemy import (
    Executable,
    Select,
    and_,
    exists,
    func,
    literal_column,
    or_,
    select,
)

from ... import liveness
from ..records.cells import NO_SEED
from ..records.rows import Failure, Finding, Match, MatchRow, MetricRow, RunRow, Score, ScoredCell, Verdict
from .blobs import Blobs
from .database import Access, Reading, locate
from .database_errors import patiently
from .opening import caution, open_engine
from .picture_filter import pictures_where
from .tables.schema import (
    AttemptTable,
    CodecTable,
    MatchTable,
    MeasurementTable,
    MemberTable,
    MetricTable,
    PictureTable,
    RunTable,
    ScoreTable,
    VerificationTable,
)
from .tables.study_tables import StudyTable
from .tables.timing_tables import TIMING, TimingTable

SILENT_SECONDS = 120
"""After so long without a word, a run that cannot be looked at is taken for killed."""
RESTART_SECONDS = 300.0
"""How long a database server that answered before is waited for: after a crash it recovers first."""
CHUNK = 500
"""How many values one IN list holds; SQLite allows at least 999."""
Result = TypeVar("Result")


class Store:
    """A store that is only read, by as many processes as like to."""

    def __init__(
        self,
        store: str = "arena",
        *,
        access: Access = "read",
        where: str | None = None,
        restart_seconds: float = RESTART_SECONDS,
    ) -> None:
        """Open a store.

        Args:
            store: Its folder or database URL.
            access: What it is opened for.
            where: A condition on descriptors, see `where.pictures_where`: other pictures are not seen.
            restart_seconds: How long a database server that went away is waited for.
        """
        self.where = where
        self.restart_seconds = restart_seconds
        self.location = locate(store)
        self.engine = open_engine(self.location, access)
        self.blobs = Blobs(self.location.blobs)

    @property
    def caution(self) -> str:
        """What to tell who reads it, where it is of an older version; else empty."""
        return caution(self.engine)

    def close(self) -> None:
        """Give back the connections."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Generator[Reading]:
        """Give a connection to read from.

        Raises:
            StoreError: A server stayed away.
        """
        with self.patiently(self.engine.connect) as connection:
            yield Reading(connection, self.patiently)

    def patiently(self, work: Callable[[], Result]) -> Result:
        """Return what the work returns, done again while the database is held or its server is away."""
        return patiently(work, self.location.shown, self.location.file, self.restart_seconds)

    def image_sets(self) -> list[str]:
        """Return the names of the sets that have pictures here."""
        return self._column(select(MemberTable.image_set).distinct().order_by(MemberTable.image_set))

    def metrics(self) -> list[MetricRow]:
        """Return every metric identity, by name."""
        table = MetricTable
        columns = (table.__table__.columns[name] for name in ("id", *list(MetricRow.__slots__)[1:]))
        return [MetricRow(*row) for row in self._rows(select(*columns).order_by(table.name, table.id))]

    def version(self) -> int:
        """Return a number that grows whenever a result, a score or a failure is added."""
        # Counting a million scores takes a while; SQLite's own row number only grows and is at hand.
        on_sqlite = self.engine.dialect.name == "sqlite"
        scores = func.coalesce(func.max(literal_column("rowid")), 0) if on_sqlite else func.count()
        with self.reading() as connection:
            counts = (
                select(func.coalesce(func.max(MeasurementTable.id), 0)),
                select(func.coalesce(func.max(AttemptTable.id), 0)),
                select(scores).select_from(ScoreTable),
            )
            return sum(connection.execute(count).scalar_one() for count in counts)

    def has_studies(self) -> bool:
        """Whether any study was planned here, found without loading what analyses one."""
        return bool(self._column(select(StudyTable.name).limit(1)))

    def runs(self) -> list[RunRow]:
        """Return every run, newest first."""
        table = RunTable
        columns = (table.__table__.columns[name] for name in ("id", *list(RunRow.__slots__)[1:-1]))
        query = select(*columns, table.call, table.seen_at).order_by(table.id.desc())
        runs = [(RunRow(*row[:-2], call=tuple(row.call or ())), row.seen_at) for row in self._rows(query)]
        return [
            replace(run, status="killed")
            if run.status == "running" and not self.is_alive(run.run_id, seen_at)
            else run
            for run, seen_at in runs
        ]

    def is_alive(self, run_id: int, seen_at: str | None) -> bool:
        """Whether a run that has not ended still runs, here or elsewhere.

        Args:
            run_id: Of the run.
            seen_at: When it was last known to run; None where it never said.
        """
        lock = self.blobs.run_lock_path(run_id)
        with suppress(OSError):
            if liveness.is_of_this_kernel(lock):
                return liveness.is_held(lock)
        if seen_at is None:
            return False
        silent = datetime.now(UTC) - datetime.fromisoformat(seen_at)
        return silent.total_seconds() < SILENT_SECONDS

    def cells(self, image_set: str | None = None, picture_sha256: str | None = None) -> list[ScoredCell]:
        """Return every current measurement with its scores, one record for each set its picture is in.

        Args:
            image_set: Return cells of this set only.
            picture_sha256: Return cells of this picture only, by the hash of its pixels.
        """
        measured, member, codec = MeasurementTable, MemberTable, CodecTable
        # Columns, not mapped objects: three times as fast on a large store. Their names are ScoredCell's.
        query = (
            select(
                member.image_set,
                member.name.label("picture"),
                measured.picture_sha256,
                member.kind,
                (PictureTable.height * PictureTable.width).label("pixel_count"),
                measured.codec_id,
                codec.label.label("codec"),
                codec.family,
                codec.toy,
                measured.quality,
                measured.seed,
                measured.bitstream_bytes,
                measured.bitstream_sha256,
                measured.decoded_sha256,
                measured.encode_seconds,
                measured.decode_seconds,
                measured.contended,
                measured.probe,
                member.generator.label("picture_generator"),
                codec.generator.label("codec_generator"),
                measured.header_bytes,
                measured.payload_bytes,
                measured.side_bytes,
                codec.imported,
                codec.provenance,
                measured.rate_kind,
                measured.id.label("measurement_id"),
            )
            .join(member, member.picture_sha256 == measured.picture_sha256)
            .join(codec, codec.id == measured.codec_id)
            .join(PictureTable, PictureTable.sha256 == measured.picture_sha256)
            .where(measured.superseded_at.is_(None))
            .order_by(member.image_set, member.name, codec.label, measured.quality)
        )
        if image_set is not None:
            query = query.where(member.image_set == image_set)
        if self.where:
            query = query.where(pictures_where(self.where, measured.picture_sha256))
        if picture_sha256 is not None:
            query = query.where(measured.picture_sha256 == picture_sha256)
        scores, verdicts = self._scores(picture_sha256), self.verdicts()
        return [_cell(dict(row), scores, verdicts) for row in self._mappings(query)]

    def matches(self, image_set: str) -> list[MatchRow]:
        """Return where searches for a rate or score ended, on a set and on each of its pictures."""
        matches = self._matches(image_set)
        if not self.where:
            return matches
        chosen = select(PictureTable.sha256).where(pictures_where(self.where, PictureTable.sha256))
        # A setting that a whole set shares was not searched for these pictures.
        kept = set(self._column(chosen))
        return [match for match in matches if match.match.picture_sha256 in kept]

    def _matches(self, image_set: str) -> list[MatchRow]:
        """Return the matches of a set and of its pictures, by codec label, target and picture."""
        table, member = MatchTable, MemberTable
        query = (
            select(
                *(table.__table__.columns[name] for name in Match.__slots__), member.name, CodecTable.label
            )
            .join(CodecTable, CodecTable.id == table.codec_id)
            .outerjoin(
                member, and_(member.picture_sha256 == table.picture_sha256, member.image_set == image_set)
            )
            .where(
                or_(
                    and_(table.scope == "picture", member.name.is_not(None)),
                    and_(table.scope == "set", table.image_set == image_set),
                )
            )
            .order_by(CodecTable.label, table.target_kind, table.target, member.name)
        )
        with self.reading() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        return [MatchRow(Match(*row[:-2]), *row[-2:]) for row in rows]

    def picture_paths(self) -> dict[str, str]:
        """Return where each original lay when it was last measured, by the hash of its pixels."""
        query = select(MemberTable.picture_sha256, MemberTable.path)
        with self.reading() as connection:
            return {row.picture_sha256: row.path for row in connection.execute(query)}

    def codec_parameters(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Return each codec's registered name and all its parameters, by codec id."""
        query = select(CodecTable.id, CodecTable.name, CodecTable.parameters)
        with self.reading() as connection:
            return {codec_id: (name, parameters) for codec_id, name, parameters in connection.execute(query)}

    def _scores(self, original_sha256: str | None) -> dict[tuple[str, str], dict[str, Score]]:
        scores: dict[tuple[str, str], dict[str, Score]] = defaultdict(dict)
        table = ScoreTable
        query = select(
            table.original_sha256,
            table.decoded_sha256,
            table.metric_id,
            table.value,
            table.lossless,
            MetricTable.perfect,
        ).join(MetricTable, MetricTable.id == table.metric_id)
        if original_sha256 is not None:
            query = query.where(table.original_sha256 == original_sha256)
        with self.reading() as connection:
            for original, decoded, metric_id, value, lossless, perfect in connection.execute(query):
                # A bounded metric has no value only where there was nothing to measure.
                applicable = value is not None or perfect is None
                scores[original, decoded][metric_id] = Score(value, lossless, applicable)
        return scores

    def verdicts(self) -> dict[int, Verdict]:
        """Return the newest verdict on each verified measurement, by its id."""
        table = VerificationTable
        newest = select(func.max(table.id)).group_by(table.measurement_id)
        query = select(table.measurement_id, table.outcome, table.isolation, table.encoder_repeats)
        with self.reading() as connection:
            rows = connection.execute(query.where(table.id.in_(newest)))
            return {row[0]: Verdict(cast("Finding", row[1]), row[2], row[3]) for row in rows}

    def failures(self, image_set: str | None = None) -> list[Failure]:
        """Return every attempt that ended without a result, oldest first."""
        same_cell = and_(
            MeasurementTable.picture_sha256 == AttemptTable.picture_sha256,
            MeasurementTable.codec_id == AttemptTable.codec_id,
            MeasurementTable.quality == AttemptTable.quality,
            MeasurementTable.seed == AttemptTable.seed,
            MeasurementTable.superseded_at.is_(None),
        )
        same_score = and_(
            ScoreTable.original_sha256 == MeasurementTable.picture_sha256,
            ScoreTable.decoded_sha256 == MeasurementTable.decoded_sha256,
            ScoreTable.metric_id == MetricTable.id,
            MetricTable.name == AttemptTable.metric,
        )
        same_timing = and_(
            TimingTable.picture_sha256 == AttemptTable.picture_sha256,
            TimingTable.codec_id == AttemptTable.codec_id,
            TimingTable.quality == AttemptTable.quality,
            TimingTable.created_at >= AttemptTable.created_at,
            AttemptTable.metric == TIMING,
        )
        measured = exists().where(same_cell)
        scored = or_(exists().where(and_(same_cell, same_score)), exists().where(same_timing))
        attempt = AttemptTable
        query = (
            select(
                MemberTable.image_set,
                MemberTable.name.label("picture"),
                attempt.picture_sha256,
                attempt.codec_id,
                CodecTable.label.label("codec"),
                attempt.quality,
                attempt.seed,
                attempt.metric,
                attempt.outcome,
                attempt.stage,
                attempt.exit_code,
                attempt.message,
                attempt.stderr_tail,
                attempt.created_at,
                measured.label("measured"),
                scored.label("scored"),
            )
            .join(MemberTable, MemberTable.picture_sha256 == attempt.picture_sha256)
            .join(CodecTable, CodecTable.id == attempt.codec_id)
            .order_by(attempt.id)
        )
        if image_set is not None:
            query = query.where(MemberTable.image_set == image_set)
        if self.where:
            query = query.where(pictures_where(self.where, attempt.picture_sha256))
        return [_failure(dict(row)) for row in self._mappings(query)]

    # Any: the columns differ from query to query; the records' own types say what they are.
    def _mappings(self, query: Executable) -> Iterator[Mapping[str, Any]]:
        with self.reading() as connection:
            for row in connection.execute(query).mappings():
                yield cast("Mapping[str, Any]", row)

    def _rows(self, query: Executable) -> Sequence[Any]:
        with self.reading() as connection:
            return connection.execute(query).all()

    def _column(self, query: Select[str]) -> list[str]:
        with self.reading() as connection:
            return list(connection.scalars(query))


def _cell(
    row: dict[str, Any],
    scores: Mapping[tuple[str, str], Mapping[str, Score]],
    verdicts: Mapping[int, Verdict],
) -> ScoredCell:
    row["verdict"] = verdicts.get(row.pop("measurement_id"))
    row["seed"] = _seed(row["seed"])
    row["encode_seconds"] = tuple(row["encode_seconds"])
    row["decode_seconds"] = tuple(row["decode_seconds"])
    return ScoredCell(**row, scores=scores.get((row["picture_sha256"], row["decoded_sha256"]), {}))


def _failure(row: dict[str, Any]) -> Failure:
    row["seed"] = _seed(row["seed"])
    measured, scored = row.pop("measured"), row.pop("scored")
    return Failure(**row, settled=bool(scored if row["metric"] else measured))


def _seed(stored: int) -> int | None:
    return None if stored == NO_SEED else stored


def chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """Yield the values in lists short enough for one query."""
    everything = list(values)
    for start in range(0, len(everything), CHUNK):
        yield everything[start : start + CHUNK]
