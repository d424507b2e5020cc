"""Measure the seconds and joules of a GPU by CUDA events, profiler traces and NVML's energy counter."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

MIB = 2**20
PROC = Path("/proc/driver/nvidia")
"""Where NVIDIA's driver tells, without any library, what it drives."""


class Device:
    """The CUDA device that this process computes on."""

    # Any: torch and pynvml are optional and imported only where a codec already uses them.
    def __init__(self, torch: Any, index: int) -> None:
        self.torch = torch
        self.index = index
        self._meter = _energy_meter(torch, index)

    def begin(self) -> Span:
        """Return a span that begins now, the device idle."""
        return Span(self)

    def synchronise(self) -> None:
        """Wait until the device has done all it was asked for."""
        self.torch.cuda.synchronize(self.index)

    def joules(self) -> float | None:
        """Return the energy that the whole device has used since its driver was loaded, where NVML tells."""
        return self._meter() if self._meter else None

    def peak_mib(self) -> float:
        """Return the most memory that torch held since `forget_peaks`, weights included."""
        self.synchronise()
        return self.torch.cuda.max_memory_allocated(self.index) / MIB

    def busy_seconds(self, call: Callable[[], object]) -> float:
        """Return how long at least one kernel of a call ran; the profiler slows it: never time it too."""
        activity = self.torch.profiler.ProfilerActivity
        self.synchronise()
        with self.torch.profiler.profile(activities=[activity.CPU, activity.CUDA]) as profile:
            call()
            self.synchronise()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trace.json")
            profile.export_chrome_trace(str(path))
            return kernel_seconds(json.loads(path.read_text())["traceEvents"])


class Span:
    """The device's time between two events of one call."""

    def __init__(self, device: Device) -> None:
        self._device = device
        cuda = device.torch.cuda
        with cuda.device(device.index):
            self._events = [cuda.Event(enable_timing=True) for _ in range(2)]
            device.synchronise()
            self._joules = device.joules()
            self._events[0].record()

    def end(self) -> None:
        """End the span once the device is idle again."""
        with self._device.torch.cuda.device(self._device.index):
            # An event waits for its own stream only: the others must be done before it.
            self._device.synchronise()
            self._events[1].record()
            self._device.synchronise()

    def seconds(self) -> float:
        """Return the seconds from event to event, gaps in which the device waited included."""
        return self._events[0].elapsed_time(self._events[1]) / 1000

    def joules(self) -> float | None:
        """Return what the whole device used since the span began; None where its counter has not moved.

        NVML moves it some ten times a second: a short call is between two of its steps, and used no zero.
        """
        now = self._device.joules()
        return None if now is None or self._joules is None else now - self._joules or None


def forget_peaks() -> None:
    """Have torch count the most memory that it holds on each device anew."""
    torch = _torch()
    for index in range(torch.cuda.device_count() if torch else 0):
        torch.cuda.reset_peak_memory_stats(index)


def in_use() -> Device | None:
    """Return the CUDA device that this process has most memory on; None where it uses none."""
    torch = _torch()
    if torch is None:
        return None
    index = max(range(torch.cuda.device_count()), key=torch.cuda.max_memory_allocated)
    if index not in _devices:
        _devices[index] = Device(torch, index)
    return _devices[index] if torch.cuda.max_memory_allocated(index) else None


def _torch() -> Any:
    """Return torch where this process computes on CUDA with it, else None; never the first to load it."""
    torch: Any = sys.modules.get("torch")
    used = torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized()
    return torch if used else None


_devices: dict[int, Device] = {}
"""Kept: opening NVML takes longer than a small codec's call."""


def kernel_seconds(events: Iterable[Mapping[str, Any]]) -> float:
    """Return the seconds in which at least one kernel ran, of a Chrome trace as torch.profiler exports it.

    Kernels of several streams that overlap count once. Copies between host and device, and the profiler's own
    annotations, are no kernels.

    Args:
        events: The trace's ``traceEvents``; ``ts`` and ``dur`` are microseconds.
    """
    kernels = sorted(
        (float(event["ts"]), float(event["ts"]) + float(event["dur"]))
        for event in events
        if event.get("cat") == "kernel" and event.get("ph") == "X"
    )
    total, reached = 0.0, float("-inf")
    for start, end in kernels:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total / 1e6


def _energy_meter(torch: Any, index: int) -> Callable[[], float] | None:
    """Return a function that reads NVML's counter in joules; None without NVML or a device that counts."""
    with contextlib.suppress(
        Exception
    ):  # a library, a driver or a permission may be missing, each its own way
        import pynvml  # pyright: ignore[reportMissingImports]

        pynvml.nvmlInit()
        # By UUID: CUDA_VISIBLE_DEVICES renumbers torch's devices, not NVML's.
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(index).uuid}")
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        return lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000
    return None


def models(root: Path = PROC) -> list[str]:
    """Return the names of the NVIDIA devices of this machine; empty where there are none."""
    names: list[str] = []
    for path in sorted(root.glob("gpus/*/information")):
        with contextlib.suppress(OSError):
            lines = [line.partition(":") for line in path.read_text().splitlines()]
            names += [value.strip() for key, _, value in lines if key.strip() == "Model"]
    return names


def driver(root: Path = PROC) -> str | None:
    """Return the version of NVIDIA's driver; None without one."""
    with contextlib.suppress(OSError):
        first = (root / "version").read_text().splitlines()[0]
        return next((word for word in first.split() if word[0].isdigit() and "." in word), None)
    return None
