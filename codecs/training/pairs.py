"""Pairs of originals and an autoencoder's pictures of them, made once and kept in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from ..base import Image
from .pictures import TrainingPictures, crop

Reconstruct = Callable[[Image, float], Image]
"""An original and a quality, to the 8-bit picture that the autoencoder's decoder shows."""


class CoarsePictures:
    """What an autoencoder makes of the training pictures at each of its qualities.

    Args:
        pictures: The originals.
        reconstruct: The autoencoder.
        qualities: On the autoencoder's native scale, from worst to best: the rates.
        cache: Made when it does not exist; a file of uint8, all pictures of a rate after one another.
    """

    def __init__(
        self, pictures: TrainingPictures, reconstruct: Reconstruct, qualities: Sequence[float], cache: Path
    ) -> None:
        self.rates = len(qualities)
        self.originals = [*pictures.training, *pictures.held_back]
        self._training_count = len(pictures.training)
        ends = np.cumsum([original.size for original in self.originals])
        self._starts = np.concatenate([[0], ends[:-1]])
        if not cache.exists():
            _fill(cache, self.originals, reconstruct, qualities, int(ends[-1]))
        self._coarse = np.memmap(cache, np.uint8, "r", shape=(len(qualities), int(ends[-1])))

    def coarse(self, rate: int, index: int) -> NDArray[np.uint8]:
        """Return the autoencoder's picture of an original at a rate, (height, width, 3)."""
        original = self.originals[index]
        start = self._starts[index]
        return self._coarse[rate, start : start + original.size].reshape(original.shape)

    def covariances(self) -> NDArray[np.float64]:
        """Return the covariances of original minus coarse between channels, (rates, 3, 3), for -1 to 1."""
        chosen = range(0, self._training_count, 4)
        return np.array(
            [
                np.mean([self._covariance(rate, index) for index in chosen], axis=0)
                for rate in range(self.rates)
            ]
        )

    def held_back(self, rate: int) -> list[tuple[Image, Image]]:
        """Return originals and coarse pictures that no step learns from."""
        kept = range(self._training_count, len(self.originals))
        return [(self.originals[index], self.coarse(rate, index)) for index in kept]

    def _covariance(self, rate: int, index: int) -> NDArray[np.float64]:
        error = (self.originals[index].astype(np.float32) - self.coarse(rate, index)) / 127.5
        values = error.reshape(-1, 3).astype(np.float64)
        return values.T @ values / len(values)

    def crops(self, count: int, side: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return originals and coarse pictures, (count, 3, side, side) uint8, and their rates, (count,).

        Args:
            count: How many.
            side: Of the crops, pixels; at most the shorter side of any picture.
            rng: Draws pictures and places.
        """
        rates = rng.integers(self.rates, size=count)
        chosen = ((rate, int(rng.integers(self._training_count))) for rate in rates)
        pairs = [crop([self.originals[index], self.coarse(rate, index)], side, rng) for rate, index in chosen]
        originals, coarse = zip(*pairs, strict=True)
        return torch.stack(originals), torch.stack(coarse), torch.from_numpy(rates)


def _fill(
    cache: Path,
    originals: Sequence[Image],
    reconstruct: Reconstruct,
    qualities: Sequence[float],
    total: int,
) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    unfinished = cache.with_suffix(".unfinished")
    kept = np.memmap(unfinished, np.uint8, "w+", shape=(len(qualities), total))
    for rate, quality in enumerate(qualities):
        start = 0
        for original in track(originals, f"autoencoder at quality {quality:g}"):
            kept[rate, start : start + original.size] = reconstruct(original, quality).reshape(-1)
            start += original.size
    kept.flush()
    unfinished.replace(cache)
