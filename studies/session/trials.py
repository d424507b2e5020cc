"""Turn stored trials into what is shown of them, and ballots into what is believed of them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from hmac import compare_digest
from pathlib import Path
from typing import Literal

import numpy as np

from ...bench.store.blobs import Blobs
from ..design.design import Choice, Standing, find_design, with_random_share
from ..ledger import identity
from ..ledger.trials import Situation
from ..records.messages import DISPLAY_BYTES, Answer, Ballot, Progress, SessionError, Shown, Slot, Trial
from ..records.records import NewTrial, TrialRow
from .schedule import Course, Item
from .stimulus_png import StimulusError, plain_png


def shown(course: Course, trial: TrialRow, total: int) -> Trial:
    """Return a trial as its rater's browser may know it; the total is of the rater's whole session."""
    trials, study = course.plan.trials, course.known.study
    content = course.known.material.contents[course.content(course.pair_place[trial.pair_id])]
    return Trial(
        trial=trial.token,
        presentation=trials.presentation,
        parameters=trials.parameters,
        question=trials.question,
        pictures=tuple(
            Shown(slot, identity.picture_token(study, trial.token, slot), content.width, content.height)
            for slot in pictures(course, trial)
        ),
        answers=answers(course),
        training=trial.kind == "training",
        progress=Progress(trial.position, total),
        minimum_view_ms=trials.minimum_view_ms,
        gap_ms=trials.gap_ms,
        time_limit_ms=trials.time_limit_ms,
        zoom=trials.zoom,
        magnify=trials.magnify,
    )


def pictures(course: Course, trial: TrialRow) -> dict[Slot, str]:
    """Return the hashes of the pictures of a trial by slot, in the order in which they are listed."""
    stimuli = course.known.material.stimuli
    first, second = (
        stimuli[course.stimulus_place[stimulus_id]] for stimulus_id in (trial.first_id, trial.second_id)
    )
    reference = course.known.material.contents[first.content].reference_sha256
    assert first.shown_sha256, "only planned studies are opened, and their stimuli have pixels"
    assert second.shown_sha256, "likewise"
    compared: dict[Slot, str] = {"first": first.shown_sha256, "second": second.shown_sha256}
    if not course.plan.trials.shown_as.shows_original or reference is None:
        return compared
    return {"reference": reference, **compared}


def png(course: Course, blobs: Blobs, trial: TrialRow, token: str) -> bytes | None:
    """Return the PNG that a token stands for; None where it stands for no picture of this trial.

    Raises:
        SessionError: 404 the stored picture is gone.
    """
    study = course.known.study
    paths: list[tuple[Slot, Path]] = [
        (slot, blobs.decoded_path(sha256)) for slot, sha256 in pictures(course, trial).items()
    ]
    for slot, path in paths:
        if compare_digest(identity.picture_token(study, trial.token, slot).encode(), token.encode()):
            try:
                return plain_png(path)
            except StimulusError as error:
                raise SessionError("unknown_picture", 404, "it cannot be read") from error
    return None


def answers(course: Course) -> tuple[Answer, ...]:
    """Return the answers that a trial of this study may have."""
    trials = course.plan.trials
    allowed: list[Answer] = ["first", "second"]
    if trials.allow_no_preference:
        allowed.append("none")
    if trials.time_limit_ms is not None:
        allowed.append("skip")
    return tuple(allowed)


def check(course: Course, ballot: Ballot) -> None:
    """Raise `SessionError` for a ballot that cannot be meant."""
    if ballot.answer not in answers(course):
        raise SessionError(
            "not_understood", 422, f"expected one of {', '.join(answers(course))}, got {ballot.answer!r}"
        )
    if not (math.isfinite(ballot.response_ms) and ballot.response_ms >= 0):
        raise SessionError(
            "not_understood", 422, f"expected response_ms of 0 or more, got {ballot.response_ms}"
        )
    if not 8 <= len(ballot.client_uuid) <= 64:
        raise SessionError("not_understood", 422, "expected a client_uuid of 8 to 64 characters")
    if len(json.dumps(dict(ballot.display))) > DISPLAY_BYTES:
        raise SessionError(
            "not_understood", 422, f"expected a display record of at most {DISPLAY_BYTES} bytes"
        )


def proof(course: Course, trial: TrialRow, ballot: Ballot) -> Literal["proven", "unproven", "simulated"]:
    """Return whether every picture that was read back from the canvas is the stimulus."""
    if course.plan.simulated:
        return "simulated"
    meant = pictures(course, trial)
    return "proven" if all(ballot.checksums.get(slot) == meant[slot] for slot in meant) else "unproven"


def feedback(course: Course, trial: TrialRow, answer: Answer) -> Literal["agrees", "look-again"] | None:
    """Return what a rater is told after a practice trial."""
    if trial.kind != "training":
        return None
    right = (
        "first" if item_of(course, trial).first_left == (course.plan.trials.asks == "better") else "second"
    )
    return "agrees" if answer == right else "look-again"


def item_of(course: Course, trial: TrialRow) -> Item:
    """Return a stored trial as the schedule knows it."""
    index = course.pair_place[trial.pair_id]
    first = course.known.stimulus_ids[course.known.material.pairs[index].first]
    return Item(trial.kind, index, trial.first_id == first)


def new_trial(course: Course, item: Item) -> NewTrial:
    """Return a scheduled trial as it is stored."""
    pair = course.known.material.pairs[item.pair]
    sides = (pair.first, pair.second) if item.first_left else (pair.second, pair.first)
    first, second = (course.known.stimulus_ids[side] for side in sides)
    pair_id = course.known.pair_ids[item.pair]
    return NewTrial(identity.new_token(), item.kind, pair_id, first, second, item.probability)


def votes_wanted(course: Course) -> float:
    """Return how many votes a pair is given out for: without a rule of the plan, any number."""
    return course.plan.stopping.votes_per_pair or math.inf


def choices(
    course: Course, situation: Situation, past: Sequence[Item], generator: np.random.Generator
) -> list[Choice]:
    """Return which of the design's pairs a rater gets next."""
    settings = course.plan.design
    design = find_design(settings.name)
    had = {item.pair for item in past if item.kind == "main"}
    open_pairs = np.array([pair not in had for pair in course.main], np.bool_)
    open_pairs &= situation.given < votes_wanted(course)
    left = course.main_trials - len(had)
    if not design.adaptive:
        none = np.zeros(len(course.main), np.int64)
        standing = Standing(situation.given, none, none, none)
        return design.choose(course.pairs, standing, open_pairs, left, generator)
    row = {int(pair_id): index for index, pair_id in enumerate(situation.pair_ids)}
    wanted = [Choice(row[pair_id], 1.0) for pair_id in situation.proposals]
    before = course.content(past[-1].pair) if past else None
    count = min(left, settings.block)
    return with_random_share(
        wanted, course.pairs, open_pairs, count, settings.random_share, generator, before
    )
