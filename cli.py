"""The command line: one thin function per command; what costs time to import is imported inside."""

from __future__ import annotations

import atexit
import gc
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import typer.main

from . import __version__
from .bench.cli.commands import app as bench_app
from .bench.cli.error_sentences import PlainErrors, error_sentence
from .bench.cli.run_options import options, said
from .bench.cli.store_commands import app as store_app
from .bench.cli.suite_runs import run_suite
from .bench.cli.timing_commands import app as timing_app
from .bench.options import (
    STORE,
    DataOption,
    JsonOption,
    MatchOption,
    MatchSetOption,
    OnlyOption,
    StoreOption,
    WorkersOption,
)
from .bench.run import study_pictures
from .bench.run.toy_pictures import sampler
from .codecs.generative.layered.commands import app as edit_app
from .counts import counted
from .datasets.cli.commands import commands as set_commands
from .reports.cli.commands import app as reports_app
from .reports.cli.figure_commands import app as figure_app
from .reports.cli.leaderboard_commands import app as leaderboard_app
from .reports.cli.leaderboard_commands import show_leaderboard
from .reports.cli.listing_commands import app as listing_app
from .studies.organise.commands import commands as study_commands
from .visible_text import plain_help, say, show_every_letter

app = typer.Typer(
    name="codecarena",
    help="Which image codec, at which rate, looks best to people, and what it costs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    cls=PlainErrors,
    context_settings={"help_option_names": ["-h", "--help"]},
)
sets_app = typer.Typer(
    no_args_is_help=True, help="Get image sets, describe, pick, compare and generate them."
)
sets_app.add_typer(set_commands(sampler))
app.add_typer(sets_app, name="sets")
app.add_typer(edit_app, name="edit")
app.add_typer(store_app, name="store")
app.add_typer(bench_app)
app.add_typer(timing_app)
app.add_typer(listing_app)
app.add_typer(leaderboard_app)
app.add_typer(reports_app)
app.add_typer(figure_app)
app.add_typer(study_commands(study_pictures), name="study")


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"codecarena {__version__}")
        raise typer.Exit


@app.callback()
def codecarena(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Which image codec, at which rate, looks best to people, and what it costs."""


@app.command()
def demo(store: StoreOption = STORE, workers: WorkersOption = 0) -> None:
    """Run the built-in suite on the built-in photographs; show the leaderboard and draw a contact sheet."""
    report = run_suite("quick", store, options(workers=workers, call=("run",)))
    show_leaderboard(store, own_bytes_first=True)
    from .bench.store.database import locate
    from .reports.tables.terminal import own_command

    if not report.stopped:
        out = locate(store).blobs.parent / "contact-sheet.png"
        out = out.relative_to(Path.cwd()) if out.is_relative_to(Path.cwd()) else out
        _draw_sheet(store, out)
        say(f"\nEvery codec side by side:  {out}")
        _simulate_study(store)
    where = "" if store == STORE else f" --store {shlex.quote(store)}"
    say(f"See it in the browser:  {own_command()} serve{where}")
    raise typer.Exit(report.exit_status)


@app.command()
def run(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="A shipped suite's name or a .toml file.")],
    store: StoreOption = STORE,
    data: DataOption = None,
    workers: WorkersOption = 0,
    only: OnlyOption = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Most pictures of each set.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run failed cells again.")] = False,
    force: Annotated[
        list[str] | None, typer.Option("--force", help="CODEC, picture=NAME or quality=50: measure again.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run, and run nothing.")] = False,
    timing: Annotated[bool, typer.Option(help="Time what the suite's [timing] table says.")] = True,
    match: MatchOption = None,
    match_set: MatchSetOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run what is missing of a suite. Exit status 1 if a cell has no result in the end."""
    chosen = options(
        data, workers, only, limit, retry_failed, force, dry_run, timing=timing, call=said(context)
    )
    if match is not None or match_set:
        from .bench.cli.match_report import match_suite

        raise typer.Exit(match_suite(suite, store, chosen, match or "", match_set, as_json))
    report = run_suite(suite, store, chosen, as_json=as_json)
    if not dry_run:
        raise typer.Exit(report.exit_status)


@app.command()
def score(
    context: typer.Context,
    suite: Annotated[str, typer.Argument(help="A shipped suite's name or a .toml file.")],
    metric: Annotated[list[str], typer.Option("--metric", "-m", help="A metric to add.")],
    store: StoreOption = STORE,
    data: DataOption = None,
    workers: WorkersOption = 0,
    only: OnlyOption = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed scores again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add a metric to what is stored; nothing is encoded."""
    chosen = options(data, workers, only, retry_failed=retry_failed, score_only=True, call=said(context))
    report = run_suite(suite, store, chosen, metrics=tuple(metric), as_json=as_json)
    raise typer.Exit(report.exit_status)


@app.command()
def sheet(
    out: Annotated[Path, typer.Argument(metavar="OUT.png", help="File to write.")],
    store: StoreOption = STORE,
    at: Annotated[
        str | None,
        typer.Option("--at", help="bpp=0.15.", show_default="the middle of the learned codecs' rates"),
    ] = None,
    image_set: Annotated[str | None, typer.Option("--set", help="Image set; the first if absent.")] = None,
    picture: Annotated[list[str] | None, typer.Option(help="A picture; the first four if absent.")] = None,
    codec: Annotated[list[str] | None, typer.Option(help="A codec's name or label; all if absent.")] = None,
    columns: Annotated[int, typer.Option(min=1, max=32, help="Boxes beside each other.")] = 6,
) -> None:
    """Draw a contact sheet: the original and every codec at one rate, cropped, not scaled."""
    _draw_sheet(store, out, columns, at=at, image_set=image_set, pictures=picture or (), codecs=codec or ())
    say(f"contact sheet written to {out}")


@app.command("report")
def write_report(
    out: Annotated[Path | None, typer.Argument(metavar="[OUT.html]", help="Page to write.")] = None,
    store: StoreOption = STORE,
    latex: Annotated[
        Path | None, typer.Option("--latex", metavar="FOLDER", help="Write all tables as LaTeX there.")
    ] = None,
    image_set: Annotated[str | None, typer.Option("--set", help="One image set; all if absent.")] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", "-m", help="Metrics, the leading one first.")
    ] = None,
    anchor: Annotated[
        str | None, typer.Option("--anchor", help="Codec that BD-rates are given against.")
    ] = None,
) -> None:
    """Write all evidence of a store as one self-contained page, or its tables as LaTeX."""
    if out is None and latex is None:
        raise typer.BadParameter("expected a page to write, such as report.html, or --latex FOLDER")
    from .bench.run.redecode import pictures
    from .reports.files.page import write

    for line in write(store, pictures, out, latex, image_set=image_set, metrics=metric or (), anchor=anchor):
        say(line)


@app.command()
def recipe(
    name: Annotated[str, typer.Argument(help="A ready recipe: codecarena list recipes.")],
    checkout: Annotated[Path, typer.Argument(help="Folder of the repository's checkout.")],
    python: Annotated[
        Path | None,
        typer.Option(help="Python of the checkout's own environment.", show_default=".venv/bin/python"),
    ] = None,
) -> None:
    """Put a ready recipe of another project's codec into a checkout of it."""
    from .codecs.recipe_install import install

    path = install(name, checkout, python)
    say(f'{path} is ready; in a suite: name = "command", params = {{ recipe = "{path.absolute()}" }}')


@app.command()
def serve(
    store: StoreOption = STORE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
    raters: Annotated[
        bool, typer.Option("--raters", help="Only the trials of studies, no dashboard.")
    ] = False,
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--organiser-password-file",
            help="Of the page Studies; made by codecarena organiser-password.",
            show_default="a password for this run",
        ),
    ] = None,
    host_name: Annotated[
        list[str] | None,
        typer.Option("--host-name", help="A name under which visitors come, such as a proxy's."),
    ] = None,
    base_path: Annotated[
        str,
        typer.Option(help="Path that a proxy shows the pages below, such as /arena.", show_default="none"),
    ] = "",
) -> None:
    """Open the dashboard on a store, and the trials of its studies."""
    from .bench.run.redecode import pictures
    from .reports.server import sign_in
    from .reports.server.server import Services
    from .reports.server.server import serve as serve_pages

    password = None if raters else sign_in.prepare(password_file)

    def announce(url: str) -> None:
        say(f"{url}  (Ctrl-C ends it)")
        if password:
            say(f"The organiser's password, for the page Studies in this run:  {password}")

    services, names = Services(pictures, study_pictures), host_name or ()
    serve_pages(
        store, services, host, port, raters=raters, host_names=names, base_path=base_path, announce=announce
    )


@sets_app.command("fetch")
def fetch_set(
    name: Annotated[str, typer.Argument(help="A set's name or a manifest file.")],
    data: DataOption = None,
    mirror: Annotated[
        str | None, typer.Option("--mirror", help="Address to take the files from instead.")
    ] = None,
) -> None:
    """Download an image set and check every file's hash; hf:OWNER/NAME and s3:// are read as well."""
    from .bench.cli.progress import of_downloads
    from .datasets.folder import look_into
    from .datasets.sets.catalogue import find_manifest
    from .datasets.sources.download import data_folder, fetch
    from .datasets.sources.remote import Remote, parse, read
    from .terminal import Terminal, print_notes

    source = parse(name) or find_manifest(name)  # before the bar: a mistake draws none
    with of_downloads(Terminal(stderr=True)) as show:
        if isinstance(source, Remote):
            paths, notes = read(source, data_folder(data), show), ()
        else:
            paths = fetch(source, data_folder(data), show, mirror, sampler())
            placed_by_hand = not (source.pictures or source.archives)
            notes = look_into(data_folder(data) / source.name).notes if placed_by_hand else ()
    print_notes(notes)
    folders = sorted({str(path.parent) for path in paths})
    where = ", ".join(folders) if len(folders) <= 3 else os.path.commonpath(folders)
    say(f"{counted(len(paths), 'picture')} of {name} are here: {where}")


def _draw_sheet(store: str, out: Path, columns: int = 6, **chosen: Any) -> None:
    from .bench.run.redecode import pictures
    from .bench.store.store import Store
    from .reports.files import contact_sheet, sheet_drawing

    sheet_drawing.check_name(out)
    opened = Store(store)
    plan = contact_sheet.plan(opened, **chosen)
    decoded = pictures(opened, [band.picture_sha256 for band in plan.bands], plan.cells)
    sheet_drawing.save(sheet_drawing.draw(plan, decoded.pixels, decoded.missing, columns), out)


def _simulate_study(store: str) -> None:
    """Add a small study that programs answer, so that the dashboard's pages on studies show something."""
    from .studies.design.plan import PlanError
    from .studies.organise.simulated_study import NAME, demonstrate

    try:
        votes = demonstrate(store, study_pictures)
    except PlanError as error:
        say(f"No simulated study: {error}")
        return
    if votes:
        say(f"A study of {counted(votes, 'simulated vote')}:  {NAME} (programs answered, no person did)")


def main() -> NoReturn:
    """Run the command line; whatever goes wrong for the user is one sentence and exit status 2."""
    # Imports make a hundred thousand objects that live to the end: looking through them again and again, and
    # once more at exit, is a quarter of a short command's time.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    # Products of resampled means are small: OpenBLAS's threads would wait for each other longer than they
    # work. NumPy is imported later, and workers get a count of their own.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        show_every_letter(stream)
    command = typer.main.get_command(app)
    plain_help(command)
    try:
        command()
    except KeyboardInterrupt:
        say("codecarena: interrupted; what had finished is stored", sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output is gone (`| head`); Python must not complain about it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("CODECARENA_DEBUG"):
            raise
        say(f"codecarena: {error_sentence(error)}", sys.stderr)
        sys.exit(2)
    sys.exit(0)
