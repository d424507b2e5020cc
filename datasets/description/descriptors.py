"""Describe a picture's content in a few numbers: texture, colour, edges, text, faces."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing import TypeAlias

    Pixels: TypeAlias = NDArray[np.uint8]

VERSION = "2"
"""Of the definitions below and of those in `history`; stored with every value."""

_CANNY = (100, 200)
_FACE_CASCADE = "haarcascade_frontalface_default.xml"
_FACE_SMALLEST, _FACE_STEP, _FACE_NEIGHBOURS = 40, 1.1, 6

_on_thread = threading.local()
"""Holds the cascade, whose file takes longer to read than a small picture; it serves one thread at a time."""


def describe_pixels(pixels: Pixels) -> dict[str, float]:
    """Return every descriptor of a picture by name; those whose detector is not here are left out.

    Args:
        pixels: (height, width, 3), uint8, sRGB.
    """
    values = {name: measure(pixels) for name, measure in DESCRIPTORS.items()}
    return {name: value for name, value in values.items() if value is not None}


def spatial_information(pixels: Pixels) -> float:
    """Return the standard deviation of the Sobel gradient's magnitude of luma, in levels.

    ITU-T P.910, spatial perceptual information (SI), of one frame.
    """
    import cv2

    luma = _luma(pixels).astype(np.float64)
    across, down = (cv2.Sobel(luma, cv2.CV_64F, *order) for order in ((1, 0), (0, 1)))
    inner = np.hypot(across, down)[1:-1, 1:-1]
    return float(inner.std()) if inner.size else 0.0


def colourfulness(pixels: Pixels) -> float:
    """Return the colourfulness: 0 for grey, about 100 for vivid colours.

    Hasler and Suesstrunk, "Measuring colorfulness in natural images" (2003), the metric M3.
    """
    red, green, blue = (pixels[..., channel].astype(np.float64) for channel in range(3))
    across, along = red - green, (red + green) / 2 - blue
    spread = np.hypot(across.std(), along.std())
    return float(spread + 0.3 * np.hypot(across.mean(), along.mean()))


def edge_density(pixels: Pixels) -> float:
    """Return the share of pixels on an edge: Canny's (1986), thresholds 100 and 200, 0 to 1."""
    import cv2

    return float((cv2.Canny(_luma(pixels), *_CANNY) > 0).mean())


def entropy(pixels: Pixels) -> float:
    """Return Shannon's entropy of the histogram of luma, 0 to 8 bits."""
    counts = np.bincount(_luma(pixels).ravel(), minlength=256)
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def text_share(pixels: Pixels) -> float:
    """Return about which share of the area is lines of text, 0 to 1.

    Looks for parts of a letter's size and fill, dark on light or light on dark, that stand in rows. It reads
    nothing: small, slanted or hand-written text is missed, and rows of windows may be counted.
    """
    import cv2

    luma = _luma(pixels)
    boxes = [box for sign in (luma, np.invert(luma)) for box in _letters(sign)]
    rows = _rows(boxes)
    covered = np.zeros(luma.shape, np.uint8)
    for left, top, right, bottom in rows:
        cv2.rectangle(covered, (left, top), (right - 1, bottom - 1), 1, -1)
    return float(covered.mean())


def face_count(pixels: Pixels) -> float | None:
    """Return how many faces a Haar cascade (Viola and Jones, 2001) finds; None where there is no cascade."""
    import cv2
    from cv2 import data as cv2_data

    path = Path(cv2_data.haarcascades, _FACE_CASCADE)
    if not path.is_file():
        return None
    smallest = (_FACE_SMALLEST, _FACE_SMALLEST)
    if not hasattr(_on_thread, "faces"):
        _on_thread.faces = cv2.CascadeClassifier(str(path))
    faces = _on_thread.faces.detectMultiScale(_luma(pixels), _FACE_STEP, _FACE_NEIGHBOURS, minSize=smallest)
    return float(len(faces))


DESCRIPTORS: dict[str, Callable[[Pixels], float | None]] = {
    "spatial_information": spatial_information,
    "colourfulness": colourfulness,
    "edge_density": edge_density,
    "entropy": entropy,
    "text_share": text_share,
    "face_count": face_count,
}


def _luma(pixels: Pixels) -> Pixels:
    import cv2

    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def _letters(luma: Pixels) -> list[tuple[int, int, int, int]]:
    """Return boxes of dark parts that have a letter's size, fill and contrast: left, top, right, bottom."""
    import cv2

    around = cv2.GaussianBlur(luma, (0, 0), 12)
    dark = ((around.astype(np.int16) - luma) > 30).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=8)
    boxes: list[tuple[int, int, int, int]] = []
    for left, top, width, height, area in stats[1:]:
        fill = area / (width * height)
        if 6 <= height <= 80 and 0.1 <= width / height <= 1.6 and 0.2 <= fill <= 0.9:
            boxes.append((int(left), int(top), int(left + width), int(top + height)))
    return boxes


def _rows(boxes: list[tuple[int, int, int, int]], fewest: int = 6) -> list[tuple[int, int, int, int]]:
    """Return boxes around rows of letters: neighbours of like height on one base line."""
    rows: list[list[tuple[int, int, int, int]]] = []
    for box in sorted(boxes):
        row = next((row for row in rows if _continues(row[-1], box)), None)
        if row is None:
            rows.append([box])
        else:
            row.append(box)
    return [
        (row[0][0], min(box[1] for box in row), max(box[2] for box in row), max(box[3] for box in row))
        for row in rows
        if len(row) >= fewest
    ]


def _continues(last: tuple[int, int, int, int], box: tuple[int, int, int, int]) -> bool:
    height, other = last[3] - last[1], box[3] - box[1]
    on_line = abs(last[3] - box[3]) <= 0.2 * max(height, other)
    gap = box[0] - last[2]
    return on_line and 0.5 <= other / height <= 2 and -0.2 * height <= gap <= 1.2 * max(height, other)
