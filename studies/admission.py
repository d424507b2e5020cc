"""Turn a plan into what a rater reads before and after the trials."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from . import identity
from .plan import QuestionTable
from .records import RaterRow
from .schedule import Course
from .steps import Choice, Progress, Stage, Welcome

_MESSAGES = {
    "complete": "Thank you: you have answered everything.",
    "screened-out": "Thank you for your interest. This study looks for other participants.",
    "declined": "You have not agreed to take part, so nothing was recorded.",
    "closed": "This study has ended. Thank you for your help.",
    "not-open": "This study has not begun yet. Please try again later.",
    "full": "This study has all the participants it needs. Thank you for your interest.",
}


def message(
    outcome: Literal["complete", "screened-out", "declined", "closed", "not-open", "full"],
) -> str:
    """Return what a rater is told at an end."""
    return _MESSAGES[outcome]


def welcome_of(course: Course, rater: RaterRow, stage: Stage, progress: Progress) -> Welcome:
    """Return the texts and questions of a study for one rater."""
    plan = course.plan
    contents = course.known.material.contents
    flickers = plan.trials.presentation == "flicker"
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
        question=plan.trials.question,
        allow_no_preference=plan.trials.allow_no_preference,
        ask_card_calibration=plan.raters.card_calibration,
        ask_colour_plates=plan.raters.colour_plates,
        flicker_hz=plan.trials.flicker_hz if flickers else None,
        picture_width=max(one.width for one in contents),
        picture_height=max(one.height for one in contents),
        zoom=plan.trials.zoom,
        progress=progress,
        withdrawal_code=identity.withdrawal_code(course.known.study, rater.name),
        contact=plan.contact,
    )


def _choices(questions: Iterable[QuestionTable]) -> tuple[Choice, ...]:
    return tuple(Choice(one.key, one.question, one.answers) for one in questions)
