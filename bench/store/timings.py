"""Write what the timing pass found, and read it as frozen records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import Connection, delete, insert, select, update

from ..records.cells import NO_SEED
from .store import Store, chunks
from .tables.schema import CodecTable, MachineTable, MemberTable, PictureTable
from .tables.timing_tables import TIMING, FootprintTable, TimingTable
from .writer import StoreWriter, add_attempts, now

if TYPE_CHECKING:
    from ..records.messages import Failed


@dataclass(frozen=True, slots=True)
class TimingKey:
    """What makes a timing the same timing in every run."""

    picture_sha256: str
    codec_id: str
    quality: float
    machine_id: str
    threads: int


@dataclass(frozen=True, slots=True)
class Side:
    """What the encodes, or the decodes, of one cell cost. None is what machine or codec does not have."""

    seconds: tuple[float, ...]
    """Wall time of each repeat."""
    cpu_seconds: tuple[float, ...]
    """All threads and child processes."""
    device_span_seconds: tuple[float, ...] | None = None
    """Between CUDA events at both ends of each repeat, idle gaps included."""
    energy_joules: tuple[float, ...] | None = None
    """Of the whole GPU."""
    gpu_busy_seconds: float | None = None
    """Time in which a kernel ran, of one profiled call: the only GPU seconds."""
    peak_mib: float | None = None
    """Resident memory of the process and its children."""
    peak_gpu_mib: float | None = None
    macs: int | None = None
    """Multiply-accumulates."""

    @property
    def median_seconds(self) -> float:
        """Median wall time."""
        return median(self.seconds)

    @property
    def median_cpu_seconds(self) -> float:
        """Median CPU time."""
        return median(self.cpu_seconds)


@dataclass(frozen=True, slots=True)
class Timing:
    """What the timing pass found of one cell."""

    bitstream_bytes: int
    encode: Side
    decode: Side
    other_shares: tuple[float, ...]
    """Share of the cores that other processes used during each repeat."""
    empty_mib: float
    """Resident memory of the worker before it loaded the codec."""
    load_seconds: float
    load_before: float
    load_after: float
    loaded: bool
    """Whether others used the machine during half of the repeats or more."""


@dataclass(frozen=True, slots=True)
class TimingRow:
    """One timed cell as it leaves the store, once for each set its picture is in."""

    image_set: str
    picture: str
    picture_sha256: str
    pixel_count: int
    codec_id: str
    codec: str
    """Label."""
    family: Literal["classic", "learned", "generative"]
    toy: bool
    quality: float
    machine_id: str
    threads: int
    run_id: int
    timing: Timing

    @property
    def bits_per_pixel(self) -> float:
        """Eight times the bitstream's bytes over the original's pixels."""
        return 8 * self.timing.bitstream_bytes / self.pixel_count


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a codec's decoder opens."""

    weights_bytes: int
    library_bytes: int
    runtime: str
    """Frameworks it ran on, not counted; empty for none."""
    files: Mapping[str, Mapping[str, int]]
    """``weights`` and ``libraries``: bytes by file name."""


SIDES = ("encode", "decode")


def save(
    writer: StoreWriter,
    run_id: int,
    machine_id: str,
    timings: Mapping[TimingKey, Timing],
    footprints: Mapping[str, Footprint],
) -> None:
    """Write timings, and footprints by codec id, in one transaction; earlier timings become history.

    Args:
        writer: Where they go.
        run_id: The timing pass.
        machine_id: Id of this machine's description.
        timings: Times and needs by cell.
        footprints: Bytes of weights and libraries by codec id.
    """

    def work(connection: Connection) -> None:
        for key, timing in timings.items():
            _supersede(connection, key)
            row = {**asdict(key), **_columns(timing), "run_id": run_id, "created_at": now()}
            connection.execute(insert(TimingTable), row)
        for codec_id, footprint in footprints.items():
            _replace_footprint(connection, codec_id, machine_id, run_id, footprint)

    writer.write(work)


def save_failure(writer: StoreWriter, run_id: int, key: TimingKey, failed: Failed) -> None:
    """Write an attempt to time a cell that ended without times.

    Args:
        writer: Where it goes.
        run_id: The timing pass.
        key: The cell that was timed.
        failed: Stage and message of the failure.
    """
    cell = {"picture_sha256": key.picture_sha256, "codec_id": key.codec_id, "quality": key.quality}
    failure = {**asdict(failed), "metric": TIMING}
    row = {**cell, **failure, "seed": NO_SEED, "run_id": run_id, "created_at": now()}
    writer.write(lambda connection: add_attempts(connection, [row]))


def _supersede(connection: Connection, key: TimingKey) -> None:
    table = TimingTable
    same = [getattr(table, name) == value for name, value in asdict(key).items()]
    change = update(table).where(*same, table.superseded_at.is_(None)).values(superseded_at=now())
    connection.execute(change)


def _replace_footprint(
    connection: Connection, codec_id: str, machine_id: str, run_id: int, footprint: Footprint
) -> None:
    table = FootprintTable
    connection.execute(delete(table).where(table.codec_id == codec_id, table.machine_id == machine_id))
    row = {"codec_id": codec_id, "machine_id": machine_id, "run_id": run_id, "created_at": now()}
    connection.execute(insert(table), {**asdict(footprint), **row})


def _columns(timing: Timing) -> dict[str, Any]:
    """Return a timing as the table's columns: ``encode.seconds`` becomes ``encode_seconds``."""
    row = asdict(timing)
    for side in SIDES:
        for name, value in row.pop(side).items():
            row[f"{side}_{name}"] = list(value) if isinstance(value, tuple) else value
    return {**row, "other_shares": list(timing.other_shares)}


def known(store: Store, codec_ids: Iterable[str], machine_id: str) -> dict[TimingKey, bool]:
    """Return every current timing of these codecs on a machine, and whether it was loaded.

    Args:
        store: Where timings are.
        codec_ids: Of these codecs.
        machine_id: Id of a machine's description; times of other machines do not count.
    """
    table = TimingTable
    columns = (table.picture_sha256, table.codec_id, table.quality, table.machine_id, table.threads)
    loaded: dict[TimingKey, bool] = {}
    with store.reading() as connection:
        for chunk in chunks(codec_ids):
            query = select(*columns, table.loaded).where(
                table.codec_id.in_(chunk), table.machine_id == machine_id, table.superseded_at.is_(None)
            )
            loaded.update((TimingKey(*row[:5]), row[5]) for row in connection.execute(query))
    return loaded


def timings(store: Store, image_set: str | None = None) -> list[TimingRow]:
    """Return every current timing, one record for each set its picture is in."""
    table = TimingTable
    query = (
        select(
            MemberTable.image_set,
            MemberTable.name.label("picture"),
            (PictureTable.height * PictureTable.width).label("pixel_count"),
            CodecTable.label.label("codec"),
            CodecTable.family,
            CodecTable.toy,
            *(column for column in table.__table__.columns),
        )
        .join(MemberTable, MemberTable.picture_sha256 == table.picture_sha256)
        .join(CodecTable, CodecTable.id == table.codec_id)
        .join(PictureTable, PictureTable.sha256 == table.picture_sha256)
        .where(table.superseded_at.is_(None))
        .order_by(MemberTable.image_set, CodecTable.label, table.quality, MemberTable.name)
    )
    if image_set is not None:
        query = query.where(MemberTable.image_set == image_set)
    with store.reading() as connection:
        return [_row(dict(row)) for row in connection.execute(query).mappings()]


def _row(row: dict[str, Any]) -> TimingRow:
    sides = {
        side: Side(**{name: _frozen(row[f"{side}_{name}"]) for name in Side.__slots__}) for side in SIDES
    }
    rest = [name for name in Timing.__slots__ if name not in SIDES]
    timing = Timing(**sides, **{name: _frozen(row[name]) for name in rest})
    outer = [name for name in TimingRow.__slots__ if name != "timing"]
    return TimingRow(**{name: row[name] for name in outer}, timing=timing)


# Any: a column's value, whatever its type.
def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def footprints(store: Store) -> dict[tuple[str, str], Footprint]:
    """Return every footprint by codec id and machine id."""
    table = FootprintTable
    names = Footprint.__slots__
    query = select(table.codec_id, table.machine_id, *(getattr(table, name) for name in names))
    with store.reading() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return {(row.pop("codec_id"), row.pop("machine_id")): Footprint(**row) for row in rows}


def machines(store: Store) -> dict[str, dict[str, Any]]:
    """Return what each machine that measured something was, by id."""
    query = select(MachineTable.id, MachineTable.description)
    with store.reading() as connection:
        return {row[0]: row[1] for row in connection.execute(query)}
