"""Write a table for pasting: as Markdown, as CSV, and as a BibTeX entry that names what it was made from."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from ...bench.records.rows import MetricRow
from ...text_file import guarded
from ...visible_text import visible
from ..tables.digits import file_name
from ..tables.latex import escaped
from ..tables.selection import Selection
from ..tables.table import Table

MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#$])")
"""What Markdown reads as more than itself inside a line."""


def as_markdown(table: Table) -> str:
    """Return title, table, and its sentences as a list, in the Markdown that GitHub and Pandoc read."""
    headings = [column.heading for column in table.columns]
    sides = ["---:" if column.numeric else ":---" for column in table.columns]
    rows = [[entry.text for entry in row.entries] for row in table.rows]
    lines = [_line(map(_plain, headings)), _line(sides), *(_line(map(_plain, row)) for row in rows)]
    sentences = [f"- {_plain(sentence)}" for sentence in table.sentences]
    return "\n".join([f"**{_plain(table.title)}**", "", *lines, "", *sentences, ""])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    return MARKUP.sub(r"\\\1", visible(text))


def as_csv(table: Table) -> str:
    """Return a row a line; a column of numbers becomes two, unrounded and as shown with its interval."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    headings = [
        [column.heading, f"{column.heading} (as shown)"][: 1 + column.numeric] for column in table.columns
    ]
    writer.writerow([guarded(heading) for pair in headings for heading in pair])
    for row in table.rows:
        cells: list[object] = []
        for column, entry in zip(table.columns, row.entries, strict=True):
            if column.numeric:
                cells.append(entry.value if entry.is_number else None)
            cells.append(guarded(entry.text))
        writer.writerow(cells)
    return stream.getvalue()


def results_sha256(selection: Selection, metrics: Sequence[MetricRow]) -> str:
    """Return a hash of all that numbers under these metrics depend on: measurements, scores and failures."""
    digest = hashlib.sha256()
    for metric in metrics:
        for row in (metric.metric_id.encode(), *selection.rows(metric)):
            digest.update(len(row).to_bytes(8, "big"))
            digest.update(row)
    return digest.hexdigest()


def as_bibtex(table: Table, results: str, year: str) -> str:
    """Return an entry that says which program made a table, from which results.

    Args:
        table: By its title.
        results: Their SHA-256, as `results_sha256` has it.
        year: Of the newest run.
    """
    # BibTeX counts braces, escaped ones too.
    title = escaped(table.title).replace(r"\{", r"\textbraceleft{}").replace(r"\}", r"\textbraceright{}")
    return "\n".join(
        [
            f"@misc{{codecarena-{file_name(table.title)}-{results[:8]},",
            f"  title = {{{{{title}}}}},",
            "  author = {{codecarena}},",
            f"  howpublished = {{Table of codecarena {version('codecarena')}}},",
            f"  note = {{Made from the results with SHA-256 {results}}},",
            f"  year = {{{year}}},",
            "}",
        ]
    )
