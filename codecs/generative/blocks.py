"""The building blocks of our small networks: all local, so that a tile with a halo equals the whole."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as functional
from torch import Tensor, nn


class PixelNorm(nn.Module):
    """Divide each pixel by the root mean square of its channels.

    Group normalisation would mix statistics over the picture, so that a tile would differ from the whole.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the shape of the input, (batch, channels, height, width)."""
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-6) * self.scale[:, None, None]


class ResidualBlock(nn.Module):
    """Two convolutions on a normalised input, with an optional scale and shift by a condition vector.

    Args:
        channels: Of input and output.
        condition: Length of the condition vector; 0 for a block without one.
    """

    def __init__(self, channels: int, condition: int = 0) -> None:
        super().__init__()
        self.norm = PixelNorm(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias if self.second.bias is not None else torch.zeros(0))
        self.film = nn.Linear(condition, 2 * channels) if condition else None

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return a tensor of the shape of the input, (batch, channels, height, width)."""
        hidden = self.norm(x)
        if self.film is not None and condition is not None:
            scale, shift = self.film(condition)[:, :, None, None].chunk(2, 1)
            hidden = hidden * (1 + scale) + shift
        return x + self.second(functional.silu(self.first(functional.silu(hidden))))


class Upsample(nn.Module):
    """Double height and width: nearest neighbour and a convolution, which leaves no checkerboard."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, out_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (batch, out_channels, 2 height, 2 width)."""
        return self.convolution(functional.interpolate(x, scale_factor=2.0, mode="nearest"))


class ConditionalUNet(nn.Module):
    """A small fully convolutional U-Net with a scale and shift in every block from time and condition.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        widths: Channels of each level; each level halves the sides of the one before.
        condition: Length of the condition vector that is given with the time; may be 0.
        blocks: Residual blocks of each level, on the way down and again on the way up.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        widths: tuple[int, ...] = (48, 64, 80),
        condition: int = 0,
        blocks: int = 2,
    ) -> None:
        super().__init__()
        embedded = 128
        self.embedding = nn.Sequential(
            nn.Linear(TIME_FEATURES + condition, embedded),
            nn.SiLU(),
            nn.Linear(embedded, embedded),
            nn.SiLU(),
        )
        self.enter = nn.Conv2d(in_channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(_level(width, blocks, embedded) for width in widths)
        self.shrink = nn.ModuleList(nn.Conv2d(width, wider, 2, stride=2) for width, wider in pairwise(widths))
        self.grow = nn.ModuleList(Upsample(wider, width) for width, wider in pairwise(widths))
        self.up = nn.ModuleList(_level(width, blocks, embedded) for width in widths[:-1])
        self.leave_norm = PixelNorm(widths[0])
        self.leave = nn.Conv2d(widths[0], out_channels, 3, padding=1)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Tensor, time: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return (batch, out_channels, height, width).

        Args:
            x: (batch, in_channels, height, width), sides multiples of 2 ** (levels - 1).
            time: (batch,), 0 to 1.
            condition: (batch, condition).
        """
        features = time_features(time)
        conditioning = features if condition is None else torch.cat([features, condition.float()], 1)
        vector = self.embedding(conditioning.to(self.enter.weight.dtype))
        x = self.enter(x)
        kept: list[Tensor] = []
        for level, blocks in enumerate(self.down):
            x = _run(blocks, x, vector)
            if level < len(self.shrink):
                kept.append(x)
                x = self.shrink[level](x)
        for level in reversed(range(len(self.up))):
            x = _run(self.up[level], self.grow[level](x) + kept[level], vector)
        return self.leave(functional.silu(self.leave_norm(x)))


TIME_FEATURES = 32


def time_features(time: Tensor) -> Tensor:
    """Return sines and cosines of the time, (batch, 32), for times of shape (batch,) from 0 to 1."""
    half = TIME_FEATURES // 2
    frequencies = torch.exp(torch.linspace(0.0, math.log(100.0), half, device=time.device))
    angles = time.float()[:, None] * frequencies * math.pi
    return torch.cat([angles.sin(), angles.cos()], 1)


def _level(width: int, blocks: int, condition: int) -> nn.ModuleList:
    return nn.ModuleList(ResidualBlock(width, condition) for _ in range(blocks))


def _run(blocks: nn.Module, x: Tensor, vector: Tensor) -> Tensor:
    for block in blocks.children():
        x = block(x, vector)
    return x
