"""The organiser's page of studies: plan, simulate, invite, watch, close, export."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import streamlit as st

from ...bench.store.database import StoreError
from ...studies.ledger.ledger import Ledger
from ...studies.organise.organise import Bench
from ...studies.organise.presenting import SIMULATED, study_records
from ...studies.records.records import StudyRow
from ..charts.study_tables import record_table
from ..server.store_errors import without_places
from . import study_results, study_work
from .frame import Frame, page, plain, show
from .organiser import sign_out, signed_in
from .pickers import choose

ABOUT = (
    "For the organiser only. A plan chooses what is compared from the stored pictures; opening a study seals "
    "it; raters come by links. Everything here is a `codecarena study` command as well."
)
TASKS = ("Watch", "Plan", "Simulate", "Results", "Export")
OF_STUDIES: dict[str, Callable[[Frame, StudyRow], None]] = {
    "Watch": study_work.watch,
    "Results": study_results.results,
    "Export": study_results.export,
}


def main(bench: Bench | None) -> None:
    """Draw the page.

    Args:
        bench: Cuts the pictures of a study; None where none can be planned here.
    """
    page("Studies", ABOUT, lambda frame: draw(frame, bench))


def draw(frame: Frame, bench: Bench | None) -> None:
    """Draw the sign-in, or what the organiser wants to do."""
    if not signed_in():
        return
    bar = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom")
    task = choose(bar, "What to do", "do", TASKS, segmented=True)
    sign_out(bar)
    try:
        if task == "Plan":
            study_work.plan(frame, bench)
        elif task == "Simulate":
            study_work.simulate()
        else:
            _of_a_study(frame, OF_STUDIES[task])
    except StoreError as error:
        st.error(plain(without_places(str(error), frame.url)))


def _of_a_study(frame: Frame, draw_task: Callable[[Frame, StudyRow], None]) -> None:
    with closing(Ledger(frame.url, read_only=True)) as ledger:
        studies = {study.name: study for study in ledger.studies()}
        records = [
            {**record, "created": record["created"].replace("T", " ")} for record in study_records(ledger)
        ]
    if not studies:
        st.info("No study yet: write a plan, or let `codecarena study init` write one.")
        return
    if draw_task is study_work.watch:
        show(record_table("All studies", list(reversed(records))), heading=False)
    names = list(reversed(studies))
    name = choose(st.container(width=420), "Study", "study", names, show=lambda option: studies[option].label)
    if studies[name].simulated:
        st.warning(SIMULATED, icon=":material/smart_toy:")
    draw_task(frame, studies[name])
