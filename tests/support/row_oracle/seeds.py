"""How much scores vary between seeds and between pictures, a cell at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from codecarena.bench.analysis.seeds import SeedVariance, components
from codecarena.bench.records.rows import MetricRow, ScoredCell

from .points import unique


def seed_variances(cells: Iterable[ScoredCell], metrics: Sequence[MetricRow]) -> list[SeedVariance]:
    """Return the variance components of every codec, setting and metric that has several seeds.

    One-way random effects, unbalanced: within pictures the pooled variance of the seeds; between pictures the
    variance of the means less what the seeds explain of it, zero where that is more.

    Source: Searle, Casella and McCulloch, "Variance Components" (1992), section 3.6 (unweighted means).
    """
    grouped: dict[tuple[str, float], dict[str, list[ScoredCell]]] = defaultdict(lambda: defaultdict(list))
    for cell in unique(cells):
        grouped[cell.codec_id, cell.quality][cell.picture_sha256].append(cell)
    variances = [
        variance
        for pictures in grouped.values()
        for metric in metrics
        if (variance := _variance(list(pictures.values()), metric)) is not None
    ]
    return sorted(
        variances, key=lambda variance: (variance.codec, variance.codec_id, variance.bits_per_pixel)
    )


def _variance(pictures: Sequence[Sequence[ScoredCell]], metric: MetricRow) -> SeedVariance | None:
    scored = [(cells, np.array(_values(cells, metric.metric_id))) for cells in pictures]
    used = [(cells, values) for cells, values in scored if len(values) > 1]
    if not used:
        return None
    first = used[0][0][0]
    groups = [values for _, values in used]
    within, between = components(groups)
    return SeedVariance(
        first.codec_id,
        first.codec,
        first.quality,
        metric.metric_id,
        metric.name,
        len(used),
        float(np.mean([len(values) for values in groups])),
        float(np.mean([np.mean([cell.bits_per_pixel for cell in cells]) for cells, _ in used])),
        float(np.mean([values.mean() for values in groups])),
        within**0.5,
        None if between is None else between**0.5,
        float(max(np.ptp(values) for values in groups)),
    )


def _values(cells: Sequence[ScoredCell], metric_id: str) -> list[float]:
    scores = [cell.scores.get(metric_id) for cell in cells]
    return [
        score.value
        for score in scores
        if score is not None and score.value is not None and not score.lossless
    ]
