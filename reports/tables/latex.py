"""Write a table as LaTeX with booktabs: the text that the terminal shows, with the notes below."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from .digits import EMPTY, MINUS, SPACE
from .table import Row, Table

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
LONG_POINTS = 120
"""Width of such a column."""
LETTER_POINTS, SEPARATION_POINTS = 4.2, 8
"""Widths at ``\\footnotesize``: of a letter, on average, and of the space between columns."""
COLUMN_POINTS, PAGE_POINTS = 240, 400
"""Widths that fit into one of two columns, and into a page: ``article`` has 345, most others 500."""
MOST_ROWS = 50
"""Of one float; more would not fit onto a page."""


def latex(table: Table) -> str:
    r"""Return a table as one or more floats in ASCII; they need ``\usepackage{booktabs,graphicx}``.

    Letters are never made so small that nobody reads them: a table wider than a page has some of its columns
    below the others, with the names of the rows again. One that fits into a column of two takes one only.
    """
    # Paper has no more room than a terminal: what a note says of rows without a number is enough.
    table = replace(table, rows=tuple(row for row in table.rows if not row.without_number) or table.rows)
    panels = _panels(table)
    per_float = max(1, MOST_ROWS // max(len(table.rows), 1))
    pieces = [table.rows[start : start + MOST_ROWS] for start in range(0, len(table.rows), MOST_ROWS)] or [()]
    floats = [
        (rows, panels[start : start + per_float])
        for rows in pieces
        for start in range(0, len(panels), per_float)
    ]
    return "\n".join(
        _float(table, rows, shown, place == 0, place == len(floats) - 1)
        for place, (rows, shown) in enumerate(floats)
    )


def _float(
    table: Table, rows: Sequence[Row], panels: Sequence[Sequence[int]], first: bool, last: bool
) -> str:
    """Return one float: some rows, and their columns in one or more grids below each other."""
    widest = max(sum(_points(table, place) for place in panel) for panel in panels)
    environment = "table" if widest <= COLUMN_POINTS else "table*"
    title = escaped(table.title) if first else rf"{escaped(table.title)} (continued)"
    notes = [rf"{escaped(note)}\par" for note in table.sentences * last]
    below = [r"\par\smallskip\begin{minipage}{\linewidth}\scriptsize\raggedright", *notes, r"\end{minipage}"]
    grids = [_grid(table, rows, panel) for panel in panels]
    return "\n".join(
        [
            rf"\begin{{{environment}}}",
            r"\centering",
            *[r"\addtocounter{table}{-1}"] * (not first),
            rf"\caption{{{title}}}",
            *[rf"\label{{tab:{table.label}}}"] * (first and bool(table.label)),
            r"\smallskip\footnotesize\setlength{\tabcolsep}{4pt}",
            "\n\\par\\medskip\n".join(grids),
            *(below if notes else []),
            rf"\end{{{environment}}}",
            "",
        ]
    )


def _grid(table: Table, rows: Sequence[Row], places: Sequence[int]) -> str:
    columns = "".join(_alignment(table, place) for place in places)
    headings = " & ".join(_heading(table, place) for place in places)
    lines = [" & ".join(escaped(row.entries[place].text) for place in places) for row in rows]
    return "\n".join(
        [
            # The widths of letters are an estimate: what is a little wider is made a little smaller.
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            rf"{headings} \\",
            r"\midrule",
            *(rf"{line} \\" for line in lines),
            r"\bottomrule",
            r"\end{tabular}}",
        ]
    )


def _panels(table: Table) -> list[list[int]]:
    """Return which columns stand beside each other; those that name a row begin every line of them."""
    names = list(range(_naming(table)))
    panels = _filled(table, names, PAGE_POINTS)
    for limit in range(PAGE_POINTS - 10, 0, -10):  # panels of like widths, rather than one column left over
        narrower = _filled(table, names, limit)
        if len(narrower) > len(panels):
            break
        panels = narrower
    return panels


def _naming(table: Table) -> int:
    """Return how many columns from the left tell all rows apart; one where none do."""
    for count in range(1, len(table.columns)):
        if len({tuple(entry.text for entry in row.entries[:count]) for row in table.rows}) == len(table.rows):
            return count
    return 1


def _filled(table: Table, names: Sequence[int], limit: float) -> list[list[int]]:
    panels = [list(names)]
    used = first = sum(_points(table, place) for place in names)
    for place in range(len(names), len(table.columns)):
        width = _points(table, place)
        if used + width > limit and len(panels[-1]) > len(names):
            panels.append(list(names))
            used = first
        panels[-1].append(place)
        used += width
    return panels


def _longest(table: Table, place: int) -> int:
    return max((len(row.entries[place].text) for row in table.rows), default=0)


def _is_long(table: Table, place: int) -> bool:
    return not table.columns[place].numeric and _longest(table, place) > LONG


def _points(table: Table, place: int) -> float:
    """Return how wide a column is, about."""
    if _is_long(table, place):
        return LONG_POINTS + SEPARATION_POINTS
    heading = max(map(len, _heading_lines(table, place)))
    return max(_longest(table, place), heading) * LETTER_POINTS + SEPARATION_POINTS


def _alignment(table: Table, place: int) -> str:
    if _is_long(table, place):
        return rf"p{{{LONG_POINTS}pt}}"
    return "r" if table.columns[place].numeric else "l"


def _heading_lines(table: Table, place: int) -> list[str]:
    """Return a heading in two lines where it is wider than what stands below it."""
    heading = table.columns[place].heading
    if len(heading) <= _longest(table, place) or " " not in heading:
        return [heading]
    words = heading.split(" ")
    splits = [(" ".join(words[:count]), " ".join(words[count:])) for count in range(1, len(words))]
    return list(min(splits, key=lambda lines: max(map(len, lines))))


def _heading(table: Table, place: int) -> str:
    lines = [escaped(line) for line in _heading_lines(table, place)]
    if len(lines) == 1:
        return lines[0]
    side = "r" if table.columns[place].numeric else "l"
    return rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{lines[0]}\\{lines[1]}\end{{tabular}}"


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
