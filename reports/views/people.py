"""The page Metrics against people: how well each metric predicts what raters said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ...studies.analysis.human_metrics import HumanAgreement, MetricsAgainstPeople, PartAgreement
from ...studies.analysis.results import StudyResults, stored_results
from ...studies.analysis.score_results import ScoreResults, stored_score_results
from ...studies.analysis.stimulus_parts import BANDS, RateBand
from ...studies.organise.findings_text import Record
from ...studies.organise.metric_findings import band_title, metric_tables, part_tables, part_title
from ...studies.organise.presenting import SIMULATED
from ...studies.organise.score_tables import score_tables
from ..charts.chart_points import SpanPoint
from ..charts.interactive import spans
from ..charts.study_tables import record_tables
from . import frame as pages
from . import pickers
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
    of_votes, of_scores = stored_results(frame.store), stored_score_results(frame.store)
    studies: list[StudyResults | ScoreResults] = [*of_votes, *of_scores]
    if not studies:
        st.info(
            "No study of this store has results yet. Plan one, or import votes of your own; then let its "
            "results be computed:"
        )
        st.code("codecarena study init\ncodecarena study report NAME", language=None)
        return
    places = st.columns(3)
    study = pickers.choose(
        places[0], "Study", "study", studies, (of_votes or of_scores)[-1], write=lambda study: study.study,
        show=lambda study: study.label,
    )  # fmt: skip
    if isinstance(study, ScoreResults):
        _tables(score_tables(study), "scores")
        return
    if study.simulated:
        st.warning(SIMULATED)
    metrics = study.analysis.metrics
    if metrics is None:
        st.info(
            "The parts that raters saw have no scores yet; this scores them, then compute the results again:"
        )
        st.code(f"codecarena study score {study.study} --metric ssimulacra2", language=None)
        return
    part = _chosen(places[1:], metrics)
    if part.agreement is None:
        st.info(f"Nothing can be said of {pages.plain(part_title(part))}: {part.reason}.")
    else:
        of = f": {part_title(part)}" if part_title(part) else ""
        _chart(part.agreement)
        _tables(metric_tables(part.agreement, of), "metrics")
    _tables(part_tables(metrics), "parts")


def _chosen(places: Sequence[DeltaGenerator], metrics: MetricsAgainstPeople) -> PartAgreement:
    """Draw the pickers of kind and rate, where there are several, and return what they choose."""
    parts = {(part.kind, part.band): part for part in metrics.parts}
    parts[None, None] = PartAgreement(None, None, metrics.whole, None)
    kinds = ["all", *sorted({part.kind for part in metrics.parts if part.kind}, reverse=True)]
    bands: list[RateBand | None] = [None, *(band for band in BANDS if (None, band) in parts)]
    kind, band, free = "all", None, list(places)
    if len(kinds) > 1:
        kind = pickers.choose(
            free.pop(0),
            "Pictures",
            "kind",
            kinds,
            show=lambda kind: pickers.KINDS.get(kind, kind),
            segmented=True,
        )
    if len(bands) > 1:
        band = pickers.choose(
            free.pop(0), "Rate", "band", bands, write=_address,
            show=lambda band: band_title(band).capitalize(),
            help_text="A vote counts in a band if both pictures lie in it, or one does and the other is the "
            "original.",
        )  # fmt: skip
    return parts[None if kind == "all" else kind, band]


def _address(band: RateBand | None) -> str:
    return "all" if band is None else f"{band.low or 0:g}-{'' if band.high is None else f'{band.high:g}'}"


def _tables(tables: Iterable[tuple[str, Sequence[Record], Sequence[str]]], name: str) -> None:
    for place, table in enumerate(record_tables(tables)):
        pages.show(table, f"{name}{place}")


def _chart(agreement: HumanAgreement) -> None:
    points = [
        SpanPoint(metric.metric, "accuracy", 100 * metric.accuracy, 100 * metric.accuracy_interval.low,
                  100 * metric.accuracy_interval.high)
        for metric in agreement.metrics
    ]  # fmt: skip
    title = f"Votes predicted (%), at most {agreement.ceiling:.0%}"
    drawn = spans(points, title=title, groups=("accuracy",), zero=False, dark=st.context.theme.type == "dark")
    st.altair_chart(drawn, alt="Share of votes that each metric predicts; the table below has the numbers")
