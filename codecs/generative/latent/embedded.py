"""Pictures to the latents of the embedded autoencoder and back, denoised by the embedded latent flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as functional

from ... import pretrained
from ...base import CodecError
from ...devices import in_fast_layout
from ...tiles import in_tiles
from ..autoencoder import LATENT_BOUND, LATENT_CHANNELS, LATENT_DOWNSAMPLING, LatentAutoencoder
from ..latent_flow import MULTIPLE, LatentFlow
from ..toy import NETWORKS, generator_name, weights_sha256
from .backends import Identity, networks, refuse_seed, run

if TYPE_CHECKING:
    from torch import Tensor

    from ...pretrained import Weights
    from .backends import Denoising

TILE, HALO = 64, 12
"""Latents; the encoder sees 8 beyond a pixel of its output, the decoder 11."""


class EmbeddedBackend:
    """`LatentAutoencoder` and its latent flow, with weights that come with the package.

    Args:
        autoencoder: On its device, in its number format.
        flow: On the same device, in float32: it is small, and draws nothing.
        identity: Of both weight files.
    """

    channels = LATENT_CHANNELS
    factor = LATENT_DOWNSAMPLING
    bound = LATENT_BOUND
    denoises = True
    version = "embedded"

    def __init__(self, autoencoder: LatentAutoencoder, flow: LatentFlow, identity: Identity) -> None:
        self.identity = identity
        self._autoencoder, self._flow = autoencoder, flow

    @classmethod
    def load(cls, device: str, dtype: torch.dtype) -> EmbeddedBackend:
        """Return the backend with the embedded weights."""
        autoencoder, flow, identity = load_networks()
        in_fast_layout(autoencoder.to(device, dtype).eval().decoder)
        return cls(autoencoder, in_fast_layout(flow.to(device).eval()), identity)

    def encode(self, pixels: Tensor, seed: int | None) -> Tensor:
        """Return latents (1, 4, height / 8, width / 8), -3 to 3."""
        refuse_seed(seed, "embedded")
        with networks("encoding"):
            return in_tiles(self._latents, pixels, TILE * self.factor, HALO * self.factor)

    def decode(self, latents: Tensor) -> Tensor:
        """Return pixels (1, 3, 8 height, 8 width), about -1 to 1."""
        with networks("decoding"):
            return in_tiles(self._pixels, latents, TILE, HALO)

    def denoise(self, latents: Tensor, how: Denoising) -> Tensor:
        """Return latents after Euler steps of the flow from the time of their error; nothing is drawn."""
        if how.rms is None:
            raise CodecError(
                "the published denoising is Stable Diffusion's, the embedded backend has another"
            )
        height, width = latents.shape[2:]
        room = (0, -width % MULTIPLE, 0, -height % MULTIPLE)
        with networks("denoising"):
            padded = functional.pad(latents, room, mode="replicate")
            rms, steps = how.rms, how.steps
            cleaned = run(lambda x: self._flow.denoise(x, rms, steps), self._flow, padded)
            return cleaned[:, :, :height, :width]

    def _latents(self, pixels: Tensor) -> Tensor:
        return run(self._autoencoder.encode, self._autoencoder, pixels)

    def _pixels(self, latents: Tensor) -> Tensor:
        return run(self._autoencoder.decode, self._autoencoder, latents)


def load_networks() -> tuple[LatentAutoencoder, LatentFlow, Identity]:
    """Return the embedded autoencoder and flow, on the CPU in float32, and which weights they hold."""
    weight_files = [pretrained.embedded(name) for name in NETWORKS]
    identity = Identity(
        weights_sha256(),
        sum(weights.byte_count for weights in weight_files),
        weight_files[0].metadata.get("trained_on"),
        toy=True,
        generator=generator_name(),
    )
    return load_autoencoder(weight_files[0]), LatentFlow.load(weight_files[1]), identity


def load_autoencoder(weights: Weights) -> LatentAutoencoder:
    """Return the autoencoder of a file.

    Raises:
        CodecError: It holds another network.
    """
    autoencoder = LatentAutoencoder(weights.number("narrow"), weights.number("wide"))
    try:
        autoencoder.load_state_dict(weights.tensors())
    except (RuntimeError, ValueError, KeyError) as error:
        raise CodecError(f"{weights.path} holds no latent autoencoder: {str(error)[:200]}") from error
    return autoencoder.eval().requires_grad_(False)
