"""Compare codecs pair by pair: wins over pictures, the Pareto front, and points with intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from ...bench.analysis.codec_grids import Comparison
from ...bench.analysis.coverage import AnalysisError
from ...bench.analysis.curves import Method
from ...bench.analysis.intervals import Interval
from ...bench.analysis.pareto import ParetoPoint, pareto_points
from ...bench.analysis.significance import HeadToHead, Paired, point_evidence, win_matrix
from ...bench.records.rows import MetricRow
from ...bench.store.timings import TimingRow
from . import digits
from .evidence import MARKS, AnswerCache, all_head_to_heads
from .reasons import curve_notes, shared_notes
from .selection import Selection
from .table import Column, Entry, Row, Table

CODEC = Column("Codec", numeric=False)


def comparison_tables(
    selection: Selection,
    metric: MetricRow,
    timings: Sequence[TimingRow] = (),
    *,
    method: Method = "pchip",
    points: bool = False,
    derived: AnswerCache | None = None,
) -> list[Table]:
    """Return the win matrix and the Pareto front of one metric; every point as well where asked for.

    Args:
        selection: The pictures and codecs to compare.
        metric: The quality axis of the curves.
        timings: Rows of the timing pass; with them, decode time is a third criterion of the Pareto front.
        method: How curves are interpolated over log rate.
        points: Whether a third table lists every point of the curves with its intervals.
        derived: Keeps the tests; without it they are computed anew, which takes seconds.

    Raises:
        AnalysisError: No picture was finished by all codecs.
    """
    comparison = selection.comparison(metric)
    if not comparison.common:
        raise AnalysisError(
            f"no picture of {selection.image_set} has {metric.name} scores of all compared codecs"
        )
    tables = [
        win_table(
            selection, metric, comparison, all_head_to_heads(selection, comparison, metric, method, derived)
        ),
        pareto_table(selection, metric, comparison, timings),
    ]
    return [*tables, points_table(selection, metric, comparison)] if points else tables


def win_table(
    selection: Selection, metric: MetricRow, comparison: Comparison, head_to_heads: Sequence[HeadToHead]
) -> Table:
    """Return on how many pictures each codec needs fewer bits than each other one, best codec first.

    Args:
        selection: Names the table.
        metric: The quality axis of the curves.
        comparison: Of the same selection and metric.
        head_to_heads: Of every two codecs with a curve; a pair that is missing shows a dot.
    """
    matrix = win_matrix(head_to_heads)
    order = sorted(comparison.curves, key=lambda curve: _standing(curve, matrix), reverse=True)
    labels = _labels(comparison)
    columns = (CODEC, *(Column(str(place), help=labels[codec_id]) for place, codec_id in enumerate(order, 1)))
    rows = tuple(
        Row(
            (
                Entry(f"{place} {labels[codec_id]}"),
                *(_wins_entry(matrix.get((codec_id, other)), comparison) for other in order),
            ),
            {
                "codec": labels[codec_id],
                "codec_id": codec_id,
                "against": [
                    _wins_record(matrix[codec_id, other], labels) for other in order if other != codec_id
                ],
            },
        )
        for place, codec_id in enumerate(order, 1)
    )
    pictures = digits.counted(len(comparison.common), "picture")
    notes = [
        f"Pictures, of the {pictures} that all compared codecs finished, on which the row's codec needs "
        "fewer bits than the column's at equal score (BD-rate of the picture's own curves).",
        "▼ fewer, ▲ more bits over all pictures (BD-rate of the mean curves), significant at 5 % after "
        "Holm's correction for all pairs. The interval of each pair: --json.",
        *curve_notes(comparison, selection.picture_names),
        *_absent(comparison),
    ]
    return Table(f"Wins by {selection.title(metric)} · {selection.image_set}", columns, rows, tuple(notes))


def _standing(codec_id: str, matrix: Mapping[tuple[str, str], HeadToHead]) -> tuple[int, int]:
    own = [pair for (test_id, _), pair in matrix.items() if test_id == codec_id]
    shown = sum((pair.verdict == "better") - (pair.verdict == "worse") for pair in own)
    return shown, sum(pair.wins - pair.losses for pair in own)


def _wins_entry(pair: HeadToHead | None, comparison: Comparison) -> Entry:
    if pair is None:
        return Entry("·")
    if not pair.pictures:
        return Entry(digits.EMPTY)
    some = "" if pair.pictures == len(comparison.common) else f"/{pair.pictures}"
    return Entry(f"{pair.wins}{some}{MARKS[pair.verdict]}", pair.wins / pair.pictures)


def _wins_record(pair: HeadToHead, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "codec": labels[pair.anchor_id],
        "codec_id": pair.anchor_id,
        "wins": pair.wins,
        "losses": pair.losses,
        "pictures": pair.pictures,
        "bd_rate_percent": pair.percent,
        **_interval_record(pair.interval),
        "p_value_holm": pair.p_value,
        "verdict": pair.verdict,
    }


def pareto_table(
    selection: Selection, metric: MetricRow, comparison: Comparison, timings: Sequence[TimingRow] = ()
) -> Table:
    """Return the settings that no other one beats in rate, score and, where timed, decode time.

    Args:
        selection: Names the table.
        metric: The score that is one of the criteria.
        comparison: Of the same selection and metric.
        timings: Rows of the timing pass; loaded ones do not count. Without any, decode time is no criterion.
    """
    seconds = decode_seconds(timings)
    points = pareto_points(Paired(comparison, metric), metric, seconds or None)
    labels = _labels(comparison)
    unit = digits.unit_of(metric)
    columns = [
        CODEC,
        Column("Setting"),
        Column("Rate", "bits/pixel"),
        Column(selection.title(metric), unit),
        *([Column("Decode", "ms/MP", help="Wall time of the timing pass.")] if seconds else []),
        Column("On the front", "%", help="Resamples of the pictures in which nothing beats it."),
    ]
    rows = tuple(
        Row(
            _pareto_entries(point, metric, labels), {"codec": labels[point.codec_id], **_pareto_record(point)}
        )
        for point in points
        if point.on_front
    )
    beaten = len(points) - len(rows)
    criteria = "rate, score or decode time" if seconds else "rate or score"
    notes = [
        f"Settings that no other one matches in everything and beats in {criteria}; means over the "
        f"{digits.counted(len(comparison.common), 'picture')} that all compared codecs finished. "
        f"{digits.counted(beaten, 'setting')} beaten.",
        *shared_notes(comparison, selection.picture_names),
        "Settings without a row of the timing pass are left out."
        if seconds
        else "Without decode time: the store has no undisturbed rows of the timing pass for this set.",
        *_absent(comparison),
    ]
    return Table(
        f"Pareto front by {selection.title(metric)} · {selection.image_set}",
        tuple(columns),
        rows,
        tuple(notes),
    )


def _pareto_entries(point: ParetoPoint, metric: MetricRow, labels: Mapping[str, str]) -> tuple[Entry, ...]:
    time = point.decode_seconds_per_megapixel
    entries = [
        Entry(labels[point.codec_id]),
        Entry(f"{point.setting:g}", point.setting),
        Entry(digits.rate(point.bits_per_pixel), point.bits_per_pixel),
        Entry(digits.score(metric, point.score), point.score),
        *([Entry(digits.significant(1e3 * time), time)] if time is not None else []),
        Entry(digits.number(100 * point.front_share, 0), point.front_share),
    ]
    return tuple(entries)


def _pareto_record(point: ParetoPoint) -> dict[str, Any]:
    return {
        "codec_id": point.codec_id,
        "setting": point.setting,
        "bits_per_pixel": point.bits_per_pixel,
        "score": point.score,
        "decode_seconds_per_megapixel": point.decode_seconds_per_megapixel,
        "front_share": point.front_share,
    }


def decode_seconds(timings: Sequence[TimingRow]) -> dict[tuple[str, float], float]:
    """Return decode seconds per megapixel by codec id and setting, of the machine and threads timed most.

    Each cell's median repeat; means over pictures. Rows that were timed on a loaded machine are left out.
    """
    places: dict[tuple[str, int], list[TimingRow]] = defaultdict(list)
    for row in timings:
        if not row.timing.loaded:
            places[row.machine_id, row.threads].append(row)
    most = max(places.values(), key=len, default=[])
    seconds: dict[tuple[str, float], list[float]] = defaultdict(list)
    for row in most:
        seconds[row.codec_id, row.quality].append(1e6 * row.timing.decode.median_seconds / row.pixel_count)
    return {key: fmean(values) for key, values in seconds.items()}


def points_table(selection: Selection, metric: MetricRow, comparison: Comparison) -> Table:
    """Return every point of the mean curves with the intervals of its two means.

    Args:
        selection: What of the store is compared.
        metric: Whose scores the points have.
        comparison: The codecs' mean curves under that metric.
    """
    labels = _labels(comparison)
    pictures = len(comparison.shared.pictures)
    rows: list[Row] = []
    for codec_id, points in point_evidence(Paired(comparison, metric)).items():
        for point in points:
            rate = digits.with_interval(digits.rate(point.bits_per_pixel), point.rate_interval, digits.rate)
            score = digits.with_interval(
                digits.score(metric, point.score),
                point.score_interval,
                lambda value: digits.score(metric, value),
            )
            entries = (
                Entry(labels[codec_id]),
                Entry(f"{point.setting:g}", point.setting),
                Entry(rate, point.bits_per_pixel),
                Entry(score, point.score),
                Entry(f"{pictures}/{comparison.of_pictures}", float(pictures)),
            )
            record = {
                "codec": labels[codec_id],
                "codec_id": codec_id,
                "setting": point.setting,
                "bits_per_pixel": point.bits_per_pixel,
                "bits_per_pixel_interval_95": _ends(point.rate_interval),
                "score": point.score,
                "score_interval_95": _ends(point.score_interval),
                "pictures": pictures,
                "of_pictures": comparison.of_pictures,
            }
            rows.append(Row(entries, record))
    columns = (
        CODEC,
        Column("Setting"),
        Column("Rate", "bits/pixel"),
        Column(selection.title(metric), digits.unit_of(metric)),
        Column("Pictures", help="Pictures in the means, of those that any codec tried."),
    )
    notes = [
        "Means over pictures and their 95 % intervals (paired bootstrap).",
        *shared_notes(comparison, selection.picture_names),
        *_absent(comparison),
    ]
    title = f"Points of {selection.title(metric)} · {selection.image_set}"
    return Table(title, columns, tuple(rows), tuple(notes))


def _labels(comparison: Comparison) -> dict[str, str]:
    return {codec.codec_id: codec.label + (" (toy)" if codec.toy else "") for codec in comparison.codecs}


def _absent(comparison: Comparison) -> list[str]:
    labels = _labels(comparison)
    return [
        f"Not compared: {labels[codec_id]} finished {done} of {comparison.of_pictures} pictures."
        for codec_id, done in comparison.done.items()
        if codec_id not in comparison.curves
    ]


def _interval_record(interval: Interval) -> dict[str, Any]:
    return {"interval_95": _ends(interval), "no_interval_because": interval.reason}


def _ends(interval: Interval) -> tuple[float, float] | None:
    return None if interval.low is None or interval.high is None else (interval.low, interval.high)
