"""Run a suite as the commands `run`, `score` and `demo` do: bar, timing pass, notes, and how it ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from ...visible_text import say
from .timing_commands import time_after

if TYPE_CHECKING:
    from ..run.prepare import Options
    from ..run.runner import Report


def run_suite(
    reference: str, store: str, options: Options, metrics: tuple[str, ...] = (), as_json: bool = False
) -> Report:
    """Return the report of a run, of which everything is printed.

    Args:
        reference: Name or file of the suite.
        store: Folder or URL of the store. A dry run only reads it, and to score there must be one.
        options: Workers, parts of the suite, and what to run again.
        metrics: Instead of the suite's, where any are named.
        as_json: Whether to print a JSON record instead of sentences.

    Raises:
        SuiteError: The suite cannot be read, or asks for what does not exist.
        DatasetError: A picture set is not here, or one of its files is not what it should be.
        StoreError: The store does not open.
    """
    from ...terminal import Terminal, print_notes
    from ..run import runner
    from ..run.suite import find, load
    from ..store.plan_store import PlanStore
    from ..store.writer import StoreWriter
    from . import progress
    from .summary import as_record, sentences

    suite, text = load(find(reference))
    if metrics:
        suite = suite.model_copy(update={"metrics": metrics})
    opened = PlanStore(store) if options.dry_run else StoreWriter(store, make=not options.wanted.score_only)
    try:
        with progress.on_terminal(Terminal(stderr=True)) as shown:
            report = runner.run(suite, text, opened, options, shown)
        time_after(report, text, opened, options)
    finally:
        opened.close()
    print_notes(report.notes)
    if as_json:
        typer.echo(json.dumps(as_record(suite, report)))
    else:
        say(sentences(suite, report, reference, store))
    return report
