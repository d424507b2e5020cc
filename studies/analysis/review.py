"""Review each rater by their votes: labels for a person to judge; no vote is ever deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from scipy import stats
from scipy.special import gammaln, xlogy

from ...bench.analysis.intervals import holm
from ..scale.fisher_scoring import ORDER, answers_of, solve
from ..scale.fit import Fit
from ..scale.models import FloatArray
from ..scale.pair_counts import FIRST, TIE, IntArray, Tally, tally
from ..scale.resampling import RIDGE
from ..scale.votes import Float32Array, Kind, Votes

Label: TypeAlias = Literal["unlike the others", "inconsistent", "fails golden trials", "favours a side"]

Judge: TypeAlias = Literal["all pictures", "each picture"]
"""One scale of the others for all pictures, or a scale of theirs for each."""

UNLIKE = 1.5
"""Distance below the lower quartile, in interquartile ranges, from which a rater is labelled (pwcmp), if
their answers are also less likely than sampling explains: where nearly all agree the range is next to 0."""
GOLDEN_PASS_RATE = 0.9
"""Share of golden trials that an attentive rater passes, where the plan states no other."""
SIGNIFICANT = 0.01
LAPSE_RATE = 0.02
"""Share of answers that attentive people give by a slip, whatever they see (Wichmann and Hill 2001 find 0 to
5 %): where a scale is nearly certain, one slip is no sign of a rater unlike the others."""
_NUMBERS_AT_ONCE = 10_000_000
_LARGEST = 5_000_000
"""Raters times pictures times numbers of one scale: above, each picture's own scale takes too long."""
_DRAWS = 999


@dataclass(frozen=True, slots=True)
class Proportion:
    """A count of successes with its 95 % Wilson interval."""

    successes: int
    trials: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GoldenAnswer:
    """A pair of a picture with a right answer."""

    picture: str
    better: str
    worse: str


@dataclass(frozen=True, slots=True)
class RaterReview:
    """What one rater's votes say about their care."""

    rater: str
    votes: int
    """Plain ones."""
    fit: float | None
    """Mean over the rater's pairs of log10 P(these answers) by the scale of all others."""
    distance: float
    """How far ``fit`` is below the lower quartile of all raters, in interquartile ranges; 0 within."""
    fit_p: float | None
    """P of so unlikely answers from one who judges by that scale; None where ``distance`` is no outlier's."""
    judged_by: Judge | None
    """Whose scale ``fit`` is by; None without plain votes."""
    repeats: Proportion | None
    """Repeats answered as before."""
    expected_repeats: float | None
    """Share of equal answers that the fitted scale expects from an average rater."""
    golden: Proportion | None
    golden_p: float | None
    """P of so few passes at the design's pass rate, exact."""
    first_share: float | None
    """Share of the first side (left, A) among decided plain votes."""
    expected_first_share: float | None
    """By the fitted scale without order effect."""
    side_p: float | None
    """Two-sided, allowing for all raters (Holm)."""
    identical_first: int
    """Identical pairs in which the first was preferred."""
    identical_second: int
    median_seconds: float | None
    labels: tuple[Label, ...]


def review(
    votes: Votes,
    fitted: Fit,
    golden: Iterable[GoldenAnswer] = (),
    pass_rate: float = GOLDEN_PASS_RATE,
    pictures_differ: bool = False,
) -> tuple[RaterReview, ...]:
    """Return the review of every rater with a vote, by name.

    Args:
        votes: All kinds.
        fitted: The scale of the plain votes.
        golden: The right answers of golden trials.
        pass_rate: Share of golden trials that an attentive rater passes.
        pictures_differ: Whether pictures have scales of their own; raters are then judged by these, unless
            that takes too long.
    """
    counted = tally(votes.of_kind(Kind.PLAIN))
    place = {name: index for index, name in enumerate(counted.raters)}
    judged_by = judge(counted, pictures_differ)
    answers = _answers(fitted, counted, judged_by)
    fits = answers.fits(len(counted.raters))
    distances = outlying(fits)
    sides = _sides(fitted, counted)
    side_p = np.array(holm(sides[2].tolist()), np.float64)
    right = {(answer.picture, answer.better, answer.worse) for answer in golden}
    rows: list[RaterReview] = []
    for index in np.unique(votes.rater):
        mine = votes.keep(votes.rater == index)
        at = place.get(votes.raters[index])
        rows.append(
            _labelled(
                RaterReview(
                    votes.raters[index],
                    len(mine.of_kind(Kind.PLAIN)),
                    None if at is None else float(fits[at]),
                    0.0 if at is None else float(distances[at]),
                    None if at is None or distances[at] <= UNLIKE else answers.p_of(at),
                    None if at is None else judged_by,
                    *_repeats(fitted, mine),
                    *_golden(mine, right, pass_rate),
                    None if at is None or np.isnan(sides[0, at]) else float(sides[0, at]),
                    None if at is None or np.isnan(sides[1, at]) else float(sides[1, at]),
                    None if at is None else float(side_p[at]),
                    *_identical(mine),
                    _median(mine.seconds),
                    (),
                )
            )
        )
    return tuple(sorted(rows, key=lambda row: row.rater))


def flagged(reviews: Iterable[RaterReview]) -> tuple[str, ...]:
    """Return the raters that carry a label: those whom results are shown with and without."""
    return tuple(review.rater for review in reviews if review.labels)


def _labelled(row: RaterReview) -> RaterReview:
    labels: list[Label] = []
    if row.fit_p is not None and row.fit_p < SIGNIFICANT:
        labels.append("unlike the others")
    if row.repeats and row.expected_repeats is not None and row.repeats.high < row.expected_repeats:
        labels.append("inconsistent")
    if row.golden_p is not None and row.golden_p < SIGNIFICANT:
        labels.append("fails golden trials")
    if row.side_p is not None and row.side_p < SIGNIFICANT:
        labels.append("favours a side")
    return replace(row, labels=tuple(labels))


def judge(counted: Tally, pictures_differ: bool) -> Judge:
    """Return whose scale raters are judged by."""
    pairs = counted.pairs
    numbers = len(counted.raters) * len(counted.pictures) * max(len(pairs.first), len(pairs.conditions) ** 2)
    return "each picture" if pictures_differ and numbers <= _LARGEST else "all pictures"


def leave_one_out(fitted: Fit, counted: Tally, judged_by: Judge = "all pictures") -> FloatArray:
    """Return for each rater how likely their answers are by the scale of all others, shape (raters,).

    It is the mean over the rater's pairs (of a picture, shown one way round) of the logarithm to base 10 of
    the multinomial probability of the answers, as pwcmp has it for two outcomes (Perez-Ortiz and Mantiuk
    2017), whose scale is each picture's own; a small ridge keeps every scale finite.

    Args:
        fitted: The scale of all raters, where each fit begins.
        counted: The votes by rater, picture and ordered pair.
        judged_by: Which scale a rater is judged by: of all scenes, or of the scene.
    """
    return _answers(fitted, counted, judged_by).fits(len(counted.raters))


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """What raters answered and could have answered, by cell: a rater, a picture and an ordered pair."""

    rater: IntArray
    """Shape (cells,)."""
    counts: FloatArray
    """Shape (3, cells)."""
    probability: FloatArray
    """By the scale of all others, shape (3, cells)."""

    def fits(self, raters: int) -> FloatArray:
        """Return the mean over each rater's cells of log10 P(these answers), shape (raters,)."""
        total = np.bincount(self.rater, _log10_likelihood(self.counts, self.probability), raters)
        return total / np.maximum(np.bincount(self.rater, minlength=raters), 1)

    def p_of(self, rater: int) -> float:
        """Return what share of raters drawn from these probabilities, with slips, answers as unlikely."""
        mine = self.rater == rater
        possible = self.probability[:, mine] > 0
        probability = (1 - LAPSE_RATE) * self.probability[:, mine] + LAPSE_RATE * possible / possible.sum(0)
        seen = float(_log10_likelihood(self.counts[:, mine], probability).sum())
        votes = self.counts[:, mine].sum(0).astype(np.int64)
        shares = (probability / probability.sum(0)).T
        drawn = np.random.default_rng(0).multinomial(votes, shares, (_DRAWS, len(votes)))
        likelihood = _log10_likelihood(drawn.transpose(2, 0, 1), probability[:, None]).sum(1)
        return float((1 + (likelihood <= seen + 1e-9).sum()) / (1 + _DRAWS))


def _log10_likelihood(counts: FloatArray | IntArray, probability: FloatArray) -> FloatArray:
    """Return log10 of the multinomial probability of counts, outcomes along the first axis."""
    terms = xlogy(counts, np.maximum(probability, 1e-300)) - gammaln(counts + 1.0)
    return (terms.sum(0) + gammaln(counts.sum(0) + 1.0)) / np.log(10.0)


def _answers(fitted: Fit, counted: Tally, judged_by: Judge) -> _Answers:
    kept = np.flatnonzero(np.isin(counted.outcome, fitted.problem.model.outcomes))
    chance = np.zeros((3, len(counted.count)))
    if judged_by == "all pictures":
        chance = _chances_by_others(fitted, counted, RIDGE / 10)
    else:
        for picture in range(len(counted.pictures)):
            mine = np.flatnonzero(counted.picture == picture)
            chance[:, mine] = _chances_by_others(fitted, counted.rows(mine), RIDGE)
    pairs = len(counted.pairs.first)
    unit = (counted.rater * len(counted.pictures) + counted.picture) * pairs + counted.pair
    _, first, cell = np.unique(unit[kept], return_index=True, return_inverse=True)
    counts = np.zeros((3, len(first)))
    np.add.at(counts, (counted.outcome[kept], cell), counted.count[kept])
    return _Answers(counted.rater[kept][first], counts, chance[:, kept][:, first])


def _chances_by_others(fitted: Fit, counted: Tally, ridge: float) -> FloatArray:
    """Return the probabilities of each group's answers by the scale without its rater, shape (3, groups)."""
    problem = replace(fitted.problem, ridge=max(fitted.problem.ridge, ridge))
    outcomes = list(problem.model.outcomes)
    everybody = counted.by(np.zeros(len(counted.count), np.int64), 1)
    chance = np.zeros((3, len(counted.count)))
    at_once = max(1, _NUMBERS_AT_ONCE // (3 * len(counted.pairs.first)))
    for low in range(0, len(counted.raters), at_once):
        mine = np.flatnonzero((counted.rater >= low) & (counted.rater < low + at_once))
        part = counted.rows(mine)
        members = min(at_once, len(counted.raters) - low)
        others = everybody - part.by(part.rater - low, members)
        parameters = solve(problem, others, fitted.parameters, 1e-6, 60).parameters
        probability = answers_of(problem, parameters).probability
        for place, outcome in enumerate(outcomes):
            chance[outcome, mine] = probability[place, part.rater - low, part.pair]
    return chance


def outlying(fits: FloatArray) -> FloatArray:
    """Return how far each fit is below the lower quartile, in interquartile ranges, shape (raters,).

    Quartiles by the (k - 0.5) / n rule, as pwcmp takes them. Fewer than four raters have no quartiles.
    """
    if len(fits) < 4:
        return np.zeros(len(fits))
    low, high = np.quantile(fits, [0.25, 0.75], method="hazen")
    return np.maximum(low - fits, 0.0) / max(float(high - low), 1e-12)


def _sides(fitted: Fit, counted: Tally) -> FloatArray:
    """Return first share, expected first share and p of each rater, shape (3, raters).

    Given that a vote decided, the first won with the fitted probability without order effect; the sum over
    votes is compared with its normal approximation.
    """
    raters = len(counted.raters)
    neutral = fitted.parameters.copy()
    neutral[ORDER] = 0.0
    problem = replace(fitted.problem, order=True)
    probability = answers_of(problem, neutral[None]).probability[:, 0]
    first = probability[0] / (probability[0] + probability[-1])
    decided = counted.outcome != TIE
    rater, weight = counted.rater[decided], counted.count[decided]
    chance = first[counted.pair[decided]]
    votes = np.bincount(rater, weight, raters)
    won = np.bincount(rater, weight * (counted.outcome[decided] == FIRST), raters)
    expected = np.bincount(rater, weight * chance, raters)
    variance = np.bincount(rater, weight * chance * (1.0 - chance), raters)
    with np.errstate(invalid="ignore", divide="ignore"):
        gap = np.maximum(np.abs(won - expected) - 0.5, 0.0)
        p = np.where(variance > 0, 2.0 * stats.norm.sf(gap / np.sqrt(variance)), 1.0)
        shares = np.stack([won / votes, expected / votes])
    if not fitted.problem.pairs.sided:
        return np.vstack([np.full((2, raters), np.nan), np.ones(raters)])
    return np.vstack([shares, np.minimum(p, 1.0)])


def _repeats(fitted: Fit, mine: Votes) -> tuple[Proportion | None, float | None]:
    """Return repeats answered as the first time, and the share that the scale expects."""
    before: dict[tuple[int, int, int], int] = {}
    equal = 0
    expected: list[float] = []
    for row in np.flatnonzero(np.isin(mine.kind, (Kind.PLAIN, Kind.REPEAT))):
        low, high = sorted((int(mine.first[row]), int(mine.second[row])))
        answer = int(mine.outcome[row]) * (1 if int(mine.first[row]) == low else -1)
        key = (int(mine.picture[row]), low, high)
        if mine.kind[row] == Kind.PLAIN:
            before.setdefault(key, answer)
        elif key in before:
            equal += answer == before[key]
            expected += _equal_twice(fitted, mine.conditions[low], mine.conditions[high])
    if not expected:
        return None, None
    return proportion(equal, len(expected)), float(np.mean(expected))


def _equal_twice(fitted: Fit, low: str, high: str) -> list[float]:
    """Return the probability that two votes on a pair, sides swapped, agree; none for an unknown pair."""
    names = fitted.problem.pairs.conditions
    if low not in names or high not in names:
        return []
    difference = fitted.values[names.index(low)] - fitted.values[names.index(high)]
    order = fitted.parameters[ORDER]
    answers = fitted.problem.model.probabilities(
        np.array([difference + order, difference - order]), fitted.parameters[-1]
    )
    return [float((answers[:, 0] * answers[:, 1]).sum())]


def _golden(
    mine: Votes, answers: set[tuple[str, str, str]], pass_rate: float
) -> tuple[Proportion | None, float | None]:
    passes = trials = 0
    for record in mine.of_kind(Kind.GOLDEN).records():
        if (record.picture, record.first, record.second) in answers:
            passes, trials = passes + (record.outcome > 0), trials + 1
        elif (record.picture, record.second, record.first) in answers:
            passes, trials = passes + (record.outcome < 0), trials + 1
    if not trials:
        return None, None
    return proportion(passes, trials), float(stats.binom.cdf(passes, trials, pass_rate))


def proportion(successes: int, trials: int) -> Proportion:
    """Return a proportion with its 95 % Wilson interval."""
    interval = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    return Proportion(successes, trials, float(interval.low), float(interval.high))


def _identical(mine: Votes) -> tuple[int, int]:
    outcomes = mine.of_kind(Kind.IDENTICAL).outcome
    return int((outcomes > 0).sum()), int((outcomes < 0).sum())


def _median(seconds: Float32Array) -> float | None:
    known = seconds[np.isfinite(seconds)]
    return float(np.median(known)) if len(known) else None
