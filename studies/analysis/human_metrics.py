"""Measure how well each metric predicts people's votes on the same stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...bench.analysis.intervals import holm
from ..scale.fit import Fit
from ..scale.models import FloatArray
from ..scale.pair_counts import FIRST, TIE, Tally
from ..scale.resampling import interval
from ..scale.scale_results import Interval, ScaleError
from .correlation import meng_rosenthal_rubin, spearman
from .metric_estimates import Estimator, MetricScores, PartSample, Sample, within
from .stimulus_parts import RateBand, StimulusPart, whole

Statistic: TypeAlias = Literal["pairwise accuracy", "SRCC", "PLCC"]

_STATISTICS: tuple[Statistic, ...] = ("pairwise accuracy", "SRCC", "PLCC")


@dataclass(frozen=True, slots=True)
class MetricAgreement:
    """How well one metric predicts people; intervals by rater x picture."""

    metric: str
    accuracy: float
    """Share of decided votes on whose side the metric is; equal scores count half."""
    accuracy_interval: Interval
    srcc: float | None
    """Spearman's correlation of metric and human value over stimuli."""
    srcc_interval: Interval | None
    plcc: float | None
    """Pearson's correlation after a monotone logistic fit of the metric to the human values."""
    plcc_interval: Interval | None


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """Two metrics compared on the same resamples."""

    statistic: Statistic
    first: str
    second: str
    difference: float
    interval: Interval
    p_holm: float
    """Two-sided, allowing for all pairs of metrics."""
    p_meng: float | None
    """Of the SRCC by Meng, Rosenthal and Rubin 1992, stimuli taken for independent."""


@dataclass(frozen=True, slots=True)
class HumanAgreement:
    """All metrics on the same votes and stimuli."""

    metrics: tuple[MetricAgreement, ...]
    """Best accuracy first."""
    differences: tuple[MetricDifference, ...]
    votes: int
    """Decided votes whose two stimuli every metric scored."""
    stimuli: int
    pictures: int
    ceiling: float
    """Accuracy of the majority of each pair: what no metric can exceed on these votes."""


@dataclass(frozen=True, slots=True)
class PartAgreement:
    """All metrics on a part of the stimuli, or why nothing can be said."""

    kind: str | None
    """Of pictures; None: all."""
    band: RateBand | None
    """None: all rates. A vote is in a band if both stimuli are; those between bands are in none."""
    agreement: HumanAgreement | None
    reason: str | None
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class KindDifference:
    """One metric on two kinds of pictures, on the same resamples."""

    statistic: Statistic
    metric: str
    first: str
    """Kind."""
    second: str
    difference: float
    interval: Interval
    p_holm: float
    """Two-sided, allowing for all metrics."""


@dataclass(frozen=True, slots=True)
class MetricsAgainstPeople:
    """How well metrics predict people: on everything, and on parts of it."""

    whole: HumanAgreement
    parts: tuple[PartAgreement, ...]
    kinds: tuple[KindDifference, ...]
    """Where there are two kinds of pictures with enough votes each."""


def agreements(
    fitted: Fit,
    counted: Tally,
    scores: Sequence[MetricScores],
    parts: Sequence[StimulusPart] = (),
    *,
    anchor: str | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> MetricsAgainstPeople:
    """Return every metric's agreement with the votes, whole and by part, and tests between metrics.

    Human values are fitted picture by picture, from all votes on the picture. Votes within pictures say
    nothing about differences between pictures: with an anchor in every picture (the hidden original) values
    are against it, else human values and scores are both taken from the mean of the picture's stimuli.

    Args:
        fitted: The pooled scale, whose order effect and ties start the fits.
        counted: The votes behind it.
        scores: Of the stimuli shown, whole tables or with gaps.
        parts: Of the stimuli.
        anchor: A condition that every picture has.
        resamples: Of raters and pictures; the same for all parts.
        seed: Of the resampling.

    Raises:
        ScaleError: No decided vote has all scores.
    """
    sample = Sample(fitted, counted, scores, anchor)
    samples = [PartSample(sample, part) for part in (whole(counted), *parts)]
    if not samples[0].votes.any():
        raise ScaleError("expected scores of stimuli that votes compared; no decided vote has both scores")
    estimate = Estimator(sample, samples)
    random = np.random.default_rng(seed)
    raters, pictures = len(counted.raters), len(counted.pictures)
    estimates = estimate(np.ones(raters), np.ones(pictures))
    drawn = np.array(
        [
            estimate(
                random.multinomial(raters, np.full(raters, 1.0 / raters)).astype(np.float64),
                random.multinomial(pictures, np.full(pictures, 1.0 / pictures)).astype(np.float64),
            )
            for _ in range(resamples)
        ]
    ).reshape(resamples, *estimates.shape)
    reasons = [sample.lack() for sample in samples[1:]]
    part_agreements = tuple(
        PartAgreement(
            part.kind,
            part.band,
            None if reason else _agreement(samples[at], estimates[at], drawn[:, at]),
            reason,
        )
        for at, (part, reason) in enumerate(zip(parts, reasons, strict=True), 1)
    )
    kinds = [
        (part.kind, samples[at], estimates[at], drawn[:, at])
        for at, (part, reason) in enumerate(zip(parts, reasons, strict=True), 1)
        if part.kind is not None and part.band is None and not reason
    ]
    shifts = _kinds(kinds, sample.names) if len(kinds) == 2 else ()
    return MetricsAgainstPeople(_agreement(samples[0], estimates[0], drawn[:, 0]), part_agreements, shifts)


def comparable(scores: Sequence[MetricScores], counted: Tally) -> bool:
    """Whether any decided vote lies between two stimuli that every metric scored."""
    known = ~np.isnan(np.stack([score.values for score in scores])).any(0)
    return bool((within(known, counted) & (counted.outcome != TIE)).any())


def _agreement(part: PartSample, whole: FloatArray, drawn: FloatArray) -> HumanAgreement:
    counted, names = part.sample.counted, part.sample.names
    rows = [_row(name, whole[at], drawn[:, at], part.clusters) for at, name in enumerate(names)]
    return HumanAgreement(
        tuple(sorted(rows, key=lambda row: -row.accuracy)),
        _differences(part, whole, drawn),
        round(float(counted.count[part.votes].sum())),
        int(part.stimuli.sum()),
        part.members[1],
        _ceiling(counted, part.votes),
    )


def _row(name: str, whole: FloatArray, drawn: FloatArray, clusters: int) -> MetricAgreement:
    spans = [_interval(drawn[:, at], clusters) for at in range(3)]
    srcc, plcc = (None if np.isnan(correlation) else float(correlation) for correlation in whole[1:])
    accuracy = spans[0] or Interval(float(whole[0]), float(whole[0]), 0.0)
    return MetricAgreement(name, float(whole[0]), accuracy, srcc, spans[1], plcc, spans[2])


def _interval(values: FloatArray, clusters: int) -> Interval | None:
    kept = values[np.isfinite(values)]
    if len(kept) < 10:
        return None
    low, high = interval(kept, clusters)
    return Interval(float(low), float(high), float(kept.std(ddof=1) * np.sqrt(clusters / (clusters - 1))))


def _p_values(gaps: Sequence[float], spans: Sequence[Interval], clusters: int) -> FloatArray:
    """Return two-sided p-values of t tests, allowing for their number (Holm)."""
    errors = np.array([max(span.standard_error, 1e-12) for span in spans], np.float64)
    alone = 2.0 * stats.t.sf(np.abs(np.array(gaps, np.float64)) / errors, clusters - 1)
    return np.array(holm(alone.tolist()), np.float64)


def _differences(part: PartSample, whole: FloatArray, drawn: FloatArray) -> tuple[MetricDifference, ...]:
    """Return every pair of metrics under every statistic, Holm over the pairs."""
    names, rows = part.sample.names, list[MetricDifference]()
    for at, statistic in enumerate(_STATISTICS):
        pairs = [
            (first, second, float(whole[first, at] - whole[second, at]), span)
            for first, second in combinations(range(len(names)), 2)
            if (span := _interval(drawn[:, first, at] - drawn[:, second, at], part.clusters))
        ]
        p_values = _p_values([pair[2] for pair in pairs], [pair[3] for pair in pairs], part.clusters)
        for (first, second, gap, span), p in zip(pairs, p_values, strict=True):
            meng = _meng(part, whole, first, second) if statistic == "SRCC" else None
            rows.append(MetricDifference(statistic, names[first], names[second], gap, span, float(p), meng))
    return tuple(rows)


def _meng(part: PartSample, whole: FloatArray, first: int, second: int) -> float:
    scores, other_scores = (part.scores[at][part.stimuli][None] for at in (first, second))
    between = float(spearman(scores, other_scores, np.ones_like(scores))[0])
    return meng_rosenthal_rubin(whole[first, 1], whole[second, 1], between, int(part.stimuli.sum()))


def _kinds(
    kinds: Sequence[tuple[str, PartSample, FloatArray, FloatArray]], names: Sequence[str]
) -> tuple[KindDifference, ...]:
    """Return how every metric differs between two kinds of pictures, Holm over the metrics.

    Args:
        kinds: Two: name, sample, estimates of shape (metrics, 3), resampled ones before them.
        names: Of the metrics.
    """
    (first, sample, whole_first, drawn_first), (second, other_sample, whole_second, drawn_second) = kinds
    clusters, rows = min(sample.clusters, other_sample.clusters), list[KindDifference]()
    gaps, drawn = whole_first - whole_second, drawn_first - drawn_second
    for at, statistic in enumerate(_STATISTICS):
        known = [
            (name, float(gaps[place, at]), span)
            for place, name in enumerate(names)
            if (span := _interval(drawn[:, place, at], clusters)) and np.isfinite(gaps[place, at])
        ]
        p_values = _p_values([gap for _, gap, _ in known], [span for _, _, span in known], clusters)
        rows += [
            KindDifference(statistic, name, first, second, gap, span, float(p))
            for (name, gap, span), p in zip(known, p_values, strict=True)
        ]
    return tuple(rows)


def _ceiling(counted: Tally, usable: NDArray[np.bool_]) -> float:
    """Return the share of decided votes that go with the majority of their picture's pair."""
    first, second = counted.pairs.first[counted.pair], counted.pairs.second[counted.pair]
    low = np.minimum(first, second)
    size = len(counted.pairs.conditions)
    key = (counted.picture * size + low) * size + np.maximum(first, second)
    _, place = np.unique(key[usable], return_inverse=True)
    for_low = ((counted.outcome == FIRST) == (first == low))[usable]
    total = np.bincount(place, counted.count[usable])
    won = np.bincount(place, counted.count[usable] * for_low)
    return float(np.maximum(won, total - won).sum() / total.sum())
