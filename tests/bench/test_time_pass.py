"""The timing pass without a process: what is timed, which calls are dropped, and whose cost is whose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from measuring import INFO, SPEC, Clock, MadeUpCodec, original_of, planned_codec, planned_picture

from codecarena.bench.records.messages import (
    Began,
    CallCost,
    CallNeeds,
    Failed,
    Inspected,
    Limits,
    Original,
    Outcome,
    Timed,
    TimingCall,
)
from codecarena.bench.run.suite import TimingTable
from codecarena.bench.run.timing_report import TimingReport, sentences
from codecarena.bench.store.timings import Footprint, Side, Timing, TimingKey
from codecarena.bench.timing import footprint, timing_pass
from codecarena.bench.timing.timing_pass import (
    TimeAgain,
    TimedCell,
    _Pass,
    _Record,
    _wanted,
    cells_to_time,
    side,
    spread,
)
from codecarena.bench.worker import clocks, pool, stopwatch
from codecarena.bench.worker.cpu_load import Watch
from codecarena.bench.worker.measure import Worker
from codecarena.codecs.base import CodecError, Picture, QualityScale

PIXELS = np.random.default_rng(1).integers(0, 256, (5, 8, 3), dtype=np.uint8)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock for wall seconds; CPU seconds run at twice its pace."""
    clock = Clock()
    monkeypatch.setattr(clocks, "perf_counter", clock)
    monkeypatch.setattr(stopwatch, "perf_counter", clock)
    monkeypatch.setattr(clocks, "cpu_seconds", lambda: 2 * clock.now)
    monkeypatch.setattr(clocks.gc, "collect", lambda: 0)  # it takes a second where much is loaded
    return clock


@pytest.mark.parametrize(("warm_up", "encode", "decode"), [(0, 2.0, 7.0), (1, 3.0, 11.0), (2, 5.0, 13.0)])
def test_warm_ups_are_dropped_and_the_call_after_them_is_timed(
    clock: Clock, warm_up: int, encode: float, decode: float
) -> None:
    codec = MadeUpCodec(clock, (2.0, 3.0, 5.0), (7.0, 11.0, 13.0))
    job = TimingCall(Original("", ""), SPEC, 4.0, (), "", warm_up=warm_up)
    timed = stopwatch.time(codec, Picture(PIXELS), job)
    assert timed == Timed(CallCost(encode, 2 * encode), CallCost(decode, 2 * decode))
    assert (len(codec.encoded), len(codec.decoded)) == (warm_up + 1, warm_up + 1)


def test_an_inspection_tells_encoder_and_decoder_apart_and_keeps_the_bitstream(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = MadeUpCodec(clock, (2.0,), (7.0,))
    peaks = iter((111.0, 222.0))
    monkeypatch.setattr(clocks, "peak_mib", lambda call: (call(), next(peaks)))
    macs = iter((5, 6))
    monkeypatch.setattr(stopwatch, "multiply_accumulates", lambda call: [call(), next(macs)][1])
    worker = Worker()
    worker.load_seconds[SPEC] = 0.75
    job = TimingCall(Original("", ""), SPEC, 4.0, (), str(tmp_path), inspect=True)
    inspected = stopwatch.inspect(worker, codec, Picture(PIXELS), job, empty_mib=33.0)
    assert (inspected.bitstream_bytes, inspected.load_seconds, inspected.empty_mib) == (129, 0.75, 33.0)
    assert inspected.encode == CallNeeds(2.0, 111.0, None, None, 5)
    assert inspected.decode == CallNeeds(7.0, 222.0, None, None, 6)
    (kept,) = (tmp_path / "bitstreams").rglob("*" + inspected.bitstream_sha256)
    assert kept.stat().st_size == 129


def test_operations_are_counted_once_for_each_codec_quality_and_size(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = iter(range(1, 100))
    monkeypatch.setattr(clocks, "peak_mib", lambda call: (call(), 1.0))
    monkeypatch.setattr(stopwatch, "multiply_accumulates", lambda _call: next(counted))
    worker = Worker()
    first = TimingCall(Original("", ""), SPEC, 4.0, (), str(tmp_path), inspect=True)
    other = replace(first, codec=replace(SPEC, name="other"))
    jobs = [(first, PIXELS), (first, 255 - PIXELS), (first, PIXELS[:4]), (first, PIXELS[:, :7])]
    jobs += [(replace(first, quality=3.0), PIXELS), (other, PIXELS), (first, PIXELS)]
    worker.load_seconds.update({SPEC: 0.5, other.codec: 0.5})
    macs = []
    for job, pixels in jobs:
        needs = stopwatch.inspect(worker, MadeUpCodec(clock), Picture(pixels), job, empty_mib=1.0)
        macs.append((needs.encode.macs, needs.decode.macs))
    assert macs == [(1, 2), (1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (1, 2)]


@pytest.mark.parametrize("shape", [(4, 8), (5, 7)])
def test_a_decoder_that_gives_another_size_is_not_timed(
    clock: Clock, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = MadeUpCodec(clock)
    monkeypatch.setattr(codec, "decode", lambda *_: np.zeros((*shape, 3), np.uint8))
    job = TimingCall(Original("", ""), SPEC, 4.0, (), "")
    with pytest.raises(CodecError, match=f"decoded to {shape[1]}x{shape[0]}, the original is 8x5"):
        stopwatch.time(codec, Picture(PIXELS), job)


def test_a_worker_times_or_inspects_and_says_where_it_failed(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned: list[tuple[int, ...]] = []
    monkeypatch.setattr(clocks, "pin", pinned.append)
    monkeypatch.setattr(clocks, "resident_mib", lambda: 33.0)
    monkeypatch.setattr(clocks, "peak_mib", lambda call: (call(), 44.0))
    worker = Worker()
    worker.codecs[SPEC], worker.load_seconds[SPEC] = MadeUpCodec(clock), 0.75
    job = TimingCall(original_of(tmp_path / "a.png", PIXELS), SPEC, 4.0, (1, 3), str(tmp_path))
    assert list(worker.run(job)) == [Began("encode"), Timed(CallCost(2.0, 4.0), CallCost(7.0, 14.0))]
    _, inspected = worker.run(replace(job, inspect=True))
    assert isinstance(inspected, Inspected)
    assert (inspected.load_seconds, inspected.empty_mib) == (0.75, 33.0)
    assert pinned == [(1, 3), (1, 3)]
    (failed,) = worker.run(replace(job, original=Original("absent.png", "")))
    assert isinstance(failed, Failed)
    assert failed.stage == "load"


COSTS = [CallCost(1.0, 2.0), CallCost(3.0, 5.0, 0.5), CallCost(7.0, 11.0, 0.25, 90.0)]
NEEDS = CallNeeds(99.0, 111.0, 222.0, 0.125, 12345)


def test_each_column_of_a_side_holds_what_it_is_called() -> None:
    made = side(COSTS, NEEDS)
    assert made == Side(
        seconds=(1.0, 3.0, 7.0),
        cpu_seconds=(2.0, 5.0, 11.0),
        device_span_seconds=(0.5, 0.25),
        energy_joules=(90.0,),
        gpu_busy_seconds=0.125,
        peak_mib=111.0,
        peak_gpu_mib=222.0,
        macs=12345,
    )
    assert (made.median_seconds, made.median_cpu_seconds) == (3.0, 5.0)
    assert side(COSTS[:1], CallNeeds(9.0, None)) == Side((1.0,), (2.0,))


def cell(name: str = "a", codec_id: str = "codec-id", quality: float = 2.0) -> TimedCell:
    key = TimingKey(f"sha-{name}", codec_id, quality, "machine", 1)
    return TimedCell(key, planned_codec(codec_id), Original(f"/{name}", f"sha-{name}"))


@pytest.mark.parametrize(
    ("force", "loaded", "before", "wanted"),
    [
        ((), False, None, True),
        ((), False, False, False),
        ((), False, True, False),
        ((), True, True, True),
        ((), True, False, False),
        (("made-up",), False, False, True),
        (("label of codec-id",), False, False, True),
        (("other",), False, False, False),
    ],
)
def test_a_cell_is_timed_when_it_is_not_stored_or_is_asked_for_again(
    force: tuple[str, ...], loaded: bool, before: bool | None, wanted: bool
) -> None:
    entry = cell()
    assert TimeAgain() == TimeAgain(frozenset(), False)
    known = {} if before is None else {entry.key: before}
    assert _wanted(entry, known, TimeAgain(frozenset(force), loaded)) is wanted


def test_a_suite_times_some_pictures_of_each_set_at_some_settings_of_each_codec() -> None:
    first = [planned_picture(name, "one") for name in "abcde"]
    second = [planned_picture(name, "two") for name in "xyz"]
    codec = planned_codec(
        "codec-id", info=replace(INFO, scale=QualityScale("level", 1, 9)), qualities=(1, 2, 3, 4, 5)
    )
    prepared: Any = SimpleNamespace(
        pictures=[*first, *second, replace(first[0], image_set="two")], codecs=[codec]
    )
    cells = cells_to_time(TimingTable(pictures=2, settings=2, threads=4), prepared, "machine")
    assert [cell.key for cell in cells] == [
        TimingKey(f"sha-{name}", "codec-id", quality, "machine", 4)
        for quality in (1.0, 5.0)
        for name in "aex"
    ]
    assert cells[2].original == Original("/x", "sha-x", "x?", "x!")
    everything = cells_to_time(TimingTable(settings=None), prepared, "machine")
    assert len(everything) == 5 * 8


@pytest.mark.parametrize(
    ("count", "chosen"), [(None, "abcdefg"), (7, "abcdefg"), (6, "abcefg"), (3, "adg"), (2, "ag"), (1, "d")]
)
def test_a_few_of_seven_are_spread_with_both_ends_among_them(count: int | None, chosen: str) -> None:
    assert "".join(spread("abcdefg", count)) == chosen


def inspected(
    encode_seconds: float = 1.0, decode_seconds: float = 2.0, gpu_mib: float | None = None
) -> Inspected:
    needs = CallNeeds(encode_seconds, 111.0, gpu_mib), CallNeeds(decode_seconds, 222.0, gpu_mib)
    return Inspected("bits", 1234, 0.75, 33.0, *needs)


class Workers:
    """Worker processes that answer at once."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.jobs, self.closed = clock, list[TimingCall](), 0
        self.alive = True
        self.process = SimpleNamespace(pid=1)

    def __call__(self, threads: int) -> Workers:
        return self

    def resident_bytes(self) -> int:
        return 0

    def close(self) -> None:
        self.closed += 1

    def ask(self, _child: Any, job: TimingCall, limits: Limits, outcome: Outcome) -> None:
        # An inspection encodes and decodes up to three times.
        assert limits == Limits(3 * 60 if job.inspect else 60, 512)
        self.jobs.append(job)
        self.clock.spend(10.0)
        if job.quality == 9.0:
            outcome.failed.append(Failed("error", "decode", "no such level"))
        elif job.inspect:
            outcome.inspected = inspected(0.05, 0.14 if job.quality == 2.0 else 0.16)
        else:
            outcome.timed = Timed(CallCost(1.0, 2.0), CallCost(3.0, 4.0))


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    clock = Clock()
    workers = Workers(clock)
    monkeypatch.setattr(timing_pass, "monotonic", clock)
    monkeypatch.setattr(pool, "Child", workers)
    monkeypatch.setattr(pool, "ask", workers.ask)
    monkeypatch.setattr(timing_pass, "quietest", lambda count: tuple(range(count)))
    monkeypatch.setattr(footprint, "observe", lambda *_: Footprint(1, 2, "", {}))
    monkeypatch.setattr(Watch, "look", lambda *_: clock())
    monkeypatch.setattr(Watch, "share", lambda *_: 0.25)
    return workers


def time_pass(table: TimingTable, monkeypatch: pytest.MonkeyPatch) -> tuple[_Pass, dict[str, Any]]:
    """Return a pass, and what it will have told the store and its audience."""
    kept: dict[str, Any] = {"advances": [], "failures": []}

    def save(_store: object, run_id: int, machine_id: str, times: Any, footprints: Any) -> None:
        assert (run_id, machine_id) == (7, "machine")
        kept.update(times=dict(times), footprints=dict(footprints))

    monkeypatch.setattr(timing_pass.stored, "save", save)
    monkeypatch.setattr(timing_pass.stored, "save_failure", lambda *words: kept["failures"].append(words[1:]))
    store: Any = SimpleNamespace(blobs=SimpleNamespace(folder="/blobs", bitstream_path=lambda sha: Path(sha)))
    made = _Pass(
        table,
        Limits(60, 512),
        store,
        7,
        "machine",
        TimingReport(),
        lambda *words: kept["advances"].append(words),
    )
    return made, kept


def test_every_cell_is_inspected_once_and_timed_as_often_as_the_suite_says(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, kept = time_pass(TimingTable(repeats=3, warm_up=2, threads=2), monkeypatch)
    quick, slow, failing = cell("a", "one", 2.0), cell("b", "one", 4.0), cell("c", "two", 9.0)
    made.run([quick, slow, failing])
    assert len(workers.jobs) == 3 + 2 * 3
    assert [(job.inspect, job.warm_up) for job in workers.jobs if job.quality == 2.0] == [
        (True, 0),
        *[(False, 2)] * 3,
    ]
    assert {job.warm_up for job in workers.jobs if job.quality == 4.0} == {0}, (
        "calls of 0.1 s need no warm-up"
    )
    assert {job.cores for job in workers.jobs} == {(0, 1)}
    assert set(kept["times"]) == {quick.key, slow.key}
    assert set(kept["footprints"]) == {"one"}
    assert kept["failures"] == [(7, failing.key, Failed("error", "decode", "no such level"))]
    assert made.report.notes == ["timing: label of two 9, decode: no such level"]
    assert (made.report.timed, made.report.failed, made.report.loaded) == (2, 1, 2)
    assert kept["advances"][-1] == (9, 3 * (1 + 3))
    assert made.spent == {"one": 8 * 10.0 - 0.75, "two": 10.0}, "loading is no call"


def test_a_codec_whose_calls_took_too_long_is_timed_once_and_not_again(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, kept = time_pass(TimingTable(repeats=5, seconds=35), monkeypatch)
    entry = cell()
    made.run([entry])
    # After the inspection 9.25 s are spent, then 19.25, 29.25 and 39.25.
    assert len(kept["times"][entry.key].encode.seconds) == 3


def test_the_shares_of_others_and_the_median_of_them_make_a_cell_loaded(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = time_pass(TimingTable(), monkeypatch)
    costs = [Timed(CallCost(1.0, 2.0), CallCost(3.0, 5.0)), Timed(CallCost(7.0, 11.0), CallCost(13.0, 17.0))]
    record = _Record(inspected(), costs, [(0.0, 1.0), (2.0, 3.0)], load_before=0.5, load_after=1.5)
    shares = {0.0: 0.05, 2.0: 0.15004}
    monkeypatch.setattr(made.watch, "share", lambda start, _end: shares[start])
    summary = made.summary(record)
    assert summary == Timing(
        bitstream_bytes=1234,
        encode=Side((1.0, 7.0), (2.0, 11.0), peak_mib=111.0),
        decode=Side((3.0, 13.0), (5.0, 17.0), peak_mib=222.0),
        other_shares=(0.05, 0.15),
        empty_mib=33.0,
        load_seconds=0.75,
        load_before=0.5,
        load_after=1.5,
        loaded=False,
    )
    shares[0.0] = 0.052
    assert made.summary(record).loaded


@pytest.mark.parametrize(("interrupted", "kept"), [(False, {"b", "c", "d"}), (True, {"c", "d"})])
def test_what_was_timed_is_kept_and_after_an_interruption_what_has_most_of_its_repeats(
    workers: Workers, monkeypatch: pytest.MonkeyPatch, interrupted: bool, kept: set[str]
) -> None:
    made, stored = time_pass(TimingTable(repeats=5), monkeypatch)
    made.report.interrupted = interrupted
    timed = Timed(CallCost(1.0, 2.0), CallCost(3.0, 5.0))
    for name, count in (("a", 0), ("b", 2), ("c", 3), ("d", 5)):
        made.records[cell(name)] = _Record(inspected(), [timed] * count, [(0.0, 1.0)] * count)
    made.save()
    assert {key.picture_sha256 for key in stored["times"]} == {f"sha-{name}" for name in kept}
    assert (made.records, made.workers) == ({}, {})


def test_codecs_are_timed_in_turns_where_they_fill_half_of_the_memory_or_the_gpu(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = time_pass(TimingTable(), monkeypatch)
    monkeypatch.setattr(timing_pass.psutil, "virtual_memory", lambda: SimpleNamespace(total=1000))
    monkeypatch.setattr(workers, "resident_bytes", lambda: 250)
    made.workers.update(one=workers, two=workers)
    assert not made.crowded()
    monkeypatch.setattr(workers, "resident_bytes", lambda: 251)
    assert made.crowded()
    monkeypatch.setattr(workers, "resident_bytes", lambda: 0)
    # Two workers of 8 GiB each are 16 GiB, which is allowed.
    made.records[cell()] = _Record(inspected(gpu_mib=8 * 1024))
    assert not made.crowded()
    made.workers["three"] = workers
    assert made.crowded()


def test_the_report_says_what_to_type_after_a_loaded_pass() -> None:
    report = TimingReport(total=9, done_before=4, timed=3, loaded=2, failed=1, interrupted=True)
    first, second, third = sentences("small", report, "small.toml", "other").splitlines()
    assert first == "small: 9 cells to time, 4 done before, 3 timed now, 1 failed"
    assert second.startswith("Other programs used the machine while 2 of them ran")
    assert second.endswith("codecarena time small.toml --store other --again")
    assert third.startswith("Timing was interrupted")
    assert (
        sentences("small", TimingReport(9, 9), "small.toml", "arena")
        == "small: 9 cells to time, 9 done before"
    )
