"""Codecs that misbehave in every way we know cost their own cell and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from arena import call, run_record, write_pictures, write_recipe
from codecarena.bench.store.store import Store

EXPECTED = {
    "exits": ("error", "encode", "exit status 1"),
    "silent": ("error", "encode", "wrote no"),
    "small": ("error", "decode", "16x16"),
    "sleeps": ("timeout", "encode", "limit of 6 s"),
    "segfaults": ("error", "encode", "SIGSEGV"),
    "allocates": ("memory", "encode", "limit is 700 MiB"),
}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    write_pictures(folder / "pictures", 4, marked=2)
    text = 'name = "faults"\nsets = "./pictures"\nmetrics = ["psnr"]\n'
    text += "[limits]\nseconds = 6\nmemory_mib = 700\n"
    for fault in EXPECTED:
        recipe = write_recipe(folder, fault)
        text += f'[[codecs]]\nname = "command"\nparams = {{ recipe = "{recipe}" }}\n'
    (folder / "suite.toml").write_text(text)
    return folder


@pytest.mark.slow("a codec that sleeps is waited for until its limit, and all of them run again when mended")
def test_a_misbehaving_codec_loses_one_cell_and_mended_gets_it_back(faulty: Path) -> None:
    status, record = run_record("suite.toml", folder=faulty)
    assert status == 1
    assert (record["completed"], record["failed"], record["without_result"]) == (3 * 6, 6, 6)

    store = Store(str(faulty / "arena"))
    failures = {failure.codec: failure for failure in store.failures()}
    assert len(store.failures()) == len(failures) == 6
    for name, (outcome, stage, words) in EXPECTED.items():
        assert (failures[name].outcome, failures[name].stage) == (outcome, stage)
        assert words in failures[name].message
        assert failures[name].picture == "picture0002.png"
    assert "out of luck" in failures["exits"].message
    for name in EXPECTED:
        assert sum(cell.codec == name for cell in store.cells()) == 3

    status, record = run_record("suite.toml", folder=faulty)
    assert (status, record["planned"]) == (1, 0), "a failed cell is left alone until it is asked for"

    (faulty / "mended").touch()
    status, record = run_record("suite.toml", "--retry-failed", folder=faulty)
    assert (status, record["completed"], record["without_result"]) == (0, 6, 0)
    assert len(store.failures()) == 6, "history is kept"
    assert all(failure.settled for failure in store.failures())
    assert len(store.cells()) == 4 * 6


CRASH = '''
import ctypes, sys
from codecarena.codecs.classic.jpeg import Jpeg
class Crashes(Jpeg):
    """Reads address zero for one picture at one quality."""
    def encode(self, picture, quality):
        print("quality", quality, file=sys.stderr, flush=True)
        if tuple(picture.pixels[0, 0]) == (1, 2, 3) and quality == 50:
            ctypes.string_at(0)
        return super().encode(picture, quality)
'''


def test_a_crash_inside_the_worker_is_one_attempt_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    metadata = site / "crashes-1.dist-info"
    metadata.mkdir(parents=True)
    (site / "crashing_codec.py").write_text(CRASH)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: crashes\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[codecarena.codecs]\ncrashes = crashing_codec:Crashes\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    write_pictures(tmp_path / "pictures", 3, marked=2)
    # A worker has several of these quick cells at a time.
    text = 'name = "crash"\nsets = "./pictures"\nmetrics = ["psnr"]\n[[codecs]]\nname = "crashes"\n'
    text += "qualities = { start = 10, stop = 90, step = 10 }\n"
    (tmp_path / "suite.toml").write_text(text)
    status, record = run_record("suite.toml", folder=tmp_path, process=True)
    assert status == 1
    assert (record["completed"], record["failed"]) == (3 * 9 - 1, 1)
    (failure,) = Store(str(tmp_path / "arena")).failures()
    assert (failure.outcome, failure.stage, failure.exit_code) == ("crash", "encode", -11)
    assert "SIGSEGV" in failure.message
    assert (failure.quality, failure.stderr_tail) == (50, "quality 50.0\n")


def test_a_mistake_of_the_user_is_one_sentence(tmp_path: Path) -> None:
    ended = call("run", "no-such-suite", folder=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("codecarena: no suite 'no-such-suite'")
    assert "Traceback" not in ended.stderr


@pytest.mark.slow("a metric that hangs is waited for until its limit")
def test_a_metric_that_hangs_loses_its_own_score_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    hanging = programs / "ssimulacra2"
    hanging.write_text("#!/bin/sh\nexec sleep 600\n")
    hanging.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    write_pictures(tmp_path / "pictures", 2)
    text = 'name = "hang"\nsets = "./pictures"\nmetrics = ["psnr", "ssimulacra2", "ssim"]\n'
    text += '[limits]\nseconds = 6\n[[codecs]]\nname = "jpeg"\nqualities = [50]\n'
    (tmp_path / "suite.toml").write_text(text)
    # Two workers, so that both pictures are waited for at once.
    status, record = run_record("suite.toml", "--workers", "2", folder=tmp_path)
    assert (status, record["completed"], record["failed"], record["without_result"]) == (1, 0, 2, 2)
    store = Store(str(tmp_path / "arena"))
    failures = store.failures()
    assert [(failure.metric, failure.outcome, failure.stage) for failure in failures] == [
        ("ssimulacra2", "timeout", "score")
    ] * 2
    names = {metric.metric_id: metric.name for metric in store.metrics()}
    for cell in store.cells():
        assert {names[metric_id] for metric_id in cell.scores} == {"psnr", "ssim"}

    hanging.write_text("#!/bin/sh\necho 71.5\n")
    status, record = run_record("suite.toml", "--retry-failed", folder=tmp_path)
    # Another program is another identity of the metric: its scores are new ones.
    assert (status, record["without_result"]) == (0, 0)
    assert all(len(cell.scores) == 3 for cell in store.cells())
