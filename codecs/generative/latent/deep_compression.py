"""Pictures to the many-channelled latents of DC-AE at a 32nd of the sides or less, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import diffusers

from ...base import CodecError
from .backends import networks, refuse_seed, run
from .blend import blended
from .stable_diffusion import BOUND

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_dc import AutoencoderDC
    from torch import Tensor

    from .backends import Denoising, Identity

TILE_PIXELS, OVERLAP_PIXELS = 768, 128


class DeepCompressionBackend:
    """``AutoencoderDC`` of Chen et al., "Deep Compression Autoencoder", 2024; nothing denoises its latents.

    Args:
        autoencoder: On its device, in its number format.
        identity: Of its weight file.
    """

    bound = BOUND
    denoises = False
    version = f"diffusers {diffusers.__version__}"

    def __init__(self, autoencoder: AutoencoderDC, identity: Identity) -> None:
        self.identity = identity
        self.channels: int = autoencoder.config["latent_channels"]
        self.factor: int = autoencoder.spatial_compression_ratio
        self._scale: float = autoencoder.config["scaling_factor"]
        self._autoencoder: Any = autoencoder  # its methods are annotated as returning tuples alone

    def encode(self, pixels: Tensor, seed: int | None) -> Tensor:
        """Return latents (1, channels, height / factor, width / factor)."""
        refuse_seed(seed, "dc-ae")
        with networks("encoding"):
            return blended(self._latents, pixels, TILE_PIXELS, OVERLAP_PIXELS)

    def decode(self, latents: Tensor) -> Tensor:
        """Return pixels (1, 3, factor x height, factor x width), about -1 to 1."""
        with networks("decoding"):
            return blended(self._pixels, latents, TILE_PIXELS // self.factor, OVERLAP_PIXELS // self.factor)

    def denoise(self, latents: Tensor, how: Denoising) -> Tensor:  # noqa: ARG002
        """Raise `CodecError`: there is no network for it."""
        raise CodecError("backend 'dc-ae' has no network that denoises its latents")

    def _latents(self, pixels: Tensor) -> Tensor:
        network = self._autoencoder
        return run(lambda x: network.encode(x).latent, network, pixels) * self._scale

    def _pixels(self, latents: Tensor) -> Tensor:
        network = self._autoencoder
        return run(lambda x: network.decode(x).sample, network, latents / self._scale)
