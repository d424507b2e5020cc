from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from arena import call, write_pictures
from codecarena.bench.run.suite import SuiteError, load
from codecarena.bench.store import timings as stored
from codecarena.bench.store.store import Store
from codecarena.bench.store.timings import TimingKey
from codecarena.bench.store.writer import StoreWriter
from codecarena.bench.timing import timing_pass
from codecarena.bench.timing.timing_pass import spread
from codecarena.bench.worker import device
from codecarena.reports.tables.speed import LOADED, speed_tables

pytestmark = pytest.mark.xdist_group("timing")

WEIGHTS_BYTES = 54_321
DECODER = """
import sys, zlib
from pathlib import Path
role, given, written = sys.argv[1:4]
content = Path(given).read_bytes()
if role == "decode":
    held = bytearray(b"x") * (96 << 20)
    import time
    time.sleep(0.1)
    assert len(Path(sys.argv[0]).with_name("network.bin").read_bytes()) == 54_321
    Path(written).write_bytes(zlib.decompress(content))
else:
    began = time.process_time() if (time := __import__("time")) else 0
    while time.process_time() - began < 0.08: pass
    Path(written).write_bytes(zlib.compress(content))
"""
RECIPE = """
name = "programs"
version = "1"
encode = ["{python}", "{program}", "encode", "{{input}}", "{{output}}", "{{quality}}"]
decode = ["{python}", "{program}", "decode", "{{input}}", "{{output}}"]
picture = "ppm"
decoded = "ppm"
[quality]
name = "level"
worst = 1
best = 9
ladder = [1]
"""
SUITE = """
name = "small"
sets = "./pictures"
metrics = ["psnr"]
[timing]
repeats = 3
pictures = 2
settings = 1
[[codecs]]
name = "jpeg"
qualities = [20, 50, 80]
[[codecs]]
name = "command"
params = { recipe = "programs.toml" }
"""


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a suite with a timing pass has run."""
    folder = tmp_path_factory.mktemp("timing")
    write_pictures(folder / "pictures", 3)
    (folder / "network.bin").write_bytes(bytes(WEIGHTS_BYTES))
    (folder / "program.py").write_text(DECODER)
    (folder / "programs.toml").write_text(RECIPE.format(python=sys.executable, program=folder / "program.py"))
    (folder / "suite.toml").write_text(SUITE)
    ended = call("run", "suite.toml", "-j", "1", "--json", folder=folder)
    assert ended.returncode == 0, ended.stderr
    record = json.loads(ended.stdout.splitlines()[-1])["timing"]
    assert (record["total"], record["timed"], record["failed"], record["notes"]) == (4, 4, 0, [])
    return folder


def test_a_run_ends_with_a_timing_pass_that_keeps_every_repeat(arena: Path) -> None:
    rows = stored.timings(Store(str(arena / "arena")))
    assert {(row.codec, row.quality) for row in rows} == {("jpeg", 50), ("programs", 1)}
    for row in rows:
        lists = (row.timing.encode.seconds, row.timing.decode.cpu_seconds, row.timing.other_shares)
        assert [len(list_) for list_ in lists] == [3, 3, 3]
        assert row.bits_per_pixel > 0
        assert row.timing.load_seconds > 0


def test_other_programs_make_the_quality_pass_contended_even_with_one_worker(arena: Path) -> None:
    burning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)
    ]
    try:
        words = ("--no-timing", "--only", "codec=jpeg", "--store", "busy")
        assert call("run", "suite.toml", "-j", "1", *words, folder=arena).returncode == 0
    finally:
        for entry in burning:
            entry.kill()
            entry.wait()
    cells = Store(str(arena / "busy")).cells()
    assert len(cells) == 9
    assert all(cell.contended for cell in cells)


def test_a_dry_run_says_what_would_be_timed(arena: Path) -> None:
    shown = call("run", "suite.toml", "-j", "1", "--dry-run", "--store", "fresh", folder=arena)
    assert "then 4 cells to time" in shown.stdout
    assert "then 0 cells to time" in call("run", "suite.toml", "-j", "1", "--dry-run", folder=arena).stdout


def test_a_run_that_is_stopped_while_it_is_timed_has_finished(
    arena: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing_pass._Pass, "run", lambda _self, _todo: os.kill(os.getpid(), signal.SIGINT))
    monkeypatch.setattr(device, "clock", lambda: {"cpu_governor": "powersave", "cpu_mhz": [800, 4200]})
    words = ("run", "suite.toml", "-j", "1", "--only", "codec=jpeg", "--store", "stopped")
    ended = call(*words, "--json", folder=arena)
    assert "note timing: the CPU's governor is powersave: its clock changes between 800 and" in ended.stderr
    record = json.loads(ended.stdout)
    assert (record["completed"], record["interrupted"], record["complete"]) == (9, False, False)
    assert (record["timing"]["interrupted"], ended.returncode) == (True, 130)
    first, second, third = call(*words, folder=arena).stdout.splitlines()
    assert first == "small: 9 cells, 9 done before"
    assert second.endswith("cells to time, 0 done before")
    assert third.startswith("Timing was interrupted")
    store = Store(str(arena / "stopped"))
    assert [run.status for run in store.runs()] == ["interrupted"] * 2 + ["finished"]
    assert {machine["cpu_governor"] for machine in stored.machines(store).values()} == {"powersave"}


def test_child_processes_count_in_cpu_seconds_and_in_memory(arena: Path) -> None:
    rows = {row.codec: row.timing for row in stored.timings(Store(str(arena / "arena")))}
    assert min(rows["programs"].encode.cpu_seconds) > 0.08
    assert rows["programs"].decode.peak_mib > rows["programs"].empty_mib + 96
    assert rows["jpeg"].decode.peak_mib < rows["jpeg"].empty_mib + 96


def test_what_a_machine_does_not_have_is_null(arena: Path) -> None:
    with sqlite3.connect(arena / "arena" / "arena.db") as connection:
        query = (
            "SELECT encode_device_span_seconds, decode_energy_joules, encode_gpu_busy_seconds, "
            "decode_peak_gpu_mib, encode_macs FROM timings"
        )
        assert set(connection.execute(query)) == {(None,) * 5}


def test_the_same_run_again_times_nothing_and_force_times_again(arena: Path) -> None:
    ended = call("time", "suite.toml", "--json", folder=arena)
    assert (ended.returncode, json.loads(ended.stdout)["timed"]) == (0, 0), ended.stderr
    before = len(stored.timings(Store(str(arena / "arena"))))
    ended = call("time", "suite.toml", "--force", "jpeg", folder=arena)
    assert "2 timed now" in ended.stdout
    assert len(stored.timings(Store(str(arena / "arena")))) == before
    with sqlite3.connect(arena / "arena" / "arena.db") as connection:
        (count,) = connection.execute("SELECT count(*) FROM timings").fetchone()
    assert count == before + 2, "what was replaced stays as history"


def test_the_footprint_is_what_the_decoder_opens_even_in_a_program_of_its_own(arena: Path) -> None:
    store = Store(str(arena / "arena"))
    labels = {row.codec_id: row.codec for row in stored.timings(store)}
    outcome = {labels[codec_id]: entry for (codec_id, _), entry in stored.footprints(store).items()}
    assert outcome["programs"].weights_bytes == WEIGHTS_BYTES
    assert outcome["programs"].files["weights"] == {"network.bin": WEIGHTS_BYTES}
    assert any("python" in name for name in outcome["programs"].files["libraries"])
    assert outcome["jpeg"].weights_bytes == 0
    assert any("jpeg" in name for name in outcome["jpeg"].files["libraries"])
    assert outcome["jpeg"].runtime == ""


@pytest.mark.parametrize("loaded", [True, False])
def test_loaded_rows_are_marked_in_the_speed_table(arena: Path, tmp_path: Path, loaded: bool) -> None:
    writer = StoreWriter(str(shutil.copytree(arena / "arena", tmp_path / "arena")))
    again = {
        TimingKey(row.picture_sha256, row.codec_id, row.quality, row.machine_id, row.threads): replace(
            row.timing, loaded=loaded and row.codec == "jpeg"
        )
        for row in stored.timings(writer)
    }
    (machine_id,) = {key.machine_id for key in again}
    stored.save(writer, 1, machine_id, again, {})
    speed, needs = speed_tables(writer)
    writer.close()
    marked = [row.entries[0].text for row in speed.rows if LOADED in row.entries[0].text]
    assert marked == ([f"jpeg {LOADED}"] if loaded else [])
    assert any(LOADED in note for note in speed.notes) is loaded
    assert not any("GPU" in column.heading for column in (*speed.columns, *needs.columns))


def test_only_the_timing_pass_fills_the_speed_table(arena: Path) -> None:
    ended = call("run", "suite.toml", "-j", "1", "--no-timing", "--store", "untimed", folder=arena)
    assert ended.returncode == 0, ended.stderr
    assert speed_tables(Store(str(arena / "untimed"))) == []
    shown = call("leaderboard", "--speed", "--store", "untimed", folder=arena)
    assert "codecarena time" in shown.stdout
    shown = call("leaderboard", "--speed", folder=arena)
    assert "MP/s" in shown.stdout
    assert "Libraries" in shown.stdout


def test_a_codec_that_fails_is_named_and_the_others_are_timed(arena: Path) -> None:
    text = SUITE.replace('name = "small"', 'name = "failing"').replace("programs.toml", "broken.toml")
    (arena / "failing.toml").write_text(text)
    recipe = (arena / "programs.toml").read_text().replace('"programs"', '"broken"')
    (arena / "broken.toml").write_text(recipe.replace('"encode"', '"refuse", "--"', 1))
    ended = call("time", "failing.toml", "--store", "other", "--json", folder=arena)
    record = json.loads(ended.stdout)
    assert (ended.returncode, record["timed"], record["failed"]) == (1, 2, 2)
    assert all("broken 1, encode" in note for note in record["notes"])
    attempts = Store(str(arena / "other")).failures()
    assert [(attempt.codec, attempt.metric, attempt.stage, attempt.settled) for attempt in attempts] == [
        ("broken", "timing", "encode", False)
    ] * 2


def test_a_misspelt_timing_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "suite.toml"
    path.write_text(SUITE.replace("repeats", "repeat"))
    with pytest.raises(SuiteError, match=r"timing\.repeat"):
        load(path)


def test_a_few_of_many_are_evenly_spread() -> None:
    assert spread("abcdefg", 3) == ["a", "d", "g"]
    assert spread("abcdefg", 1) == ["d"]
    assert spread("ab", 3) == ["a", "b"]
    assert spread("ab", None) == ["a", "b"]
