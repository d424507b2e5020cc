"""Where tiles of a large picture meet, gradients are those around: networks of random weights, which show it.

For networks that see only so far, a tile equals the whole, and their tests say so. Stable Diffusion's have
statistics over all they see, so that only the seams can be judged. HFD's patch groups: test_hfd.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import latent_pipelines
import numpy as np
import pytest
import torch

from codecarena.codecs.generative.latent import denoiser, loading
from codecarena.codecs.generative.latent.backends import Denoising
from codecarena.codecs.generative.latent.blend import blended, starts

TILE, OVERLAP = 24, 8
"""Latents; in use tiles are four times as long."""
Network = Callable[[torch.Tensor], torch.Tensor]


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Stable Diffusion's autoencoder and U-Net."""
    folder = latent_pipelines.stable_diffusion(tmp_path_factory.mktemp("pipeline"))
    return loading.load("stable-diffusion", str(folder), "", "cpu", "float32")


def noise(overlap: int, tiles: int) -> torch.Tensor:
    """Latents of so many tiles side by side."""
    width = TILE + (tiles - 1) * (TILE - overlap)
    return torch.randn(1, 4, TILE, width, generator=torch.Generator().manual_seed(1))


def seam(tiled: torch.Tensor, whole: torch.Tensor, overlap: int) -> float:
    """How much larger gradients are where a tile begins or ends than in the columns around, less 1.

    Both are taken relative to the gradients without tiles, which differ from place to place.
    """
    growth = tiled.diff(dim=3).abs().mean((0, 1, 2)) / whole.diff(dim=3).abs().mean((0, 1, 2))
    length = noise(overlap, 4).shape[3]
    scale = tiled.shape[3] // length
    begins = starts(length, TILE, overlap)
    borders = sorted({*begins[1:], *(begin + TILE for begin in begins[:-1])})
    near, far = (2, 8) if scale == 1 else (scale // 2, 2 * scale)
    at = [float(growth[scale * border - 1]) for border in borders]
    around = [
        growth[[*range(x - far, x - near), *range(x + near, x + far)]]
        for x in (scale * border for border in borders)
    ]
    return float(np.mean(at) / torch.stack(around).mean()) - 1


@pytest.mark.parametrize("overlap", [OVERLAP, 0])
@pytest.mark.parametrize("part", ["decoder", "u-net"])
def test_tiles_of_stable_diffusion_leave_no_seam(backend: Any, part: str, overlap: int) -> None:
    """With an overlap: without one there are seams, which shows that these would be seen."""
    latents = noise(overlap, tiles=4)
    network: Network = backend._pixels
    if part == "decoder":
        latents = 3 * torch.nn.functional.avg_pool2d(latents, 3, 1, 1)
    else:
        network = lambda given: backend._denoiser._predict(given, 300)  # noqa: E731
    with torch.inference_mode():
        whole, tiled = network(latents), blended(network, latents, TILE, overlap)
    assert (abs(seam(tiled, whole, overlap)) < 0.05) is (overlap > 0)


@pytest.mark.parametrize("how", [Denoising(2, 0.4, 0), Denoising(2, None, 0)], ids=["matched", "published"])
def test_denoising_a_large_picture_leaves_no_seam(
    backend: Any, how: Denoising, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The U-Net is asked tile by tile at every step, and the tiles are joined before the next."""
    latents = noise(OVERLAP, tiles=4)
    sizes: list[int] = []
    predict = backend._denoiser._predict
    monkeypatch.setattr(
        backend._denoiser, "_predict", lambda part, time: sizes.append(part.shape[3]) or predict(part, time)
    )
    whole = backend.denoise(latents, how)
    assert max(sizes) == latents.shape[3]
    sizes.clear()
    monkeypatch.setattr(denoiser, "TILE", TILE)
    monkeypatch.setattr(denoiser, "OVERLAP", OVERLAP)
    tiled = backend.denoise(latents, how)
    assert max(sizes) == TILE
    assert 0 < float((tiled - whole).abs().mean()) < float((whole - latents).abs().mean())
    assert abs(seam(tiled, whole, OVERLAP)) < 0.05
