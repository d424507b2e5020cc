"""Run a suite: find its pictures, load its codecs, run the cells that are missing, store their results."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from ...counts import counted
from ..records.cells import CellKey
from ..records.messages import Outcome
from ..store.plan_store import PlanStore
from ..store.searches import adopt
from ..store.writer import StoreWriter
from ..worker import pool
from ..worker.device import cores, describe
from .estimate import Estimate, estimate
from .execution import CellQueue, Execution, RunTarget
from .plan import Plan, Planned, Wanted, make_plan
from .prepare import Options, Prepared, prepare
from .seed_order import OneStream
from .suite import Suite
from .timing_report import TimingReport
from .training_overlap import training_notes

ANY_MISSING = Wanted(retry_failed=True)
"""Makes a plan of every cell that has no complete result, whatever was tried."""


class Progress(Protocol):
    """Where a run reports its progress."""

    def planned(self, plan: Plan) -> None:
        """The cells to run are known."""
        ...

    def advanced(self, planned: Planned, outcome: Outcome) -> None:
        """One cell ended and is stored."""
        ...


@dataclass(slots=True)
class Report:
    """How a run ended."""

    plan: Plan
    notes: list[str] = field(default_factory=list)
    """What was left out and why, for the user."""
    completed: int = 0
    """Cells of this run that have all they were asked for."""
    failed: int = 0
    nothing_to_measure: dict[str, set[CellKey]] = field(default_factory=dict[str, set[CellKey]])
    """By metric: cells of this run whose picture holds nothing that it measures."""
    missing: int = 0
    """Cells of the suite without a complete result, now."""
    unavailable: bool = False
    """Whether a codec or metric that the suite wants did not load."""
    interrupted: bool = False
    """Whether cells were; a timing pass that was stopped says so in its own report."""
    estimate: Estimate | None = None
    """Of a dry run."""
    prepared: Prepared | None = None
    """What the suite means here; the timing pass begins with it."""
    timing: TimingReport | None = None
    """Of the timing pass, where there was one."""

    @property
    def complete(self) -> bool:
        """Whether every cell of the suite has its result."""
        timed = self.timing is None or self.timing.complete
        return timed and not self.unavailable and not self.missing

    @property
    def stopped(self) -> bool:
        """Whether somebody ended the run, or the timing pass after it, before its time."""
        return self.interrupted or (self.timing is not None and self.timing.interrupted)

    @property
    def exit_status(self) -> int:
        """What the command that ran it ends with."""
        return 130 if self.stopped else 0 if self.complete else 1


def run(suite: Suite, text: str, store: PlanStore, options: Options, progress: Progress) -> Report:
    """Return the report of a finished or interrupted run; every finished cell is stored by then.

    Args:
        suite: As loaded from its file.
        text: The file's text, kept with the run.
        store: Where results go, a `StoreWriter` unless the run is dry; cells that have theirs are not run.
        options: Workers, parts of the suite, and what to run again.
        progress: Receives the plan, and every cell once it is stored.

    Raises:
        SuiteError: The suite asks for what does not exist.
        DatasetError: A picture set is not here, or one of its files is not what it should be.
        StoreError: The store cannot be written.
    """
    workers = options.workers or cores()
    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="cell") as executor:
            try:
                prepared = prepare(suite, store, options, executor)
                suite = prepared.suite
                plan = partial(
                    make_plan, suite, prepared.pictures, prepared.codecs, prepared.metric_ids, store
                )
                report = Report(plan(options.wanted), prepared.notes, unavailable=prepared.unavailable)
                report.prepared = prepared
                if report.plan.lost:
                    of = counted(report.plan.lost, "cell")
                    report.notes.append(f"stored bitstreams of {of} are missing or damaged: measured again")
                progress.planned(report.plan)
                writer = store if isinstance(store, StoreWriter) and not options.dry_run else None
                if report.plan.cells and writer:
                    report.notes += training_notes(prepared.pictures, prepared.codecs, writer, executor)
                if writer and not options.wanted.score_only:
                    adopt(writer, report.plan.keys)
                if report.plan.cells and writer:
                    run_id = writer.begin_run(
                        suite.name, text, describe(), workers, len(report.plan.cells), options.call
                    )
                    place = RunTarget(writer, run_id, prepared.metric_ids, suite.cell_limits, workers)
                    execution = Execution(place, _Cells(report, progress))
                    execution.run(executor)
                    report.interrupted = execution.interrupted
                    report.missing = len(
                        plan(replace(ANY_MISSING, score_only=options.wanted.score_only)).cells
                    )
                else:
                    report.missing = len(report.plan.cells) + report.plan.failed_before
                if options.dry_run:
                    report.estimate = estimate(report.plan, store, prepared.metric_ids, workers)
            finally:
                pool.stop()
    finally:
        pool.close()
    return report


class _Cells:
    """The cells of a plan as work; each is counted in the report once it is stored."""

    def __init__(self, report: Report, progress: Progress) -> None:
        self.streams = OneStream(report.plan.cells)
        self.waiting = CellQueue(self.streams.ready)
        self.report = report
        self.progress = progress
        self.failed: set[CellKey] = set()
        self.next = self.waiting.next
        self.more = self.waiting.more
        self.again = self.waiting.again

    def finished(self, planned: Planned, outcome: Outcome, last: bool) -> None:
        """Let those begin that decode the same bitstream with other seeds."""
        if last or outcome.measured:
            for released in self.streams.release(planned, outcome):
                self.waiting.again(released)

    def stored(self, planned: Planned, outcome: Outcome, last: bool) -> None:
        """Count a cell as completed when nothing of it failed."""
        if outcome.stopped:
            return
        if outcome.failed:
            self.failed.add(planned.key)
        for scored in outcome.scored:
            if not scored.applicable:
                self.report.nothing_to_measure.setdefault(scored.metric, set()).add(planned.key)
        if not last:
            return
        if planned.key in self.failed:
            self.report.failed += 1
        else:
            self.report.completed += 1
        self.progress.advanced(planned, outcome)
