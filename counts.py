"""Write a count with its noun: 1 vote, 2 votes."""

from __future__ import annotations

from numbers import Integral


def counted(count: float, noun: str) -> str:
    """Return a count and its noun, in the plural unless it is one.

    >>> counted(1, "vote"), counted(0, "search"), counted(2, "study"), counted(1.5, "vote")
    ('1 vote', '0 searches', '2 studies', '1.5 votes')
    """
    shown = str(count) if isinstance(count, Integral) else f"{count:g}"
    if shown == "1":
        return f"{shown} {noun}"
    if noun.endswith(("ch", "s", "x")):
        return f"{shown} {noun}es"
    ending = noun.removesuffix("y") + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{shown} {ending}"
