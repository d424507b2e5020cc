"""Who else used the machine while a call ran, and which cores are quiet, from made-up counters."""

from __future__ import annotations

from types import SimpleNamespace

import psutil
import pytest

from codecarena.bench import load
from codecarena.bench.load import Look, Watch, other_share


@pytest.mark.parametrize(
    ("last", "cores", "share"),
    [
        # Two cores for 2 s, 3 s of work in all, of which 1 s was ours: half of the machine was others'.
        (Look(2.0, (2.0, 1.0), 1.0), (), 0.5),
        (Look(2.0, (2.0, 1.0), 3.0), (), 0.0),
        (Look(2.0, (2.0, 0.0), 0.0), (0,), 1.0),
        (Look(2.0, (2.0, 0.0), 0.0), (1,), 0.5),
        (Look(2.0, (9.0, 9.0), 0.0), (0,), 1.0),
        (Look(0.0, (9.0, 9.0), 0.0), (0,), 0.0),
        (Look(2.0, (2.0, 2.0), 0.0), (7,), 1.0),
    ],
)
def test_the_share_of_others_is_the_larger_of_the_machines_and_the_calls_own_cores(
    last: Look, cores: tuple[int, ...], share: float
) -> None:
    assert other_share(Look(0.0, (0.0, 0.0), 0.0), last, cores) == pytest.approx(share)


def watch_with(*moments: float) -> Watch:
    """Return a watch whose core was busy with others' work at a growing pace: seconds squared."""
    watch = Watch(())
    watch.looks = [Look(moment, (moment**2 / 100,), 0.0) for moment in moments]
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

    monkeypatch.setattr(load.psutil, "Process", process)
    assert load.tree_seconds([1, 2, 3]) == 255.0


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
    monkeypatch.setattr(load.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(load.psutil, "cpu_percent", lambda **_: usage)
    monkeypatch.setattr(load, "slow_cores", lambda _: set())
    assert load.quietest(count) == chosen
    monkeypatch.setattr(load, "slow_cores", lambda _: {3})
    assert (3 in load.quietest(count)) is (count > 3)
