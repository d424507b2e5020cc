"""Import results of another tool into a store: pictures are scored here, published means kept as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ...codecs.base import Family
from ...datasets.manifest import LocalPicture
from ...datasets.pixels import PictureError, pixels_sha256, read_pixels
from ...datasets.sets.catalogue import open_set
from ..metrics import registry as metric_registry
from ..metrics.base import MetricError
from ..records.cells import CellKey, Saved, seed_key
from ..records.messages import Cell, CodecSpec, Describe, Limits, Original, Outcome, Stored
from ..store.columns import scored_metrics
from ..store.imports import (
    ImportedRow,
from ..records.rows import RateKind
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
    metrics: tuple[str, ...] = ()
    """To score pictures with; those of the store's set, or the usual ones, where empty."""
    data: Path | None = None
    rate_kind: RateKind | None = None
    """Whether the rates are bytes or estimates; the file's word where None."""
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
    notes: list[str] = field(default_factory=list)
    """Scores that could not be had."""

    estimated: int = 0
    """Points or pictures whose rate is an estimate, the size of no bitstream."""

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


def _provenance(path: Path, content: Content, options: ImportOptions) -> str:
    parts = (options.origin, content.origin, f"{path.name}, sha256 {content.sha256}")
    return "; ".join(part for part in parts if part)
def _set_name(options: ImportOptions) -> str | None:
    """Return the set's name as its results bear it, where the option is the path of a folder or manifest."""
    reference = options.image_set
    if reference and ("/" in reference or reference.endswith(".toml")) and Path(reference).exists():
        return open_set(reference, options.data).name
    return reference




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
        self.hashes = {
            picture.picture.name: picture.sha256
            for picture in identify_pictures([chosen], store, self.workers, whole=True)
        }
        self.pictures = {picture.name: picture for picture in chosen.pictures}

    def run(self, rows: Sequence[Reconstruction], progress: Callable[[int, int], None]) -> Report:
        """Return what was imported."""
        codecs = sorted({row.codec for row in rows})
        # Every row is checked before the first is stored.
        with ThreadPoolExecutor(self.workers) as executor:
            checked = list(executor.map(self.checked, rows))
        for label in codecs:
            add_imported_codec(self.store, label, self.options.family, self.provenance)
        text = self.path.read_text(encoding="utf-8-sig")
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
        """Return the picture of the set that a row means: by its name, or by the name without suffix."""
        exact = self.pictures.get(row.picture)
        stem = Path(row.picture).stem
        alike = [picture for name, picture in self.pictures.items() if Path(name).stem == stem]
        if exact or len(alike) == 1:
            return exact or alike[0]
        known = ", ".join(list(self.pictures)[:4])
        raise InterchangeError(
            f"{where}: the set {self.image_set} has no picture {row.picture!r}; it has {known}, ..."
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


def _failures(fitting: _Checked, outcome: Outcome) -> Iterator[str]:
    for failed in outcome.failed:
        what = f" by {failed.metric}" if failed.metric else ""
        yield f"{fitting.codec} on {fitting.original.path}: not scored{what}: {failed.message}"
