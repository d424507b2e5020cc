"""Paint a canvas from layers with the embedded latent flow: our small stand-in for Stable Diffusion."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch

from ... import pretrained
from ...base import CodecError
from ...learned.transform import place
from ..autoencoder import LATENT_CHANNELS, LATENT_DOWNSAMPLING
from ..latent.embedded import load_autoencoder
from ..latent_flow import Conditions, LatentFlow, text_counts
from .layers import canvas_size
from .settings import GUIDANCE, Setting, pack, unpack
from .skeleton import render

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ...base import Image
    from .layers import Layers

SETTINGS = (Setting("steps", 1, 50), GUIDANCE)
"""Twice as many steps would take a CPU core close to ten seconds."""


class FlowDecoder:
    """The latent flow under the layers that are there, and the latent autoencoder's decoder.

    Args:
        steps: Euler steps, 1 to 50.
        guidance: Of classifier-free guidance by all layers together, 1 (none) to 25.
        device: As torch calls it.
        dtype: Of the networks: ``float32`` or ``bfloat16``.
    """

    toy = True
    version = f"latent flow 1; torch {torch.__version__}"

    def __init__(
        self, steps: int = 12, guidance: float = 1.5, device: str = "cpu", dtype: str = "float32"
    ) -> None:
        self.settings = pack(SETTINGS, {"steps": steps, "guidance": guidance})
        self._where = place(device, dtype)
        found = pretrained.embedded("latent_autoencoder"), pretrained.embedded("latent_flow")
        self._autoencoder, self._flow = load_autoencoder(found[0]), LatentFlow.load(found[1])
        self._where.move(self._autoencoder)
        self._where.move(self._flow)
        self.weights_sha256 = hashlib.sha256(b"".join(bytes.fromhex(one.sha256) for one in found)).hexdigest()
        self.weights_bytes = sum(one.byte_count for one in found)
        self.trained_on = found[0].metadata.get("trained_on")

    @torch.no_grad()
    def decode(self, layers: Layers, seed: int, settings: bytes) -> Image:
        """Return a canvas of `canvas_size`, drawn from the seed.

        Raises:
            CodecError: The settings are not steps and guidance, or out of range, or the network fails.
        """
        how = unpack(SETTINGS, settings)
        width, height = canvas_size(layers.width, layers.height)
        shape = (1, LATENT_CHANNELS, height // LATENT_DOWNSAMPLING, width // LATENT_DOWNSAMPLING)
        noise = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))
        moved = noise.to(self._where.device, self._where.dtype)
        conditions = self._conditions(layers, moved, width, height)
        latents = self._flow.sample(moved, conditions, int(how["steps"]), guidance=how["guidance"])
        made = self._autoencoder.decode(latents)[0].float().cpu()
        if not bool(made.isfinite().all()):
            raise CodecError("the decoder's network made values that are no numbers")
        levels = made.add(1).mul(127.5).round().clamp(0, 255).byte()
        return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())

    def _conditions(self, layers: Layers, like: Tensor, width: int, height: int) -> Conditions:
        colours = edges = None
        if layers.colours is not None:
            planes = torch.from_numpy(layers.colours.transpose(2, 0, 1).copy())
            colours = planes[None].to(like) / 127.5 - 1
        if (drawn := _edges(layers, width, height)) is not None:
            edges = torch.from_numpy(drawn.copy())[None, None].to(like)
        return Conditions.of(colours, edges, text_counts(layers.caption).to(like), like)


def _edges(layers: Layers, width: int, height: int) -> NDArray[np.bool_] | None:
    """Return the edge map; limbs count as edges, as the flow never saw a skeleton."""
    if layers.edges is not None or layers.skeletons is None:
        return layers.edges
    limbs = render(layers.skeletons, width // 4, height // 4)
    return limbs.any(axis=2)
