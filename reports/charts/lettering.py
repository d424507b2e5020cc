"""Write a character that a font lacks as its code point, for files that hold only what the font draws."""

from __future__ import annotations

import unicodedata
from functools import cache


def writable(text: str, font: str) -> str:
    """Return a text the font can write: a character it lacks becomes ``U+1F600``, a modifier is left out.

    Args:
        text: Any.
        font: Path of a font file that FreeType reads.
    """
    known = _characters(font)
    return "".join(character if ord(character) in known else _replacement(character) for character in text)


def _replacement(character: str) -> str:
    if unicodedata.category(character) in ("Cc", "Cf", "Mn"):  # a break, a joiner, a variation selector
        return ""
    return f"U+{ord(character):04X}"


@cache
def _characters(font: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(font).get_charmap())
