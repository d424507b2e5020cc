"""Draw tables and lists on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich import box
from rich.console import Console, Group
from rich.table import Table as RichTable
from rich.text import Text

from .table import Table

FILE_COLUMNS = 140
"""Width of a table that goes to a file or a pipe."""


GAP = 2
"""Characters between two columns."""


def show(console: Console, table: Table) -> None:
    """Print a table and the notes under it; where it is too wide, ranges go under their medians."""
    if not console.is_terminal:
        console.width = FILE_COLUMNS
    rows_shown = [row for row in table.rows if not row.without_number] or table.rows
    texts = [[entry.text for entry in row.entries] for row in rows_shown]
    folded = [[_folded(text) for text in row] for row in texts]
    headings = [column.heading for column in table.columns]
    words = ["\n".join(heading.split()) for heading in headings]
    nothing = [""] * len(headings)
    # Room is saved first between the headings' words, then in the entries, last inside the headings' words.
    for heading, rows in ((headings, texts), (words, texts), (words, folded), (nothing, folded)):
        widths = _widths([heading, *rows])
        drawn = _draw(table, rows, widths)
        if sum(widths) + GAP * len(widths) <= console.width:
            break
    console.print(Group(drawn, *(Text(note, style="dim") for note in table.notes), Text()))


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the longest line of each column."""
    return [
        max(len(line) for text in column for line in text.split("\n")) for column in zip(*rows, strict=True)
    ]


def _draw(table: Table, texts: Sequence[Sequence[str]], widths: Sequence[int]) -> RichTable:
    drawn = RichTable(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        title=table.title,
        title_justify="left",
        title_style="bold",
    )
    for place, (column, width) in enumerate(zip(table.columns, widths, strict=True)):
        justify = "left" if place == 0 else "right"
        drawn.add_column(column.heading, justify=justify, width=width, overflow="fold")
    for row in texts:
        drawn.add_row(*row)
    return drawn


def _folded(text: str) -> str:
    """Return an entry on two lines: a spread under its median, the end of a range under its start."""
    return text.replace(" (", "\n(") if " (" in text else text.replace("…", "…\n")


def show_records(console: Console, title: str, records: Sequence[Mapping[str, object]]) -> None:
    """Print records of the same keys as a table; what is missing here is dim.

    Args:
        console: Its width decides which column breaks.
        title: Above the table.
        records: With the same keys; one whose status begins with ``missing`` is dim.
    """
    drawn = RichTable(title=title, title_justify="left", title_style="bold")
    for place, name in enumerate(records[0] if records else ()):
        drawn.add_column(name, no_wrap=place == 0)  # what the user types next must be whole
    for record in records:
        missing = str(record.get("status", "")).startswith("missing")
        drawn.add_row(*map(str, record.values()), style="dim" if missing else "")
    console.print(drawn)


def own_command() -> str:
    """Return what the user types to call this program again, from the same folder."""
    executable = Path(sys.argv[0])
    if executable.name == "__main__.py":
        return "python -m codecarena"
    if str(executable.parent) in os.environ.get("PATH", "").split(os.pathsep):
        return executable.name
    is_below = executable.absolute().is_relative_to(Path.cwd())
    return str(executable.absolute().relative_to(Path.cwd()) if is_below else executable)
