"""Estimate metrics' accuracies and correlations under any weights of raters and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...counts import counted
from ..scale.fisher_scoring import solve_together
from ..scale.fit import Fit
from ..scale.models import FloatArray
from ..scale.pair_counts import FIRST, TIE, Tally
from .correlation import monotone_fit, pearson, spearman
from .stimulus_parts import BoolArray, StimulusPart

FEWEST_VOTES, FEWEST_PICTURES = 30, 3
"""Below either a part of a study says nothing of metrics."""
_FEWEST_STIMULI = 4
"""Of a correlation: the logistic alone has four parameters."""
_RIDGE = 0.05
"""On a single picture's scale, where few votes may all agree."""


@dataclass(frozen=True, slots=True, eq=False)
class MetricScores:
    """One metric's scores of the stimuli that were shown."""

    metric: str
    values: FloatArray
    """Shape (pictures, conditions) in the order of the tally; higher is better; NaN where unknown."""


def within(stimuli: BoolArray, counted: Tally) -> BoolArray:
    """Return which groups of votes compare two of these stimuli, shape (groups,)."""
    first, second = counted.pairs.first[counted.pair], counted.pairs.second[counted.pair]
    return stimuli[counted.picture, first] & stimuli[counted.picture, second]


class Sample:
    """What every resample weights anew."""

    def __init__(
        self, fitted: Fit, counted: Tally, scores: Sequence[MetricScores], anchor: str | None
    ) -> None:
        self.fitted, self.counted = fitted, counted
        self.names = [score.metric for score in scores]
        self.anchor = None if anchor is None else fitted.problem.pairs.conditions.index(anchor)
        self.scores = np.stack([score.values for score in scores])
        """Shape (metrics, pictures, conditions)."""
        self.known: BoolArray = ~np.isnan(self.scores).any(0)
        first, second = counted.pairs.first[counted.pair], counted.pairs.second[counted.pair]
        gap = self.scores[:, counted.picture, first] - self.scores[:, counted.picture, second]
        side = np.where(counted.outcome == FIRST, 1.0, -1.0)
        self.agrees = (1.0 + np.sign(gap) * side) / 2.0
        """Shape (metrics, groups): 1 where the metric is on the vote's side, 0.5 where it has none."""
        both = within(self.known, counted)
        self.compared: BoolArray = np.zeros(self.known.shape, np.bool_)
        self.compared[counted.picture[both], first[both]] = True
        self.compared[counted.picture[both], second[both]] = True

    def values(self, counted: Tally) -> FloatArray:
        """Return human values by picture and condition, shape (pictures, conditions), in the model's unit."""
        problem = replace(self.fitted.problem, ridge=max(self.fitted.problem.ridge, _RIDGE))
        counts = counted.by(counted.picture, len(counted.pictures))
        return solve_together(problem, counts, self.fitted.parameters)[:, :-2]


class PartSample:
    """The votes and stimuli of one part."""

    def __init__(self, sample: Sample, part: StimulusPart) -> None:
        counted = sample.counted
        self.sample = sample
        self.votes: BoolArray = within(sample.known & part.stimuli, counted) & (counted.outcome != TIE)
        """Shape (groups,)."""
        self.stimuli: BoolArray = sample.compared & part.stimuli
        """Shape (pictures, conditions): whose scores and human values are correlated."""
        if sample.anchor is not None:
            self.stimuli[:, sample.anchor] = False
        else:
            # Alone in its picture a stimulus is its own mean.
            self.stimuli &= self.stimuli.sum(1, keepdims=True) > 1
        self.scores = np.stack([self.against(score) for score in sample.scores])

    def against(self, values: FloatArray) -> FloatArray:
        """Return scores, or values against the mean of what is in this part of their picture."""
        if self.sample.anchor is not None:
            return values
        count = np.maximum(self.stimuli.sum(1, keepdims=True), 1)
        return values - np.where(self.stimuli, values, 0.0).sum(1, keepdims=True) / count

    def human(self, values: FloatArray) -> FloatArray:
        """Return human values against the anchor of their picture, or else as scores are taken."""
        anchor = self.sample.anchor
        return self.against(values) if anchor is None else values - values[:, [anchor]]

    @property
    def members(self) -> tuple[int, int]:
        """How many raters and pictures the votes are of."""
        counted = self.sample.counted
        return len(np.unique(counted.rater[self.votes])), len(np.unique(counted.picture[self.votes]))

    @property
    def clusters(self) -> int:
        """What the degrees of freedom come from."""
        return max(min(self.members), 2)

    def lack(self) -> str | None:
        """Return why the votes are too few to say anything, or None."""
        votes = round(float(self.sample.counted.count[self.votes].sum()))
        raters, pictures = self.members
        if votes >= FEWEST_VOTES and pictures >= FEWEST_PICTURES and raters > 1:
            return None
        return (
            f"{counted(votes, 'decided vote')} on {counted(pictures, 'picture')} by "
            f"{counted(raters, 'rater')}: too few, expected "
            f"{FEWEST_VOTES} on {FEWEST_PICTURES} by 2 or more"
        )


class Estimator:
    """Gives accuracy, SRCC and PLCC of every metric in every part at other weights of raters and pictures."""

    def __init__(self, sample: Sample, parts: Sequence[PartSample]) -> None:
        self.sample, self.parts = sample, parts
        self.scores = np.stack([part.scores for part in parts]).reshape(-1, sample.known.size)
        self.begin: FloatArray | None = None
        """Parameters of the logistics at the weights that were asked for first, where others begin."""

    def __call__(self, raters: FloatArray, pictures: FloatArray) -> FloatArray:
        """Return shape (parts, metrics, 3); NaN where there is nothing to estimate from.

        Args:
            raters: How often each counts, shape (raters,).
            pictures: How often each counts, shape (pictures,).
        """
        sample, counted = self.sample, self.sample.counted
        weight = counted.count * raters[counted.rater]
        votes = np.stack([part.votes for part in self.parts]) * weight * pictures[counted.picture]
        human = sample.values(replace(counted, count=weight))
        metrics = len(sample.names)
        target = np.repeat(np.stack([part.human(human) for part in self.parts]), metrics, axis=0)
        shown = np.repeat(np.stack([part.stimuli for part in self.parts]), metrics, axis=0)
        often = (shown * pictures[:, None]).reshape(len(self.scores), -1)
        estimates = np.full((len(self.scores), 3), np.nan)
        total = votes.sum(1)
        decided = total > 0
        estimates.reshape(-1, metrics, 3)[decided, :, 0] = (votes @ sample.agrees.T)[decided] / total[
            decided, None
        ]
        estimates[:, 1:] = self._correlations(target.reshape(len(estimates), -1), often)
        return estimates.reshape(-1, metrics, 3)

    def _correlations(self, target: FloatArray, often: FloatArray) -> FloatArray:
        """Return SRCC and PLCC of every row, shape (rows, 2)."""
        able = (often > 0).sum(1) >= _FEWEST_STIMULI
        if self.begin is not None:
            able &= ~np.isnan(self.begin[:, 0])
        score, target, often = self.scores[able], target[able], often[able]
        correlations = np.full((len(able), 2), np.nan)
        correlations[able, 0] = spearman(score, target, often)
        begin = None if self.begin is None else self.begin[able]
        fitted, parameters = monotone_fit(score, target, often, begin)
        straight = pearson(fitted, target, often)
        # A logistic gone flat says nothing; the scores themselves then do.
        straight = np.where(np.isnan(straight), pearson(score, target, often), straight)
        correlations[able, 1] = np.where(np.isnan(correlations[able, 0]), np.nan, straight)
        if self.begin is None:
            self.begin = np.full((len(able), parameters.shape[1]), np.nan)
            self.begin[able] = parameters
        return correlations
