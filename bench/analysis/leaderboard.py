"""Rank codecs by BD-rate against an anchor, or say why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from ..records.rows import Failure, MetricRow
from .codec_grids import CodecGrid, Comparison, usual_ladder
from .coverage import CodecSummary, absent_codecs, find_codec, summarise
from .curve_batches import CurveBatch, log_rate_differences
from .curves import (
    NO_OVERLAP,
    BdQuality,
    BdRate,
    Method,
    bd_quality_of_curves,
    bd_rate_of_curves,
    to_quality,
)
from .readings import curves_of

COMMON_RATES = (0.1, 0.15, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Bits per pixel among which `choose_view` picks."""

LOSSLESS = "lossless"
NO_ANCHOR_CURVE = "no anchor curve"
NO_COMMON_PICTURE = "no common picture"
NOTHING_TO_MEASURE = "nothing to measure"


NO_QUALITY = BdQuality(None)


@dataclass(frozen=True, slots=True)
class BdRow:
    """One codec against the anchor."""

    codec: CodecSummary
    bd_rate: BdRate
    """Of the mean curves: the headline."""
    mean_of_pictures: float | None
    """Mean of the BD-rates of single pictures, percent."""
    pictures_with_bd_rate: int
    """How many pictures that mean is over; in the others the two curves do not overlap."""
    lossless_settings: tuple[float, ...]
    """Settings left out of the mean curve because at least half of the pictures came back identical."""
    bd_quality: BdQuality = NO_QUALITY
    """Of the mean curves, at equal rate."""
    pictures: int = 0
    """How many pictures the two mean curves are over."""
    left_out: frozenset[str] = frozenset()
    """Hashes of the common pictures in neither mean curve: at some setting of the codec's or of the anchor's
    curve they have no finite score, as they came back identical."""


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
    """The codecs' scores and mean curves that the rows are computed from."""
    method: Method = "pchip"


@dataclass(frozen=True, slots=True)
class View:
    """Which leaderboard to show when nobody asked for one: exactly one of the two is set."""

    anchor: str | None = None
    bits_per_pixel: float | None = None


def leaderboard(
    comparison: Comparison,
    metric: MetricRow,
    anchor: str,
    failures: Sequence[Failure] = (),
    method: Method = "pchip",
) -> Leaderboard:
    """Return every codec's BD-rate against the anchor, best first.

    The headline is the BD-rate of the mean curves; codecs that are not compared are listed with the reason.

    Args:
        comparison: The codecs' scores and mean curves under ``metric``.
        metric: The metric of the comparison; its scale is the one on which curves are compared.
        anchor: Label or id of a codec.
        failures: Attempts that failed on the same pictures; codecs that always failed come last, with why.
        method: How log rate is interpolated over quality.

    Raises:
        AnalysisError: No codec has the anchor's label or id.
    """
    chosen = find_codec(comparison.codecs, anchor)
    pictures = sorted(comparison.common)
    batches = {
        curve: _batch(comparison, curve, pictures, metric, method) for curve in comparison.curves if pictures
    }
    rows = [
        _row(comparison, codec_id, chosen.codec_id, metric, failures, method, batches)
        for codec_id in comparison.grids
    ]
    absent = absent_codecs(comparison.codecs, failures, comparison.of_pictures)
    rows += [BdRow(codec, BdRate(None, codec.reason), None, 0, ()) for codec in absent]
    rows.sort(key=lambda row: (row.bd_rate.percent is None, row.bd_rate.percent or 0.0))
    return Leaderboard(
        metric, chosen.label, chosen.codec_id, len(comparison.common), tuple(rows), comparison, method
    )


def _batch(
    comparison: Comparison, codec_id: str, pictures: list[str], metric: MetricRow, method: Method
) -> CurveBatch:
    table = comparison.table(codec_id, pictures, comparison.settings(codec_id, pictures))
    return CurveBatch(table.rates, to_quality(metric.curve_scale, metric.better, table.scores), method)


def _row(
    comparison: Comparison,
    codec_id: str,
    anchor_id: str,
    metric: MetricRow,
    failures: Sequence[Failure],
    method: Method,
    batches: Mapping[str, CurveBatch],
) -> BdRow:
    scored_grid = comparison.grids[codec_id]
    summary = summarise(scored_grid.grid, failures, comparison.of_pictures)
    if not comparison.of_pictures:
        return _empty(summary, NOTHING_TO_MEASURE)
    test, anchor = comparison.curves.get(codec_id), comparison.curves.get(anchor_id)
    if test is None:
        few = f"{len(scored_grid.done)} of {comparison.of_pictures} pictures"
        return _empty(summary, few if scored_grid.known.any() else f"no {metric.name} yet")
    if anchor is None or not comparison.common:
        return _empty(summary, NO_ANCHOR_CURVE if anchor is None else NO_COMMON_PICTURE)
    pictures = anchor.pictures & test.pictures
    result, quality = _bd_rate(comparison, (anchor_id, codec_id), pictures, metric, method)
    each = 100.0 * np.expm1(log_rate_differences(batches[anchor_id], batches[codec_id]))
    percents = [float(percent) for percent in each[np.isfinite(each)]]
    mean = fmean(percents) if percents else None
    return BdRow(
        summary, result, mean, len(percents), test.lossless_settings, quality, len(pictures),
        comparison.common - pictures if pictures else frozenset(),
    )  # fmt: skip


def _bd_rate(
    comparison: Comparison,
    anchor_and_test: tuple[str, str],
    pictures: frozenset[str],
    metric: MetricRow,
    method: Method,
) -> tuple[BdRate, BdQuality]:
    """Return BD-rate and BD-quality of two mean curves over the pictures that both have finite scores of."""
    anchor, test = (comparison.curves[codec_id] for codec_id in anchor_and_test)
    if test.lossless_settings and not test.points:
        return BdRate(None, LOSSLESS), BdQuality(None, LOSSLESS)
    if anchor.points and test.points and not pictures:
        return BdRate(None, NO_COMMON_PICTURE), BdQuality(None, NO_COMMON_PICTURE)
    of_anchor, of_test = (
        comparison.curve_on(codec_id, pictures, metric).curve(metric) for codec_id in anchor_and_test
    )
    return bd_rate_of_curves(of_anchor, of_test, method), bd_quality_of_curves(of_anchor, of_test, method)


def _empty(summary: CodecSummary, reason: str) -> BdRow:
    return BdRow(summary, BdRate(None, reason), None, 0, ())


def choose_view(board: Leaderboard) -> View:
    """Return the view that says most: BD-rate where every curve overlaps the anchor's, else scores at a rate.

    The rate is the one of `COMMON_RATES` that most curves of single pictures reach; the lower of equals.

    Args:
        board: Against the usual anchor.
    """
    values = [row for row in board.rows if row.bd_rate.percent is not None]
    if len(values) > 1 and not any(row.bd_rate.reason == NO_OVERLAP for row in board.rows):
        return View(anchor=board.anchor)
    reached = np.zeros(len(COMMON_RATES))
    for grid in board.comparison.grids.values():
        curves = curves_of(grid, board.metric)
        some = curves.points > 1
        last = curves.rates[np.arange(len(some)), np.maximum(curves.points, 1) - 1]
        for place, rate in enumerate(COMMON_RATES):
            reached[place] += np.count_nonzero(some & (curves.rates[:, 0] <= rate) & (rate <= last))
    return View(bits_per_pixel=COMMON_RATES[int(reached.argmax())])


def why_no_bd_rates(board: Leaderboard) -> str:
    """Return why `choose_view` shows scores at a rate instead of these BD-rates."""
    apart = [row.codec.label for row in board.rows if row.bd_rate.reason == NO_OVERLAP]
    if apart:
        return f"{', '.join(apart)} and {board.anchor} share no score"
    reasons = dict.fromkeys(
        f"{row.codec.label}: {row.bd_rate.reason}" for row in board.rows if row.bd_rate.reason
    )
    return "; ".join([f"no two codecs have a BD-rate against {board.anchor}", *reasons])


def usual_anchor(codec_grids: Sequence[CodecGrid]) -> str | None:
    """Return the label of the codec to compare with: ``jpeg``, or else the one with the longest ladder."""
    labels = [grid.codec.label for grid in codec_grids]
    plain = next((label for label in labels if label == "jpeg"), None)
    named = next((label for label in labels if label.startswith("jpeg(")), None)
    longest = max(codec_grids, key=lambda grid: len(usual_ladder(grid.measured)[0]), default=None)
    return plain or named or (longest.codec.label if longest else None)
