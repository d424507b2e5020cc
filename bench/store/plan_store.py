"""Read from a store what a plan must know: files read, and cells measured, scored and tried before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection, func, select, update

from ...codecs.registry import text_readers
from ...datasets.manifest import LocalPicture
from ..records.cells import CellKey
from ..records.messages import Stored
from .database import Access, Reading, StoreError
from .store import RESTART_SECONDS, Store, chunks
from .tables.schema import (
    AttemptTable,
    CodecTable,
    FileTable,
    MeasurementTable,
    MemberTable,
    PictureTable,
    ScoreTable,
)


class PlanStore(Store):
    """A store as a plan reads it; for a dry run there need not be one."""

    def __init__(
        self, store: str = "arena", access: Access = "plan", restart_seconds: float = RESTART_SECONDS
    ) -> None:
        super().__init__(store, access=access, restart_seconds=restart_seconds)

    def check_set(
        self, image_set: str, members: Sequence[tuple[LocalPicture, str]], *, whole: bool = True
    ) -> None:
        """Raise `StoreError` where the store knows another set of this name; see `refuse_other_set`."""
        with self.reading() as connection:
            refuse_other_set(connection, image_set, members, whole=whole)

    def told_anew(self, members: Sequence[tuple[LocalPicture, str]]) -> set[str]:
        """Return the hashes of those pictures that have another caption or text than in the store."""
        with self.reading() as connection:
            return told_anew(connection, members)

    def known_files(self, paths: Iterable[str]) -> dict[str, tuple[int, int, str]]:
        """Return bytes, modification time and picture hash of those files that were read before."""
        known: dict[str, tuple[int, int, str]] = {}
        with self.reading() as connection:
            for chunk in chunks(paths):
                query = select(FileTable.__table__).where(FileTable.path.in_(chunk))
                for row in connection.execute(query):
                    known[row.path] = (row.file_bytes, row.modified_ns, row.picture_sha256)
        return known

    def picture_sizes(self) -> dict[str, int]:
        """Return the pixel count of every picture, by hash."""
        query = select(PictureTable.sha256, PictureTable.height * PictureTable.width)
        with self.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def measured(self, codec_ids: Iterable[str]) -> dict[CellKey, Stored]:
        """Return the current measurement of every cell of these codecs."""
        table = MeasurementTable
        columns = (table.picture_sha256, table.codec_id, table.quality, table.seed)
        measurements: dict[CellKey, Stored] = {}
        with self.reading() as connection:
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
        with self.reading() as connection:
            rows = connection.execute(query.where(table.metric_id.in_(list(metric_ids))))
            return {(row[0], row[1], row[2]) for row in rows}

    def attempted(self, codec_ids: Iterable[str]) -> set[tuple[CellKey, str | None]]:
        """Return each cell, and each metric of a cell, that has failed at least once."""
        table = AttemptTable
        columns = (table.picture_sha256, table.codec_id, table.quality, table.seed)
        failed: set[tuple[CellKey, str | None]] = set()
        with self.reading() as connection:
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
        with self.reading() as connection:
            for codec_id, encode, decode, bitstream_bytes, pixels in connection.execute(query):
                row = totals.setdefault(codec_id, [0.0, 0.0, 0.0])
                for place, value in enumerate((sum(encode) + sum(decode), bitstream_bytes, pixels)):
                    row[place] += value
        return {key: (seconds / pixels, size / pixels) for key, (seconds, size, pixels) in totals.items()}

    def score_seconds(self) -> dict[str, float]:
        """Return the mean time of one score of each metric, by id."""
        query = select(ScoreTable.metric_id, func.avg(ScoreTable.seconds)).group_by(ScoreTable.metric_id)
        with self.reading() as connection:
            return {row[0]: float(row[1]) for row in connection.execute(query)}


def told_anew(connection: Connection | Reading, members: Sequence[tuple[LocalPicture, str]]) -> set[str]:
    """Return the hashes of those pictures that have another caption or text than in any set of the store.

    Pictures that the store does not know are not among them.

    Args:
        connection: To the store.
        members: Pictures and the hashes of their pixels.
    """
    known: dict[str, set[tuple[str, str]]] = {}
    for chunk in chunks({sha256 for _, sha256 in members}):
        query = select(MemberTable.picture_sha256, MemberTable.caption, MemberTable.text)
        for sha256, caption, text in connection.execute(query.where(MemberTable.picture_sha256.in_(chunk))):
            known.setdefault(sha256, set()).add((caption or "", text or ""))
    return {
        sha256
        for picture, sha256 in members
        if sha256 in known and (picture.caption or "", picture.text or "") not in known[sha256]
    }


def retire_outdated(connection: Connection, members: Sequence[tuple[LocalPicture, str]], at: str) -> None:
    """Make history of what codecs that read captions measured on pictures that have another one now.

    Args:
        connection: To the store, before the pictures' new captions are in it.
        members: Pictures and the hashes of their pixels.
        at: The time, as the store writes it.
    """
    table = MeasurementTable
    readers = select(CodecTable.id).where(CodecTable.name.in_(text_readers()))
    for chunk in chunks(told_anew(connection, members)):
        of_them = table.picture_sha256.in_(chunk), table.codec_id.in_(readers)
        current = table.superseded_at.is_(None)
        connection.execute(update(table).where(*of_them, current).values(superseded_at=at))


def refuse_other_set(
    connection: Connection | Reading,
    image_set: str,
    members: Sequence[tuple[LocalPicture, str]],
    *,
    whole: bool,
) -> None:
    """Raise `StoreError` where the store knows another set of this name, which this one would replace.

    It is another one if the two share no picture, or if it lies wholly in other folders that are still there
    and the two differ: a folder that was moved is the same set, and so is a copy, or a part of it.

    Args:
        connection: To the store.
        image_set: The set's name.
        members: Its pictures and the hashes of their pixels.
        whole: Whether these are all of them.
    """
    query = select(MemberTable.picture_sha256, MemberTable.path, MemberTable.name)
    before = connection.execute(query.where(MemberTable.image_set == image_set)).all()
    pictures = {sha256 for _, sha256 in members}
    lost = [row for row in before if row[0] not in pictures]
    differs = bool(lost) if whole else not pictures <= {row[0] for row in before}
    folders = {str(picture.path).removesuffix(picture.name) for picture, _ in members}
    moved = folders.isdisjoint(row[1].removesuffix(row[2]) for row in before)
    elsewhere = [row for row in lost if differs and moved and Path(row[1]).is_file()]
    if before and (len(lost) == len(before) or elsewhere):
        known = (elsewhere or before)[0][1]
        raise StoreError(
            f"this store knows another set {image_set!r}, with {known} in it; give this one a name of its "
            "own in a manifest.toml (`codecarena sets describe FOLDER --name NAME`), or use another --store"
        )
