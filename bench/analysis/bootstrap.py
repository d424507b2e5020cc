"""Resample the pictures of a set, and average values of pictures over every resample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..records.columns import Mask
from .curves import FloatArray

RESAMPLES = 10_000
SEED = 20_010_402
"""Of every interval that is shown: the same rows always give the same digits."""


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that were resampled among themselves."""

    pictures: int
    variance: float
    """Of the statistic over their resamples."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A statistic of a set of pictures, and what it would have been on resamples of the set."""

    estimate: float
    """NaN where it is undefined."""
    draws: FloatArray
    """On each resample, shape (resamples,); NaN where it is undefined."""
    groups: tuple[Group, ...]

    def minus(self, other: Sample) -> Sample:
        """Return the difference from the statistic of other pictures, resampled independently."""
        groups = (*self.groups, *other.groups)
        return Sample(self.estimate - other.estimate, self.draws - other.draws, groups)

    def paired_minus(self, other: Sample) -> Sample:
        """Return the difference from another statistic of the same pictures in the same resamples."""
        draws = self.draws - other.draws
        return Sample(
            self.estimate - other.estimate, draws, (Group(self.groups[0].pictures, _variance(draws)),)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """How often each picture counts: in the set itself and in each of its resamples.

    All codecs and metrics of one question share one object: that is what pairs them by picture.
    """

    weights: FloatArray
    """Shape (1 + resamples, pictures); rows sum to 1; the first is the set itself."""

    @property
    def pictures(self) -> int:
        """How many pictures the set has."""
        return self.weights.shape[1]

    def means(self, values: FloatArray) -> FloatArray:
        """Return means over pictures, shape (1 + resamples, settings), of values (pictures, settings)."""
        return self.weights @ values

    def means_of_defined(self, values: FloatArray) -> FloatArray:
        """Return means, shape (1 + resamples,), over those of the values (pictures,) that are not NaN."""
        defined = np.isfinite(values)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self.weights @ np.where(defined, values, 0.0)) / (self.weights @ defined.astype(float))

    def of_part(self, chosen: Mask) -> Resampling:
        """Return the same resamples of some of the pictures alone; NaN where a resample holds none of them.

        Args:
            chosen: Which pictures, shape (pictures,).
        """
        if chosen.all():
            return self
        weights = self.weights[:, chosen]
        with np.errstate(invalid="ignore", divide="ignore"):
            return Resampling(weights / weights.sum(axis=1, keepdims=True))

    def sample(self, statistic: FloatArray) -> Sample:
        """Return a statistic of shape (1 + resamples,) with its estimate and its draws apart."""
        draws = statistic[1:]
        return Sample(float(statistic[0]), draws, (Group(self.pictures, _variance(draws)),))


def resample(pictures: int, random: np.random.Generator, resamples: int = RESAMPLES) -> Resampling:
    """Return resamples of a set: each draws as many pictures as there are, with replacement.

    Source: Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7 (1979).

    Args:
        pictures: How many pictures the set has; resamples of none hold none.
        random: Source of the draws; equal states give equal resamples.
        resamples: How many sets to draw; the first row of weights, the set itself, comes on top.
    """
    if not pictures:
        return Resampling(np.zeros((1 + resamples, 0)))
    counts = random.multinomial(pictures, np.full(pictures, 1 / pictures), resamples)
    return Resampling(np.vstack([np.full((1, pictures), 1 / pictures), counts / pictures]))


def set_itself(pictures: int) -> Resampling:
    """Return the set alone, without resamples: for values that are shown without an interval."""
    return Resampling(np.full((1, pictures), 1 / max(pictures, 1)))


@lru_cache(maxsize=1)  # the metrics of a table have one after the other the same; 1,000 pictures take 80 MB
def usual_resampling(pictures: int, stream: int = 0) -> Resampling:
    """Return the resamples behind every interval that is shown; those of two streams are independent."""
    return resample(pictures, np.random.default_rng([SEED, stream]))


def _variance(draws: FloatArray) -> float:
    defined = draws[np.isfinite(draws)]
    return float(defined.var()) if len(defined) else 0.0
