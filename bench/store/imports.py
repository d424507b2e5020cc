"""Keep what other tools measured: pictures of codecs that do not run here, and published means of sets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ...codecs.base import Family
from ..records.cells import CellKey
from ..records.rows import RateKind
from .store import Store
from .tables.schema import CodecTable, MeasurementTable, PublishedTable
from .writer import StoreWriter, now


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """One decoded picture of a codec that does not run here, already in the store's blobs."""

    key: CellKey
    bitstream_bytes: int
    rate_kind: RateKind
    decoded_sha256: str
    encode_seconds: tuple[float, ...]
    decode_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """One setting of a codec as somebody published it: means over a set."""

    image_set: str
    codec: str
    bits_per_pixel: float
    scores: dict[str, float]
    quality: float | None
    encode_seconds: float | None
    decode_seconds: float | None
    provenance: str
    rate_kind: RateKind = "bytes"


def imported_codec_id(label: str) -> str:
    """Return the id of an imported codec: 16 hex digits that no measured codec has."""
    return hashlib.sha256(f"imported {label}".encode()).hexdigest()[:16]


def add_imported_codec(store: StoreWriter, label: str, family: Family, provenance: str) -> str:
    """Record a codec that has no encoder and decoder here, and return its id; a newer provenance replaces.

    Args:
        store: Where the codec is recorded.
        label: Its label; the id is made of it.
        family: The kind of codec, for tables that group by it.
        provenance: Where its numbers come from, in words.
    """
    codec_id = imported_codec_id(label)
    row: dict[str, Any] = {
        "id": codec_id,
        "name": label,
        "label": label,
        "version": "imported",
        "family": family,
        "parameters": {},
        "stochastic": False,
        "toy": False,
        "tolerance_levels": 0,
        "weights_sha256": None,
        "weights_bytes": 0,
        "trained_on": None,
        "imported": True,
        "provenance": provenance,
    }
    store.insert_or_ignore(CodecTable, [row])
    change = update(CodecTable).where(CodecTable.id == codec_id).values(provenance=provenance, family=family)
    store.write(lambda connection: connection.execute(change))
    return codec_id


def add_imported(store: StoreWriter, rows: Iterable[ImportedRow], run_id: int) -> int:
    """Write imported measurements and return how many are new; what they replace becomes history.

    Args:
        store: Where the rows go.
        rows: Measurements of imported codecs; equal ones that are there are skipped.
        run_id: The run that the import is.
    """
    table = MeasurementTable
    listed = list(rows)

    def work(connection: Connection) -> int:
        added = 0
        for row in listed:
            current = (
                (table.picture_sha256 == row.key.picture_sha256)
                & (table.codec_id == row.key.codec_id)
                & (table.quality == row.key.quality)
                & (table.seed == row.key.seed)
                & table.superseded_at.is_(None)
            )
            values: dict[str, object] = {
                "bitstream_bytes": row.bitstream_bytes,
                "rate_kind": row.rate_kind,
                "decoded_sha256": row.decoded_sha256,
            }
            values |= {"encode_seconds": list(row.encode_seconds), "decode_seconds": list(row.decode_seconds)}
            columns = [table.__table__.columns[name] for name in values]
            stored = connection.execute(select(*columns).where(current)).mappings().first()
            if stored is not None and dict(stored) == values:
                continue
            connection.execute(update(table).where(current).values(superseded_at=now()))
            connection.execute(insert(table).values(**_measurement(row, run_id), **values))
            added += 1
        return added

    return store.write(work)


def _measurement(row: ImportedRow, run_id: int) -> dict[str, Any]:
    # No bitstream, hence no hash of one and no parts; times by others are never fit for a speed table.
    nothing = dict.fromkeys(("header_bytes", "payload_bytes", "side_bytes"), 0)
    return (
        asdict(row.key)
        | nothing
        | {
            "run_id": run_id,
            "bitstream_sha256": "",
            "load_seconds": 0.0,
            "contended": True,
            "created_at": now(),
        }
    )


def provenances(store: Store) -> dict[str, str]:
    """Return where the rows of each imported codec come from, by codec id."""
    query = select(CodecTable.id, CodecTable.provenance).where(CodecTable.imported)
    with store.reading() as connection:
        return {row[0]: row[1] or "" for row in connection.execute(query)}


def save_published(store: StoreWriter, points: Iterable[Published]) -> None:
    """Write published points; those of the same codec and set that were there before are replaced."""
    listed = list(points)
    table = PublishedTable

    def work(connection: Connection) -> None:
        for image_set, codec in {(point.image_set, point.codec) for point in listed}:
            connection.execute(delete(table).where(table.image_set == image_set, table.codec == codec))
        connection.execute(insert(table), [asdict(point) | {"created_at": now()} for point in listed])

    if listed:
        store.write(work)


def read_published(store: Store) -> list[Published]:
    """Return every published point, by set, codec and rate."""
    table = PublishedTable
    columns = [table.__table__.columns[name] for name in Published.__slots__]
    query = select(*columns).order_by(table.image_set, table.codec, table.bits_per_pixel)
    with store.reading() as connection:
        return [Published(*row) for row in connection.execute(query)]
