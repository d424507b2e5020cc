"""Measure the share of CPU time that other processes used during a call."""

from __future__ import annotations

import contextlib
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psutil

WINDOW_SECONDS = 0.5
"""The counters tick every 10 ms: the share over a shorter time would be noise."""
LOADED_SHARE = 0.1
"""Others' share of the cores from which on a call counts as loaded."""
NOT_BUSY = frozenset({"idle", "iowait", "guest", "guest_nice"})
"""Counters that are no work; guests' time is inside user and nice already."""
SLOW_CORE = 0.8
"""Share of the fastest core's clock below which another one is of a slower kind."""
CORES = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class CpuCounters:
    """The counters at one moment, in seconds since whenever."""

    at: float
    busy: tuple[float, ...]
    """Of each core, whoever ran on it; stolen time included."""
    own_seconds: float
    """Of this process and the workers, children that ended included."""


def busy_seconds() -> tuple[float, ...]:
    """Return the seconds that each core was not idle; what a hypervisor took away counts."""
    return tuple(
        sum(seconds for name, seconds in time._asdict().items() if name not in NOT_BUSY)
        for time in psutil.cpu_times(percpu=True)
    )


def tree_seconds(processes: Iterable[int]) -> float:
    """Return the CPU seconds of these processes and of all children that they have waited for."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(process).cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def other_share(first: CpuCounters, last: CpuCounters, cores: Sequence[int]) -> float:
    """Return the share of the cores that others used between two looks, 0 to 1.

    The larger of two: of the whole machine, and of the cores that the call was kept on (all of our own time
    is taken to be spent there).

    Args:
        first: The counters before the call.
        last: The counters after it.
        cores: Indices of the cores that the call was kept on.
    """
    seconds = last.at - first.at
    if seconds <= 0:
        return 0.0
    # Not strict: a core may be switched on or off between two looks.
    grown = [after - before for before, after in zip(first.busy, last.busy, strict=False)]
    own_seconds = last.own_seconds - first.own_seconds
    chosen = [grown[core] for core in cores if core < len(grown)]
    shares = [(sum(part) - own_seconds) / (seconds * len(part)) for part in (grown, chosen) if part]
    return min(1.0, max([0.0, *shares]))


class Watch:
    """Samples the CPU counters, and computes the share of other processes around any call."""

    def __init__(self, cores: Sequence[int]) -> None:
        self.cores = cores
        self.looks: list[CpuCounters] = []

    def look(self, workers: Iterable[int]) -> float:
        """Look now and return the moment; best just before and just after a call.

        Args:
            workers: Process ids of all workers that live now.
        """
        own_seconds = tree_seconds([os.getpid(), *workers])
        self.looks.append(CpuCounters(monotonic(), busy_seconds(), own_seconds))
        return self.looks[-1].at

    def forget(self, moment: float) -> None:
        """Drop the looks before a moment, but for the last of them."""
        first = bisect_right([look.at for look in self.looks], moment) - 1
        del self.looks[: max(0, first)]

    def share(self, start: float, end: float) -> float:
        """Return the others' share around a call, over at least `WINDOW_SECONDS` where there are looks."""
        missing = max(0.0, WINDOW_SECONDS - (end - start)) / 2
        times = [look.at for look in self.looks]
        first = max(0, bisect_right(times, start - missing) - 1)
        last = min(len(times) - 1, bisect_left(times, end + missing))
        return other_share(self.looks[first], self.looks[last], self.cores)


def quietest(count: int, seconds: float = 0.3) -> tuple[int, ...]:
    """Return those cores of this process that were least busy just now; empty where nothing can be pinned.

    Of a processor with fast and slow cores the fast ones, so that two passes use cores of one kind.
    """
    if not hasattr(os, "sched_getaffinity"):
        return ()
    usage = dict(enumerate(psutil.cpu_percent(interval=seconds, percpu=True)))
    allowed = os.sched_getaffinity(0)
    slow = slow_cores(allowed)
    # On equal terms the last: interrupts mostly go to the first. A container may not see every core.
    order = sorted(allowed, key=lambda core: (core in slow, round(usage.get(core, 0.0), -1), -core))
    return tuple(sorted(order[:count]))


def slow_cores(cores: Iterable[int], root: Path = CORES) -> set[int]:
    """Return the cores of a slower kind than the fastest, by their highest clocks; empty where unknown."""
    clocks: dict[int, int] = {}
    for core in cores:
        with contextlib.suppress(OSError, ValueError):
            clocks[core] = int((root / f"cpu{core}/cpufreq/cpuinfo_max_freq").read_text())
    fastest = max(clocks.values(), default=0)
    return {core for core, clock in clocks.items() if clock < SLOW_CORE * fastest}
