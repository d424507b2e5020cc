"""Simulate studies with known values, rate savings and careless raters; write `study_recovery.md`.

    OMP_NUM_THREADS=1 python docs/benchmarks/study_recovery.py [STUDIES]

Truth is known in closed form: over normal deviations of raters and pictures the threshold probit is a
threshold probit again, only flatter; Davidson's votes are drawn from Davidson's own probabilities.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from record_age import keep

from codecarena.studies.analysis.human_rate import CodedCondition, human_bd_rates
from codecarena.studies.analysis.review import review
from codecarena.studies.design.simulation import Assumptions, simulate_votes, threshold
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import DAVIDSON, JOD, THRESHOLD_PROBIT
from codecarena.studies.scale.pair_counts import from_table, tally

TIES = 0.3
BASE = Assumptions(
    {"a": -1.0, "b": -0.4, "c": 0.0, "d": 0.5, "e": 0.9},
    raters=40, pictures=12, votes_per_rater=60, tie_rate=TIES, lapse_rate=0.0,
    rater_spread=0.3, picture_spread=0.3, order_effect=0.15,
)  # fmt: skip
RATES, SAVING = (0.1, 0.2, 0.4, 0.8), 0.25
WORTH, ORDER, LOG_NU = np.array([-1.0, -0.4, 0.0, 0.5, 0.9]), 0.15, float(np.log(2 * TIES / (1 - TIES)))
REVIEWED = Assumptions(
    {"a": -1.2, "b": -0.4, "c": 0.2, "d": 0.7, "e": 1.2},
    raters=20, pictures=8, tie_rate=0.2, lapse_rate=0.0, order_effect=0.1,
)  # fmt: skip
"""Every rater sees every pair of every picture once: 80 votes."""


def quality(rate):
    return 1.2 * float(np.log2(rate / RATES[0]))


LADDERS = {f"old {rate}": quality(rate) for rate in RATES} | {
    f"new {rate}": quality(rate / (1 - SAVING)) for rate in RATES
}


def probit(seed):
    """Return what the threshold probit finds: values of the outermost two, order effect, ties of equals."""
    counted = tally(simulate_votes(BASE, np.random.default_rng(seed)))
    scale_fit = fit(counted.pairs, THRESHOLD_PROBIT)
    tied = THRESHOLD_PROBIT.probabilities(np.zeros(1), scale_fit.parameters[-1])[1, 0]
    return (scale_fit.values[-1] - scale_fit.values[0]) * JOD, scale_fit.parameters[-2] * JOD, tied


def probit_truth():
    spreads = 2 * (BASE.rater_spread**2 + BASE.picture_spread**2)
    flat = np.sqrt(1 + spreads / JOD**2)
    tied = THRESHOLD_PROBIT.probabilities(np.zeros(1), threshold(TIES) / flat)[1, 0]
    values = list(BASE.scale.values())
    return (values[-1] - values[0]) / flat, BASE.order_effect / flat, tied


def davidson(seed, votes=2400):
    random = np.random.default_rng(seed)
    first, second = (place.ravel() for place in np.where(~np.eye(len(WORTH), dtype=bool)))
    half = (WORTH[first] - WORTH[second]) / 2
    odds = np.exp(np.stack([half + ORDER, np.full(len(first), LOG_NU), -half]))
    counts = np.array(
        [random.multinomial(votes // len(first), pair_odds / pair_odds.sum()) for pair_odds in odds.T]
    ).T
    names = [np.array(list("abcde"))[place] for place in (first, second)]
    scale_fit = fit(from_table(*names, counts[0], counts[2], counts[1], sided=True), DAVIDSON)
    values, order, tie = scale_fit.values, scale_fit.parameters[-2], scale_fit.parameters[-1]
    return values[-1] - values[0], order, tie + order / 2


def saving(seed):
    """Return the rate saving of the new codec, percent."""
    assumed = Assumptions(LADDERS, raters=40, pictures=12, votes_per_rater=100, tie_rate=TIES)
    counted = tally(simulate_votes(assumed, np.random.default_rng(seed)))
    scale_fit = fit(counted.pairs, THRESHOLD_PROBIT)
    coded = [
        CodedCondition(
            name, name.split()[0], {picture: float(name.split()[1]) for picture in counted.pictures}
        )
        for name in LADDERS
    ]
    return (human_bd_rates(scale_fit, None, counted, coded, "old")[0].bd_rate.percent,)


def planted(seed, careless):
    """Return whether the planted rater carries the label, and how many of the 19 others carry any."""
    random = np.random.default_rng(seed)
    votes = simulate_votes(REVIEWED, random)
    mine = np.flatnonzero(votes.rater == 4)
    outcome = votes.outcome.copy()
    if careless:
        outcome[mine] = random.choice(np.array([-1, 0, 1], np.int8), len(mine))
    else:
        mine = mine[::2]
        outcome[mine] = 1
    votes = replace(votes, outcome=outcome)
    label = "unlike the others" if careless else "favours a side"
    rows = {rater.rater: rater.labels for rater in review(votes, fit(tally(votes).pairs, THRESHOLD_PROBIT))}
    return label in rows["rater 5"], sum(bool(labels) for name, labels in rows.items() if name != "rater 5")


def recovered(studies):
    cases = (
        (
            "threshold probit",
            ("best - worst, JOD", "order effect, JOD", "ties between equals"),
            probit_truth(),
            probit,
        ),
        (
            "Davidson",
            ("best - worst, log-worth", "order effect", "log nu"),
            (WORTH[-1] - WORTH[0], ORDER, LOG_NU),
            davidson,
        ),
        ("threshold probit", ("rate saving, %",), (-100 * SAVING,), saving),
    )
    for model, names, truth, study in cases:
        estimates = np.array([study(seed) for seed in range(studies)], np.float64)
        for place, name in enumerate(names):
            mine = estimates[:, place]
            yield (
                model,
                name,
                truth[place],
                mine.mean(),
                mine.std(ddof=1) / np.sqrt(studies),
                mine.std(ddof=1),
            )


def record(studies):
    lines = [
        "# Does a preference study find what is there?",
        "",
        f"{studies} simulated studies a row, made by `study_recovery.py` with NumPy {np.__version__};",
        f"equals tie in {TIES:.0%}. Threshold probit: {BASE.raters} raters x {BASE.votes_per_rater} votes on",
        f"{BASE.pictures} pictures, raters and pictures differing by {BASE.rater_spread:g} JOD. Davidson:",
        "2,400 votes of its own model. Rate saving: two codecs at four rates, 40 raters x 100 votes.",
        "",
        "| model | quantity | truth | mean found | error of it | spread of one study |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for model, name, truth, mean, error, spread in recovered(studies):
        lines.append(f"| {model} | {name} | {truth:.3f} | {mean:.3f} | {error:.3f} | {spread:.2f} |")
    lines += [
        "",
        f"One of {REVIEWED.raters} raters is planted among careful ones, each with 80 votes.",
        "",
        "| planted rater | found | others with any label, a study |",
        "| --- | --- | --- |",
    ]
    for title, careless in (
        ("answers everything by chance", True),
        ("half of the time says the first", False),
    ):
        detections = np.array([planted(seed, careless) for seed in range(studies)], np.float64)
        lines.append(f"| {title} | {detections[:, 0].mean():.1%} | {detections[:, 1].mean():.2f} of 19 |")
    lines += [
        "",
        "A label is a reason to look at a rater; no vote is deleted for one. A saving is an exponential:",
        "its mean lies above the truth by about half the square of its spread (0.3 points for 7).",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = record(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    keep(Path(__file__).with_suffix(".md"), text)
    print(text)
