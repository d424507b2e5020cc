from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from codecarena.bench.store import database, database_errors, opening
from codecarena.bench.store.blobs import BlobError, Blobs
from codecarena.bench.store.database import StoreError
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables import schema
from codecarena.bench.store.writer import StoreWriter
from codecarena.datasets.pixels import pixels_sha256, read_pixels


@pytest.mark.parametrize("replayed", [False, True], ids=["made at once", "by every migration"])
def test_a_store_has_the_tables_of_the_code(tmp_path: Path, replayed: bool) -> None:
    location = database.locate(str(tmp_path))
    if replayed:
        engine = create_engine(location.database_url)
        opening.migrate(engine, location)
        engine.dispose()
    writer = StoreWriter(str(tmp_path))
    with writer.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.Base.metadata) == []
        assert context.get_current_revision() == schema.HEAD
    writer.close()


def test_a_store_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="codecarena run quick"):
        Store(str(tmp_path / "nothing"))
    assert not (tmp_path / "nothing").exists()


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "arena.db").write_bytes(b"not a database, but somebody's only copy of something" * 40)
    before = (tmp_path / "arena.db").read_bytes()
    with pytest.raises(StoreError, match="does not open as a store"):
        StoreWriter(str(tmp_path))
    assert (tmp_path / "arena.db").read_bytes() == before


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    StoreWriter(str(tmp_path)).close()
    with sqlite3.connect(tmp_path / "arena.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="9999"):
        Store(str(tmp_path))


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    StoreWriter(str(tmp_path)).close()
    reader = Store(str(tmp_path))
    with pytest.raises(Exception, match="readonly"), reader.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM runs")


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("sqlite://", "in memory cannot be shared"),
        ("sqlite:///:memory:", "in memory cannot be shared"),
        ("sqlite:///a.db?mode=ro", "without options, got a question mark"),
        ("nonsense://", "expected a folder"),
        ("postgresql://host:port/arena", "neither a folder nor a database URL"),
        ("", "--store is empty"),
    ],
)
def test_a_name_that_is_no_store_is_refused(
    named: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=message):
        StoreWriter(named)
    assert list(tmp_path.iterdir()) == []


def test_a_database_file_is_no_folder(tmp_path: Path) -> None:
    StoreWriter(str(tmp_path)).close()
    named = str(tmp_path / "arena.db")
    with pytest.raises(StoreError, match=f"is a file; expected the store's folder, as {tmp_path} is"):
        Store(named)


EVERY_BYTE = sorted({bytes((byte,)) for byte in range(1, 256)} - {b"/"})
"""What a file system takes in a name."""
BYTE_RUNS = [b"a" + b"".join(EVERY_BYTE[start : start + 127]) + b"z" for start in (0, 127)]
NAMES_BY_WAY = {
    "folder": [*BYTE_RUNS, b"lab?1", b"lab?2", b"lab", b"lab#1", b"%41", b"A", b"a?mode=memory"],
    "URL": [*BYTE_RUNS, b"lab?1", b"lab", b"%41", b"A"],
    "relative": [b"~none", b"file:x", b"sqlite:", b"lab?1", b"lab", b"\xff\xfe"],
}


@pytest.mark.parametrize("way", NAMES_BY_WAY)
def test_each_name_that_a_file_system_takes_is_a_store_of_its_own(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = NAMES_BY_WAY[way]
    for place, name in enumerate(map(os.fsdecode, names)):
        folder = tmp_path / name
        url = f"sqlite:///{quote(os.fsencode(folder))}/arena.db"
        writer = StoreWriter({"folder": str(folder), "URL": url, "relative": name}[way])
        writer.begin_run(f"suite {place}", "", {}, 1, 0)
        again = Store(writer.location.store_option)
        assert [run.suite for run in again.runs()] == [f"suite {place}"]
        again.close()
        writer.close()
        assert (folder / "arena.db").is_file()
    assert sorted(os.fsencode(folder.name) for folder in tmp_path.iterdir()) == sorted(names)


def test_home_is_where_a_store_named_so_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert database.locate("~/lab").file == tmp_path / "lab" / "arena.db"
    assert database.locate("~").file == tmp_path / "arena.db"


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["PRAGMA user_version", "PRAGMA locking_mode=EXCLUSIVE"])
def test_a_store_that_another_program_holds_is_waited_for_and_the_program_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    writer = StoreWriter(str(tmp_path))
    writer.close()
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.02)
    monkeypatch.setattr(database_errors.time, "sleep", lambda _: None)
    command = [sys.executable, "-c", HOLD, str(tmp_path / "arena.db"), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match="was held by another program for 60 s") as caught:
            StoreWriter(str(tmp_path))
        assert f"process {holder.pid}" in str(caught.value)
        assert "SQL" not in str(caught.value)
        assert caplog.messages == [f"{tmp_path / 'arena.db'} is held by another program; waiting for it"]
        holder.communicate()
    StoreWriter(str(tmp_path)).close()


def test_first_runs_at_the_same_moment_make_one_store(tmp_path: Path) -> None:
    code = (
        "import sys; from codecarena.bench.store.writer import StoreWriter; StoreWriter(sys.argv[1]).close()"
    )
    starts = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [process.wait() for process in starts] == [0, 0]
    assert Store(str(tmp_path)).cells() == []


def test_a_bitstream_comes_back_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    sha256 = blobs.put_bitstream(b"some bytes")
    assert blobs.bitstream(sha256) == b"some bytes"
    assert blobs.put_bitstream(b"some bytes") == sha256
    blobs.bitstream_path(sha256).write_bytes(b"Some bytes")
    with pytest.raises(BlobError, match="damaged"):
        blobs.bitstream(sha256)
    with pytest.raises(BlobError, match="--force"):
        blobs.bitstream("0" * 64)


def test_decoded_pixels_come_back_exactly(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (13, 7, 3), dtype=np.uint8)
    path = Blobs(tmp_path).put_decoded(pixels_sha256(pixels), pixels)
    assert np.array_equal(read_pixels(path), pixels)
    assert not list(tmp_path.rglob("*.partial"))
