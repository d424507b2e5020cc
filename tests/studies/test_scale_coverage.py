"""Intervals hold the truth as often as they say, and those by vote do not."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import binom

STUDIES = 100


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "docs" / "benchmarks" / "study_coverage.py"
    spec = importlib.util.spec_from_file_location("study_coverage", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def least(share: float) -> float:
    """Return the coverage that 100 studies of a true share fall below once in 1,000 times."""
    return float(binom.ppf(0.001, STUDIES, share)) / STUDIES


def most(share: float) -> float:
    return float(binom.ppf(0.999, STUDIES, share)) / STUDIES


@pytest.mark.parametrize(("raters", "tie_rate"), [(20, 0.0), (40, 0.3)])
def test_intervals_cover(script: ModuleType, raters: int, tie_rate: float) -> None:
    assumed = replace(script.BASE, raters=raters, tie_rate=tie_rate)
    found = [script.study(assumed, 10_000 + seed, resamples=200) for seed in range(STUDIES)]
    share = {name: float(np.mean([one[name][0] for one in found])) for name in found[0]}
    assert least(0.92) <= share["rater"] <= most(0.98)
    assert least(0.92) <= share["rater x picture"] <= most(0.995)
    assert share["vote"] < least(0.92)
    assert share["vote, in general"] < share["vote"]
