"""Run a simulated study: programs make the calls that a rater's browser makes.

Everything on the way is the real thing: plan, seal, stimuli, design, ledger. What a program answers is drawn
from an assumed scale. The plan says ``simulated = true``, so that every vote, name and table says it too.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from ...bench.records.rows import ScoredCell
from ...bench.store.store import Store
from ..analysis.results import results_of
from ..design.plan import PlanError, StudyPlan, parse
from ..design.simulation import Assumptions, answers
from ..design.starter import common_codecs, quoted, settings_near
from ..ledger import identity
from ..ledger.ledger import digest
from ..ledger.trials import TrialLedger
from ..records.messages import Answer, Break, Trial, VoteRequest
from ..records.records import StoredStudy, TrialRow
from ..scale.models import JOD
from ..session.session import RaterService
from .organise import Bench, close_study, open_study, plan_text

NAME = "demo-study"
RATERS = 16
RATES = 0.3, 0.6, 1.2
"""Bits per pixel that the settings of the rehearsed codecs should be near."""
PICTURES = 8
METRICS = ("psnr", "ms-ssim", "ssimulacra2", "ssimulacra2-py")
"""Scored on the parts that are shown as well, where the store has them of whole pictures."""
POINTS_PER_JOD = 15.0
"""Assumed: what one JOD is in points of SSIMULACRA2."""
WORST_JOD = -6.0
"""Assumed of what SSIMULACRA2 puts lower still: the scale of people ends there as well."""
SECONDS = 3.0
"""Median response time of a program."""

PLAN = """\
# Made by `codecarena demo`: a study whose raters are programs. It shows how a study works and what comes out;
# it says nothing about the codecs.
name = "{name}"
title = "A simulated study"
simulated = true
hidden_reference = true

[pictures]
sets = [{image_set}]
names = [{pictures}]
crop = {{ rule = "detail", width = 256, height = 256 }}

{conditions}
[design]
name = "balanced-incomplete"
pairs_per_rater = 30

[trials]
golden = 6

[consent]
version = "1"
text = "Nobody reads this: the raters are programs."

[stopping]
raters = {raters}

[analysis]
anchor = "original"
resamples = 100
"""


@dataclass(frozen=True, slots=True)
class _Mind:
    """What one program sees and how it answers."""

    values: Mapping[int, float]
    """Row id of a stimulus -> JOD."""
    assumed: Assumptions
    random: np.random.Generator
    asks: Literal["better", "worse"] = "better"
    """Which of the two pictures the study asks for."""

    def answer(self, trial: TrialRow) -> Answer:
        """Return an answer to a trial."""
        difference = np.array([self.values[trial.first_id] - self.values[trial.second_id]])
        if self.asks == "worse":
            difference = -difference
        outcome = int(answers(difference / JOD, self.assumed, self.random)[0])
        return {1: "first", 0: "none", -1: "second"}[outcome]  # pyright: ignore[reportReturnType] - these three


def demonstration_plan(cells: list[ScoredCell]) -> str:
    """Return the text of a small simulated study of a store's results.

    Raises:
        PlanError: No two codecs have results on the same pictures.
    """
    sets = sorted({cell.image_set for cell in cells}, key=lambda name: (name != "photos", name))
    for image_set in sets:
        in_set = [cell for cell in cells if cell.image_set == image_set and not cell.toy and not cell.probe]
        codecs = common_codecs(in_set)
        if len(codecs) > 1:
            break
    else:
        raise PlanError("no set has results of two codecs: there is nothing to compare")
    pictures = sorted(set.intersection(*({cell.picture for cell in listed} for listed in codecs.values())))
    conditions = "\n".join(
        f"[[conditions]]\ncodec = {quoted(label)}\nqualities = [{', '.join(settings_near(listed, RATES))}]\n"
        for label, listed in codecs.items()
    )
    return PLAN.format(
        name=NAME,
        image_set=quoted(image_set),
        pictures=", ".join(map(quoted, pictures[:PICTURES])),
        conditions=conditions,
        raters=RATERS,
    )


def demonstrate(store: str, bench: Bench) -> int:
    """Plan, run and close a small simulated study of a store; return how many votes there are.

    Nothing happens where the store has one already.

    Raises:
        PlanError: The store has not two codecs on the same pictures.
        StoreError: The store does not open.
    """
    ledger = TrialLedger(store)
    try:
        if ledger.find(NAME) is not None:
            return 0
        cells = ledger.store.cells()
        plan_text(store, demonstration_plan(cells), Path(f"{NAME}.toml"), bench)
        open_study(ledger, NAME)
        votes = rehearse(store, NAME, RATERS)
        close_study(ledger, NAME)
        _score(ledger, store, bench)
        results_of(ledger, NAME)  # kept: pages show them at once
    finally:
        ledger.close()
    return votes


def _score(ledger: TrialLedger, store: str, bench: Bench) -> None:
    material = ledger.known(ledger.study(NAME)).material
    pairs = [
        (reference, stimulus.shown_sha256)
        for stimulus in material.stimuli
        if stimulus.shown_sha256 and (reference := material.contents[stimulus.content].reference_sha256)
    ]
    stored = {metric.name for metric in ledger.store.metrics()}
    bench.score(store, pairs, [name for name in METRICS if name in stored])


def rehearse(store: str, name: str, raters: int, seed: int = 1) -> int:
    """Let programs take part in an open simulated study, the first of them careless; return their votes.

    Args:
        store: Folder, file or PostgreSQL address.
        name: Of an open study whose plan says ``simulated``.
        raters: How many programs take part.
        seed: Of their answers.

    Raises:
        PlanError: The study is one for people: no program may vote in it.
    """
    service = RaterService(store)
    try:
        study = service.ledger.study(name)
        if not study.simulated:
            raise PlanError(f"study {name!r} is for people; only a plan with simulated = true is rehearsed")
        plan, known = parse(study.plan, Path(name)), service.ledger.known(study)
        random = np.random.default_rng(seed)
        values = assumed_values(known, service.ledger.store)
        invitations = [identity.new_token() for _ in range(raters)]
        rows = [
            {**identity.new_rater(study), "invitation_sha256": digest(invitation)}
            for invitation in invitations
        ]
        service.ledger.add_raters(rows)
        votes = 0
        for place, invitation in enumerate(invitations):
            assumed = Assumptions({}, tie_rate=0.2, lapse_rate=0.9 if place == 0 else 0.02)
            own = _own_values(known, values, assumed, random)
            mind = _Mind(own, assumed, random, plan.trials.asks)
            votes += _take_part(service, plan, invitation, mind)
        return votes
    finally:
        service.close()


def assumed_values(known: StoredStudy, store: Store) -> dict[int, float]:
    """Return an assumed value of each stimulus in JOD by row id; 0 is the original, less is worse.

    By SSIMULACRA2 of the whole picture where the store has it, else one JOD for each halving of the rate.
    """
    identities = {metric.metric_id for metric in store.metrics() if metric.name.startswith("ssimulacra2")}
    scores = {
        (cell.picture_sha256, cell.decoded_sha256): score.value
        for cell in store.cells()
        for metric_id, score in cell.scores.items()
        if metric_id in identities and score.value is not None
    }
    values: dict[int, float] = {}
    for row_id, stimulus in zip(known.stimulus_ids, known.material.stimuli, strict=True):
        picture = known.material.contents[stimulus.content].picture_sha256
        score = scores.get((picture or "", stimulus.decoded_sha256 or ""))
        if stimulus.bits_per_pixel is None:  # the original
            values[row_id] = 0.0
        elif score is not None:
            values[row_id] = max((score - 100.0) / POINTS_PER_JOD, WORST_JOD)
        else:
            values[row_id] = max(math.log2(stimulus.bits_per_pixel / 24.0), WORST_JOD)
    return values


def _own_values(
    known: StoredStudy, values: Mapping[int, float], assumed: Assumptions, random: np.random.Generator
) -> dict[int, float]:
    """Return what one rater sees: the assumed values and this rater's own view of each condition."""
    own = random.normal(0.0, assumed.rater_spread, len(known.material.conditions))
    stimuli = zip(known.stimulus_ids, known.material.stimuli, strict=True)
    return {row_id: values[row_id] + float(own[stimulus.condition]) for row_id, stimulus in stimuli}


def _take_part(service: RaterService, plan: StudyPlan, invitation: str, mind: _Mind) -> int:
    """Go through a whole session as a browser would and return the number of votes."""
    session = service.join(invitation).session_token
    service.consent(session, plan.consent.version, agreed=True, of_age=True, accepts_presentation=True)
    questions = plan.raters.screening
    service.screening(
        session, {question.key: (question.accepted or question.answers)[0] for question in questions}
    )
    service.calibration(session, {"simulated": True})
    votes = 0
    step = service.next_trial(session)
    while isinstance(step, Trial | Break):
        if isinstance(step, Break):
            step = service.end_break(session)
            continue
        trial = service.ledger.trial(step.trial)
        assert trial is not None
        seconds = SECONDS * math.exp(mind.random.normal(0.0, 0.5))
        vote_request = VoteRequest(
            step.trial, str(uuid.uuid4()), mind.answer(trial), 1000 * seconds, display={"simulated": True}
        )
        step = service.vote(session, vote_request).following
        votes += 1
    return votes
