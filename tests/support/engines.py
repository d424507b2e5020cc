"""The two ways in which leaderboards are computed, of records and of columns, called alike."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from codecarena.bench.analysis import leaderboard as of_records
from codecarena.bench.analysis.leaderboard import AtRateRow, AtScoreRow, Comparison, Leaderboard, View
from codecarena.bench.analysis.panel_readings import (
    at_rate_of_panels,
    at_score_of_panels,
    choose_view_of_panels,
    usual_anchor_of_panels,
)
from codecarena.bench.analysis.panels import PanelComparison, compare_panels, leaderboard_of_panels, panels
from codecarena.bench.store.columns import columns_of
from codecarena.bench.store.rows import Failure, MetricRow, ScoredCell


class OfRecords:
    """A record at a time."""

    compare = staticmethod(of_records.compare)
    leaderboard = staticmethod(of_records.leaderboard)
    at_rate = staticmethod(of_records.at_rate)
    at_score = staticmethod(of_records.at_score)
    choose_view = staticmethod(of_records.choose_view)
    default_anchor = staticmethod(of_records.default_anchor)


class OfColumns:
    """All measurements of a codec at once."""

    @staticmethod
    def compare(
        cells: Sequence[ScoredCell], metric: MetricRow, failures: Sequence[Failure] = ()
    ) -> Comparison:
        return _compared(cells, metric, failures)

    @staticmethod
    def leaderboard(
        cells: Sequence[ScoredCell], metric: MetricRow, anchor: str, failures: Sequence[Failure] = ()
    ) -> Leaderboard:
        return leaderboard_of_panels(_compared(cells, metric, failures), metric, anchor, failures)

    @staticmethod
    def at_rate(
        cells: Sequence[ScoredCell],
        metrics: Sequence[MetricRow],
        bits_per_pixel: float,
        failures: Sequence[Failure] = (),
    ) -> list[AtRateRow]:
        columns, _ = columns_of(cells, "")
        scores = {one.metric_id: columns_of(cells, one.metric_id)[1] for one in metrics}
        return at_rate_of_panels(columns, panels(columns), scores, metrics, bits_per_pixel, failures)

    @staticmethod
    def at_score(
        cells: Sequence[ScoredCell], metric: MetricRow, score: float, failures: Sequence[Failure] = ()
    ) -> list[AtScoreRow]:
        columns, column = columns_of(cells, metric.metric_id)
        seconds = np.array([median(one.encode_seconds) for one in cells])
        return at_score_of_panels(columns, panels(columns), column, metric, score, seconds, failures)

    @staticmethod
    def choose_view(cells: Sequence[ScoredCell], metric: MetricRow) -> View:
        anchor = OfColumns.default_anchor(cells)
        if anchor is None:
            return View()
        every = _compared(cells, metric, ())
        board = leaderboard_of_panels(every, metric, anchor)
        return choose_view_of_panels(board, list(every.panels.values()), metric)

    @staticmethod
    def default_anchor(cells: Sequence[ScoredCell]) -> str | None:
        return usual_anchor_of_panels(panels(columns_of(cells, "")[0]))


def _compared(cells: Sequence[ScoredCell], metric: MetricRow, failures: Sequence[Failure]) -> PanelComparison:
    columns, column = columns_of(cells, metric.metric_id)
    return compare_panels(columns, panels(columns), column, metric, failures)
