"""The commands that compare codecs; what costs time to import is imported inside."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ...bench.options import STORE, JsonOption, StoreOption
from ...visible_text import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...bench.store.store import Store
    from ...studies.analysis.results import StudyResults
    from ..tables.table import Table

app = typer.Typer()

MethodOption = Annotated[
    Literal["pchip", "cubic", "akima"], typer.Option("--method", help="Interpolation of BD-rate.")
]
MetricOption = Annotated[
    list[str] | None, typer.Option("--metric", "-m", help="Metrics to show; all if absent.")
]
SetOption = Annotated[str | None, typer.Option("--set", help="One image set; all if absent.")]

WhereOption = Annotated[
    str | None,
    typer.Option("--where", help="Only pictures of some content: text_share>0.1 and face_count=0."),
]

NO_RESULTS = "The store holds no results yet; run a suite first: codecarena run quick"
_REASONS = 3
"""How many pictures without descriptors are named."""
NO_TIMINGS = "The store holds no timings yet; time a suite first: codecarena time SUITE"


@app.command()
def leaderboard(
    store: StoreOption = STORE,
    anchor: Annotated[
        str | None, typer.Option("--anchor", help="Codec that BD-rates are given against.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="bpp=0.25, or METRIC=VALUE such as ssimulacra2=70.")
    ] = None,
    metric: MetricOption = None,
    image_set: SetOption = None,
    method: MethodOption = "pchip",
    split: Annotated[
        Literal["kind"] | None,
        typer.Option("--split", help="kind: natural against AI-generated pictures, as a tested factor."),
    ] = None,
    match_pictures: Annotated[
        str | None,
        typer.Option(
            "--match-pictures",
            metavar="size,history,content",
            help="With --split kind: also on pairs of pictures that are alike in these.",
        ),
    ] = None,
    speed: Annotated[
        bool, typer.Option("--speed", help="What codecs cost instead, by the timing pass.")
    ] = False,
    where: WhereOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the stored codecs: BD-rate against an anchor, or each at one rate or one score."""
    if speed:
        options = {"--anchor": anchor, "--at": at, "--metric": metric, "--split": split, "--where": where}
        _refuse_with_speed(options | {"--match-pictures": match_pictures})
        from ...bench.store.store import Store
        from ..tables.speed import speed_tables

        show_tables(speed_tables(Store(store), image_set), as_json, NO_TIMINGS)
    elif split:
        alike = match_pictures.replace(" ", "").split(",") if match_pictures else ()
        _show_split(store, anchor, at, metric or (), image_set, method, where, as_json, alike)
    elif match_pictures:
        from ...bench.analysis.coverage import AnalysisError

        raise AnalysisError("--match-pictures goes with --split kind, whose pictures it pairs")
    else:
        show_leaderboard(store, anchor, at, metric or (), image_set, method, as_json, where)


def _refuse_with_speed(options: Mapping[str, object]) -> None:
    from ...bench.analysis.coverage import AnalysisError

    given = [name for name, value in options.items() if value]
    if given:
        raise AnalysisError(
            f"--speed shows what codecs cost, whatever {' and '.join(given)} says: leave it out"
        )


@app.command()
def compare(
    store: StoreOption = STORE,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", "-m", help="Metrics; the preferred one if absent.")
    ] = None,
    image_set: SetOption = None,
    method: MethodOption = "pchip",
    points: Annotated[
        bool, typer.Option("--points", help="Also every setting's mean rate and score with intervals.")
    ] = False,
    between: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--between",
            metavar="CODEC CODEC",
            help="One of two against the other: by metric, rate and picture.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare every codec with every other one, and show the settings that no other one beats."""
    from ...bench.store.derived_cache import Derived
    from ...bench.store.store import Store
    from ...bench.store.timings import timings
    from ..tables.anchor_differences import pair_of, pair_tables
    from ..tables.comparisons import comparison_tables
    from ..tables.selection import selections

    opened = Store(store)
    tables: list[Table] = []
    for selection in selections(opened, image_set):
        chosen = selection.scored_metrics(metric or ())
        if between:
            tables += pair_tables(pair_of(selection, between), chosen, between, Derived(opened))
            continue
        for chosen_metric in chosen if metric else chosen[:1]:
            tables += comparison_tables(
                selection,
                chosen_metric,
                timings(opened, selection.image_set),
                method=method,
                points=points,
                derived=Derived(opened),
            )
    show_tables(tables, as_json)


def show_leaderboard(
    store: str,
    anchor: str | None = None,
    at: str | None = None,
    metrics: Sequence[str] = (),
    image_set: str | None = None,
    method: Literal["pchip", "cubic", "akima"] = "pchip",
    as_json: bool = False,
    where: str | None = None,
    own_bytes_first: bool = False,
) -> None:
    """Print the leaderboards of a store, or of some of its pictures.

    Args:
        store: Folder, file or PostgreSQL address.
        anchor: Label or id of the codec whose BD-rate is 0; chosen where None.
        at: ``bpp=NUMBER`` or ``METRIC=NUMBER``: scores at a rate, costs at a score.
        metrics: Names; all stored ones where empty.
        image_set: One set; all where None.
        method: How curves are interpolated over log rate.
        as_json: Print records instead of tables.
        where: A condition on descriptors of the pictures.
        own_bytes_first: Whether codecs without a curve come first.
    """
    from ...bench.store.derived_cache import Derived
    from ..tables.leaderboard_tables import leaderboard_tables

    opened = _open(store, image_set, where)
    tables = leaderboard_tables(
        opened,
        metrics=metrics,
        anchor=anchor,
        at=at,
        image_set=image_set,
        method=method,
        derived=Derived(opened),
        people=_people(opened),
        own_bytes_first=own_bytes_first,
    )
    show_tables(tables, as_json, NO_RESULTS if where is None else f"No stored picture fits {where!r}")


def _open(store: str, image_set: str | None, where: str | None) -> Store:
    """Return a store, or its pictures of some content: what is on them is found out at the first question."""
    from ...bench.store.store import Store

    if where is not None:
        from ...bench.store.picture_filter import check_condition

        check_condition(where)
        _describe_pictures(store, image_set, "--where")
    return Store(store, where=where)


def _describe_pictures(store: str, image_set: str | None, asking: str) -> None:
    """Store the descriptors that are missing, and say of which pictures there are none.

    Args:
        store: Folder or address.
        image_set: Only pictures of this set; of all where None.
        asking: What leaves pictures without descriptors out.
    """
    from ...bench.cli.progress import counting
    from ...bench.run.picture_contents import describe_stored
    from ...bench.store.pictures import undescribed
    from ...bench.store.store import Store
    from ...bench.store.writer import StoreWriter
    from ...terminal import Terminal
    from ..tables.digits import counted

    reader = Store(store)
    missing = undescribed(reader, image_set)
    reader.close()
    if not missing:
        return
    writer = StoreWriter(store)
    console = Terminal(stderr=True)
    try:
        with counting(console, "describing pictures") as progress:
            reasons = describe_stored(writer, image_set, progress)
    finally:
        writer.close()
    if reasons:
        pictures = counted(len(reasons), "picture")
        say(f"{pictures} without descriptors, so {asking} leaves them out:", sys.stderr)
        for reason in reasons[:_REASONS]:
            say(f"  {reason}", sys.stderr)


def _people(store: Store) -> tuple[StudyResults, ...]:
    """Return the kept results of studies; what analyses them is loaded only where there is one."""
    if not store.has_studies():
        return ()
    from ...studies.analysis.results import stored_results

    return stored_results(store)


def _show_split(
    store: str,
    anchor: str | None,
    at: str | None,
    metrics: Sequence[str],
    image_set: str | None,
    method: Literal["pchip", "cubic", "akima"],
    where: str | None,
    as_json: bool,
    alike: Sequence[str],
) -> None:
    from ...bench.analysis.coverage import AnalysisError
    from ...bench.store.database import StoreError
    from ...bench.store.derived_cache import Derived
    from ..tables.kinds import check_groups, kind_tables

    if at is not None:
        raise AnalysisError("--split kind tests BD-rates; it goes with --anchor, not with --at")
    check_groups(alike)
    with suppress(StoreError):  # it may only be read: the table says that the balance is not measured
        _describe_pictures(store, image_set, "the balance of the kinds")
    opened = _open(store, image_set, where)
    tables = kind_tables(
        opened, metrics=metrics, anchor=anchor, image_set=image_set, method=method, derived=Derived(opened),
        match_on=alike,
    )  # fmt: skip
    show_tables(tables, as_json, NO_RESULTS if where is None else f"No stored picture fits {where!r}")


def show_tables(tables: Sequence[Table], as_json: bool, nothing: str = NO_RESULTS) -> None:
    """Print tables as text or as JSON; where there are none, how to get some.

    Args:
        tables: In the order of printing.
        as_json: Print one list of records.
        nothing: What to print where there is no table.
    """
    if as_json:
        from ..tables.table import as_json as records

        typer.echo(json.dumps(records(tables), indent=2))
        return
    from ...terminal import Terminal
    from ..tables.terminal import show

    for table in tables:
        show(Terminal(), table)
    if not tables:
        say(nothing)
