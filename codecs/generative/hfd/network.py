"""The networks of both HFD decoders: a coarse picture and a noisy state to a velocity, at any rate."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ..blocks import ConditionalUNet, PixelNorm, ResidualBlock

PATCH = 4
"""The U-Net sees patches of this side as channels: at full resolution a CPU would be too slow."""
MULTIPLE = 4 * PATCH
"""Sides of a padded picture: three levels of the U-Net halve twice."""


class MeanNetwork(nn.Module):
    """What of the residual can be foretold from the coarse picture alone: its conditional mean.

    A squared error teaches it, so that it is called once for a picture and not at every step. It works at
    half resolution, where it learns edges sooner than at a quarter. That a flow had better know the
    posterior mean is PMRF's (Ohayon et al., 2024, arXiv 2410.00418).

    Args:
        rates: Number of the autoencoder's rates.
        width: Channels.
        blocks: Residual blocks.
    """

    PATCH = 2

    def __init__(self, rates: int, width: int = 48, blocks: int = 6) -> None:
        super().__init__()
        self.enter = nn.Conv2d(3 * self.PATCH**2, width, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(width, rates) for _ in range(blocks))
        self.leave_norm = PixelNorm(width)
        self.leave = nn.Conv2d(width, 3 * self.PATCH**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)

    def forward(self, coarse: Tensor, shares: Tensor) -> Tensor:
        """Return (batch, 3, height, width), in units of the residual's deviation.

        Args:
            coarse: (batch, 3, height, width), -1 to 1, even sides.
            shares: (batch, rates), how much of each rate.
        """
        x = self.enter(functional.pixel_unshuffle(coarse, self.PATCH))
        for block in self.blocks:
            x = block(x, shares)
        return functional.pixel_shuffle(self.leave(functional.silu(self.leave_norm(x))), self.PATCH)


class DetailNetwork(nn.Module):
    """The residual's mean, and a U-Net on a state, the coarse picture and that mean, as SR3 is conditioned.

    Args:
        rates: Number of the autoencoder's rates; the network gets the one that made the coarse picture.
        widths: See `ConditionalUNet`.
    """

    def __init__(self, rates: int, widths: tuple[int, ...] = (40, 48, 56)) -> None:
        super().__init__()
        self.rates = rates
        self.mean = MeanNetwork(rates)
        self.unet = ConditionalUNet(3 * 3 * PATCH**2, 3 * PATCH**2, widths, condition=rates + 1)
        self.register_buffer("covariances", torch.eye(3).repeat(rates, 1, 1))
        self.covariances: Tensor
        """Of original minus coarse between the three channels, (rates, 3, 3), on a scale of -1 to 1."""

    def deviation(self, rate: Tensor) -> Tensor:
        """Return the residual's root mean square, (batch, 1, 1, 1), at rates that may lie between two."""
        squares = self._covariance(rate).diagonal(dim1=1, dim2=2).mean(1)
        return squares.sqrt()[:, None, None, None]

    def tint(self, white: Tensor, rate: Tensor) -> Tensor:
        """Return noise of unit mean variance whose channels vary together as the residual's do.

        White noise is colourful, what pictures lose is mostly not: noise that a few steps leave in the
        picture then looks like grain.

        Args:
            white: Independent noise of unit variance, (batch, 3, height, width).
            rate: (batch,).
        """
        root = torch.linalg.cholesky(self._covariance(rate)) / self.deviation(rate)[:, 0]
        return torch.einsum("bij,bjhw->bihw", root, white)

    def predict_mean(self, coarse: Tensor, rate: Tensor) -> Tensor:
        """Return the residual's mean, (batch, 3, height, width), in units of the residual's deviation."""
        return self.mean(coarse, self._shares(rate).to(coarse.dtype))

    def forward(
        self, state: Tensor, coarse: Tensor, mean: Tensor, time: Tensor, rate: Tensor, noise: Tensor
    ) -> Tensor:
        """Return (batch, 3, height, width), in units of the residual's deviation.

        Args:
            state: (batch, 3, height, width), of about unit variance or -1 to 1; sides multiples of 16.
            coarse: The autoencoder's picture, (batch, 3, height, width), -1 to 1.
            mean: See `predict_mean`.
            time: (batch,), 0 to 1.
            rate: (batch,), 0 to ``rates - 1``, whole or between.
            noise: (batch,), how much noise the path begins with, in residual deviations.
        """
        all_three = functional.pixel_unshuffle(torch.cat([state, coarse, mean], 1), PATCH)
        condition = torch.cat([self._shares(rate), noise.float()[:, None]], 1)
        return functional.pixel_shuffle(self.unet(all_three, time, condition), PATCH)

    def _covariance(self, rate: Tensor) -> Tensor:
        return torch.einsum("br,rij->bij", self._shares(rate), self.covariances.float())

    def _shares(self, rate: Tensor) -> Tensor:
        steps = torch.arange(self.rates, device=rate.device)
        return (1 - (rate.float()[:, None] - steps).abs()).clamp(min=0)
