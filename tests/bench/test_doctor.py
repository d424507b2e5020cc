"""What is told of a machine, what is listed, and what a run shows while it goes on."""

from __future__ import annotations

import io
import re
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
from measuring import Clock, planned_cell, planned_codec, planned_picture
from rich.console import Console

from codecarena import progress_lines
from codecarena.bench.cli import doctor, listing, progress
from codecarena.bench.records.identities import MetricIdentity
from codecarena.bench.records.messages import Described, Failed, Outcome
from codecarena.bench.run.plan import Plan
from codecarena.bench.run.training_overlap import _folders
from codecarena.bench.worker import device
from codecarena.codecs import registry
from codecarena.datasets.sets import catalogue
from codecarena.datasets.sets.catalogue import KnownSet
from codecarena.terminal import Terminal

INFO: Any = SimpleNamespace(version="libjpeg 1")
IDENTITY = MetricIdentity("psnr", "codecarena", "3", "RGB")


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome(described=[Described("x", INFO)]), "libjpeg 1"),
        (Outcome(described=[Described("x", error="no table")]), "broken: no table"),
        (
            Outcome(described=[Described("x", error="no weights:\n  looked here\nfetch them", absent=True)]),
            "missing: no weights\nfetch them",
        ),
        (Outcome(described=[Described("x", error="no weights", absent=True)]), "missing: no weights"),
        (Outcome(failed=[Failed("crash", "load", "died")]), "broken: died"),
    ],
)
def test_a_codec_is_ready_missing_or_broken(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, status: str
) -> None:
    monkeypatch.setattr(doctor.pool, "supervise", lambda *_: outcome)
    assert doctor._codec_status("x") == status
    assert doctor._codec_status("command") == "ready: needs a recipe"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome(described=[Described("psnr", identity=IDENTITY)]), "codecarena 3"),
        (Outcome(described=[Described("psnr", error="no program:\nget it")]), "missing: no program\nget it"),
        (Outcome(failed=[Failed("crash", "load", "died")]), "broken: died"),
    ],
)
def test_a_metric_is_ready_missing_or_broken(
    monkeypatch: pytest.MonkeyPatch, outcome: Outcome, status: str
) -> None:
    monkeypatch.setattr(doctor.pool, "supervise", lambda *_: outcome)
    assert doctor._metric_status("psnr") == status


@pytest.fixture
def sets(monkeypatch: pytest.MonkeyPatch) -> None:
    known = (
        KnownSet("one", "First", "natural", "CC0", 24, 24),
        KnownSet("two", "Second", "ai-generated", "MIT", 7, 3),
    )
    monkeypatch.setattr(catalogue, "names", lambda _: known)
    monkeypatch.setattr(doctor, "names", lambda _: known)


@pytest.mark.usefixtures("sets")
def test_the_machine_is_told_part_by_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("_codec_status", "_metric_status"):
        monkeypatch.setattr(doctor, name, lambda name: f"status of {name}")
    metrics = {name: SimpleNamespace(missing=None) for name in ("psnr", "pyiqa:psnr")}
    codecs = {"jpeg": SimpleNamespace(missing=None), "bpg": SimpleNamespace(missing="missing: it")}
    monkeypatch.setattr(doctor.metric_registry, "entries", lambda: metrics)
    monkeypatch.setattr(doctor.codec_registry, "entries", lambda: codecs)
    store = str(tmp_path / "none")
    lines = [(line.kind, line.name, line.status) for line in doctor.examine(store, None)]
    assert [line[:2] for line in lines[:3]] == [
        ("machine", name) for name in ("python", "processor", "codecarena")
    ]
    assert lines[3:-1] == [
        ("codec", "jpeg", "status of jpeg"),
        ("codec", "bpg", "missing: it"),
        ("metric", "psnr", "status of psnr"),
        ("set", "one", "24 of 24 pictures here"),
        ("set", "two", "3 of 7 pictures here; get them: codecarena sets fetch two"),
    ]
    assert lines[-1][:2] == ("store", store)
    rows = SimpleNamespace(cells=lambda: [1] * 5, failures=lambda: [1] * 3, runs=lambda: [1] * 2)
    monkeypatch.setattr(doctor, "Store", lambda _: rows)
    assert doctor._store_status("x") == "5 cells, 3 failures, 2 runs"


@pytest.mark.usefixtures("sets")
def test_lists_have_a_row_for_each_thing() -> None:
    assert listing.image_sets(None)[1] == {
        "set": "two",
        "kind": "ai-generated",
        "pictures": 7,
        "here": 3,
        "licence": "MIT",
        "summary": "Second",
    }
    brief = {"set": "two", "kind": "ai-generated", "here": "3 of 7", "licence": "MIT"}
    assert listing.image_sets_in_brief(None)[1] == brief
    jpeg = next(row for row in listing.codecs() if row["codec"] == "jpeg")
    assert jpeg == {
        "codec": "jpeg",
        "family": "classic",
        "summary": registry.find("jpeg").summary,
        "status": "ready",
    }
    assert next(row for row in listing.metrics() if row["metric"] == "psnr")["status"] == "ready"
    quick = next(row for row in listing.suites() if row["suite"] == "quick")
    assert isinstance(quick["codecs"], int)
    assert quick["codecs"] > 1
    assert "photos" in str(quick["sets"])


def test_progress_counts_cells_failures_and_cells_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, message = Clock(), io.StringIO()
    monkeypatch.setattr(progress, "monotonic", clock)
    shown: list[tuple[str, dict[str, Any]]] = []
    bar: Any = SimpleNamespace(
        reset=lambda task, **words: shown.append((task, words)),
        update=lambda task, **words: shown.append((task, words)),
    )
    cell = planned_cell(planned_picture("a.png"), planned_codec("id"), 4.5)
    made = progress.RunProgress(Console(file=message, width=20), bar, "task")  # type: ignore[arg-type]
    clock.spend(100)
    made.planned(Plan((cell, cell, cell), 9, 0, 0))
    clock.spend(4)
    made.advanced(cell, Outcome())
    failed = [Failed("error", "score", "no", "psnr"), Failed("crash", "decode", "died")]
    made.advanced(cell, Outcome(failed=failed))
    made.searching(7)
    clock.spend(2)
    made.probed(cell, Outcome(failed=failed[1:]))
    made.searched()
    assert shown == [
        ("task", {"total": 3, "description": "cells"}),
        ("task", {"advance": 1, "failures": 0, "rate": "0.2"}),
        ("task", {"advance": 1, "failures": 1, "rate": "0.5"}),
        ("task", {"total": 7, "description": "searches"}),
        ("task", {"failures": 2, "rate": "1.5"}),
        ("task", {"advance": 1}),
    ]
    line = "failed label of id 4.5 on a.png, "
    assert message.getvalue().splitlines() == [
        f"{line}score psnr: no",
        f"{line}decode: died",
    ]
    message.truncate(0)
    made.count_failures()
    assert message.getvalue().strip("\0") == "failed 2 in all for the same reason: decode of label of id\n"


@pytest.mark.parametrize("terminal", [False, True])
def test_a_log_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    monkeypatch.setattr(progress_lines, "LINE_SECONDS", 0.01)
    out = io.StringIO()
    console = Terminal(out, width=60)
    monkeypatch.setattr(Terminal, "is_terminal", terminal)
    plan = Plan((planned_cell(planned_picture("a.png"), planned_codec("id"), 4.5),) * 1500, 1500, 0, 0)
    with progress.on_terminal(console) as shown:
        shown.planned(plan)
        for _ in range(300):
            shown.advanced(plan.cells[0], Outcome())
        sleep(0.1)
    if terminal:
        assert "left" not in out.getvalue()
        return
    assert re.search(r"^300 of 1500 cells, [\d.e+]+ cells/s, about \d+ s left$", out.getvalue(), re.MULTILINE)
    with progress.counting(console, "bitstreams [a]\x1b") as advanced:
        advanced(3, 12)
        sleep(0.1)
    assert "bitstreams [a]\\x1b: 3 of 12 done\n" in out.getvalue()
    with progress.of_downloads(console) as show:
        show("kodim01.png", 3_000_000, 0)
        sleep(0.1)
    assert "\nkodim01.png: 3 MB so far\n" in out.getvalue()


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("300000 100000", 3),
        ("399999 100000", 3),
        ("99999 100000", 1),
        ("900000 100000", 8),
        ("max 100000", 8),
    ],
)
def test_a_quota_gives_whole_cores_and_at_least_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int
) -> None:
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (tmp_path / "cpu.max").write_text(quota)
    assert device.cores(tmp_path / "cpu.max") == cores


def cpufreq(folder: Path, core: int, governor: str, low: str = "800000", high: str = "4200000") -> None:
    """Write what Linux says of a core's clock."""
    place = folder / f"cpu{core}" / "cpufreq"
    place.mkdir(parents=True)
    for name, text in (("governor", governor), ("min_freq", low), ("max_freq", high)):
        (place / f"scaling_{name}").write_text(f"{text}\n")


def test_governor_and_clock_are_those_of_the_cores_that_may_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device.os, "sched_getaffinity", lambda _: {0, 2, 3}, raising=False)
    assert device.clock(tmp_path) == {}
    cpufreq(tmp_path, 0, "performance")
    cpufreq(tmp_path, 1, "ondemand", low="1")
    assert device.clock(tmp_path) == {"cpu_governor": "performance", "cpu_mhz": [800, 4200]}
    cpufreq(tmp_path, 2, "powersave", low="400000", high="3100000")
    cpufreq(tmp_path, 3, "", low="<unknown>")
    assert device.clock(tmp_path) == {"cpu_governor": "performance, powersave", "cpu_mhz": [400, 4200]}


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ({}, ""),
        ({"cpu_governor": "performance", "cpu_mhz": [800, 4200]}, ""),
        (
            {"cpu_governor": "powersave", "cpu_mhz": [800, 4200]},
            "the CPU's governor is powersave: its clock changes between 800 and 4200 MHz with the load, and "
            "times with it; before timing: sudo cpupower frequency-set -g performance",
        ),
        (
            {"cpu_governor": "schedutil"},
            "the CPU's governor is schedutil: its clock changes with the load, and times with it; before "
            "timing: sudo cpupower frequency-set -g performance",
        ),
    ],
)
def test_a_clock_that_changes_is_warned_of(machine: dict[str, Any], words: str) -> None:
    assert device.unsteady_clock(machine) == words


def test_a_machine_is_described_by_what_may_change_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.psutil, "virtual_memory", lambda: SimpleNamespace(total=15.6 * 2**30))
    monkeypatch.setattr(device, "cores", lambda: 6)
    monkeypatch.setattr(device, "cpu_model", lambda: "a processor")
    monkeypatch.setattr(device, "clock", lambda: {"cpu_governor": "powersave", "cpu_mhz": [800, 4200]})
    monkeypatch.setattr(device.gpu, "models", list)
    monkeypatch.setattr(device.gpu, "driver", lambda: "570.1")
    plain = device.describe()
    assert (plain["cpu"], plain["cores"], plain["memory_gib"]) == ("a processor", 6, 16)
    parts = {"cpu", "cores", "memory_gib", "system", "python", "libraries", "cpu_governor", "cpu_mhz", "host"}
    assert set(plain) == parts
    assert plain["host"] == device.describe()["host"]
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(device.platform, "node", lambda: "lab-7")
        assert plain["host"] != device.describe()["host"]
        assert "lab-7" not in str(device.describe())
    assert plain["libraries"]["numpy"] == device.version("numpy")
    assert None not in plain["libraries"].values()
    monkeypatch.setattr(device.gpu, "models", lambda: ["H200"])
    assert device.describe() == plain | {"gpus": ["H200"], "gpu_driver": "570.1"}


@pytest.mark.parametrize(
    ("trained_on", "folders"),
    [
        ("679 pictures: kodim,bsds500,  cid22", ("bsds500", "cid22", "kodim")),
        ("nothing of ours", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_folders_of_training_pictures_are_named_behind_a_colon(
    trained_on: str | None, folders: tuple[str, ...]
) -> None:
    assert _folders(trained_on) == folders
