"""Scored cells as points, one at a time: codec x picture x setting, seeds averaged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np

from codecarena.bench.analysis.codec_grids import NO_FLAGS, CodecFlags, MeasuredCodec, PictureTable
from codecarena.bench.analysis.curves import Curve, clean, to_quality
from codecarena.bench.analysis.mean_curves import MeanCurve, MeanPoint
from codecarena.bench.records.rows import MetricRow, ScoredCell


@dataclass(frozen=True, slots=True)
class Point:
    """One picture at one setting of a codec."""

    bits_per_pixel: float
    bitstream_bytes: float
    encode_seconds: float
    """Median of the repeats; NaN when none was timed."""
    contended: bool
    scores: Mapping[str, float | None]
    """By metric id; None where the pixels are identical: such settings enter no curve of any metric."""


@dataclass(frozen=True, slots=True)
class CodecPoints:
    """Everything one codec did."""

    codec_id: str
    label: str
    """The codec's label; codecs of one label and several versions carry a part of their id as well."""
    family: str
    toy: bool
    pictures: Mapping[str, Mapping[float, Point]]
    """Hash of the original -> setting -> point."""
    marks: CodecFlags = NO_FLAGS

    @property
    def codec(self) -> MeasuredCodec:
        """What the columns know of the codec."""
        return MeasuredCodec(self.codec_id, self.label, self.family, self.toy, self.marks)

    def scored(self, metric_id: str) -> dict[str, dict[float, Point]]:
        """Return the points that have this metric's score, by picture and setting."""
        kept = {
            picture: {setting: point for setting, point in points.items() if metric_id in point.scores}
            for picture, points in self.pictures.items()
        }
        return {picture: points for picture, points in kept.items() if points}


def collect(cells: Iterable[ScoredCell], *, probes: bool = False) -> list[CodecPoints]:
    """Return the points of every codec, sorted by label; a picture under two names counts once.

    The probes of searches are left out unless asked for: where they lie depends on the target, and a setting
    that half of the pictures share by chance is no point of a ladder.
    """
    grouped: dict[str, dict[str, dict[float, list[ScoredCell]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    codecs: dict[str, ScoredCell] = {}
    for cell in unique(cells):
        if cell.probe and not probes:
            continue
        grouped[cell.codec_id][cell.picture_sha256][cell.quality].append(cell)
        codecs[cell.codec_id] = cell
    labels = _unique_labels({codec_id: cell.codec for codec_id, cell in codecs.items()})
    codec_points = [
        CodecPoints(
            codec_id,
            labels[codec_id],
            codecs[codec_id].family,
            codecs[codec_id].toy,
            {
                picture: {setting: average(seeds) for setting, seeds in settings.items()}
                for picture, settings in pictures.items()
            },
            marks(cell for settings in pictures.values() for cells in settings.values() for cell in cells),
        )
        for codec_id, pictures in grouped.items()
    ]
    return sorted(codec_points, key=lambda codec: codec.label)


def unique(cells: Iterable[ScoredCell]) -> list[ScoredCell]:
    """Return the cells, those of a picture in several sets or under several names once."""
    return list(
        {(cell.codec_id, cell.picture_sha256, cell.quality, cell.seed): cell for cell in cells}.values()
    )


def marks(cells: Iterable[ScoredCell]) -> CodecFlags:
    """Return the marks of one codec's cells."""
    cells = list(cells)
    streams = [cell for cell in cells if not cell.imported]
    verdicts = [cell.verdict for cell in streams if cell.verdict]
    return CodecFlags(
        any(cell.imported for cell in cells),
        len(streams),
        len(verdicts),
        sum(verdict.isolation != "none" for verdict in verdicts),
        sum(verdict.outcome in ("differs", "failed") for verdict in verdicts),
        any(verdict.encoder_repeats is False for verdict in verdicts),
        next((cell.provenance for cell in cells if cell.imported), None),
    )


def _unique_labels(labels: Mapping[str, str]) -> dict[str, str]:
    uses = Counter(labels.values())
    return {
        codec_id: label if uses[label] == 1 else f"{label} [{codec_id[:6]}]"
        for codec_id, label in labels.items()
    }


def average(seeds: Sequence[ScoredCell]) -> Point:
    """Return the point of a picture at a setting: means over the seeds it was decoded with."""
    return Point(
        fmean(cell.bits_per_pixel for cell in seeds),
        fmean(cell.bitstream_bytes for cell in seeds),
        # Of several decodes of one bitstream only the first was encoded.
        _mean([median(cell.encode_seconds) for cell in seeds if cell.encode_seconds]),
        any(cell.contended for cell in seeds),
        {
            metric: _mean_score(seeds, metric)
            for metric in set.intersection(*(_applicable(cell) for cell in seeds))
        },
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else float("nan")


def _applicable(cell: ScoredCell) -> set[str]:
    return {metric_id for metric_id, score in cell.scores.items() if score.applicable}


def _mean_score(seeds: Sequence[ScoredCell], metric_id: str) -> float | None:
    values = [cell.scores[metric_id] for cell in seeds]
    numbers = [value.value for value in values if value.value is not None and not value.lossless]
    return fmean(numbers) if len(numbers) == len(values) else None


def ladder(pictures: Mapping[str, Mapping[float, Point]]) -> list[float]:
    """Return the settings measured on at least half of the pictures, in order.

    A setting tried on a few pictures only, such as the start of a longer ladder, is no point of a mean curve.
    """
    uses = Counter(setting for points in pictures.values() for setting in points)
    return sorted(setting for setting, count in uses.items() if 2 * count >= len(pictures))


def finished(pictures: Mapping[str, Mapping[float, Point]]) -> set[str]:
    """Return the pictures that have every setting of the ladder."""
    needed = set(ladder(pictures))
    return {picture for picture, points in pictures.items() if needed <= points.keys()}


def picture_curve(points: Iterable[Point], metric: MetricRow) -> Curve:
    """Return one picture's curve in bits per pixel and quality; columns: bytes, encode seconds.

    Settings that give back identical pixels are left out.
    """
    used = [(point, score) for point in points if (score := point.scores[metric.metric_id]) is not None]
    return clean(
        [point.bits_per_pixel for point, _ in used],
        to_quality(metric.curve_scale, metric.better, [score for _, score in used]),
        [point.bitstream_bytes for point, _ in used],
        [point.encode_seconds for point, _ in used],
    )


def mean_curve(
    pictures: Mapping[str, Mapping[float, Point]], chosen: Iterable[str], metric: MetricRow
) -> MeanCurve:
    """Return mean bits per pixel and mean score at each setting of the ladder, of pictures that are lossy.

    Every chosen picture must be among `finished`. A picture that is identical at some setting is left out; a
    setting goes where half of the pictures are and it lacks more of them than any of them lacks settings.
    """
    names, settings = sorted(chosen), ladder(pictures) if chosen else []
    lacks = {
        (picture, setting)
        for picture in names
        for setting in settings
        if pictures[picture][setting].scores[metric.metric_id] is None
    }
    used = [picture for picture in names if any((picture, setting) not in lacks for setting in settings)]
    kept = [setting for setting in settings if any((picture, setting) not in lacks for picture in names)]
    while any((picture, setting) in lacks for picture in used for setting in kept):
        of_pictures = {picture: fmean((picture, setting) in lacks for setting in kept) for picture in used}
        of_settings = {setting: fmean((picture, setting) in lacks for picture in used) for setting in kept}
        worst_picture, worst_setting = max(of_pictures.values()), max(of_settings.values())
        if worst_setting >= 0.5 and worst_setting > worst_picture:
            kept = [setting for setting in kept if of_settings[setting] < worst_setting]
        else:
            used = [picture for picture in used if of_pictures[picture] < worst_picture]
    lossless = {setting for setting in settings if setting not in kept}
    return means(pictures, used, kept, metric, lossless)


def means(
    pictures: Mapping[str, Mapping[float, Point]],
    used: Sequence[str],
    settings: Sequence[float],
    metric: MetricRow,
    lossless: Iterable[float],
) -> MeanCurve:
    """Return the means over pictures at settings at which all of them came back lossy."""
    if not used:
        return MeanCurve((), tuple(sorted(lossless)))
    points: list[MeanPoint] = []
    perfect: list[float] = []
    for setting in settings:
        cells = [pictures[picture][setting] for picture in used]
        score = fmean(cell.scores[metric.metric_id] or 0.0 for cell in cells)
        if np.isfinite(to_quality(metric.curve_scale, metric.better, score)):
            points.append(MeanPoint(setting, fmean(cell.bits_per_pixel for cell in cells), score))
        else:
            perfect.append(setting)
    return MeanCurve(tuple(points), tuple(sorted({*lossless, *perfect})), frozenset(used))


def picture_table(
    scored: Mapping[str, Mapping[float, Point]],
    pictures: Sequence[str],
    settings: Sequence[float],
    metric_id: str,
) -> PictureTable:
    """Return one codec's rates and scores as arrays, pictures and settings in the order given."""
    shape = len(pictures), len(settings)
    rates, scores = np.full(shape, np.nan), np.full(shape, np.nan)
    for row, picture in enumerate(pictures):
        for column, setting in enumerate(settings):
            point = scored[picture].get(setting)
            if point is not None:
                rates[row, column] = point.bits_per_pixel
                score = point.scores[metric_id]
                scores[row, column] = np.nan if score is None else score
    return PictureTable(tuple(settings), rates, scores)
