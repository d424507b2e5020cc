"""What decoding again proves of a bitstream, and how ends of runs are told, without a process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from measuring import INFO, planned_cell, planned_codec, planned_picture
from PIL import Image

from codecarena.bench.cli import summary
from codecarena.bench.records.cells import NO_SEED, CellKey
from codecarena.bench.records.messages import (
    DecodedAgain,
    DecodedSize,
    EncodedAgain,
    Failed,
    Limits,
    Outcome,
    Peeked,
    Stored,
)
from codecarena.bench.run.estimate import Estimate
from codecarena.bench.run.plan import Plan
from codecarena.bench.run.runner import Report
from codecarena.bench.run.suite import Suite
from codecarena.bench.run.timing_report import TimingReport
from codecarena.bench.store.blobs import BlobError
from codecarena.bench.store.verifications import StoredStream, Verified
from codecarena.bench.timing.footprint import MARK, footprint
from codecarena.bench.timing.opened_files import Opened
from codecarena.bench.verify import verify
from codecarena.bench.verify.verify import Report as VerifyReport
from codecarena.bench.verify.verify import _Box, _few, _Verification
from codecarena.bench.worker import pool, sandbox
from codecarena.datasets.pixels import pixels_sha256

CODEC = planned_codec("codec-id", info=replace(INFO, tolerance_levels=2))
MEASURED = np.full((4, 6, 3), 100, np.uint8)
STREAM = StoredStream(5, CellKey("sha-a", "codec-id", 4.0, 3), "bits", pixels_sha256(MEASURED), "then", None)


def verification(
    monkeypatch: pytest.MonkeyPatch, *, encode: bool = False, repeats: str = "bits"
) -> _Verification:
    """Return a verification of a made-up store, whose measured pixels are all 100."""
    made = _Verification.__new__(_Verification)
    made.store = SimpleNamespace(blobs=SimpleNamespace(bitstream=lambda _: b"stream"))
    made.report = VerifyReport(tool="unshare")
    made.pixel_counts = {"sha-a": 24}
    made.encode, made.limits = encode, None
    made.pictures = {"sha-a": planned_picture("a").picture}
    monkeypatch.setattr(made, "measured_pixels", lambda *_: MEASURED)
    monkeypatch.setattr(pool, "supervise", lambda *_: Outcome(again=EncodedAgain(repeats)))
    return made


def box(answer: Outcome, **fields: Any) -> Any:
    """Return a process that answers at once and keeps what it was asked."""
    asked: list[Any] = []

    def ask(job: Any) -> Outcome:
        asked.append(job)
        return answer

    return SimpleNamespace(
        **{
            "ask": ask,
            "asked": asked,
            "isolation": "unshare",
            "leak": "",
            "remarks": [],
            "older": None,
            **fields,
        }
    )


def moved(levels: int) -> DecodedAgain:
    pixels = MEASURED.copy()
    pixels[1, 2, 0] -= np.uint8(levels)
    pixels[3, 5, 2] += 1
    return DecodedAgain(pixels)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome(again=DecodedAgain(MEASURED)), ("identical", 0, "")),
        (Outcome(again=moved(2)), ("within tolerance", 2, "")),
        (
            Outcome(again=moved(3)),
            ("differs", 3, "up to 3 levels from the measured pixels, 2 allowed; hidden: x"),
        ),
        (Outcome(again=DecodedSize(4, 5)), ("differs", None, "decoded to 5x4")),
        (Outcome(again=DecodedAgain(MEASURED.reshape(6, 4, 3))), ("differs", None, "decoded to 4x6")),
        (Outcome(failed=[Failed("error", "decode", "no file")]), ("failed", None, "no file; hidden: x")),
    ],
)
def test_a_bitstream_is_judged_by_the_largest_difference(
    outcome: Outcome, expected: tuple[str, int | None, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verdict = box(outcome, remarks=["hidden: x"])
    result, largest, message = expected
    verified = verification(monkeypatch).row(verdict, CODEC, STREAM)
    assert verified == Verified(5, result, largest, "unshare", None, message)
    (job,) = verdict.asked
    assert (job.bitstream, job.seed, job.pixel_count) == (b"stream", 3, 24)


def test_a_process_gets_64_bitstreams_of_one_codec_and_other_versions_are_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = planned_codec("other-id")
    streams = [replace(STREAM, measurement_id=place) for place in range(130)]
    streams.append(replace(STREAM, key=replace(STREAM.key, codec_id="other-id")))
    monkeypatch.setattr(verify, "stored_streams", lambda *_: streams)
    monkeypatch.setattr(verify, "other_versions", lambda *_: {"codec 0": 3})
    made = verification(monkeypatch)
    parts = list(made.split(SimpleNamespace(codecs=[CODEC, other])))
    counts = [(part.codec, len(part.streams)) for part in parts]
    assert counts == [(CODEC, 64), (CODEC, 64), (CODEC, 2), (other, 1)]
    assert [stream.measurement_id for part in parts[:3] for stream in part.streams] == list(range(130))
    assert made.report.notes == ["3 bitstreams of codec 0 left out: that version is not here"]


def test_a_stream_without_a_seed_is_decoded_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = box(Outcome(again=DecodedAgain(MEASURED)), isolation="none", leak="not isolated")
    unseeded = replace(STREAM, key=replace(STREAM.key, seed=NO_SEED))
    verified = verification(monkeypatch).row(verdict, CODEC, unseeded)
    assert verified == Verified(5, "identical", 0, "none", None, "not isolated")
    assert verdict.asked[0].seed is None


@pytest.mark.parametrize(
    ("encode", "again", "repeats"), [(False, "bits", None), (True, "bits", True), (True, "other", False)]
)
def test_an_encoder_repeats_itself_where_it_is_asked_to(
    encode: bool, again: str, repeats: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = verification(monkeypatch, encode=encode, repeats=again)
    verified = made.row(box(Outcome(again=DecodedAgain(MEASURED))), CODEC, STREAM)
    assert verified is not None
    assert verified.encoder_repeats is repeats


def test_what_cannot_be_compared_differs_and_what_was_stopped_is_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = verification(monkeypatch)
    assert made.row(box(Outcome(stopped=True)), CODEC, STREAM) is None
    monkeypatch.setattr(made, "measured_pixels", lambda *_: None)
    verified = made.row(box(Outcome(again=moved(1))), CODEC, STREAM)
    assert verified is not None
    assert (verified.outcome, verified.largest_difference) == ("differs", None)
    assert "whether 2 levels were kept" in verified.message

    def lost(_: str) -> bytes:
        raise BlobError("no bitstream")

    made.store.blobs.bitstream = lost
    assert made.row(box(Outcome()), CODEC, STREAM) == Verified(
        5, "failed", None, "unshare", None, "no bitstream"
    )


def test_rows_are_stored_one_by_one_until_the_verification_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, closed = verification(monkeypatch), []
    made.machine = {"cpu": "x"}
    rows = iter([Verified(1, "identical", 0, "none"), Verified(2, "failed", None, "none"), None])
    monkeypatch.setattr(verify, "_Box", lambda *_: SimpleNamespace(close=lambda: closed.append(1)))
    monkeypatch.setattr(made, "row", lambda *_: next(rows))
    saved: list[Any] = []
    monkeypatch.setattr(verify, "save_verified", lambda _, listed, machine: saved.append((listed, machine)))
    done: list[int] = []
    made.verify(verify._Part(CODEC, [STREAM] * 4), lambda: done.append(made.report.count))
    assert [(entry.measurement_id, machine) for (entry,), machine in saved] == [
        (1, {"cpu": "x"}),
        (2, {"cpu": "x"}),
    ]
    assert made.report.rows == {"label of codec-id": [entry for (entry,), _ in saved]}
    assert (done, closed) == ([1, 2], [1])


@pytest.mark.parametrize(("seed", "seed_sent"), [(3, 3), (NO_SEED, None)])
def test_the_measured_pixels_are_kept_or_decoded_as_in_an_ordinary_run(
    seed: int, seed_sent: int | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jobs: list[Any] = []
    made = _Verification.__new__(_Verification)
    made.limits = Limits(5, 6)
    made.pictures = {"sha-a": planned_picture("a").picture}
    made.store = SimpleNamespace(
        blobs=SimpleNamespace(folder=tmp_path, decoded_path=lambda sha256: tmp_path / f"{sha256}.png")
    )

    def decode(job: Any, limits: Limits) -> None:
        assert limits == Limits(5, 6)
        jobs.append(job)
        Image.fromarray(MEASURED).save(tmp_path / f"{STREAM.decoded_sha256}.png")

    monkeypatch.setattr(pool, "supervise", decode)
    stream = replace(STREAM, key=replace(STREAM.key, seed=seed))
    for _ in range(2):  # the second time it is kept
        pixels = made.measured_pixels(CODEC, stream)
        assert pixels is not None
        assert np.array_equal(pixels, MEASURED)
    (job,) = jobs
    assert (job.original.path, job.original.sha256, job.original.caption, job.original.text) == (
        "/a",
        "sha-a",
        "a?",
        "a!",
    )
    assert (job.codec, job.codec_id, job.quality, job.seed) == (CODEC.table.spec, "codec-id", 4.0, seed_sent)
    assert (job.metrics, job.blobs, job.stored) == ((), str(tmp_path), Stored("bits", STREAM.decoded_sha256))
    monkeypatch.setattr(pool, "supervise", lambda *_: None)
    assert made.measured_pixels(CODEC, replace(stream, decoded_sha256="lost")) is None


@pytest.mark.parametrize(
    ("peeked", "holds", "leak"),
    [
        (Peeked(()), True, ""),
        (
            Peeked(("/a", "/b", "/c", "/d")),
            False,
            "not isolated: the decoder could read /a, /b, /c and 1 more",
        ),
        (None, False, "not isolated: the decoder does not start behind walls"),
    ],
)
def test_walls_hold_when_the_process_itself_can_read_no_original(
    peeked: Peeked | None, holds: bool, leak: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _Box.__new__(_Box)
    made.run = SimpleNamespace(paths=[Path("/a")], limits=None)
    made.isolation, made.leak = "unshare", ""
    monkeypatch.setattr(pool, "ask", lambda _child, _job, _limits, outcome: setattr(outcome, "again", peeked))
    assert made.holds(SimpleNamespace(close=lambda: None)) is holds
    assert (made.leak, made.isolation) == (leak, "unshare" if holds else "none")


@pytest.mark.parametrize(
    ("tool", "leak", "holds", "started", "looked"),
    [
        ("bubblewrap", "", True, 1, 1),
        ("unshare", "", True, 1, 1),
        ("unshare", "", False, 2, 1),
        ("unshare", "leaks", True, 1, 0),
        ("none", "", True, 1, 0),
    ],
)
def test_walls_are_looked_at_from_inside_once_a_process_and_a_dead_one_is_replaced(
    tool: Any, leak: str, holds: bool, started: int, looked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[Any] = []

    def child(threads: int, behind: object) -> Any:
        assert (threads, behind) == (1, made.enter)
        children.append(SimpleNamespace(alive=True))
        return children[-1]

    looks: list[Any] = []
    made = _Box.__new__(_Box)
    made.run, made.child = SimpleNamespace(limits="limits"), None
    made.isolation, made.leak = tool, leak
    monkeypatch.setattr(made, "holds", lambda entry: looks.append(entry) or holds)
    monkeypatch.setattr(pool, "Child", child)
    asked: list[Any] = []
    monkeypatch.setattr(pool, "ask", lambda *words: asked.append(words))
    outcomes = [made.ask("first"), made.ask("second")]
    assert (len(children), looks) == (started, children[:looked])
    last = children[-1]
    assert asked == [
        (last, job, "limits", outcome) for job, outcome in zip(("first", "second"), outcomes, strict=True)
    ]
    last.alive = False
    made.leak = made.leak or "leaks"
    made.ask("third")
    assert len(children) == started + 1
    assert asked[-1][:2] == (children[-1], "third")


def test_bitstreams_that_differ_or_failed_are_wrong_and_the_first_three_are_named() -> None:
    report = VerifyReport()
    for label, outcomes in (
        ("one", ("identical", "differs")),
        ("two", ("failed", "within tolerance", "differs")),
    ):
        report.rows[label] += [Verified(place, outcome, 0, "none") for place, outcome in enumerate(outcomes)]
    assert (report.count, report.wrong) == (5, 3)
    assert _few("abc") == "a, b, c"
    assert _few("abcd") == "a, b, c and 1 more"


def test_a_footprint_counts_each_file_once_and_frameworks_by_name(tmp_path: Path) -> None:
    def file(name: str, size: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
        return path

    packages = "lib/site-packages"
    after = [
        Opened(file("a/model.PT", 2), False),
        Opened(file("b/model.PT", 3), False),
        Opened(file(f"{packages}/paths.pth", 5), False),
        Opened(file(f"{packages}/codec/network.pth", 7), False),
        Opened(file(f"{packages}/codec/native.so.1", 11), False),
        Opened(file(f"{packages}/nvidia/cublas.so", 13), False),
        Opened(file(f"{packages}/torch/weights.bin", 17), False),
        Opened(tmp_path, False),
        Opened(Path("/proc/self/status"), False),
        Opened(Path("/etc/passwd"), True),
    ]
    before = Opened(file("everybody.so", 19), False)
    needs = footprint([before, Opened(MARK, False), before, *after])
    assert needs.files == {
        "weights": {"model.PT": 5, "network.pth": 7},
        "libraries": {"native.so.1": 11},
    }
    assert (needs.weights_bytes, needs.library_bytes) == (12, 11)
    assert needs.runtime.split(",")[0].split()[0] == "torch"
    nothing = footprint([before, *after])
    assert (nothing.weights_bytes, nothing.library_bytes, nothing.runtime) == (0, 0, "")


SUITE = Suite.model_validate({"name": "small", "sets": "kodak", "codecs": [{"name": "jpeg"}]})


def test_the_end_of_a_run_is_told_in_sentences_and_in_a_record() -> None:
    cells = (planned_cell(planned_picture("a"), CODEC),)
    report = Report(Plan(cells, 9, 5, 3), completed=2, failed=1, missing=4, notes=["a note"])
    assert summary.as_record(SUITE, report) == {
        "suite": "small",
        "cells": 9,
        "done_before": 5,
        "planned": 1,
        "completed": 2,
        "failed": 1,
        "nothing_to_measure": {},
        "without_result": 4,
        "interrupted": False,
        "complete": False,
        "notes": ["a note"],
        "estimate": None,
        "timing": None,
    }
    assert summary.sentences(SUITE, report, "small.toml", "arena").splitlines() == [
        "small: 9 cells, 5 done before, 2 completed now, 1 failed",
        "4 cells have no complete result; --retry-failed tries them again.",
    ]
    report.interrupted = report.unavailable = True
    assert summary.sentences(SUITE, report, "small.toml", "arena").splitlines()[1:] == [
        "Interrupted; what had finished is stored. The same command goes on."
    ]
    report.interrupted = report.unavailable = False
    report.missing = 0
    report.timing = TimingReport(6, 1, timed=2, interrupted=True)
    assert summary.sentences(SUITE, report, "small.toml", "arena").splitlines() == [
        "small: 9 cells, 5 done before, 2 completed now, 1 failed",
        "small: 6 cells to time, 1 done before, 2 timed now, 0 failed",
        "Timing was interrupted; cells with most of their repeats are stored. The same command goes on.",
    ]
    assert summary.as_record(SUITE, report)["interrupted"] is False
    report.unavailable = True
    assert "did not load" in summary.sentences(SUITE, report, "small.toml", "arena")


def test_a_dry_run_says_what_it_would_do() -> None:
    cells = tuple(planned_cell(planned_picture("a"), CODEC, quality) for quality in (2.0, 4.5, 2.0))
    report = Report(Plan(cells, 9, 5, 3), estimate=Estimate(12.4, 3 * 2**20, 0.25), timing=TimingReport(9, 4))
    known = "25% of the cells by codecs measured here before, the rest a guess"
    assert summary.sentences(SUITE, report, "small.toml", "arena").splitlines() == [
        "small: 9 cells, 5 done before",
        "would run 3 cells:",
        "  label of codec-id: 3 cells at 2 4.5",
        "3 cells failed before and left alone without --retry-failed",
        f"estimated: 12 s, 3.0 MiB of bitstreams ({known})",
        "then 5 cells to time, one call at a time; --no-timing leaves them out",
    ]


def test_a_decoder_without_a_tool_gets_folders_of_its_own(tmp_path: Path) -> None:
    built = sandbox.build(sandbox.Walls(()), {"A": "b"}, "none", tmp_path)
    assert (built.prefix, built.folder) == ((), str(tmp_path / "work"))
    assert built.environment == {
        "A": "b",
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmpdir"),
        "WORK": str(tmp_path / "work"),
    }
