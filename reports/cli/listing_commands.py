"""The commands that say what there is and what is missing; what costs time to import is imported inside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...bench.cli import listing
from ...bench.options import STORE, DataOption, JsonOption, StoreOption
from ...visible_text import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

app = typer.Typer()
list_app = typer.Typer(no_args_is_help=True, help="Show what there is.")
app.add_typer(list_app, name="list")


@app.command()
def doctor(store: StoreOption = STORE, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Load every codec and metric and say what is missing and how to get it."""
    from dataclasses import asdict

    from ...bench.cli.doctor import examine

    _print_records([asdict(line) for line in examine(store, data)], "codecarena doctor", as_json)


@list_app.command("codecs")
def list_codecs(as_json: JsonOption = False) -> None:
    """Codecs, with what is missing to run them."""
    _print_records(listing.codecs(), "codecs", as_json)


@list_app.command("metrics")
def list_metrics(
    show_all: Annotated[bool, typer.Option("--all", help="Show pyiqa's metrics one by one.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Metrics, with what is missing to run them."""
    metrics = listing.metrics()
    wrapped = [row for row in metrics if str(row["metric"]).startswith("pyiqa:")]
    shown = metrics if show_all or as_json else [row for row in metrics if row not in wrapped]
    _print_records(shown, "metrics", as_json)
    if len(shown) < len(metrics):
        say(f"and {len(wrapped)} of pyiqa's, as pyiqa:NAME: codecarena list metrics --all")


@list_app.command("sets")
def list_sets(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Image sets, and how much of each is on this machine."""
    image_sets = listing.image_sets(data) if as_json else listing.image_sets_in_brief(data)
    _print_records(image_sets, "image sets", as_json)


@list_app.command("suites")
def list_suites(as_json: JsonOption = False) -> None:
    """Suites that come with codecarena."""
    _print_records(listing.suites(), "suites", as_json)


@list_app.command("recipes")
def list_recipes(as_json: JsonOption = False) -> None:
    """Ready recipes for other people's codecs."""
    _print_records(listing.recipes(), "ready recipes", as_json)


def _print_records(rows: Sequence[Mapping[str, Any]], title: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=2))  # noqa: T201 - what was asked for
        return
    from ...terminal import Terminal
    from ..tables.terminal import show_records

    show_records(Terminal(), title, rows)
