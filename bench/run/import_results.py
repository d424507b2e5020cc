"""Import results of another tool into a store: pictures are scored here, published means kept as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import takewhile
from pathlib import Path, PurePosixPath

from ...codecs.base import Family
from ...datasets.folder import comparable, shortened
from ...datasets.manifest import LocalPicture
from ...datasets.pixels import PictureError, pixels_sha256, read_pixels
from ...datasets.sets.catalogue import open_set
from ...text_file import read_text
from ..metrics import registry as metric_registry
from ..metrics.base import MetricError
from ..records.cells import CellKey, Saved, seed_key
from ..records.messages import Cell, CodecSpec, Describe, Limits, Original, Outcome, Stored
from ..records.rows import RateKind
from ..store.columns import scored_metrics
from ..store.imports import (
    ImportedRow,
    Published,
    add_imported,
    add_imported_codec,
    imported_codec_id,
    save_published,
)
from ..store.writer import StoreWriter
from ..worker import pool
from ..worker.device import cores, describe
from .foreign_results import Content, InterchangeError, Reconstruction, read
from .prepare import LOAD_LIMITS, identify_pictures
from .toy_pictures import sampler

DEFAULT_METRICS = ("psnr", "ms-ssim")
SCORE_LIMITS = Limits(seconds=600, memory_mib=16 * 1024)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to import a file."""

    image_set: str | None = None
    codec: str | None = None
    """Label, where the file's is not wanted or there is none."""
    family: Family = "learned"
    origin: str = ""
    """Where the numbers come from, in the importer's words."""
    rate_kind: RateKind | None = None
    """Whether the rates are bytes or estimates; the file's word where None."""
    metrics: tuple[str, ...] = ()
    """To score pictures with; those of the store's set, or the usual ones, where empty."""
    data: Path | None = None
    workers: int = 0


@dataclass(slots=True)
class Report:
    """What was imported."""

    points: int = 0
    """Published means."""
    pictures: int = 0
    added: int = 0
    """Of the pictures, those that were not in the store."""
    scored: int = 0
    estimated: int = 0
    """Points or pictures whose rate is an estimate, the size of no bitstream."""
    notes: list[str] = field(default_factory=list)
    """Scores that could not be had."""


def import_file(
    path: Path, store: StoreWriter, options: ImportOptions, progress: Callable[[int, int], None]
) -> Report:
    """Return what was brought into the store; a second import of the same file adds nothing.

    Args:
        path: The file, or the folder of CompressAI's files of single pictures.
        store: Where the pictures, scores and means go.
        options: The image set, labels and metrics of the import.
        progress: Called with how many pictures are scored, and of how many.

    Raises:
        InterchangeError: The file, or a picture it names, is not what it should be; nothing is stored then.
        DatasetError: The image set is not here.
    """
    content = read(path, _set_name(options), options.codec, options.rate_kind)
    provenance = _provenance(path, content, options)
    if not content.reconstructions:
        save_published(store, [Published(**asdict(point), provenance=provenance) for point in content.points])
        estimated = sum(point.rate_kind == "estimated" for point in content.points)
        return Report(points=len(content.points), estimated=estimated)
    try:
        return _Import(path, store, options, provenance).run(content.reconstructions, progress)
    finally:
        pool.stop()
        pool.close()


def _set_name(options: ImportOptions) -> str | None:
    """Return the set's name as its results bear it, where the option is the path of a folder or manifest."""
    reference = options.image_set
    if reference and ("/" in reference or reference.endswith(".toml")) and Path(reference).exists():
        return open_set(reference, options.data).name
    return reference


def _provenance(path: Path, content: Content, options: ImportOptions) -> str:
    parts = (options.origin, content.origin, f"{path.name}, sha256 {content.sha256}")
    return "; ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class _Checked:
    """A reconstruction that fits its original and lies in the store's blobs."""

    original: Original
    row: ImportedRow
    codec: str


class _Import:
    """The steps of importing reconstructions."""

    def __init__(self, path: Path, store: StoreWriter, options: ImportOptions, provenance: str) -> None:
        if options.image_set is None:
            raise InterchangeError(f"{path}: name the image set of its pictures with --set")
        self.path, self.store, self.options, self.provenance = path, store, options, provenance
        self.workers = options.workers or cores()
        chosen = open_set(options.image_set, options.data, sampler())
        self.image_set = chosen.name
        with ThreadPoolExecutor(self.workers) as executor:
            pictures = identify_pictures([chosen], store, store, executor, whole=True)
        self.hashes = {picture.picture.name: picture.sha256 for picture in pictures}
        self.pictures = {picture.name: picture for picture in chosen.pictures}

    def run(self, rows: Sequence[Reconstruction], progress: Callable[[int, int], None]) -> Report:
        """Return what was imported."""
        codecs = sorted({row.codec for row in rows})
        # Every row is checked before the first is stored.
        with ThreadPoolExecutor(self.workers) as executor:
            checked = list(executor.map(self.checked, rows))
        for label in codecs:
            add_imported_codec(self.store, label, self.options.family, self.provenance)
        text = read_text(self.path)
        run_id = self.store.begin_run(
            f"import {self.path.name}", text, describe(), self.workers, len(checked)
        )
        estimated = sum(row.rate_kind == "estimated" for row in rows)
        report = Report(pictures=len(checked), estimated=estimated)
        report.added = add_imported(self.store, [reconstruction.row for reconstruction in checked], run_id)
        self.score(checked, run_id, report, progress)
        self.store.end_run(run_id, "finished")
        return report

    def checked(self, row: Reconstruction) -> _Checked:
        """Return a row whose picture is there and fits; its pixels are in the blobs then."""
        where = f"{self.path}, line {row.line}"
        picture = self.original(row, where)
        try:
            decoded, original = read_pixels(row.decoded), read_pixels(picture.path)
        except PictureError as error:
            raise InterchangeError(f"{where}: {error}") from error
        if decoded.shape != original.shape:
            sizes = [f"{pixels.shape[1]}x{pixels.shape[0]}" for pixels in (decoded, original)]
            raise InterchangeError(
                f"{where}: {row.decoded} is {sizes[0]}, its original {picture.name} {sizes[1]}"
            )
        decoded_sha256 = pixels_sha256(decoded)
        self.store.blobs.put_decoded(decoded_sha256, decoded)
        sha256 = self.hashes[picture.name]
        key = CellKey(sha256, imported_codec_id(row.codec), row.quality, seed_key(row.seed))
        size = row.bitstream_bytes(original.shape[0] * original.shape[1])
        encode, decode = (
            () if seconds is None else (seconds,) for seconds in (row.encode_seconds, row.decode_seconds)
        )
        imported = ImportedRow(key, size, row.rate_kind, decoded_sha256, encode, decode)
        return _Checked(
            Original(str(picture.path), sha256, picture.caption, picture.text), imported, row.codec
        )

    def original(self, row: Reconstruction, where: str) -> LocalPicture:
        """Return the picture of the set that a row means: see `same_names`."""
        names = same_names(row.picture, list(self.pictures))
        if len(names) == 1:
            return self.pictures[names[0]]
        if names:
            raise InterchangeError(
                f"{where}: {row.picture!r} may be {len(names)} pictures of the set {self.image_set}: "
                f"{shortened(names)}; write the one that is meant, with folder and suffix"
            )
        raise InterchangeError(
            f"{where}: the set {self.image_set} has no picture {row.picture!r}; "
            f"it has {shortened(list(self.pictures))}"
        )

    def score(
        self, checked: Sequence[_Checked], run_id: int, report: Report, progress: Callable[[int, int], None]
    ) -> None:
        """Score every picture by the metrics that it lacks."""
        ids = self.metric_ids(report)
        have = self.store.scored(ids.values())
        cells = [(row, cell) for row in checked if (cell := self.cell(row, ids, have)).metrics]
        with ThreadPoolExecutor(self.workers) as executor:
            outcomes = executor.map(lambda pair: pool.supervise(pair[1], SCORE_LIMITS), cells)
            for done, ((checked_row, _), outcome) in enumerate(zip(cells, outcomes, strict=True), start=1):
                saved = Saved(checked_row.row.key, run_id, checked_row.row.decoded_sha256, ids, True, False)
                self.store.save([(saved, outcome)])
                report.scored += len(outcome.scored)
                report.notes += list(_failures(checked_row, outcome))
                progress(done, len(cells))

    def cell(self, fitting: _Checked, ids: dict[str, str], have: set[tuple[str, str, str]]) -> Cell:
        """Return the scoring of one picture, with the metrics that it lacks."""
        original, decoded = fitting.original.sha256, fitting.row.decoded_sha256
        metrics = tuple(name for name, identity in ids.items() if (original, decoded, identity) not in have)
        key, blobs = fitting.row.key, str(self.store.blobs.folder)
        spec = CodecSpec(fitting.codec, ())
        return Cell(
            fitting.original, spec, key.codec_id, key.quality, None, metrics, blobs, Stored("", decoded)
        )

    def metric_ids(self, report: Report) -> dict[str, str]:
        """Return the ids of the metrics to score with, recorded in the store."""
        ids: dict[str, str] = {}
        for name in self.options.metrics or self.usual_metrics():
            try:
                resolved = metric_registry.resolved(metric_registry.find(name).name)
            except MetricError as error:
                raise InterchangeError(str(error)) from error
            for described in pool.supervise(Describe((), (resolved,)), LOAD_LIMITS).described:
                if described.identity is None:
                    report.notes.append(f"metric {resolved}: {described.error}")
                else:
                    ids[resolved] = self.store.add_metric(described)
        return ids

    def usual_metrics(self) -> Sequence[str]:
        """Return the metrics that the set's other codecs have here."""
        used = scored_metrics(self.store, self.image_set)
        names = [metric.name for metric in self.store.metrics() if metric.metric_id in used]
        return tuple(dict.fromkeys(names)) or DEFAULT_METRICS


def same_names(wanted: str, names: Sequence[str]) -> list[str]:
    """Return those of a set's names that somebody else's name of a picture may mean.

    The same name comes before names that end alike, those before names without suffix that end alike; of
    several, those that share most folders, or have no others. Last, capitals do not count.

    Args:
        wanted: As the file has it, with slashes or backslashes.
        names: Of the set's pictures.
    """
    if wanted in names:
        return [wanted]

    def parts(name: str, *, suffix: bool, capitals: bool) -> tuple[str, ...]:
        path = PurePosixPath(comparable(name) if capitals else comparable(name).casefold())
        return (path if suffix else path.with_name(path.stem or path.name)).parts[::-1]

    for capitals, suffix in ((True, True), (True, False), (False, True), (False, False)):
        ends = parts(wanted, suffix=suffix, capitals=capitals)
        shared: dict[str, tuple[int, bool]] = {}
        for name in names:
            own = parts(name, suffix=suffix, capitals=capitals)
            alike = takewhile(lambda pair: pair[0] == pair[1], zip(own, ends, strict=False))
            count = len(list(alike))
            shared[name] = count, count == len(own)
        most = max(shared.values(), default=(0, False))
        if most[0]:
            return [name for name, of_name in shared.items() if of_name == most]
    return []


def _failures(fitting: _Checked, outcome: Outcome) -> Iterator[str]:
    for failed in outcome.failed:
        what = f" by {failed.metric}" if failed.metric else ""
        yield f"{fitting.codec} on {fitting.original.path}: not scored{what}: {failed.message}"
