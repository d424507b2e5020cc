"""Write the record `study_rules.md`: when an order effect is fitted, and whom the review labels.

OMP_NUM_THREADS=1 python docs/benchmarks/study_rules.py [STUDIES]
"""

from __future__ import annotations

import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
from record_age import keep

from codecarena.studies.analysis.review import review
from codecarena.studies.design.simulation import Assumptions, simulate_votes
from codecarena.studies.scale.fit import fit
from codecarena.studies.scale.models import JOD, THURSTONE
from codecarena.studies.scale.pair_counts import tally
from codecarena.studies.scale.score_tests import clusters, order_only, p_values

RATERS = (5, 10, 20, 40, 60)
PICTURES = 12
TURNED = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5)
EFFECT_JOD = 0.5
STEP_JOD = 0.75
SPREAD_JOD = (0.6, 0.5)
GAPS_JOD = (0.25, 1.0, 2.0, 4.0)


def turned_studies(raters, turned, effect_jod, studies):
    """Return the share with an order effect fitted, that with p < 0.05, and two errors of C less A, JOD."""
    assumed = Assumptions(
        {"A": 0.0, "B": STEP_JOD, "C": 2 * STEP_JOD},
        raters,
        PICTURES,
        None,
        0.0,
        0.0,
        *SPREAD_JOD,
        effect_jod,
    )
    flatter = np.sqrt(1 + 2 * sum(spread**2 for spread in SPREAD_JOD) / JOD**2)
    fitted, significant, errors, errors_without = 0, 0, [], []
    for seed in range(studies):
        random = np.random.default_rng(seed)
        votes = simulate_votes(assumed, random)
        # Half of the votes are turned as they come: of these, as many stay as make up the share.
        stays = random.random(len(votes)) < turned / (1 - turned)
        counted = tally(votes.keep((votes.first < votes.second) | stays))
        scale_fit = fit(counted.pairs, THURSTONE)
        without = fit(counted.pairs, THURSTONE, order=False)
        for fitted_scale, kept in ((scale_fit, errors), (without, errors_without)):
            kept.append((fitted_scale.values[2] - fitted_scale.values[0]) * JOD - 2 * STEP_JOD / flatter)
        if scale_fit.problem.order:
            fitted += 1
            allowed = clusters(counted, "rater x picture")
            significant += p_values(scale_fit, allowed, order_only(("A", "B", "C")))[0] < 0.05
    rms = [float(np.sqrt(np.mean(np.square(kept)))) for kept in (errors, errors_without)]
    return fitted / studies, significant / studies, *rms


def labelled(raters, gap_jod, careless, studies):
    """Return the share of honest raters with a label, and of studies in which the careless one has one."""
    assumed = Assumptions(
        {name: gap_jod * place for place, name in enumerate("ABC")},
        raters,
        PICTURES,
        None,
        0.1,
        0.02,
        0.3,
        0.3,
    )
    honest, detected = 0, 0
    for seed in range(studies):
        random = np.random.default_rng(seed)
        votes = simulate_votes(assumed, random)
        if careless:
            mine = np.flatnonzero(votes.rater == 0)
            outcome = votes.outcome.copy()
            outcome[mine] = random.choice(np.array([-1, 1], np.int8), len(mine))
            votes = replace(votes, outcome=outcome)
        for row in review(votes, fit(tally(votes).pairs, THURSTONE)):
            if careless and row.rater == "rater 1":
                detected += bool(row.labels)
            else:
                honest += bool(row.labels)
    return honest / (studies * (raters - careless)), detected / studies


def paragraph(*sentences):
    return [*textwrap.wrap(" ".join(sentences), 118), ""]


def record(studies):
    lines = [
        "# Two rules of a study's analysis: when an order effect is fitted, and whom the review labels",
        "",
        *paragraph(
            f"{studies} simulated studies a cell, made by `study_rules.py` with NumPy {np.__version__}.",
            f"The standard error of 5 % is {np.sqrt(0.05 * 0.95 / studies):.1%}.",
        ),
        "## An order effect",
        "",
        *paragraph(
            f"Three conditions {STEP_JOD:g} JOD apart, {PICTURES} pictures, a vote of each rater on each",
            "pair of each picture, of which the share is shown the other way round; raters and pictures",
            f"differ by {SPREAD_JOD[0]:g} / {SPREAD_JOD[1]:g} JOD. *Fitted*: share of studies whose votes",
            "can tell the effect from the conditions; elsewhere it is fixed at 0, and the study says so.",
            "*Found*: p < 0.05 by rater x picture, of all studies: type I error where there is no effect,",
            f"power where being first is worth {EFFECT_JOD:g} JOD. *Error*: root mean square of the",
            "largest distance on the scale, JOD, as it is fitted / never with an order effect.",
        ),
        "| raters | turned | fitted | found: none | error: none | found: effect | error: effect |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for raters in RATERS:
        for turned in TURNED:
            cells = [f"{raters}", f"{turned:.0%}"]
            for effect_jod in (0.0, EFFECT_JOD):
                fitted, significant, error, without = turned_studies(raters, turned, effect_jod, studies)
                cells += [f"{fitted:.0%}"] if not effect_jod else []
                cells += [f"{significant:.1%}", f"{error:.2f} / {without:.2f}"]
            lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "## Labels of raters",
        "",
        *paragraph(
            f"Three conditions that far apart, {PICTURES} pictures, each rater on each pair of each picture,",
            "2 % lapses, raters and pictures differing by 0.3 JOD: where conditions lie 4 JOD apart, nearly",
            "all agree. *Honest*: share of raters with any label, without and with a careless one among",
            "them, who answers by chance. *Careless*: share of studies in which that one has a label.",
        ),
        "| raters | JOD apart | honest, all so | honest, one careless | careless |",
        "| --- | --- | --- | --- | --- |",
    ]
    for raters in RATERS:
        for gap_jod in GAPS_JOD:
            alone, _ = labelled(raters, gap_jod, 0, studies)
            beside, detected = labelled(raters, gap_jod, 1, studies)
            lines.append(f"| {raters} | {gap_jod:g} | {alone:.2%} | {beside:.2%} | {detected:.0%} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = record(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
    keep(Path(__file__).with_suffix(".md"), text)
    print(text)
