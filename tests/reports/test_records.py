"""What leaves a module of the reports as a record is one that nobody changes afterwards."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import is_dataclass

ROOMS = ("codecarena.reports", "codecarena.reports.views")
SCRIPT = "codecarena.reports.app"
"""Streamlit runs it: importing it would draw a page."""


def records() -> Iterator[type]:
    """Yield every dataclass of the reports."""
    for room in ROOMS:
        for found in pkgutil.iter_modules(importlib.import_module(room).__path__, f"{room}."):
            module = None if found.name == SCRIPT else importlib.import_module(found.name)
            for one in vars(module).values() if module else ():
                if isinstance(one, type) and is_dataclass(one) and one.__module__ == found.name:
                    yield one


def test_every_record_is_frozen_and_has_no_room_for_more() -> None:
    every = list(records())
    assert len(every) > 20
    changeable = [one.__qualname__ for one in every if not vars(one)["__dataclass_params__"].frozen]
    assert changeable == []
    assert [one.__qualname__ for one in every if "__slots__" not in vars(one)] == []
