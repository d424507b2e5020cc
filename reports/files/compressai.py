"""Write results as CompressAI does: one JSON file a codec, with means over a set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...bench.analysis.codec_grids import CodecGrid, MeanPoint, ScoredGrid, mean_curve, scored, usual_ladder
from ...bench.records.columns import FloatArray, Mask
from ...bench.records.rows import MetricRow
from ..tables.selection import Selection

NAMES = {"psnr": "psnr-rgb", "ms-ssim": "ms-ssim-rgb"}
"""CompressAI's names of our metrics; others keep theirs."""


def results(selection: Selection) -> dict[str, dict[str, Any]]:
    """Return a result object for each codec, by a name that suits a file.

    Lists are sorted by rate and of equal length. A setting that is lossless on some picture is left out:
    CompressAI writes infinity there, which is no JSON. ``meta`` says what the format has no place for.

    Source: CompressAI 1.2.8, ``compressai/utils/bench`` and ``results/image``.
    """
    files = {_file_name(grid.codec.label): _result(grid, selection) for grid in selection.grids}
    return {name: content for name, content in files.items() if content["results"]["bpp"]}


def _result(grid: CodecGrid, selection: Selection) -> dict[str, Any]:
    under = {
        all_metric.metric_id: scored(grid, selection.scores(all_metric))
        for all_metric in selection.all_metrics
    }
    metrics = [all_metric for all_metric in selection.all_metrics if under[all_metric.metric_id].known.any()]
    done = usual_ladder(grid.measured)[1]
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
    seconds = {
        "encoding_time": selection.source.encode_seconds,
        "decoding_time": selection.source.decode_seconds,
    }
    own = {name: selection.chosen(column) for name, column in seconds.items()}
    pictures, label = int(done.sum()), grid.codec.label
    return {
        "name": label,
        "description": f"{label}, by codecarena; means over {pictures} pictures of {selection.image_set}",
        "meta": {
            "dataset": selection.image_set,
            "pictures": pictures,
            "qualities": settings,
            "imported": grid.codec.marks.imported,
            "contended_times": bool(grid.any(selection.columns.contended)[done].any()),
            "metrics": {
                _column(metric, metrics): f"{metric.implementation} {metric.version}" for metric in metrics
            },
        },
        "results": lists | _times(grid, done, settings, own),
    }


def _mean_points(scored_grid: ScoredGrid, done: Mask, metric: MetricRow) -> tuple[MeanPoint, ...]:
    """Return the means over those pictures that have every setting of the codec, and every score."""
    chosen = frozenset(picture for picture, row in scored_grid.grid.rows.items() if done[row])
    return mean_curve(scored_grid, chosen & scored_grid.done, metric).points


def _times(
    grid: CodecGrid, done: Mask, settings: list[float], seconds: Mapping[str, FloatArray]
) -> dict[str, list[float]]:
    """Return mean seconds at each setting over all decodes of these pictures, where each was timed."""
    means: dict[str, list[float]] = {}
    picture, setting = np.divmod(grid.cells, len(grid.settings))
    for name, values in seconds.items():
        own = np.where(done[picture], values[grid.members], np.nan)
        timed = [own[(grid.settings[setting] == wanted) & np.isfinite(own)] for wanted in settings]
        if timed and all(len(setting_seconds) for setting_seconds in timed):
            means[name] = [float(setting_seconds.mean()) for setting_seconds in timed]
    return means


def _column(metric: MetricRow, metrics: list[MetricRow]) -> str:
    name = NAMES.get(metric.name, metric.name)
    twice = sum(other.name == metric.name for other in metrics) > 1
    return f"{name} {metric.metric_id[:6]}" if twice else name


def _file_name(label: str) -> str:
    return re.sub(r"[^\w.+=-]+", "_", label).strip("_")
