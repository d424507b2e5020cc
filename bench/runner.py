"""Turn a suite into rows: find its pictures, ask its codecs, run what is missing, store as it comes."""

from __future__ import annotations

import signal
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Protocol

from ..codecs import registry as codec_registry
from ..codecs.base import CodecError
from ..datasets.catalogue import open_set
from ..datasets.manifest import DatasetError, ImageSet
from . import pool
from .device import cores, describe
from .estimate import Estimate, estimate
from .jobs import CodecSpec, Describe, Described, Limits, Outcome, Stored
from .measure import identify
from .metrics import registry as metric_registry
from .metrics.base import MetricError
from .plan import Plan, Planned, PlannedCodec, PlannedPicture, Wanted, make_plan
from .store.writer import CellKey, Saved, StoreWriter
from .suite import CodecTable, Suite, SuiteError, unset_variable

ANY_MISSING = Wanted(retry_failed=True)
"""Makes a plan of every cell that has no complete result, whatever was tried."""

STORE_SECONDS = 0.1
"""How long a cell that ended may wait for others to share its transaction: small cells end every few ms."""

LOAD_LIMITS = Limits(seconds=600, memory_mib=64 * 1024)
"""For asking codecs and metrics what they are: weights may be large and slow to load."""


class Progress(Protocol):
    """Where a run tells how it goes."""

    def planned(self, plan: Plan) -> None:
        """The cells to run are known."""
        ...

    def advanced(self, planned: Planned, outcome: Outcome) -> None:
        """One cell ended and is stored."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a suite."""

    data: Path | None = None
    workers: int = 0
    """0 for one worker a core."""
    wanted: Wanted = field(default_factory=Wanted)
    only_codecs: frozenset[str] = frozenset()
    only_sets: frozenset[str] = frozenset()
    pictures: int | None = None
    """How many pictures of each set at most."""
    dry_run: bool = False


@dataclass(slots=True)
class Report:
    """How a run ended."""

    plan: Plan
    notes: list[str] = field(default_factory=list)
    """What was left out and why, for the user."""
    completed: int = 0
    """Cells of this run that have all they were asked for."""
    failed: int = 0
    missing: int = 0
    """Cells of the suite without a complete result, now."""
    unavailable: bool = False
    """Whether a codec or metric that the suite wants did not load."""
    interrupted: bool = False
    estimate: Estimate | None = None
    """Of a dry run."""

    @property
    def complete(self) -> bool:
        """Whether every cell of the suite has its result."""
        return not self.unavailable and not self.missing


def run(suite: Suite, text: str, store: StoreWriter, options: Options, progress: Progress) -> Report:
    """Return the report of a finished or interrupted run; every finished cell is stored by then.

    Raises:
        SuiteError: The suite asks for what does not exist.
        DatasetError: A picture set is not here, or one of its files is not what it should be.
        StoreError: The store cannot be written.
    """
    workers = options.workers or cores()
    tables = _chosen_codecs(suite, options)
    sets, left_out = _open_sets(suite, options)
    suite = suite.model_copy(update={"metrics": _identities(suite.metrics)})
    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="cell") as executor:
            try:
                asked = _ask(tables, suite.metrics, executor)
                pictures = _identify(sets, store, workers, whole=options.pictures is None)
                report, codecs, metric_ids = _register(asked, tables, store)
                report.notes[:0] = left_out
                plan = partial(make_plan, suite, pictures, codecs, metric_ids, store)
                report.plan = plan(options.wanted)
                progress.planned(report.plan)
                if report.plan.cells and not options.dry_run:
                    run_id = store.begin_run(suite.name, text, describe(), workers, len(report.plan.cells))
                    _Execution(suite, store, report, metric_ids, run_id, workers, progress).go(executor)
                    report.missing = len(
                        plan(replace(ANY_MISSING, score_only=options.wanted.score_only)).cells
                    )
                else:
                    report.missing = len(report.plan.cells) + report.plan.failed_before
                if options.dry_run:
                    report.estimate = estimate(report.plan, store, metric_ids, workers)
            finally:
                pool.stop()
    finally:
        pool.close()
    return report


@contextmanager
def _stoppable(stop: Callable[[], None]) -> Generator[None]:
    """Let Ctrl-C, or a polite kill, call ``stop`` once; a second one ends the program at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(_number: int, _frame: object) -> None:
        for one, old in before.items():
            signal.signal(one, old)
        stop()

    before = {one: signal.signal(one, handle) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, old in before.items():
            signal.signal(one, old)


def _chosen_codecs(suite: Suite, options: Options) -> list[CodecTable]:
    for place, table in enumerate(suite.codecs):
        try:
            codec_registry.find(table.name)
        except CodecError as error:
            raise SuiteError(f"suite {suite.name!r}, codecs.{place}.name: {error}") from error
    chosen = [
        table for table in suite.codecs if not options.only_codecs or _names(table) & options.only_codecs
    ]
    if not chosen:
        known = ", ".join(sorted({table.name for table in suite.codecs}))
        raise SuiteError(
            f"--only codec={','.join(options.only_codecs)} fits none of the suite's codecs: {known}"
        )
    return chosen


def _names(table: CodecTable) -> set[str]:
    """Return what --only may call a codec: its name, its label, or its recipe's file name."""
    recipe = {Path(str(table.params["recipe"])).stem} if "recipe" in table.params else set[str]()
    return {table.name, table.title} | recipe


def _open_sets(suite: Suite, options: Options) -> tuple[list[ImageSet], list[str]]:
    """Return the sets, and a note on each optional one that is not here."""
    wanted = [*suite.sets, *suite.optional_sets]
    chosen = [one for one in wanted if not options.only_sets or {one, Path(one).stem} & options.only_sets]
    if not chosen:
        raise SuiteError(f"--only set={','.join(options.only_sets)} fits none of: {', '.join(wanted)}")
    opened: list[ImageSet] = []
    left_out: list[str] = []
    for name in chosen:
        try:
            opened.append(open_set(name, options.data))
        except DatasetError as error:
            if name in suite.sets:
                raise
            left_out.append(f"set {name}: {unset_variable(name) or error} (optional)")
    if not opened:
        raise DatasetError("\n".join(left_out))
    return [replace(one, pictures=one.pictures[: options.pictures]) for one in opened], left_out


def _identities(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the identities that will score: here ``ssimulacra2`` may be ``ssimulacra2-py``."""
    try:
        return tuple(
            dict.fromkeys(metric_registry.resolved(metric_registry.find(name).name) for name in names)
        )
    except MetricError as error:
        raise SuiteError(str(error)) from error


def _ask(tables: Sequence[CodecTable], metrics: Sequence[str], executor: Executor) -> list[Future[Outcome]]:
    """Ask each codec and metric what it is, one job each: one that dies takes no other along."""
    present = [table.spec for table in tables if codec_registry.find(table.name).missing is None]
    jobs = [Describe((spec,), ()) for spec in present] + [Describe((), (name,)) for name in metrics]
    return [executor.submit(pool.supervise, job, LOAD_LIMITS) for job in jobs]


def _identify(
    sets: Sequence[ImageSet], store: StoreWriter, workers: int, *, whole: bool
) -> list[PlannedPicture]:
    """Return every picture with the hash of its pixels; files unchanged since the last run are not read."""
    paths = {str(picture.path): picture for one in sets for picture in one.pictures}
    known = store.known_files(paths)
    stats = {path: picture.path.stat() for path, picture in paths.items()}
    unread = [
        path for path, stat in stats.items() if known.get(path, ())[:2] != (stat.st_size, stat.st_mtime_ns)
    ]
    with ThreadPoolExecutor(workers) as readers:
        read = list(readers.map(identify, [paths[path] for path in unread]))
    wrong = [one.error for one in read if one.error]
    if wrong:
        raise DatasetError("\n".join(wrong))
    store.add_files((one, stats[one.path].st_size, stats[one.path].st_mtime_ns) for one in read)
    sizes = store.picture_sizes()
    hashes = {path: row[2] for path, row in known.items()} | {one.path: one.sha256 for one in read}
    for one in sets:
        members = [(picture, hashes[str(picture.path)]) for picture in one.pictures]
        store.add_members(one.name, members, whole=whole)
    return [
        PlannedPicture(one.name, picture, hashes[str(picture.path)], sizes[hashes[str(picture.path)]])
        for one in sets
        for picture in one.pictures
    ]


def _register(
    asked: Iterable[Future[Outcome]], tables: Sequence[CodecTable], store: StoreWriter
) -> tuple[Report, list[PlannedCodec], dict[str, str]]:
    """Return the codecs and metrics that loaded, recorded in the store, and a report naming the others."""
    report = Report(Plan((), 0, 0, 0))
    described: dict[CodecSpec | str, Described] = {}
    for future in asked:
        outcome = future.result()
        described.update((one.what, one) for one in outcome.described)
    codecs = []
    for table in tables:
        codec = _register_codec(table, described.get(table.spec), store, report)
        codecs += [codec] if codec else []
    metric_ids: dict[str, str] = {}
    for name in (what for what in described if isinstance(what, str)):
        one = described[name]
        if one.identity is None:
            report.unavailable = True
            report.notes.append(f"metric {name}: {one.error}")
        else:
            metric_ids[name] = store.add_metric(one)
    return report, codecs, metric_ids


def _register_codec(
    table: CodecTable, described: Described | None, store: StoreWriter, report: Report
) -> PlannedCodec | None:
    missing = codec_registry.find(table.name).missing
    if missing:
        report.notes.append(f"codec {table.name} {missing}" + (" (optional)" if table.optional else ""))
        report.unavailable |= not table.optional
        return None
    if described is None or described.info is None:
        reason = described.error if described else "its process died while it loaded"
        if described and described.mistaken:
            raise SuiteError(f"codec {table.name!r}: {reason}")
        left_out = table.optional and described is not None and described.absent
        report.unavailable |= not left_out
        report.notes.append(f"codec {table.title}: {reason}" + (" (optional)" if left_out else ""))
        return None
    parameters = dict(described.parameters)
    codec_id = codec_registry.codec_id(described.info, parameters)
    store.add_codec(codec_id, described.info, described.label, parameters)
    return PlannedCodec(table, described.info, codec_id, described.label)


class _Execution:
    """The loop that keeps every worker busy and stores what they tell."""

    def __init__(
        self,
        suite: Suite,
        store: StoreWriter,
        report: Report,
        metric_ids: Mapping[str, str],
        run_id: int,
        workers: int,
        progress: Progress,
    ) -> None:
        self.suite = suite
        self.store = store
        self.report = report
        self.metric_ids = metric_ids
        self.run_id = run_id
        self.workers = workers
        self.progress = progress
        self.waiting: dict[str, deque[Planned]] = defaultdict(deque)
        self.running: dict[Future[Outcome], Planned] = {}
        self.ended: list[tuple[Planned, Outcome, bool]] = []
        """Cells to store, and whether nothing more is asked of each."""
        self.stored_at = monotonic()
        self.failed: set[CellKey] = set()
        for planned in report.plan.cells:
            self.waiting[planned.key.picture_sha256].append(planned)

    def go(self, executor: Executor) -> None:
        """Run every waiting cell; on Ctrl-C kill the workers and store what had finished."""
        with _stoppable(self.interrupt):
            for _ in range(self.workers):
                self.submit_next(executor, None)
            while self.running:
                done, _ = wait(self.running, timeout=STORE_SECONDS, return_when=FIRST_COMPLETED)
                self.take(done, executor)
                self.store_ended()
            self.store_ended(every=True)
        self.store.end_run(self.run_id, "interrupted" if self.report.interrupted else "finished")

    def interrupt(self) -> None:
        """Start nothing more and kill what runs."""
        self.report.interrupted = True
        pool.stop()

    def submit_next(self, executor: Executor, picture_sha256: str | None) -> None:
        """Start one more cell: of the picture that the free worker holds, else of the one with most left."""
        if self.report.interrupted:
            return
        if picture_sha256 is None or not self.waiting.get(picture_sha256):
            self.waiting = defaultdict(deque, {key: cells for key, cells in self.waiting.items() if cells})
            if not self.waiting:
                return
            picture_sha256 = max(self.waiting, key=lambda key: len(self.waiting[key]))
        planned = self.waiting[picture_sha256].popleft()
        self.running[executor.submit(pool.supervise, planned.cell, self.suite.cell_limits)] = planned

    def take(self, done: Iterable[Future[Outcome]], executor: Executor) -> None:
        """Refill the workers whose cells ended."""
        for future in done:
            planned, outcome = self.running.pop(future), future.result()
            self.ended.append((planned, outcome, not self.resume_scoring(planned, outcome)))
            self.submit_next(executor, planned.key.picture_sha256)

    def store_ended(self, *, every: bool = False) -> None:
        """Store and count what ended, once enough time has passed since the last transaction."""
        if not self.ended or not (every or monotonic() - self.stored_at > STORE_SECONDS):
            return
        self.store.save((self.saved(planned), outcome) for planned, outcome, _ in self.ended)
        for planned, outcome, is_last in self.ended:
            if outcome.failed and not outcome.stopped:
                self.failed.add(planned.key)
            if is_last and not outcome.stopped:
                self.count(planned)
                self.progress.advanced(planned, outcome)
        self.ended.clear()
        self.stored_at = monotonic()

    def resume_scoring(self, planned: Planned, outcome: Outcome) -> bool:
        """Queue the metrics that a worker's death in another left out; return whether there are any."""
        died_in_metric = any(one.metric and one.outcome != "error" for one in outcome.failed)
        answered = {one.metric for one in (*outcome.scored, *outcome.failed)}
        left = tuple(name for name in planned.cell.metrics if name not in answered)
        stored = _stored(planned, outcome)
        if not (died_in_metric and left and stored) or outcome.stopped:
            return False
        cell = replace(planned.cell, metrics=left, stored=stored)
        self.waiting[planned.key.picture_sha256].appendleft(replace(planned, cell=cell, replace=False))
        return True

    def saved(self, planned: Planned) -> Saved:
        """Return how to store a cell."""
        stored = planned.cell.stored
        decoded_sha256 = stored.decoded_sha256 if stored else None
        contended = self.workers > 1
        return Saved(planned.key, self.run_id, decoded_sha256, self.metric_ids, contended, planned.replace)

    def count(self, planned: Planned) -> None:
        """Count a cell as completed when nothing of it failed."""
        if planned.key in self.failed:
            self.report.failed += 1
        else:
            self.report.completed += 1


def _stored(planned: Planned, outcome: Outcome) -> Stored | None:
    if outcome.measured:
        return Stored(outcome.measured.bitstream_sha256, outcome.measured.decoded_sha256)
    return planned.cell.stored
