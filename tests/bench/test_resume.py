"""A run that is killed, interrupted or watched loses no finished cell and repeats none."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from arena import command, run_record, write_pictures, write_recipe
from codecarena.bench.store.store import Store

SUITE = """
name = "resume"
sets = "./pictures"
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = { start = 1, stop = 96, step = 5 }
[[codecs]]
name = "webp"
qualities = { start = 0, stop = 95, step = 5 }
"""
CELLS_PER_PICTURE = 40


def results(folder: Path) -> list[tuple[object, ...]]:
    """Return what a store holds, without times."""
    return [
        (
            cell.picture,
            cell.codec,
            cell.quality,
            cell.bitstream_sha256,
            cell.decoded_sha256,
            sorted(cell.scores.items()),
        )
        for cell in Store(str(folder)).cells()
    ]


def stored_rows(folder: Path) -> set[tuple[object, ...]]:
    """Return the key and time of every measurement, once the file is proven sound."""
    if not (folder / "arena.db").exists():
        return set()
    with sqlite3.connect(folder / "arena.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'measurements'").fetchone():
            return set()
        columns = "picture_sha256, codec_id, quality, seed, created_at, superseded_at"
        return set(connection.execute(f"SELECT {columns} FROM measurements").fetchall())


def stored_count(folder: Path) -> int:
    """Return how many measurements a store has so far; quick enough to be asked a hundred times a second."""
    if not (folder / "arena.db").exists():
        return 0
    with sqlite3.connect(folder / "arena.db") as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'measurements'").fetchone():
            return 0
        return connection.execute("SELECT count(*) FROM measurements").fetchone()[0]


def assert_gone(processes: list[psutil.Process]) -> None:
    """Fail if a worker outlives its runner."""
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert not alive


@pytest.mark.slow("a run is killed and begun again several times, each a process")
@pytest.mark.scaled
def test_a_run_killed_at_random_moments_ends_like_an_undisturbed_one(
    tmp_path: Path, tenth: Callable[[int], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    kills = tenth(20)
    pictures = 2 + kills + kills // 2
    write_pictures(tmp_path / "pictures", pictures)
    (tmp_path / "suite.toml").write_text(SUITE)
    status, record = run_record("suite.toml", "--store", "whole", folder=tmp_path)
    assert (status, record["completed"]) == (0, pictures * CELLS_PER_PICTURE)

    moments = random.Random(2)
    before: set[tuple[object, ...]] = set()
    for _ in range(kills):
        runner = subprocess.Popen(
            command("run", "suite.toml", "--store", "killed"),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        cells = len(before) + moments.randint(0, 40)
        while runner.poll() is None and stored_count(tmp_path / "killed") < cells:
            time.sleep(0.01)
        workers = psutil.Process(runner.pid).children(recursive=True) if runner.poll() is None else []
        runner.kill()
        runner.wait()
        assert_gone(workers)
        after = stored_rows(tmp_path / "killed")
        assert before <= after, "a finished cell was lost or written again"
        before = after

    status, record = run_record("suite.toml", "--store", "killed", folder=tmp_path)
    assert status == 0
    assert record["done_before"] >= len(before) - 2, "cells that had finished were run again"
    assert results(tmp_path / "killed") == results(tmp_path / "whole")
    assert len(stored_rows(tmp_path / "killed")) == pictures * CELLS_PER_PICTURE
    assert not list(scratch.iterdir()), "a killed run's temporary files are swept by the next"
    runs = Store(str(tmp_path / "killed")).runs()
    assert runs[0].status == "finished"
    assert {run.status for run in runs[1:]} <= {"killed", "finished"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_ctrl_c_and_a_closed_terminal_stop_at_once_and_keep_what_had_finished(
    tmp_path: Path, number: signal.Signals
) -> None:
    write_pictures(tmp_path / "pictures", 6, marked=5)
    recipe = write_recipe(tmp_path, "sleeps")
    text = SUITE.replace("step = 5", "step = 25")  # four settings of each codec
    text += f'[[codecs]]\nname = "command"\nparams = {{ recipe = "{recipe}" }}\n'
    (tmp_path / "suite.toml").write_text(text)
    runner = subprocess.Popen(
        command("run", "suite.toml", "--json", "--workers", "2"),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: stored_count(tmp_path / "arena") == 6 * 8 + 5)
    workers = psutil.Process(runner.pid).children(recursive=True)
    assert any("program.py" in " ".join(worker.cmdline()) for worker in workers), "the sleeper is asleep"
    os.kill(runner.pid, number)
    out, err = runner.communicate(timeout=60)
    assert runner.returncode == 130, err
    assert '"interrupted": true' in out
    assert_gone(workers)
    store = Store(str(tmp_path / "arena"))
    assert store.runs()[0].status == "interrupted"
    assert store.failures() == [], "being stopped is no failure"

    (tmp_path / "mended").touch()
    status, record = run_record("suite.toml", folder=tmp_path)
    assert (status, record["planned"], record["completed"]) == (0, 1, 1)


READER = """
import sys, time
from pathlib import Path
from codecarena.bench.store.store import Store
store, reads, last = Store("arena"), 0, 0
Path(sys.argv[1]).touch()
while not Path("stop").exists():
    version, cells, failures = store.version(), store.cells(), store.failures()
    assert version >= last and len(cells) >= 0 and not failures
    reads, last = reads + 1, version
    time.sleep(0.05)
print(reads)
"""


@pytest.mark.scaled
def test_many_small_cells_with_several_readers_lose_no_row(
    tmp_path: Path, tenth: Callable[[int], int]
) -> None:
    pictures, reader_count = tenth(100), max(2, tenth(5))
    write_pictures(tmp_path / "pictures", pictures)
    step = min(4, 100 // pictures)
    text = 'name = "load"\nsets = "./pictures"\nmetrics = ["psnr"]\n[[codecs]]\nname = "jpeg"\n'
    (tmp_path / "suite.toml").write_text(
        text + f"qualities = {{ start = {step}, stop = 100, step = {step} }}\n"
    )
    assert run_record("suite.toml", "--limit", "1", folder=tmp_path)[0] == 0
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, f"reading{index}"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(reader_count)
    ]
    wait_for(lambda: len(list(tmp_path.glob("reading*"))) == reader_count)
    status, record = run_record("suite.toml", folder=tmp_path)
    (tmp_path / "stop").touch()
    ended = [reader.communicate(timeout=120) for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * reader_count, ended
    assert all(int(out) > 0 for out, _ in ended)
    assert (status, record["failed"], record["without_result"]) == (0, 0, 0)
    store = Store(str(tmp_path / "arena"))
    assert len(store.cells()) == pictures * 100 // step
    assert all(len(cell.scores) == 1 for cell in store.cells())


def wait_for(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; give up after two minutes."""
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("waited two minutes in vain")
