"""Edit a layered stream without decoding it; all other chunks stay byte for byte."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...base import CodecError
from . import chunks
from .chunks import Chunk, Layer
from .coding import colours, edges, skeleton, text
from .coding.grids import grid_shape
from .coding.regions import cells, holds
from .detectors import on_grid
from .stream import inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from .coding.layers import Skeleton
    from .coding.regions import Region

__all__ = [
    "drop_layer",
    "erase",
    "inspect",
    "keep",
    "recolour",
    "replace_caption",
    "replace_negative_prompt",
    "replace_skeletons",
    "replace_structure",
    "structure_grid",
]
_NEW_EDGE_ROWS = 128


def replace_caption(bitstream: bytes, caption: str) -> bytes:
    """Return the stream with another caption, or with one where it had none."""
    return _put(bitstream, Chunk(Layer.TEXT, text.encode(caption)))


def replace_negative_prompt(bitstream: bytes, negative_prompt: str) -> bytes:
    """Return the stream with other words that its picture is steered away from; with none for an empty text.

    Only decoders by Stable Diffusion listen to them.
    """
    if negative_prompt:
        return _put(bitstream, Chunk(Layer.NEGATIVE, text.encode(negative_prompt)))
    return _kept(bitstream, lambda chunk: chunk.layer is not Layer.NEGATIVE)


def replace_structure(bitstream: bytes, drawing: NDArray[np.bool_], region: Region | None = None) -> bytes:
    """Return the stream with other edges: structure manipulation.

    Args:
        bitstream: The stream.
        drawing: Edge map of the whole picture on any grid; it is brought to the stream's own.
        region: Where the edges are replaced; None for everywhere, which also takes the place of keypoints.

    Raises:
        CodecError: The stream is damaged, or there are no edges around the region to keep.
    """
    rows, columns = structure_grid(bitstream)
    drawn = on_grid(drawing, rows, columns)
    if region is not None:
        kept = edges.decode(_data(bitstream, Layer.EDGES))
        drawn = np.where(cells(region, rows, columns), drawn, kept)
    return _put(bitstream, Chunk(Layer.EDGES, edges.encode(drawn)))


def structure_grid(bitstream: bytes) -> tuple[int, int]:
    """Return rows and columns of the stream's edge map; where it has none, of the one it would get."""
    stream = chunks.split(bitstream)
    for chunk in stream.chunks:
        if chunk.layer is Layer.EDGES:
            rows, columns = edges.decode(chunk.data).shape
            return rows, columns
    return grid_shape(stream.header.width, stream.header.height, _NEW_EDGE_ROWS)


def replace_skeletons(bitstream: bytes, skeletons: Sequence[Skeleton]) -> bytes:
    """Return the stream with other people, in the place of whatever structure it had."""
    return _put(bitstream, Chunk(Layer.POSES, skeleton.encode(skeletons)))


def recolour(bitstream: bytes, region: Region, colour: tuple[int, int, int]) -> bytes:
    """Return the stream with a region in another colour: texture synthesis.

    Args:
        bitstream: The stream.
        region: What is recoloured.
        colour: sRGB, 0 to 255 each.

    Raises:
        CodecError: The stream is damaged or has no colours.
    """
    if not all(0 <= level <= 255 for level in colour):
        raise CodecError(f"expected a colour of three levels from 0 to 255, got {colour}")
    levels = colours.decode(_data(bitstream, Layer.COLOURS))
    levels[cells(region, *levels.shape[:2])] = colours.quantise(np.array(colour, np.uint8))
    return _put(bitstream, Chunk(Layer.COLOURS, colours.encode(levels)))


def erase(bitstream: bytes, region: Region) -> bytes:
    """Return the stream without what is in a region, in both layers: object erasing.

    Edges and keypoints in the region go; its colour cells take the colours around them.

    Raises:
        CodecError: The stream is damaged, or holds neither structure nor colours.
    """
    stream = chunks.split(bitstream)
    erasers: dict[Layer, Callable[[bytes, Region], bytes]] = {
        Layer.EDGES: _without_edges,
        Layer.POSES: _without_points,
        Layer.COLOURS: _without_colours,
    }
    if not any(chunk.layer in erasers for chunk in stream.chunks):
        raise CodecError("there is nothing to erase: the stream holds neither structure nor colours")
    edited = [
        replace(chunk, data=erasers[chunk.layer](chunk.data, region)) if chunk.layer in erasers else chunk
        for chunk in stream.chunks
    ]
    return chunks.join(replace(stream, chunks=tuple(edited)))


def drop_layer(bitstream: bytes, layer: Layer) -> bytes:
    """Return the stream without a layer.

    Raises:
        CodecError: It has no such layer, or no other.
    """
    _data(bitstream, layer)
    return _kept(bitstream, lambda chunk: chunk.layer is not layer)


def keep(bitstream: bytes, level: int) -> bytes:
    """Return the stream with its first layers: 1 text, 2 structure too, 3 colours too.

    Raises:
        CodecError: Nothing would be left.
    """
    if level not in (1, 2, 3):
        raise CodecError(f"expected a level from 1 to 3, got {level}")
    return _kept(bitstream, lambda chunk: chunk.layer.level <= level)


def _kept(bitstream: bytes, wanted: Callable[[Chunk], bool]) -> bytes:
    stream = chunks.split(bitstream)
    return chunks.join(replace(stream, chunks=tuple(filter(wanted, stream.chunks))))


def _put(bitstream: bytes, new: Chunk) -> bytes:
    stream = chunks.split(bitstream)
    others = (chunk for chunk in stream.chunks if chunk.layer.level != new.layer.level)
    return chunks.join(replace(stream, chunks=(*others, new)))


def _data(bitstream: bytes, layer: Layer) -> bytes:
    present = chunks.split(bitstream).chunks
    for chunk in present:
        if chunk.layer is layer:
            return chunk.data
    there = ", ".join(chunk.layer.name.lower() for chunk in present)
    raise CodecError(f"the stream holds no layer of {layer.name.lower()}; it has {there}")


def _without_edges(data: bytes, region: Region) -> bytes:
    edge_map = edges.decode(data)
    return edges.encode(edge_map & ~cells(region, *edge_map.shape))


def _without_points(data: bytes, region: Region) -> bytes:
    people = skeleton.decode(data)
    kept = [replace(person, visible=person.visible & ~holds(region, person.points)) for person in people]
    return skeleton.encode([person for person in kept if person.visible.any()])


def _without_colours(data: bytes, region: Region) -> bytes:
    levels = colours.decode(data)
    hole = cells(region, *levels.shape[:2])
    filled = _filled(colours.restore(levels).astype(np.float64), hole)
    levels[hole] = colours.quantise(np.rint(filled[hole]).astype(np.uint8))
    return colours.encode(levels)


def _filled(values: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return a map with its hole filled from the rim inwards, each cell by the mean of known neighbours."""
    if hole.all():
        return np.broadcast_to(values.mean(axis=(0, 1)), values.shape)
    known = ~hole
    values = values.copy()
    while not known.all():
        total, count = np.zeros_like(values), np.zeros(known.shape)
        for down, across in ((0, 1), (1, 0), (1, 2), (2, 1)):
            near = np.pad(known, 1)[down : down + len(known), across : across + known.shape[1]]
            colour = np.pad(values, ((1, 1), (1, 1), (0, 0)))[down : down + len(known), across:]
            total += colour[:, : known.shape[1]] * near[..., None]
            count += near
        rim = ~known & (count > 0)
        values[rim] = total[rim] / count[rim][:, None]
        known |= rim
    return values
