"""Image sets as columns: arrays in the order of the measurements, and the bytes that an answer depends on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

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
    other_kind: str | None = None
    """What another image set takes it for, where that is not its kind; None where all agree."""


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
    estimated: Mask
    """Imported with a rate that no bitstream has."""

    @property
    def bits_per_pixel(self) -> FloatArray:
        """Eight times the bitstream's bytes over the original's pixels."""
        pixels = np.array([picture.pixel_count for picture in self.pictures] or [1], dtype=np.float64)
        return 8.0 * self.bitstream_bytes / pixels[self.picture]

    def only(self, chosen: Mask) -> Columns:
        """Return these measurements alone."""
        arrays = {
            column.name: getattr(self, column.name)[chosen]
            for column in fields(self)
            if isinstance(getattr(self, column.name), np.ndarray)
        }
        return replace(self, **arrays)

    def of_kind(self, kind: str) -> Mask:
        """Return which measurements are of natural, or of AI-generated, pictures."""
        return np.array([picture.kind == kind for picture in self.pictures] or [False])[self.picture]


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


class ByteParts(NamedTuple):
    """What the bytes of each measurement of `Columns` are for, in their order."""

    header: FloatArray
    """Sizes, magic numbers and container boxes."""
    payload: FloatArray
    """Coded pixels."""
    side: FloatArray
    """Everything else the decoder reads."""


def fingerprint(columns: Columns, column: ScoreColumn) -> Iterator[bytes]:
    """Yield hashes of everything of these measurements that an answer about one metric depends on."""
    pictures = [
        f"{picture.sha256} {picture.kind} {picture.pixel_count} {picture.generator}"
        + (f" {picture.other_kind}" if picture.other_kind else "")
        for picture in columns.pictures
    ]
    codecs = [f"{codec.codec_id} {codec.label} {codec.generator}" for codec in columns.codecs]
    picture, codec = _ranks(pictures, columns.picture), _ranks(codecs, columns.codec)
    order = np.lexsort((columns.seed, columns.quality, picture, codec))
    yield json.dumps(sorted(pictures[int(place)] for place in np.unique(columns.picture))).encode()
    yield json.dumps(sorted(codecs[int(place)] for place in np.unique(columns.codec))).encode()
    state = column.known + 2 * column.inapplicable.astype(np.int64)
    numbers = (picture, codec, columns.seed, columns.bitstream_bytes, columns.probe.astype(np.int64), state)
    for array in numbers:
        yield sha256(array[order].astype("<i8").tobytes()).digest()
    for values in (columns.quality, column.values):
        yield sha256((values[order].astype("<f8") + 0.0).tobytes()).digest()


def _ranks(descriptions: Sequence[str], places: IntArray) -> IntArray:
    """Return the places as ranks among those that are used, in the order of their descriptions."""
    used = np.unique(places)
    order = {name: rank for rank, name in enumerate(sorted(descriptions[int(place)] for place in used))}
    ranks = np.zeros(len(descriptions), np.int64)
    ranks[used] = [order[descriptions[int(place)]] for place in used]
    return ranks[places]
