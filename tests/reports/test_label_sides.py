"""Labels of the chart of costs: no two cover each other, and none leaves the chart."""

from __future__ import annotations

import random

import pytest

from codecarena.reports.charts import label_sides as labels
from codecarena.reports.charts.chart_points import TradePoint
from codecarena.reports.charts.interactive import trade
from codecarena.reports.charts.line_styles import line_styles


def boxes(points: list[TradePoint], sides: list[str]) -> list[labels.Box]:
    """Return where labels stand, by the drawing's own numbers."""
    costs = [labels.math.log(point.cost) for point in points]
    gains = [point.gain for point in points]
    return [
        labels._label(side, labels.NARROW_WIDTH * x, labels.TRADE_HEIGHT * y, len(point.codec))
        for point, side, x, y in zip(points, sides, labels._places(costs), labels._places(gains), strict=True)
        if side
    ]


def test_a_label_alone_stands_to_the_right() -> None:
    assert labels.label_sides([TradePoint("zip", 2.0, -3.0, True)], less_is_better=True) == ["right above"]


def test_labels_of_neighbours_stand_apart() -> None:
    points = [
        TradePoint("jpeg", 10.0, 0.0, True), TradePoint("jpegli", 10.5, -0.5, True),
        TradePoint("vvc", 1000.0, -50.0, True),
    ]  # fmt: skip
    sides = labels.label_sides(points, less_is_better=True)
    # The last one would leave the chart on the right.
    assert (len(set(sides[:2])), sides[2][:4]) == (2, "left")
    assert "" not in sides
    drawn = trade(points, line_styles(["jpeg", "jpegli", "vvc"]), cost="ms", gain="%", less_is_better=True,
                  dark=False).to_dict()  # fmt: skip
    names = [layer for layer in drawn["layer"] if layer["mark"]["type"] == "text"]
    (rows,) = drawn["datasets"].values()
    assert [row["side"] for row in rows] == sides
    shown = [layer["transform"][0]["filter"] for layer in names]
    assert sorted(shown) == sorted(f"(datum.side === '{side}')" for side in set(sides))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("less_is_better", [True, False])
def test_no_label_covers_another_or_leaves_the_chart(seed: int, less_is_better: bool) -> None:
    chance = random.Random(seed)
    points = [
        TradePoint("codec" * chance.randint(1, 3), chance.uniform(1, 4) ** 5, chance.gauss(0, 20), place < 5)
        for place in range(30)
    ]
    sides = labels.label_sides(points, less_is_better=less_is_better)
    turned = points if less_is_better else [TradePoint(p.codec, p.cost, -p.gain, p.on_front) for p in points]
    placed = boxes(turned, sides)
    assert len(placed) >= 10
    for index, first in enumerate(placed):
        assert first[0] >= -labels.POINT_RADIUS
        assert first[2] <= labels.NARROW_WIDTH + labels.POINT_RADIUS
        assert not any(labels._overlap(first, second) for second in placed[index + 1 :])
