"""Colour keeps its place: a codec that halves chroma must take and give each sample at the same point."""

from __future__ import annotations

import numpy as np
import pytest

from codecarena.codecs import registry
from codecarena.codecs.base import Codec, Picture

# Quality: the best at which chroma is still halved (mozjpeg codes 4:4:4 from 90 on).
CODECS: dict[str, tuple[dict[str, registry.Value], float]] = {
    "avif": ({"speed": 9}, 95),
    "avif-rav1e": ({"speed": 10}, 10),
    "avif-svt": ({"bit_depth": 10}, 4),
    "heic": ({"preset": "ultrafast"}, 95),
    "jpeg": ({}, 100),
    "jpegli": ({}, 100),
    "mozjpeg": ({}, 88),
    "vvc": ({"preset": "faster"}, 13),
    "webp": ({}, 100),
}
RED, GREEN = (150, 90, 128), (90, 120, 128)


def colour_edge(codec: Codec, quality: float, *, across: bool) -> float:
    """Return by how many pixels the edge between two colours of like luma moves to the right, or down."""
    pixels = np.full((64, 64, 3), GREEN, np.uint8)
    pixels[:, :32] = RED
    decoded = codec.decode(codec.encode(Picture(pixels if across else pixels.swapaxes(0, 1).copy()), quality))
    profile = (decoded[..., 0].astype(float) - decoded[..., 1])[8:-8, 8:-8].mean(axis=0 if across else 1)
    # Between the two plateaus, whatever their levels are: 12 columns of each are expected.
    left, right = profile[:6].mean(), profile[-6:].mean()
    return float((profile[12:-12] - right).sum() / (left - right)) - 12


@pytest.mark.parametrize("name", CODECS)
def test_a_colour_edge_stays_where_it_is(name: str) -> None:
    """Taken at the left of each pair of pixels and given at its centre, it would move by half a pixel."""
    if missing := registry.find(name).missing:
        pytest.skip(missing)
    parameters, quality = CODECS[name]
    codec = registry.create(name, parameters)
    assert colour_edge(codec, quality, across=True) == pytest.approx(0, abs=0.2)
    assert colour_edge(codec, quality, across=False) == pytest.approx(0, abs=0.2)
