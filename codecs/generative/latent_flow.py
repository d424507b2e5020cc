"""The embedded latent flow: noise, or damaged latents, to clean ones, under whatever layers are there."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from ..tiles import in_tiles
from .autoencoder import LATENT_CHANNELS
from .blocks import ConditionalUNet

if TYPE_CHECKING:
    from ..pretrained import Weights

BUCKETS = 512
"""Words and pairs of words are hashed into so many."""
TEXT_FEATURES = 64
COLOUR_CHANNELS, EDGE_CHANNELS = 3, 4
MULTIPLE = 4
"""Sides of padded latents: three levels of the U-Net halve twice."""
TILE, HALO = 96, 24


@dataclass(frozen=True, slots=True)
class Conditions:
    """The flow's conditions; a layer that is absent is zero, and its mask with it."""

    maps: Tensor
    """(batch, 9, height, width): colours from -1 to 1 and their mask, then edges and their mask. Edges have
    twice the sides and lie in four channels."""
    text: Tensor
    """(batch, 512): counts of hashed words, see `text_counts`."""

    @classmethod
    def none(cls, like: Tensor) -> Conditions:
        """Return the conditions that say nothing, for latents of this shape."""
        batch, _, height, width = like.shape
        channels = COLOUR_CHANNELS + EDGE_CHANNELS + 2
        return cls(like.new_zeros(batch, channels, height, width), like.new_zeros(batch, BUCKETS))

    @classmethod
    def of(cls, colours: Tensor | None, edges: Tensor | None, text: Tensor, like: Tensor) -> Conditions:
        """Return the conditions of layers, stretched to the latents.

        Args:
            colours: (batch, 3, rows, columns), -1 to 1, or None.
            edges: (batch, 1, rows, columns), 0 or 1, or None.
            text: (batch, 512).
            like: The latents, (batch, 4, height, width).
        """
        nothing = cls.none(like).maps
        size = like.shape[2:]
        here = like.new_ones(len(like), 1, *size)
        maps = list(nothing.split([COLOUR_CHANNELS, 1, EDGE_CHANNELS, 1], 1))
        if colours is not None:
            maps[0], maps[1] = functional.interpolate(colours, size, mode="nearest"), here
        if edges is not None:
            fine = functional.interpolate(edges, (2 * size[0], 2 * size[1]), mode="nearest")
            maps[2], maps[3] = functional.pixel_unshuffle(fine, 2), here
        return cls(torch.cat(maps, 1), text)


class LatentFlow(nn.Module):
    """A conditional rectified flow on the latents of `LatentAutoencoder`.

    z_t = (1 - t) z + t n with noise n of unit variance; the network predicts n - z.

    Args:
        widths: See `ConditionalUNet`.
    """

    def __init__(self, widths: tuple[int, ...] = (48, 64, 80)) -> None:
        super().__init__()
        channels = LATENT_CHANNELS + COLOUR_CHANNELS + EDGE_CHANNELS + 2
        self.text = nn.Linear(BUCKETS, TEXT_FEATURES, bias=False)
        self.unet = ConditionalUNet(channels, LATENT_CHANNELS, widths, condition=TEXT_FEATURES)

    @classmethod
    def load(cls, weights: Weights) -> LatentFlow:
        """Return the flow with the weights of a file."""
        flow = cls()
        flow.load_state_dict(weights.tensors())
        return flow

    def forward(self, state: Tensor, time: Tensor, conditions: Conditions) -> Tensor:
        """Return the velocity n - z, (batch, 4, height, width).

        Args:
            state: z_t, (batch, 4, height, width), sides multiples of 4.
            time: (batch,), 0 (clean) to 1 (noise).
            conditions: Of the same batch and size.
        """
        dtype = self.text.weight.dtype
        maps = torch.cat([state, conditions.maps], 1)
        made = self.unet(maps.to(dtype), time, self.text(conditions.text.to(dtype)))
        return made.to(state.dtype)

    def denoise(self, latents: Tensor, rms: float, steps: int) -> Tensor:
        """Return latents with less error: (batch, 4, height, width), as given.

        Latents y = z + e with an error of deviation s are the flow's state at time s / (1 + s), up to scale.

        Args:
            latents: Damaged latents, sides multiples of 4.
            rms: Root mean square of their error.
            steps: Euler steps, 1 or more.
        """
        return self.sample(latents / (1 + rms), Conditions.none(latents), steps, rms / (1 + rms))

    def sample(
        self, state: Tensor, conditions: Conditions, steps: int, start: float = 1.0, guidance: float = 1.0
    ) -> Tensor:
        """Return clean latents after so many Euler steps from a state at a start time.

        Args:
            state: z at the start time, (1, 4, height, width), sides multiples of 4.
            conditions: Of the same size.
            steps: 1 or more.
            start: 0 to 1; at 1 the state is noise.
            guidance: Of classifier-free guidance (Ho and Salimans, 2022); 1 is none.
        """
        unknown = Conditions.none(state)
        for step in range(steps):
            time = start * (1 - step / steps)
            velocity = self._velocity(state, conditions, time)
            if guidance != 1:
                blind = self._velocity(state, unknown, time)
                velocity = blind + guidance * (velocity - blind)
            state = state - velocity * start / steps
        return state

    def _velocity(self, state: Tensor, conditions: Conditions, time: float) -> Tensor:
        times = torch.full((len(state),), time, device=state.device)

        def of_part(part: Tensor) -> Tensor:
            latents, maps = part.split([LATENT_CHANNELS, part.shape[1] - LATENT_CHANNELS], 1)
            return self(latents, times, Conditions(maps, conditions.text))

        return in_tiles(of_part, torch.cat([state, conditions.maps], 1), TILE, HALO)


def text_counts(caption: str | None) -> Tensor:
    """Return how often each bucket's words and pairs of words stand in a caption: (1, 512), unit length."""
    counts = torch.zeros(1, BUCKETS)
    words = re.findall(r"\w+", (caption or "").lower())
    for term in [*words, *(f"{first} {second}" for first, second in pairwise(words))]:
        counts[0, zlib.crc32(term.encode()) % BUCKETS] += 1
    return functional.normalize(counts)
