"""Simulate studies and write `study_coverage.md`: how often 95 % intervals hold the true value.

    python docs/benchmarks/study_coverage.py [STUDIES]

Raters and pictures differ from the average and their votes hang together. Averaged over normal deviations
the threshold probit is a threshold probit again, only flatter, so the truth is known without simulation:
for pictures in general in closed form, for the pictures shown by fitting the exact expected counts.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from record_age import keep

from codecarena.studies.design.simulation import Assumptions, deviations, simulate_votes, threshold
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import JOD, THRESHOLD_PROBIT, THURSTONE
from codecarena.studies.scale.pair_counts import PairCounts, tally
from codecarena.studies.scale.pair_tests import pair_tests
from codecarena.studies.scale.scale import resample

BASE = Assumptions(
    {"a": -1.0, "b": -0.4, "c": 0.0, "d": 0.5, "e": 0.9},
    pictures=12,
    votes_per_rater=60,
    lapse_rate=0.0,
    rater_spread=0.6,
    picture_spread=0.5,
    order_effect=0.15,
)
RESAMPLES = 500


def flattening(*spreads):
    return np.sqrt(1.0 + 2.0 * sum(spread**2 for spread in spreads) / JOD**2)


def truth_in_general(assumed):
    return np.array(list(assumed.scale.values())) / flattening(assumed.rater_spread, assumed.picture_spread)


def truth_for_pictures(assumed, drawn):
    names = tuple(assumed.scale)
    first, second = (place.ravel() for place in np.where(~np.eye(len(names), dtype=bool)))
    flat = flattening(assumed.rater_spread)
    counts = np.zeros((3, len(first)))
    for deviation in drawn.by_picture:
        own = np.array(list(assumed.scale.values())) + deviation
        difference = (own[first] - own[second] + assumed.order_effect) / JOD / flat
        counts += THRESHOLD_PROBIT.probabilities(difference, threshold(assumed.tie_rate) / flat)
    model = THRESHOLD_PROBIT if assumed.tie_rate else THURSTONE
    return fit(PairCounts(names, first, second, counts), model).values * JOD


def study(assumed, seed, resamples=RESAMPLES):
    """Return for each scheme how many of the pairs' intervals hold the truth, and their mean width."""
    random = np.random.default_rng(seed)
    drawn = deviations(assumed, random)
    counted = tally(simulate_votes(assumed, random, drawn))
    model = THRESHOLD_PROBIT if assumed.tie_rate else THURSTONE
    scale_fit = fit(counted.pairs, model)
    draws = resample(scale_fit, counted, resamples, seed, ("rater", "rater x picture"))
    shown, general = truth_for_pictures(assumed, drawn), truth_in_general(assumed)
    place = {name: index for index, name in enumerate(counted.pairs.conditions)}
    held = {"rater": [], "rater x picture": [], "vote": [], "vote, in general": []}
    widths = {name: [] for name in held}
    for pair_test in pair_tests(scale_fit, draws, counted):
        i, j = place[pair_test.first], place[pair_test.second]
        variance = scale_fit.covariance[i, i] + scale_fit.covariance[j, j] - 2 * scale_fit.covariance[i, j]
        reach = 1.959964 * np.sqrt(variance) * JOD
        plain = (pair_test.difference - reach, pair_test.difference + reach)
        both = (pair_test.by_rater_and_picture.low, pair_test.by_rater_and_picture.high)
        for name, (low, high), true in (
            ("rater", (pair_test.by_rater.low, pair_test.by_rater.high), shown[i] - shown[j]),
            ("rater x picture", both, general[i] - general[j]),
            ("vote", plain, shown[i] - shown[j]),
            ("vote, in general", plain, general[i] - general[j]),
        ):
            held[name].append(low <= true <= high)
            widths[name].append(high - low)
    return {name: (np.mean(held[name]), np.mean(widths[name])) for name in held}


def rows(studies):
    for raters in (20, 40):
        for tie_rate in (0.0, 0.3):
            assumed = replace(BASE, raters=raters, tie_rate=tie_rate)
            simulated = [study(assumed, seed) for seed in range(studies)]
            for name in simulated[0]:
                shares = np.array([coverage[name][0] for coverage in simulated])
                width = np.mean([coverage[name][1] for coverage in simulated])
                yield raters, tie_rate, name, shares.mean(), shares.std() / np.sqrt(studies), width


def record(studies):
    lines = [
        "# Do the intervals of a preference study hold the truth?",
        "",
        f"{studies} simulated studies a row, made by `study_coverage.py` with NumPy {np.__version__} on",
        f"{platform.machine()}: 5 conditions (10 pairs), {BASE.pictures} pictures, "
        f"{BASE.votes_per_rater} votes a rater, {RESAMPLES} resamples,",
        f"standard deviation of a condition's value {BASE.rater_spread:g} JOD over raters and "
        f"{BASE.picture_spread:g} over pictures,",
        f"order effect {BASE.order_effect:g} JOD.",
        "Coverage is over all pairs; `in general` asks for the scale over all pictures, the others for the",
        "scale of the pictures shown. Aim: 92 to 98 % by rater, 92 to 99.5 % by rater x picture.",
        "",
        "| raters | ties between equals | intervals | coverage | error of it | mean width, JOD |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for raters, tie_rate, name, share, error, width in rows(studies):
        lines.append(f"| {raters} | {tie_rate:.0%} | {name} | {share:.1%} | {error:.1%} | {width:.2f} |")
    lines += [
        "",
        "Per-vote intervals fail: votes of one rater, and votes on one picture, hang together.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = record(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    keep(Path(__file__).with_suffix(".md"), text)
    print(text)
