"""Search the setting of a codec's scale that comes nearest to a target rate or score, in few encodes.

The search yields settings and receives their levels: the logarithm of a rate, or a quality of
`curves.to_quality`. Levels are expected to rise from the scale's worst end to its best, but nothing depends
on it: every gap between two known settings whose levels lie on either side of the target is closed, and
then the settings around the nearest one are looked at until they lead away from the target.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np

from ...codecs.base import QualityScale
from .curves import FloatArray

Ended: TypeAlias = Literal["exact", "close", "nearest", "out of range"]
"""Equal to the target; within the tolerance of a continuous scale; as near as the scale's steps come; or the
whole scale lies on one side of the target."""

NEAR = 4
"""Steps around the nearest setting within which a nearer one is looked for."""
MOST_FAILURES = 3
"""Settings that give no result before a search is given up."""


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """Where a search ended."""

    setting: float
    level: float
    ended: Ended
    probes: int
    """Settings whose level was known in the end."""
    asked: int
    """Those of them that were asked for."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A prior for a search from other pictures of the codec: where to begin, and how levels rise."""

    index: float
    """Steps from the worst end, of the setting where they met the target."""
    rises: FloatArray
    """Shape (steps,): difference of the levels of neighbouring settings."""


def steps(scale: QualityScale) -> int:
    """Return how many steps lead from the worst end of a scale to its best."""
    return math.floor(abs(scale.best - scale.worst) / scale.step + 1e-6)


def setting_at(scale: QualityScale, index: int) -> float:
    """Return the setting so many steps from the worst end, as a suite's ladder writes it."""
    return round(scale.worst + math.copysign(index * scale.step, scale.best - scale.worst), 9)


def index_of(scale: QualityScale, setting: float) -> int:
    """Return how many steps a setting lies from the worst end."""
    return round(abs(setting - scale.worst) / scale.step)


def guess(scale: QualityScale, target: float, others: Iterable[Mapping[float, float]]) -> Guess | None:
    """Return what the levels of other pictures, by setting, say about the search for a target.

    Pictures differ most in their offset: slopes are averaged, and each picture that reaches the target tells
    where. None where no picture has two settings.

    Args:
        scale: The codec's scale of settings.
        target: The level to reach, as in `search`.
        others: Of each other picture its levels by setting; pictures with fewer than two finite levels do not
            count.
    """
    count = steps(scale)
    total, weight, places = np.zeros(count), np.zeros(count), []
    for levels in others:
        known = sorted(
            (index_of(scale, setting), level) for setting, level in levels.items() if math.isfinite(level)
        )
        if len(known) < 2:
            continue
        indexes, values = np.array(known).T
        inside = slice(int(indexes[0]), int(indexes[-1]))
        total[inside] += np.diff(np.interp(np.arange(inside.start, inside.stop + 1), indexes, values))
        weight[inside] += 1
        places.append(float(np.interp(target, np.maximum.accumulate(values), indexes)))
    if not places:
        return None
    covered = np.flatnonzero(weight)
    rises = np.interp(np.arange(count), covered, total[covered] / weight[covered])
    return Guess(float(np.median(places)), np.maximum(rises, 0.0))


def search(
    scale: QualityScale,
    target: float,
    known: Mapping[float, float] | None = None,
    prior: Guess | None = None,
    tolerance: float = 0.0,
) -> Generator[float, float | None, SearchOutcome | None]:
    """Return a generator that yields settings to measure, receives their levels, and returns the nearest one.

    Args:
        scale: The codec's scale of settings.
        target: The level to reach: a natural logarithm of a rate, or a quality of `curves.to_quality`.
        known: Levels by setting, measured before; they are not asked for again.
        prior: Where to begin and how levels rise, from other pictures; None to begin in the middle.
        tolerance: A level this near is near enough, on a continuous scale; on others the nearest is sought.

    Yields:
        A setting; expects its level, infinite where coding was lossless, or None where it has no result.

    Returns:
        The setting nearest the target, the cheaper of equals, or None when too many settings failed.
    """
    state = _State(scale, target, prior, tolerance if scale.continuous else 0.0)
    for setting, level in (known or {}).items():
        state.tell(index_of(scale, setting), level)
    asked = 0
    while (index := state.next_index()) is not None:
        level = yield setting_at(scale, index)
        asked += 1
        state.tell(index, level)
        if len(state.failed) >= MOST_FAILURES:
            return None
    return state.outcome(asked)


@dataclass(slots=True)
class _State:
    """What a search knows: how far above the target the level of each known setting lies."""

    scale: QualityScale
    target: float
    prior: Guess | None
    tolerance: float
    excess: dict[int, float] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    halve: bool = False
    """Whether the next probe inside a gap halves it: the last one cut off too little."""

    def tell(self, index: int, level: float | None) -> None:
        """Record the level of a setting, or that it failed."""
        if level is None or math.isnan(level):
            self.failed.add(index)
        else:
            self.excess[index] = level - self.target

    def best(self) -> int:
        """Return the index nearest the target."""
        return min(self.excess, key=lambda index: (abs(self.excess[index]), index))

    def next_index(self) -> int | None:
        """Return the setting to ask for, or None when the answer is known."""
        if not self.excess:
            return self.free(self.first(), 0, steps(self.scale))
        if abs(self.excess[self.best()]) <= self.tolerance:
            return None
        gaps = self.gaps()
        if gaps:
            return self.inside(*min(gaps, key=lambda gap: gap[1] - gap[0]))
        if all(excess > 0 for excess in self.excess.values()):
            outer = self.outside(min(self.excess), 0)
        elif all(excess < 0 for excess in self.excess.values()):
            outer = self.outside(max(self.excess), steps(self.scale))
        else:
            outer = None
        return self.neighbour() if outer is None else outer

    def first(self) -> int:
        """Return where to begin."""
        count = steps(self.scale)
        return min(max(round(self.prior.index), 0), count) if self.prior else count // 2

    def gaps(self) -> list[tuple[int, int]]:
        """Return the pairs of known neighbours with the target and an untried setting between them."""
        known = sorted(self.excess)
        crossed = [(low, high) for low, high in pairwise(known) if self.excess[low] * self.excess[high] < 0]
        return [(low, high) for low, high in crossed if self.untried(low, high)]

    def untried(self, low: int, high: int) -> bool:
        """Return whether a setting strictly between two has not been asked for."""
        return high - low - 1 > sum(low < index < high for index in self.failed)

    def inside(self, low: int, high: int) -> int | None:
        """Return the setting in a gap where the target is expected."""
        middle = (low + high) // 2
        place = middle if self.halve else self.crossing(low, high, middle)
        self.halve = not self.halve and high - low > 4 and not _cuts(low, place, high)
        return self.free(min(max(place, low + 1), high - 1), low + 1, high - 1)

    def crossing(self, low: int, high: int, otherwise: int) -> int:
        """Return where levels cross the target if they rise as in other pictures, and evenly beside that."""
        rise = self.excess[high] - self.excess[low]
        if not math.isfinite(rise):
            return otherwise
        expected = self.prior.rises[low:high] if self.prior else np.zeros(high - low)
        path = np.cumsum(expected + (rise - expected.sum()) / (high - low))
        return low + 1 + int(np.argmin(np.abs(self.excess[low] + path)))

    def outside(self, edge: int, end: int) -> int | None:
        """Return a setting beyond the outermost known one, or None when the end is known."""
        return None if edge == end else self.free(self.reach(edge, end), min(edge, end), max(edge, end))

    def reach(self, edge: int, end: int) -> int:
        """Return where beyond an edge the target is expected, a little further: a gap is sooner closed."""
        sign = 1 if end > edge else -1
        needed = abs(self.excess[edge])
        if self.prior is None or not math.isfinite(needed):
            return edge + sign * max(1, abs(end - edge) // 2) if abs(end - edge) > 2 else end
        rises = self.prior.rises[edge:end] if sign > 0 else self.prior.rises[end:edge][::-1]
        far = int(np.searchsorted(np.cumsum(rises), needed * 1.1)) + 1
        return edge + sign * min(far, abs(end - edge))

    def neighbour(self) -> int | None:
        """Return the untried setting nearest to the best one that no worse ones hide, or None."""
        if self.scale.continuous:  # The step is this module's choice, finer than a level is steady.
            return None
        best, count = self.best(), steps(self.scale)
        below, above = max(0, best - NEAR), min(count, best + NEAR)
        sides = (range(best - 1, below - 1, -1), range(best + 1, above + 1))
        seen = [index for index in map(self.visible, sides) if index is not None]
        return min(seen, key=lambda index: abs(index - best), default=None)

    def visible(self, side: Iterable[int]) -> int | None:
        """Return the first untried setting on the way from the best one, unless known ones hide it.

        One that is worse by half a usual rise hides those behind it; beyond the target it takes two: the next
        may fall back towards it.
        """
        best = self.excess[self.best()]
        worse = abs(best) + self.rise() / 2
        hidden = 0
        for index in side:
            if index in self.failed:
                continue
            if index not in self.excess:
                return index
            hidden += abs(self.excess[index]) > worse
            if hidden > (self.excess[index] * best < 0):
                return None
        return None

    def rise(self) -> float:
        """Return how much a step lifts the level around the nearest setting, on average."""
        near = sorted(index for index in self.excess if abs(index - self.best()) <= NEAR)
        if len(near) < 2:
            return 0.0
        mean = (self.excess[near[-1]] - self.excess[near[0]]) / (near[-1] - near[0])
        return mean if 0 < mean < math.inf else 0.0

    def free(self, wanted: int, low: int, high: int) -> int | None:
        """Return the untried setting nearest to a wanted one from low to high, or None."""
        tried = self.excess.keys() | self.failed
        for distance in range(high - low + 1):
            for index in (wanted - distance, wanted + distance):
                if low <= index <= high and index not in tried:
                    return index
        return None

    def outcome(self, asked: int) -> SearchOutcome | None:
        """Return where the search ended, or None where no setting gave a level."""
        if not self.excess:
            return None
        best = self.best()
        values = self.excess.values()
        off = abs(self.excess[best])
        ended: Ended = "nearest"
        if off == 0:
            ended = "exact"
        elif off <= self.tolerance:
            ended = "close"
        elif all(value > 0 for value in values) or all(value < 0 for value in values):
            ended = "out of range"
        return SearchOutcome(
            setting_at(self.scale, best), self.excess[best] + self.target, ended, len(self.excess), asked
        )


def _cuts(low: int, place: int, high: int) -> bool:
    return 4 * min(place - low, high - place) >= high - low
