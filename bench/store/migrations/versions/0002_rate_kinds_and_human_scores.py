"""Whether a rate is of bytes or estimated, and human scores of conditions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Call all rates that are there bytes: nobody could say otherwise before."""
    for table in ("measurements", "published"):
        # Not in batch mode: SQLite adds such a column without copying the table.
        op.add_column(table, sa.Column("rate_kind", sa.String(), server_default="bytes", nullable=False))
    op.create_table(
        "study_scores",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("condition_id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=True),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_scores_study_id_studies")),
        sa.ForeignKeyConstraint(
            ["condition_id"],
            ["study_conditions.id"],
            name=op.f("fk_study_scores_condition_id_study_conditions"),
        ),
        sa.ForeignKeyConstraint(
            ["content_id"], ["study_contents.id"], name=op.f("fk_study_scores_content_id_study_contents")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_scores")),
        sa.UniqueConstraint("study_id", "condition_id", "content_id", name=op.f("uq_study_scores_study_id")),
    )
