"""What leaves a module of the reports as a record is one that nobody changes afterwards."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "reports" / "app.py"
"""Streamlit runs it: importing it would draw a page."""


def records() -> Iterator[type]:
    """Yield every dataclass of the reports."""
    for path in sorted((ROOT / "reports").rglob("*.py")):
        if path == SCRIPT:
            continue
        name = ".".join(["codecarena", *path.relative_to(ROOT).with_suffix("").parts])
        for member in vars(importlib.import_module(name)).values():
            if isinstance(member, type) and is_dataclass(member) and member.__module__ == name:
                yield member


def test_every_record_is_frozen_and_has_no_room_for_more() -> None:
    classes = list(records())
    assert len(classes) > 20
    changeable = [
        record.__qualname__ for record in classes if not vars(record)["__dataclass_params__"].frozen
    ]
    assert changeable == []
    assert [record.__qualname__ for record in classes if "__slots__" not in vars(record)] == []
