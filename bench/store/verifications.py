"""Keep what became of stored bitstreams that were decoded again, and say which there are to decode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, insert, select

from ..records.cells import CellKey
from ..records.rows import Finding
from .store import Store, chunks
from .tables.schema import (
    CodecTable,
    FileTable,
    MachineTable,
    MeasurementTable,
    MemberTable,
    RunTable,
    VerificationTable,
)
from .writer import StoreWriter, id_of_machine, now


@dataclass(frozen=True, slots=True)
class StoredStream:
    """One current measurement with a bitstream."""

    measurement_id: int
    key: CellKey
    bitstream_sha256: str
    decoded_sha256: str
    began_at: str
    """When the run that measured it began; ISO 8601, UTC."""
    ended_at: str | None
    """When it ended; None where it was killed."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of one stored bitstream."""

    measurement_id: int
    outcome: Finding
    largest_difference: int | None
    """In 8-bit levels; None where the pixels of the measurement could not be had."""
    isolation: str
    encoder_repeats: bool | None = None
    """Whether the encoder wrote the same bytes again; None where it was not asked to."""
    message: str = ""


def stored_streams(store: Store, codec_ids: Iterable[str], pictures: Iterable[str]) -> list[StoredStream]:
    """Return the current measurements of these codecs on these pictures, searches' probes included.

    Args:
        store: Where the measurements are.
        codec_ids: Of these codecs.
        pictures: Hashes of the originals' pixels; measurements of others are left out.
    """
    table = MeasurementTable
    wanted = set(pictures)
    columns = (table.picture_sha256, table.codec_id, table.quality, table.seed)
    streams: list[StoredStream] = []
    with store.reading() as connection:
        for chunk in chunks(codec_ids):
            query = (
                select(
                    table.id, *columns, table.bitstream_sha256, table.decoded_sha256,
                    RunTable.started_at, RunTable.finished_at,
                )
                .join(RunTable, RunTable.id == table.run_id)
                .where(table.codec_id.in_(chunk), table.superseded_at.is_(None))
                .order_by(table.id)
            )  # fmt: skip
            streams += [
                StoredStream(row[0], CellKey(*row[1:5]), *row[5:])
                for row in connection.execute(query)
                if row[1] in wanted
            ]
    return streams


def every_picture_path(store: Store) -> list[str]:
    """Return every path at which an original lay when it was read."""
    query = select(MemberTable.path).union(select(FileTable.path))
    with store.reading() as connection:
        return list(connection.scalars(query))


def other_versions(store: Store, codec_ids: Iterable[str], pictures: Iterable[str]) -> dict[str, int]:
    """Return how many bitstreams of these pictures other versions of these codecs wrote, by their label.

    Args:
        store: Where the measurements are.
        codec_ids: The versions that are here; others of the same names are counted.
        pictures: Hashes of the originals' pixels; bitstreams of others do not count.
    """
    table, codec = MeasurementTable, CodecTable
    current, wanted = set(codec_ids), set(pictures)
    with store.reading() as connection:
        names = set(connection.scalars(select(codec.name).where(codec.id.in_(current))))
        query = (
            select(codec.label, codec.version, table.picture_sha256)
            .join(codec, codec.id == table.codec_id)
            .where(codec.name.in_(names), codec.id.not_in(current), table.superseded_at.is_(None))
            .where(codec.imported.is_(False))
        )
        counts: dict[str, int] = {}
        for label, version, picture in connection.execute(query):
            if picture in wanted:
                counts[f"{label} {version}"] = counts.get(f"{label} {version}", 0) + 1
    return counts


# Any: a machine's description holds whatever describes it.
def save_verified(store: StoreWriter, verified: Iterable[Verified], machine: Mapping[str, Any]) -> None:
    """Add rows; earlier ones of the same measurement stay as history.

    Args:
        store: Where the rows go.
        verified: One row for each bitstream.
        machine: Description of this machine, as `device.describe` returns it.
    """
    shared = {"machine_id": id_of_machine(machine), "created_at": now()}
    store.insert_or_ignore(MachineTable, [{"id": shared["machine_id"], "description": dict(machine)}])
    rows = [asdict(verification) | shared for verification in verified]
    if rows:
        store.write(lambda connection: connection.execute(insert(VerificationTable), rows))


def latest_verified(store: Store) -> dict[int, Verified]:
    """Return the newest verification of each measurement, by its id."""
    table = VerificationTable
    newest = select(func.max(table.id)).group_by(table.measurement_id)
    query = select(*(table.__table__.columns[name] for name in Verified.__slots__)).where(
        table.id.in_(newest)
    )
    with store.reading() as connection:
        return {row[0]: Verified(*row) for row in connection.execute(query)}
