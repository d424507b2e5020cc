"""Run cells on workers: keep every worker busy, and store results as they come."""

from __future__ import annotations

import math
import signal
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Protocol

from ...ending_signals import handling_the_first
from ..records.cells import CellKey, Saved
from ..records.messages import Limits, Outcome, Stored
from ..store.writer import StoreWriter
from ..worker import pool
from ..worker.cpu_load import LOADED_SHARE, WINDOW_SECONDS, Watch
from .plan import Planned

STORE_SECONDS = 0.1
"""How long a cell that ended may wait for others to share its transaction: small cells end every few ms."""
BATCH_SECONDS = 0.1
"""How long the quick cells that a worker gets at once may take: it should not wait for the runner between
cells of a few ms, and no other worker for it at the end."""
FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM)
"""Exit codes of workers that another program killed: what we kill ourselves past its limits has none."""


class Work(Protocol):
    """Where cells come from, and where their ends are reported."""

    def next(self, picture_sha256: str | None) -> Planned | None:
        """Return a cell to start, of the picture that the free worker holds if there is one, or None."""
        ...

    def more(self, picture_sha256: str) -> Planned | None:
        """Return another cell of a picture that waits already, or None."""
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

    def more(self, picture_sha256: str) -> Planned | None:
        """Return a cell of this picture, or None."""
        waiting = self._cells.get(picture_sha256)
        return waiting.popleft() if waiting else None

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
        self.running: dict[Future[None], str] = {}
        """The batches that workers have, and the pictures they are of."""
        self.ends: SimpleQueue[tuple[Planned, Outcome] | Future[None]] = SimpleQueue()
        """Of cells and of whole batches, from the threads that wait for workers."""
        self.pace: dict[str, float] = {}
        """Seconds that a pixel took in the last cell of each codec that ended well."""
        self.killed: set[CellKey] = set()
        """Cells whose worker something else has killed."""
        self.ended: list[tuple[Planned, Outcome, bool, tuple[float, float]]] = []
        """Cells to store, whether nothing more is asked of each, and when it began and ended."""
        self.watch = Watch(())
        """Of the rest of the machine, around a worker that works alone."""
        self.began = self.look()
        self.stored_at = monotonic()

    def run(self, executor: Executor) -> None:
        """Run until the work has no more; on Ctrl-C kill the workers and store what had finished."""
        with stoppable(self.interrupt):
            self.submit(executor, None)
            while self.running:
                self.take(executor)
                self.store_ended()
            self.store_ended(now=True)
        self.place.store.end_run(self.place.run_id, "interrupted" if self.interrupted else "finished")

    def interrupt(self) -> None:
        """Start nothing more and kill what runs."""
        self.interrupted = True
        pool.stop()

    def submit(self, executor: Executor, picture_sha256: str | None) -> None:
        """Give every free worker cells; the first come from one that holds this picture."""
        while len(self.running) < self.place.workers and not self.interrupted:
            first = self.work.next(picture_sha256)
            if first is None:
                return
            self.began = self.look()
            future = executor.submit(self.supervise, self.batch(first))
            self.running[future] = first.key.picture_sha256
            future.add_done_callback(self.ends.put)

    def batch(self, first: Planned) -> tuple[Planned, ...]:
        """Return a cell with as many more of its picture as will be quick together."""
        cells = [first]
        left_seconds = BATCH_SECONDS
        while True:
            left_seconds -= self.seconds(cells[-1])
            following = self.work.more(first.key.picture_sha256) if left_seconds > 0 else None
            if following is None:
                return tuple(cells)
            cells.append(following)

    def seconds(self, planned: Planned) -> float:
        """Return how long a cell will take by the last one of its codec; endless where there was none."""
        return planned.picture.pixel_count * self.pace.get(planned.key.codec_id, math.inf)

    def supervise(self, batch: tuple[Planned, ...]) -> None:
        """Wait, in a thread of the executor's, for a worker to do some cells; report the end of each."""
        outcomes = pool.supervise_each((planned.cell for planned in batch), self.place.limits)
        for end in zip(batch, outcomes, strict=True):
            self.ends.put(end)

    def take(self, executor: Executor) -> None:
        """Take what ended next, if anything does soon; refill the worker whose cells have all ended."""
        try:
            end = self.ends.get(timeout=STORE_SECONDS)
        except Empty:
            return
        if isinstance(end, Future):
            picture_sha256 = self.running.pop(end)
            end.result()  # raises what went wrong in the thread
            self.submit(executor, picture_sha256)
        else:
            self.take_cell(*end)

    def take_cell(self, planned: Planned, outcome: Outcome) -> None:
        """Note how a cell ended, for the work and for the store."""
        if outcome.seconds is not None:
            self.pace[planned.key.codec_id] = outcome.seconds / planned.picture.pixel_count
        span = self.began, self.look()
        self.began = span[1]
        left = self.once_more(planned, outcome) or _left(planned, outcome)
        if left:
            self.work.again(left)
        self.work.finished(planned, outcome, left is None)
        self.ended.append((planned, outcome, left is None, span))

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
        moment = self.look()
        self.place.store.save(
            (self.saved(planned, self.contended(*span)), outcome) for planned, outcome, _, span in self.ended
        )
        self.watch.forget(moment - WINDOW_SECONDS)
        for planned, outcome, last, _ in self.ended:
            self.work.stored(planned, outcome, last)
        self.ended.clear()
        self.stored_at = monotonic()

    def look(self) -> float:
        """Read the machine's CPU counters where one worker works alone, and return the moment."""
        return monotonic() if self.place.workers > 1 else self.watch.look(pool.processes())

    def contended(self, began: float, ended: float) -> bool:
        """Return whether other cells or programs used the machine's CPU while a cell ran.

        Asked when the cell is stored: the counters tell little of a quick one before some time is over.
        """
        return self.place.workers > 1 or self.watch.share(began, ended) > LOADED_SHARE

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
    if not died_in_metric or outcome.stopped:
        return None
    rest = _rest(planned, outcome)
    return replace(rest, replace=False) if rest.cell.metrics and rest.cell.stored else None


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


def stoppable(stop: Callable[[], None]) -> AbstractContextManager[None]:
    """Call ``stop`` on the first Ctrl-C, SIGTERM or SIGHUP; a second one ends the program at once."""
    return handling_the_first(lambda *_: stop())
