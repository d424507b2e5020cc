"""Compare what pictures of two kinds are like besides their kind, and pair those that are alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from ..records.columns import Mask
from .curves import FloatArray
from .intervals import SIGNIFICANCE

FEWEST_PAIRS = 10
"""Matched pairs below which nothing is said of matched pictures."""
NOTABLE = 0.25
"""Standardised difference up to which two groups count as alike.

Rubin, "Using propensity scores to help design observational studies" (2001).
"""
PERMUTATIONS = 2000
CALIPER = 0.5
"""Standard deviations in which two pictures of a pair may differ, of every descriptor of size and history."""
CONTENT_CALIPER = 1.0
"""The same of the root mean square over all descriptors of content, which are many and vary much."""
_SEED = 20_240_326
_ELEMENTS = 2**22
"""Pictures times divisions that are held at once."""

Descriptors = Mapping[str, Mapping[str, float]]
"""Values by picture and by name of the descriptor."""


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One descriptor in the pictures of either kind."""

    name: str
    natural: float
    """Mean of the natural pictures."""
    generated: float
    """Mean of the AI-generated ones."""
    difference: float
    """Of the means, in standard deviations within a kind; infinite where neither kind varies."""
    overlap: float
    """Share of the pictures whose value lies in the other kind's range, 0 to 1."""
    p_value: float
    """Of the difference, for all descriptors at once."""
    confounded: bool
    """Whether the kind and this descriptor cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What natural and AI-generated pictures are like besides their kind."""

    rows: tuple[BalanceRow, ...]
    """Most different first."""
    natural: int
    generated: int
    undescribed: int
    """Pictures without descriptors, which do not count here."""

    @property
    def confounded(self) -> tuple[str, ...]:
        """Names of the descriptors that cannot be told apart from the kind, most different first."""
        return tuple(row.name for row in self.rows if row.confounded)


@dataclass(frozen=True, slots=True)
class Matching:
    """Natural pictures beside AI-generated ones that are alike in some descriptors."""

    pairs: tuple[tuple[str, str], ...]
    """Natural, AI-generated; none where fewer than `FEWEST_PAIRS` could be made."""
    left_out: int
    """Pictures in none of them."""


def balance(descriptors: Descriptors, natural: Collection[str], generated: Collection[str]) -> Balance | None:
    """Return how pictures of two kinds differ in every descriptor; None with fewer than two of a kind.

    A descriptor cannot be told apart from the kind where its standardised difference is beyond `NOTABLE` and
    larger than chance makes the largest of all descriptors in 95 % of random divisions of the same pictures,
    or where the ranges of the kinds do not meet and random divisions would seldom do that. Without the
    comparison with chance, half of a small set would differ from the other half nearly always.

    Source: Westfall and Young, "Resampling-based multiple testing" (1993), single-step maxT; standardised
    differences as in Austin, Statistics in Medicine 28 (2009).

    Args:
        descriptors: Of the pictures; those of which none are known are left out, and so are descriptors
            that some picture lacks.
        natural: The natural pictures.
        generated: The AI-generated ones.
    """
    sides = [sorted(picture for picture in side if descriptors.get(picture)) for side in (natural, generated)]
    if min(map(len, sides)) < 2:
        return None
    pictures = [*sides[0], *sides[1]]
    names, values = _table(descriptors, pictures)
    is_generated = np.arange(len(pictures)) >= len(sides[0])
    different = standardised(values, is_generated[None])[0]
    largest = _largest_by_chance(values, is_generated)
    seldom = 2 * max(len(names), 1) / comb(len(pictures), len(sides[0])) < SIGNIFICANCE
    rows: list[BalanceRow] = []
    for place, name in enumerate(names):
        size = abs(float(different[place]))
        p_value = (1 + int(np.count_nonzero(largest >= size))) / (1 + PERMUTATIONS)
        here, there = values[~is_generated, place], values[is_generated, place]
        overlap = _overlap(here, there)
        notable = size > NOTABLE and p_value < SIGNIFICANCE
        rows.append(
            BalanceRow(
                name, float(here.mean()), float(there.mean()), float(different[place]), overlap, p_value,
                notable or (overlap == 0 and seldom),
            )
        )  # fmt: skip
    rows.sort(key=lambda row: (-abs(row.difference), row.name))
    missing = len(natural) + len(generated) - len(pictures)
    return Balance(tuple(rows), len(sides[0]), len(sides[1]), missing)


def _largest_by_chance(values: FloatArray, is_generated: Mask) -> FloatArray:
    """Return the largest standardised difference of any descriptor in random divisions: (`PERMUTATIONS`,)."""
    random = np.random.default_rng(_SEED)
    at_once = max(1, _ELEMENTS // len(is_generated))
    largest: list[FloatArray] = []
    for start in range(0, PERMUTATIONS, at_once):
        shape = (min(at_once, PERMUTATIONS - start), len(is_generated))
        divisions = random.permuted(np.broadcast_to(is_generated, shape), axis=1)
        largest.append(np.abs(standardised(values, divisions)).max(axis=1, initial=0.0))
    return np.concatenate(largest)


def standardised(values: FloatArray, is_generated: Mask) -> FloatArray:
    """Return the standardised differences of divisions of pictures: (divisions, descriptors).

    Args:
        values: (pictures, descriptors).
        is_generated: (divisions, pictures), which pictures count as AI-generated; as many in each division.
    """
    centred = values - values.mean(axis=0)
    there = is_generated.astype(np.float64)
    counts = there.sum(axis=1, keepdims=True)
    means: list[FloatArray] = []
    variances: list[FloatArray] = []
    for weight, count in ((1 - there, there.shape[1] - counts), (there, counts)):
        mean = weight @ centred / count
        means.append(mean)
        variances.append(np.maximum(weight @ centred**2 - count * mean**2, 0) / np.maximum(count - 1, 1))
    spread = np.sqrt((variances[0] + variances[1]) / 2)
    difference = means[1] - means[0]
    alike = np.abs(difference) <= 1e-9 * np.maximum(np.abs(values).max(axis=0), 1e-300)
    flat = spread <= 1e-9 * np.maximum(np.abs(values).max(axis=0), 1e-300)
    infinite = np.copysign(np.inf, difference)
    return np.where(alike, 0.0, np.where(flat, infinite, difference / np.where(flat, 1.0, spread)))


def match(
    descriptors: Descriptors,
    natural: Collection[str],
    generated: Collection[str],
    alike: Sequence[str],
    near: Sequence[str] = (),
) -> Matching:
    """Return pairs of a natural and an AI-generated picture that are alike in these descriptors.

    The pairs are those with the least sum of squared standardised distances among those within calipers; then
    the pair that adds most to the largest difference between the kinds is given up until none is beyond
    `NOTABLE`. What codecs made of the pictures has no part in it.

    Args:
        descriptors: Of the pictures.
        natural: The natural pictures.
        generated: The AI-generated ones.
        alike: Names of descriptors, of which each must be within `CALIPER`.
        near: Others, whose root mean square must be within `CONTENT_CALIPER`.
    """
    from scipy.optimize import linear_sum_assignment

    sides = [sorted(picture for picture in side if descriptors.get(picture)) for side in (natural, generated)]
    total = len(natural) + len(generated)
    if min(map(len, sides)) < FEWEST_PAIRS:
        return Matching((), total)
    names, values = _table(descriptors, [*sides[0], *sides[1]])
    is_generated = np.arange(len(values)) >= len(sides[0])
    spread = _spread(values, is_generated)
    # A descriptor that varies in neither kind is met by equal values alone.
    scaled = values / np.where(spread > 0, spread, 1e-6)
    here, there = scaled[~is_generated], scaled[is_generated]
    strictly, nearly = ([names.index(name) for name in group if name in names] for group in (alike, near))
    squares = (here[:, None] - there[None]) ** 2
    apart = squares[..., [*strictly, *nearly]].sum(axis=2)
    allowed = (squares[..., strictly] <= CALIPER**2).all(axis=2)
    allowed &= squares[..., nearly].sum(axis=2) <= CONTENT_CALIPER**2 * len(nearly)
    rows, columns = linear_sum_assignment(np.where(allowed, apart, 1e9))
    kept = [(row, column) for row, column in zip(rows, columns, strict=True) if allowed[row, column]]
    kept = _balanced(kept, here[:, [*strictly, *nearly]], there[:, [*strictly, *nearly]])
    pairs = tuple((sides[0][row], sides[1][column]) for row, column in kept)
    enough = pairs if len(pairs) >= FEWEST_PAIRS else ()
    return Matching(enough, total - 2 * len(enough))


def _balanced(pairs: list[tuple[int, int]], here: FloatArray, there: FloatArray) -> list[tuple[int, int]]:
    """Return those pairs between whose sides no descriptor differs notably."""
    kept = list(pairs)
    while len(kept) >= FEWEST_PAIRS:
        apart = np.array([there[column] - here[row] for row, column in kept])
        values = np.concatenate([[here[row] for row, _ in kept], [there[column] for _, column in kept]])
        is_generated = np.arange(len(values)) >= len(kept)
        different = standardised(values, is_generated[None])[0]
        worst = int(np.argmax(np.abs(different)))
        if abs(different[worst]) <= NOTABLE:
            break
        kept.pop(int(np.argmax(apart[:, worst] * np.sign(different[worst]))))
    return kept


def _spread(values: FloatArray, is_generated: Mask) -> FloatArray:
    """Return the standard deviation within a kind, (descriptors,)."""
    sides = values[~is_generated], values[is_generated]
    variances = [side.var(axis=0, ddof=1) if len(side) > 1 else np.zeros(values.shape[1]) for side in sides]
    return np.sqrt((variances[0] + variances[1]) / 2)


def _table(descriptors: Descriptors, pictures: Sequence[str]) -> tuple[list[str], FloatArray]:
    """Return the names that every picture has a value of, and the values: (pictures, descriptors)."""
    common = set.intersection(*(set(descriptors[picture]) for picture in pictures))
    names = [name for name in descriptors[pictures[0]] if name in common]
    values = [[descriptors[picture][name] for name in names] for picture in pictures]
    return names, np.array(values, dtype=np.float64).reshape(len(pictures), len(names))


def _overlap(here: FloatArray, there: FloatArray) -> float:
    shared = [((own >= other.min()) & (own <= other.max())) for own, other in ((here, there), (there, here))]
    return float(np.concatenate(shared).mean())
