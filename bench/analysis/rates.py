"""Compute the rate of a whole set, by picture and in total, and what the bytes are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..records.columns import ByteParts, Columns, FloatArray
from .codec_grids import CodecGrid


@dataclass(frozen=True, slots=True)
class SetRate:
    """The rate of one codec at one setting over the pictures of a set that it coded."""

    codec_id: str
    codec: str
    """Label."""
    setting: float
    pictures: int
    of_pictures: int
    """Pictures of the set that any codec coded."""
    mean_bits_per_pixel: float
    """Mean of the pictures' bits per pixel."""
    total_bits_per_pixel: float
    """All bits over all pixels."""
    header_bytes: float | None
    """Mean of a picture; like the other parts, None for imported measurements."""
    payload_bytes: float | None
    side_bytes: float | None
    seeds: int = 1
    """Decodes of each bitstream; a picture counts once."""


def set_rates(columns: Columns, codec_grids: Sequence[CodecGrid], parts: ByteParts) -> list[SetRate]:
    """Return the rates of every codec at every setting of its ladder, by label and rate.

    Args:
        columns: Of one image set.
        codec_grids: Its codecs, without the probes of searches.
        parts: Header, payload and side information of each measurement, bytes.
    """
    labels = {codec.codec_id: codec.label for codec in columns.codecs}
    of_pictures = len(np.unique(columns.picture))
    pixels = {picture.sha256: float(picture.pixel_count) for picture in columns.pictures}
    rates: list[SetRate] = []
    for grid in codec_grids:
        about = grid.codec.codec_id, labels[grid.codec.codec_id]
        own = np.array([pixels[picture] for picture in grid.rows])
        means = [None if grid.codec.marks.imported else grid.mean(part) for part in parts]
        rates += [
            _set_rate(grid, about, column, own, means, of_pictures) for column in range(len(grid.settings))
        ]
    return sorted(rates, key=lambda rate: (rate.codec, rate.codec_id, rate.mean_bits_per_pixel))


def _set_rate(
    grid: CodecGrid,
    about: tuple[str, str],
    column: int,
    pixels: FloatArray,
    means: Sequence[FloatArray | None],
    of_pictures: int,
) -> SetRate:
    rows = grid.measured[:, column]
    # A non-deterministic encoder wrote another bitstream for each seed: a picture's rate is their mean.
    sizes = grid.sizes[rows, column]
    header, payload, side = (None if mean is None else float(mean[rows, column].mean()) for mean in means)
    return SetRate(
        *about,
        float(grid.settings[column]),
        int(rows.sum()),
        of_pictures,
        float(grid.rates[rows, column].mean()),
        float(8 * sizes.sum() / pixels[rows].sum()),
        header,
        payload,
        side,
        seeds=int(grid.seeds[:, column].max()),
    )
