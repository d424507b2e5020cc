"""The tables of pictures and image sets at the first release: a part of migration ``r0001``."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create() -> None:
    """Make the tables."""
    op.create_table(
        "pictures",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_pictures")),
    )
    op.create_table(
        "set_pictures",
        sa.Column("image_set", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("picture_sha256", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("caption", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("generator", sa.String(), nullable=True),
        sa.Column("licence", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["picture_sha256"], ["pictures.sha256"], name=op.f("fk_set_pictures_picture_sha256_pictures")
        ),
        sa.PrimaryKeyConstraint("image_set", "name", name=op.f("pk_set_pictures")),
    )
    op.create_index(op.f("ix_set_pictures_picture_sha256"), "set_pictures", ["picture_sha256"], unique=False)
    op.create_table(
        "files",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("file_bytes", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("picture_sha256", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_sha256"], ["pictures.sha256"], name=op.f("fk_files_picture_sha256_pictures")
        ),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_files")),
    )
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
            ["picture_sha256"], ["pictures.sha256"], name=op.f("fk_picture_prints_picture_sha256_pictures")
        ),
        sa.PrimaryKeyConstraint("picture_sha256", name=op.f("pk_picture_prints")),
    )
