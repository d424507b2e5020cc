"""Run jobs in supervised worker processes: past a job's limits, the whole process group is killed.

`supervise` and `supervise_each` are all an executor needs to call. Workers are kept from job to job, so that
codecs load once, and replaced when they die; a call takes the idle worker that holds its picture, any other,
or a new one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep

import psutil

from ...liveness import LockFile, is_held
from ..records.messages import (
    Began,
    Cell,
    DecodeAgain,
    DecodedAgain,
    DecodedSize,
    Described,
    EncodedAgain,
    Failed,
    Finished,
    Identified,
    Inspected,
    Job,
    Limits,
    Measured,
    Outcome,
    Peeked,
    PictureContent,
    Scored,
    Timed,
)
from . import process_tree
from .sandbox import Sandbox
from .wire import STDERR_TAIL_BYTES, Channel, WireError, receive_messages, send_job, stderr_tail

POLL_SECONDS = 0.1
"""How often memory is looked at while a job runs."""
PAUSE_SECONDS = 0.02
"""How long a worker's messages may wait while it has further jobs: to wake for each takes its processor."""
MIB = 2**20
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**30)}
"""Else glibc gives each picture-sized buffer back to the kernel: a tenth of a small cell's time."""
FOLDER_PREFIX = "codecarena-worker-"
"""Each worker has a temporary folder of its own, removed with it, and a lock file beside it."""

_all: set[Child] = set()
_idle: list[Child] = []
_lock = threading.Lock()
"""Held while an idle worker is chosen."""
_stopping = threading.Event()
_starter = ThreadPoolExecutor(1, thread_name_prefix="starts workers")
"""Its thread starts them all: Linux kills a worker when the thread that started it ends (`worker.py`)."""


class Child:
    """One worker process, leader of its own process group."""

    def __init__(self, threads: int, behind: Callable[[Path], Sandbox] | None = None) -> None:
        """Start a worker.

        Args:
            threads: How many its libraries may use.
            behind: Returns its walls, given its temporary folder; None for none.
        """
        self.stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
        self.lock = LockFile(self.folder.with_suffix(".lock"))
        plain = Sandbox("none", (), {"TMPDIR": str(self.folder)})
        sandbox = behind(self.folder) if behind else plain
        own_end, theirs = socket.socketpair()
        lifeline, self._lifeline = os.pipe()
        descriptors = (theirs.fileno(), lifeline)
        self.process = _starter.submit(
            subprocess.Popen[bytes],
            [*sandbox.prefix, sys.executable, "-P", "-m", f"{__package__}.worker", *map(str, descriptors)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.stderr,
            pass_fds=descriptors,
            # Its own group, so that its children die with it; its own session, so that Ctrl-C does not
            # reach it.
            start_new_session=True,
            env=sandbox.variables(worker_environment(threads)),
            cwd=sandbox.folder,
        ).result()
        theirs.close()
        os.close(lifeline)
        self.channel = Channel(own_end)
        self.picture_sha256 = ""
        """The picture it has in hand."""
        _all.add(self)

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self in _all and self.process.poll() is None

    def kill(self) -> None:
        """Kill the worker, its group and all that it has started; harmless when it is dead already."""
        if self.process.poll() is None:
            process_tree.end_all(self.process.pid)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill the worker and free what stood for it; a second call does nothing."""
        if self not in _all:
            return
        self.kill()
        self.process.wait()
        self.channel.close()
        os.close(self._lifeline)
        self.stderr.close()
        process_tree.end_strays(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.release()
        _all.discard(self)

    def resident_bytes(self) -> int:
        """Return the memory of the worker and its children, and of the files in a ``/dev/shm`` of its own.

        Such a file that a process has mapped counts twice.
        """
        total = process_tree.shared_file_bytes(self.process.pid)
        for process in (self.process.pid, *process_tree.descendants(self.process.pid)):
            with contextlib.suppress(psutil.Error):
                total += psutil.Process(process).memory_info().rss
        return total

    def stderr_tail(self) -> str:
        """Return the end of what the worker and its children wrote to stderr during its last job."""
        return stderr_tail(self.stderr.fileno())


def sweep() -> None:
    """Remove what is left of workers whose runner was killed: nobody holds the lock any more."""
    for lock in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*.lock"):
        with contextlib.suppress(OSError):  # swept by another run meanwhile, or of another user
            if not is_held(lock):
                folder = lock.with_suffix("")
                process_tree.end_strays(folder)
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink()


def worker_environment(threads: int) -> dict[str, str]:
    """Return the environment of a worker: a fixed thread count, and no hub access unless it is allowed."""
    count = str(threads)
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VIPS_CONCURRENCY")
    environment = {**os.environ, **dict.fromkeys(names, count), **KEEP_MEMORY}
    if environment.get("CODECARENA_ALLOW_DOWNLOADS") != "1":
        environment["HF_HUB_OFFLINE"] = "1"
    return environment


def supervise(job: Job, limits: Limits, threads: int = 1) -> Outcome:
    """Return a worker's outcome of a job, its death included.

    Args:
        job: What to do; a cell goes to an idle worker that holds its picture, if there is one.
        limits: Seconds and memory after which the worker is killed.
        threads: Threads that libraries may use in a new worker.
    """
    return next(supervise_each([job], limits, threads))


def supervise_each(jobs: Iterable[Job], limits: Limits, threads: int = 1) -> Generator[Outcome]:
    """Yield the outcome of each job in order; one worker has them all, and does not wait between them.

    Where it dies, a new one gets the jobs that it had not begun.

    Args:
        jobs: What to do; a first cell goes to an idle worker that holds its picture, if there is one.
        limits: Seconds and memory of each job, after which the worker is killed.
        threads: Threads that libraries may use in a new worker.
    """
    left = deque(jobs)
    child = None
    while left:
        outcome = Outcome()
        if _stopping.is_set():
            outcome.stopped = True
        else:
            if child is None:
                child = _take(left[0], threads)
                _send(child, left, limits)
            if not _hear(child, left[0], limits, outcome, PAUSE_SECONDS if len(left) > 1 else 0):
                child = None
        left.popleft()
        if child and not left:
            _idle.append(child)
        yield outcome


def ask(child: Child, job: Job, limits: Limits, outcome: Outcome) -> None:
    """Add a worker's messages about a job to its outcome; a worker that fails to finish is closed.

    Args:
        child: A running worker that nobody else uses.
        job: What to do.
        limits: Seconds and memory after which the worker is killed.
        outcome: Receives the results, and the failure where the worker died or was killed.
    """
    _send(child, [job], limits)
    _hear(child, job, limits, outcome)


def _send(child: Child, jobs: Iterable[Job], limits: Limits) -> None:
    """Send a worker jobs, of which it does one after the other."""
    # A worker that died between two jobs is found out when its pipe is read.
    with contextlib.suppress(OSError):
        for job in jobs:
            send_job(child.channel, job, limits.seconds)


def _hear(child: Child, job: Job, limits: Limits, outcome: Outcome, pause_seconds: float = 0) -> bool:
    """Return whether a worker came to the end of a job; add to the outcome what it gave, or how it died.

    Args:
        child: A worker that has the job.
        job: The first of those that it has not ended.
        limits: Seconds and memory after which the worker is killed.
        outcome: Receives results and failures.
        pause_seconds: How long messages may wait for others.
    """
    pixel_bytes = 3 * job.pixel_count if isinstance(job, DecodeAgain) else 0
    failure = _listen(child, limits, outcome, pixel_bytes, pause_seconds)
    if failure:
        child.close()
        outcome.failed.append(failure)
    outcome.stopped = bool(failure) and _stopping.is_set()
    return failure is None


def warm(count: int, threads: int = 1) -> None:
    """Start workers before there is work, so that they load while the caller does."""
    sweep()
    _idle.extend(Child(threads) for _ in range(count))


def _take(job: Job, threads: int) -> Child:
    """Return a worker that nobody else has."""
    wanted = job.original.sha256 if isinstance(job, Cell) else ""
    with _lock:
        places = [place for place, child in enumerate(_idle) if child.picture_sha256 == wanted]
        child = _idle.pop(places[-1] if places else -1) if _idle else None
    if child is None or child.process.poll() is not None:
        if child is not None:
            child.close()
        child = Child(threads)
    child.picture_sha256 = wanted
    return child


def _listen(
    child: Child, limits: Limits, outcome: Outcome, pixel_bytes: int, pause_seconds: float
) -> Failed | None:
    """Collect messages until the job is finished; return a failure if it never will be."""
    began = Began("load")
    deadline = monotonic() + limits.seconds
    while True:
        try:
            said = receive_messages(child.channel, 0, pixel_bytes) if pause_seconds else None
            if said is None:
                sleep(pause_seconds)
                said = receive_messages(child.channel, POLL_SECONDS, pixel_bytes)
        except (EOFError, OSError):
            return _death(child, began)
        except WireError as error:
            return _babble(child, began, error)
        if said is None:
            failure = _past_limits(child, limits, deadline, began)
            if failure:
                return failure
            continue
        for message in said:
            match message:
                case Finished():
                    outcome.seconds = message.seconds
                    return None
                case Began():
                    began = message
                case Described():
                    outcome.described.append(message)
                case Measured():
                    outcome.measured = message
                case Scored():
                    outcome.scored.append(message)
                case Timed():
                    outcome.timed = message
                case Inspected():
                    outcome.inspected = message
                case Identified():
                    outcome.identified = message
                case PictureContent():
                    outcome.content = message
                case Peeked() | DecodedAgain() | DecodedSize() | EncodedAgain():
                    outcome.again = message
                case Failed():
                    outcome.failed.append(_bounded(message))


def _bounded(failed: Failed) -> Failed:
    """Return a failure that a worker told, as long as one may be; what ended a process is not its to tell."""
    return replace(failed, exit_code=None, stderr_tail=failed.stderr_tail[-STDERR_TAIL_BYTES:])


def _past_limits(child: Child, limits: Limits, deadline: float, began: Began) -> Failed | None:
    """Kill the worker's group if it is over a limit, and say which; also when the run has been stopped."""
    if _stopping.is_set():
        child.kill()  # Its pipe closes; the next look finds it dead.
    used_mib = child.resident_bytes() // MIB
    if used_mib > limits.memory_mib:
        child.kill()
        message = f"killed: used {used_mib} MiB, the limit is {limits.memory_mib} MiB"
        return Failed("memory", began.stage, message, began.metric, None, child.stderr_tail())
    if monotonic() > deadline:
        child.kill()
        message = f"killed: still running after the limit of {limits.seconds:g} s"
        return Failed("timeout", began.stage, message, began.metric, None, child.stderr_tail())
    return None


def _death(child: Child, began: Began) -> Failed:
    """Describe how a worker ended by itself."""
    child.kill()
    code = child.process.wait()
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with status {code}"
    return Failed("crash", began.stage, f"the worker process {how}", began.metric, code, child.stderr_tail())


def _babble(child: Child, began: Began, error: WireError) -> Failed:
    """Kill a worker that sent what is no message, and say what came."""
    child.kill()
    message = f"killed: it sent what is no message of a worker ({error})"
    return Failed("crash", began.stage, message, began.metric, None, child.stderr_tail())


def processes() -> list[int]:
    """Return the process ids of the workers that live."""
    return [child.process.pid for child in list(_all) if child.alive]


def stop() -> None:
    """Kill every worker of this process; jobs that run, and those that come, end as stopped."""
    _stopping.set()
    for child in list(_all):
        child.kill()


def close() -> None:
    """Free every worker, once no thread calls `supervise` any more, and allow new ones."""
    for child in list(_all):
        child.close()
    _idle.clear()
    _stopping.clear()


atexit.register(close)
