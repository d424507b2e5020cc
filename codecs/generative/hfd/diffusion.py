"""HFD's diffusion: the residual of the autoencoder's picture, drawn from noise with the picture in view."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .network import DetailNetwork

TRAINING_STEPS = 1000
"""The schedule's discrete times, as diffusers counts them."""
DEFAULT_SHIFT = 0.5
LARGEST_LOG_SNR = 15.0

Prediction = Callable[[Tensor, float], Tensor]
"""The state and the time from 0 to 1, to the prediction of v."""


def log_snr(time: Tensor, shift: float) -> Tensor:
    """Return the log signal-to-noise ratio of the cosine schedule, shifted, clamped to -15 to 15.

    A shift below 1 gives less noise; 1 is the cosine schedule. The shift towards less noise is HFD's
    (Hoogeboom et al., 2023); this formula is the public code's of apple/ml-4m, which cites it.

    Args:
        time: 0 (no noise) to 1.
        shift: The median of noise over signal deviations.
    """
    angle = (math.pi / 2 * time.double()).clamp(1e-9, math.pi / 2 - 1e-9)
    return (-2 * (torch.log(torch.tan(angle)) + math.log(shift))).clamp(-LARGEST_LOG_SNR, LARGEST_LOG_SNR)


def signal_and_noise(time: Tensor, shift: float) -> tuple[Tensor, Tensor]:
    """Return alpha and sigma, the deviations of signal and noise, of the times' shape, float32."""
    ratio = log_snr(time, shift)
    return torch.sigmoid(ratio).sqrt().float(), torch.sigmoid(-ratio).sqrt().float()


def loss(
    network: DetailNetwork,
    original: Tensor,
    coarse: Tensor,
    rate: Tensor,
    time: Tensor,
    shift: float = DEFAULT_SHIFT,
) -> Tensor:
    """Return the v-prediction loss of the unit-scaled residual and its mean's squared error, for pairs.

    v = alpha * noise - sigma * residual (Salimans and Ho, 2022). The mean learns from its own error only.

    Args:
        network: See `DetailNetwork`.
        original: (batch, 3, height, width), -1 to 1.
        coarse: (batch, 3, height, width), -1 to 1.
        rate: (batch,), 0 to ``rates - 1``.
        time: (batch,), 0 to 1.
        shift: See `log_snr`.
    """
    residual = (original - coarse) / network.deviation(rate)
    alpha, sigma = (factor[:, None, None, None] for factor in signal_and_noise(time, shift))
    gaussian = network.tint(torch.randn_like(residual), rate)
    mean = network.predict_mean(coarse, rate).float()
    state = alpha * residual + sigma * gaussian
    predicted = prediction(network, state, coarse, mean.detach(), time, rate, shift)
    missed = (predicted - (alpha * gaussian - sigma * residual)).square().mean()
    return missed + (mean - residual).square().mean()


def prediction(
    network: DetailNetwork,
    state: Tensor,
    coarse: Tensor,
    mean: Tensor,
    time: Tensor,
    rate: Tensor,
    shift: float,
) -> Tensor:
    """Return v: what the residual's mean says of it, and what the U-Net adds.

    Args:
        network: The decoder's.
        state: (batch, 3, height, width): the noisy residual, in residual deviations.
        coarse: The autoencoder's picture, -1 to 1.
        mean: The residual's predicted mean, in residual deviations.
        time: (batch,), 0 to 1.
        rate: (batch,), an index into the ladder, which may lie between two rates.
        shift: See `log_snr`.
    """
    _, sigma = signal_and_noise(time, shift)
    added = network(state, coarse, mean, time, rate, torch.ones_like(time)).float()
    return added - sigma[:, None, None, None].to(mean.device) * mean


def betas(shift: float, start: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the betas of the discrete schedule up to the start time, as diffusers' schedulers take them."""
    count = max(1, round(TRAINING_STEPS * start))
    times = torch.arange(0, count + 1, dtype=torch.float64) / TRAINING_STEPS
    kept = torch.sigmoid(log_snr(times, shift)).numpy()
    return np.clip(1 - kept[1:] / kept[:-1], 1e-9, 0.999)


def sample(
    predict: Prediction,
    gaussian: Tensor,
    steps: int,
    shift: float,
    start: float,
    eta: float,
    fresh: Callable[[], Tensor],
    impose: Prediction,
    mean: Tensor | float = 0.0,
) -> Tensor:
    """Return a unit-scaled residual after so many steps of diffusers' DDIM scheduler.

    Args:
        predict: The network, with the coarse picture and the rate in place.
        gaussian: Noise of unit variance, (batch, 3, height, width).
        steps: At least 1.
        shift: Of the schedule the network was trained with, see `log_snr`.
        start: The time the path begins at, above 0 to 1. Below 1 the residual's mean stands for the signal
            that is there already.
        eta: The noise dial: 0 draws nothing on the way, 1 as much as ancestral sampling.
        fresh: Returns noise of unit variance and of the shape of the first; called before each step.
        impose: Called with state and time before each step; puts what is known into the state.
        mean: Of the unit-scaled residual.
    """
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    trained = betas(shift, start)
    scheduler = DDIMScheduler(
        num_train_timesteps=len(trained),
        trained_betas=trained,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
    )
    steps = min(steps, len(trained))
    scheduler.set_timesteps(steps)
    alpha, sigma = signal_and_noise(torch.tensor(start), shift)
    state = alpha * mean + sigma * gaussian
    for timestep in scheduler.timesteps:
        time = (int(timestep) + 1) / TRAINING_STEPS
        state = impose(state, time)
        noise = fresh() if eta else None
        predicted = predict(state, time)
        state = scheduler.step(
            predicted, int(timestep), state, eta=eta, variance_noise=noise, return_dict=False
        )[0]
    return state
