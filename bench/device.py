"""Describe the machine that measures."""

from __future__ import annotations

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


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    graphics = {"gpus": found, "gpu_driver": gpu.driver()} if (found := gpu.models()) else {}
    return {
        "cpu": cpu_model(),
        "cores": cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: found for name in LIBRARIES if (found := _version(name))},
        **graphics,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
