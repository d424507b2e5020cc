"""Select the cells at the settings that searches for a rate or score ended at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..records.columns import FloatArray, IntArray, ScoreColumn
from ..records.rows import MatchRow
from .codec_grids import CodecGrid, scored
from .intervals import Spread, spread


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Where searches for one target ended for one codec, on the pictures where it is within range."""

    grid: CodecGrid
    """With the probes of searches."""
    rows: IntArray
    """Rows of the pictures in the grid's arrays, shape (pictures,)."""
    columns: IntArray
    """Columns of the settings that the searches ended at, shape (pictures,)."""

    def of(self, values: FloatArray) -> FloatArray:
        """Return the values of a (pictures, settings) array at these settings, shape (pictures,)."""
        return values[self.rows, self.columns]

    def scores(self, column: ScoreColumn) -> Spread | None:
        """Return median and tails of one metric over pictures that came back lossy."""
        return spread(self.of(scored(self.grid, column).scores))


def asked_for(matches: Sequence[MatchRow], kind: str, target: float) -> list[MatchRow]:
    """Return the matches of one target: a rate, kind ``bpp``, or a score, kind the id of its metric.

    Args:
        matches: The settings that searches on a set ended at.
        kind: ``bpp`` or another kind of rate, or the id of a metric.
        target: The rate in the unit of its kind, or the score; compared exactly.
    """
    return [
        match
        for match in matches
        if (match.match.metric_id or match.match.target_kind) == kind and match.match.target == target
    ]


def matched(codec_grids: Sequence[CodecGrid], chosen: Sequence[MatchRow]) -> dict[str, Matched]:
    """Return the settings that searches for a target ended at, by codec id.

    Matches of single pictures come before one setting for the whole set.

    Args:
        codec_grids: The codecs of one image set, with the probes of searches.
        chosen: Of the same set and of one target; see `asked_for`.
    """
    alone = {row.match.codec_id for row in chosen if row.match.scope == "picture"}
    settings: dict[str, dict[str | None, float]] = {row.match.codec_id: {} for row in chosen}
    for row in chosen:
        wanted = "picture" if row.match.codec_id in alone else "set"
        if row.reached and row.match.scope == wanted:
            settings[row.match.codec_id][row.match.picture_sha256] = row.match.quality
    known = [grid for grid in codec_grids if grid.codec.codec_id in settings]
    return {grid.codec.codec_id: _matched(grid, settings[grid.codec.codec_id]) for grid in known}


def _matched(grid: CodecGrid, settings: Mapping[str | None, float]) -> Matched:
    column_of_setting = {float(setting): column for column, setting in enumerate(grid.settings)}
    measured = grid.measured
    places = [
        (row, column)
        for picture, row in grid.rows.items()
        if (setting := settings.get(picture, settings.get(None))) is not None
        and (column := column_of_setting.get(setting)) is not None
        and measured[row, column]
    ]
    rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return Matched(grid, rows, columns)
