"""`codecarena verify`: bitstreams that do not hold their picture are found out."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cheats import write_cheat

from arena import call, run_record, write_pictures
from codecarena.bench.records.cells import CellKey
from codecarena.bench.store.store import Store
from codecarena.bench.store.verifications import StoredStream, latest_verified
from codecarena.bench.store.writer import StoreWriter
from codecarena.bench.verify import decoder_view
from codecarena.bench.worker import sandbox
from codecarena.bench.worker.changed_files import FolderChanges

pytestmark = pytest.mark.xdist_group("verify")

SUITE = """
name = "cheats"
sets = "./pictures"
metrics = ["psnr"]
keep_decoded = true
[[codecs]]
name = "jpeg"
qualities = [30]
"""


CHEATS = ("reads-the-path", "stashes", "stashes-beside", "in-names", "stays-behind")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A suite of honest and cheating codecs that has run; all of them look well."""
    folder = tmp_path_factory.mktemp("verify")
    write_pictures(folder / "pictures", 2, size=48)
    outside = Path(tempfile.mkdtemp(prefix="stash-"))
    beside = folder / "beside"
    beside.mkdir()
    codecs = [
        write_cheat(folder, "reads-the-path", "path", folder / "pictures"),
        write_cheat(folder, "stashes", "stash", outside),
        write_cheat(folder, "stashes-beside", "stash", beside),
        write_cheat(folder, "in-names", "names", beside),
        write_cheat(folder, "stays-behind", "socket", beside),
        write_cheat(folder, "noisy", "noisy", folder),
        write_cheat(folder, "honest", "honest", folder),
        write_cheat(folder, "shaky", "shaky", folder, levels=2),
        write_cheat(folder, "rough", "shaky", folder),
    ]
    (folder / "suite.toml").write_text(SUITE + "\n".join(codecs))
    status, record = run_record("suite.toml", folder=folder)
    assert status == 0, record
    yield folder
    shutil.rmtree(outside)


@pytest.fixture(scope="module")
def verified(ran: Path) -> tuple[int, dict[str, Any]]:
    """Exit status and record of a verification, codecs by name."""
    ended = call("verify", "suite.toml", "--json", folder=ran)
    assert ended.stdout, ended.stderr
    record = json.loads(ended.stdout)
    return ended.returncode, record | {"codecs": {entry["codec"]: entry for entry in record["codecs"]}}


needs_walls = pytest.mark.skipif(
    sandbox.available()[0] == "none", reason=f"no isolation here: {sandbox.available()[1]}"
)


@pytest.mark.slow("the first runs and verifies every cheat, each decoder behind walls of its own")
@needs_walls
@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_is_caught(verified: tuple[int, dict[str, Any]], cheat: str) -> None:
    status, record = verified
    assert status == 1
    assert record["codecs"][cheat]["failed"] == record["codecs"][cheat]["bitstreams"] == 2


@needs_walls
def test_honest_codecs_pass_behind_walls(verified: tuple[int, dict[str, Any]]) -> None:
    _, record = verified
    for name in ("honest", "jpeg"):
        codec = record["codecs"][name]
        assert codec["identical"] == codec["bitstreams"] == 2, codec
        assert codec["encoder"] == "repeats"
        assert codec["isolation"] == record["isolation"] != "none"
    # Two streams each of the cheats, and of the decoder that says it is exact and is not.
    assert record["wrong"] == 2 * (len(CHEATS) + 1)


def test_other_pixels_pass_as_far_as_the_codec_declares(verified: tuple[int, dict[str, Any]]) -> None:
    codecs = verified[1]["codecs"]
    assert codecs["shaky"]["within tolerance"] == 2
    assert {row["largest_difference"] for row in codecs["shaky"]["rows"]} <= {1, 2}
    assert codecs["rough"]["differs"] == 2
    assert "levels from the measured pixels, 0 allowed" in codecs["rough"]["rows"][0]["message"]


def test_an_encoder_that_writes_other_bytes_each_time_is_reported(
    verified: tuple[int, dict[str, Any]],
) -> None:
    codec = verified[1]["codecs"]["noisy"]
    assert codec["identical"] == 2
    assert codec["encoder"] == "varies (2/2)"


@needs_walls
@pytest.mark.parametrize(("cheat", "place"), [("stashes", "/stash-"), ("stashes-beside", "/beside/")])
def test_what_an_encoder_left_behind_is_named(
    verified: tuple[int, dict[str, Any]], cheat: str, place: str
) -> None:
    message = verified[1]["codecs"][cheat]["rows"][0]["message"]
    assert "hidden, because they appeared after encoding began" in message
    assert place in message


@needs_walls
def test_the_leaderboard_marks_what_was_found(ran: Path, verified: tuple[int, dict[str, Any]]) -> None:
    shown = call("leaderboard", "-m", "psnr", folder=ran).stdout
    lines = {line.split()[0]: line for line in shown.splitlines() if line.strip()}
    assert "✗" in lines["stashes"]
    assert "✗" not in lines["honest"]
    assert "✗ stashes: 2 of 2 bitstreams" in shown
    assert "noisy: its encoder wrote other bytes" in shown


def test_every_row_is_kept_with_its_machine(ran: Path, verified: tuple[int, dict[str, Any]]) -> None:
    with_rows = Store(str(ran / "arena"))
    assert len(latest_verified(with_rows)) == 20
    with_rows.close()


@pytest.fixture
def system_unsearched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not look through the folders of the system and of Python, which takes seconds; `verified` does."""
    monkeypatch.setattr(decoder_view, "appeared", lambda *_: FolderChanges())


@pytest.fixture
def no_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """A machine without programs that isolate others."""
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.available.cache_clear()
    yield
    sandbox.available.cache_clear()


@pytest.mark.usefixtures("system_unsearched", "no_tool")
def test_without_a_tool_rows_say_that_they_are_not_isolated(ran: Path, tmp_path: Path) -> None:
    store = shutil.copytree(ran / "arena", tmp_path / "arena")
    words = ("verify", ran / "suite.toml", "--json", "--no-encode", "--store", store)
    ended = call(*words, "--only", "codec=reads-the-path,jpeg", folder=ran)
    record = json.loads(ended.stdout)
    assert record["isolation"] == "none"
    assert "install bubblewrap" in record["notes"][0]
    for codec in record["codecs"]:
        assert codec["isolation"] == "not isolated"
        assert codec["encoder"] == "not asked"


@pytest.mark.usefixtures("system_unsearched")
def test_a_bitstream_that_rotted_is_found(ran: Path, tmp_path: Path) -> None:
    store = shutil.copytree(ran / "arena", tmp_path / "arena")
    opened = Store(str(store))
    cell = next(cell for cell in opened.cells() if cell.codec == "honest")
    opened.close()
    bitstream = store / "blobs" / "bitstreams" / cell.bitstream_sha256[:2] / cell.bitstream_sha256
    bitstream.write_bytes(bitstream.read_bytes()[::-1])
    words = ("verify", ran / "suite.toml", "--json", "--no-encode", "--store", store)
    ended = call(*words, "--only", "codec=honest", folder=ran)
    assert ended.returncode == 1
    rows = json.loads(ended.stdout)["codecs"][0]["rows"]
    assert sorted(row["outcome"] for row in rows) == ["failed", "identical"]
    assert any("damaged" in row["message"] for row in rows)


def test_what_appeared_in_folders_of_the_system_while_encoders_ran_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root an encoder can leave a picture there; what was upgraded after the run still serves."""
    system = tmp_path / "system"

    def write(*names: str) -> None:
        for name in names:
            (system / name).parent.mkdir(parents=True, exist_ok=True)
            (system / name).touch()

    write("old", "kept/old", "kept/__pycache__/old.pyc", "named/old", "quiet/old")
    time.sleep(0.1)
    began = datetime.now(UTC).isoformat()
    write("stash", "kept/deep/er/stash", "kept/__pycache__/new.pyc")
    (system / "named" / "old").rename(system / "named" / "message")
    ended = datetime.now(UTC).isoformat()
    time.sleep(0.1)
    write("later", "quiet/later")
    os.mkfifo(system / "pipe")
    monkeypatch.setattr(decoder_view, "_settled", lambda: [system])
    store = StoreWriter(str(tmp_path / "arena"))
    outcome = decoder_view.of_settled(
        store, [StoredStream(1, CellKey("p", "c", 1.0, 0), "", "", began, ended)]
    )
    store.close()
    shown = {entry.folder.relative_to(system).as_posix(): set(entry.older) for entry in outcome.renewed}
    assert shown == {".": {"old", "kept", "quiet", "later"}, "kept": {"old", "__pycache__"},
                     "kept/__pycache__": set()}  # fmt: skip
    assert {file.relative_to(system).as_posix() for file in outcome.files} == {
        "stash",
        "pipe",
        "named",
        "kept/deep",
    }


@needs_walls
def test_the_probe_tells_a_wall_from_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that runs the words without hiding anything is not taken for one."""
    tool, _ = sandbox.available()
    sandbox.available.cache_clear()
    monkeypatch.setattr(sandbox, "build", lambda *_: sandbox.Sandbox(tool, ()))
    try:
        assert sandbox.available()[0] == "none"
        assert "showed" in sandbox.available()[1]
    finally:
        sandbox.available.cache_clear()
