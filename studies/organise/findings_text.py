"""Format a study's numbers for its tables."""

from __future__ import annotations

from typing import Any, TypeAlias

from ..scale.scale_results import Interval

Record: TypeAlias = dict[str, Any]
"""Any: cells of tables whose columns differ."""

Table: TypeAlias = tuple[str, list[Record], list[str]]
"""Title, rows, notes."""


def percent_span(interval: Interval | None) -> str:
    """Return an interval of a share as text."""
    return f"{interval.low:.0%} to {interval.high:.0%}" if interval else "-"


def span(interval: Interval | None) -> str:
    """Return an interval as text."""
    return f"{interval.low:+.2f} to {interval.high:+.2f}" if interval else "-"


def p_value(p: float) -> str:
    """Return a p-value as text: two digits, or that it is below 0.001."""
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def with_span(value: float | None, interval: Interval | None) -> str:
    """Return a value and its interval as text."""
    if value is None:
        return "-"
    return f"{value:.2f}" if interval is None else f"{value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
