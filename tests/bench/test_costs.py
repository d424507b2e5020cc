from __future__ import annotations

import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from codecarena.bench.records.messages import CodecSpec
from codecarena.bench.timing.footprint import MARK, FootprintError, FootprintJob, footprint, observe
from codecarena.bench.timing.opened_files import Opened
from codecarena.bench.worker import clocks, cpu_load, device
from codecarena.bench.worker.cpu_load import CpuCounters, Watch, other_share
from codecarena.bench.worker.flops import multiply_accumulates

MIB = 2**20


def burn(seconds: float) -> None:
    code = f"import time\nwhile time.process_time() < {seconds}: pass"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_cpu_seconds_count_children_and_not_waiting() -> None:
    _, burnt = clocks.timed(lambda: burn(0.3))
    assert burnt.cpu_seconds > 0.3
    assert burnt.device_span_seconds is None
    assert burnt.energy_joules is None
    _, waited = clocks.timed(lambda: subprocess.run(["sleep", "0.5"], check=True))
    assert waited.cpu_seconds < 0.3 < waited.wall_seconds


def test_peak_memory_is_of_one_call_alone() -> None:
    # In a process of its own: other tests' children, which would count, may be in this one.
    program = (
        "from codecarena.bench.worker import clocks\n"
        "print(clocks.resident_mib())\n"
        "for mib in (200, 20):\n"
        "    print(clocks.peak_mib(lambda: len(bytearray(b'x') * (mib << 20)))[1])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    before, large, small = map(float, ended.stdout.split())
    assert large > before + 190
    assert small < large - 150


def test_cpu_seconds_are_those_of_this_process_and_of_children_that_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    usage = SimpleNamespace(ru_utime=2.0, ru_stime=4.0)
    monkeypatch.setattr(clocks.resource, "getrusage", lambda who: asked.append(who) or usage)
    monkeypatch.setattr(clocks, "process_time", lambda: 1.0)
    assert clocks.cpu_seconds() == 7.0
    assert asked == [clocks.resource.RUSAGE_CHILDREN]


def test_memory_of_a_process_is_read_in_mib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for process, lines in (("self", "VmRSS:\t  1536 kB\nVmHWM:\t 2048 kB\n"), ("7", "VmHWM:\t 512 kB\n")):
        (tmp_path / "proc" / process).mkdir(parents=True)
        (tmp_path / "proc" / process / "status").write_text(f"Name:\tVmRSS\n{lines}")
    monkeypatch.setattr(clocks, "Path", lambda place: tmp_path / place.lstrip("/"))
    assert (clocks.status_mib("VmRSS"), clocks.status_mib("VmHWM"), clocks.status_mib("VmHWM", "7")) == (
        1.5,
        2.0,
        0.5,
    )
    assert (clocks.status_mib("VmRSS", "7"), clocks.status_mib("VmRSS", "8")) == (0.0, 0.0)


@pytest.mark.parametrize(("own", "children", "peak"), [(300.0, 200.0, 300.0), (100.0, 200.0, 200.0)])
def test_the_peak_is_the_kernels_count_or_what_was_seen_with_children(
    own: float, children: float, peak: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields: list[str] = []
    monkeypatch.setattr(clocks, "_forget_peak", lambda: True)
    monkeypatch.setattr(clocks, "status_mib", lambda field: fields.append(field) or own)
    monkeypatch.setattr(clocks._Children, "_watch", lambda watch: setattr(watch, "most_mib", children))
    assert clocks.peak_mib(lambda: "result") == ("result", peak)
    assert fields == ["VmHWM"]
    monkeypatch.setattr(clocks, "_forget_peak", lambda: False)
    assert clocks.peak_mib(lambda: "result") == ("result", None)


def test_children_are_added_up_but_for_one_that_is_this_process_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = {2: ["decoder"], 3: ["runner"], 4: ["x"]}
    looks = iter([[2, 3], [2, 4], []])

    def process(pid: int | None = None) -> SimpleNamespace:
        return SimpleNamespace(cmdline=lambda: words[pid] if pid else ["runner"])

    monkeypatch.setattr(clocks, "descendants", lambda _: next(looks))
    monkeypatch.setattr(clocks.psutil, "Process", process)
    memory = {("VmRSS", "self"): 100.0, ("VmHWM", "2"): 10.0, ("VmHWM", "3"): 50.0, ("VmHWM", "4"): 5.0}
    monkeypatch.setattr(clocks, "status_mib", lambda field, process="self": memory[field, process])
    watch = clocks._Children()
    ends = iter([False, False, False, True])
    watch._ended = SimpleNamespace(wait=lambda _: next(ends))  # type: ignore[assignment]
    watch._watch()
    assert watch.most_mib == 115.0


def test_others_share_is_what_is_left_of_the_cores() -> None:
    first = CpuCounters(0.0, (10.0, 20.0), 5.0)
    assert other_share(first, CpuCounters(1.0, (10.5, 20.5), 5.9), (0, 1)) == pytest.approx(0.05)
    assert other_share(first, CpuCounters(1.0, (11.0, 21.0), 5.2), (0, 1)) == pytest.approx(0.9)
    # The one core that the call was kept on counts by itself: half of it went to others.
    assert other_share(first, CpuCounters(1.0, (11.0, 20.0), 5.5), (0,)) == pytest.approx(0.5)
    assert other_share(first, CpuCounters(1.0, (10.2, 20.2), 6.0), (0,)) == 0


def test_machines_that_tell_little_or_change_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """No counters at all; a core switched off meanwhile; macOS's four counters; a container's few cores."""
    assert other_share(CpuCounters(0.0, (), 0.0), CpuCounters(1.0, (), 0.5), (0,)) == 0
    assert other_share(
        CpuCounters(0.0, (1.0, 1.0), 0.0), CpuCounters(1.0, (1.5,), 0.0), (0, 1)
    ) == pytest.approx(0.5)
    macos = namedtuple("macos", "user nice system idle")
    monkeypatch.setattr(psutil, "cpu_times", lambda **_: [macos(1.0, 2.0, 4.0, 100.0)])
    assert cpu_load.busy_seconds() == (7.0,)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {6, 7}, raising=False)
    monkeypatch.setattr(psutil, "cpu_percent", lambda **_: [50.0])
    assert cpu_load.quietest(1) == (7,)
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cpu_load.quietest(1) == ()
    assert device.cores() >= 1


def test_a_short_call_is_judged_by_the_half_second_around_it() -> None:
    watch = Watch((0,))
    # A tick falls into the 2 ms of the call; over half a second nobody else runs.
    watch.looks = [
        CpuCounters(0.0, (0.0,), 0.0),
        CpuCounters(0.25, (0.01,), 0.01),
        CpuCounters(0.252, (0.02,), 0.01),
        CpuCounters(0.6, (0.03,), 0.03),
    ]
    assert watch.share(0.25, 0.252) == 0


def test_multiply_accumulates_of_a_convolution() -> None:
    torch = pytest.importorskip("torch")
    layer = torch.nn.Conv2d(3, 8, 3).eval()
    pixels = torch.zeros(1, 3, 16, 16)
    with torch.inference_mode():
        assert multiply_accumulates(lambda: layer(pixels)) == 14 * 14 * 8 * 27
        assert multiply_accumulates(lambda: None) is None


def test_counting_operations_does_not_load_the_compiler() -> None:
    pytest.importorskip("torch")
    program = (
        "import sys, torch\n"
        "from codecarena.bench.worker.flops import multiply_accumulates\n"
        "layer = torch.nn.Linear(3, 5)\n"
        "print(multiply_accumulates(lambda: layer(torch.zeros(2, 3))), 'torch._dynamo' in sys.modules)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "30 False\n"


def test_a_footprint_begins_at_the_codec_and_leaves_the_runtime_out(tmp_path: Path) -> None:
    def file(name: str, size: int) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
        return path

    before = file("shared.so.1", 7)
    packages = "lib/site-packages"
    opened = [
        Opened(before, False),
        Opened(MARK, False),
        Opened(before, False),
        Opened(file("codec.so", 11), False),
        Opened(file("model.safetensors", 13), False),
        Opened(tmp_path / "model.safetensors", False),
        Opened(tmp_path / "absent.safetensors", False),
        Opened(file("notes.json", 17), False),
        Opened(file("decoder", 19), True),
        Opened(file(f"{packages}/torch/lib/libtorch.so", 23), False),
    ]
    needs = footprint(opened)
    assert (needs.weights_bytes, needs.library_bytes) == (13, 11 + 19)
    assert needs.files == {"weights": {"model.safetensors": 13}, "libraries": {"codec.so": 11, "decoder": 19}}
    assert needs.runtime.startswith("torch")


@pytest.mark.long
def test_the_weights_of_a_learned_decoder_are_seen_to_the_byte(tmp_path: Path) -> None:
    pytest.importorskip("compressai")
    import numpy as np

    from codecarena.codecs import registry
    from codecarena.codecs.base import Picture

    codec = registry.create("hyperprior")
    stream = tmp_path / "stream"
    stream.write_bytes(codec.encode(Picture(np.full((64, 64, 3), 99, np.uint8)), 1))
    outcome = observe(FootprintJob(CodecSpec("hyperprior", ()), (str(stream),)), 300)
    assert outcome.weights_bytes == codec.info.weights_bytes
    assert list(outcome.files["weights"]) == ["hyperprior.safetensors"]
    assert outcome.runtime.startswith("torch ")
    assert not any("torch" in name for name in outcome.files["libraries"])


def test_a_decoder_that_fails_in_a_fresh_process_has_no_footprint(tmp_path: Path) -> None:
    (tmp_path / "stream").write_bytes(b"nothing")
    with pytest.raises(FootprintError, match="end-of-image"):
        observe(FootprintJob(CodecSpec("jpeg", ()), (str(tmp_path / "stream"),)), 60)
    with pytest.raises(FootprintError, match="took too long"):
        observe(FootprintJob(CodecSpec("jpeg", ()), (str(tmp_path / "stream"),)), 0.01)
