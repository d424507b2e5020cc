"""Code a colour map: quantised YCoCg, each cell as its difference from its neighbours.

The transform is the reversible YCoCg-R (Malvar and Sullivan, JVT-I014, 2003); the prediction is the median
edge detector of JPEG-LS (ITU-T T.87). The steps make the error that of 5 bits a colour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .... import leb128
from ....base import CodecError
from ....bitstream import Reader
from .arithmetic import Decoder, Encoder
from .mixing import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .arithmetic import Coder

MOST_CELLS = 2**13
STEPS = np.array([6, 8, 8])
"""Quantisation of Y, Co and Cg, in 8-bit levels."""
_LOWEST = np.array([0, -32, -32])
_HIGHEST = np.array([43, 32, 32])
_START = (21, 0, 0)
"""Prediction of the first cell: grey."""
_MOST_UNARY = 24
"""Beyond it, the decisions on a difference's size share one context."""


def quantise(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the levels of sRGB colours, shape (..., 3) as theirs."""
    red, green, blue = np.moveaxis(colours.astype(np.int64), -1, 0)
    orange = red - blue
    middle = blue + (orange >> 1)
    greenish = green - middle
    light = middle + (greenish >> 1)
    planes = np.stack([light, orange, greenish], axis=-1)
    return (planes + STEPS // 2) // STEPS


def restore(levels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the sRGB colours of levels, shape (..., 3) as theirs."""
    light, orange, greenish = np.moveaxis(levels * STEPS, -1, 0)
    middle = light - (greenish >> 1)
    blue = middle - (orange >> 1)
    return np.stack([blue + orange, greenish + middle, blue], axis=-1).clip(0, 255).astype(np.uint8)


def encode(levels: NDArray[np.int64]) -> bytes:
    """Return the bytes of what `quantise` made of a map, shape (rows, columns, 3).

    Raises:
        CodecError: It is no such map, or has more than `MOST_CELLS` cells.
    """
    if levels.ndim != 3 or levels.shape[2] != 3:
        raise CodecError(f"expected a colour map of shape (rows, columns, 3), got {levels.shape}")
    rows, columns = levels.shape[:2]
    _check_cells(rows, columns)
    encoder = Encoder()
    _code(encoder, rows, columns, levels)
    return leb128.write(rows) + leb128.write(columns) + encoder.finish()


def decode(data: bytes) -> NDArray[np.int64]:
    """Return the levels of a map, which `restore` turns into colours; shape (rows, columns, 3).

    Raises:
        CodecError: The data are cut short, too long, claim too many cells, or colours that do not exist.
    """
    reader = Reader(data)
    rows = leb128.read(reader, MOST_CELLS, "rows of the colour map")
    columns = leb128.read(reader, MOST_CELLS, "columns of the colour map")
    _check_cells(rows, columns)
    decoder = Decoder(reader.rest())
    levels = _code(decoder, rows, columns, None)
    decoder.finish()
    return levels


def _check_cells(rows: int, columns: int) -> None:
    if rows < 1 or columns < 1 or rows * columns > MOST_CELLS:
        raise CodecError(f"expected a colour map of 1 to {MOST_CELLS} cells, got {rows} x {columns}")


def _code(coder: Coder, rows: int, columns: int, levels: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Write the levels with an encoder, or read them with a decoder; return them."""
    model = Model(3)
    coded = np.zeros((rows, columns, 3), np.int64)
    # Python's lists and integers are several times as fast as single elements of an array.
    values: list[list[list[int]]] = coded.tolist()
    sizes: list[list[list[int]]] = np.zeros((rows + 1, columns + 1, 3), np.int64).tolist()
    known: list[list[list[int]]] | None = levels.tolist() if levels is not None else None
    for y in range(rows):
        for x in range(columns):
            before = 0
            for plane in range(3):
                predicted = _predict(values, y, x, plane)
                busy = min(sizes[y + 1][x][plane] + sizes[y][x + 1][plane], 8).bit_length()
                wanted = known[y][x][plane] - predicted if known else None
                before = _difference(coder, model, (plane, busy, max(-2, min(before, 2))), wanted)
                values[y][x][plane] = predicted + before
                sizes[y + 1][x + 1][plane] = min(abs(before), 7)
            _check_colour(values[y][x])
    return np.array(values, np.int64)


def _predict(values: list[list[list[int]]], y: int, x: int, plane: int) -> int:
    if not y:
        return values[0][x - 1][plane] if x else _START[plane]
    above = values[y - 1][x][plane]
    if not x:
        return above
    left, corner = values[y][x - 1][plane], values[y - 1][x - 1][plane]
    if corner >= max(left, above):
        return min(left, above)
    return max(left, above) if corner <= min(left, above) else left + above - corner


def _difference(coder: Coder, model: Model, context: tuple[int, int, int], wanted: int | None) -> int:
    """Write or read a difference: whether there is one, its sign, then its size one by one."""
    plane, busy, before = context

    def code(node: int, bit: bool | None) -> int:
        contexts = ((plane, node), (plane, node, busy), (plane, node, before))
        return model.code(coder, contexts, None if bit is None else int(bit))

    if not code(0, None if wanted is None else wanted != 0):
        return 0
    negative = code(-1, None if wanted is None else wanted < 0)
    size, most = 1, int(_HIGHEST[plane] - _LOWEST[plane])
    while size < most and code(min(size, _MOST_UNARY), None if wanted is None else abs(wanted) > size):
        size += 1
    return -size if negative else size


def _check_colour(cell: list[int]) -> None:
    if any(not low <= level <= high for low, level, high in zip(_LOWEST, cell, _HIGHEST, strict=True)):
        raise CodecError(f"colour map is damaged: no colour has the levels {cell}")
