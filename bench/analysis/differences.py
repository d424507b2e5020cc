"""Compare codecs with one of them at a rate or a score, picture by picture, where both reach it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..records.columns import FloatArray, ScoreColumn
from ..records.metric_facts import Direction
from ..records.rows import MetricRow
from .at_target import Entrant, Matched
from .bootstrap import Resampling, usual_resampling
from .codec_grids import scored
from .curves import from_quality, to_quality
from .intervals import Interval, holm
from .own_rate import score_differences, verdict_of_gains
from .readings import curves_of, qualities_at_rate, rates_at_quality
from .significance import Verdict, mean_tests


@dataclass(frozen=True, slots=True)
class Difference:
    """One codec against another at a rate or a score, on the pictures on which both reach it."""

    pictures: int
    mean: float | None
    """Of the codec's value minus the other's: a score on the metric's own scale, or a logarithm of rate."""
    interval: Interval
    """Of the mean."""
    wins: int
    """Pictures on which the codec is better."""
    losses: int
    p_value: float | None
    """Two-sided, of the mean being zero, after Holm's correction for all codecs that are compared with the
    other; None without an interval."""
    verdict: Verdict | None


def differences_at_rate(
    entered: Sequence[Entrant],
    column: ScoreColumn,
    metric: MetricRow,
    bits_per_pixel: float,
    against_id: str,
    resampling_of: Callable[[int], Resampling] = usual_resampling,
) -> dict[str, Difference]:
    """Return how every codec's scores at a rate differ from one codec's, on the pictures that both reach.

    Args:
        entered: All codecs, of `entrants`.
        column: The metric's scores.
        metric: The metric whose scores are compared.
        bits_per_pixel: The rate; searched settings stand for themselves, curves are read.
        against_id: Id of the codec that differences are from.
        resampling_of: Returns the resamples of a number of pictures.

    Returns:
        By codec id, without the other codec itself.
    """
    values = {
        entrant.grid.codec.codec_id: _scores_of_pictures(entrant, column, metric, bits_per_pixel)
        for entrant in entered
    }
    return _differences(values, against_id, metric.better, resampling_of)


def differences_at_score(
    entered: Sequence[Entrant],
    column: ScoreColumn,
    metric: MetricRow,
    score: float,
    against_id: str,
    resampling_of: Callable[[int], Resampling] = usual_resampling,
) -> dict[str, Difference]:
    """Return how every codec's log rate at a score differs from one codec's, on the pictures that both reach.

    Args:
        entered: All codecs, of `entrants`.
        column: The metric's scores.
        metric: The metric of the score.
        score: On the metric's own scale.
        against_id: Id of the codec that differences are from.
        resampling_of: Returns the resamples of a number of pictures.

    Returns:
        By codec id, without the other codec itself.
    """
    quality = float(to_quality(metric.curve_scale, metric.better, score))
    values = {
        entrant.grid.codec.codec_id: _log_rates_of_pictures(entrant, column, metric, quality)
        for entrant in entered
    }
    return _differences(values, against_id, "lower", resampling_of)


def differences_by_rate(
    entered: Sequence[Entrant],
    column: ScoreColumn,
    metric: MetricRow,
    rates: Sequence[float],
    pair: tuple[str, str],
    resampling_of: Callable[[int], Resampling] = usual_resampling,
) -> list[Difference]:
    """Return where, by rate, one codec's scores are better or worse than another one's.

    Args:
        entered: All codecs, of `entrants`, without searched settings.
        column: The metric's scores.
        metric: The metric whose scores are compared.
        rates: Bits per pixel; p-values are corrected for their number.
        pair: Ids of the codec to judge, and of the one that it is compared with.
        resampling_of: Returns the resamples of a number of pictures.

    Returns:
        A difference for each rate.
    """
    two = [entrant for entrant in entered if entrant.grid.codec.codec_id in pair]
    each = [differences_at_rate(two, column, metric, rate, pair[1], resampling_of)[pair[0]] for rate in rates]
    adjusted = holm([difference.p_value for difference in each])
    sign = 1.0 if metric.better == "higher" else -1.0
    return [
        replace(
            difference,
            p_value=p_value,
            verdict=verdict_of_gains(np.array([sign * (difference.mean or 0.0)]), p_value),
        )
        for difference, p_value in zip(each, adjusted, strict=True)
    ]


def _scores_of_pictures(
    entrant: Entrant, column: ScoreColumn, metric: MetricRow, bits_per_pixel: float
) -> dict[str, float]:
    matched_codec = entrant.matched
    if matched_codec is not None:
        return _by_picture(matched_codec, matched_codec.of(scored(matched_codec.grid, column).scores))
    qualities = qualities_at_rate(curves_of(scored(entrant.grid, column), metric), bits_per_pixel)
    return {
        picture: from_quality(metric.curve_scale, metric.better, float(quality))
        for picture, quality in zip(entrant.grid.rows, qualities, strict=True)
        if np.isfinite(quality)
    }


def _log_rates_of_pictures(
    entrant: Entrant, column: ScoreColumn, metric: MetricRow, quality: float
) -> dict[str, float]:
    matched_codec = entrant.matched
    if matched_codec is not None:
        return _by_picture(matched_codec, np.log(matched_codec.of(matched_codec.grid.rates)))
    rates = rates_at_quality(curves_of(scored(entrant.grid, column), metric), quality)
    return {
        picture: float(np.log(rate))
        for picture, rate in zip(entrant.grid.rows, rates, strict=True)
        if np.isfinite(rate)
    }


def _by_picture(matched_codec: Matched, values: FloatArray) -> dict[str, float]:
    names = list(matched_codec.grid.rows)
    return {
        names[row]: float(value)
        for row, value in zip(matched_codec.rows, values, strict=True)
        if np.isfinite(value)
    }


def _differences(
    values: Mapping[str, Mapping[str, float]],
    against_id: str,
    better: Direction,
    resampling_of: Callable[[int], Resampling],
) -> dict[str, Difference]:
    other = values.get(against_id, {})
    codec_ids = [codec_id for codec_id in values if codec_id != against_id]
    each: list[FloatArray] = []
    for codec_id in codec_ids:
        both = sorted(values[codec_id].keys() & other.keys())
        own, others = (
            np.array([of_codec[picture] for picture in both]) for of_codec in (values[codec_id], other)
        )
        each.append(score_differences(own, others))
    tests = mean_tests(each, resampling_of)
    adjusted = holm([test.p_value for test in tests])
    sign = 1.0 if better == "higher" else -1.0
    return {
        codec_id: Difference(
            len(own),
            float(own.mean()) if len(own) else None,
            test.interval,
            int(np.count_nonzero(sign * own > 0)),
            int(np.count_nonzero(sign * own < 0)),
            p_value,
            verdict_of_gains(sign * own, p_value),
        )
        for codec_id, own, test, p_value in zip(codec_ids, each, tests, adjusted, strict=True)
    }
