"""Apply a plan's exclusion rules: which raters the stricter result leaves out, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

from ...counts import counted
from ..design.plan import StudyPlan
from ..records.records import StoredVote


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A rater whom a rule of the plan leaves out; the votes stay."""

    rater: str
    reasons: tuple[str, ...]


def excluded(plan: StudyPlan, votes: Iterable[StoredVote]) -> list[Exclusion]:
    """Return the raters who break a rule that the plan fixed before the first vote, by name."""
    by_rater: dict[str, list[StoredVote]] = defaultdict(list)
    for vote in votes:
        by_rater[vote.rater].append(vote)
    exclusions = [Exclusion(name, tuple(_reasons(plan, mine))) for name, mine in sorted(by_rater.items())]
    return [exclusion for exclusion in exclusions if exclusion.reasons]


def _reasons(plan: StudyPlan, votes: Sequence[StoredVote]) -> Iterable[str]:
    rules = plan.exclusion
    golden = [right(plan, vote) for vote in votes if vote.kind == "golden"]
    if fewer_than(sum(golden), rules.golden_pass_rate, len(golden)):
        yield f"{sum(golden)} of {len(golden)} golden trials right, fewer than {rules.golden_pass_rate:.0%}"
    alike = _repeats(votes)
    if fewer_than(sum(alike), rules.consistency, len(alike)):
        yield (
            f"{sum(alike)} of {counted(len(alike), 'repeat')} answered alike, fewer than "
            f"{rules.consistency:.0%}"
        )
    times = [vote.response_ms for vote in votes if vote.kind == "main" and vote.response_ms is not None]
    if times and median(times) < rules.minimum_median_ms:
        yield f"median answer after {median(times):.0f} ms, before {rules.minimum_median_ms:.0f} ms"


def fewer_than(count: int, rate: float, total: int) -> bool:
    """Whether a count is below a rate of a total, the rate as it was written: 14 of 25 is not below 0.56.

    In binary 0.56 * 25 is above 14. Nothing is below a rate of nothing.

    Args:
        count: How many there were.
        rate: Least share, 0 to 1, as a plan writes it.
        total: Of how many.
    """
    return count < Fraction(str(rate)) * total


def right(plan: StudyPlan, vote: StoredVote) -> bool:
    """Whether a golden trial was answered as the plan knows it."""
    better = "first" if vote.golden_first else "second"
    worse = "second" if vote.golden_first else "first"
    return vote.answer == (better if plan.trials.asks == "better" else worse)


def _repeats(votes: Sequence[StoredVote]) -> list[bool]:
    """Return for each repeat whether it was answered as its original: the other side, or none again."""
    first = {(vote.content, vote.first, vote.second): vote.answer for vote in votes if vote.kind == "main"}
    turned = {"first": "second", "second": "first"}
    return [
        original == turned.get(vote.answer, vote.answer)
        for vote in votes
        if vote.kind == "repeat" and (original := first.get((vote.content, vote.second, vote.first)))
    ]
