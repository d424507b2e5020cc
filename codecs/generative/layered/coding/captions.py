"""Write the caption of the semantic layer: the user's, a captioner's or a template's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from .text import MOST_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....base import Image, Picture

SOURCES = ("auto", "prompt", "template", "blip", "none")
"""Where a caption may come from."""

COLOUR_NAMES = (
    "black", "dark grey", "grey", "light grey", "white", "red", "orange", "brown", "yellow", "green", "cyan",
    "blue", "purple", "pink",
)  # fmt: skip
_GREYS = (40, 95, 160, 220)
"""Largest channel up to which a colour without hue is black, dark grey, grey, light grey."""
_HUES = ((15, 5), (45, 6), (70, 8), (165, 9), (195, 10), (262, 11), (300, 12), (345, 13), (361, 5))
"""Largest hue, in degrees, of red, orange, yellow, green, cyan, blue, purple, pink, and red again."""
_RED, _ORANGE, _BROWN, _YELLOW, _PINK = 5, 6, 7, 8, 13
_THUMBNAIL = 48
_SHARE = 0.08
"""Of the picture, from which a colour is named."""


class Captioner(Protocol):
    """Something that says what a picture shows."""

    def caption(self, pixels: Image) -> str:
        """Return a sentence."""
        ...


def caption_for(picture: Picture, source: str, text: str, captioner: Captioner | None) -> str:
    """Return the text of the semantic layer, cut after the last word that fits into the layer.

    Args:
        picture: With its prompt, where it has one.
        source: One of `SOURCES`; ``auto`` takes the user's text, else the prompt, else the template.
        text: The user's; it is taken before all other sources but ``none``.
        captioner: For the source ``blip``.
    """
    if source == "none":
        return ""
    if text:
        return _cut(text)
    if source == "blip" and captioner is not None:
        return _cut(captioner.caption(picture.pixels))
    if source in ("auto", "prompt") and picture.caption:
        return _cut(picture.caption)
    return "" if source == "prompt" else template_caption(picture.pixels)


def template_caption(pixels: Image) -> str:
    """Return a sentence of statistics: shape, light, contrast, main colours, those at top and bottom, edges.

    It looks at a thumbnail of 48 x 48 pixels.
    """
    height, width = pixels.shape[:2]
    reduced = cv2.resize(pixels, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA)
    small = np.asarray(reduced, np.uint8)
    light = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    names = _names(small)
    band = _THUMBNAIL // 4
    shape = "wide" if width > 1.1 * height else "tall" if height > 1.1 * width else "square"
    parts = (
        f"a {shape} picture",
        _word(float(light.mean()), (50, 95, 150, 195), _LIGHTS),
        _word(float(light.std()), (30, 60), ("low contrast", "medium contrast", "high contrast")),
        f"mostly {_listed(_commonest(names, 3))}",
        f"{_commonest(names[:band], 1)[0]} at the top",
        f"{_commonest(names[-band:], 1)[0]} at the bottom",
        _word(_busyness(light), (8, 16), ("few edges", "some edges", "many edges")),
    )
    return ", ".join(parts)


_LIGHTS = ("very dark", "dark", "medium brightness", "bright", "very bright")


def _word(value: float, limits: tuple[float, ...], words: tuple[str, ...]) -> str:
    return words[sum(value >= limit for limit in limits)]


def _busyness(light: NDArray[np.float32]) -> float:
    """Return the mean step between neighbours, in 8-bit levels."""
    return float(np.abs(np.diff(light, axis=0)).mean() + np.abs(np.diff(light, axis=1)).mean()) / 2


def _commonest(names: NDArray[np.intp], most: int) -> list[str]:
    """Return the commonest colour, and those after it that cover a share worth naming."""
    counts = np.bincount(names.ravel(), minlength=len(COLOUR_NAMES))
    order = np.argsort(-counts, kind="stable")[:most]
    kept = [index for place, index in enumerate(order) if place == 0 or counts[index] >= _SHARE * names.size]
    return [COLOUR_NAMES[index] for index in kept]


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _names(pixels: Image) -> NDArray[np.intp]:
    """Return the index of each pixel's colour name."""
    planes = pixels.astype(np.int32)
    red, green, blue = planes[..., 0], planes[..., 1], planes[..., 2]
    top = planes.max(axis=-1)
    spread = top - planes.min(axis=-1)
    safe = np.maximum(spread, 1)
    sector = np.where(
        top == red,
        (green - blue) / safe,
        np.where(top == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = sector * 60 % 360
    named = np.array([name for _, name in _HUES])[np.searchsorted([limit for limit, _ in _HUES], hue)]
    warm = (named == _ORANGE) | ((named == _YELLOW) & (hue < 55)) | ((named == _RED) & (hue > 5) & (hue < 20))
    named[warm & (top < 170)] = _BROWN
    named[(named == _RED) & (top > 190) & (spread * 2 < top)] = _PINK
    greys = np.searchsorted(_GREYS, top)
    return np.where((spread < 24) | (spread * 6 < top) | (top < 30), greys, named)


def _cut(text: str) -> str:
    letters = text.encode(errors="replace")
    if len(letters) <= MOST_BYTES:
        return text
    kept = letters[:MOST_BYTES].decode(errors="ignore")
    return next(iter(kept.rsplit(maxsplit=1)), "")
