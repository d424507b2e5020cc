"""Make the options of a run of the command line's words, and start its workers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from ..run.prepare import Options


def options(
    data: Path | None = None,
    workers: int = 0,
    only: list[str] | None = None,
    limit: int | None = None,
    retry_failed: bool = False,
    force: list[str] | None = None,
    dry_run: bool = False,
    score_only: bool = False,
    timing: bool = True,
    call: tuple[str, ...] | None = None,
) -> Options:
    """Return the options of a run, its workers already started.

    Args:
        data: Folder of the image sets; None for the usual one.
        workers: Processes at once; 0 for one a core.
        only: ``codec=NAME,...`` or ``set=NAME,...``; all where None.
        limit: At most so many pictures of each set.
        retry_failed: Whether cells that failed before are run again.
        force: What to measure again though it is stored: names of codecs, or ``codec=NAME,...``,
            ``picture=NAME,...`` and ``quality=NUMBER,...``.
        dry_run: Whether nothing runs and nothing is written.
        score_only: Whether only scores that are missing are made: nothing is encoded.
        timing: Whether the suite's timing pass follows.
        call: The command as it was typed, for the record of the run.

    Raises:
        SuiteError: ``only`` or ``force`` cannot be read.
    """
    chosen, names = parse_only(only or []), parse_force(force or [])
    from ..worker.device import cores
    from ..worker.pool import warm

    workers = workers or cores()
    warm(workers)  # They load while this process imports the rest.
    from ..run.plan import Wanted
    from ..run.prepare import Options

    wanted = Wanted(names["codec"], names["picture"], _numbers(names["quality"]), retry_failed, score_only)
    return Options(data, workers, wanted, chosen["codec"], chosen["set"], limit, dry_run, timing, call)


def said(context: typer.Context) -> tuple[str, ...]:
    """Return the command and the options it was given, but for its suite, store and workers and --json."""
    words = [context.info_name or ""]
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        given = source is not None and source.name == "COMMANDLINE"
        if not given or not option.opts[0].startswith("-") or name in {"store", "workers", "as_json"}:
            continue
        value = context.params[name]
        if isinstance(value, bool):
            words.append(option.opts[0] if value else option.secondary_opts[0])
            continue
        for single in value if isinstance(value, list | tuple) else [value]:
            words += [option.opts[0], str(single.absolute() if isinstance(single, Path) else single)]
    return tuple(words)


def parse_only(given: list[str]) -> dict[str, frozenset[str]]:
    """Return the names after ``codec=`` and ``set=``; several may stand in one option, with commas.

    Raises:
        SuiteError: A name stands after something else, or after nothing.
    """
    chosen: dict[str, set[str]] = {"codec": set(), "set": set()}
    for text in given:
        what = ""
        for part in text.split(","):
            key, equals, value = part.partition("=")
            what, value = (key.strip(), value) if equals else (what, part)
            if what not in chosen or not value.strip():
                # Imported here: its checks load for longer than workers take to start.
                from ..run.suite import SuiteError

                raise SuiteError(f"--only {text!r}: expected codec=NAME,... or set=NAME,...")
            chosen[what].add(value.strip())
    return {key: frozenset(names) for key, names in chosen.items()}


def parse_force(given: list[str]) -> dict[str, frozenset[str]]:
    """Return what ``--force`` names, under ``codec``, ``picture`` and ``quality``.

    What begins with none of these words is the name of a codec, whatever letters it has.

    >>> sorted(parse_force(["jpeg", "quality=50,80"])["quality"])
    ['50', '80']
    """
    named: dict[str, set[str]] = {"codec": set(), "picture": set(), "quality": set()}
    for text in given:
        key, equals, values = text.partition("=")
        if equals and key in named:
            named[key] |= {value.strip() for value in values.split(",") if value.strip()}
        else:
            named["codec"].add(text)
    return {key: frozenset(names) for key, names in named.items()}


def _numbers(texts: frozenset[str]) -> frozenset[float]:
    try:
        return frozenset(map(float, texts))
    except ValueError as error:
        from ..run.suite import SuiteError

        raise SuiteError(f"--force quality={','.join(sorted(texts))}: expected numbers") from error
