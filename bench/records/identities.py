"""Which computation a number came from: of metrics of pictures and of metrics of whole sets."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass

from .metric_facts import MetricFacts

ENOUGH_VIEWS = 2048
"""Views below which FID is flagged: a covariance of 2048 features is singular then and FID far too high."""


@dataclass(frozen=True, slots=True)
class MetricIdentity:
    """Which computation a number came from; numbers of different identities never share a table."""

    name: str
    """As suites and tables call it: ``ms-ssim``."""
    implementation: str
    """Who computes it: ``codecarena``, ``libjxl``, ``pyiqa``."""
    version: str
    """Version of that implementation; of our own, a number that grows when its values change."""
    colour_space: str
    """What it compares: ``RGB``, ``Y BT.601 full``, ``XYB``."""
    weights_sha256: str | None = None


def metric_id(identity: MetricIdentity, facts: MetricFacts) -> str:
    """Return 16 hex digits that stand for an identity with direction, range and perfect value."""
    perfect = None if facts.perfect is None else float(facts.perfect)
    meaning = (facts.better, float(facts.lowest), float(facts.highest), perfect)
    return hashlib.sha256(json.dumps([*astuple(identity), *meaning]).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class SetMetricIdentity:
    """Which computation a number came from; numbers of different identities never share a column."""

    name: str
    """As the command line and tables call it: ``fid``."""
    version: str
    """Of our distance; grows when its values change."""
    extractor: str
    """What describes a view, with its preprocessing."""
    weights_sha256: str | None
    """Of the extractor's weight file; None where it has none."""
    tile_pixels: int | None
    """Side of the tiles; None where whole pictures are compared."""
    shift_pixels: int | None
    """Offset, right and down, of the second grid of tiles."""
