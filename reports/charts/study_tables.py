"""Tables of studies; whatever is simulated says so in its title."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...studies.analysis.results import StudyResults, results_of
from ...studies.analysis.score_results import score_results_of
from ...studies.ledger.ledger import Ledger
from ...studies.organise.presenting import SIMULATED, Record, report_tables, status_lines
from ...studies.organise.score_tables import score_tables
from ...studies.records.records import StudyRow
from ...studies.scale.scale_results import ScaleError
from ..tables.digits import EMPTY, MINUS, SPACE
from ..tables.table import Column, Entry, Row, Table

_SIGN = re.compile(r"(?<![^\s(])-(?=\d|$)")
"""A hyphen that stands for a minus, or alone for nothing."""
_TO = " to "
_WORD = re.compile(r"[^\W\d_]")
_PERCENT = re.compile(r"(\d)%")
_NUMBER = re.compile(rf"[<>]?([+{MINUS}-]?[0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class StudyFindings:
    """What one study says, or why it says nothing yet."""

    study: StudyRow
    lines: tuple[str, ...]
    """How far it is."""
    results: StudyResults | None
    """None where there is no result, and of imported scores, whose tables are there all the same."""
    tables: tuple[Table, ...]
    reason: str = ""
    """Why there is no result."""

    @property
    def warning(self) -> str:
        """Return what must stand above everything of the study; empty where nothing must."""
        return SIMULATED if self.study.simulated else ""


def every_study(ledger: Ledger, resamples: int | None = None) -> list[StudyFindings]:
    """Return what each study of a store says, oldest first."""
    return [findings_of(ledger, study, resamples) for study in ledger.studies()]


def findings_of(ledger: Ledger, study: StudyRow, resamples: int | None = None) -> StudyFindings:
    """Return what a study says by the analysis that its plan fixed.

    Args:
        ledger: That the study is in.
        study: Whose plan says which analysis is made.
        resamples: Of the bootstrap; the analysis's own number if absent. Fewer are faster, and their
            intervals coarser.
    """
    lines, record = status_lines(ledger, study.name)
    if study.holds_scores:
        scores = score_tables(score_results_of(ledger, study.name))
        return StudyFindings(study, tuple(lines), None, tuple(record_tables(scores)))
    if not record["votes"]:
        return StudyFindings(study, tuple(lines), None, (), "no votes yet")
    try:
        results = results_of(ledger, study.name, resamples)
    except ScaleError as error:
        return StudyFindings(study, tuple(lines), None, (), str(error))
    return StudyFindings(study, tuple(lines), results, tuple(record_tables(report_tables(results))))


def record_tables(tables: Iterable[tuple[str, Sequence[Record], Sequence[str]]]) -> list[Table]:
    """Return the tables of `studies` in the form of all other tables."""
    return [record_table(title, rows, notes) for title, rows, notes in tables]


def record_table(
    title: str,
    records: Sequence[Mapping[str, object]],
    notes: Sequence[str] = (),
    numeric: bool | None = None,
) -> Table:
    """Return records of the same keys as a table.

    Args:
        title: Above it.
        records: Texts and numbers.
        notes: Below it.
        numeric: Whether all columns but the first hold numbers; None looks at what is in them.
    """
    names = list(records[0]) if records else []
    columns = tuple(
        Column(name, numeric=place > 0 and (_numeric(records, name) if numeric is None else numeric))
        for place, name in enumerate(names)
    )
    rows = tuple(
        Row(tuple(_entry(record[column.title], column.numeric) for column in columns), record)
        for record in records
    )
    return Table(title, columns, rows, tuple(notes))


def _entry(value: object, numeric: bool) -> Entry:
    text = "" if value is None else _SIGN.sub(MINUS, str(value))
    if not _WORD.search(text.replace(_TO, "")):
        # As all other tables write intervals and percentages.
        text = _PERCENT.sub(r"\1 %", text.replace(_TO, "…"))
    return Entry(EMPTY if text == MINUS else text, _first_number(text) if numeric else None)


def _first_number(text: str) -> float | None:
    """Return the number that a text begins with, by which a column is sorted; None where it has none."""
    number = _NUMBER.match(text.replace(SPACE, ""))
    return float(number[1].replace(MINUS, "-")) if number else None


def _numeric(records: Iterable[Mapping[str, object]], name: str) -> bool:
    texts = [str(record[name]) for record in records]
    return any(texts) and all(not text or text[0] in "+-−0123456789<" for text in texts)
