"""Choose on which side of its point each label of a chart stands, so that none covers another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

from .chart_points import TradePoint

Align: TypeAlias = Literal["left", "center", "right"]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""

SIDES: dict[str, tuple[Align, int, int]] = {
    "right above": ("left", 9, -7), "right below": ("left", 9, 9), "left above": ("right", -9, -7),
    "left below": ("right", -9, 9), "above": ("center", 0, -14), "below": ("center", 0, 16),
}  # fmt: skip
"""Alignment of a label, and how far right and down of its point it stands, in pixels."""
TRADE_HEIGHT = 460
"""Of the chart, in pixels."""
NARROW_WIDTH = 560
"""Of the chart on a small screen, in pixels: where labels are apart there, they are so on a wide one."""
LETTER_PIXELS = 11
LETTER_WIDTH = 6.2
"""Of an average letter of that size, in pixels."""
POINT_RADIUS = 6


def label_sides(points: Sequence[TradePoint], *, less_is_better: bool) -> list[str]:
    """Return the side of each point's label, one of `SIDES`; empty where there is room on none.

    Args:
        points: In a chart of gains over costs on a logarithmic axis.
        less_is_better: Whether the vertical axis is turned.
    """
    costs, gains = [math.log(point.cost) for point in points], [point.gain for point in points]
    across = [NARROW_WIDTH * place for place in _places(costs)]
    down = [TRADE_HEIGHT * (place if less_is_better else 1 - place) for place in _places(gains)]
    taken = [_box(x, y, POINT_RADIUS, POINT_RADIUS) for x, y in zip(across, down, strict=True)]
    sides = [""] * len(points)
    # Those that nothing beats are named first.
    for index in sorted(range(len(points)), key=lambda index: (not points[index].on_front, across[index])):
        for side in SIDES:
            box = _label(side, across[index], down[index], len(points[index].codec))
            fits = box[0] >= -POINT_RADIUS and box[2] <= NARROW_WIDTH + POINT_RADIUS
            others = (other for place, other in enumerate(taken) if place != index)
            if fits and not any(_overlap(box, other) for other in others):
                sides[index] = side
                taken.append(box)
                break
    return sides


def _places(values: Sequence[float]) -> list[float]:
    """Return where values lie between the least and the greatest, 0 to 1; in the middle if all are equal."""
    low, high = min(values), max(values)
    return [0.5 if high == low else (value - low) / (high - low) for value in values]


def _label(side: str, x: float, y: float, letters: int) -> Box:
    align, dx, dy = SIDES[side]
    half = letters * LETTER_WIDTH / 2
    middle = x + dx + {"left": half, "center": 0.0, "right": -half}[align]
    return _box(middle, y + dy, half, LETTER_PIXELS / 2)


def _box(x: float, y: float, half_width: float, half_height: float) -> Box:
    return x - half_width, y - half_height, x + half_width, y + half_height


def _overlap(first: Box, second: Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]
