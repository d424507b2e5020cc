"""Split a study's stimuli by kind of picture and by rate, so that metrics are judged on each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..scale.models import FloatArray
from ..scale.pair_counts import Tally

BoolArray: TypeAlias = NDArray[np.bool_]
Group = TypeVar("Group")


@dataclass(frozen=True, slots=True)
class RateBand:
    """A range of bits per pixel."""

    low: float | None
    """None: from 0; this rate belongs to the band."""
    high: float | None
    """None: without end; this rate does not."""

    @property
    def title(self) -> str:
        """The band in words."""
        if self.low is None:
            return f"below {self.high:g} bpp"
        return f"{self.low:g} bpp and more" if self.high is None else f"{self.low:g} to {self.high:g} bpp"


EDGES = (0.18, 0.36, 0.65)
"""Bits per pixel, between the rates that studies aim at (0.06, 0.12, 0.25, 0.5, 0.75, 1), so that pictures
matched to one rate within 10 % stay together."""
BANDS = tuple(RateBand(low, high) for low, high in zip((None, *EDGES), (*EDGES, None), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class StimulusPart:
    """Some of a study's stimuli."""

    kind: str | None
    """Of the pictures; None: all."""
    band: RateBand | None
    """Of the stimuli's rates; None: all."""
    stimuli: BoolArray
    """Shape (pictures, conditions), in the order of the tally."""


def whole(counted: Tally) -> StimulusPart:
    """Return everything as one part."""
    return StimulusPart(None, None, np.ones((len(counted.pictures), len(counted.pairs.conditions)), np.bool_))


def parts_of(
    counted: Tally,
    kinds: Mapping[str, str] | None,
    rates: Mapping[tuple[str, str], float] | None,
    uncoded: Sequence[str] = (),
) -> tuple[StimulusPart, ...]:
    """Return the parts by kind, by band of rates, and by both; none where there is one of each.

    Args:
        counted: Votes.
        kinds: Of each picture, such as natural; None where they are unknown or all alike.
        rates: Bits per pixel by (picture, condition); who has none is in no band.
        uncoded: Conditions that go with every rate, such as the hidden original.
    """
    everything = whole(counted).stimuli
    by_kind: list[tuple[str | None, BoolArray]] = [(None, everything)]
    if kinds is not None:
        own = np.array([kinds[picture] for picture in counted.pictures])
        by_kind += [(str(kind), everything & (own == kind)[:, None]) for kind in np.unique(own)]
    by_band: list[tuple[RateBand | None, BoolArray]] = [(None, everything)]
    if rates is not None:
        by_band += _bands(counted, rates, uncoded)
    return tuple(
        StimulusPart(kind, band, of_kind & in_band)
        for kind, of_kind in _several(by_kind)
        for band, in_band in _several(by_band)
        if kind is not None or band is not None
    )


def _several(groups: list[Group]) -> list[Group]:
    """Return everything and its groups, or only everything where there is one group."""
    return groups if len(groups) > 2 else groups[:1]


def _bands(
    counted: Tally, rates: Mapping[tuple[str, str], float], uncoded: Sequence[str]
) -> list[tuple[RateBand, BoolArray]]:
    names = counted.pairs.conditions
    rate: FloatArray = np.array(
        [[rates.get((picture, name), np.nan) for name in names] for picture in counted.pictures], np.float64
    )
    always = np.array([name in uncoded for name in names], np.bool_)
    bands: list[tuple[RateBand, BoolArray]] = []
    for band in BANDS:
        inside = (rate >= (band.low or 0.0)) & (rate < (band.high or np.inf))
        if inside.any():
            bands.append((band, inside | always))
    return bands
