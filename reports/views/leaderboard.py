"""Turn a store into the leaderboard page: pickers, table, rate-distortion chart, failures."""

from __future__ import annotations

import os
import re
from typing import Literal, cast

import streamlit as st
from matplotlib.figure import Figure
from streamlit.delta_generator import DeltaGenerator

from ...bench.analysis.coverage import AnalysisError
from ...bench.analysis.curves import DECIBEL_METRICS
from ...bench.store.database import StoreError
from ...bench.store.rows import MetricRow
from ...bench.store.store import Store
from .. import charts, digits, leaderboards, tables
from ..grid import Table
from ..markup import STYLE, html_table
from ..server import STORE_VARIABLE
from ..slices import Kind, Slice, choose_metrics, slice_of

POLL_SECONDS = 5
VIEWS = ("BD-rate", "At a rate", "At a score")
KINDS = {"all": "All", "natural": "Natural", "ai-generated": "AI-generated"}


@st.cache_resource(max_entries=4, show_spinner=False)
def open_store(url: str) -> Store:
    """Return a read-only store, one for all sessions."""
    return Store(url)


@st.cache_resource(max_entries=8, show_spinner="Reading the store …")
def read_slice(url: str, version: int, image_set: str, kind: str) -> Slice:
    """Return one image set; read again when the store's version has changed."""
    del version
    return slice_of(open_store(url), image_set, None if kind == "all" else cast("Kind", kind))


def plain(text: str) -> str:
    """Return text whose punctuation Markdown leaves alone: names of codecs and sets are not ours."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="codecarena", layout="wide")
    st.html("<style>.stMainBlockContainer {padding-top: 3rem}</style>")
    st.title("codecarena", anchor=False)
    url = os.environ.get(STORE_VARIABLE, "arena")
    try:
        store = open_store(url)
        version = store.version()
        image_sets = store.image_sets()
    except StoreError as error:
        st.info(plain(str(error)))
        st.markdown("Fill a store with the built-in photographs, then load this page again:")
        st.code("codecarena demo", language="bash")
        return
    if version == 0 or not image_sets:
        st.info("The store is empty: no result and no failure yet. This page follows a run as it goes.")
        st.code("codecarena run quick", language="bash")
        follow(url, version)
        return
    try:
        page(url, version, image_sets)
    except AnalysisError as error:
        st.warning(plain(str(error)))
    follow(url, version)


def page(url: str, version: int, image_sets: list[str]) -> None:
    """Draw the pickers and what they pick."""
    pickers = st.columns(5, vertical_alignment="bottom")
    image_set = pickers[0].selectbox("Image set", image_sets, key="set", bind="query-params")
    everything = read_slice(url, version, image_set, "all")
    kinds = sorted({cell.kind for cell in everything.cells})
    kind = "all"
    if len(kinds) > 1:
        kind = pickers[4].segmented_control(
            "Pictures", ["all", *kinds], default="all", required=True, format_func=KINDS.__getitem__,
            key="kind", bind="query-params",
        )  # fmt: skip
    part = read_slice(url, version, image_set, kind or "all")
    summary(url, everything)
    metrics = choose_metrics([one for one in part.all_metrics if scored(part, one)])
    if not metrics:
        st.warning("No scores yet: either the first are still being computed, or the suite names no metric.")
        st.code("codecarena score SUITE --metric psnr", language="bash")
        failures(part)
        return
    titles = {one.metric_id: part.title(one) for one in metrics}
    metric_id = pickers[1].selectbox(
        "Metric", list(titles), format_func=lambda one: titles[one], key="metric", bind="query-params"
    )
    metric = next(one for one in metrics if one.metric_id == metric_id)
    opening = tables.opening_view(part, metric)
    view = pickers[2].selectbox(
        "Compare codecs by", VIEWS, index=0 if opening.anchor else 1, key="view", bind="query-params"
    )
    rate = leaderboard(pickers[3], part, metric, metrics, view, opening.bits_per_pixel or 0.5)
    chart(part, metric, charts.looks(cell.codec for cell in everything.cells), rate)
    if view == "BD-rate" and len(metrics) > 1:
        show(leaderboards.bd_table(part, metrics, st.session_state["anchor"]))
    failures(part)


def summary(url: str, part: Slice) -> None:
    """Say in one line what the set holds, and in another what is running."""
    pictures = len({cell.picture_sha256 for cell in part.cells})
    codecs = len({cell.codec_id for cell in part.cells})
    counts = {"picture": pictures, "codec": codecs, "result": len(part.cells)}
    parts = [digits.counted(count, noun) for noun, count in counts.items()]
    open_failures = sum(not one.settled for one in part.failures)
    if open_failures:
        parts.append(digits.counted(open_failures, "open failure"))
    st.caption(" · ".join(parts))
    if codecs == 1:
        st.info("One codec so far: run a suite with another one to compare.")
    for run in tables.running(open_store(url)):
        st.info(
            f"A run of {plain(run.suite)} is in progress: "
            f"{digits.counted(run.planned_cells, 'cell')} planned. "
            "Numbers change as results come in."
        )


def scored(part: Slice, metric: MetricRow) -> bool:
    """Return whether the metric has a score in this part of the store."""
    return any(metric.metric_id in cell.scores for cell in part.cells)


def leaderboard(
    picker: DeltaGenerator,
    part: Slice,
    metric: MetricRow,
    metrics: list[MetricRow],
    view: str,
    usual_rate: float,
) -> float | None:
    """Draw the leaderboard; return the rate it is about, if it is about one."""
    if view == "BD-rate":
        labels = tables.codec_labels(part)
        usual = tables.usual_anchor(part)
        anchor = picker.selectbox(
            "Anchor", labels, index=labels.index(usual) if usual in labels else 0, key="anchor",
            bind="query-params", help="The codec that all others are compared with.",
        )  # fmt: skip
        show(leaderboards.bd_table(part, [metric], anchor))
        return None
    if view == "At a rate":
        rate = picker.slider(
            "Bits per pixel", 0.05, 3.0, usual_rate, 0.05, key="bpp", bind="query-params",
            help="Every codec's scores at this rate.",
        )  # fmt: skip
        rest = [one for one in metrics if one != metric]
        show(leaderboards.at_rate_table(part, [metric, *rest], rate))
        return rate
    score = picker.number_input(
        f"{part.title(metric)} score", value=tables.usual_score(part, metric),
        key=f"score-{metric.metric_id}",
        bind="query-params", help="What every codec spends to reach this score.",
    )  # fmt: skip
    show(leaderboards.at_score_table(part, metric, score))
    return None


def show(table: Table) -> None:
    """Draw a table with its notes."""
    st.subheader(plain(table.title), anchor=False)
    # Not st.dataframe: it paints on a canvas, and where a value is missing it hides the reason.
    st.html(STYLE + html_table(table))
    st.caption("  \n".join(plain(note) for note in table.notes))


def chart(part: Slice, metric: MetricRow, looks: dict[str, charts.Look], rate: float | None) -> None:
    """Draw the rate-distortion chart and offer its files."""
    points, pictures = tables.rate_points(part, metric)
    st.subheader("Rate and distortion", anchor=False)
    if not points:
        st.info(f"No curve of {plain(part.title(metric))} yet: no picture is finished by all codecs.")
        return
    title = f"{part.image_set}: means over {digits.counted(pictures, 'picture')}"
    figure = charts.rate_distortion(
        points, looks, metric=part.title(metric), unit=digits.unit_of(metric), better=metric.better,
        title=title, marked_rate=rate, decibels=metric.name in DECIBEL_METRICS,
    )  # fmt: skip
    st.pyplot(
        figure, width=780, alt=f"{part.title(metric)} over bits per pixel; the table above has the numbers"
    )
    with st.container(horizontal=True):
        for form in ("svg", "pdf", "png"):
            download(figure, form, f"{part.image_set}-{metric.name}")


def download(figure: Figure, form: Literal["svg", "pdf", "png"], name: str) -> None:
    """Offer the chart as a file, made when it is asked for."""
    safe = re.sub(r"[^\w.-]+", "-", name)
    st.download_button(form.upper(), lambda: charts.export(figure, form), f"{safe}.{form}", on_click="ignore")


def failures(part: Slice) -> None:
    """List what failed, behind a fold."""
    table = tables.failures_table(part)
    if table.rows:
        with st.expander(f"Failures: {digits.counted(len(table.rows), 'kind')}"):
            show(table)
            st.caption("Mend the cause, then run the suite again with `--retry-failed`.")


@st.fragment(run_every=POLL_SECONDS)
def follow(url: str, version: int) -> None:
    """Draw the page again when the store has changed."""
    try:
        changed = open_store(url).version() != version
    except StoreError:
        return
    if changed:
        st.rerun(scope="app")
