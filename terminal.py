"""Print on the terminal: text as it is, notes, and tables that fit the width without breaking a number.

Square brackets are letters here, not markup; what would command the terminal is escaped, and letters that its
encoding lacks are written by others that look alike.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
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


@dataclass(frozen=True, slots=True)
class Saving:
    """How room is saved in a table that is too wide."""

    headings: int = 0
    """0: a heading stays on one line; 1: a line a word; 2: a line a part of a word."""
    entries: int = 0
    """0: entries stay on one line; 1: a spread goes under its median; 2: a range's end under its start."""
    prose_characters: int = 24
    """To which a column of prose shrinks at most."""
    names: bool = False
    """Whether names break."""


SAVINGS = (
    Saving(),
    Saving(headings=1),
    Saving(headings=1, entries=1),
    Saving(headings=1, entries=2),
    Saving(headings=2, entries=2),
    Saving(headings=2, entries=2, prose_characters=12),
    Saving(headings=2, entries=2, prose_characters=12, names=True),
)
"""Mildest first; where none is enough, columns are left out."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """One column with line ends where they save room."""

    heading: str
    texts: list[str]
    least: int
    """Characters that it needs."""
    wanted: int
    """Characters more with which its texts would not have to break; 0 where they do not."""


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
        savings = [saving for saving in SAVINGS if not (whole_names and saving.names)]
        drawn = _fitting(headings[:shown], part, numeric, console.width, savings)
        if drawn is not None or shown <= 1:
            break
        shown -= 1
    lines = drawn or [[text] for text in (headings[0], *(row[0] for row in texts))]
    widths = [_width(line[place] for line in lines) for place in range(shown)]
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
    savings: Iterable[Saving],
) -> list[list[str]] | None:
    """Return the heading's and the rows' cells with line ends where they save room; None if nothing helps.

    Args:
        headings: One a column.
        rows: One text a column.
        numeric: Whether each column holds numbers.
        room: Characters that there are.
        savings: Ways to save room, mildest first.
    """
    texts = [[row[place] for row in rows] for place in range(len(headings))]
    for saving in savings:
        columns = [
            _numbers(heading, column, saving) if right else _words(heading, column, saving, place == 0)
            for place, (heading, column, right) in enumerate(zip(headings, texts, numeric, strict=False))
        ]
        free = room - sum(column.least for column in columns) - GAP * (len(columns) - 1)
        if free >= 0:
            cells = [[column.heading, *texts] for column, texts in _shared_out(columns, free)]
            return [list(line) for line in zip(*cells, strict=True)]
    return None


def _numbers(heading: str, texts: Sequence[str], saving: Saving) -> _Drawn:
    """Return a column whose entries break where the saving says, and nowhere else."""
    heading, folded = _heading(heading, saving.headings), [_folded(text, saving.entries) for text in texts]
    return _Drawn(heading, folded, _width([heading, *folded]), 0)


def _words(heading: str, texts: Sequence[str], saving: Saving, names: bool) -> _Drawn:
    """Return a column of texts, which may have to break: prose first, names last.

    Args:
        heading: Above it.
        texts: One a row.
        saving: How room is saved.
        names: Whether it is the first column.
    """
    heading, longest = _heading(heading, saving.headings), _width(texts)
    prose = longest > PROSE_CHARACTERS
    if not (prose or saving.names or (saving.entries and not names)):
        return _Drawn(heading, list(texts), max(longest, _width([heading])), 0)
    parts = [part.strip() for text in texts for part in _parts(text)]
    narrowest = saving.prose_characters if prose else NARROWEST_NAME if names else _width(parts)
    least = max(_width([heading]), min(longest, narrowest))
    return _Drawn(heading, list(texts), least, max(0, longest - least))


def _shared_out(columns: Sequence[_Drawn], free: int) -> Iterator[tuple[_Drawn, list[str]]]:
    """Yield the columns with their texts broken to what they get of the free room, by how much they want."""
    wanted = sum(column.wanted for column in columns)
    for column in columns:
        if not column.wanted:
            yield column, column.texts
            continue
        share = min(column.wanted, free * column.wanted // wanted)
        free, wanted = free - share, wanted - column.wanted
        yield column, [_wrapped(text, column.least + share) for text in column.texts]


def _width(texts: Iterable[str]) -> int:
    """Return the longest line of some texts, in characters' cells."""
    return max((cell_len(line) for text in texts for line in text.split("\n")), default=0)


def _heading(text: str, breaks: int) -> str:
    """Return a heading on one line, a line a word, or a line a part of a word."""
    if breaks == 0:
        return text
    parts = text.split() if breaks == 1 else (part.strip() for part in _parts(text))
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
