"""Write a manifest as TOML."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from .manifest import DatasetError, Manifest

_DELETE = "\x7f"


def manifest_text(manifest: Manifest) -> str:
    """Return a manifest as TOML; what is left at its default is left out."""
    table = manifest.model_dump(exclude_defaults=True, mode="json")
    lists = {key: table.pop(key) for key in ("archives", "pictures") if key in table}
    if manifest.listing:
        lists.pop("pictures", None)
    lines = _lines(table)
    for key, entries in lists.items():
        for entry in entries:
            lines += ["", f"[[{key}]]", *_lines(entry)]
    return "\n".join(lines) + "\n"


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest; the file is there whole or not at all.

    Raises:
        DatasetError: The folder cannot be written.
    """
    beside = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(manifest_text(manifest), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written ({error.strerror}); name another --out") from error


def _lines(table: dict[str, object]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: object) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key} = {_value(entry)}" for key, entry in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(entry) for entry in value) + "]"
    assert not isinstance(value, BaseModel), "models are dumped before"
    # JSON's strings, numbers and truth values are TOML's, but for one letter that TOML wants escaped. Its
    # surrogate pairs are not, so that other letters stay as they are.
    return json.dumps(value, ensure_ascii=False).replace(_DELETE, "\\u007f")
