"""Read which stored settings the conditions of somebody's study are, from TOML or a table.

A TOML file may hold everything; a table has the columns ``condition``, ``codec`` and ``setting``, one row a
condition, and the rest is said by options of the command::

    set = "photos"            # the image set that was judged
    scale = "Elo"             # of scores: Elo, MOS, DMOS or JND
    level = 99                # of their intervals, in percent

    [columns]                 # where the file of scores calls them otherwise
    condition = "method"
    low = "p99Low"

    [conditions]
    "jpegli-q55" = { codec = "jpegli", setting = 55 }

    [pictures]                # where names differ by more than a suffix
    "1044329" = "p1044329.png"
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ...datasets.validation import explain_validation
from ...text_file import TextFileError, parse_toml, read_table, read_text
from .interchange import InterchangeError

ScaleName: TypeAlias = Literal["Elo", "MOS", "DMOS", "JND"]


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class SettingTable(_Strict):
    """A setting of a codec in the store."""

    codec: str
    """Label or id."""
    setting: float
    """On the codec's own scale."""


class ColumnsTable(_Strict):
    """What the columns of a file of scores are called; the usual names where absent."""

    condition: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    """Several are joined by a dash."""
    score: str | None = None
    low: str | None = None
    high: str | None = None
    picture: str | None = None
    rate: str | None = None
    """Bits per pixel, to be compared with what the store has."""


class ConditionMapping(_Strict):
    """A whole mapping."""

    image_set: str | None = Field(default=None, alias="set")
    scale: ScaleName | None = None
    better: Literal["higher", "lower"] | None = None
    """None for what the scale usually means: of DMOS and JND less is better."""
    level: float | None = Field(default=None, gt=0, lt=100)
    """Of the intervals, percent."""
    columns: ColumnsTable = ColumnsTable()
    conditions: dict[str, SettingTable] = {}
    pictures: dict[str, str] = {}


def read_mapping(file: Path) -> ConditionMapping:
    """Return a mapping from its file.

    Raises:
        InterchangeError: The file cannot be read, a key is unknown or a value is not as it should be; the
            message names the place.
    """
    try:
        if file.suffix.lower() == ".toml":
            return ConditionMapping.model_validate(parse_toml(read_text(file), file))
        return ConditionMapping(conditions=_table(file))
    except TextFileError as error:
        raise InterchangeError(str(error)) from error
    except ValidationError as error:
        raise InterchangeError(explain_validation(file, ConditionMapping, error)) from error


def _table(file: Path) -> dict[str, SettingTable]:
    table = read_table(file, ("condition", "codec", "setting"))
    if lacking := [name for name in ("condition", "codec", "setting") if name not in table.columns]:
        raise InterchangeError(
            f"{file}: no column {lacking[0]}; expected TOML, or a table with condition, codec and setting; "
            f"it has {', '.join(table.columns) or 'none'}"
        )
    settings: dict[str, SettingTable] = {}
    for row in table.rows:
        name, codec, written = (row.cells[column].strip() for column in ("condition", "codec", "setting"))
        if not name or not codec:
            raise InterchangeError(f"{file}, line {row.line}: expected a condition and a codec")
        if name in settings:
            raise InterchangeError(f"{file}, line {row.line}: condition {name!r} stands there twice")
        try:
            settings[name] = SettingTable(codec=codec, setting=float(written))
        except ValueError as error:
            raise InterchangeError(
                f"{file}, line {row.line}, setting: expected a number; got {written!r}"
            ) from error
    return settings


# Any: values of the mapping's keys, which its own types check.
def with_options(mapping: ConditionMapping, options: Mapping[str, Any]) -> ConditionMapping:
    """Return a mapping with what options of the command say; None leaves the file's word.

    Args:
        mapping: As its file has it.
        options: By the names of the mapping's keys.

    Raises:
        InterchangeError: An option is none of what is expected.
    """
    given = {key: value for key, value in options.items() if value is not None}
    try:
        return ConditionMapping.model_validate(mapping.model_dump() | given)
    except ValidationError as error:
        raise InterchangeError(explain_validation(Path("the options"), ConditionMapping, error)) from error
