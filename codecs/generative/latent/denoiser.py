"""Clean latents of Stable Diffusion by a few deterministic or seeded steps of its U-Net at low noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ...base import CodecError
from .backends import networks
from .blend import blended

if TYPE_CHECKING:
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler
    from torch import Tensor

    from .backends import Denoising

TILE, OVERLAP = 96, 16
"""Latents: 768 pixels with 128 of overlap; the U-Net was trained on 64."""
_PUBLISHED_STRIDE = 15
_PUBLISHED_STRENGTH = 0.04
_PUBLISHED_ETA = 0.9
_PREDICTIONS = ("epsilon", "v_prediction")


class UNetDenoiser:
    """Stable Diffusion's U-Net under the empty prompt, without classifier-free guidance.

    Args:
        unet: On its device, in its number format.
        prompt: Embedding of the empty prompt, (1, tokens, features).
        scheduler: For its noise levels and for what the U-Net predicts.
    """

    def __init__(self, unet: UNet2DConditionModel, prompt: Tensor, scheduler: DDIMScheduler) -> None:
        self._unet, self._prompt = unet, prompt
        self._signal = scheduler.alphas_cumprod.double()
        self._last_signal = float(scheduler.final_alpha_cumprod)
        self._offset: int = scheduler.config["steps_offset"]
        self._prediction: str = scheduler.config["prediction_type"]
        if self._prediction not in _PREDICTIONS:
            raise CodecError(f"expected a U-Net that predicts {_PREDICTIONS}, this one: {self._prediction!r}")

    def denoise(self, latents: Tensor, how: Denoising) -> Tensor:
        """Return cleaned latents of the shape of the input, (1, 4, height, width), unit variance."""
        with networks("denoising"):
            if how.rms is None:
                return self._published(latents, how.seed)
            return self._matched(latents, how.rms, how.steps)

    def _published(self, latents: Tensor, seed: int) -> Tensor:
        """Return latents after the last two of 66 steps, though they are no noisy sample of any time.

        Source: Bühlmann's article on compression by Stable Diffusion, Towards AI, September 2022: leading
        spacing, strength 0.04 of 1000 // 15 steps, no noise added before, eta 0.9.
        """
        count = int(len(self._signal) // _PUBLISHED_STRIDE * _PUBLISHED_STRENGTH)
        draws = torch.Generator().manual_seed(seed)
        for index in reversed(range(count)):
            time = index * _PUBLISHED_STRIDE + self._offset
            after = time - _PUBLISHED_STRIDE
            target = float(self._signal[after]) if after >= 0 else self._last_signal
            drawn = torch.randn(latents.shape, generator=draws)
            latents = self._step(latents, time, target, _PUBLISHED_ETA, drawn)
        return latents

    def _matched(self, latents: Tensor, rms: float, steps: int) -> Tensor:
        """Return latents denoised from the time at which the network expects an error of this size."""
        errors = ((1 - self._signal) / self._signal).sqrt()
        start = int((errors - rms).abs().argmin())
        times = sorted({round(start * step / steps) for step in range(1, steps + 1)}, reverse=True)
        latents = latents * float(self._signal[start].sqrt())
        for time, after in zip(times, [*times[1:], None], strict=True):
            latents = self._step(latents, time, 1.0 if after is None else float(self._signal[after]))
        return latents

    def _step(
        self, latents: Tensor, time: int, target: float, eta: float = 0.0, drawn: Tensor | float = 0.0
    ) -> Tensor:
        signal = float(self._signal[time])
        noise = blended(lambda part: self._predict(part, time), latents, TILE, OVERLAP)
        if self._prediction == "v_prediction":
            noise = signal**0.5 * noise + (1 - signal) ** 0.5 * latents
        return step(latents, noise, signal, target, eta, drawn)

    def _predict(self, latents: Tensor, time: int) -> Tensor:
        moment = torch.tensor([time], device=self._prompt.device)
        moved = latents.to(self._prompt)
        return self._unet(moved, moment, encoder_hidden_states=self._prompt).sample.float().cpu()


def step(
    latents: Tensor, noise: Tensor, signal: float, target: float, eta: float, drawn: Tensor | float
) -> Tensor:
    """Return the latents of a DDIM step.

    Source: Song, Meng, Ermon, "Denoising Diffusion Implicit Models", 2020, equations 12 and 16.

    Args:
        latents: Noisy latents at a time whose alpha bar is ``signal``.
        noise: The network's estimate of the noise in them, scaled to variance 1.
        signal: Between 0 and 1.
        target: Alpha bar of the time to go to.
        eta: Share of fresh noise, 0 for none.
        drawn: Fresh noise of variance 1.
    """
    clean = (latents - (1 - signal) ** 0.5 * noise) / signal**0.5
    deviation = eta * ((1 - target) / (1 - signal) * (1 - signal / target)) ** 0.5
    return target**0.5 * clean + (1 - target - deviation**2) ** 0.5 * noise + deviation * drawn
