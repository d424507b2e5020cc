"""Choose a few pictures of a set whose descriptors cover the range of the whole set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...counts import counted
from ..manifest import DatasetError


def pick(described: Sequence[Mapping[str, float]], count: int, seed: int = 0) -> tuple[int, ...]:
    """Return the places of pictures that cover the space of descriptors, the first drawn by the seed.

    Each further one is that which lies furthest from all chosen before. Distances are Euclidean, of ranks, so
    that every descriptor counts the same; one that is missing lies in the middle.

    Gonzalez, "Clustering to minimize the maximum intercluster distance" (1985).

    Args:
        described: Descriptors of each picture by name.
        count: How many to pick, at least 1 and at most all.
        seed: Decides on the first picture; the others follow from it.

    Raises:
        DatasetError: More are asked for than there are.
    """
    if not 1 <= count <= len(described):
        raise DatasetError(
            f"asked for {count} of {counted(len(described), 'picture')}; expected 1 to {len(described)}"
        )
    places = _ranks(described)
    chosen = [int(np.random.default_rng(seed).integers(len(described)))]
    nearest = np.full(len(described), np.inf)
    while len(chosen) < count:
        nearest = np.minimum(nearest, ((places - places[chosen[-1]]) ** 2).sum(axis=1))
        nearest[chosen] = -1.0
        chosen.append(int(np.argmax(nearest)))
    return tuple(chosen)


def _ranks(described: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
    """Return the rank of each picture in each descriptor, 0 to 1, ties in the middle: (pictures, names)."""
    from scipy.stats import rankdata

    names = sorted({name for descriptors in described for name in descriptors})
    values = np.array(
        [[descriptors.get(name, np.nan) for name in names] for descriptors in described], dtype=np.float64
    )
    ranks = rankdata(values, axis=0, nan_policy="omit")
    highest = np.maximum(np.nanmax(ranks, axis=0, initial=1.0), 2.0)
    return np.nan_to_num((ranks - 1) / (highest - 1), nan=0.5)
