"""What a suite means on a machine: which codecs, sets and metrics are there, what is left out and why."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from measuring import INFO

from codecarena.bench.records.identities import MetricIdentity
from codecarena.bench.records.messages import Described, Failed, Identified, Identify, Limits, Outcome
from codecarena.bench.run import prepare
from codecarena.bench.run.prepare import Options, Prepared, identify_pictures
from codecarena.bench.run.suite import CodecTable, Suite, SuiteError
from codecarena.bench.store.writer import StoreWriter
from codecarena.bench.worker import pool
from codecarena.codecs import registry
from codecarena.datasets.manifest import DatasetError, LocalPicture, PixelsIdentity
from codecarena.datasets.sets.catalogue import open_set


def suite(**keys: Any) -> Suite:
    codecs = [{"name": "jpeg"}, {"name": "jpeg", "params": {"subsampling": "4:4:4"}}, {"name": "webp"}]
    return Suite.model_validate({"name": "s", "sets": ["kodak", "./mine"], "codecs": codecs, **keys})


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        ((), ["jpeg", "jpeg(subsampling=4:4:4)", "webp"]),
        (("jpeg",), ["jpeg", "jpeg(subsampling=4:4:4)"]),
        (("jpeg(subsampling=4:4:4)", "webp"), ["jpeg(subsampling=4:4:4)", "webp"]),
    ],
)
def test_a_codec_is_chosen_by_its_name_or_title(only: tuple[str, ...], chosen: list[str]) -> None:
    tables = prepare._chosen_codecs(suite(), Options(only_codecs=frozenset(only)))
    assert [table.title for table in tables] == chosen


def test_a_recipe_is_chosen_by_its_files_name() -> None:
    table = CodecTable(name="command", params={"recipe": "/some/where/mine.toml"})
    assert prepare._names(table) == {"command", "command(recipe=mine.toml)", "mine"}


def test_what_fits_nothing_is_refused_with_what_there_is() -> None:
    for mistyped in ({"png"}, {"png", "jpeg"}):
        with pytest.raises(
            SuiteError, match=r"--only codec=png fits none of the suite's: jpeg, jpeg\(.*, webp$"
        ):
            prepare._chosen_codecs(suite(), Options(only_codecs=frozenset(mistyped)))
    with pytest.raises(
        SuiteError, match=r"--only codec=wepb fits none of the suite's; did you mean 'webp'\?"
    ):
        prepare._chosen_codecs(suite(), Options(only_codecs=frozenset({"wepb"})))
    with pytest.raises(
        SuiteError, match=r"'s', codecs\.1\.name: no codec is named 'jpge'; did you mean 'jpeg'"
    ):
        prepare._chosen_codecs(suite(codecs=[{"name": "png"}, {"name": "jpge"}]), Options())
    with pytest.raises(SuiteError, match=r"--only set=x fits none of the suite's: \./mine, kodak, mine"):
        prepare._open_sets(suite(), Options(only_sets=frozenset({"x"})))
    with pytest.raises(SuiteError, match="did you mean 'psnr'"):
        prepare._identities(["ssim", "pnsr"])
    assert prepare._identities(["ssim", "psnr", "ssim"]) == ("ssim", "psnr")


def written(folder: Path, *names: str) -> Path:
    """Write pictures of 3 x 5 pixels, each of its own grey."""
    folder.mkdir(exist_ok=True)
    for level, name in enumerate(names):
        cv2.imwrite(str(folder / name), np.full((3, 5, 3), 10 + level, np.uint8))
    return folder


def test_sets_are_cut_to_so_many_pictures_and_optional_ones_left_out_with_a_note(tmp_path: Path) -> None:
    mine = str(written(tmp_path / "mine", "a.png", "b.png", "c.png"))
    given = suite(sets=mine, optional_sets=["$NOWHERE/set", "/no/such/folder"])
    opened, notes = prepare._open_sets(given, Options(pictures=2))
    assert [[picture.name for picture in each.pictures] for each in opened] == [["a.png", "b.png"]]
    assert notes[0].startswith("set $NOWHERE/set: the environment variable NOWHERE is not set")
    assert notes[1].endswith("(optional)")
    with pytest.raises(DatasetError):
        prepare._open_sets(suite(sets="/no/such/folder"), Options())
    with pytest.raises(DatasetError, match="optional"):
        prepare._open_sets(
            given.model_copy(update={"sets": ("unused",)}), Options(only_sets=frozenset({"folder"}))
        )
    assert len(prepare._open_sets(given, Options(only_sets=frozenset({"mine"})))[0]) == 1


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """Return a thread that waits for workers, which are freed in the end."""
    with ThreadPoolExecutor(1) as executor:
        yield executor
    pool.close()


def test_only_files_that_changed_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: ThreadPoolExecutor
) -> None:
    sets = [open_set(str(written(tmp_path / "mine", "a.png", "b.png")))]
    store = StoreWriter(str(tmp_path / "arena"))
    read: list[str] = []
    identified = prepare._identified
    monkeypatch.setattr(
        prepare, "_identified", lambda picture: read.append(picture.name) or identified(picture)
    )
    first = identify_pictures(sets, store, store, executor, whole=True)
    assert [(cell.image_set, cell.picture.name, cell.pixel_count) for cell in first] == [
        ("mine", "a.png", 15),
        ("mine", "b.png", 15),
    ]
    assert len({entry.sha256 for entry in first}) == 2
    assert identify_pictures(sets, store, store, executor, whole=True) == first
    assert sorted(read) == ["a.png", "b.png"]
    cv2.imwrite(str(tmp_path / "mine" / "b.png"), np.full((4, 6, 3), 99, np.uint8))
    again = identify_pictures(sets, store, store, executor, whole=True)
    assert sorted(read) == ["a.png", "b.png", "b.png"]
    assert (again[0], again[1].pixel_count) == (first[0], 24)
    (tmp_path / "mine" / "a.png").write_bytes(b"nothing")
    with pytest.raises(DatasetError, match=r"a\.png: no picture in a known format"):
        identify_pictures(sets, store, store, executor, whole=True)
    store.close()


def test_a_worker_outlives_the_thread_that_asked_for_it(tmp_path: Path, executor: ThreadPoolExecutor) -> None:
    written(tmp_path, "a.png")
    executor.submit(pool.supervise, Identify(str(tmp_path / "a.png"), None, None), Limits(60, 4096)).result()
    thread = executor.submit(threading.get_native_id).result()
    executor.shutdown()
    while Path(f"/proc/self/task/{thread}").exists():
        time.sleep(0.01)
    (worker,) = pool._idle
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.process.wait(0.3)
    assert worker.alive


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Outcome(failed=[Failed("memory", "load", "killed: used 9 MiB")]), "/a: killed: used 9 MiB"),
        (Outcome(stopped=True), "/a: the run was stopped"),
    ],
)
def test_a_picture_too_large_for_a_worker_is_named(
    outcome: Outcome, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[object] = []
    monkeypatch.setattr(prepare.pool, "supervise", lambda job, _: jobs.append(job) or outcome)
    picture = LocalPicture(
        "a", Path("/a"), "natural", None, None, None, "CC0", "", "f" * 64, PixelsIdentity("c" * 64, 3, 7)
    )
    assert prepare._identified(picture) == Identified("/a", error=reason)
    assert jobs == [Identify("/a", "f" * 64, ("c" * 64, 3, 7))]


class Ledger:
    def __init__(self) -> None:
        self.codecs: list[tuple[Any, ...]] = []

    def add_codec(self, *words: Any) -> None:
        self.codecs.append(words)

    def add_metric(self, described: Described) -> str:
        return f"id of {described.what}"


def register(message: list[Described], tables: list[CodecTable], ledger: Ledger | None = None) -> Prepared:
    future: Future[Outcome] = Future()
    future.set_result(Outcome(described=message))
    prepared = Prepared(suite(), [])
    prepare._register([future], tables, ledger or Ledger(), prepared)
    return prepared


JPEG = CodecTable(name="jpeg")
OPTIONAL = CodecTable(name="jpeg", optional=True)
KNOWN = Described(JPEG.spec, replace(INFO, name="jpeg"), (("subsampling", "4:2:0"),), "label")


def test_what_loaded_is_recorded_by_its_own_identity() -> None:
    ledger = Ledger()
    psnr = Described("psnr", identity=MetricIdentity("psnr", "x", "1", "RGB"))
    prepared = register([psnr, KNOWN, Described("ssim", error="no such file")], [JPEG], ledger)
    (codec,) = prepared.codecs
    identity = registry.codec_id(KNOWN.info, {"subsampling": "4:2:0"})
    assert (codec.codec_id, codec.label, codec.table) == (identity, "label", JPEG)
    assert ledger.codecs == [(identity, KNOWN.info, "label", {"subsampling": "4:2:0"})]
    assert prepared.metric_ids == {"psnr": "id of psnr"}
    assert (prepared.notes, prepared.unavailable) == (["metric ssim: no such file"], True)


@pytest.mark.parametrize(
    ("table", "described", "note", "unavailable"),
    [
        (JPEG, None, "codec jpeg: its process died while it loaded", True),
        (OPTIONAL, None, "codec jpeg: its process died while it loaded", True),
        (JPEG, Described(JPEG.spec, error="no file\nmore", absent=True), "codec jpeg: no file\nmore", True),
        (
            OPTIONAL,
            Described(JPEG.spec, error="no file:\nmore", absent=True),
            "codec jpeg: no file (optional; docs/codecs.md says how to get it)",
            False,
        ),
        (OPTIONAL, Described(JPEG.spec, error="broken"), "codec jpeg: broken", True),
    ],
)
def test_what_did_not_load_is_noted(
    table: CodecTable, described: Described | None, note: str, unavailable: bool
) -> None:
    prepared = register([described] if described else [], [table])
    assert (prepared.codecs, prepared.notes, prepared.unavailable) == ([], [note], unavailable)


@pytest.mark.parametrize(("table", "unavailable"), [(JPEG, True), (OPTIONAL, False)])
def test_a_codec_without_its_library_is_noted(
    table: CodecTable, unavailable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = replace(registry.find("jpeg"), modules=("no_such_module",), install="it")
    monkeypatch.setattr(registry, "find", lambda _: entry)
    prepared = register([], [table])
    optional = "" if unavailable else " (optional)"
    assert (prepared.notes, prepared.unavailable) == (
        [f"codec jpeg missing: install it{optional}"],
        unavailable,
    )


def test_a_mistake_in_a_suite_stops_it() -> None:
    with pytest.raises(SuiteError, match="codec 'jpeg': no parameter x"):
        register([Described(JPEG.spec, error="no parameter x", mistaken=True)], [JPEG])
