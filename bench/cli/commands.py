"""The benchmark's commands beside `run` and `score`; what costs time to import is imported inside."""

from __future__ import annotations

import atexit
import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ...counts import counted
from ...visible_text import say
from ..options import STORE, DataOption, JsonOption, OnlyOption, StoreOption, WorkersOption

if TYPE_CHECKING:
    from ...codecs.base import Family

app = typer.Typer()


@app.command("score-set")
def score_set(
    suite: Annotated[str, typer.Argument(help="A shipped suite's name or a .toml file.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            "-m",
            help="fid, kid, fid-whole, swd or spectrum.",
            show_default="all whose weights are here",
        ),
    ] = None,
    store: StoreOption = STORE,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare whole sets of stored pictures: FID and KID of tiles, and two distances without weights."""
    from ...terminal import Terminal, print_notes
    from ..run.suite import find, load
    from ..sets.registry import available, create
    from ..sets.scoring import score_sets
    from ..sets.table import records, show
    from ..store.writer import StoreWriter
    from .progress import counting

    # What `cli.main` leaves uncollected for speed, a library beneath torch reports as leaks at exit.
    atexit.unregister(gc.freeze)
    loaded, _ = load(find(suite))
    metrics, absent = ([create(name) for name in dict.fromkeys(metric)], []) if metric else available()
    console = Terminal(stderr=True)
    writer = StoreWriter(store, make=False)
    try:
        with counting(console, "sets of pictures") as advanced:
            report = score_sets(loaded, writer, metrics, data, advanced)
        rows = records(writer, report, metrics)
    finally:
        writer.close()
    print_notes((*absent, *report.notes), console)
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        show(Terminal(), rows, metrics)
    raise typer.Exit(1 if report.unscored or not report.pools else 0)


@app.command()
def verify(
    suite: Annotated[str, typer.Argument(help="A shipped suite's name or a .toml file.")],
    store: StoreOption = STORE,
    data: DataOption = None,
    workers: WorkersOption = 0,
    only: OnlyOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most this many pictures a set.")
    ] = None,
    encode: Annotated[bool, typer.Option(help="Also ask each encoder for the same bytes again.")] = True,
    see: Annotated[
        list[Path] | None, typer.Option("--see", help="A folder that decoders may read, such as weights.")
    ] = None,
    isa: Annotated[
        bool, typer.Option("--isa", help="Also decode as on processors with older instructions.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Decode every stored bitstream with nothing else in reach, and compare. Exit status 1 if one differs."""
    from ...codecs.instruction_sets import OLDER
    from ...terminal import Terminal
    from ..run.suite import find, load
    from ..store.writer import StoreWriter
    from ..verify import verify_report
    from ..verify.verify import verify as verify_suite
    from .progress import counting
    from .run_options import options

    loaded, _ = load(find(suite))
    chosen = options(data, workers, only, limit)
    writer = StoreWriter(store, make=False)
    try:
        with counting(Terminal(stderr=True), "bitstreams") as advanced:
            report = verify_suite(
                loaded,
                writer,
                chosen,
                advanced,
                encode=encode,
                shown=see or (),
                older=OLDER if isa else (),
            )
    finally:
        writer.close()
    if as_json:
        typer.echo(json.dumps(verify_report.as_record(report), indent=2))
    else:
        verify_report.show(Terminal(), report)
    raise typer.Exit(130 if report.interrupted else 1 if report.wrong or not report.count else 0)


@app.command("import")
def import_results(
    file: Annotated[
        Path,
        typer.Argument(
            help="CompressAI's JSON, a folder of its --per-image files, or a CSV: see docs/interchange.md."
        ),
    ],
    store: StoreOption = STORE,
    data: DataOption = None,
    image_set: Annotated[str | None, typer.Option("--set", help="The image set it is about.")] = None,
    codec: Annotated[
        str | None, typer.Option("--codec", help="The codec's name.", show_default="the file's")
    ] = None,
    family: Annotated[str, typer.Option(help="classic, learned or generative.")] = "learned",
    origin: Annotated[str, typer.Option("--origin", help="Where the numbers come from: paper, site.")] = "",
    rates: Annotated[
        str | None,
        typer.Option(
            "--rates",
            metavar="bytes|estimated",
            help="Whether its rates are sizes of bitstreams or estimates of an entropy model.",
            show_default="what the file says, else bytes",
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", "-m", help="To score pictures with.", show_default="those of the set here"),
    ] = None,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Bring in what another tool measured: its pictures, which are scored here, or its published means."""
    from dataclasses import asdict
    from typing import get_args

    from ...codecs import base
    from ...terminal import Terminal, print_notes
    from ..records.rows import RateKind
    from ..run.foreign_results import InterchangeError
    from ..run.import_results import ImportOptions, import_file
    from ..store.writer import StoreWriter
    from .progress import counting

    known = get_args(base.Family)
    if family not in known:
        raise InterchangeError(f"--family {family!r}: expected {', '.join(known[:-1])} or {known[-1]}")
    if rates not in (None, *get_args(RateKind)):
        raise InterchangeError(f"--rates {rates!r}: expected bytes or estimated")
    options = ImportOptions(
        image_set,
        codec,
        cast("Family", family),
        origin,
        cast("RateKind | None", rates),
        tuple(metric or ()),
        data,
        workers,
    )
    console = Terminal(stderr=True)
    writer = StoreWriter(store)
    try:
        with counting(console, "pictures") as advanced:
            report = import_file(file, writer, options, advanced)
    finally:
        writer.close()
    print_notes(report.notes, console)
    if report.estimated and not as_json:
        of = f"{report.estimated} of {report.points or report.pictures}"
        say(f"{of} rates are estimates, sizes of no bitstream: marked (estimated) wherever they stand")
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    elif report.points:
        say(f"{counted(report.points, 'published point')} stored; compare them with codecarena published")
    else:
        new = f"{report.added} of {counted(report.pictures, 'picture')} new"
        say(
            f"{new}, {counted(report.scored, 'score')} added; they stand in the leaderboard, marked "
            "(imported)"
        )
    raise typer.Exit(1 if report.notes else 0)
