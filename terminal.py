"""Print on the terminal: text as it is, notes, and tables that fit the width without breaking a number.

Square brackets are letters here, not markup; what would command the terminal is escaped, and letters that its
encoding lacks are written by others that look alike.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from .visible_text import encodable, visible

FILE_COLUMNS = 140
"""Width of a table that goes to a file or a pipe, unless the variable ``COLUMNS`` says another."""
GAP = 2
"""Characters between two columns."""
PROSE_CHARACTERS = 40
"""A column of longer texts breaks its lines before anything else gives way."""
NARROWEST_NAME = 12
"""Characters to which a column of names shrinks before others are left out."""
_RANGE = re.compile(r"…|(?<=\d)\.\.(?=\W?\d)")
"""Between the ends of a range, also on consoles that have no ellipsis."""
LEVELS = (
    (0, 0, False, 24),
    (1, 0, False, 24),
    (1, 1, False, 24),
    (1, 2, False, 24),
    (2, 2, False, 24),
    (2, 2, False, 12),
    (2, 2, True, 12),
)
"""How room is saved, mildest first: how headings break, how entries fold, whether names break, and to how
many characters a column of prose shrinks."""
_BREAKS = re.compile(r"(?<=\s)|(?<=…)|(?<=\d\.\.)|(?<=[-_/,;=:](?=\D))|(?<=\D)(?=\()")
"""Where a text may go on in the next line: never inside a number."""


class Terminal(Console):
    """A console that shows every text as plain text."""

    def __init__(
        self, file: IO[str] | None = None, *, stderr: bool = False, width: int | None = None
    ) -> None:
        super().__init__(file=file, stderr=stderr, width=width, markup=False, highlight=False, emoji=False)
        if width is None and not self.is_terminal and not os.environ.get("COLUMNS", "").isdigit():
            self.width = FILE_COLUMNS

    # Any: the base class's options, of which none may make markup of the text.
    def render_str(self, text: str, **options: Any) -> Text:
        """Return a text as it is to be shown."""
        options |= {"markup": False, "highlight": False, "emoji": False}
        return super().render_str(plain(self, text), **options)


@dataclass(frozen=True, slots=True)
class TextColumn:
    """One column of a table on the terminal."""

    heading: str
    numeric: bool = True
    """Whether it stands at the right edge; the first column never does."""


def plain(console: Console, text: str) -> str:
    """Return a text as a console can show it, with nothing in it that commands the console."""
    return encodable(visible(text), console.encoding)


def print_text(console: Console, text: str) -> None:
    """Print a text of any origin as it is, its lines as long as they are."""
    console.print(Text(plain(console, text)), soft_wrap=True)


def print_notes(notes: Iterable[str], console: Console | None = None) -> None:
    """Print notes to the user, each on a line of its own.

    Args:
        notes: Texts of any origin.
        console: Where to; standard error if absent.
    """
    console = console or Terminal(stderr=True)
    for note in notes:
        text = Text.assemble(("note", "yellow"), " ", plain(console, note))
        console.print(text, soft_wrap=True)


def show_table(
    console: Console,
    title: str,
    columns: Sequence[TextColumn],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str] = (),
    dim: Sequence[bool] = (),
    *,
    whole_names: bool = False,
) -> None:
    """Print a table and the notes under it; where it is too wide, the last columns are left out and named.

    Room is saved first in columns of prose, then between the headings' words, then in entries (a spread goes
    under its median, the end of a range under its start), then in names.

    Args:
        console: Its width is what there is.
        title: Above the table.
        columns: The first holds names, the others are in order of weight.
        rows: One text a column.
        notes: Under the table.
        dim: Whether each row is printed dim; none if empty.
        whole_names: Whether names are typed next, and so must not break.
    """
    if not columns:
        columns, rows = [TextColumn("nothing")], []
    headings = [_in_a_line(console, column.heading) for column in columns]
    texts = [[_in_a_line(console, name), *(plain(console, text) for text in row)] for name, *row in rows]
    numeric = [column.numeric and place > 0 for place, column in enumerate(columns)]
    shown = len(columns)
    while True:
        part = [row[:shown] for row in texts]
        levels = [level for level in LEVELS if not (whole_names and level[2])]
        drawn = _fitting(headings[:shown], part, numeric, console.width, levels)
        if drawn is not None or shown <= 1:
            break
        shown -= 1
    lines = drawn or [[text] for text in (headings[0], *(row[0] for row in texts))]
    widths = _widths([column.split("\n") for line in lines for column in line], shown)
    if title:
        console.print(Text(_in_a_line(console, title), style="bold"))
    for place, line in enumerate(lines):
        style = "bold" if place == 0 else "dim" if dim and dim[place - 1] else ""
        for text in _side_by_side(line, widths, numeric):
            console.print(Text(text.rstrip(), style=style), soft_wrap=True)
        if place == 0:
            console.print(Text(_rule(console, widths)), soft_wrap=True)
    for note in notes:
        console.print(Text(plain(console, note), style="dim"))
    if shown < len(columns):
        left_out = "; ".join(headings[shown:])
        sentence = f"Left out at {console.width} columns: {left_out}. A wider terminal or --json shows them."
        console.print(Text(sentence, style="dim"))


def _in_a_line(console: Console, text: str) -> str:
    """Return a name or heading, in which a line feed is no line's end."""
    return plain(console, text.replace("\n", "\\n"))


def _rule(console: Console, widths: Sequence[int]) -> str:
    return encodable("─", console.encoding)[:1] * (sum(widths) + GAP * (len(widths) - 1))


def _widths(cells: Sequence[Sequence[str]], count: int) -> list[int]:
    """Return the longest line of each column, of cells row by row."""
    widths = [0] * count
    for place, lines in enumerate(cells):
        widths[place % count] = max(widths[place % count], *map(cell_len, lines))
    return widths


def _side_by_side(line: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> list[str]:
    """Return a row's lines: its cells beside each other, from the top."""
    cells = [cell.split("\n") for cell in line]
    depth = max(map(len, cells))
    return [
        (" " * GAP).join(
            _padded(cell[at] if at < len(cell) else "", width, right=right)
            for cell, width, right in zip(cells, widths, numeric, strict=False)
        )
        for at in range(depth)
    ]


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def _fitting(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    room: int,
    levels: Sequence[tuple[int, int, bool, int]],
) -> list[list[str]] | None:
    """Return the heading's and the rows' cells with line ends where they save room; None if nothing helps.

    Args:
        headings: One a column.
        rows: One text a column.
        numeric: Whether each column holds numbers.
        room: Characters that there are.
        levels: Ways to save room, of `LEVELS`, mildest first.
    """
    count = len(headings)
    columns = [[row[place] for row in rows] for place in range(count)]
    longest = [max((cell_len(text) for text in column), default=0) for column in columns]
    prose = [not numeric[place] and longest[place] > PROSE_CHARACTERS for place in range(count)]
    for words, folds, names, least_prose in levels:
        broken: list[list[str] | None] = []
        least: list[int] = []
        for place, column in enumerate(columns):
            heading = _heading(headings[place], words)
            if prose[place] or not (numeric[place] or names or (place and folds)):
                cells = None if prose[place] else [heading, *column]
            else:
                cells = [heading, *(_folded(text, folds) for text in column)] if numeric[place] else None
            broken.append(cells)
            narrowest = min(longest[place], least_prose if prose[place] else _least(column, place == 0))
            lines = [heading] if cells is None else cells
            width = max((cell_len(part) for text in lines for part in text.split("\n")), default=0)
            least.append(max(width, narrowest) if cells is None else width)
        free = room - sum(least) - GAP * (count - 1)
        if free >= 0:
            wanted = [max(0, longest[place] - least[place]) for place in range(count)]
            for place, cells in enumerate(broken):
                if cells is None:
                    # What is left goes to those that want it, each by how much it wants.
                    flexible = sum(want for want, other in zip(wanted, broken, strict=True) if other is None)
                    share = free * wanted[place] // flexible if flexible > free else wanted[place]
                    width = least[place] + share
                    texts = [_wrapped(text, width) for text in columns[place]]
                    broken[place] = [_heading(headings[place], words), *texts]
                    free -= share
                    wanted[place] = 0
            return [list(line) for line in zip(*(cells or [] for cells in broken), strict=True)]
    return None


def _least(column: Sequence[str], names: bool) -> int:
    """Return to how many characters a column of short texts or names may shrink."""
    parts = max((cell_len(part.strip()) for text in column for part in _parts(text)), default=0)
    return NARROWEST_NAME if names else parts


def _heading(text: str, words: int) -> str:
    """Return a heading on one line, a line a word, or a line a part of a word."""
    if words == 0:
        return text
    parts = text.split() if words == 1 else (part.strip() for part in _parts(text))
    return "\n".join(filter(None, parts))


def _folded(text: str, folds: int) -> str:
    """Return an entry on more lines: a spread under its median, then the end of a range under its start."""
    if folds == 0:
        return text
    if " (" in text and folds == 1:
        return text.replace(" (", "\n(")
    text = _RANGE.sub("\\g<0>\n", text)
    return text.replace(" ", "\n") if folds > 1 else text


def _parts(text: str) -> list[str]:
    """Return the pieces of a text between which a line may end."""
    ends = [0, *(match.start() for match in _BREAKS.finditer(text) if match.start()), len(text)]
    return [text[start:end] for start, end in pairwise(ends) if start < end]


def _wrapped(text: str, width: int) -> str:
    """Return a text in lines of at most a width, broken between words or parts of words where it can be."""
    lines: list[str] = []
    for whole in text.split("\n"):
        line = ""
        for part in _parts(whole):
            if cell_len((line + part).rstrip()) <= width:
                line += part
                continue
            lines += [line.rstrip()] if line.strip() else []
            line = part.lstrip()
            while cell_len(line.rstrip()) > width:
                cut = _cut(line, width)
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line.rstrip())
    return "\n".join(lines)


def _cut(word: str, width: int) -> int:
    """Return after how many letters a word that is too long goes on in the next line: not between digits."""
    fitting = max((at for at in range(1, len(word) + 1) if cell_len(word[:at]) <= width), default=1)
    for at in range(fitting, fitting // 2, -1):
        if not (word[at - 1 : at + 1].replace(".", "0").isdigit() and at < len(word)):
            return at
    return fitting
