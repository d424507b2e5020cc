"""What is planted in simulated studies is found: values, ties, order effect, careless and leaning raters."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "docs" / "benchmarks" / "study_recovery.py"
    spec = importlib.util.spec_from_file_location("study_recovery", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.scaled
def test_values_savings_and_ties_are_recovered_with_30_percent_ties(
    script: ModuleType, tenth: Callable[[int], int]
) -> None:
    studies = tenth(200)
    rows = list(script.recovered(studies))
    assert len(rows) == 7
    # Once in 15,000 times for a right one.
    errors = stats.t.isf(1 / 30_000, studies - 1)
    for model, name, truth, mean, error, _ in rows:
        # A saving in percent is bent a little, as any exponential.
        slack = 0.5 if "saving" in name else 0.0
        assert mean == pytest.approx(truth, abs=errors * error + slack), (model, name)


@pytest.mark.scaled
@pytest.mark.parametrize("careless", [True, False])
def test_a_planted_rater_is_found_and_few_others_are_labelled(
    script: ModuleType, tenth: Callable[[int], int], careless: bool
) -> None:
    studies = tenth(200)
    recovered = np.array([script.planted(1000 + seed, careless) for seed in range(studies)], np.float64)
    assert recovered[:, 0].sum() >= stats.binom.ppf(0.001, studies, 0.9)
    assert recovered[:, 1].mean() < 1
