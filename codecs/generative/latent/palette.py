"""Quantise 8-bit latents to a palette of a few vectors, with dithered indices.

The idea is Bühlmann's: latents of four channels are an RGBA picture to a palette quantiser. His was
libimagequant; this one is ours: k-means with a k-means++ start, then Floyd-Steinberg error diffusion over
all four channels at once.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Levels: TypeAlias = NDArray[np.uint8]
"""Latents of shape (height, width, channels), 8 bits each."""
Palette: TypeAlias = NDArray[np.uint8]
"""Vectors of shape (entries, channels)."""
Indices: TypeAlias = NDArray[np.uint8]
"""Rows of the palette, of shape (height, width)."""
_Vectors: TypeAlias = NDArray[np.float32]

MOST_ENTRIES = 256
_SAMPLES = 2**16
"""More pixels than these do not change the palette to speak of, but each costs time."""
_ROUNDS = 24
_CHUNK = 2**14
"""Pixels compared with the palette at once: 16 MiB of distances."""
_DIFFUSED = ((0, 1, 7 / 16), (1, -1, 3 / 16), (1, 0, 5 / 16), (1, 1, 1 / 16))
"""Floyd and Steinberg, "An Adaptive Algorithm for Spatial Greyscale", 1976: rows down, columns on, share."""


def quantise(levels: Levels, entries: int, dithering: float = 1.0) -> tuple[Palette, Indices]:
    """Return a palette of at most ``entries`` vectors and the index of each pixel.

    Where the latents hold no more vectors than that, the palette is exact and nothing is dithered. Equal
    input gives equal output: the k-means start is drawn from a fixed seed.

    Args:
        levels: (height, width, channels).
        entries: 1 to 256.
        dithering: Share of the error handed to the neighbours, 0 (nearest entry) to 1.
    """
    pixels = levels.reshape(-1, levels.shape[2])
    distinct, inverse = np.unique(pixels, axis=0, return_inverse=True)
    if len(distinct) <= entries:
        return distinct, inverse.reshape(levels.shape[:2]).astype(np.uint8)
    palette = _k_means(_sample(pixels).astype(np.float32), entries)
    if dithering > 0:
        return palette, diffuse(levels, palette, dithering)
    return palette, nearest(pixels.astype(np.float32), palette).reshape(levels.shape[:2])


def uniform(entries: int) -> Palette:
    """Return equal steps from 0 to 255, (entries, 1): the palette of a scalar quantiser."""
    return np.rint(np.linspace(0, 255, entries)).astype(np.uint8)[:, None]


def nearest(vectors: _Vectors, palette: Palette) -> Indices:
    """Return the row of the palette nearest to each vector, the first of equals.

    Args:
        vectors: (count, channels).
        palette: (entries, channels).
    """
    return _closest_in_chunks(vectors, palette.astype(np.float32)).astype(np.uint8)


def diffuse(levels: Levels, palette: Palette, strength: float) -> Indices:
    """Return indices under which each pixel's error is made good by its neighbours to the right and below.

    A pixel waits for those left of it and above it up to one column on, so pixels of equal ``column + 2
    row`` do not depend on each other and are settled together.

    Args:
        levels: (height, width, channels).
        palette: (entries, channels).
        strength: Share of the error that is handed on, 0 to 1.
    """
    height, width, _ = levels.shape
    wanted = np.pad(levels.astype(np.float32), ((0, 1), (1, 1), (0, 0)))
    table = palette.astype(np.float32)
    indices = np.empty((height, width), np.uint8)
    for wave in range(width + 2 * (height - 1)):
        rows = np.arange(max(0, (wave - width + 2) // 2), min(height - 1, wave // 2) + 1)
        columns = wave - 2 * rows
        # Unbounded, errors that no entry can make good would pile up over a flat patch.
        target = np.clip(wanted[rows, columns + 1], 0, 255)
        chosen = _closest(target, table)
        indices[rows, columns] = chosen
        error = (target - table[chosen]) * np.float32(strength)
        for down, on, share in _DIFFUSED:
            wanted[rows + down, columns + 1 + on] += error * np.float32(share)
    return indices


def _closest(vectors: _Vectors, table: _Vectors) -> NDArray[np.intp]:
    distances = (table**2).sum(1) - 2 * (vectors @ table.T)
    return distances.argmin(1)


def _sample(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels[:: -(-len(pixels) // _SAMPLES)]


def _k_means(vectors: _Vectors, entries: int) -> Palette:
    """Return cluster centres, rounded; a cluster that lost its last vector keeps its centre."""
    centres = _spread(vectors, entries)
    members = None
    for _ in range(_ROUNDS):
        before, members = members, _closest_in_chunks(vectors, centres)
        if before is not None and np.array_equal(before, members):
            break
        counts = np.bincount(members, minlength=entries)
        sums = [np.bincount(members, channel, minlength=entries) for channel in vectors.T]
        held = counts > 0
        centres[held] = (np.stack(sums, 1)[held] / counts[held, None]).astype(np.float32)
    return np.rint(centres).astype(np.uint8)


def _closest_in_chunks(vectors: _Vectors, table: _Vectors) -> NDArray[np.intp]:
    starts = range(0, len(vectors), _CHUNK)
    return np.concatenate([_closest(vectors[start : start + _CHUNK], table) for start in starts])


def _spread(vectors: _Vectors, entries: int) -> _Vectors:
    """Return first centres, each drawn in proportion to the squared distance from those before it.

    Source: Arthur and Vassilvitskii, "k-means++: The Advantages of Careful Seeding", 2007.
    """
    rng = np.random.default_rng(0)
    centres = np.empty((entries, vectors.shape[1]), np.float32)
    centres[0] = vectors[rng.integers(len(vectors))]
    distance = ((vectors - centres[0]) ** 2).sum(1)
    for index in range(1, entries):
        reach = np.cumsum(distance, dtype=np.float64)
        drawn = np.searchsorted(reach, rng.random() * reach[-1], side="right")
        centres[index] = vectors[min(drawn, len(vectors) - 1)]
        distance = np.minimum(distance, ((vectors - centres[index]) ** 2).sum(1))
    return centres
