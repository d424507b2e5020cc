"""Votes as columns: who compared which two conditions of which picture, and what they chose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Int32Array: TypeAlias = NDArray[np.int32]
Int8Array: TypeAlias = NDArray[np.int8]
Float32Array: TypeAlias = NDArray[np.float32]
BoolArray: TypeAlias = NDArray[np.bool_]


class Kind(IntEnum):
    """What a trial was for."""

    PLAIN = 0
    """A trial of the design: the scale is made of these."""
    TRAINING = 1
    """Shown to teach the task."""
    GOLDEN = 2
    """Has a right answer that the plan states."""
    REPEAT = 3
    """A pair the rater had before, sides swapped."""
    IDENTICAL = 4
    """The same stimulus on both sides."""


FIRST_WON = 1
NO_PREFERENCE = 0
SECOND_WON = -1


class VotesError(ValueError):
    """Votes that cannot be what they say; the message names the row."""


@dataclass(frozen=True, slots=True)
class VoteRecord:
    """One vote, by names."""

    rater: str
    picture: str
    first: str
    """The condition at the first position: left, or A."""
    second: str
    outcome: int
    """+1 the first won, 0 no preference, -1 the second won."""
    kind: Kind = Kind.PLAIN
    seconds: float = float("nan")
    """From shown to answered; NaN where unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """All votes of a study as columns of equal length; row order is the order in which they came."""

    raters: tuple[str, ...]
    pictures: tuple[str, ...]
    conditions: tuple[str, ...]
    rater: Int32Array
    """Shape (votes,): index into ``raters``; so for ``picture``, ``first`` and ``second``."""
    picture: Int32Array
    first: Int32Array
    """Condition shown at the first position (left, or A)."""
    second: Int32Array
    outcome: Int8Array
    """+1 the first won, 0 no preference, -1 the second won."""
    kind: Int8Array
    """Values of `Kind`."""
    seconds: Float32Array
    """From shown to answered; NaN where unknown."""
    sided: bool = True
    """Whether first and second are sides as shown. Where False nobody noted the sides, and no order effect
    can be fitted."""
    raters_known: bool = True
    """Where False nobody noted who voted, and no interval can allow for it."""

    def __post_init__(self) -> None:
        """Refuse columns of unequal length and values out of range."""
        _check(self)

    def __len__(self) -> int:
        return len(self.outcome)

    def keep(self, chosen: BoolArray) -> Votes:
        """Return the votes where a mask of shape (votes,) holds; names and their indices stay."""
        return Votes(
            self.raters,
            self.pictures,
            self.conditions,
            self.rater[chosen],
            self.picture[chosen],
            self.first[chosen],
            self.second[chosen],
            self.outcome[chosen],
            self.kind[chosen],
            self.seconds[chosen],
            self.sided,
            self.raters_known,
        )

    def of_kind(self, *kinds: Kind) -> Votes:
        """Return the votes of these kinds, in order."""
        return self.keep(np.isin(self.kind, kinds))

    def without_raters(self, names: Iterable[str]) -> Votes:
        """Return the votes of all other raters; names and their indices stay."""
        left_out = set(names)
        places = [place for place, name in enumerate(self.raters) if name in left_out]
        return self.keep(~np.isin(self.rater, places))

    def records(self) -> list[VoteRecord]:
        """Return the votes as records, in order."""
        return [
            VoteRecord(
                self.raters[self.rater[row]],
                self.pictures[self.picture[row]],
                self.conditions[self.first[row]],
                self.conditions[self.second[row]],
                int(self.outcome[row]),
                Kind(int(self.kind[row])),
                float(self.seconds[row]),
            )
            for row in range(len(self))
        ]


def from_records(
    records: Iterable[VoteRecord],
    *,
    conditions: Sequence[str] | None = None,
    sided: bool = True,
    raters_known: bool = True,
) -> Votes:
    """Return records as columns; names are sorted unless the conditions' order is given.

    Args:
        records: Any number; they are read once.
        conditions: Every condition, in the order of the result; None for those voted on, sorted.
        sided: Whether first and second say which side was shown.
        raters_known: Whether each vote names its rater.

    Raises:
        VotesError: A condition is not among the given ones, or a vote is impossible.
    """
    rows = list(records)
    raters = _names(row.rater for row in rows)
    pictures = _names(row.picture for row in rows)
    seen = _names(name for row in rows for name in (row.first, row.second))
    named = seen if conditions is None else tuple(conditions)
    if strange := sorted(set(seen) - set(named)):
        raise VotesError(f"expected conditions among {', '.join(named)}; got {strange[0]!r}")
    return Votes(
        raters,
        pictures,
        named,
        _places(raters, [row.rater for row in rows]),
        _places(pictures, [row.picture for row in rows]),
        _places(named, [row.first for row in rows]),
        _places(named, [row.second for row in rows]),
        np.array([row.outcome for row in rows], np.int8),
        np.array([row.kind for row in rows], np.int8),
        np.array([row.seconds for row in rows], np.float32),
        sided,
        raters_known,
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _places(names: tuple[str, ...], wanted: Sequence[str]) -> Int32Array:
    place = {name: index for index, name in enumerate(names)}
    return np.array([place[name] for name in wanted], np.int32)


def _check(votes: Votes) -> None:
    bounds = {"rater": votes.raters, "picture": votes.pictures}
    bounds |= {"first": votes.conditions, "second": votes.conditions}
    for name in ("rater", "picture", "first", "second", "kind", "seconds"):
        if (length := len(getattr(votes, name))) != len(votes.outcome):
            raise VotesError(f"expected {len(votes.outcome)} values of {name}, one a vote; got {length}")
    for name, names in bounds.items():
        column = getattr(votes, name)
        _refuse(name, column, (column < 0) | (column >= len(names)), f"0 to {len(names) - 1}")
    _refuse("outcome", votes.outcome, np.abs(votes.outcome) > 1, "+1, 0 or -1")
    _refuse("kind", votes.kind, ~np.isin(votes.kind, list(Kind)), "a value of Kind")
    same = votes.first == votes.second
    identical = votes.kind == Kind.IDENTICAL
    wanted = "two conditions, or one twice in an identical pair"
    _refuse("second", votes.second, same & ~identical, wanted)


def _refuse(name: str, column: NDArray[np.generic], bad: BoolArray, expected: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise VotesError(f"vote {row}: expected {name} {expected}; got {column[row]}")
