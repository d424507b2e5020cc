"""Read the rows of a file of votes, whatever holds them: a table of text, Parquet or JSON."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ...text_file import decode_text, parse_table

PARQUET = b"PAR1"
"""The first bytes of a Parquet file."""
ROW_NUMBERS = ("", "Unnamed: 0", "index", "__index_level_0__")
"""Columns in which pandas writes a row's number: no part of what the row says."""


@dataclass(frozen=True, slots=True)
class Line:
    """One vote, or so many equal ones, of somebody's file."""

    place: str
    """Where it stands, as ``line 3``."""
    cells: Mapping[str, Any]  # Any: a cell of somebody's table

    def get(self, name: str, default: str = "") -> str:
        """Return a cell as text; the default where it is missing or empty."""
        value = self.cells.get(name)
        empty = value is None or value != value or value == ""
        return default if empty else str(value).strip()

    def first_of(self, names: Sequence[str], default: str = "") -> str:
        """Return the first of these cells that holds something; the default where none does."""
        return next((text for name in names if (text := self.get(name))), default)

    def named(self, name: str) -> str:
        """Return a cell that must hold something.

        Raises:
            WrongCellError: It is missing or empty.
        """
        value = self.get(name)
        if not value:
            raise WrongCellError(f"{self.place}: {name}: expected a name; got nothing")
        return value

    def one_of(self, name: str, meaning: Mapping[str, int]) -> int:
        """Return what a cell means; capitals, spaces and what joins words do not count.

        Raises:
            WrongCellError: It is none of the words expected.
        """
        value = self.get(name)
        known = {_bare(word): number for word, number in meaning.items()}
        if _bare(value) not in known:
            raise WrongCellError(
                f"{self.place}: {name}: expected one of {', '.join(meaning)}; got {value[:60]!r}"
            )
        return known[_bare(value)]

    def truth(self, name: str) -> bool | None:
        """Return what a cell says, as Python, JSON and spreadsheets write it; None where it says nothing.

        Raises:
            WrongCellError: It is neither true nor false.
        """
        meaning = {"true": 1, "false": 0, "1": 1, "0": 0, "1.0": 1, "0.0": 0}
        return bool(self.one_of(name, meaning)) if self.get(name) else None

    def number(self, name: str) -> float:
        """Return a cell as a number; NaN where it is none."""
        try:
            return float(self.get(name))
        except ValueError:
            return float("nan")

    def same(self, first: str, second: str) -> bool:
        """Whether two cells hold one name."""
        return self.get(first) == self.get(second)

    def digest(self) -> bytes:
        """Return a hash of everything that the row says, the same for rows that say the same."""
        cells = [(name, value) for name, value in self.cells.items() if name not in ROW_NUMBERS]
        return hashlib.sha256(repr(sorted(cells, key=lambda cell: cell[0])).encode()).digest()


def _bare(word: str) -> str:
    # A dash before a digit is a sign, which counts.
    return re.sub(r"[\s_()]|(?<=[a-z])-(?=[a-z])", "", word.lower())


class WrongCellError(ValueError):
    """A row is not as it should be; the message names its place and what was expected."""


def rows_of(file: Path) -> list[Line]:
    """Return the rows of a file; its first bytes say whether it is Parquet, JSON or a table of text.

    Raises:
        WrongCellError: A row is no object where the file holds JSON.
        TextFileError: It is no text, or no table.
        ValueError: It is no JSON or no Parquet.
        OSError: It cannot be read.
    """
    with file.open("rb") as content:
        if content.read(len(PARQUET)) == PARQUET:
            return _parquet(file)
    text = decode_text(file.read_bytes(), file)
    beginning = text.lstrip()[:1]
    if beginning == "[":
        return [_object(f"entry {at}", row) for at, row in enumerate(json.loads(text), 1)]
    if beginning == "{":
        return _json_lines(text)
    return [Line(f"line {row.line}", row.cells) for row in parse_table(text, file).rows]


def _parquet(file: Path) -> list[Line]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        # Columns of columns (whole conversations) say nothing about a vote and would fill the memory.
        plain = [field.name for field in table.schema_arrow if not pa.types.is_nested(field.type)]
        rows = table.read(columns=plain).to_pylist()
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    return [Line(f"row {at}", row) for at, row in enumerate(rows, 1)]


def _json_lines(text: str) -> list[Line]:
    """Return the objects of a text, one a line."""
    lines: list[Line] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise WrongCellError(f"line {number}: not JSON: {error}") from error
        lines.append(_object(f"line {number}", row))
    return lines


def _object(place: str, row: object) -> Line:
    if not isinstance(row, dict):
        raise WrongCellError(f"{place}: expected an object, got {str(row)[:40]!r}")
    return Line(place, cast("dict[str, Any]", row))
