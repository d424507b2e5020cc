"""The page of rate-distortion curves, with files to publish them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from ...bench.records.rows import MetricRow
from ...bench.store.imports import read_published
from ..charts.interactive import rate_distortion
from ..charts.line_styles import LineStyle, line_styles
from ..files.curve_files import as_csv, picture_points, published_note, published_points
from ..tables import digits
from ..tables.evidence import curve_points
from ..tables.leaderboard_tables import RatePoint, rate_points
from ..tables.reasons import shared_notes
from ..tables.selection import Selection
from . import frame as pages
from . import pickers
from .codec_choice import pick_codecs
from .figure_files import figure_files
from .frame import Frame

if TYPE_CHECKING:
    from ..files.printed_figures import Printed

AVERAGE = "Mean of all pictures"
ABOUT = """
Score over rate, one line for each codec; better is up. Bands are 95 % intervals of the mean score over
pictures. A click on a point opens that codec at that setting on the page **Look**. A click on a name below
the chart leaves its curve alone, with the shift key several; a click beside the names brings all back. The
files below are made for print, with the numbers behind them.
"""


def main() -> None:
    """Draw the page."""
    pages.page("Rate-distortion", ABOUT, pages.needs_results(draw))


def draw(frame: Frame) -> None:
    """Draw the pickers, the chart and its files."""
    first = st.columns(4)
    second = st.columns(4, vertical_alignment="bottom")
    image_set = pickers.pick_set(first[0], frame)
    source = frame.source(image_set)
    kind = pickers.pick_kind(second[3], source)
    selection = frame.selection(image_set, kind, pick_codecs(second[2], source))
    pages.summary(frame, selection)
    if not selection.metrics:
        pages.no_scores(selection)
        return
    metric = pickers.pick_metric(first[1], selection, selection.metrics)
    pictures = [AVERAGE, *(picture.name for picture in selection.columns.pictures)]
    picture = pickers.choose(first[2], "Picture", "picture", pictures)
    axis = pickers.choose(
        second[0], "Rate axis", "axis", ["log", "linear"], segmented=True,
        show={"log": "Logarithmic", "linear": "Linear"}.__getitem__,
    )  # fmt: skip
    labels = [grid.codec.label for grid in selection.grids]
    chosen = pickers.choose_many(
        second[1], "Curves", "codec", labels, "Draw these alone; all where none is chosen."
    )
    overlays = published_points(read_published(frame.store), image_set, metric)
    names = sorted({overlay.codec for overlay in overlays})
    overlaid = pickers.choose_many(first[3], "Published curves", "published", names) if names else []
    points = [
        point for point in _points(frame, selection, metric, picture) if not chosen or point.codec in chosen
    ]
    if not points:
        st.info(f"No curve of {plain_title(selection, metric)} yet: no picture is finished by all codecs.")
        return
    shown = Shown(
        selection, metric, picture, points, [overlay for overlay in overlays if overlay.codec in overlaid],
        line_styles(labels), axis == "log",
    )  # fmt: skip
    _chart(shown)
    if shown.picture_alone is None:
        for note in shared_notes(selection.comparison(metric), selection.picture_names):
            st.caption(pages.plain(note))
    if shown.published:
        st.caption(pages.plain(published_note(selection, metric, shown.picture_alone)))
    _files(shown)
    pages.pending(frame)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows, and its files hold."""

    selection: Selection
    metric: MetricRow
    picture: str
    points: list[RatePoint]
    published: list[RatePoint]
    line_styles: dict[str, LineStyle]
    logarithmic: bool

    @property
    def picture_alone(self) -> str | None:
        """The one picture that is shown; None for the mean of all."""
        return None if self.picture == AVERAGE else self.picture

    @property
    def name(self) -> str:
        """What the files are called before their suffix."""
        names = (self.selection.image_set, self.picture_alone or "", self.metric.name)
        return "-".join(word for word in map(digits.file_name, names) if word)


def plain_title(selection: Selection, metric: MetricRow) -> str:
    """Return a metric's name for running text."""
    return pages.plain(selection.title(metric))


def _points(frame: Frame, selection: Selection, metric: MetricRow, picture: str) -> list[RatePoint]:
    """Return the mean curves with their intervals, or those of one picture."""
    if picture != AVERAGE:
        return picture_points(selection, metric, picture)
    return rate_points(selection, metric, curve_points(selection, metric, frame.background))[0]


def _chart(shown: Shown) -> None:
    """Draw the chart, and open the point that is clicked."""
    selection, metric = shown.selection, shown.metric
    unit = digits.unit_of(metric)
    title = (
        f"{selection.title(metric)}{f' ({unit})' if unit else ''}"
        f"{', less is better' * (metric.better == 'lower')}"
    )
    drawn = rate_distortion(
        shown.points, shown.published, shown.line_styles, metric=title, better=metric.better,
        decibels=metric.curve_scale == "decibel", logarithmic=shown.logarithmic,
        dark=st.context.theme.type == "dark",
    )  # fmt: skip
    # Any: a selection is what the chart's own language says it is.
    selected: Any = st.altair_chart(
        drawn,
        on_select="rerun",
        selection_mode="point",
        key=f"chart {selection.image_set} {metric.metric_id} {shown.picture}",
        alt=f"{title} over bits per pixel; the numbers are in the CSV file below",
    )  # fmt: skip
    if points := selected.selection.get("point"):
        _open(shown, points[0])


# Any: a selected point, as the chart gives it back.
def _open(shown: Shown, chosen: dict[str, Any]) -> None:
    """Open the clicked point on the page Look."""
    clicked = next(
        (
            point for point in shown.points
            if point.codec_id == chosen.get("codec_id") and point.setting == chosen.get("setting")
        ),
        None,
    )  # fmt: skip
    if clicked is None:
        return
    query: dict[str, Any] = {
        "set": shown.selection.image_set, "codec": [clicked.codec], "bpp": f"{clicked.bits_per_pixel:.4g}",
    }  # fmt: skip
    if shown.picture != AVERAGE:
        query["picture"] = shown.picture
    st.switch_page(st.session_state["pages"]["look"], query_params=query)


def _files(shown: Shown) -> None:
    numbers = as_csv([*shown.points, *shown.published], shown.metric)
    figure_files(lambda: printed(shown), shown.name, {"CSV": (numbers, f"{shown.name}.csv")})


def printed(shown: Shown) -> Printed:
    """Return the chart for print."""
    from ..files import printed_figures

    return printed_figures.curves(
        shown.selection, shown.metric, shown.points, shown.published, logarithmic=shown.logarithmic,
        picture=shown.picture_alone,
    )  # fmt: skip
