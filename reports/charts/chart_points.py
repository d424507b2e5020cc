"""What a chart of costs, or of values with intervals, is made of, on the page and in print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...bench.analysis.kind_effect import KindSplit
from ...studies.analysis.human_metrics import HumanAgreement

GROUPS = ("natural", "AI-generated")


@dataclass(frozen=True, slots=True)
class TradePoint:
    """One codec by what it costs and what it gives."""

    codec: str
    cost: float
    gain: float
    on_front: bool


@dataclass(frozen=True, slots=True)
class SpanPoint:
    """A value with its interval, in one of a few groups."""

    name: str
    group: str
    value: float
    low: float | None
    high: float | None


def kind_points(split: KindSplit) -> list[SpanPoint]:
    """Return every codec's BD-rate on natural and on AI-generated pictures, as far as there is one."""
    return [
        SpanPoint(
            row.label + (f" ({row.affinity})" if row.affinity != "none" else ""), group, level.percent,
            level.interval.low, level.interval.high,
        )
        for row in split.rows
        for group, level in zip(GROUPS, (row.natural, row.generated), strict=True)
        if level.percent is not None
    ]  # fmt: skip


def accuracy_points(agreement: HumanAgreement, titles: Mapping[str, str]) -> list[SpanPoint]:
    """Return the share of votes that each metric predicts, in percent.

    Args:
        agreement: Of the metrics with the votes.
        titles: Of metrics, by name.
    """
    return [
        SpanPoint(
            titles.get(metric.metric, metric.metric), "accuracy", 100 * metric.accuracy,
            100 * metric.accuracy_interval.low, 100 * metric.accuracy_interval.high,
        )
        for metric in agreement.metrics
    ]  # fmt: skip
