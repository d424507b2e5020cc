"""Turn a table into LaTeX with booktabs: the text that the terminal shows, notes underneath."""

from __future__ import annotations

from .digits import EMPTY, MINUS, SPACE
from .grid import Table

SIGNS = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    MINUS: "$-$",
    EMPTY: "--",
    SPACE: r"\,",
    "…": r"\,\ldots\,",
    "×": r"$\times$",
    "±": r"$\pm$",
    "✗": r"$\times$",
    "†": r"$\dagger$",
    "·": r"$\cdot$",
}
"""What LaTeX reads as commands, or what its standard fonts lack."""


def latex(table: Table) -> str:
    r"""Return a ``table`` environment that needs ``\usepackage{booktabs}``."""
    columns = "".join("r" if column.numeric else "l" for column in table.columns)
    headings = " & ".join(escaped(column.heading) for column in table.columns)
    lines = [" & ".join(escaped(entry.text) for entry in row.entries) for row in table.rows]
    notes = [rf"\par\smallskip\footnotesize {escaped(note)}" for note in table.notes]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escaped(table.title)}}}",
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
            rf"{headings} \\",
            r"\midrule",
            *(rf"{line} \\" for line in lines),
            r"\bottomrule",
            r"\end{tabular}",
            *notes,
            r"\end{table}",
            "",
        ]
    )


def escaped(text: str) -> str:
    """Return a text that LaTeX sets as it is."""
    return "".join(SIGNS.get(sign, sign) for sign in text)
