"""Turn one part of a store into result files as CompressAI writes them: means of a set, one list a number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...bench.analysis.codec_grids import MeanPoint, Panel, Scored, mean_curve, scored, usual_ladder
from ...bench.records.columns import FloatArray, Mask
from ...bench.records.rows import MetricRow
from ..tables.selection import ColumnSlice

NAMES = {"psnr": "psnr-rgb", "ms-ssim": "ms-ssim-rgb"}
"""CompressAI's names of our metrics; others keep theirs."""


def results(part: ColumnSlice) -> dict[str, dict[str, Any]]:
    """Return a result object for each codec, by a name that suits a file.

    Lists are sorted by rate and of equal length. A setting that is lossless on some picture is left out:
    CompressAI writes infinity there, which is no JSON. ``meta`` says what the format has no place for.

    Source: CompressAI 1.2.8, ``compressai/utils/bench`` and ``results/image``.
    """
    found = {_file_name(panel.codec.label): _result(panel, part) for panel in part.panels}
    return {name: one for name, one in found.items() if one["results"]["bpp"]}


def _result(panel: Panel, part: ColumnSlice) -> dict[str, Any]:
    under = {all_metric.metric_id: scored(panel, part.scores(all_metric)) for all_metric in part.all_metrics}
    metrics = [all_metric for all_metric in part.all_metrics if under[all_metric.metric_id].known.any()]
    done = usual_ladder(panel.measured)[1]
    columns: dict[str, dict[float, float]] = {}
    rates: dict[float, float] = {}
    for metric in metrics:
        points = _mean_points(under[metric.metric_id], done, metric)
        columns[_column(metric, metrics)] = {point.setting: point.score for point in points}
        rates |= {point.setting: point.bits_per_pixel for point in points}
    complete = [setting for setting in rates if all(setting in column for column in columns.values())]
    settings = sorted(complete, key=lambda setting: rates[setting])
    lists = {"bpp": [rates[setting] for setting in settings]}
    lists |= {name: [column[setting] for setting in settings] for name, column in columns.items()}
    seconds = {"encoding_time": part.source.encode_seconds, "decoding_time": part.source.decode_seconds}
    own = {name: part.chosen(one) for name, one in seconds.items()}
    pictures, label = int(done.sum()), panel.codec.label
    return {
        "name": label,
        "description": f"{label}, by codecarena; means over {pictures} pictures of {part.image_set}",
        "meta": {
            "dataset": part.image_set,
            "pictures": pictures,
            "qualities": settings,
            "imported": panel.codec.marks.imported,
            "contended_times": bool(panel.any(part.columns.contended)[done].any()),
            "metrics": {
                _column(metric, metrics): f"{metric.implementation} {metric.version}" for metric in metrics
            },
        },
        "results": lists | _times(panel, done, settings, own),
    }


def _mean_points(one: Scored, done: Mask, metric: MetricRow) -> tuple[MeanPoint, ...]:
    """Return the means over those pictures that have every setting of the codec, and every score."""
    chosen = frozenset(picture for picture, row in one.panel.rows.items() if done[row])
    return mean_curve(one, chosen & one.done, metric).points


def _times(
    panel: Panel, done: Mask, settings: list[float], seconds: Mapping[str, FloatArray]
) -> dict[str, list[float]]:
    """Return mean seconds at each setting over all decodes of these pictures, where each was timed."""
    found: dict[str, list[float]] = {}
    picture, setting = np.divmod(panel.cells, len(panel.settings))
    for name, values in seconds.items():
        own = np.where(done[picture], values[panel.members], np.nan)
        timed = [own[(panel.settings[setting] == one) & np.isfinite(own)] for one in settings]
        if timed and all(len(one) for one in timed):
            found[name] = [float(one.mean()) for one in timed]
    return found


def _column(metric: MetricRow, metrics: list[MetricRow]) -> str:
    name = NAMES.get(metric.name, metric.name)
    twice = sum(one.name == metric.name for one in metrics) > 1
    return f"{name} {metric.metric_id[:6]}" if twice else name


def _file_name(label: str) -> str:
    return re.sub(r"[^\w.+=-]+", "_", label).strip("_")
