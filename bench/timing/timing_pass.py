"""Time the cells of a suite's ``[timing]`` table, one call at a time, interleaved at random."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from statistics import median
from time import monotonic
from typing import TypeVar

import psutil

from ..records.messages import CallCost, CallNeeds, Inspected, Limits, Original, Outcome, Timed, TimingCall
from ..run.execution import stoppable
from ..run.plan import PlannedCodec, PlannedPicture
from ..run.prepare import Options, Prepared, prepare, refuse_unknown
from ..run.suite import Suite, TimingTable
from ..run.timing_report import TimingReport
from ..store import timings as stored
from ..store.store import Store
from ..store.timings import Footprint, Side, Timing, TimingKey
from ..store.writer import StoreWriter, id_of_machine
from ..worker import device, pool
from ..worker.cpu_load import LOADED_SHARE, Watch, quietest
from . import footprint

Item = TypeVar("Item")
QUICK_SECONDS = 0.1
"""A call quicker than this is made and dropped directly before each timed one: it begins with cold caches."""
MEMORY_SHARE = 0.5
"""Of the machine's memory that the codecs timed against each other may fill; more are timed in turns."""
GPU_MIB = 16 * 1024
"""Likewise, of the GPU's memory."""
CALLS_OF_INSPECTION = 3
"""How many times one inspection encodes and decodes at most: memory, operations, kernels."""


@dataclass(frozen=True, slots=True, eq=False)
class TimedCell:
    """One picture x codec x quality to time; equal only to itself."""

    key: TimingKey
    codec: PlannedCodec
    original: Original


@dataclass(frozen=True, slots=True)
class TimeAgain:
    """What to time again although it is stored."""

    force: frozenset[str] = frozenset()
    """Names or labels of codecs."""
    loaded: bool = False
    """Whether to time again what was timed while others used the machine."""


@dataclass(slots=True)
class _Record:
    """What is known of one cell so far."""

    inspected: Inspected
    costs: list[Timed] = field(default_factory=list)
    shares: list[tuple[float, float]] = field(default_factory=list)
    """When each repeat began and ended."""
    load_before: float = 0.0
    load_after: float = 0.0


def prepare_alone(suite: Suite, store: StoreWriter, options: Options) -> Prepared:
    """Return what a suite means here, without its metrics; no worker is left when it returns.

    Args:
        suite: Whose codecs and pictures are timed.
        store: Where files and codecs become known.
        options: Which codecs and pictures of it, and where the sets are.

    Raises:
        SuiteError: The suite asks for what does not exist.
        DatasetError: A picture set is not here, or one of its files is not what it should be.
    """
    workers = options.workers or device.cores()
    with ThreadPoolExecutor(workers) as executor:
        try:
            return prepare(suite.model_copy(update={"metrics": ()}), store, options, executor)
        finally:
            pool.stop()
            pool.close()


def run(
    prepared: Prepared,
    text: str,
    store: StoreWriter,
    time_again: TimeAgain,
    advanced: Callable[[int, int], None],
) -> TimingReport:
    """Return the report of a finished or interrupted timing pass, its rows stored.

    No other worker may run meanwhile. The suite's ``[timing]`` table, or its defaults, say what is timed.

    Args:
        prepared: The suite, its pictures and the codecs that loaded.
        text: The suite file's text, kept with the run.
        store: Where timings go; what is timed on this machine already is left out.
        time_again: Which stored timings to repeat.
        advanced: Called with how many calls are made, and of how many.
    """
    timing = prepared.suite.timing or TimingTable()
    machine = device.describe()
    machine_id = id_of_machine(machine)
    cells, todo = _to_do(timing, prepared, store, machine_id, time_again)
    report = TimingReport(len(cells), len(cells) - len(todo))
    if not todo:
        return report
    if timing.threads > device.cores():
        report.notes.append(f"timing: {timing.threads} threads share the {device.cores()} cores there are")
    report.notes += [f"timing: {warning}"] if (warning := device.unsteady_clock(machine)) else []
    run_id = store.begin_run(prepared.suite.name, text, machine, 1, len(todo), prepared.call)
    timing_pass = _Pass(timing, prepared.suite.cell_limits, store, run_id, machine_id, report, advanced)
    try:
        with stoppable(timing_pass.interrupt):
            timing_pass.run(todo)
    finally:
        pool.close()
        store.end_run(run_id, "interrupted" if report.interrupted else "finished")
    return report


def planned(prepared: Prepared, store: Store, time_again: TimeAgain) -> TimingReport:
    """Return what a timing pass would do, as the report of one that has done nothing yet.

    Args:
        prepared: What the suite means here.
        store: Whose timings of this machine count as done.
        time_again: Which stored timings are made anew.
    """
    timing = prepared.suite.timing or TimingTable()
    cells, todo = _to_do(timing, prepared, store, id_of_machine(device.describe()), time_again)
    return TimingReport(len(cells), len(cells) - len(todo))


def _to_do(
    timing: TimingTable, prepared: Prepared, store: Store, machine_id: str, time_again: TimeAgain
) -> tuple[list[TimedCell], list[TimedCell]]:
    """Return all cells to time, and those of them that are not stored, or wanted again."""
    labels = {name for codec in prepared.codecs for name in (codec.label, codec.info.name)}
    refuse_unknown("--force ", time_again.force, labels | {table.name for table in prepared.suite.codecs})
    cells = cells_to_time(timing, prepared, machine_id)
    before = stored.known(store, {cell.key.codec_id for cell in cells}, machine_id)
    return cells, [cell for cell in cells if _wanted(cell, before, time_again)]


def _wanted(cell: TimedCell, before: dict[TimingKey, bool], time_again: TimeAgain) -> bool:
    forced = bool({cell.codec.label, cell.codec.info.name} & time_again.force)
    return forced or cell.key not in before or (time_again.loaded and before[cell.key])


def cells_to_time(timing: TimingTable, prepared: Prepared, machine_id: str) -> list[TimedCell]:
    """Return the cells of a suite that its ``[timing]`` table picks.

    Args:
        timing: How many pictures and settings of each codec.
        prepared: What the suite means here.
        machine_id: Part of the key of each timing.
    """
    by_set: dict[str, list[PlannedPicture]] = {}
    for picture in prepared.pictures:
        by_set.setdefault(picture.image_set, []).append(picture)
    chosen = {
        picture.sha256: picture for members in by_set.values() for picture in spread(members, timing.pictures)
    }
    cells: list[TimedCell] = []
    for codec in prepared.codecs:
        for quality in spread(codec.qualities(), timing.settings):
            for picture in chosen.values():
                key = TimingKey(picture.sha256, codec.codec_id, quality, machine_id, timing.threads)
                member = picture.picture
                original = Original(str(member.path), picture.sha256, member.caption, member.text)
                cells.append(TimedCell(key, codec, original))
    return cells


def spread(items: Sequence[Item], count: int | None) -> list[Item]:
    """Return at most so many items, evenly spread with both ends among them; of one, the middle.

    >>> spread("abcdefg", 3), spread("abcdefg", 1), spread("ab", 3)
    (['a', 'd', 'g'], ['d'], ['a', 'b'])
    """
    if count is None or count >= len(items):
        return list(items)
    if count == 1:
        return [items[len(items) // 2]]
    last = len(items) - 1
    return [items[round(place * last / (count - 1))] for place in range(count)]


class _Pass:
    """One worker for each codec, of which never more than one works."""

    def __init__(
        self,
        timing: TimingTable,
        limits: Limits,
        store: StoreWriter,
        run_id: int,
        machine_id: str,
        report: TimingReport,
        advanced: Callable[[int, int], None],
    ) -> None:
        self.timing = timing
        self.limits = limits
        self.store = store
        self.run_id = run_id
        self.machine_id = machine_id
        self.report = report
        self.advanced = advanced
        self.calls = [0, 0]
        self.random = random.Random(run_id)
        self.cores = quietest(timing.threads)
        self.watch = Watch(self.cores)
        self.workers: dict[str, pool.Child] = {}
        self.records: dict[TimedCell, _Record] = {}
        self.footprints: dict[str, Footprint] = {}
        self.spent: dict[str, float] = {}

    def run(self, cells: Sequence[TimedCell]) -> None:
        """Time the cells, as many codecs against each other as fit into memory."""
        by_codec: dict[str, list[TimedCell]] = {}
        for cell in cells:
            by_codec.setdefault(cell.key.codec_id, []).append(cell)
        self.calls = [0, len(cells) * (1 + self.timing.repeats)]
        left = list(by_codec)
        self.random.shuffle(left)
        while left and not self.report.interrupted:
            # What decoders open is looked at on the cores that an inspection leaves; timing waits for both.
            with ThreadPoolExecutor(max(1, device.cores() - self.timing.threads)) as executor:
                looking: list[Future[None]] = []
                while left and not self.report.interrupted and not self.crowded():
                    cells_of_codec = by_codec[left.pop()]
                    self.inspect(cells_of_codec)
                    looking.append(executor.submit(self.look_at_files, cells_of_codec))
                for look in looking:
                    look.result()
            for place in range(self.timing.repeats):
                self.repeat(place)
            self.save()

    def interrupt(self) -> None:
        """Start nothing more and kill what runs."""
        self.report.interrupted = True
        pool.stop()

    def crowded(self) -> bool:
        """Whether no further codec should be loaded beside those that are."""
        needs = [
            needs_of_call
            for record in self.records.values()
            for needs_of_call in (record.inspected.encode, record.inspected.decode)
        ]
        gpu_mib = sum(need.peak_gpu_mib or 0 for need in needs) / max(1, len(needs)) * len(self.workers)
        resident = sum(child.resident_bytes() for child in self.workers.values())
        return resident > MEMORY_SHARE * psutil.virtual_memory().total or gpu_mib > GPU_MIB

    def inspect(self, cells: Sequence[TimedCell]) -> None:
        """Inspect what a codec's cells need, untimed; this warms them up as well."""
        order = list(cells)
        self.random.shuffle(order)
        limits = replace(self.limits, seconds=self.limits.seconds * CALLS_OF_INSPECTION)
        for cell in order:
            if self.report.interrupted:
                return
            outcome = self.ask(cell, limits, inspect=True)
            if outcome.inspected:
                self.records[cell] = _Record(outcome.inspected)

    def look_at_files(self, cells: Sequence[TimedCell]) -> None:
        """Find the footprint of a codec, from one bitstream of each setting, or note why there is none."""
        codec = cells[0].codec
        streams = {
            cell.key.quality: self.records[cell].inspected.bitstream_sha256
            for cell in cells
            if cell in self.records
        }
        if not streams or self.report.interrupted:
            return
        paths = tuple(str(self.store.blobs.bitstream_path(stream)) for stream in streams.values())
        try:
            job = footprint.FootprintJob(codec.table.spec, paths)
            self.footprints[codec.codec_id] = footprint.observe(job, self.limits.seconds * len(paths))
        except footprint.FootprintError as error:
            self.report.notes.append(f"timing: {codec.label}: {error}")

    def repeat(self, place: int) -> None:
        """Time every cell once more, in an order of its own."""
        order = list(self.records)
        self.random.shuffle(order)
        for cell in order:
            late = place and self.spent[cell.key.codec_id] > self.timing.seconds
            if self.report.interrupted or late or cell not in self.records:
                continue
            self.time(cell, self.records[cell])

    def time(self, cell: TimedCell, record: _Record) -> None:
        """Time a cell once, reading the machine's CPU counters before and after."""
        needs = record.inspected
        quick = needs.encode.wall_seconds + needs.decode.wall_seconds < 2 * QUICK_SECONDS
        record.load_before = record.load_before or os.getloadavg()[0]
        start = self.look()
        outcome = self.ask(cell, self.limits, warm_up=self.timing.warm_up if quick else 0)
        end = self.look()
        record.load_after = os.getloadavg()[0]
        if outcome.timed:
            record.costs.append(outcome.timed)
            record.shares.append((start, end))
        else:
            del self.records[cell]

    def look(self) -> float:
        """Read the machine's CPU counters and return the moment."""
        return self.watch.look(child.process.pid for child in self.workers.values() if child.alive)

    def ask(self, cell: TimedCell, limits: Limits, *, inspect: bool = False, warm_up: int = 0) -> Outcome:
        """Return what the codec's worker reports of one call."""
        codec_id = cell.key.codec_id
        child = self.workers.get(codec_id)
        fresh = child is None or not child.alive
        if child is None or fresh:
            child = self.workers[codec_id] = pool.Child(self.timing.threads)
        blobs = str(self.store.blobs.folder)
        spec = cell.codec.table.spec
        job = TimingCall(cell.original, spec, cell.key.quality, self.cores, blobs, inspect, warm_up)
        outcome, start = Outcome(), monotonic()
        pool.ask(child, job, limits, outcome)
        loading = outcome.inspected.load_seconds if outcome.inspected and fresh else 0
        self.spent[codec_id] = self.spent.get(codec_id, 0) + monotonic() - start - loading
        failed = outcome.failed[0] if outcome.failed and not outcome.stopped else None
        if failed:
            self.report.failed += 1
            stored.save_failure(self.store, self.run_id, cell.key, failed)
            where = f"{cell.codec.label} {cell.key.quality:g}, {failed.stage}"
            self.report.notes.append(f"timing: {where}: {failed.message}")
        self.calls[0] += 1
        self.advanced(*self.calls)
        return outcome

    def save(self) -> None:
        """Store what was timed and free the workers; after an interruption, what has most of its repeats."""
        wanted = self.timing.repeats // 2 + 1 if self.report.interrupted else 1
        timings = {
            cell.key: self.summary(record)
            for cell, record in self.records.items()
            if len(record.costs) >= wanted
        }
        stored.save(self.store, self.run_id, self.machine_id, timings, self.footprints)
        self.report.timed += len(timings)
        self.report.loaded += sum(timing.loaded for timing in timings.values())
        for child in self.workers.values():
            child.close()
        self.workers.clear()
        self.records.clear()
        self.footprints.clear()

    def summary(self, record: _Record) -> Timing:
        """Return a cell's timing."""
        inspected = record.inspected
        shares = tuple(round(self.watch.share(start, end), 3) for start, end in record.shares)
        return Timing(
            inspected.bitstream_bytes,
            side((cost.encode for cost in record.costs), inspected.encode),
            side((cost.decode for cost in record.costs), inspected.decode),
            shares,
            inspected.empty_mib,
            inspected.load_seconds,
            record.load_before,
            record.load_after,
            median(shares) > LOADED_SHARE,
        )


def side(costs: Iterable[CallCost], needs: CallNeeds) -> Side:
    """Return the repeats of an encode, or decode, with what it needs."""
    listed = list(costs)
    spans = [cost.device_span_seconds for cost in listed if cost.device_span_seconds is not None]
    joules = [cost.energy_joules for cost in listed if cost.energy_joules is not None]
    return Side(
        tuple(cost.wall_seconds for cost in listed),
        tuple(cost.cpu_seconds for cost in listed),
        tuple(spans) or None,
        tuple(joules) or None,
        needs.gpu_busy_seconds,
        needs.peak_mib,
        needs.peak_gpu_mib,
        needs.macs,
    )
