"""The page Natural against AI-generated: whether the kind of picture changes the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ...bench.analysis.kind_effect import KindSplit
from ..charts.chart_points import GROUPS, kind_points
from ..charts.interactive import spans
from ..tables import digits
from ..tables.evidence import Pending, kind_split
from ..tables.kinds import dividing_pictures, kind_table, points_by_kind, points_table
from ..tables.likeness import Likeness, balance_table, likeness
from ..tables.selection import Selection
from . import frame as pages
from . import pickers
from .codec_choice import look_link, pick_codecs
from .figure_files import figure_files
from .frame import Frame

if TYPE_CHECKING:
    from ..files.printed_figures import Printed

EVERY = "All sets together"
COMPARED = {"natural", "ai-generated"}
ABOUT = """
Does it matter for codecs whether a picture is a photograph or was generated? Every codec's BD-rate on either
kind, and the difference with a test that allows for all codecs at once. Pictures of the very generator that a
codec decodes with are in no test: they stand in rows of their own. A name in the first column opens the
pictures.
"""


def main() -> None:
    """Draw the page."""
    pages.page("Natural against AI-generated", ABOUT, pages.needs_results(draw))


def draw(frame: Frame) -> None:
    """Draw the pickers, the order, the chart and the tables."""
    places = st.columns(4, vertical_alignment="bottom")
    both = [image_set for image_set in frame.image_sets if set(frame.source(image_set).kinds) >= COMPARED]
    several = len(frame.image_sets) > 1
    chosen: str = pickers.choose(
        places[0], "Image set", "of", [*([EVERY] if several else []), *(both or frame.image_sets)]
    )
    sets = frame.image_sets if chosen == EVERY else [chosen]
    image_set = None if chosen == EVERY else chosen
    left_out = pick_codecs(places[3], frame.source(image_set))
    selection = frame.selection(image_set, left_out=left_out)
    pages.summary(frame, selection)
    kinds = selection.source.kinds
    if not set(kinds) >= COMPARED:
        there = " and ".join(digits.KINDS[kind] for kind in kinds) or "no"
        st.info(
            f"There are {there} pictures only: run a suite on both kinds, such as your photographs beside a "
            'set with kind = "ai-generated", to compare them.'
        )
        st.code("codecarena list sets", language=None)
        return
    if not selection.metrics:
        pages.no_scores(selection)
        return
    metric = pickers.pick_metric(places[1], selection, selection.metrics)
    anchor = pickers.pick_anchor(places[2], selection)
    anchor_id = next(grid.codec.codec_id for grid in selection.grids if grid.codec.label == anchor)
    title = f"BD-rate against {anchor} by {selection.title(metric)}"
    try:
        split = kind_split(selection, metric, anchor, "pchip", frame.background)
    except Pending:
        pages.show(points_table(points_by_kind(selection, metric, anchor_id), title))
    else:
        besides = likeness(selection, split, "pchip", frame.background)
        _drawn(selection, split, title, sets[0], besides)
        if kind_points(split):

            def printed() -> Printed | None:
                from ..files import printed_figures

                return printed_figures.kinds(selection, metric, anchor, split)

            figure_files(printed, digits.file_name(f"{chosen} {metric.name} natural ai-generated"))
        if besides.balance:
            pages.show(balance_table(selection, split, besides.balance), "balance")
    divided = dividing_pictures(selection, metric, anchor_id)
    if divided.rows:
        set_of = {
            picture.sha256: image_set
            for image_set in reversed(sets)
            for picture in frame.source(image_set).columns.pictures
        }
        links = [
            look_link(
                set_of[row.record["picture_sha256"]], [anchor, row.record["codec"]], row.record["picture"]
            )
            for row in divided.rows
        ]
        pages.show(divided, "divided", links=links, made_from=(selection, [metric]))
    pages.pending(frame)


def _drawn(selection: Selection, split: KindSplit, title: str, image_set: str, besides: Likeness) -> None:
    if split.statement:
        st.warning(pages.plain(split.statement[0].upper() + split.statement[1:] + "."))
    elif split.order:
        changed = [reversal for reversal in split.order.reversals if reversal.shown]
        verdict = "depends" if split.order.p_value < 0.05 else "is not shown to depend"
        order = "the order of codecs changes" if changed else "no change in the order of codecs is shown"
        sentence = f"What a codec saves {verdict} on the kind of picture; {order}."
        if besides.confounded:
            kind = f"Kind and {besides.confounded}"
            sentence = f"{kind} cannot be told apart here: what is shown may be of either."
        st.markdown(f"**{pages.plain(sentence)}**")
    points = kind_points(split)
    if points:
        drawn = spans(points, title=f"{title} (%)", groups=GROUPS,
                      dark=st.context.theme.type == "dark")  # fmt: skip
        st.altair_chart(drawn, alt=f"{title}, on either kind; the table below has the numbers")
    links = [look_link(image_set, [split.anchor, row.label]) for row in split.rows]
    table = kind_table(selection, split, besides)
    pages.show(table, "kinds", links=links, made_from=(selection, [split.metric]))
