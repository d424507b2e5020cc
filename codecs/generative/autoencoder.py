"""The embedded latent autoencoder: pictures to four channels at an eighth of the sides, and back."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from .blocks import PixelNorm, ResidualBlock, Upsample

LATENT_CHANNELS = 4
LATENT_DOWNSAMPLING = 8
LATENT_BOUND = 3.0
"""Latents lie between minus and plus this, and have about unit variance."""


class LatentAutoencoder(nn.Module):
    """A small deterministic autoencoder with the latent shape of Stable Diffusion's: f = 8, 4 channels.

    Full-resolution convolutions are what costs on a CPU, so both ends work on 4 x 4 patches.

    Args:
        narrow: Channels at a quarter of the sides.
        wide: Channels at an eighth of the sides.
    """

    def __init__(self, narrow: int = 64, wide: int = 112) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(4),
            nn.Conv2d(48, narrow, 3, padding=1),
            *(ResidualBlock(narrow) for _ in range(2)),
            nn.Conv2d(narrow, wide, 2, stride=2),
            *(ResidualBlock(wide) for _ in range(2)),
            PixelNorm(wide),
            nn.Conv2d(wide, LATENT_CHANNELS, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(LATENT_CHANNELS, wide, 3, padding=1),
            *(ResidualBlock(wide) for _ in range(3)),
            Upsample(wide, narrow),
            *(ResidualBlock(narrow) for _ in range(3)),
            PixelNorm(narrow),
            nn.SiLU(),
            nn.Conv2d(narrow, 48, 3, padding=1),
            nn.PixelShuffle(4),
        )

    def encode(self, pixels: Tensor) -> Tensor:
        """Return latents (batch, 4, height / 8, width / 8), between -3 and 3.

        Args:
            pixels: (batch, 3, height, width), -1 to 1, sides multiples of 8.
        """
        return LATENT_BOUND * torch.tanh(self.encoder(pixels).float() / LATENT_BOUND)

    def decode(self, latents: Tensor) -> Tensor:
        """Return pixels (batch, 3, 8 height, 8 width), about -1 to 1, not clamped."""
        return self.decoder(latents)


def gradients(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences of neighbouring rows and of neighbouring columns."""
    return pixels[:, :, 1:] - pixels[:, :, :-1], pixels[:, :, :, 1:] - pixels[:, :, :, :-1]


def halved(pixels: Tensor) -> Tensor:
    """Return pixels at half the sides, by the mean of each 2 x 2 square."""
    return functional.avg_pool2d(pixels, 2)
