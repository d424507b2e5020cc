"""Turn votes and metric scores of the same stimuli into how well each metric predicts people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import least_squares
from scipy.special import expit

from ..bench.analysis.intervals import holm
from .fit import Fit
from .models import FloatArray
from .newton import solve_together
from .pair_counts import FIRST, TIE, Tally
from .resampling import interval
from .scale_results import Interval, ScaleError

Statistic: TypeAlias = Literal["pairwise accuracy", "SRCC", "PLCC"]

_RIDGE = 0.05
"""On a single picture's scale, where few votes may all agree."""


@dataclass(frozen=True, slots=True, eq=False)
class MetricScores:
    """One metric's scores of the stimuli that were shown."""

    metric: str
    values: FloatArray
    """Shape (pictures, conditions) in the order of the tally; higher is better; NaN where unknown."""


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
    ceiling: float
    """Accuracy of the majority of each pair: what no metric can exceed on these votes."""


def agreement(
    found: Fit,
    counted: Tally,
    scores: Sequence[MetricScores],
    *,
    anchor: str | None = None,
    resamples: int = 200,
    seed: int = 0,
) -> HumanAgreement:
    """Return every metric's agreement with the votes, and tests between metrics.

    Human values are fitted picture by picture. Votes within pictures say nothing about differences between
    pictures: with an anchor in every picture (the hidden original) values are against it, else human values
    and scores are both taken from their picture's mean.

    Args:
        found: The pooled scale, whose order effect and ties start the fits.
        counted: The votes behind it.
        scores: Of the stimuli shown, whole tables or with gaps.
        anchor: A condition that every picture has.
        resamples: Of raters and pictures.
        seed: Of the resampling.

    Raises:
        ScaleError: No decided vote has all scores.
    """
    sample = _Sample(found, counted, scores, anchor)
    random = np.random.default_rng(seed)
    raters, pictures = len(counted.raters), len(counted.pictures)
    whole = _statistics(sample, np.ones(raters), np.ones(pictures, np.int64))
    drawn = np.array(
        [
            _statistics(
                sample,
                random.multinomial(raters, np.full(raters, 1.0 / raters)).astype(np.float64),
                random.multinomial(pictures, np.full(pictures, 1.0 / pictures)),
            )
            for _ in range(resamples)
        ]
    )
    clusters = max(min(raters, pictures), 2)
    names = [one.metric for one in scores]
    rows = [_row(name, whole[at], drawn[:, at], clusters) for at, name in enumerate(names)]
    return HumanAgreement(
        tuple(sorted(rows, key=lambda row: -row.accuracy)),
        _differences(names, whole, drawn, clusters, sample),
        round(float(counted.count[sample.usable].sum())),
        int(sample.stimuli.sum()),
        _ceiling(counted, sample.usable),
    )


class _Sample:
    """What every resample weights anew."""

    def __init__(
        self, found: Fit, counted: Tally, scores: Sequence[MetricScores], anchor: str | None
    ) -> None:
        names = found.problem.pairs.conditions
        self.found, self.counted = found, counted
        self.anchor = None if anchor is None else names.index(anchor)
        self.scores = np.stack([one.values for one in scores])
        """Shape (metrics, pictures, conditions)."""
        self.first, self.second = counted.pairs.first[counted.pair], counted.pairs.second[counted.pair]
        known, both, self.usable = _known(scores, counted)
        if not self.usable.any():
            raise ScaleError(
                "expected scores of stimuli that votes compared; no decided vote has both scores"
            )
        gap = self.scores[:, counted.picture, self.first] - self.scores[:, counted.picture, self.second]
        side = np.where(counted.outcome == FIRST, 1.0, -1.0)
        self.agrees = (1.0 + np.sign(gap) * side) / 2.0
        """Shape (metrics, groups): 1 where the metric is on the vote's side, 0.5 where it has none."""
        self.stimuli = np.zeros(known.shape, bool)
        self.stimuli[counted.picture[both], self.first[both]] = True
        self.stimuli[counted.picture[both], self.second[both]] = True
        if self.anchor is not None:
            self.stimuli[:, self.anchor] = False


def _known(
    scores: Sequence[MetricScores], counted: Tally
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which stimuli every metric scored, which groups have two of those, and which of them decided."""
    known = ~np.isnan(np.stack([one.values for one in scores])).any(0)
    first, second = counted.pairs.first[counted.pair], counted.pairs.second[counted.pair]
    both = known[counted.picture, first] & known[counted.picture, second]
    return known, both, both & (counted.outcome != TIE)


def comparable(scores: Sequence[MetricScores], counted: Tally) -> bool:
    """Whether any decided vote lies between two stimuli that every metric scored."""
    return bool(_known(scores, counted)[2].any())


def _statistics(sample: _Sample, raters: FloatArray, pictures: NDArray[np.int64]) -> FloatArray:
    """Return accuracy, SRCC and PLCC of each metric, shape (metrics, 3), at these weights."""
    counted = sample.counted
    weight = counted.count * raters[counted.rater]
    votes = np.where(sample.usable, weight * pictures[counted.picture], 0.0)
    accuracy = sample.agrees @ votes / max(float(votes.sum()), 1e-300)
    human = _values(sample, replace(counted, count=weight))
    rows = np.repeat(np.arange(len(pictures)), pictures)
    shown = sample.stimuli[rows]
    target = _comparable(human[rows], shown, sample.anchor)[shown]
    found = np.full((len(accuracy), 3), np.nan)
    found[:, 0] = accuracy
    for at, one in enumerate(sample.scores):
        score = one[rows] if sample.anchor is not None else _comparable(one[rows], shown, None)
        if len(target) > 3 and np.ptp(target) > 0 and np.ptp(score[shown]) > 0:
            found[at, 1] = _spearman(score[shown], target)
            found[at, 2] = np.corrcoef(monotone_fit(score[shown], target), target)[0, 1]
    return found


def _spearman(one: FloatArray, other: FloatArray) -> float:
    return float(np.corrcoef(stats.rankdata(one), stats.rankdata(other))[0, 1])


def _values(sample: _Sample, counted: Tally) -> FloatArray:
    """Return human values by picture and condition, shape (pictures, conditions), in the model's unit."""
    problem = replace(sample.found.problem, ridge=max(sample.found.problem.ridge, _RIDGE))
    counts = counted.by(counted.picture, len(counted.pictures))
    return solve_together(problem, counts, sample.found.parameters)[:, :-2]


def _comparable(values: FloatArray, shown: NDArray[np.bool_], anchor: int | None) -> FloatArray:
    """Return values against the anchor of their picture, or else against the mean of what was shown of it."""
    if anchor is not None:
        return values - values[:, [anchor]]
    count = np.maximum(shown.sum(1, keepdims=True), 1)
    return values - np.where(shown, values, 0.0).sum(1, keepdims=True) / count


def monotone_fit(score: FloatArray, target: FloatArray) -> FloatArray:
    """Return scores turned into targets by a rising logistic of four parameters, shape (stimuli,).

    Source: VQEG, "Final report, phase II" (2003), whose logistic it is; least squares from a straight line's
    start. Flat where the metric does not rise with the target.
    """
    centre, spread = float(np.median(score)), float(score.std())
    low, high = float(target.min()), float(target.max())

    def mapped(parameters: FloatArray) -> FloatArray:
        bottom, height, middle, width = parameters
        return bottom + np.exp(height) * expit((score - middle) / np.exp(width))

    def slopes(parameters: FloatArray) -> FloatArray:
        _, height, middle, width = parameters
        scale, away = np.exp(height), (score - middle) / np.exp(width)
        share = expit(away)
        rise = scale * share * (1.0 - share)
        return np.stack([np.ones_like(share), scale * share, -rise / np.exp(width), -rise * away], axis=1)

    begin = [low, np.log(max(high - low, 1e-9)), centre, np.log(max(spread / 2.0, 1e-9))]
    found = least_squares(
        lambda parameters: mapped(parameters) - target,
        begin,
        jac=slopes,  # pyright: ignore[reportArgumentType] - the stubs know the names of methods only
        max_nfev=100,
    )
    fitted = mapped(found.x)
    return fitted if np.ptp(fitted) > 0 else score


def _row(name: str, whole: FloatArray, drawn: FloatArray, clusters: int) -> MetricAgreement:
    spans = [_interval(drawn[:, at], clusters) for at in range(3)]
    srcc, plcc = (None if np.isnan(one) else float(one) for one in whole[1:])
    accuracy = spans[0] or Interval(float(whole[0]), float(whole[0]), 0.0)
    return MetricAgreement(name, float(whole[0]), accuracy, srcc, spans[1], plcc, spans[2])


def _interval(values: FloatArray, clusters: int) -> Interval | None:
    kept = values[np.isfinite(values)]
    if len(kept) < 10:
        return None
    low, high = interval(kept, clusters)
    return Interval(float(low), float(high), float(kept.std(ddof=1) * np.sqrt(clusters / (clusters - 1))))


_STATISTICS: tuple[Statistic, ...] = ("pairwise accuracy", "SRCC", "PLCC")


def _differences(
    names: Sequence[str], whole: FloatArray, drawn: FloatArray, clusters: int, sample: _Sample
) -> tuple[MetricDifference, ...]:
    """Return every pair of metrics under every statistic, Holm over the pairs."""
    rows: list[MetricDifference] = []
    for at, statistic in enumerate(_STATISTICS):
        pairs = [
            (first, second, span)
            for first, second in combinations(range(len(names)), 2)
            if (span := _interval(drawn[:, first, at] - drawn[:, second, at], clusters))
        ]
        gaps = np.array([whole[first, at] - whole[second, at] for first, second, _ in pairs])
        errors = np.array([max(span.standard_error, 1e-12) for _, _, span in pairs])
        alone = 2.0 * stats.t.sf(np.abs(gaps) / errors, clusters - 1) if pairs else gaps
        p_values = np.array(holm(alone.tolist()), np.float64)
        for (first, second, span), gap, p in zip(pairs, gaps, p_values, strict=True):
            meng = _meng(sample, whole, first, second) if statistic == "SRCC" else None
            rows.append(
                MetricDifference(statistic, names[first], names[second], float(gap), span, float(p), meng)
            )
    return tuple(rows)


def _meng(sample: _Sample, whole: FloatArray, first: int, second: int) -> float:
    shown = sample.stimuli
    one, other = (
        sample.scores[at] if sample.anchor is not None else _comparable(sample.scores[at], shown, None)
        for at in (first, second)
    )
    between = _spearman(one[shown], other[shown])
    return meng_rosenthal_rubin(whole[first, 1], whole[second, 1], between, int(shown.sum()))


def meng_rosenthal_rubin(first: float, second: float, between: float, samples: int) -> float:
    """Return the two-sided p-value of a difference between two correlations with one and the same variable.

    Args:
        first: Correlation of the first predictor with the target.
        second: Of the second.
        between: Correlation of the two predictors.
        samples: How many independent samples, above 3.

    Source: Meng, Rosenthal and Rubin, Psychological Bulletin 111 (1992), equations 1 to 3.
    """
    mean_square = (first**2 + second**2) / 2.0
    if between >= 1.0 or mean_square >= 1.0:
        return 1.0
    f = min((1.0 - between) / (2.0 * (1.0 - mean_square)), 1.0)
    h = (1.0 - f * mean_square) / (1.0 - mean_square)
    z = (np.arctanh(first) - np.arctanh(second)) * np.sqrt((samples - 3) / (2.0 * (1.0 - between) * h))
    return float(2.0 * stats.norm.sf(abs(z)))


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
