"""Measure how often a coded picture is preferred to the hidden original."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..scale.pair_counts import IntArray
from ..scale.scale_results import Interval
from ..scale.votes import Kind, Votes


@dataclass(frozen=True, slots=True)
class FoolRate:
    """One condition against the original; at one half people cannot tell the two apart."""

    condition: str
    votes: int
    no_preference: int
    preferred: int
    """Votes for the coded picture."""
    rate: float | None
    """``preferred`` over the decided votes; None where nobody decided."""
    by_rater: Interval | None
    """None with fewer than two raters."""


def fool_rates(votes: Votes, original: str) -> tuple[FoolRate, ...]:
    """Return the fool rate of every condition that plain votes compare with the original, highest first.

    Args:
        votes: All kinds.
        original: The condition that is the original.
    """
    plain = votes.of_kind(Kind.PLAIN)
    place = votes.conditions.index(original)
    against_original = plain.keep((plain.first == place) | (plain.second == place))
    coded = np.where(against_original.first == place, against_original.second, against_original.first)
    preferred = np.where(against_original.first == place, -against_original.outcome, against_original.outcome)
    rates = [
        _rate(
            votes.conditions[condition],
            preferred[coded == condition],
            against_original.rater[coded == condition].astype(np.int64),
        )
        for condition in np.unique(coded)
    ]
    return tuple(
        sorted(rates, key=lambda fool_rate: -1.0 if fool_rate.rate is None else fool_rate.rate, reverse=True)
    )


def _rate(name: str, preferred: IntArray, rater: IntArray) -> FoolRate:
    decided = preferred != 0
    won = preferred[decided] > 0
    counts = len(preferred), int((~decided).sum()), int(won.sum())
    if not len(won):
        return FoolRate(name, *counts, None, None)
    _, members = np.unique(rater[decided], return_inverse=True)
    return FoolRate(name, *counts, float(won.mean()), share_interval(won.astype(np.int64), members))


def share_interval(won: IntArray, rater: IntArray) -> Interval | None:
    """Return the 95 % interval of a share of votes for other raters; None with fewer than two raters.

    Wilson's, of as many independent votes as the clustered ones are worth: their number over the design
    effect, at least one a rater, which is what a share of 0 or 1 gets, whose design effect is unknown.

    Source: Korn and Graubard, "Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data" (Survey Methodology 24, 1998); in Wilson's form after
    Dean and Pagano 2015.

    Args:
        won: Shape (votes,): 1 or 0.
        rater: Shape (votes,): index of who voted, 0 to raters - 1.
    """
    raters, votes = int(rater.max()) + 1, len(won)
    if raters < 2:
        return None
    share = float(won.mean())
    excess = np.bincount(rater, won) - share * np.bincount(rater)
    variance = float((excess**2).sum()) * raters / (raters - 1) / votes**2
    worth = share * (1.0 - share) / variance if variance > 0 else 0.0
    worth = min(max(worth, float(raters)), float(votes))
    z = float(stats.norm.ppf(0.975))
    middle = (share + z**2 / (2.0 * worth)) / (1.0 + z**2 / worth)
    reach = z / (1.0 + z**2 / worth) * np.sqrt(share * (1.0 - share) / worth + z**2 / (4.0 * worth**2))
    return Interval(middle - float(reach), middle + float(reach), float(np.sqrt(variance)))
