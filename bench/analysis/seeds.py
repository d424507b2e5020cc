"""Estimate how much scores vary between decoding seeds and between pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..records.columns import Columns, ScoreColumn
from ..records.rows import MetricRow
from .codec_grids import CodecGrid, grids
from .curves import FloatArray


@dataclass(frozen=True, slots=True)
class SeedVariance:
    """How one metric varies at one setting of a stochastic decoder."""

    codec_id: str
    codec: str
    """Label."""
    setting: float
    metric_id: str
    metric: str
    pictures: int
    """With at least two seeds."""
    seeds: float
    """Mean number of decodes of a bitstream."""
    bits_per_pixel: float
    mean: float
    """Mean of the pictures' means over seeds."""
    within_deviation: float
    """Standard deviation between seeds, within a picture."""
    between_deviation: float | None
    """Standard deviation between pictures, the seeds' share taken out; None for one picture."""
    largest_spread: float
    """Best minus worst seed of the picture where they differ most."""


def seed_variances(
    columns: Columns, metrics: Sequence[MetricRow], scores: Callable[[MetricRow], ScoreColumn]
) -> list[SeedVariance]:
    """Return the variance components of every codec, setting and metric that has several seeds.

    One-way random effects, unbalanced: within pictures the pooled variance of the seeds; between pictures the
    variance of the means less what the seeds explain of it, zero where that is more. A decode that gave the
    original's pixels back has no score, whatever the metric.

    Source: Searle, Casella and McCulloch, "Variance Components" (1992), section 3.6 (unweighted means).

    Args:
        columns: Of a store, with the probes of searches.
        metrics: Those to report, in their order.
        scores: Returns one metric's scores; asked only where a bitstream was decoded twice.
    """
    labels = {codec.codec_id: codec.label for codec in columns.codecs}
    several = [grid for grid in grids(columns, probes=True) if (grid.seeds > 1).any()]
    variances = [
        variance
        for metric in metrics
        for grid in several
        for variance in _variances(grid, labels[grid.codec.codec_id], scores(metric), metric)
    ]
    places = {metric.metric_id: place for place, metric in enumerate(metrics)}
    return sorted(
        variances,
        key=lambda variance: (
            variance.codec,
            variance.codec_id,
            variance.bits_per_pixel,
            variance.setting,
            places[variance.metric_id],
        ),
    )


def _variances(grid: CodecGrid, label: str, column: ScoreColumn, metric: MetricRow) -> Iterator[SeedVariance]:
    values = column.values[grid.members]
    scored = np.isfinite(values)
    counts = np.bincount(grid.cells[scored], minlength=grid.rates.size).reshape(grid.rates.shape)
    for place in np.flatnonzero((counts > 1).any(axis=0)):
        rows = np.flatnonzero(counts[:, place] > 1)
        cells = rows * len(grid.settings) + place
        groups = [values[scored & (grid.cells == cell)] for cell in cells]
        within, between = components(groups)
        yield SeedVariance(
            grid.codec.codec_id,
            label,
            float(grid.settings[place]),
            metric.metric_id,
            metric.name,
            len(groups),
            float(counts[rows, place].mean()),
            float(grid.rates[rows, place].mean()),
            float(np.mean([group.mean() for group in groups])),
            within**0.5,
            None if between is None else between**0.5,
            float(max(np.ptp(group) for group in groups)),
        )


def components(groups: Sequence[FloatArray]) -> tuple[float, float | None]:
    """Return the variance within groups and between them.

    Args:
        groups: Two or more values each.

    Returns:
        The pooled unbiased variance within, and the variance between, never below zero; None for one group.
    """
    freedom = sum(len(values) - 1 for values in groups)
    within = float(sum(((values - values.mean()) ** 2).sum() for values in groups) / freedom)
    if len(groups) < 2:
        return within, None
    of_means = float(np.var([values.mean() for values in groups], ddof=1))
    from_seeds = within * float(np.mean([1 / len(values) for values in groups]))
    return within, max(0.0, of_means - from_seeds)
