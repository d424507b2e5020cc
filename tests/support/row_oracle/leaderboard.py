"""Leaderboards of cells, a point at a time: BD-rate against an anchor, scores at a rate, costs at a score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from codecarena.bench.analysis.at_target import AtRateRow, AtScoreRow
from codecarena.bench.analysis.codec_grids import PictureTable
from codecarena.bench.analysis.coverage import AnalysisError, CodecSummary, absent_codecs, find_codec
from codecarena.bench.analysis.curves import (
    NO_OVERLAP,
    BdQuality,
    BdRate,
    Method,
    bd_quality_of_curves,
    bd_rate_of_curves,
    from_quality,
    to_quality,
)
from codecarena.bench.analysis.intervals import Spread, spread
from codecarena.bench.analysis.leaderboard import BdRow, View
from codecarena.bench.analysis.mean_curves import MeanCurve, SharedPictures, shared_pictures
from codecarena.bench.records.rows import Failure, MatchRow, MetricRow, ScoredCell

from .coverage import count_inapplicable, count_pictures, summarise
from .curves import columns_at_quality, quality_at_rate, rate_at_quality
from .matched import Entrant, entrants, scores_of
from .points import (
    CodecPoints,
    Point,
    collect,
    finished,
    ladder,
    mean_curve,
    means,
    picture_curve,
    picture_table,
)

COMMON_RATES = (0.1, 0.15, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """All codecs of a set under one metric, and the mean curves of those that can be compared."""

    codecs: Sequence[CodecPoints]
    scored: Mapping[str, Mapping[str, Mapping[float, Point]]]
    """Codec id -> picture -> setting -> point; only points that have the score."""
    done: Mapping[str, int]
    """Codec id -> pictures with every setting of its ladder scored."""
    of_pictures: int
    common: frozenset[str]
    """Pictures that all compared codecs finished."""
    curves: Mapping[str, MeanCurve]
    """By id of the compared codecs: means over the common pictures."""
    metric_id: str

    @property
    def shared(self) -> SharedPictures:
        """What all curves of one chart or front are of."""
        return shared_pictures(self.curves)

    def curve_on(self, codec_id: str, pictures: frozenset[str], metric: MetricRow) -> MeanCurve:
        """Return a compared codec's means over some of its curve's pictures, at its curve's settings."""
        curve = self.curves[codec_id]
        settings = [point.setting for point in curve.points]
        return means(self.scored[codec_id], sorted(pictures), settings, metric, curve.lossless_settings)

    def settings(self, codec_id: str, pictures: Iterable[str]) -> list[float]:
        """Return the settings at which a codec has a score of any of these pictures."""
        scored = self.scored[codec_id]
        return sorted({setting for picture in pictures for setting in scored[picture]})

    def table(self, codec_id: str, pictures: Sequence[str], settings: Sequence[float]) -> PictureTable:
        """Return a codec's rates and scores as arrays, pictures and settings in the order given."""
        return picture_table(self.scored[codec_id], pictures, settings, self.metric_id)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """BD-rates of one metric, best first."""

    metric: MetricRow
    anchor: str
    """Label."""
    anchor_id: str
    common_pictures: int
    """Pictures that all compared codecs finished: the ones in every mean."""
    rows: tuple[BdRow, ...]
    comparison: Comparison
    """What the rows are of."""
    method: Method = "pchip"


def compare(cells: Iterable[ScoredCell], metric: MetricRow, failures: Sequence[Failure] = ()) -> Comparison:
    """Return the mean curves of all codecs over the pictures that all of them finished.

    A codec that finished fewer than half of the pictures is not compared, so that one that has just begun,
    or fails nearly everywhere, cannot shrink everyone's set.
    """
    cells = list(cells)
    codecs = collect(cells)
    total = count_pictures(codecs, failures) - count_inapplicable(cells, metric.metric_id)
    scored = {codec.codec_id: codec.scored(metric.metric_id) for codec in codecs}
    done = {codec_id: finished(pictures) for codec_id, pictures in scored.items()}
    compared = [codec_id for codec_id, pictures in done.items() if 2 * len(pictures) >= total]
    common = (
        frozenset[str].intersection(*(frozenset(done[codec_id]) for codec_id in compared))
        if compared
        else frozenset[str]()
    )
    curves = {codec_id: mean_curve(scored[codec_id], common, metric) for codec_id in compared}
    counts = {codec_id: len(pictures) for codec_id, pictures in done.items()}
    return Comparison(codecs, scored, counts, total, common, curves, metric.metric_id)


def leaderboard(
    cells: Iterable[ScoredCell],
    metric: MetricRow,
    anchor: str,
    failures: Sequence[Failure] = (),
    method: Method = "pchip",
) -> Leaderboard:
    """Return every codec's BD-rate against the anchor, best first.

    The headline is the BD-rate of the mean curves of `compare`; codecs that are not compared are listed
    with the reason.

    Args:
        cells: Of one image set.
        metric: One identity; cells without its score count as unfinished.
        anchor: Label or id of a codec.
        failures: Attempts on the same image set.
        method: How log rate is interpolated over quality.

    Raises:
        AnalysisError: No codec has that label or id.
    """
    comparison = compare(cells, metric, failures)
    chosen = find_codec([codec.codec for codec in comparison.codecs], anchor)
    rows = [
        _row(
            comparison,
            codec,
            chosen.codec_id,
            metric,
            summarise(codec, failures, comparison.of_pictures),
            method,
        )
        for codec in comparison.codecs
    ]
    absent = absent_codecs([codec.codec for codec in comparison.codecs], failures, comparison.of_pictures)
    rows += [_empty(codec, codec.reason) for codec in absent]
    rows.sort(key=lambda row: (row.bd_rate.percent is None, row.bd_rate.percent or 0.0))
    return Leaderboard(
        metric, chosen.label, chosen.codec_id, len(comparison.common), tuple(rows), comparison, method
    )


def _row(
    comparison: Comparison,
    codec: CodecPoints,
    anchor_id: str,
    metric: MetricRow,
    summary: CodecSummary,
    method: Method,
) -> BdRow:
    if not comparison.of_pictures:
        return _empty(summary, "nothing to measure")
    test = comparison.curves.get(codec.codec_id)
    anchor = comparison.curves.get(anchor_id)
    if test is None:
        few = f"{comparison.done[codec.codec_id]} of {comparison.of_pictures} pictures"
        return _empty(summary, few if comparison.scored[codec.codec_id] else f"no {metric.name} yet")
    if anchor is None or not comparison.common:
        return _empty(summary, "no anchor curve" if anchor is None else "no common picture")
    each = _each(
        comparison.scored[anchor_id], comparison.scored[codec.codec_id], comparison.common, metric, method
    )
    used = anchor.pictures & test.pictures
    over_both = [comparison.curve_on(codec_id, used, metric) for codec_id in (anchor_id, codec.codec_id)]
    row = _bd_row(summary, metric, (over_both[0], over_both[1]), each, method)
    curves = [curve.curve(metric) for curve in over_both]
    row = replace(row, bd_quality=bd_quality_of_curves(curves[0], curves[1], method))
    if test.lossless_settings and not test.points:
        row = replace(row, bd_rate=BdRate(None, "lossless"), bd_quality=BdQuality(None, "lossless"))
    elif anchor.points and test.points and not used:
        reason = "no common picture"
        row = replace(row, bd_rate=BdRate(None, reason), bd_quality=BdQuality(None, reason))
    return replace(row, pictures=len(used), left_out=comparison.common - used if used else frozenset())


def _empty(summary: CodecSummary, reason: str | None) -> BdRow:
    return BdRow(summary, BdRate(None, reason), None, 0, ())


def _bd_row(
    summary: CodecSummary,
    metric: MetricRow,
    curves: tuple[MeanCurve, MeanCurve],
    pictures: list[BdRate],
    method: Method,
) -> BdRow:
    anchor, test = curves
    result = bd_rate_of_curves(anchor.curve(metric), test.curve(metric), method)
    percents = [picture.percent for picture in pictures if picture.percent is not None]
    mean = fmean(percents) if percents else None
    return BdRow(summary, result, mean, len(percents), test.lossless_settings)


def _each(
    anchor: Mapping[str, Mapping[float, Point]],
    test: Mapping[str, Mapping[float, Point]],
    common: Iterable[str],
    metric: MetricRow,
    method: Method,
) -> list[BdRate]:
    """Return the BD-rate of every common picture."""
    return [
        bd_rate_of_curves(
            picture_curve(anchor[picture].values(), metric),
            picture_curve(test[picture].values(), metric),
            method,
        )
        for picture in sorted(common)
    ]


def at_rate(
    cells: Iterable[ScoredCell],
    metrics: Sequence[MetricRow],
    bits_per_pixel: float,
    failures: Sequence[Failure] = (),
    matches: Sequence[MatchRow] = (),
) -> list[AtRateRow]:
    """Return every codec's scores at a rate, best median of the first metric first.

    Where settings were searched for the rate, their own scores stand, with the rate they achieved. Else each
    picture's own curve is read at the rate (PCHIP over log rate, never extrapolated); pictures whose
    curve does not reach it have no value and show in the coverage. Codecs that reach it on fewer than half
    of the pictures stand after the others: their median is over an easier set.
    """
    if not bits_per_pixel > 0:
        raise AnalysisError(f"expected a rate above 0 bits per pixel, got {bits_per_pixel:g}")
    entered, absent, total = entrants(cells, failures, matches, "bpp", bits_per_pixel)
    rows = [_at_rate_row(entrant, metrics, bits_per_pixel) for entrant in entered]
    rows += [AtRateRow(codec, {}) for codec in absent]
    first = metrics[0]
    sign = -1.0 if first.better == "higher" else 1.0
    return sorted(rows, key=lambda row: rank(row.scores.get(first.metric_id), total, sign))


def _at_rate_row(entrant: Entrant, metrics: Sequence[MetricRow], bits_per_pixel: float) -> AtRateRow:
    if entrant.matched is None:
        scores = {metric.metric_id: _scores_at(entrant.codec, metric, bits_per_pixel) for metric in metrics}
        return AtRateRow(entrant.summary, scores)
    achieved = spread(point.bits_per_pixel for point in entrant.matched.values())
    scores = {metric.metric_id: scores_of(entrant.matched, metric) for metric in metrics}
    return AtRateRow(entrant.summary, scores, achieved)


def _scores_at(codec: CodecPoints, metric: MetricRow, bits_per_pixel: float) -> Spread | None:
    curves = (picture_curve(points.values(), metric) for points in codec.scored(metric.metric_id).values())
    qualities = (quality_at_rate(curve, bits_per_pixel) for curve in curves)
    return spread(
        from_quality(metric.curve_scale, metric.better, quality)
        for quality in qualities
        if quality is not None
    )


def at_score(
    cells: Iterable[ScoredCell],
    metric: MetricRow,
    score: float,
    failures: Sequence[Failure] = (),
    matches: Sequence[MatchRow] = (),
) -> list[AtScoreRow]:
    """Return the bits per pixel, bytes and encode seconds each codec needs for a score, cheapest first.

    Where settings were searched for the score, their own costs stand, with the score they achieved. Else
    rates are read off each picture's own curve as BD-rate sees it (log rate by PCHIP over quality), bytes
    and seconds by PCHIP over quality; nothing is extrapolated.
    """
    quality = float(to_quality(metric.curve_scale, metric.better, score))
    if not np.isfinite(quality):
        raise AnalysisError(f"expected a {metric.name} score that lossy coding can reach, got {score:g}")
    entered, absent, total = entrants(cells, failures, matches, metric.metric_id, score)
    rows = [
        _at_score_row(entrant.codec, metric, quality, entrant.summary)
        if entrant.matched is None
        else _matched_score_row(entrant.summary, metric, entrant.matched)
        for entrant in entered
    ]
    rows += [AtScoreRow(codec, None, None, None, False) for codec in absent]
    return sorted(rows, key=lambda row: rank(row.bits_per_pixel, total, 1.0))


def _at_score_row(codec: CodecPoints, metric: MetricRow, quality: float, summary: CodecSummary) -> AtScoreRow:
    rates: list[float] = []
    costs: list[tuple[float, float]] = []
    contended = False
    for points in codec.scored(metric.metric_id).values():
        curve = picture_curve(points.values(), metric)
        rate, columns = rate_at_quality(curve, quality), columns_at_quality(curve, quality)
        if rate is None or columns is None:
            continue
        rates.append(rate)
        costs.append((float(columns[0]), float(columns[1])))
        contended |= any(point.contended for point in points.values())
    return AtScoreRow(
        summary,
        spread(rates),
        spread(cost[0] for cost in costs),
        spread(cost[1] for cost in costs),
        contended,
    )


def _matched_score_row(summary: CodecSummary, metric: MetricRow, matched: Mapping[str, Point]) -> AtScoreRow:
    points = matched.values()
    return AtScoreRow(
        summary,
        spread(point.bits_per_pixel for point in points),
        spread(point.bitstream_bytes for point in points),
        spread(point.encode_seconds for point in points),
        any(point.contended for point in points),
        scores_of(matched, metric),
    )


def choose_view(cells: Iterable[ScoredCell], metric: MetricRow, failures: Sequence[Failure] = ()) -> View:
    """Return the view that says most: BD-rate where every curve overlaps the anchor's, else scores at a rate.

    The rate is the one of `COMMON_RATES` that most curves of single pictures reach; the lower of equals.
    """
    cells = list(cells)
    anchor = default_anchor(cells)
    if anchor is None:
        return View()
    rows = leaderboard(cells, metric, anchor, failures).rows
    values = [row for row in rows if row.bd_rate.percent is not None]
    if len(values) > 1 and not any(row.bd_rate.reason == NO_OVERLAP for row in rows):
        return View(anchor=anchor)
    curves = [
        picture_curve(points.values(), metric)
        for codec in collect(cells)
        for points in codec.scored(metric.metric_id).values()
    ]
    spans = [(curve.rates[0], curve.rates[-1]) for curve in curves if curve.points > 1]
    reached = {rate: sum(low <= rate <= high for low, high in spans) for rate in COMMON_RATES}
    return View(bits_per_pixel=max(COMMON_RATES, key=lambda rate: reached[rate]))


def default_anchor(cells: Iterable[ScoredCell]) -> str | None:
    """Return the label of the codec to compare with: ``jpeg``, or else the one with the longest ladder."""
    codecs = collect(cells)
    plain = next((codec for codec in codecs if codec.label == "jpeg"), None)
    named = next((codec for codec in codecs if codec.label.startswith("jpeg(")), None)
    longest = max(codecs, key=lambda codec: len(ladder(codec.pictures)), default=None)
    chosen = plain or named or longest
    return chosen.label if chosen else None


def rank(score_spread: Spread | None, of_pictures: int, sign: float) -> tuple[int, float]:
    """Return where a codec stands; those that reach the target on fewer than half of the pictures last."""
    if score_spread is None:
        return (2, 0.0)
    return (int(2 * score_spread.pictures < of_pictures), sign * score_spread.median)
