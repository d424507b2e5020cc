"""Turn a store into the page Metrics against people: how well each metric predicts what raters said."""

from __future__ import annotations

import streamlit as st

from ...studies.findings import METRICS, findings
from ...studies.presenting import SIMULATED
from ...studies.results import StudyResults, stored_results
from ..interactive import SpanPoint, spans
from ..study_tables import record_tables
from . import frame as pages
from .frame import Frame

ABOUT = """
How often a metric is on the side of a rater who preferred one of two pictures, and how its scores go with the
scale that the votes make. No metric can be right on all votes: raters disagree with each other.
"""


def main() -> None:
    """Draw the page."""
    pages.page("Metrics against people", ABOUT, draw)


def draw(frame: Frame) -> None:
    """Draw the picker and what the chosen study says of metrics."""
    studies = stored_results(frame.store)
    if not studies:
        st.info(
            "No study of this store has results yet. Plan one, or import votes of your own; then let its "
            "results be computed:"
        )
        st.code("codecarena study init\ncodecarena study report NAME", language=None)
        return
    study = pages.choose(
        st.columns(3)[0], "Study", "study", studies, studies[-1], write=lambda one: one.study,
        show=lambda one: one.label,
    )  # fmt: skip
    if study.simulated:
        st.warning(SIMULATED)
    tables = record_tables(findings(study.analysis))
    shown = [one for one in tables if one.title.startswith((METRICS, "Between metrics"))]
    if not shown:
        st.info(
            "The parts that raters saw have no scores yet; this scores them, then compute the results again:"
        )
        st.code(f"codecarena study score {study.study} --metric ssimulacra2", language=None)
    else:
        _chart(study)
    for place, table in enumerate(shown):
        pages.show(table, f"metrics{place}")


def _chart(study: StudyResults) -> None:
    found = study.analysis.metrics
    if found is None:
        return
    points = [
        SpanPoint(one.metric, "accuracy", 100 * one.accuracy, 100 * one.accuracy_interval.low,
                  100 * one.accuracy_interval.high)
        for one in found.metrics
    ]  # fmt: skip
    title = f"Votes predicted (%); the ceiling is {found.ceiling:.0%}"
    drawn = spans(points, title=title, groups=("accuracy",), zero=False, dark=st.context.theme.type == "dark")
    st.altair_chart(drawn, alt="Share of votes that each metric predicts; the table below has the numbers")
