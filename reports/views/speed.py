"""The page Speed and cost: times of the timing pass, memory, decoders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ...bench.records.rows import MetricRow
from ...bench.store.timings import timings
from ..charts.interactive import trade
from ..charts.line_styles import line_styles
from ..charts.trades import COSTS, absent, trades
from ..tables import digits
from ..tables.comparisons import pareto_table
from ..tables.selection import Selection
from ..tables.speed import speed_tables
from . import frame as pages
from . import pickers
from .codec_choice import pick_codecs
from .figure_files import figure_files
from .frame import Frame
from .leaderboard import costs_of

if TYPE_CHECKING:
    from ..files.printed_figures import Printed

ABOUT = """
What codecs cost, measured one picture at a time on a machine that did nothing else. Times of a run, in which
cells share the machine, are never shown as speed. Large points in the chart are beaten by no codec in both.
"""


def main() -> None:
    """Draw the page."""
    pages.page("Speed and cost", ABOUT, pages.needs_results(draw))


def draw(frame: Frame) -> None:
    """Draw the pickers, the chart and the tables."""
    places = st.columns(4)
    below = st.columns(4)
    image_set = pickers.pick_set(places[0], frame)
    left_out = pick_codecs(below[0], frame.source(image_set))
    selection = frame.selection(image_set, left_out=left_out)
    pages.summary(frame, selection)
    metric = selection.metrics[0] if selection.metrics else None
    tables = [table for table in speed_tables(frame.store, image_set, left_out) if table.rows]
    if not tables:
        st.info("Nothing of this set was timed yet: a suite's [timing] table says what to time, and")
        st.code("codecarena time SUITE", language=None)
    elif selection.metrics and selection.grids:
        metric = pickers.pick_metric(places[1], selection, selection.metrics)
        anchor = pickers.pick_anchor(places[2], selection)
        board, costs = selection.board(metric, anchor), costs_of(frame.url, frame.version, image_set)
        usual = next((cost for cost in COSTS if trades(board, costs, cost)), "decode")
        by = pickers.choose(places[3], "Cost", "cost", list(COSTS), usual, show=COSTS.__getitem__)
        points = trades(board, costs, by)
        st.header("What the cost buys", anchor=False)
        if points:
            gain = f"BD-rate against {anchor} (%), less is better"
            styles = line_styles(grid.codec.label for grid in selection.grids)
            drawn = trade(points, styles, cost=COSTS[by], gain=gain, less_is_better=True,
                          dark=st.context.theme.type == "dark")  # fmt: skip
            st.altair_chart(drawn, alt=f"{gain} over {COSTS[by]}; the tables below have the costs")
            left_out = absent(board, costs, by)
            if left_out:
                st.caption("  \n".join(map(pages.plain, left_out)))

            def printed() -> Printed | None:
                from ..files import printed_figures

                return printed_figures.costs(selection, metric, anchor, costs, by)

            figure_files(printed, digits.file_name(f"{image_set} {metric.name} {by} cost"))
        else:
            st.info(
                "No codec has both a BD-rate and this cost. Wall times taken while other programs ran are no "
                "speed: time the suite again at a quiet moment, or look at CPU time, which hardly suffers."
            )
    for place, table in enumerate(tables):
        pages.show(table, f"speed{place}")
    if tables and metric and selection.grids:
        _front(frame, selection, metric)


def _front(frame: Frame, selection: Selection, metric: MetricRow) -> None:
    comparison = selection.comparison(metric)
    if comparison.common:
        with st.expander("Settings that no other one beats"):
            pages.show(
                pareto_table(selection, metric, comparison, timings(frame.store, selection.image_set)),
                "front",
            )
