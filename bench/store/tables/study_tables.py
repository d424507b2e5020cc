"""The tables of preference studies, under the same Alembic history as the benchmark's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from .schema import Base


class StudyTable(Base):
    """One study: its plan, sealed by a hash before the first vote."""

    __tablename__ = "studies"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    plan: Mapped[str] = mapped_column(Text)
    """The text of ``study.toml``; of an imported study where its votes came from."""
    sha256: Mapped[str]
    """Seal of plan, stimuli and pairs."""
    state: Mapped[str]
    """``planned``, ``open``, ``closed`` or ``imported``."""
    salt: Mapped[str]
    """Secret of this study: panel ids are hashed with it, tokens of stimuli are made with it."""
    created_at: Mapped[str]
    opened_at: Mapped[str | None]
    closed_at: Mapped[str | None]


class ConditionTable(Base):
    """What is compared: a codec at a rate or setting, or the original itself."""

    __tablename__ = "study_conditions"
    __table_args__ = (UniqueConstraint("study_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    place: Mapped[int]
    """In the plan's order."""
    name: Mapped[str]
    codec_id: Mapped[str | None]
    codec: Mapped[str | None]
    """Label."""
    rate: Mapped[str | None]
    """The rate or setting that several codecs share, or the codec's own."""
    is_reference: Mapped[bool]


class ContentTable(Base):
    """A picture of a study and the part of it that is shown."""

    __tablename__ = "study_contents"
    __table_args__ = (UniqueConstraint("study_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    name: Mapped[str]
    image_set: Mapped[str | None]
    kind: Mapped[str | None]
    """``natural`` or ``ai-generated``; None where an import does not say."""
    picture_sha256: Mapped[str | None]
    """Of the whole original; None in imports."""
    reference_sha256: Mapped[str | None]
    """Of the part of the original that is shown."""
    left: Mapped[int]
    top: Mapped[int]
    width: Mapped[int]
    height: Mapped[int]


class StimulusTable(Base):
    """One condition of one picture, as it is shown."""

    __tablename__ = "study_stimuli"
    __table_args__ = (UniqueConstraint("content_id", "condition_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    content_id: Mapped[int] = mapped_column(ForeignKey("study_contents.id"))
    condition_id: Mapped[int] = mapped_column(ForeignKey("study_conditions.id"))
    quality: Mapped[float | None]
    bits_per_pixel: Mapped[float | None]
    """Of the whole picture: a crop has no rate of its own."""
    decoded_sha256: Mapped[str | None]
    """Of the whole decoded picture."""
    shown_sha256: Mapped[str | None]
    """Of the pixels that are shown."""


class HumanScoreTable(Base):
    """What people gave one condition, of an import of scores; votes have no rows here."""

    __tablename__ = "study_scores"
    __table_args__ = (UniqueConstraint("study_id", "condition_id", "content_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    condition_id: Mapped[int] = mapped_column(ForeignKey("study_conditions.id"))
    content_id: Mapped[int | None] = mapped_column(ForeignKey("study_contents.id"))
    """None of a score over all pictures."""
    score: Mapped[float]
    low: Mapped[float | None]
    """Lower end of the published interval; its level is in the study's plan."""
    high: Mapped[float | None]


class PairTable(Base):
    """Two stimuli of one picture that may be compared, and how often they were."""

    __tablename__ = "study_pairs"
    __table_args__ = (Index("ix_study_pairs_study", "study_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    kind: Mapped[str]
    """``main``, ``training``, ``golden`` or ``identical``."""
    content_id: Mapped[int] = mapped_column(ForeignKey("study_contents.id"))
    first_id: Mapped[int] = mapped_column(ForeignKey("study_stimuli.id"))
    """The better one where the plan knows an answer."""
    second_id: Mapped[int] = mapped_column(ForeignKey("study_stimuli.id"))
    votes: Mapped[int]
    """Counted along, so that no request counts."""
    balance: Mapped[int]
    """Trials with the first one left, less those with it right."""


class RaterTable(Base):
    """A person, known by a random name; withdrawal removes the row."""

    __tablename__ = "study_raters"
    __table_args__ = (UniqueConstraint("study_id", "participant_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    name: Mapped[str] = mapped_column(unique=True)
    invitation_sha256: Mapped[str | None] = mapped_column(unique=True)
    participant_hash: Mapped[str | None]
    """HMAC of the panel's id with the study's salt."""
    panel: Mapped[dict[str, Any]]
    """Likewise hashed: the panel's study and session."""
    withdrawal_sha256: Mapped[str] = mapped_column(unique=True)
    stage: Mapped[str]
    consent_version: Mapped[str | None]
    consented_at: Mapped[str | None]
    of_age: Mapped[bool]
    accepts_presentation: Mapped[bool] = mapped_column("accepts_flicker", key="accepts_presentation")
    """Of a presentation with a consent of its own; the column is named for the first of them."""
    answers: Mapped[dict[str, Any]]
    """To the screening questions."""
    breaks: Mapped[int]
    """How many were taken."""
    invited_at: Mapped[str]
    joined_at: Mapped[str | None]
    finished_at: Mapped[str | None]


class SessionTable(Base):
    """One coming in of a rater: a tab, a reload, another day."""

    __tablename__ = "study_sessions"

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    rater_id: Mapped[int] = mapped_column(ForeignKey("study_raters.id"), index=True)
    created_at: Mapped[str]


class EnvironmentTable(Base):
    """What a rater and the browser reported of screen and surroundings, a row each time."""

    __tablename__ = "study_environments"

    id: Mapped[int] = mapped_column(primary_key=True)
    rater_id: Mapped[int] = mapped_column(ForeignKey("study_raters.id"), index=True)
    record: Mapped[dict[str, Any]]
    created_at: Mapped[str]


class TrialTable(Base):
    """One comparison given to one rater."""

    __tablename__ = "study_trials"
    __table_args__ = (
        UniqueConstraint("rater_id", "position"),
        # The few that are given out and not answered: what leases are counted from.
        Index(
            "ix_study_trials_waiting",
            "study_id",
            "lease_until",
            sqlite_where=text("answered_at IS NULL"),
            postgresql_where=text("answered_at IS NULL"),
        ),
        # What is due to a rater, found without stepping over all that is answered.
        Index(
            "ix_study_trials_due",
            "rater_id",
            "position",
            sqlite_where=text("answered_at IS NULL"),
            postgresql_where=text("answered_at IS NULL"),
        ),
        Index("ix_study_trials_pair", "pair_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    rater_id: Mapped[int] = mapped_column(ForeignKey("study_raters.id"))
    position: Mapped[int]
    token: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    """``main``, ``training``, ``golden``, ``repeat`` or ``identical``."""
    pair_id: Mapped[int] = mapped_column(ForeignKey("study_pairs.id"))
    first_id: Mapped[int] = mapped_column(ForeignKey("study_stimuli.id"))
    """As shown: left, or before."""
    second_id: Mapped[int] = mapped_column(ForeignKey("study_stimuli.id"))
    probability: Mapped[float | None]
    """That the design chose this pair, when it did; None where the pair was not chosen by chance."""
    lease_until: Mapped[str]
    answered_at: Mapped[str | None]


class VoteTable(Base):
    """One answer; append-only."""

    __tablename__ = "study_votes"
    __table_args__ = (Index("ix_study_votes_study", "study_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    rater_id: Mapped[int] = mapped_column(ForeignKey("study_raters.id"), index=True)
    trial_id: Mapped[int] = mapped_column(ForeignKey("study_trials.id"), unique=True)
    client_uuid: Mapped[str] = mapped_column(unique=True)
    answer: Mapped[str]
    response_ms: Mapped[float | None]
    proof: Mapped[str]
    """``proven``: what was read back from the canvas is the stimulus; else ``unproven``. ``simulated``: a
    program answered."""
    display: Mapped[dict[str, Any]]
    received_at: Mapped[str]


class ProposalTable(Base):
    """A pair that an adaptive design wants compared next; taken from the front, replaced batch by batch."""

    __tablename__ = "study_proposals"
    __table_args__ = (Index("ix_study_proposals_study", "study_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"))
    pair_id: Mapped[int] = mapped_column(ForeignKey("study_pairs.id"))


class TombstoneTable(Base):
    """A withdrawal: when, and how many votes were deleted; not whose."""

    __tablename__ = "study_tombstones"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    votes: Mapped[int]
    withdrawn_at: Mapped[str]


class StudyEventTable(Base):
    """What the organiser did, in order."""

    __tablename__ = "study_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("studies.id"), index=True)
    event: Mapped[str]
    detail: Mapped[dict[str, Any]]
    created_at: Mapped[str]
