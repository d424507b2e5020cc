"""What a run does the first time, the second time, and when something about it changed."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from arena import SMALL_SUITE, call, call_process, run_record, small_arena, write_pictures, write_recipe
from codecarena.bench.store.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_arena(tmp_path)


def test_a_finished_run_does_nothing_twice_and_a_changed_suite_runs_what_is_new(folder: Path) -> None:
    status, record = run_record("suite.toml", folder=folder)
    assert (status, record["cells"], record["completed"]) == (0, 9, 9)
    status, record = run_record("suite.toml", folder=folder)
    assert (status, record["planned"], record["done_before"]) == (0, 0, 9)

    (folder / "suite.toml").write_text(SMALL_SUITE.replace("[20, 80]", "[20, 50, 80]"))
    status, record = run_record("suite.toml", folder=folder)
    assert (status, record["planned"], record["done_before"]) == (0, 3, 9)

    (folder / "suite.toml").write_text(SMALL_SUITE.replace('["psnr"]', '["psnr", "ssim"]'))
    before = {cell.encode_seconds for cell in Store(str(folder / "arena")).cells()}
    status, record = run_record("suite.toml", folder=folder)
    assert (status, record["planned"]) == (0, 9)
    after = Store(str(folder / "arena")).cells()
    assert {cell.encode_seconds for cell in after} == before, "a new metric encodes nothing"


def test_lossless_is_a_flag_and_an_unbounded_score_is_null(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    store = Store(str(folder / "arena"))
    (psnr,) = store.metrics()
    assert psnr.perfect is None
    for cell in store.cells():
        score = cell.scores[psnr.metric_id]
        assert score.lossless is (cell.codec == "png")
        assert (score.value is None) is (cell.codec == "png")
        assert (cell.decoded_sha256 == cell.picture_sha256) is (cell.codec == "png")


def test_score_adds_a_metric_without_encoding(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    store = Store(str(folder / "arena"))
    before = [cell.encode_seconds for cell in store.cells()]
    ended = call("score", "suite.toml", "-j", "1", "--metric", "ciede2000", "--json", folder=folder)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["completed"] == 9
    assert [cell.encode_seconds for cell in store.cells()] == before
    assert all(len(cell.scores) == 2 for cell in store.cells())
    decoded = {cell.decoded_sha256 for cell in store.cells()}
    assert all(store.blobs.decoded_path(entry).exists() for entry in decoded), "remade pictures are kept"


def test_score_refuses_a_bitstream_that_is_not_what_was_measured(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    store = Store(str(folder / "arena"))
    jpegs = [cell for cell in store.cells() if cell.codec == "jpeg"]
    store.blobs.bitstream_path(jpegs[0].bitstream_sha256).write_bytes(b"something else")
    ended = call("score", "suite.toml", "-j", "1", "--metric", "ssim", "--json", folder=folder)
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["failed"] == 1
    (failure,) = store.failures()
    assert "damaged" in failure.message


def test_a_metric_that_refuses_each_picture_is_named_once_and_counted(folder: Path) -> None:
    (folder / "suite.toml").write_text(SMALL_SUITE.replace('["psnr"]', '["psnr", "ms-ssim"]'))
    ended = call("run", "suite.toml", "-j", "1", folder=folder)
    assert ended.returncode == 1
    named, counted = (line for line in ended.stderr.splitlines() if line.startswith("failed"))
    assert "on picture0000.png, score ms-ssim: " in named
    assert counted == "failed 9 in all for the same reason: score ms-ssim"
    assert len(Store(str(folder / "arena")).failures()) == 9


DRY = ("run", "suite.toml", "-j", "1", "--dry-run")


def test_dry_run_shows_the_cells_and_makes_no_store(folder: Path) -> None:
    ended = call(*DRY, folder=folder)
    assert ended.returncode == 0, ended.stderr
    assert "would run 9 cells" in ended.stdout
    assert "jpeg: 6 cells at 20 80" in ended.stdout
    assert "MiB" in ended.stdout
    ended = call(*DRY, "--match", "psnr=30", folder=folder)
    assert "would search 6 times" in ended.stdout, ended.stderr
    assert not (folder / "arena").exists()


def test_dry_run_changes_nothing_in_a_store(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    with closing(sqlite3.connect(folder / "arena" / "arena.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = list(connection.iterdump())
    files = sorted((folder / "arena").rglob("*"))
    new = '[[codecs]]\nname = "webp"\nqualities = [50]\n[timing]\n'
    (folder / "suite.toml").write_text(SMALL_SUITE.replace('["psnr"]', '["psnr", "ssim"]') + new)
    write_pictures(folder / "more", 1, size=48)
    (folder / "more" / "picture0000.png").rename(folder / "pictures" / "fourth.png")
    ended = call(*DRY, "--json", folder=folder)
    record = json.loads(ended.stdout)
    # Nine cells lack SSIM, the fourth picture three cells, WebP one of each picture.
    assert (record["planned"], record["done_before"], record["timing"]["total"]) == (16, 0, 16)
    assert call(*DRY, "--match", "ssim=0.9", folder=folder).returncode == 0
    with closing(sqlite3.connect(folder / "arena" / "arena.db")) as connection:
        assert list(connection.iterdump()) == before
    assert sorted(set((folder / "arena").rglob("*")) - set(files)) == []


def test_dry_run_refuses_what_a_run_would_refuse(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    (folder / "other").mkdir()
    write_pictures(folder / "other" / "pictures", 1, size=48)
    (folder / "suite.toml").write_text(SMALL_SUITE.replace("./pictures", "./other/pictures"))
    ended = call(*DRY, folder=folder)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "this store knows another set 'pictures'" in ended.stderr


def test_two_folders_of_one_name_are_refused_before_anything_is_measured(folder: Path) -> None:
    (folder / "other").mkdir()
    write_pictures(folder / "other" / "pictures", 1, size=48)
    suite = SMALL_SUITE.replace('"./pictures"', '["./pictures", "./other/pictures"]')
    assert suite != SMALL_SUITE
    (folder / "suite.toml").write_text(suite)
    ended = call("run", "suite.toml", "-j", "1", folder=folder)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "two sets are called 'pictures', one with pictures in" in ended.stderr
    assert "other/pictures: give one a name of its own" in " ".join(ended.stderr.split())
    # The same folder twice is one set.
    (folder / "suite.toml").write_text(SMALL_SUITE.replace('"./pictures"', '["./pictures", "pictures"]'))
    assert call(*DRY, folder=folder).returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ("score", "suite.toml", "-m", "ssim", "-j", "1"),
        ("score-set", "suite.toml", "-m", "swd"),
        ("verify", "suite.toml", "-j", "1"),
        ("study", "open", "first"),
        ("study", "close", "first"),
        ("study", "invite", "first"),
        ("study", "withdraw", "code"),
        ("study", "status"),
        ("leaderboard",),
    ],
)
def test_commands_that_need_a_store_make_none(folder: Path, words: tuple[str, ...]) -> None:
    ended = call(*words, "--store", "mistyped", folder=folder)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"no store in {folder / 'mistyped'}; run a suite first" in ended.stderr
    assert not (folder / "mistyped").exists()


def test_what_is_optional_and_not_here_is_left_out_with_its_reason(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODECARENA_TEST_SET", raising=False)
    monkeypatch.delenv("CODECARENA_TEST_CHECKOUT", raising=False)
    optional = """
optional_sets = ["$CODECARENA_TEST_SET", "./no-such-folder"]
"""
    recipe = """
[[codecs]]
name = "command"
params = { recipe = "$CODECARENA_TEST_CHECKOUT/exits.toml" }
optional = true
"""
    head, codecs = SMALL_SUITE.split("[[codecs]]", 1)
    (folder / "suite.toml").write_text(f"{head}{optional}[[codecs]]{codecs}{recipe}")
    status, record = run_record("suite.toml", folder=folder)
    assert (status, record["cells"], record["complete"]) == (0, 9, True)
    first, second, third = record["notes"]
    assert "CODECARENA_TEST_SET is not set" in first
    assert "no-such-folder" in second
    assert "CODECARENA_TEST_CHECKOUT is not set" in third
    assert all("(optional" in note for note in record["notes"])

    (folder / "more").mkdir()
    (folder / "checkout").mkdir()
    write_pictures(folder / "more" / "pictures", 1)
    write_recipe(folder / "checkout", "none")
    (folder / "checkout" / "none.toml").rename(folder / "checkout" / "exits.toml")
    monkeypatch.setenv("CODECARENA_TEST_SET", str(folder / "more"))
    monkeypatch.setenv("CODECARENA_TEST_CHECKOUT", str(folder / "checkout"))
    _, record = run_record("suite.toml", folder=folder)
    assert len(record["notes"]) == 1
    codecs_run = {cell.codec for cell in Store(str(folder / "arena")).cells()}
    assert codecs_run == {"jpeg", "png", "none"}
    assert {cell.image_set for cell in Store(str(folder / "arena")).cells()} == {"pictures", "more"}


def test_what_is_not_optional_and_not_here_leaves_the_run_incomplete(folder: Path) -> None:
    (folder / "suite.toml").write_text(
        SMALL_SUITE + '[[codecs]]\nname = "command"\nparams = { recipe = "no.toml" }\n'
    )
    status, record = run_record("suite.toml", folder=folder)
    assert status == 1
    assert "no recipe" in record["notes"][0]
    assert "(optional" not in record["notes"][0]


def test_only_and_limit_narrow_a_run(folder: Path) -> None:
    _, record = run_record("suite.toml", "--only", "codec=jpeg", "--limit", "2", folder=folder)
    assert record["completed"] == 4
    ended = call("run", "suite.toml", "-j", "1", "--only", "codec=webp", folder=folder)
    assert ended.returncode == 2
    assert "fits none" in ended.stderr
    ended = call("run", "suite.toml", "-j", "1", "--only", "colour=red", folder=folder)
    assert ended.returncode == 2
    assert "codec=NAME" in ended.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SMALL_SUITE.replace('"jpeg"', '"jpgeg"'), ("codecs.0.name", "did you mean 'jpeg'")),
        (
            SMALL_SUITE.replace("qualities = [20, 80]", "params = { subsamplin = '4:4:4' }"),
            ("'subsampling'",),
        ),
        (SMALL_SUITE.replace("[20, 80]", "[20, 800]"), ("quality 800", "1 (worst) to 100 (best)")),
        (SMALL_SUITE.replace("psnr", "psrn"), ("'psnr'",)),
        (SMALL_SUITE.replace("./pictures", "./picturse"), ("picturse",)),
        (SMALL_SUITE.replace("./pictures", "kodak"), ("codecarena sets fetch kodak",)),
    ],
)
def test_a_suite_that_asks_for_what_cannot_be_is_refused_with_a_hint(
    folder: Path, text: str, words: tuple[str, ...]
) -> None:
    (folder / "suite.toml").write_text(text)
    ended = call("run", "suite.toml", "-j", "1", "--data", folder / "data", folder=folder)
    assert ended.returncode == 2, ended.stdout
    assert "Traceback" not in ended.stderr
    for word in words:
        assert word in " ".join(ended.stderr.split())


def test_a_picture_that_cannot_be_read_stops_the_run_by_name(folder: Path) -> None:
    (folder / "pictures" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    ended = call("run", "suite.toml", "-j", "1", folder=folder)
    assert ended.returncode == 2
    assert "broken.png" in ended.stderr


def test_a_manifest_that_promises_other_pixels_is_found_out(folder: Path) -> None:
    name = "picture0000.png"
    file_sha256 = hashlib.sha256((folder / "pictures" / name).read_bytes()).hexdigest()
    (folder / "pictures" / "manifest.toml").write_text(
        'name = "x"\ntitle = "x"\nkind = "natural"\nlicence = "x"\ncitation = "x"\n'
        f'site = "https://example.org"\n[[pictures]]\nfile = "{name}"\nsha256 = "{file_sha256}"\n'
        f'pixels_sha256 = "{"0" * 64}"\nwidth = 32\nheight = 32\n'
    )
    status, record = run_record("suite.toml", folder=folder)
    assert (status, record["failed"]) == (1, 3)
    failures = Store(str(folder / "arena")).failures()
    assert {failure.stage for failure in failures} == {"load"}
    assert "expected pixels of hash 000000000000" in failures[0].message


def test_a_picture_replaced_under_its_name_is_measured_as_another(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    pixels = np.full((40, 40, 3), 77, np.uint8)
    cv2.imwrite(str(folder / "pictures" / "picture0000.png"), pixels)
    _, record = run_record("suite.toml", folder=folder)
    assert (record["planned"], record["done_before"]) == (3, 6)
    assert len(Store(str(folder / "arena")).cells()) == 9, "the set has three pictures, not four"


def test_a_narrowed_run_hides_nothing_of_a_whole_one(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    assert run_record("suite.toml", "--limit", "1", folder=folder)[1]["done_before"] == 3
    assert len(Store(str(folder / "arena")).cells()) == 9


def test_another_folder_of_the_same_name_does_not_take_the_sets_place(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    (folder / "elsewhere").mkdir()
    write_pictures(folder / "elsewhere" / "pictures", 3, size=40)
    (folder / "elsewhere" / "suite.toml").write_text(SMALL_SUITE)
    ended = call("run", "elsewhere/suite.toml", "-j", "1", folder=folder)
    assert ended.returncode == 2
    assert "manifest.toml" in ended.stderr
    assert len(Store(str(folder / "arena")).cells()) == 9
    moved = folder / "moved"
    moved.mkdir()
    (folder / "pictures").rename(moved / "pictures")
    (moved / "suite.toml").write_text(SMALL_SUITE)
    _, record = run_record("moved/suite.toml", folder=folder)
    assert (record["planned"], record["done_before"]) == (0, 9), (
        "the same pictures elsewhere are the same set"
    )


def test_a_picture_too_small_for_a_metric_fails_that_score_alone(folder: Path) -> None:
    (folder / "suite.toml").write_text(SMALL_SUITE.replace('["psnr"]', '["ms-ssim", "psnr"]'))
    status, record = run_record("suite.toml", folder=folder)
    assert (status, record["without_result"]) == (1, 9)
    store = Store(str(folder / "arena"))
    assert len(store.cells()) == 9
    assert {(failure.metric, failure.stage) for failure in store.failures()} == {("ms-ssim", "score")}
    assert "161" in store.failures()[0].message


def test_a_recipe_moved_to_another_folder_is_the_same_codec(folder: Path) -> None:
    for place in ("here", "there"):
        (folder / place).mkdir()
        recipe = write_recipe(folder, "honest")
        (folder / recipe).rename(folder / place / recipe)
        codec = f'[[codecs]]\nname = "command"\nparams = {{ recipe = "{place}/{recipe}" }}\n'
        (folder / "suite.toml").write_text(SMALL_SUITE + codec)
        status, record = run_record("suite.toml", folder=folder)
        assert status == 0
        assert record["completed"] == (12 if place == "here" else 0)


def test_an_optional_codec_that_is_missing_is_a_note(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An empty module in the way stands for a library that is not installed.
    hide = folder / "hide"
    hide.mkdir()
    (hide / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'pillow_heif' else find(name, *rest)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(hide))
    heic = '[[codecs]]\nname = "heic"\nqualities = [30]\n'
    (folder / "suite.toml").write_text(SMALL_SUITE + heic + "optional = true\n")
    status, record = run_record("suite.toml", folder=folder, process=True)
    assert (status, record["complete"]) == (0, True)
    assert "install codecarena[heic]" in record["notes"][0]

    (folder / "suite.toml").write_text(SMALL_SUITE + heic)
    status, record = run_record("suite.toml", folder=folder, process=True)
    assert (status, record["complete"]) == (1, False)
    listed = call_process("list", "codecs", "--json", folder=folder)
    (row,) = [row for row in json.loads(listed.stdout) if row["codec"] == "heic"]
    assert row["status"] == "missing: install codecarena[heic]"


def test_the_repeats_of_a_suite_are_kept_raw(folder: Path) -> None:
    (folder / "suite.toml").write_text("repeats = 3\n" + SMALL_SUITE)
    run_record("suite.toml", folder=folder)
    for cell in Store(str(folder / "arena")).cells():
        assert len(cell.encode_seconds) == len(cell.decode_seconds) == 3
