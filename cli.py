"""The command line: one thin function per command; what costs time to import is imported inside."""

from __future__ import annotations

import atexit
import gc
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from .bench.runner import Options, Report

app = typer.Typer(
    name="codecarena",
    help="Which image codec, at which rate, looks best to people, and what it costs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
list_app = typer.Typer(no_args_is_help=True, help="Show what there is: codecs, metrics, sets, suites.")
sets_app = typer.Typer(no_args_is_help=True, help="Get image sets.")
app.add_typer(list_app, name="list")
app.add_typer(sets_app, name="sets")

StoreOption = Annotated[
    str, typer.Option("--store", envvar="CODECARENA_STORE", help="Folder or database URL of the results.")
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", envvar="CODECARENA_DATA", help="Folder of the image sets.", show_default="the user's"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
WorkersOption = Annotated[
    int, typer.Option("--workers", "-j", min=0, help="Worker processes; 0: one a core.")
]
OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", help="codec=NAME,... or set=NAME,...: narrow the suite.")
]
STORE = "arena"


@app.command()
def demo(store: StoreOption = STORE, workers: WorkersOption = 0) -> None:
    """Run the built-in suite on the built-in photographs and show the leaderboard."""
    report = _run("quick", store, _options(workers=workers))
    _show_leaderboard(store)
    where = "" if store == STORE else f" --store {store}"
    print(f"\nSee it in the browser:  {_own_command()} serve{where}")
    raise typer.Exit(_status(report))


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="A shipped suite's name or a .toml file.")],
    store: StoreOption = STORE,
    data: DataOption = None,
    workers: WorkersOption = 0,
    only: OnlyOption = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most this many pictures a set.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run failed cells again.")] = False,
    force: Annotated[list[str] | None, typer.Option("--force", help="Measure this codec again.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would run, and run nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run what is missing of a suite. Exit status 1 if a cell has no result in the end."""
    options = _options(data, workers, only, limit, retry_failed, force or [], dry_run)
    report = _run(suite, store, options, as_json=as_json)
    if not dry_run:
        raise typer.Exit(_status(report))


@app.command()
def score(
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
    options = _options(data, workers, only, retry_failed=retry_failed, score_only=True)
    report = _run(suite, store, options, metrics=tuple(metric), as_json=as_json)
    raise typer.Exit(_status(report))


@app.command()
def leaderboard(
    store: StoreOption = STORE,
    anchor: Annotated[
        str | None, typer.Option("--anchor", help="Codec that BD-rates are given against.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="bpp=0.25, or METRIC=VALUE such as ssimulacra2=70.")
    ] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", "-m", help="Metrics to show; all if absent.")
    ] = None,
    image_set: Annotated[str | None, typer.Option("--set", help="One image set; all if absent.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the stored codecs: BD-rate against an anchor, or each at one rate or one score."""
    _show_leaderboard(store, anchor=anchor, at=at, metrics=metric, image_set=image_set, as_json=as_json)


@app.command()
def serve(
    store: StoreOption = STORE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8501,
) -> None:
    """Open the dashboard on a store."""
    from .reports.server import serve as serve_dashboard

    raise typer.Exit(serve_dashboard(store, host, port))


@app.command()
def doctor(store: StoreOption = STORE, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Load every codec and metric and say what is missing and how to get it."""
    from dataclasses import asdict

    from .bench.doctor import examine

    _print_records([asdict(line) for line in examine(store, data)], "codecarena doctor", as_json)


@app.command()
def export(
    form: Annotated[str, typer.Argument(metavar="csv|parquet", help="File format.")],
    out: Annotated[Path, typer.Argument(help="File to write.")],
    store: StoreOption = STORE,
) -> None:
    """Write every measurement, one row a cell, scores as columns."""
    from .bench.store.store import Store
    from .reports.export import write

    rows = write(Store(store), form, out)
    print(f"{rows} rows written to {out}")


@list_app.command("codecs")
def list_codecs(as_json: JsonOption = False) -> None:
    """Codecs, with what is missing to run them."""
    from .codecs.registry import entries

    rows = [
        {
            "codec": one.name,
            "family": one.family or "?",
            "summary": one.summary,
            "status": one.missing or "ready",
        }
        for one in entries().values()
    ]
    _print_records(rows, "codecs", as_json)


@list_app.command("metrics")
def list_metrics(
    every: Annotated[bool, typer.Option("--all", help="Show pyiqa's metrics one by one.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Metrics, with what is missing to run them."""
    from .bench.metrics.registry import entries

    found = list(entries().values())
    wrapped = [one for one in found if one.name.startswith("pyiqa:")]
    shown = found if every or as_json else [one for one in found if one not in wrapped]
    rows = [{"metric": one.name, "summary": one.summary, "status": one.missing or "ready"} for one in shown]
    _print_records(rows, "metrics", as_json)
    if len(shown) < len(found):
        print(f"and {len(wrapped)} of pyiqa's, as pyiqa:NAME: codecarena list metrics --all")


@list_app.command("sets")
def list_sets(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Image sets, and how much of each is on this machine."""
    from .datasets.catalogue import names

    rows = [
        {
            "set": one.name,
            "kind": one.kind,
            "pictures": one.count,
            "here": one.present,
            "licence": one.licence,
            "summary": one.summary,
        }
        for one in names(data)
    ]
    _print_records(rows, "image sets", as_json)


@list_app.command("suites")
def list_suites(as_json: JsonOption = False) -> None:
    """Suites that come with codecarena."""
    from .bench.suite import load, shipped

    rows = [
        {"suite": name, "codecs": len(suite.codecs), "sets": ", ".join(suite.sets), "summary": suite.summary}
        for name, path in shipped().items()
        for suite, _ in [load(path)]
    ]
    _print_records(rows, "suites", as_json)


@sets_app.command("fetch")
def fetch_set(
    name: Annotated[str, typer.Argument(help="A set's name or a manifest file.")],
    data: DataOption = None,
    mirror: Annotated[
        str | None, typer.Option("--mirror", help="Address to take the files from instead.")
    ] = None,
) -> None:
    """Download an image set and check every file's hash."""
    from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from .datasets.catalogue import find_manifest
    from .datasets.download import data_folder, fetch

    manifest = find_manifest(name)
    with Progress(
        TextColumn("{task.description}"),
        *Progress.get_default_columns()[1:2],
        DownloadColumn(),
        TransferSpeedColumn(),
        console=_console(stderr=True),
    ) as bar:
        tasks: dict[str, Any] = {}

        def show(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file)
            bar.update(tasks[file], completed=done, total=total or None)

        paths = fetch(manifest, data_folder(data), show, mirror)
    folders = sorted({str(path.parent) for path in paths})
    print(f"{len(paths)} pictures of {manifest.name} are here: {', '.join(folders)}")


def _options(
    data: Path | None = None,
    workers: int = 0,
    only: list[str] | None = None,
    limit: int | None = None,
    retry_failed: bool = False,
    force: list[str] | None = None,
    dry_run: bool = False,
    score_only: bool = False,
) -> Options:
    chosen = _only(only or [])
    from .bench.device import cores
    from .bench.pool import warm

    workers = workers or cores()
    warm(workers)  # They load while this process imports the rest.
    from .bench.plan import Wanted
    from .bench.runner import Options

    wanted = Wanted(frozenset(force or []), retry_failed, score_only)
    return Options(data, workers, wanted, chosen["codec"], chosen["set"], limit, dry_run)


def _only(given: list[str]) -> dict[str, frozenset[str]]:
    """Return the names after ``codec=`` and ``set=``; several may stand in one option, with commas."""
    chosen: dict[str, set[str]] = {"codec": set(), "set": set()}
    for text in given:
        what = ""
        for part in text.split(","):
            key, equals, value = part.partition("=")
            what, value = (key.strip(), value) if equals else (what, part)
            if what not in chosen or not value.strip():
                raise typer.BadParameter(f"--only {text!r}: expected codec=NAME,... or set=NAME,...")
            chosen[what].add(value.strip())
    return {key: frozenset(names) for key, names in chosen.items()}


def _run(
    reference: str, store: str, options: Options, metrics: tuple[str, ...] = (), as_json: bool = False
) -> Report:
    from .bench import progress, runner
    from .bench.store.writer import StoreWriter
    from .bench.suite import find, load
    from .bench.summary import as_record, sentences

    suite, text = load(find(reference))
    if metrics:
        suite = suite.model_copy(update={"metrics": metrics})
    console = _console(stderr=True)
    writer = StoreWriter(store)
    try:
        with progress.on_terminal(console) as shown:
            report = runner.run(suite, text, writer, options, shown)
    finally:
        writer.close()
    for note in report.notes:
        console.print(f"[yellow]note[/] {note}", highlight=False, soft_wrap=True)
    print(json.dumps(as_record(suite, report)) if as_json else sentences(suite, report))
    return report


def _status(report: Report) -> int:
    return 130 if report.interrupted else 0 if report.complete else 1


def _show_leaderboard(
    store: str,
    anchor: str | None = None,
    at: str | None = None,
    metrics: list[str] | None = None,
    image_set: str | None = None,
    as_json: bool = False,
) -> None:
    from .bench.store.store import Store
    from .reports.grid import as_json as records
    from .reports.tables import leaderboard_tables

    tables = leaderboard_tables(
        Store(store), metrics=metrics or (), anchor=anchor, at=at, image_set=image_set
    )
    if as_json:
        print(json.dumps(records(tables), indent=2))
        return
    from .reports.terminal import show

    for table in tables:
        show(_console(), table)
    if not tables:
        print("The store holds no results yet; run a suite first: codecarena run quick")


def _print_records(rows: list[dict[str, Any]], title: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    from .reports.terminal import show_records

    show_records(_console(), title, rows)


def _console(stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr)


def _own_command() -> str:
    """Return what the user types to call this program again, from the same folder."""
    executable = Path(sys.argv[0])
    if executable.name == "__main__.py":
        return "python -m codecarena"
    if str(executable.parent) in os.environ.get("PATH", "").split(os.pathsep):
        return executable.name
    beside = executable.absolute().is_relative_to(Path.cwd())
    return str(executable.absolute().relative_to(Path.cwd()) if beside else executable)


def main() -> NoReturn:
    """Run the command line; whatever goes wrong for the user is one sentence and exit status 2."""
    # Imports make a hundred thousand objects that live to the end: looking through them again and again, and
    # once more at exit, is a quarter of a short command's time.
    gc.set_threshold(100_000)
    atexit.register(gc.freeze)
    try:
        app()
    except KeyboardInterrupt:
        print("codecarena: interrupted; what had finished is stored", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output is gone (`| head`); Python must not complain about it at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("CODECARENA_DEBUG"):
            raise
        print(f"codecarena: {_sentence(error)}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0)


def _sentence(error: Exception) -> str:
    """Return an error of ours as it is, any other with its class and how to see more."""
    if type(error).__module__.startswith(__package__ or "codecarena"):
        return str(error)
    return f"{type(error).__name__}: {error} (this is a defect; CODECARENA_DEBUG=1 shows where)"
