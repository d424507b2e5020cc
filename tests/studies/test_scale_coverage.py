"""Intervals hold the truth as often as they say, and those by vote do not."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "docs" / "benchmarks" / "study_coverage.py"
    spec = importlib.util.spec_from_file_location("study_coverage", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.scaled
@pytest.mark.parametrize(("raters", "tie_rate"), [(20, 0.0), (40, 0.3)])
def test_intervals_cover(
    script: ModuleType, tenth: Callable[[int], int], raters: int, tie_rate: float
) -> None:
    assumed = replace(script.BASE, raters=raters, tie_rate=tie_rate)
    studies = tenth(200)
    held = [script.study(assumed, 10_000 + seed, resamples=100) for seed in range(studies)]
    share = {name: float(np.mean([study[name][0] for study in held])) for name in held[0]}
    # Once in 1,000 times for right intervals: of a study's ten pairs 95 +- 10 % are held.
    error = 3.1 * 0.1 / np.sqrt(studies)
    assert 0.92 - error <= share["rater"] <= 0.98 + error
    assert 0.92 - error <= share["rater x picture"] <= 0.995 + error
    assert share["vote"] < 0.92 - error
    assert share["vote, in general"] < share["vote"]
