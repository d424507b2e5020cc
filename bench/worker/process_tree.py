"""Find the processes that a process has started: whose memory counts as its own."""

from __future__ import annotations

import contextlib
import os
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
    for thread in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            children += map(int, thread.read_text().split())
    return children + [deeper for child in children for deeper in descendants(child)]
