"""Write results as CompressAI does: one JSON file a codec, with means over a set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...bench.analysis.codec_grids import CodecGrid, ScoredGrid, scored, usual_ladder
from ...bench.analysis.curves import to_quality
from ...bench.analysis.mean_curves import at_least_half, finite_part
from ...bench.records.columns import FloatArray, Mask
from ...bench.records.rows import MetricRow
from ...counts import counted
from ..tables.reasons import picture_names
from ..tables.selection import Selection

NAMES = {"psnr": "psnr-rgb", "ms-ssim": "ms-ssim-rgb"}
"""CompressAI's names of our metrics; others keep theirs."""


@dataclass(frozen=True, slots=True)
class Results:
    """What is written of a set, and what is not."""

    files: dict[str, dict[str, Any]]
    """A result object for each codec, by a name that suits a file."""
    notes: tuple[str, ...]
    """Which pictures, codecs and metrics are left out."""


@dataclass(frozen=True, slots=True, eq=False)
class _Means:
    """A codec's means over the pictures that are finite under all its metrics; arrays by rising rate."""

    pictures: Mask
    """Shape (pictures of the grid,)."""
    blank: Mask
    """Pictures that are left out as some setting gives them back identical; of the same shape."""
    settings: FloatArray
    rates: FloatArray
    scores: Mapping[str, FloatArray]
    """By metric id."""


def results(selection: Selection) -> Results:
    """Return a result object for each codec that is lossy at some setting.

    Lists are sorted by rate and of equal length. All means of a codec are over the same pictures: those with
    a finite score at each setting, under each metric that scored half of them or more. A setting that is
    lossless on half of them is left out: CompressAI writes infinity there, which is no JSON. ``meta`` says
    what the format has no place for.

    Source: CompressAI 1.2.8, ``compressai/utils/bench`` and ``results/image``.
    """
    files: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    names = selection.picture_names
    stored = [metric for metric in selection.all_metrics if metric in selection.metrics]
    for grid in selection.grids:
        scores = {metric.metric_id: scored(grid, selection.scores(metric)) for metric in stored}
        done = usual_ladder(grid.measured)[1]
        some = [metric for metric in stored if scores[metric.metric_id].known.any()]
        metrics = [metric for metric in some if _scores_half(scores[metric.metric_id], done)]
        means = _means(grid, done, [(metric, scores[metric.metric_id]) for metric in metrics])
        label, count = grid.codec.label, int(done.sum())
        if few := [selection.title(metric) for metric in some if metric not in metrics]:
            notes.append(f"{label}: without {', '.join(few)}, which scored fewer than half of its pictures.")
        if not len(means.settings):
            notes.append(f"{label}: no file, as it gives every picture back identical.")
            continue
        blank = [picture for picture, row in grid.rows.items() if means.blank[row]]
        if blank:
            notes.append(
                f"{label}: means over {count - len(blank)} of {counted(count, 'picture')}, without "
                f"{picture_names(blank, names)}: identical to the original at some setting."
            )
        left_out = sorted(names[picture] for picture in blank)
        files[_file_name(label)] = _result(grid, selection, metrics, means, left_out)
    return Results(files, tuple(notes))


def _scores_half(scored_grid: ScoredGrid, done: Mask) -> bool:
    names = list(scored_grid.grid.rows)
    both = sum(picture in scored_grid.done for picture, is_done in zip(names, done, strict=True) if is_done)
    return at_least_half(both, int(done.sum()))


def _means(grid: CodecGrid, done: Mask, scores: Sequence[tuple[MetricRow, ScoredGrid]]) -> _Means:
    ladder = usual_ladder(grid.measured)[0]
    known = done.copy()
    for _, scored_grid in scores:
        known &= scored_grid.known[:, ladder].all(axis=1)
    rows = np.flatnonzero(known)
    finite = np.ones((len(rows), len(ladder)), bool)
    for _, scored_grid in scores:
        finite &= np.isfinite(scored_grid.scores[np.ix_(rows, ladder)])
    used, usable = finite_part(finite)
    pictures = np.zeros(len(done), bool)
    pictures[rows[used]] = True
    if not used.any():
        return _Means(pictures, known, np.zeros(0), np.zeros(0), {})
    cells = np.ix_(pictures, ladder[usable])
    rates = grid.rates[cells].mean(axis=0)
    columns = {metric.metric_id: scored_grid.scores[cells].mean(axis=0) for metric, scored_grid in scores}
    # Pixels may differ and a similarity be 1 to the last digit, on all pictures.
    lossy = np.ones(len(rates), bool)
    for metric, _ in scores:
        lossy &= np.isfinite(to_quality(metric.curve_scale, metric.better, columns[metric.metric_id]))
    order = np.argsort(rates, kind="stable")
    order = order[lossy[order]]
    return _Means(
        pictures, known & ~pictures, grid.settings[ladder[usable]][order], rates[order],
        {metric_id: column[order] for metric_id, column in columns.items()},
    )  # fmt: skip


def _result(
    grid: CodecGrid, selection: Selection, metrics: list[MetricRow], means: _Means, left_out: list[str]
) -> dict[str, Any]:
    settings = [float(setting) for setting in means.settings]
    lists = {"bpp": [float(rate) for rate in means.rates]}
    lists |= {
        _column(metric, metrics): [float(score) for score in means.scores[metric.metric_id]]
        for metric in metrics
    }
    seconds = {
        "encoding_time": selection.source.encode_seconds,
        "decoding_time": selection.source.decode_seconds,
    }
    own = {name: selection.chosen(column) for name, column in seconds.items()}
    pictures, label = int(means.pictures.sum()), grid.codec.label
    return {
        "name": label,
        "description": (
            f"{label}, by codecarena; means over {counted(pictures, 'picture')} of {selection.image_set}"
        ),
        "meta": {
            "dataset": selection.image_set,
            "pictures": pictures,
            "pictures_left_out": left_out,
            "qualities": settings,
            "imported": grid.codec.marks.imported,
            "rate_kind": "estimated" if grid.codec.marks.estimated else "bytes",
            "contended_times": bool(grid.any(selection.columns.contended)[means.pictures].any()),
            "metrics": {
                _column(metric, metrics): f"{metric.implementation} {metric.version}" for metric in metrics
            },
        },
        "results": lists | _times(grid, means.pictures, settings, own),
    }


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
