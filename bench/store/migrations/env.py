"""Run Alembic's migrations on the connection that `database.migrate` hands over."""

from __future__ import annotations

# Alembic runs this file by path, outside the package: no relative import reaches the tables.
from alembic import context

from codecarena.bench.store.tables.schema import Base  # pyright: ignore[reportMissingImports]

# Batch mode: SQLite cannot alter most of a table in place.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
