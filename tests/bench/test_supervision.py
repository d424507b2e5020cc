"""How a worker is supervised: what counts as past its limits, how a death is told, who gets which worker."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from measuring import Clock, planned_cell, planned_codec, planned_picture

from codecarena.bench.records.messages import (
    Began,
    CallCost,
    DecodedSize,
    Describe,
    Described,
    EncodedAgain,
    Failed,
    Finished,
    Limits,
    Measured,
    Message,
    Outcome,
    Peeked,
    Scored,
    Timed,
)
from codecarena.bench.worker import pool, process_tree, wire
from codecarena.bench.worker.wire import WireError
from codecarena.codecs.base import RateParts
from codecarena.liveness import LockFile

LIMITS = Limits(seconds=60, memory_mib=512)
MEASURED = Measured("bits", RateParts(1, 2, 3), 6, "pixels", (1.0,), (2.0,), 0.5)
CELL = planned_cell(planned_picture("a"), planned_codec("codec-id")).cell


class Script:
    """What the runner receives: lists of messages, ``wait`` where nothing comes, ``dies`` where it ends."""

    def __init__(self, script: list[list[Message] | str]) -> None:
        self.script = script
        self.sent: list[object] = []


@pytest.fixture(autouse=True)
def _scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    def receive(channel: Script, _seconds: float, _pixel_bytes: int) -> list[Message] | None:
        said = channel.script.pop(0)
        if said == "babbles":
            raise WireError("expected a message, got 'hello'")
        if said == "dies":
            raise EOFError
        return None if isinstance(said, str) else said

    monkeypatch.setattr(pool, "receive_messages", receive)
    monkeypatch.setattr(pool, "send_job", lambda channel, job, _: channel.sent.append(job))


class Worker:
    """A worker process that does what its script says."""

    def __init__(self, *script: list[Message] | str) -> None:
        self.channel = Script(list(script))
        self.process = self
        self.killed = self.closed = 0
        self.mib = 100
        self.code: int | None = None
        self.picture_sha256 = ""

    def poll(self) -> int | None:
        return self.code

    def wait(self) -> int:
        return self.code or 0

    def kill(self) -> None:
        self.killed += 1
        self.code = self.code if self.code is not None else -9

    def close(self) -> None:
        self.closed += 1

    @property
    def alive(self) -> bool:
        return not self.closed

    def resident_bytes(self) -> int:
        return self.mib * 2**20

    def stderr_tail(self) -> str:
        return "tail"


def ask(worker: Worker, limits: Limits = LIMITS) -> Outcome:
    outcome = Outcome()
    pool.ask(worker, CELL, limits, outcome)
    return outcome


def test_all_that_a_worker_tells_arrives_under_its_own_name() -> None:
    timed = Timed(CallCost(1.0, 2.0), CallCost(3.0, 4.0))
    scored = Scored("psnr", 1.0, False, 0.1)
    failed = Failed("error", "score", "no", "ssim", None, "its own tail")
    described = Described("psnr")
    message: list[Message] = [
        Began("encode"),
        MEASURED,
        scored,
        failed,
        timed,
        described,
        Peeked(("a",)),
        Finished(1.5),
    ]
    worker = Worker("wait", message)
    outcome = ask(worker)
    assert worker.channel.sent == [CELL]
    assert (outcome.measured, outcome.timed, outcome.described) == (MEASURED, timed, [described])
    assert (outcome.scored, outcome.again, outcome.stopped) == ([scored], Peeked(("a",)), False)
    assert (outcome.failed, outcome.seconds) == ([failed], 1.5)
    assert (worker.killed, worker.closed) == (0, 0)
    for again in (DecodedSize(2, 3), EncodedAgain("y")):
        assert ask(Worker([again, Finished()])).again == again


@pytest.mark.parametrize(
    ("code", "how"),
    [(3, "exited with status 3"), (0, "exited with status 0"), (-11, "was killed by SIGSEGV")],
)
def test_a_death_is_told_with_the_stage_and_the_metric_where_it_came(code: int, how: str) -> None:
    worker = Worker([Began("encode"), MEASURED, Began("score", "psnr")], "dies")
    worker.code = code
    outcome = ask(worker)
    message = f"the worker process {how}"
    assert outcome.failed == [Failed("crash", "score", message, "psnr", code, "tail")]
    assert (outcome.measured, worker.closed) == (MEASURED, 1)


def test_a_worker_that_sends_what_is_no_message_is_killed() -> None:
    worker = Worker([Began("decode")], "babbles")
    message = "killed: it sent what is no message of a worker (expected a message, got 'hello')"
    assert ask(worker).failed == [Failed("crash", "decode", message, None, None, "tail")]
    assert (worker.killed, worker.closed) == (1, 1)


@pytest.mark.parametrize(("mib", "failed"), [(512, False), (513, True)])
def test_a_worker_may_use_all_the_memory_it_is_allowed(mib: int, failed: bool) -> None:
    worker = Worker([Began("decode")], "wait", [Finished()])
    worker.mib = mib
    message = f"killed: used {mib} MiB, the limit is 512 MiB"
    expected = [Failed("memory", "decode", message, None, None, "tail")] if failed else []
    assert ask(worker).failed == expected
    assert (worker.killed, worker.closed) == (int(failed), int(failed))


@pytest.mark.parametrize(("waited", "failed"), [(60.0, False), (60.1, True)])
def test_a_worker_may_take_all_the_time_it_is_allowed(
    waited: float, failed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(pool, "monotonic", clock)
    worker = Worker("wait", [Finished()])
    monkeypatch.setattr(worker, "resident_bytes", lambda: clock.spend(waited) or 0)
    message = "killed: still running after the limit of 60 s"
    expected = [Failed("timeout", "load", message, None, None, "tail")] if failed else []
    assert ask(worker).failed == expected


@pytest.fixture
def stopping() -> Iterator[None]:
    pool._stopping.set()
    yield
    pool._stopping.clear()


@pytest.mark.usefixtures("stopping")
def test_a_stopped_run_kills_what_runs_and_begins_nothing() -> None:
    worker = Worker("wait", "dies")
    outcome = ask(worker)
    assert (worker.killed > 0, outcome.stopped, len(outcome.failed)) == (True, True, 1)
    assert pool.supervise(CELL, LIMITS).stopped
    assert not ask(Worker([Finished()])).stopped, "it had finished before"


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    idle: list[Any] = []
    monkeypatch.setattr(pool, "_idle", idle)
    monkeypatch.setattr(pool, "Child", lambda _: Worker([Finished()]))
    return idle


def test_a_job_goes_to_the_worker_that_holds_its_picture(idle: list[Any]) -> None:
    holding, other = Worker([Finished()]), Worker([Finished()])
    holding.picture_sha256, other.picture_sha256 = "sha-a", "sha-b"
    idle += [holding, other]
    assert pool.supervise(CELL, LIMITS).failed == []
    assert (holding.channel.sent, other.channel.sent) == ([CELL], [])
    assert idle == [other, holding], "it is idle again"
    elsewhere = replace(CELL, original=replace(CELL.original, sha256="sha-c"))
    taken = pool._take(elsewhere, 1)
    assert (taken, taken.picture_sha256, idle) == (holding, "sha-c", [other])


NEXT = replace(CELL, quality=9.0)
LAST = replace(CELL, quality=10.0)


def test_one_worker_gets_several_jobs_at_once_and_each_has_its_own_outcome(idle: list[Any]) -> None:
    worker = Worker([Began("encode"), MEASURED, Finished(1.0)], [Began("encode")], "wait", [Finished(2.0)])
    idle.append(worker)
    outcomes = pool.supervise_each([CELL, NEXT], LIMITS)
    assert (next(outcomes).measured, worker.channel.sent, idle) == (MEASURED, [CELL, NEXT], [])
    (second,) = outcomes
    assert (second.measured, second.seconds, idle) == (None, 2.0, [worker])


def test_a_worker_that_dies_costs_its_job_alone_and_another_gets_those_behind(idle: list[Any]) -> None:
    dying, other = Worker([Began("encode"), Finished()], [Began("decode")], "dies"), Worker([Finished()])
    idle += [other, dying]
    first, second, third = pool.supervise_each([CELL, NEXT, LAST], LIMITS)
    assert (first.failed, third.failed) == ([], [])
    assert [(failed.outcome, failed.stage) for failed in second.failed] == [("crash", "decode")]
    assert (dying.channel.sent, other.channel.sent) == ([CELL, NEXT, LAST], [LAST])
    assert (dying.closed, idle) == (1, [other])


def test_each_job_of_several_has_all_the_time_it_is_allowed(
    idle: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(pool, "monotonic", clock)
    monkeypatch.setattr(pool, "sleep", lambda _: None)
    worker = Worker("wait", "wait", [Finished()], "wait", [Finished()])
    monkeypatch.setattr(worker, "resident_bytes", lambda: clock.spend(40.0) or 0)
    idle.append(worker)
    assert [outcome.failed for outcome in pool.supervise_each([CELL, NEXT], LIMITS)] == [[], []]


def test_jobs_behind_one_that_was_stopped_have_not_failed(
    idle: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker("wait", "wait", "dies")
    monkeypatch.setattr(pool, "sleep", lambda _: None)
    monkeypatch.setattr(worker, "resident_bytes", lambda: pool._stopping.set() or 0)
    idle.append(worker)
    try:
        running, waiting = pool.supervise_each([CELL, NEXT], LIMITS)
    finally:
        pool._stopping.clear()
    assert (running.stopped, waiting.stopped, waiting.failed) == (True, True, [])


def test_a_worker_that_died_while_idle_is_replaced(idle: list[Any]) -> None:
    dead = Worker()
    dead.code = -9
    idle.append(dead)
    child = pool._take(Describe((), ()), 1)
    assert child is not dead
    assert (dead.closed, child.picture_sha256, idle) == (1, "", [])


@pytest.fixture
def child() -> Iterator[pool.Child]:
    """Return a worker without a process."""
    made = pool.Child.__new__(pool.Child)
    with tempfile.TemporaryFile() as made.stderr:
        yield made


@pytest.mark.parametrize(("length", "kept"), [(3, 3), (4000, 4000), (4001, 4000), (9000, 4000)])
def test_the_last_4000_bytes_of_what_a_worker_wrote_are_kept(
    child: pool.Child, length: int, kept: int
) -> None:
    written = bytes(97 + place % 26 for place in range(length))
    file = child.stderr.fileno()
    os.write(file, b"earlier")
    wire.forget_stderr(file)
    os.write(file, written)
    assert child.stderr_tail() == written[-kept:].decode()
    os.write(file, b"\xff")
    assert child.stderr_tail().endswith("\ufffd")
    wire.forget_stderr(file)
    assert child.stderr_tail() == ""


def test_a_worker_tells_no_exit_code_and_no_more_of_its_stderr_than_is_kept() -> None:
    failure = Failed("error", "score", "no", "ssim", 7, 3 * "a" + 4000 * "b")
    kept = replace(failure, exit_code=None, stderr_tail=4000 * "b")
    assert ask(Worker([failure, Finished()])).failed == [kept]


def test_the_memory_of_a_worker_is_its_own_and_that_of_all_it_started(
    child: pool.Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory: dict[int, int | None] = {7: 1, 8: 20, 9: None, 10: 300}

    def process(pid: int) -> Any:
        if (rss := memory.get(pid)) is None:
            raise pool.psutil.NoSuchProcess(pid)
        return SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=rss))

    child.process = SimpleNamespace(pid=7)  # type: ignore[assignment]
    monkeypatch.setattr(pool.process_tree, "descendants", {7: [8, 9, 10]}.__getitem__)
    monkeypatch.setattr(pool.psutil, "Process", process)
    assert child.resident_bytes() == 321
    memory.clear()
    assert child.resident_bytes() == 0


@pytest.mark.parametrize("listed", [process_tree.LISTED, False])
def test_the_processes_that_a_process_started_are_found_whoever_started_them(
    listed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_tree, "LISTED", listed)
    script = "sleep 60 & sh -c 'sleep 60 & echo; wait' & wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True) as started:
        try:
            assert started.stdout is not None
            started.stdout.readline()
            children = process_tree.descendants(started.pid)
            parents = [psutil.Process(child).ppid() for child in children]
            (inner,) = set(parents) - {started.pid}
            assert (len(children), parents.count(started.pid), inner in children) == (3, 2, True)
        finally:
            os.killpg(started.pid, signal.SIGKILL)
    assert process_tree.descendants(started.pid) == []


@pytest.mark.skipif(not process_tree.LISTED, reason="by design: this kernel lists no children")
def test_a_process_that_ends_while_it_is_asked_has_started_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ended a whole `verify` once in two runs of the tests."""

    def gone(folder: Path) -> Iterator[Path]:
        raise FileNotFoundError(folder)

    monkeypatch.setattr(process_tree.Path, "iterdir", gone)
    assert process_tree.descendants(os.getpid()) == []


def test_workers_that_are_warmed_up_are_idle(idle: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    monkeypatch.setattr(pool, "Child", lambda count: threads.append(count) or Worker())
    monkeypatch.setattr(pool, "sweep", lambda: None)
    pool.warm(3)
    pool.warm(1, 2)
    assert (len(idle), threads) == (4, [1, 1, 1, 2])


def test_workers_get_their_threads_and_no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CODECARENA_ALLOW_DOWNLOADS", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    outcome = pool.worker_environment(3)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VIPS_CONCURRENCY"):
        assert outcome[name] == "3"
    assert (outcome["HF_HUB_OFFLINE"], outcome["MALLOC_MMAP_THRESHOLD_"]) == ("1", str(256 * 2**20))
    monkeypatch.setenv("CODECARENA_ALLOW_DOWNLOADS", "1")
    assert "HF_HUB_OFFLINE" not in pool.worker_environment(1)


def test_folders_of_killed_runners_are_swept_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Process numbers say nothing: two containers that share a folder both begin with 1."""
    monkeypatch.setattr(pool.tempfile, "gettempdir", lambda: str(tmp_path))
    for name in ("lives", "dead", "new"):
        (tmp_path / f"codecarena-worker-{name}" / "inside").mkdir(parents=True)
    (tmp_path / "codecarena-other").mkdir()
    held = LockFile(tmp_path / "codecarena-worker-lives.lock")
    (tmp_path / "codecarena-worker-dead.lock").touch()
    pool.sweep()
    left = {path.name for path in tmp_path.iterdir()}
    held.release()
    assert left == {
        "codecarena-worker-lives",
        "codecarena-worker-lives.lock",
        "codecarena-worker-new",
        "codecarena-other",
    }
