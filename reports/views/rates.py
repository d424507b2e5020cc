"""Turn a store into the rate-distortion page: curves to look at, and files to publish."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st
from matplotlib.figure import Figure

from ...bench.analysis.comparison import PointEvidence
from ...bench.analysis.curves import DECIBEL_METRICS
from ...bench.store.imports import read_published
from ...bench.store.rows import MetricRow
from .. import charts, digits, tables
from ..column_slice import ColumnSlice
from ..curve_files import as_csv, picture_points
from ..evidence import curve_points
from ..interactive import ChartPoint, rate_distortion
from . import frame as pages
from .frame import Frame

AVERAGE = "Mean of all pictures"
ABOUT = """
Score over rate, one line for each codec; better is up. Bands are 95 % intervals of the mean score over
pictures. A click on a point opens that codec at that setting on the page **Look**. The files below the chart
are made for print, with the numbers behind them.
"""


def main() -> None:
    """Draw the page."""
    pages.page("Rate-distortion", ABOUT, pages.needs_results(draw))


def draw(frame: Frame) -> None:
    """Draw the pickers, the chart and its files."""
    first = st.columns(4)
    second = st.columns([1, 2, 1], vertical_alignment="bottom")
    image_set = pages.pick_set(first[0], frame)
    source = frame.source(image_set)
    kind = pages.pick_kind(second[2], source)
    part = frame.part(image_set, kind)
    pages.summary(frame, part)
    if not part.metrics:
        pages.no_scores()
        return
    metric = pages.pick_metric(first[1], part, part.metrics)
    pictures = [AVERAGE, *(one.name for one in part.columns.pictures)]
    picture = pages.choose(first[2], "Picture", "picture", pictures)
    axis = pages.choose(
        second[0], "Rate axis", "axis", ["log", "linear"], segmented=True,
        show={"log": "Logarithmic", "linear": "Linear"}.__getitem__,
    )  # fmt: skip
    labels = [one.codec.label for one in part.panels]
    chosen = pages.choose_many(second[1], "Codecs", "codec", labels, "Only these; all where none is chosen.")
    overlays = _published(frame, image_set, metric)
    names = sorted({one.codec for one in overlays})
    shown = pages.choose_many(first[3], "Published curves", "published", names) if names else []
    points = curve(frame, part, metric, picture)
    points = [one for one in points if not chosen or one.codec in chosen]
    if not points:
        st.info(f"No curve of {plain_title(part, metric)} yet: no picture is finished by all codecs.")
        return
    looks = charts.looks(labels)
    dark = st.context.theme.type == "dark"
    unit = digits.unit_of(metric)
    title = (
        f"{part.title(metric)}{f' ({unit})' if unit else ''}{', less is better' * (metric.better == 'lower')}"
    )
    drawn = rate_distortion(
        points, [one for one in overlays if one.codec in shown], looks, metric=title, better=metric.better,
        logarithmic=axis == "log", dark=dark,
    )  # fmt: skip
    # Any: a selection is what the chart's own language says it is.
    selected: Any = st.altair_chart(
        drawn,
        on_select="rerun",
        selection_mode="point",
        key=f"chart {image_set} {metric.metric_id} {picture}",
        alt=f"{title} over bits per pixel; the numbers are in the CSV file below",
    )  # fmt: skip
    if found := selected.selection.get("point"):
        _open(image_set, picture, points, found[0])
    _files(part, metric, picture, points, looks)
    pages.pending(frame)


def plain_title(part: ColumnSlice, metric: MetricRow) -> str:
    """Return a metric's name for running text."""
    return pages.plain(part.title(metric))


def curve(frame: Frame, part: ColumnSlice, metric: MetricRow, picture: str) -> list[ChartPoint]:
    """Return the mean curves with their intervals, or those of one picture."""
    if picture != AVERAGE:
        return picture_points(part, metric, picture)
    every = part.comparison(metric)
    labels = {one.codec_id: one.label for one in every.codecs}
    found = curve_points(part, metric, frame.background)
    return [
        _point(labels[codec_id], codec_id, point.setting, point.bits_per_pixel, point.score,
               {one.setting: one for one in found.get(codec_id, [])})
        for codec_id, curve in every.curves.items()
        for point in curve.points
    ]  # fmt: skip


def _point(
    codec: str, codec_id: str, setting: float, rate: float, score: float, known: dict[float, PointEvidence]
) -> ChartPoint:
    interval = known[setting].score_interval if setting in known else None
    ends = (interval.low, interval.high) if interval else (None, None)
    return ChartPoint(codec, codec_id, setting, rate, score, *ends)


def _published(frame: Frame, image_set: str, metric: MetricRow) -> list[ChartPoint]:
    return [
        ChartPoint(
            f"{one.codec} (published)", "", one.quality or 0.0, one.bits_per_pixel, one.scores[metric.name]
        )
        for one in read_published(frame.store)
        if one.image_set == image_set and metric.name in one.scores
    ]


# Any: a selected point, as the chart gives it back.
def _open(image_set: str, picture: str, points: Sequence[ChartPoint], chosen: dict[str, Any]) -> None:
    """Open the clicked point on the page Look."""
    one = next(
        (
            point for point in points
            if point.codec_id == chosen.get("codec_id") and point.setting == chosen.get("setting")
        ),
        None,
    )  # fmt: skip
    if one is None:
        return
    query: dict[str, Any] = {"set": image_set, "codec": [one.codec], "bpp": f"{one.bits_per_pixel:.4g}"}
    if picture != AVERAGE:
        query["picture"] = picture
    st.switch_page(st.session_state["pages"]["look"], query_params=query)


def _files(
    part: ColumnSlice,
    metric: MetricRow,
    picture: str,
    points: list[ChartPoint],
    looks: dict[str, charts.Look],
) -> None:
    name = re.sub(r"[^\w.-]+", "-", f"{part.image_set}-{metric.name}")
    with st.container(horizontal=True):
        for form in ("svg", "pdf", "png"):
            _download(part, metric, picture, points, looks, form, name)
        st.download_button("CSV", as_csv(points, metric), f"{name}.csv", "text/csv", on_click="ignore")


def _download(
    part: ColumnSlice,
    metric: MetricRow,
    picture: str,
    points: list[ChartPoint],
    looks: dict[str, charts.Look],
    form: Literal["svg", "pdf", "png"],
    name: str,
) -> None:
    def make() -> bytes:
        return charts.export(printed(part, metric, picture, points, looks), form)

    st.download_button(form.upper(), make, f"{name}.{form}", on_click="ignore")


def printed(
    part: ColumnSlice,
    metric: MetricRow,
    picture: str,
    points: list[ChartPoint],
    looks: dict[str, charts.Look],
) -> Figure:
    """Return the chart for print."""
    over = digits.counted(len(part.comparison(metric).common), "picture")
    return charts.rate_distortion(
        [tables.RatePoint(one.codec, one.setting, one.bits_per_pixel, one.score) for one in points],
        looks,
        metric=part.title(metric),
        unit=digits.unit_of(metric),
        better=metric.better,
        title=f"{part.image_set}: {f'means over {over}' if picture == AVERAGE else picture}",
        decibels=metric.name in DECIBEL_METRICS,
    )
