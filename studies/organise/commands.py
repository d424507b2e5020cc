"""The `study` commands; what costs time to import is imported inside."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...bench.options import STORE, JsonOption, StoreOption
from ...counts import counted
from ...visible_text import say
from .import_commands import import_command

if TYPE_CHECKING:
    from ..ledger.ledger import Ledger
    from .findings_text import Record
    from .organise import Bench

NameArgument = Annotated[str, typer.Argument(help="The study's name.")]
ResamplesOption = Annotated[
    int | None, typer.Option(min=100, help="For a quick look.", show_default="the plan's")
]
StudyFile = Annotated[Path, typer.Argument(help="The study's plan.")]


def commands(bench: Bench) -> typer.Typer:
    """Return the commands.

    Args:
        bench: Cuts and scores the pictures of a study.
    """
    app = typer.Typer(no_args_is_help=True, help="Ask people which picture looks better.")
    pictures = PictureCommands(bench)
    named: dict[str, Callable[..., None]] = {
        "init": init,
        "plan": pictures.plan,
        "open": open_command,
        "invite": invite,
        "close": close,
        "status": status,
        "scale": scale,
        "report": report,
        "score": pictures.score,
        "export": export,
        "import": import_command,
        "simulate": simulate,
        "withdraw": withdraw,
    }
    for name, command in named.items():
        app.command(name)(command)
    return app


class PictureCommands:
    """The commands that need pictures, decoded and scored by the benchmark."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def plan(
        self,
        file: StudyFile = Path("study.toml"),
        store: StoreOption = STORE,
        as_json: JsonOption = False,
    ) -> None:
        """Check a plan, cut its pictures and store it; again until it is opened."""
        from .organise import plan_study

        done = plan_study(store, file, self._bench)
        name = done.study.name
        if as_json:
            _json({"study": name, "sha256": done.study.sha256, **_plain(done, "study")})
            return
        _notes(done.warnings)
        say(
            f"study {name} {'planned anew' if done.replaced else 'planned'}: "
            f"{counted(done.conditions, 'condition')} of "
            f"{counted(done.pictures, 'picture')}, {counted(done.pairs, 'pair')}, "
            f"{counted(done.trials_per_rater, 'trial')} a rater\n"
            f"seal {done.study.sha256[:16]}\n"
            f"next: codecarena study open {name}; codecarena study invite {name} --count 20"
        )

    def score(
        self,
        name: NameArgument,
        metric: Annotated[list[str], typer.Option("--metric", "-m", help="A metric.")],
        store: StoreOption = STORE,
    ) -> None:
        """Score the very parts that were shown, so that metrics can be compared with votes."""
        with _ledger(store, read_only=True) as ledger:
            material = ledger.known(ledger.study(name)).material
        pairs = [
            (reference, stimulus.shown_sha256)
            for stimulus in material.stimuli
            if stimulus.shown_sha256 and (reference := material.contents[stimulus.content].reference_sha256)
        ]
        if not pairs:
            say(
                f"study {name}: nothing to score, as the store has no pixels of what it compares; import it "
                "again with --mapping, which says what stored settings its conditions are",
                sys.stderr,
            )
            raise typer.Exit(1)
        useful = False
        for metric_name, scores in self._bench.score(store, pairs, metric).items():
            say(f"{metric_name}: {counted(scores.added, 'score')} added, {scores.stored} there before")
            useful |= scores.inapplicable < scores.added + scores.stored
            if scores.inapplicable:
                of = f"{scores.inapplicable} of {scores.added + scores.stored}"
                say(f"{metric_name} says nothing of {of}: they hold nothing that it measures", sys.stderr)
        if not useful:
            raise typer.Exit(1)


def init(
    out: Annotated[Path, typer.Argument(help="File to write.")] = Path("study.toml"),
    store: StoreOption = STORE,
    name: Annotated[str, typer.Option(help="Lower-case letters, digits, dashes.")] = "demo",
) -> None:
    """Write a commented plan that fits the store as it is."""
    from ...bench.store.store import Store
    from ..design.plan import PlanError, parse
    from ..design.starter import starter

    if out.exists():
        raise PlanError(f"{out} exists; name another file, or remove it")
    text = starter(name, Store(store).cells())
    parse(text, out)
    out.write_text(text, encoding="utf-8")
    say(f"{out} is ready; look at it, then: codecarena study plan {out}")


def open_command(name: NameArgument, store: StoreOption = STORE) -> None:
    """Seal the plan and let raters in; opens a closed study again."""
    from .organise import open_study

    with _ledger(store) as ledger:
        study = open_study(ledger, name)
    say(f"study {name} is open; its plan is sealed: {study.sha256}")


def invite(
    name: NameArgument,
    count: Annotated[int, typer.Option(min=1, max=10_000, help="How many raters.")] = 1,
    address: Annotated[
        str, typer.Option(help="Where raters reach `codecarena serve --raters`.")
    ] = "http://127.0.0.1:8501",
    participants: Annotated[
        Path | None, typer.Option(help="Instead: a file with the ids of a panel's participants, one a line.")
    ] = None,
    store: StoreOption = STORE,
    as_json: JsonOption = False,
) -> None:
    """Print one link a rater; links are shown once, only their hashes are kept."""
    from .organise import invite as invite_raters
    from .organise import invite_participants

    if participants is not None:
        with _ledger(store) as ledger:
            added = invite_participants(ledger, name, participants)
        say(f"{counted(added, 'participant')} added to study {name}")
        return
    with _ledger(store) as ledger:
        links = [f"{address.rstrip('/')}/?invite={rater}" for rater in invite_raters(ledger, name, count)]
    if as_json:
        _json(links)
    else:
        say("\n".join(links))


def close(name: NameArgument, store: StoreOption = STORE) -> None:
    """Take no more votes."""
    from .organise import close_study

    with _ledger(store) as ledger:
        close_study(ledger, name)
    say(f"study {name} is closed; what the votes say: codecarena study report {name}")


def status(
    name: Annotated[str | None, typer.Argument(help="A study; all if absent.")] = None,
    store: StoreOption = STORE,
    as_json: JsonOption = False,
) -> None:
    """Show how far a study is, or which studies there are."""
    from .presenting import status_lines, study_records

    with _ledger(store, read_only=True) as ledger:
        if name is None:
            records = study_records(ledger)
            _json(records) if as_json else _table("studies", records)
            return
        lines, record = status_lines(ledger, name)
    _json(record) if as_json else say("\n".join(lines))


def scale(
    name: NameArgument,
    store: StoreOption = STORE,
    resamples: ResamplesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the scale by the plan's analysis, with and without the raters its rules exclude."""
    from ..analysis.choices import result_of
    from .presenting import result_record, result_tables

    with _ledger(store, read_only=True) as ledger:
        if ledger.study(name).holds_scores:
            _show_scores(ledger, name, None, as_json)
            return
        result = result_of(ledger, name, resamples)
    if as_json:
        _json(result_record(result))
        return
    _tables(result_tables(result))


def report(
    name: NameArgument,
    out: Annotated[
        Path | None, typer.Argument(help="File to write, .md or .json; the terminal if absent.")
    ] = None,
    store: StoreOption = STORE,
    resamples: ResamplesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show everything the votes say: scales, tests, fit, raters, metrics and rates against people."""
    from ..analysis.results import results_of
    from .presenting import report_record, report_tables

    with _ledger(store, read_only=True) as ledger:
        if ledger.study(name).holds_scores:
            _show_scores(ledger, name, out, as_json)
            return
        results = results_of(ledger, name, resamples)
        record = report_record(ledger, results)
    if out is not None or as_json:
        _write_or_print(record, name, out)
    else:
        _tables(report_tables(results))


def _show_scores(ledger: Ledger, name: str, out: Path | None, as_json: bool) -> None:
    """Show what imported scores say, or write it."""
    from ..analysis.score_results import score_results_of
    from .score_tables import score_record, score_tables

    results = score_results_of(ledger, name)
    if out is None and not as_json:
        _tables(score_tables(results))
        return
    _write_or_print(score_record(ledger, results), name, out)


def _write_or_print(record: Record, name: str, out: Path | None) -> None:
    from .presenting import report_text

    if out is None:
        _json(record)
        return
    text = json.dumps(record, indent=2) if out.suffix == ".json" else report_text(record)
    out.write_text(text + "\n", encoding="utf-8")
    say(f"report of study {name} written to {out}")


def export(
    name: NameArgument,
    form: Annotated[str, typer.Argument(metavar="csv|parquet|aic|pwcmp|battles", help="File format.")],
    out: Annotated[Path, typer.Argument(help="File to write.")],
    store: StoreOption = STORE,
) -> None:
    """Write a study's votes in a format that others read."""
    from .interchange import write

    with _ledger(store, read_only=True) as ledger:
        count = write(ledger, ledger.study(name), form, out)
    say(f"{counted(count, 'vote')} written to {out}")


def simulate(
    jod: Annotated[
        list[float], typer.Option("--jod", help="Assumed value of each condition; say it once for each.")
    ],
    raters: Annotated[int, typer.Option(min=2, help="How many people vote.")] = 20,
    pictures: Annotated[int, typer.Option(min=1, help="How many pictures they see.")] = 12,
    votes: Annotated[
        int | None, typer.Option(min=1, help="Trials a rater.", show_default="every pair of every picture")
    ] = None,
    ties: Annotated[
        float, typer.Option(min=0, max=0.95, help="Share of 'no preference' between equals.")
    ] = 0.2,
    lapses: Annotated[float, typer.Option(min=0, max=0.95, help="Share of careless answers.")] = 0.02,
    per_hour: Annotated[float, typer.Option(min=0, help="Pay of a rater.")] = 12.0,
    seconds: Annotated[float, typer.Option(min=0.1, help="Time of a trial.")] = 6.0,
    studies: Annotated[int, typer.Option(min=2, help="How many studies to simulate.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Simulate whole studies: interval width, power, votes, minutes and cost, before anybody is asked."""
    from ..design.power import Prices
    from ..design.power import simulate as simulate_studies
    from ..design.simulation import Assumptions

    scale = {f"condition {at + 1}": value for at, value in enumerate(jod)}
    assumed = Assumptions(scale, raters, pictures, votes, ties, lapses)
    prices = Prices(seconds_per_vote=seconds, per_hour=per_hour)
    simulation = simulate_studies(assumed, prices=prices, studies=studies)
    if as_json:
        _json(_plain(simulation))
        return
    rows = [
        {
            "pair": f"{pair.first} - {pair.second}",
            "JOD": f"{pair.difference:+.2f}",
            "power": f"{pair.power:.0%}",
            "interval width": f"{pair.width:.2f}",
        }
        for pair in simulation.pairs
    ]
    _table(f"{counted(simulation.studies, 'simulated study')}, intervals by {simulation.scheme}", rows)
    say(
        f"{counted(simulation.raters, 'rater')} x {counted(simulation.votes_per_rater, 'trial')} = "
        f"{counted(simulation.votes, 'vote')}; "
        f"{simulation.minutes_per_rater:.0f} minutes a rater, {simulation.hours:.1f} hours, "
        f"cost {simulation.cost:.0f}\n"
        f"mean interval width {simulation.width:.2f} JOD, design effect {simulation.design_effect:.1f}"
    )
    if simulation.unusable:
        say(f"{simulation.unusable} of the simulated studies gave no scale")


def withdraw(
    code: Annotated[str, typer.Argument(help="Withdrawal code, invitation or session token.")],
    store: StoreOption = STORE,
) -> None:
    """Erase a rater's votes and identity; only the time and the count stay."""
    from ..design.plan import PlanError

    with _ledger(store) as ledger:
        erased = ledger.withdraw(code.strip())
    if erased is None:
        raise PlanError("nobody is known by this code; it may have been used already")
    say(f"{counted(erased, 'vote')} and the rater's identity are erased")


def _ledger(store: str, *, read_only: bool = False, make: bool = False) -> closing[Ledger]:
    from ..ledger.ledger import Ledger

    return closing(Ledger(store, read_only=read_only, make=make))


# Any: JSON, of records that differ.
def _plain(record: Any, *left_out: str) -> dict[str, Any]:
    from dataclasses import asdict

    return {key: value for key, value in asdict(record).items() if key not in left_out}


def _json(content: object) -> None:
    typer.echo(json.dumps(content, indent=2))


def _notes(notes: Sequence[str]) -> None:
    from ...terminal import print_notes

    print_notes(notes)


def _tables(tables: Sequence[tuple[str, Sequence[Mapping[str, object]], Sequence[str]]]) -> None:
    from ...terminal import Terminal

    for title, records, notes in tables:
        _table(title, records)
        for note in notes:
            Terminal().print(f"  {note}", style="dim", soft_wrap=True)
        say("")


def _table(title: str, records: Sequence[Mapping[str, object]]) -> None:
    from ...terminal import Terminal, TextColumn, show_table

    if not records:
        say(f"no {title} yet: codecarena study init")
        return
    columns = [
        TextColumn(name, all(isinstance(record[name], int | float) for record in records))
        for name in records[0]
    ]
    texts = [["" if value is None else str(value) for value in record.values()] for record in records]
    show_table(Terminal(), title, columns, texts)
