"""Train the embedded latent flow: from noise and from palette errors to clean latents, under layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage
from rich.progress import track
from torch import Tensor

from ..base import Image
from ..generative.autoencoder import LATENT_BOUND, LATENT_DOWNSAMPLING, LatentAutoencoder
from ..generative.latent import palette
from ..generative.latent.codec import from_levels, to_levels
from ..generative.latent_flow import Conditions, LatentFlow, text_counts
from ..generative.layered.coding.captions import template_caption
from ..generative.layered.coding.grids import cell_means
from ..generative.layered.coding.layers import canvas_size
from ..generative.layered.detectors import canny
from ..planes import to_planes
from .loop import Settings
from .pictures import TrainingPictures

SETTINGS = Settings(
    steps=10_000, batch=16, crop=256, learning_rate=1e-3, final_learning_rate=2e-5, average=0.999
)
PALETTE_SIZES = (16, 32, 64, 128, 256)
PALETTE_SHARE = 0.3
"""Share of the crops whose noise is the error of a dithered palette, without any layer."""
ABSENT_SHARE = 0.25
"""Each layer is left out so often."""
COLOUR_CELLS = (16, 32, 64, 64, 64, 128)
"""Sides of the colour map's cells in pixels of the canvas; the default grid's are 64."""
EDGE_CELLS = (2, 3, 4, 4, 4, 4, 8)
"""Sides of the edge map's cells in pixels of the canvas; the default grid's are 4."""


@dataclass(frozen=True, slots=True)
class Example:
    """A training picture on its canvas."""

    pixels: Image
    latents: Tensor
    """(4, height / 8, width / 8)."""
    error: Tensor
    """Of a dithered palette, of the shape of the latents."""


class LatentFlowTask:
    """Minimise the error of the predicted velocity, under random layers and random noise.

    Args:
        pictures: What the latents are made of.
        autoencoder: Makes them.
    """

    def __init__(self, pictures: TrainingPictures, autoencoder: LatentAutoencoder) -> None:
        self.network = LatentFlow()
        self.examples = examples(pictures.training, autoencoder)
        self.held_back = examples(pictures.held_back, autoencoder)

    def groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return the network's weights."""
        return [{"params": list(self.network.parameters()), "lr": learning_rate}]

    def batch(self, settings: Settings, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return states, times, velocities and conditions of random crops."""
        chosen = [self.examples[index] for index in rng.integers(len(self.examples), size=settings.batch)]
        parts = [_sample(example, settings.crop // LATENT_DOWNSAMPLING, rng) for example in chosen]
        return tuple(torch.stack(tensors) for tensors in zip(*parts, strict=True))

    def loss(self, state: Tensor, time: Tensor, velocity: Tensor, maps: Tensor, text: Tensor) -> Tensor:
        """Return the mean squared error of the velocity.

        Args:
            state: Latents between noise and picture, (batch, channels, rows, columns).
            time: 0 for the picture, 1 for noise, (batch,).
            velocity: Noise less picture; the state's shape.
            maps: Colours and edges as `Conditions` has them, (batch, 9, rows, columns).
            text: Counts of the captions' hashed words, (batch, 512).
        """
        predicted = self.network(state, time, Conditions(maps, text)).float()
        return (predicted - velocity).square().mean()


@torch.no_grad()
def examples(pictures: Sequence[Image], autoencoder: LatentAutoencoder) -> list[Example]:
    """Return pictures on their canvases with latents and the errors of palettes of all sizes in turn."""
    made: list[Example] = []
    for index, pixels in enumerate(track(pictures, "latents")):
        height, width = pixels.shape[:2]
        canvas = np.asarray(
            PillowImage.fromarray(pixels).resize(canvas_size(width, height), PillowImage.Resampling.LANCZOS)
        )
        latents = autoencoder.encode(to_planes(canvas)[None].float() / 127.5 - 1)[0]
        error = _palette_error(latents.permute(1, 2, 0).numpy(), PALETTE_SIZES[index % len(PALETTE_SIZES)])
        made.append(Example(canvas, latents, torch.from_numpy(error).permute(2, 0, 1)))
    return made


def _palette_error(latents: NDArray[np.float32], entries: int) -> NDArray[np.float32]:
    table, indices = palette.quantise(to_levels(latents, LATENT_BOUND), entries)
    return from_levels(table[indices], LATENT_BOUND) - latents


def _sample(example: Example, side: int, rng: np.random.Generator) -> tuple[Tensor, ...]:
    """Return state, time, velocity, condition maps and text of one crop."""
    top = int(rng.integers(example.latents.shape[1] - side + 1))
    left = int(rng.integers(example.latents.shape[2] - side + 1))
    window = np.s_[:, top : top + side, left : left + side]
    latents = example.latents[window]
    if rng.uniform() < PALETTE_SHARE:
        error = example.error[window]
        rms = float(error.square().mean().sqrt()) + 1e-6
        time, noise = rms / (1 + rms), error / rms
        nothing = Conditions.none(latents[None])
        maps, text = nothing.maps[0], nothing.text[0]
    else:
        time, noise = float(rng.uniform()), torch.randn_like(latents)
        scale = LATENT_DOWNSAMPLING
        pixels = example.pixels[top * scale : (top + side) * scale, left * scale : (left + side) * scale]
        maps, text = _layers(pixels, latents, rng)
    state = torch.lerp(latents, noise, time)
    return state, torch.tensor(time, dtype=torch.float32), noise - latents, maps, text


def _layers(pixels: Image, latents: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return the condition maps and the text of a crop, each layer left out at random."""
    absent = rng.uniform(size=3) < ABSENT_SHARE
    side = pixels.shape[0]
    colours = edges = None
    if not absent[0]:
        cells = side // int(rng.choice(COLOUR_CELLS))
        colours = to_planes(cell_means(pixels, cells, cells))[None].float() / 127.5 - 1
    if not absent[1]:
        cells = side // int(rng.choice(EDGE_CELLS))
        edges = torch.from_numpy(canny(pixels, cells, cells))[None, None].float()
    text = text_counts(None if absent[2] else template_caption(pixels))
    made = Conditions.of(colours, edges, text, latents[None])
    return made.maps[0], made.text[0]
