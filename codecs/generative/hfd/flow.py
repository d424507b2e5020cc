"""HFD's rectified flow: from the autoencoder's picture, plus small noise, straight to a sharp one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .network import DetailNetwork

LARGEST_NOISE = 0.4
"""The network is trained for starts with noise from 0 to this many residual deviations."""
DEFAULT_NOISE = 0.34

Velocity = Callable[[Tensor, float], Tensor]
"""The state and the time from 0 to 1, to a velocity of the state's shape."""
Imposed = Callable[[Tensor, float], Tensor]
"""The state and the time, to the state with what is known already."""


def loss(
    network: DetailNetwork,
    original: Tensor,
    coarse: Tensor,
    rate: Tensor,
    noise: Tensor,
    time: Tensor,
) -> Tensor:
    """Return the flow-matching loss and the mean's squared error, in residual variances.

    z_0 is the coarse picture with noise, z_1 the original, z_t lies between, and the target is z_1 - z_0.
    The mean learns from its own error only.
    Sources: Liu et al., "Flow Straight and Fast", 2022; the start from the decoder's output is HFD's
    (Hoogeboom et al., 2023, arXiv 2305.18231) and, with public code, that of PMRF (Ohayon et al., 2024).

    Args:
        network: See `DetailNetwork`.
        original: (batch, 3, height, width), -1 to 1.
        coarse: (batch, 3, height, width), -1 to 1.
        rate: (batch,), 0 to ``rates - 1``.
        noise: (batch,), deviation of the noise in residual deviations.
        time: (batch,), 0 to 1.
    """
    deviation = network.deviation(rate)
    gaussian = network.tint(torch.randn_like(coarse), rate)
    begun = start(coarse, deviation, noise[:, None, None, None], gaussian)
    state = torch.lerp(begun, original, time[:, None, None, None])
    mean = network.predict_mean(coarse, rate).float()
    predicted = velocity(network, state, coarse, mean.detach(), time, rate, noise)
    missed = (predicted - (original - begun) / deviation).square().mean()
    return missed + (mean - (original - coarse) / deviation).square().mean()


def velocity(
    network: DetailNetwork,
    state: Tensor,
    coarse: Tensor,
    mean: Tensor,
    time: Tensor,
    rate: Tensor,
    noise: Tensor,
) -> Tensor:
    """Return the velocity in residual deviations: the residual's mean, and what the U-Net adds to it.

    Args:
        network: The decoder's.
        state: (batch, 3, height, width), -1 to 1: where the path is at ``time``.
        coarse: The autoencoder's picture, of the same shape and range.
        mean: The residual's predicted mean, in residual deviations.
        time: (batch,), 0 to 1.
        rate: (batch,), an index into the ladder, which may lie between two rates.
        noise: (batch,), standard deviation of the noise that the path begins with, in residual deviations.
    """
    return mean + network(state, coarse, mean, time, rate, noise).float()


def start(coarse: Tensor, deviation: Tensor, noise: float | Tensor, gaussian: Tensor) -> Tensor:
    """Return z_0: the coarse picture plus noise, all (batch, 3, height, width), -1 to 1.

    Args:
        coarse: The autoencoder's picture.
        deviation: Of the residual at the rate, per channel.
        noise: In deviations of the residual.
        gaussian: Noise of variance 1.
    """
    return coarse + noise * deviation * gaussian


def sample(velocity: Velocity, state: Tensor, steps: int, impose: Imposed) -> Tensor:
    """Return z_1 after so many Euler steps of equal length from z_0.

    Args:
        velocity: See `Velocity`.
        state: z_0.
        steps: 1 or more.
        impose: Called before each step; puts what is known into the state.
    """
    for step in range(steps):
        time = step / steps
        state = impose(state, time)
        state = state + velocity(state, time) / steps
    return state
