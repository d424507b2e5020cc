"""Find the processes that a process has started, wherever they went, and end them."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import psutil

LISTED = Path(f"/proc/self/task/{os.getpid()}/children").exists()
"""Whether the kernel lists the children of each thread (Linux, CONFIG_PROC_CHILDREN)."""


def descendants(process: int) -> list[int]:
    """Return the ids of the processes that a process has started, and that those have, as far as they live.

    Of the kernel's own lists: psutil asks every process of the machine for its parent, which takes a hundred
    times as long, ten times a second for each worker.
    """
    if not LISTED:
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(process).children(recursive=True)]
        return []
    children: list[int] = []
    with contextlib.suppress(OSError):  # it has ended: what it had started is its parent's
        for thread in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(OSError):
                children += map(int, (thread / "children").read_text().split())
    return children + [deeper for child in children for deeper in descendants(child)]


def shared_file_bytes(process: int) -> int:
    """Return the bytes of files in ``/dev/shm``, where a process has one of its own; else 0."""
    folder = Path(f"/proc/{process}/root/dev/shm")
    with contextlib.suppress(OSError):
        if folder.stat().st_dev != Path("/dev/shm").stat().st_dev:
            room = os.statvfs(folder)
            return (room.f_blocks - room.f_bfree) * room.f_frsize
    return 0


def end_all(process: int) -> None:
    """Kill a process and all that it has started, in whatever group or session they are by now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGSTOP)  # It starts nothing more, and adopts what loses its parent.
    ended: set[int] = set()
    while new := set(descendants(process)) - ended:
        for child in new:
            _kill(child)
        ended |= new
    _kill(process)


def strays(folder: Path) -> list[int]:
    """Return the processes that were given a folder, or one in it, for their temporary files.

    So those of a worker are known when it is gone and others have adopted them.
    """
    mark = os.fsencode(f"TMPDIR={folder}")
    left: list[int] = []
    for process in psutil.pids():
        with contextlib.suppress(OSError):
            given = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
            if any(variable.startswith(mark) for variable in given):
                left.append(process)
    return left


def end_strays(folder: Path) -> None:
    """Kill the processes that `strays` returns."""
    ended: set[int] = set()
    while new := set(strays(folder)) - ended:
        for process in new:
            _kill(process)
        ended |= new


def left_session(process: int) -> list[int]:
    """Return the descendants of a process that are in another session than it is: daemons."""
    own = os.getsid(process)
    left: list[int] = []
    for child in descendants(process):
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(child) != own:
                left.append(child)
    return left


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(process, signal.SIGKILL)
