"""Image sets: provenance, descriptors and perceptual hashes of pictures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "picture_provenance",
        sa.Column("image_set", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=True),
        sa.Column("model_version", sa.Text(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=True),
        sa.Column("negative_prompt", sa.Text(), nullable=True),
        sa.Column("seed", sa.String(), nullable=True),
        sa.Column("guidance", sa.Double(), nullable=True),
        sa.Column("steps", sa.Integer(), nullable=True),
        sa.Column("workflow", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("image_set", "name", name=op.f("pk_picture_provenance")),
    )
    op.create_table(
        "picture_descriptors",
        sa.Column("picture_sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_sha256"],
            ["pictures.sha256"],
            name=op.f("fk_picture_descriptors_picture_sha256_pictures"),
        ),
        sa.PrimaryKeyConstraint("picture_sha256", "name", name=op.f("pk_picture_descriptors")),
    )
    op.create_table(
        "picture_prints",
        sa.Column("picture_sha256", sa.String(), nullable=False),
        sa.Column("perceptual", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_sha256"],
            ["pictures.sha256"],
            name=op.f("fk_picture_prints_picture_sha256_pictures"),
        ),
        sa.PrimaryKeyConstraint("picture_sha256", name=op.f("pk_picture_prints")),
    )


def downgrade() -> None:
    """Take the change back."""
    for table in ("picture_prints", "picture_descriptors", "picture_provenance"):
        op.drop_table(table)
