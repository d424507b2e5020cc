"""Read text files as other programs write them: TOML, tables and plain text, whoever saved them.

Notepad and Excel begin UTF-8 with a byte order mark or write UTF-16, Excel separates cells by semicolons or
tabs where commas are decimal, and only a line feed ends a line: a form feed or U+2028 in a cell does not. It
lies above the rooms because every one of them reads such files.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DELIMITERS = ",;\t"
LONGEST_CELL = 2**28
"""Characters; Python's own limit of 131,072 is less than the workflow of a generated picture."""


_FORMULA = re.compile("'*[=+\\-@\\t\\r\\n\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet runs, whatever apostrophes stand before; also in full width."""


class TextFileError(ValueError):
    """A text file cannot be read; the message names it, the place, and what was expected there."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table."""

    line: int
    """Where it begins in the file, from 1."""
    cells: dict[str, str]
    """Text by column, as long as the columns."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of text, with a heading in its first line."""

    columns: tuple[str, ...]
    """The names in the heading; columns without a name are left out, of the rows too."""
    rows: tuple[TableRow, ...]


def guarded(text: str) -> str:
    """Return a cell's text with an apostrophe before it where a spreadsheet would take it for a formula.

    `parse_table` takes it away again. Numbers, which may begin with a sign, stay as they are.

    >>> guarded("=HYPERLINK(1)"), guarded("-1.5"), guarded("codec"), guarded("'=x")
    ("'=HYPERLINK(1)", '-1.5', 'codec', "''=x")
    """
    if not _FORMULA.match(text):
        return text
    try:
        float(text)
    except ValueError:
        return "'" + text
    return text


# Any: cells of a table.
def guarded_rows(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a table for a CSV file: no spreadsheet takes a text in them for a formula."""
    return [
        {guarded(name): guarded(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        for row in rows
    ]


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def decode_text(content: bytes, path: Path) -> str:
    """Return the text of a file's bytes, which are UTF-8, UTF-16 or UTF-32, with or without a mark.

    Args:
        content: The whole file.
        path: For the message.

    Raises:
        TextFileError: The bytes are in another encoding.
    """
    # JSON's rule (RFC 4627) fits every file that begins with a character of ASCII.
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding not in ("utf-8", "utf-8-sig"):
            raise TextFileError(f"{path}: cannot be read (no {encoding}: {error.reason})") from error
        line = content.count(b"\n", 0, error.start) + 1
        raise TextFileError(
            f"{path}: cannot be read (line {line}: expected UTF-8, got the byte "
            f"0x{content[error.start]:02x}; save the file as UTF-8, in Excel as CSV UTF-8)"
        ) from error


def read_text(path: Path) -> str:
    """Return the text of a file, its line ends as line feeds.

    Raises:
        TextFileError: It is absent, not readable, or in another encoding than `decode_text` knows.
    """
    return _with_line_feeds(decode_text(_content(path), path))


def read_lines(path: Path) -> list[str]:
    """Return the lines of a file without their ends; only line feeds and carriage returns end one.

    Raises:
        TextFileError: As `read_text`.
    """
    lines = read_text(path).split("\n")
    return lines if lines[-1] else lines[:-1]


# Any: TOML may hold anything; whoever reads it checks every value.
def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """Return the table in a TOML file's text.

    Args:
        text: As `read_text` or `decode_text` returns it.
        path: For the message.

    Raises:
        TextFileError: It is not TOML.
    """
    try:
        return tomllib.loads(_with_line_feeds(text))
    # Not only of TOML: a number of 5,000 digits, arrays in arrays in arrays.
    except (ValueError, RecursionError) as error:
        raise TextFileError(f"{path}: not TOML: {error}") from error


def read_table(path: Path, known: Collection[str] = ()) -> TextTable:
    """Return the rows of a table of text, its cells separated by commas, semicolons or tabs.

    Args:
        path: The file; quoted cells may hold separators and line ends.
        known: Columns that tell by which separator the heading is to be cut.

    Raises:
        TextFileError: It cannot be read, or a row has more or fewer cells than the heading.
    """
    return parse_table(decode_text(_content(path), path), path, known)


def parse_table(text: str, path: Path, known: Collection[str] = ()) -> TextTable:
    """Return the rows of a table's text; see `read_table`.

    Args:
        text: As `decode_text` returns it.
        path: For the message.
        known: Columns that tell by which separator the heading is to be cut.

    Raises:
        TextFileError: A row has more or fewer cells than the heading, or a quotation has no end.
    """
    csv.field_size_limit(LONGEST_CELL)
    delimiter, skipped = _delimiter(text, known)
    records = ((line, cells) for line, cells in _records(text, path, delimiter) if line > skipped)
    _, heading = next(records, (0, []))
    names = [_unguarded(name.strip()) for name in heading]
    repeated = [name for name, count in Counter(names).items() if count > 1 and name]
    if repeated:
        raise TextFileError(f"{path}: line {skipped + 1}: column {repeated[0]!r} stands there twice")
    rows: list[TableRow] = []
    for line, cells in records:
        if not any(cell.strip() for cell in cells):
            continue
        # Spreadsheets fill rows up with empty cells.
        if len(cells) < len(names) or any(cells[len(names) :]):
            raise TextFileError(
                f"{path}: line {line}: expected {len(names)} cells, as the first line has; got {len(cells)}"
            )
        named = zip(names, map(_unguarded, cells), strict=False)
        rows.append(TableRow(line, {name: cell for name, cell in named if name}))
    return TextTable(tuple(filter(None, names)), tuple(rows))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TextFileError(f"{path}: cannot be read ({error.strerror})") from error


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _delimiter(text: str, known: Collection[str]) -> tuple[str, int]:
    """Return what separates cells, and how many lines before the heading say nothing else."""
    first = io.StringIO(text, newline=None).readline().strip("\n")
    if first.rstrip().lower().startswith("sep=") and len(first.rstrip(" ")) == 5:  # Excel's own word on it
        return first[4], 1
    headings = {delimiter: next(csv.reader([first], delimiter=delimiter), []) for delimiter in DELIMITERS}
    wanted = {name.lower() for name in known}

    def fit(delimiter: str) -> tuple[int, int]:
        names = headings[delimiter]
        return sum(name.strip().lower() in wanted for name in names), len(names)

    return max(DELIMITERS, key=fit), 0


def _records(text: str, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line each record begins in, and its cells."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise TextFileError(f"{path}: after line {reader.line_num}: {error}") from error
