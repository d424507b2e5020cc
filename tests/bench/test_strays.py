"""What a codec starts and leaves behind is counted, killed and told, wherever it went."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from arena import run_record, write_pictures
from codecarena.bench.store.store import Store
from codecarena.bench.worker import pool, process_tree
from codecarena.liveness import LockFile

LEAVES = '''
import ctypes, os, subprocess, sys, time
from codecarena.codecs.classic.jpeg import Jpeg
EATS = "held = bytearray(b'x') * (800 << 20); import time; time.sleep(617)"
class Leaves(Jpeg):
    """Starts a daemon: another session, another group, another parent."""
    def encode(self, picture, quality):
        eats = f"{sys.executable} -c \\"{EATS}\\""
        if quality in (20, 30, 40):
            started = eats if quality == 40 else "sleep 617"
            subprocess.run(["sh", "-c", f"setsid {started} & exit"], check=True)
            time.sleep(0.5)
        if quality == 30:
            ctypes.string_at(0)
        if quality == 60:
            with open("/dev/shm/codecarena-fills", "wb") as file:
                for _ in range(800):
                    file.write(bytes(1 << 20))
        if quality in (40, 60):
            time.sleep(600)
        return super().encode(picture, quality)
'''
SUITE = """
name = "leaves"
sets = "./pictures"
metrics = ["psnr"]
[limits]
seconds = 60
memory_mib = 700
[[codecs]]
name = "leaves"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a picture and a codec that leaves processes behind."""
    metadata = tmp_path / "site" / "leaves-1.dist-info"
    metadata.mkdir(parents=True)
    (tmp_path / "site" / "leaving_codec.py").write_text(LEAVES)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: leaves\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[codecarena.codecs]\nleaves = leaving_codec:Leaves\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    write_pictures(tmp_path / "pictures", 1)
    return tmp_path


def of_this_test(folder: Path) -> list[str]:
    """Return the programs that run with temporary files in this folder, as far as they live."""
    programs: list[str] = []
    for process in psutil.process_iter():
        try:
            inside = process.environ().get("TMPDIR", "").startswith(str(folder / "codecarena"))
            if inside and process.status() != psutil.STATUS_ZOMBIE:
                programs.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return programs


def test_a_daemon_that_a_codec_leaves_is_killed_and_the_cell_says_so(folder: Path) -> None:
    (folder / "suite.toml").write_text(f"{SUITE}qualities = [10, 20, 50]\n")
    status, record = run_record("suite.toml", folder=folder, process=True)
    assert (status, record["completed"], record["failed"]) == (0, 2, 1)
    (failure,) = Store(str(folder / "arena")).failures()
    assert (failure.quality, failure.outcome) == (20, "error")
    assert failure.message == "left 1 process (sleep) running in a session of its own: killed"
    assert len(Store(str(folder / "arena")).cells()) == 3, "its result stands"
    assert of_this_test(folder) == []


def test_a_daemon_dies_with_the_worker_that_crashes(folder: Path) -> None:
    (folder / "suite.toml").write_text(f"{SUITE}qualities = [30]\n")
    status, record = run_record("suite.toml", folder=folder, process=True)
    assert (status, record["failed"]) == (1, 1)
    assert of_this_test(folder) == []


def test_the_memory_of_a_daemon_counts_as_the_workers(folder: Path) -> None:
    (folder / "suite.toml").write_text(f"{SUITE}qualities = [40]\n")
    status, _ = run_record("suite.toml", folder=folder, process=True)
    (failure,) = Store(str(folder / "arena")).failures()
    assert (status, failure.outcome) == (1, "memory"), failure
    assert of_this_test(folder) == []


def may_mount() -> bool:
    """Whether a process here may have a ``/dev/shm`` of its own."""
    tried = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)
    return tried.returncode == 0


@pytest.mark.skipif(not may_mount(), reason="by design: a worker that may not mount shares /dev/shm with all")
def test_files_in_shared_memory_count_and_are_gone_with_the_worker(folder: Path) -> None:
    (folder / "suite.toml").write_text(f"{SUITE}qualities = [60]\n")
    status, _ = run_record("suite.toml", folder=folder, process=True)
    (failure,) = Store(str(folder / "arena")).failures()
    assert (status, failure.outcome) == (1, "memory"), failure
    assert not Path("/dev/shm/codecarena-fills").exists()


def test_a_daemon_of_a_run_that_was_killed_is_swept_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool.tempfile, "gettempdir", lambda: str(tmp_path))
    started: dict[str, subprocess.Popen[bytes]] = {}
    for name in ("dead", "lives"):
        worker = tmp_path / f"codecarena-worker-{name}"
        worker.mkdir()
        started[name] = subprocess.Popen(
            ["sleep", "617"], env={**os.environ, "TMPDIR": str(worker)}, start_new_session=True
        )
    held = LockFile(tmp_path / "codecarena-worker-lives.lock")
    (tmp_path / "codecarena-worker-dead.lock").touch()
    pool.sweep()
    assert started["dead"].wait(10) == -signal.SIGKILL
    assert started["lives"].poll() is None
    held.release()
    started["lives"].kill()
    started["lives"].wait()


def test_all_that_a_process_started_ends_with_it() -> None:
    shell = subprocess.Popen(["sh", "-c", "setsid sh -c 'sleep 617 & sleep 617' & sleep 617"])
    while len(process_tree.descendants(shell.pid)) < 4:
        time.sleep(0.05)
    children = [psutil.Process(process) for process in process_tree.descendants(shell.pid)]
    process_tree.end_all(shell.pid)
    assert shell.wait(10) == -signal.SIGKILL
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
