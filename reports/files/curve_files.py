"""The points of one picture's curves, and curves as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np

from ...bench.records.rows import MetricRow
from ...bench.store.imports import Published
from ...text_file import guarded
from ..tables import digits
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
            marks = codec.marks
            points.append(
                RatePoint(codec.label, setting, rate, score, codec.toy, codec_id, estimated=marks.estimated)
            )
    return points


def published_points(published: Iterable[Published], image_set: str, metric: MetricRow) -> list[RatePoint]:
    """Return the points of curves of a set that were measured elsewhere; their names say so.

    Args:
        published: Of any set, with any metric.
        image_set: Its name.
        metric: By its name: the values were computed by other code.
    """
    of_set = [point for point in published if point.image_set == image_set and metric.name in point.scores]
    # A curve has one name: it is an estimate as soon as one of its rates is.
    estimated = {point.codec for point in of_set if point.rate_kind == "estimated"}
    return [
        RatePoint(
            f"{point.codec} (published)", point.quality or 0.0, point.bits_per_pixel,
            point.scores[metric.name], estimated=point.codec in estimated,
        )
        for point in of_set
    ]  # fmt: skip


def published_note(selection: Selection, metric: MetricRow, picture: str | None) -> str:
    """Return what must stand beside published curves: their means are not over the pictures of the others.

    Args:
        selection: What was measured here.
        metric: Of the curves.
        picture: Whose curves the others are; None for mean curves.
    """
    common = digits.counted(len(selection.comparison(metric).shared.pictures), "picture")
    measured = f"means over {common}" if picture is None else f"of the picture {picture} alone"
    return f"Published curves are means over a whole set, computed by other code; the others are {measured}."


def as_csv(points: Sequence[RatePoint], metric: MetricRow) -> bytes:
    """Return the points as comma-separated values, unrounded, UTF-8."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(
        [
            "codec",
            "codec_id",
            "setting",
            "bits_per_pixel",
            guarded(metric.name),
            "low_95",
            "high_95",
            "rate_kind",
        ]
    )
    for point in points:
        writer.writerow(
            [
                guarded(point.codec),
                point.codec_id,
                point.setting,
                point.bits_per_pixel,
                point.score,
                point.low,
                point.high,
                "estimated" if point.estimated else "bytes",
            ]
        )
    return stream.getvalue().encode()
