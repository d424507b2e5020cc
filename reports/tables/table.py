"""Tables as they are shown: text and value in every cell, notes underneath, records for programs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
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

    @property
    def is_number(self) -> bool:
        """Whether it has a value to sort by."""
        return self.value is not None and not math.isnan(self.value)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    entries: tuple[Entry, ...]
    record: Mapping[str, Any] = field(default_factory=dict)
    """The unrounded numbers, ready for JSON: hence Any."""
    without_number: bool = False
    """Whether a note under the table says all of it: a terminal has no room for such rows."""
    pinned: bool = False
    """Whether it is what all others are compared with: on a page it stays above them, whatever sorts them."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a table says, in a sentence or two."""

    text: str
    codec_id: str
    """Of the codec that it is about."""
    other_id: str = ""
    """Of the one that it is compared with; empty where that was not measured here."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is shown; the notes under it say what the numbers are."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    label: str = ""
    """What files and references call it, whatever its title says; small ASCII letters, digits and dashes."""
    summary: Summary | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The summary, where there is one, and the notes."""
        return (*([self.summary.text] if self.summary else []), *self.notes)


def without_columns(table: Table, headings: Iterable[str]) -> Table:
    """Return a table without some columns; the first one stays."""
    left_out = set(headings)
    kept = [
        place for place, column in enumerate(table.columns) if not place or column.heading not in left_out
    ]
    return replace(
        table,
        columns=tuple(table.columns[place] for place in kept),
        rows=tuple(replace(row, entries=tuple(row.entries[place] for place in kept)) for row in table.rows),
    )


def in_order(table: Table, order: str) -> Table:
    """Return a table with its rows as a page shows them: sorted as by a click, the pinned ones first.

    Args:
        table: In its own order.
        order: The place of a column, with a minus where it falls; empty for the table's own order.
    """
    rows = list(table.rows)
    if order:
        place, falls = int(order.removeprefix("-")), order.startswith("-")
        known = [row for row in rows if row.entries[place].is_number]
        if known:
            # Rows of equal values stay as they came, whichever way.
            known.sort(key=lambda row: row.entries[place].value or 0.0, reverse=falls)
            rows = [*known, *(row for row in rows if not row.entries[place].is_number)]
        else:
            rows.sort(key=lambda row: _by_letters(row.entries[place].text), reverse=falls)
    return replace(table, rows=tuple(sorted(rows, key=lambda row: not row.pinned)))


def _by_letters(text: str) -> list[str | int]:
    """Return what a text is sorted by, as `table.js` has it: letters in any case, numbers by their size."""
    parts = re.split("([0-9]+)", text.lower())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def as_json(tables: Iterable[Table]) -> list[dict[str, Any]]:
    """Return the tables for JSON: title, summary and notes, unrounded rows."""
    return [
        {
            "title": table.title,
            "notes": list(table.sentences),
            "rows": [dict(row.record) for row in table.rows],
        }
        for table in tables
    ]
