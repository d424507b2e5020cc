"""Read where a store's results come from: pictures, codecs, metrics, runs and machines, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Executable, select

from .store import Store
from .tables.schema import CodecTable, MachineTable, MemberTable, PictureTable, RunTable


@dataclass(frozen=True, slots=True)
class PictureOrigin:
    """A picture of a set and who may use it how."""

    image_set: str
    name: str
    picture_sha256: str
    height: int
    width: int
    kind: str
    generator: str | None
    licence: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class CodecOrigin:
    """A codec in full: whose numbers these are."""

    codec_id: str
    label: str
    family: str
    version: str
    toy: bool
    imported: bool
    weights_sha256: str | None
    trained_on: str | None
    provenance: str | None
    """Of imported rows."""


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """One run: what was asked for, when, and on which machine."""

    run_id: int
    suite: str
    suite_text: str
    status: str
    workers: int
    planned_cells: int
    started_at: str
    """ISO 8601, UTC; so all times."""
    finished_at: str | None
    machine: Mapping[str, Any]  # Any: JSON of the machine's own description


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the results of a store come from."""

    pictures: tuple[PictureOrigin, ...]
    codecs: tuple[CodecOrigin, ...]
    runs: tuple[RunOrigin, ...]
    """Newest first."""


def read_provenance(store: Store) -> Provenance:
    """Return where all results of a store come from."""
    member, codec, run = MemberTable, CodecTable, RunTable
    pictures = (
        select(
            member.image_set, member.name, member.picture_sha256, PictureTable.height, PictureTable.width,
            member.kind, member.generator, member.licence, member.source,
        )
        .join(PictureTable, PictureTable.sha256 == member.picture_sha256)
        .order_by(member.image_set, member.name)
    )  # fmt: skip
    codecs = select(
        codec.id, codec.label, codec.family, codec.version, codec.toy, codec.imported,
        codec.weights_sha256, codec.trained_on, codec.provenance,
    ).order_by(codec.label, codec.version)  # fmt: skip
    runs = (
        select(
            run.id, run.suite, run.suite_text, run.status, run.workers, run.planned_cells,
            run.started_at, run.finished_at, MachineTable.description,
        )
        .join(MachineTable, MachineTable.id == run.machine_id)
        .order_by(run.id.desc())
    )  # fmt: skip
    return Provenance(
        tuple(PictureOrigin(*row) for row in _rows(store, pictures)),
        tuple(CodecOrigin(*row) for row in _rows(store, codecs)),
        tuple(RunOrigin(*row) for row in _rows(store, runs)),
    )


# Any: the columns differ from query to query; the records' own types say what they are.
def _rows(store: Store, query: Executable) -> list[Any]:
    with store.reading() as connection:
        return list(connection.execute(query))
