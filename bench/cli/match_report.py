"""Show how searches for a rate or score ended, target beside achieved: a table, or a record for JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from statistics import median
from typing import TYPE_CHECKING, Any

from ...counts import counted

if TYPE_CHECKING:
    from rich.console import Console

    from ..run.prepare import Options
    from ..run.searches import Ended, MatchReport
    from ..run.targets import Target


def match_suite(
    reference: str, store: str, options: Options, match: str, per_set: bool, as_json: bool
) -> int:
    """Return the exit status of ``codecarena run --match``; print how every search ended.

    Args:
        reference: Name or file of the suite.
        store: Folder or URL of the store.
        options: Workers, and the parts of the suite to search.
        match: The target as ``--match`` has it, such as ``bpp=0.25``.
        per_set: Whether one setting is searched for a whole set, instead of one for each picture.
        as_json: Whether to print a JSON record instead of a table.

    Raises:
        SuiteError: The suite or the target cannot be read, or the options do not go together.
    """
    import json

    from ...terminal import Terminal, print_notes
    from ..run.matching import run
    from ..run.suite import SuiteError, find, load
    from ..run.targets import parse_target
    from ..store.plan_store import PlanStore
    from ..store.writer import StoreWriter
    from .progress import on_terminal

    wanted = options.wanted
    if wanted.force or wanted.force_pictures or wanted.force_qualities:
        raise SuiteError("--force measures a suite's qualities again and --match searches: give one of them")
    target = parse_target(match, "set" if per_set else "picture")
    suite, text = load(find(reference))
    console = Terminal(stderr=True)
    opened = PlanStore(store) if options.dry_run else StoreWriter(store)
    try:
        with on_terminal(console) as shown:
            report = run(suite, text, opened, options, target, shown)
    finally:
        opened.close()
    print_notes(report.notes, console)
    if as_json:
        print(json.dumps(as_record(target, report, options.dry_run)))  # noqa: T201 - what was asked for
    else:
        show(Terminal(), target, report, options.dry_run)
    return 130 if report.interrupted else 0 if report.complete or options.dry_run else 1


def as_record(target: Target, report: MatchReport, dry_run: bool) -> dict[str, Any]:
    """Return how searches ended as JSON holds it.

    Args:
        target: The rate or score that was searched.
        report: How the searches ended.
        dry_run: Whether nothing was run.
    """
    return {
        "target": asdict(target),
        "searches": report.searches,
        "encoded": report.encoded,
        "failed": report.failed,
        "interrupted": report.interrupted,
        "complete": report.complete,
        "dry_run": dry_run,
        "notes": report.notes,
        "matches": [
            {"codec": ended.codec, "picture": ended.picture, **(asdict(ended.match) if ended.match else {})}
            for ended in report.ended
        ],
    }


def show(console: Console, target: Target, report: MatchReport, dry_run: bool) -> None:
    """Print one line a codec: what came of the target, on how many pictures, for how many encodes.

    Args:
        console: Where the table goes.
        target: The rate or score that was searched.
        report: How the searches ended.
        dry_run: Whether nothing was run; then only how many searches there would be is printed.
    """
    from ...terminal import TextColumn, print_text, show_table

    if dry_run:
        print_text(console, f"would search {report.searches} times for {target}, a few encodes each")
        return
    what = "sets" if target.scope == "set" else "pictures"
    names = ("codec", "setting", "achieved", what, "encodes", "out of range")
    rows = [
        _line(codec, [ended for ended in report.ended if ended.codec == codec])
        for codec in sorted({ended.codec for ended in report.ended})
    ]
    title = f"{target}: achieved, as median (lowest…highest)"
    show_table(console, title, [TextColumn(name) for name in names], rows)
    if report.interrupted:
        print_text(console, "Interrupted; what had finished is stored, and the same command goes on.")
    lost = sum(ended.match is None for ended in report.ended)
    if lost:
        print_text(console, _given_up(lost, target))


def _given_up(lost: int, target: Target) -> str:
    sentence = (
        f"{counted(lost, 'search')} gave up: too many settings failed; --retry-failed tries them again."
    )
    return (
        f"{sentence} Pictures without what {target.metric} measures have none." if target.metric else sentence
    )


def _line(codec: str, ended: list[Ended]) -> tuple[str, ...]:
    matches = [search.match for search in ended if search.match]
    reached = [match for match in matches if match.ended != "out of range"]
    shown = reached or matches
    return (
        codec,
        _spread(match.quality for match in shown),
        _spread(match.achieved for match in shown if match.achieved is not None),
        f"{len(reached)}/{len(ended)}",
        str(sum(match.encodes for match in matches)),
        str(len(matches) - len(reached)) if len(reached) < len(matches) else "",
    )


def _spread(values: Iterable[float]) -> str:
    known = sorted(values)
    if not known:
        return "–"
    if known[0] == known[-1]:
        return f"{known[0]:.4g}"
    return f"{median(known):.4g} ({known[0]:.4g}…{known[-1]:.4g})"
