"""The command `study import`; what costs time to import is imported inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...bench.options import STORE, StoreOption
from ...visible_text import say

if TYPE_CHECKING:
    from ..design.plan import AnalysisTable
    from ..ledger.imports import Placement
    from ..ledger.ledger import Ledger
    from .condition_mapping import ConditionMapping
    from .interchange_read import LeftOut

NEAR_RATE = 0.02
"""Relative difference of a file's rate and the store's above which a mapping is doubted."""
_KEPT_BY = {"--keep-repeats": "exact repeat", "--keep-named": "battle with names shown"}
"""Option that counts what is usually left out."""


def import_command(
    name: Annotated[str, typer.Argument(help="The study's name.")],
    form: Annotated[
        str,
        typer.Argument(
            metavar="csv|parquet|aic|pwcmp|battles|mucped23|scores",
            help="What the columns are: votes, or scores.",
        ),
    ],
    file: Annotated[Path, typer.Argument(help="File to read: CSV, Parquet or JSON, as its content says.")],
    store: StoreOption = STORE,
    unit: Annotated[str, typer.Option(metavar="JOD|log-worth", help="Of the scale of votes.")] = "JOD",
    model: Annotated[
        str | None, typer.Option(help="A certain model.", show_default="what suits unit and answers")
    ] = None,
    anchor: Annotated[
        str | None,
        typer.Option(
            help="Condition at 0; of scores the codec that rates are against.",
            show_default="original, else the mean; the first",
        ),
    ] = None,
    keep_repeats: Annotated[
        bool, typer.Option("--keep-repeats", help="Count an answer as often as the file repeats it.")
    ] = False,
    keep_named: Annotated[
        bool, typer.Option("--keep-named", help="Count battles whose models were named to the rater.")
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option(help="TOML or table: which stored settings the conditions are; see docs/studies.md."),
    ] = None,
    image_set: Annotated[str | None, typer.Option("--set", help="The stored set that was judged.")] = None,
    scale: Annotated[str | None, typer.Option(metavar="Elo|MOS|DMOS|JND", help="What scores are.")] = None,
    level: Annotated[
        float | None, typer.Option(min=1, max=99.99, help="Of the scores' intervals, percent.")
    ] = None,
) -> None:
    """Read anyone's votes or scores into a study of their own, to be analysed like ours."""
    from ..design.plan import AnalysisTable, PlanError
    from ..scale.models import MODELS
    from .condition_mapping import ConditionMapping, read_mapping, with_options

    if unit not in ("JOD", "log-worth"):
        raise PlanError(f"--unit: expected JOD or log-worth; got {unit!r}")
    if model not in (None, *MODELS):
        raise PlanError(f"--model: expected one of {', '.join(MODELS)}; got {model!r}")
    of_scores = {"--scale": scale, "--level": level}
    of_votes = {
        "--unit": unit != "JOD", "--model": model, "--keep-repeats": keep_repeats, "--keep-named": keep_named,
    }  # fmt: skip
    idle = [option for option, given in (of_votes if form == "scores" else of_scores).items() if given]
    idle += ["--set"] * (form != "scores" and image_set is not None and mapping is None)
    if idle:
        without = " without --mapping" if idle == ["--set"] else ""
        raise PlanError(f"{', '.join(idle)}: says nothing of an import of {form}{without}; leave it out")
    said = read_mapping(mapping) if mapping else ConditionMapping()
    said = with_options(said, {"image_set": image_set, "scale": scale, "level": level})
    if form == "scores":
        _import_scores(store, name, file, said, anchor)
        return
    asked = {"unit": unit, "model": model, "anchor": anchor}
    analysis = AnalysisTable.model_validate(
        {key: choice for key, choice in asked.items() if choice is not None}
    )
    kept: dict[LeftOut, bool] = {"exact repeat": keep_repeats, "battle with names shown": keep_named}
    _import_votes(store, name, form, file, said, analysis, kept)


def _import_votes(
    store: str,
    name: str,
    form: str,
    file: Path,
    mapping: ConditionMapping,
    analysis: AnalysisTable,
    kept: Mapping[LeftOut, bool],
) -> None:
    from ..ledger.imports import NOWHERE, keep_votes
    from .interchange_read import InterchangeError, read
    from .stored_settings import place

    content = read(form, file, frozenset(why for why, is_kept in kept.items() if is_kept))
    counts = content.sentence()
    if content.left_out and not len(content.votes):
        raise InterchangeError(f"{file}: no row is left that counts; {counts}")
    source = f"imported from {file.name} ({form})" + (f"; {counts}" if counts else "")
    with _ledger(store) as ledger:
        placement, notes = NOWHERE, ()
        if mapping.conditions:
            placement, notes = place(ledger.store, mapping, content.votes.conditions, content.votes.pictures)
        keep_votes(ledger, name, source, content.votes, analysis, placement)
    say(f"{len(content.votes)} votes are study {name}; see codecarena study scale {name}")
    if counts:
        again = [option for option, why in _KEPT_BY.items() if why in content.left_out]
        say(counts + (f" (to count them: {' '.join(again)})" if again else ""))
    _notes(notes)


def _import_scores(store: str, name: str, file: Path, mapping: ConditionMapping, anchor: str | None) -> None:
    from ..ledger.imports import NOWHERE
    from ..ledger.score_imports import keep_scores
    from .score_file import read_scores
    from .stored_settings import place

    content = read_scores(file, mapping)
    mapping = mapping.model_copy(update={"conditions": {**content.settings, **mapping.conditions}})
    with _ledger(store) as ledger:
        placement, notes = NOWHERE, [f"no --mapping: no metric can be compared with {content.scale.name}"]
        if mapping.conditions:
            placement, of_settings = place(ledger.store, mapping, content.conditions, content.pictures)
            notes = [*of_settings, *_far_rates(content.rates, placement)]
        keep_scores(
            ledger,
            name,
            f"imported from {file.name} (scores)",
            content.scale,
            content.scores,
            placement,
            anchor,
        )
    say(
        f"{len(content.scores)} scores ({content.scale.name}) of {len(content.conditions)} conditions are "
        f"study {name}; see codecarena study report {name}"
    )
    _notes(notes)


def _far_rates(rates: Mapping[str, float], placement: Placement) -> list[str]:
    """Return notes on conditions whose rate in the file is not that of the mapped setting in the store."""
    notes: list[str] = []
    for condition, rate in rates.items():
        stored = [
            stimulus.bits_per_pixel
            for (_, name), stimulus in placement.stimuli.items()
            if name == condition and stimulus.bits_per_pixel is not None
        ]
        mean = sum(stored) / len(stored) if stored else rate
        if abs(mean - rate) > NEAR_RATE * rate:
            notes.append(
                f"{condition}: the file says {rate:.3f} bits per pixel, its setting in the store has "
                f"{mean:.3f}: is it the same setting of the same encoder?"
            )
    return notes


def _notes(notes: Sequence[str]) -> None:
    from ...terminal import print_notes

    print_notes(notes)


def _ledger(store: str) -> closing[Ledger]:
    from ..ledger.ledger import Ledger

    return closing(Ledger(store, make=True))
