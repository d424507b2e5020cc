"""Tell from a picture's file and pixels what was done to it before: coded with loss, enlarged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from .block_grids import GRID_FOUND, block_grid

BLOCK = 8
_HEADER_BYTES = 4096
SMALLEST_SIDE = 256
"""Pixels; metrics with several scales and tiles see little of smaller pictures."""

_LARGEST_STEP = 64
_JUMPS = {2: (3, 2.4), 3: (4, 1.58), 4: (6, 1.9)}
"""For each factor a larger one, and how many times more is lost to it where the factor is the one."""
_FREQUENCIES = tuple((row, column) for row in range(4) for column in range(4) if row + column)
_STANDARD_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
"""Luminance example table of ITU-T T.81, Annex K."""


FILE_FORMATS = ("png", "jpeg", "webp", "avif", "tiff", "bmp", "ppm", "gif")
"""The descriptor ``file_format`` is a place in this list."""

HISTORY = {
    "megapixels": "size in megapixels",
    "file_format": "file format",
    "jpeg_quality": "JPEG quality",
    "blocks_of_8": "blocks of 8 (JPEG, AVIF)",
    "blocks_of_4": "blocks of 4 (WebP, AVIF, HEIC)",
    "chroma_half": "chroma at half size",
    "enlargement": "enlargement",
}
"""Names of descriptors of what a picture went through, and what each is called."""

NO_JPEG = 100.0
"""The descriptor ``jpeg_quality`` of pictures without a sign of JPEG: the end of its scale that loses
least."""
FINE_JPEG = 95.0
"""Where the grid tells of JPEG, and its steps are too small to tell which quality."""


@dataclass(frozen=True, slots=True)
class JpegTrace:
    """Signs of an earlier JPEG compression."""

    offset: tuple[int, int]
    """Row and column of the first block's corner, 0 to 7: others than 0 after a crop."""
    quality: int | None
    """Of the IJG scale, whose table fits the steps found best; None where none does."""


@dataclass(frozen=True, slots=True)
class Traces:
    """What a picture went through before."""

    descriptors: dict[str, float]
    """By the names of `HISTORY`."""
    jpeg: JpegTrace | None
    """Where the pixels of a file of another format show the steps of a JPEG table."""


def measure_history(path: Path, pixels: NDArray[np.uint8]) -> Traces:
    """Return what a picture went through before.

    The file counts where it tells: a JPEG file's quality and chroma. Else the pixels do: ``jpeg_quality`` by
    the steps of their coefficients, 95 for finer ones whose grid shows, 100 without a sign; ``blocks_of_8``
    and ``blocks_of_4`` by `block_grid`; ``enlargement`` 1 to 4.

    Args:
        path: Of the file.
        pixels: (height, width, 3), uint8, sRGB.
    """
    luma, of_file = _luma(pixels), file_history(path)
    trace = None if "jpeg_quality" in of_file else jpeg_trace(pixels)
    offset = trace.offset if trace else (0, 0)
    grid = block_grid(luma, BLOCK, offset)
    quality = trace.quality if trace and trace.quality else NO_JPEG
    # AVIF's blocks of 8 lie among blocks of 16, which JPEG has none of.
    if quality == NO_JPEG and grid >= GRID_FOUND[BLOCK] and block_grid(luma, 2 * BLOCK) < 1:
        quality = FINE_JPEG
    of_pixels = {
        "jpeg_quality": float(quality),
        "blocks_of_8": grid,
        "blocks_of_4": block_grid(luma, 4, offset),
        "enlargement": float(upscaling(pixels) or 1),
        "megapixels": pixels.shape[0] * pixels.shape[1] / 1e6,
    }
    return Traces(of_pixels | of_file, trace)


def file_history(path: Path) -> dict[str, float]:
    """Return those descriptors that a file's header tells: format, a JPEG's quality, chroma at half size."""
    try:
        with Image.open(path) as image, path.open("rb") as file:
            name = {"MPO": "jpeg"}.get(image.format or "", (image.format or "").lower())
            half = _has_half_chroma(image, file.read(_HEADER_BYTES))
    except OSError:
        return {}
    known = {"file_format": float(FILE_FORMATS.index(name))} if name in FILE_FORMATS else {}
    quality = jpeg_file_quality(path)
    return known | {"chroma_half": float(half)} | ({"jpeg_quality": float(quality)} if quality else {})


def _has_half_chroma(image: Image.Image, header: bytes) -> bool:
    """Whether a file says that its chroma has half the width of its luma; lossy WebP's always has."""
    if image.format in ("JPEG", "MPO"):
        return JpegImagePlugin.get_sampling(image) > 0
    if image.format == "WEBP":
        return b"VP8 " in header
    # The third byte of AV1's configuration has the two bits of its subsampling below three others.
    configuration = header.partition(b"av1C")[2][:3]
    return image.format == "AVIF" and len(configuration) == 3 and bool(configuration[2] & 0b1000)


def jpeg_file_quality(path: Path) -> int | None:
    """Return the IJG quality of a JPEG file by its luminance table, None for files of other formats."""
    try:
        with Image.open(path) as image:
            tables = getattr(image, "quantization", None) if image.format in ("JPEG", "MPO") else None
    except OSError:
        return None
    if not tables:
        return None
    return _nearest_quality(np.array(tables[0]).reshape(BLOCK, BLOCK).astype(np.float64))


def jpeg_trace(pixels: NDArray[np.uint8]) -> JpegTrace | None:
    """Return the signs that pixels were once JPEG compressed, or None.

    DCT coefficients on an 8x8 grid gather at multiples of a step as they do on no other grid; where the grid
    lies is seen from the borders of its blocks. Steps of 1 and 2 (qualities above
    about 92) leave no sign in rounded pixels.

    Fan and de Queiroz, "Identification of bitmap compression history", IEEE TIP 12 (2003).

    Args:
        pixels: (height, width, 3), uint8, sRGB.
    """
    if min(pixels.shape[:2]) < 8 * BLOCK:
        return None
    luma = _luma(pixels)
    # Noise and fine texture drown the borders of a good compression: the usual place is always tried.
    for offset in dict.fromkeys([_grid(luma), (0, 0)]):
        steps = _steps(luma, offset)
        if len(steps) >= len(_FREQUENCIES) // 3:
            return JpegTrace(offset, _quality_of_steps(steps))
    return None


def upscaling(pixels: NDArray[np.uint8]) -> int | None:
    """Return the factor that pixels seem to have been enlarged by (2, 3 or 4), or None.

    An enlarged picture loses little when it is made smaller by its factor and large again, and much more with
    the next larger factor; others lose steadily more. Limits set on Kodak's pictures and their
    enlargements (bilinear, bicubic, Lanczos); those by less than 2 look like blur and are not found.

    Args:
        pixels: (height, width, 3), uint8, sRGB.
    """
    if min(pixels.shape[:2]) < 8 * BLOCK:
        return None
    luma = _luma(pixels).astype(np.float32)
    factors = [
        factor
        for factor, (larger, jump) in _JUMPS.items()
        if _lost(luma, larger) > jump * max(_lost(luma, factor), 0.05)
    ]
    return max(factors, default=None)


def _lost(luma: NDArray[np.float32], factor: float) -> float:
    """Return the RMS of what a picture loses when it is made smaller by a factor and as large as before."""
    import cv2

    height, width = luma.shape
    small = cv2.resize(
        luma, (max(1, round(width / factor)), max(1, round(height / factor))), interpolation=cv2.INTER_AREA
    )
    again = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return float(np.sqrt(np.mean((again - luma) ** 2)))


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    return pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])


def _grid(luma: NDArray[np.float64]) -> tuple[int, int]:
    """Return the rows and columns at which neighbours differ more than the pixels around them do."""
    places: list[int] = []
    for values in (luma, luma.T):
        jumps = np.abs(values[1:-2] - values[2:-1])
        around = (np.abs(values[:-3] - values[1:-2]) + np.abs(values[2:-1] - values[3:])) / 2
        excess = np.clip(jumps - around, -8, 8).mean(axis=1)
        phases = [float(excess[phase::BLOCK].mean()) for phase in range(BLOCK)]
        places.append((int(np.argmax(phases)) + 2) % BLOCK)
    return places[0], places[1]


def _steps(luma: NDArray[np.float64], offset: tuple[int, int]) -> dict[tuple[int, int], int]:
    """Return the quantisation steps that coefficients of a grid show, by frequency."""
    here = _coefficients(luma, offset)
    elsewhere = _coefficients(luma, ((offset[0] + 4) % BLOCK, (offset[1] + 4) % BLOCK))
    steps: dict[tuple[int, int], int] = {}
    for place in _FREQUENCIES:
        step, score = _best_step(here[:, place[0], place[1]])
        if step and score > 0.6 and score > _score(elsewhere[:, place[0], place[1]], step) + 0.3:
            steps[place] = step
    return steps


def _coefficients(luma: NDArray[np.float64], offset: tuple[int, int]) -> NDArray[np.float64]:
    """Return the orthonormal DCT of all blocks of a grid, (blocks, 8, 8)."""
    from scipy.fft import dctn

    cut = luma[offset[0] :, offset[1] :]
    rows, columns = cut.shape[0] // BLOCK, cut.shape[1] // BLOCK
    blocks = cut[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    return np.asarray(dctn(blocks.reshape(-1, BLOCK, BLOCK) - 128, axes=(1, 2), norm="ortho"))


def _best_step(values: NDArray[np.float64]) -> tuple[int, float]:
    """Return the largest step that values gather at multiples of, and how closely; 0 where there is none."""
    scores = {step: _score(values, step) for step in range(3, _LARGEST_STEP)}
    best = max(scores.values())
    # Values on multiples of 12 lie on those of 6, 4 and 3 as well.
    step = max(candidate for candidate, score in scores.items() if score >= best - 0.1)
    return (step, scores[step]) if best > 0 else (0, 0.0)


def _score(values: NDArray[np.float64], step: int) -> float:
    """Return how closely values beyond the middle of the first step gather at multiples of it: 1 on them."""
    beyond = values[np.abs(values) > step * 0.6]
    if len(beyond) < 60:
        return 0.0
    return float(np.cos(2 * np.pi * beyond / step).mean())


def _quality_of_steps(steps: dict[tuple[int, int], int]) -> int | None:
    sizes = np.array(list(steps.values()), dtype=np.float64)
    places = tuple(np.array(list(steps)).T)
    misses = {quality: np.abs(_table(quality)[places] - sizes).mean() for quality in range(1, 101)}
    quality = min(misses, key=lambda miss: float(misses[miss]))
    return quality if misses[quality] <= 1 + 0.1 * sizes.mean() else None


def _nearest_quality(table: NDArray[np.float64]) -> int:
    return min(range(1, 101), key=lambda quality: float(np.abs(_table(quality) - table).sum()))


def _table(quality: int) -> NDArray[np.float64]:
    """Return the luminance table of the Independent JPEG Group's encoder at a quality."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip(np.floor((_STANDARD_TABLE * scale + 50) / 100), 1, 255)
