"""Prepare a suite's run: hash its pictures, load its codecs and metrics, record them in the store."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...codecs import registry as codec_registry
from ...codecs.base import CodecError
from ...counts import counted
from ...datasets.manifest import DatasetError, ImageSet, LocalPicture
from ...datasets.sets.catalogue import open_set
from ...visible_text import visible
from ..metrics import registry as metric_registry
from ..metrics.base import MetricError
from ..records.identities import metric_id
from ..records.messages import (
    CodecSpec,
    Describe,
    Described,
    Identified,
    Identify,
    Limits,
    Outcome,
)
from ..store.pictures import add_provenance
from ..store.plan_store import PlanStore
from ..store.writer import StoreWriter
from ..worker import pool
from .plan import PlannedCodec, PlannedPicture, Wanted
from .suite import CodecTable, Suite, SuiteError, unset_variable
from .toy_pictures import sampler

LOAD_LIMITS = Limits(seconds=600, memory_mib=64 * 1024)
"""For asking codecs and metrics what they are: weights may be large and slow to load."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run a suite."""

    data: Path | None = None
    workers: int = 0
    """0 for one worker a core."""
    wanted: Wanted = field(default_factory=Wanted)
    only_codecs: frozenset[str] = frozenset()
    only_sets: frozenset[str] = frozenset()
    pictures: int | None = None
    """How many pictures of each set at most."""
    dry_run: bool = False
    timing: bool = True
    """Whether to time, after all else, what the suite's ``[timing]`` table says."""
    call: tuple[str, ...] | None = None
    """The command and its options, but for suite, store and workers; the run's record keeps it."""


@dataclass(slots=True)
class Prepared:
    """What a suite means on this machine, recorded in the store but by a dry run."""

    suite: Suite
    """Its metrics by the names of the identities that score."""
    pictures: list[PlannedPicture]
    codecs: list[PlannedCodec] = field(default_factory=list)
    """Those that loaded."""
    metric_ids: dict[str, str] = field(default_factory=dict)
    """Of the metrics that loaded, by name."""
    notes: list[str] = field(default_factory=list)
    """What was left out and why, for the user."""
    unavailable: bool = False
    """Whether a codec or metric that the suite wants did not load."""
    call: tuple[str, ...] | None = None
    """As the options have it."""


def prepare(suite: Suite, store: PlanStore, options: Options, executor: Executor) -> Prepared:
    """Return what a suite means here; supervised workers say what codecs and metrics are, and read pictures.

    Args:
        suite: As loaded from its file.
        store: Knows the files read before; receives pictures, codecs and metrics, but of a dry run.
        options: The parts of the suite to prepare, and the data folder.
        executor: Its threads wait for workers.

    Raises:
        SuiteError: The suite asks for what does not exist.
        DatasetError: A picture set is not here, or one of its files is not what it should be.
    """
    tables = _chosen_codecs(suite, options)
    sets, notes = _open_sets(suite, options)
    suite = suite.model_copy(update={"metrics": _identities(suite.metrics)})
    asked = _ask(tables, suite.metrics, executor)
    writer = store if isinstance(store, StoreWriter) and not options.dry_run else None
    pictures = identify_pictures(sets, store, writer, executor, whole=options.pictures is None)
    prepared = Prepared(suite, pictures, notes=notes, call=options.call)
    _register(asked, tables, writer, prepared)
    _note_told_anew(prepared)
    if writer:  # what was coded of other captions is history now
        prepared.pictures = [replace(picture, told_anew=False) for picture in prepared.pictures]
    labels = {name for codec in prepared.codecs for name in (codec.label, codec.info.name)}
    refuse_unknown("--force ", options.wanted.force, labels.union(*map(_names, suite.codecs)))
    names = {picture.picture.name for picture in pictures}
    refuse_unknown("--force picture=", options.wanted.force_pictures, names)
    qualities = {f"{quality:g}" for codec in prepared.codecs for quality in codec.qualities()}
    wanted_qualities = [f"{quality:g}" for quality in options.wanted.force_qualities]
    refuse_unknown("--force quality=", wanted_qualities, qualities)
    return prepared


def _chosen_codecs(suite: Suite, options: Options) -> list[CodecTable]:
    for place, table in enumerate(suite.codecs):
        try:
            codec_registry.find(table.name)
        except CodecError as error:
            raise SuiteError(f"suite {suite.name!r}, codecs.{place}.name: {error}") from error
    chosen = [
        table for table in suite.codecs if not options.only_codecs or _names(table) & options.only_codecs
    ]
    refuse_unknown("--only codec=", options.only_codecs, set[str]().union(*map(_names, suite.codecs)))
    return chosen


def refuse_unknown(option: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Raise `SuiteError` for the first name that the suite does not have; a mistyped one would do nothing.

    Args:
        option: As it is typed, up to the name.
        given: Names after the option.
        known: Names that it may take.
    """
    listed = sorted(set(known))
    for name in sorted(set(given) - set(listed)):
        near = difflib.get_close_matches(name, listed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f": {', '.join(listed)}"
        raise SuiteError(f"{option}{name} fits none of the suite's{hint}")


def _names(table: CodecTable) -> set[str]:
    """Return what --only may call a codec: its name, its label, or its recipe's file name."""
    recipe = {Path(str(table.params["recipe"])).stem} if "recipe" in table.params else set[str]()
    return {table.name, table.title} | recipe


def _open_sets(suite: Suite, options: Options) -> tuple[list[ImageSet], list[str]]:
    """Return the sets, and notes: on each optional one that is not here, on what folders hold besides."""
    wanted = [*suite.sets, *suite.optional_sets]
    chosen = [name for name in wanted if not options.only_sets or {name, Path(name).stem} & options.only_sets]
    refuse_unknown(
        "--only set=", options.only_sets, {each for name in wanted for each in (name, Path(name).stem)}
    )
    opened: list[ImageSet] = []
    left_out: list[str] = []
    for name in chosen:
        try:
            opened.append(open_set(name, options.data, sampler()))
        except DatasetError as error:
            if name in suite.sets:
                raise
            left_out.append(f"set {name}: {unset_variable(name) or error} (optional)")
    if not opened:
        raise DatasetError("\n".join(left_out))
    _refuse_one_name(opened)
    notes = [*left_out, *(f"set {set_.name}: {note}" for set_ in opened for note in set_.notes)]
    return [replace(set_, pictures=set_.pictures[: options.pictures]) for set_ in opened], notes


def _refuse_one_name(sets: Iterable[ImageSet]) -> None:
    """Raise `DatasetError` for two sets of one name: in the store the second would replace the first."""
    first: dict[str, ImageSet] = {}
    for set_ in sets:
        other = first.setdefault(set_.name, set_)
        if {picture.path for picture in other.pictures} != {picture.path for picture in set_.pictures}:
            here, there = (visible(str(own.pictures[0].path.parent)) for own in (other, set_))
            raise DatasetError(
                f"two sets are called {set_.name!r}, one with pictures in {here}, one in {there}: give one a "
                "name of its own in a manifest.toml (`codecarena sets describe FOLDER --name NAME`)"
            )


def _identities(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the identities that will score: here ``ssimulacra2`` may be ``ssimulacra2-py``."""
    try:
        return tuple(
            dict.fromkeys(metric_registry.resolved(metric_registry.find(name).name) for name in names)
        )
    except MetricError as error:
        raise SuiteError(str(error)) from error


def _ask(tables: Sequence[CodecTable], metrics: Sequence[str], executor: Executor) -> list[Future[Outcome]]:
    """Ask each codec and metric what it is, one job each: one that dies takes no other along."""
    present = [table.spec for table in tables if codec_registry.find(table.name).missing is None]
    jobs = [Describe((spec,), ()) for spec in present] + [Describe((), (name,)) for name in metrics]
    return [executor.submit(pool.supervise, job, LOAD_LIMITS) for job in jobs]


def identify_pictures(
    sets: Sequence[ImageSet], store: PlanStore, writer: StoreWriter | None, executor: Executor, *, whole: bool
) -> list[PlannedPicture]:
    """Return every picture with the hash of its pixels; files unchanged since the last run are not read.

    Args:
        sets: The sets, all their files on this machine.
        store: Knows the files that were read before.
        writer: Receives the others and the sets; None records nothing.
        executor: Its threads wait for the workers that read pictures.
        whole: Whether the sets are complete: pictures that the store has beyond them then leave the sets.
    """
    paths = {str(picture.path): picture for set_ in sets for picture in set_.pictures}
    known = store.known_files(paths)
    stats = {path: picture.path.stat() for path, picture in paths.items()}
    unread = [
        path for path, stat in stats.items() if known.get(path, ())[:2] != (stat.st_size, stat.st_mtime_ns)
    ]
    read = list(executor.map(_identified, [paths[path] for path in unread]))
    wrong = [file.error for file in read if file.error]
    if wrong:
        raise DatasetError("\n".join(wrong))
    if writer:
        writer.add_files((file, stats[file.path].st_size, stats[file.path].st_mtime_ns) for file in read)
    sizes = store.picture_sizes() | {file.sha256: file.height * file.width for file in read}
    hashes = {path: row[2] for path, row in known.items()} | {file.path: file.sha256 for file in read}
    planned: list[PlannedPicture] = []
    for set_ in sets:
        members = [(picture, hashes[str(picture.path)]) for picture in set_.pictures]
        anew = store.told_anew(members)
        planned += [
            PlannedPicture(set_.name, picture, sha256, sizes[sha256], sha256 in anew)
            for picture, sha256 in members
        ]
        if writer is None:
            store.check_set(set_.name, members, whole=whole)
            continue
        writer.add_members(set_.name, members, whole=whole)
        add_provenance(writer, set_.name, set_.pictures)
    return planned


def _identified(picture: LocalPicture) -> Identified:
    """Return what a worker says of a picture's file: a large picture may need more memory than there is."""
    stated = picture.pixels
    pixels = (stated.sha256, stated.height, stated.width) if stated else None
    job = Identify(str(picture.path), picture.sha256, pixels)
    outcome = pool.supervise(job, LOAD_LIMITS)
    if outcome.identified:
        return outcome.identified
    reason = outcome.failed[0].message if outcome.failed else "the run was stopped"
    return Identified(job.path, error=f"{job.path}: {reason}")


def _note_told_anew(prepared: Prepared) -> None:
    """Note that pictures with another caption than before are coded again by codecs that read it."""
    known = codec_registry.text_readers()
    readers = [codec.label for codec in prepared.codecs if codec.info.name in known]
    count = len({picture.sha256 for picture in prepared.pictures if picture.told_anew})
    if readers and count:
        prepared.notes.append(
            f"{counted(count, 'picture')} with another caption or text than before: "
            f"{', '.join(readers)} to be run again on them"
        )


def _register(
    asked: Iterable[Future[Outcome]],
    tables: Sequence[CodecTable],
    writer: StoreWriter | None,
    prepared: Prepared,
) -> None:
    """Note the codecs and metrics that loaded, with a writer in the store too, and name the others."""
    described: dict[CodecSpec | str, Described] = {}
    for future in asked:
        outcome = future.result()
        described.update((description.what, description) for description in outcome.described)
    for table in tables:
        codec = _register_codec(table, described.get(table.spec), writer, prepared)
        prepared.codecs += [codec] if codec else []
    for name in (what for what in described if isinstance(what, str)):
        metric = described[name]
        if metric.identity is None:
            prepared.unavailable = True
            prepared.notes.append(f"metric {name}: {metric.error}")
        else:
            prepared.metric_ids[name] = (
                writer.add_metric(metric) if writer else metric_id(metric.identity, metric.facts)
            )


def _register_codec(
    table: CodecTable, described: Described | None, writer: StoreWriter | None, prepared: Prepared
) -> PlannedCodec | None:
    missing = codec_registry.find(table.name).missing
    if missing:
        prepared.notes.append(f"codec {table.name} {missing}" + (" (optional)" if table.optional else ""))
        prepared.unavailable |= not table.optional
        return None
    if described is None or described.info is None:
        reason = described.error if described else "its process died while it loaded"
        if described and described.mistaken:
            raise SuiteError(f"codec {table.name!r}: {reason}")
        left_out = table.optional and described is not None and described.absent
        prepared.unavailable |= not left_out
        if left_out:  # a suite may name ten codecs that are not here: a line for each is enough
            first = str(reason).splitlines()[0].rstrip(":")
            reason = f"{first} (optional; docs/codecs.md says how to get it)"
        prepared.notes.append(f"codec {table.title}: {reason}")
        return None
    parameters = dict(described.parameters)
    codec_id = codec_registry.codec_id(described.info, parameters)
    if writer:
        writer.add_codec(codec_id, described.info, visible(described.label), parameters)
    return PlannedCodec(table, described.info, codec_id, visible(described.label))
