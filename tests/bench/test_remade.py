"""Decoded pictures made again, what a verification says of them, and warnings about training pictures."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from measuring import INFO, planned_codec, planned_picture
from rich.console import Console

from codecarena.bench.records.messages import Cell, CodecSpec, Failed, Outcome, Stored
from codecarena.bench.run import redecode, training_overlap
from codecarena.bench.run.redecode import Remade
from codecarena.bench.sets import table as set_table
from codecarena.bench.store import set_scores
from codecarena.bench.store.verifications import Verified
from codecarena.bench.verify import verify_report
from codecarena.bench.verify.verify import Report
from codecarena.bench.verify.verify_report import _encoder, _in_a_line, as_record
from codecarena.datasets.description.overlap import Print
from codecarena.datasets.pixels import pixels_sha256

PIXELS = np.full((2, 3, 3), 7, np.uint8)
SHA256 = pixels_sha256(PIXELS)


@pytest.mark.parametrize("wanted", ["0" * 64, "f" * 64])
def test_pixels_are_taken_where_they_are_the_measured_ones(
    monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setattr(redecode, "read_pixels", lambda _: PIXELS)
    remade = Remade()
    redecode._take(remade, SHA256, Path("/a.png"), "original")
    redecode._take(remade, wanted, Path("/b.png"), "kept picture")
    assert list(remade.pixels) == [SHA256]
    assert remade.missing == {wanted: "kept picture /b.png changed since it was measured"}


def test_a_picture_that_cannot_be_read_is_missing_with_the_reason(tmp_path: Path) -> None:
    remade = Remade()
    redecode._take(remade, "a", tmp_path / "none.png", "original")
    assert remade.missing["a"].startswith(f"original: {tmp_path / 'none.png'}: cannot be read")


def cell(name: str, **fields: Any) -> Any:
    known = {"picture_sha256": "original", "decoded_sha256": name, "codec_id": "id", "imported": False}
    return SimpleNamespace(**{**known, "bitstream_sha256": "bits", "quality": 3.0, "seed": 5, **fields})


def test_pictures_are_kept_decoded_again_or_missing_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "kept").touch()
    jobs: list[Cell] = []

    def supervise(job: Cell, limits: object) -> Outcome:
        assert limits == redecode.LIMITS
        jobs.append(job)
        assert job.stored is not None
        broken = job.stored.decoded_sha256 == "broken"
        return Outcome(failed=[Failed("error", "decode", "damaged")] if broken else [])

    monkeypatch.setattr(redecode.pool, "supervise", supervise)
    monkeypatch.setattr(redecode, "cores", lambda: 1)
    parameters = {"id": ("jpeg", {"b": 2, "a": 1}), "gone": ("somebody's recipe", {})}
    store: Any = SimpleNamespace(
        blobs=SimpleNamespace(folder=Path("/blobs"), decoded_path=lambda sha256: tmp_path / sha256),
        picture_paths=lambda: {"original": "/original.png"},
        codec_parameters=lambda: parameters,
    )
    cells = [
        cell("kept", imported=True),
        cell("made"),
        cell("made"),
        cell("broken"),
        cell("lost", picture_sha256="lost original"),
        cell("imported", imported=True),
        cell("recipe", codec_id="gone"),
    ]
    assert redecode.keep(store, cells, {"lost original": "no file"}) == {
        "broken": "damaged",
        "lost": "no file",
        "imported": "imported, and its picture is no longer in the store: import it again",
        "recipe": "not kept, and its recipe is unknown here: run its suite with keep_decoded = true",
    }
    assert [job.stored for job in jobs] == [Stored("bits", "made"), Stored("bits", "broken")]
    job = jobs[0]
    assert (job.original.path, job.original.sha256) == ("/original.png", "original")
    assert (job.codec, job.codec_id) == (CodecSpec("jpeg", (("a", 1), ("b", 2))), "id")
    assert (job.quality, job.seed, job.metrics, job.blobs) == (3.0, 5, (), "/blobs")


# What a verification says.


def verified(outcome: Any, message: str = "", repeats: bool | None = None, isolation: str = "unshare") -> Any:
    return Verified(1, outcome, 0, isolation, repeats, message)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("repeats", "said"),
    [
        ([True, True], "repeats"),
        ([True, None], "repeats"),
        ([None, None], "not asked"),
        ([True, False, None], "varies (1/3)"),
        ([], "not asked"),
    ],
)
def test_an_encoder_repeats_itself_varies_or_was_not_asked(repeats: list[bool | None], said: str) -> None:
    assert _encoder([verified("identical", repeats=repeat) for repeat in repeats]) == said


@pytest.mark.parametrize(
    ("message", "line"), [("a", "a"), ("a\n\n  b ", "a … b"), ("a\nb\nc\n", "a … c"), (" a \n", "a")]
)
def test_a_long_message_is_its_first_and_last_line(message: str, line: str) -> None:
    assert _in_a_line(message) == line


def report(**fields: Any) -> Report:
    made = Report(**fields)
    made.rows["two"] += [verified("identical", repeats=True), verified("within tolerance", isolation="none")]
    made.rows["one"] += [
        *(verified("differs", "b") for _ in range(2)),
        *(verified("failed", "a") for _ in range(3)),
        verified("failed", "c"),
        verified("identical", "d", repeats=False),
    ]
    return made


def shown(made: Report) -> list[str]:
    message = io.StringIO()
    verify_report.show(Console(file=message, width=200), made)
    return [line.rstrip() for line in message.getvalue().splitlines()]


def test_a_verification_is_told_codec_by_codec_with_its_commonest_messages() -> None:
    lines = shown(report(notes=["a note"], tool="unshare"))
    rows = {line.split()[0]: line.split()[1:] for line in lines[3:] if line[:3] in ("one", "two")}
    assert rows == {
        "one": ["7", "1", "–", "2", "4", "varies", "(1/7)", "unshare"],
        "two": ["2", "1", "1", "–", "–", "repeats", "not", "isolated,", "unshare"],
    }
    assert lines[lines.index("a note") :] == [
        "a note",
        "✗ one: 6 of 7 bitstreams do not give the measured pixels:",
        "    a",
        "    b",
        "    c",
        "~ one: its encoder is not deterministic: it wrote other bytes when asked again.",
    ]


def test_the_end_of_a_verification_is_one_sentence() -> None:
    right = Report()
    right.rows["one"].append(verified("identical"))
    assert shown(right)[-1] == "Every bitstream gives the pixels that were measured."
    right.interrupted = True
    assert shown(right)[-1] == "Interrupted; what had been verified is stored."
    assert shown(Report()) == ["The store holds no bitstream of this suite; run it first."]


def test_the_record_of_a_verification_has_every_count() -> None:
    record = as_record(report(tool="unshare", interrupted=True, notes=["a note"]))
    first, second = record.pop("codecs")
    assert record == {
        "bitstreams": 9,
        "wrong": 6,
        "isolation": "unshare",
        "interrupted": True,
        "notes": ["a note"],
        "instruction_sets": [],
    }
    assert len(first.pop("rows")) == 7
    assert first == {
        "codec": "one",
        "bitstreams": 7,
        "identical": 1,
        "within tolerance": 0,
        "differs": 2,
        "failed": 4,
        "encoder": "varies (1/7)",
        "isolation": "unshare",
    }
    assert (second["codec"], second["isolation"]) == ("two", "not isolated, unshare")


# Training pictures.


def test_a_codec_that_meets_its_training_pictures_is_named_with_the_first_three(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, ...]] = []

    def training(folders: tuple[str, ...]) -> dict[str, Print]:
        asked.append(folders)
        return {f"{folders[0]}/{name}": Print(None, None, name * 16) for name in "0123"}

    monkeypatch.setattr(training_overlap, "training_prints", training)
    pictures = [planned_picture(name) for name in "fedcba"]
    prints = {f"sha-{name}": digit * 16 for name, digit in zip("fedcb", "f0f12", strict=True)}
    prints["sha-c"] = "3" * 16
    codecs = [
        planned_codec("x", info=replace(INFO, trained_on="9 pictures: b, a")),
        planned_codec("y", info=replace(INFO, trained_on="9 pictures: a, b")),
        planned_codec("z"),
    ]
    where = "was trained on pictures of this suite; its results on them mislead:"
    named = "pictures/b, pictures/c, pictures/e"
    read: list[dict[str, str]] = []
    known = prints
    monkeypatch.setattr(training_overlap, "store_prints", lambda paths, *_: read.append(dict(paths)) or known)

    def notes_of(codecs: list[Any]) -> list[str]:
        return training_overlap.training_notes(pictures, codecs, None, None)  # type: ignore[arg-type]

    notes = notes_of(codecs)
    assert sorted(read[0]) == [f"sha-{name}" for name in "abcdef"]
    assert notes == [f"codec label of {name} {where} {named}" for name in "xy"]
    assert asked == [("a", "b")], "once for codecs that were trained on the same"
    prints["sha-d"] = "1" * 16
    (note, _) = notes_of(codecs[:2])
    assert note.endswith(f"{where} pictures/b, pictures/c, pictures/d and 1 more")
    known = {}
    assert notes_of(codecs) == []
    read.clear()
    assert notes_of(codecs[2:]) == []
    assert read == [], "no codec says what it was trained on: no picture is read"


# Distances of sets.


@pytest.mark.parametrize(
    ("measured", "of", "pooled"), [(1, 3, False), (2, 4, True), (2, 3, True), (3, 3, True)]
)
def test_a_setting_of_at_least_half_of_the_pictures_is_a_pool(
    monkeypatch: pytest.MonkeyPatch, measured: int, of: int, pooled: bool
) -> None:
    monkeypatch.setattr(set_scores, "_members", lambda _: {"kodak": of})
    cells = [
        cell(
            f"d{place}",
            picture_sha256=f"p{place % measured}",
            image_set="kodak",
            codec="jpeg",
            bits_per_pixel=float(place),
        )
        for place in range(2 * measured)  # each picture twice: the later row counts
    ]
    outcome = set_scores.pools(SimpleNamespace(cells=lambda _: cells))  # type: ignore[arg-type]
    assert len(outcome) == pooled
    for pool in outcome:
        assert (pool.codec, pool.quality, pool.seed, pool.complete) == ("jpeg", 3.0, 5, measured == of)
        assert len(pool.cells) == measured
        assert pool.bits_per_pixel == pytest.approx(measured + (measured - 1) / 2)


def row(**fields: Any) -> dict[str, Any]:
    known = {"metric": "fid", "value": 12.3456, "doubtful": False, "views": 9, "tile_pixels": 256}
    return {**known, "shift_pixels": 128, "pictures": 4, "extractor": "net", "weights_sha256": None, **fields}


def test_a_distance_has_four_digits_and_a_star_where_it_is_doubtful() -> None:
    texts = [set_table._text(entry) for entry in (row(), row(doubtful=True), row(value=0.00012345), None)]
    assert texts == ["12.35", "12.35*", "0.0001234", "-"]


def test_a_note_says_what_a_column_was_computed_from() -> None:
    rows = [row(), row(metric="fid-whole", tile_pixels=None, views=4, weights_sha256="0123456789abcdef")]
    notes = [
        "fid: 9 tiles of 256 pixels, second grid shifted by 128 of 4 pictures; net",
        "fid-whole: 4 whole pictures of 4 pictures; net, sha256 0123456789ab",
    ]
    assert set_table._notes(rows, ["fid", "fid-whole", "kid"]) == notes  # type: ignore[arg-type]
    doubtful = set_table._notes([row(doubtful=True), row(views=5)], ["fid"])  # type: ignore[arg-type]
    assert doubtful == [
        notes[0],
        "* fewer than 2048 views: FID is too high then, and more so the fewer; compare by kid",
    ]
