"""Turn runs and failures into the tables of the page Runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psutil

from ...bench.records.rows import Failure
from ...bench.store.run_details import RunDetail, Version
from . import digits
from .table import Column, Entry, Row, Table


def status(one: RunDetail) -> str:
    """Return what became of a run, in a word."""
    if one.run.status == "running" and not psutil.pid_exists(one.run.process_id):
        return "killed, or running on another machine"
    return one.run.status


def is_running(one: RunDetail) -> bool:
    """Whether a run's process is alive on this machine."""
    return status(one) == "running"


def runs_table(found: Sequence[RunDetail]) -> Table:
    """Return every run."""
    columns = (
        Column("Run", numeric=False),
        Column("Suite", numeric=False),
        Column("Status", numeric=False),
        Column("Began", "UTC", False),
        Column("Took", numeric=False, help="Until its end, or its last result."),
        Column("Planned", help="Cells: picture times codec times setting."),
        Column("Results", help="Cells that this run measured or timed; others were there."),
        Column("Failed", help="Attempts of this run without a result."),
        Column("Workers"),
        Column("Machine", numeric=False),
    )
    rows = tuple(
        Row(
            (
                Entry(str(one.run.run_id), float(one.run.run_id)),
                Entry(one.run.suite),
                Entry(status(one)),
                Entry(one.run.started_at[:16].replace("T", " ")),
                Entry(_took(one)),
                *(
                    _count(number)
                    for number in (one.run.planned_cells, one.measured, one.failed, one.run.workers)
                ),
                Entry(machine(one)),
            )
        )
        for one in found
    )
    return Table("Runs", columns, rows)


def machine(one: RunDetail) -> str:
    """Return a machine in a few words."""
    words = [str(one.machine.get("cpu", "")), digits.counted(int(one.machine.get("cores", 0)), "core")]
    return ", ".join([*(word for word in words if word), *map(str, one.machine.get("gpus", ()))])


def _count(number: int) -> Entry:
    return Entry(digits.number(number, 0), float(number))


def _took(one: RunDetail) -> str:
    end = one.run.finished_at or one.newest
    if end is None:
        return digits.EMPTY
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(one.run.started_at)).total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def open_failures(found: Sequence[Failure]) -> list[Failure]:
    """Return the failures that no later attempt made good, newest first."""
    return [one for one in reversed(found) if not one.settled]


def failure_title(one: Failure) -> str:
    """Return one failure in a line."""
    what = f"{one.codec} at {one.quality:g} on {one.picture}"
    metric = f", metric {one.metric}" if one.metric else ""
    return f"{what}: {one.outcome} in {one.stage}{metric}"


def versions_table(found: Sequence[Version]) -> Table:
    """Return the versions of codecs and metrics."""
    columns = [Column(name, numeric=False) for name in ("Name", "Is a", "Version", "Weights", "From")]
    rows = tuple(
        Row(
            (
                Entry(one.name),
                Entry(one.what),
                Entry(one.version),
                Entry(
                    one.weights_sha256[:12] if one.weights_sha256 else digits.EMPTY,
                    hint=one.weights_sha256 or "",
                ),
                Entry(one.source or digits.EMPTY),
            )
        )
        for one in found
    )
    return Table("Versions", tuple(columns), rows)
