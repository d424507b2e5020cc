"""The page Look: originals and decoded pictures, pixel for pixel."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from ...bench.analysis.leaderboard import COMMON_RATES
from ...bench.records.rows import MetricRow, ScoredCell
from ...bench.store.database import without_password
from ..server.picture_choice import (
    MAPS,
    Target,
    largest_gap_first,
    nearest_cells,
    numbers_table,
    panes,
    worst_first,
)
from ..tables import digits
from ..tables.selection import Selection
from . import frame as pages
from . import pickers
from .address import current, newly_reported
from .codec_choice import pick_codecs
from .frame import Frame
from .runs import SUITE_FILE

ABOUT = """
The original beside what codecs made of it, at the same rate or the same score, as far as there are settings
that match: the numbers say by how much each misses, and the page warns past a tolerance. Nothing is scaled,
smoothed or coded again: one pixel of the picture is a whole number of pixels of the screen.

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
    second = st.columns([3, 3, 2, 2], vertical_alignment="bottom")
    image_set = pickers.pick_set(first[0], frame)
    selection = frame.selection(image_set, left_out=pick_codecs(second[3], frame.source(image_set)))
    pages.say_left_out(selection)
    labels = [grid.codec.label for grid in selection.grids]
    if not labels:
        st.info("No codec has a result in this set yet; failures are on the page Runs.")
        return
    codecs = (
        pickers.choose_many(second[0], "Codecs", "codec", labels, default=_first_codecs(selection))
        or labels[:1]
    )
    target = _target(first, selection)
    order = _order(first[3], selection, codecs)
    picture = _picture(second[1], selection, codecs, target, order)
    maps = pickers.choose_many(
        second[2], "Maps", "map", list(MAPS), "Where pictures differ from the original."
    )
    sha256 = next(stored.sha256 for stored in selection.columns.pictures if stored.name == picture)
    wanted = {grid.codec.codec_id: grid.codec.label for grid in selection.grids if grid.codec.label in codecs}
    ordered = dict(sorted(wanted.items(), key=lambda item: codecs.index(item[1])))
    cells = nearest_cells(frame.store, image_set, sha256, ordered, target)
    shown = panes(picture, sha256, cells, selection.metrics[:3], maps, target)
    _missed(frame, cells, target)
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
        pages.show(numbers_table(cells, selection.metrics, f"Numbers of {picture}", target))


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


def _missed(frame: Frame, cells: Mapping[str, ScoredCell], target: Target) -> None:
    """Warn of pictures that are no match for each other, and give the command that makes some."""
    missed = {label: cell for label, cell in cells.items() if target.misses(cell)}
    if not missed:
        return
    listed = ", ".join(f"{label} {target.deviation(cell)}" for label, cell in missed.items())
    st.warning(
        pages.plain(
            f"Not matched, further than {target.tolerance} from {target.in_words}: {listed}. What these "
            "pictures differ in may come of the settings, not of the codecs."
        )
    )
    coded_here = sorted({label.split("(")[0] for label, cell in missed.items() if not cell.imported})
    if coded_here:
        with st.popover("Make matched settings"):
            st.markdown(
                "This command searches the setting that comes nearest, for every picture, and adds it to the "
                "store; the suite file is on the page Runs."
            )
            st.code(
                match_command(frame.url, next(iter(missed.values())).image_set, coded_here, target),
                None,
                wrap_lines=True,
            )


def match_command(url: str, image_set: str, codecs: Sequence[str], target: Target) -> str:
    """Return what to type so that codecs have settings that match a target.

    Args:
        url: Of the store.
        image_set: Whose pictures are coded.
        codecs: Names as suites have them.
        target: Rate or score.
    """
    only = ["--only", f"codec={','.join(codecs)}", "--only", f"set={image_set}"]
    store = ["--store", without_password(url)]
    return shlex.join(["codecarena", "run", SUITE_FILE, "--match", target.option, *only, *store])


def _order(place: Any, selection: Selection, codecs: Sequence[str]) -> str:
    """Draw the picker of the order of pictures, where there are two codecs to compare."""
    if len(codecs) < 2 or not selection.metrics:
        return "worst"
    orders = {"worst": f"Worst of {codecs[0]}", "gap": f"Largest gap of {codecs[0]} and {codecs[1]}"}
    return pickers.choose(
        place, "Pictures first", "order", list(orders), show=orders.__getitem__,
        help_text="By scores at the settings that are shown. Pictures on which a setting misses the rate or "
        "score come last in the order of gaps.",
    )  # fmt: skip


def _picture(place: Any, selection: Selection, codecs: Sequence[str], target: Target, order: str) -> str:
    names = [picture.name for picture in selection.columns.pictures]
    if not selection.metrics:
        return pickers.choose(place, "Picture", "picture", names)
    metric = target.metric or selection.metrics[0]
    judge = selection.metrics[0] if target.metric is None else next(
        (other for other in selection.metrics if other != metric), metric
    )  # fmt: skip
    if order == "gap":
        label = f"Picture, largest gap of {codecs[0]} and {codecs[1]} first"
        titles = _gap_titles(selection, (codecs[0], codecs[1]), judge, target)
    else:
        label = f"Picture, the worst of {codecs[0]} first"
        grid = next(grid for grid in selection.grids if grid.codec.label == codecs[0])
        titles = {
            name: name
            if math.isnan(score)
            else f"{name}  ({selection.title(judge)} {digits.score(judge, score)})"
            for name, score in worst_first(selection, grid, judge, target)
        }
    return pickers.choose(place, label, "picture", list(titles), show=titles.__getitem__)


def _gap_titles(
    selection: Selection, codecs: tuple[str, str], judge: MetricRow, target: Target
) -> dict[str, str]:
    """Return what each picture is called where the largest gap between two codecs stands first."""
    by_label = {grid.codec.label: grid.codec.codec_id for grid in selection.grids}
    titles: dict[str, str] = {}
    for gap in largest_gap_first(selection, (by_label[codecs[0]], by_label[codecs[1]]), judge, target):
        if math.isnan(gap.difference):
            titles[gap.picture] = gap.picture
            continue
        better = codecs[0] if gap.difference >= 0 else codecs[1]
        size = f"{digits.score(judge, abs(gap.difference))} {digits.unit_of(judge)}".rstrip()
        unmatched = "" if gap.is_fair else ", not matched"
        titles[gap.picture] = f"{gap.picture}  ({selection.title(judge)}: {better} +{size}{unmatched})"
    return titles
