"""The command ``codecarena time``, and the timing pass behind ``codecarena run``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from ...visible_text import say
from ..options import STORE, DataOption, JsonOption, OnlyOption, StoreOption

if TYPE_CHECKING:
    from ..run.prepare import Options, Prepared
    from ..run.runner import Report
    from ..run.timing_report import TimingReport
    from ..store.plan_store import PlanStore
    from ..store.writer import StoreWriter
    from ..timing.timing_pass import TimeAgain

app = typer.Typer()


@app.command("time")
def time_suite(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="A shipped suite's name or a .toml file.")],
    store: StoreOption = STORE,
    data: DataOption = None,
    only: OnlyOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most this many pictures a set.")
    ] = None,
    force: Annotated[list[str] | None, typer.Option("--force", help="Time this codec again.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Time again what was timed while the machine was loaded.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Time a suite's codecs, one call at a time. Exit status 1 if one failed."""
    from ...terminal import print_notes
    from ..run.suite import find, load
    from ..run.timing_report import as_record, sentences
    from ..store.writer import StoreWriter
    from ..timing.timing_pass import TimeAgain, prepare_alone
    from .run_options import options, said

    loaded, text = load(find(suite))
    chosen = options(data, 0, only, limit, call=said(context))
    writer = StoreWriter(store)
    try:
        prepared = prepare_alone(loaded, writer, chosen)
        report = time_prepared(prepared, text, writer, TimeAgain(frozenset(force or ()), again))
    finally:
        writer.close()
    report.notes[:0] = prepared.notes
    print_notes(report.notes)
    if as_json:
        typer.echo(json.dumps(as_record(report)))
    else:
        say(sentences(loaded.name, report, suite, store))
    raise typer.Exit(130 if report.interrupted else 0 if report.complete else 1)


def time_after(report: Report, text: str, store: PlanStore, options: Options) -> None:
    """Add a timing pass to a report, where suite and options ask for one and the run was not interrupted.

    To the report of a dry run, what the pass would do.

    Args:
        report: Of the run; receives the timing pass's report and its notes.
        text: The suite file's text, kept with the pass.
        store: Where timings go, a `StoreWriter` unless the run was dry.
        options: Whether to time at all, and which codecs to time again.
    """
    prepared, wanted = report.prepared, options.wanted
    left_out = wanted.score_only or not options.timing or report.interrupted
    if prepared is None or prepared.suite.timing is None or left_out:
        return
    from ..store.writer import StoreWriter
    from ..timing.timing_pass import TimeAgain, planned

    if options.dry_run or not isinstance(store, StoreWriter):
        report.timing = planned(prepared, store, TimeAgain(wanted.whole_codecs))
        return
    report.timing = time_prepared(prepared, text, store, TimeAgain(wanted.whole_codecs))
    report.notes += report.timing.notes


def time_prepared(
    prepared: Prepared, text: str, writer: StoreWriter, time_again: TimeAgain | None = None
) -> TimingReport:
    """Return the report of a timing pass, with a bar on the terminal meanwhile.

    Args:
        prepared: The suite, its pictures and the codecs that loaded.
        text: The suite file's text, kept with the pass.
        writer: Where timings go.
        time_again: Which stored timings to repeat; None for none.
    """
    from ...terminal import Terminal
    from ..timing import timing_pass
    from .progress import counting

    with counting(Terminal(stderr=True), "timing, one call at a time") as advanced:
        return timing_pass.run(prepared, text, writer, time_again or timing_pass.TimeAgain(), advanced)
