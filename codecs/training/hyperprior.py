"""Train the embedded hyperprior: rate and squared error at every rate of its ladder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..learned.gained import GainedHyperprior
from ..learned.transform import DOWNSAMPLING
from .loop import Settings
from .pictures import TrainingPictures

LAMBDAS = (0.00015, 0.0003, 0.0006, 0.0012, 0.0024, 0.0048)
"""Weight of the squared error (on a scale of 0 to 255) against bits per pixel, rate by rate."""
NARROW, WIDE = 48, 96
"""Channels, see `GainedHyperprior`."""
BLOCKS = 40_000
"""Blocks of training pictures whose principal components are the linear transform's start."""
LINEAR_SHARE = 0.1
"""Learning rate of the linear transforms over that of the rest: they begin as good ones."""
SETTINGS = Settings(steps=12_000, learning_rate=1e-3, final_learning_rate=1e-5, average=0.998)


def scale_table() -> list[float]:
    """Return the 64 deviations that latents are coded with, 0.11 to 64; none of ours come near the last."""
    return np.geomspace(0.11, 64, 64).tolist()


class HyperpriorTask:
    """Minimise bits per pixel plus lambda times the squared error, with a random rate for each crop.

    Args:
        pictures: What the crops come from.
    """

    def __init__(self, pictures: TrainingPictures) -> None:
        self.pictures = pictures
        self.network = GainedHyperprior(NARROW, WIDE, len(LAMBDAS))
        self.lambdas = torch.tensor(LAMBDAS)
        blocks = pictures.crops(BLOCKS, DOWNSAMPLING, np.random.default_rng(0)).float() / 255
        self.network.begin(blocks, (6 / (math.log(2) * 255**2 * self.lambdas)).sqrt())

    def groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return the networks' weights, the linear transforms, and the quantiles of the tails."""
        chosen: dict[str, list[nn.Parameter]] = {"": [], "linear": [], "quantiles": []}
        for name, parameter in self.network.named_parameters():
            part = "quantiles" if name.endswith("quantiles") else "linear" if ".linear." in name else ""
            chosen[part].append(parameter)
        shares = {"": 1.0, "linear": LINEAR_SHARE, "quantiles": 10.0}
        return [{"params": chosen[part], "lr": share * learning_rate} for part, share in shares.items()]

    def batch(self, settings: Settings, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return crops, and a rate for each."""
        crops = self.pictures.crops(settings.batch, settings.crop, rng)
        return crops, torch.from_numpy(rng.integers(len(LAMBDAS), size=settings.batch))

    def loss(self, crops: Tensor, rate: Tensor) -> Tensor:
        """Return the mean rate-distortion cost; each rate is scaled so that none drowns the others."""
        pixels = (crops.float() / 255).contiguous(memory_format=torch.channels_last)
        decoded, bits = self.network(pixels, rate)
        squared_error = (decoded.float() - pixels).square().mean((1, 2, 3)) * 255**2
        weight = self.lambdas.to(rate.device)[rate]
        cost = bits / pixels[0, 0].numel() + weight * squared_error
        balance = (self.lambdas.to(rate.device).mean() / weight) ** 0.4
        return (cost * balance).mean() + self.network.aux_loss() / len(
            self.network.entropy_bottleneck.quantiles
        )
