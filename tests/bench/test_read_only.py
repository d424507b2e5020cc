"""A store that may only be read is read, with all its rows, and nothing is written beside it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from released_stores import VERSIONS, restore
from studying import open_study
from synthetic_store import fill
from unwritable import unwritable

from arena import call
from codecarena.bench.store.database import DATABASE_NAME, StoreError
from codecarena.bench.store.store import Store
from codecarena.bench.store.writer import StoreWriter


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that nobody has open: its write-ahead log is gone."""
    folder = tmp_path_factory.mktemp("read-only") / "arena"
    fill(folder, pictures=6, codecs=3, settings=4, metrics=("psnr",))
    open_study(folder)
    assert {path.name for path in folder.iterdir()} == {DATABASE_NAME, "arena.lock", "blobs"}
    return folder


READS = (
    ("leaderboard", "--json"),
    ("export", "csv", "OUT.csv"),
    ("study", "status", "--json"),
    ("report", "OUT.html"),
    ("run", "quick", "--dry-run", "--json"),
)


@pytest.mark.parametrize("words", READS, ids=lambda words: " ".join(words[:2]))
def test_a_store_in_a_folder_that_cannot_be_written_is_read(
    words: tuple[str, ...], written: Path, tmp_path: Path
) -> None:
    def outcome_of(store: Path) -> tuple[int, str, str]:
        out = (word.replace("OUT", str(tmp_path / "out")) for word in words)
        ended = call(*out, "--store", store, folder=tmp_path)
        return ended.returncode, ended.stdout, ended.stderr

    shutil.copytree(written, tmp_path / "free")
    expected = outcome_of(tmp_path / "free")
    before = {path.name for path in written.iterdir()}
    with unwritable(written):
        assert outcome_of(written) == expected
        assert {path.name for path in written.iterdir()} == before
    assert expected[0] == 0, expected


def test_rows_that_are_only_in_the_write_ahead_log_are_read(written: Path, tmp_path: Path) -> None:
    folder, live = tmp_path / "arena", tmp_path / "live"
    shutil.copytree(written, live)
    with closing(StoreWriter(str(live))) as writer:
        for place in range(100):
            writer.begin_run(f"suite {place}", "", {}, 1, 0)
        # As it lies there after the power went.
        folder.mkdir()
        for name in (DATABASE_NAME, f"{DATABASE_NAME}-wal"):
            shutil.copy(live / name, folder)
        expected = writer.runs()
    with closing(sqlite3.connect(f"{(folder / DATABASE_NAME).as_uri()}?immutable=1", uri=True)) as blind:
        assert blind.execute("SELECT count(*) FROM runs").fetchone()[0] < len(expected)
    with unwritable(folder):
        with closing(Store(str(folder))) as store:
            assert store.runs() == expected
        assert {path.name for path in folder.iterdir()} == {DATABASE_NAME, f"{DATABASE_NAME}-wal"}


def test_an_older_store_in_such_a_folder_is_read_from_an_upgraded_copy(
    tmp_path: Path,
) -> None:
    restore(VERSIONS[0], tmp_path)
    with unwritable(tmp_path), closing(Store(str(tmp_path))) as store:
        assert len(store.cells()) == 13
        assert "it is read from a copy" in store.caution


def test_to_write_to_such_a_store_is_refused_in_a_sentence(written: Path, tmp_path: Path) -> None:
    with unwritable(written):
        with pytest.raises(StoreError, match=r"look at the permissions|change its permissions"):
            StoreWriter(str(written))
        ended = call("run", "quick", "--store", written, folder=tmp_path)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert json.loads(call("leaderboard", "--json", "--store", written, folder=tmp_path).stdout)
