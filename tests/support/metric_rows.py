"""Rows of made-up metric identities, written as the metric of that name declares it."""

from __future__ import annotations

from dataclasses import replace

from codecarena.bench.metrics.registry import entries, facts_of
from codecarena.bench.records.metric_facts import Direction, MetricFacts
from codecarena.bench.records.rows import MetricRow

WRITING = ("title", "unit", "decimals", "curve_scale", "default_order")


def writing(name: str) -> dict[str, object]:
    """Return how a metric's values are written; of a made-up one as of any that says nothing."""
    facts = (facts_of(name) if name in entries() else None) or MetricFacts()
    return {key: getattr(facts, key) for key in WRITING}


def metric_row(
    metric_id: str,
    name: str,
    implementation: str,
    version: str,
    colour_space: str,
    better: Direction,
    perfect: float | None,
) -> MetricRow:
    row = MetricRow(metric_id, name, implementation, version, colour_space, better, perfect)
    return replace(row, **writing(name))


def named(name: str) -> MetricRow:
    """Return a row of which only the name, and what the metric of that name declares, matters."""
    return metric_row(f"{name}-id", name, "made up", "1", "RGB", "higher", None)
