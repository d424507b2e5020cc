"""Show a run on the terminal: bar, rate, time left, failures so far; in a log, a line now and then."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from ...progress_lines import progress_lines
from ...terminal import plain
from ..records.messages import Outcome
from ..run.plan import Plan, Planned

SPINNER = "line"
"""Of letters that every console has."""


class RunProgress:
    """A `runner.Progress` that draws with Rich. Of failures for the same reason the first is written."""

    def __init__(self, console: Console, bar: Progress, task: TaskID) -> None:
        self.console = console
        self.bar = bar
        self.task = task
        self.failures = 0
        self.done = 0
        self.began = monotonic()
        self.alike: Counter[tuple[str, str]] = Counter()
        """Failures by what failed and why."""

    def planned(self, plan: Plan) -> None:
        """Start counting."""
        self.began = monotonic()
        self.bar.reset(self.task, total=len(plan.cells), description="cells")

    def advanced(self, planned: Planned, outcome: Outcome) -> None:
        """Count one cell and name what failed."""
        self.failures += bool(outcome.failed)
        self.done += 1
        rate = self.done / max(monotonic() - self.began, 1e-3)
        self.bar.update(self.task, advance=1, failures=self.failures, rate=f"{rate:.1f}")
        self.name_failures(planned, outcome)

    def searching(self, searches: int) -> None:
        """Start counting the searches of a matched run."""
        self.began = monotonic()
        self.bar.reset(self.task, total=searches, description="searches")

    def probed(self, planned: Planned, outcome: Outcome) -> None:
        """Count a cell of a search, whose end is not known by it."""
        self.failures += bool(outcome.failed)
        self.done += 1
        rate = self.done / max(monotonic() - self.began, 1e-3)
        self.bar.update(self.task, failures=self.failures, rate=f"{rate:.1f}")
        self.name_failures(planned, outcome)

    def searched(self) -> None:
        """Count one search."""
        self.bar.update(self.task, advance=1)

    def name_failures(self, planned: Planned, outcome: Outcome) -> None:
        """Write a line on each thing that failed for a reason that is new."""
        name = planned.picture.picture.name
        for failed in outcome.failed:
            where = f"{planned.codec.label} {planned.cell.quality:g} on {name}"
            what = f"{failed.stage} {failed.metric}" if failed.metric else failed.stage
            kind = what if failed.metric else f"{what} of {planned.codec.label}"
            # A picture's name and size tell two messages apart, not two reasons.
            reason = re.sub(r"\d+", "0", failed.message.replace(name, ""))
            self.alike[kind, reason] += 1
            if self.alike[kind, reason] > 1:
                continue
            line = plain(self.console, f"{where}, {what}: {failed.message}")
            self.console.print(Text.assemble(("failed", "red"), " ", line), soft_wrap=True)

    def count_failures(self) -> None:
        """Write a line on each reason for which more failed than the one that was named."""
        for (kind, _), count in self.alike.items():
            if count > 1:
                line = plain(self.console, f"{count} in all for the same reason: {kind}")
                self.console.print(Text.assemble(("failed", "red"), " ", line), soft_wrap=True)

    def line(self) -> str:
        """Return how far the run is."""
        task = self.bar.tasks[0]
        if task.total is None:
            return str(task.description)
        failed = f", {self.failures} failed" if self.failures else ""
        rate = self.done / max(monotonic() - self.began, 1e-3)
        left = (task.total - task.completed) / max(task.completed, 1) * (monotonic() - self.began)
        left_in_words = f", about {_duration(left)} left" if task.completed else ""
        done = f"{task.completed:.0f} of {task.total:.0f} {task.description}{failed}"
        return f"{done}, {rate:.2g} cells/s{left_in_words}"


def _duration(seconds: float) -> str:
    """Return a time as people say it.

    >>> _duration(42), _duration(600), _duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@contextmanager
def on_terminal(console: Console) -> Generator[RunProgress]:
    """Draw a bar until the block ends."""
    bar = Progress(
        SpinnerColumn(SPINNER),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]} cells/s"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failures]} failed"),
        console=console,
        transient=True,
        refresh_per_second=4,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("asking codecs, reading pictures", total=None, failures=0, rate="0.0")
        shown = RunProgress(console, bar, task)
        try:
            with progress_lines(console, shown.line):
                yield shown
        finally:
            shown.count_failures()


@contextmanager
def of_downloads(console: Console) -> Generator[Callable[[str, int, int], None]]:
    """Draw a bar for each file until the block ends; called with file, bytes so far, bytes in all or 0."""
    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), DownloadColumn(), TransferSpeedColumn())
    tasks: dict[str, TaskID] = {}

    def line() -> str:
        done = sum(task.completed for task in bar.tasks)
        name = bar.tasks[-1].description if bar.tasks else "asking for files"
        return f"{name}: {done / 1e6:.0f} MB so far"

    with Progress(*columns, console=console) as bar, progress_lines(console, line):

        def show(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(plain(console, file), total=None)
            bar.update(tasks[file], completed=done, total=total or None)

        yield show


@contextmanager
def counting(console: Console, what: str) -> Generator[Callable[[int, int], None]]:
    """Draw one bar until the block ends; called with how many are done, of how many."""
    columns = (
        SpinnerColumn(SPINNER),
        TextColumn(what, markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def line() -> str:
            total = bar.tasks[0].total
            return f"{what}: {bar.tasks[0].completed:.0f}{'' if total is None else f' of {total:.0f}'} done"

        with progress_lines(console, line):
            yield lambda done, total: bar.update(task, completed=done, total=total)
