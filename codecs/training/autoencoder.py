"""Train the embedded latent autoencoder: pictures through four noisy channels at an eighth of the sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..generative.autoencoder import LatentAutoencoder, gradients, halved
from .loop import Settings
from .pictures import TrainingPictures

SETTINGS = Settings(steps=18_000, learning_rate=1e-3, final_learning_rate=2e-5, average=0.999)
NARROW, WIDE = 64, 112
"""Channels, see `LatentAutoencoder`."""
LARGEST_LATENT_NOISE = 0.15
"""Half of the crops get latents with noise of up to this deviation, as a palette's error would add."""


class AutoencoderTask:
    """Minimise the error of pixels and of their gradients at two scales.

    Args:
        pictures: What the crops come from.
    """

    def __init__(self, pictures: TrainingPictures) -> None:
        self.pictures = pictures
        self.network = LatentAutoencoder(NARROW, WIDE)

    def groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return the network's weights."""
        return [{"params": list(self.network.parameters()), "lr": learning_rate}]

    def batch(self, settings: Settings, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return crops, and the deviation of the latent noise for each."""
        noise = rng.uniform(0, LARGEST_LATENT_NOISE, settings.batch) * rng.integers(2, size=settings.batch)
        return self.pictures.crops(settings.batch, settings.crop, rng), torch.from_numpy(noise).float()

    def loss(self, crops: Tensor, noise: Tensor) -> Tensor:
        """Return the mean absolute and squared errors, weighted."""
        pixels = (crops.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
        latents = self.network.encode(pixels)
        latents = latents + noise[:, None, None, None] * torch.randn_like(latents)
        decoded = self.network.decode(latents).float()
        return pixel_loss(decoded, pixels) + 0.5 * pixel_loss(halved(decoded), halved(pixels))


def pixel_loss(decoded: Tensor, pixels: Tensor) -> Tensor:
    """Return absolute plus squared error, and the absolute error of the gradients."""
    error = decoded - pixels
    steep = sum(gradient.abs().mean() for gradient in gradients(error))
    return error.abs().mean() + 2 * error.square().mean() + 0.5 * steep
