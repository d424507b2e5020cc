"""The command line's options that this room's commands and others share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", envvar="CODECARENA_DATA", help="Folder of the image sets.", show_default="the user's"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SetArgument = Annotated[str, typer.Argument(help="A set's name, a manifest file or a folder.")]
