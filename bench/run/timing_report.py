"""Say how a timing pass ended, in sentences for a person or a record for a script."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, field
from typing import Any

from ...counts import counted
from ..options import STORE


@dataclass(slots=True)
class TimingReport:
    """How a timing pass ended."""

    total: int = 0
    """Cells that the suite wants timed."""
    done_before: int = 0
    timed: int = 0
    loaded: int = 0
    """Of the cells timed now, those during which others used the machine."""
    failed: int = 0
    interrupted: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether every cell has its times."""
        return not self.failed and not self.interrupted


def as_record(report: TimingReport) -> dict[str, Any]:
    """Return a timing pass's end as JSON holds it."""
    return {**asdict(report), "complete": report.complete}


def sentences(suite: str, report: TimingReport, reference: str, store: str) -> str:
    """Return a timing pass's end for a person to read; the suite and the store as they were called.

    Args:
        suite: Name of the suite.
        report: How the timing pass ended.
        reference: The suite as the user named it, for the commands that are suggested.
        store: The store as the user named it, likewise.
    """
    lines = [f"{suite}: {counted(report.total, 'cell')} to time, {report.done_before} done before"]
    if report.timed or report.failed:
        lines[0] += f", {report.timed} timed now, {report.failed} failed"
    if report.loaded:
        target = shlex.join([reference] if store == STORE else [reference, "--store", store])
        lines.append(
            f"Other programs used the machine while {report.loaded} of them ran: they are marked as loaded. "
            f"At a quiet moment: codecarena time {target} --again"
        )
    if report.interrupted:
        lines.append(
            "Timing was interrupted; cells with most of their repeats are stored. The same command goes on."
        )
    return "\n".join(lines)
