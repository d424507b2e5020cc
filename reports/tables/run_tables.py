"""The tables of the page Runs: runs, failures and versions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...bench.records.rows import Failure
from ...bench.store.run_details import RunDetail, Version
from . import digits
from .table import Column, Entry, Row, Table

IMPORTED = "import "
"""How the suite of a run is called that brought in a file."""


def runs_table(details: Sequence[RunDetail]) -> Table:
    """Return every run."""
    columns = (
        Column("Run", numeric=False),
        Column("Suite", numeric=False),
        Column("Kind", numeric=False, help="A timing pass measures speed, one call at a time."),
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
                Entry(str(detail.run.run_id), float(detail.run.run_id)),
                Entry(detail.run.suite),
                Entry(what_ran(detail)),
                Entry(detail.run.status),
                Entry(detail.run.started_at[:16].replace("T", " ")),
                _took(detail),
                *(
                    _count(number)
                    for number in (
                        detail.run.planned_cells,
                        detail.measured,
                        detail.failed,
                        detail.run.workers,
                    )
                ),
                Entry(machine(detail)),
            )
        )
        for detail in details
    )
    return Table("Runs", columns, rows)


def what_ran(detail: RunDetail) -> str:
    """Return what a run did, in a word or two."""
    if detail.run.suite.startswith(IMPORTED):
        return "import"
    if detail.is_timing_pass:
        return "timing pass"
    command = detail.run.call[0] if detail.run.call else "run"
    return {"run": "measurements", "score": "scores"}.get(command, command)


def machine(detail: RunDetail) -> str:
    """Return a machine in a few words."""
    words = [str(detail.machine.get("cpu", "")), digits.counted(int(detail.machine.get("cores", 0)), "core")]
    words += [f"governor {detail.machine['cpu_governor']}"] if detail.machine.get("cpu_governor") else []
    return ", ".join([*(word for word in words if word), *map(str, detail.machine.get("gpus", ()))])


def _count(number: int) -> Entry:
    return Entry(digits.number(number, 0), float(number))


def _took(detail: RunDetail) -> Entry:
    end = detail.run.finished_at or detail.newest
    if end is None:
        return Entry(digits.EMPTY)
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(detail.run.started_at)).total_seconds()
    if seconds < 120:
        return Entry(f"{seconds:.0f} s", seconds)
    return Entry(f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h", seconds)


def open_failures(failures: Sequence[Failure]) -> list[Failure]:
    """Return the failures that no later attempt made good, newest first."""
    return [failure for failure in reversed(failures) if not failure.settled]


def failure_title(failure: Failure) -> str:
    """Return one failure in a line."""
    what = f"{failure.codec} at {failure.quality:g} on {failure.picture}"
    metric = f", metric {failure.metric}" if failure.metric else ""
    return f"{what}: {failure.outcome} in {failure.stage}{metric}"


def versions_table(versions: Sequence[Version]) -> Table:
    """Return the versions of codecs and metrics."""
    columns = [Column(name, numeric=False) for name in ("Name", "Is a", "Version", "Weights", "From")]
    rows = tuple(
        Row(
            (
                Entry(version.name),
                Entry(version.what),
                Entry(version.version),
                Entry(
                    version.weights_sha256[:12] if version.weights_sha256 else digits.EMPTY,
                    hint=version.weights_sha256 or "",
                ),
                Entry(version.source or digits.EMPTY),
            )
        )
        for version in versions
    )
    return Table("Versions", tuple(columns), rows)
