"""Select pictures of the store by conditions on their descriptors, as ``--where`` writes them."""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import InstrumentedAttribute

from ...datasets.description.descriptors import DESCRIPTORS
from ...datasets.description.history import FILE_FORMATS, HISTORY
from .database import StoreError
from .tables.picture_tables import DescriptorTable

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_CONDITION = re.compile(r"\s*(?P<name>\w+)\s*(?P<how>>=|<=|!=|>|<|=)\s*(?P<number>[-+\w.]+)\s*")


def check_condition(text: str) -> None:
    """Do nothing where the text is a condition on descriptors.

    Raises:
        StoreError: It is none; says what was expected.
    """
    pictures_where(text, DescriptorTable.picture_sha256)


def pictures_where(text: str, picture_sha256: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Return what a picture's descriptors must be for it to be chosen.

    Args:
        text: ``text_share>0.1``, or several joined by ``and``.
        picture_sha256: The column that names the picture.

    Raises:
        StoreError: It is no such condition; says what was expected.
    """
    return and_(*(_one(part, picture_sha256) for part in re.split(r"\band\b", text)))


def _one(text: str, picture_sha256: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    condition = _CONDITION.fullmatch(text)
    if condition is None:
        raise StoreError(f"--where {text.strip()!r}: expected such as text_share>0.1, or several with and")
    name = condition["name"]
    known = [*DESCRIPTORS, *HISTORY]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise StoreError(f"--where {text.strip()!r}: no descriptor {name!r}; {hint}")
    fits = _COMPARISONS[condition["how"]](DescriptorTable.value, _value(text, condition))
    return picture_sha256.in_(
        select(DescriptorTable.picture_sha256).where(DescriptorTable.name == name, fits)
    )


def _value(text: str, condition: re.Match[str]) -> float:
    """Return the number that a condition compares with; formats of files are given by their names."""
    value = condition["number"].lower()
    if condition["name"] == "file_format":
        if value in FILE_FORMATS and condition["how"] in ("=", "!="):
            return float(FILE_FORMATS.index(value))
        expected = f"file_format= or != one of {', '.join(FILE_FORMATS)}"
        raise StoreError(f"--where {text.strip()!r}: expected {expected}")
    try:
        return float(value)
    except ValueError as error:
        raise StoreError(
            f"--where {text.strip()!r}: expected a number, got {condition['number']!r}"
        ) from error
