"""Open a store on a PostgreSQL server, and make it keep the promises that SQLite keeps by itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import OperationalError

SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
"""Of URLs; each is driven by psycopg."""
WRITING, MIGRATING = 0x617265_6E61, 0x617265_6E62
"""Keys of advisory locks, which are of one database."""

_TIMED_OUT, _SERIALIZATION_FAILED, _DEADLOCKED = "55P03", "40001", "40P01"
_GOING_OR_COMING = ("57P01", "57P02", "57P03")
"""The server is being shut down, crashed, or does not take connections yet."""


def driven(url: URL) -> URL:
    """Return a URL that SQLAlchemy opens with psycopg."""
    return url.set(drivername="postgresql+psycopg")


def open_engine(url: URL, read_only: bool, busy_seconds: float) -> Engine:
    """Return an engine on a database that exists.

    Args:
        url: As `driven` returns it.
        read_only: Whether the server is to refuse what would change anything.
        busy_seconds: How long to wait for a lock.

    Raises:
        ImportError: psycopg is not installed.
    """
    # A dashboard outlives a server's restart.
    engine = create_engine(url, pool_pre_ping=True)
    from psycopg.types.string import StrDumper

    class WithoutZeros(StrDumper):
        """Text as the server takes it: what a program or a picture file said may hold zero bytes."""

        def dump(self, obj: str) -> Any:  # Any: of psycopg, bytes in one form or another
            return super().dump(obj.replace("\0", "\ufffd"))

    # Any: psycopg's connection is generic.
    def connected(connection: Any, _record: object) -> None:
        connection.adapters.register_dumper(str, WithoutZeros)
        connection.execute(f"SET lock_timeout = '{busy_seconds:g}s'")
        connection.commit()
        connection.read_only = read_only

    event.listen(engine, "connect", connected)
    return engine


def wait_for_turn(connection: Connection, key: int) -> None:
    """Hold a lock until the transaction ends, so that what it reads is what it changes.

    SQLite has one writer at a time. Here transactions would read side by side what each of them then changes:
    who is given which trial, how many votes a pair has.
    """
    connection.execute(select(func.pg_advisory_xact_lock(key)))


def is_locked(error: OperationalError) -> bool:
    """Whether a transaction may succeed if it is begun again."""
    return getattr(error.orig, "sqlstate", None) in (_TIMED_OUT, _SERIALIZATION_FAILED, _DEADLOCKED)


def is_away(error: OperationalError) -> bool:
    """Whether the server went away or does not answer, as while it starts again; wherever it answered before.

    What fails before there is a connection has no code, whatever the reason.
    """
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state in _GOING_OR_COMING
