"""Run a local network over a large picture tile by tile, each with a halo, as if over the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor


def in_tiles(network: Callable[[Tensor], Tensor], whole: Tensor, tile: int, halo: int) -> Tensor:
    """Return ``network(whole)``, computed tile by tile where the input is larger than a tile and two halos.

    At the picture's own border a tile has no halo, so padding there is what the whole picture would get. For
    a network without global statistics the result is that of the whole picture, as far as the halo covers
    what a pixel of the output sees.

    Args:
        network: Takes (1, channels, height, width); scales both sides by one constant.
        whole: (1, channels, height, width).
        tile: Side of a tile in pixels of the input; a multiple of what the network needs.
        halo: Pixels of the input around a tile; a multiple of what the network needs.
    """
    height, width = whole.shape[2:]
    if max(height, width) <= tile + 2 * halo:
        return network(whole)
    rows: list[Tensor] = []
    for top, bottom in spans(height, tile):
        row: list[Tensor] = []
        for left, right in spans(width, tile):
            above, before = max(0, top - halo), max(0, left - halo)
            part = whole[:, :, above : bottom + halo, before : right + halo]
            made = network(part)
            scale = made.shape[2] / part.shape[2]
            first, start = round((top - above) * scale), round((left - before) * scale)
            last, end = first + round((bottom - top) * scale), start + round((right - left) * scale)
            row.append(made[:, :, first:last, start:end])
        rows.append(torch.cat(row, 3))
    return torch.cat(rows, 2)


def spans(length: int, tile: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each tile along a side."""
    return ((start, min(start + tile, length)) for start in range(0, length, tile))
