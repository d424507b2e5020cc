"""The commands about a store itself."""

from __future__ import annotations

import typer

from ...visible_text import say
from ..options import STORE, StoreOption

app = typer.Typer(no_args_is_help=True, help="Upgrade a store.")


@app.callback()
def store() -> None:
    """Upgrade a store."""  # with one command, Typer would leave the group's name out


@app.command()
def upgrade(store: StoreOption = STORE) -> None:
    """Bring an older store to this version with all its rows."""
    from ..store.database import locate
    from ..store.opening import HEAD
    from ..store.opening import upgrade as upgrade_store

    before, shown = upgrade_store(store), locate(store).shown
    if before is None:
        say(f"{shown} holds no store yet: there is nothing to upgrade")
    elif before == HEAD:
        say(f"{shown} has tables of version {HEAD} already")
    else:
        say(f"{shown} was upgraded from version {before} to {HEAD}; all its rows are kept")
