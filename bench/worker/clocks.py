"""Measure what a call costs: wall and CPU seconds, device span, energy, peak memory."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

import psutil

from ..records.messages import CallCost
from . import gpu
from .process_tree import descendants

Result = TypeVar("Result")
MIB = 2**20
CHILD_LOOK_SECONDS = 0.005
"""How often the memory of a codec's child processes is looked at, in a call that is not timed."""


def cpu_seconds() -> float:
    """Return the CPU seconds of this process, all its threads, and the children it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


def timed(call: Callable[[], Result]) -> tuple[Result, CallCost]:
    """Return a call's result and cost, the garbage collector held off and the device idle at both ends."""
    gc.collect()
    gc.disable()
    try:
        device = gpu.in_use()
        span = device.begin() if device else None
        cpu, wall = cpu_seconds(), perf_counter()
        result = call()
        if span:
            span.end()
        wall, cpu = perf_counter() - wall, cpu_seconds() - cpu
    finally:
        gc.enable()
    if span is None:
        return result, CallCost(wall, cpu)
    return result, CallCost(wall, cpu, span.seconds(), span.joules())


def peak_mib(call: Callable[[], Result]) -> tuple[Result, float | None]:
    """Return a call's result and the most resident MiB of this process and its children meanwhile.

    Of this process it is the kernel's own count, exact. Children are looked at every few milliseconds; what a
    shorter one used is missed. None where the kernel does not let the count be reset.
    """
    if not _forget_peak():
        return call(), None
    children = _Children()
    with children:
        result = call()
    return result, max(status_mib("VmHWM"), children.most_mib)


def status_mib(field: str, process: str = "self") -> float:
    """Return a memory field of /proc/PID/status in MiB: ``VmRSS``, or its peak ``VmHWM``; 0 without one."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
    return 0.0


def resident_mib() -> float:
    """Return the resident memory of this process in MiB, what it has freed given back first."""
    _give_back()
    return psutil.Process().memory_info().rss / MIB


def _give_back() -> None:
    """Give freed memory back to the kernel, which workers else keep for speed (pool.KEEP_MEMORY)."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> bool:
    """Make the kernel count this process's peak memory anew; whether it can."""
    _give_back()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets the peak resident set size
    except OSError:
        return False
    return True


class _Children:
    """Looks at the memory of this process and all it starts until the block ends."""

    def __init__(self) -> None:
        self.most_mib = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        own_words = psutil.Process().cmdline()
        while not self._ended.wait(CHILD_LOOK_SECONDS):
            used = status_mib("VmRSS")
            for child in descendants(os.getpid()):
                with contextlib.suppress(psutil.Error):
                    # Between vfork and exec a child is this process once more, its memory counted already.
                    if psutil.Process(child).cmdline() != own_words:
                        used += status_mib("VmHWM", str(child))
            self.most_mib = max(self.most_mib, used)


def pin(cores: tuple[int, ...]) -> None:
    """Keep this process, and the threads and children it starts from now on, on these cores."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
