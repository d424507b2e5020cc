"""Turn columns of a store into the same comparisons that `leaderboard` makes of cells, a codec at a time.

Means, ladders and coverage are those of `points` and `coverage`; a test compares the two on the same store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from ..store.columns import ColumnCodec, Columns, FloatArray, IntArray, Mask, ScoreColumn
from ..store.rows import Failure, MetricRow
from .batches import CurveBatch, log_rate_differences
from .coverage import CodecSummary, absent_codecs, find_codec
from .curves import BdRate, Method, bd_rate_of_curves, to_quality
from .leaderboard import BdRow, Comparison, Leaderboard
from .marks import Marks
from .points import CodecPoints, MeanCurve, MeanPoint, PictureTable


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """What one codec did, seeds averaged: arrays of shape (pictures, settings), NaN where nothing is."""

    codec: CodecPoints
    """Label and marks; its own points are not filled in."""
    rows: Mapping[str, int]
    """By hash of the original: its place."""
    settings: FloatArray
    """Rising."""
    cells: IntArray
    """Of each measurement of the codec, its place in the flattened arrays."""
    members: IntArray
    """Which measurements those are."""
    rates: FloatArray
    """Bits per pixel."""
    sizes: FloatArray
    """Bytes."""

    @property
    def measured(self) -> Mask:
        """Which settings were measured."""
        return np.isfinite(self.rates)

    def mean(self, values: FloatArray) -> FloatArray:
        """Return means over seeds of a value of every measurement of the store."""
        shape = self.rates.shape
        count = np.bincount(self.cells, minlength=self.rates.size)
        sums = np.bincount(self.cells, values[self.members], minlength=self.rates.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (sums / count).reshape(shape)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A panel under one metric."""

    panel: Panel
    known: Mask
    """Whether every seed has a score."""
    scores: FloatArray
    """NaN too where the pixels came back identical."""
    ladder: IntArray
    """Places of the settings that at least half of the scored pictures have."""
    done: frozenset[str]
    """Pictures with every one of them."""

    @property
    def rates(self) -> FloatArray:
        """Bits per pixel where there is a score."""
        return np.where(self.known, self.panel.rates, np.nan)


@dataclass(frozen=True, slots=True)
class PanelComparison(Comparison):
    """A comparison whose points are arrays."""

    panels: Mapping[str, Scored]
    """By codec id."""

    def settings(self, codec_id: str, pictures: Iterable[str]) -> list[float]:
        """Return the settings at which a codec has a score of any of these pictures."""
        one = self.panels[codec_id]
        rows = [one.panel.rows[picture] for picture in pictures]
        return [float(setting) for setting in one.panel.settings[one.known[rows].any(axis=0)]]

    def table(
        self, codec_id: str, pictures: Sequence[str], settings: Sequence[float], metric_id: str
    ) -> PictureTable:
        """Return a codec's rates and scores as arrays, pictures and settings in the order given."""
        del metric_id  # the panels hold that of the comparison
        one = self.panels[codec_id]
        rows = np.array([one.panel.rows[picture] for picture in pictures], dtype=np.int64)
        places = np.searchsorted(one.panel.settings, np.array(settings, dtype=np.float64))
        chosen = rows[:, None], places[None, :]
        return PictureTable(tuple(settings), one.rates[chosen], one.scores[chosen])


def panels(columns: Columns, *, probes: bool = False) -> list[Panel]:
    """Return a panel for each codec, by label; searches' probes are left out unless asked for."""
    chosen = np.ones(len(columns.codec), bool) if probes else ~columns.probe
    uses = Counter(columns.codecs[place].label for place in np.unique(columns.codec[chosen]))
    rates = columns.bits_per_pixel
    found = [
        _panel(
            columns, codec, np.flatnonzero(chosen & (columns.codec == place)), rates, uses[codec.label] > 1
        )
        for place, codec in enumerate(columns.codecs)
    ]
    return sorted((one for one in found if one), key=lambda one: one.codec.label)


def _panel(
    columns: Columns, codec: ColumnCodec, members: IntArray, rates: FloatArray, shared: bool
) -> Panel | None:
    if not len(members):
        return None
    pictures, row = np.unique(columns.picture[members], return_inverse=True)
    settings, column = np.unique(columns.quality[members], return_inverse=True)
    cells, size = row * len(settings) + column, len(pictures) * len(settings)
    count = np.bincount(cells, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        shape = len(pictures), len(settings)
        rate = (np.bincount(cells, rates[members], minlength=size) / count).reshape(shape)
        sizes = columns.bitstream_bytes[members].astype(np.float64)
        bytes_ = (np.bincount(cells, sizes, minlength=size) / count).reshape(shape)
    label = f"{codec.label} [{codec.codec_id[:6]}]" if shared else codec.label
    points = CodecPoints(codec.codec_id, label, codec.family, codec.toy, {}, _marks(columns, codec, members))
    rows = {columns.pictures[place].sha256: at for at, place in enumerate(pictures)}
    return Panel(points, rows, settings, cells, members, rate, bytes_)


def _marks(columns: Columns, codec: ColumnCodec, members: IntArray) -> Marks:
    if codec.imported:
        return Marks(imported=True, provenance=codec.provenance)
    verified, isolated, wrong = (
        int(np.count_nonzero(one[members])) for one in (columns.verified, columns.isolated, columns.wrong)
    )
    return Marks(False, len(members), verified, isolated, wrong, bool(columns.varies[members].any()))


def usual_ladder(known: Mask) -> tuple[IntArray, Mask]:
    """Return the settings that at least half of the pictures with any have, and which pictures have all."""
    pictures = known.any(axis=1)
    ladder = np.flatnonzero(known.any(axis=0) & (2 * known.sum(axis=0) >= pictures.sum()))
    return ladder, pictures & known[:, ladder].all(axis=1)


def scored(panel: Panel, column: ScoreColumn) -> Scored:
    """Return a panel with one metric's scores."""
    known = panel.mean(column.known.astype(np.float64)) == 1.0
    ladder, done = usual_ladder(known)
    names = list(panel.rows)
    finished = frozenset(names[row] for row in np.flatnonzero(done))
    return Scored(panel, known, np.where(known, panel.mean(column.values), np.nan), ladder, finished)


def tried_pictures(columns: Columns, failures: Sequence[Failure]) -> int:
    """Return how many pictures of the set were tried by any codec."""
    places = np.unique(columns.picture[~columns.probe])
    tried = {columns.pictures[place].sha256 for place in places}
    return len(tried | {one.picture_sha256 for one in failures})


def compare_panels(
    columns: Columns,
    every: Sequence[Panel],
    column: ScoreColumn,
    metric: MetricRow,
    failures: Sequence[Failure] = (),
) -> PanelComparison:
    """Return what `leaderboard.compare` returns of the same measurements.

    Args:
        columns: Of one image set.
        every: Its panels.
        column: The metric's scores.
        metric: One identity.
        failures: Attempts on the same image set.
    """
    without = len(np.unique(columns.picture[column.inapplicable]))
    total = tried_pictures(columns, failures) - without
    found = {one.codec.codec_id: scored(one, column) for one in every}
    compared = [codec_id for codec_id, one in found.items() if 2 * len(one.done) >= total]
    common = (
        frozenset[str].intersection(*(found[one].done for one in compared)) if compared else frozenset[str]()
    )
    curves = {codec_id: mean_curve(found[codec_id], common, metric) for codec_id in compared}
    done = {codec_id: len(one.done) for codec_id, one in found.items()}
    return PanelComparison([one.codec for one in every], {}, done, total, common, curves, found)


def mean_curve(one: Scored, chosen: frozenset[str], metric: MetricRow) -> MeanCurve:
    """Return mean bits per pixel and mean score over the chosen pictures at each setting of the ladder."""
    if not chosen:
        return MeanCurve(())
    rows = np.array(sorted(one.panel.rows[picture] for picture in chosen))
    used = np.ix_(rows, one.ladder)
    rates, scores = one.panel.rates[used].mean(axis=0), one.scores[used].mean(axis=0)
    usable = np.isfinite(to_quality(metric.name, metric.better, scores))
    settings = one.panel.settings[one.ladder]
    points = tuple(
        MeanPoint(float(setting), float(rate), float(score))
        for setting, rate, score in zip(settings[usable], rates[usable], scores[usable], strict=True)
    )
    return MeanCurve(points, tuple(float(setting) for setting in settings[~usable]))


def summarise_panel(panel: Panel, failures: Sequence[Failure], of_pictures: int) -> CodecSummary:
    """Return a codec's coverage and rate range."""
    ladder, done = usual_ladder(panel.measured)
    rates = panel.rates[np.ix_(done, ladder)].mean(axis=0) if done.any() else np.zeros(0)
    codec = panel.codec
    failed = sum(one.codec_id == codec.codec_id and not one.settled for one in failures)
    return CodecSummary(
        codec.codec_id, codec.label, codec.family, codec.toy, int(done.sum()), of_pictures,
        float(rates.min()) if len(rates) else None,
        float(rates.max()) if len(rates) else None,
        failed, marks=codec.marks,
    )  # fmt: skip


def leaderboard_of_panels(
    every: PanelComparison,
    metric: MetricRow,
    anchor: str,
    failures: Sequence[Failure] = (),
    method: Method = "pchip",
) -> Leaderboard:
    """Return what `leaderboard.leaderboard` returns of the same measurements.

    Raises:
        AnalysisError: No codec has the anchor's label or id.
    """
    chosen = find_codec(every.codecs, anchor)
    pictures = sorted(every.common)
    batches = {one: _batch(every, one, pictures, metric, method) for one in every.curves if pictures}
    rows = [_row(every, codec, chosen.codec_id, metric, failures, method, batches) for codec in every.codecs]
    absent = absent_codecs(every.codecs, failures, every.of_pictures)
    rows += [BdRow(one, BdRate(None, one.reason), None, 0, ()) for one in absent]
    rows.sort(key=lambda row: (row.bd_rate.percent is None, row.bd_rate.percent or 0.0))
    return Leaderboard(metric, chosen.label, chosen.codec_id, len(every.common), tuple(rows), every, method)


def _batch(
    every: PanelComparison, codec_id: str, pictures: list[str], metric: MetricRow, method: Method
) -> CurveBatch:
    table = every.table(codec_id, pictures, every.settings(codec_id, pictures), metric.metric_id)
    return CurveBatch(table.rates, to_quality(metric.name, metric.better, table.scores), method)


def _row(
    every: PanelComparison,
    codec: CodecPoints,
    anchor_id: str,
    metric: MetricRow,
    failures: Sequence[Failure],
    method: Method,
    batches: Mapping[str, CurveBatch],
) -> BdRow:
    codec_id = codec.codec_id
    one = every.panels[codec_id]
    summary = summarise_panel(one.panel, failures, every.of_pictures)
    test, anchor = every.curves.get(codec_id), every.curves.get(anchor_id)
    if test is None:
        few = f"{every.done[codec_id]} of {every.of_pictures} pictures"
        reason = few if one.known.any() else f"no {metric.name} yet"
        return BdRow(summary, BdRate(None, reason), None, 0, ())
    if anchor is None or not every.common:
        reason = "no anchor curve" if anchor is None else "no common picture"
        return BdRow(summary, BdRate(None, reason), None, 0, ())
    result = bd_rate_of_curves(anchor.curve(metric), test.curve(metric), method)
    if result.percent is None and test.lossless_settings and not test.points:
        result = BdRate(None, "lossless")
    each = 100.0 * np.expm1(log_rate_differences(batches[anchor_id], batches[codec_id]))
    percents = [float(one) for one in each[np.isfinite(each)]]
    mean = fmean(percents) if percents else None
    return BdRow(summary, result, mean, len(percents), test.lossless_settings)
