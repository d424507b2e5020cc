"""Train HFD's two decoders on pairs of originals and the autoencoder's pictures."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from ..generative.hfd import diffusion, flow
from ..generative.hfd.network import DetailNetwork
from .loop import Settings
from .pairs import CoarsePictures

SETTINGS = Settings(steps=9_000, crop=96, learning_rate=1e-3, final_learning_rate=2e-5, average=0.999)

Mode = Literal["flow", "diffusion"]


class DetailTask:
    """Minimise the error of the predicted velocity, over random times and rates.

    Args:
        pairs: Where the crops come from.
        mode: Which decoder.
    """

    def __init__(self, pairs: CoarsePictures, mode: Mode) -> None:
        self.pairs = pairs
        self.mode = mode
        self.network = DetailNetwork(pairs.rates)
        self.network.covariances.copy_(torch.from_numpy(pairs.covariances()))

    def groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return the network's weights."""
        return [{"params": list(self.network.parameters()), "lr": learning_rate}]

    def batch(self, settings: Settings, rng: np.random.Generator) -> tuple[Tensor, ...]:
        """Return originals, coarse pictures, rates, stratified times, and amounts of noise."""
        count = settings.batch
        time = (rng.permutation(count) + rng.uniform(size=count)) / count
        noise = rng.uniform(0, flow.LARGEST_NOISE, count)
        amounts = (torch.from_numpy(array).float() for array in (time, noise))
        return *self.pairs.crops(count, settings.crop, rng), *amounts

    def loss(self, original: Tensor, coarse: Tensor, rate: Tensor, time: Tensor, noise: Tensor) -> Tensor:
        """Return the decoder's loss.

        Args:
            original: (batch, 3, side, side) uint8.
            coarse: What the autoencoder makes of it; the same shape and dtype.
            rate: 0 for the first quality of the ladder, 1 for the second and so on, (batch,).
            time: (batch,), 0 to 1; 1 is the original in the flow, noise alone in the diffusion.
            noise: (batch,), deviation of the start's noise in residual deviations, 0 to
                `flow.LARGEST_NOISE`; the diffusion has no use for it.
        """
        whole, rough = (
            (picture.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)
            for picture in (original, coarse)
        )
        if self.mode == "flow":
            return flow.loss(self.network, whole, rough, rate, noise, time)
        return diffusion.loss(self.network, whole, rough, rate, time)
