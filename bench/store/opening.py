"""Open the store's database, whichever version its tables are of, and upgrade it."""

from __future__ import annotations

import atexit
import logging
import os
import shlex
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import DatabaseError

from ...system_errors import reason
from .database import (
    DATABASE_NAME,
    Access,
    Location,
    create,
    empty_engine,
    locate,
    only_one,
    raw_engine,
    sqlite_engine,
    version_of,
)
from .database_errors import NoStoreError, StoreError, StoreVersionError, explained, patiently
from .tables.schema import HEAD, Base

MIGRATIONS = Path(__file__).parent / "migrations"
UNRELEASED = ("0001", "0002", "0003", "0004", "0005")
"""Versions of stores that were made before the first release; their migrations are gone."""
logger = logging.getLogger(__name__)


def open_engine(location: Location, access: Access) -> Engine:
    """Return an engine on an existing or new database; one of an older version is read from an upgraded copy.

    Raises:
        StoreError: The file is not a store, is of a newer version, or is not there and was not to be made.
        StoreVersionError: It is of an older version and was to be written, or is on a server.
    """
    if location.file and not location.file.exists():
        if access == "plan":
            return empty_engine()
        if access != "make":
            raise NoStoreError(f"no store in {location.file.parent}; run a suite first: codecarena run quick")
        try:
            location.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"cannot make the store's folder {location.file.parent}: {reason(error)}"
            ) from error
    read_only = access in ("read", "plan")
    engine = raw_engine(location, read_only)
    if read_only and location.file and not os.access(location.file.parent, os.W_OK) and not _opens(engine):
        engine = _without_files_beside(location.file)
    try:
        version = patiently(lambda: _checked_version(engine, location), location.shown, location.file)
        if version is None and access == "make":
            patiently(lambda: _make_tables(engine, location), location.shown, location.file)
        elif version != HEAD:
            if version is None and access == "plan":
                engine.dispose()
                return empty_engine()
            if version is None:
                raise NoStoreError(
                    f"{location.shown} holds no store yet; run a suite first: codecarena run quick"
                )
            if not read_only or location.file is None:
                raise _older(location, version)
            return _upgraded_copy(engine, location, version)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        engine.dispose()
        raise StoreError(f"{location.shown} does not open as a store: {explained(error)}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def _checked_version(engine: Engine, location: Location) -> str | None:
    """Return the version of a store's tables, None where there are none.

    Raises:
        StoreError: The database holds something else.
        StoreVersionError: This codecarena does not know the version, or its tables lack columns.
    """
    version = version_of(engine)
    if version is None:
        if location.file and (tables := inspect(engine).get_table_names()):
            raise StoreError(
                f"{location.shown} is another program's database: it has the table {tables[0]!r} and no "
                "version of a store; name another --store"
            )
        return None
    if version in UNRELEASED:
        raise StoreVersionError(
            f"{location.shown} was made by a codecarena from before the first release (its tables are of "
            f"version {version}), which this one does not read: export it with that codecarena, or name "
            "another --store"
        )
    if version != HEAD and version not in _known_versions():
        raise StoreVersionError(
            f"{location.shown} has tables of version {version}; this codecarena knows {HEAD}: update it"
        )
    if version == HEAD:
        with engine.connect() as connection:
            _check_columns(connection, location)
    return version


def _check_columns(connection: Connection, location: Location) -> None:
    """Raise `StoreVersionError` where a table of the newest version lacks columns.

    Until the first release its tables changed without a new version.
    """
    if location.file:
        query = (
            "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        )
    else:
        query = "SELECT table_name, column_name FROM information_schema.columns"
    there = {(row[0], row[1]) for row in connection.exec_driver_sql(query)}
    for table in Base.metadata.sorted_tables:
        lacking = [column.name for column in table.columns if (table.name, column.name) not in there]
        if lacking:
            raise StoreVersionError(
                f"{location.shown} was made by a codecarena from before the first release: its table "
                f"{table.name} lacks {', '.join(lacking)}; export it with that codecarena, or name another "
                "--store"
            )


def _older(location: Location, version: str) -> StoreVersionError:
    return StoreVersionError(
        f"{location.shown} has tables of version {version}, and this codecarena writes {HEAD}; "
        f"to upgrade it, with all its rows: {upgrade_command(location)}"
    )


def upgrade_command(location: Location) -> str:
    """Return what to type to upgrade a store; a server's password is not in it."""
    store = location.store_option if location.file else location.shown
    return shlex.join(["codecarena", "store", "upgrade", "--store", store])


def upgrade(store: str) -> str | None:
    """Bring a store's tables to the newest version, or leave all as it was; return the version before.

    Raises:
        StoreError: There is no store, or rows would refer to rows that are not there.
    """
    location = locate(store)
    if location.file and not location.file.exists():
        raise StoreError(f"no store in {location.file.parent}; nothing is to be upgraded")
    engine = raw_engine(location, read_only=False)
    try:
        version = patiently(lambda: _checked_version(engine, location), location.shown, location.file)
        if version is not None:
            with only_one(engine, location):
                patiently(lambda: migrate(engine, location), location.shown, location.file)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise StoreError(f"{location.shown} was not upgraded and is as it was: {explained(error)}") from error
    finally:
        engine.dispose()
    return version


def _opens(engine: Engine) -> bool:
    """Whether a SQLite file can be read: beside one with a write-ahead log, SQLite makes a file to do so."""
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")
    except DatabaseError as error:
        engine.dispose()
        return not any(words in str(error.orig) for words in ("unable to open", "readonly"))
    return True


def _without_files_beside(file: Path) -> Engine:
    """Return an engine on a SQLite file in a folder that cannot be written to.

    What is only in the write-ahead log would be missed without it, in silence: then both are copied.
    """
    log = _log_of(file)
    if not log.exists() or log.stat().st_size == 0:
        return sqlite_engine(file, read_only=True, unchanging=True)

    def fill(copy: Path) -> None:
        shutil.copyfile(file, copy)
        shutil.copyfile(log, _log_of(copy))

    return sqlite_engine(_copy_of(file, "as it is", fill), read_only=True)


def _upgraded_copy(engine: Engine, location: Location, version: str) -> Engine:
    """Return an engine on a copy with the newest tables, which is there until the program ends."""
    file = location.file
    assert file

    def fill(copy: Path) -> None:
        with closing(engine.raw_connection()) as source, closing(sqlite3.connect(copy)) as target:
            cast("sqlite3.Connection", source.driver_connection).backup(target)
        try:
            upgrade(str(copy.parent))
        except StoreError as error:
            raise type(error)(str(error).replace(str(copy), location.shown)) from error
        text = _read_from_copy(location, version)
        if text not in _cautions.values():
            logger.warning("%s", text)
        _cautions[copy.as_uri()] = text

    try:
        return sqlite_engine(_copy_of(file, "upgraded", fill), read_only=True)
    finally:
        engine.dispose()


def _copy_of(file: Path, kind: str, fill: Callable[[Path], None]) -> Path:
    """Return a copy of a database as it was last written; the same while it stays so, until the program ends.

    Args:
        file: The database.
        kind: What is done to its copies.
        fill: Makes a copy of this name.
    """
    files = (file, _log_of(file))
    state = tuple(part.stat().st_mtime_ns if part.exists() else 0 for part in files)
    if (file, kind, state) not in _copies:
        folder = tempfile.mkdtemp(prefix="codecarena-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        copy = Path(folder) / DATABASE_NAME
        fill(copy)
        _copies[file, kind, state] = copy
    return _copies[file, kind, state]


def _log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def _read_from_copy(location: Location, version: str) -> str:
    return (
        f"{location.shown} has tables of version {version}: it is read from a copy in version {HEAD} and "
        f"cannot be written; to upgrade it, with all its rows: {upgrade_command(location)}"
    )


def caution(engine: Engine) -> str:
    """Return what to tell who reads a store from a copy, because it is of an older version; else nothing."""
    return _cautions.get(engine.url.database or "", "")


_copies: dict[tuple[Path, str, tuple[int, ...]], Path] = {}
"""Copies of stores, by file, what was done to them, and when the file was last written."""
_cautions: dict[str, str] = {}
"""What to tell of upgraded copies, by their address."""


def _make_tables(engine: Engine, location: Location) -> None:
    with only_one(engine, location):
        if version_of(engine) is None:
            create(engine)


def _known_versions() -> list[str]:
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


def migrate(engine: Engine, location: Location) -> None:
    """Bring the tables to the newest version, or leave everything as it was.

    Raises:
        StoreError: Rows would refer to rows that are not there.
    """
    if version_of(engine) == HEAD:
        return
    from alembic import command  # half a second that a store of the right version does not pay
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        if location.file:
            _ignore_references(connection)
        with connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _check_columns(connection, location)
            if location.file:
                _check_references(connection, location)


def _ignore_references(connection: Connection) -> None:
    """Let a table be replaced by an altered copy while rows of others refer to it.

    SQLite alters most of a table only so, and would take the dropped one for the loss of all its rows.
    """
    connection.detach()  # closed at the end: the pool's connections mind references
    # Within a transaction the setting would do nothing, and SQLAlchemy would begin one.
    connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")


def _check_references(connection: Connection, location: Location) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        table, row, parent, _ = broken[0]
        raise StoreError(
            f"{location.shown} was not migrated to version {HEAD} and is as it was: {len(broken)} rows would "
            f"refer to rows that are not there, the first in row {row} of {table} to one of {parent}; this "
            "is a defect"
        )
