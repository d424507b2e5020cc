"""Choose what the page Look shows: pictures, worst first, and each codec at its matched setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...bench.analysis.codec_grids import CodecGrid
from ...bench.analysis.curves import to_quality
from ...bench.records.columns import FloatArray
from ...bench.records.rows import MetricRow, ScoredCell
from ...bench.store.store import Store
from ..tables import digits
from ..tables.selection import Selection
from ..tables.table import Column, Entry, Row, Table


@dataclass(frozen=True, slots=True)
class Target:
    """What codecs are matched by: a rate, or a metric's score."""

    value: float
    metric: MetricRow | None = None
    """None for a rate in bits per pixel."""

    def distances(self, rates: FloatArray, scores: FloatArray | None) -> FloatArray:
        """Return how far settings are from the target; NaN where they have no value."""
        if self.metric is None or scores is None:
            return np.abs(np.log(rates / self.value))
        ends = to_quality(self.metric.curve_scale, self.metric.better, scores)
        return np.abs(ends - to_quality(self.metric.curve_scale, self.metric.better, self.value))


@dataclass(frozen=True, slots=True)
class Pane:
    """One picture on the page."""

    name: str
    address: str
    numbers: str
    """Rate and scores of that very picture."""


def worst_first(
    selection: Selection, grid: CodecGrid, metric: MetricRow, target: Target
) -> list[tuple[str, float]]:
    """Return names of the pictures with the codec's score at its matched setting, the worst first.

    Pictures without a score come last, by name, with NaN.

    Args:
        selection: The pictures to sort.
        grid: Of the codec, in the same selection.
        metric: Whose score sorts them.
        target: Rate or score; of each picture the stored setting nearest to it counts.
    """
    scored_grid = selection.comparison(metric).grids[grid.codec.codec_id]
    matched = target.metric and selection.comparison(target.metric).grids[grid.codec.codec_id].scores
    distances = np.where(scored_grid.known, target.distances(grid.rates, matched), np.inf)
    distances = np.where(np.isfinite(distances), distances, np.inf)
    rows = np.arange(len(distances))
    nearest = distances.argmin(axis=1)
    scores = np.where(np.isfinite(distances[rows, nearest]), scored_grid.scores[rows, nearest], np.nan)
    order = np.argsort(
        np.where(np.isnan(scores), np.inf, to_quality(metric.curve_scale, metric.better, scores))
    )
    names = {picture.sha256: picture.name for picture in selection.columns.pictures}
    shas = list(grid.rows)
    listed = [(names[shas[row]], float(scores[row])) for row in order]
    missing = sorted(set(names.values()) - {name for name, _ in listed})
    return [*listed, *((name, math.nan) for name in missing)]


def nearest_cells(
    store: Store, image_set: str, picture_sha256: str, codecs: Mapping[str, str], target: Target
) -> dict[str, ScoredCell]:
    """Return each codec's setting of a picture that comes nearest the target, by label.

    Args:
        store: Where they are from.
        image_set: One that the picture is in.
        picture_sha256: Of the original.
        codecs: Labels by codec id.
        target: Rate or score.
    """
    nearest: dict[str, tuple[float, ScoredCell]] = {}
    for cell in store.cells(image_set, picture_sha256):
        label = codecs.get(cell.codec_id)
        distance = _distance(cell, target)
        if label is not None and (label not in nearest or distance < nearest[label][0]):
            nearest[label] = (distance, cell)
    return {label: nearest[label][1] for label in codecs.values() if label in nearest}


def _distance(cell: ScoredCell, target: Target) -> float:
    if target.metric is None:
        return abs(math.log(cell.bits_per_pixel / target.value))
    score = cell.scores.get(target.metric.metric_id)
    if score is None or score.value is None:
        return math.inf
    return float(target.distances(np.zeros(1), np.array([score.value]))[0])


def panes(
    picture: str,
    picture_sha256: str,
    cells: Mapping[str, ScoredCell],
    metrics: Sequence[MetricRow],
    maps: Sequence[str],
) -> list[Pane]:
    """Return the original, each codec's picture and the maps that are asked for.

    Args:
        picture: Name shown with the original.
        picture_sha256: Of the original's pixels.
        cells: The decoded pictures by codec label, in the order of the panes.
        metrics: Whose scores stand below each decoded picture.
        maps: Keys of `MAPS`; each adds a pane for every codec.
    """
    shown = [Pane("Original", f"/look/original/{picture_sha256}", picture)]
    for label, cell in cells.items():
        address = f"{picture_sha256}/{cell.decoded_sha256}"
        shown.append(Pane(label, f"/look/decoded/{address}", numbers(cell, metrics)))
    for kind in maps:
        for label, cell in cells.items():
            address = f"/look/map/{kind}/{picture_sha256}/{cell.decoded_sha256}"
            shown.append(Pane(f"{MAPS[kind]}: {label}", address, MAP_NOTES[kind]))
    return shown


MAPS = {"difference": "Difference", "flip": "FLIP", "butteraugli": "Butteraugli"}
MAP_NOTES = {
    "difference": "absolute difference of each channel, times 4",
    "flip": "LDR-FLIP at 67 pixels per degree: dark is none, yellow much",
    "butteraugli": "libjxl's heat map: dark is none, white much",
}


def numbers(cell: ScoredCell, metrics: Sequence[MetricRow]) -> str:
    """Return rate, setting and scores of one decoded picture."""
    parts = [f"{digits.rate(cell.bits_per_pixel)} bpp", f"setting {cell.quality:g}"]
    for metric in metrics:
        score = cell.scores.get(metric.metric_id)
        if score is not None and score.value is not None:
            unit = digits.unit_of(metric)
            written = f"{digits.metric_title(metric, [metric])} {digits.score(metric, score.value)}"
            parts.append(f"{written} {unit}".rstrip())
        elif score is not None and score.lossless:
            parts.append("lossless")
    return " · ".join(parts)


def numbers_table(cells: Mapping[str, ScoredCell], metrics: Sequence[MetricRow], title: str) -> Table:
    """Return rate, bytes and every score of the pictures that are shown.

    Args:
        cells: By the heading of the column.
        metrics: A row each.
        title: Of the table.
    """
    columns = (
        Column("Codec", numeric=False),
        Column("Rate", "bits/pixel"),
        Column("File", "kB", help="1 kB is 1000 bytes."),
        Column("Setting", help="On the codec's own scale."),
        *(Column(digits.metric_title(metric, list(metrics)), digits.unit_of(metric)) for metric in metrics),
    )
    rows = tuple(
        Row(
            (
                Entry(f"{label} (toy)" if cell.toy else label),
                Entry(digits.rate(cell.bits_per_pixel), cell.bits_per_pixel),
                Entry(digits.significant(cell.bitstream_bytes / 1000), float(cell.bitstream_bytes)),
                Entry(f"{cell.quality:g}", cell.quality),
                *(_score(cell, metric) for metric in metrics),
            )
        )
        for label, cell in cells.items()
    )
    return Table(title, columns, rows)


def _score(cell: ScoredCell, metric: MetricRow) -> Entry:
    score = cell.scores.get(metric.metric_id)
    if score is None:
        return Entry(digits.EMPTY, hint="Not scored: codecarena score SUITE --metric NAME.")
    if score.value is None:
        why = "The pixels are the original's." if score.lossless else "The picture holds nothing to measure."
        return Entry(f"{digits.EMPTY} lossless" if score.lossless else digits.EMPTY, hint=why)
    return Entry(digits.score(metric, score.value), score.value)
