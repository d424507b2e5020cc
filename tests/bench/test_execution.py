"""Who gets which cell in which order, how each end is stored and counted, and how long a plan will take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from measuring import INFO, Clock, planned_cell, planned_codec, planned_picture

from codecarena.bench.records.cells import CellKey, Saved
from codecarena.bench.records.messages import Cell, Failed, Limits, Measured, Outcome, Scored, Stored
from codecarena.bench.run import execution
from codecarena.bench.run.estimate import Estimate, by_codec, estimate
from codecarena.bench.run.execution import CellQueue, Execution, RunTarget
from codecarena.bench.run.plan import Plan, Planned
from codecarena.bench.run.runner import Report, _Cells
from codecarena.bench.run.seed_order import OneStream
from codecarena.bench.run.timing_report import TimingReport
from codecarena.bench.worker import pool
from codecarena.bench.worker.cpu_load import CpuCounters, Watch
from codecarena.codecs.base import RateParts

A, B = planned_picture("a"), planned_picture("b", pixel_count=1000)
CLASSIC = planned_codec("classic-id")
DREAMS = planned_codec("dreams-id", info=replace(INFO, name="dreams", stochastic=True), qualities=(2,))
METRICS = {"psnr": "psnr-id", "ssim": "ssim-id"}
LIMITS = Limits(60, 512)


def cells(*counts_of: int) -> list[Planned]:
    """Return so many cells of picture 0, 1, ..."""
    return [
        planned_cell(planned_picture(str(picture)), CLASSIC, quality)
        for picture, count in enumerate(counts_of)
        for quality in range(count)
    ]


def drawn(waiting: CellQueue, picture: str | None) -> tuple[str, float] | None:
    planned = waiting.next(picture)
    return planned and (planned.key.picture_sha256, planned.key.quality)


def test_a_worker_keeps_to_its_picture_and_then_takes_the_one_with_most_cells_left() -> None:
    waiting = CellQueue(cells(2, 3, 1))
    assert drawn(waiting, None) == ("sha-1", 0)
    assert drawn(waiting, "sha-2") == ("sha-2", 0)
    assert drawn(waiting, "sha-2") == ("sha-0", 0), "of two with as many left the first"
    assert drawn(waiting, "sha-0") == ("sha-0", 1)
    assert waiting.more("sha-2") is None
    waiting.again(planned_cell(planned_picture("1"), CLASSIC, 9))
    assert [drawn(waiting, "sha-0") for _ in range(4)] == [("sha-1", 9), ("sha-1", 1), ("sha-1", 2), None]


def measured(bitstream: str = "bits") -> Measured:
    return Measured(bitstream, RateParts(1, 2, 3), 6, "pixels", (1.0,), (2.0,), 0.5)


def test_seeds_wait_for_the_first_and_decode_its_bitstream_or_encode_themselves() -> None:
    first, second, third = (planned_cell(A, DREAMS, seed=seed) for seed in (5, 8, 9))
    have = planned_cell(A, DREAMS, 4.0, seed=5, bitstream_sha256="old")
    had = planned_cell(A, DREAMS, 4.0, seed=8, stored=Stored("old", "pixels"))
    streams = OneStream([first, second, have, third, had])
    assert streams.ready == [first, have, had]
    released = streams.release(first, Outcome(measured=measured("new")))
    assert [(entry.key, entry.cell.bitstream_sha256) for entry in released] == [
        (second.key, "new"),
        (third.key, "new"),
    ]
    assert streams.release(first, Outcome()) == []
    failed = OneStream([first, second]).release(first, Outcome())
    assert [entry.cell.bitstream_sha256 for entry in failed] == [None]


DIED = Failed("timeout", "score", "killed", "psnr")


@pytest.mark.parametrize(
    ("outcome", "have", "left"),
    [
        (Outcome(measured=measured(), failed=[DIED]), None, ("ssim",)),
        (Outcome(failed=[DIED]), Stored("old", "older"), ("ssim",)),
        (Outcome(measured=measured(), failed=[DIED], scored=[Scored("ssim", 1.0, False, 0.1)]), None, None),
        (Outcome(measured=measured(), failed=[replace(DIED, outcome="error")]), None, None),
        (Outcome(failed=[Failed("crash", "encode", "died")]), None, None),
        (Outcome(measured=measured(), failed=[DIED], stopped=True), None, None),
        (Outcome(measured=measured()), None, None),
    ],
)
def test_a_worker_that_died_in_one_metric_leaves_the_others_to_be_scored(
    outcome: Outcome, have: Stored | None, left: tuple[str, ...] | None
) -> None:
    planned = replace(planned_cell(A, CLASSIC, stored=have), replace=True)
    again = execution._left(planned, outcome)
    if left is None:
        assert again is None
        return
    assert again is not None
    assert (again.cell.metrics, again.replace) == (left, False)
    assert again.cell.stored == (Stored("bits", "pixels") if outcome.measured else have)


KILLED = Failed("crash", "encode", "the worker process was killed by SIGKILL", exit_code=-9)


@pytest.mark.parametrize(
    ("failed", "measured_before", "tries", "count"),
    [
        (KILLED, False, 2, 1),
        (replace(KILLED, exit_code=-15), False, 2, 1),
        (replace(KILLED, stage="score", metric="ssim"), True, 2, 1),
        (replace(KILLED, exit_code=-11), False, 1, 1),
        (replace(KILLED, exit_code=1), False, 1, 1),
        # Killed by us: no exit code.
        (replace(KILLED, outcome="memory", exit_code=None), False, 1, 1),
    ],
)
def test_a_cell_whose_worker_was_killed_from_outside_is_tried_once_more(
    failed: Failed, measured_before: bool, tries: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Cell] = []

    def answer(cell: Cell, _: Limits) -> Outcome:
        asked.append(cell)
        scored = [Scored("psnr", 1.0, False, 0.1)] if "psnr" in cell.metrics and measured_before else []
        first = measured() if measured_before and not cell.stored else None
        return Outcome(measured=first, scored=scored, failed=[failed])

    planned = planned_cell(A, CLASSIC)
    ledger, report, _ = run([planned], answer, monkeypatch)
    assert len(asked) == tries
    assert (report.completed, report.failed) == (0, count)
    # The first death is not on record; what was measured before it is, and is not asked for again.
    assert [outcome.failed for _, outcome in ledger.saved] == [[]] * (tries - 1) + [[failed]]
    assert [outcome.measured is not None for _, outcome in ledger.saved] == [measured_before, False][:tries]
    if measured_before:
        assert (asked[1].stored, asked[1].metrics) == (Stored("bits", "pixels"), ("ssim",))


def test_a_cell_that_was_killed_once_and_then_ends_well_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [Outcome(failed=[KILLED]), Outcome(measured=measured())]
    forced = replace(planned_cell(A, CLASSIC), replace=True)
    ledger, report, _ = run([forced], lambda *_: answers.pop(0), monkeypatch)
    assert (report.completed, report.failed) == (1, 0)
    assert [saved.replace for saved, _ in ledger.saved] == [True, True], "the older result stays until then"


class Ledger:
    """A store that keeps what it is told."""

    def __init__(self) -> None:
        self.saved: list[tuple[Saved, Outcome]] = []
        self.ended: list[tuple[int, str]] = []
        self.batches: list[list[float]] = []
        """Settings of the cells that each worker was given at once."""

    def save(self, outcomes: Iterable[tuple[Saved, Outcome]]) -> None:
        self.saved += outcomes

    def end_run(self, run_id: int, status: str) -> None:
        self.ended.append((run_id, status))


class Audience:
    def __init__(self) -> None:
        self.advances: list[CellKey] = []

    def planned(self, plan: Plan) -> None:
        pass

    def advanced(self, planned: Planned, outcome: Outcome) -> None:
        self.advances.append(planned.key)


def run(
    planned: list[Planned], answer: Any, monkeypatch: pytest.MonkeyPatch, workers: int = 2, **place: Any
) -> tuple[Ledger, Report, Audience]:
    """Execute cells whose outcomes a function gives."""
    batches: list[list[Cell]] = []

    def supervise_each(jobs: Iterable[Cell], limits: Limits) -> Iterator[Outcome]:
        batches.append(list(jobs))
        return (answer(cell, limits) for cell in batches[-1])

    monkeypatch.setattr(pool, "supervise_each", supervise_each)
    ledger, audience = Ledger(), Audience()
    report = Report(Plan(tuple(planned), len(planned), 0, 0))
    made = Execution(RunTarget(ledger, 7, METRICS, LIMITS, workers, **place), _Cells(report, audience))
    with ThreadPoolExecutor(workers) as executor:
        made.run(executor)
    assert ledger.ended == [(7, "finished")]
    ledger.batches = [[cell.quality for cell in batch] for batch in batches]
    return ledger, report, audience


def test_each_cell_is_stored_under_its_key_and_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(cell: Cell, limits: Limits) -> Outcome:
        assert limits == LIMITS
        if cell.original.sha256 == "sha-b":
            return Outcome(failed=[Failed("error", "encode", "no")])
        if cell.quality == 4 and cell.stored is None:
            return Outcome(measured=measured(), failed=[DIED])
        return Outcome(measured=None if cell.stored else measured())

    forced = replace(planned_cell(A, CLASSIC, 2.0), replace=True)
    rescored = planned_cell(A, CLASSIC, 6.0, stored=Stored("bits6", "pixels6"))
    ledger, report, audience = run(
        [forced, planned_cell(A, CLASSIC, 4.0), rescored, planned_cell(B, CLASSIC)],
        answer,
        monkeypatch,
        probe=True,
    )
    saved = {(entry.key, entry.decoded_sha256): entry for entry, _ in ledger.saved}
    assert len(saved) == len(ledger.saved) == 5
    assert saved[forced.key, None] == Saved(forced.key, 7, None, METRICS, True, True, True)
    assert saved[rescored.key, "pixels6"] == Saved(rescored.key, 7, "pixels6", METRICS, True, False, True)
    # Its worker died in PSNR: the second time only SSIM is asked for, of the pixels that are stored.
    died = planned_cell(A, CLASSIC, 4.0).key
    assert {decoded for entry, decoded in saved if entry == died} == {None, "pixels"}
    assert (report.completed, report.failed) == (2, 2)
    assert sorted(advance.quality for advance in audience.advances) == [2.0, 2.0, 4.0, 6.0]


@pytest.mark.parametrize(
    ("workers", "share", "contended"), [(1, 0.1, False), (1, 0.11, True), (2, 0.0, True)]
)
def test_a_cell_beside_others_or_on_a_busy_machine_is_contended(
    monkeypatch: pytest.MonkeyPatch, workers: int, share: float, contended: bool
) -> None:
    monkeypatch.setattr(execution.Watch, "share", lambda *_: share)
    ledger, _, _ = run(
        [planned_cell(A, CLASSIC)], lambda *_: Outcome(measured=measured()), monkeypatch, workers
    )
    assert [entry.contended for entry, _ in ledger.saved] == [contended]


@pytest.mark.parametrize("workers", [1, 2])
def test_only_around_one_worker_alone_is_the_machine_watched(
    monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    looks: list[object] = []
    monkeypatch.setattr(execution.Watch, "look", lambda *_: looks.append(1) or 5.0)
    monkeypatch.setattr(execution.Watch, "share", lambda *_: 0.0)
    run([planned_cell(A, CLASSIC)], lambda *_: Outcome(measured=measured()), monkeypatch, workers)
    # Before all, before the cell, after it, and when it is stored.
    assert len(looks) == (4 if workers == 1 else 0)


def test_a_quick_cell_is_judged_by_the_time_around_it_until_it_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    burnt = [0.0]

    def look(watch: Watch, _workers: object) -> float:
        watch.looks.append(CpuCounters(clock(), (burnt[0],), 0.0))
        return clock()

    def answer(*_: object) -> Outcome:
        clock.spend(0.005)  # between two ticks of the kernel's counters
        return Outcome(measured=measured())

    monkeypatch.setattr(execution.Watch, "look", look)
    made = Execution(
        RunTarget(Ledger(), 7, METRICS, LIMITS, 1), _Cells(Report(Plan((), 0, 0, 0)), Audience())
    )
    made.take_cell(planned_cell(A, CLASSIC), answer())
    clock.spend(0.2)
    burnt[0] = 0.2
    made.store_ended(now=True)
    assert [saved.contended for saved, _ in made.place.store.saved] == [True]


def test_quick_cells_are_given_together_and_slow_ones_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(cell: Cell, _: Limits) -> Outcome:
        # A tenth of a second is to hold three of the first codec, and no second one of the other.
        seconds = 0.04 if cell.codec_id == "classic-id" else 0.2
        return Outcome(measured=measured(), seconds=seconds)

    large = planned_picture("large", pixel_count=10 * A.pixel_count)
    slow = planned_codec("slow-id")
    quick = [planned_cell(A, CLASSIC, quality) for quality in range(5)]
    others = [planned_cell(A, slow, quality) for quality in (10, 11, 12)]
    ledger, report, _ = run(
        [*quick, *others, planned_cell(large, CLASSIC, 20), planned_cell(large, CLASSIC, 21)],
        answer,
        monkeypatch,
        workers=1,
    )
    # The first of a codec is alone or last; a picture ten times as large takes ten times as long.
    assert ledger.batches == [[0], [1, 2, 3], [4, 10], [11], [12], [20], [21]]
    assert report.completed == 10


def test_a_stopped_cell_counts_as_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = Outcome(failed=[Failed("crash", "encode", "killed")], stopped=True)
    _, report, audience = run([planned_cell(A, CLASSIC)], lambda *_: stopped, monkeypatch)
    assert (report.completed, report.failed, audience.advances) == (0, 0, [])


def test_an_interrupted_run_starts_nothing_more_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "stop", lambda: None)
    ledger = Ledger()
    report = Report(Plan((), 0, 0, 0))
    made = Execution(RunTarget(ledger, 7, METRICS, LIMITS, 1), _Cells(report, Audience()))
    made.work.waiting.add(planned_cell(A, CLASSIC))
    made.interrupt()
    with ThreadPoolExecutor(1) as executor:
        made.run(executor)
    assert (ledger.saved, ledger.ended) == ([], [(7, "interrupted")])


def test_no_more_cells_run_than_there_are_workers() -> None:
    class Executor:
        def submit(self, *_: object) -> Future[None]:
            return Future()

    report = Report(Plan(tuple(cells(5)), 5, 0, 0))
    made = Execution(RunTarget(Ledger(), 7, METRICS, LIMITS, 3), _Cells(report, Audience()))
    made.submit(Executor(), None)
    assert len(made.running) == 3


@pytest.mark.parametrize(
    ("end", "complete", "status"),
    [
        ({}, True, 0),
        ({"missing": 1}, False, 1),
        ({"unavailable": True}, False, 1),
        ({"timing": TimingReport(failed=1)}, False, 1),
        ({"timing": TimingReport(interrupted=True)}, False, 130),
        ({"timing": TimingReport(loaded=2)}, True, 0),
        ({"interrupted": True}, True, 130),
        ({"interrupted": True, "missing": 3}, False, 130),
    ],
)
def test_a_run_is_complete_when_nothing_is_missing(end: dict[str, Any], complete: bool, status: int) -> None:
    report = Report(Plan((), 0, 0, 0), **end)
    assert (report.complete, report.exit_status) == (complete, status)


def test_what_goes_wrong_while_a_worker_is_waited_for_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(*_: object) -> Outcome:
        raise OSError("no more processes")

    with pytest.raises(OSError, match="no more processes"):
        run([planned_cell(A, CLASSIC)], answer, monkeypatch)


class Paced:
    def pace(self) -> dict[str, tuple[float, float]]:
        return {"classic-id": (0.02, 0.5)}

    def score_seconds(self) -> dict[str, float]:
        return {"psnr-id": 0.25}


def test_an_estimate_adds_up_what_cells_took_before_and_guesses_the_rest() -> None:
    planned = (
        planned_cell(A, CLASSIC, 2.0),  # 100 pixels: 2 s, 50 bytes
        planned_cell(B, CLASSIC, 4.0, metrics=("psnr",), stored=Stored("b", "d")),  # 20 s, no bytes
        planned_cell(A, DREAMS, 2.0, metrics=()),  # unknown: 1e-6 s and an eighth of a byte a pixel
        planned_cell(B, CLASSIC, 4.0, metrics=("ssim",)),  # 20 s, 500 bytes
    )
    metrics = 0.25 + 0.1 + 0.25 + 0.1
    expected = Estimate(pytest.approx((2 + 20 + 1e-4 + 20 + metrics) / 4), 562, 0.75)
    assert estimate(Plan(planned, 4, 0, 0), Paced(), METRICS, 4) == expected
    assert estimate(Plan((), 0, 0, 0), Paced(), METRICS, 1) == Estimate(0.0, 0, 1.0)
    assert by_codec(planned) == {"label of classic-id": (3, [2.0, 4.0]), "label of dreams-id": (1, [2.0])}
