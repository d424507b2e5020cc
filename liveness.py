"""Tell others that something is alive: by a lock file, and by word from time to time."""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import threading
from collections.abc import Callable
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
"""A text that all processes of a running kernel share, in whatever container (proc_sys_kernel(5))."""


class LockFile:
    """A lock file that this process holds. Nobody finds it before it is locked."""

    def __init__(self, path: Path) -> None:
        """Make the file, and its folder where there is none.

        Raises:
            OSError: It cannot be made, or the file system knows no locks.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        unnamed = path.with_name(f".{secrets.token_hex(8)}.lock")
        self._file = unnamed.open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file.write(_boot())
            self._file.flush()
            unnamed.replace(path)
        except OSError:
            self._file.close()
            unnamed.unlink(missing_ok=True)
            raise

    def release(self) -> None:
        """Remove the file and let go of it."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        self._file.close()


class Heartbeat:
    """Says that something is alive: to this machine by a lock file, to others by a call from time to time."""

    def __init__(self, lock: Path, say: Callable[[], None], seconds: float) -> None:
        """Begin.

        Args:
            lock: The lock file; there is none where the file system takes none.
            say: Called by a thread of its own.
            seconds: How long it waits before each call.
        """
        self._say, self._seconds = say, seconds
        self._ended = threading.Event()
        self._lock: LockFile | None = None
        with contextlib.suppress(OSError):
            self._lock = LockFile(lock)
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat of {lock.stem}", daemon=True)
        self._thread.start()

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds):
            self._say()

    def stop(self) -> None:
        """Fall silent; a call that is under way is not waited for long."""
        self._ended.set()
        self._thread.join(timeout=1)
        if self._lock:
            self._lock.release()


def is_held(path: Path) -> bool:
    """Whether a process holds a lock file.

    Raises:
        OSError: There is none, or it may not be opened.
    """
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def is_of_this_kernel(path: Path) -> bool:
    """Whether who made a lock file runs, or ran, on this kernel: locks of others may be out of sight.

    Raises:
        OSError: There is none, or it may not be opened.
    """
    return path.read_text() == _boot()


def _boot() -> str:
    try:
        return _BOOT.read_text()
    except OSError:  # no Linux: there are no containers to tell apart
        return ""
