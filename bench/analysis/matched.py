"""Turn the settings that searches ended at into the cells that stand for each codec at a rate or score."""

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
    """Places of the pictures in the panel, shape (pictures,)."""
    columns: IntArray
    """Places of the settings found for them, shape (pictures,)."""

    def of(self, values: FloatArray) -> FloatArray:
        """Return what an array of the panel has at these settings, shape (pictures,)."""
        return values[self.rows, self.columns]

    def scores(self, column: ScoreColumn) -> Spread | None:
        """Return median and tails of one metric over pictures that came back lossy."""
        return spread(self.of(scored(self.grid, column).scores))


def asked_for(matches: Sequence[MatchRow], kind: str, target: float) -> list[MatchRow]:
    """Return the matches of one target: a rate, kind ``bpp``, or a score, kind the id of its metric."""
    return [
        match
        for match in matches
        if (match.match.metric_id or match.match.target_kind) == kind and match.match.target == target
    ]


def matched(every: Sequence[CodecGrid], chosen: Sequence[MatchRow]) -> dict[str, Matched]:
    """Return the settings that searches for a target ended at, by codec id.

    Matches of single pictures come before one setting for the whole set.

    Args:
        every: The codecs of one image set, with the probes of searches.
        chosen: Of the same set and of one target; see `asked_for`.
    """
    alone = {one.match.codec_id for one in chosen if one.match.scope == "picture"}
    settings: dict[str, dict[str | None, float]] = {one.match.codec_id: {} for one in chosen}
    for one in chosen:
        wanted = "picture" if one.match.codec_id in alone else "set"
        if one.reached and one.match.scope == wanted:
            settings[one.match.codec_id][one.match.picture_sha256] = one.match.quality
    known = [one for one in every if one.codec.codec_id in settings]
    return {one.codec.codec_id: _matched(one, settings[one.codec.codec_id]) for one in known}


def _matched(grid: CodecGrid, settings: Mapping[str | None, float]) -> Matched:
    columns = {float(setting): place for place, setting in enumerate(grid.settings)}
    measured = grid.measured
    places = [
        (row, column)
        for picture, row in grid.rows.items()
        if (setting := settings.get(picture, settings.get(None))) is not None
        and (column := columns.get(setting)) is not None
        and measured[row, column]
    ]
    rows, found = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return Matched(grid, rows, found)
