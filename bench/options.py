"""The command line's options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from ..datasets.cli.options import DataOption as DataOption
from ..datasets.cli.options import JsonOption as JsonOption

StoreOption = Annotated[
    str, typer.Option("--store", envvar="CODECARENA_STORE", help="Folder or database URL of the results.")
]
WorkersOption = Annotated[
    int, typer.Option("--workers", "-j", min=0, help="Worker processes; 0: one a core.")
]
OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", help="codec=NAME,... or set=NAME,...: narrow the suite.")
]
MatchOption = Annotated[
    str | None,
    typer.Option(
        "--match",
        help="bpp=0.25, bytes=8000 or METRIC=VALUE: search each codec's setting that comes nearest, "
        "instead of running the suite's qualities.",
    ),
]
MatchSetOption = Annotated[
    bool,
    typer.Option(
        "--match-set",
        help="One setting for all pictures of a set: bpp and scores are means, bytes a sum; total-bpp=0.25 "
        "means total bits over total pixels.",
    ),
]
STORE = "arena"
