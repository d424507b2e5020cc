"""The tables of preference studies at the first release: a part of migration ``r0001``."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create() -> None:
    """Make the tables."""
    _create_material()
    _create_raters()
    _create_trials()


def _create_material() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("salt", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("opened_at", sa.String(), nullable=True),
        sa.Column("closed_at", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
        sa.UniqueConstraint("name", name=op.f("uq_studies_name")),
    )
    op.create_table(
        "study_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_events_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_events")),
    )
    op.create_index(op.f("ix_study_events_study_id"), "study_events", ["study_id"], unique=False)
    op.create_table(
        "study_conditions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("codec_id", sa.String(), nullable=True),
        sa.Column("codec", sa.String(), nullable=True),
        sa.Column("rate", sa.String(), nullable=True),
        sa.Column("is_reference", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_study_conditions_study_id_studies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_conditions")),
        sa.UniqueConstraint("study_id", "name", name=op.f("uq_study_conditions_study_id")),
    )
    op.create_table(
        "study_contents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("image_set", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=True),
        sa.Column("picture_sha256", sa.String(), nullable=True),
        sa.Column("reference_sha256", sa.String(), nullable=True),
        sa.Column("left", sa.Integer(), nullable=False),
        sa.Column("top", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_study_contents_study_id_studies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_contents")),
        sa.UniqueConstraint("study_id", "name", name=op.f("uq_study_contents_study_id")),
    )
    op.create_table(
        "study_stimuli",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("condition_id", sa.Integer(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=True),
        sa.Column("bits_per_pixel", sa.Double(), nullable=True),
        sa.Column("decoded_sha256", sa.String(), nullable=True),
        sa.Column("shown_sha256", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["condition_id"],
            ["study_conditions.id"],
            name=op.f("fk_study_stimuli_condition_id_study_conditions"),
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["study_contents.id"], name=op.f("fk_study_stimuli_content_id_study_contents")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_stimuli_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_stimuli")),
        sa.UniqueConstraint("content_id", "condition_id", name=op.f("uq_study_stimuli_content_id")),
    )
    op.create_index(op.f("ix_study_stimuli_study_id"), "study_stimuli", ["study_id"], unique=False)
    op.create_table(
        "study_pairs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["study_contents.id"], name=op.f("fk_study_pairs_content_id_study_contents")
        ),
        sa.ForeignKeyConstraint(
            ["first_id"], ["study_stimuli.id"], name=op.f("fk_study_pairs_first_id_study_stimuli")
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["study_stimuli.id"], name=op.f("fk_study_pairs_second_id_study_stimuli")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_pairs_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_pairs")),
    )
    op.create_index("ix_study_pairs_study", "study_pairs", ["study_id", "kind"], unique=False)
    op.create_table(
        "study_proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["study_pairs.id"], name=op.f("fk_study_proposals_pair_id_study_pairs")
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_study_proposals_study_id_studies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_proposals")),
    )
    op.create_index("ix_study_proposals_study", "study_proposals", ["study_id", "id"], unique=False)


def _create_raters() -> None:
    op.create_table(
        "study_raters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("invitation_sha256", sa.String(), nullable=True),
        sa.Column("participant_hash", sa.String(), nullable=True),
        sa.Column("panel", sa.JSON(), nullable=False),
        sa.Column("withdrawal_sha256", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("consent_version", sa.String(), nullable=True),
        sa.Column("consented_at", sa.String(), nullable=True),
        sa.Column("of_age", sa.Boolean(), nullable=False),
        sa.Column("accepts_flicker", sa.Boolean(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("breaks", sa.Integer(), nullable=False),
        sa.Column("invited_at", sa.String(), nullable=False),
        sa.Column("joined_at", sa.String(), nullable=True),
        sa.Column("finished_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_raters_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_raters")),
        sa.UniqueConstraint("invitation_sha256", name=op.f("uq_study_raters_invitation_sha256")),
        sa.UniqueConstraint("name", name=op.f("uq_study_raters_name")),
        sa.UniqueConstraint("study_id", "participant_hash", name=op.f("uq_study_raters_study_id")),
        sa.UniqueConstraint("withdrawal_sha256", name=op.f("uq_study_raters_withdrawal_sha256")),
    )
    op.create_index(op.f("ix_study_raters_study_id"), "study_raters", ["study_id"], unique=False)
    op.create_table(
        "study_sessions",
        sa.Column("token_sha256", sa.String(), nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rater_id"], ["study_raters.id"], name=op.f("fk_study_sessions_rater_id_study_raters")
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_study_sessions")),
    )
    op.create_index(op.f("ix_study_sessions_rater_id"), "study_sessions", ["rater_id"], unique=False)
    op.create_table(
        "study_environments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rater_id"], ["study_raters.id"], name=op.f("fk_study_environments_rater_id_study_raters")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_environments")),
    )
    op.create_index(op.f("ix_study_environments_rater_id"), "study_environments", ["rater_id"], unique=False)
    op.create_table(
        "study_tombstones",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("withdrawn_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["study_id"], ["studies.id"], name=op.f("fk_study_tombstones_study_id_studies")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_tombstones")),
    )
    op.create_index(op.f("ix_study_tombstones_study_id"), "study_tombstones", ["study_id"], unique=False)


def _create_trials() -> None:
    op.create_table(
        "study_trials",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=True),
        sa.Column("lease_until", sa.String(), nullable=False),
        sa.Column("answered_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["first_id"], ["study_stimuli.id"], name=op.f("fk_study_trials_first_id_study_stimuli")
        ),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["study_pairs.id"], name=op.f("fk_study_trials_pair_id_study_pairs")
        ),
        sa.ForeignKeyConstraint(
            ["rater_id"], ["study_raters.id"], name=op.f("fk_study_trials_rater_id_study_raters")
        ),
        sa.ForeignKeyConstraint(
            ["second_id"], ["study_stimuli.id"], name=op.f("fk_study_trials_second_id_study_stimuli")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_trials_study_id_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_trials")),
        sa.UniqueConstraint("rater_id", "position", name=op.f("uq_study_trials_rater_id")),
        sa.UniqueConstraint("token", name=op.f("uq_study_trials_token")),
    )
    op.create_index(
        "ix_study_trials_due",
        "study_trials",
        ["rater_id", "position"],
        unique=False,
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_index("ix_study_trials_pair", "study_trials", ["pair_id"], unique=False)
    op.create_index(
        "ix_study_trials_waiting",
        "study_trials",
        ["study_id", "lease_until"],
        unique=False,
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
    op.create_table(
        "study_votes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("trial_id", sa.Integer(), nullable=False),
        sa.Column("client_uuid", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("response_ms", sa.Double(), nullable=True),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("display", sa.JSON(), nullable=False),
        sa.Column("received_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["rater_id"], ["study_raters.id"], name=op.f("fk_study_votes_rater_id_study_raters")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_votes_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["trial_id"], ["study_trials.id"], name=op.f("fk_study_votes_trial_id_study_trials")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_votes")),
        sa.UniqueConstraint("client_uuid", name=op.f("uq_study_votes_client_uuid")),
        sa.UniqueConstraint("trial_id", name=op.f("uq_study_votes_trial_id")),
    )
    op.create_index(op.f("ix_study_votes_rater_id"), "study_votes", ["rater_id"], unique=False)
    op.create_index("ix_study_votes_study", "study_votes", ["study_id", "id"], unique=False)
