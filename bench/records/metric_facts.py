"""What the values of a metric mean and how they are written, as the metric's class declares it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

Direction: TypeAlias = Literal["higher", "lower"]
CurveScale: TypeAlias = Literal["linear", "decibel"]
"""How scores enter rate-distortion curves: as they are, or as -10 log10(1 - score)."""

RANGE_TOLERANCE = 1e-6
"""How far rounding may take a value out of its metric's range."""
PERFECT_TOLERANCE = 1e-5
"""How far rounding may take the value of identical pixels from the perfect one."""


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """Direction, range and perfect value, which are part of the identity, and how values are written."""

    title: str = ""
    """As tables and charts call it; empty for the metric's name."""
    unit: str = ""
    """``dB``, ``JOD``; empty where values have none."""
    decimals: int | None = None
    """Digits behind the point; None for four significant digits."""
    better: Direction = "higher"
    """Which direction is better."""
    lowest: float = -math.inf
    """The lowest value that the definition allows."""
    highest: float = math.inf
    """The highest value that the definition allows."""
    perfect: float | None = None
    """The value of identical pixels; infinite where unbounded, None where it depends on the picture."""
    curve_scale: CurveScale = "linear"
    default_order: int | None = None
    """Place among the metrics where nobody chose one, 1 first; None for after all those that have one."""

    def __post_init__(self) -> None:
        """Raise `ValueError` where what is declared contradicts itself."""
        if not self.lowest < self.highest:
            raise ValueError(f"expected lowest below highest, got {self.lowest:g} and {self.highest:g}")
        if self.perfect is not None and not self.lowest <= self.perfect <= self.highest:
            allowed = _range(self.lowest, self.highest)
            raise ValueError(f"the perfect value {self.perfect:g} is outside the range, {allowed}")
        if self.better not in get_args(Direction) or self.curve_scale not in get_args(CurveScale):
            raise ValueError(
                f"expected better of {get_args(Direction)} and curve_scale of {get_args(CurveScale)}, got "
                f"{self.better!r} and {self.curve_scale!r}"
            )

    @property
    def is_bounded(self) -> bool:
        """Whether identical pixels have a value, and that value is finite."""
        return self.perfect is not None and math.isfinite(self.perfect)


def outside_range(lowest: float | None, highest: float | None, value: float) -> str | None:
    """Return that a value is outside a metric's range, or None where it is inside.

    Args:
        lowest: End of the range; None or infinite where it has none.
        highest: The other end; None or infinite where it has none.
        value: Checked with a tolerance of `RANGE_TOLERANCE`; NaN is outside every range.
    """
    low = -math.inf if lowest is None else lowest
    high = math.inf if highest is None else highest
    if low - RANGE_TOLERANCE <= value <= high + RANGE_TOLERANCE:
        return None
    return f"{value:.9g} is outside its range, {_range(low, high)}"


def impossible_score(facts: MetricFacts, value: float, *, identical: bool) -> str | None:
    """Return why a metric cannot have given this value, or None where it can.

    Args:
        facts: Range and perfect value that the metric declares.
        value: The score to check; infinite only where that is the perfect value.
        identical: Whether the decoded pixels equal the original's.
    """
    if math.isinf(value) and value == facts.perfect:
        return None
    if not math.isfinite(value):
        return f"{value} is no score of {'identical' if identical else 'differing'} pictures"
    if outside := outside_range(facts.lowest, facts.highest, value):
        return outside
    if not identical or facts.perfect is None:
        return None
    if math.isinf(facts.perfect) or abs(value - facts.perfect) > PERFECT_TOLERANCE:
        return f"{value:.9g} is wrong for identical pixels: they have the value {facts.perfect:g}"
    return None


def _range(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return "any number"
    if math.isinf(low):
        return f"at most {high:g}"
    return f"at least {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"
