"""Read what the tables of prompts that come with a set say of each picture."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...system_errors import reason
from ...text_file import read_text
from ..manifest import DatasetError

_KEYS = {"p": "prompt", "se": "seed", "c": "guidance", "st": "steps"}
"""Of DiffusionDB (Wang et al., 2022), whose JSON maps file names to one-letter keys."""


def read_tables(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return keys of a manifest's pictures by file name, out of DiffusionDB's JSON files.

    Raises:
        DatasetError: A file is no such table.
    """
    by_file: dict[str, dict[str, Any]] = {}
    for name in names:
        try:
            table = json.loads(read_text(folder / name))
            by_file |= {file: _of_picture(row) for file, row in table.items()}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise DatasetError(f"{folder / name}: no table of prompts ({reason(error)})") from error
    return by_file


def _of_picture(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[theirs] for theirs, key in _KEYS.items() if row.get(theirs) not in (None, "")}
