"""Read the table of what somebody knows about the pictures of a folder, ``index.csv`` beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...text_file import TextFileError, read_table
from ..folder import INDEX, comparable
from ..manifest import DatasetError, PictureEntry

_KEYS = frozenset(PictureEntry.model_fields) - {"width", "height", "render", "sample", "package", "history"}


@dataclass(frozen=True, slots=True)
class Index:
    """What a folder's table says of its pictures."""

    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    """Text by key of a manifest's picture, by the picture's name in the folder."""
    strangers: tuple[str, ...] = ()
    """What of its rows names no picture of the folder."""
    without_kind: str | None = None
    """A sentence where none of its columns says whether a picture is AI-generated."""


def read_index(folder: Path, names: Sequence[str]) -> Index:
    """Return what the table in a folder says of its pictures; nothing where there is no table.

    Args:
        folder: Of the pictures.
        names: The pictures' names below the folder, with slashes.

    Raises:
        DatasetError: The table cannot be read, has no column ``file``, or names a picture twice.
    """
    path = next((path for path in sorted(folder.iterdir()) if path.name.lower() == INDEX), None)
    if path is None or not path.is_file():
        return Index()
    try:
        table = read_table(path, _KEYS)
    except TextFileError as error:
        raise DatasetError(str(error)) from error
    keys = {column: column.lower().replace(" ", "_").replace("-", "_") for column in table.columns}
    file_column = next((column for column, key in keys.items() if key == "file"), None)
    if file_column is None:
        raise DatasetError(
            f"{path}: expected a column 'file' with the pictures' names; "
            f"its columns are {', '.join(table.columns) or 'none'}"
        )
    pictures = {comparable(name): name for name in names}
    rows: dict[str, dict[str, str]] = {}
    lines: dict[str, int] = {}
    strangers: list[str] = []
    for row in table.rows:
        file = row.cells[file_column]
        name = pictures.get(comparable(file))
        if name is None:
            strangers.append(f"{file or 'nothing'} (line {row.line})")
            continue
        if name in rows:
            raise DatasetError(f"{path}: line {row.line}: {name} stands in line {lines[name]} already")
        cells = {keys[column]: cell for column, cell in row.cells.items() if cell.strip()}
        if "kind" in cells:
            cells["kind"] = cells["kind"].strip().lower()
        rows[name] = {key: cell for key, cell in cells.items() if key in _KEYS and key != "file"}
        lines[name] = row.line
    columns = ", ".join(table.columns)
    without_kind = f"has no column 'kind' or 'generator'; its columns are {columns}"
    says_kind = bool({"kind", "generator"}.intersection(keys.values()))
    return Index(rows, tuple(strangers), None if says_kind else without_kind)
