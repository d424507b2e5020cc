"""Tell signs that a font lacks by their number, where a file can only hold what its font draws."""

from __future__ import annotations

import unicodedata
from functools import cache


def writable(text: str, font: str) -> str:
    """Return a text as a font can write it: a sign that it lacks as U+1F600, one that only alters others not.

    Args:
        text: Any.
        font: A file that FreeType reads.
    """
    known = _signs(font)
    return "".join(sign if ord(sign) in known else _told(sign) for sign in text)


def _told(sign: str) -> str:
    if unicodedata.category(sign) in ("Cc", "Cf", "Mn"):  # a break, a joiner, a variation selector
        return ""
    return f"U+{ord(sign):04X}"


@cache
def _signs(font: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(font).get_charmap())
