"""Prepare stored trials for display, and check the votes that are sent for them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Literal
from uuid import UUID

import numpy as np

from ...bench.store.blobs import Blobs
from ..design.design import Choice, PairTotals, find_design, with_random_share
from ..ledger import identity
from ..ledger.trials import TrialContext
from ..records.messages import DISPLAY_BYTES, Answer, Progress, SessionError, Shown, Slot, Trial, VoteRequest
from ..records.records import NewTrial, TrialRow
from .schedule import Item, SessionPlan
from .stimulus_png import StimulusError, plain_png

LONGEST_RESPONSE_MS = 24 * 60 * 60 * 1000
"""A day: who answers later has slept."""


def shown(session_plan: SessionPlan, trial: TrialRow, total: int) -> Trial:
    """Return a trial as its rater's browser may know it; the total is of the rater's whole session.

    Args:
        session_plan: Of the trial's study.
        trial: As stored, with everything that its rater may not know.
        total: Trials of the rater's whole session.
    """
    trials, study = session_plan.plan.trials, session_plan.known.study
    content = session_plan.known.material.contents[
        session_plan.content(session_plan.pair_place[trial.pair_id])
    ]
    return Trial(
        trial=trial.token,
        presentation=trials.presentation,
        parameters=trials.parameters,
        question=trials.question,
        pictures=tuple(
            Shown(slot, identity.picture_token(study, trial.token, slot), content.width, content.height)
            for slot in pictures(session_plan, trial)
        ),
        answers=answers(session_plan),
        training=trial.kind == "training",
        progress=Progress(trial.position, total),
        minimum_view_ms=trials.minimum_view_ms,
        gap_ms=trials.gap_ms,
        time_limit_ms=trials.time_limit_ms,
        zoom=trials.zoom,
        magnify=trials.magnify,
    )


def pictures(session_plan: SessionPlan, trial: TrialRow) -> dict[Slot, str]:
    """Return the hashes of the pictures of a trial by slot, in the order in which they are listed."""
    stimuli = session_plan.known.material.stimuli
    first, second = (
        stimuli[session_plan.stimulus_place[stimulus_id]] for stimulus_id in (trial.first_id, trial.second_id)
    )
    reference = session_plan.known.material.contents[first.content].reference_sha256
    assert first.shown_sha256, "only planned studies are opened, and their stimuli have pixels"
    assert second.shown_sha256, "likewise"
    compared: dict[Slot, str] = {"first": first.shown_sha256, "second": second.shown_sha256}
    if not session_plan.plan.trials.shown_as.shows_original or reference is None:
        return compared
    return {"reference": reference, **compared}


def png(session_plan: SessionPlan, blobs: Blobs, trial: TrialRow, token: str) -> bytes | None:
    """Return the PNG that a token stands for; None where it stands for no picture of this trial.

    Args:
        session_plan: Of the trial's study.
        blobs: Where the pictures are.
        trial: As stored.
        token: Of one picture of it.

    Raises:
        SessionError: 404 the stored picture is gone.
    """
    study = session_plan.known.study
    paths: list[tuple[Slot, Path]] = [
        (slot, blobs.decoded_path(sha256)) for slot, sha256 in pictures(session_plan, trial).items()
    ]
    for slot, path in paths:
        if compare_digest(identity.picture_token(study, trial.token, slot).encode(), token.encode()):
            try:
                return plain_png(path)
            except StimulusError as error:
                raise SessionError("unknown_picture", 404, "it cannot be read") from error
    return None


def answers(session_plan: SessionPlan) -> tuple[Answer, ...]:
    """Return the answers that a trial of this study may have."""
    trials = session_plan.plan.trials
    allowed: list[Answer] = ["first", "second"]
    if trials.allow_no_preference:
        allowed.append("none")
    if trials.time_limit_ms is not None:
        allowed.append("skip")
    return tuple(allowed)


def check(session_plan: SessionPlan, vote_request: VoteRequest) -> None:
    """Raise `SessionError` for a vote that cannot be valid."""
    if vote_request.answer not in answers(session_plan):
        raise SessionError(
            "not_understood",
            422,
            f"expected one of {', '.join(answers(session_plan))}, got {vote_request.answer!r}",
        )
    if not 0 <= vote_request.response_ms <= LONGEST_RESPONSE_MS:  # NaN is neither
        raise SessionError(
            "not_understood",
            422,
            f"expected response_ms of 0 to {LONGEST_RESPONSE_MS}, got {vote_request.response_ms}",
        )
    if not _is_uuid(vote_request.client_uuid):
        raise SessionError("not_understood", 422, "expected a UUID as client_uuid, as RFC 4122 writes it")
    if len(json.dumps(dict(vote_request.display))) > DISPLAY_BYTES:
        raise SessionError(
            "not_understood", 422, f"expected a display record of at most {DISPLAY_BYTES} bytes"
        )


def _is_uuid(text: str) -> bool:
    """Whether a text is a UUID in its usual form: exports have it, and other programs read those."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def proof(
    session_plan: SessionPlan, trial: TrialRow, vote_request: VoteRequest
) -> Literal["proven", "unproven", "simulated"]:
    """Return whether every picture that was read back from the canvas is the stimulus.

    Args:
        session_plan: Of the trial's study.
        trial: As stored.
        vote_request: With the checksums of the drawn pixels.
    """
    if session_plan.plan.simulated:
        return "simulated"
    meant = pictures(session_plan, trial)
    return "proven" if all(vote_request.checksums.get(slot) == meant[slot] for slot in meant) else "unproven"


def feedback(
    session_plan: SessionPlan, trial: TrialRow, answer: Answer
) -> Literal["agrees", "look-again"] | None:
    """Return what a rater reads after a practice trial.

    Args:
        session_plan: Of the trial's study.
        trial: A practice trial.
        answer: What was chosen.
    """
    if trial.kind != "training":
        return None
    right = (
        "first"
        if item_of(session_plan, trial).first_left == (session_plan.plan.trials.asks == "better")
        else "second"
    )
    return "agrees" if answer == right else "look-again"


def item_of(session_plan: SessionPlan, trial: TrialRow) -> Item:
    """Return a stored trial as the schedule knows it."""
    index = session_plan.pair_place[trial.pair_id]
    first = session_plan.known.stimulus_ids[session_plan.known.material.pairs[index].first]
    return Item(trial.kind, index, trial.first_id == first)


def new_trial(session_plan: SessionPlan, item: Item) -> NewTrial:
    """Return a scheduled trial as it is stored."""
    pair = session_plan.known.material.pairs[item.pair]
    sides = (pair.first, pair.second) if item.first_left else (pair.second, pair.first)
    first, second = (session_plan.known.stimulus_ids[side] for side in sides)
    pair_id = session_plan.known.pair_ids[item.pair]
    return NewTrial(identity.new_token(), item.kind, pair_id, first, second, item.probability)


def votes_wanted(session_plan: SessionPlan) -> float:
    """Return how many votes a pair is given out for: without a rule of the plan, any number."""
    return session_plan.plan.stopping.votes_per_pair or math.inf


def choices(
    session_plan: SessionPlan, context: TrialContext, past: Sequence[Item], generator: np.random.Generator
) -> list[Choice]:
    """Return which of the design's pairs a rater gets next.

    Args:
        session_plan: Of the study.
        context: What is known of pairs and of this rater.
        past: What the rater was given before.
        generator: The source of all chance.
    """
    settings = session_plan.plan.design
    design = find_design(settings.name)
    had = {item.pair for item in past if item.kind == "main"}
    open_pairs = np.array([pair not in had for pair in session_plan.main], np.bool_)
    open_pairs &= context.given < votes_wanted(session_plan)
    left = session_plan.main_trials - len(had)
    if not design.adaptive:
        none = np.zeros(len(session_plan.main), np.int64)
        pair_totals = PairTotals(context.given, none, none, none)
        return design.choose(session_plan.pairs, pair_totals, open_pairs, left, generator)
    row = {int(pair_id): index for index, pair_id in enumerate(context.pair_ids)}
    wanted = [Choice(row[pair_id], 1.0) for pair_id in context.proposals]
    before = session_plan.content(past[-1].pair) if past else None
    count = min(left, settings.block)
    return with_random_share(
        wanted, session_plan.pairs, open_pairs, count, settings.random_share, generator, before
    )
