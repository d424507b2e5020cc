"""Import files of votes from other tools; `interchange` describes the formats."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any, cast

from ..design.plan import REFERENCE
from ..ledger.votes import KINDS
from ..scale.votes import (
    FIRST_WON,
    NO_PREFERENCE,
    SECOND_WON,
    Kind,
    VoteRecord,
    Votes,
    VotesError,
    from_records,
)
from .interchange import InterchangeError

LONGEST_SECONDS = 200
"""A median response time above it is in milliseconds, whatever the file's description says."""
MOST_VOTES = 1_000_000
"""That a file may hold, counts multiplied out."""


@dataclass(frozen=True, slots=True)
class Line:
    """One vote, or so many equal ones, of somebody's file."""

    place: str
    """Where it stands, as ``line 3``."""
    cells: Mapping[str, Any]  # Any: a cell of somebody's table

    def get(self, name: str, default: str = "") -> str:
        """Return a cell as text; the default where it is missing or empty."""
        value = self.cells.get(name)
        empty = value is None or value != value or value == ""
        return default if empty else str(value).strip()

    def named(self, name: str) -> str:
        """Return a cell that must hold something.

        Raises:
            _WrongCellError: It is missing or empty.
        """
        value = self.get(name)
        if not value:
            raise _WrongCellError(f"{self.place}: {name}: expected a name; got nothing")
        return value

    def one_of(self, name: str, meaning: Mapping[str, int]) -> int:
        """Return what a cell means.

        Raises:
            _WrongCellError: It is none of the words expected.
        """
        value = self.get(name)
        if value.lower() not in meaning:
            raise _WrongCellError(
                f"{self.place}: {name}: expected one of {', '.join(meaning)}; got {value[:60]!r}"
            )
        return meaning[value.lower()]

    def number(self, name: str) -> float:
        """Return a cell as a number; NaN where it is none."""
        try:
            return float(self.get(name))
        except ValueError:
            return float("nan")

    def same(self, first: str, second: str) -> bool:
        """Whether two cells hold one name."""
        return self.get(first) == self.get(second)


class _WrongCellError(ValueError):
    pass


def read(form: str, file: Path) -> Votes:
    """Return the votes of a file.

    Raises:
        InterchangeError: No such format, a column is missing, or a value is none of those expected; the
            message names file, line (or row, of a Parquet file) and value.
    """
    if form not in _READERS:
        raise InterchangeError(f"no format {form!r}; there are {', '.join(_READERS)}")
    reader, needed = _READERS[form]
    try:
        lines = _ROWS.get(form, _table)(file)
        columns = lines[0].cells.keys() if lines else set[str]()
        for alternatives in needed:
            if lines and not columns & set(alternatives):
                present = ", ".join(sorted(map(str, columns)))
                raise InterchangeError(f"{file}: no column {' or '.join(alternatives)}; it has {present}")
        return reader(lines)
    except (_WrongCellError, VotesError) as error:
        raise InterchangeError(f"{file}: {error}") from error
    except (OSError, ValueError) as error:
        raise InterchangeError(f"{file}: cannot be read: {error}") from error


def _table(file: Path) -> list[Line]:
    """Return the rows of a CSV file, quoted line breaks and all."""
    with file.open(encoding="utf-8-sig", newline="") as content:
        reader = csv.DictReader(content, strict=True)
        names = reader.fieldnames or []
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise _WrongCellError(f"line 1: column {repeated[0]!r} stands there twice")
        lines: list[Line] = []
        for row in _rows(reader):
            place = f"line {reader.line_num}"
            # What is too much has a key of its own, what is too little is None.
            if len(row) > len(names) or None in row.values():
                raise _WrongCellError(f"{place}: expected {len(names)} cells, as the first line has")
            lines.append(Line(place, row))
    return lines


def _rows(reader: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise _WrongCellError(f"after line {reader.line_num}: {error}") from error


def _parquet(file: Path) -> list[Line]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.ParquetFile(file).read().to_pylist()
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error
    return [Line(f"row {at}", row) for at, row in enumerate(rows, 1)]


def _json_lines(file: Path) -> list[Line]:
    """Return the objects of a file, one a line, or all in one list."""
    text = file.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("["):
        return [_object(f"entry {at}", row) for at, row in enumerate(json.loads(text), 1)]
    lines: list[Line] = []
    # Not splitlines: a text may hold line separators of Unicode.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _WrongCellError(f"line {number}: not JSON: {error}") from error
        lines.append(_object(f"line {number}", row))
    return lines


def _object(place: str, row: object) -> Line:
    if not isinstance(row, dict):
        raise _WrongCellError(f"{place}: expected an object, got {str(row)[:40]!r}")
    return Line(place, cast("dict[str, Any]", row))


_ROWS: Mapping[str, Callable[[Path], list[Line]]] = {"parquet": _parquet, "battles": _json_lines}


def _read_full(lines: Sequence[Line]) -> Votes:
    meaning = {"first": FIRST_WON, "second": SECOND_WON, "none": NO_PREFERENCE, "tie": NO_PREFERENCE}

    def records() -> Iterator[VoteRecord]:
        total = 0
        for line in lines:
            if line.get("winner") == "skip":
                continue
            kind = KINDS[_kind(line)]
            if line.same("first", "second") and kind != Kind.IDENTICAL:
                raise _WrongCellError(
                    f"{line.place}: expected two conditions; got {line.get('first')!r} twice"
                )
            vote = VoteRecord(
                line.named("rater") if "rater" in line.cells else "unknown",
                line.get("picture", "unknown"),
                line.named("first"),
                line.named("second"),
                line.one_of("winner", meaning),
                kind,
                line.number("response_ms") / 1000,
            )
            count = _count(line)
            total += count
            if total > MOST_VOTES:
                raise _WrongCellError(f"{line.place}: count: more than {MOST_VOTES:,} votes in all")
            yield from repeat(vote, count)

    raters_known = bool(lines) and "rater" in lines[0].cells
    return from_records(records(), sided=_sided(lines), raters_known=raters_known)


def _sided(lines: Sequence[Line]) -> bool:
    """Return whether first and second are sides as shown; they are where no cell says otherwise."""
    meaning = {"true": 1, "false": 0}
    answers = [line.one_of("sided", meaning) if line.get("sided") else 1 for line in lines]
    for line, answer in zip(lines, answers, strict=True):
        if answer != answers[0]:
            raise _WrongCellError(f"{line.place}: sided: expected one answer in the whole file; got two")
    return bool(answers[0]) if answers else True


def _count(line: Line) -> int:
    text = line.get("count", "1")
    number = line.number("count") if text != "1" else 1.0
    if not (number >= 0 and number.is_integer()):
        raise _WrongCellError(f"{line.place}: count: expected a whole number of votes; got {text!r}")
    return int(number)


def _kind(line: Line) -> str:
    name = line.get("kind", "main")
    if name not in KINDS:
        raise _WrongCellError(f"{line.place}: kind: expected one of {', '.join(KINDS)}; got {name!r}")
    return name


def _read_aic(lines: Sequence[Line]) -> Votes:
    # The response is the side that differs more from the source: the other one wins.
    meaning = {"left": SECOND_WON, "right": FIRST_WON, "not sure": NO_PREFERENCE}
    known = [
        response_time
        for response_time in (line.number("response_time") for line in lines)
        if response_time == response_time
    ]
    per_second = 1000 if known and median(known) > LONGEST_SECONDS else 1
    return from_records(
        VoteRecord(
            line.named("worker"),
            line.named("img_num"),
            _aic_condition(line, "left"),
            _aic_condition(line, "right"),
            line.one_of("response", meaning),
            _aic_kind(line),
            line.number("response_time") / per_second,
        )
        for line in lines
        if line.get("response").lower() not in ("skip", "skipped", "")
    )


def _aic_condition(line: Line, side: str) -> str:
    codec, level = line.named(f"codec_{side}"), line.named(f"dlevel_{side}")
    return REFERENCE if level in ("0", "0.0") else f"{codec}-{level}"


def _aic_kind(line: Line) -> Kind:
    if line.get("is_trap").lower() in ("1", "1.0", "true"):
        return Kind.GOLDEN
    same = _aic_condition(line, "left") == _aic_condition(line, "right")
    return Kind.IDENTICAL if same else Kind.PLAIN


def _read_pwcmp(lines: Sequence[Line]) -> Votes:
    column = "is_A_selected" if lines and "is_A_selected" in lines[0].cells else "selected_A"
    meaning = {"1": FIRST_WON, "0": SECOND_WON, "1.0": FIRST_WON, "0.0": SECOND_WON}
    return from_records(
        (
            VoteRecord(
                line.named("observer"),
                line.get("scene", "all"),
                line.named("condition_A"),
                line.named("condition_B"),
                line.one_of(column, meaning),
                Kind.IDENTICAL if line.same("condition_A", "condition_B") else Kind.PLAIN,
            )
            for line in lines
        ),
        # A and B are columns, not sides.
        sided=False,
    )


def _read_battles(lines: Sequence[Line]) -> Votes:
    meaning = {
        "model_a": FIRST_WON,
        "model_b": SECOND_WON,
        "tie": NO_PREFERENCE,
        "tie (bothbad)": NO_PREFERENCE,
    }
    judges = {line.get("judge") for line in lines}
    return from_records(
        (
            VoteRecord(
                line.get("judge", "unknown"),
                line.get("question_id", "all"),
                line.named("model_a"),
                line.named("model_b"),
                line.one_of("winner", meaning),
                Kind.IDENTICAL if line.same("model_a", "model_b") else Kind.PLAIN,
            )
            for line in lines
        ),
        raters_known=len(judges) > 1,
    )


_READERS: Mapping[str, tuple[Callable[[Sequence[Line]], Votes], Iterable[tuple[str, ...]]]] = {
    "csv": (_read_full, (("first",), ("second",), ("winner",))),
    "parquet": (_read_full, (("first",), ("second",), ("winner",))),
    "aic": (
        _read_aic,
        tuple(
            (name,)
            for name in (
                "worker",
                "img_num",
                "codec_left",
                "codec_right",
                "dlevel_left",
                "dlevel_right",
                "response",
            )
        ),
    ),
    "pwcmp": (
        _read_pwcmp,
        (("observer",), ("condition_A",), ("condition_B",), ("is_A_selected", "selected_A")),
    ),
    "battles": (_read_battles, (("model_a",), ("model_b",), ("winner",))),
}
