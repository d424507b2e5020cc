"""When a run was last seen alive, instead of the number of its process, which means nothing elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Leave runs unseen: one that is still called running was killed, or is of the version before."""
    op.add_column("runs", sa.Column("seen_at", sa.String(), nullable=True))
    op.drop_column("runs", "process_id")
