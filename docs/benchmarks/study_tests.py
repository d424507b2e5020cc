"""Write the record `study_tests.md`: type I error and power of a study's tests, by simulation.

    OMP_NUM_THREADS=1 python docs/benchmarks/study_tests.py [--studies 1000]

Studies are counted in blocks of 50 and kept in `study_tests.json`; a block that is there is not run again, so
that a run that was stopped goes on, and one of more studies adds to what there is.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from record_age import keep

from codecarena.studies.analysis.heterogeneity import by_picture
from codecarena.studies.design.simulation import Assumptions, simulate_votes
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.goodness import goodness_of_fit
from codecarena.studies.scale.models import THURSTONE
from codecarena.studies.scale.pair_counts import Tally, tally
from codecarena.studies.scale.score_tests import clusters, contrasts, p_values
from codecarena.studies.scale.votes import VoteRecord, from_records

BLOCK = 50
KEPT = Path(__file__).with_suffix(".json")
RATERS = (5, 6, 10, 20, 40, 60)
SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
PICTURES = 12
SPREADS = ((0.6, 0.5), (2.5, 0.5), (0.6, 2.5))
"""Standard deviations of a condition's value over raters and over pictures, JOD."""
SIZES = ((20, 24, 10, 45), (20, 12, 5, 60), (10, 8, 4, 24), (30, 6, 3, 12), (40, 12, 8, 50))
"""Raters, pictures, conditions, votes a rater."""


@dataclass(frozen=True)
class Simulated:
    """One kind of study."""

    test: str
    raters: int
    pictures: int
    conditions: int
    votes_per_rater: int
    rater_spread: float
    picture_spread: float
    share: float
    """Of votes for the better; 0 where values and spreads decide."""

    @property
    def key(self) -> str:
        """Return the name under which its blocks are kept."""
        return " ".join(f"{name}={value}" for name, value in asdict(self).items())


def kinds() -> Iterator[Simulated]:
    for raters in RATERS:
        for spreads in SPREADS:
            yield Simulated("equal pair", raters, PICTURES, 3, 3 * PICTURES, *spreads, 0.0)
        for share in SHARES:
            yield Simulated("decided pair", raters, PICTURES, 3, 3 * PICTURES, 0.0, 0.0, share)
    for size in SIZES:
        for spread in (0.0, 0.5):
            yield Simulated("pictures", *size, 0.6, spread, 0.0)
        yield Simulated("fit", *size, 0.6, 0.5, 0.0)


def decided(kind: Simulated, random: np.random.Generator) -> Tally:
    """Return votes on A, B and C in which that share goes to the earlier letter, sides turned."""
    rows: list[VoteRecord] = []
    for rater in range(kind.raters):
        for picture in range(kind.pictures):
            for pair in ("AB", "BC", "AC"):
                sides = pair if (rater + picture) % 2 else pair[::-1]
                won = (random.random() < kind.share) == (sides == pair)
                rows.append(VoteRecord(f"r{rater}", f"p{picture}", *sides, 1 if won else -1))
    return tally(from_records(rows))


def p_of(kind: Simulated, seed: int) -> float:
    """Return p of one simulated study; equal seeds draw equal numbers whatever the share."""
    random = np.random.default_rng(seed)
    if kind.test == "decided pair":
        return _pair(decided(kind, random))
    span = 0.0 if kind.test == "equal pair" else 1.5
    scale = {f"c{place}": span * place / (kind.conditions - 1) for place in range(kind.conditions)}
    size = kind.raters, kind.pictures, kind.votes_per_rater
    spreads = kind.rater_spread, kind.picture_spread
    counted = tally(simulate_votes(Assumptions(scale, *size, 0.0, 0.0, *spreads), random))
    if kind.test == "equal pair":
        return _pair(counted)
    scale_fit = fit(counted.pairs, THURSTONE)
    if kind.test == "fit":
        p = goodness_of_fit(scale_fit, counted, seed).p
    else:
        comparison = by_picture(scale_fit, counted, 499, seed)
        p = comparison.p_permuted if comparison else None
    return float("nan") if p is None else p


def _pair(counted: Tally) -> float:
    """Return p of the first two conditions, for raters and pictures in general."""
    scale_fit = fit(counted.pairs, THURSTONE)
    contrast = contrasts(scale_fit.problem.size, np.array([0]), np.array([1]))
    return float(p_values(scale_fit, clusters(counted, "rater x picture"), contrast)[0])


def block(kind: Simulated, first: int) -> dict[str, float]:
    """Return what 50 studies gave: how many had p < 0.05, and the mean logarithm of p."""
    p = np.array([p_of(kind, seed) for seed in range(first, first + BLOCK)])
    assert np.isfinite(p).all(), kind
    return {"rejected": int((p < 0.05).sum()), "log10_p": float(np.log10(np.maximum(p, 1e-300)).mean())}


def simulate(studies: int) -> dict[str, dict[str, dict[str, float]]]:
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    known = {kind.key for kind in kinds()}
    kept = {key: blocks for key, blocks in kept.items() if key in known}
    for first in range(0, studies, BLOCK):
        for kind in kinds():
            blocks = kept.setdefault(kind.key, {})
            if str(first) not in blocks:
                blocks[str(first)] = block(kind, first)
                KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return kept


def record(kept: dict[str, dict[str, dict[str, float]]]) -> str:
    def rate(kind: Simulated) -> str:
        blocks = kept[kind.key].values()
        return f"{sum(counts['rejected'] for counts in blocks) / (BLOCK * len(blocks)):.1%}"

    def log_p(kind: Simulated) -> float:
        return float(np.mean([counts["log10_p"] for counts in kept[kind.key].values()]))

    simulated = list(kinds())
    fewest, most = (limit(BLOCK * len(kept[kind.key]) for kind in simulated) for limit in (min, max))
    number = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    lines = [
        "# The tests of a preference study: type I error and power",
        "",
        f"{number} simulated studies a cell, made by `study_tests.py` with NumPy {np.__version__} on",
        f"{platform.machine()}. Shares of studies with p < 0.05; the standard error of 5 % is "
        f"{np.sqrt(0.05 * 0.95 / fewest):.1%}, of 50 % {0.5 / np.sqrt(fewest):.1%}.",
        "",
        "## Two of three equal conditions",
        "",
        f"Type I error by rater x picture: {PICTURES} pictures, a vote of each rater on each pair of each",
        "picture; by the standard deviation of a condition's value over raters / over pictures, JOD. Aim: at",
        "most 7 % at 0.6 / 0.5.",
        "",
        "| raters | " + " | ".join(f"{rater:g} / {picture:g}" for rater, picture in SPREADS) + " |",
        "| --- |" + " --- |" * len(SPREADS),
    ]
    equal = {kind: rate(kind) for kind in simulated if kind.test == "equal pair"}
    for raters in RATERS:
        cells = [cell for kind, cell in equal.items() if kind.raters == raters]
        lines.append(f"| {raters} | {' | '.join(cells)} |")
    lines += [
        "",
        "## Decided votes",
        "",
        "The same studies without spreads, that share of the votes for the better of a pair: power, and",
        "below it the geometric mean of p. Aim: p never rises. With fewer than six raters power may be nil.",
        "",
        "| raters | " + " | ".join(f"{share:.0%}" for share in SHARES) + " |",
        "| --- |" + " --- |" * len(SHARES),
    ]
    for raters in RATERS:
        mine = [kind for kind in simulated if kind.test == "decided pair" and kind.raters == raters]
        logs = [log_p(kind) for kind in mine]
        rises = "" if all(np.diff(logs) <= 0) else " RISES"
        lines.append(f"| {raters} | {' | '.join(rate(kind) for kind in mine)} |")
        lines.append(f"| p{rises} | {' | '.join(f'{10**log:.1e}' for log in logs)} |")
    lines += [
        "",
        "## Do pictures have scales of their own, does the model fit?",
        "",
        "Raters differ by 0.6 JOD. Pictures: type I error where they do not differ (aim: 3 to 7 %), power",
        "where they shift each condition by a normal 0.5 JOD (aim: 90 % or more at 900 votes). Fit: type",
        "I error with pictures that differ.",
        "",
        "| raters | pictures | conditions | votes | pictures: type I | power at 0.5 JOD | fit: type I |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for size in SIZES:
        mine = [
            kind
            for kind in simulated
            if (kind.raters, kind.pictures, kind.conditions, kind.votes_per_rater) == size
        ]
        cells = [rate(kind) for kind in mine if kind.test in ("pictures", "fit")]
        raters, pictures, conditions, own = size
        lines.append(f"| {raters} | {pictures} | {conditions} | {raters * own} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    reader = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    reader.add_argument("--studies", type=int, default=1000, help="a multiple of 50; 1000 if absent")
    text = record(simulate(reader.parse_args().studies))
    keep(Path(__file__).with_suffix(".md"), text)
    print(text)
