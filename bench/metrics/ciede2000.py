"""Score pictures by their mean CIEDE2000 colour difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import cv2
import numpy as np

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .pixels import Plane, check_pair

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture


# sRGB primaries and D65 as in IEC 61966-2-1 and scikit-image; rows divided by the white point.
_TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
) / np.array([[0.95047], [1.0], [1.08883]])
_TO_LAB = np.array([[0.0, 116.0, 0.0, -16.0], [500.0, -500.0, 0.0, 0.0], [0.0, 200.0, -200.0, 0.0]])
_BLOCK_PIXELS = 16_384
"""Pixels worked on at a time, so that two dozen intermediate planes stay in the cache."""


def _linear_table() -> Plane:
    values = np.arange(256) / 255
    return np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92).astype(np.float32)


_LINEAR = _linear_table()


@dataclass(frozen=True, slots=True)
class _Prepared:
    pixels: Image
    blocks: tuple[Plane, ...]
    """L*a*b*, in blocks of pixels."""


def lab(pixels: Image) -> Plane:
    """Return CIE L*a*b* (D65, two degrees) of sRGB pixels, float32 of the same shape."""
    xyz = cv2.transform(cv2.LUT(pixels, _LINEAR), _TO_XYZ)
    roots = np.where(xyz > 0.008856, np.cbrt(xyz), np.float32(7.787) * xyz + np.float32(16 / 116))
    return cv2.transform(roots, _TO_LAB)


def difference(first: Plane, second: Plane) -> Plane:
    """Return CIEDE2000 of L*a*b* colours; shape (..., 3) gives (...).

    Sharma, Wu, Dalal: The CIEDE2000 color-difference formula (Color Research and Application 30, 2005), all
    weights one. Angles appear only as unit vectors, but for the one exponential of a hue.
    """
    lightness_1, a_1, b_1 = np.moveaxis(first, -1, 0)
    lightness_2, a_2, b_2 = np.moveaxis(second, -1, 0)
    stretch = 1.5 - 0.5 * _seventh((np.hypot(a_1, b_1) + np.hypot(a_2, b_2)) / 2)
    a_1, a_2 = a_1 * stretch, a_2 * stretch
    chroma_1, chroma_2 = np.hypot(a_1, b_1), np.hypot(a_2, b_2)
    chroma = (chroma_1 + chroma_2) / 2
    chroma_change = chroma_2 - chroma_1
    hue_change = np.sqrt(np.maximum((a_2 - a_1) ** 2 + (b_2 - b_1) ** 2 - chroma_change**2, 0))
    hue_change = np.copysign(hue_change, a_1 * b_2 - a_2 * b_1)
    cosine, sine = _mean_hue(a_1, b_1, chroma_1, a_2, b_2, chroma_2)
    offset = ((lightness_1 + lightness_2) / 2 - 50) ** 2
    lightness_term = (lightness_2 - lightness_1) / (1 + 0.015 * offset / np.sqrt(20 + offset))
    chroma_term = chroma_change / (1 + 0.045 * chroma)
    hue_term = hue_change / (1 + 0.015 * chroma * _hue_weight(cosine, sine))
    rotation = -2 * _seventh(chroma) * _blue_rotation(cosine, sine)
    squared = lightness_term**2 + chroma_term**2 + hue_term**2 + rotation * chroma_term * hue_term
    return np.sqrt(np.maximum(squared, 0))


def _seventh(chroma: Plane) -> Plane:
    """Return sqrt(c^7 / (c^7 + 25^7))."""
    ratio = chroma / np.float32(25)
    power = ratio * (ratio * ratio) ** 3
    return np.sqrt(power / (power + 1))


def _mean_hue(
    a_1: Plane, b_1: Plane, chroma_1: Plane, a_2: Plane, b_2: Plane, chroma_2: Plane
) -> tuple[Plane, Plane]:
    """Return cosine and sine of the hue half way between two colours."""
    cosine, sine = a_1 * chroma_2 + a_2 * chroma_1, b_1 * chroma_2 + b_2 * chroma_1
    length = np.hypot(cosine, sine)
    # A grey has no hue; its hue change is zero, so any direction will do.
    length[length == 0] = 1
    return cosine / length, sine / length


def _hue_weight(cosine: Plane, sine: Plane) -> Plane:
    """Return T: cosines of multiples of the hue, written by the rules for double and triple angles."""
    cosine_2, sine_2 = 2 * cosine * cosine - 1, 2 * sine * cosine
    cosine_3, sine_3 = cosine * (4 * cosine * cosine - 3), sine * (3 - 4 * sine * sine)
    cosine_4, sine_4 = 2 * cosine_2 * cosine_2 - 1, 2 * sine_2 * cosine_2
    return (
        1
        - _turned(0.17, -30, cosine, sine)
        + 0.24 * cosine_2
        + _turned(0.32, 6, cosine_3, sine_3)
        - _turned(0.20, -63, cosine_4, sine_4)
    )


def _turned(factor: float, degrees: float, cosine: Plane, sine: Plane) -> Plane:
    """Return factor times the cosine of an angle plus some degrees."""
    turn = np.deg2rad(degrees)
    return np.float32(factor * np.cos(turn)) * cosine - np.float32(factor * np.sin(turn)) * sine


def _blue_rotation(cosine: Plane, sine: Plane) -> Plane:
    """Return sin(60 degrees * exp(-((hue - 275) / 25)^2)), which is nothing far from blue."""
    # Turned by 85 degrees, blue is at zero and the jump of the arc tangent at the yellow end.
    from_blue = np.arctan2(_turned(1, 85, sine, -cosine), _turned(1, 85, cosine, sine))
    return np.sin(np.float32(np.pi / 3) * np.exp(-((from_blue / np.float32(np.deg2rad(25))) ** 2)))


def _blocks(pixels: Image) -> list[Image]:
    """Return the pixels in order, in pictures one pixel wide."""
    column = np.ascontiguousarray(pixels).reshape(-1, 1, 3)
    return [column[start : start + _BLOCK_PIXELS] for start in range(0, len(column), _BLOCK_PIXELS)]


class Ciede2000:
    """Mean CIEDE2000 over the pixels; equal to scikit-image's to 3e-6 of a colour difference."""

    identity = MetricIdentity("ciede2000", "codecarena", "1", "CIE L*a*b* D65")
    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("CIEDE2000", decimals=2, better="lower", lowest=0.0, perfect=0.0)

    def prepare(self, original: Picture) -> object:
        """Return the original in L*a*b*."""
        return _Prepared(original.pixels, tuple(lab(block) for block in _blocks(original.pixels)))

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the mean colour difference: 0 for equal pixels, 1 is about just visible."""
        original = cast("_Prepared", prepared)
        check_pair("ciede2000", original.pixels, decoded)
        pairs = zip(original.blocks, _blocks(decoded), strict=True)
        total = sum(float(difference(there, lab(here)).sum(dtype=np.float64)) for there, here in pairs)
        return total / (decoded.size // 3)
