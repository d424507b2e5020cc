"""Import files of votes from other tools; `interchange` describes the formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from statistics import median
from typing import Any, Literal, TypeAlias

from ...text_file import TextFileError
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
from .vote_rows import Line, WrongCellError, rows_of

LONGEST_SECONDS = 200
"""A median response time above it is in milliseconds, whatever the file's description says."""
MOST_VOTES = 1_000_000
"""That a file may hold, counts multiplied out."""

LeftOut: TypeAlias = Literal["exact repeat", "battle with names shown", "skipped trial"]
"""Why a row does not count."""
_PLURAL: Mapping[LeftOut, str] = {
    "exact repeat": "exact repeats",
    "battle with names shown": "battles with names shown",
    "skipped trial": "skipped trials",
}


@dataclass(frozen=True, slots=True)
class VoteFile:
    """What a file of votes holds."""

    votes: Votes
    left_out: Mapping[LeftOut, int]
    """How many rows are not among the votes, by why; reasons that hold for none are not here."""
    kept: Mapping[LeftOut, int]
    """How many rows that are usually left out are among the votes."""

    def sentence(self) -> str:
        """Return what was left out and what was kept, in words; nothing where neither was."""
        counts = (("left out", self.left_out), ("among them", self.kept))
        return "; ".join(
            f"{what}: {', '.join(_counted(count, why) for why, count in by_reason.items())}"
            for what, by_reason in counts
            if by_reason
        )


def _counted(count: int, why: LeftOut) -> str:
    return f"1 {why}" if count == 1 else f"{count} {_PLURAL[why]}"


@dataclass(frozen=True, slots=True)
class _Format:
    """How the rows of a format become votes."""

    votes: Callable[[Sequence[Line]], Votes]
    columns: tuple[tuple[str, ...], ...]
    """Columns that must be there: one of each."""
    answer_ids: tuple[tuple[str, ...], ...] = ()
    """Sets of columns of which any tells one answer from the next. Only rows that have all of a set can be
    one answer written twice: two people may answer alike."""
    left_out: Mapping[LeftOut, Callable[[Line], bool]] = field(default_factory=dict[Any, Any])
    """Which rows do not count, by why."""


def read(form: str, file: Path, keep: frozenset[LeftOut] = frozenset()) -> VoteFile:
    """Return the votes of a file.

    Args:
        form: Name of the format.
        file: CSV, Parquet, or JSON as one list or one object a line; its content says which.
        keep: What to count although it is usually left out; trials without an answer never count.

    Raises:
        InterchangeError: No such format, a column is missing, or a value is none of those expected; the
            message names file, line (or row, of a Parquet file) and value.
    """
    if form not in _FORMATS:
        raise InterchangeError(f"no format {form!r}; there are {', '.join(_FORMATS)}")
    known = _FORMATS[form]
    try:
        lines = rows_of(file)
        columns = {name for line in lines for name in line.cells}
        for alternatives in known.columns:
            if lines and not columns & set(alternatives):
                present = ", ".join(sorted(map(str, columns)))
                raise InterchangeError(f"{file}: no column {' or '.join(alternatives)}; it has {present}")
        reasons = list(_reasons(known, lines))
        counting = [line for line, why in zip(lines, reasons, strict=True) if why is None or why in keep]
        counts: dict[LeftOut, int] = Counter(why for why in reasons if why)
        kept: dict[LeftOut, int] = {why: count for why, count in counts.items() if why in keep}
        left_out: dict[LeftOut, int] = {why: count for why, count in counts.items() if why not in kept}
        return VoteFile(known.votes(counting), left_out, kept)
    except TextFileError as error:
        raise InterchangeError(str(error)) from error
    except (WrongCellError, VotesError) as error:
        raise InterchangeError(f"{file}: {error}") from error
    except (OSError, ValueError) as error:
        raise InterchangeError(f"{file}: cannot be read: {error}") from error


def _reasons(known: _Format, lines: Sequence[Line]) -> Iterator[LeftOut | None]:
    """Yield of each row why it does not count, or None."""
    seen: set[bytes] = set()
    for line in lines:
        identified = any(all(map(line.get, names)) for names in known.answer_ids)
        content = line.digest() if identified else None
        if content in seen:
            yield "exact repeat"
            continue
        if content:
            seen.add(content)
        yield next((why for why, holds in known.left_out.items() if holds(line)), None)


def _read_full(lines: Sequence[Line]) -> Votes:
    meaning = {"first": FIRST_WON, "second": SECOND_WON, "none": NO_PREFERENCE, "tie": NO_PREFERENCE}

    def records() -> Iterator[VoteRecord]:
        total = 0
        for line in lines:
            kind = KINDS[_kind(line)]
            if line.same("first", "second") and kind != Kind.IDENTICAL:
                raise WrongCellError(
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
                raise WrongCellError(f"{line.place}: count: more than {MOST_VOTES:,} votes in all")
            yield from repeat(vote, count)

    raters_known = bool(lines) and "rater" in lines[0].cells
    return from_records(records(), sided=_sided(lines), raters_known=raters_known)


def _sided(lines: Sequence[Line]) -> bool:
    """Return whether first and second are sides as shown; they are where no cell says otherwise."""
    meaning = {"true": 1, "false": 0}
    answers = [line.one_of("sided", meaning) if line.get("sided") else 1 for line in lines]
    for line, answer in zip(lines, answers, strict=True):
        if answer != answers[0]:
            raise WrongCellError(f"{line.place}: sided: expected one answer in the whole file; got two")
    return bool(answers[0]) if answers else True


def _count(line: Line) -> int:
    text = line.get("count", "1")
    number = line.number("count") if text != "1" else 1.0
    if not (number >= 0 and number.is_integer()):
        raise WrongCellError(f"{line.place}: count: expected a whole number of votes; got {text!r}")
    return int(number)


def _kind(line: Line) -> str:
    name = line.get("kind", "main")
    if name not in KINDS:
        raise WrongCellError(f"{line.place}: kind: expected one of {', '.join(KINDS)}; got {name!r}")
    return name


def _read_aic(lines: Sequence[Line]) -> Votes:
    # The response is the side that differs more from the source: the other one wins.
    meaning = {
        "left": SECOND_WON,
        "right": FIRST_WON,
        "not sure": NO_PREFERENCE,
    }
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


RATERS = ("judge", "judge_hash", "user_id", "evaluation_session_id")
"""What releases of arenas call those who voted; the last knows a visit of somebody only."""
QUESTIONS = ("question_id", "id", "conversation_id")
_ONE_HOT = {
    "winner_model_a": "model_a",
    "winner_model_b": "model_b",
    "winner_tie": "tie",
    "winner_both_bad": "both_bad",
    "winner_tie_bothbad": "both_bad",
}
"""Columns of which one holds 1, as the release of 55,000 battles has them, and the answer that each is."""


def _read_battles(lines: Sequence[Line]) -> Votes:
    judges = {line.first_of(RATERS) for line in lines}
    return from_records(
        (
            VoteRecord(
                line.first_of(RATERS, "unknown"),
                line.first_of(QUESTIONS, "all"),
                line.named("model_a"),
                line.named("model_b"),
                _battle_outcome(line),
                Kind.IDENTICAL if line.same("model_a", "model_b") else Kind.PLAIN,
            )
            for line in lines
        ),
        raters_known=len(judges) > 1,
    )


def _battle_outcome(line: Line) -> int:
    meaning = {
        "model_a": FIRST_WON,
        "model_b": SECOND_WON,
        "tie": NO_PREFERENCE,
        "tie (bothbad)": NO_PREFERENCE,
        "both_bad": NO_PREFERENCE,
    }
    if line.get("winner") or not line.cells.keys() & _ONE_HOT.keys():
        return line.one_of("winner", meaning)
    chosen = [answer for column, answer in _ONE_HOT.items() if line.truth(column)]
    if len(chosen) != 1:
        columns = ", ".join(column for column in _ONE_HOT if column in line.cells)
        raise WrongCellError(f"{line.place}: {columns}: expected 1 in one of them; got it in {len(chosen)}")
    return meaning[chosen[0]]


def _read_mucped23(lines: Sequence[Line]) -> Votes:
    # The answer is the picture that differs more from the original: the other one wins.
    meaning = {"a": SECOND_WON, "b": FIRST_WON}
    return from_records(
        (
            VoteRecord(
                "unknown",
                line.named("originalName"),
                line.named("methodA"),
                line.named("methodB"),
                line.one_of("answerValue", meaning),
                Kind.IDENTICAL if line.same("methodA", "methodB") else Kind.PLAIN,
            )
            for line in lines
        ),
        # A and B are in the order of the alphabet, whatever side they stood on.
        sided=False,
        raters_known=False,
    )


def _each(*names: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in names)


_TABLE = _Format(
    _read_full,
    _each("first", "second", "winner"),
    _each("client_uuid", "received_at"),
    {"skipped trial": lambda line: line.get("winner").lower() == "skip"},
)
_FORMATS: Mapping[str, _Format] = {
    "csv": _TABLE,
    "parquet": _TABLE,
    "aic": _Format(
        _read_aic,
        _each("worker", "img_num", "codec_left", "codec_right", "dlevel_left", "dlevel_right", "response"),
        _each("submission_time", "question_order"),
        {"skipped trial": lambda line: line.get("response").lower() in ("skip", "skipped", "")},
    ),
    "pwcmp": _Format(
        _read_pwcmp,
        (*_each("observer", "condition_A", "condition_B"), ("is_A_selected", "selected_A")),
    ),
    "battles": _Format(
        _read_battles,
        (*_each("model_a", "model_b"), ("winner", "winner_model_a"), ("winner", "winner_model_b")),
        (
            *_each("vote_id", "id", "conversation_id", "tstamp", "timestamp"),
            # A question alone may be put to many.
            *(("question_id", rater) for rater in RATERS),
        ),
        {"battle with names shown": lambda line: line.truth("anony") is False},
    ),
    "mucped23": _Format(_read_mucped23, _each("methodA", "methodB", "originalName", "answerValue")),
}
FORMATS = tuple(_FORMATS)
