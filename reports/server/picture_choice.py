"""Choose what the page Look shows: pictures in order, and each codec at the setting nearest a target."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...bench.analysis.codec_grids import CodecGrid, grids, scored
from ...bench.analysis.curves import to_quality
from ...bench.records.columns import FloatArray
from ...bench.records.rows import MetricRow, ScoredCell
from ...bench.store.store import Store
from ..tables import digits
from ..tables.selection import Selection
from ..tables.table import Column, Entry, Row, Table

RATE_TOLERANCE = 0.05
"""How far the rates of pictures that are compared may be from the target, as a fraction of it."""
SCORE_TOLERANCE = 0.01
"""Likewise of scores."""
DECIBEL_TOLERANCE = 0.25
"""Of scores that crowd against 1, in decibels of their distance from it."""
ROUNDING = 1e-9


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

    def is_missed(self, rates: FloatArray, scores: FloatArray | None) -> NDArray[np.bool_]:
        """Return which settings are further from the target than pictures to compare may be."""
        if self.metric is None:
            return ~(np.abs(rates / self.value - 1) <= RATE_TOLERANCE + ROUNDING)
        decibels = self.metric.curve_scale == "decibel"
        tolerance = DECIBEL_TOLERANCE if decibels else SCORE_TOLERANCE * abs(self.value)
        return ~(self.distances(rates, scores) <= tolerance + ROUNDING)

    @property
    def tolerance(self) -> str:
        """How far from the target pictures to compare may be, in words."""
        if self.metric is not None and self.metric.curve_scale == "decibel":
            return f"{DECIBEL_TOLERANCE} dB of {digits.metric_title(self.metric, [self.metric])}"
        return f"{100 * (RATE_TOLERANCE if self.metric is None else SCORE_TOLERANCE):g} %"

    @property
    def in_words(self) -> str:
        """The target with its unit."""
        if self.metric is None:
            return f"{digits.rate(self.value)} bpp"
        title = digits.metric_title(self.metric, [self.metric])
        return f"{title} {digits.score(self.metric, self.value)} {digits.unit_of(self.metric)}".rstrip()

    @property
    def option(self) -> str:
        """The target as ``run --match`` has it."""
        return f"{'bpp' if self.metric is None else self.metric.name}={self.value:g}"

    def value_of(self, cell: ScoredCell) -> float | None:
        """Return a cell's rate or score, whichever the target is; None where it has none."""
        if self.metric is None:
            return cell.bits_per_pixel
        score = cell.scores.get(self.metric.metric_id)
        return None if score is None else score.value

    def misses(self, cell: ScoredCell) -> bool:
        """Whether a cell is further from the target than pictures to compare may be."""
        value = self.value_of(cell)
        return value is None or bool(self.is_missed(np.array([value]), np.array([value]))[0])

    def deviation(self, cell: ScoredCell) -> str:
        """Return by how much a cell misses the target, with sign and unit: a percentage for a rate."""
        value = self.value_of(cell)
        if value is None:
            return digits.EMPTY
        if self.metric is None:
            return f"{digits.percent(100 * (value / self.value - 1))} %"
        difference = digits.score(self.metric, value - self.value)
        sign = "+" if value > self.value else ""
        return f"{sign}{difference} {digits.unit_of(self.metric)}".rstrip()


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
    matched = _matched(selection, grid.codec.codec_id, metric, target)
    scores = np.array([score for score, _ in matched.values()])
    order = np.argsort(
        np.where(np.isnan(scores), np.inf, to_quality(metric.curve_scale, metric.better, scores))
    )
    names = {picture.sha256: picture.name for picture in selection.columns.pictures}
    shas = list(matched)
    listed = [(names[shas[row]], float(scores[row])) for row in order]
    missing = sorted(set(names.values()) - {name for name, _ in listed})
    return [*listed, *((name, math.nan) for name in missing)]


@dataclass(frozen=True, slots=True)
class Gap:
    """By how much one codec is better than another on a picture, at their settings nearest the target."""

    picture: str
    difference: float
    """Score of the first minus that of the second, turned so that plus means that the first is better."""
    is_fair: bool
    """Whether both settings are near enough to the target."""


def largest_gap_first(
    selection: Selection, codec_ids: tuple[str, str], metric: MetricRow, target: Target
) -> list[Gap]:
    """Return the pictures by how much two codecs differ on them, whichever is better.

    Those on which a codec misses the target come after the others: their gap may be one of rates. Those
    without two scores come last, by name, with NaN.

    Args:
        selection: The pictures to sort.
        codec_ids: Of the two codecs.
        metric: Whose scores are compared.
        target: Rate or score; of each picture the stored setting nearest to it counts.
    """
    first, second = (_matched(selection, codec_id, metric, target) for codec_id in codec_ids)
    names = {picture.sha256: picture.name for picture in selection.columns.pictures}
    better = 1 if metric.better == "higher" else -1
    nothing = (math.nan, True)
    gaps: list[Gap] = []
    for sha256, name in names.items():
        (score, missed), (other, other_missed) = first.get(sha256, nothing), second.get(sha256, nothing)
        gaps.append(Gap(name, better * (score - other), not (missed or other_missed)))
    return sorted(
        gaps,
        key=lambda gap: (
            math.isnan(gap.difference),
            not gap.is_fair,
            0.0 if math.isnan(gap.difference) else -abs(gap.difference),
            gap.picture,
        ),
    )


def _matched(
    selection: Selection, codec_id: str, metric: MetricRow, target: Target
) -> dict[str, tuple[float, bool]]:
    """Return score and whether the target is missed, at the setting nearest to it, by hash of the original.

    Settings that searches tried count as well: they are what the page shows.
    """
    columns = selection.columns
    all_grids = grids(columns, probes=True) if columns.probe.any() else selection.grids
    grid = next(grid for grid in all_grids if grid.codec.codec_id == codec_id)
    scored_grid = scored(grid, selection.scores(metric))
    ends = target.metric and scored(grid, selection.scores(target.metric)).scores
    distances = np.where(scored_grid.known, target.distances(grid.rates, ends), np.inf)
    distances = np.where(np.isfinite(distances), distances, np.inf)
    rows = np.arange(len(distances))
    nearest = distances.argmin(axis=1)
    scores = np.where(np.isfinite(distances[rows, nearest]), scored_grid.scores[rows, nearest], np.nan)
    missed = target.is_missed(grid.rates[rows, nearest], None if ends is None else ends[rows, nearest])
    return {sha256: (float(scores[row]), bool(missed[row])) for sha256, row in grid.rows.items()}


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
    value = target.value_of(cell)
    if value is None:
        return math.inf
    return float(target.distances(np.array([value]), np.array([value]))[0])


def panes(
    picture: str,
    picture_sha256: str,
    cells: Mapping[str, ScoredCell],
    metrics: Sequence[MetricRow],
    maps: Sequence[str],
    target: Target,
) -> list[Pane]:
    """Return the original, each codec's picture and the maps that are asked for.

    Args:
        picture: Name shown with the original.
        picture_sha256: Of the original's pixels.
        cells: The decoded pictures by codec label, in the order of the panes.
        metrics: Whose scores stand below each decoded picture.
        maps: Keys of `MAPS`; each adds a pane for every codec.
        target: What the pictures are matched by.
    """
    shown = [Pane("Original", f"look/original/{picture_sha256}", picture)]
    for label, cell in cells.items():
        address = f"{picture_sha256}/{cell.decoded_sha256}"
        shown.append(
            Pane(
                label,
                f"look/decoded/{address}",
                f"{numbers(cell, metrics)} · {target.deviation(cell)} from {target.in_words}",
            )
        )
    for kind in maps:
        for label, cell in cells.items():
            address = f"look/map/{kind}/{picture_sha256}/{cell.decoded_sha256}"
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


def numbers_table(
    cells: Mapping[str, ScoredCell], metrics: Sequence[MetricRow], title: str, target: Target
) -> Table:
    """Return rate, bytes and every score of the pictures that are shown, and how far they miss the target.

    Args:
        cells: By the heading of the column.
        metrics: A row each.
        title: Of the table.
        target: What the pictures are matched by.
    """
    missed = Column(
        f"From {target.in_words}", help=f"Pictures to compare should be within {target.tolerance}."
    )
    columns = (
        Column("Codec", numeric=False),
        Column("Rate", "bits/pixel"),
        missed,
        Column("File", "kB", help="1 kB is 1000 bytes."),
        Column("Setting", help="On the codec's own scale."),
        *(Column(digits.metric_title(metric, list(metrics)), digits.unit_of(metric)) for metric in metrics),
    )
    rows = tuple(
        Row(
            (
                Entry(f"{label} (toy)" if cell.toy else label),
                Entry(digits.rate(cell.bits_per_pixel), cell.bits_per_pixel),
                Entry(target.deviation(cell), target.value_of(cell), "worse" if target.misses(cell) else ""),
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
