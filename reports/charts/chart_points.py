"""What a chart of costs, or of values with intervals, is made of, on the page and in print."""

from __future__ import annotations

from dataclasses import dataclass


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
