"""Simulate the votes each design needs for a ranking; write `design_efficiency.md` and its figure.

    OMP_NUM_THREADS=1 python docs/benchmarks/design_efficiency.py

Every design gets the same studies: the same conditions, pictures and raters, and the same way through
`with_random_share`, so that only what is asked for differs.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from itertools import combinations, product
from pathlib import Path

import matplotlib as mpl
import numpy as np
from record_age import keep
from scipy.stats import spearmanr

from codecarena.studies.design.adaptive import LEAST_BATCH
from codecarena.studies.design.design import Pairs, PairTotals, find_design, with_random_share
from codecarena.studies.design.simulation import Assumptions, deviations, threshold
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import JOD, THRESHOLD_PROBIT, THURSTONE
from codecarena.studies.scale.pair_counts import from_matrix

mpl.use("Agg")
from matplotlib import pyplot as plt

CONDITIONS, PICTURES, STUDIES = 20, 12, 40
RANGES_JOD = (4.0, 12.0)
"""Codecs at about one rate; whole ladders of rates."""
VOTES_PER_RATER = 64
TIE_RATE, LAPSE_RATE = 0.2, 0.02
STOPS = np.array([32, 64, 96, 128, 192, 256, 384, 512, 768, 1024])
TICKS = (32, 64, 128, 256, 512, 1024)
TARGETS = (0.80, 0.90, 0.95, 0.98)
DESIGNS = {
    "random pairs": (None, 1.0),
    "Swiss": ("swiss", 0.2),
    "ASAP": ("asap", 0.2),
    "ASAP, nothing at random": ("asap", 0.0),
}
READING = (
    "Adaptive designs pay where conditions lie far apart, as over a ladder of rates: random pairs then spend",
    "votes on what is plain. Where all are close every pair tells about as much, and the interval includes 1",
    "until the ranking is nearly right. The random share costs little. Swiss and ASAP are on a par here.",
)
"""What the tables say; read them again when they are made anew."""
HERE = Path(__file__)


def world(seed, wide):
    """Return a study's truth: values, and what each picture and rater adds, JOD."""
    random = np.random.default_rng([seed, 0])
    values = random.uniform(0, wide, CONDITIONS)
    raters = int(STOPS[-1]) // VOTES_PER_RATER
    scale = {str(index): float(value) for index, value in enumerate(values)}
    assumed = Assumptions(scale, raters=raters, pictures=PICTURES)
    return values, deviations(assumed, random)


def answers(values, drawn, pairs, rows, rater, random):
    """Return 0, 1 or 2 for each trial: the first won, no preference, the second won."""
    content, first, second = pairs.content[rows], pairs.first[rows], pairs.second[rows]
    own = values + drawn.by_rater[rater] + drawn.by_picture[content]
    trial = np.arange(len(rows))
    difference = (own[trial, first] - own[trial, second]) / JOD
    likely = THRESHOLD_PROBIT.probabilities(difference, threshold(TIE_RATE))
    below = ((1 - LAPSE_RATE) * likely + LAPSE_RATE / 3).cumsum(0)
    return np.minimum((random.random(len(rows)) > below).sum(0), 2)


def study(case):
    """Return the rank correlation with the truth at each of the stops."""
    wide, label, seed = case
    name, share = DESIGNS[label]
    values, drawn = world(seed, wide)
    random = np.random.default_rng([seed, 1])
    grid = [(c, a, b) for c in range(PICTURES) for a, b in combinations(range(CONDITIONS), 2)]
    pairs = Pairs(*np.array(grid, np.int64).T)
    counts = np.zeros((3, len(pairs)), np.int64)
    wins = np.zeros((CONDITIONS, CONDITIONS))
    correlations = []
    while counts.sum() < STOPS[-1]:
        rater, place = divmod(int(counts.sum()), VOTES_PER_RATER)
        if place == 0:
            unseen = np.ones(len(pairs), bool)
        pair_totals = PairTotals(counts.sum(0), counts[0], counts[2], counts[1])
        wanted = []
        if name:
            allowed = np.ones(len(pairs), bool)
            wanted = find_design(name).choose(pairs, pair_totals, allowed, LEAST_BATCH, random)
        chosen = with_random_share(wanted, pairs, unseen, LEAST_BATCH, share, random)
        rows = np.array([trial.pair for trial in chosen])
        unseen[rows] = False
        given = answers(values, drawn, pairs, rows, rater, random)
        counts[given, rows] += 1
        for row, answer in zip(rows, given, strict=True):
            first, second = pairs.first[row], pairs.second[row]
            wins[first, second] += (2 - answer) / 2
            wins[second, first] += answer / 2
        if counts.sum() in STOPS:
            scale_fit = fit(from_matrix([str(n) for n in range(CONDITIONS)], wins), THURSTONE, order=False)
            correlations.append(spearmanr(scale_fit.values, values).statistic)
    return correlations


def needed(curve, target):
    """Return the votes at which a curve reaches a correlation; not a number where it does not."""
    rising = np.maximum.accumulate(curve)
    if rising[-1] < target:
        return np.nan
    return float(np.exp(np.interp(target, rising, np.log(STOPS))))


def saving(curves, name, target):
    """Return votes against random pairs as a ratio, with a 95 % interval over studies."""
    base, own = np.array(curves["random pairs"]), np.array(curves[name])
    random = np.random.default_rng(0)
    draws = [random.integers(0, STUDIES, STUDIES) for _ in range(1000)]
    ratios = [needed(own[d].mean(0), target) / needed(base[d].mean(0), target) for d in draws]
    middle = needed(own.mean(0), target) / needed(base.mean(0), target)
    return middle, *np.nanquantile(ratios, (0.025, 0.975))


def draw(by_range):
    figure, plots = plt.subplots(1, len(RANGES_JOD), figsize=(11, 4.2), layout="constrained")
    for axes, (wide, curves) in zip(plots, by_range.items(), strict=True):
        for (name, curve), mark in zip(curves.items(), "osD^", strict=True):
            mean = np.mean(curve, 0)
            error = 1.96 * np.std(curve, 0, ddof=1) / np.sqrt(STUDIES)
            [line] = axes.plot(STOPS, mean, marker=mark, markersize=4, label=name)
            axes.fill_between(STOPS, mean - error, mean + error, color=line.get_color(), alpha=0.12, lw=0)
        axes.set_xscale("log", base=2)
        axes.set_xticks(TICKS, [f"{stop:,}" for stop in TICKS])
        axes.set_xlabel("votes of the whole study")
        axes.set_ylabel("Spearman correlation with the truth")
        axes.set_title(f"{CONDITIONS} conditions over {wide:g} JOD, {PICTURES} pictures", size=10)
        axes.grid(alpha=0.3)
    plots[0].legend(frameon=False, title=f"mean of {STUDIES} studies, 95 % band")
    figure.savefig(HERE.parents[1] / "images" / "design-efficiency.png", dpi=120)


def record(by_range):
    lines = [
        "# Votes that a design needs for the same ranking",
        "",
        "![Rank correlation over votes for each design](../images/design-efficiency.png)",
        "",
        f"{STUDIES} simulated studies, the same for each design: {CONDITIONS} conditions, their values",
        f"uniform over 4 or 12 JOD, {PICTURES} pictures, {VOTES_PER_RATER} votes a rater. Raters and",
        "pictures differ (standard deviation 0.5 JOD of each condition's value), equals tie in",
        f"{100 * TIE_RATE:.0f} %, 2 % of the answers are given without looking. The scale is Thurstone's,",
        f"ties as half a win for either. Adaptive designs are asked again after {LEAST_BATCH} votes;",
        "a fifth of the trials is at random unless told. In brackets: votes as a part of what random",
        "pairs need, with a 95 % interval over studies.",
        "Made by `design_efficiency.py`.",
    ]
    for wide, curves in by_range.items():
        lines += ["", f"## {wide:g} JOD", "", "| Spearman | " + " | ".join(curves) + " |"]
        lines.append("| --- " * (len(curves) + 1) + "|")
        lines += [row(curves, target) for target in TARGETS]
    lines += ["", *READING]
    return "\n".join(lines) + "\n"


def row(curves, target):
    cells = []
    for name, curve in curves.items():
        votes = needed(np.mean(curve, 0), target)
        cell = "not reached" if np.isnan(votes) else f"{votes:,.0f}"
        if name != "random pairs" and not np.isnan(
            votes + needed(np.mean(curves["random pairs"], 0), target)
        ):
            ratio, low, high = saving(curves, name, target)
            cell += f" ({ratio:.2f}; {low:.2f} to {high:.2f})"
        cells.append(cell)
    return f"| {target:.2f} | " + " | ".join(cells) + " |"


def main():
    cases = list(product(RANGES_JOD, DESIGNS, range(STUDIES)))
    with ProcessPoolExecutor(2) as pool:
        results = dict(zip(cases, pool.map(study, cases), strict=True))
    by_range = {
        wide: {label: [results[wide, label, seed] for seed in range(STUDIES)] for label in DESIGNS}
        for wide in RANGES_JOD
    }
    text = record(by_range)
    keep(HERE.with_suffix(".md"), text)
    draw(by_range)
    print(text)


if __name__ == "__main__":
    main()
