"""A mean-scale hyperprior with gain units: one network that codes at every rate of its ladder."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ..generative.blocks import PixelNorm, ResidualBlock, Upsample
from .library import MeanScaleHyperprior, quantize_ste
from .transform import DOWNSAMPLING

BLOCK_VALUES = 3 * DOWNSAMPLING**2


class Sum(nn.Module):
    """The sum of a linear transform and a network, both of the same input."""

    def __init__(self, linear: nn.Sequential, network: nn.Sequential) -> None:
        super().__init__()
        self.linear = linear
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Return both outputs, added."""
        return self.linear(x) + self.network(x)


def zeroed(convolution: nn.Conv2d) -> nn.Conv2d:
    """Return a convolution whose output is zero until it is trained."""
    nn.init.zeros_(convolution.weight)
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
    return convolution


class GainedHyperprior(MeanScaleHyperprior):
    """CompressAI's ``MeanScaleHyperprior`` whose latents are scaled per channel and rate before rounding.

    Its hyperprior and entropy models are CompressAI's. The transforms are ours: a linear transform of 16 x 16
    blocks, begun as the principal components of the training pictures, plus residual blocks that begin at
    zero. So training starts from a working transform codec, which is what few steps on a CPU allow.

    Sources: Minnen, Balle, Toderici, "Joint Autoregressive and Hierarchical Priors", NeurIPS 2018 (the
    hyperprior with means, without the context model); Cui et al., "Asymmetric Gained Deep Image
    Compression With Continuous Rate Adaptation", CVPR 2021 (the gain and its inverse).

    Args:
        narrow: Channels of the hyper-latents, N in CompressAI.
        wide: Channels of the latents, M in CompressAI.
        rates: Number of rates, each with a gain vector of its own.
    """

    def __init__(self, narrow: int, wide: int, rates: int) -> None:
        super().__init__(narrow, wide)
        self.g_a = Sum(
            nn.Sequential(nn.PixelUnshuffle(DOWNSAMPLING), nn.Conv2d(BLOCK_VALUES, wide, 1, bias=False)),
            nn.Sequential(
                nn.PixelUnshuffle(4),
                nn.Conv2d(48, 64, 3, padding=1),
                *(ResidualBlock(64) for _ in range(2)),
                nn.Conv2d(64, wide, 2, stride=2),
                *(ResidualBlock(wide) for _ in range(2)),
                nn.Conv2d(wide, wide, 2, stride=2),
                ResidualBlock(wide),
                PixelNorm(wide),
                zeroed(nn.Conv2d(wide, wide, 3, padding=1)),
            ),
        )
        self.g_s = Sum(
            nn.Sequential(nn.Conv2d(wide, BLOCK_VALUES, 1, bias=False), nn.PixelShuffle(DOWNSAMPLING)),
            nn.Sequential(
                nn.Conv2d(wide, wide, 3, padding=1),
                ResidualBlock(wide),
                Upsample(wide, wide),
                *(ResidualBlock(wide) for _ in range(2)),
                Upsample(wide, 64),
                *(ResidualBlock(64) for _ in range(3)),
                PixelNorm(64),
                nn.SiLU(),
                zeroed(nn.Conv2d(64, 48, 3, padding=1)),
                nn.PixelShuffle(4),
            ),
        )
        self.log_gain = nn.Parameter(torch.zeros(rates, wide))
        self.log_inverse_gain = nn.Parameter(torch.zeros(rates, wide))

    @torch.no_grad()
    def begin(self, blocks: Tensor, steps: Tensor) -> None:
        """Set the linear transforms to the principal components of blocks, the gains to quantiser steps.

        Args:
            blocks: (count, 3, 16, 16), 0 to 1.
            steps: (rates,), the quantiser's step at each rate, for an orthonormal transform.
        """
        values = functional.pixel_unshuffle(blocks - 0.5, DOWNSAMPLING).flatten(1)
        variances, components = torch.linalg.eigh(values.T @ values / len(values))
        wide = self.log_gain.shape[1]
        basis = components.flip(1)[:, :wide].T.contiguous()
        self.g_a.get_parameter("linear.1.weight").copy_(basis[:, :, None, None])
        self.g_s.get_parameter("linear.0.weight").copy_(basis.T[:, :, None, None])
        self.log_gain.copy_(-steps.log()[:, None].expand_as(self.log_gain))
        self.log_inverse_gain.copy_(-self.log_gain)
        middle = variances.flip(0)[:wide].sqrt() / steps[len(steps) // 2]
        self.h_s.get_parameter("4.bias")[:wide].copy_(middle.clamp(max=20))

    def gains(self, rate: Tensor) -> tuple[Tensor, Tensor]:
        """Return the gains and inverse gains, (batch, channels, 1, 1), of rates that may lie between two.

        Args:
            rate: (batch,), 0 for the first rate to ``rates - 1`` for the last.
        """
        below = rate.floor().long().clamp(0, len(self.log_gain) - 1)
        above = (below + 1).clamp(max=len(self.log_gain) - 1)
        share = (rate.float() - below)[:, None]
        gain = torch.lerp(self.log_gain[below], self.log_gain[above], share).exp()
        inverse = torch.lerp(self.log_inverse_gain[below], self.log_inverse_gain[above], share).exp()
        return gain[:, :, None, None], inverse[:, :, None, None]

    def hyper_latents(self, y: Tensor) -> Tensor:
        """Return the hyper-latents of scaled latents.

        The inverse hyperbolic sine brings lows and highs, which differ a hundredfold, to one range.
        """
        return self.h_a(torch.asinh(y))

    def forward(self, x: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the reconstruction and the estimated bits of each picture.

        The rate is estimated with additive noise, the reconstruction is made from rounded latents with a
        straight-through gradient (Minnen and Singh, "Channel-Wise Autoregressive Entropy Models", 2020).

        Args:
            x: (batch, 3, height, width), 0 to 1, sides multiples of 64.
            rate: (batch,), see `gains`.
        """
        gain, inverse = self.gains(rate)
        y = (self.g_a(x - 0.5) * gain).float()
        z = self.hyper_latents(y).float()
        _, z_likelihoods = self.entropy_bottleneck(z)
        medians = self.entropy_bottleneck.quantiles[:, :, 1:2].detach().view(1, -1, 1, 1)
        z_hat = quantize_ste(z - medians) + medians
        scales, means = self.h_s(z_hat).float().chunk(2, 1)
        _, y_likelihoods = self.gaussian_conditional(y, scales, means)
        y_hat = quantize_ste(y - means) + means
        bits = sum(-likelihoods.log2().sum((1, 2, 3)) for likelihoods in (y_likelihoods, z_likelihoods))
        return self.g_s(y_hat * inverse) + 0.5, cast("Tensor", bits)
