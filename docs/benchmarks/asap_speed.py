"""Time one batch of the ASAP design on simulated votes, and write `asap_speed.md`.

OMP_NUM_THREADS=1 python docs/benchmarks/asap_speed.py
"""

from __future__ import annotations

import time
from itertools import combinations
from pathlib import Path

import numpy as np
import scipy
from record_age import keep
from scipy.special import ndtr

from codecarena.bench.worker.device import cpu_model
from codecarena.studies.design.adaptive import Asap
from codecarena.studies.design.design import Pairs, PairTotals

PICTURES = 12
REPEATS = 3
CASES = ((10, 2_000), (20, 2_000), (40, 0), (40, 1_936), (40, 10_000), (40, 1_000_000), (100, 100_000))
REFERENCE_SECONDS = {(40, 1_936): "49"}
"""ASAP's own code, all pairs evaluated in full, on two slow cores."""


def case(conditions, votes):
    """Return pairs and their votes, spread over all of them."""
    random = np.random.default_rng(1)
    values = random.normal(0, 1, conditions)
    rows = [(c, a, b) for c in range(PICTURES) for a, b in combinations(range(conditions), 2)]
    pairs = Pairs(*np.array(rows, np.int64).T)
    given = random.multinomial(votes, np.full(len(pairs), 1 / len(pairs)))
    won = random.binomial(given, ndtr(values[pairs.first] - values[pairs.second]))
    return pairs, PairTotals(given, won, given - won, np.zeros_like(given))


def seconds(conditions, votes):
    """Return the pairs of a batch, and the least seconds of processor and wall that it took."""
    pairs, pair_totals = case(conditions, votes)
    allowed, used, wall = np.ones(len(pairs), bool), [], []
    for repeat in range(REPEATS):
        wall_start, start = time.perf_counter(), time.process_time()
        batch = Asap().choose(pairs, pair_totals, allowed, len(pairs), np.random.default_rng(repeat))
        used.append(time.process_time() - start)
        wall.append(time.perf_counter() - wall_start)
    return len(batch), min(used), min(wall)


def record():
    lines = [
        "# A batch of the ASAP design: time",
        "",
        f"{cpu_model()}, one thread, NumPy {np.__version__}, SciPy {scipy.__version__}. From the votes of",
        f"each pair in {PICTURES} pictures to the pairs to ask for next; every pair of conditions evaluated",
        f"in full, both answers. Best of {REPEATS}. Made by `asap_speed.py`.",
        "",
        "| conditions | votes | pairs in the batch | processor seconds | on the wall | ASAP's own code |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for conditions, votes in CASES:
        batch, used, wall = seconds(conditions, votes)
        reference = REFERENCE_SECONDS.get((conditions, votes), "")
        lines.append(f"| {conditions} | {votes:,} | {batch} | {used:.2f} | {wall:.2f} | {reference} |")
    lines += [
        "",
        "Each ordered pair of conditions is one factor with a count, so that time stops growing once all",
        "pairs have votes. Processor seconds are what one free core",
        "needs. ASAP's own code was timed on two slow cores, in seconds on the wall.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = record()
    keep(Path(__file__).with_suffix(".md"), text)
    print(text)
