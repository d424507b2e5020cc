"""The rates of a whole set, a cell at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean

from codecarena.bench.analysis.rates import SetRate
from codecarena.bench.records.rows import ScoredCell

from .points import unique


def set_rates(cells: Iterable[ScoredCell]) -> list[SetRate]:
    """Return the rates of every codec at every setting of its ladder, by label and rate.

    Args:
        cells: Of one image set; the probes of searches are left out.
    """
    grouped: dict[tuple[str, float], dict[str, list[ScoredCell]]] = defaultdict(lambda: defaultdict(list))
    pictures: set[str] = set()
    for cell in unique(cells):
        pictures.add(cell.picture_sha256)
        if not cell.probe:
            grouped[cell.codec_id, cell.quality][cell.picture_sha256].append(cell)
    set_rates = [_set_rate(list(seeds.values()), len(pictures)) for seeds in grouped.values()]
    return sorted(set_rates, key=lambda rate: (rate.codec, rate.codec_id, rate.mean_bits_per_pixel))


def _set_rate(pictures: list[list[ScoredCell]], of_pictures: int) -> SetRate:
    first = pictures[0][0]
    pixels = [seeds[0].pixel_count for seeds in pictures]
    # A non-deterministic encoder wrote another bitstream for each seed: a picture's rate is their mean.
    sizes = [fmean(cell.bitstream_bytes for cell in seeds) for seeds in pictures]
    parts = [
        None if first.imported else fmean(fmean(getattr(cell, name) for cell in seeds) for seeds in pictures)
        for name in ("header_bytes", "payload_bytes", "side_bytes")
    ]
    return SetRate(
        first.codec_id,
        first.codec,
        first.quality,
        len(pictures),
        of_pictures,
        fmean(8 * size / count for size, count in zip(sizes, pixels, strict=True)),
        8 * sum(sizes) / sum(pixels),
        *parts,
        seeds=max(len(seeds) for seeds in pictures),
    )
