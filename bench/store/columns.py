"""Read image sets as columns: arrays in the order of its measurements, for stores of a million scores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Executable, Text, cast, select

from ..records.cells import NO_SEED
from .rows import ScoredCell
from .schema import CodecTable, MeasurementTable, MemberTable, MetricTable, PictureTable, ScoreTable
from .store import Store

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ColumnPicture:
    """One picture of the set."""

    sha256: str
    name: str
    kind: str
    pixel_count: int
    generator: str | None


@dataclass(frozen=True, slots=True)
class ColumnCodec:
    """One codec with a measurement in the set."""

    codec_id: str
    label: str
    family: str
    toy: bool
    imported: bool
    provenance: str | None
    generator: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Every current measurement of an image set; arrays have one element for each."""

    image_set: str
    pictures: tuple[ColumnPicture, ...]
    """Those with a measurement, by name."""
    codecs: tuple[ColumnCodec, ...]
    """By label."""
    measurement: IntArray
    """The measurement's id."""
    picture: IntArray
    """Place in `pictures`."""
    codec: IntArray
    """Place in `codecs`."""
    quality: FloatArray
    seed: IntArray
    bitstream_bytes: IntArray
    contended: Mask
    probe: Mask
    verified: Mask
    isolated: Mask
    """Verified with nothing else in reach."""
    wrong: Mask
    """Gave other pixels, or none, when it was decoded again."""
    varies: Mask
    """Its encoder wrote other bytes when it was asked again."""

    @property
    def bits_per_pixel(self) -> FloatArray:
        """Eight times the bitstream's bytes over the original's pixels."""
        pixels = np.array([one.pixel_count for one in self.pictures] or [1], dtype=np.float64)
        return 8.0 * self.bitstream_bytes / pixels[self.picture]

    def only(self, chosen: Mask) -> Columns:
        """Return these measurements alone."""
        arrays = {
            one.name: getattr(self, one.name)[chosen]
            for one in fields(self)
            if isinstance(getattr(self, one.name), np.ndarray)
        }
        return replace(self, **arrays)

    def of_kind(self, kind: str) -> Mask:
        """Return which measurements are of natural, or of AI-generated, pictures."""
        return np.array([one.kind == kind for one in self.pictures] or [False])[self.picture]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreColumn:
    """One metric's scores of the measurements of `Columns`, in their order."""

    values: FloatArray
    """NaN where there is no score, and where the pixels came back identical."""
    known: Mask
    """Whether there is a score that means something."""
    inapplicable: Mask
    """Whether the picture holds nothing that the metric measures."""

    def only(self, chosen: Mask) -> ScoreColumn:
        """Return the scores of these measurements alone."""
        return ScoreColumn(self.values[chosen], self.known[chosen], self.inapplicable[chosen])


def read_columns(store: Store, image_set: str | None = None) -> Columns:
    """Return the measurements of an image set, or of all; `Store.cells` has the same ones as records."""
    pictures, codecs = _pictures(store, image_set), _codecs(store)
    places = {one.sha256: place for place, one in enumerate(pictures)}
    codec_places = {one.codec_id: place for place, one in enumerate(codecs)}
    table = MeasurementTable
    query = (
        select(
            table.id, table.picture_sha256, table.codec_id, table.quality, table.seed, table.bitstream_bytes,
            table.contended, table.probe,
        )
        .where(table.superseded_at.is_(None))
    )  # fmt: skip
    rows = [row for row in _fetch(store, query) if row[1] in places]
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * 8
    count = len(rows)
    measurement = np.array(columns[0], dtype=np.int64)
    marks = _verdicts(store, measurement)
    name = image_set if image_set is not None else " + ".join(store.image_sets())
    found = Columns(
        name, pictures, codecs, measurement,
        np.fromiter((places[one] for one in columns[1]), np.int64, count),
        np.fromiter((codec_places[one] for one in columns[2]), np.int64, count),
        np.array(columns[3], dtype=np.float64),
        np.array(columns[4], dtype=np.int64),
        np.array(columns[5], dtype=np.int64),
        np.array(columns[6], dtype=bool),
        np.array(columns[7], dtype=bool),
        *marks,
    )  # fmt: skip
    return _used(found)


def read_scores(store: Store, columns: Columns, metric_id: str, image_set: str | None = None) -> ScoreColumn:
    """Return one metric's scores of these measurements, which are of one image set or of all."""
    measured, score, member = MeasurementTable, ScoreTable, MemberTable
    perfect = select(MetricTable.perfect).where(MetricTable.id == metric_id)
    query = (
        select(measured.id, score.value, score.lossless)
        .join(
            score,
            (score.original_sha256 == measured.picture_sha256)
            & (score.decoded_sha256 == measured.decoded_sha256)
            & (score.metric_id == metric_id),
        )
        .where(measured.superseded_at.is_(None))
    )
    if image_set is not None:
        members = select(member.picture_sha256).where(member.image_set == image_set)
        query = query.where(measured.picture_sha256.in_(members))
    with store.engine.connect() as connection:
        bounded = connection.scalar(perfect) is not None
    ids, values, lossless = _arrays(_fetch(store, query), (np.int64, np.float64, np.bool_))
    count = len(columns.measurement)
    place, found = _places(columns.measurement, ids)
    # A bounded metric has no value only where there was nothing to measure.
    applies = ~np.isnan(values) | (not bounded)
    column = ScoreColumn(np.full(count, np.nan), np.zeros(count, bool), np.zeros(count, bool))
    column.values[place] = np.where(lossless, np.nan, values)[found]
    column.known[place] = applies[found]
    column.inapplicable[place] = ~applies[found]
    return column


def read_encode_seconds(store: Store, columns: Columns) -> FloatArray:
    """Return the median time of each measurement's encodes; NaN where none was timed."""
    table = MeasurementTable
    query = select(table.id, cast(table.encode_seconds, Text)).where(table.superseded_at.is_(None))
    rows = _fetch(store, query)
    texts = ",".join(row[1] for row in rows)
    repeats: list[list[float]] = json.loads(f"[{texts}]")
    medians = np.array([float(np.median(one)) if len(one) > 1 else (one or [np.nan])[0] for one in repeats])
    place, found = _places(columns.measurement, np.array([row[0] for row in rows], dtype=np.int64))
    seconds = np.full(len(columns.measurement), np.nan)
    seconds[place] = medians[found] if len(medians) else []
    return seconds


def scored_metrics(store: Store, image_set: str | None = None) -> set[str]:
    """Return the ids of the metrics with a score of a measurement of an image set, or of any."""
    measured, score, member = MeasurementTable, ScoreTable, MemberTable
    with store.engine.connect() as connection:
        ids = list(connection.scalars(select(MetricTable.id)))
        pairs = (
            select(score.value)
            .join(
                measured,
                (score.original_sha256 == measured.picture_sha256)
                & (score.decoded_sha256 == measured.decoded_sha256),
            )
            .where(measured.superseded_at.is_(None))
        )
        if image_set is not None:
            members = select(member.picture_sha256).where(member.image_set == image_set)
            pairs = pairs.where(measured.picture_sha256.in_(members))
        # One row is enough: the first measurement has it, unless a metric is new.
        return {
            one
            for one in ids
            if connection.execute(pairs.where(score.metric_id == one).limit(1)).first() is not None
        }


def _pictures(store: Store, image_set: str | None) -> tuple[ColumnPicture, ...]:
    member, picture = MemberTable, PictureTable
    query = (
        select(picture.sha256, member.name, member.kind, picture.height * picture.width, member.generator)
        .join(picture, picture.sha256 == member.picture_sha256)
        .order_by(member.image_set, member.name)
    )
    if image_set is not None:
        query = query.where(member.image_set == image_set)
    # A picture under two names, or in two sets, has one place here: the first name's.
    rows = {row[0]: row for row in reversed(_fetch(store, query))}
    return tuple(sorted((ColumnPicture(*row) for row in rows.values()), key=lambda one: one.name))


def _codecs(store: Store) -> tuple[ColumnCodec, ...]:
    codec = CodecTable
    query = select(
        codec.id, codec.label, codec.family, codec.toy, codec.imported, codec.provenance, codec.generator
    )
    found = [
        ColumnCodec(codec_id, label, family, bool(toy), bool(imported), provenance, generator)
        for codec_id, label, family, toy, imported, provenance, generator in _fetch(store, query)
    ]
    return tuple(sorted(found, key=lambda one: (one.label, one.codec_id)))


def _verdicts(store: Store, measurement: IntArray) -> tuple[Mask, Mask, Mask, Mask]:
    found = store.verdicts()
    place, kept = _places(measurement, np.fromiter(found, np.int64, len(found)))
    verdicts = list(found.values())
    columns = tuple(np.zeros(len(measurement), bool) for _ in range(4))
    for at, one in zip(place, kept, strict=True):
        verdict = verdicts[one]
        columns[0][at] = True
        columns[1][at] = verdict.isolation != "none"
        columns[2][at] = verdict.outcome in ("differs", "failed")
        columns[3][at] = verdict.encoder_repeats is False
    return columns[0], columns[1], columns[2], columns[3]


def _used(columns: Columns) -> Columns:
    """Return the columns without pictures and codecs that have no measurement."""
    pictures, picture = np.unique(columns.picture, return_inverse=True)
    codecs, codec = np.unique(columns.codec, return_inverse=True)
    return replace(
        columns,
        pictures=tuple(columns.pictures[place] for place in pictures),
        codecs=tuple(columns.codecs[place] for place in codecs),
        picture=picture,
        codec=codec,
    )


def _places(wanted: IntArray, given: IntArray) -> tuple[IntArray, IntArray]:
    """Return where given ids stand among the wanted ones, and which of the given ones do."""
    if not len(wanted) or not len(given):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(wanted)
    at = np.minimum(np.searchsorted(wanted[order], given), len(wanted) - 1)
    kept = np.flatnonzero(wanted[order][at] == given)
    return order[at[kept]], kept


# Any: rows of columns of any type.
def _arrays(rows: Sequence[Sequence[Any]], types: Sequence[type]) -> list[NDArray[Any]]:
    columns = zip(*rows, strict=True) if rows else ((),) * len(types)
    return [np.array(column, dtype=one) for column, one in zip(columns, types, strict=True)]


# Any: a statement and its rows have columns of any type.
def _fetch(store: Store, query: Executable) -> list[Any]:
    """Return the rows as the driver gives them: ten times as fast as one object for each."""
    with store.engine.connect() as connection:
        cursor = connection.execute(query).cursor
        assert cursor is not None, "a statement that returns rows has a cursor"
        return list(cursor.fetchall())


def fingerprint(columns: Columns, column: ScoreColumn) -> Iterator[bytes]:
    """Yield hashes of everything of these measurements that an answer about one metric depends on."""
    told = [f"{one.sha256} {one.kind} {one.pixel_count} {one.generator}" for one in columns.pictures]
    codecs = [f"{one.codec_id} {one.label} {one.generator}" for one in columns.codecs]
    picture, codec = _ranks(told, columns.picture), _ranks(codecs, columns.codec)
    order = np.lexsort((columns.seed, columns.quality, picture, codec))
    yield json.dumps(sorted(told[int(one)] for one in np.unique(columns.picture))).encode()
    yield json.dumps(sorted(codecs[int(one)] for one in np.unique(columns.codec))).encode()
    state = column.known + 2 * column.inapplicable.astype(np.int64)
    numbers = (picture, codec, columns.seed, columns.bitstream_bytes, columns.probe.astype(np.int64), state)
    for array in numbers:
        yield sha256(array[order].astype("<i8").tobytes()).digest()
    for values in (columns.quality, column.values):
        yield sha256((values[order].astype("<f8") + 0.0).tobytes()).digest()


def _ranks(told: Sequence[str], places: IntArray) -> IntArray:
    """Return the places as ranks among those that are used, by what is told of them."""
    used = np.unique(places)
    order = {name: rank for rank, name in enumerate(sorted(told[int(one)] for one in used))}
    ranks = np.zeros(len(told), np.int64)
    ranks[used] = [order[told[int(one)]] for one in used]
    return ranks[places]


def columns_of(cells: Iterable[ScoredCell], metric_id: str) -> tuple[Columns, ScoreColumn]:
    """Return records as columns, with the scores of one metric; a picture in several sets counts once."""
    unique = {(one.codec_id, one.picture_sha256, one.quality, one.seed): one for one in cells}
    rows = list(unique.values())
    pictures = {
        one.picture_sha256: ColumnPicture(
            one.picture_sha256, one.picture, one.kind, one.pixel_count, one.picture_generator
        )
        for one in reversed(rows)
    }
    codecs = {
        one.codec_id: ColumnCodec(
            one.codec_id, one.codec, one.family, one.toy, one.imported, one.provenance, one.codec_generator
        )
        for one in rows
    }
    picture_places = {sha256: place for place, sha256 in enumerate(pictures)}
    codec_places = {codec_id: place for place, codec_id in enumerate(codecs)}
    verdicts = [one.verdict for one in rows]
    scores = [one.scores.get(metric_id) for one in rows]
    columns = Columns(
        rows[0].image_set if rows else "",
        tuple(pictures.values()),
        tuple(codecs.values()),
        np.arange(len(rows)),
        np.array([picture_places[one.picture_sha256] for one in rows], dtype=np.int64),
        np.array([codec_places[one.codec_id] for one in rows], dtype=np.int64),
        np.array([one.quality for one in rows], dtype=np.float64),
        np.array([NO_SEED if one.seed is None else one.seed for one in rows], dtype=np.int64),
        np.array([one.bitstream_bytes for one in rows], dtype=np.int64),
        np.array([one.contended for one in rows], dtype=bool),
        np.array([one.probe for one in rows], dtype=bool),
        np.array([one is not None for one in verdicts], dtype=bool),
        np.array([one is not None and one.isolation != "none" for one in verdicts], dtype=bool),
        np.array([one is not None and one.outcome in ("differs", "failed") for one in verdicts], dtype=bool),
        np.array([one is not None and one.encoder_repeats is False for one in verdicts], dtype=bool),
    )
    values = [np.nan if one is None or one.value is None or one.lossless else one.value for one in scores]
    return columns, ScoreColumn(
        np.array(values, dtype=np.float64),
        np.array([one is not None and one.applicable for one in scores], dtype=bool),
        np.array([one is not None and not one.applicable for one in scores], dtype=bool),
    )
