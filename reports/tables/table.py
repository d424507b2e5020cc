"""Tables as they are shown: text and value in every cell, notes underneath, records for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    unit: str = ""
    numeric: bool = True
    help: str = ""

    @property
    def heading(self) -> str:
        """Title and unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title


@dataclass(frozen=True, slots=True)
class Entry:
    """One cell of a table: the text to show and the number to sort by."""

    text: str
    value: float | None = None
    tone: Literal["", "better", "worse"] = ""
    """What a test of it showed."""
    hint: str = ""
    """What there is to say about it that would not fit."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    entries: tuple[Entry, ...]
    record: Mapping[str, Any] = field(default_factory=dict)
    """The unrounded numbers, ready for JSON: hence Any."""
    without_number: bool = False
    """Whether a note under the table says all of it: a terminal has no room for such rows."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is shown; the notes under it say what the numbers are."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    label: str = ""
    """What files and references call it, whatever its title says; small ASCII letters, digits and dashes."""


def as_json(tables: Iterable[Table]) -> list[dict[str, Any]]:
    """Return the tables for JSON: title, notes and unrounded rows."""
    return [
        {"title": table.title, "notes": list(table.notes), "rows": [dict(row.record) for row in table.rows]}
        for table in tables
    ]
