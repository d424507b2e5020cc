"""Write the populated store of a released schema that later versions must be able to migrate.

Run once at a release, in the project's root, and commit the dump: it is never written again.

    PYTHONPATH=tests/support python tests/bench/data/make_released_store.py
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from studying import enter, invite, open_study, work_through
from synthetic_store import NOW, fill, sha

from codecarena.bench.store.database import DATABASE_NAME
from codecarena.bench.store.tables.schema import HEAD, Base
from codecarena.bench.store.writer import StoreWriter
from codecarena.studies.session.session import RaterService

WORDS = {
    "ended": "exact",
    "image_set": "synthetic",
    "isolation": "none",
    "outcome": "identical",
    "rate_kind": "estimated",
    "scope": "picture",
    "target_kind": "bpp",
}
"""What columns hold that know only certain words."""


def main() -> None:
    """Write a store with rows in all tables as the SQL that makes it again."""
    with TemporaryDirectory() as folder:
        fill(folder, pictures=3, codecs=2, settings=2, metrics=("psnr", "flip"), odd=True, seed=4)
        _vote(folder)
        _fill_empty_tables(folder)
        with sqlite3.connect(Path(folder) / DATABASE_NAME) as connection:
            lines = list(connection.iterdump())
    out = Path(__file__).with_name(f"store_{HEAD}.sql")
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _vote(folder: str) -> None:
    open_study(folder, conditions=2, pictures=2, size=16)
    service = RaterService(folder)
    for invitation, answer in zip(invite(folder, 2), ("first", "second"), strict=True):
        work_through(service, enter(service, invitation), answer)
    service.close()


def _fill_empty_tables(folder: str) -> None:
    """Add two made-up rows to each table that has none; each refers to rows of the others."""
    writer = StoreWriter(folder)
    with writer.engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            if not connection.scalar(sa.select(sa.func.count()).select_from(table)):
                rows = [dict(_values(connection, table, place)) for place in range(2)]
                connection.execute(sa.insert(table), rows)
    writer.close()


def _values(connection: sa.Connection, table: sa.Table, place: int) -> Iterator[tuple[str, object]]:
    for column in table.columns:
        if column.foreign_keys:
            parent = next(iter(column.foreign_keys)).column
            keys = connection.scalars(sa.select(parent).order_by(parent)).all()
            yield column.name, keys[place % len(keys)]
        elif column.name == "superseded_at":
            yield column.name, None
        elif column.name.endswith("_at"):
            yield column.name, NOW
        elif column.name.endswith("sha256") or column.name == "key":
            yield column.name, sha(table.name, column.name, place)
        else:
            yield column.name, _value(column, place)


def _value(column: sa.Column[object], place: int) -> object:
    if isinstance(column.type, sa.JSON):
        return {"psnr": 30.0 + place} if column.name in ("scores", "value") else [0.25, 0.5]
    if column.type.python_type is bool:
        return bool(place)
    if column.type.python_type in (int, float):
        return column.type.python_type(place + 1)
    return WORDS.get(column.name, f"{column.name} {place}")


if __name__ == "__main__":
    main()
