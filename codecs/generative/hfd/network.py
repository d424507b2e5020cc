"""The network of both HFD decoders: a coarse picture and a noisy state to a velocity, at any rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ..blocks import ConditionalUNet

if TYPE_CHECKING:
    from collections.abc import Sequence

PATCH = 4
"""The U-Net sees patches of this side as channels: at full resolution a CPU would be too slow."""
MULTIPLE = 4 * PATCH
"""Sides of a padded picture: three levels of the U-Net halve twice."""


class DetailNetwork(nn.Module):
    """A U-Net on the concatenation of a state and the coarse picture (the conditioning of SR3 and Palette).

    Args:
        rates: Number of the autoencoder's rates; the network is told which one made the coarse picture.
        widths: See `ConditionalUNet`.
    """

    def __init__(self, rates: int, widths: tuple[int, ...] = (48, 56, 72)) -> None:
        super().__init__()
        self.rates = rates
        self.unet = ConditionalUNet(2 * 3 * PATCH**2, 3 * PATCH**2, widths, condition=rates + 1)
        self.register_buffer("deviations", torch.ones(rates))
        self.deviations: Tensor
        """Root mean square of original minus coarse at each rate, on a scale of -1 to 1."""

    def set_deviations(self, deviations: Sequence[float]) -> None:
        """Tell how large the residual is at each rate, on a scale of -1 to 1."""
        self.deviations.copy_(torch.tensor(deviations))

    def deviation(self, rate: Tensor) -> Tensor:
        """Return the residual's root mean square, (batch, 1, 1, 1), at rates that may lie between two."""
        return (self._shares(rate) @ self.deviations)[:, None, None, None]

    def forward(self, state: Tensor, coarse: Tensor, time: Tensor, rate: Tensor, noise: Tensor) -> Tensor:
        """Return (batch, 3, height, width), in units of the residual's deviation.

        Args:
            state: (batch, 3, height, width), of about unit variance or -1 to 1; sides multiples of 16.
            coarse: The autoencoder's picture, (batch, 3, height, width), -1 to 1.
            time: (batch,), 0 to 1.
            rate: (batch,), 0 to ``rates - 1``, whole or between.
            noise: (batch,), how much noise the path begins with, in residual deviations.
        """
        both = functional.pixel_unshuffle(torch.cat([state, coarse], 1), PATCH)
        condition = torch.cat([self._shares(rate), noise.float()[:, None]], 1)
        return functional.pixel_shuffle(self.unet(both, time, condition), PATCH)

    def _shares(self, rate: Tensor) -> Tensor:
        steps = torch.arange(self.rates, device=rate.device)
        return (1 - (rate.float()[:, None] - steps).abs()).clamp(min=0)
