"""What the benchmark knows of a study's stimuli: golden answers, kinds, rates, scores of what was shown."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal

import pytest
from metric_rows import metric_row

from codecarena.bench.records.rows import MetricRow, Score
from codecarena.studies.analysis import benchmark_facts
from codecarena.studies.design.plan import REFERENCE
from codecarena.studies.records.records import (
    Condition,
    Content,
    Pair,
    Stimulus,
    StoredStudy,
    StudyMaterial,
    StudyRow,
)

STUDY = StudyRow(1, "small", "", "", "open", "", "", None, None)
RATES = {(0, 0): 0.25, (0, 1): 0.5, (1, 0): 0.3, (1, 1): 0.6}
MATERIAL = StudyMaterial(
    (
        Condition("jpeg q=10", "j", "jpeg", "q=10"),
        Condition("webp q=50", "w", "webp", "q=50"),
        Condition(REFERENCE, None, None, None, is_reference=True),
    ),
    (
        Content("p/1", "p", "natural", "whole1", "part1"),
        Content("p/2", "p", "ai-generated", "whole2", "part2"),
    ),
    (
        *(Stimulus(*place, 10, rate, "whole", f"shown{place[0]}{place[1]}") for place, rate in RATES.items()),
        Stimulus(0, 2, None, None, "whole1", "part1"),
        Stimulus(1, 2, None, None, "whole2", "part2"),
    ),
    (
        Pair("main", 0, 1),
        Pair("main", 2, 3),
        Pair("golden", 4, 0),
        Pair("golden", 5, 3),
        Pair("training", 4, 1),
    ),
)


class Scored:
    """A store that holds these metrics and no more."""

    def __init__(self, *metrics: MetricRow) -> None:
        self._metrics = metrics

    def metrics(self) -> tuple[MetricRow, ...]:
        return self._metrics


def metric(
    metric_id: str, name: str, better: Literal["higher", "lower"] = "higher", version: str = "1"
) -> MetricRow:
    return metric_row(metric_id, name, "made", version, "RGB", better, None)


def joined(
    monkeypatch: pytest.MonkeyPatch,
    material: StudyMaterial = MATERIAL,
    scores: dict[tuple[str, str], dict[str, Score]] | None = None,
    metrics: tuple[MetricRow, ...] = (),
    anchor: str | None = None,
) -> benchmark_facts.Joined:
    asked: list[Any] = []

    def scores_of(_: object, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Score]]:
        asked.extend(pairs)
        return scores or {}

    monkeypatch.setattr(benchmark_facts, "scores_of", scores_of)
    stimuli, pairs = tuple(range(len(material.stimuli))), tuple(range(len(material.pairs)))
    result = benchmark_facts.join(Scored(*metrics), StoredStudy(STUDY, material, stimuli, pairs), anchor)  # type: ignore[arg-type]
    assert set(scores or {}) <= set(asked)
    return result


def changed(material: StudyMaterial = MATERIAL, **columns: Any) -> StudyMaterial:
    return dataclasses.replace(material, **columns)


HIDDEN = changed(pairs=(*MATERIAL.pairs, Pair("main", 0, 4), Pair("main", 2, 5)))


def test_a_study_s_answers_kinds_and_rates_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = joined(monkeypatch).beside
    assert [dataclasses.astuple(answer) for answer in beside.golden] == [
        ("p/1", REFERENCE, "jpeg q=10"),
        ("p/2", REFERENCE, "webp q=50"),
    ]
    assert beside.kinds == {"p/1": "natural", "p/2": "ai-generated"}
    assert [(condition.condition, condition.codec) for condition in beside.coded] == [
        ("jpeg q=10", "jpeg"),
        ("webp q=50", "webp"),
    ]
    assert dict(beside.coded[0].bits_per_pixel) == {"p/1": 0.25, "p/2": 0.3}
    assert beside.anchor_codec == "jpeg"
    assert beside.rates == {
        ("p/1", "jpeg q=10"): 0.25,
        ("p/1", "webp q=50"): 0.5,
        ("p/2", "jpeg q=10"): 0.3,
        ("p/2", "webp q=50"): 0.6,
    }
    assert beside.uncoded == (REFERENCE,)
    assert beside.scores is None


def test_kinds_count_where_each_is_known_and_they_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    first, two = MATERIAL.contents
    for kind in (None, "natural"):
        contents = first, dataclasses.replace(two, kind=kind)
        assert joined(monkeypatch, changed(contents=contents)).beside.kinds is None


def test_human_bd_rates_need_two_codecs_with_a_rate_on_every_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    jpeg, webp, original = MATERIAL.conditions
    again = dataclasses.replace(webp, codec="jpeg")
    for conditions in ((jpeg, again, original), (jpeg, dataclasses.replace(webp, codec=None), original)):
        beside = joined(monkeypatch, changed(conditions=conditions)).beside
        assert (beside.coded, beside.anchor_codec) == ((), None)
    lacking = (*MATERIAL.stimuli[:3], dataclasses.replace(MATERIAL.stimuli[3], bits_per_pixel=None))
    beside = joined(monkeypatch, changed(stimuli=(*lacking, *MATERIAL.stimuli[4:]))).beside
    assert beside.coded == ()
    assert len(beside.rates or ()) == 3
    none = tuple(dataclasses.replace(stimulus, bits_per_pixel=None) for stimulus in MATERIAL.stimuli)
    assert joined(monkeypatch, changed(stimuli=none)).beside.rates is None


def shown(
    metric_id: str, values: list[float | None], **more: bool
) -> dict[tuple[str, str], dict[str, Score]]:
    """Return scores of the coded stimuli in order, then of the originals."""
    pairs = [("part1", "shown00"), ("part1", "shown01"), ("part2", "shown10"), ("part2", "shown11")]
    pairs += [("part1", "part1"), ("part2", "part2")]
    return {pair: {metric_id: Score(value, **more)} for pair, value in zip(pairs, values, strict=False)}


KEYS = [(picture, condition) for picture in ("p/1", "p/2") for condition in ("jpeg q=10", "webp q=50")]


@pytest.mark.parametrize(
    ("name", "better", "values", "qualities"),
    [
        ("vmaf", "higher", [10.0, 20.0, 30.0, 40.0], [10, 20, 30, 40]),
        ("lpips", "lower", [0.1, 0.2, 0.3, 0.4], [-0.1, -0.2, -0.3, -0.4]),
        ("ssim", "higher", [0.9, 0.99, 0.5, 0.75], [10, 20, 10 * math.log10(2), 20 * math.log10(2)]),
        ("psnr", "higher", [30.0, None, 31.0, 32.0], [30, math.nan, 31, 32]),
    ],
)
def test_a_metric_of_every_stimulus_is_beside_the_votes_more_being_better(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    better: Any,
    values: list[float | None],
    qualities: list[float],
) -> None:
    result = joined(
        monkeypatch, MATERIAL, shown("m", values), (metric("m", name, better), metric("other", "x"))
    )
    assert result.beside.scores is not None
    assert list(result.beside.scores) == [name]
    by_key = result.beside.scores[name]
    assert [by_key[key] for key in KEYS] == pytest.approx(qualities, nan_ok=True)
    identical = "votes on stimuli identical to the original count for no metric: PSNR has no value there"
    assert result.notes == ((identical,) if None in values else ())


def test_only_the_anchor_may_be_infinitely_good(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = shown("m", [0.9, 0.9, 0.9, 0.9, 1.0, 1.0])
    anchored = joined(monkeypatch, HIDDEN, scores, (metric("m", "ssim"),), REFERENCE)
    free = joined(monkeypatch, HIDDEN, scores, (metric("m", "ssim"),), "jpeg q=10")
    assert anchored.beside.scores is not None
    assert free.beside.scores is not None
    assert anchored.beside.scores["ssim"]["p/1", REFERENCE] == math.inf
    assert math.isnan(free.beside.scores["ssim"]["p/1", REFERENCE])
    assert anchored.notes == ()
    assert len(free.notes) == 1
    psnr = shown("m", [30.0, 31.0, 32.0, 33.0, None, None])
    anchored = joined(monkeypatch, HIDDEN, psnr, (metric("m", "psnr"),), REFERENCE)
    assert anchored.beside.scores is not None
    assert anchored.beside.scores["psnr"]["p/2", REFERENCE] == math.inf


@pytest.mark.parametrize(
    ("material", "scores", "kept", "note"),
    [
        (
            MATERIAL, {}, False,
            "no metric has scored what was shown: codecarena study score small -m ssimulacra2",
        ),
        (
            MATERIAL, shown("m", [1.0, 2.0, 3.0]), False,
            "vmaf scored 3 of the 4 stimuli, so it is left out: codecarena study score small -m vmaf",
        ),
        (
            MATERIAL, shown("m", [1.0, 2.0, 3.0, 4.0], applicable=False), False,
            "vmaf says nothing of 4 of the stimuli, so it is left out",
        ),
        (
            HIDDEN, shown("m", [1.0, 2.0, 3.0, 4.0, 5.0]), True,
            "vmaf has no score of the original itself: codecarena study score small -m vmaf",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_with_the_command_that_mends_it(
    monkeypatch: pytest.MonkeyPatch, material: StudyMaterial, scores: Any, kept: bool, note: str
) -> None:
    result = joined(monkeypatch, material, scores, (metric("m", "vmaf"),))
    assert result.notes == (note,)
    assert bool(result.beside.scores) is kept


def test_metrics_of_one_name_are_told_by_version_and_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = (
        metric("aaaaaaa1", "vmaf"), metric("bbbbbbb2", "vmaf", version="2"),
        metric("ccccccc3", "vmaf", version="2"), metric("ddddddd4", "ssim"),
    )  # fmt: skip
    scores: dict[tuple[str, str], dict[str, Score]] = {}
    for scored in metrics:
        for pair, by_metric in shown(scored.metric_id, [1.0, 2.0, 3.0, 4.0]).items():
            scores.setdefault(pair, {}).update(by_metric)
    # A metric that has scored nothing here makes no name ambiguous.
    result = joined(monkeypatch, MATERIAL, scores, (*metrics, metric("eeeeeee5", "ssim")))
    assert set(result.beside.scores or ()) == {"vmaf 1", "vmaf 2 [bbbbbb]", "vmaf 2 [cccccc]", "ssim"}


def test_a_metric_of_the_originals_alone_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = shown("m", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    for pair in (("part1", "part1"), ("part2", "part2")):
        scores[pair]["of originals"] = Score(9.0)
    result = joined(monkeypatch, HIDDEN, scores, (metric("of originals", "flip"), metric("m", "vmaf")))
    assert set(result.beside.scores or ()) == {"vmaf"}
    assert result.notes == ()


def test_only_what_the_design_compares_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[tuple[str, str]]] = []
    monkeypatch.setattr(benchmark_facts, "scores_of", lambda _, pairs: asked.append(list(pairs)) or {})
    for material in (MATERIAL, HIDDEN):
        benchmark_facts.shown_scores(Scored(), StoredStudy(STUDY, material, (), ()))  # type: ignore[arg-type]
    coded = [("part1", "shown00"), ("part1", "shown01"), ("part2", "shown10"), ("part2", "shown11")]
    assert asked == [coded, [*coded, ("part1", "part1"), ("part2", "part2")]]
