"""Populated stores of released schemas, kept as SQL in ``tests/bench/data``, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from codecarena.bench.store import database, opening
from codecarena.bench.store.database import DATABASE_NAME, Location

DATA = Path(__file__).parent.parent / "bench" / "data"
VERSIONS = sorted(path.stem.removeprefix("store_") for path in DATA.glob("store_*.sql"))
"""Of all released schemas, the oldest first."""


def restore(version: str, folder: Path) -> Location:
    """Make the store of a released schema in a folder."""
    location = database.locate(str(folder))
    with sqlite3.connect(folder / DATABASE_NAME) as connection:
        connection.executescript((DATA / f"store_{version}.sql").read_text(encoding="utf-8"))
    connection.close()
    return location


def restore_on_server(version: str, url: str, folder: Path) -> Location:
    """Make the same store in an empty PostgreSQL database."""
    source = sa.create_engine(restore(version, folder).database_url)
    location = database.locate(url)
    server = sa.create_engine(location.database_url)
    config = Config()
    config.set_main_option("script_location", str(opening.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    tables = sa.MetaData()
    with source.connect() as read, server.begin() as write:
        config.attributes["connection"] = write
        command.upgrade(config, version)
        tables.reflect(write)
        for table in tables.sorted_tables:
            rows = [dict(row) for row in read.execute(_as_in(source, table)).mappings()]
            if table.name != "alembic_version" and rows:
                write.execute(sa.insert(table), rows)
    source.dispose()
    server.dispose()
    return location


def _as_in(source: sa.Engine, table: sa.Table) -> sa.Select[tuple[object, ...]]:
    return sa.select(sa.Table(table.name, sa.MetaData(), autoload_with=source))


def add_migration(
    folder: Path, body: str, monkeypatch: pytest.MonkeyPatch, *, revision: str = "test0002"
) -> None:
    """Let the store have one more version, that only this test knows, with these lines in its migration."""
    scripts = folder / "migrations"
    shutil.copytree(opening.MIGRATIONS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    (scripts / "versions" / f"{revision}.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\n\nrevision, down_revision = {revision!r}, "
        f"{opening.HEAD!r}\n\n\ndef upgrade():\n{lines}\n"
    )
    monkeypatch.setattr(opening, "MIGRATIONS", scripts)
    monkeypatch.setattr(opening, "HEAD", revision)
