"""The view of the leaderboard that compares two codecs: by metric, by rate and picture by picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from ...bench.records.rows import MetricRow
from ..tables.anchor_differences import all_but, pair_tables
from ..tables.leaderboard_columns import Cost, with_decode_times
from ..tables.selection import Selection
from . import frame as pages
from . import pickers
from .codec_choice import look_link
from .frame import Frame

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def draw_pair(
    place: DeltaGenerator,
    frame: Frame,
    selection: Selection,
    metric: MetricRow,
    kind: str,
    costs: Mapping[str, Cost],
) -> None:
    """Draw the pickers of the two codecs, and how the one does against the other.

    Args:
        place: Of the pickers.
        frame: Of the page.
        selection: With the codecs to choose from.
        metric: Of the rates and the pictures.
        kind: Of the pictures, as the page asks for it.
        costs: Of decoders, by the codec's id.
    """
    anchor = pickers.pick_anchor(place, selection)
    labels = {grid.codec.label: grid.codec.codec_id for grid in selection.grids}
    others = [label for label in labels if label != anchor]
    if not others:
        st.info("There is no other codec to compare with.")
        return
    codec = pickers.choose(place, "Codec", "codec", others, help_text="Compared with the anchor.")
    ids = labels[codec], labels[anchor]
    two = frame.selection(selection.image_set, kind, all_but(selection.source, ids))
    metrics = [metric, *frame.read(two, [other for other in two.metrics if other != metric])]
    by_metric, by_rate, by_picture = pair_tables(two, metrics, ids, frame.background)
    by_metric = with_decode_times(by_metric, costs, dict(zip(ids, (codec, anchor), strict=True)))
    pages.show(by_metric, "pair", made_from=(two, metrics))
    pages.show(by_rate, "rates", made_from=(two, [metric]))
    links = [
        look_link(selection.image_set, [anchor, codec], str(row.record["picture"])) for row in by_picture.rows
    ]
    pages.show(by_picture, "pictures", links=links, made_from=(two, [metric]))
