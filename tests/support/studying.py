"""A small open study in a store of its own: pictures without codecs, and raters that answer."""

from __future__ import annotations

import uuid
from pathlib import Path

import numpy as np
import pytest

from codecarena.bench.store.writer import StoreWriter
from codecarena.datasets.pixels import pixels_sha256
from codecarena.studies.design.plan import REFERENCE, StudyPlan, parse, seal
from codecarena.studies.design.selection import pairs_of
from codecarena.studies.ledger import identity
from codecarena.studies.ledger.ledger import Ledger, digest
from codecarena.studies.records.messages import Answer, Break, SessionError, Trial, VoteReceipt, VoteRequest
from codecarena.studies.records.records import Condition, Content, Stimulus, StudyMaterial
from codecarena.studies.session.session import RaterService

PLAN = """
name = "small"
title = "A small study"
{top}
[pictures]
sets = ["made"]
[[conditions]]
codec = "none"
qualities = [1]
[consent]
version = "1"
text = "You look at pictures."
[trials]
{trials}
[design]
{design}
[raters]
card_calibration = false
colour_plates = false
{raters}
"""


NO_RULES = "\n[exclusion]\ngolden_pass_rate = 0\nminimum_median_ms = 0\n"
"""Nobody here looks at anything, and all count nevertheless."""


def plan(*, top: str = "", trials: str = "", design: str = "", raters: str = "") -> StudyPlan:
    return parse(text(top=top, trials=trials, design=design, raters=raters), Path("study.toml"))


def text(*, top: str = "", trials: str = "", design: str = "", raters: str = "") -> str:
    return PLAN.format(top=top, trials=trials, design=design, raters=raters)


def open_study(
    store: Path | str,
    *,
    conditions: int = 3,
    pictures: int = 4,
    size: int = 24,
    state: str = "open",
    **tables: str,
) -> StudyPlan:
    """Store and open a study of noisy pictures, the conditions ever closer to the original."""
    if "[exclusion]" not in tables.get("raters", ""):
        tables["raters"] = tables.get("raters", "") + NO_RULES
    writer = StoreWriter(str(store))
    generator = np.random.default_rng(3)
    made, contents, stimuli = plan(**tables), [], []
    named = (*(Condition(f"codec{n}", f"id{n}", f"codec{n}", f"q={n}") for n in range(conditions)),)
    named = (*named, Condition(REFERENCE, None, None, None, is_reference=True))
    for picture in range(pictures):
        original = generator.integers(0, 256, (size, size + picture, 3), dtype=np.uint8)
        reference = pixels_sha256(original)
        writer.blobs.put_decoded(reference, original)
        contents.append(
            Content(f"made/{picture}", "made", "natural", reference, reference, 0, 0, size + picture, size)
        )
        for condition in range(conditions):
            # Some compress well, some do not, so that their files differ in length.
            coarse = (original >> (conditions - condition)) << (conditions - condition)
            shown = pixels_sha256(coarse)
            writer.blobs.put_decoded(shown, coarse)
            stimuli.append(Stimulus(picture, condition, condition, 0.1 + condition, shown, shown))
        stimuli.append(Stimulus(picture, conditions, None, None, reference, reference))
    writer.close()
    material = StudyMaterial(named, tuple(contents), tuple(stimuli), pairs_of(made, named, stimuli))
    ledger = Ledger(str(store))
    written = text(**tables)
    ledger.keep(made.name, written, seal(written, material.lines()), "planned", material)
    if state == "open":
        ledger.set_state(ledger.study(made.name), "open")
    ledger.close()
    return made


def invite(store: Path | str, count: int = 1, study: str = "small") -> list[str]:
    """Return new invitations."""
    ledger = Ledger(str(store))
    row = ledger.study(study)
    tokens = [identity.new_token() for _ in range(count)]
    ledger.add_raters({**identity.new_rater(row), "invitation_sha256": digest(token)} for token in tokens)
    ledger.close()
    return tokens


def enter(service: RaterService, invitation: str) -> str:
    """Join and consent; return the session's token."""
    session = service.join(invitation).session_token
    service.consent(session, "1", agreed=True, of_age=True)
    return session


def vote_request(trial: Trial, answer: Answer = "first", *, client_uuid: str | None = None) -> VoteRequest:
    # These raters do not look, and the clock of the server knows: they claim no more than a vote takes.
    return VoteRequest(trial.trial, client_uuid or str(uuid.uuid4()), answer, 1.5)


def work_through(
    service: RaterService, session: str, answer: Answer = "first"
) -> list[tuple[Trial, VoteReceipt]]:
    """Answer every trial that comes and return them."""
    done: list[tuple[Trial, VoteReceipt]] = []
    step = service.next_trial(session)
    while isinstance(step, Trial | Break):
        if isinstance(step, Break):
            step = service.end_break(session)
            continue
        receipt = service.vote(session, vote_request(step, answer))
        done.append((step, receipt))
        step = receipt.following
    return done


def refusal(call, *arguments: object, **named: object) -> tuple[str, int]:
    """Return the code and the HTTP status with which the rater service refuses a call."""
    with pytest.raises(SessionError) as error:
        call(*arguments, **named)
    return error.value.code, error.value.status
