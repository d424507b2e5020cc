"""Run a network over a large picture in overlapping tiles that fade into each other.

For networks with statistics over all they see (group normalisation, attention), a tile differs from the
same part of the whole whatever its halo; `codecs.tiles`, which cuts, would leave a seam.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def blended(network: Callable[[Tensor], Tensor], whole: Tensor, tile: int, overlap: int) -> Tensor:
    """Return ``network(whole)``, by tiles that fade over their overlap where the input is larger.

    Args:
        network: Takes (1, channels, height, width); scales both sides by one constant.
        whole: (1, channels, height, width).
        tile: Longest side of what the network sees; a multiple of what it needs, as is the overlap.
        overlap: What neighbouring tiles share, less than a tile; a last tile may share more.
    """
    height, width = whole.shape[2:]
    if max(height, width) <= tile:
        return network(whole)
    total = torch.zeros(0)
    weight = torch.zeros(0)
    for top in starts(height, tile, overlap):
        for left in starts(width, tile, overlap):
            part = whole[:, :, top : top + tile, left : left + tile]
            made = network(part)
            scale = made.shape[2] / part.shape[2]
            if not total.numel():
                size = (round(height * scale), round(width * scale))
                total = made.new_zeros((*made.shape[:2], *size))
                weight = made.new_zeros((1, 1, *size))
            window = _window(made, round(overlap * scale))
            rows = slice(round(top * scale), round(top * scale) + made.shape[2])
            columns = slice(round(left * scale), round(left * scale) + made.shape[3])
            total[:, :, rows, columns] += made * window
            weight[:, :, rows, columns] += window
    return total / weight


def starts(length: int, tile: int, overlap: int) -> list[int]:
    """Return where tiles begin along a side; the last one ends at the end.

    Args:
        length: Of the side, in cells.
        tile: Length of a tile; one as long as the side, or longer, is alone.
        overlap: Cells that two neighbours share at least.
    """
    if length <= tile:
        return [0]
    return [*range(0, length - tile, tile - overlap), length - tile]


def _window(made: Tensor, fade: int) -> Tensor:
    """Return weights (height, width) that rise from near 0 to 1 over the fade and fall again."""
    sides = [_ramp(length, fade, made) for length in made.shape[2:]]
    return sides[0][:, None] * sides[1]


def _ramp(length: int, fade: int, like: Tensor) -> Tensor:
    distance = torch.arange(1, length + 1, device=like.device)
    share = (torch.minimum(distance, distance.flip(0)) / (fade + 1)).clamp(max=1).to(like.dtype)
    return share**2 * (3 - 2 * share)  # sets in and ends without a kink
