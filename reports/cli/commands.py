"""The commands of reports but `leaderboard` and `sheet`; what costs time to import is imported inside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...bench.options import STORE, JsonOption, StoreOption
from ...visible_text import say
from .leaderboard_commands import NO_RESULTS, MetricOption, SetOption, show_tables

app = typer.Typer()


@app.command()
def rates(store: StoreOption = STORE, image_set: SetOption = None, as_json: JsonOption = False) -> None:
    """Show each codec's rates: mean of pictures, whole set; bytes of header, payload, side information."""
    from ...bench.store.store import Store
    from ..tables.rate_table import rate_table
    from ..tables.selection import selections

    show_tables(
        [rate_table(selection) for selection in selections(Store(store), image_set)], as_json, NO_RESULTS
    )


@app.command()
def seeds(
    store: StoreOption = STORE,
    metric: MetricOption = None,
    image_set: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the seed of a stochastic decoder changes: scores between seeds and between pictures."""
    from ...bench.store.store import Store
    from ..tables.seed_table import seed_table
    from ..tables.selection import choose_metrics, selections

    chosen = selections(Store(store), image_set)
    tables = [
        seed_table(selection, choose_metrics(selection.all_metrics, metric or ())) for selection in chosen
    ]
    show_tables(
        [table for table in tables if table], as_json, "No bitstream has been decoded with two seeds."
    )


@app.command()
def published(
    store: StoreOption = STORE,
    anchor: Annotated[
        str | None, typer.Option("--anchor", help="Codec of ours that BD-rates are given against.")
    ] = None,
    metric: MetricOption = None,
    image_set: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare imported means with a codec that was measured here: BD-rate of the mean curves."""
    from ...bench.store.imports import read_published
    from ...bench.store.store import Store
    from ..tables.published_table import published_table
    from ..tables.selection import choose_metrics, selections

    opened = Store(store)
    points = read_published(opened)
    tables = [
        published_table(selection, points, choose_metrics(selection.all_metrics, metric or ()), anchor)
        for selection in selections(opened, image_set)
    ]
    known = ", ".join(sorted({point.image_set for point in points}))
    nothing = (
        f"Published points are of {known}; run a suite on that set, or import them again with --set."
        if points
        else "No published points are stored; bring some in with codecarena import."
    )
    show_tables([table for table in tables if table], as_json, nothing)


@app.command()
def export(
    form: Annotated[str, typer.Argument(metavar="csv|parquet|json|latex|compressai", help="File format.")],
    out: Annotated[Path, typer.Argument(help="File to write; a folder for compressai.")],
    store: StoreOption = STORE,
    what: Annotated[
        str | None,
        typer.Option(
            "--what",
            help="cells, leaderboard, rates or seeds.",
            show_default="cells in csv and parquet, else the leaderboard",
        ),
    ] = None,
    image_set: SetOption = None,
    metric: Annotated[list[str] | None, typer.Option("--metric", "-m", help="Of the leaderboard.")] = None,
    anchor: Annotated[str | None, typer.Option("--anchor", help="Of the leaderboard.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="Of the leaderboard: bpp=0.25 or METRIC=VALUE.")
    ] = None,
) -> None:
    """Write cells, one row each with its scores, or a table; or CompressAI's result files."""
    from ...bench.store.store import Store
    from ..files.export import write

    written = write(
        Store(store), form, out, what, image_set=image_set, metrics=metric or (), anchor=anchor, at=at,
        note=say,
    )  # fmt: skip
    say(f"{written} written to {out}")


@app.command("organiser-password")
def organiser_password(
    out: Annotated[Path, typer.Argument(help="File to write the password's hash to.")],
) -> None:
    """Ask for the password of the dashboard's page Studies and write its hash, for serve."""
    from ..server.sign_in import write_hash

    write_hash(typer.prompt("Password", hide_input=True, confirmation_prompt=True), out)
    say(f"written; now: codecarena serve --organiser-password-file {out}")
