"""Turn the values of many pictures into a median and its spread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and tails of a value over pictures."""

    median: float
    low: float
    """5th percentile."""
    high: float
    """95th percentile."""
    pictures: int
    """How many pictures have a value."""


def spread(values: Iterable[float]) -> Spread | None:
    """Return median, 5th and 95th percentile of the finite values, or None when there are none.

    Percentiles interpolate linearly between order statistics (Hyndman and Fan 1996, type 7, NumPy's default).
    """
    numbers = np.array(list(values), dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return None
    low, median, high = np.percentile(finite, [5, 50, 95])
    return Spread(float(median), float(low), float(high), len(finite))
