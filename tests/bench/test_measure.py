"""What a worker says of scores at the edge."""

from __future__ import annotations

import numpy as np

from codecarena.bench.records.messages import Scored
from codecarena.bench.worker.measure import Worker
from codecarena.codecs.base import Picture


def test_a_difference_that_an_unbounded_metric_does_not_see_is_no_failure() -> None:
    original = np.full((64, 64, 3), 128, np.uint8)
    # The two have the same 8-bit luma: 0.2126 x 30 - 0.7152 x 9 is nearly nothing.
    decoded = original + np.array([30, 247, 0], np.uint8)
    scored = Worker().score("xpsnr", Picture(original), decoded, lossless=False)
    assert isinstance(scored, Scored), scored
    assert scored.value is None
    assert not scored.lossless
