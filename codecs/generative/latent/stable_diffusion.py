"""Pictures to the latents of Stable Diffusion and back, by its own autoencoder or by TAESD's tiny one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import diffusers
import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

from ...base import CodecError
from .backends import networks, refuse_seed, run
from .blend import blended

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
    from torch import Tensor

    from .backends import Denoising, Identity
    from .denoiser import UNetDenoiser

SCALE = 0.18215
"""Stable Diffusion's factor from latents as its autoencoder gives them to latents of unit variance."""
BOUND = 255 * SCALE**2 / 2
"""4.23 standard deviations: Bühlmann's steps are ``SCALE`` wide on latents before the factor."""
TILE, OVERLAP = 96, 16
"""Latents."""
_FACTOR = 8


class StableDiffusionBackend:
    """``AutoencoderKL`` and the U-Net of Stable Diffusion 1.4 or 1.5.

    Args:
        autoencoder: On its device, in its number format.
        denoiser: The U-Net with the embedding of the empty prompt.
        identity: Of all weight files.
    """

    channels = 4
    factor = _FACTOR
    bound = BOUND
    denoises = True
    version = f"diffusers {diffusers.__version__}"

    def __init__(self, autoencoder: AutoencoderKL, denoiser: UNetDenoiser, identity: Identity) -> None:
        self.identity = identity
        self._autoencoder: Any = autoencoder  # its methods are annotated as returning tuples alone
        self._denoiser = denoiser
        self._scale: float = autoencoder.config["scaling_factor"]

    def encode(self, pixels: Tensor, seed: int | None) -> Tensor:
        """Return latents (1, 4, height / 8, width / 8): the posterior's mode, or a draw from it."""
        with networks("encoding"):
            moments = blended(self._moments, pixels, TILE * _FACTOR, OVERLAP * _FACTOR)
            posterior = DiagonalGaussianDistribution(moments)
            if seed is None:
                return posterior.mode() * self._scale
            return posterior.sample(torch.Generator().manual_seed(seed)) * self._scale

    def decode(self, latents: Tensor) -> Tensor:
        """Return pixels (1, 3, 8 height, 8 width), about -1 to 1."""
        with networks("decoding"):
            return blended(self._pixels, latents / self._scale, TILE, OVERLAP)

    def denoise(self, latents: Tensor, how: Denoising) -> Tensor:
        """Return cleaned latents; see `UNetDenoiser.denoise`."""
        return self._denoiser.denoise(latents, how)

    def _moments(self, pixels: Tensor) -> Tensor:
        network = self._autoencoder
        return run(lambda x: network.encode(x).latent_dist.parameters, network, pixels)

    def _pixels(self, latents: Tensor) -> Tensor:
        network = self._autoencoder
        return run(lambda x: network.decode(x).sample, network, latents)


class TinyBackend:
    """``AutoencoderTiny`` with TAESD's weights, whose latents are Stable Diffusion's at unit variance.

    Args:
        autoencoder: On its device, in its number format.
        denoiser: Stable Diffusion's U-Net; None to decode the latents as they are.
        identity: Of all weight files.
    """

    channels = 4
    factor = _FACTOR
    bound = BOUND
    version = f"diffusers {diffusers.__version__}"

    def __init__(
        self, autoencoder: AutoencoderTiny, denoiser: UNetDenoiser | None, identity: Identity
    ) -> None:
        self.identity = identity
        self.denoises = denoiser is not None
        self._autoencoder: Any = autoencoder  # its methods are annotated as returning tuples alone
        self._denoiser = denoiser

    def encode(self, pixels: Tensor, seed: int | None) -> Tensor:
        """Return latents (1, 4, height / 8, width / 8)."""
        refuse_seed(seed, "taesd")
        with networks("encoding"):
            return blended(self._latents, pixels, TILE * _FACTOR, OVERLAP * _FACTOR)

    def decode(self, latents: Tensor) -> Tensor:
        """Return pixels (1, 3, 8 height, 8 width), about -1 to 1."""
        with networks("decoding"):
            return blended(self._pixels, latents, TILE, OVERLAP)

    def denoise(self, latents: Tensor, how: Denoising) -> Tensor:
        """Return cleaned latents; see `UNetDenoiser.denoise`."""
        if self._denoiser is None:
            raise CodecError(
                "backend 'taesd' denoises with the parameter 'denoiser' alone: give it the U-Net"
            )
        return self._denoiser.denoise(latents, how)

    def _latents(self, pixels: Tensor) -> Tensor:
        network = self._autoencoder
        return run(lambda x: network.encode(x).latents, network, pixels)

    def _pixels(self, latents: Tensor) -> Tensor:
        network = self._autoencoder
        return run(lambda x: network.decode(x).sample, network, latents)
