"""The settings that searches ended at, as the points that stand for each codec at a rate or score."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from codecarena.bench.analysis.coverage import CodecSummary, absent_codecs
from codecarena.bench.analysis.intervals import Spread, spread
from codecarena.bench.records.rows import Failure, MatchRow, MetricRow, ScoredCell

from .coverage import count_pictures, summarise
from .points import CodecPoints, Point, average, collect, unique

Matched: TypeAlias = Mapping[str, Mapping[str, Point]]
"""Codec id -> hash of the original -> what the setting found for it gave."""


def matched_points(
    cells: Iterable[ScoredCell], matches: Sequence[MatchRow], kind: str, target: float
) -> Matched:
    """Return what each codec gave at the settings that were searched for a target.

    Matches of single pictures come before one setting for the whole set. Pictures whose target is out of the
    codec's range have no point.

    Args:
        cells: Of one image set.
        matches: Of the same set.
        kind: ``bpp``, or the id of a metric.
        target: Bits per pixel or score.
    """
    chosen = [match for match in matches if _asks(match, kind, target)]
    alone = {entry.match.codec_id for entry in chosen if entry.match.scope == "picture"}
    settings: dict[str, dict[str | None, float]] = defaultdict(dict)
    for entry in chosen:
        wanted = "picture" if entry.match.codec_id in alone else "set"
        if entry.reached and entry.match.scope == wanted:
            settings[entry.match.codec_id][entry.match.picture_sha256] = entry.match.quality
    by_codec: dict[tuple[str, str], list[ScoredCell]] = defaultdict(list)
    for cell in unique(cells):
        setting = settings.get(cell.codec_id, {})
        if cell.quality == setting.get(cell.picture_sha256, setting.get(None)):
            by_codec[cell.codec_id, cell.picture_sha256].append(cell)
    points: dict[str, dict[str, Point]] = {entry.match.codec_id: {} for entry in chosen}
    for (codec_id, picture), seeds in by_codec.items():
        points[codec_id][picture] = average(seeds)
    return points


def _asks(match: MatchRow, kind: str, target: float) -> bool:
    return (match.match.metric_id or match.match.target_kind) == kind and match.match.target == target


@dataclass(frozen=True, slots=True)
class Entrant:
    """A codec of a comparison at one rate or score."""

    codec: CodecPoints
    summary: CodecSummary
    matched: Mapping[str, Point] | None
    """What was searched for the target, by picture; None where nothing was: curves are read then."""


def entrants(
    cells: Iterable[ScoredCell],
    failures: Sequence[Failure],
    matches: Sequence[MatchRow],
    kind: str,
    target: float,
) -> tuple[list[Entrant], list[CodecSummary], int]:
    """Return the codecs with results, those that failed everywhere, and how many pictures were tried.

    Arguments are those of `matched_points`.
    """
    cells = list(cells)
    points = matched_points(cells, matches, kind, target)
    codecs = collect(cells)
    ladders = {codec.codec_id for codec in codecs}
    only_probes = [
        codec for codec in collect(cells, probes=True) if codec.codec_id in points.keys() - ladders
    ]
    all_codecs = codecs + only_probes
    total = count_pictures(all_codecs, failures)
    summaries = [summarise(codec, failures, total) for codec in codecs]
    # Probes alone span no range of rates.
    summaries += [
        replace(summarise(codec, failures, total), pictures=0, lowest_rate=None, highest_rate=None)
        for codec in only_probes
    ]
    entered = [
        Entrant(codec, summary, points.get(codec.codec_id))
        for codec, summary in zip(all_codecs, summaries, strict=True)
    ]
    return entered, absent_codecs([codec.codec for codec in all_codecs], failures, total), total


def scores_of(points: Mapping[str, Point], metric: MetricRow) -> Spread | None:
    """Return median and tails of one metric over pictures that came back lossy."""
    scores = (point.scores.get(metric.metric_id) for point in points.values())
    return spread(score for score in scores if score is not None)
