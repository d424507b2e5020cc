"""Write a table as LaTeX with booktabs: the text that the terminal shows, with the notes below."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from .digits import EMPTY, MINUS, SPACE
from .table import Table

SIGNS = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\`{}",
    # Half of the languages of babel give the sign itself another meaning.
    '"': "{''}",
    # At the beginning of a row they would belong to the end of the row before.
    "[": "{[}",
    "*": "{*}",
    MINUS: "$-$",
    EMPTY: r"\textendash{}",
    "—": r"\textemdash{}",
    SPACE: r"\,",
    "\N{NO-BREAK SPACE}": "~",
    "…": r"\,\ldots\,",
    "×": r"$\times$",
    "±": r"$\pm$",
    "✗": r"$\times$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "·": r"$\cdot$",
    "→": r"$\to$",
    "▼": r"$\bigtriangledown$",
    "▲": r"$\bigtriangleup$",
    "²": "$^2$",
    "³": "$^3$",
    "⁶": "$^6$",
    "µ": r"$\mu$",
    "°": r"$^\circ$",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "ß": r"\ss{}", "Æ": r"\AE{}", "æ": r"\ae{}", "Ø": r"\O{}", "ø": r"\o{}", "Œ": r"\OE{}", "œ": r"\oe{}",
    "Ł": r"\L{}", "ł": r"\l{}", "ı": r"\i{}",
}  # fmt: skip
"""What LaTeX reads as commands, or what its standard fonts lack."""

ACCENTS = {
    "\N{COMBINING GRAVE ACCENT}": "`", "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^", "\N{COMBINING TILDE}": "~", "\N{COMBINING MACRON}": "=",
    "\N{COMBINING BREVE}": "u", "\N{COMBINING DOT ABOVE}": ".", "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING RING ABOVE}": "r", "\N{COMBINING DOUBLE ACUTE ACCENT}": "H", "\N{COMBINING CARON}": "v",
    "\N{COMBINING CEDILLA}": "c",
}  # fmt: skip
"""LaTeX's commands for the accents of Latin letters."""

LONG = 40
"""Characters from which on a column breaks its lines."""


def latex(table: Table) -> str:
    r"""Return a ``table`` environment in ASCII; it needs ``\usepackage{booktabs,graphicx}``."""
    columns = "".join(
        "r" if column.numeric else _left(row.entries[place].text for row in table.rows)
        for place, column in enumerate(table.columns)
    )
    headings = " & ".join(escaped(column.heading) for column in table.columns)
    lines = [" & ".join(escaped(entry.text) for entry in row.entries) for row in table.rows]
    notes = [rf"\par\smallskip\footnotesize {escaped(note)}" for note in table.notes]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(table.title)}}}",
            # A table that is wider than the text is made as small as it must be.
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            rf"{headings} \\",
            r"\midrule",
            *(rf"{line} \\" for line in lines),
            r"\bottomrule",
            r"\end{tabular}}",
            *notes,
            r"\end{table}",
            "",
        ]
    )


def _left(texts: Iterable[str]) -> str:
    return r"p{0.4\linewidth}" if max(map(len, texts), default=0) > LONG else "l"


def escaped(text: str) -> str:
    """Return a text with LaTeX's special characters escaped; those its fonts lack become code points."""
    return re.sub("-(?=-)", "-{}", "".join(map(_sign, text)))


@cache
def _sign(sign: str) -> str:
    if sign in SIGNS:
        return SIGNS[sign]
    if sign.isascii() and sign.isprintable():
        return sign
    if sign.isspace():
        return " "
    letter, *marks = unicodedata.normalize("NFD", sign)
    if letter.isascii() and len(marks) == 1 and marks[0] in ACCENTS:
        return rf"\{ACCENTS[marks[0]]}{{{letter}}}"
    return rf"\texttt{{U+{ord(sign):04X}}}"
