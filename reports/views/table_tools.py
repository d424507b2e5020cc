"""Choose a table's columns on a page, and take it along: as Markdown, LaTeX or CSV, and as a citation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..files.table_copies import as_bibtex, as_csv, as_markdown, results_sha256
from ..tables.latex import latex
from ..tables.table import Table, without_columns
from . import pickers
from .address import WITHOUT

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from ...bench.records.rows import MetricRow
    from ..tables.selection import Selection


def pick_columns(place: DeltaGenerator, table: Table, name: str) -> Table:
    """Draw the picker of columns and return the table without those that are left out.

    Args:
        place: Where on the page.
        table: With all its columns; the first one always stays.
        name: Of the table, in the address.
    """
    behind = place.popover("Columns", icon=":material/view_column:")
    left_out = pickers.choose_many(
        behind, "Leave out", f"{name}{WITHOUT}", [column.heading for column in table.columns[1:]],
        "The link has them, and copies are without them too.",
    )  # fmt: skip
    return without_columns(table, left_out)


def offer_copies(
    place: DeltaGenerator, table: Table, selection: Selection, metrics: Sequence[MetricRow]
) -> None:
    """Draw the texts to copy of a table as it is shown.

    Args:
        place: Where on the page.
        table: With the rows and columns that are shown, in their order.
        selection: What it was made from.
        metrics: Likewise.
    """
    behind = place.popover("Copy or cite", icon=":material/content_copy:", width="content")
    newest = next(iter(selection.source.store.runs()), None)
    cited = as_bibtex(table, results_sha256(selection, metrics), newest.started_at[:4] if newest else "")
    texts = {
        "Markdown": (as_markdown(table), "Rows and columns as they are shown, with the notes."),
        "LaTeX": (latex(table), "Needs \\usepackage{booktabs,graphicx}."),
        "CSV": (as_csv(table), "Numbers unrounded, and as shown with their intervals."),
        "Cite": (cited, "The hash is of the measurements and scores: the same results give the same one."),
    }  # fmt: skip
    for tab, (text, about) in zip(behind.tabs(list(texts)), texts.values(), strict=True):
        tab.caption(about)
        # Without a height of its own: the keyboard could not scroll it.
        tab.code(text, language=None, wrap_lines=True)
