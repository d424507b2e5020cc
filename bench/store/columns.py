"""Read image sets as columns: arrays in the order of its measurements, for stores of a million scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Executable, Select, Text, cast, select

from ..records.columns import (
    ByteParts,
    ColumnCodec,
    ColumnPicture,
    Columns,
    FloatArray,
    IntArray,
    Mask,
    ScoreColumn,
)
from .picture_filter import pictures_where
from .store import Store
from .tables.schema import CodecTable, MeasurementTable, MemberTable, MetricTable, PictureTable, ScoreTable


def read_columns(store: Store, image_set: str | None = None) -> Columns:
    """Return the measurements of an image set, or of all; `Store.cells` has the same ones as records."""
    pictures, codecs = _pictures(store, image_set), _codecs(store)
    places = {picture.sha256: place for place, picture in enumerate(pictures)}
    codec_places = {codec.codec_id: place for place, codec in enumerate(codecs)}
    table = MeasurementTable
    query = (
        select(
            table.id, table.picture_sha256, table.codec_id, table.quality, table.seed, table.bitstream_bytes,
            table.contended, table.probe, table.rate_kind,
        )
        .where(table.superseded_at.is_(None))
    )  # fmt: skip
    rows = [row for row in _fetch(store, query) if row[1] in places]
    fields: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * 9
    count = len(rows)
    measurement = np.array(fields[0], dtype=np.int64)
    marks = _verdicts(store, measurement)
    name = image_set if image_set is not None else " + ".join(store.image_sets())
    columns = Columns(
        name, pictures, codecs, measurement,
        np.fromiter((places[picture_sha256] for picture_sha256 in fields[1]), np.int64, count),
        np.fromiter((codec_places[codec_id] for codec_id in fields[2]), np.int64, count),
        np.array(fields[3], dtype=np.float64),
        np.array(fields[4], dtype=np.int64),
        np.array(fields[5], dtype=np.int64),
        np.array(fields[6], dtype=bool),
        np.array(fields[7], dtype=bool),
        *marks,
        np.array([kind == "estimated" for kind in fields[8]], dtype=bool),
    )  # fmt: skip
    return _used(columns)


def read_scores(store: Store, columns: Columns, metric_id: str, image_set: str | None = None) -> ScoreColumn:
    """Return one metric's scores of these measurements, which are of one image set or of all.

    Args:
        store: Where the scores are.
        columns: The measurements, as `read_columns` returns them.
        metric_id: Of the metric to read.
        image_set: The set of ``columns``; None where they are of all sets.
    """
    measured, score = MeasurementTable, ScoreTable
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
    query = query.where(*_of_pictures(store, image_set))
    with store.reading() as connection:
        bounded = connection.scalar(perfect) is not None
    ids, values, lossless = _arrays(_fetch(store, query), (np.int64, np.float64, np.bool_))
    count = len(columns.measurement)
    place, given = _places(columns.measurement, ids)
    # A bounded metric has no value only where there was nothing to measure.
    applies = ~np.isnan(values) | (not bounded)
    column = ScoreColumn(np.full(count, np.nan), np.zeros(count, bool), np.zeros(count, bool))
    column.values[place] = np.where(lossless, np.nan, values)[given]
    column.known[place] = applies[given]
    column.inapplicable[place] = ~applies[given]
    return column


def read_encode_seconds(store: Store, columns: Columns) -> FloatArray:
    """Return the median time of each measurement's encodes; NaN where none was timed."""
    return _medians(store, columns, cast(MeasurementTable.encode_seconds, Text))


def read_decode_seconds(store: Store, columns: Columns) -> FloatArray:
    """Return the median time of each measurement's decodes; NaN where none was timed."""
    return _medians(store, columns, cast(MeasurementTable.decode_seconds, Text))


def read_byte_parts(store: Store, columns: Columns) -> ByteParts:
    """Return what the bytes of each measurement are for."""
    table = MeasurementTable
    query = select(table.id, table.header_bytes, table.payload_bytes, table.side_bytes)
    ids, *parts = _arrays(
        _fetch(store, query.where(table.superseded_at.is_(None))), (np.int64, *[np.float64] * 3)
    )
    place, given = _places(columns.measurement, ids)
    arrays = np.full((3, len(columns.measurement)), np.nan)
    arrays[:, place] = np.stack(parts)[:, given]
    return ByteParts(*arrays)


def _medians(store: Store, columns: Columns, seconds: ColumnElement[str]) -> FloatArray:
    table = MeasurementTable
    rows = _fetch(store, select(table.id, seconds).where(table.superseded_at.is_(None)))
    texts = ",".join(row[1] for row in rows)
    repeats: list[list[float]] = json.loads(f"[{texts}]")
    medians = np.array([_median(times) for times in repeats])
    place, given = _places(columns.measurement, np.array([row[0] for row in rows], dtype=np.int64))
    values = np.full(len(columns.measurement), np.nan)
    values[place] = medians[given] if len(medians) else []
    return values


def _median(times: list[float]) -> float:
    # Most cells were timed once, and NumPy's median of a single number is slow.
    return float(np.median(times)) if len(times) > 1 else (times or [np.nan])[0]


def scored_metrics(store: Store, image_set: str | None = None) -> set[str]:
    """Return the ids of the metrics with a score of a measurement of an image set, or of any.

    What is stored where a picture holds nothing that a metric measures is no score.
    """
    measured, score = MeasurementTable, ScoreTable
    with store.reading() as connection:
        metrics = connection.execute(select(MetricTable.id, MetricTable.perfect)).all()
        pairs = (
            select(score.value)
            .join(
                measured,
                (score.original_sha256 == measured.picture_sha256)
                & (score.decoded_sha256 == measured.decoded_sha256),
            )
            .where(measured.superseded_at.is_(None))
        )
        pairs = pairs.where(*_of_pictures(store, image_set))
        # One row is enough: the first measurement has it, unless a metric is new.
        return {
            metric_id
            for metric_id, perfect in metrics
            if connection.execute(_scores_of(pairs, metric_id, perfect).limit(1)).first() is not None
        }


def _scores_of(pairs: Select[float | None], metric_id: str, perfect: float | None) -> Select[float | None]:
    """Return the query for the scores of one metric; with a perfect value they are numbers."""
    own = pairs.where(ScoreTable.metric_id == metric_id)
    return own if perfect is None else own.where(ScoreTable.value.is_not(None))


def _pictures(store: Store, image_set: str | None) -> tuple[ColumnPicture, ...]:
    member, picture = MemberTable, PictureTable
    query = (
        select(picture.sha256, member.name, member.kind, picture.height * picture.width, member.generator)
        .join(picture, picture.sha256 == member.picture_sha256)
        .order_by(member.image_set, member.name)
    )
    if image_set is not None:
        query = query.where(member.image_set == image_set)
    if store.where:
        query = query.where(pictures_where(store.where, picture.sha256))
    # A picture under two names, or in two sets, has one place here: the first name's.
    by_sha256: dict[str, ColumnPicture] = {}
    for picture_of_set in (ColumnPicture(*row) for row in _fetch(store, query)):
        first = by_sha256.setdefault(picture_of_set.sha256, picture_of_set)
        if picture_of_set.kind != first.kind:
            by_sha256[picture_of_set.sha256] = replace(first, other_kind=picture_of_set.kind)
    return tuple(sorted(by_sha256.values(), key=lambda picture_of_set: picture_of_set.name))


def _of_pictures(store: Store, image_set: str | None) -> list[ColumnElement[bool]]:
    """Return what measurements must be to be of the chosen pictures."""
    member, picture_sha256 = MemberTable, MeasurementTable.picture_sha256
    chosen: list[ColumnElement[bool]] = []
    if image_set is not None:
        members = select(member.picture_sha256).where(member.image_set == image_set)
        chosen.append(picture_sha256.in_(members))
    if store.where:
        chosen.append(pictures_where(store.where, picture_sha256))
    return chosen


def _codecs(store: Store) -> tuple[ColumnCodec, ...]:
    codec = CodecTable
    query = select(
        codec.id, codec.label, codec.family, codec.toy, codec.imported, codec.provenance, codec.generator
    )
    codecs = [
        ColumnCodec(codec_id, label, family, bool(toy), bool(imported), provenance, generator)
        for codec_id, label, family, toy, imported, provenance, generator in _fetch(store, query)
    ]
    return tuple(sorted(codecs, key=lambda codec: (codec.label, codec.codec_id)))


def _verdicts(store: Store, measurement: IntArray) -> tuple[Mask, Mask, Mask, Mask]:
    by_measurement = store.verdicts()
    place, kept = _places(measurement, np.fromiter(by_measurement, np.int64, len(by_measurement)))
    verdicts = list(by_measurement.values())
    columns = tuple(np.zeros(len(measurement), bool) for _ in range(4))
    for at, verdict in zip(place, (verdicts[index] for index in kept), strict=True):
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
    """Return the positions of given ids among the wanted ones, and the positions of those among the given."""
    if not len(wanted) or not len(given):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(wanted)
    at = np.minimum(np.searchsorted(wanted[order], given), len(wanted) - 1)
    kept = np.flatnonzero(wanted[order][at] == given)
    return order[at[kept]], kept


# Any: rows of columns of any type.
def _arrays(rows: Sequence[Sequence[Any]], types: Sequence[type]) -> list[NDArray[Any]]:
    columns = zip(*rows, strict=True) if rows else ((),) * len(types)
    return [np.array(column, dtype=type_) for column, type_ in zip(columns, types, strict=True)]


# Any: a statement and its rows have columns of any type.
def _fetch(store: Store, query: Executable) -> list[Any]:
    """Return the rows as the driver gives them: ten times as fast as one object for each."""
    with store.reading() as connection:
        cursor = connection.execute(query).cursor
        assert cursor is not None, "a statement that returns rows has a cursor"
        return list(cursor.fetchall())
