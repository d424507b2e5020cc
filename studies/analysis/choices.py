"""Choose the votes that a study's scale is made of, and how it is made: as its plan fixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ..design.plan import REFERENCE, PlanError, StudyPlan, parse, seal
from ..ledger.imports import analysis_of
from ..ledger.ledger import Ledger
from ..ledger.votes import stored_votes, votes_of
from ..records.records import StoredStudy, StudyRow
from ..scale.models import ModelName
from ..scale.scale import analyse
from ..scale.scale_results import StudyScale
from ..scale.votes import Kind, Votes
from .screening import Exclusion, excluded


def plan_of(study: StudyRow) -> StudyPlan | None:
    """Return a study's plan; None for an import."""
    return None if study.state == "imported" else parse(study.plan, Path(f"{study.name} (stored plan)"))


def intact(known: StoredStudy) -> bool:
    """Whether plan, stimuli and pairs still are what was sealed."""
    return seal(known.study.plan, known.material.lines()) == known.study.sha256


@dataclass(frozen=True, slots=True)
class Outcome:
    """The scale of one choice of votes."""

    title: str
    scale: StudyScale


@dataclass(frozen=True, slots=True)
class StudyResult:
    """The scales of a study: of all votes first, then of stricter choices."""

    study: StudyRow
    sealed: bool
    """Whether plan and stimuli still are what was sealed."""
    outcomes: tuple[Outcome, ...]
    excluded: tuple[Exclusion, ...]


def result_of(ledger: Ledger, name: str, resamples: int | None = None) -> StudyResult:
    """Return a study's scales by the analysis that its plan fixed: with and without exclusions.

    Args:
        ledger: Where the study is.
        name: Of the study.
        resamples: Instead of the plan's number, for a quick look.

    Raises:
        ScaleError: The votes make no scale.
        StoreError: No such study.
    """
    study = ledger.study(name)
    plan = plan_of(study)
    choices, left_out = choices_of(ledger, study, plan)
    outcomes = tuple(Outcome(title, scale_of(study, plan, votes, resamples)) for title, votes in choices)
    return StudyResult(study, plan is None or intact(ledger.known(study)), outcomes, left_out)


def choices_of(
    ledger: Ledger, study: StudyRow, plan: StudyPlan | None
) -> tuple[list[tuple[str, Votes]], tuple[Exclusion, ...]]:
    """Return all votes, then every stricter choice that differs, each with a title; and who is excluded.

    Args:
        ledger: Where the votes are.
        study: The study, as stored.
        plan: Whose exclusion rules make the stricter choices; None for imported votes.

    Raises:
        PlanError: There are no votes.
    """
    votes = votes_of(ledger, study, plan)
    if not len(votes):
        raise PlanError(f"study {study.name!r} has no votes yet; see codecarena study status {study.name}")
    choices = [("all raters", votes)]
    left_out = tuple(excluded(plan, stored_votes(ledger, study))) if plan else ()
    kept = votes.without_raters(exclusion.rater for exclusion in left_out)
    if left_out and len(kept.of_kind(Kind.PLAIN)):
        choices.append((f"without {counted(left_out)} whom the plan's rules exclude", kept))
    proven = votes_of(ledger, study, plan, proven_only=True) if plan else votes
    if len(proven) < len(votes) and len(proven.of_kind(Kind.PLAIN)):
        title = f"only the {len(proven)} of {len(votes)} votes whose display is proven"
        choices.append((title, proven))
    return choices, left_out


def counted(raters: Sequence[object]) -> str:
    """Return how many raters these are, in words."""
    return "1 rater" if len(raters) == 1 else f"{len(raters)} raters"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a scale is made: what the plan fixed, or the import asked for."""

    unit: Literal["JOD", "log-worth"]
    model: ModelName | None
    anchor: str | None
    ridge: float | None
    resamples: int
    seed: int


def settings_of(
    study: StudyRow, plan: StudyPlan | None, votes: Votes, resamples: int | None = None
) -> Settings:
    """Return how the scale of these votes of a study is made.

    Args:
        study: The study, as stored.
        plan: None for imported votes, which say their model at the import.
        votes: Those that the scale is made of.
        resamples: Instead of the plan's number.
    """
    chosen = plan.analysis if plan else analysis_of(study)
    hidden = REFERENCE if REFERENCE in votes.conditions else None
    anchor = chosen.anchor or (hidden if plan is None or plan.hidden_reference else None)
    seed = plan.seed if plan else 0
    return Settings(chosen.unit, chosen.model, anchor, chosen.ridge, resamples or chosen.resamples, seed)


def scale_of(
    study: StudyRow, plan: StudyPlan | None, votes: Votes, resamples: int | None = None
) -> StudyScale:
    """Return the scale of a study's votes by the analysis of its plan, or the one asked for at its import.

    Args:
        study: The study, as stored.
        plan: None for imported votes, which say their model at the import.
        votes: Those that the scale is made of.
        resamples: Instead of the plan's number.
    """
    return analyse(votes, **asdict(settings_of(study, plan, votes, resamples)))
