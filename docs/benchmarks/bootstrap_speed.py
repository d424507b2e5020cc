"""Time the paired bootstrap of BD-rates and write `bootstrap_speed.md`.

    python docs/benchmarks/bootstrap_speed.py

10,000 resamples of 24 simulated pictures x 10 codecs x 4 metrics x 8 settings, on one core: every mean rate
and mean score, every BD-rate against one anchor, and the mean of the single pictures' BD-rates.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time
from pathlib import Path

import numpy as np
from record_age import keep

from codecarena.bench.analysis.bootstrap import RESAMPLES, usual_resampling
from codecarena.bench.analysis.curve_batches import CurveBatch, log_rate_differences
from codecarena.bench.analysis.curves import bd_rate
from codecarena.bench.analysis.intervals import interval, zero_test
from codecarena.bench.worker.device import cpu_model

PICTURES, CODECS, METRICS, SETTINGS = 24, 10, 4, 8
REPEATS = 3
CHECKED = 100
"""Resamples of each BD-rate that are computed once more by the function for one curve."""


def simulated():
    random = np.random.default_rng(1)
    steps = np.linspace(-2, 1.5, SETTINGS)
    detail = random.normal(0, 0.5, (PICTURES, 1))
    codecs = []
    for place in range(CODECS):
        log_rates = steps + detail - 0.05 * place + random.normal(0, 0.1, (PICTURES, 1))
        scores = [
            30 + metric + 5 * steps - 2 * detail + random.normal(0, 0.2, (PICTURES, SETTINGS))
            for metric in range(METRICS)
        ]
        codecs.append((np.exp(log_rates + random.normal(0, 0.03, log_rates.shape)), scores))
    return codecs


def everything(codecs, method):
    """Return the draws of all BD-rates after computing every interval there is."""
    resampling = usual_resampling(PICTURES)
    rates = [resampling.means(codec[0]) for codec in codecs]
    for mean in rates:
        for setting in range(SETTINGS):
            interval(resampling.sample(mean[:, setting]))
    draws = []
    for metric in range(METRICS):
        means = [resampling.means(codec[1][metric]) for codec in codecs]
        curves = [CurveBatch(rate, mean, method) for rate, mean in zip(rates, means, strict=True)]
        single = [CurveBatch(codec[0], codec[1][metric], method) for codec in codecs]
        for place in range(CODECS):
            for setting in range(SETTINGS):
                interval(resampling.sample(means[place][:, setting]))
            if place:
                differences = log_rate_differences(curves[0], curves[place])
                zero_test(resampling.sample(differences))
                percents = 100 * np.expm1(log_rate_differences(single[0], single[place]))
                interval(resampling.sample(resampling.means_of_defined(percents)))
                draws.append((rates[0], means[0], rates[place], means[place], differences))
    return draws


def largest_difference(draws, method):
    rows = np.linspace(0, RESAMPLES, CHECKED).astype(int)
    return max(
        abs(100 * np.expm1(differences[row]) - bd_rate(a[row], b[row], c[row], d[row], method).percent)
        for a, b, c, d, differences in draws
        for row in rows
    )


def record():
    codecs = simulated()
    lines = [
        "# The paired bootstrap: time",
        "",
        f"{cpu_model()}, one core, load average {os.getloadavg()[0]:.1f}. {RESAMPLES:,} resamples of "
        f"{PICTURES} pictures x {CODECS} codecs x {METRICS}",
        f"metrics x {SETTINGS} settings: intervals of {CODECS * SETTINGS} mean rates, "
        f"{CODECS * METRICS * SETTINGS} mean scores, {(CODECS - 1) * METRICS} BD-rates with their tests, "
        "and as many",
        "means of single pictures' BD-rates. Made by `bootstrap_speed.py`.",
        "",
        f"| interpolation | wall seconds, median of {REPEATS} | CPU seconds | largest difference "
        "from one curve at a time, percent |",
        "| --- | --- | --- | --- |",
    ]
    for method in ("pchip", "akima", "cubic"):
        walls, cpus = [], []
        for _ in range(REPEATS):
            wall, cpu = time.perf_counter(), time.process_time()
            draws = everything(codecs, method)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        difference = largest_difference(draws, method)
        lines.append(
            f"| {method} | {statistics.median(walls):.1f} | {statistics.median(cpus):.1f} "
            f"| {difference:.0e} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = record()
    keep(Path(__file__).with_suffix(".md"), text)
    print(text)
