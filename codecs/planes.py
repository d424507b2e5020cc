"""Convert pixels to the tensors that networks take, and tensors to pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from .base import CodecError

if TYPE_CHECKING:
    from torch import Tensor

    from .base import Image


def to_planes(pixels: Image) -> Tensor:
    """Return pixels of shape (height, width, 3) as uint8 planes (3, height, width), in memory of their own.

    A copy, because the picture may be read-only, which torch warns of.
    """
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())


def to_pixels(planes: Tensor, lowest: float) -> Image:
    """Return planes (3, height, width) of values from ``lowest`` to 1 as 8-bit pixels (height, width, 3).

    Raises:
        CodecError: The network made values that are no numbers.
    """
    if not bool(planes.isfinite().all()):
        raise CodecError("the decoder's network made values that are no numbers")
    levels = planes.float().sub(lowest).mul(255 / (1 - lowest)).round().clamp(0, 255).byte()
    return np.ascontiguousarray(levels.permute(1, 2, 0).cpu().numpy())
