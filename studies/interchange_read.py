"""Turn others' files of votes into votes; `interchange` says what the formats are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from .interchange import InterchangeError
from .ledger_votes import KINDS
from .plan import REFERENCE
from .votes import FIRST_WON, NO_PREFERENCE, SECOND_WON, Kind, VoteRecord, Votes, VotesError, from_records

Line = Mapping[str, Any]  # Any: a cell of somebody's table.
LONGEST_SECONDS = 200
"""A median response time above it is in milliseconds, whatever the file's description says."""


def read(form: str, file: Path) -> Votes:
    """Return the votes of a file.

    Raises:
        InterchangeError: No such format, a column is missing, or a value is none of those expected; the
            message names file, row and value.
    """
    if form not in _READERS:
        raise InterchangeError(f"no format {form!r}; there are {', '.join(_READERS)}")
    rows = _rows(form, file)
    reader, needed = _READERS[form]
    columns = set(rows[0]) if rows else set()
    for alternatives in needed:
        if rows and not columns & set(alternatives):
            expected = " or ".join(alternatives)
            raise InterchangeError(f"{file}: no column {expected}; it has {', '.join(sorted(columns))}")
    try:
        return reader(rows)
    except _WrongCellError as error:
        raise InterchangeError(f"{file}: {error}") from error
    except VotesError as error:
        raise InterchangeError(f"{file}: {error}") from error


class _WrongCellError(ValueError):
    pass


def _rows(form: str, file: Path) -> list[Line]:
    try:
        if form == "battles":
            return _json_lines(file)
        import pandas as pd

        table = (
            pd.read_parquet(file)
            if form == "parquet"
            else pd.read_csv(file, dtype=str, keep_default_na=False)
        )
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InterchangeError(f"{file}: cannot be read: {error}") from error
    return table.to_dict("records")  # pyright: ignore[reportReturnType] - column names are text


def _json_lines(file: Path) -> list[Line]:
    rows: list[Line] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InterchangeError(f"{file}: line {number}: not JSON: {error}") from error
        if not isinstance(row, dict):
            raise InterchangeError(f"{file}: line {number}: expected an object, got {line[:40]!r}")
        rows.append(row)
    return rows


def _outcome(row: Line, at: int, column: str, meaning: Mapping[str, int]) -> int:
    value = str(row[column]).strip().lower()
    if value not in meaning:
        expected = ", ".join(meaning)
        raise _WrongCellError(f"row {at + 1}: {column}: expected one of {expected}; got {row[column]!r}")
    return meaning[value]


def _seconds(rows: Sequence[Line], column: str, per_second: float) -> list[float]:
    found: list[float] = []
    for row in rows:
        try:
            found.append(float(row[column]) / per_second)
        except (KeyError, TypeError, ValueError):
            found.append(float("nan"))
    return found


def _read_full(rows: Sequence[Line]) -> Votes:
    meaning = {"first": FIRST_WON, "second": SECOND_WON, "none": NO_PREFERENCE, "tie": NO_PREFERENCE}
    times = _seconds(rows, "response_ms", 1000)
    answered = [(at, row) for at, row in enumerate(rows) if str(row["winner"]) != "skip"]
    return from_records(
        (
            VoteRecord(
                str(row.get("rater", "unknown")),
                str(row.get("picture", "unknown")),
                str(row["first"]),
                str(row["second"]),
                _outcome(row, at, "winner", meaning),
                _kind(row, at),
                times[at],
            )
            for at, row in answered
        ),
        raters_known=all("rater" in row for row in rows[:1]),
    )


def _kind(row: Line, at: int) -> Kind:
    name = str(row.get("kind", "main")) or "main"
    if name not in KINDS:
        raise _WrongCellError(f"row {at + 1}: kind: expected one of {', '.join(KINDS)}; got {name!r}")
    return KINDS[name]


def _read_aic(rows: Sequence[Line]) -> Votes:
    # The response is the side that differs more from the source: the other one wins.
    meaning = {"left": SECOND_WON, "right": FIRST_WON, "not sure": NO_PREFERENCE}
    times = _seconds(rows, "response_time", 1)
    known = [one for one in times if one == one]
    per_second = 1000 if known and median(known) > LONGEST_SECONDS else 1
    return from_records(
        VoteRecord(
            str(row["worker"]),
            str(row["img_num"]),
            _aic_condition(row, "left"),
            _aic_condition(row, "right"),
            _outcome(row, at, "response", meaning),
            _aic_kind(row),
            times[at] / per_second,
        )
        for at, row in enumerate(rows)
        if str(row["response"]).strip().lower() not in ("skip", "skipped", "")
    )


def _aic_condition(row: Line, side: str) -> str:
    codec, level = str(row[f"codec_{side}"]), str(row[f"dlevel_{side}"])
    return REFERENCE if level in ("0", "0.0") else f"{codec}-{level}"


def _aic_kind(row: Line) -> Kind:
    if str(row.get("is_trap", "0")) in ("1", "1.0", "True", "true"):
        return Kind.GOLDEN
    same = _aic_condition(row, "left") == _aic_condition(row, "right")
    return Kind.IDENTICAL if same else Kind.PLAIN


def _read_pwcmp(rows: Sequence[Line]) -> Votes:
    column = "is_A_selected" if rows and "is_A_selected" in rows[0] else "selected_A"
    meaning = {"1": FIRST_WON, "0": SECOND_WON}
    return from_records(
        (
            VoteRecord(
                str(row["observer"]),
                str(row.get("scene", "all")),
                str(row["condition_A"]),
                str(row["condition_B"]),
                _outcome(row, at, column, meaning),
            )
            for at, row in enumerate(rows)
        ),
        # A and B are columns, not sides.
        sided=False,
    )


def _read_battles(rows: Sequence[Line]) -> Votes:
    meaning = {
        "model_a": FIRST_WON,
        "model_b": SECOND_WON,
        "tie": NO_PREFERENCE,
        "tie (bothbad)": NO_PREFERENCE,
    }
    judges = {str(row.get("judge", "")) for row in rows}
    return from_records(
        (
            VoteRecord(
                str(row.get("judge", "unknown")),
                str(row.get("question_id", "all")),
                str(row["model_a"]),
                str(row["model_b"]),
                _outcome(row, at, "winner", meaning),
            )
            for at, row in enumerate(rows)
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
