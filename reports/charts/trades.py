"""BD-rate against cost for each codec, and which codecs are on the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...bench.analysis.leaderboard import Leaderboard
from ...bench.analysis.pareto import on_front
from ..tables.leaderboard_columns import Cost
from .chart_points import TradePoint

COSTS = {
    "decode": "Decode time (ms per megapixel)",
    "decode-cpu": "Decode CPU time (ms per megapixel)",
    "encode": "Encode time (ms per megapixel)",
    "decoder": "Decoder (MB)",
}

WALL_TIMES = ("decode", "encode")


def trades(board: Leaderboard, costs: Mapping[str, Cost], by: str) -> list[TradePoint]:
    """Return every codec that has both a BD-rate and the cost, in order of cost.

    Args:
        board: BD-rates.
        costs: By codec id.
        by: One of `COSTS`.
    """
    known = [
        (row.codec.label, cost, row.bd_rate.percent)
        for row in board.rows
        if row.bd_rate.percent is not None and (cost := _cost(costs.get(row.codec.codec_id), by))
    ]
    if not known:
        return []
    front = on_front(np.array([[[cost, percent] for _, cost, percent in known]]))[0]
    trade_points = [
        TradePoint(label, cost, percent, bool(best))
        for (label, cost, percent), best in zip(known, front, strict=True)
    ]
    return sorted(trade_points, key=lambda point: point.cost)


def absent(board: Leaderboard, costs: Mapping[str, Cost], by: str) -> list[str]:
    """Return which codecs are not among the `trades` and why, a sentence for each reason.

    Args:
        board: BD-rates.
        costs: By codec id.
        by: One of `COSTS`.
    """
    labels: dict[str, list[str]] = {}
    for row in board.rows:
        cost = costs.get(row.codec.codec_id)
        if row.bd_rate.percent is None:
            reason = f"no BD-rate ({row.bd_rate.reason})"
        elif _cost(cost, by):
            continue
        elif by in WALL_TIMES and cost is not None and cost.loaded:
            reason = "timed while other programs ran, which is no speed"
        else:
            reason = "not timed there" if by != "decoder" else "what the decoder opens was not counted"
        labels.setdefault(reason, []).append(row.codec.label)
    return [f"Not in the chart: {', '.join(names)}: {reason}." for reason, names in labels.items()]


def _cost(cost: Cost | None, by: str) -> float | None:
    if cost is None or (cost.loaded and by in WALL_TIMES):
        return None
    size = None if cost.decoder_bytes is None else cost.decoder_bytes / 1e6
    return {
        "decode": cost.decode_milliseconds,
        "encode": cost.encode_milliseconds,
        "decode-cpu": cost.decode_cpu_milliseconds,
        "decoder": size,
    }[by]
