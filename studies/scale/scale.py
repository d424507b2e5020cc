"""Scale the conditions of a study from its votes, with intervals, tests and diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from scipy import stats
from scipy.special import gammaln

from ...counts import counted as counted_noun
from .fisher_scoring import ORDER, TIE_PARAMETER, log_likelihood, solve, start
from .fit import Fit, fit
from .goodness import goodness_of_fit
from .models import MODELS, FloatArray, Model, ModelName, choose_model
from .pair_counts import FIRST, SECOND, TIE, PairCounts, Tally, tally
from .pair_tests import condition_scales, pair_tests
from .resampling import Draws, Scheme, draw, interval
from .scale_results import (
    Interval,
    LikelihoodRatio,
    OrderEffect,
    Resampling,
    ScaleError,
    StudyScale,
    TieEffect,
)
from .score_tests import clusters, order_only, p_values
from .votes import Kind, Votes

FEW_RATERS = 10
FEW_PICTURES = 10


def analyse(
    votes: Votes | PairCounts,
    *,
    unit: Literal["JOD", "log-worth"] = "JOD",
    model: ModelName | None = None,
    anchor: str | None = None,
    order: bool = True,
    ridge: float | None = None,
    resamples: int = 1000,
    seed: int = 0,
    kinds: Sequence[Kind] = (Kind.PLAIN,),
) -> StudyScale:
    """Return the scale of a study.

    Args:
        votes: Votes, or counts by pair where single votes are not known.
        unit: JOD (probit) or log-worth (logit); the model follows from it and from the answers: Thurstone
            case V or threshold probit, Bradley-Terry or Davidson.
        model: A certain model instead; one without ties drops 'no preference' answers.
        anchor: Condition at 0, such as the hidden original; the mean is 0 where not given.
        order: Whether to fit an order effect.
        ridge: Penalty on squares; 0 refuses separated votes, None takes one only where there must be one.
        resamples: How many for each kind of interval.
        seed: Of the resampling.
        kinds: Which trials make the scale.

    Raises:
        ScaleError: No scale can be made.
    """
    if isinstance(votes, PairCounts):
        counted, pairs = None, votes
    else:
        counted = tally(votes.of_kind(*kinds))
        pairs = counted.pairs
        counted = counted if votes.raters_known else None
    chosen = MODELS[model] if model else choose_model(unit, pairs.has_ties)
    if anchor is not None and anchor not in pairs.conditions:
        raise ScaleError(f"expected the anchor among {', '.join(pairs.conditions)}; got {anchor!r}")
    fitted = fit(pairs, chosen, order=order, ridge=ridge)
    draws = resample(fitted, counted, resamples, seed) if counted is not None else ()
    return describe(fitted, draws, anchor, counted)


def resample(
    fitted: Fit, counted: Tally, resamples: int, seed: int, schemes: Sequence[Scheme] | None = None
) -> tuple[Draws, ...]:
    """Return resampled scales by rater, and by rater and picture, as far as there are two of each.

    Args:
        fitted: Where each fit begins.
        counted: The votes by rater, picture and ordered pair.
        resamples: How many for each scheme; below 2 there are none.
        seed: Of the resampling.
        schemes: What is drawn; raters, and raters and pictures, where None.
    """
    random = np.random.default_rng(seed)
    if schemes is None:
        schemes = ("rater", "rater x picture") if len(counted.pictures) > 1 else ("rater",)
    if len(counted.raters) < 2 or resamples < 2:
        return ()
    return tuple(
        draw(fitted.problem, counted, fitted.parameters, scheme, resamples, random) for scheme in schemes
    )


def describe(fitted: Fit, draws: Sequence[Draws], anchor: str | None, counted: Tally | None) -> StudyScale:
    """Return a fit and its resamples as numbers in the scale's unit.

    Args:
        fitted: The scale of all votes.
        draws: Resampled scales; none where raters are not known.
        anchor: Condition at 0; the mean is 0 where None.
        counted: The votes, where raters are known.
    """
    problem, pairs = fitted.problem, fitted.problem.pairs
    model = problem.model
    widest = draws[-1] if draws else None
    tests = pair_tests(fitted, draws, counted)
    goodness = goodness_of_fit(fitted, counted)
    return StudyScale(
        model.name,
        model.unit,
        anchor,
        problem.ridge,
        len(counted.raters) if counted else 0,
        len(counted.pictures) if counted else 0,
        float(pairs.counts[list(model.outcomes)].sum()),
        condition_scales(fitted, draws, anchor, tests, counted),
        len(np.unique(problem.component)),
        tests,
        widest.scheme if widest else "vote",
        _order_effect(fitted, draws, counted),
        _tie_effect(fitted),
        fitted.log_likelihood,
        fitted.log_likelihood + _multinomial(pairs, model),
        _equality(fitted),
        min((test.p_holm for test in tests), default=1.0),
        goodness,
        tuple(_resampling(fitted, draw) for draw in draws),
        (*fitted.notes, *_cautions(fitted, draws, counted)),
    )


def _cautions(fitted: Fit, draws: Sequence[Draws], counted: Tally | None) -> list[str]:
    notes: list[str] = []
    dropped = fitted.problem.pairs.counts[TIE].sum()
    if dropped and not fitted.problem.model.ties:
        notes.append(
            f"{dropped:g} 'no preference' answers are left out: {fitted.problem.model.name} has no ties"
        )
    if not draws:
        notes.append(
            "intervals and tests take every vote for independent, which is too narrow where one person gave "
            "several: there are not two known raters, or no resampling was asked for"
        )
        return notes
    if counted and len(counted.raters) < FEW_RATERS:
        raters, weak = counted_noun(len(counted.raters), "rater"), _powerless(len(counted.raters))
        notes.append(f"only {raters}: intervals by rater are rough below {FEW_RATERS}{weak}")
    if counted and 1 < len(counted.pictures) < FEW_PICTURES:
        pictures, weak = counted_noun(len(counted.pictures), "picture"), _powerless(len(counted.pictures))
        about = "intervals for pictures in general are rough"
        notes.append(f"only {pictures}: {about} below {FEW_PICTURES}{weak}")
    if counted and len(counted.pictures) == 1:
        notes.append("one picture: nothing is said about pictures in general")
    notes += [
        f"{draw.failed.sum()} of {len(draw.failed)} resamples by {draw.scheme} had no maximum likelihood and "
        "were fitted with a ridge"
        for draw in draws
        if draw.failed.any() and fitted.problem.ridge == 0
    ]
    return notes


def _powerless(clusters: int) -> str:
    """Return a warning that differences may go unnoticed: all of five agreeing has p 0.06 by a sign test."""
    return "" if clusters > 5 else "; below 6 a difference that is there may well not be significant"


def _resampling(fitted: Fit, draws: Draws) -> Resampling:
    clustered = draws.parameters[:, :-2].var(0, ddof=1).sum() * draws.inflation
    independent = fitted.covariance[:-2, :-2].trace()
    return Resampling(
        draws.scheme,
        len(draws.failed),
        int(draws.failed.sum()),
        draws.clusters,
        float(clustered / max(independent, 1e-300)),
    )


def _order_effect(fitted: Fit, draws: Sequence[Draws], counted: Tally | None) -> OrderEffect | None:
    problem = fitted.problem
    if not problem.order:
        return None
    scale = problem.model.per_unit
    value = float(fitted.parameters[ORDER]) * scale
    error = float(np.sqrt(fitted.covariance[ORDER, ORDER])) * scale
    by_rater = next((draw for draw in draws if draw.scheme == "rater"), None)
    allowed = clusters(counted, draws[-1].scheme if draws else "vote")
    without = fit(problem.pairs, problem.model, order=False, ridge=problem.ridge or None)
    decided = problem.pairs.counts @ problem.pairs.side
    return OrderEffect(
        value,
        wald(value, error),
        _order_by_rater(fitted, by_rater, wald(value, error)) if by_rater else None,
        likelihood_ratio(fitted.log_likelihood, without.log_likelihood, 1),
        float(decided[FIRST] / (decided[FIRST] + decided[SECOND])),
        float(p_values(fitted, allowed, order_only(problem.pairs.conditions))[0]),
    )


def _order_by_rater(fitted: Fit, by_rater: Draws, by_vote: Interval) -> Interval:
    """Return the interval by rater, with a ridge spanning that by vote: see `pair_tests`."""
    span = spread_of(by_rater.parameters[:, ORDER] * fitted.problem.model.per_unit, by_rater)
    if fitted.problem.ridge == 0:
        return span
    return Interval(
        min(span.low, by_vote.low),
        max(span.high, by_vote.high),
        max(span.standard_error, by_vote.standard_error),
    )


def wald(value: float, error: float) -> Interval:
    """Return the normal 95 % interval of a value and its standard error."""
    reach = float(stats.norm.ppf(0.975)) * error
    return Interval(value - reach, value + reach, error)


def spread_of(values: FloatArray, draws: Draws) -> Interval:
    """Return the interval of one quantity over resamples, shape (resamples,)."""
    low, high = interval(values, draws.clusters)
    return Interval(float(low), float(high), float(np.sqrt(values.var(ddof=1) * draws.inflation)))


def likelihood_ratio(full: float, restricted: float, degrees: int) -> LikelihoodRatio:
    """Return the likelihood-ratio test of two nested fits.

    Args:
        full: Log-likelihood of the larger model.
        restricted: Of the smaller one; at most ``full``.
        degrees: Parameters that the smaller one lacks.
    """
    statistic = max(2.0 * (full - restricted), 0.0)
    return LikelihoodRatio(statistic, degrees, float(stats.chi2.sf(statistic, degrees)) if degrees else 1.0)


def _tie_effect(fitted: Fit) -> TieEffect | None:
    problem, model = fitted.problem, fitted.problem.model
    if not model.ties:
        return None
    tie = float(fitted.parameters[TIE_PARAMETER])
    # Our Davidson puts half of the order effect on either side; the usual form puts all on the first, and
    # its log nu is larger by half of it. On neutral ground, where there is some, the two forms are one.
    gradient = np.zeros(problem.size)
    gradient[TIE_PARAMETER] = model.per_unit
    if model.name == "davidson" and problem.pairs.neutral is None:
        gradient[ORDER] = 0.5
    counts = problem.pairs.counts.sum(1)
    names = {"davidson": "log nu", "threshold-probit": "threshold", "rao-kupper": "log theta"}
    return TieEffect(
        names[model.name],  # pyright: ignore[reportArgumentType] - the three names of the literal
        float(gradient @ fitted.parameters),
        float(np.sqrt(gradient @ fitted.covariance @ gradient)),
        float(model.probabilities(np.zeros(1), tie)[TIE, 0]),
        float(counts[TIE] / counts.sum()),
    )


def _multinomial(pairs: PairCounts, model: Model) -> float:
    counts = pairs.counts[list(model.outcomes)]
    return float((gammaln(counts.sum(0) + 1) - gammaln(counts + 1).sum(0)).sum())


def _equality(fitted: Fit) -> LikelihoodRatio:
    """Return the test against equal conditions: that fit is the one of votes given both ways round."""
    problem, pairs = fitted.problem, fitted.problem.pairs
    ends = np.concatenate([pairs.first, pairs.second]), np.concatenate([pairs.second, pairs.first])
    ground = None if pairs.neutral is None else np.concatenate([pairs.neutral, pairs.neutral])
    counts = np.hstack([pairs.counts, pairs.counts]) / 2.0
    even = replace(problem, pairs=PairCounts(pairs.conditions, *ends, counts, pairs.sided, ground), ridge=0.0)
    equal = solve(even, counts[:, None], start(even)).parameters
    degrees = problem.free() - int(problem.order) - int(problem.model.ties)
    likelihood = float(log_likelihood(even, counts[:, None], equal)[0])
    return likelihood_ratio(fitted.log_likelihood, likelihood, degrees)
