"""What makes a run measure a stored cell again: being forced to, and having lost what a score needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena import SMALL_SUITE, call, run_record, small_arena
from codecarena.bench.store.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_arena(tmp_path)


@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_run_measures_again_what_it_needs_and_has_lost(folder: Path, how: str) -> None:
    run_record("suite.toml", folder=folder)
    store = Store(str(folder / "arena"))
    lost = next(cell for cell in store.cells() if cell.codec == "jpeg")
    path = store.blobs.bitstream_path(lost.bitstream_sha256)
    path.unlink() if how == "missing" else path.write_bytes(b"something else")
    status, record = run_record("suite.toml", folder=folder)
    assert (status, record["planned"]) == (0, 0), "nothing needs it"
    (folder / "suite.toml").write_text(SMALL_SUITE.replace('["psnr"]', '["psnr", "ciede2000"]'))
    status, record = run_record("suite.toml", folder=folder)
    assert (status, record["failed"], record["without_result"]) == (0, 0, 0)
    assert "stored bitstreams of 1 cell are missing or damaged: measured again" in record["notes"]
    assert store.blobs.has_bitstream(lost.bitstream_sha256)
    assert all(len(cell.scores) == 2 for cell in store.cells())
    assert len(store.cells()) == 9


def test_force_measures_again_and_keeps_the_old_row(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    store = Store(str(folder / "arena"))
    before = {(cell.picture, cell.codec, cell.quality): cell.encode_seconds for cell in store.cells()}
    status, record = run_record("suite.toml", "--force", "jpeg", folder=folder)
    assert (status, record["completed"]) == (0, 6)
    after = {(cell.picture, cell.codec, cell.quality): cell.encode_seconds for cell in store.cells()}
    assert after.keys() == before.keys()
    changed = {key for key in after if after[key] != before[key]}
    assert {codec for _, codec, _ in changed} == {"jpeg"}
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM measurements").scalar() == 15


def test_force_measures_again_only_the_pictures_and_qualities_that_it_names(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    words = ("--force", "picture=picture0001.png", "--force", "jpeg", "--force", "quality=80")
    assert run_record("suite.toml", *words, folder=folder)[1]["completed"] == 1
    for words, sentence in (
        (("--force", "picture=picture9.png"), "--force picture=picture9.png fits none of the suite's"),
        (("--force", "quality=81"), "--force quality=81 fits none of the suite's"),
        (("--force", "quality=high"), "--force quality=high: expected numbers"),
    ):
        ended = call("run", "suite.toml", "-j", "1", *words, folder=folder)
        assert (ended.returncode, sentence in ended.stderr) == (2, True), ended.stderr
