"""Read the details of runs: suite, machine, progress, failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from ..records.rows import RunRow
from .store import Store
from .tables.schema import AttemptTable, CodecTable, MachineTable, MeasurementTable, MetricTable, RunTable
from .tables.timing_tables import TimingTable


@dataclass(frozen=True, slots=True)
class RunDetail:
    """One run with everything that is known of it."""

    run: RunRow
    suite_text: str
    """The suite file as it was."""
    # Any: a machine's description holds whatever describes it.
    machine: Mapping[str, Any]
    measured: int
    """Cells with a result of this run; of a timing pass, those that it timed."""
    failed: int
    """Attempts of this run that ended without one."""
    newest: str | None
    """When the last result came, ISO 8601, UTC."""
    is_timing_pass: bool = False
    """Whether it timed cells instead of measuring them."""


@dataclass(frozen=True, slots=True)
class Version:
    """One codec or metric as it was when it measured."""

    what: str
    """``codec`` or ``metric``."""
    name: str
    version: str
    weights_sha256: str | None
    source: str
    """The implementation of a metric; where an imported codec's rows come from."""


def run_details(store: Store) -> list[RunDetail]:
    """Return every run, newest first."""
    attempt = AttemptTable
    failures = select(attempt.run_id, func.count()).group_by(attempt.run_id)
    rest = select(RunTable.id, RunTable.suite_text, MachineTable.description).join(
        MachineTable, MachineTable.id == RunTable.machine_id
    )
    done: dict[int, tuple[int, str, bool]] = {}
    with store.reading() as connection:
        # A run measures or times, never both: the timing pass is a run of its own.
        for table in (MeasurementTable, TimingTable):
            results = select(table.run_id, func.count(), func.max(table.created_at)).group_by(table.run_id)
            is_timing = table is TimingTable
            done.update((row[0], (row[1], row[2], is_timing)) for row in connection.execute(results))
        failed = {row[0]: row[1] for row in connection.execute(failures)}
        suites_and_machines = {row[0]: (row[1], row[2]) for row in connection.execute(rest)}
    details: list[RunDetail] = []
    for run in store.runs():
        measured, newest, timed = done.get(run.run_id, (0, None, run.call[:1] == ("time",)))
        failures_of_run = failed.get(run.run_id, 0)
        details.append(
            RunDetail(run, *suites_and_machines[run.run_id], measured, failures_of_run, newest, timed)
        )
    return details


def versions(store: Store) -> list[Version]:
    """Return every codec and metric of a store with its version, by name."""
    codec, metric = CodecTable, MetricTable
    codecs = select(codec.label, codec.version, codec.weights_sha256, codec.provenance).order_by(codec.label)
    metrics = select(metric.name, metric.version, metric.weights_sha256, metric.implementation)
    with store.reading() as connection:
        codec_versions = [
            Version("codec", row[0], row[1], row[2], row[3] or "") for row in connection.execute(codecs)
        ]
        return codec_versions + [
            Version("metric", *row) for row in connection.execute(metrics.order_by(metric.name))
        ]
