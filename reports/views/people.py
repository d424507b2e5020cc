"""The page Metrics against people: how well each metric predicts what raters said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

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
from ..charts.chart_points import accuracy_points
from ..charts.interactive import spans
from ..charts.study_tables import record_tables
from ..tables import digits
from . import frame as pages
from . import pickers
from .figure_files import figure_files
from .frame import Frame

if TYPE_CHECKING:
    from ..files.printed_figures import Printed

ABOUT = """
How often a metric is on the side of a rater who preferred one of two pictures, and how its scores go with the
scale that the votes make. No metric can be right on all votes, as raters disagree with each other: the dashed
line is the most that any could. In brackets stand 95 % intervals; p allows for all pairs of metrics (Holm).
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
        _tables(score_tables(study), "scores", _titles(frame))
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
    titles = _titles(frame)
    if part.agreement is None:
        st.info(f"Nothing can be said of {pages.plain(part_title(part))}: {part.reason}.")
    else:
        of = f": {part_title(part)}" if part_title(part) else ""
        _chart(part.agreement, titles)
        agreement = part.agreement

        def printed() -> Printed:
            from ..files import printed_figures

            return printed_figures.people(study, agreement, titles, of=part_title(part))

        figure_files(printed, digits.file_name(f"{study.study} {part_title(part)} metrics against people"))
        _tables(metric_tables(part.agreement, of), "metrics", titles)
    _tables(part_tables(metrics), "parts", titles)


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


def _tables(
    tables: Iterable[tuple[str, Sequence[Record], Sequence[str]]], name: str, titles: Mapping[str, str]
) -> None:
    titled = [(title, [_titled(row, titles) for row in rows], notes) for title, rows, notes in tables]
    for place, table in enumerate(record_tables(titled)):
        pages.show(table, f"{name}{place}")


def _titles(frame: Frame) -> dict[str, str]:
    """Return what to call each metric, by its name."""
    stored = frame.store.metrics()
    return {metric.name: digits.metric_title(metric, stored) for metric in stored}


def _titled(row: Record, titles: Mapping[str, str]) -> Record:
    """Return a row of a table in which metrics are called as on the other pages."""
    shown = dict(row)
    for column in {"metric", "metrics"} & shown.keys():
        names = str(shown[column]).split(" - ")
        shown[column] = f" {digits.MINUS} ".join(titles.get(name, name) for name in names)
    return shown


def _chart(agreement: HumanAgreement, titles: Mapping[str, str]) -> None:
    points = accuracy_points(agreement, titles)
    drawn = spans(
        points, title="Votes predicted (%)", groups=("accuracy",), zero=False,
        dark=st.context.theme.type == "dark", ceiling=100 * agreement.ceiling,
    )  # fmt: skip
    st.altair_chart(drawn, alt="Share of votes that each metric predicts; the table below has the numbers")
