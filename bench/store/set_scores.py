"""Group scored cells into pools of pictures, and store the distances between each pool's two sides."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import fmean

from sqlalchemy import insert, select

from ..records.cells import seed_key
from ..records.identities import ENOUGH_VIEWS, SetMetricIdentity
from ..records.rows import ScoredCell
from .store import Store
from .tables.schema import MemberTable, SetMetricTable, SetScoreTable
from .writer import StoreWriter, now


@dataclass(frozen=True, slots=True)
class Pool:
    """The pictures of a set that one codec made at one setting, each once."""

    image_set: str
    codec_id: str
    codec: str
    """Label."""
    quality: float
    seed: int | None
    cells: tuple[ScoredCell, ...]
    of_pictures: int
    """Pictures of the set in the store; a pool of fewer is not scored."""

    @property
    def complete(self) -> bool:
        """Whether no picture of the set is missing."""
        return len(self.cells) == self.of_pictures

    @property
    def sha256(self) -> str:
        """The hash of the pairs of hashes, original and decoded, in order."""
        pairs = sorted(f"{cell.picture_sha256} {cell.decoded_sha256}\n" for cell in self.cells)
        return hashlib.sha256("".join(pairs).encode()).hexdigest()

    @property
    def bits_per_pixel(self) -> float:
        """The mean of the pictures' bits per pixel."""
        return fmean(cell.bits_per_pixel for cell in self.cells)


@dataclass(frozen=True, slots=True)
class SetScore:
    """One stored distance of a pool that is still current."""

    pool: Pool
    metric: SetMetricIdentity
    value: float
    views: int
    """Tiles of either side, or whole pictures."""

    @property
    def doubtful(self) -> bool:
        """Whether this is a Frechet distance of too few views to be published; KID is meant for those."""
        return self.metric.name.startswith("fid") and self.views < ENOUGH_VIEWS


def set_metric_id(identity: SetMetricIdentity) -> str:
    """Return 16 hex digits that stand for all fields of an identity together."""
    return hashlib.sha256(json.dumps(asdict(identity), sort_keys=True).encode()).hexdigest()[:16]


def pools(store: Store, image_set: str | None = None) -> list[Pool]:
    """Return every setting that was run on at least half of a set's pictures, by set, codec and setting.

    What was run on fewer is the probe of a search or a ladder just begun.
    """
    members = _members(store)
    grouped: dict[tuple[str, str, float, int], dict[str, ScoredCell]] = defaultdict(dict)
    for cell in store.cells(image_set):
        key = (cell.image_set, cell.codec_id, cell.quality, seed_key(cell.seed))
        grouped[key][cell.picture_sha256] = cell
    listed = [
        Pool(name, codec_id, first.codec, quality, first.seed, tuple(cells.values()), members[name])
        for (name, codec_id, quality, _), cells in grouped.items()
        for first in [next(iter(cells.values()))]
        if 2 * len(cells) >= members[name]
    ]
    return sorted(listed, key=lambda pool: (pool.image_set, pool.codec, pool.codec_id, pool.bits_per_pixel))


def set_scores(store: Store, image_set: str | None = None) -> list[SetScore]:
    """Return every distance whose pictures are still the current ones, in the order of `pools`."""
    values = _values(store)
    metrics = _metrics(store)
    return [
        SetScore(pool, metrics[metric_id], value, views)
        for pool in pools(store, image_set)
        for metric_id, (value, views) in sorted(values.get(_key(pool), {}).items())
    ]


def add_set_score(
    writer: StoreWriter, pool: Pool, metric: SetMetricIdentity, value: float, views: int, seconds: float
) -> None:
    """Keep one distance.

    Args:
        writer: Where the distance goes.
        pool: The pictures that were compared.
        metric: Identity of the metric of sets.
        value: The distance; lower is better.
        views: How many tiles or whole pictures each side had.
        seconds: How long it took to compute.
    """
    metric_id = set_metric_id(metric)
    writer.insert_or_ignore(SetMetricTable, [{"id": metric_id, **asdict(metric)}])
    row = {
        "metric_id": metric_id,
        "codec_id": pool.codec_id,
        "quality": pool.quality,
        "seed": seed_key(pool.seed),
        "pool_sha256": pool.sha256,
        "image_set": pool.image_set,
        "pictures": len(pool.cells),
        "views": views,
        "value": value,
        "seconds": seconds,
        "created_at": now(),
    }
    writer.write(lambda connection: connection.execute(insert(SetScoreTable), row))


def _key(pool: Pool) -> tuple[str, float, int, str]:
    return pool.codec_id, pool.quality, seed_key(pool.seed), pool.sha256


def _values(store: Store) -> Mapping[tuple[str, float, int, str], dict[str, tuple[float, int]]]:
    table = SetScoreTable
    values: dict[tuple[str, float, int, str], dict[str, tuple[float, int]]] = defaultdict(dict)
    query = select(
        table.codec_id,
        table.quality,
        table.seed,
        table.pool_sha256,
        table.metric_id,
        table.value,
        table.views,
    )
    with store.reading() as connection:
        for codec_id, quality, seed, pool, metric_id, value, views in connection.execute(query):
            values[codec_id, quality, seed, pool][metric_id] = (value, views)
    return values


def _metrics(store: Store) -> dict[str, SetMetricIdentity]:
    table = SetMetricTable
    columns = (table.name, table.version, table.extractor, table.weights_sha256)
    query = select(table.id, *columns, table.tile_pixels, table.shift_pixels)
    with store.reading() as connection:
        return {row[0]: SetMetricIdentity(*row[1:]) for row in connection.execute(query)}


def _members(store: Store) -> dict[str, int]:
    """Return how many different pictures each set has."""
    members: dict[str, set[str]] = defaultdict(set)
    query = select(MemberTable.image_set, MemberTable.picture_sha256)
    with store.reading() as connection:
        for row in connection.execute(query):
            members[row.image_set].add(row.picture_sha256)
    return {name: len(pictures) for name, pictures in members.items()}
