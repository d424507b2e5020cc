"""Read what people scored conditions with: opinion scores, Elo or JND, with the intervals of those."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...text_file import TextFileError
from ..records.records import PublishedScore, ScoreScale
from .condition_mapping import ConditionMapping, ScaleName, SettingTable
from .interchange import InterchangeError
from .vote_rows import Line, WrongCellError, rows_of

_NAMES = {
    "condition": ("condition", "method", "stimulus"),
    "score": ("score", "elo", "mos", "dmos", "jnd"),
    "low": ("low", "lower", "ci_low", "ci_min"),
    "high": ("high", "hi", "upper", "ci_high", "ci_max"),
    "picture": ("picture", "image"),
    "rate": ("bits_per_pixel", "bpp"),
}
"""What columns are usually called, in small letters."""
_SCALES: dict[str, ScaleName] = {"elo": "Elo", "mos": "MOS", "dmos": "DMOS", "jnd": "JND"}
_LOWER_IS_BETTER = ("DMOS", "JND")
_PERCENTILE = re.compile(r"p(\d\d(?:\.\d+)?)_?(low|lower|hi|high|upper)", re.IGNORECASE)
"""As ``p99Low``: the end of an interval, and its level."""


@dataclass(frozen=True, slots=True)
class ScoreFile:
    """What a file of scores holds."""

    scale: ScoreScale
    scores: tuple[PublishedScore, ...]
    settings: dict[str, SettingTable]
    """Of the conditions that the file itself names as codec and setting."""
    rates: dict[str, float]
    """Bits per pixel of conditions, as the file has them."""

    @property
    def conditions(self) -> list[str]:
        """The conditions in the order of the file."""
        return list(dict.fromkeys(score.condition for score in self.scores))

    @property
    def pictures(self) -> list[str] | None:
        """The pictures in the order of the file; None where each score is over all pictures."""
        names = [score.picture for score in self.scores if score.picture is not None]
        return list(dict.fromkeys(names)) or None


@dataclass(frozen=True, slots=True)
class _Columns:
    condition: tuple[str, ...]
    score: str
    low: str | None
    high: str | None
    picture: str | None
    rate: str | None


def read_scores(file: Path, mapping: ConditionMapping) -> ScoreFile:
    """Return the scores of a file; columns are found by their usual names where the mapping does not say.

    Args:
        file: CSV, Parquet or JSON, a row a condition, or a row a condition and picture.
        mapping: Names columns and says what the scores are.

    Raises:
        InterchangeError: A column is missing, or a row is not as it should be; the message names it.
    """
    try:
        lines = rows_of(file)
        if not lines:
            raise WrongCellError("no rows")
        columns = _columns(lines[0].cells.keys(), mapping)
        scale = _scale(columns, mapping)
        scores = [_score(line, columns) for line in lines]
        _check(lines, scores)
        settings = {} if columns.condition != ("codec", "setting") else _settings(lines)
    except TextFileError as error:
        raise InterchangeError(str(error)) from error
    except WrongCellError as error:
        raise InterchangeError(f"{file}: {error}") from error
    except (OSError, ValueError) as error:
        raise InterchangeError(f"{file}: cannot be read: {error}") from error
    rates = {
        score.condition: line.number(columns.rate)
        for line, score in zip(lines, scores, strict=True)
        if columns.rate and score.picture is None and math.isfinite(line.number(columns.rate))
    }
    return ScoreFile(scale, tuple(scores), settings, rates)


def _columns(present: Iterable[str], mapping: ConditionMapping) -> _Columns:
    names = [str(name) for name in present]
    asked = mapping.columns

    def column_of(key: str, wanted: str | None) -> str | None:
        if wanted is not None and wanted not in names:
            raise WrongCellError(f"no column {wanted}, which the mapping names; it has {', '.join(names)}")
        end = "low" if key == "low" else "hi" if key == "high" else None
        usual = (
            name
            for name in names
            if name.lower() in _NAMES[key]
            or (end and (named := _PERCENTILE.fullmatch(name)) and named[2].lower().startswith(end))
        )
        return wanted or next(usual, None)

    condition = asked.condition
    for name in condition:
        column_of("condition", name)
    if not condition and (named := column_of("condition", None)):
        condition = (named,)
    elif not condition and {"codec", "setting"} <= set(names):
        condition = ("codec", "setting")
    score = column_of("score", asked.score)
    if not condition or score is None:
        lacking = "score" if condition else "condition (or codec and setting)"
        raise WrongCellError(f"no column {lacking}; it has {', '.join(names)}; name it in the mapping")
    low, high = column_of("low", asked.low), column_of("high", asked.high)
    if (low is None) != (high is None):
        raise WrongCellError(f"an interval has two ends; there is only {low or high}")
    return _Columns(
        condition, score, low, high, column_of("picture", asked.picture), column_of("rate", asked.rate)
    )


def _scale(columns: _Columns, mapping: ConditionMapping) -> ScoreScale:
    name = mapping.scale or _SCALES.get(columns.score.lower())
    if name is None:
        raise WrongCellError(
            f"what is {columns.score}? Say it with --scale or in the mapping: Elo, MOS, DMOS or JND"
        )
    named = [
        float(match[1]) for column in (columns.low, columns.high) if column
        and (match := _PERCENTILE.fullmatch(column))
    ]  # fmt: skip
    level = mapping.level or next(iter(named), None)
    if any(written != level for written in named):
        raise WrongCellError(f"{columns.low} and {columns.high} do not end an interval of {level:g} %")
    if columns.low and level is None:
        raise WrongCellError(
            f"of which level are {columns.low} and {columns.high}? Say it with --level or in the mapping"
        )
    better = mapping.better or ("lower" if name in _LOWER_IS_BETTER else "higher")
    return ScoreScale(name, better, level if columns.low else None)


def _score(line: Line, columns: _Columns) -> PublishedScore:
    condition = "-".join(line.named(name) for name in columns.condition)
    score = _number(line, columns.score)
    low = high = None
    if columns.low and columns.high and (line.get(columns.low) or line.get(columns.high)):
        low, high = _number(line, columns.low), _number(line, columns.high)
        if not low <= score <= high:
            raise WrongCellError(
                f"{line.place}: expected a score within its interval; got {score:g} and {low:g} to {high:g}"
            )
    picture = line.get(columns.picture) if columns.picture else ""
    return PublishedScore(condition, picture or None, score, low, high)


def _number(line: Line, column: str) -> float:
    number = line.number(column)
    if not math.isfinite(number):
        raise WrongCellError(f"{line.place}: {column}: expected a number; got {line.get(column)!r}")
    return number


def _check(lines: Sequence[Line], scores: Sequence[PublishedScore]) -> None:
    first: dict[tuple[str, str | None], str] = {}
    for line, score in zip(lines, scores, strict=True):
        if (score.picture is None) != (scores[0].picture is None):
            raise WrongCellError(f"{line.place}: expected a picture in every row, or in none")
        key = score.condition, score.picture
        if key in first:
            of = f" of {score.picture}" if score.picture else ""
            raise WrongCellError(f"{line.place}: {score.condition}{of} stands in {first[key]} already")
        first[key] = line.place


def _settings(lines: Sequence[Line]) -> dict[str, SettingTable]:
    return {
        f"{line.named('codec')}-{line.named('setting')}": SettingTable(
            codec=line.named("codec"), setting=_number(line, "setting")
        )
        for line in lines
    }
