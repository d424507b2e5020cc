"""Describe the machine that measures."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from . import gpu

LIBRARIES = (
    "codecarena",
    "numpy",
    "pillow",
    "imagecodecs",
    "opencv-python-headless",
    "scipy",
    "torch",
    "compressai",
)
"""Packages whose version may change a number."""
QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""CPU time that a container gets in each period, both in microseconds (cgroups(7), version 2)."""
CPUS = Path("/sys/devices/system/cpu")
"""Where Linux says how it sets the clock of each core (cpufreq); virtual machines say nothing."""
STEADY = "performance"
"""The governor under which a core keeps its highest clock."""


def cores(quota: Path = QUOTA) -> int:
    """Return how many cores this process may use; those of a container's quota, if it has fewer."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # no quota: no such file, or "max" in it
        microseconds, period = map(int, quota.read_text().split())
        return max(1, min(allowed, microseconds // period))
    return allowed


def cpu_model() -> str:
    """Return the processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


def clock(cpus: Path = CPUS) -> dict[str, Any]:
    """Return the governor of the CPU's clock and its range in MHz, where the system says; else nothing.

    Args:
        cpus: Folder of the cores, as Linux has it.
    """
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    folders = [folder for core in sorted(allowed) if (folder := cpus / f"cpu{core}" / "cpufreq").is_dir()]
    said = {
        name: [text for folder in folders if (text := _line(folder / name))]
        for name in ("scaling_governor", "scaling_min_freq", "scaling_max_freq")
    }
    governors, *kilohertz = said.values()
    clocks = [int(text) for texts in kilohertz for text in texts if text.isdecimal()]
    return {
        **({"cpu_governor": ", ".join(sorted(set(governors)))} if governors else {}),
        **({"cpu_mhz": [round(min(clocks) / 1000), round(max(clocks) / 1000)]} if clocks else {}),
    }


def unsteady_clock(machine: Mapping[str, Any]) -> str:
    """Return what to know of a machine whose clock changes with its load; else an empty text.

    Args:
        machine: As `describe` returns it.
    """
    governor = machine.get("cpu_governor", STEADY)
    if governor == STEADY:
        return ""
    low, high = machine.get("cpu_mhz", (0, 0))
    span = f" between {low} and {high} MHz" if high else ""
    return (
        f"the CPU's governor is {governor}: its clock changes{span} with the load, and times with it; before "
        f"timing: sudo cpupower frequency-set -g {STEADY}"
    )


def _line(file: Path) -> str:
    try:
        return file.read_text().strip()
    except (OSError, UnicodeDecodeError):  # a core that is switched off has the file and refuses to read it
        return ""


def describe() -> dict[str, Any]:
    """Return a fingerprint that stays equal on one machine with equal software."""
    graphics = {"gpus": gpus, "gpu_driver": gpu.driver()} if (gpus := gpu.models()) else {}
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        # Equal machines are told apart, and nobody's machine is named.
        "host": hashlib.sha256(platform.node().encode()).hexdigest()[:8],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: gpus for name in LIBRARIES if (gpus := _version(name))},
        **clock(),
        **graphics,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
