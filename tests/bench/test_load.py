"""Who else used the machine while a call ran, and which cores are quiet, from made-up counters."""

from __future__ import annotations

from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from codecarena.bench.worker import cpu_load
from codecarena.bench.worker.cpu_load import CpuCounters, Watch, other_share


@pytest.mark.parametrize(
    ("last", "cores", "share"),
    [
        # Two cores for 2 s, 3 s of work in all, of which 1 s was ours: half of the machine was others'.
        (CpuCounters(2.0, (2.0, 1.0), 1.0), (), 0.5),
        (CpuCounters(2.0, (2.0, 1.0), 3.0), (), 0.0),
        (CpuCounters(2.0, (2.0, 0.0), 0.0), (0,), 1.0),
        (CpuCounters(2.0, (2.0, 0.0), 0.0), (1,), 0.5),
        (CpuCounters(2.0, (9.0, 9.0), 0.0), (0,), 1.0),
        (CpuCounters(0.0, (9.0, 9.0), 0.0), (0,), 0.0),
        (CpuCounters(2.0, (2.0, 2.0), 0.0), (7,), 1.0),
    ],
)
def test_the_share_of_others_is_the_larger_of_the_machines_and_the_calls_own_cores(
    last: CpuCounters, cores: tuple[int, ...], share: float
) -> None:
    assert other_share(CpuCounters(0.0, (0.0, 0.0), 0.0), last, cores) == pytest.approx(share)


def watch_with(*moments: float) -> Watch:
    """Return a watch whose core was busy with others' work at a growing pace: seconds squared."""
    watch = Watch(())
    watch.looks = [CpuCounters(moment, (moment**2 / 100,), 0.0) for moment in moments]
    return watch


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        (4.0, 6.0, 4.0, 6.0),
        # A call of 0.1 s is judged by half a second: the looks before and after it.
        (5.0, 5.1, 4.0, 6.0),
        (4.2, 4.7, 4.0, 5.0),
        (1.0, 9.0, 1.0, 9.0),
        (0.5, 9.9, 1.0, 9.0),
    ],
)
def test_a_call_is_judged_between_the_looks_around_it(
    start: float, end: float, first: float, last: float
) -> None:
    share = (last**2 - first**2) / 100 / (last - first)
    assert watch_with(1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0).share(start, end) == pytest.approx(share)


def test_seconds_of_a_process_are_its_own_and_its_childrens(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {1: (1.0, 2.0, 4.0, 8.0), 2: (16.0, 32.0, 64.0, 128.0)}

    def process(number: int) -> SimpleNamespace:
        if number not in times:
            raise psutil.NoSuchProcess(number)
        named = dict(zip(("user", "system", "children_user", "children_system"), times[number], strict=True))
        return SimpleNamespace(cpu_times=lambda: SimpleNamespace(**named))

    monkeypatch.setattr(cpu_load.psutil, "Process", process)
    assert cpu_load.tree_seconds([1, 2, 3]) == 255.0


@pytest.mark.parametrize(("moment", "left"), [(0.5, [1, 2, 3]), (2.0, [2, 3]), (2.5, [2, 3]), (9.0, [3])])
def test_looks_before_a_moment_are_dropped_but_for_the_last(moment: float, left: list[float]) -> None:
    watch = watch_with(1.0, 2.0, 3.0)
    watch.forget(moment)
    assert [look.at for look in watch.looks] == left


@pytest.mark.parametrize(
    ("usage", "count", "chosen"),
    [
        ([0.0, 0.0, 0.0, 0.0], 2, (2, 3)),
        ([0.0, 0.0, 90.0, 30.0], 2, (0, 1)),
        ([4.0, 0.0, 3.0, 90.0], 1, (2,)),
        ([50.0, 10.0, 20.0, 30.0], 3, (1, 2, 3)),
        ([0.0, 0.0, 0.0, 0.0], 9, (0, 1, 2, 3)),
    ],
)
def test_the_quietest_cores_are_taken_and_of_equals_the_last(
    usage: list[float], count: int, chosen: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_load.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(cpu_load.psutil, "cpu_percent", lambda **_: usage)
    monkeypatch.setattr(cpu_load, "slow_cores", lambda _: set())
    assert cpu_load.quietest(count) == chosen
    monkeypatch.setattr(cpu_load, "slow_cores", lambda _: {3})
    assert (3 in cpu_load.quietest(count)) is (count > 3)


@pytest.mark.parametrize(
    ("clocks", "slow"),
    [
        ({0: "5000", 1: "4000", 2: "3999"}, {2}),
        ({0: "3000", 1: "3000"}, set()),
        ({0: "none", 1: "4000"}, set()),
        ({1: "5000", 2: "1000"}, {2}),
        ({}, set()),
    ],
)
def test_a_core_below_four_fifths_of_the_fastest_clock_is_slow(
    tmp_path: Path, clocks: dict[int, str], slow: set[int]
) -> None:
    for core, clock in clocks.items():
        folder = tmp_path / f"cpu{core}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "cpuinfo_max_freq").write_text(f"{clock}\n")
    assert cpu_load.slow_cores([0, 1, 2], tmp_path) == slow


def test_busy_is_neither_idle_nor_waiting_nor_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    linux = namedtuple("linux", "user nice system idle iowait irq softirq steal guest guest_nice")
    cores = [linux(1, 2, 4, 8, 16, 32, 64, 128, 256, 512), linux(*range(10))]
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: cores if percpu else None)
    assert cpu_load.busy_seconds() == (1 + 2 + 4 + 32 + 64 + 128, 0 + 1 + 2 + 5 + 6 + 7)


def test_a_look_has_the_moment_the_cores_and_the_time_of_this_process_and_its_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cpu_load, "monotonic", lambda: 5.0)
    monkeypatch.setattr(cpu_load, "busy_seconds", lambda: (1.0, 2.0))
    monkeypatch.setattr(cpu_load, "tree_seconds", lambda processes: float(sum(processes)))
    monkeypatch.setattr(cpu_load.os, "getpid", lambda: 100)
    watch = Watch((1,))
    assert watch.look([20, 3]) == 5.0
    assert (watch.cores, watch.looks) == ((1,), [CpuCounters(5.0, (1.0, 2.0), 123.0)])


@pytest.mark.parametrize(("first", "chosen"), [(14.0, 1), (16.0, 0)])
def test_cores_are_as_quiet_as_each_other_within_ten_percent(
    first: float, chosen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_load.os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    asked: list[dict[str, object]] = []
    monkeypatch.setattr(cpu_load.psutil, "cpu_percent", lambda **words: asked.append(words) or [5.1, first])
    monkeypatch.setattr(cpu_load, "slow_cores", lambda _: set())
    assert cpu_load.quietest(1) == (chosen,)
    assert asked == [{"interval": 0.3, "percpu": True}]
