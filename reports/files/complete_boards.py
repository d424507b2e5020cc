"""Leaderboards as a report and a paper have them: with place, people's value and what decoding costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...bench.records.rows import MetricRow
from ...bench.store.derived_cache import Derived
from ...bench.store.store import Store
from ...bench.store.timings import footprints, timings
from ...studies.analysis.results import stored_results
from ..tables import digits
from ..tables.evidence import board_ranks
from ..tables.leaderboard_columns import costs, with_costs, with_people, with_ranks
from ..tables.leaderboard_tables import tables_of
from ..tables.selection import Selection
from ..tables.table import Table


def complete_boards(
    store: Store,
    selection: Selection,
    *,
    metrics: Sequence[str] = (),
    anchor: str | None = None,
    at: str | None = None,
    derived: Derived | None = None,
) -> list[Table]:
    """Return the leaderboard of a selection, and the codecs without a curve at their own bytes.

    Args:
        store: Of the selection; its timings and studies are read.
        selection: What is compared.
        metrics: Names or ids; all if empty.
        anchor: Label or id of the codec whose BD-rate is 0; chosen where None.
        at: ``bpp=NUMBER`` or ``METRIC=NUMBER``.
        derived: Keeps intervals and tests; without it they are computed anew.
    """
    board, *others = tables_of(selection, metrics=metrics, anchor=anchor, at=at, derived=derived)
    ids = [str(row.record.get("codec_id", "")) for row in board.rows]
    if ids and all(ids):
        board = _with_places(selection, board, selection.chosen_metrics(metrics)[0], derived)
        studies = stored_results(store) if store.has_studies() else ()
        board = with_people(board, studies, sorted(selection.pictures))
        if not {"Decode", "Decoder"} & {column.title for column in board.columns}:
            board = with_costs(board, costs(timings(store, selection.image_set), footprints(store)))
    named = labelled([board], "leaderboard", selection.image_set)
    return [*named, *labelled(others, "own bytes" if at is None else "leaderboard", selection.image_set)]


def _with_places(selection: Selection, board: Table, metric: MetricRow, derived: Derived | None) -> Table:
    """Return a table of BD-rates with places by a metric; any other table as it is."""
    anchors = {
        str(bd_rate["anchor"])
        for row in board.rows
        for metric_id, bd_rate in row.record.get("bd_rate", {}).items()
        # Places are of resampled pictures, and no picture of a published curve is known.
        if metric_id == metric.metric_id and not bd_rate.get("anchor_published")
    }
    if len(anchors) != 1:
        return board
    return with_ranks(board, board_ranks(selection, selection.board(metric, anchors.pop()), derived))


def labelled(tables: Sequence[Table], *words: str) -> list[Table]:
    """Return tables with a label of some words; where there are several, all but the first have a number."""
    return [
        replace(table, label=digits.file_name(" ".join([*words, *[str(place)] * (place > 1)])))
        for place, table in enumerate(tables, 1)
    ]
