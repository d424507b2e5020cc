"""Test whether one scale serves all pictures, or all kinds of pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import gammaln

from ..scale.fisher_scoring import answers_of, log_likelihood, solve_together
from ..scale.fit import Fit
from ..scale.models import FloatArray
from ..scale.pair_counts import IntArray, Tally
from ..scale.scale_results import ScaleError

FEWEST_VOTES = 200
"""Below, pictures that shift a condition by 0.5 JOD are noticed in fewer than half of the studies."""
_FEWEST_EXCHANGES = 20
"""Different ways to exchange the pictures: with fewer no p lies below 0.05."""
_RIDGE = 1e-3
"""Holds what a single kind cannot decide; the log-likelihood is judged without it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One condition in two kinds of pictures, in the scale's unit, each scale's mean 0."""

    condition: str
    first: float
    second: float
    p_permuted: float
    """Two-sided, by exchanging kinds among pictures."""


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """Whether pictures, or kinds of pictures, have scales of their own."""

    groups: tuple[str, ...]
    p_permuted: float | None
    """Of pictures: the share of random exchanges of each rater's pictures in which raters agree as much on
    how pictures depart from the common scale. Of kinds: the share of random exchanges of the kinds among
    pictures with as large a gain. None where there are too few votes; `reason` says so."""
    reason: str
    """Why nothing is tested; empty where it is."""
    spread: float | None
    """Of pictures: the standard deviation of a condition's value between pictures, in the scale's unit, by
    moments near 0 (large ones come out smaller). None of kinds, and where nothing is tested."""
    gain: float | None
    """Of kinds: twice the log-likelihood gained by a scale for each kind, order effect and ties in common."""
    shifts: tuple[Shift, ...]
    """Where there are two kinds: how the first's scale differs from the second's."""


def by_picture(fitted: Fit, counted: Tally, exchanges: int = 999, seed: int = 0) -> Heterogeneity | None:
    """Return the test of whether pictures have scales of their own, or None for one picture.

    The statistic is the sum over pictures of the squared scores of the conditions at the common scale, the
    score test of a variance between pictures (Lin, Biometrika 84, 1997). Its distribution is that under
    exchanges of pictures within raters: all votes of a rater on one picture move together to another picture
    of that rater. That leaves whatever raters have of their own, and holds for sparse tables.

    Args:
        fitted: The pooled scale.
        counted: The votes behind it.
        exchanges: How many random exchanges.
        seed: Of the exchanges.
    """
    if len(counted.pictures) < 2:
        return None
    scores = _scores(fitted, counted)
    if reason := _too_few(counted, scores):
        return Heterogeneity(counted.pictures, None, reason, None, None, ())
    statistic = scores.statistic(scores.picture)
    random = np.random.default_rng(seed)
    at_least = 0
    for _ in range(exchanges):
        exchanged = np.argsort(scores.rater + random.random(len(scores.rater)))
        at_least += scores.statistic(scores.picture[exchanged]) >= statistic * (1.0 - 1e-12)
    p = (1.0 + at_least) / (1.0 + exchanges)
    spread = _spread(fitted, counted, scores, statistic)
    return Heterogeneity(counted.pictures, p, "", spread, None, ())


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Scores of conditions at the common scale, by block: the votes of one rater on one picture."""

    rater: IntArray
    """Shape (blocks,), rising."""
    picture: IntArray
    """Shape (blocks,)."""
    block: IntArray
    """Shape (entries,): an entry is a condition that a block's votes are about."""
    condition: IntArray
    score: FloatArray
    shape: tuple[int, int]
    """Pictures and conditions."""

    def statistic(self, picture: IntArray) -> float:
        """Return the sum of squared scores of pictures and conditions, blocks lying in these pictures."""
        pictures, conditions = self.shape
        place = picture[self.block] * conditions + self.condition
        sums = np.bincount(place, self.score, pictures * conditions)
        return float(sums @ sums)

    def within_blocks(self) -> float:
        """Return what each block adds to the statistic by itself, in whichever picture it lies."""
        return float(self.score @ self.score)


def _scores(fitted: Fit, counted: Tally) -> _Scores:
    pairs, pictures, conditions = counted.pairs, len(counted.pictures), len(counted.pairs.conditions)
    by_difference = np.zeros((3, len(pairs.first)))
    answers = answers_of(fitted.problem, fitted.parameters[None])
    by_difference[list(fitted.problem.model.outcomes)] = answers.by_difference[:, 0]
    score = by_difference[counted.outcome, counted.pair] * counted.count
    blocks, block = np.unique(counted.rater * pictures + counted.picture, return_inverse=True)
    ends = np.concatenate([pairs.first[counted.pair], pairs.second[counted.pair]])
    entries, entry = np.unique(np.tile(block, 2) * conditions + ends, return_inverse=True)
    return _Scores(
        blocks // pictures,
        blocks % pictures,
        entries // conditions,
        entries % conditions,
        np.bincount(entry, np.concatenate([score, -score])).astype(np.float64),
        (pictures, conditions),
    )


def _too_few(counted: Tally, scores: _Scores) -> str:
    votes = float(counted.count[np.isin(counted.outcome, (0, 2))].sum())
    if votes < FEWEST_VOTES:
        return f"expected at least {FEWEST_VOTES} decided votes; got {votes:g}"
    ways = gammaln(np.bincount(scores.rater) + 1.0)
    # Exchanging the pictures of all raters alike changes nothing, so one rater's ways do not count.
    if ways.sum() - ways.max() < np.log(_FEWEST_EXCHANGES):
        return "expected several raters who each judged several pictures, to tell pictures from raters"
    return ""


def _spread(fitted: Fit, counted: Tally, scores: _Scores, statistic: float) -> float:
    """Return the standard deviation between pictures that explains how far raters agree on them."""
    problem, pairs = fitted.problem, counted.pairs
    answers = answers_of(problem, fitted.parameters[None])
    information = (answers.probability * answers.by_difference**2).sum(0)[0]
    kept = np.isin(counted.outcome, problem.model.outcomes)
    weight = np.where(kept, counted.count * information[counted.pair], 0.0)
    conditions = len(pairs.conditions)
    first, second = pairs.first[counted.pair], pairs.second[counted.pair]
    ends = np.minimum(first, second) * conditions + np.maximum(first, second)

    def squares(member: IntArray) -> float:
        """Return the sum of the squared elements of the information matrix of each member."""
        place = np.concatenate([member * conditions + first, member * conditions + second])
        _, diagonal = np.unique(place, return_inverse=True)
        _, beside = np.unique(member * conditions**2 + ends, return_inverse=True)
        on, off = np.bincount(diagonal, np.tile(weight, 2)), np.bincount(beside, weight)
        return float(on @ on + 2.0 * off @ off)

    block = counted.rater * len(counted.pictures) + counted.picture
    between = squares(counted.picture) - squares(block)
    variance = (statistic - scores.within_blocks()) / max(between, 1e-300)
    return float(np.sqrt(max(variance, 0.0))) * problem.model.per_unit


def by_kind(
    fitted: Fit, counted: Tally, kinds: Mapping[str, str], exchanges: int = 999, seed: int = 0
) -> Heterogeneity | None:
    """Return the test of whether the scale depends on the kind of picture, or None for one kind.

    It is the interaction of condition and kind, such as natural against AI-generated. Pictures are the units
    that were drawn, so their kinds are exchanged at random; that holds for sparse tables, and though pictures
    differ.

    Args:
        fitted: The pooled scale.
        counted: The votes behind it.
        kinds: By picture.
        exchanges: How many random exchanges.
        seed: Of the exchanges.

    Raises:
        ScaleError: A picture has no kind.
    """
    if missing := [picture for picture in counted.pictures if picture not in kinds]:
        raise ScaleError(f"expected the kind of every picture; got none for {missing[0]!r}")
    names, member = np.unique([kinds[picture] for picture in counted.pictures], return_inverse=True)
    if len(names) < 2:
        return None
    gain, values = _gain(fitted, counted, member, len(names))
    random = np.random.default_rng(seed)
    drawn = [_gain(fitted, counted, random.permutation(member), len(names)) for _ in range(exchanges)]
    at_least = sum(drawn_gain >= gain - 1e-9 for drawn_gain, _ in drawn)
    shifts = _shifts(fitted, values, np.stack([scales for _, scales in drawn])) if len(names) == 2 else ()
    p = (1.0 + at_least) / (1.0 + exchanges)
    return Heterogeneity(tuple(str(name) for name in names), p, "", None, gain, shifts)


def _shifts(fitted: Fit, values: FloatArray, drawn: FloatArray) -> tuple[Shift, ...]:
    scale = fitted.problem.model.per_unit
    gaps = np.abs(drawn[:, 0] - drawn[:, 1])
    at_least = (gaps >= np.abs(values[0] - values[1]) - 1e-9).sum(0)
    return tuple(
        Shift(
            name,
            float(values[0, place]) * scale,
            float(values[1, place]) * scale,
            float((1.0 + at_least[place]) / (1.0 + len(drawn))),
        )
        for place, name in enumerate(fitted.problem.pairs.conditions)
    )


def _gain(fitted: Fit, counted: Tally, member: IntArray, groups: int) -> tuple[float, FloatArray]:
    """Return twice the gain in log-likelihood, and values by group, shape (groups, conditions)."""
    counts = counted.by(member[counted.picture], groups)
    problem = replace(fitted.problem, ridge=max(fitted.problem.ridge, _RIDGE))
    parameters = solve_together(problem, counts, fitted.parameters)
    gain = float(log_likelihood(problem, counts, parameters).sum()) - fitted.log_likelihood
    return max(2.0 * gain, 0.0), parameters[:, :-2]
