"""Test whether codecs compare differently on natural and on AI-generated pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.special import ndtri

from ..records.rows import MetricRow
from .affinity import Affinity, KindPictures, Origin, pictures_by_kind
from .bootstrap import Sample, usual_resampling
from .codec_grids import Comparison
from .coverage import find_codec
from .curves import NO_OVERLAP, FloatArray, Method
from .intervals import SIGNIFICANCE, Interval, Tested, holm, interval, zero_test
from .significance import Paired, percent

TOY_SET = "toy set: no natural/AI statement"
ALL_RELATED = "every AI-generated picture is of a compared codec's own generator: no natural/AI statement"
NONE_COMMON = "no AI-generated picture that all compared codecs finished: no natural/AI statement"
NO_NATURAL = "no natural picture that all compared codecs finished: no natural/AI statement"
TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, slots=True)
class Level:
    """A codec's BD-rate on the pictures of one level of the factor."""

    pictures: int
    percent: float | None
    interval: Interval


@dataclass(frozen=True, slots=True)
class KindRow:
    """One codec on natural and on AI-generated pictures."""

    codec_id: str
    label: str
    affinity: Affinity
    """Of the row's AI-generated pictures to the codec, or to the anchor where that is nearer."""
    natural: Level
    generated: Level
    difference: float | None = None
    """How much more rate AI-generated pictures cost the codec, relative to the anchor, than natural ones:
    the ratio of (1 + BD-rate), as a percentage."""
    interval: Interval | None = None
    p_value: float | None = None
    """Of no difference, two-sided, for all tested codecs at once; None for rows that are in no test."""


@dataclass(frozen=True, slots=True)
class Reversal:
    """Two codecs that stand in one order on natural pictures and in the other on AI-generated ones."""

    better_on_natural: str
    better_on_generated: str
    natural: float
    """Rate of the first in percent of the second's, minus 100, on natural pictures: negative."""
    generated: float
    """The same on AI-generated pictures: positive."""
    p_value: float | None
    """Of the order being one and the same, after Holm's correction for all pairs."""

    @property
    def shown(self) -> bool:
        """Whether the reversal is significant at 5 %."""
        return self.p_value is not None and self.p_value < SIGNIFICANCE


@dataclass(frozen=True, slots=True)
class Order:
    """Whether the order of the codecs depends on the kind of picture."""

    p_value: float
    """Of no codec's BD-rate depending on the kind."""
    codecs: int
    """The anchor among them."""
    tau: float
    """Kendall's correlation of the two orders: 1 for the same order, -1 for the opposite one."""
    tau_interval: Interval
    reversals: tuple[Reversal, ...]


@dataclass(frozen=True, slots=True)
class KindSplit:
    """Natural against AI-generated under one metric."""

    metric: MetricRow
    anchor: str
    anchor_id: str
    natural_pictures: int
    """Natural pictures that all compared codecs finished."""
    generated_pictures: int
    """AI-generated ones without affinity to any compared codec: those of the tests."""
    set_aside: int
    """AI-generated ones with one, or of a toy generator: in no test."""
    other_kinds: Mapping[str, int]
    """Common pictures that are neither, by kind: composite, drawn or of unknown origin; in no test."""
    of_pictures: int
    rows: tuple[KindRow, ...]
    not_compared: tuple[str, ...]
    """Labels of codecs that finished too few pictures."""
    order: Order | None
    statement: str | None
    """Why nothing is said about the kinds; None where something is."""


def split_by_kind(
    comparison: Comparison,
    origins: Iterable[Origin],
    metric: MetricRow,
    anchor: str,
    method: Method = "pchip",
) -> KindSplit:
    """Return every codec's BD-rate on natural and on AI-generated pictures, and the test of their difference.

    Pictures of a kind are resampled among themselves. Pictures that a compared codec's own generator made
    are in no test: its family's stand in rows of their own, and so do those of the very weights it holds.

    Args:
        comparison: The codecs' scores under ``metric``, of any number of image sets.
        origins: Who made each picture and who decodes it, for every codec and picture at least once.
        metric: The metric of the comparison.
        anchor: Label or id of the codec that BD-rates are relative to.
        method: How log rate is interpolated over quality for BD-rate.

    Raises:
        AnalysisError: A picture is of both kinds, or no codec has the anchor's name.
    """
    anchor_codec = find_codec(comparison.codecs, anchor)
    pictures = pictures_by_kind(origins, comparison, anchor_codec.codec_id)
    judge = _Judge(comparison, metric, method, anchor_codec.codec_id)
    natural, unrelated = judge.paired(pictures.natural, 1), judge.paired(pictures.unrelated, 2)
    statement = _statement(pictures)
    pairs = {
        codec_id: (judge.sample(natural, codec_id), judge.sample(unrelated, codec_id))
        for codec_id in judge.tested
    }
    tests = _tests(
        {
            codec_id: there.minus(here)
            for codec_id, (here, there) in pairs.items()
            if here and there and not statement and np.isfinite(there.estimate - here.estimate)
        }
    )
    rows = [
        _row(judge, codec_id, "none", (natural, unrelated), tests.get(codec_id)) for codec_id in judge.tested
    ] + [
        _row(judge, codec_id, near, (natural, judge.paired(chosen, 3)), None)
        for (codec_id, near), chosen in sorted(pictures.related.items())
    ]
    return KindSplit(
        metric,
        anchor_codec.label,
        anchor_codec.codec_id,
        len(pictures.natural),
        len(pictures.unrelated),
        len(pictures.generated - pictures.unrelated),
        pictures.others,
        comparison.of_pictures,
        tuple(sorted(rows, key=_place)),
        tuple(codec.label for codec in comparison.codecs if codec.codec_id not in comparison.curves),
        _order(judge, {test: pairs[test] for test in tests}, tests) if tests else None,
        statement,
    )


class _Judge:
    """Compares codecs with one anchor on any part of the common pictures."""

    def __init__(self, comparison: Comparison, metric: MetricRow, method: Method, anchor_id: str) -> None:
        self._comparison, self._metric = comparison, metric
        self._method: Method = method
        self.anchor_id = anchor_id
        self.labels = {codec.codec_id: codec.label for codec in comparison.codecs}
        compared = [codec.codec_id for codec in comparison.codecs if codec.codec_id in comparison.curves]
        self.tested = (
            [codec_id for codec_id in compared if codec_id != anchor_id] if anchor_id in compared else []
        )

    def paired(self, pictures: frozenset[str], stream: int) -> Paired | None:
        """Return the codecs on these pictures, of a stream of its own; None where they compare nothing."""
        if not pictures:
            return None
        paired = Paired(
            self._comparison, self._metric, self._method, pictures,
            lambda count: usual_resampling(count, stream),
        )  # fmt: skip
        return paired if paired.pictures else None

    def sample(self, paired: Paired | None, codec_id: str) -> Sample | None:
        """Return a codec's mean difference in log rate from the anchor."""
        return paired.against(self.anchor_id, codec_id, jointly=True) if paired else None

    def level(self, paired: Paired | None, codec_id: str) -> Level:
        """Return a codec's BD-rate on these pictures."""
        if paired is None:
            return Level(0, None, Interval(None, None, "no pictures"))
        sample = paired.against(self.anchor_id, codec_id)
        pictures = len(paired.pictures_of((self.anchor_id, codec_id)))
        if not np.isfinite(sample.estimate):
            return Level(pictures, None, Interval(None, None, NO_OVERLAP))
        return Level(pictures, percent(sample.estimate), interval(sample).through(percent))


@dataclass(frozen=True, slots=True)
class _Difference:
    estimate: float
    tested: Tested
    p_value: float | None


def _statement(pictures: KindPictures) -> str | None:
    """Return why there is no test of the kinds, or None where there is one."""
    if not pictures.natural:
        return NO_NATURAL
    if not pictures.generated:
        return NONE_COMMON
    if pictures.unrelated:
        return None
    own = [hashes for (_, near), hashes in pictures.related.items() if near == "same weights"]
    return TOY_SET if pictures.generated <= pictures.toy.union(*own) else ALL_RELATED


def _row(
    judge: _Judge,
    codec_id: str,
    near: Affinity,
    sides: tuple[Paired | None, Paired | None],
    difference: _Difference | None,
) -> KindRow:
    natural, generated = (judge.level(side, codec_id) for side in sides)
    row = KindRow(codec_id, judge.labels[codec_id], near, natural, generated)
    if difference is None:
        return row
    return replace(
        row,
        difference=percent(difference.estimate),
        interval=difference.tested.interval.through(percent),
        p_value=difference.p_value,
    )


def _tests(differences: Mapping[str, Sample]) -> dict[str, _Difference]:
    """Return the difference of each codec with a p-value that is corrected for all of them at once.

    Each is measured in standard deviations; its p-value is the share of resamples, moved to no difference,
    in which any codec's is as large. Codecs share their pictures, so that this loses less than Holm's.

    Source: Westfall and Young, "Resampling-based multiple testing" (1993), single-step maxT.
    """
    tested = {codec_id: zero_test(sample) for codec_id, sample in differences.items()}
    fit = [codec_id for codec_id, test in tested.items() if test.p_value is not None]
    largest = np.zeros(1)
    if fit:
        moved = [differences[codec_id].draws - np.nanmean(differences[codec_id].draws) for codec_id in fit]
        scaled = np.abs([draws / max(float(np.nanstd(draws)), TINY) for draws in moved])
        largest = np.nanmax(scaled, axis=0)
    return {
        codec_id: _Difference(
            sample.estimate, tested[codec_id], _corrected(tested[codec_id].p_value, largest)
        )
        for codec_id, sample in differences.items()
    }


def _corrected(p_value: float | None, largest: FloatArray) -> float | None:
    if p_value is None:
        return None
    distance = -float(ndtri(max(p_value, TINY) / 2))
    return (1 + int(np.count_nonzero(largest >= distance))) / (1 + len(largest))


def _order(
    judge: _Judge, pairs: Mapping[str, tuple[Sample | None, Sample | None]], tests: Mapping[str, _Difference]
) -> Order | None:
    """Return how far the order of the leaderboards of the two kinds agrees; the anchor stands at zero."""
    known = {codec_id: (here, there) for codec_id, (here, there) in pairs.items() if here and there}
    p_values = [test.p_value for test in tests.values() if test.p_value is not None]
    if not known or not p_values:
        return None
    sides = [{codec_id: pair[side] for codec_id, pair in known.items()} for side in (0, 1)]
    for side in sides:
        first = next(iter(side.values()))
        side[judge.anchor_id] = first.paired_minus(first)
    names = list(sides[0])
    couples = list(combinations(names, 2))
    differences = [
        (sides[0][a].paired_minus(sides[0][b]), sides[1][a].paired_minus(sides[1][b])) for a, b in couples
    ]
    agreement = [np.sign(here.draws) * np.sign(there.draws) for here, there in differences]
    tau = float(np.mean([np.sign(here.estimate) * np.sign(there.estimate) for here, there in differences]))
    # A correlation of orders takes few values and ends at 1: plain percentiles, no expansion.
    low, high = np.nanquantile(np.mean(agreement, axis=0), [SIGNIFICANCE / 2, 1 - SIGNIFICANCE / 2])
    return Order(
        min(p_values),
        len(names),
        tau,
        Interval(float(low), float(high)),
        _reversals(judge, couples, differences),
    )


def _reversals(
    judge: _Judge, couples: Sequence[tuple[str, str]], differences: Sequence[tuple[Sample, Sample]]
) -> tuple[Reversal, ...]:
    """Return the pairs whose order differs, surest first.

    A reversal is shown when both orders are: the larger one-sided p-value, after Holm's correction.

    Source: Gail and Simon, "Testing for qualitative interactions between treatment effects and patient
    subsets", Biometrics 41 (1985).
    """
    reversals: list[tuple[Reversal, float | None]] = []
    worst = [_both(here, there) for here, there in differences]
    for (first, second), (here, there), p_value in zip(couples, differences, holm(worst), strict=True):
        if here.estimate * there.estimate >= 0:
            continue
        sign = -1.0 if here.estimate > 0 else 1.0
        winner, loser = (second, first) if here.estimate > 0 else (first, second)
        gains = percent(sign * here.estimate), percent(sign * there.estimate)
        reversals.append((Reversal(judge.labels[winner], judge.labels[loser], *gains, p_value), p_value))
    reversals.sort(key=lambda pair: 2.0 if pair[1] is None else pair[1])
    return tuple(reversal for reversal, _ in reversals)


def _both(here: Sample, there: Sample) -> float | None:
    """Return the p-value of the order being the same on both sides; 1 where it looks the same."""
    if here.estimate * there.estimate >= 0:
        return 1.0
    p_values = zero_test(here).p_value, zero_test(there).p_value
    if p_values[0] is None or p_values[1] is None:
        return None
    return max(p_values[0], p_values[1]) / 2


def _place(row: KindRow) -> tuple[bool, float, str, str]:
    best = row.natural.percent
    return (best is None, best or 0.0, row.label, row.affinity)
