"""Draw tables and lists on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...terminal import TextColumn, show_table
from .table import Table

if TYPE_CHECKING:
    from rich.console import Console


def show(console: Console, table: Table) -> None:
    """Print a table and the notes under it, then an empty line; see `show_table`."""
    rows = [row for row in table.rows if not row.without_number] or table.rows
    show_table(
        console,
        table.title,
        [TextColumn(column.heading, column.numeric) for column in table.columns],
        [[entry.text for entry in row.entries] for row in rows],
        table.sentences,
    )
    console.print()


def show_records(console: Console, title: str, records: Sequence[Mapping[str, object]]) -> None:
    """Print records of the same keys as a table; what is missing here is dim.

    Args:
        console: Its width decides which column breaks.
        title: Above the table.
        records: With the same keys; one whose status begins with ``missing`` is dim.
    """
    names = list(records[0]) if records else []
    columns = [
        TextColumn(name, all(isinstance(record[name], int | float) for record in records)) for name in names
    ]
    missing = [str(record.get("status", "")).startswith("missing") for record in records]
    rows = [[_text(record[name]) for name in names] for record in records]
    show_table(console, title, columns, rows, dim=missing, whole_names=True)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def own_command() -> str:
    """Return what the user types to call this program again, from the same folder."""
    executable = Path(sys.argv[0])
    if executable.name == "__main__.py":
        return "python -m codecarena"
    if str(executable.parent) in os.environ.get("PATH", "").split(os.pathsep):
        return executable.name
    is_below = executable.absolute().is_relative_to(Path.cwd())
    return str(executable.absolute().relative_to(Path.cwd()) if is_below else executable)
