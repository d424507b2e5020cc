"""Store where searches ended, and read the settings that earlier searches probed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from ..records.cells import CellKey
from ..records.rows import Match, Score
from .store import Store, chunks
from .tables.schema import MatchTable, MeasurementTable, MetricTable, ScoreTable
from .writer import StoreWriter, now


@dataclass(frozen=True, slots=True)
class Tried:
    """What one stored setting of a picture cost and how it scored."""

    bitstream_sha256: str
    decoded_sha256: str
    bitstream_bytes: int
    score: Score | None
    """By the metric asked about; None where it has none yet."""


def tried(store: Store, codec_ids: Iterable[str], metric_id: str | None) -> dict[CellKey, Tried]:
    """Return every current measurement of these codecs with its score by one metric.

    Args:
        store: Where the measurements are.
        codec_ids: Of these codecs.
        metric_id: Whose scores to read; None for none.
    """
    measured = MeasurementTable
    its_score = and_(
        ScoreTable.original_sha256 == measured.picture_sha256,
        ScoreTable.decoded_sha256 == measured.decoded_sha256,
        ScoreTable.metric_id == (metric_id or ""),
    )
    columns = (measured.picture_sha256, measured.codec_id, measured.quality, measured.seed)
    query = select(
        *columns,
        measured.bitstream_sha256,
        measured.decoded_sha256,
        measured.bitstream_bytes,
        ScoreTable.metric_id,
        ScoreTable.value,
        ScoreTable.lossless,
        MetricTable.perfect,
    )
    its_metric = MetricTable.id == ScoreTable.metric_id
    query = query.outerjoin(ScoreTable, its_score).outerjoin(MetricTable, its_metric)
    tried_cells: dict[CellKey, Tried] = {}
    with store.reading() as connection:
        for chunk in chunks(codec_ids):
            chosen = query.where(measured.codec_id.in_(chunk), measured.superseded_at.is_(None))
            for row in connection.execute(chosen):
                # A bounded metric has no value only where there was nothing to measure.
                applicable = row.value is not None or row.perfect is None
                score = Score(row.value, row.lossless, applicable) if row.metric_id else None
                tried_cells[CellKey(*row[:4])] = Tried(row[4], row[5], row[6], score)
    return tried_cells


def save_matches(store: StoreWriter, matches: Iterable[Match], run_id: int) -> None:
    """Write where searches ended; a newer one of the same question replaces the older, encodes add up.

    Args:
        store: Where they go.
        matches: Where searches ended; none writes nothing.
        run_id: The run that searched.
    """
    listed = list(matches)

    def work(connection: Connection) -> None:
        for match in listed:
            same = _same_question(match)
            before = connection.scalar(select(func.sum(MatchTable.encodes)).where(*same)) or 0
            row = asdict(match) | {"encodes": match.encodes + before}
            connection.execute(delete(MatchTable).where(*same))
            connection.execute(insert(MatchTable).values(**row, run_id=run_id, created_at=now()))

    if listed:
        store.write(work)


def _same_question(match: Match) -> list[ColumnElement[bool]]:
    # A picture's match is the same in whichever set it was found.
    names = ["scope", "picture_sha256", "codec_id", "target_kind", "metric_id", "target"]
    names += ["image_set"] if match.scope == "set" else []
    # SQLAlchemy writes IS NULL where a value is None.
    return [MatchTable.__table__.columns[name] == getattr(match, name) for name in names]


def matched_settings(
    store: Store, codec_ids: Iterable[str]
) -> tuple[dict[tuple[str, str], set[float]], dict[tuple[str, str], set[float]]]:
    """Return the settings where searches ended: by codec and picture, and by codec and name of a set."""
    table = MatchTable
    query = select(table.codec_id, table.scope, table.picture_sha256, table.image_set, table.quality)
    of_pictures: dict[tuple[str, str], set[float]] = {}
    of_sets: dict[tuple[str, str], set[float]] = {}
    with store.reading() as connection:
        for chunk in chunks(codec_ids):
            for row in connection.execute(query.where(table.codec_id.in_(chunk))):
                alone = row.scope == "picture"
                settings, where = (of_pictures, row.picture_sha256) if alone else (of_sets, row.image_set)
                settings.setdefault((row.codec_id, where), set()).add(row.quality)
    return of_pictures, of_sets


def adopt(store: StoreWriter, keys: Iterable[CellKey]) -> None:
    """Make points of a ladder of those probes that a suite asks for as well."""
    wanted = set(keys)
    table = MeasurementTable
    query = select(table.picture_sha256, table.codec_id, table.quality, table.seed, table.id)
    with store.reading() as connection:
        rows = connection.execute(query.where(table.probe, table.superseded_at.is_(None))).all()
    ids = [row.id for row in rows if CellKey(*row[:4]) in wanted]
    if ids:
        change = update(table).where(table.id.in_(ids)).values(probe=False)
        store.write(lambda connection: connection.execute(change))
