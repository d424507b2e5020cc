"""Look up what the benchmark has stored on a study's stimuli: kinds, rates, scores of what was shown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ...bench.analysis.curves import to_quality
from ...bench.records.rows import MetricRow, Score
from ...bench.store.shown_scores import scores_of
from ...bench.store.store import Store
from ..records.records import StoredStudy, StudyMaterial
from .analysis import BenchmarkFacts
from .human_rate import CodedCondition
from .review import GoldenAnswer

Key: TypeAlias = tuple[str, str]
"""(picture, condition)."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """One stimulus that the design compares."""

    key: Key
    reference_sha256: str
    shown_sha256: str
    is_reference: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """What is known of a study's stimuli, and what is missing there."""

    beside: BenchmarkFacts
    notes: tuple[str, ...]
    """On metrics that could not be compared with the votes, and how to mend that."""


def join(store: Store, known: StoredStudy, anchor: str | None) -> Joined:
    """Return what the benchmark knows of what a study compares.

    Scores are looked up by the hashes of the pixels that were shown: where those are a part of a picture, the
    whole picture's score is none of theirs.

    Args:
        store: Where the scores are.
        known: The study.
        anchor: Condition at 0; only there may a score be infinite, as PSNR is of the original.
    """
    material = known.material
    coded = _coded(material)
    scores, notes = _scores(store, known, anchor)
    beside = BenchmarkFacts(
        golden=_golden(material),
        kinds=_kinds(material),
        coded=coded,
        anchor_codec=coded[0].codec if coded else None,
        scores=scores or None,
        rates=_rates(material),
        uncoded=tuple(condition.name for condition in material.conditions if condition.is_reference),
    )
    return Joined(beside, tuple(notes))


def _golden(material: StudyMaterial) -> tuple[GoldenAnswer, ...]:
    def name(stimulus: int) -> str:
        return material.conditions[material.stimuli[stimulus].condition].name

    return tuple(
        GoldenAnswer(
            material.contents[material.stimuli[pair.first].content].name, name(pair.first), name(pair.second)
        )
        for pair in material.pairs
        if pair.kind == "golden"
    )


def _kinds(material: StudyMaterial) -> dict[str, str] | None:
    """Return the kind of each picture; None where one is unknown or all are alike."""
    kinds = {content.name: content.kind for content in material.contents if content.kind}
    return kinds if len(kinds) == len(material.contents) and len(set(kinds.values())) > 1 else None


def _coded(material: StudyMaterial) -> tuple[CodedCondition, ...]:
    """Return the conditions that are codecs at rates; none where there are not two codecs to compare."""
    rates: dict[int, dict[str, float]] = {}
    for stimulus in material.stimuli:
        if stimulus.bits_per_pixel is not None:
            rates.setdefault(stimulus.condition, {})[material.contents[stimulus.content].name] = (
                stimulus.bits_per_pixel
            )
    coded = [
        CodedCondition(condition.name, condition.codec, rates[place])
        for place, condition in enumerate(material.conditions)
        if condition.codec and len(rates.get(place, ())) == len(material.contents)
    ]
    return tuple(coded) if len({condition.codec for condition in coded}) > 1 else ()


def _rates(material: StudyMaterial) -> dict[Key, float] | None:
    rates = {
        (
            material.contents[stimulus.content].name,
            material.conditions[stimulus.condition].name,
        ): stimulus.bits_per_pixel
        for stimulus in material.stimuli
        if stimulus.bits_per_pixel is not None
    }
    return rates or None


def _shown(material: StudyMaterial) -> list[_Shown]:
    compared = {
        place for pair in material.pairs if pair.kind == "main" for place in (pair.first, pair.second)
    }
    if not material.pairs:  # an import of scores: each stimulus was judged on its own
        compared = set(range(len(material.stimuli)))
    shown: list[_Shown] = []
    for place in sorted(compared):
        stimulus = material.stimuli[place]
        content, condition = material.contents[stimulus.content], material.conditions[stimulus.condition]
        if content.reference_sha256 and stimulus.shown_sha256:
            key = content.name, condition.name
            shown.append(_Shown(key, content.reference_sha256, stimulus.shown_sha256, condition.is_reference))
    return shown


def shown_scores(store: Store, known: StoredStudy) -> dict[tuple[str, str], dict[str, Score]]:
    """Return the stored scores of what a study compares: (original, shown) -> metric id -> score."""
    return scores_of(
        store, [(shown.reference_sha256, shown.shown_sha256) for shown in _shown(known.material)]
    )


def _scores(
    store: Store, known: StoredStudy, anchor: str | None
) -> tuple[dict[str, dict[Key, float]], list[str]]:
    """Return the scores of every metric that has one for each coded stimulus, and notes on the others."""
    shown, stored = _shown(known.material), shown_scores(store, known)
    ids = {metric_id for by_metric in stored.values() for metric_id in by_metric}
    metrics = [metric for metric in store.metrics() if metric.metric_id in ids]
    titles = _titles(metrics)
    qualities: dict[str, dict[Key, float]] = {}
    notes: list[str] = []
    for metric in metrics:
        mine = {
            stimulus.key: score
            for stimulus in shown
            if (
                score := stored.get((stimulus.reference_sha256, stimulus.shown_sha256), {}).get(
                    metric.metric_id
                )
            )
        }
        coded = [stimulus.key for stimulus in shown if not stimulus.is_reference]
        title, add = titles[metric.metric_id], f"codecarena study score {known.study.name} -m {metric.name}"
        scored = sum(key in mine for key in coded)
        if not scored:
            continue
        if scored < len(coded):
            notes.append(f"{title} scored {scored} of the {len(coded)} stimuli, so it is left out: {add}")
        elif silent := sum(not score.applicable for score in mine.values()):
            notes.append(f"{title} says nothing of {silent} of the stimuli, so it is left out")
        else:
            qualities[title] = {key: _quality(metric, score, key[1] == anchor) for key, score in mine.items()}
            if len(mine) < len(shown):
                notes.append(f"{title} has no score of the original itself: {add}")
    if not qualities and not notes and shown:
        name = known.study.name
        notes.append(f"no metric has scored what was shown: codecarena study score {name} -m ssimulacra2")
    if any(math.isnan(quality) for by_key in qualities.values() for quality in by_key.values()):
        notes.append(
            "votes on stimuli identical to the original count for no metric: PSNR has no value there"
        )
    return qualities, notes


def _titles(metrics: Sequence[MetricRow]) -> Mapping[str, str]:
    """Return what to call each metric: its name, with more where two share it."""
    names = Counter(metric.name for metric in metrics)
    versions = Counter((metric.name, metric.version) for metric in metrics)
    return {
        metric.metric_id: metric.name
        if names[metric.name] == 1
        else f"{metric.name} {metric.version}"
        if versions[metric.name, metric.version] == 1
        else f"{metric.name} {metric.version} [{metric.metric_id[:6]}]"
        for metric in metrics
    }


def _quality(metric: MetricRow, score: Score, is_anchor: bool) -> float:
    """Return a score of which more is better; NaN where it is infinite and not the anchor's."""
    if score.value is None:
        return math.inf if is_anchor else math.nan
    quality = float(to_quality(metric.curve_scale, metric.better, score.value))
    return quality if is_anchor or math.isfinite(quality) else math.nan
