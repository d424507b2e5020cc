"""Simulate studies whose truth is known, and write `interval_coverage.md`: how often intervals hold it.

    python docs/benchmarks/interval_coverage.py [STUDIES]

Pictures differ in detail (rate and quality), codecs in a gain that differs from picture to picture; the truth
is the BD-rate of the mean curves of a million pictures.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import sys
from pathlib import Path

import numpy as np
from record_age import keep
from scipy import stats

from codecarena.bench.analysis.bootstrap import Resampling, resample
from codecarena.bench.analysis.curve_batches import CurveBatch, log_rate_differences
from codecarena.bench.analysis.intervals import bounded_interval, interval

SETTINGS = np.linspace(-2, 1.2, 6)
PICTURES = (5, 7, 12, 24, 48)
SPREADS = (0.08, 0.3)
"""Standard deviation, over pictures, of the logarithm of the test codec's gain."""
RESAMPLES = 2000
NORMAL = stats.norm.ppf(0.975)
SETTING = 3
"""Whose means are looked at."""


def simulated(random, pictures, spread):
    detail = random.normal(0, 0.5, (pictures, 1))
    look = random.normal(0, 1, (pictures, 1))
    codecs = []
    for gain, own in ((0.0, 0.0), (-0.2, spread)):
        log_rates = SETTINGS + detail + random.normal(gain, own, (pictures, 1))
        log_rates = log_rates + random.normal(0, 0.05, log_rates.shape)
        qualities = 32 + 5 * SETTINGS - 2.5 * detail + look + random.normal(0, 0.15, log_rates.shape)
        codecs.append((np.exp(log_rates), qualities))
    return codecs


def bd_rates(codecs, resampling):
    anchor, test = (CurveBatch(*(resampling.means(values) for values in codec)) for codec in codecs)
    return log_rate_differences(anchor, test)


def bca(sample, without):
    """Return the bias-corrected and accelerated interval (Efron 1987), for comparison."""
    influence = without.mean() - without
    acceleration = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
    bias = stats.norm.ppf(np.mean(sample.draws < sample.estimate))
    ends = bias + np.array([-NORMAL, NORMAL])
    return np.quantile(sample.draws, stats.norm.cdf(bias + ends / (1 - acceleration * ends)))


def study(random, pictures, spread):
    """Return the ends of each kind of interval, of the BD-rate, one mean rate and one mean similarity."""
    codecs = simulated(random, pictures, spread)
    resampling = resample(pictures, random, RESAMPLES)
    sample = resampling.sample(bd_rates(codecs, resampling))
    rest = Resampling((1 - np.eye(pictures)) / (pictures - 1))
    rate, similarity = (resampling.sample(resampling.means(values)[:, 0]) for values in single(codecs))
    return {
        "BD-rate: percentile": np.quantile(sample.draws, [0.025, 0.975]),
        "BD-rate: BCa": bca(sample, bd_rates(codecs, rest)),
        "BD-rate: expanded percentile (used)": ends(interval(sample)),
        "mean rate: expanded percentile": ends(interval(rate)),
        "mean rate: bounded (used)": ends(bounded_interval(rate, 0.0)),
        "mean similarity: expanded percentile": ends(interval(similarity)),
        "mean similarity: bounded (used)": ends(bounded_interval(similarity, 1.0)),
    }


def single(codecs):
    """Return the test codec's rates and similarities at one setting, each of shape (pictures, 1)."""
    rates, qualities = (values[:, SETTING : SETTING + 1] for values in codecs[1])
    return rates, 1 - 10 ** ((18 - qualities) / 10)


def ends(span):
    return span.low, span.high


def row(studies, pictures, spread, truths):
    random = np.random.default_rng([pictures, round(100 * spread)])
    hits = dict.fromkeys(truths, 0)
    for _ in range(studies):
        for kind, (low, high) in study(random, pictures, spread).items():
            hits[kind] += low < truths[kind] < high
    shares = " | ".join(f"{100 * hits[kind] / studies:.1f}" for kind in truths)
    return f"| {pictures} | {spread} | {shares} |"


def record(studies):
    error = 100 * 2 * np.sqrt(0.95 * 0.05 / studies)
    lines = [
        "# Coverage of the intervals",
        "",
        f"{studies} simulated studies a row (two standard errors: {error:.1f} points), {RESAMPLES} "
        "resamples each. How often, in percent, a",
        "nominal 95 % interval holds the truth. Made by `interval_coverage.py`.",
        "",
    ]
    table = []
    for spread in SPREADS:
        codecs = simulated(np.random.default_rng(5), 1_000_000, spread)
        everyone = Resampling(np.full((1, 1_000_000), 1e-6))
        means = [values.mean() for values in single(codecs)]
        kinds = study(np.random.default_rng(0), PICTURES[0], spread)
        true = {"BD-rate": bd_rates(codecs, everyone)[0], "mean rate": means[0], "mean similarity": means[1]}
        truths = {kind: true[kind.partition(":")[0]] for kind in kinds}
        if not table:
            table = [
                f"| pictures | spread of the gain | {' | '.join(kinds)} |",
                "| --- " * (2 + len(kinds)) + "|",
            ]
        table += [row(studies, pictures, spread, truths) for pictures in PICTURES]
    lines += table
    lines += [
        "",
        "The plain percentile interval of few pictures is too narrow, and correcting bias and skewness (BCa)",
        "does not widen it; moving the percentiles out to Student's quantile does. Rates are lognormal here,",
        "and so are the similarities' distances from 1: their means are skewed, and the expanded percentiles",
        "of few pictures still too short on one side. Student's interval of the logarithm of the distance",
        "from the bound (*bounded*) is wide enough.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = record(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
    keep(Path(__file__).with_suffix(".md"), text)
    print(text)
