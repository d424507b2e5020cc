"""The page Leaderboard: codecs by BD-rate, by score at a rate, or by rate at a score."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ...bench.records.rows import MetricRow
from ...bench.store.timings import footprints, timings
from ...studies.analysis.results import stored_results
from ..tables.at_target_tables import at_rate_table, at_score_table
from ..tables.evidence import board_ranks
from ..tables.leaderboard_columns import Cost, costs, with_costs, with_people, with_ranks
from ..tables.leaderboards import bd_table
from ..tables.own_rate_table import own_rate_table
from ..tables.published_table import against_published, published_anchors
from ..tables.selection import Selection
from ..tables.table import Table
from . import frame as pages
from . import pickers
from .codec_choice import pick_codecs
from .frame import Frame
from .pair import draw_pair

VIEWS = {"bd-rate": "BD-rate", "rate": "At a rate", "score": "At a score", "pair": "Two codecs"}
MOST_METRICS = 4
"""Beside each other at a rate; more would not be read."""
ABOUT = """
**BD-rate**: how many bits a codec needs for the same score, against the anchor; −20 % is a fifth less.
**At a rate**: scores when every codec may spend the same. **At a score**: what each codec spends for it.
Both stand beside the difference from the anchor on those pictures on which the two are there.
**Two codecs**: one against another, by metric, by rate and picture by picture; a picture opens in **Look**.
**At their own bytes**: codecs of one setting have no curve, so on each picture the others are read at
the bits that they spend there.

In brackets stand 95 % intervals over pictures. Blue shading: significantly fewer bits than the anchor,
or a better score at the codec's own bytes; orange: more bits, or a worse score. Rest the pointer on a
heading for what it means, and on an empty cell for why it is empty. A click on a heading sorts.
"""


def main() -> None:
    """Draw the page."""
    pages.page("Leaderboard", ABOUT, pages.needs_results(draw))


def draw(frame: Frame) -> None:
    """Draw the pickers and what they pick."""
    first, second = st.columns(4), st.columns(4, vertical_alignment="bottom")
    image_set = pickers.pick_set(first[0], frame)
    source = frame.source(image_set)
    kind = pickers.pick_kind(second[0], source)
    left_out = pick_codecs(second[1] if len(source.kinds) > 1 else second[0], source)
    selection = frame.selection(image_set, kind, left_out)
    pages.summary(frame, selection)
    if not selection.metrics:
        pages.no_scores(selection)
        return
    metric = pickers.pick_metric(first[1], selection, selection.metrics)
    opening = selection.opening_view(metric)
    view = pickers.choose(
        first[2], "Compare codecs by", "view", list(VIEWS), "bd-rate" if opening.anchor else "rate",
        show=VIEWS.__getitem__,
    )  # fmt: skip
    if view == "pair":
        draw_pair(first[3], frame, selection, metric, kind, costs_of(frame.url, frame.version, image_set))
        pages.pending(frame)
        return
    metrics = [metric]
    if view == "rate":
        rest = [other for other in selection.metrics if other != metric][: MOST_METRICS - 1]
        metrics += frame.read(selection, rest)
    with first[3]:
        table = _table(frame, selection, metrics, view, opening.bits_per_pixel)
    table = with_people_and_costs(frame, selection, table)
    pages.show(table, "board", made_from=(selection, metrics))
    if view != "score":
        _own_rates(frame, selection, metric)
    if view == "bd-rate" and len(selection.metrics) > 1:
        _every_metric(frame, selection)
    pages.pending(frame)


def _table(
    frame: Frame, selection: Selection, metrics: Sequence[MetricRow], view: str, usual_rate: float | None
) -> Table:
    place, metric = st.container(), metrics[0]
    if view == "bd-rate":
        anchor = pickers.pick_anchor(place, selection, published_anchors(selection, metric))
        if against := against_published(selection, [metric], anchor):
            return against
        table = bd_table(selection, [metric], anchor, derived=frame.background)
        return with_ranks(table, board_ranks(selection, selection.board(metric, anchor), frame.background))
    if view == "rate":
        rate = pickers.choose_number(
            place, "Bits per pixel", "bpp", usual_rate or 0.5, low=0.001, high=48.0, step=0.05,
            help_text="Every codec's scores at this rate.",
        )  # fmt: skip
        because = selection.why_no_bd_rates(metric) if usual_rate else ""
        return at_rate_table(
            selection, metrics, rate, because,
            anchor=pickers.pick_anchor(place, selection), derived=frame.background,
        )  # fmt: skip
    score = pickers.choose_number(
        place, f"{selection.title(metric)} score", f"score-{metric.name}", selection.usual_score(metric),
        help_text="What every codec spends to reach this score.",
    )  # fmt: skip
    anchor = pickers.pick_anchor(place, selection)
    return at_score_table(selection, metric, score, anchor=anchor, derived=frame.background)


def with_people_and_costs(frame: Frame, selection: Selection, table: Table) -> Table:
    """Return a leaderboard with what people said and what the decoder costs.

    Args:
        frame: Of the page.
        selection: What the table is about.
        table: A leaderboard, a row a codec.
    """
    decoder_costs = costs_of(frame.url, frame.version, selection.image_set)
    known = [picture.sha256 for picture in selection.columns.pictures]
    return with_costs(with_people(table, stored_results(frame.store), known), decoder_costs)


@st.cache_data(max_entries=8, show_spinner=False)
def costs_of(url: str, version: int, image_set: str) -> dict[str, Cost]:
    """Return what decoders cost, of one state of a store.

    Args:
        url: Of the store's database.
        version: Changes with every write, so that an old state is read no more.
        image_set: One set; all where None.
    """
    del version
    store = pages.open_store(url)
    return costs(timings(store, image_set), footprints(store))


def _own_rates(frame: Frame, selection: Selection, metric: MetricRow) -> None:
    """Draw the codecs that have neither a BD-rate nor a score at a rate, as they have one setting."""
    table = own_rate_table(selection, [metric], _anchor(selection), derived=frame.background)
    if table:
        pages.show(table, "own", made_from=(selection, [metric]))


def _anchor(selection: Selection) -> str:
    """Return the codec of the address that others are compared with, or the usual one."""
    return str(st.query_params.get("anchor", selection.usual_anchor))


def _every_metric(frame: Frame, selection: Selection) -> None:
    with st.expander("Every metric side by side"):
        shown = pickers.choose(
            st.container(), "Show", "every", ["no", "yes"], segmented=True,
            show={"no": "Not now", "yes": "All metrics"}.__getitem__,
            help_text="In a large store, reading the scores of every metric takes a moment.",
        )  # fmt: skip
        if shown == "yes":
            metrics, anchor = frame.read(selection, selection.metrics), _anchor(selection)
            table = against_published(selection, metrics, anchor)
            table = table or bd_table(selection, metrics, anchor, derived=frame.background)
            pages.show(table, "all", made_from=(selection, metrics))
