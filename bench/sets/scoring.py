"""Compute the distances between a set's originals and each codec's decoded pictures of a suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np

from ...codecs import registry as codec_registry
from ...codecs.base import CodecError
from ...codecs.recipe import load as load_recipe
from ...counts import counted
from ...datasets.manifest import DatasetError
from ...datasets.pixels import read_pixels
from ...datasets.sets.catalogue import open_set
from ..metrics.base import MetricError
from ..run import redecode
from ..run.suite import CodecTable, Suite
from ..run.toy_pictures import sampler
from ..store.set_scores import Pool, add_set_score, pools, set_metric_id, set_scores
from ..store.writer import StoreWriter
from .base import Describer, Features, SetMetric
from .tiles import TILE_PIXELS, tiles, whole

Advanced = Callable[[int, int], None]
"""Told how many pools are done, of how many."""


@dataclass(slots=True)
class SetReport:
    """How scoring went."""

    notes: list[str] = field(default_factory=list)
    """What was left out and why, for the user."""
    pools: list[Pool] = field(default_factory=list)
    """What of the store belongs to the suite and is whole."""
    added: int = 0
    """Distances computed now."""
    unscored: int = 0
    """Settings of the suite that could not be scored."""


def score_sets(
    suite: Suite,
    store: StoreWriter,
    metrics: Sequence[SetMetric],
    data: Path | None = None,
    advanced: Advanced = lambda _done, _total: None,
) -> SetReport:
    """Return the report after adding what is missing; each distance is stored as soon as it is known.

    Nothing is encoded. Decoded pictures that are not kept are made again from their bitstreams, checked and
    kept. A setting that lacks a picture of the set is not scored: pools of different pictures do not compare.

    Args:
        suite: Its stored cells are compared with their originals; image sets and codecs are its own.
        store: Where the cells are and the distances go.
        metrics: The metrics of sets to compute.
        data: Folder of the image sets; None for the usual one.
        advanced: Called with how many pools are done, and of how many.

    Raises:
        DatasetError: A set of the suite is not here.
        MetricError: No picture of a set is as large as a tile.
    """
    report = SetReport()
    report.pools = _chosen(suite, store, data, report)
    todo = _kept(_missing(report.pools, metrics, store), store, report)
    paths = store.picture_paths()
    originals: dict[str, _Side] = {}
    for done, (pool, missing) in enumerate(todo):
        advanced(done, len(todo))
        hashes = sorted((cell.picture_sha256, cell.decoded_sha256) for cell in pool.cells)
        if pool.image_set not in originals:
            files = [Path(paths[picture_sha256]) for picture_sha256, _ in hashes]
            originals = {pool.image_set: _Side(files, pool.image_set)}
        decoded = _Side([store.blobs.decoded_path(sha256) for _, sha256 in hashes], pool.image_set)
        for metric in missing:
            _score(store, pool, metric, originals[pool.image_set], decoded)
            report.added += 1
    advanced(len(todo), len(todo))
    return report


class _Side:
    """One side of a pool: its pictures' features, made at first use with one picture at a time in memory."""

    def __init__(self, paths: Sequence[Path], image_set: str) -> None:
        self._paths = paths
        self._image_set = image_set
        self._known: dict[tuple[bool, int], tuple[Features, int]] = {}

    def features(self, describer: Describer, tiled: bool) -> tuple[Features, int]:
        """Return the vectors and how many views they describe."""
        key = (tiled, id(describer))  # Describers live as long as the program.
        if key not in self._known:
            self._known[key] = self._describe(describer, tiled)
        return self._known[key]

    def _describe(self, describer: Describer, tiled: bool) -> tuple[Features, int]:
        described: list[Features] = []
        count = 0
        for path in self._paths:
            if views := (tiles if tiled else whole)(read_pixels(path)):
                described.append(describer.describe(views))
                count += len(views)
        if count < 2:
            raise MetricError(
                f"set {self._image_set!r} gives {counted(count, 'view')}, and a distance of sets needs "
                "at least two: "
                f"pictures of at least {TILE_PIXELS} pixels on each side"
            )
        return np.concatenate(described), count


def _score(store: StoreWriter, pool: Pool, metric: SetMetric, originals: _Side, decoded: _Side) -> None:
    start = perf_counter()
    tiled = metric.identity.tile_pixels is not None
    first, views = originals.features(metric.describer, tiled)
    second, _ = decoded.features(metric.describer, tiled)
    value = metric.distance(first, second)
    add_set_score(store, pool, metric.identity, value, views, perf_counter() - start)


def _missing(
    chosen: Sequence[Pool], metrics: Sequence[SetMetric], store: StoreWriter
) -> list[tuple[Pool, list[SetMetric]]]:
    """Return the pools that lack a distance, with the metrics they lack."""
    have = {
        (score.pool.sha256, score.pool.codec_id, set_metric_id(score.metric)) for score in set_scores(store)
    }
    asked = [(metric, set_metric_id(metric.identity)) for metric in metrics]
    todo = [
        (pool, [metric for metric, metric_id in asked if (pool.sha256, pool.codec_id, metric_id) not in have])
        for pool in chosen
    ]
    return [(pool, missing) for pool, missing in todo if missing]


def _chosen(suite: Suite, store: StoreWriter, data: Path | None, report: SetReport) -> list[Pool]:
    """Return the complete pools of the suite's sets and codecs, and note the others."""
    names = _set_names(suite, data, report)
    known = store.codec_parameters()
    wanted = {
        codec_id
        for codec_id, parameters in known.items()
        if any(_is(table, parameters) for table in suite.codecs)
    }
    listed = [pool for pool in pools(store) if pool.image_set in names and pool.codec_id in wanted]
    if not listed:
        report.notes.append(f"nothing of {suite.name} is stored here; run it first: codecarena run SUITE")
    for pool in listed:
        if not pool.complete:
            report.unscored += 1
            report.notes.append(
                f"{_name(pool)} has {len(pool.cells)} of {counted(pool.of_pictures, 'picture')} and is "
                "not scored"
            )
    return [pool for pool in listed if pool.complete]


def _name(pool: Pool) -> str:
    return f"{pool.codec} {pool.quality:g} on {pool.image_set}"


def _set_names(suite: Suite, data: Path | None, report: SetReport) -> set[str]:
    names: set[str] = set()
    for reference in (*suite.sets, *suite.optional_sets):
        try:
            names.add(open_set(reference, data, sampler()).name)
        except DatasetError as error:
            if reference in suite.sets:
                raise
            report.notes.append(f"set {reference}: {error} (optional)")
    return names


def _is(table: CodecTable, known: tuple[str, Mapping[str, codec_registry.Value]]) -> bool:
    """Whether a stored codec, of any version, is the one of a suite's table."""
    name, parameters = known
    try:
        if "recipe" in table.params:
            return name == load_recipe(Path(str(table.params["recipe"])))[0].name
        return name == table.name and parameters == codec_registry.parameters(name, table.params)
    except CodecError:  # Its library or recipe is gone since it was measured.
        return name == table.name and table.params.items() <= parameters.items()


def _kept(
    todo: Sequence[tuple[Pool, list[SetMetric]]], store: StoreWriter, report: SetReport
) -> list[tuple[Pool, list[SetMetric]]]:
    """Return the pools whose decoded pictures all lie in the store now, and note the others."""
    lost = redecode.keep(store, [cell for pool, _ in todo for cell in pool.cells])
    kept: list[tuple[Pool, list[SetMetric]]] = []
    for pool, missing in todo:
        reasons = [lost[cell.decoded_sha256] for cell in pool.cells if cell.decoded_sha256 in lost]
        if reasons:
            report.unscored += 1
            report.notes.append(
                f"{_name(pool)} is not scored: {counted(len(reasons), 'picture')} lost: {reasons[0]}"
            )
        else:
            kept.append((pool, missing))
    return kept
