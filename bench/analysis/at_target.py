"""Compare scores of codecs at one rate, or costs at one score, read off curves or of searched settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..records.columns import Columns, FloatArray, IntArray, ScoreColumn
from ..records.rows import Failure, MatchRow, MetricRow
from .codec_grids import CodecGrid, grids, scored, tried_pictures
from .coverage import AnalysisError, CodecSummary, absent_codecs, summarise
from .curves import from_quality, to_quality
from .intervals import Spread, spread
from .mean_curves import at_least_half
from .readings import columns_at_quality, curves_of, qualities_at_rate, rates_at_quality


@dataclass(frozen=True, slots=True)
class AtRateRow:
    """One codec's scores at a rate."""

    codec: CodecSummary
    scores: Mapping[str, Spread | None]
    """By metric id; None where no picture's curve reaches the rate."""
    achieved: Spread | None = None
    """Bits per pixel of the settings that a search for the rate found; None where curves are read instead."""


@dataclass(frozen=True, slots=True)
class AtScoreRow:
    """What one codec spends to reach a score."""

    codec: CodecSummary
    bits_per_pixel: Spread | None
    bitstream_bytes: Spread | None
    encode_seconds: Spread | None
    contended: bool
    """Whether some of the times were taken while other cells ran."""
    achieved: Spread | None = None
    """Scores of the settings that a search for the score found; None where curves are read instead."""


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Where searches for one target ended for one codec, on the pictures where it is within range."""

    grid: CodecGrid
    """With the probes of searches."""
    rows: IntArray
    """Rows of the pictures in the grid's arrays, shape (pictures,)."""
    columns: IntArray
    """Columns of the settings that the searches ended at, shape (pictures,)."""

    def of(self, values: FloatArray) -> FloatArray:
        """Return the values of a (pictures, settings) array at these settings, shape (pictures,)."""
        return values[self.rows, self.columns]

    def scores(self, column: ScoreColumn) -> Spread | None:
        """Return median and tails of one metric over pictures that came back lossy."""
        return spread(self.of(scored(self.grid, column).scores))


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """A codec of a comparison at one rate or score."""

    grid: CodecGrid
    summary: CodecSummary
    matched: Matched | None
    """What was searched for the target; None where nothing was: curves are read then."""


def at_rate(
    columns: Columns,
    codec_grids: Sequence[CodecGrid],
    scores: Mapping[str, ScoreColumn],
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

    Args:
        columns: Of one image set.
        codec_grids: Its codecs, without the probes of searches.
        scores: By metric id; of all ``metrics``.
        metrics: The first one ranks.
        bits_per_pixel: The rate to compare at, above 0.
        failures: Attempts on the same set that failed; codecs that always failed come last, without scores.
        matches: The settings that searches on the set ended at.

    Raises:
        AnalysisError: The rate is not above zero.
    """
    if not bits_per_pixel > 0:
        raise AnalysisError(f"expected a rate above 0 bits per pixel, got {bits_per_pixel:g}")
    entered, absent, total = entrants(columns, codec_grids, failures, matches, "bpp", bits_per_pixel)
    rows = [_at_rate_row(entrant, scores, metrics, bits_per_pixel) for entrant in entered]
    rows += [AtRateRow(codec, {}) for codec in absent]
    first = metrics[0]
    sign = -1.0 if first.better == "higher" else 1.0
    return sorted(rows, key=lambda row: rank(row.scores.get(first.metric_id), total, sign))


def at_score(
    columns: Columns,
    codec_grids: Sequence[CodecGrid],
    column: ScoreColumn,
    metric: MetricRow,
    score: float,
    encode_seconds: FloatArray,
    failures: Sequence[Failure] = (),
    matches: Sequence[MatchRow] = (),
) -> list[AtScoreRow]:
    """Return the bits per pixel, bytes and encode seconds each codec needs for a score, cheapest first.

    Where settings were searched for the score, their own costs stand, with the score they achieved. Else
    rates are read off each picture's own curve as BD-rate sees it (log rate by PCHIP over quality), bytes
    and seconds by PCHIP over quality; nothing is extrapolated.

    Args:
        columns: Of one image set.
        codec_grids: Its codecs, without the probes of searches.
        column: The metric's scores.
        metric: The metric of ``score`` and ``column``.
        score: The score to reach, on the metric's own scale.
        encode_seconds: Median of each measurement's encodes, NaN where none was timed.
        failures: Attempts on the same set that failed; codecs that always failed come last, without costs.
        matches: The settings that searches on the set ended at.

    Raises:
        AnalysisError: No lossy coding has that score.
    """
    quality = float(to_quality(metric.curve_scale, metric.better, score))
    if not np.isfinite(quality):
        raise AnalysisError(f"expected a {metric.name} score that lossy coding can reach, got {score:g}")
    entered, absent, total = entrants(columns, codec_grids, failures, matches, metric.metric_id, score)
    rows = [
        _at_score_row(entrant, column, metric, quality, encode_seconds, columns)
        if entrant.matched is None
        else _matched_score_row(entrant.summary, entrant.matched, column, encode_seconds, columns)
        for entrant in entered
    ]
    rows += [AtScoreRow(codec, None, None, None, False) for codec in absent]
    return sorted(rows, key=lambda row: rank(row.bits_per_pixel, total, 1.0))


def rank(values: Spread | None, of_pictures: int, sign: float) -> tuple[int, float]:
    """Return a sort key: codecs that reach the target on fewer than half of the pictures come last.

    Args:
        values: What the codec reaches at the target; None where no picture's curve reaches it.
        of_pictures: How many pictures were tried.
        sign: 1.0 where the lowest median comes first, -1.0 where the highest does.
    """
    if values is None:
        return (2, 0.0)
    return (int(not at_least_half(values.pictures, of_pictures)), sign * values.median)


def entrants(
    columns: Columns,
    codec_grids: Sequence[CodecGrid],
    failures: Sequence[Failure],
    matches: Sequence[MatchRow],
    kind: str,
    target: float,
) -> tuple[list[Entrant], list[CodecSummary], int]:
    """Return the codecs with results, those that failed everywhere, and how many pictures were tried.

    Args:
        columns: Of one image set.
        codec_grids: Its codecs, without the probes of searches.
        failures: Attempts on the same set that failed; their pictures count as tried.
        matches: The settings that searches on the set ended at; only those of this target count.
        kind: ``bpp``, or the id of a metric.
        target: Bits per pixel, or a score on the metric's own scale.
    """
    chosen = asked_for(matches, kind, target)
    matched_codecs = matched(grids(columns, probes=True), chosen) if chosen else {}
    ladders = {grid.codec.codec_id for grid in codec_grids}
    only_probes = [
        matched_codec.grid for codec_id, matched_codec in matched_codecs.items() if codec_id not in ladders
    ]
    tried = tried_pictures(columns, failures).union(*(only_probe.rows for only_probe in only_probes))
    total = len(tried)
    summaries = [summarise(grid, failures, total) for grid in codec_grids]
    # Probes alone span no range of rates.
    summaries += [
        replace(summarise(only_probe, failures, total), pictures=0, lowest_rate=None, highest_rate=None)
        for only_probe in only_probes
    ]
    all_grids = [*codec_grids, *only_probes]
    entered = [
        Entrant(grid, summary, matched_codecs.get(grid.codec.codec_id))
        for grid, summary in zip(all_grids, summaries, strict=True)
    ]
    return entered, absent_codecs([grid.codec for grid in all_grids], failures, total), total


def _at_rate_row(
    entrant: Entrant, scores: Mapping[str, ScoreColumn], metrics: Sequence[MetricRow], bits_per_pixel: float
) -> AtRateRow:
    matched_codec = entrant.matched
    if matched_codec is None:
        read = {
            metric.metric_id: _scores_at(entrant.grid, scores[metric.metric_id], metric, bits_per_pixel)
            for metric in metrics
        }
        return AtRateRow(entrant.summary, read)
    own = {metric.metric_id: matched_codec.scores(scores[metric.metric_id]) for metric in metrics}
    return AtRateRow(entrant.summary, own, spread(matched_codec.of(matched_codec.grid.rates)))


def _scores_at(
    grid: CodecGrid, column: ScoreColumn, metric: MetricRow, bits_per_pixel: float
) -> Spread | None:
    qualities = qualities_at_rate(curves_of(scored(grid, column), metric), bits_per_pixel)
    return spread(
        from_quality(metric.curve_scale, metric.better, float(quality))
        for quality in qualities[np.isfinite(qualities)]
    )


def _at_score_row(
    entrant: Entrant,
    column: ScoreColumn,
    metric: MetricRow,
    quality: float,
    encode_seconds: FloatArray,
    columns: Columns,
) -> AtScoreRow:
    grid, under = entrant.grid, scored(entrant.grid, column)
    curves = curves_of(under, metric, grid.sizes, grid.mean_of_known(encode_seconds))
    rates = rates_at_quality(curves, quality)
    reached = np.isfinite(rates)
    sizes, times = columns_at_quality(curves, quality)[:, reached]
    contended = grid.any(columns.contended) & under.known
    return AtScoreRow(
        entrant.summary, spread(rates[reached]), spread(sizes), spread(times), bool(contended[reached].any())
    )


def _matched_score_row(
    summary: CodecSummary,
    matched_codec: Matched,
    column: ScoreColumn,
    encode_seconds: FloatArray,
    columns: Columns,
) -> AtScoreRow:
    grid = matched_codec.grid
    return AtScoreRow(
        summary,
        spread(matched_codec.of(grid.rates)),
        spread(matched_codec.of(grid.sizes)),
        spread(matched_codec.of(grid.mean_of_known(encode_seconds))),
        bool(grid.any(columns.contended)[matched_codec.rows, matched_codec.columns].any()),
        matched_codec.scores(column),
    )


def asked_for(matches: Sequence[MatchRow], kind: str, target: float) -> list[MatchRow]:
    """Return the matches of one target: a rate, kind ``bpp``, or a score, kind the id of its metric.

    Args:
        matches: The settings that searches on a set ended at.
        kind: ``bpp`` or another kind of rate, or the id of a metric.
        target: The rate in the unit of its kind, or the score; compared exactly.
    """
    return [
        match
        for match in matches
        if (match.match.metric_id or match.match.target_kind) == kind and match.match.target == target
    ]


def matched(codec_grids: Sequence[CodecGrid], chosen: Sequence[MatchRow]) -> dict[str, Matched]:
    """Return the settings that searches for a target ended at, by codec id.

    Matches of single pictures come before one setting for the whole set.

    Args:
        codec_grids: The codecs of one image set, with the probes of searches.
        chosen: Of the same set and of one target; see `asked_for`.
    """
    alone = {row.match.codec_id for row in chosen if row.match.scope == "picture"}
    settings: dict[str, dict[str | None, float]] = {row.match.codec_id: {} for row in chosen}
    for row in chosen:
        wanted = "picture" if row.match.codec_id in alone else "set"
        if row.reached and row.match.scope == wanted:
            settings[row.match.codec_id][row.match.picture_sha256] = row.match.quality
    known = [grid for grid in codec_grids if grid.codec.codec_id in settings]
    return {grid.codec.codec_id: _matched(grid, settings[grid.codec.codec_id]) for grid in known}


def _matched(grid: CodecGrid, settings: Mapping[str | None, float]) -> Matched:
    column_of_setting = {float(setting): column for column, setting in enumerate(grid.settings)}
    measured = grid.measured
    places = [
        (row, column)
        for picture, row in grid.rows.items()
        if (setting := settings.get(picture, settings.get(None))) is not None
        and (column := column_of_setting.get(setting)) is not None
        and measured[row, column]
    ]
    rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return Matched(grid, rows, columns)
