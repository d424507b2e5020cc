"""Turn looks at the kernel's CPU counters into how busy everybody else kept the cores during a call."""

from __future__ import annotations

import contextlib
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

import psutil

WINDOW_SECONDS = 0.5
"""The counters tick every 10 ms: the share over a shorter time would be noise."""
LOADED_SHARE = 0.1
"""Others' share of the cores from which on a call counts as loaded."""


@dataclass(frozen=True, slots=True)
class Look:
    """The counters at one moment, in seconds since whenever."""

    at: float
    busy: tuple[float, ...]
    """Of each core, whoever ran on it; stolen time included."""
    ours: float
    """Of this process and the workers, children that ended included."""


def busy_seconds() -> tuple[float, ...]:
    """Return the seconds that each core was not idle; what a hypervisor took away counts."""
    # Guests' time is inside user and nice already.
    return tuple(
        one.user + one.nice + one.system + one.irq + one.softirq + one.steal
        for one in psutil.cpu_times(percpu=True)
    )


def tree_seconds(processes: Iterable[int]) -> float:
    """Return the CPU seconds of these processes and of all children that they have waited for."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            times = psutil.Process(process).cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def other_share(first: Look, last: Look, cores: Sequence[int]) -> float:
    """Return the share of the cores that others used between two looks, 0 to 1.

    The larger of two: of the whole machine, and of the cores that the call was kept on (all of our own time
    is taken to be spent there).
    """
    seconds = last.at - first.at
    if seconds <= 0:
        return 0.0
    grown = [after - before for before, after in zip(first.busy, last.busy, strict=True)]
    ours = last.ours - first.ours
    chosen = [grown[core] for core in cores if core < len(grown)]
    shares = [(sum(part) - ours) / (seconds * len(part)) for part in (grown, chosen) if part]
    return min(1.0, max(0.0, *shares))


class Watch:
    """Keeps looks at the counters and tells the share of others around any call between them."""

    def __init__(self, cores: Sequence[int]) -> None:
        self.cores = cores
        self.looks: list[Look] = []

    def look(self, workers: Iterable[int]) -> float:
        """Look now and return the moment; best just before and just after a call.

        Args:
            workers: Process ids of all workers that live now.
        """
        ours = tree_seconds([os.getpid(), *workers])
        self.looks.append(Look(monotonic(), busy_seconds(), ours))
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
    """Return those cores of this process that were least busy just now; empty where nothing can be pinned."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    usage = psutil.cpu_percent(interval=seconds, percpu=True)
    # On equal terms the last: interrupts mostly go to the first.
    allowed = sorted(os.sched_getaffinity(0), key=lambda core: (round(usage[core], -1), -core))
    return tuple(sorted(allowed[:count]))
