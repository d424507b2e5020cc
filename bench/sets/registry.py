"""Find a metric of sets by name and make it; nothing heavy is imported until one is made."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from ..metrics.base import MetricError, MissingMetricError
from ..records.identities import SetMetricIdentity
from .base import Describer, SetMetric
from .tiles import SHIFT_PIXELS, TILE_PIXELS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class SetMetricEntry:
    """Where the parts of a metric live."""

    name: str
    describer: str
    """``module:Class`` below this package."""
    distance: str
    """A function of `distances`."""
    summary: str
    tiled: bool = True
    needs_many: bool = False


_ENTRIES = (
    SetMetricEntry("fid", "inception:Inception", "frechet", "FID/256: Frechet distance of tiles", True, True),
    SetMetricEntry(
        "kid", "inception:Inception", "kernel", "KID/256: kernel distance of tiles, for small sets"
    ),
    SetMetricEntry(
        "fid-whole", "inception:Inception", "frechet", "Frechet distance of whole pictures", False, True
    ),
    SetMetricEntry(
        "swd",
        "textures:PyramidPatches",
        "sliced_wasserstein",
        "sliced Wasserstein distance of patches; no weights",
    ),
    SetMetricEntry("spectrum", "textures:RingPower", "spectrum", "distance of power spectra; no weights"),
)


def entries() -> Mapping[str, SetMetricEntry]:
    """Return every metric of sets by name."""
    return MappingProxyType({entry.name: entry for entry in _ENTRIES})


def find(name: str) -> SetMetricEntry:
    """Return the entry of a metric, or raise `MetricError` naming the nearest known name."""
    if name in entries():
        return entries()[name]
    near = difflib.get_close_matches(name, entries(), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(entries())}"
    raise MetricError(
        f"no metric of sets is named {name!r}; {hint} (metrics of single pictures: `codecarena score`)"
    )


def create(name: str) -> SetMetric:
    """Return a metric made ready to use; metrics with the same extractor share it.

    Raises:
        MissingMetricError: A library or weight file is not here.
        MetricError: The name is unknown.
    """
    entry = find(name)
    describer = _describer(entry.describer)
    distance = getattr(import_module(".distances", __package__), entry.distance)
    identity = SetMetricIdentity(
        entry.name,
        "1",
        describer.extractor,
        describer.weights_sha256,
        TILE_PIXELS if entry.tiled else None,
        SHIFT_PIXELS if entry.tiled else None,
    )
    return SetMetric(identity, describer, distance, entry.needs_many)


def available() -> tuple[list[SetMetric], list[str]]:
    """Return every metric that can be made here, and once each why the others cannot."""
    made: list[SetMetric] = []
    reasons: dict[str, None] = {}
    for name in entries():
        try:
            made.append(create(name))
        except MissingMetricError as error:
            reasons[str(error)] = None
    return made, list(reasons)


@cache
def _describer(path: str) -> Describer:
    module, _, attribute = path.partition(":")
    return cast("Describer", getattr(import_module(f".{module}", __package__), attribute)())
