"""Analyse a study's votes for its report: scale, rater review, agreement, rate savings, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..scale.fit import Fit, fit
from ..scale.models import MODELS, ModelName, choose_model
from ..scale.pair_counts import Tally, tally
from ..scale.pair_tests import SIGNIFICANT
from ..scale.resampling import Draws
from ..scale.scale import analyse, describe, resample
from ..scale.scale_results import ScaleError, StudyScale
from ..scale.votes import Kind, Votes
from .agreement import Alpha, Transitivity, alpha, transitivity
from .heterogeneity import Heterogeneity, by_kind, by_picture
from .human_metrics import MetricsAgainstPeople, agreements, comparable
from .human_rate import CodedCondition, HumanBdRate, human_bd_rates
from .metric_estimates import MetricScores
from .review import GOLDEN_PASS_RATE, GoldenAnswer, RaterReview, flagged, review
from .stimulus_parts import parts_of

_METRIC_RESAMPLES = 200
"""Of metrics: each fits a scale to every picture."""


@dataclass(frozen=True, slots=True)
class BenchmarkFacts:
    """What is known of the stimuli from elsewhere; all of it may be missing."""

    golden: tuple[GoldenAnswer, ...] = ()
    pass_rate: float = GOLDEN_PASS_RATE
    kinds: Mapping[str, str] | None = None
    """By picture, such as natural or AI-generated."""
    coded: tuple[CodedCondition, ...] = ()
    anchor_codec: str | None = None
    """Whose rate savings are measured against; the first by name where not given."""
    scores: Mapping[str, Mapping[tuple[str, str], float]] | None = None
    """Metric -> (picture, condition) -> score, higher is better."""
    rates: Mapping[tuple[str, str], float] | None = None
    """Bits per pixel by (picture, condition)."""
    uncoded: tuple[str, ...] = ()
    """Conditions that go with every rate, such as the hidden original."""


@dataclass(frozen=True, slots=True)
class StudyAnalysis:
    """Everything a study says."""

    scale: StudyScale
    """Of all raters."""
    flagged: tuple[str, ...]
    """Raters whom the review labels."""
    without_flagged: StudyScale | None
    """The scale without them; None where nobody is labelled or nothing would be left."""
    reviews: tuple[RaterReview, ...]
    alpha: Alpha
    """Nominal."""
    ordinal_alpha: Alpha
    transitivity: Transitivity
    by_picture: Heterogeneity | None
    """None for one picture, or too many."""
    by_kind: Heterogeneity | None
    """None without kinds of pictures."""
    bd_rates: tuple[HumanBdRate, ...]
    metrics: MetricsAgainstPeople | None
    """None without scores of both stimuli of any decided vote."""


def analyse_study(
    votes: Votes,
    beside: BenchmarkFacts | None = None,
    *,
    unit: Literal["JOD", "log-worth"] = "JOD",
    model: ModelName | None = None,
    anchor: str | None = None,
    order: bool = True,
    ridge: float | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> StudyAnalysis:
    """Return everything that a study's votes say; see `scale.analyse` for the arguments.

    Raises:
        ScaleError: No scale can be made.
    """
    beside = beside or BenchmarkFacts()
    counted = tally(votes.of_kind(Kind.PLAIN))
    chosen = MODELS[model] if model else choose_model(unit, counted.pairs.has_ties)
    fitted = fit(counted.pairs, chosen, order=order, ridge=ridge)
    if anchor is not None and anchor not in counted.pairs.conditions:
        raise ScaleError(f"expected the anchor among {', '.join(counted.pairs.conditions)}; got {anchor!r}")
    draws = resample(fitted, counted, resamples, seed) if votes.raters_known else ()
    pictures = by_picture(fitted, counted) if votes.raters_known else None
    differ = pictures is not None and pictures.p_permuted is not None and pictures.p_permuted < SIGNIFICANT
    reviews = review(votes, fitted, beside.golden, beside.pass_rate, differ) if votes.raters_known else ()
    labelled = flagged(reviews)
    return StudyAnalysis(
        describe(fitted, draws, anchor, counted if votes.raters_known else None),
        labelled,
        _without(votes, labelled, chosen.name, anchor, order, ridge, resamples, seed),
        reviews,
        alpha(votes, "nominal", seed=seed),
        alpha(votes, "ordinal", seed=seed),
        transitivity(votes, counted.pairs),
        pictures,
        by_kind(fitted, counted, beside.kinds, resamples, seed) if beside.kinds else None,
        _bd_rates(fitted, draws, counted, beside),
        _metrics(fitted, counted, beside, anchor, min(resamples, _METRIC_RESAMPLES), seed),
    )


def _without(
    votes: Votes,
    labelled: Sequence[str],
    model: ModelName,
    anchor: str | None,
    order: bool,
    ridge: float | None,
    resamples: int,
    seed: int,
) -> StudyScale | None:
    rest = votes.without_raters(labelled)
    if not labelled or not len(rest):
        return None
    try:
        return analyse(
            rest, model=model, anchor=anchor, order=order, ridge=ridge, resamples=resamples, seed=seed
        )
    except ScaleError:
        return None


def _bd_rates(
    fitted: Fit, draws: Sequence[Draws], counted: Tally, beside: BenchmarkFacts
) -> tuple[HumanBdRate, ...]:
    if not beside.coded:
        return ()
    codecs = sorted({condition.codec for condition in beside.coded})
    both = next((draw for draw in draws if draw.scheme == "rater x picture"), None)
    return human_bd_rates(fitted, both, counted, beside.coded, beside.anchor_codec or codecs[0])


def _metrics(
    fitted: Fit, counted: Tally, beside: BenchmarkFacts, anchor: str | None, resamples: int, seed: int
) -> MetricsAgainstPeople | None:
    if not beside.scores:
        return None
    tables = [table(name, scores, counted) for name, scores in beside.scores.items()]
    if not comparable(tables, counted):
        return None
    parts = parts_of(counted, beside.kinds, beside.rates, beside.uncoded)
    return agreements(fitted, counted, tables, parts, anchor=anchor, resamples=resamples, seed=seed)


def table(metric: str, scores: Mapping[tuple[str, str], float], counted: Tally) -> MetricScores:
    """Return a metric's scores by (picture, condition) as a table in the order of the tally.

    Args:
        metric: Name, for the table's heading.
        scores: By (picture, condition).
        counted: Whose pictures and conditions give the order.
    """
    rows: Iterable[list[float]] = (
        [scores.get((picture, condition), float("nan")) for condition in counted.pairs.conditions]
        for picture in counted.pictures
    )
    return MetricScores(metric, np.array(list(rows), np.float64))
