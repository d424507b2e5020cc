"""The engine that computes leaderboards, and the slow one that it is held against: both called with cells."""

from __future__ import annotations

from collections.abc import Sequence

from as_columns import byte_parts_of, columns_of, encode_seconds_of
from row_oracle import leaderboard as of_records
from row_oracle import rates as rates_of_records
from row_oracle import seeds as seeds_of_records
from row_oracle.points import marks as marks_of_records

from codecarena.bench.analysis import at_target, codec_grids, kind_effect
from codecarena.bench.analysis import leaderboard as boards
from codecarena.bench.analysis import rates as rates_of_columns
from codecarena.bench.analysis import seeds as seeds_of_columns
from codecarena.bench.analysis.at_target import AtRateRow, AtScoreRow
from codecarena.bench.analysis.codec_grids import CodecFlags, Comparison
from codecarena.bench.analysis.curves import Method
from codecarena.bench.analysis.kind_effect import KindSplit
from codecarena.bench.analysis.leaderboard import Leaderboard, View
from codecarena.bench.analysis.rates import SetRate
from codecarena.bench.analysis.seeds import SeedVariance
from codecarena.bench.records.rows import Failure, MatchRow, MetricRow, ScoredCell


class OfRecords:
    """A record at a time."""

    compare = staticmethod(of_records.compare)
    leaderboard = staticmethod(of_records.leaderboard)
    at_rate = staticmethod(of_records.at_rate)
    at_score = staticmethod(of_records.at_score)
    choose_view = staticmethod(of_records.choose_view)
    default_anchor = staticmethod(of_records.default_anchor)
    set_rates = staticmethod(rates_of_records.set_rates)
    seed_variances = staticmethod(seeds_of_records.seed_variances)
    marks = staticmethod(marks_of_records)


def compare(cells: Sequence[ScoredCell], metric: MetricRow, failures: Sequence[Failure] = ()) -> Comparison:
    """Return all codecs under a metric."""
    columns, column = columns_of(cells, metric.metric_id)
    return codec_grids.compare(columns, codec_grids.grids(columns), column, metric, failures)


def leaderboard(
    cells: Sequence[ScoredCell],
    metric: MetricRow,
    anchor: str,
    failures: Sequence[Failure] = (),
    method: Method = "pchip",
) -> Leaderboard:
    """Return BD-rates against an anchor."""
    return boards.leaderboard(compare(cells, metric, failures), metric, anchor, failures, method)


def at_rate(
    cells: Sequence[ScoredCell],
    metrics: Sequence[MetricRow],
    bits_per_pixel: float,
    failures: Sequence[Failure] = (),
    matches: Sequence[MatchRow] = (),
) -> list[AtRateRow]:
    """Return every codec's scores at a rate."""
    columns, _ = columns_of(cells, "")
    scores = {metric.metric_id: columns_of(cells, metric.metric_id)[1] for metric in metrics}
    all_grids = codec_grids.grids(columns)
    return at_target.at_rate(columns, all_grids, scores, metrics, bits_per_pixel, failures, matches)


def at_score(
    cells: Sequence[ScoredCell],
    metric: MetricRow,
    score: float,
    failures: Sequence[Failure] = (),
    matches: Sequence[MatchRow] = (),
) -> list[AtScoreRow]:
    """Return what every codec spends for a score."""
    columns, column = columns_of(cells, metric.metric_id)
    all_grids, seconds = codec_grids.grids(columns), encode_seconds_of(cells)
    return at_target.at_score(columns, all_grids, column, metric, score, seconds, failures, matches)


def choose_view(cells: Sequence[ScoredCell], metric: MetricRow, failures: Sequence[Failure] = ()) -> View:
    """Return the view that says most."""
    anchor = default_anchor(cells)
    return View() if anchor is None else boards.choose_view(leaderboard(cells, metric, anchor, failures))


def default_anchor(cells: Sequence[ScoredCell]) -> str | None:
    """Return the codec to compare with."""
    return boards.usual_anchor(codec_grids.grids(columns_of(cells, "")[0]))


def set_rates(cells: Sequence[ScoredCell]) -> list[SetRate]:
    """Return the rates of every codec at every setting."""
    columns, _ = columns_of(cells, "")
    return rates_of_columns.set_rates(columns, codec_grids.grids(columns), byte_parts_of(cells))


def seed_variances(cells: Sequence[ScoredCell], metrics: Sequence[MetricRow]) -> list[SeedVariance]:
    """Return how scores vary between seeds and between pictures."""
    columns, _ = columns_of(cells, "")
    return seeds_of_columns.seed_variances(
        columns, metrics, lambda metric: columns_of(cells, metric.metric_id)[1]
    )


def marks(cells: Sequence[ScoredCell]) -> CodecFlags:
    """Return the marks of the one codec that the cells are of."""
    (grid,) = codec_grids.grids(columns_of(cells, "")[0], probes=True)
    return grid.codec.marks


def split_by_kind(
    cells: Sequence[ScoredCell],
    metric: MetricRow,
    anchor: str,
    failures: Sequence[Failure] = (),
    method: Method = "pchip",
) -> KindSplit:
    """Return natural against AI-generated under one metric."""
    return kind_effect.split_by_kind(compare(cells, metric, failures), cells, metric, anchor, method)


class OfColumns:
    """All measurements of a codec at once."""

    compare = staticmethod(compare)
    leaderboard = staticmethod(leaderboard)
    at_rate = staticmethod(at_rate)
    at_score = staticmethod(at_score)
    choose_view = staticmethod(choose_view)
    default_anchor = staticmethod(default_anchor)
    set_rates = staticmethod(set_rates)
    seed_variances = staticmethod(seed_variances)
    marks = staticmethod(marks)
