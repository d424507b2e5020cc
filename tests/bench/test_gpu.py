"""The device's clocks: their logic with stand-ins for torch and NVML, on a device where there is one."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from codecarena.bench.records.messages import CodecSpec, Original, TimingCall
from codecarena.bench.worker import clocks, gpu, stopwatch
from codecarena.bench.worker.flops import multiply_accumulates
from codecarena.codecs.base import Picture

MIB = 2**20


class Cuda:
    """As much of ``torch.cuda`` as we call; keeps what was asked for, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.initialised = True
        self.peaks = [5 * MIB, 700 * MIB]
        self.now_ms = 0.0
        """The device's clock."""

    def is_available(self) -> bool:
        return True

    def is_initialized(self) -> bool:
        return self.initialised

    def device_count(self) -> int:
        return len(self.peaks)

    def max_memory_allocated(self, index: int) -> int:
        return self.peaks[index] if self.initialised else 0

    def reset_peak_memory_stats(self, index: int) -> None:
        self.asked.append(f"forget {index}")

    def synchronize(self, index: int) -> None:
        self.asked.append(f"wait {index}")

    def get_device_properties(self, index: int) -> SimpleNamespace:
        return SimpleNamespace(uuid=f"0000-{index}")

    @contextlib.contextmanager
    def device(self, index: int) -> Iterator[None]:
        yield

    def Event(self, *, enable_timing: bool) -> Event:
        assert enable_timing
        return Event(self)


class Event:
    """A CUDA event: the device's time when it was recorded."""

    def __init__(self, cuda: Cuda) -> None:
        self.cuda = cuda
        self.at_ms = 0.0

    def record(self) -> None:
        self.cuda.asked.append("event")
        self.at_ms = self.cuda.now_ms

    def elapsed_time(self, end: Event) -> float:
        return end.at_ms - self.at_ms


class Nvml:
    """As much of pynvml as we call."""

    def __init__(self) -> None:
        self.millijoules = 1_000_000
        self.counts = True

    def nvmlInit(self) -> None:
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        assert uuid == "GPU-0000-1"
        return "handle"

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: str) -> int:
        assert handle == "handle"
        if not self.counts:
            raise RuntimeError("not supported")
        return self.millijoules


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    """Stand-ins for torch and NVML in this process."""
    outcome = Cuda()
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=outcome))  # pyright: ignore[reportArgumentType]
    monkeypatch.setitem(sys.modules, "pynvml", Nvml())  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(gpu, "_devices", {})
    return outcome


def work(cuda: Cuda, milliseconds: float, millijoules: int) -> Callable[[], None]:
    """Return a call that takes the device so long and so much."""

    def call() -> None:
        cuda.asked.append("call")
        cuda.now_ms += milliseconds
        sys.modules["pynvml"].millijoules += millijoules  # pyright: ignore[reportAttributeAccessIssue]

    return call


def test_a_call_is_spanned_by_events_with_the_device_idle_at_both_ends(cuda: Cuda) -> None:
    _, cost = clocks.timed(work(cuda, 250, 40_000))
    assert (cost.device_span_seconds, cost.energy_joules) == (0.25, 40.0)
    # Before the last event the device waits for all of its streams, not only for the event's own.
    assert cuda.asked == ["wait 1", "event", "call", "wait 1", "event", "wait 1"]


def test_energy_is_empty_where_the_counter_does_not_move_or_is_not_there(
    cuda: Cuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clocks.timed(work(cuda, 1, 0))[1].energy_joules is None
    sys.modules["pynvml"].counts = False  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setattr(gpu, "_devices", {})
    _, cost = clocks.timed(work(cuda, 1, 500))
    assert (cost.device_span_seconds, cost.energy_joules) == (0.001, None)


def test_without_a_device_in_use_every_column_is_empty(cuda: Cuda) -> None:
    cuda.initialised = False
    _, cost = clocks.timed(lambda: None)
    assert (cost.device_span_seconds, cost.energy_joules) == (None, None)
    cuda.initialised, cuda.peaks = True, [0, 0]
    assert gpu.in_use() is None


def test_a_codec_that_goes_to_its_device_at_its_first_call_is_inspected_there(
    cuda: Cuda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cuda.initialised = False
    pixels = np.zeros((8, 8, 3), np.uint8)

    class Lazy:
        def encode(self, picture: Picture, quality: float) -> bytes:
            cuda.initialised = True
            return b"stream"

        def decode(self, bitstream: bytes, seed: int | None = None) -> np.ndarray:
            return pixels

    monkeypatch.setattr(gpu.Device, "busy_seconds", lambda *_: 0.5)
    monkeypatch.setattr(stopwatch, "multiply_accumulates", lambda _: None)
    job = TimingCall(Original("", "", None, None), CodecSpec("lazy", ()), 1, (), str(tmp_path), True, 0)
    worker: Any = SimpleNamespace(macs={}, load_seconds={job.codec: 0.0})
    codec: Any = Lazy()
    outcome = stopwatch.inspect(worker, codec, Picture(pixels), job, 0.0)
    for side in (outcome.encode, outcome.decode):
        assert (side.peak_gpu_mib, side.gpu_busy_seconds) == (700, 0.5)


def test_kernel_time_counts_overlap_once_and_copies_never() -> None:
    def event(start: float, length: float, category: str = "kernel") -> dict[str, object]:
        return {"ph": "X", "cat": category, "ts": start, "dur": length, "name": "any"}

    events = [
        event(100, 50),
        event(120, 60),  # another stream, 30 us beyond the first
        event(130, 10),  # inside
        event(300, 20),
        event(0, 1000, "gpu_memcpy"),
        event(0, 1000, "gpu_user_annotation"),
        event(0, 1000, "cpu_op"),
        {"ph": "M", "name": "process_name"},
    ]
    assert gpu.kernel_seconds(events) == pytest.approx(100e-6)
    assert gpu.kernel_seconds([]) == 0


@contextlib.contextmanager
def traced(events: list[dict[str, object]]) -> Iterator[SimpleNamespace]:
    """Stand in for a profile of torch that saw these events."""
    written = json.dumps({"schemaVersion": 1, "traceEvents": events})
    yield SimpleNamespace(export_chrome_trace=lambda path: Path(path).write_text(written))


def test_busy_seconds_are_of_the_kernels_in_the_profilers_trace(cuda: Cuda) -> None:
    torch: Any = sys.modules["torch"]
    asked: dict[str, object] = {}

    def profile(**options: object) -> contextlib.AbstractContextManager[SimpleNamespace]:
        asked.update(options)
        return traced([{"ph": "X", "cat": "kernel", "ts": 5.0, "dur": 2e6, "name": "gemm"}])

    torch.profiler = SimpleNamespace(
        profile=profile, ProfilerActivity=SimpleNamespace(CPU="cpu", CUDA="cuda")
    )
    device = gpu.in_use()
    assert device is not None
    assert device.busy_seconds(work(cuda, 1, 1)) == 2.0
    assert asked == {"activities": ["cpu", "cuda"]}
    # Idle before the profile begins, and all kernels ended before it ends.
    assert cuda.asked == ["wait 1", "call", "wait 1"]


def test_torchs_own_trace_has_the_form_that_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    held = torch.ones(64, 64)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        held @ held
    profile.export_chrome_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    computed = [event for event in events if event.get("cat") == "cpu_op" and event["ph"] == "X"]
    assert any(entry["name"] == "aten::mm" for entry in computed)
    # Operators of the CPU taken for kernels: seconds of a product of this size are far below one.
    assert 0 < gpu.kernel_seconds([entry | {"cat": "kernel"} for entry in computed]) < 10
    assert gpu.kernel_seconds(events) == 0


def test_the_machine_tells_its_gpus_without_a_library(tmp_path: Path) -> None:
    assert gpu.models(tmp_path) == []
    assert gpu.driver(tmp_path) is None
    folder = tmp_path / "gpus" / "0000:01:00.0"
    folder.mkdir(parents=True)
    (folder / "information").write_text("Model: \t\t NVIDIA H200\nIRQ:   \t\t 123\n")
    (tmp_path / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 23 2025\nGCC version: 13\n"
    )
    assert gpu.models(tmp_path) == ["NVIDIA H200"]
    assert gpu.driver(tmp_path) == "570.86.15"


@pytest.mark.gpu
def test_the_device_is_timed_by_its_own_clock() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("gpu: no CUDA device")
    side = 4096
    held = torch.rand(side, side, device="cuda")

    def multiply() -> None:
        for _ in range(20):
            held @ held

    multiply()
    device = gpu.in_use()
    assert device is not None
    _, cost = clocks.timed(multiply)
    busy = device.busy_seconds(multiply)
    assert cost.device_span_seconds is not None
    # Kernels back to back: the span holds hardly anything else, and the wall clock waited for it.
    assert 0.5 * cost.device_span_seconds < busy < 1.2 * cost.device_span_seconds
    assert cost.device_span_seconds < cost.wall_seconds * 1.05
    gpu.forget_peaks()
    multiply()
    assert device.peak_mib() >= 2 * side * side * 4 / MIB
    assert multiply_accumulates(multiply) == 20 * side**3
    _, energy = clocks.timed(lambda: [multiply() for _ in range(20)])
    assert energy.energy_joules is None or energy.energy_joules > 0
