"""What goes wrong with a store's database: who holds it, what it refuses, and what to do."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TypeGuard, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError

from . import postgresql

BUSY_SECONDS = 10
"""How long one try to begin waits for another's short transaction."""
TRIES = 6
"""How often it is tried: a minute in all."""
LONGEST_PAUSE_SECONDS = 5
"""Between two tries; the first come sooner."""
_ADVICE = {
    "locked": "another program holds it: close that program or wait",
    "disk is full": "make room; what had finished is stored",
    "disk I/O error": "look at the disk, and whether it is full",
    "readonly database": "change its permissions, or name another --store",
    "unable to open database file": "look at the permissions of the file and its folder",
    "malformed": "it is damaged: restore a copy of it, or recover it with sqlite3's command .recover",
    "file is not a database": "name the folder of a store, or a new one",
}
"""What to do, by what SQLite says."""
Result = TypeVar("Result")
logger = logging.getLogger(__name__)


class StoreError(Exception):
    """The store cannot be opened or used; the message says what to do."""


class NoStoreError(StoreError):
    """There is no store where one was to be opened; the message says how to make one."""


class StoreVersionError(StoreError):
    """The tables are of a version that this codecarena does not know; the message says what to do."""


def patiently(
    work: Callable[[], Result], shown: str, file: Path | None, restart_seconds: float = 0
) -> Result:
    """Return what the work returns; it is done again while the database is held, or its server is away.

    Args:
        work: Begins a transaction or only reads; it must do no harm where it was done already and only the
            server's answer was lost.
        shown: What messages call the store.
        file: Its SQLite file, to name who holds it; None on a database server.
        restart_seconds: How long a server that answered before may be away.

    Raises:
        OperationalError: Of the database, but that another program holds it.
        StoreError: Another program held the database all the time, or its server stayed away.
    """
    away_since: float | None = None
    held = 0
    for attempt in count():
        try:
            return work()
        except OperationalError as error:
            if is_locked(error):
                held += 1
                if held == TRIES:
                    raise StoreError(_held(shown, file, error)) from error
                if held == 1 and file:
                    logger.warning("%s is held by another program; waiting for it", shown)
            elif file or not restart_seconds or not postgresql.is_away(error):
                raise
            elif away_since is None:
                away_since = time.monotonic()
                logger.warning("%s does not answer; waiting for it", shown)
            elif time.monotonic() - away_since > restart_seconds:
                raise StoreError(_away(shown, restart_seconds, error)) from error
        time.sleep(min(0.1 * 2**attempt, LONGEST_PAUSE_SECONDS))
    raise AssertionError("the loop returns or raises")


def is_locked(error: OperationalError) -> bool:
    """Whether another writer held the database for longer than the busy timeout."""
    return any(word in str(error.orig) for word in ("locked", "busy")) or postgresql.is_locked(error)


def is_of_database(error: BaseException) -> TypeGuard[DBAPIError]:
    """Whether a database refused something after it was opened."""
    return isinstance(error, DBAPIError)


def explained(error: DBAPIError | sqlite3.Error) -> str:
    """Return what a database refused and what to do, without its SQL."""
    message = str(error.orig if isinstance(error, DBAPIError) else error).strip()
    for part, advice in _ADVICE.items():
        if part in message:
            return f"{message}; {advice}"
    return message


def _held(shown: str, file: Path | None, error: OperationalError) -> str:
    if file is None:
        return f"cannot write to {shown}: {error.orig}; another client holds it: end it, or try later"
    names = ", ".join(_holders(file))
    return (
        f"{shown} was held by another program for {BUSY_SECONDS * TRIES:g} s"
        f"{f' ({names})' if names else ''}; close it, such as a database browser with unsaved changes, or "
        "wait, then give the same command again"
    )


def _away(shown: str, seconds: float, error: OperationalError) -> str:
    reason = str(error.orig).strip().rpartition("\n")[2]
    return (
        f"{shown} has not answered for {seconds:g} s ({reason}); what had finished is stored: start the "
        "database, then give the same command again"
    )


def _holders(file: Path) -> list[str]:
    """Return the programs of other processes that have a file open, as far as they can be seen."""
    import psutil  # no command that finds its store needs it

    names: list[str] = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and any(held.path == str(file) for held in process.open_files()):
                names.append(f"{process.name()}, process {process.pid}")
        except psutil.Error:
            continue
    return names
