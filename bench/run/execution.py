"""Run cells on workers: keep every worker busy, and store results as they come."""

from __future__ import annotations

import signal
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Protocol

from ..records.cells import CellKey, Saved
from ..records.messages import Limits, Outcome, Stored
from ..store.writer import StoreWriter
from ..worker import pool
from ..worker.cpu_load import LOADED_SHARE, WINDOW_SECONDS, Watch
from .plan import Planned

STORE_SECONDS = 0.1
"""How long a cell that ended may wait for others to share its transaction: small cells end every few ms."""
FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)
"""Exit codes of workers that another program killed: what we kill ourselves past its limits has none."""


class Work(Protocol):
    """Where cells come from, and where their ends are reported."""

    def next(self, picture_sha256: str | None) -> Planned | None:
        """Return a cell to start, of the picture that the free worker holds if there is one, or None."""
        ...

    def again(self, planned: Planned) -> None:
        """Take back, for the front, a cell whose worker died in one metric, with the metrics left."""
        ...

    def finished(self, planned: Planned, outcome: Outcome, last: bool) -> None:
        """Take the outcome of a cell before it is stored; ``last`` unless the cell comes again.

        Args:
            planned: The cell.
            outcome: What its worker returned, or how it failed.
            last: False where the cell comes again with metrics that are left.
        """
        ...

    def stored(self, planned: Planned, outcome: Outcome, last: bool) -> None:
        """Take note that a cell is stored; ``last`` unless it comes again.

        Args:
            planned: The cell.
            outcome: What its worker returned, or how it failed.
            last: False where the cell comes again with metrics that are left.
        """
        ...


class CellQueue:
    """Cells in the order in which workers should have them: one that holds a picture keeps to it."""

    def __init__(self, cells: Iterable[Planned] = ()) -> None:
        self._cells: dict[str, deque[Planned]] = defaultdict(deque)
        for planned in cells:
            self.add(planned)

    def add(self, planned: Planned) -> None:
        """Put a cell behind the others of its picture."""
        self._cells[planned.key.picture_sha256].append(planned)

    def again(self, planned: Planned) -> None:
        """Put a cell before the others of its picture."""
        self._cells[planned.key.picture_sha256].appendleft(planned)

    def next(self, picture_sha256: str | None) -> Planned | None:
        """Return a cell of this picture, else of the one with most cells left, or None."""
        if picture_sha256 is None or not self._cells.get(picture_sha256):
            self._cells = defaultdict(deque, {key: cells for key, cells in self._cells.items() if cells})
            if not self._cells:
                return None
            picture_sha256 = max(self._cells, key=lambda key: len(self._cells[key]))
        return self._cells[picture_sha256].popleft()


@dataclass(frozen=True, slots=True)
class RunTarget:
    """Where and how cells run and are stored."""

    store: StoreWriter
    run_id: int
    metric_ids: Mapping[str, str]
    limits: Limits
    workers: int
    probe: bool = False
    """Whether what is measured is the probe of a search, and no point of a ladder."""


class Execution:
    """The loop between workers, work and store."""

    def __init__(self, place: RunTarget, work: Work) -> None:
        self.place = place
        self.work = work
        self.interrupted = False
        self.running: dict[Future[Outcome], Planned] = {}
        self.killed: set[CellKey] = set()
        """Cells whose worker something else has killed."""
        self.ended: list[tuple[Planned, Outcome, bool, bool]] = []
        """Cells to store, whether nothing more is asked of each, and whether it was contended."""
        self.watch = Watch(())
        """Of the rest of the machine, around a worker that works alone."""
        self.began = self.look()
        self.stored_at = monotonic()

    def run(self, executor: Executor) -> None:
        """Run until the work has no more; on Ctrl-C kill the workers and store what had finished."""
        with stoppable(self.interrupt):
            self.submit(executor, None)
            while self.running:
                done, _ = wait(self.running, timeout=STORE_SECONDS, return_when=FIRST_COMPLETED)
                self.take(done, executor)
                self.store_ended()
            self.store_ended(now=True)
        self.place.store.end_run(self.place.run_id, "interrupted" if self.interrupted else "finished")

    def interrupt(self) -> None:
        """Start nothing more and kill what runs."""
        self.interrupted = True
        pool.stop()

    def submit(self, executor: Executor, picture_sha256: str | None) -> None:
        """Give every free worker a cell; the first comes from one that holds this picture."""
        while len(self.running) < self.place.workers and not self.interrupted:
            planned = self.work.next(picture_sha256)
            if planned is None:
                return
            self.began = self.look()
            self.running[executor.submit(pool.supervise, planned.cell, self.place.limits)] = planned

    def take(self, done: Iterable[Future[Outcome]], executor: Executor) -> None:
        """Refill the workers whose cells ended."""
        for future in done:
            planned, outcome = self.running.pop(future), future.result()
            contended = self.contended()
            left = self.once_more(planned, outcome) or _left(planned, outcome)
            if left:
                self.work.again(left)
            self.work.finished(planned, outcome, left is None)
            self.ended.append((planned, outcome, left is None, contended))
            self.submit(executor, planned.key.picture_sha256)

    def once_more(self, planned: Planned, outcome: Outcome) -> Planned | None:
        """Return what is left of a cell whose worker was killed from outside; its death is taken back.

        Where memory is short the kernel kills whoever is largest, and operators end what seems stuck: the
        codec may have done nothing wrong. The second time, it counts.
        """
        killed = outcome.failed[-1] if outcome.failed and not outcome.stopped else None
        if killed is None or killed.exit_code not in FROM_OUTSIDE or planned.key in self.killed:
            return None
        self.killed.add(planned.key)
        outcome.failed.pop()
        return _rest(planned, outcome)

    def store_ended(self, *, now: bool = False) -> None:
        """Store what ended, once enough time has passed since the last transaction."""
        if not self.ended or not (now or monotonic() - self.stored_at > STORE_SECONDS):
            return
        self.place.store.save(
            (self.saved(planned, contended), outcome) for planned, outcome, _, contended in self.ended
        )
        for planned, outcome, last, _ in self.ended:
            self.work.stored(planned, outcome, last)
        self.ended.clear()
        self.stored_at = monotonic()

    def look(self) -> float:
        """Read the machine's CPU counters where one worker works alone, and return the moment."""
        if self.place.workers > 1:
            return monotonic()
        moment = self.watch.look(pool.processes())
        if not self.running:
            self.watch.forget(moment - WINDOW_SECONDS)
        return moment

    def contended(self) -> bool:
        """Return whether other cells or programs used the machine's CPU while a cell ran."""
        return self.place.workers > 1 or self.watch.share(self.began, self.look()) > LOADED_SHARE

    def saved(self, planned: Planned, contended: bool) -> Saved:
        """Return how to store a cell."""
        stored = planned.cell.stored
        return Saved(
            planned.key,
            self.place.run_id,
            stored.decoded_sha256 if stored else None,
            self.place.metric_ids,
            contended,
            planned.replace,
            self.place.probe,
        )


def _left(planned: Planned, outcome: Outcome) -> Planned | None:
    """Return the cell with the metrics that a worker's death in another left out, if there are any."""
    died_in_metric = any(failed.metric and failed.outcome != "error" for failed in outcome.failed)
    rest = _rest(planned, outcome)
    if not (died_in_metric and rest.cell.metrics and rest.cell.stored) or outcome.stopped:
        return None
    return replace(rest, replace=False)


def _rest(planned: Planned, outcome: Outcome) -> Planned:
    """Return the cell without what it has given so far."""
    answered = {answer.metric for answer in (*outcome.scored, *outcome.failed)}
    left = tuple(name for name in planned.cell.metrics if name not in answered)
    cell = replace(planned.cell, metrics=left, stored=_stored(planned, outcome))
    return replace(planned, cell=cell, replace=planned.replace and not outcome.measured)


def _stored(planned: Planned, outcome: Outcome) -> Stored | None:
    if outcome.measured:
        return Stored(outcome.measured.bitstream_sha256, outcome.measured.decoded_sha256)
    return planned.cell.stored


@contextmanager
def stoppable(stop: Callable[[], None]) -> Generator[None]:
    """Call ``stop`` on the first SIGINT or SIGTERM; a second one ends the program at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: object) -> None:
        for number, old in before.items():
            signal.signal(number, old)
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
