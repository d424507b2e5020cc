"""The page Runs: what runs, what ran, what failed and why, and how to run it again."""

from __future__ import annotations

import json
import shlex

import streamlit as st

from ...bench.records.rows import Failure
from ...bench.store.database import without_password
from ...bench.store.run_details import RunDetail, run_details, versions
from ...visible_text import visible
from ..tables import digits, leaderboard_tables
from ..tables.run_tables import (
    IMPORTED,
    failure_title,
    machine,
    open_failures,
    runs_table,
    versions_table,
    what_ran,
)
from . import frame as pages
from . import pickers
from .frame import Frame

MOST_FAILURES = 25
SUITE_FILE = "suite.toml"
ABOUT = """
Every call of `codecarena run` and `score`: how far it is, what it measured on which machine, and the errors
of cells that have no result, with what the codec wrote to its error output. The page follows a run.
"""


def main() -> None:
    """Draw the page."""
    pages.page("Runs", ABOUT, draw)


def draw(frame: Frame) -> None:
    """Draw progress, runs, failures and provenance."""
    details = run_details(frame.store)
    if not details:
        st.info("Nothing was run yet.")
        st.code("codecarena run quick", language=None)
        return
    for detail in details:
        if detail.run.status == "running":
            progress(detail.run.run_id, frame.url)
    pages.show(runs_table(details), "runs", heading=False)
    _failures(open_failures(frame.store.failures()))
    _provenance(frame, details)


@st.fragment(run_every=2)
def progress(run_id: int, url: str) -> None:
    """Draw a run's progress, every two seconds."""
    current = next(
        (detail for detail in run_details(pages.open_store(url)) if detail.run.run_id == run_id), None
    )
    if current is None:
        return
    planned, done = current.run.planned_cells, current.measured + current.failed
    share = min(1.0, done / planned) if planned else 0.0
    failed = f", {digits.counted(current.failed, 'failed attempt')}" if current.failed else ""
    measured = digits.number(current.measured, 0)
    # How many cells a search will take, nobody knows before.
    of = f"of {digits.counted(planned, 'cell')}" if planned else "cells so far"
    text = f"{pages.plain(current.run.suite)}: {measured} {of}{failed}"
    if share:
        st.progress(share, text)
    else:
        st.info(f"{text}. What only adds scores to stored cells shows no progress.")
    if current.run.status != "running":
        pages.refresh()


def _failures(failures: list[Failure]) -> None:
    st.header("Failures", anchor=False)
    if not failures:
        st.caption("Every cell that was tried has a result.")
        return
    pages.show(leaderboard_tables.failures_summary(failures), "failures", heading=False)
    st.caption("Mend the cause, then run the suite again with `--retry-failed`.")
    for failure in failures[:MOST_FAILURES]:
        with st.expander(pages.plain(failure_title(failure))):
            st.text(visible(failure.message))
            if failure.stderr_tail:
                st.caption("End of its error output")
                st.code(visible(failure.stderr_tail), language=None)
            ended = "" if failure.exit_code is None else f"exit status {failure.exit_code}, "
            st.caption(f"{ended}{failure.created_at[:19].replace('T', ' ')} UTC")
    if len(failures) > MOST_FAILURES:
        st.caption(
            f"{digits.number(len(failures) - MOST_FAILURES, 0)} more: codecarena export csv shows all cells"
        )


def _provenance(frame: Frame, details: list[RunDetail]) -> None:
    st.header("Provenance", anchor=False)
    chosen = pickers.choose(
        st.columns(3)[0], "Run", "run", details, write=lambda detail: str(detail.run.run_id),
        show=_run_title,
    )  # fmt: skip
    st.markdown(f"{pages.plain(chosen.run.status).capitalize()}, on {pages.plain(machine(chosen))}.")
    _again(chosen, frame.url)
    with st.expander("Machine"):
        st.code(json.dumps(dict(chosen.machine), indent=2, ensure_ascii=False), language=None)
    with st.expander("Versions of codecs and metrics"):
        pages.show(versions_table(versions(frame.store)), "versions", heading=False)


def _run_title(detail: RunDetail) -> str:
    began = detail.run.started_at[:16].replace("T", " ")
    return " · ".join([str(detail.run.run_id), detail.run.suite, what_ran(detail), began])


def _again(detail: RunDetail, url: str) -> None:
    """Offer what ran, and the command that runs it again."""
    imported = detail.run.suite.startswith(IMPORTED)
    if imported:
        st.caption("These results came from a file: codecarena import.")
    else:
        unknown = "" if detail.run.call else " Whether the call had options, such as --limit, is not known."
        st.caption(
            "With the suite file beside it, this command completes the run; into another store, it measures "
            f"everything again.{unknown}"
        )
        st.code(command(detail, url), language=None)
    name = detail.run.suite.removeprefix(IMPORTED) if imported else SUITE_FILE
    with st.expander("Imported file" if imported else "Suite file"):
        st.download_button(f"Download {pages.plain(name)}", detail.suite_text, name, on_click="ignore")
        st.code(
            detail.suite_text, language=None, height=420 if detail.suite_text.count("\n") > 20 else "content"
        )


def command(detail: RunDetail, url: str) -> str:
    """Return what to type to run a suite again into the same store, with the options it ran with."""
    name, *options = detail.run.call or ("run",)
    workers = [] if name == "time" else ["-j", str(detail.run.workers)]
    store = ["--store", without_password(url)]
    return shlex.join(["codecarena", name, SUITE_FILE, *options, *store, *workers])
