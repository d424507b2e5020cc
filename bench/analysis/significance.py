"""Test codecs against an anchor and against each other, and put intervals on points of their curves."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from ..records.rows import MetricRow
from .bootstrap import Resampling, Sample, usual_resampling
from .codec_grids import Comparison, PictureTable
from .curve_batches import CurveBatch, log_rate_differences
from .curves import NO_OVERLAP, FloatArray, Method, to_quality
from .intervals import SIGNIFICANCE, Interval, Tested, bounded_interval, holm, interval, zero_test

Verdict = Literal["better", "worse", "not shown"]
"""``better``: fewer bits at equal score, significant at 5 % after Holm's correction."""


NO_INTERVAL = Interval(None, None)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Interval, p-value and verdict of one BD-rate."""

    interval: Interval
    """Of the headline, percent."""
    mean_of_pictures: Interval
    """Of the mean of the BD-rates of single pictures, percent."""
    p_value: float | None
    """Two-sided, after Holm's correction for the number of codecs; None without an interval."""
    verdict: Verdict | None
    quality: Interval = NO_INTERVAL
    """Of the mean difference in quality at equal rate, on the scale of the curves."""


@dataclass(frozen=True, slots=True)
class RankRange:
    """A codec's rank among the compared ones, and its range of ranks over resamples of the pictures."""

    rank: int
    """1 needs fewest bits."""
    low: int
    """95 % of the resamples have it at this place or a later one, and at `high` or an earlier one."""
    high: int
    first_share: float
    """In how many resamples it is first, 0 to 1."""


@dataclass(frozen=True, slots=True)
class HeadToHead:
    """One codec against another one."""

    test_id: str
    anchor_id: str
    percent: float | None
    """BD-rate of the mean curves."""
    interval: Interval
    wins: int
    """Pictures on which the test codec needs fewer bits."""
    losses: int
    pictures: int
    """Pictures on which the two curves share a range of quality."""
    p_value: float | None
    """After Holm's correction for the number of pairs."""
    verdict: Verdict | None

    def turned(self) -> HeadToHead:
        """Return the same comparison as the other codec sees it."""
        ends = self.interval
        if ends.low is not None and ends.high is not None:
            ends = Interval(_opposite(ends.high), _opposite(ends.low))
        percent = None if self.percent is None else _opposite(self.percent)
        opposite: dict[Verdict | None, Verdict | None] = {"better": "worse", "worse": "better"}
        verdict = opposite.get(self.verdict, self.verdict)
        return HeadToHead(
            self.anchor_id, self.test_id, percent, ends, self.losses, self.wins, self.pictures, self.p_value,
            verdict,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PointEvidence:
    """One point of a mean curve with the intervals of its two means."""

    setting: float
    bits_per_pixel: float
    rate_interval: Interval
    score: float
    score_interval: Interval


@dataclass(frozen=True, slots=True, eq=False)
class SharedPairs:
    """Codecs on the pictures that their mean curves share, and resamples of those."""

    tables: Mapping[str, PictureTable]
    """By codec id: values at the settings of the mean curve."""
    resampling: Resampling


class Paired:
    """All compared codecs under one metric, on the same resamples of their common pictures.

    Two codecs' mean curves are over those pictures that both have finite scores of. A picture that fewer than
    two codecs have a finite score of compares nothing, and is in no resample.

    Args:
        comparison: The codecs' scores and mean curves under ``metric``.
        metric: The metric of the comparison.
        method: How log rate is interpolated over quality for BD-rate.
        pictures: Hashes of some of the common pictures; None for all.
        resampling_of: Returns the resamples of a number of pictures, as the leaderboard's bootstrap does.
    """

    def __init__(
        self,
        comparison: Comparison,
        metric: MetricRow,
        method: Method = "pchip",
        pictures: Iterable[str] | None = None,
        resampling_of: Callable[[int], Resampling] = usual_resampling,
    ) -> None:
        self.codec_ids = [
            codec.codec_id for codec in comparison.codecs if codec.codec_id in comparison.curves
        ]
        self.method: Method = method
        self.metric = metric
        self._comparison = comparison
        self.pictures = self._scored(sorted(comparison.common if pictures is None else pictures))
        self.resampling = resampling_of(len(self.pictures))
        self._resampling_of = resampling_of
        self._means: dict[tuple[str, bool], CurveBatch] = {}
        self._singles: dict[str, CurveBatch] = {}
        self._against: dict[tuple[str, str, bool], Sample] = {}

    def against(self, anchor_id: str, test_id: str, *, jointly: bool = False) -> Sample:
        """Return the mean difference in log rate between two mean curves, over the pictures of both.

        Args:
            anchor_id: The codec that the difference is relative to.
            test_id: The codec to judge.
            jointly: Whether each draw is of the same resample of all pictures as other pairs' draws. Else
                the pictures of both are resampled alone, so that no third codec changes the interval.
        """
        pictures = self.pictures_of((anchor_id, test_id))
        key = anchor_id, test_id, jointly and len(pictures) < len(self.pictures)
        if key not in self._against:
            resampling = self._resampling_jointly(pictures) if key[2] else self._resampling_alone(pictures)
            anchor, test = (
                self._mean_curves(codec_id, pictures, resampling) for codec_id in (anchor_id, test_id)
            )
            self._against[key] = resampling.sample(log_rate_differences(anchor, test))
        return self._against[key]

    def quality_against(self, anchor_id: str, test_id: str) -> Sample:
        """Return the mean difference in quality at equal rate between two mean curves."""
        pictures = self.pictures_of((anchor_id, test_id))
        resampling = self._resampling_alone(pictures)
        anchor, test = (
            self._mean_curves(codec_id, pictures, resampling, over_rate=True)
            for codec_id in (anchor_id, test_id)
        )
        return resampling.sample(log_rate_differences(anchor, test))

    def pictures_of(self, codec_ids: Iterable[str]) -> frozenset[str]:
        """Return the pictures that the mean curves of all these codecs have finite scores of."""
        curves = self._comparison.curves
        return frozenset(self.pictures).intersection(*(curves[codec_id].pictures for codec_id in codec_ids))

    def of_pictures(self, anchor_id: str, test_id: str) -> FloatArray:
        """Return each picture's mean difference in log rate, shape (pictures,); NaN without shared range."""
        return log_rate_differences(self._picture_curves(anchor_id), self._picture_curves(test_id))

    def mean_of_pictures(self, anchor_id: str, test_id: str) -> Sample:
        """Return the mean of the single pictures' BD-rates, percent."""
        with np.errstate(over="ignore"):  # a cubic may swing anywhere
            percents: FloatArray = 100.0 * np.expm1(self.of_pictures(anchor_id, test_id))
        return self.resampling.sample(self.resampling.means_of_defined(percents))

    @property
    def shared(self) -> SharedPairs:
        """The codecs that can be drawn together, on the pictures that all of them have finite scores of."""
        shared = self._comparison.shared
        pictures = frozenset(self.pictures) & shared.pictures
        ids = [codec_id for codec_id in self.codec_ids if codec_id in shared.codec_ids]
        tables = {codec_id: self._mean_table(codec_id, pictures) for codec_id in ids} if pictures else {}
        return SharedPairs(tables, self._resampling_alone(pictures))

    def _scored(self, pictures: Sequence[str]) -> list[str]:
        """Return the pictures of which two codecs, or the only one, have some finite score."""
        count = np.zeros(len(pictures), dtype=np.int64)
        for codec_id in self.codec_ids:
            table = self._comparison.table(codec_id, pictures, self._comparison.settings(codec_id, pictures))
            count += np.isfinite(table.scores).any(axis=1)
        least = min(2, len(self.codec_ids))
        return [picture for picture, codecs in zip(pictures, count, strict=True) if codecs >= least]

    def _resampling_alone(self, pictures: frozenset[str]) -> Resampling:
        same = len(pictures) == len(self.pictures)
        return self.resampling if same else self._resampling_of(len(pictures))

    def _resampling_jointly(self, pictures: frozenset[str]) -> Resampling:
        return self.resampling.of_part(np.array([picture in pictures for picture in self.pictures], bool))

    def _mean_table(self, codec_id: str, pictures: frozenset[str]) -> PictureTable:
        """Return a codec's values at the settings of its mean curve, pictures in the order of all."""
        settings = [point.setting for point in self._comparison.curves[codec_id].points]
        names = [picture for picture in self.pictures if picture in pictures]
        return self._comparison.table(codec_id, names, settings)

    def _mean_curves(
        self, codec_id: str, pictures: frozenset[str], resampling: Resampling, *, over_rate: bool = False
    ) -> CurveBatch:
        key = codec_id, over_rate
        if resampling is self.resampling and key in self._means:
            return self._means[key]
        table = self._mean_table(codec_id, pictures)
        means = self._batch(resampling.means(table.rates), resampling.means(table.scores), over_rate)
        if resampling is self.resampling:  # nearly always: of all pictures
            self._means[key] = means
        return means

    def _picture_curves(self, codec_id: str) -> CurveBatch:
        if codec_id not in self._singles:
            settings = self._comparison.settings(codec_id, self.pictures)
            table = self._comparison.table(codec_id, self.pictures, settings)
            self._singles[codec_id] = self._batch(table.rates, table.scores)
        return self._singles[codec_id]

    def _batch(self, rates: FloatArray, scores: FloatArray, over_rate: bool = False) -> CurveBatch:
        qualities = to_quality(self.metric.curve_scale, self.metric.better, scores)
        return CurveBatch(rates, qualities, self.method, over_rate=over_rate)


def against_anchor(paired: Paired, anchor_id: str) -> dict[str, Evidence]:
    """Return the evidence beside every compared codec's BD-rate, by codec id; the anchor has none."""
    if not paired.pictures or anchor_id not in paired.codec_ids:
        return {}
    tests = [codec_id for codec_id in paired.codec_ids if codec_id != anchor_id]
    tested = [zero_test(paired.against(anchor_id, test)) for test in tests]
    adjusted = holm([test.p_value for test in tested])
    return {
        codec_id: Evidence(
            test.interval.through(percent),
            interval(paired.mean_of_pictures(anchor_id, codec_id)),
            p_value,
            verdict(test, p_value),
            interval(paired.quality_against(anchor_id, codec_id)),
        )
        for codec_id, test, p_value in zip(tests, tested, adjusted, strict=True)
    }


def rank_ranges(paired: Paired, anchor_id: str) -> dict[str, RankRange]:
    """Return every compared codec's place by BD-rate against the anchor, by codec id.

    Places are counted anew in every resample of the pictures, all codecs on the same one; those whose curve
    does not meet the anchor's have none.
    """
    if not paired.pictures or anchor_id not in paired.codec_ids:
        return {}
    samples = {codec_id: paired.against(anchor_id, codec_id, jointly=True) for codec_id in paired.codec_ids}
    ranked = [codec_id for codec_id, sample in samples.items() if np.isfinite(sample.estimate)]
    if len(ranked) < 2:
        return {}
    draws = np.stack(
        [np.concatenate([[samples[codec_id].estimate], samples[codec_id].draws]) for codec_id in ranked]
    )
    places = 1 + np.sum(draws[None] < draws[:, None], axis=1)
    known = np.isfinite(draws).all(axis=0)
    ranges: dict[str, RankRange] = {}
    for ranked_id, own in zip(ranked, places, strict=True):
        resampled = own[1:][known[1:]]
        low, high = np.quantile(resampled, [SIGNIFICANCE / 2, 1 - SIGNIFICANCE / 2], method="nearest")
        ranges[ranked_id] = RankRange(int(own[0]), int(low), int(high), float(np.mean(resampled == 1)))
    return ranges


def head_to_heads(paired: Paired) -> list[HeadToHead]:
    """Return the head-to-head of every two compared codecs, each pair once."""
    if not paired.pictures:
        return []
    pairs = list(combinations(paired.codec_ids, 2))
    samples = [paired.against(anchor_id, test_id) for test_id, anchor_id in pairs]
    tested = [zero_test(sample) for sample in samples]
    adjusted = holm([test.p_value for test in tested])
    return [_head_to_head(paired, *test) for test in zip(pairs, samples, tested, adjusted, strict=True)]


def win_matrix(pairs: Iterable[HeadToHead]) -> dict[tuple[str, str], HeadToHead]:
    """Return every head-to-head as each of its two codecs sees it, by (test id, anchor id)."""
    both_ways = [side for pair in pairs for side in (pair, pair.turned())]
    return {(side.test_id, side.anchor_id): side for side in both_ways}


def _head_to_head(
    paired: Paired, pair: tuple[str, str], sample: Sample, test: Tested, p_value: float | None
) -> HeadToHead:
    test_id, anchor_id = pair
    each = paired.of_pictures(anchor_id, test_id)
    defined = bool(np.isfinite(sample.estimate))
    ends = test.interval.through(percent) if defined else Interval(None, None, NO_OVERLAP)
    return HeadToHead(
        test_id,
        anchor_id,
        percent(sample.estimate) if defined else None,
        ends,
        int(np.count_nonzero(each < 0)),
        int(np.count_nonzero(each > 0)),
        int(np.count_nonzero(np.isfinite(each))),
        p_value,
        verdict(test, p_value),
    )


def point_evidence(paired: Paired) -> dict[str, list[PointEvidence]]:
    """Return the points of the mean curves that can be drawn together, with intervals, by codec id."""
    shared = paired.shared
    return {
        codec_id: _points(table, shared.resampling, paired.metric.perfect)
        for codec_id, table in shared.tables.items()
    }


def _points(table: PictureTable, resampling: Resampling, perfect: float | None) -> list[PointEvidence]:
    samples = resampling.sample
    rates, scores = (resampling.means(values) for values in (table.rates, table.scores))
    return [
        PointEvidence(
            setting,
            float(rates[0, column]),
            bounded_interval(samples(rates[:, column]), 0.0),
            float(scores[0, column]),
            interval(samples(scores[:, column]))
            if perfect is None
            else bounded_interval(samples(scores[:, column]), perfect),
        )
        for column, setting in enumerate(table.settings)
    ]


def mean_tests(
    differences: Sequence[FloatArray], resampling_of: Callable[[int], Resampling] = usual_resampling
) -> list[Tested]:
    """Return the interval and test of the mean of each array of differences, an element a picture.

    Means of equally many pictures are drawn from the same resamples.

    Args:
        differences: Each of shape (pictures,), of pictures of its own.
        resampling_of: Returns the resamples of a number of pictures.
    """
    tests = [Tested(Interval(None, None, "no pictures"), None) for _ in differences]
    places: dict[int, list[int]] = defaultdict(list)
    for place, of_pictures in enumerate(differences):
        if len(of_pictures):
            places[len(of_pictures)].append(place)
    for count, of_count in places.items():
        resampling = resampling_of(count)
        means = resampling.means(np.column_stack([differences[place] for place in of_count]))
        for column, place in enumerate(of_count):
            tests[place] = zero_test(resampling.sample(means[:, column]))
    return tests


def verdict(tested: Tested, p_value: float | None) -> Verdict | None:
    """Return what a test of a difference in log rate shows, given its corrected p-value."""
    if p_value is None or tested.interval.low is None or tested.interval.high is None:
        return None
    if p_value >= SIGNIFICANCE:
        return "not shown"
    return "better" if tested.interval.high + tested.interval.low < 0 else "worse"


def percent(log_difference: float) -> float:
    """Return a difference in log rate as a percentage of rate; infinite beyond all numbers."""
    with np.errstate(over="ignore"):
        return 100.0 * float(np.expm1(log_difference))


def _opposite(change: float) -> float:
    """Return the percentage seen from the other side: minus 50 becomes plus 100."""
    return 100.0 * (1 / (1 + change / 100) - 1) if change > -100 else math.inf
