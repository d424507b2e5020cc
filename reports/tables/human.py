"""Columns of study results for a leaderboard: JOD at its rate, or bits at equal JOD."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from . import digits
from .table import Column, Entry, Row, Table

if TYPE_CHECKING:
    from ...studies.analysis.human_rate import HumanBdRate
    from ...studies.analysis.results import HumanValue, StudyResults

NEAR = 0.1
"""How far a condition's mean rate may be from the table's, as a fraction of it."""


def study_of(studies: Sequence[StudyResults], pictures: Iterable[str]) -> StudyResults | None:
    """Return the latest study all of whose pictures are among these, by the hashes of whole originals."""
    known = set(pictures)
    return next(
        (study for study in reversed(studies) if study.pictures and known.issuperset(study.pictures)), None
    )


def with_human_values(table: Table, study: StudyResults, bits_per_pixel: float) -> Table:
    """Return a table of scores at a rate with what people think of each codec there, and the interval.

    Args:
        table: Its records carry ``codec_id``.
        study: Whose conditions are of the same codecs.
        bits_per_pixel: A codec's condition nearest to it is shown, if it is within 10 %.
    """
    near: dict[str, HumanValue] = {}
    for value in study.values:
        gap = _gap(value, bits_per_pixel)
        if value.codec_id is not None and gap <= NEAR * bits_per_pixel:
            held = near.get(value.codec_id)
            if held is None or gap < _gap(held, bits_per_pixel):
                near[value.codec_id] = value
    if not near:
        return table
    scale = study.analysis.scale
    column = Column(
        _people(study),
        scale.unit,
        help=f"Study {study.label}: value at the condition within 10 % of the rate.",
    )

    def cell(codec_id: str) -> tuple[Entry, dict[str, Any] | None]:
        human_value = near.get(codec_id)
        if human_value is None:
            return Entry(digits.EMPTY), None
        text = _signed(human_value.value)
        if human_value.interval is not None:
            text += (
                f" ({digits.between(_signed(human_value.interval.low), _signed(human_value.interval.high))})"
            )
        return Entry(text, human_value.value), asdict(human_value)

    zero = scale.anchor or "the mean of all conditions"
    by = "raters and pictures" if scale.pictures > 1 else "raters"
    note = (
        f"{_people(study)}: study {study.label}, {scale.votes:g} votes; 0 is {zero}; 95 % interval over {by}."
    )
    return _with(table, column, cell, study, note)


def with_human_rates(table: Table, study: StudyResults) -> Table:
    """Return a table of BD-rates with that at equal human quality, where the study has the same anchor."""
    ids = {value.codec: value.codec_id for value in study.values if value.codec_id is not None}
    anchors = {bd_rate["anchor"] for row in table.rows for bd_rate in row.record["bd_rate"].values()}
    rates = {
        ids[bd_rate.codec]: bd_rate for bd_rate in study.analysis.bd_rates if anchors == {bd_rate.anchor}
    }
    if not rates:
        return table
    anchor_id = ids[anchors.pop()]
    column = Column(_people(study), "%", help=f"Study {study.label}: difference in bits at equal JOD.")

    def cell(codec_id: str) -> tuple[Entry, dict[str, Any] | None]:
        human_rate = rates.get(codec_id)
        if human_rate is None:
            return Entry("anchor", 0.0) if codec_id == anchor_id else Entry(digits.EMPTY), None
        return _rate_entry(human_rate), asdict(human_rate)

    scale = study.analysis.scale
    note = (
        f"{_people(study)}: bits at equal {scale.unit} of study {study.label}, {scale.votes:g} votes; in "
        "brackets the 95 % interval over raters and pictures."
    )
    return _with(table, column, cell, study, note)


def _rate_entry(human_rate: HumanBdRate) -> Entry:
    percent = human_rate.bd_rate.percent
    if percent is None:
        return Entry(f"{digits.EMPTY} {human_rate.bd_rate.reason}")
    text = digits.percent(percent)
    if human_rate.low is not None and human_rate.high is not None:
        text += f" ({digits.between(digits.percent(human_rate.low), digits.percent(human_rate.high))})"
    return Entry(text, percent)


def _people(study: StudyResults) -> str:
    return "Simulated people" if study.simulated else "People"


def _gap(human_value: HumanValue, bits_per_pixel: float) -> float:
    return (
        abs(human_value.bits_per_pixel - bits_per_pixel)
        if human_value.bits_per_pixel is not None
        else float("inf")
    )


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + digits.number(value, 2)


def _with(
    table: Table,
    column: Column,
    cell: Callable[[str], tuple[Entry, dict[str, Any] | None]],
    study: StudyResults,
    note: str,
) -> Table:
    rows: list[Row] = []
    for row in table.rows:
        entry, record = cell(str(row.record["codec_id"]))
        people = record and {"study": study.study, "simulated": study.simulated, **record}
        rows.append(replace(row, entries=(*row.entries, entry), record={**row.record, "people": people}))
    columns = (*table.columns, column)
    return replace(table, columns=columns, rows=tuple(rows), notes=(*table.notes, note))
