"""Write tables as HTML that scrolls and prints well; names are escaped, whatever they hold."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape as escape_html

from ...visible_text import visible
from .table import Column, Entry, Row, Table


def html_table(table: Table, links: Sequence[str] = (), thumbnails: str = "") -> str:
    """Return the table's grid as HTML; the first cell of each row is its heading.

    Args:
        table: With its columns and rows.
        links: Where the heading of each row leads, in their order; none lead anywhere where it is empty.
        thumbnails: Address of small pictures, before the hash of a picture that a row's record names; no
            pictures where it is empty.
    """
    head = "".join(_heading(column) for column in table.columns)
    body = "".join(
        _row(table.columns, row, link, thumbnails)
        for row, link in zip(table.rows, links or [""] * len(table.rows), strict=True)
    )
    label = escape(table.title, quote=True)
    # Focusable, so that the keyboard can scroll it.
    return (
        f'<div class="arena" role="region" tabindex="0" aria-label="{label}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def escape(text: str, *, quote: bool = False) -> str:
    """Return text of any origin as HTML shows it: see `visible`, which turns no line round.

    Args:
        text: Of any letters.
        quote: Whether it stands in an attribute.
    """
    return escape_html(visible(text), quote=quote)


def _heading(column: Column) -> str:
    title = f' title="{escape(column.help, quote=True)}"' if column.help else ""
    number = ' class="number"' if column.numeric else ""
    # A browser would break a line behind a hyphen, which stands inside a name.
    words = [
        f'<span class="whole">{escape(word)}</span>' if "-" in word else escape(word)
        for word in column.heading.split(" ")
    ]
    return f'<th scope="col"{number}{title}>{" ".join(words)}</th>'


def _row(columns: tuple[Column, ...], row: Row, link: str, thumbnails: str) -> str:
    entries = row.entries
    name = escape(entries[0].text, quote=True)
    sha256 = escape(str(row.record.get("picture_sha256", "")), quote=True)
    # The name beside it says what it shows.
    picture = f'<img src="{thumbnails}{sha256}" alt="" loading="lazy">' if thumbnails and sha256 else ""
    heading = f'<a href="{escape(link, quote=True)}">{picture}{name}</a>' if link else f"{picture}{name}"
    cells = "".join(_cell(column, entry) for column, entry in zip(columns[1:], entries[1:], strict=True))
    kinds = ["without-number"] * row.without_number + ["pinned"] * row.pinned
    kind = f' class="{" ".join(kinds)}"' if kinds else ""
    return f'<tr{kind}><th scope="row" title="{name}"{_value(entries[0])}>{heading}</th>{cells}</tr>'


def _cell(column: Column, entry: Entry) -> str:
    kind = "number" if column.numeric else "message" if len(entry.text) > 40 else ""
    if column.numeric and entry.value is None:
        kind += " empty"
    title = f' title="{escape(entry.hint, quote=True)}"' if entry.hint else ""
    return f'<td class="{f"{kind} {entry.tone}".strip()}"{title}{_value(entry)}>{escape(entry.text)}</td>'


def _value(entry: Entry) -> str:
    """Return what a browser sorts the cell by, as JavaScript writes numbers."""
    if not entry.is_number:
        return ""
    return f' data-value="{entry.value!r}"'.replace("inf", "Infinity")
