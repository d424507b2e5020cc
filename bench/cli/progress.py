"""Show a run on the terminal: bar, rate, time left, failures so far."""

from __future__ import annotations

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

from ...terminal import plain
from ..records.messages import Outcome
from ..run.plan import Plan, Planned

SPINNER = "line"
"""Of letters that every console has."""


class RunProgress:
    """A `runner.Progress` that draws with Rich; on a file or a pipe only failures are written."""

    def __init__(self, console: Console, bar: Progress, task: TaskID) -> None:
        self.console = console
        self.bar = bar
        self.task = task
        self.failures = 0
        self.done = 0
        self.began = monotonic()

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
        """Write a line on each thing that failed."""
        for failed in outcome.failed:
            where = f"{planned.codec.label} {planned.cell.quality:g} on {planned.picture.picture.name}"
            what = f"{failed.stage} {failed.metric}" if failed.metric else failed.stage
            line = plain(self.console, f"{where}, {what}: {failed.message}")
            self.console.print(Text.assemble(("failed", "red"), " ", line), soft_wrap=True)


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
    )
    with bar:
        task = bar.add_task("asking codecs, reading pictures", total=None, failures=0, rate="0.0")
        yield RunProgress(console, bar, task)


@contextmanager
def of_downloads(console: Console) -> Generator[Callable[[str, int, int], None]]:
    """Draw a bar for each file until the block ends; called with file, bytes so far, bytes in all or 0."""
    name = TextColumn("{task.description}", markup=False)
    columns = (name, BarColumn(), DownloadColumn(), TransferSpeedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console) as bar:

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
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
