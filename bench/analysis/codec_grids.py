"""Arrange a store's columns as a (pictures, settings) grid for each codec, and average common pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..records.columns import ColumnCodec, Columns, FloatArray, IntArray, Mask, ScoreColumn
from ..records.rows import Failure, MetricRow
from .curves import to_quality
from .mean_curves import (
    MeanCurve,
    MeanPoint,
    SharedPictures,
    at_least_half,
    finite_part,
    shared_pictures,
)


@dataclass(frozen=True, slots=True)
class CodecFlags:
    """What a reader must know of a codec's measurements before believing its numbers."""

    imported: bool = False
    """Whether the measurements come from a file: nothing was encoded or decoded here."""
    bitstreams: int = 0
    """How many there are."""
    verified: int = 0
    """How many of them `codecarena verify` decoded again."""
    isolated: int = 0
    """How many of those with nothing else in reach."""
    wrong: int = 0
    """How many gave other pixels, or none."""
    encoder_varies: bool = False
    """Whether the encoder wrote other bytes when it was asked again."""
    provenance: str | None = None
    """Where imported measurements come from."""
    estimated: bool = False
    """Whether any of its rates is an estimate of an entropy model, the size of no bitstream."""


NO_FLAGS = CodecFlags()


@dataclass(frozen=True, slots=True)
class MeasuredCodec:
    """A codec with a measurement."""

    codec_id: str
    label: str
    """The codec's label; codecs of one label and several versions carry a part of their id as well."""
    family: str
    toy: bool
    marks: CodecFlags = NO_FLAGS


@dataclass(frozen=True, slots=True, eq=False)
class CodecGrid:
    """What one codec did, seeds averaged: arrays of shape (pictures, settings), NaN where nothing is."""

    codec: MeasuredCodec
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

    @property
    def seeds(self) -> IntArray:
        """How many measurements each picture has at each setting."""
        return np.bincount(self.cells, minlength=self.rates.size).reshape(self.rates.shape)

    def mean(self, values: FloatArray) -> FloatArray:
        """Return means over seeds of a value of every measurement of the store; NaN where a seed has none."""
        sums = np.bincount(self.cells, values[self.members], minlength=self.rates.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return sums.reshape(self.rates.shape) / self.seeds

    def mean_of_known(self, values: FloatArray) -> FloatArray:
        """Return means over those seeds that have a value."""
        own = values[self.members]
        known = np.isfinite(own)
        count = np.bincount(self.cells[known], minlength=self.rates.size)
        sums = np.bincount(self.cells[known], own[known], minlength=self.rates.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (sums / count).reshape(self.rates.shape)

    def any(self, mask: Mask) -> Mask:
        """Return where some seed has a mark that every measurement of the store has or lacks."""
        return np.bincount(self.cells, mask[self.members], minlength=self.rates.size).reshape(
            self.rates.shape
        ).astype(bool)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class ScoredGrid:
    """A codec's grid under one metric."""

    grid: CodecGrid
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
        return np.where(self.known, self.grid.rates, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class PictureTable:
    """What one codec did, as arrays of shape (pictures, settings); NaN where it has no value."""

    settings: tuple[float, ...]
    rates: FloatArray
    """Bits per pixel."""
    scores: FloatArray
    """NaN too where the pixels came back identical."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All codecs of a set under one metric, and the mean curves of those that can be compared."""

    grids: Mapping[str, ScoredGrid]
    """By codec id, in the order of labels."""
    of_pictures: int
    """Pictures that any codec tried and that hold something for the metric to measure."""
    common: frozenset[str]
    """Pictures that all compared codecs finished."""
    curves: Mapping[str, MeanCurve]
    """By id of the compared codecs: means over those common pictures that each has finite scores of."""
    shared: SharedPictures
    """What all curves of one chart or front are of."""

    def curve_on(self, codec_id: str, pictures: frozenset[str], metric: MetricRow) -> MeanCurve:
        """Return a compared codec's means over some of its curve's pictures, at its curve's settings.

        Args:
            codec_id: A codec with a curve.
            pictures: Some of those of its curve.
            metric: The metric of the comparison.
        """
        curve = self.curves[codec_id]
        if pictures == curve.pictures:
            return curve
        scored_grid = self.grids[codec_id]
        places = np.searchsorted(scored_grid.grid.settings, [point.setting for point in curve.points])
        return _means(scored_grid, pictures, places, metric, curve.lossless_settings)

    @property
    def codecs(self) -> list[MeasuredCodec]:
        """All codecs, by label."""
        return [grid.grid.codec for grid in self.grids.values()]

    @property
    def done(self) -> dict[str, int]:
        """By codec id: pictures with every setting of its ladder scored."""
        return {codec_id: len(grid.done) for codec_id, grid in self.grids.items()}

    def settings(self, codec_id: str, pictures: Iterable[str]) -> list[float]:
        """Return the settings at which a codec has a score of any of these pictures."""
        scored_grid = self.grids[codec_id]
        rows = [scored_grid.grid.rows[picture] for picture in pictures]
        return [float(setting) for setting in scored_grid.grid.settings[scored_grid.known[rows].any(axis=0)]]

    def table(self, codec_id: str, pictures: Sequence[str], settings: Sequence[float]) -> PictureTable:
        """Return a codec's rates and scores as arrays, pictures and settings in the order given.

        Args:
            codec_id: A codec of the comparison.
            pictures: Hashes of originals that the codec has coded.
            settings: Settings of the codec's grid.
        """
        scored_grid = self.grids[codec_id]
        rows = np.array([scored_grid.grid.rows[picture] for picture in pictures], dtype=np.int64)
        places = np.searchsorted(scored_grid.grid.settings, np.array(settings, dtype=np.float64))
        chosen = rows[:, None], places[None, :]
        return PictureTable(tuple(settings), scored_grid.rates[chosen], scored_grid.scores[chosen])


def grids(columns: Columns, *, probes: bool = False) -> list[CodecGrid]:
    """Return a grid for each codec, by label.

    The probes of searches are left out unless asked for: where they lie depends on the target, and a setting
    that half of the pictures share by chance is no point of a ladder.
    """
    chosen = np.ones(len(columns.codec), bool) if probes else ~columns.probe
    uses = Counter(columns.codecs[place].label for place in np.unique(columns.codec[chosen]))
    rates = columns.bits_per_pixel
    codec_grids = [
        _grid(columns, codec, np.flatnonzero(chosen & (columns.codec == place)), rates, uses[codec.label] > 1)
        for place, codec in enumerate(columns.codecs)
    ]
    return sorted((grid for grid in codec_grids if grid), key=lambda grid: grid.codec.label)


def _grid(
    columns: Columns, codec: ColumnCodec, members: IntArray, rates: FloatArray, shared: bool
) -> CodecGrid | None:
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
    about = MeasuredCodec(
        codec.codec_id, label, codec.family, codec.toy, marks(columns, codec, members)
    )  # fmt: skip
    rows = {columns.pictures[place].sha256: at for at, place in enumerate(pictures)}
    return CodecGrid(about, rows, settings, cells, members, rate, bytes_)


def usual_ladder(known: Mask) -> tuple[IntArray, Mask]:
    """Return the settings that at least half of the pictures with any have, and which pictures have all.

    A setting tried on a few pictures only, such as the start of a longer ladder, is no point of a mean curve.

    Args:
        known: Shape (pictures, settings).

    Returns:
        Places of the settings, and a mask of shape (pictures,).
    """
    pictures = known.any(axis=1)
    counts, of = known.sum(axis=0), int(pictures.sum())
    ladder = np.array(
        [place for place, count in enumerate(counts) if count and at_least_half(int(count), of)],
        dtype=np.int64,
    )
    return ladder, pictures & known[:, ladder].all(axis=1)


def scored(grid: CodecGrid, column: ScoreColumn) -> ScoredGrid:
    """Return a codec's grid with one metric's scores."""
    known = grid.mean(column.known.astype(np.float64)) == 1.0
    ladder, done = usual_ladder(known)
    names = list(grid.rows)
    finished = frozenset(names[row] for row in np.flatnonzero(done))
    return ScoredGrid(grid, known, np.where(known, grid.mean(column.values), np.nan), ladder, finished)


def tried_pictures(columns: Columns, failures: Sequence[Failure]) -> set[str]:
    """Return the pictures of the set that were tried by any codec, whatever came of it."""
    places = np.unique(columns.picture[~columns.probe])
    tried = {columns.pictures[place].sha256 for place in places}
    return tried | {failure.picture_sha256 for failure in failures}


def compare(
    columns: Columns,
    codec_grids: Sequence[CodecGrid],
    column: ScoreColumn,
    metric: MetricRow,
    failures: Sequence[Failure] = (),
) -> Comparison:
    """Return the mean curves of all codecs over the pictures that all of them finished.

    A codec that finished fewer than half of the pictures is not compared, so that one that has just begun,
    or fails nearly everywhere, cannot shrink everyone's set.

    Args:
        columns: Of one image set.
        codec_grids: Its codecs, without the probes of searches.
        column: The metric's scores.
        metric: One identity; measurements without its score count as unfinished.
        failures: Attempts on the same image set that failed; their pictures count as tried.
    """
    without = len(np.unique(columns.picture[column.inapplicable]))
    total = len(tried_pictures(columns, failures)) - without
    scored_grids = {grid.codec.codec_id: scored(grid, column) for grid in codec_grids}
    compared = [codec_id for codec_id, grid in scored_grids.items() if at_least_half(len(grid.done), total)]
    common = (
        frozenset[str].intersection(*(scored_grids[codec_id].done for codec_id in compared))
        if compared
        else frozenset[str]()
    )
    curves = {codec_id: mean_curve(scored_grids[codec_id], common, metric) for codec_id in compared}
    return Comparison(scored_grids, total, common, curves, shared_pictures(curves))


def mean_curve(scored_grid: ScoredGrid, chosen: frozenset[str], metric: MetricRow) -> MeanCurve:
    """Return mean bits per pixel and mean score at each setting of the ladder, of the chosen pictures.

    Over those pictures and at those settings that `finite_part` leaves. Every chosen picture must be done.

    Args:
        scored_grid: A codec's rates and scores.
        chosen: Hashes of the originals to average over; with none the curve has no points.
        metric: The metric of the scores.
    """
    if not chosen:
        return MeanCurve(())
    names = sorted(chosen)
    rows = np.array([scored_grid.grid.rows[picture] for picture in names], dtype=np.int64)
    used, usable = finite_part(np.isfinite(scored_grid.scores[np.ix_(rows, scored_grid.ladder)]))
    pictures = frozenset(names[place] for place in np.flatnonzero(used))
    lossless = tuple(float(setting) for setting in scored_grid.grid.settings[scored_grid.ladder[~usable]])
    return _means(scored_grid, pictures, scored_grid.ladder[usable], metric, lossless)


def _means(
    scored_grid: ScoredGrid,
    pictures: frozenset[str],
    places: IntArray,
    metric: MetricRow,
    lossless: tuple[float, ...],
) -> MeanCurve:
    """Return the means over pictures that have a finite score at each of some places of settings."""
    if not pictures:
        return MeanCurve((), lossless)
    rows = np.array(sorted(scored_grid.grid.rows[picture] for picture in pictures))
    used = np.ix_(rows, places)
    rates, scores = scored_grid.grid.rates[used].mean(axis=0), scored_grid.scores[used].mean(axis=0)
    # Pixels may differ and a similarity be 1 to the last digit, on all pictures.
    usable = np.isfinite(to_quality(metric.curve_scale, metric.better, scores))
    settings = scored_grid.grid.settings[places]
    points = tuple(
        MeanPoint(float(setting), float(rate), float(score))
        for setting, rate, score in zip(settings[usable], rates[usable], scores[usable], strict=True)
    )
    perfect = tuple(float(setting) for setting in settings[~usable])
    return MeanCurve(points, tuple(sorted({*lossless, *perfect})), pictures)


def marks(columns: Columns, codec: ColumnCodec, members: IntArray) -> CodecFlags:
    """Return the flags of one codec.

    Args:
        columns: The measurements of all codecs of a store or set.
        codec: The codec to describe; of an imported one only provenance and kind of rate are known.
        members: Which measurements are the codec's, shape (measurements of the codec,).
    """
    if codec.imported:
        estimated = bool(columns.estimated[members].any())
        return CodecFlags(imported=True, provenance=codec.provenance, estimated=estimated)
    verified, isolated, wrong = (
        int(np.count_nonzero(mask[members])) for mask in (columns.verified, columns.isolated, columns.wrong)
    )
    return CodecFlags(False, len(members), verified, isolated, wrong, bool(columns.varies[members].any()))
