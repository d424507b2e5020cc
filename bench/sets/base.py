"""What a metric of sets is: pictures become views, views become vectors, two clouds of them are compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...codecs.base import Image
from ..records.identities import SetMetricIdentity

Features: TypeAlias = NDArray[np.float32 | np.float64]
"""Vectors that describe views; the first axis counts samples, one or more of each view."""

Distance: TypeAlias = Callable[[Features, Features], float]
"""How far the second cloud, of decoded pictures, lies from the first, of originals."""


class Describer(Protocol):
    """What turns views into vectors."""

    @property
    def extractor(self) -> str:
        """Name and preprocessing, for the identity."""
        ...

    @property
    def weights_sha256(self) -> str | None:
        """Of the weight file; None where there is none."""
        ...

    def describe(self, views: Sequence[Image]) -> Features:
        """Return the vectors of some views; the same views always get the same vectors."""
        ...


@dataclass(frozen=True, slots=True)
class SetMetric:
    """A distance between the originals of a set and one codec's decoded pictures, lower is better."""

    identity: SetMetricIdentity
    describer: Describer
    distance: Distance
    needs_many: bool = False
    """Whether fewer than `ENOUGH_VIEWS` views make the value unfit to publish."""
