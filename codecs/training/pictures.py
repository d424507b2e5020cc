"""Training pictures from a folder, and random crops of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image as PillowImage
from torch import Tensor

from ..base import CodecError, Image
from ..planes import to_planes

SUFFIXES = {".avif", ".jpg", ".jpeg", ".png", ".webp"}
EVALUATION_SETS = {"clic2025_tiles"}
"""Folders that hold pictures of an evaluation set; training on them would spoil its results."""
HELD_BACK_EVERY = 32
"""One picture in so many is kept for the model card and never trained on."""


class TrainingPictures:
    """The pictures of a folder and the folders below it, as uint8 arrays in memory.

    Args:
        folder: Searched for pictures; folders named in `EVALUATION_SETS` are left out.
        side: Pictures with a shorter side than this are left out, pixels.

    Raises:
        CodecError: The folder holds no picture that is large enough.
    """

    def __init__(self, folder: Path, side: int) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        paths = [path for path in paths if not EVALUATION_SETS & set(path.parts)]
        pictures = [pixels for path in paths if min((pixels := read(path)).shape[:2]) >= side]
        if len(pictures) < 2:
            raise CodecError(
                f"expected pictures of at least {side} x {side} pixels in {folder}, found {len(pictures)}"
            )
        self.held_back = pictures[::HELD_BACK_EVERY]
        self.training = [picture for index, picture in enumerate(pictures) if index % HELD_BACK_EVERY]
        self.origin = ", ".join(sorted({path.parent.name for path in paths}))
        """Names of the folders that the pictures lie in."""
        self.pixel_count = sum(picture.shape[0] * picture.shape[1] for picture in self.training)

    def crops(self, count: int, side: int, rng: np.random.Generator) -> Tensor:
        """Return square crops, mirrored and turned at random: (count, 3, side, side), uint8.

        Args:
            count: How many.
            side: Of the crops, pixels; at most the shorter side of any picture.
            rng: Draws pictures and places.
        """
        chosen = (self.training[index] for index in rng.integers(len(self.training), size=count))
        return torch.stack([crop([pixels], side, rng)[0] for pixels in chosen])


def read(path: Path) -> Image:
    """Return a picture's pixels."""
    with PillowImage.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def crop(pictures: Sequence[Image], side: int, rng: np.random.Generator) -> list[Tensor]:
    """Return one random square, in one of its eight orientations, of pictures that show the same thing.

    Args:
        pictures: (height, width, 3), uint8, all of one size; each gets the same crop.
        side: Of the square, in pixels.
        rng: Decides place, mirroring and turn.

    Returns:
        Of each picture, (3, side, side), uint8.
    """
    height, width = pictures[0].shape[:2]
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    turns, mirrored = rng.integers(4), rng.integers(2)
    squares = (np.rot90(picture[top : top + side, left : left + side], turns) for picture in pictures)
    return [to_planes(square[:, ::-1] if mirrored else square) for square in squares]
