"""Look up the pictures that the store has of the settings that a mapping names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from ...bench.records.rows import ScoredCell
from ...bench.store.store import Store
from ..design.plan import REFERENCE
from ..ledger.imports import Placement
from ..records.records import Condition, Content, Stimulus
from .condition_mapping import ConditionMapping, SettingTable
from .interchange import InterchangeError

SHOWN_NAMES = 4
"""How many names a message repeats."""


def place(
    store: Store, mapping: ConditionMapping, conditions: Sequence[str], pictures: Sequence[str] | None = None
) -> tuple[Placement, tuple[str, ...]]:
    """Return what the store knows of the conditions of somebody's study, and notes on what it does not know.

    Args:
        store: Where the settings were run.
        mapping: Which settings the conditions are; it names the image set.
        conditions: As the study calls them.
        pictures: As the study calls them; None for all those of the set that every mapped setting has.

    Raises:
        InterchangeError: The mapping names a set, codec, setting or condition that there is none of, or no
            picture fits.
    """
    cells = _cells(store, mapping.image_set)
    if unknown := sorted(mapping.conditions.keys() - set(conditions)):
        raise InterchangeError(
            f"the mapping names {_some(unknown)}, which the file does not have; it has {_some(conditions)}"
        )
    by_condition = {name: _pictures_at(cells, name, setting) for name, setting in mapping.conditions.items()}
    if not by_condition:
        raise InterchangeError(f"the mapping names no condition; the file has {_some(conditions)}")
    names = {cell.picture for cell in cells}
    if pictures is None:
        named = {name: name for name in sorted(set.intersection(*map(set, by_condition.values())))}
    else:
        named = _named(pictures, mapping.pictures, names)
    if not named:
        raise InterchangeError(
            f"no picture of {mapping.image_set} has all settings of the mapping; run them on the whole set"
            if pictures is None
            else f"none of the file's pictures ({_some(pictures)}) is in {mapping.image_set}, which has "
            f"{_some(sorted(names))}; name them under [pictures] of the mapping"
        )
    notes = [*_unplaced("condition", [name for name in conditions if name not in (*by_condition, REFERENCE)])]
    if pictures is None and len(named) < len(names):
        notes.append(f"of the {len(names)} pictures of {mapping.image_set}, {len(named)} have every setting")
    elif pictures is not None:
        notes += _unplaced("picture", [name for name in pictures if name not in named])
    return _placement(cells, conditions, mapping.conditions, by_condition, named), tuple(notes)


def _placement(
    cells: Iterable[ScoredCell],
    conditions: Sequence[str],
    settings: Mapping[str, SettingTable],
    by_condition: Mapping[str, Mapping[str, ScoredCell]],
    named: Mapping[str, str],
) -> Placement:
    any_cell = {cell.picture: cell for cell in cells}
    stimuli: dict[tuple[str, str], Stimulus] = {}
    for file_name, name in named.items():
        for condition, own in by_condition.items():
            if cell := own.get(name):
                facts = cell.quality, cell.bits_per_pixel, cell.decoded_sha256, cell.decoded_sha256
                stimuli[file_name, condition] = Stimulus(0, 0, *facts)
        if REFERENCE in conditions:
            sha256 = any_cell[name].picture_sha256
            stimuli[file_name, REFERENCE] = Stimulus(0, 0, None, None, sha256, sha256)
    placed: dict[str, Condition] = {}
    for condition, own in by_condition.items():
        cell = next(iter(own.values()))
        placed[condition] = Condition(
            condition, cell.codec_id, cell.codec, f"{settings[condition].setting:g}"
        )
    if REFERENCE in conditions:
        placed[REFERENCE] = Condition(REFERENCE, None, None, None, is_reference=True)
    contents = {
        file_name: Content(
            file_name,
            any_cell[name].image_set,
            any_cell[name].kind,
            any_cell[name].picture_sha256,
            any_cell[name].picture_sha256,
        )
        for file_name, name in named.items()
    }
    return Placement(placed, contents, stimuli)


def _cells(store: Store, image_set: str | None) -> list[ScoredCell]:
    known = store.image_sets()
    if image_set not in known:
        there = ", ".join(known) or "none: run a suite first"
        got = "none: name it with --set or in the mapping" if image_set is None else repr(image_set)
        raise InterchangeError(f"expected the image set that was judged, of {there}; got {got}")
    return store.cells(image_set)


def _pictures_at(cells: Sequence[ScoredCell], name: str, setting: SettingTable) -> dict[str, ScoredCell]:
    """Return the cell of each picture at a setting; of several seeds the smallest."""
    mine = [cell for cell in cells if setting.codec in (cell.codec, cell.codec_id)]
    if not mine:
        labels = sorted({cell.codec for cell in cells})
        raise InterchangeError(
            f"condition {name!r}: expected a codec with results on {cells[0].image_set}, one of "
            f"{', '.join(labels)}; got {setting.codec!r}"
        )
    if len(ids := sorted({cell.codec_id for cell in mine})) > 1:
        raise InterchangeError(
            f"condition {name!r}: several codecs are called {setting.codec!r}; name one by its id: "
            f"{', '.join(ids)}"
        )
    at_setting = sorted(
        (cell for cell in mine if cell.quality == setting.setting), key=lambda cell: -(cell.seed or 0)
    )
    if not at_setting:
        stored = ", ".join(f"{quality:g}" for quality in sorted({cell.quality for cell in mine}))
        raise InterchangeError(
            f"condition {name!r}: {setting.codec} was run at {stored}; not at {setting.setting:g}"
        )
    return {cell.picture: cell for cell in at_setting}


def _named(pictures: Sequence[str], mapped: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """Return the set's name of each picture that it has: the mapping's word, or the name, or its stem."""
    known = set(names)
    if wrong := sorted(set(mapped.values()) - known):
        raise InterchangeError(f"[pictures] names {_some(wrong)}; the set has {_some(sorted(known))}")
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in sorted(known):
        by_stem[PurePosixPath(name).stem].append(name)
    set_names: dict[str, str] = {}
    for picture in pictures:
        alike = by_stem[picture] or by_stem[PurePosixPath(picture).stem]
        if picture in mapped or picture in known:
            set_names[picture] = mapped.get(picture, picture)
        elif len(alike) == 1:
            set_names[picture] = alike[0]
        elif alike:
            raise InterchangeError(
                f"picture {picture!r} may be {_some(alike)}; name it under [pictures] of the mapping"
            )
    return set_names


def _unplaced(noun: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    return [f"{len(names)} {noun}{'' if len(names) == 1 else 's'} without stored pixels: {_some(names)}"]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more
