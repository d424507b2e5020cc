"""The organiser's forms: plan a study, simulate it, open it, invite raters, watch it, close it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import streamlit as st

from ...bench.store.store import Store
from ...counts import counted
from ...studies.design.power import Prices, Simulation
from ...studies.design.power import simulate as simulate_studies
from ...studies.design.simulation import Assumptions
from ...studies.design.starter import starter
from ...studies.ledger.ledger import Ledger
from ...studies.ledger.votes import status
from ...studies.organise import organise
from ...studies.organise.presenting import status_lines
from ...studies.records.records import Status, StudyRow
from ...studies.scale.scale_results import ScaleError
from ..charts.study_tables import record_table
from ..tables import digits
from .frame import Frame, plain, show

POLL_SECONDS = 5
MOST_LINKS = 500
STAGES = {
    "consent": "reading the consent", "screening": "at the questions", "calibration": "at the calibration",
    "trials": "voting", "done": "done", "screened-out": "screened out", "declined": "declined",
    "left-out": "done, left out by the plan's rules", "stopped": "stopped: impossible times",
    "imported": "imported",
}  # fmt: skip


def plan(frame: Frame, bench: organise.Bench | None) -> None:
    """Draw the plan's text, and check and store it where the organiser asks."""
    with closing(Ledger(frame.url, read_only=True)) as ledger:
        planned = {study.name: study.plan for study in ledger.studies() if study.state != "imported"}
    texts = {"A new plan that fits this store": _starter(frame, set(planned)), **planned}
    begin = st.selectbox("Begin with", list(texts), width=420)
    st.caption(
        "Every key is explained in docs/studies.md. A study of this name that is not open yet is replaced."
    )
    st.html("<style>.stTextArea textarea { font-family: monospace; font-size: 0.85rem; }</style>")
    text = st.text_area("Plan", texts[begin], height=460, key=f"plan {begin}")
    with st.container(horizontal=True):
        wanted = st.button("Check and store", type="primary")
        st.download_button("Download", text, "study.toml", on_click="ignore")
    if not wanted:
        return
    if bench is None:
        st.error("Pictures cannot be cut here. Save the plan and run: codecarena study plan study.toml")
        return
    with st.spinner("Choosing and cutting pictures …"):
        done = organise.plan_text(frame.url, text, Path("study.toml"), bench)
    for warning in done.warnings:
        st.warning(plain(warning))
    st.success(
        f"Study {plain(done.study.name)} is {'planned anew' if done.replaced else 'planned'}: "
        f"{digits.counted(done.conditions, 'condition')} of {digits.counted(done.pictures, 'picture')}, "
        f"{digits.counted(done.pairs, 'pair')}, {digits.counted(done.trials_per_rater, 'trial')} a rater. "
        "Open it on Watch."
    )


def _starter(frame: Frame, taken: set[str]) -> str:
    name = next(
        name for name in ("demo", *(f"study-{place}" for place in range(2, 10_000))) if name not in taken
    )
    return starter(name, Store(frame.url).cells())


def simulate() -> None:
    """Draw the planner: what a study of this size can be expected to find, and what it costs."""
    with st.form("simulate"):
        first, second, third = st.columns(3)
        values = first.text_input(
            "Assumed values, JOD", "0, 0.5, 1",
            help="One for each condition. At 1 JOD apart three of four people prefer the better one.",
        )  # fmt: skip
        raters = first.number_input("Raters", 2, 1000, 20)
        pictures = first.number_input("Pictures", 1, 500, 12)
        votes = second.number_input("Trials a rater", 0, 5000, 0, help="0: every pair of every picture once.")
        ties = second.slider("Share of “no preference” between equals", 0.0, 0.9, 0.2)
        lapses = second.slider("Share of careless answers", 0.0, 0.9, 0.02)
        studies = third.number_input("Studies to simulate", 10, 1000, 50)
        seconds = third.number_input("Seconds a trial", 1.0, 60.0, 6.0)
        per_hour = third.number_input("Pay an hour", 0.0, 200.0, 12.0)
        wanted = st.form_submit_button("Simulate", type="primary")
    if not wanted:
        st.caption("Nobody is asked: whole studies are simulated and analysed like real ones.")
        return
    try:
        scale = {f"condition {place}": float(number) for place, number in enumerate(values.split(","), 1)}
    except ValueError:
        st.error("Expected numbers with commas between them, such as 0, 0.5, 1.")
        return
    assumed = Assumptions(scale, raters, pictures, votes or None, ties, lapses)
    prices = Prices(seconds_per_vote=seconds, per_hour=per_hour)
    try:
        with st.spinner("Simulating and analysing whole studies …"):
            _show_simulation(simulate_studies(assumed, prices=prices, studies=studies))
    except ScaleError as error:
        st.error(plain(str(error)))


def _show_simulation(simulation: Simulation) -> None:
    numbers = st.columns(5)
    power = min(pair.power for pair in simulation.pairs)
    numbers[0].metric(
        "Power, hardest pair", f"{power:.0%}", help="Studies that find the difference (Holm, 5 %)."
    )
    numbers[1].metric("Interval width", f"{simulation.width:.2f} JOD", help="Mean over pairs, 95 %.")
    numbers[2].metric("Votes", digits.number(simulation.votes, 0))
    numbers[3].metric("Minutes a rater", f"{simulation.minutes_per_rater:.0f}")
    numbers[4].metric(
        "Cost", digits.number(simulation.cost, 0), help="In the pay's currency, a third for the panel."
    )
    rows = [
        {
            "pair": f"{pair.first} − {pair.second}",
            "assumed, JOD": f"{pair.difference:+.2f}",
            "power": f"{pair.power:.0%}",
            "interval width, JOD": f"{pair.width:.2f}",
        }
        for pair in simulation.pairs
    ]
    notes = [
        f"Simulated: {counted(simulation.studies, 'study')}; intervals and tests by {simulation.scheme}."
    ]
    if simulation.unusable:
        notes.append(f"{simulation.unusable} of them gave no scale.")
    show(record_table("Simulated studies", rows, notes))


def watch(frame: Frame, study: StudyRow) -> None:
    """Draw how far a study is, and the organiser's steps: open, invite, close."""
    _steps(frame, study)
    _progress(frame.url, study.name)


def _steps(frame: Frame, study: StudyRow) -> None:
    with st.container(horizontal=True):
        if study.state in ("planned", "closed"):
            with st.popover("Open" if study.state == "planned" else "Open again"):
                st.write("Opening seals the plan: from then on nothing of it can be changed.")
                if st.button("Seal and open", type="primary"):
                    _act(frame, lambda ledger: organise.open_study(ledger, study.name))
        if study.state == "open":
            with st.popover("Close"):
                st.write("No more votes are taken. A closed study can be opened again.")
                if st.button("Close the study", type="primary"):
                    _act(frame, lambda ledger: organise.close_study(ledger, study.name))
        if study.state in ("planned", "open") and not study.simulated:
            with st.popover("Invite raters"):
                _invite(frame, study)
    if links := st.session_state.get(f"links {study.name}"):
        st.success("These links are shown once, as only their hashes are kept: copy or download them now.")
        st.code("\n".join(links), language=None, height=150)
        st.download_button("Download links", "\n".join(links) + "\n", f"{study.name}-links.txt")


def _invite(frame: Frame, study: StudyRow) -> None:
    with st.form("invite", border=False):
        count = st.number_input("How many", 1, MOST_LINKS, 10)
        address = st.text_input(
            "Where raters come in", "http://127.0.0.1:8501", help="Where `codecarena serve --raters` listens."
        )
        if st.form_submit_button("Make links", type="primary"):
            with closing(Ledger(frame.url)) as ledger:
                tokens = organise.invite(ledger, study.name, count)
            links = [f"{address.rstrip('/')}/?invite={token}" for token in tokens]
            st.session_state[f"links {study.name}"] = links
            st.rerun()


def _act(frame: Frame, work: Callable[[Ledger], object]) -> None:
    with closing(Ledger(frame.url)) as ledger:
        work(ledger)
    st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def _progress(url: str, name: str) -> None:
    with closing(Ledger(url, read_only=True)) as ledger:
        study = ledger.study(name)
        current = status(ledger, study)
        lines, record = status_lines(ledger, name)
    if not record["intact"]:
        st.error("The seal is broken: plan or stimuli are not what was sealed.")
    _numbers(current)
    if record["finished"]:
        st.info(f"The study has reached its end: {plain(record['finished'])}.")
    # The numbers above say the rest.
    shown = [line for line in lines if line.startswith(("study", "seal", "withdrawn"))]
    st.caption("  \n".join(plain(line) for line in shown))
    rows = [
        {
            "rater": rater.name,
            "stands": STAGES.get(rater.stage, rater.stage)
            if rater.joined_at or rater.stage == "imported"
            else "not here yet",
            "votes": rater.votes,
            "joined, UTC": (rater.joined_at or "")[:16].replace("T", " "),
            "finished, UTC": (rater.finished_at or "")[:16].replace("T", " "),
        }
        for rater in current.raters
    ]
    if rows:
        show(
            record_table(
                f"Raters of {study.label}",
                rows,
                ["Votes of all kinds, training included. How careful each rater was: Results, Raters."],
            )
        )


def _numbers(progress: Status) -> None:
    finished = sum(rater.stage == "done" for rater in progress.raters)
    joined = sum(rater.joined_at is not None for rater in progress.raters)
    numbers = st.columns(4)
    numbers[0].metric(
        "Raters finished", f"{finished} of {len(progress.raters)}", help=f"{joined} have joined."
    )
    numbers[1].metric("Votes", digits.number(progress.votes, 0), help="Of the design's pairs.")
    numbers[2].metric(
        "Votes a pair", digits.between(str(progress.fewest_votes), str(progress.most_votes)),
        help=f"Fewest and most of {counted(progress.pairs, 'pair')}.",
    )  # fmt: skip
    numbers[3].metric(
        "Display unproven", digits.number(progress.unproven, 0),
        help="Votes for which the browser did not prove that it showed the very pixels.",
    )  # fmt: skip
