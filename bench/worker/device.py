"""Describe the machine that measures."""

from __future__ import annotations

import contextlib
import os
import platform
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


def describe() -> dict[str, Any]:
    """Return a fingerprint that is equal for equal machines with equal software."""
    graphics = {"gpus": gpus, "gpu_driver": gpu.driver()} if (gpus := gpu.models()) else {}
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: gpus for name in LIBRARIES if (gpus := _version(name))},
        **graphics,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
