"""Compose what a rater reads before and after the trials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, cast

from ..design.plan import QuestionTable
from ..ledger import identity
from ..records.messages import Choice, Done, Progress, Stage, Welcome
from ..records.records import RaterRow
from .schedule import SessionPlan


def welcome_of(session_plan: SessionPlan, rater: RaterRow, stage: Stage, progress: Progress) -> Welcome:
    """Return the texts and questions of a study for one rater.

    Args:
        session_plan: Of the study.
        rater: Whose name gives the withdrawal code.
        stage: Where the rater stands.
        progress: Trials answered, of how many.
    """
    plan = session_plan.plan
    contents = session_plan.known.material.contents
    return Welcome(
        stage=stage,
        title=plan.title,
        introduction=plan.introduction,
        consent_text=plan.consent.text,
        consent_version=plan.consent.version,
        minimum_age=plan.consent.minimum_age,
        screening=_choices(plan.raters.screening),
        environment=_choices(plan.raters.environment),
        presentation=plan.trials.presentation,
        parameters=plan.trials.parameters,
        asks_presentation_consent=plan.trials.shown_as.needs_consent,
        question=plan.trials.question,
        allow_no_preference=plan.trials.allow_no_preference,
        ask_card_calibration=plan.raters.card_calibration,
        ask_colour_plates=plan.raters.colour_plates,
        picture_width=max(content.width for content in contents),
        picture_height=max(content.height for content in contents),
        zoom=plan.trials.zoom,
        magnify=plan.trials.magnify,
        progress=progress,
        withdrawal_code=identity.withdrawal_code(session_plan.known.study, rater.name),
        contact=plan.contact,
    )


def _choices(questions: Iterable[QuestionTable]) -> tuple[Choice, ...]:
    return tuple(Choice(question.key, question.question, question.answers) for question in questions)


def done_of(
    session_plan: SessionPlan, rater: RaterRow, stage: Stage, progress: Progress, *, failed_checks: bool
) -> Done:
    """Return what a rater reads at the end.

    Args:
        session_plan: Of the study.
        rater: Who has come to an end.
        stage: Which end: the last trial, screened out, declined, stopped, or the study's.
        progress: How many trials were answered, of how many.
        failed_checks: Whether golden trials say that the rater did not look; only asked where the plan has a
            code for that.
    """
    raters, study = session_plan.plan.raters, session_plan.known.study
    code = raters.completion_code or identity.completion_code(study, rater.name)
    if stage == "screened-out":
        code = raters.screened_out_code
    elif stage in ("declined", "stopped"):
        code = None
    elif failed_checks:
        code = raters.failed_checks_code
    outcome = cast("Outcome", OUTCOMES.get(stage, stage))
    url = raters.completion_url.replace("{code}", code) if raters.completion_url and code else None
    return Done(outcome, code, url, identity.withdrawal_code(study, rater.name), progress)


Outcome = Literal["complete", "screened-out", "declined", "stopped", "closed"]
OUTCOMES = {"done": "complete"}
"""How a stage is called at its end, where the words differ."""


def stage_of(rater: RaterRow) -> Stage:
    """Return where a rater stands; a study that is not open stops those who are under way.

    Who breaks a rule of the plan is done like everybody: only the organiser sees the difference.
    """
    stage = cast("Stage", "done" if rater.stage == "left-out" else rater.stage)
    under_way = stage in ("consent", "screening", "calibration", "trials")
    return "closed" if under_way and rater.state != "open" else stage


def before_trials(session_plan: SessionPlan) -> Literal["calibration", "trials"]:
    """Return what comes after consent and screening."""
    raters = session_plan.plan.raters
    asks = raters.card_calibration or raters.colour_plates or raters.environment
    return "calibration" if asks else "trials"
