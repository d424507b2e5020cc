"""Turn one part of a store into result files as CompressAI writes them: means of a set, one list a number."""

from __future__ import annotations

import math
import re
from statistics import fmean, median
from typing import Any

from ..bench.analysis.points import CodecPoints, collect, finished, mean_curve
from ..bench.store.rows import MetricRow, ScoredCell
from .slices import Slice

NAMES = {"psnr": "psnr-rgb", "ms-ssim": "ms-ssim-rgb"}
"""CompressAI's names of our metrics; others keep theirs."""


def results(part: Slice) -> dict[str, dict[str, Any]]:
    """Return a result object for each codec, by a name that suits a file.

    Lists are sorted by rate and of equal length. A setting that is lossless on some picture is left out:
    CompressAI writes infinity there, which is no JSON. ``meta`` says what the format has no place for.

    Source: CompressAI 1.2.8, ``compressai/utils/bench`` and ``results/image``.
    """
    cells = [cell for cell in part.cells if not cell.probe]
    found = {_file_name(codec.label): _result(codec, cells, part) for codec in collect(cells)}
    return {name: one for name, one in found.items() if one["results"]["bpp"]}


def _result(codec: CodecPoints, cells: list[ScoredCell], part: Slice) -> dict[str, Any]:
    scored = [one for one in part.all_metrics if codec.scored(one.metric_id)]
    done = finished(codec.pictures)
    columns: dict[str, dict[float, float]] = {}
    rates: dict[float, float] = {}
    for metric in scored:
        pictures = codec.scored(metric.metric_id)
        chosen = done & finished(pictures)
        points = mean_curve(pictures, chosen, metric).points
        columns[_column(metric, scored)] = {point.setting: point.score for point in points}
        rates |= {point.setting: point.bits_per_pixel for point in points}
    complete = [setting for setting in rates if all(setting in column for column in columns.values())]
    settings = sorted(complete, key=lambda setting: rates[setting])
    lists = {"bpp": [rates[setting] for setting in settings]}
    lists |= {name: [column[setting] for setting in settings] for name, column in columns.items()}
    ours = [cell for cell in cells if cell.codec_id == codec.codec_id and cell.picture_sha256 in done]
    imported = any(cell.imported for cell in ours)
    return {
        "name": codec.label,
        "description": f"{codec.label}, by codecarena; means over {len(done)} pictures of {part.image_set}",
        "meta": {
            "dataset": part.image_set,
            "pictures": len(done),
            "qualities": settings,
            "imported": imported,
            "contended_times": any(cell.contended for cell in ours),
            "metrics": {_column(one, scored): f"{one.implementation} {one.version}" for one in scored},
        },
        "results": lists | _times(ours, settings),
    }


def _times(cells: list[ScoredCell], settings: list[float]) -> dict[str, list[float]]:
    """Return mean seconds at each setting, where every setting was timed."""
    found: dict[str, list[float]] = {}
    for name, column in (("encoding_time", "encode_seconds"), ("decoding_time", "decode_seconds")):
        means: list[float] = []
        for setting in settings:
            repeats = [getattr(cell, column) for cell in cells if cell.quality == setting]
            values = [median(one) for one in repeats if one]
            means.append(fmean(values) if values else math.nan)
        if means and not any(map(math.isnan, means)):
            found[name] = means
    return found


def _column(metric: MetricRow, metrics: list[MetricRow]) -> str:
    name = NAMES.get(metric.name, metric.name)
    twice = sum(one.name == metric.name for one in metrics) > 1
    return f"{name} {metric.metric_id[:6]}" if twice else name


def _file_name(label: str) -> str:
    return re.sub(r"[^\w.+=-]+", "_", label).strip("_")
