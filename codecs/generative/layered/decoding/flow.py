"""Paint a canvas from layers with the embedded latent flow: our small stand-in for Stable Diffusion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ....devices import inference
from ....learned.transform import place
from ....planes import to_pixels, to_planes
from ...autoencoder import LATENT_CHANNELS, LATENT_DOWNSAMPLING
from ...latent.embedded import load_networks
from ...latent_flow import Conditions, text_counts
from ..coding.layers import canvas_size
from ..coding.settings import GUIDANCE, Setting, pack, unpack
from ..coding.skeleton import render

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ....base import Image
    from ..coding.layers import Layers

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
    negative_prompt = ""
    version = f"latent flow 2; torch {torch.__version__}"

    def __init__(
        self, steps: int = 12, guidance: float = 1.5, device: str = "cpu", dtype: str = "float32"
    ) -> None:
        self.settings = pack(SETTINGS, {"steps": steps, "guidance": guidance})
        self._where = place(device, dtype)
        self._autoencoder, self._flow, identity = load_networks()
        self._where.move_decoder(self._autoencoder)
        self._where.move_decoder(self._flow)
        self.weights_sha256, self.weights_bytes = identity.sha256, identity.byte_count
        self.trained_on, self.generator = identity.trained_on, identity.generator

    @inference()
    def decode(self, layers: Layers, seed: int, settings: bytes) -> Image:
        """Return a canvas of `canvas_size`, drawn from the seed.

        Args:
            layers: Caption, structure and colours; any of them may be absent.
            seed: Of the start noise.
            settings: The decoder's own, as its encoder packed them.

        Raises:
            CodecError: The settings are not steps and guidance, or out of range, or the network fails.
        """
        how = unpack(SETTINGS, settings)
        width, height = canvas_size(layers.width, layers.height)
        shape = (1, LATENT_CHANNELS, height // LATENT_DOWNSAMPLING, width // LATENT_DOWNSAMPLING)
        noise = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed))
        moved = noise.to(self._where.device)  # in float32: rounding at each step would add up
        conditions = self._conditions(layers, moved, width, height)
        latents = self._flow.sample(moved, conditions, int(how["steps"]), guidance=how["guidance"])
        return to_pixels(self._autoencoder.decode(latents.to(self._where.dtype))[0], -1)

    def _conditions(self, layers: Layers, like: Tensor, width: int, height: int) -> Conditions:
        colours = edges = None
        if layers.colours is not None:
            colours = to_planes(layers.colours)[None].to(like) / 127.5 - 1
        if (drawn := _edges(layers, width, height)) is not None:
            edges = torch.from_numpy(drawn.copy())[None, None].to(like)
        return Conditions.of(colours, edges, text_counts(layers.caption).to(like), like)


def _edges(layers: Layers, width: int, height: int) -> NDArray[np.bool_] | None:
    """Return the edge map; limbs count as edges, as the flow never saw a skeleton."""
    if layers.edges is not None or layers.skeletons is None:
        return layers.edges
    limbs = render(layers.skeletons, width // 4, height // 4)
    return limbs.any(axis=2)
