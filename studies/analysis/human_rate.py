"""Compute rate savings at equal human quality: BD-rate on the JOD scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...bench.analysis.curves import BdRate, bd_rate
from ..scale.connectivity import linked_pictures
from ..scale.fit import Fit
from ..scale.models import FloatArray
from ..scale.pair_counts import Tally
from ..scale.resampling import Draws, interval
from ..scale.scale_results import ScaleError


@dataclass(frozen=True, slots=True)
class CodedCondition:
    """A condition that is a codec at a rate."""

    condition: str
    codec: str
    bits_per_pixel: Mapping[str, float]
    """By picture."""


@dataclass(frozen=True, slots=True)
class HumanBdRate:
    """A codec's rate at equal human quality against an anchor, or the reason why there is none."""

    codec: str
    anchor: str
    bd_rate: BdRate
    """Of the curves of the pooled scale over mean bits per pixel; qualities in the scale's unit."""
    low: float | None
    """95 % interval by rater x picture, percent; None where fewer than 95 % of the resamples have one."""
    high: float | None
    resamples: int
    undefined: int
    """Resamples whose curves share no range of quality; they are not in the interval."""


def human_bd_rates(
    fitted: Fit, draws: Draws | None, counted: Tally, coded: Sequence[CodedCondition], anchor: str
) -> tuple[HumanBdRate, ...]:
    """Return the BD-rate of every other codec against the anchor codec, by name.

    Refused, with the reason, unless in every picture the votes on that picture link all of the two codecs'
    rates: else how far apart the rates are would be borrowed from other pictures.

    Args:
        fitted: The pooled scale.
        draws: Its resamples, of which only those by rater x picture give an interval.
        counted: The votes behind both.
        coded: The conditions that are codecs at rates; others may serve as links.
        anchor: Codec.

    Raises:
        ScaleError: The anchor has no condition, or a rate is missing.
    """
    codecs = sorted({condition.codec for condition in coded})
    if anchor not in codecs:
        raise ScaleError(f"expected the anchor among {', '.join(codecs)}; got {anchor!r}")
    curves = {name: _conditions(fitted, counted, coded, name) for name in codecs}
    return tuple(
        _against(fitted, draws, counted, (anchor, curves[anchor]), (name, curves[name]))
        for name in codecs
        if name != anchor
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Codec:
    places: list[int]
    rates: FloatArray
    """Shape (conditions, pictures), bits per pixel."""


def _conditions(fitted: Fit, counted: Tally, coded: Sequence[CodedCondition], codec: str) -> _Codec:
    names = fitted.problem.pairs.conditions
    mine = [condition for condition in coded if condition.codec == codec and condition.condition in names]
    for condition in mine:
        if missing := [picture for picture in counted.pictures if picture not in condition.bits_per_pixel]:
            raise ScaleError(
                f"expected a rate of {condition.condition!r} for picture {missing[0]!r}; there is none"
            )
    rates = [[condition.bits_per_pixel[picture] for picture in counted.pictures] for condition in mine]
    return _Codec(
        [names.index(condition.condition) for condition in mine], np.array(rates).reshape(len(mine), -1)
    )


def _against(
    fitted: Fit,
    draws: Draws | None,
    counted: Tally,
    anchor: tuple[str, _Codec],
    test: tuple[str, _Codec],
) -> HumanBdRate:
    if reason := _refusal(fitted, counted, anchor[1], test[1]):
        return HumanBdRate(test[0], anchor[0], BdRate(None, reason), None, None, 0, 0)
    scale = fitted.problem.model.per_unit
    even = np.ones(len(counted.pictures))
    whole = _bd_rate(fitted.values * scale, even, anchor[1], test[1])
    if draws is None or draws.pictures is None or whole.percent is None:
        return HumanBdRate(test[0], anchor[0], whole, None, None, 0, 0)
    drawn = [
        _bd_rate(values[:-2] * scale, weight, anchor[1], test[1]).percent
        for values, weight in zip(draws.parameters, draws.pictures, strict=True)
    ]
    known = np.array([np.log1p(percent / 100.0) for percent in drawn if percent is not None])
    undefined = len(drawn) - len(known)
    low = high = None
    if len(known) >= 0.95 * len(drawn):
        low, high = (100.0 * float(np.expm1(bound)) for bound in interval(known, draws.clusters))
    return HumanBdRate(test[0], anchor[0], whole, low, high, len(drawn), undefined)


def _bd_rate(values: FloatArray, pictures: FloatArray, anchor: _Codec, test: _Codec) -> BdRate:
    weight = pictures / pictures.sum()
    return bd_rate(anchor.rates @ weight, values[anchor.places], test.rates @ weight, values[test.places])


def _refusal(fitted: Fit, counted: Tally, anchor: _Codec, test: _Codec) -> str | None:
    """Return why the scale cannot compare the two codecs' rates picture by picture, or None."""
    wanted = np.zeros((len(counted.pictures), len(fitted.problem.pairs.conditions)), bool)
    wanted[:, [*anchor.places, *test.places]] = True
    kept = np.isin(counted.outcome, fitted.problem.model.outcomes)
    pair = counted.pair[kept]
    first, second = counted.pairs.first[pair], counted.pairs.second[pair]
    broken = linked_pictures(counted.picture[kept], first, second, wanted)
    if not broken:
        return None
    names = ", ".join(counted.pictures[picture] for picture in broken[:3])
    more = f" and {len(broken) - 3} more" if len(broken) > 3 else ""
    return f"votes on {names}{more} do not link all rates of the two codecs: add linking pairs"
