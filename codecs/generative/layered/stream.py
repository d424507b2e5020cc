"""Read the layers that a decoder paints from out of a stream's chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import chunks
from .chunks import Layer
from .coding import colours, edges, skeleton, text
from .coding.layers import Layers

if TYPE_CHECKING:
    from .chunks import Stream


def inspect(bitstream: bytes) -> Layers:
    """Return the layers of a stream; no decoder is needed.

    Raises:
        CodecError: The stream is damaged.
    """
    return layers_of(chunks.split(bitstream))


def layers_of(stream: Stream) -> Layers:
    """Return the layers that the chunks of a stream hold.

    Raises:
        CodecError: The data of a chunk are damaged.
    """
    data = {chunk.layer: chunk.data for chunk in stream.chunks}
    return Layers(
        stream.header.width,
        stream.header.height,
        caption=text.decode(data[Layer.TEXT]) if Layer.TEXT in data else None,
        edges=edges.decode(data[Layer.EDGES]) if Layer.EDGES in data else None,
        skeletons=skeleton.decode(data[Layer.POSES]) if Layer.POSES in data else None,
        colours=colours.restore(colours.decode(data[Layer.COLOURS])) if Layer.COLOURS in data else None,
        negative_prompt=text.decode(data[Layer.NEGATIVE]) if Layer.NEGATIVE in data else "",
    )
