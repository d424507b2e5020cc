"""Time the scale of a large simulated study, and write `scale_speed.md`.

    OMP_NUM_THREADS=1 python docs/benchmarks/scale_speed.py

100,000 votes, 100 conditions, 300 raters, 12 pictures; one thread.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import scipy
from record_age import keep

from codecarena.bench.worker.device import cpu_model
from codecarena.studies.design.simulation import Assumptions, simulate_votes
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import MODELS
from codecarena.studies.scale.pair_counts import tally
from codecarena.studies.scale.resampling import draw
from codecarena.studies.scale.scale import describe, resample

RESAMPLES = 1000
CONDITIONS = 100


def clocks(function):
    wall, used = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - wall, time.process_time() - used


def votes(tie_rate):
    random = np.random.default_rng(1)
    scale = {f"condition {index}": float(random.normal()) for index in range(CONDITIONS)}
    assumed = Assumptions(scale, raters=300, pictures=12, votes_per_rater=334, tie_rate=tie_rate)
    simulated = simulate_votes(assumed, random)
    return simulated.keep(np.arange(len(simulated)) < 100_000)


def rows():
    for name, model in MODELS.items():
        given = votes(0.3 if model.ties else 0.0)

        def whole(schemes, model=model, given=given):
            counted = tally(given)
            scale_fit = fit(counted.pairs, model)
            draws = resample(scale_fit, counted, RESAMPLES, 0, schemes)
            return scale_fit, draws, describe(scale_fit, draws, None, counted)

        (scale_fit, draws, _), wall, used = clocks(lambda: whole(("rater",)))
        _, _, both = clocks(lambda: whole(("rater", "rater x picture")))
        yield name, wall, used, both, int(draws[0].failed.sum()), drift(scale_fit, given)


def drift(scale_fit, given):
    """Return by how much a resample fitted from its start differs from one fitted from nothing."""
    counted = tally(given)
    warm = draw(scale_fit.problem, counted, scale_fit.parameters, "rater", 3, np.random.default_rng(7))
    cold = draw(
        scale_fit.problem,
        counted,
        np.append(np.zeros(CONDITIONS + 1), scale_fit.parameters[-1]),
        "rater",
        3,
        np.random.default_rng(7),
    )
    return float(np.abs(warm.parameters - cold.parameters).max())


def record():
    lines = [
        "# The scale of a large study: time",
        "",
        f"{cpu_model()}, one thread, NumPy {np.__version__}, SciPy {scipy.__version__}. 100,000 votes,",
        f"{CONDITIONS} conditions, 300 raters, 12 pictures, {RESAMPLES:,} resamples of whole raters,",
        "every one fitted to its maximum; tests of all 4,950 pairs and ranges of ranks included.",
        "Made by `scale_speed.py`.",
        "",
        "| model | processor seconds | on the wall | with rater x picture as well | failed | cold - warm |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, wall, used, both, failed, difference in rows():
        lines.append(f"| {name} | {used:.1f} | {wall:.1f} | {both:.1f} | {failed} | {difference:.0e} |")
    lines += [
        "",
        f"Load average {os.getloadavg()[0]:.1f}, this program's own 1 included: where the wall says much",
        "more than the processor, others used the machine; processor seconds are what one free core needs.",
        "*Cold - warm*: the largest difference between resamples fitted from the whole study's scale",
        "and from 0.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = record()
    keep(Path(__file__).with_suffix(".md"), text)
    print(text)
