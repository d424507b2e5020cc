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
        TradePoint(label, 0.0, cost, percent, bool(best))
        for (label, cost, percent), best in zip(known, front, strict=True)
    ]
    return sorted(trade_points, key=lambda point: point.cost)


def _cost(cost: Cost | None, by: str) -> float | None:
    if cost is None:
        return None
    size = None if cost.decoder_bytes is None else cost.decoder_bytes / 1e6
    return {
        "decode": cost.decode_milliseconds,
        "encode": cost.encode_milliseconds,
        "decode-cpu": cost.decode_cpu_milliseconds,
        "decoder": size,
    }[by]
