"""Targets and levels of searches worked out by hand, and how their ends are told."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from measuring import planned_cell, planned_codec, planned_picture

from codecarena.bench.cli import match_report
from codecarena.bench.cli.match_report import as_record
from codecarena.bench.records.cells import NO_SEED, CellKey
from codecarena.bench.records.messages import Failed, Measured, Outcome, Scored, Stored
from codecarena.bench.records.rows import Match, Score
from codecarena.bench.run import searches
from codecarena.bench.run.plan import PlannedPicture
from codecarena.bench.run.searches import Ended, MatchReport, Searches
from codecarena.bench.run.suite import Suite, SuiteError
from codecarena.bench.run.targets import Target, parse_target
from codecarena.bench.store.searches import Tried
from codecarena.codecs.base import RateParts

A, B = planned_picture("a", pixel_count=100), planned_picture("b", pixel_count=1000)
CODEC = planned_codec("codec-id")


@pytest.mark.parametrize(
    ("text", "scope", "expected"),
    [
        ("bpp=0.25", "picture", Target("bpp", 0.25, "picture")),
        (" bytes =8000", "set", Target("bytes", 8000.0, "set")),
        ("total-bpp=1", "set", Target("total-bpp", 1.0, "set")),
        ("psnr=-3", "picture", Target("psnr", -3.0, "picture")),
    ],
)
def test_a_target_is_read(text: str, scope: Any, expected: Target) -> None:
    assert parse_target(text, scope) == expected
    assert parse_target(str(expected), scope) == expected
    assert expected.metric == ("psnr" if expected.kind == "psnr" else None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bpp", "expected bpp=NUMBER"),
        ("=3", "expected bpp=NUMBER"),
        ("bpp=inf", "expected bpp=NUMBER"),
        ("bpp=0", "expected more than 0"),
        ("bytes=-1", "expected more than 0"),
        ("total-bpp=1", "add --match-set"),
        ("pnsr=30", "did you mean 'psnr'"),
    ],
)
def test_a_target_that_means_nothing_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SuiteError, match=reason):
        parse_target(text)


class Ear:
    """Hears how searches go."""

    def __init__(self) -> None:
        self.ended = 0

    def searching(self, searches: int) -> None: ...

    def probed(self, planned: object, outcome: object) -> None: ...

    def searched(self) -> None:
        self.ended += 1


def made(
    target: Target,
    monkeypatch: pytest.MonkeyPatch,
    tried: dict[CellKey, Tried] | None = None,
    pictures: tuple[PlannedPicture, ...] = (A, B),
    **suite: Any,
) -> Searches:
    """Return searches over made-up pictures; psnr is unbounded, cer is better where lower."""
    monkeypatch.setattr(searches, "tried", lambda *_: dict(tried or {}))
    metrics = [
        SimpleNamespace(metric_id="psnr-id", better="higher", perfect=None, curve_scale="linear"),
        SimpleNamespace(metric_id="cer-id", better="lower", perfect=0.0, curve_scale="linear"),
    ]
    store: Any = SimpleNamespace(
        metrics=lambda: metrics,
        picture_sizes=lambda: {"sha-a": 100, "sha-b": 1000},
        scored=lambda _: set(),
        attempted=lambda _: set(),
        blobs=SimpleNamespace(folder="/blobs"),
    )
    keys = {
        "name": "s",
        "sets": "kodak",
        "codecs": [{"name": "made-up"}],
        "metrics": ("psnr", "cer"),
        **suite,
    }
    prepared: Any = SimpleNamespace(
        suite=Suite.model_validate(keys),
        pictures=list(pictures),
        codecs=[CODEC],
        metric_ids={"psnr": "psnr-id", "cer": "cer-id"},
        notes=[],
        unavailable=False,
    )
    return Searches(prepared, store, target, False, Ear())


def key(picture: str, quality: float) -> CellKey:
    # Read anew, as from a store: equal to the codec's and another object.
    return CellKey(f"sha-{picture}", str(b"codec-id", "ascii"), quality, NO_SEED)


def row(bitstream_bytes: int, score: Score | None = None) -> Tried:
    return Tried(f"bits{bitstream_bytes}", "pixels", bitstream_bytes, score)


TRIED = {
    key("a", 4.0): row(25),
    key("b", 4.0): row(500),
    **{
        replace(key(name, 6.0), codec_id=other): row(9)
        for name in "ab"
        for other in ("before-id", "other-id")
    },
}
"""2 bits a pixel on 100 pixels, 4 on 1000; and what other codecs did."""


@pytest.mark.parametrize(
    ("kind", "level", "achieved", "goal"),
    [
        # The mean over pictures, or the sum over the sum.
        ("bpp", 3.0, 3.0, 0.5),
        ("total-bpp", 8 * 525 / 1100, 8 * 525 / 1100, 0.5),
        ("bytes", 8 * 525 / 1100, 525.0, 8 * 0.5 / 1100),
    ],
)
def test_a_rate_of_a_set(
    kind: str, level: float, achieved: float, goal: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of_them = made(Target(kind, 0.5, "set"), monkeypatch, TRIED)
    (entry,) = all_of_them.to_do
    assert (entry.name, entry.pictures, entry.seed) == ("pictures", (A, B), None)
    assert all_of_them.level(entry, 4.0) == pytest.approx(math.log(level))
    assert all_of_them.achieved(entry, 4.0) == pytest.approx(achieved)
    assert all_of_them.goal(entry) == pytest.approx(math.log(goal))
    assert all_of_them.level(entry, 5.0) is None


def test_each_picture_is_searched_once_and_begins_from_what_the_others_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    again = planned_picture("a", "again", 100)
    all_of_them = made(Target("bpp", 0.5), monkeypatch, TRIED, (A, B, again))
    first, second = all_of_them.to_do
    assert (first.name, second.name, all_of_them.report.searches) == ("a", "b", 2)
    assert all_of_them.level(first, 4.0) == pytest.approx(math.log(2))
    assert all_of_them.others(first) == [{4.0: pytest.approx(math.log(4))}]
    assert all_of_them.others(second) == [{4.0: pytest.approx(math.log(2))}]
    (whole,) = made(Target("bpp", 0.5, "set"), monkeypatch, TRIED).to_do
    assert len(all_of_them.others(whole)) == 2


@pytest.mark.parametrize(
    ("scores", "level", "achieved"),
    [
        ((Score(30.0), Score(40.0)), 35.0, 35.0),
        ((Score(30.0), None), None, None),
        ((Score(30.0), Score(None, True)), math.inf, None),
        ((Score(30.0), Score(None, False, applicable=False)), 30.0, 30.0),
        ((Score(None, applicable=False), Score(None, applicable=False)), None, None),
    ],
)
def test_a_score_of_a_set_is_the_mean_of_the_pictures_it_applies_to(
    scores: tuple[Score | None, Score | None],
    level: float | None,
    achieved: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = {key("a", 4.0): row(25, scores[0]), key("b", 4.0): row(500, scores[1])}
    all_of_them = made(Target("psnr", 35.0, "set"), monkeypatch, tried)
    (entry,) = all_of_them.to_do
    assert all_of_them.level(entry, 4.0) == (None if level is None else pytest.approx(level))
    if None not in scores:
        assert all_of_them.achieved(entry, 4.0) == achieved
    assert all_of_them.goal(entry) == 35.0


def test_a_blank_picture_costs_a_set_itself_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    third = planned_picture("c", pixel_count=100)
    scores = {"a": Score(30.0), "b": Score(40.0), "c": Score(None, True)}
    tried = {key(name, 4.0): row(25, score) for name, score in scores.items()}
    all_of_them = made(Target("psnr", 35.0, "set"), monkeypatch, tried, (A, B, third))
    (entry,) = all_of_them.to_do
    assert all_of_them.level(entry, 4.0) == pytest.approx(35.0)
    assert all_of_them.achieved(entry, 4.0) == pytest.approx(35.0)


def test_a_lower_score_is_a_higher_level_where_lower_is_better(monkeypatch: pytest.MonkeyPatch) -> None:
    all_of_them = made(Target("cer", 0.25), monkeypatch)
    assert all_of_them.quality(0.1) > all_of_them.quality(0.2)


def test_a_score_that_only_lossless_coding_reaches_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    all_of_them = made(Target("psnr", 35.0), monkeypatch)
    monkeypatch.setattr(all_of_them, "quality", lambda _: math.inf)
    with pytest.raises(SuiteError, match="no lossy coding reaches"):
        all_of_them.goal(all_of_them.to_do[0])


def test_a_metric_that_did_not_load_ends_the_search_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SuiteError, match="flip=1: the metric did not load"):
        made(Target("flip", 1.0), monkeypatch)


def test_what_a_cell_tells_is_remembered_as_if_it_had_been_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    all_of_them = made(Target("psnr", 35.0), monkeypatch)
    planned = planned_cell(A, CODEC, 4.0)
    measured = Measured("bits", RateParts(1, 2, 3), 6, "pixels", (1.0,), (2.0,), 0.5)
    scored = [Scored("psnr", 33.0, False, 0.1), Scored("cer", None, False, 0.1)]
    all_of_them.learn(
        planned, Outcome(measured=measured, scored=scored, failed=[Failed("error", "score", "no", "ssim")])
    )
    assert all_of_them.tried == {planned.key: Tried("bits", "pixels", 6, Score(33.0, False, True))}
    assert all_of_them.scored == {("sha-a", "pixels", "psnr-id"), ("sha-a", "pixels", "cer-id")}
    assert all_of_them.attempted == {(planned.key, "ssim")}


def test_a_setting_is_asked_for_with_the_targets_metric_alone_unless_it_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    all_of_them = made(Target("psnr", 35.0), monkeypatch, {key("a", 4.0): row(25)})
    entry = all_of_them.to_do[0]
    for quality, cell_metrics, stored in (
        (4.0, ("psnr",), Stored("bits25", "pixels")),
        (5.0, ("psnr",), None),
    ):
        entry.setting = quality
        all_of_them.ask(entry)
        planned = all_of_them.waiting.next(None)
        assert planned is not None
        assert (planned.cell.quality, planned.cell.metrics, planned.cell.stored) == (
            quality,
            cell_metrics,
            stored,
        )
    all_of_them.attempted.add((key("a", 6.0), None))
    all_of_them.attempted.add((key("a", 4.0), "psnr"))
    for quality in (6.0, 4.0):
        entry.setting = quality
        all_of_them.ask(entry)
    assert all_of_them.waiting.next(None) is None


def test_a_search_over_a_scale_ends_at_the_nearest_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rates double with each level from 0.0625 bits per pixel on; 0.4 is nearest to 0.5 in logarithms."""
    all_of_them = made(
        Target("bpp", 0.4), monkeypatch, pictures=(planned_picture("b", pixel_count=1024),), metrics=()
    )
    all_of_them.prepared.metric_ids.clear()
    monkeypatch.setattr(searches, "save_matches", lambda *_: None)
    encoded = []
    while (planned := all_of_them.next(None)) is not None:
        encoded.append(planned.cell.quality)
        size = int(1024 / 8 * 0.0625 * 2 ** (planned.cell.quality - 1))
        measured = Measured("bits", RateParts(size, 0), size, "pixels", (1.0,), (1.0,), 0.5)
        all_of_them.finished(planned, Outcome(measured=measured), True)
    (ended,) = all_of_them.report.ended
    assert ended.match is not None
    assert (ended.match.quality, ended.match.achieved, ended.match.ended) == (4.0, 0.5, "nearest")
    assert (ended.codec, ended.picture) == ("label of codec-id", "b")
    assert len(encoded) == len(set(encoded)) == ended.match.encodes
    assert all_of_them.progress.ended == 1


@pytest.mark.parametrize(
    ("target", "tolerance"), [(Target("bpp", 0.5), 0.005), (Target("psnr", 35.0), 0.002 * 35)]
)
def test_a_rate_may_miss_by_half_a_percent_and_a_score_by_a_fifth_of_one(
    target: Target, tolerance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert searched(target, monkeypatch)[-1] == pytest.approx(tolerance)


def searched(target: Target, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """Return what the first search begins with."""
    message: list[tuple[Any, ...]] = []

    def search(*words: Any) -> Any:
        message.append(words)
        yield from ()

    monkeypatch.setattr(searches, "search", search)
    all_of_them = made(target, monkeypatch, TRIED | {key("a", 99.0): row(9)})
    all_of_them.begin(all_of_them.to_do[0])
    return message[0]


def test_a_search_begins_with_what_its_own_codec_did_on_its_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    scale, goal, known, *_ = searched(Target("bpp", 0.5), monkeypatch)
    assert (scale, goal) == (CODEC.info.scale, math.log(0.5))
    assert known == {4.0: pytest.approx(math.log(2))}


MATCH = Match("picture", "s", "a", 1, "c", "bpp", None, 0.5, 4.0, 0.45, 5, 3, "nearest")


@pytest.mark.parametrize(
    ("changed", "complete"),
    [({}, True), ({"failed": 1}, False), ({"unavailable": True}, False), ({"searches": 2}, False)],
)
def test_searches_are_complete_when_all_ended_with_a_setting(changed: dict[str, Any], complete: bool) -> None:
    report = MatchReport(**{"searches": 1, "ended": [Ended("c", "a", MATCH)], **changed})
    assert report.complete is complete
    assert not MatchReport(1, ended=[Ended("c", "a", None)]).complete
    assert as_record(Target("bpp", 0.5), report, False)["complete"] is complete


def test_a_line_counts_pictures_that_reached_the_target_and_encodes_of_all() -> None:
    ended = [
        Ended("c", "a", MATCH),
        Ended("c", "b", replace(MATCH, quality=6.0, achieved=0.55, encodes=4)),
        Ended("c", "c", replace(MATCH, quality=9.0, achieved=0.2, encodes=2, ended="out of range")),
        Ended("c", "d", None),
    ]
    assert match_report._line("c", ended) == ("c", "5 (4…6)", "0.5 (0.45…0.55)", "2/4", "9", "1")
    assert match_report._line("c", ended[:1]) == ("c", "4", "0.45", "1/1", "3", "")
    assert match_report._line("c", ended[2:3]) == ("c", "9", "0.2", "0/1", "2", "1")
    assert match_report._line("c", ended[3:]) == ("c", "–", "–", "0/1", "0", "")
