"""Compare a codec that has one setting with the curves of the others, at the bytes it spends on each picture.

A curve needs two settings, so BD-rate says nothing of such a codec. Its point on each picture can still be
held against another codec's curve of the same picture, read at the same bits per pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..records.rows import MetricRow
from .bootstrap import Resampling, usual_resampling
from .codec_grids import Comparison, ScoredGrid
from .curve_batches import LEAST_POINTS
from .curves import ONE_POINT, FloatArray, Method, from_quality
from .intervals import SIGNIFICANCE, Interval, Tested, holm
from .leaderboard import LOSSLESS
from .mean_curves import at_least_half
from .readings import CleanCurves, curves_of, qualities_at_rate
from .significance import Verdict, mean_tests

Mask = NDArray[np.bool_]

TIE = 1e-9
"""Scores that differ by less than this share of their size are equal: a curve read at one of its own points
comes back with the last digits rounded."""


@dataclass(frozen=True, slots=True)
class Reach:
    """On how many of a codec's pictures another codec's curve goes down and up to the codec's own bytes.

    The counts after the first two say why there is no reading on the rest; all but the first add up to it.
    """

    of_pictures: int
    """Pictures on which the codec has a score of the setting and did not come back identical."""
    compared: int
    """The other codec's curve of the picture is read at the codec's own rate."""
    below: int
    """The own rate is below the cheapest point of the other's curve."""
    above: int
    """The own rate is above the dearest point of the other's curve."""
    other_lossless: int
    """The other codec returns the picture identical for no more than the own bytes."""
    other_without_curve: int
    """The other codec has fewer than two points on the picture."""
    other_without_score: int
    """The other codec has no score of the picture."""


@dataclass(frozen=True, slots=True)
class OwnRateRow:
    """One setting of a codec against one other codec, at the setting's own bytes."""

    codec_id: str
    setting: float
    bits_per_pixel: float | None
    """Mean over the pictures of `Reach.of_pictures`; None where there are none."""
    lossless: int
    """Pictures that the codec itself returned identical: in no count of `reach`."""
    without_score: int
    """Pictures that the codec coded at this setting and that have no score: in no count of `reach`."""
    against_id: str
    reach: Reach
    mean_difference: float | None
    """Mean over pictures of the codec's score minus the other's, on the metric's own scale."""
    median_difference: float | None
    interval: Interval
    """Of the mean difference."""
    wins: int
    """Pictures on which the codec has the better score, whichever way the metric runs."""
    losses: int
    p_value: float | None
    """Two-sided, of the mean difference being zero, after Holm's correction for the codecs that the setting
    is compared with; None without an interval."""
    verdict: Verdict | None
    """``better``: the better mean score, significant at 5 %."""
    reason: str | None = None
    """Why there is no difference."""


@dataclass(frozen=True, slots=True, eq=False)
class _OwnPoints:
    """A setting's own points; arrays of shape (pictures,) with one element for each picture of `Reach`."""

    codec_id: str
    setting: float
    pictures: Sequence[str]
    rates: FloatArray
    scores: FloatArray
    lossless: int
    without_score: int


@dataclass(frozen=True, slots=True, eq=False)
class _Rival:
    """Another codec's curves; arrays with one element for each of its pictures."""

    codec_id: str
    scored: ScoredGrid
    curves: CleanCurves
    has_score: Mask
    lossless_rates: FloatArray
    """Cheapest rate at which the picture comes back identical; infinite where none does."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pairing:
    """A setting and another codec, with the differences on the pictures where both have a score."""

    own: _OwnPoints
    against_id: str
    reach: Reach
    differences: FloatArray
    """Shape (compared pictures,); the codec's score minus the other's."""
    reason: str | None


def codecs_without_curve(comparison: Comparison, metric: MetricRow, method: Method = "pchip") -> list[str]:
    """Return the ids of the compared codecs whose mean curve has too few points for a BD-rate.

    Args:
        comparison: The codecs' mean curves under ``metric``.
        metric: The metric of the comparison.
        method: The interpolation, which decides how many points a BD-rate needs.
    """
    points = {codec_id: curve.curve(metric).points for codec_id, curve in comparison.curves.items()}
    return [codec_id for codec_id, count in points.items() if 0 < count < LEAST_POINTS[method]]


def own_rate_rows(
    comparison: Comparison,
    metric: MetricRow,
    codec_ids: Iterable[str],
    resampling_of: Callable[[int], Resampling] = usual_resampling,
) -> list[OwnRateRow]:
    """Return how each setting of some codecs compares with every other codec, at the setting's own bytes.

    On each picture the other codec's curve is the one that BD-rate sees, read by PCHIP of quality over log
    rate at the rate that the setting has on this picture, and never extrapolated. A pair has a difference
    where the other codec reaches the own bytes on at least half of the pictures; only those are resampled.

    Args:
        comparison: The codecs' scores under ``metric``, seeds averaged.
        metric: The metric of the comparison.
        codec_ids: Codecs whose settings are compared, each with every other codec of the comparison.
        resampling_of: Returns the resamples of a number of pictures.

    Returns:
        A row for each codec, setting of its ladder and other codec, in the order of ``comparison.codecs``.
    """
    wanted = set(codec_ids)
    order = [codec.codec_id for codec in comparison.codecs]
    rivals = [_rival(codec_id, comparison.grids[codec_id], metric) for codec_id in order]
    families = [
        [_pairing(own, rival, metric) for rival in rivals if rival.codec_id != codec_id]
        for codec_id in order
        if codec_id in wanted
        for own in _own_points(codec_id, comparison.grids[codec_id])
    ]
    tests = iter(_tests([pairing for family in families for pairing in family], resampling_of))
    return [row for family in families for row in _rows(family, list(islice(tests, len(family))), metric)]


def _own_points(codec_id: str, scored: ScoredGrid) -> list[_OwnPoints]:
    names = np.array(list(scored.grid.rows), dtype=object)
    points: list[_OwnPoints] = []
    for column in scored.ladder:
        known, scores = scored.known[:, column], scored.scores[:, column]
        measured, lossy = scored.grid.measured[:, column], np.isfinite(scores)
        points.append(
            _OwnPoints(
                codec_id,
                float(scored.grid.settings[column]),
                list(names[lossy]),
                scored.grid.rates[lossy, column],
                scores[lossy],
                int(np.count_nonzero(known & ~lossy)),
                int(np.count_nonzero(measured & ~known)),
            )
        )
    return points


def _rival(codec_id: str, scored: ScoredGrid, metric: MetricRow) -> _Rival:
    lossless = scored.known & ~np.isfinite(scored.scores)
    return _Rival(
        codec_id,
        scored,
        curves_of(scored, metric),
        scored.known.any(axis=1),
        np.where(lossless, scored.grid.rates, np.inf).min(axis=1),
    )


def _pairing(own: _OwnPoints, rival: _Rival, metric: MetricRow) -> _Pairing:
    rows = np.array([rival.scored.grid.rows.get(name, -1) for name in own.pictures], dtype=np.int64)
    present = rows >= 0
    has_score = present & rival.has_score[rows]
    lossless = has_score & (rival.lossless_rates[rows] <= own.rates)
    curve = has_score & ~lossless & (rival.curves.points[rows] > 1)
    qualities = _read_at(rival.curves, rows[curve], own.rates[curve])
    read = np.isfinite(qualities)
    below = own.rates[curve] < rival.curves.rates[rows[curve], 0]
    scores = own.scores[curve][read]
    others = [from_quality(metric.curve_scale, metric.better, float(quality)) for quality in qualities[read]]
    differences = score_differences(scores, np.array(others, dtype=np.float64))
    reach = Reach(
        of_pictures=len(rows),
        compared=len(differences),
        below=int(np.count_nonzero(below)),
        above=int(np.count_nonzero(~read & ~below)),
        other_lossless=int(np.count_nonzero(lossless)),
        other_without_curve=int(np.count_nonzero(has_score & ~lossless & ~curve)),
        other_without_score=int(np.count_nonzero(~has_score)),
    )
    return _Pairing(own, rival.codec_id, reach, differences, _reason(reach, rival, metric))


def _read_at(curves: CleanCurves, rows: NDArray[np.int64], rates: FloatArray) -> FloatArray:
    """Return the qualities of some of the curves, each at a rate of its own."""
    at = np.full(len(curves.points), np.nan)
    at[rows] = rates
    return qualities_at_rate(curves, at)[rows]


def score_differences(own: FloatArray, other: FloatArray) -> FloatArray:
    """Return the differences of scores; zero where only rounding makes one."""
    return np.where(np.isclose(own, other, rtol=TIE, atol=0.0), 0.0, own - other)


def _reason(reach: Reach, rival: _Rival, metric: MetricRow) -> str | None:
    """Return why a pair has no difference: it needs half of the pictures, as every comparison does."""
    if not reach.of_pictures:
        return LOSSLESS
    if reach.compared and at_least_half(reach.compared, reach.of_pictures):
        return None
    if not rival.has_score.any():
        return f"no {metric.name} yet"
    most_points = rival.curves.points.max()
    if most_points < 2:
        return ONE_POINT if most_points else LOSSLESS
    return f"{reach.compared} of {reach.of_pictures} pictures"


def _tests(pairings: Sequence[_Pairing], resampling_of: Callable[[int], Resampling]) -> list[Tested]:
    """Return the interval and test of each pair's mean, or the pair's reason for none."""
    compared = [pairing.differences[: 0 if pairing.reason else None] for pairing in pairings]
    return [
        test if pairing.reason is None else Tested(Interval(None, None, pairing.reason), None)
        for pairing, test in zip(pairings, mean_tests(compared, resampling_of), strict=True)
    ]


def _rows(family: Sequence[_Pairing], tests: Sequence[Tested], metric: MetricRow) -> list[OwnRateRow]:
    """Return the rows of one setting, whose tests are corrected together."""
    adjusted = holm([test.p_value for test in tests])
    return [
        _row(pairing, test.interval, p_value, metric)
        for pairing, test, p_value in zip(family, tests, adjusted, strict=True)
    ]


def _row(pairing: _Pairing, interval: Interval, p_value: float | None, metric: MetricRow) -> OwnRateRow:
    own, differences = pairing.own, pairing.differences
    if pairing.reason is not None:
        differences = differences[:0]
    gains = differences if metric.better == "higher" else -differences
    return OwnRateRow(
        own.codec_id,
        own.setting,
        float(own.rates.mean()) if len(own.rates) else None,
        own.lossless,
        own.without_score,
        pairing.against_id,
        pairing.reach,
        float(differences.mean()) if len(differences) else None,
        float(np.median(differences)) if len(differences) else None,
        interval,
        int(np.count_nonzero(gains > 0)),
        int(np.count_nonzero(gains < 0)),
        p_value,
        verdict_of_gains(gains, p_value),
        pairing.reason,
    )


def verdict_of_gains(gains: FloatArray, p_value: float | None) -> Verdict | None:
    """Return what the test of a mean gain shows; above zero is better."""
    if p_value is None:
        return None
    if p_value >= SIGNIFICANCE:
        return "not shown"
    return "better" if gains.mean() > 0 else "worse"
