"""Open the store's database: where it lies, how it locks, and whether its tables are up to date."""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, TypeVar
from urllib.parse import quote, unquote_to_bytes

from sqlalchemy import (
    URL,
    Connection,
    CursorResult,
    Engine,
    Executable,
    ScalarResult,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.pool import StaticPool

from ...home_folder import expanded
from . import postgresql
from .database_errors import BUSY_SECONDS
from .database_errors import StoreError as StoreError
from .database_errors import StoreVersionError as StoreVersionError
from .tables.schema import HEAD, Base

DATABASE_NAME = "arena.db"
Access = Literal["read", "plan", "write", "make"]
"""What a store is opened for: to be read; likewise, and taken for empty where there is none; to be written;
likewise, and made where there is none."""

Result = TypeVar("Result")
# Any: the columns differ from query to query.
Rows: TypeAlias = CursorResult[*tuple[Any, ...]]


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


def without_password(store: str) -> str:
    """Return a ``--store`` value that visitors may see: a server's password becomes three asterisks.

    >>> without_password("postgresql://me:se@cret@host/arena"), without_password("arena")
    ('postgresql://me:***@host/arena', 'arena')
    """
    return re.sub(r"(?<=://)([^:/@]*):.*@", r"\1:***@", store)


def _of_folder(store: str) -> Location:
    if not store:
        raise StoreError("--store is empty: expected a folder, sqlite:///FILE or a PostgreSQL URL")
    # As in a shell, "~name" stays a folder's name where no user is called so.
    folder = expanded(store).absolute()
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


def raw_engine(location: Location, read_only: bool) -> Engine:
    """Return an engine on a database, whatever it holds; a file that is to be written is made."""
    if location.file:
        return sqlite_engine(location.file, read_only)
    try:
        return postgresql.open_engine(location.database_url, read_only, BUSY_SECONDS)
    except ImportError as error:
        raise StoreError("a store on PostgreSQL needs psycopg: install codecarena[postgresql]") from error


def sqlite_engine(file: Path, read_only: bool, *, unchanging: bool = False) -> Engine:
    """Return an engine on a SQLite file; one that is to be written is made.

    Args:
        file: The database.
        read_only: Whether nothing is to be written to it.
        unchanging: Whether nobody else writes to it either: then SQLite needs no file beside it.
    """
    mode = {"mode": "ro" if read_only else "rwc", **({"immutable": "1"} if unchanging else {})}
    # SQLite decodes the name: every byte that is no letter must come escaped.
    url = URL.create("sqlite", database=file.as_uri(), query={**mode, "uri": "true"})
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


def empty_engine() -> Engine:
    """Return an engine on a new store in memory."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    create(engine)
    return engine


def version_of(engine: Engine) -> str | None:
    """Return the version of a store's tables; None where there are none."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


@contextmanager
def only_one(engine: Engine, location: Location) -> Generator[None]:
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


def begin_writing(connection: Connection) -> None:
    """Wait until no other transaction writes: SQLite's have waited when they began."""
    if connection.dialect.name == "postgresql":
        postgresql.wait_for_turn(connection, postgresql.WRITING)


class Patience(Protocol):
    """Does work again, as `Store.patiently`."""

    def __call__(self, work: Callable[[], Result], /) -> Result:
        """Return what the work returns."""
        ...


class Reading:
    """A connection to read from; where a server restarts meanwhile, a query is asked again."""

    def __init__(self, connection: Connection, patiently: Patience) -> None:
        self._connection = connection
        self._patiently = patiently

    # Any: values of a query's parameters.
    def execute(self, query: Executable, values: Mapping[str, Any] | None = None) -> Rows:
        """Return the rows that a query finds."""

        def ask() -> Rows:
            try:
                return self._connection.execute(query, values)
            except OperationalError:
                self._connection.rollback()  # else the connection that was lost is not replaced
                raise

        return self._patiently(ask)

    def scalars(self, query: Executable) -> ScalarResult[Any]:
        """Return the first column of what a query finds."""
        return self.execute(query).scalars()

    def scalar(self, query: Executable) -> Any:
        """Return the first column of the first row that a query finds, or None."""
        return self.execute(query).scalar()
