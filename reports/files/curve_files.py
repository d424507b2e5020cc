"""The points of one picture's curves, and curves as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from ...bench.records.rows import MetricRow
from ..tables.leaderboard_tables import RatePoint
from ..tables.selection import Selection


def picture_points(selection: Selection, metric: MetricRow, picture: str) -> list[RatePoint]:
    """Return every codec's points of one picture; settings that gave it back identical are left out.

    Args:
        selection: What of the store is compared.
        metric: Whose scores the points have.
        picture: Hash of its pixels.
    """
    sha256 = {picture.name: picture.sha256 for picture in selection.columns.pictures}.get(picture, "")
    points: list[RatePoint] = []
    for codec_id, scored_grid in selection.comparison(metric).grids.items():
        row = scored_grid.grid.rows.get(sha256)
        if row is None:
            continue
        for column in np.flatnonzero(scored_grid.known[row] & np.isfinite(scored_grid.scores[row])):
            setting, rate = (
                float(scored_grid.grid.settings[column]),
                float(scored_grid.grid.rates[row, column]),
            )
            score, codec = float(scored_grid.scores[row, column]), scored_grid.grid.codec
            points.append(RatePoint(codec.label, setting, rate, score, codec.toy, codec_id))
    return points


def as_csv(points: Sequence[RatePoint], metric: MetricRow) -> bytes:
    """Return the points as comma-separated values, unrounded, UTF-8."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["codec", "codec_id", "setting", "bits_per_pixel", metric.name, "low_95", "high_95"])
    for point in points:
        writer.writerow(
            [
                point.codec,
                point.codec_id,
                point.setting,
                point.bits_per_pixel,
                point.score,
                point.low,
                point.high,
            ]
        )
    return stream.getvalue().encode()
