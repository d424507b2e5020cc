"""Turn curves into the points of one picture and into files of numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from ...bench.records.rows import MetricRow
from ..tables.leaderboard_tables import RatePoint
from ..tables.selection import ColumnSlice


def picture_points(part: ColumnSlice, metric: MetricRow, picture: str) -> list[RatePoint]:
    """Return every codec's points of one picture; settings that gave it back identical are left out."""
    sha256 = {picture.name: picture.sha256 for picture in part.columns.pictures}.get(picture, "")
    found: list[RatePoint] = []
    for codec_id, one in part.comparison(metric).panels.items():
        row = one.panel.rows.get(sha256)
        if row is None:
            continue
        for column in np.flatnonzero(one.known[row] & np.isfinite(one.scores[row])):
            setting, rate = float(one.panel.settings[column]), float(one.panel.rates[row, column])
            score, codec = float(one.scores[row, column]), one.panel.codec
            found.append(RatePoint(codec.label, setting, rate, score, codec.toy, codec_id))
    return found


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
