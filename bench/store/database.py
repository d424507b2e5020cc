"""Open the store's database: where it lies, how it locks, and whether its tables are up to date."""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, unquote_to_bytes

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.pool import StaticPool

from . import postgresql
from .database_errors import BUSY_SECONDS, explained, patiently
from .database_errors import StoreError as StoreError
from .database_errors import StoreVersionError as StoreVersionError
from .tables.schema import HEAD, Base

DATABASE_NAME = "arena.db"
MIGRATIONS = Path(__file__).parent / "migrations"
UNRELEASED = ("0001", "0002", "0003", "0004", "0005")
"""Versions of stores that were made before the first release; their migrations are gone."""
Access = Literal["read", "plan", "write", "make"]
"""What a store is opened for: to be read; likewise, and taken for empty where there is none; to be written;
likewise, and made where there is none."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a store keeps its tables and its files."""

    database_url: URL
    """Made of parts and handed on as an object: as text, a file's name would be read as URL syntax."""
    blobs: Path
    file: Path | None
    """The SQLite file; None on a database server."""
    store_option: str
    """What ``--store`` takes for this place, from any folder; a server's password is in it."""

    @property
    def shown(self) -> str:
        """The file, or the server's address without its password."""
        return str(self.file or self.database_url.render_as_string(hide_password=True))


def locate(store: str) -> Location:
    """Return the places that a ``--store`` value means.

    Args:
        store: A folder, or a URL of SQLite or PostgreSQL. A SQLite URL keeps its blobs beside the file,
            PostgreSQL's in the folder that ``CODECARENA_BLOBS`` names.

    Raises:
        StoreError: It is neither, or that variable is not set.
    """
    if not re.match(r"[\w+]+://", store):
        return _of_folder(store)
    if re.match(r"sqlite[\w+]*://", store):
        return _of_sqlite_url(store)
    try:
        url = make_url(store)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"--store {store!r} is neither a folder nor a database URL: {error}") from error
    if url.drivername not in postgresql.SCHEMES:
        raise StoreError(
            f"--store {url.render_as_string(hide_password=True)!r}: expected a folder, sqlite:///FILE or "
            f"postgresql://USER@HOST/DATABASE, got {url.drivername!r}"
        )
    folder = os.environ.get("CODECARENA_BLOBS")
    if not folder:
        raise StoreError("a store on PostgreSQL needs CODECARENA_BLOBS: the folder for its blobs")
    return Location(postgresql.driven(url), Path(folder).absolute(), None, store)


def _of_folder(store: str) -> Location:
    if not store:
        raise StoreError("--store is empty: expected a folder, sqlite:///FILE or a PostgreSQL URL")
    # As in a shell, "~name" stays a folder's name where no user is called so.
    folder = Path(os.path.expanduser(store)).absolute()  # noqa: PTH111
    if folder.is_file():
        raise StoreError(f"--store {store!r} is a file; expected the store's folder, as {folder.parent} is")
    return _of_file(folder / DATABASE_NAME, str(folder))


def _of_sqlite_url(store: str) -> Location:
    # Read here, byte by byte: SQLAlchemy's versions differ in what a percent sign in a file's name means.
    scheme, _, name = store.partition(":///")
    if "?" in name:
        raise StoreError(
            f"--store {store!r}: expected sqlite:///FILE without options, got a question mark; in a file's "
            "name write it %3F"
        )
    file_name = os.fsdecode(unquote_to_bytes(os.fsencode(name)))
    if not file_name or file_name == ":memory:":
        raise StoreError(
            f"--store {store!r}: expected a folder or sqlite:///FILE; a database in memory cannot be shared "
            "with workers"
        )
    file = Path(file_name).absolute()
    return _of_file(file, f"{scheme}:///{quote(os.fsencode(file))}")


def _of_file(file: Path, store_option: str) -> Location:
    return Location(URL.create("sqlite", database=str(file)), file.parent / "blobs", file, store_option)


def open_engine(location: Location, access: Access) -> Engine:
    """Return an engine on an existing or new, migrated database.

    Raises:
        StoreError: The file is not a store, is of a newer version, or is not there and was not to be made.
    """
    read_only = access in ("read", "plan")
    if location.file and not location.file.exists():
        if access == "plan":
            return _empty()
        if access != "make":
            raise StoreError(f"no store in {location.file.parent}; run a suite first: codecarena run quick")
        try:
            location.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot make the store's folder {location.file.parent}: {error}") from error
    if location.file:
        engine = _sqlite_engine(location.file, read_only)
    else:
        try:
            engine = postgresql.open_engine(location.database_url, read_only, BUSY_SECONDS)
        except ImportError as error:
            raise StoreError("a store on PostgreSQL needs psycopg: install codecarena[postgresql]") from error
    try:
        if access == "plan" and patiently(lambda: _version(engine), location) is None:
            engine.dispose()
            return _empty()
        patiently(lambda: _check_version(engine, location, read_only), location)
    except (DatabaseError, sqlite3.DatabaseError) as error:
        engine.dispose()
        raise StoreError(f"{location.shown} does not open as a store: {explained(error)}") from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def _sqlite_engine(file: Path, read_only: bool) -> Engine:
    mode = "ro" if read_only else "rwc"
    # SQLite decodes the name: every byte that is no letter must come escaped.
    url = URL.create("sqlite", database=file.as_uri(), query={"mode": mode, "uri": "true"})
    engine = create_engine(
        url,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    def connected(connection: sqlite3.Connection, _record: object) -> None:
        # Python's own transaction handling begins late and deferred; ours is explicit, below.
        connection.isolation_level = None
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    def began(connection: Connection) -> None:
        # A deferred transaction that turns into a writer fails at once, whatever the timeout.
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", began)
    return engine


def _empty() -> Engine:
    """Return an engine on a new store in memory."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    create(engine)
    return engine


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _check_version(engine: Engine, location: Location, read_only: bool) -> None:
    version = _version(engine)
    if version == HEAD:
        return
    if version in UNRELEASED:
        raise StoreVersionError(
            f"{location.shown} was made by a codecarena from before the first release (its tables are of "
            f"version {version}), which this one does not read: export it with that codecarena, or name "
            "another --store"
        )
    if version is not None and version not in _known_versions():
        raise StoreVersionError(
            f"{location.shown} has tables of version {version}; this codecarena knows {HEAD}: update it"
        )
    if read_only:
        raise StoreError(
            f"{location.shown} has no tables of version {HEAD}; run any suite to make or migrate them"
        )
    with _only_one(engine, location):
        if _version(engine) is None:
            create(engine)
        migrate(engine, location)


def _known_versions() -> list[str]:
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]


@contextmanager
def _only_one(engine: Engine, location: Location) -> Generator[None]:
    """Hold a lock, so that two first runs do not both create the tables."""
    if location.file is None:
        with engine.begin() as connection:
            postgresql.wait_for_turn(connection, postgresql.MIGRATING)
            yield
        return
    with location.file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def create(engine: Engine) -> None:
    """Make the tables of a new store as they are now, without replaying their history."""
    # Only tables whose modules are imported are in the metadata; a new store must have them all.
    from .tables import picture_tables, study_tables, timing_tables  # noqa: F401 # pyright: ignore[reportUnusedImport]

    with engine.begin() as connection:
        Base.metadata.create_all(connection)
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def migrate(engine: Engine, location: Location) -> None:
    """Bring the tables to the newest version, or leave everything as it was.

    Raises:
        StoreError: Rows would refer to rows that are not there.
    """
    if _version(engine) == HEAD:
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


def begin_writing(connection: Connection) -> None:
    """Wait until no other transaction writes: SQLite's have waited when they began."""
    if connection.dialect.name == "postgresql":
        postgresql.wait_for_turn(connection, postgresql.WRITING)
