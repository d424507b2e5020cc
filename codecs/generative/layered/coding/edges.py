"""Code an edge map: each cell is predicted from its neighbours that are coded already.

The template of ten cells is that of JBIG2 (ITU-T T.88, generic region template 2, widened by a row's end);
a narrow and a wide one are mixed in.
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

MOST_CELLS = 2**18
"""Cells of the largest map; a second or two of decoding."""

_SAME, _ABOVE, _SECOND = 3, 7, 5
"""Cells of the wide template in the cell's own row, the row above and the one above that."""
_TEN = 0b01110_0111110_011
_FIVE = 0b00000_0011100_011
_REACH = 3
"""Columns that the template reaches beyond the map's."""


def encode(edges: NDArray[np.bool_]) -> bytes:
    """Return the bytes of an edge map of shape (rows, columns).

    Raises:
        CodecError: It is no map, or has more than `MOST_CELLS` cells.
    """
    if edges.ndim != 2 or edges.dtype != np.bool_:
        raise CodecError(f"expected a boolean edge map of two axes, got {edges.dtype} {edges.shape}")
    rows, columns = edges.shape
    _check_cells(rows, columns)
    encoder = Encoder()
    _code(encoder, rows, columns, edges)
    return leb128.write(rows) + leb128.write(columns) + encoder.finish()


def decode(data: bytes) -> NDArray[np.bool_]:
    """Return the edge map.

    Raises:
        CodecError: The data are cut short, too long, or claim more than `MOST_CELLS` cells.
    """
    reader = Reader(data)
    rows = leb128.read(reader, MOST_CELLS, "rows of the edge map")
    columns = leb128.read(reader, MOST_CELLS, "columns of the edge map")
    _check_cells(rows, columns)
    decoder = Decoder(reader.rest())
    edges = _code(decoder, rows, columns, None)
    decoder.finish()
    return edges


def _check_cells(rows: int, columns: int) -> None:
    if rows < 1 or columns < 1 or rows * columns > MOST_CELLS:
        raise CodecError(f"expected an edge map of 1 to {MOST_CELLS} cells, got {rows} x {columns}")


def _code(coder: Coder, rows: int, columns: int, edges: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """Write the map with an encoder, or read one with a decoder; return it."""
    model = Model(3)
    known = edges.astype(int).tolist() if edges is not None else None
    blank = [0] * (columns + 2 * _REACH)
    above, second = blank, blank
    coded_rows: list[list[int]] = []
    for y in range(rows):
        upper = _upper(above, second)
        current = _row(coder, model, upper, known[y] if known else None)
        coded_rows.append(current)
        above, second = [0] * _REACH + current + [0] * _REACH, above
    return np.array(coded_rows, dtype=np.bool_)


def _row(coder: Coder, model: Model, upper: list[int], known: list[int] | None) -> list[int]:
    row: list[int] = []
    same = 0
    for x, above in enumerate(upper):
        wide = above | same
        bit = model.code(coder, (wide & _FIVE, wide & _TEN, wide), known[x] if known else None)
        row.append(bit)
        same = (same << 1 | bit) & ((1 << _SAME) - 1)
    return row


def _upper(above: list[int], second: list[int]) -> list[int]:
    """Return, for each column, the template's cells in the two padded rows above as a number."""
    near = _windows(above, _ABOVE)
    far = _windows(second, _SECOND)
    return [
        near_cells << _SAME | far_cells << _SAME + _ABOVE
        for near_cells, far_cells in zip(near, far, strict=True)
    ]


def _windows(row: list[int], length: int) -> list[int]:
    """Return the ``length`` cells around each column of a padded row as a number, the rightmost lowest."""
    reach = length // 2
    windows: list[int] = []
    window = 0
    for place, bit in enumerate(row):
        window = (window << 1 | bit) & ((1 << length) - 1)
        if _REACH <= place - reach < len(row) - _REACH:
            windows.append(window)
    return windows
