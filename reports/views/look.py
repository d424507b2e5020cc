"""The page Look: originals and decoded pictures, pixel for pixel."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from ...bench.analysis.leaderboard import COMMON_RATES
from ...bench.records.rows import MetricRow
from ..server.picture_choice import MAPS, Target, nearest_cells, numbers_table, panes, worst_first
from ..tables import digits
from ..tables.selection import Selection
from . import frame as pages
from . import pickers
from .address import current, newly_reported
from .frame import Frame

ABOUT = """
The original beside what codecs made of it, at the same rate or the same score. Nothing is scaled, smoothed or
coded again: one pixel of the picture is a whole number of pixels of the screen.

**Slider**: two pictures, split. **Flip**: one place, the space bar changes the picture. **Side by side**: all
of them. Drag, the arrow keys, plus and minus move and magnify all pictures together, up to 16 times.
"""
PICTURES = "look"
"""Key of the component that shows them."""
FIRST_CODECS = 2
"""Codecs that are shown where nobody chose."""

_look = component(
    "codecarena_look",
    css=(pages.WEB / "look.css").read_text(),
    js=(pages.WEB / "look.js").read_text(),
)


def main() -> None:
    """Draw the page."""
    pages.page("Look", ABOUT, pages.needs_results(draw))


def draw(frame: Frame) -> None:
    """Draw the pickers, the pictures and their numbers."""
    first = st.columns([2, 2, 2, 2])
    second = st.columns([3, 3, 2], vertical_alignment="bottom")
    image_set = pickers.pick_set(first[0], frame)
    selection = frame.selection(image_set)
    labels = [grid.codec.label for grid in selection.grids]
    if not labels:
        st.info("No codec has a result in this set yet; failures are on the page Runs.")
        return
    codecs = (
        pickers.choose_many(second[0], "Codecs", "codec", labels, default=_first_codecs(selection))
        or labels[:1]
    )
    target = _target(first, selection)
    picture = _picture(second[1], selection, codecs[0], target)
    maps = pickers.choose_many(
        second[2], "Maps", "map", list(MAPS), "Where pictures differ from the original."
    )
    sha256 = next(stored.sha256 for stored in selection.columns.pictures if stored.name == picture)
    wanted = {grid.codec.codec_id: grid.codec.label for grid in selection.grids if grid.codec.label in codecs}
    ordered = dict(sorted(wanted.items(), key=lambda item: codecs.index(item[1])))
    cells = nearest_cells(frame.store, image_set, sha256, ordered, target)
    shown = panes(picture, sha256, cells, selection.metrics[:3], maps)
    reported = newly_reported(PICTURES, "view")
    view = current().take("view") or [reported] * bool(reported) or current().chosen.get("view", [])
    # A step of the pictures is none of the page: nobody wants to go back through all of them.
    current().record("view", view, makes_entry=False)
    _look(
        key=PICTURES,
        data={
            "panes": [asdict(pane) for pane in shown],
            "view": "".join(view),
            "opening": current().opening,
        },
        on_view_change=lambda: None,
    )
    for label in codecs:
        if label not in cells:
            st.caption(f"{pages.plain(label)} has no result for this picture.")
    if cells:
        pages.show(numbers_table(cells, selection.metrics, f"Numbers of {picture}"))


def _first_codecs(selection: Selection) -> list[str]:
    """Return the anchor and the codec with the best BD-rate against it."""
    labels = [grid.codec.label for grid in selection.grids]
    anchor = selection.usual_anchor
    others = [label for label in labels if label != anchor]
    if anchor and selection.metrics:
        rows = selection.board(selection.metrics[0], anchor).rows
        others = [row.codec.label for row in rows if row.codec.label in others] or others
    return [*([anchor] if anchor else []), *others][:FIRST_CODECS]


# Any: columns of the page.
def _target(places: Any, selection: Selection) -> Target:
    by_name: dict[str, MetricRow | None] = {
        "bpp": None,
        **{metric.metric_id: metric for metric in selection.metrics},
    }
    titles = {"bpp": "Rate", **{metric.metric_id: selection.title(metric) for metric in selection.metrics}}
    match = pickers.choose(
        places[1], "Match by", "match", list(by_name), show=titles.__getitem__,
        help_text="Every codec is shown at its stored setting nearest this rate, or this score.",
    )  # fmt: skip
    metric = by_name[match]
    if metric is None:
        rate = pickers.choose_number(
            places[2], "Bits per pixel", "bpp", _usual_rate(selection), low=0.001, high=48.0, step=0.05
        )
        return Target(rate)
    score = pickers.choose_number(
        places[2], f"{selection.title(metric)} score", f"score-{metric.name}", selection.usual_score(metric)
    )
    return Target(score, metric)


def _usual_rate(selection: Selection) -> float:
    """Return the common rate in the middle of those that were measured."""
    rates = sorted(selection.columns.bits_per_pixel.tolist())
    middle = rates[len(rates) // 2] if rates else 0.5
    return min(COMMON_RATES, key=lambda rate: abs(math.log(rate / middle)))


def _picture(place: Any, selection: Selection, codec: str, target: Target) -> str:
    names = [picture.name for picture in selection.columns.pictures]
    if not selection.metrics:
        return pickers.choose(place, "Picture", "picture", names)
    metric = target.metric or selection.metrics[0]
    judge = selection.metrics[0] if target.metric is None else next(
        (other for other in selection.metrics if other != metric), metric
    )  # fmt: skip
    grid = next(grid for grid in selection.grids if grid.codec.label == codec)
    listed = worst_first(selection, grid, judge, target)
    titles = {
        name: name
        if math.isnan(score)
        else f"{name}  ({selection.title(judge)} {digits.score(judge, score)})"
        for name, score in listed
    }
    return pickers.choose(
        place, f"Picture, the worst of {codec} first", "picture", [name for name, _ in listed],
        show=titles.__getitem__,
    )  # fmt: skip
