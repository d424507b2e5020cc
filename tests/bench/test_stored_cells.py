"""What a worker told comes out of the store as it went in, each number under its own name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from measuring import INFO

from codecarena.bench.records.cells import NO_SEED, CellKey, Saved
from codecarena.bench.records.identities import MetricIdentity
from codecarena.bench.records.messages import (
    Described,
    Failed,
    Identified,
    Measured,
    Outcome,
    Scored,
    Stored,
)
from codecarena.bench.records.metric_facts import MetricFacts
from codecarena.bench.records.rows import Failure, MetricRow, RunRow, Score, ScoredCell, Verdict
from codecarena.bench.store import timings
from codecarena.bench.store.searches import Tried, adopt, tried
from codecarena.bench.store.timings import Footprint, Side, Timing, TimingKey, TimingRow
from codecarena.bench.store.verifications import Verified, other_versions, save_verified, stored_streams
from codecarena.bench.store.writer import StoreWriter, id_of_machine
from codecarena.codecs.base import RateParts
from codecarena.datasets.manifest import LocalPicture

A, B = "a" * 64, "b" * 64
KEY = CellKey(A, "codec-id", 4.0, NO_SEED)
MEASURED = Measured("bits", RateParts(11, 100, 23), 134, "pixels", (2.0, 3.0), (7.0, 11.0, 13.0), 0.75)


def described(name: str, perfect: float) -> Described:
    identity = MetricIdentity(name, f"{name} by", f"{name} version", f"{name} colours", f"{name} weights")
    return Described(name, identity=identity, facts=MetricFacts(better="lower", perfect=perfect))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreWriter]:
    """A store with two pictures of 20 x 30 and 4 x 5 pixels, a codec, two metrics and a run."""
    store = StoreWriter(str(tmp_path / "arena"))
    store.add_files([(Identified("/a.png", A, 20, 30), 111, 222), (Identified("/b.png", B, 4, 5), 333, 444)])
    first = LocalPicture(
        "a.png", Path("/a.png"), "ai-generated", "a cat", "OPEN", "painter", "CC0", "a friend", None
    )
    second = replace(first, name="b.png", path=Path("/b.png"), kind="natural", generator=None)
    store.add_members("pictures", [(first, A), (second, B)])
    store.add_codec(
        "codec-id", replace(INFO, generator="engine", toy=True, family="learned"), "label", {"x": 1}
    )
    store.metric_ids = {
        name: store.add_metric(described(name, perfect))
        for name, perfect in (("bounded", 1.0), ("unbounded", float("inf")))
    }
    assert store.begin_run("suite", "text", {"cpu": "fast"}, 3, 5, ("run", "--force")) == 1
    yield store
    store.close()


def saved(store: StoreWriter, **changed: object) -> Saved:
    fields = {"key": KEY, "run_id": 1, "decoded_sha256": None, "metric_ids": store.metric_ids}
    return Saved(**{**fields, "contended": False, "replace": False, **changed})


def save(store: StoreWriter, outcome: Outcome, **changed: object) -> None:
    store.save([(saved(store, **changed), outcome)])


@pytest.mark.parametrize(
    ("codec", "caption", "text", "current"),
    [
        ("layered", "a cat", "OPEN", 1),
        ("layered", "a dog", "OPEN", 0),
        ("layered", None, "OPEN", 0),
        ("layered", "a cat", "SHUT", 0),
        ("jpeg", "a dog", "SHUT", 1),
    ],
)
def test_streams_of_another_caption_become_history_where_the_codec_reads_it(
    store: StoreWriter, codec: str, caption: str | None, text: str, current: int
) -> None:
    store.add_codec("other-id", replace(INFO, name=codec), codec, {})
    save(store, Outcome(measured=MEASURED), key=replace(KEY, codec_id="other-id"))
    picture = LocalPicture("a.png", Path("/a.png"), "natural", caption, text, None, "CC0", "here", None)
    assert store.told_anew([(picture, A)]) == ({A} if (caption, text) != ("a cat", "OPEN") else set())
    # Any run that hears of the caption retires what was coded of the old one, whichever codecs it runs.
    store.add_members("another", [(picture, A)])
    assert len(store.measured(["other-id"])) == current
    assert store.told_anew([(picture, A)]) == set()
    assert store.told_anew([(picture, "c" * 64)]) == set(), "nobody knows it yet"


def test_a_measured_cell_comes_back_field_by_field(store: StoreWriter) -> None:
    scores = [Scored("bounded", 0.5, False, 0.125), Scored("unbounded", None, True, 0.25)]
    save(store, Outcome(measured=MEASURED, scored=scores), contended=True, probe=True)
    ids = store.metric_ids
    expected = ScoredCell(
        image_set="pictures",
        picture="a.png",
        picture_sha256=A,
        kind="ai-generated",
        pixel_count=600,
        codec_id="codec-id",
        codec="label",
        family="learned",
        toy=True,
        quality=4.0,
        seed=None,
        bitstream_bytes=134,
        bitstream_sha256="bits",
        decoded_sha256="pixels",
        encode_seconds=(2.0, 3.0),
        decode_seconds=(7.0, 11.0, 13.0),
        contended=True,
        scores={ids["bounded"]: Score(0.5, False, True), ids["unbounded"]: Score(None, True, True)},
        probe=True,
        picture_generator="painter",
        codec_generator="engine",
        header_bytes=11,
        payload_bytes=100,
        side_bytes=23,
    )
    assert store.cells() == [expected]
    assert expected.bits_per_pixel == pytest.approx(8 * 134 / 600)
    assert store.measured(["codec-id"]) == {KEY: Stored("bits", "pixels")}
    assert store.scored(ids.values()) == {(A, "pixels", ids["bounded"]), (A, "pixels", ids["unbounded"])}
    assert tried(store, ["codec-id"], ids["bounded"]) == {KEY: Tried("bits", "pixels", 134, Score(0.5))}
    lossless = Score(None, True, applicable=True)
    assert tried(store, ["codec-id"], ids["unbounded"]) == {KEY: Tried("bits", "pixels", 134, lossless)}
    assert tried(store, ["codec-id"], None) == {KEY: Tried("bits", "pixels", 134, None)}
    assert store.cells("others") == store.cells(picture_sha256=B) == []


def test_seconds_and_bytes_a_pixel_are_over_all_that_a_codec_coded(store: StoreWriter) -> None:
    save(store, Outcome(measured=MEASURED, scored=[Scored("bounded", 0.5, False, 0.125)]))
    small = replace(
        MEASURED, decoded_sha256="other", bitstream_bytes=66, encode_seconds=(), decode_seconds=(1.0,)
    )
    save(
        store,
        Outcome(measured=small, scored=[Scored("bounded", 0.5, False, 0.375)]),
        key=replace(KEY, picture_sha256=B),
    )
    assert store.pace() == {"codec-id": (pytest.approx(37 / 620), pytest.approx(200 / 620))}
    assert store.score_seconds() == {store.metric_ids["bounded"]: pytest.approx(0.25)}
    assert store.picture_sizes() == {A: 600, B: 20}
    assert store.known_files(["/a.png", "/b.png", "/c.png"]) == {
        "/a.png": (111, 222, A),
        "/b.png": (333, 444, B),
    }


def test_a_forced_measurement_supersedes_its_own_cell_alone(store: StoreWriter) -> None:
    others = [replace(KEY, quality=5.0), replace(KEY, seed=3), replace(KEY, picture_sha256=B)]
    for key in (KEY, *others):
        save(store, Outcome(measured=MEASURED), key=key)
    newer = replace(MEASURED, bitstream_sha256="newer bits")
    save(store, Outcome(measured=newer))
    assert store.measured(["codec-id"])[KEY].bitstream_sha256 == "bits", "unless forced, the first one stays"
    save(store, Outcome(failed=[Failed("error", "encode", "no")]), replace=True)
    assert store.measured(["codec-id"])[KEY].bitstream_sha256 == "bits", "a failure supersedes nothing"
    save(store, Outcome(measured=newer), replace=True)
    assert {key: entry.bitstream_sha256 for key, entry in store.measured(["codec-id"]).items()} == {
        KEY: "newer bits"
    } | dict.fromkeys(others, "bits")
    assert {cell.seed for cell in store.cells()} == {None, 3}
    save(store, Outcome(measured=replace(MEASURED, bitstream_sha256="newest")), key=others[1], replace=True)
    assert store.measured(["codec-id"])[KEY].bitstream_sha256 == "newer bits", "another seed is another cell"
    assert store.measured(["codec-id"])[others[1]].bitstream_sha256 == "newest"


def test_a_picture_of_two_sets_is_a_cell_of_each_and_one_set_may_be_asked_for(store: StoreWriter) -> None:
    picture = LocalPicture("c.png", Path("/a.png"), "natural", None, None, None, "CC0", "x", None)
    for name in ("before", "quite another"):
        store.add_members(name, [(picture, A)])
    save(store, Outcome(measured=MEASURED))
    assert [cell.image_set for cell in store.cells()] == ["before", "pictures", "quite another"]
    for name in ("before", "pictures", "quite another"):
        assert [cell.image_set for cell in store.cells(name)] == [name]
    assert store.image_sets() == ["before", "pictures", "quite another"]


def test_scores_of_a_stored_picture_belong_to_its_pixels(store: StoreWriter) -> None:
    save(store, Outcome(measured=MEASURED))
    save(store, Outcome(scored=[Scored("bounded", None, False, 0.5)]), decoded_sha256="pixels")
    ((cell),) = store.cells()
    # A bounded metric has no value only where there is nothing to measure.
    assert cell.scores == {store.metric_ids["bounded"]: Score(None, False, applicable=False)}
    save(store, Outcome(scored=[Scored("bounded", 0.75, False, 0.5)]), decoded_sha256="pixels")
    assert store.cells()[0].scores == cell.scores, "the first score stays"


def test_failures_come_back_field_by_field_until_they_are_settled(store: StoreWriter) -> None:
    failed = Failed("crash", "decode", "died", None, -11, "tail")
    save(
        store,
        Outcome(failed=[failed, Failed("timeout", "score", "slow", "unbounded")]),
        key=replace(KEY, seed=3),
    )
    save(store, Outcome(failed=[failed], stopped=True))
    first, second = store.failures("pictures")
    assert first == Failure(
        *("pictures", "a.png", A, "codec-id", "label", 4.0, 3, None, "crash", "decode", -11, "died", "tail"),
        first.created_at,
        settled=False,
    )
    assert (second.metric, second.outcome, second.stage, second.exit_code) == (
        "unbounded",
        "timeout",
        "score",
        None,
    )
    assert store.attempted(["codec-id"]) == {
        (replace(KEY, seed=3), None),
        (replace(KEY, seed=3), "unbounded"),
    }
    save(store, Outcome(measured=MEASURED), key=replace(KEY, seed=3))
    assert [failure.settled for failure in store.failures()] == [True, False]
    save(
        store,
        Outcome(scored=[Scored("unbounded", 1.0, False, 0.1)]),
        key=replace(KEY, seed=3),
        decoded_sha256="pixels",
    )
    assert [failure.settled for failure in store.failures()] == [True, True]
    assert store.failures("others") == []


def test_probes_become_points_of_a_ladder_when_a_suite_asks_for_them(store: StoreWriter) -> None:
    other = replace(KEY, quality=5.0)
    for key in (KEY, other):
        save(store, Outcome(measured=MEASURED), key=key, probe=True)
    adopt(store, [KEY, replace(KEY, quality=6.0)])
    assert {cell.quality: cell.probe for cell in store.cells()} == {4.0: False, 5.0: True}


def test_metrics_and_runs_come_back_field_by_field(store: StoreWriter) -> None:
    assert [replace(metric, metric_id="") for metric in store.metrics()] == [
        MetricRow(
            "", name, f"{name} by", f"{name} version", f"{name} colours", "lower", perfect, f"{name} weights"
        )
        for name, perfect in (("bounded", 1.0), ("unbounded", None))
    ]
    facts = MetricFacts(
        "A title", "dB", 3, "higher", -2.0, math.inf, math.inf, curve_scale="decibel", default_order=7
    )
    store.add_metric(Described("x", identity=MetricIdentity("x", "y", "1", "RGB"), facts=facts))
    (row,) = (metric for metric in store.metrics() if metric.name == "x")
    assert (row.lowest, row.highest, row.perfect, row.better) == (-2.0, None, None, "higher")
    assert (row.title, row.unit, row.decimals) == ("A title", "dB", 3)
    assert (row.curve_scale, row.default_order) == ("decibel", 7)
    store.end_run(1, "interrupted")
    (run,) = store.runs()
    assert run == RunRow(
        *(
            1,
            "suite",
            "interrupted",
            3,
            5,
            run.started_at,
            run.finished_at,
            ("run", "--force"),
        )
    )
    assert run.finished_at is not None
    assert run.finished_at >= run.started_at
    assert store.codec_parameters() == {"codec-id": ("made-up", {"x": 1})}


def test_a_metric_that_is_written_otherwise_stays_the_same_metric(store: StoreWriter) -> None:
    """Range and perfect value are part of what was measured; title and digits are not."""
    identity, facts = MetricIdentity("x", "y", "1", "RGB"), MetricFacts("Before", decimals=1, highest=1.0)
    first = store.add_metric(Described("x", identity=identity, facts=facts))
    retitled = replace(facts, title="After", decimals=4)
    assert store.add_metric(Described("x", identity=identity, facts=retitled)) == first
    (row,) = (metric for metric in store.metrics() if metric.name == "x")
    assert (row.title, row.decimals) == ("After", 4)
    for changed in (replace(facts, highest=2.0), replace(facts, perfect=1.0), replace(facts, better="lower")):
        assert store.add_metric(Described("x", identity=identity, facts=changed)) != first


def test_verdicts_are_the_newest_of_each_measurement(store: StoreWriter) -> None:
    save(store, Outcome(measured=MEASURED))
    (stream,) = stored_streams(store, ["codec-id"], [A])
    assert (stream.key, stream.bitstream_sha256, stream.decoded_sha256) == (KEY, "bits", "pixels")
    assert stored_streams(store, ["codec-id"], [B]) == []
    for outcome, isolation in (("differs", "none"), ("identical", "unshare")):
        verified = Verified(stream.measurement_id, outcome, 3, isolation, False, "message")
        save_verified(store, [verified], {"cpu": "fast"})
    assert store.cells()[0].verdict == Verdict("identical", "unshare", False)


def test_bitstreams_of_other_versions_of_a_codec_are_counted(store: StoreWriter) -> None:
    store.add_codec("older-id", replace(INFO, version="0"), "older", {})
    store.add_codec("another-id", replace(INFO, name="another"), "another", {})
    for codec_id in ("codec-id", "older-id", "another-id"):
        for quality in (4.0, 5.0):
            save(store, Outcome(measured=MEASURED), key=replace(KEY, codec_id=codec_id, quality=quality))
    assert other_versions(store, ["codec-id"], [A]) == {"older 0": 2}
    assert other_versions(store, ["codec-id"], [B]) == other_versions(store, ["another-id"], [A]) == {}


MACHINE = {"cpu": "fast"}
TIMING = Timing(
    bitstream_bytes=134,
    encode=Side((1.0, 2.0), (3.0, 4.0), (5.0,), (6.0,), 7.0, 8.0, 9.0, 10),
    decode=Side((11.0, 12.0), (13.0, 14.0), None, None, None, 15.0, None, 16),
    other_shares=(0.01, 0.02),
    empty_mib=17.0,
    load_seconds=18.0,
    load_before=0.19,
    load_after=0.2,
    loaded=False,
)


def test_a_timing_comes_back_field_by_field_and_supersedes_its_own_cell_alone(store: StoreWriter) -> None:
    machine_id = id_of_machine(MACHINE)
    key = TimingKey(A, "codec-id", 4.0, machine_id, 2)
    others = [replace(key, quality=5.0), replace(key, threads=1)]
    timings.save(store, 1, machine_id, dict.fromkeys((key, *others), TIMING), {})
    newer = replace(TIMING, loaded=True)
    timings.save(
        store, 1, machine_id, {key: newer}, {"codec-id": Footprint(21, 22, "torch 2", {"weights": {"w": 21}})}
    )
    assert timings.known(store, ["codec-id"], machine_id) == {key: True} | dict.fromkeys(others, False)
    assert timings.known(store, ["codec-id"], "another machine") == {}
    row = next(
        timing
        for timing in timings.timings(store, "pictures")
        if timing.quality == 4.0 and timing.threads == 2
    )
    assert row == TimingRow(
        *("pictures", "a.png", A, 600, "codec-id", "label", "learned", True, 4.0, machine_id, 2, 1), newer
    )
    assert row.bits_per_pixel == pytest.approx(8 * 134 / 600)
    assert timings.footprints(store) == {
        ("codec-id", machine_id): Footprint(21, 22, "torch 2", {"weights": {"w": 21}})
    }
    assert timings.machines(store) == {machine_id: MACHINE}


def test_a_failure_to_time_is_settled_by_a_later_timing(store: StoreWriter) -> None:
    machine_id = id_of_machine(MACHINE)
    key = TimingKey(A, "codec-id", 4.0, machine_id, 1)
    timings.save(store, 1, machine_id, {replace(key, quality=5.0): TIMING}, {})
    timings.save_failure(store, 1, key, Failed("memory", "encode", "too large", None, None, "tail"))
    (failure,) = store.failures()
    assert (failure.metric, failure.outcome, failure.stage, failure.settled) == (
        "timing",
        "memory",
        "encode",
        False,
    )
    timings.save(store, 1, machine_id, {key: TIMING}, {})
    assert [failure.settled for failure in store.failures()] == [True]
