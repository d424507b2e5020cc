"""Plan the cells of a suite that are still to run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ...codecs.base import CodecInfo
from ...codecs.registry import text_readers
from ...datasets.manifest import LocalPicture
from ..records.cells import CellKey, seed_key
from ..records.messages import Cell, CodecSpec, Original, Stored
from ..store.plan_store import PlanStore
from ..store.searches import matched_settings
from .suite import CodecTable, Suite, SuiteError


@dataclass(frozen=True, slots=True)
class PlannedPicture:
    """A picture of the suite whose pixels are known."""

    image_set: str
    picture: LocalPicture
    sha256: str
    pixel_count: int
    told_anew: bool = False
    """Whether it has another caption or text than the store knows, which a dry run leaves as it is."""


@dataclass(frozen=True, slots=True)
class PlannedCodec:
    """A codec of the suite that loaded."""

    table: CodecTable
    info: CodecInfo
    codec_id: str
    label: str

    def qualities(self) -> tuple[float, ...]:
        """Return the qualities to run.

        Raises:
            SuiteError: One is outside the codec's scale.
        """
        scale = self.info.scale
        for quality in (chosen := self.table.ladder(self.info.qualities)):
            if not scale.contains(quality):
                ends = f"{scale.worst:g} (worst) to {scale.best:g} (best)"
                raise SuiteError(
                    f"codec {self.label!r}: {scale.name} {quality:g} is outside its scale, {ends}"
                )
        return chosen

    def seeds(self, suite: Suite) -> tuple[int | None, ...]:
        """Return the seeds to decode with; None is the stream's own."""
        return suite.seeds if suite.seeds and self.info.stochastic else (None,)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run of a suite."""

    force: frozenset[str] = frozenset()
    """Names or labels of codecs to measure again; all, where only pictures or qualities are named."""
    force_pictures: frozenset[str] = frozenset()
    """To measure again on these pictures alone; on all where none is named."""
    force_qualities: frozenset[float] = frozenset()
    """Likewise at these qualities."""
    retry_failed: bool = False
    score_only: bool = False
    """Whether to leave alone what was never measured, and take in the settings that searches have found."""

    @property
    def whole_codecs(self) -> frozenset[str]:
        """Codecs to measure again on all pictures at all qualities."""
        return self.force if not (self.force_pictures or self.force_qualities) else frozenset()

    def forces(self, codec: PlannedCodec, picture: str, quality: float) -> bool:
        """Whether a cell is measured again though it is stored.

        Args:
            codec: Of the cell.
            picture: The picture's name in its set.
            quality: The setting.
        """
        named = (
            (self.force, {codec.label, codec.info.name}),
            (self.force_pictures, {picture}),
            (self.force_qualities, {quality}),
        )
        fits = all(not names or names & own for names, own in named)
        return fits and any(names for names, _ in named) and not self.score_only


@dataclass(frozen=True, slots=True)
class Planned:
    """One cell to run and how to store it."""

    cell: Cell
    key: CellKey
    codec: PlannedCodec
    picture: PlannedPicture
    replace: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """The cells to run, and how many of the suite need nothing."""

    cells: tuple[Planned, ...]
    total: int
    """Cells of the suite."""
    done: int
    """Cells whose measurement and scores are all stored."""
    failed_before: int
    """Cells left alone because an earlier attempt failed; ``--retry-failed`` runs them."""
    keys: frozenset[CellKey] = frozenset()
    """Of every cell of the suite."""
    lost: int = 0
    """Cells to measure again because what a score needs of them is missing or damaged."""


def make_plan(
    suite: Suite,
    pictures: Iterable[PlannedPicture],
    codecs: Iterable[PlannedCodec],
    metric_ids: Mapping[str, str],
    store: PlanStore,
    wanted: Wanted,
) -> Plan:
    """Return what is still to run, picture by picture so that workers prepare each original once.

    Args:
        suite: Qualities and seeds of each codec.
        pictures: Of all sets; a picture in two sets is one cell.
        codecs: Those that loaded.
        metric_ids: By name, of the metrics that loaded; a cell lacks those without a score.
        store: What was measured, scored and attempted before.
        wanted: What to run again, and whether only to score.
    """
    listed = tuple(codecs)
    ids = [codec.codec_id for codec in listed]
    measured = store.measured(ids)
    scored = store.scored(metric_ids.values())
    # Another seed of a picture at a setting decodes the bitstream that is there.
    streams = {key.stream: stored.bitstream_sha256 for key, stored in measured.items()}
    attempted = set() if wanted.retry_failed else store.attempted(ids)
    cells: list[Planned] = []
    total = done = failed_before = lost = 0
    seen: set[CellKey] = set()
    shown = tuple(pictures)
    matched = _matched_grid(suite, shown, listed, store) if wanted.score_only else ()
    for picture, codec, quality, seed in (*_grid(suite, shown, listed), *matched):
        key = CellKey(picture.sha256, codec.codec_id, quality, seed_key(seed))
        if key in seen:  # The same picture in two sets is one cell.
            continue
        seen.add(key)
        stored = measured.get(key)
        if wanted.score_only and stored is None:
            continue
        total += 1
        forced = wanted.forces(codec, picture.picture.name, quality)
        # A run has made history of what was coded of another caption; a dry run finds it still there.
        outdated = picture.told_anew and codec.info.name in text_readers() and not wanted.score_only
        have = None if forced or outdated else stored
        missing = [
            name
            for name, identity in metric_ids.items()
            if have is None or (picture.sha256, have.decoded_sha256, identity) not in scored
        ]
        if have and not missing:
            done += 1
            continue
        if have and not wanted.score_only and not store.blobs.holds(have):
            forced, have, missing, lost = True, None, list(metric_ids), lost + 1
        todo = [name for name in missing if (key, name) not in attempted]
        if not forced and ((have is None and (key, None) in attempted) or (have and not todo)):
            failed_before += 1
            continue
        cell = make_cell(suite, store, picture, codec, quality, seed, tuple(todo), have)
        if have is None and not forced:
            stream = streams.get(key.stream)
            undamaged = stream is not None and store.blobs.has_bitstream(stream)
            cell = replace(cell, bitstream_sha256=stream if undamaged else None)
        cells.append(Planned(cell, key, codec, picture, forced))
    return Plan(tuple(cells), total, done, failed_before, frozenset(seen), lost)


def _grid(
    suite: Suite, pictures: Iterable[PlannedPicture], codecs: tuple[PlannedCodec, ...]
) -> Iterator[tuple[PlannedPicture, PlannedCodec, float, int | None]]:
    ladders = [(codec, codec.qualities(), codec.seeds(suite)) for codec in codecs]
    for picture in pictures:
        for codec, qualities, seeds in ladders:
            for quality in qualities:
                for seed in seeds:
                    yield picture, codec, quality, seed


def _matched_grid(
    suite: Suite, pictures: Iterable[PlannedPicture], codecs: tuple[PlannedCodec, ...], store: PlanStore
) -> Iterator[tuple[PlannedPicture, PlannedCodec, float, int | None]]:
    of_pictures, of_sets = matched_settings(store, [codec.codec_id for codec in codecs])
    for picture in pictures:
        for codec in codecs:
            own = of_pictures.get((codec.codec_id, picture.sha256), set())
            shared = of_sets.get((codec.codec_id, picture.image_set), set())
            for quality in sorted(own | shared):
                for seed in codec.seeds(suite):
                    yield picture, codec, quality, seed


def make_cell(
    suite: Suite,
    store: PlanStore,
    picture: PlannedPicture,
    codec: PlannedCodec,
    quality: float,
    seed: int | None,
    metrics: tuple[str, ...],
    stored: Stored | None,
) -> Cell:
    """Return a cell as a worker gets it; with ``stored`` nothing is encoded and the metrics are added.

    Args:
        suite: Says how often to repeat a call and whether decoded pictures are kept.
        store: Its blobs receive bitstream and decoded picture.
        picture: The original.
        codec: The codec to run.
        quality: The setting, on the codec's own scale.
        seed: Of the decoder; None for codecs that need none.
        metrics: Names of the metrics to score.
        stored: Hashes of the bitstream and decoded picture that are stored; None to encode.
    """
    original = Original(
        str(picture.picture.path), picture.sha256, picture.picture.caption, picture.picture.text
    )
    spec: CodecSpec = codec.table.spec
    return Cell(
        original,
        spec,
        codec.codec_id,
        quality,
        seed,
        metrics,
        str(store.blobs.folder),
        stored,
        suite.repeats,
        suite.keep_decoded,
    )
