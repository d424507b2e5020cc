"""Explain pydantic's errors about a TOML file: the place, what was expected, the nearest key."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

SHOWN_CHARACTERS = 80
"""How much of a wrong value an error repeats."""


def explain_validation(path: Path, model: type[BaseModel], error: ValidationError) -> str:
    """Return one line for each error: file, place in it, what was expected and what came.

    Args:
        path: The TOML file, for the message.
        model: The table that the file holds.
        error: What pydantic found.
    """
    return "\n".join(f"{path}: {_explain(model, detail)}" for detail in error.errors())


def _explain(model: type[BaseModel], detail: ErrorDetails) -> str:
    place = ".".join(str(part) for part in detail["loc"]) or "the file"
    if detail["type"] == "extra_forbidden":
        known = list(_table_at(model, detail["loc"][:-1]).model_fields)
        near = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        return f"{place}: unknown key; " + (
            f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        )
    if detail["type"] == "missing":
        return f"{place}: this key is needed and is not there"
    message = detail["msg"].removeprefix("Value error, ")
    shown = repr(detail["input"])
    if len(shown) > SHOWN_CHARACTERS:
        shown = shown[: SHOWN_CHARACTERS - 3] + "..."
    return f"{place}: {message}, got {shown}"


def _table_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the table that a place in the file belongs to."""
    for part in place:
        field = model.model_fields.get(str(part))
        inner = next(_tables_in(field.annotation), None) if field else None
        # A union's branch stands in the place by its class name.
        named = next((table for table in _tables_in(model) if table.__name__ == part), None)
        model = inner or named or model
    return model


def _tables_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _tables_in(argument)
