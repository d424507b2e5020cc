"""A value that a metric's definition does not allow is no score, whoever wrote the metric."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from measuring import Clock, MadeUpMetric

from codecarena.bench.records.messages import Failed, Scored
from codecarena.bench.records.metric_facts import MetricFacts
from codecarena.bench.worker.measure import Worker
from codecarena.codecs.base import Picture

PIXELS = np.random.default_rng(1).integers(0, 256, (5, 8, 3), dtype=np.uint8)


def score_of(metric: MadeUpMetric, *, lossless: bool) -> float | str | None:
    """Return what a worker makes of a metric's answer: a score, or the reason why it is none."""
    worker = Worker()
    worker.metrics["mean"] = metric
    result = worker.score("mean", Picture(PIXELS), PIXELS, lossless)
    assert isinstance(result, Scored | Failed)
    assert isinstance(result, Scored) or (result.outcome, result.stage, result.metric) == (
        "error",
        "score",
        "mean",
    )
    return result.value if isinstance(result, Scored) else result.message


@pytest.mark.parametrize(
    ("lowest", "highest", "answer", "problem"),
    [
        (0.0, 1.0, 1_000_000.02, "1000000.02 is outside its range, 0 to 1"),
        (0.0, 1.0, 1.0 + 1.1e-6, "1.0000011 is outside its range, 0 to 1"),
        (0.0, 1.0, 1.0 + 0.9e-6, None),
        (0.0, 1.0, -0.9e-6, None),
        (0.0, 1.0, -1.1e-6, "-1.1e-06 is outside its range, 0 to 1"),
        (0.0, math.inf, -1.0, "-1 is outside its range, at least 0"),
        (-math.inf, 100.0, 100.5, "100.5 is outside its range, at most 100"),
        (-math.inf, 100.0, -1e9, None),
    ],
)
def test_a_value_outside_the_range_is_a_failure_with_the_reason(
    lowest: float, highest: float, answer: float, problem: str | None
) -> None:
    """A picture of one colour once had a CW-SSIM of a million."""
    metric = MadeUpMetric(Clock(), perfect=None, answer=answer, lowest=lowest, highest=highest)
    assert score_of(metric, lossless=False) == (f"mean: {problem}" if problem else answer)


@pytest.mark.parametrize(
    ("perfect", "answer", "expected"),
    [
        (1.0, 1.0, 1.0),
        (1.0, 1.0 - 2e-6, 1.0 - 2e-6),
        (1.0, 0.0, "mean: 0 is wrong for identical pixels: they have the value 1"),
        (0.0, 0.25, "mean: 0.25 is wrong for identical pixels: they have the value 0"),
        # VMAF of identical pictures is an ordinary score: about 97.4, and it depends on the picture.
        (None, 97.43, 97.43),
        # Not asked: an unbounded metric has no number for identical pictures.
        (math.inf, 41.5, None),
    ],
)
def test_identical_pixels_have_the_perfect_value_or_no_score(
    perfect: float | None, answer: float, expected: float | str | None
) -> None:
    assert score_of(MadeUpMetric(Clock(), perfect=perfect, answer=answer), lossless=True) == expected


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"lowest": 1.0, "highest": 0.0}, "expected lowest below highest, got 1 and 0"),
        ({"lowest": math.nan}, "expected lowest below highest, got nan and inf"),
        ({"highest": 1.0, "perfect": 2.0}, "the perfect value 2 is outside the range, at most 1"),
        ({"perfect": math.nan}, "the perfect value nan is outside the range, any number"),
        ({"better": "more"}, "got 'more' and 'linear'"),
        ({"curve_scale": "log"}, "got 'higher' and 'log'"),
    ],
)
def test_facts_that_contradict_themselves_are_refused(facts: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        MetricFacts(**facts)
