"""Turn panels into the leaderboards at a rate and at a score that `leaderboard` makes of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..store.columns import Columns, FloatArray, ScoreColumn
from ..store.rows import Failure, MetricRow
from .coverage import AnalysisError, CodecSummary, absent_codecs
from .curves import NO_OVERLAP, from_quality, to_quality
from .intervals import Spread, spread
from .leaderboard import COMMON_RATES, AtRateRow, AtScoreRow, Leaderboard, View, rank
from .panels import Panel, Scored, scored, summarise_panel, tried_pictures, usual_ladder
from .readings import CleanCurves, clean_curves, columns_at_quality, qualities_at_rate, rates_at_quality


def at_rate_of_panels(
    columns: Columns,
    every: Sequence[Panel],
    scores: Mapping[str, ScoreColumn],
    metrics: Sequence[MetricRow],
    bits_per_pixel: float,
    failures: Sequence[Failure] = (),
) -> list[AtRateRow]:
    """Return what `leaderboard.at_rate` returns where no setting was searched for the rate."""
    if not bits_per_pixel > 0:
        raise AnalysisError(f"expected a rate above 0 bits per pixel, got {bits_per_pixel:g}")
    total, summaries, absent = _entered(columns, every, failures)
    rows = [
        AtRateRow(
            summary,
            {
                one.metric_id: _scores_at(scored(panel, scores[one.metric_id]), one, bits_per_pixel)
                for one in metrics
            },
        )
        for panel, summary in zip(every, summaries, strict=True)
    ]
    rows += [AtRateRow(one, {}) for one in absent]
    first = metrics[0]
    sign = -1.0 if first.better == "higher" else 1.0
    return sorted(rows, key=lambda row: rank(row.scores.get(first.metric_id), total, sign))


def at_score_of_panels(
    columns: Columns,
    every: Sequence[Panel],
    column: ScoreColumn,
    metric: MetricRow,
    score: float,
    encode_seconds: FloatArray,
    failures: Sequence[Failure] = (),
) -> list[AtScoreRow]:
    """Return what `leaderboard.at_score` returns where no setting was searched for the score."""
    quality = float(to_quality(metric.name, metric.better, score))
    if not np.isfinite(quality):
        raise AnalysisError(f"expected a {metric.name} score that lossy coding can reach, got {score:g}")
    total, summaries, absent = _entered(columns, every, failures)
    rows = [
        _at_score_row(summary, scored(panel, column), metric, quality, panel.mean(encode_seconds), columns)
        for panel, summary in zip(every, summaries, strict=True)
    ]
    rows += [AtScoreRow(one, None, None, None, False) for one in absent]
    return sorted(rows, key=lambda row: rank(row.bits_per_pixel, total, 1.0))


def choose_view_of_panels(found: Leaderboard, every: Sequence[Scored], metric: MetricRow) -> View:
    """Return the view that says most, as `leaderboard.choose_view` does, given the usual anchor's board."""
    values = [row for row in found.rows if row.bd_rate.percent is not None]
    if len(values) > 1 and not any(row.bd_rate.reason == NO_OVERLAP for row in found.rows):
        return View(anchor=found.anchor)
    reached = np.zeros(len(COMMON_RATES))
    for one in every:
        curves = _curves(one, metric)
        some = curves.points > 1
        last = curves.rates[np.arange(len(some)), np.maximum(curves.points, 1) - 1]
        for place, rate in enumerate(COMMON_RATES):
            reached[place] += np.count_nonzero(some & (curves.rates[:, 0] <= rate) & (rate <= last))
    return View(bits_per_pixel=COMMON_RATES[int(reached.argmax())])


def usual_anchor_of_panels(every: Sequence[Panel]) -> str | None:
    """Return the label of the codec to compare with: ``jpeg``, or else the one with the longest ladder."""
    labels = [one.codec.label for one in every]
    plain = next((one for one in labels if one == "jpeg"), None)
    named = next((one for one in labels if one.startswith("jpeg(")), None)
    longest = max(every, key=lambda one: len(usual_ladder(one.measured)[0]), default=None)
    return plain or named or (longest.codec.label if longest else None)


def _entered(
    columns: Columns, every: Sequence[Panel], failures: Sequence[Failure]
) -> tuple[int, list[CodecSummary], list[CodecSummary]]:
    total = tried_pictures(columns, failures)
    absent = absent_codecs([one.codec for one in every], failures, total)
    return total, [summarise_panel(one, failures, total) for one in every], absent


def _curves(one: Scored, metric: MetricRow, *columns: FloatArray) -> CleanCurves:
    return clean_curves(one.rates, to_quality(metric.name, metric.better, one.scores), *columns)


def _scores_at(one: Scored, metric: MetricRow, bits_per_pixel: float) -> Spread | None:
    found = qualities_at_rate(_curves(one, metric), bits_per_pixel)
    values = [from_quality(metric.name, metric.better, float(value)) for value in found[np.isfinite(found)]]
    return spread(values)


def _at_score_row(
    summary: CodecSummary,
    one: Scored,
    metric: MetricRow,
    quality: float,
    seconds: FloatArray,
    columns: Columns,
) -> AtScoreRow:
    curves = _curves(one, metric, one.panel.sizes, seconds)
    rates = rates_at_quality(curves, quality)
    reached = np.isfinite(rates)
    sizes, times = columns_at_quality(curves, quality)[:, reached]
    contended = one.panel.mean(columns.contended.astype(np.float64)) > 0
    return AtScoreRow(
        summary,
        spread(rates[reached]),
        spread(sizes),
        spread(times),
        bool((contended & one.known)[reached].any()),
    )
