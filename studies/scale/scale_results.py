"""What a scale says, as frozen records of plain numbers that tables and JSON can print."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .models import ModelName
from .resampling import Scheme


class ScaleError(ValueError):
    """Votes from which no scale can be made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class ConditionScale:
    """One condition on the scale."""

    condition: str
    component: int
    """Values of two components cannot be compared."""
    value: float
    """In the scale's unit: against the anchor where it is in this component, else against the mean."""
    by_rater: Interval | None
    """None with fewer than two raters."""
    by_rater_and_picture: Interval | None
    """For pictures in general, not only those shown. None with fewer than two raters or pictures."""
    by_vote: Interval
    """As if every vote were independent: too narrow, for comparison only."""
    rank: int
    """1 is best, within the component."""
    rank_low: int
    """1 + how many conditions are better by the Holm tests."""
    rank_high: int
    """The last rank minus how many are worse by the Holm tests."""
    votes: float


@dataclass(frozen=True, slots=True)
class PairTest:
    """Two conditions of one component compared; two-sided tests."""

    first: str
    second: str
    difference: float
    """First minus second, in the scale's unit."""
    preferred: float
    """P(first preferred) where one of the two is, without order effect."""
    by_rater: Interval | None
    by_rater_and_picture: Interval | None
    p: float
    """Of a score test by the widest clustering there is; see ``StudyScale.tested_by``."""
    p_holm: float
    """Allowing for all pairs of the component (Holm 1979)."""


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """How much likelier the larger of two nested models makes the votes."""

    statistic: float
    degrees: int
    p_by_vote: float
    """As if every vote were independent: too small, to compare with other programs only."""


@dataclass(frozen=True, slots=True)
class OrderEffect:
    """How much being first (left, A) is worth."""

    value: float
    """In the scale's unit, added to first minus second."""
    by_vote: Interval
    by_rater: Interval | None
    test: LikelihoodRatio
    first_share: float
    """Share of decided votes that went to the first."""
    p: float
    """Of no order effect, by the widest clustering there is; see ``StudyScale.tested_by``."""


@dataclass(frozen=True, slots=True)
class TieEffect:
    """How readily 'no preference' is answered."""

    parameter: Literal["log nu", "threshold", "log theta"]
    value: float
    """Log nu (Davidson: first side's worth times the order effect; where some pairs stand on neutral ground,
    log nu is of that), the threshold in JOD, or log theta (Rao and Kupper)."""
    standard_error: float
    """By vote."""
    rate_between_equals: float
    """P(no preference) where values are equal and sides do not matter."""
    share: float
    """Share of 'no preference' among the votes."""


@dataclass(frozen=True, slots=True)
class GoodnessOfFit:
    """How far the counts are from the model."""

    g2: float
    """2 x sum of observed x log(observed / expected): the deviance."""
    pearson: float
    degrees: int
    p: float | None
    """Of Pearson's X2; None where too few raters are known. See `goodness.goodness_of_fit`."""
    p_by: Literal["rater", "vote"]
    """Whether p allows for raters, or takes votes for independent because raters are unknown."""
    thin: float
    """Share of expected counts below 5."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """How one kind of interval was made."""

    scheme: Scheme
    resamples: int
    failed: int
    """Without a maximum likelihood; they were fitted with the ridge and are in the intervals."""
    clusters: int
    design_effect: float
    """Mean variance of differences over that of independent votes."""


@dataclass(frozen=True, slots=True)
class StudyScale:
    """The scale of a study and everything needed to judge it."""

    model: ModelName
    unit: Literal["log-worth", "JOD"]
    anchor: str | None
    """Condition at 0; None where the mean of each component is 0."""
    ridge: float
    """Penalty on the squares; 0 is plain maximum likelihood."""
    raters: int
    """0 where nobody noted them."""
    pictures: int
    votes: float
    conditions: tuple[ConditionScale, ...]
    """By component, best first."""
    components: int
    pairs: tuple[PairTest, ...]
    tested_by: Scheme
    """What the pair tests allow for."""
    order_effect: OrderEffect | None
    ties: TieEffect | None
    log_likelihood: float
    """Of the single votes, without multinomial coefficients."""
    log_likelihood_of_counts: float
    """With the multinomial coefficients of the counts, as R's glm has it."""
    equality: LikelihoodRatio
    """Against all conditions being equal."""
    equality_p: float
    """Of all conditions being equal: the smallest p of a pair, allowing for all pairs (Holm)."""
    goodness: GoodnessOfFit
    resampling: tuple[Resampling, ...]
    notes: tuple[str, ...]
    """What the reader must know: components, ridge, order effect, few clusters."""

    def condition(self, name: str) -> ConditionScale:
        """Return one condition.

        Raises:
            KeyError: It is not on the scale.
        """
        for condition in self.conditions:
            if condition.condition == name:
                return condition
        raise KeyError(name)
