"""Score pictures by SSIM or MS-SSIM by the definition of pytorch_msssim, without torch.

For every window, with x the original, y the decoded picture and d = x - y:

    var x + var y - 2 cov(x, y) = var d        and        var y = var x - 2 cov(x, d) + var d

so the structure term (2 cov + C2) / (var x + var y + C2) is 1 - var d / (2 var x - 2 cov(x, d) + var d + C2)
and the luminance term (2 mx my + C1) / (mx^2 + my^2 + C1) is 1 - md^2 / (mx^2 + my^2 + C1). Only d, d^2 and
x d are filtered for each decoded picture. All that is rounded to float32 is in proportion to d, so nothing
large cancels: the values agree with pytorch_msssim's in float64 to 1e-7, where its float32 is off by up to
1e-4 on bright flat skies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

import cv2
import numpy as np

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .pixels import Plane, Scratch, check_pair, check_size

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture


_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2
_RADIUS = 5
_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
# Subtracted from the original before products are filtered in float32: smaller numbers round less.
_MIDDLE = 128.0
# exp(-n^2 / 4.5) / sum, as pytorch_msssim's float32 arithmetic rounds it. That is part of the definition: the
# taps' sum is 3e-8 short of one, and that times 255^2 shows against C2 in flat bright regions.
_HALF_WINDOW = (
    0.26601171493530273,
    0.21300552785396576,
    0.10936068743467331,
    0.036000773310661316,
    0.0075987582094967365,
    0.0010283803567290306,
)
_TAPS = np.array(_HALF_WINDOW[:0:-1] + _HALF_WINDOW, np.float32)
_TAPS64 = _TAPS.astype(np.float64)


@dataclass(frozen=True, slots=True)
class _Level:
    """What one scale of the original contributes; float32, three channels, maps over whole windows only."""

    doubled: Plane
    """-2 (x - 128), at every pixel."""
    doubled_mean: Plane
    """-2 times the windows' mean of x - 128."""
    base: Plane
    """2 var x + C2."""

    @property
    def mean(self) -> Plane:
        """The windows' mean of x."""
        return self.doubled_mean * np.float32(-0.5) + np.float32(_MIDDLE)


@dataclass(frozen=True, slots=True)
class _Prepared:
    pixels: Image
    levels: tuple[_Level, ...]


def _filter64(values: Plane) -> Plane:
    return _whole_windows(cv2.sepFilter2D(values, -1, _TAPS64, _TAPS64))


def _whole_windows(filtered: Plane) -> Plane:
    """Return the part of a filtered map that no border touched."""
    return filtered[_RADIUS:-_RADIUS, _RADIUS:-_RADIUS]


def _halve(values: Plane) -> Plane:
    """Return 2x2 means; an odd side gets a pixel of zero on both ends, like ``avg_pool2d(padding=1)``."""
    height, width = values.shape[:2]
    rows, columns = height % 2, width % 2
    if rows or columns:
        values = cv2.copyMakeBorder(values, rows, rows, columns, columns, cv2.BORDER_CONSTANT)
    height, width = (height + rows) // 2, (width + columns) // 2
    return cv2.resize(values[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)


def _prepare_level(values: Plane) -> _Level:
    mean = _filter64(values)
    variance = _filter64(values * values) - mean * mean
    return _Level(
        doubled=(-2 * (values - _MIDDLE)).astype(np.float32),
        doubled_mean=(-2 * (mean - _MIDDLE)).astype(np.float32),
        base=(2 * variance + _C2).astype(np.float32),
    )


def _prepare(pixels: Image, level_count: int) -> _Prepared:
    values = pixels.astype(np.float64)
    levels = [_prepare_level(values)]
    for _ in range(level_count - 1):
        values = _halve(values)
        levels.append(_prepare_level(values))
    return _Prepared(pixels, tuple(levels))


class _Structure:
    """Structure and luminance maps of one scale, in buffers that are used again."""

    def __init__(self) -> None:
        self._scratch = Scratch()

    def difference(self, original: Image, decoded: Image) -> Plane:
        """Return x - y as float32."""
        return cv2.subtract(original, decoded, dst=self._scratch(0, original.shape), dtype=cv2.CV_32F)

    def loss(self, level: _Level, difference: Plane) -> tuple[Plane, Plane]:
        """Return 1 - structure, and the windows' mean of the difference."""
        shape, scratch = difference.shape, self._scratch
        product = scratch(1, shape)
        mean = self._filter(difference, 2)
        variance = self._filter(cv2.multiply(difference, difference, dst=product), 3)
        total = self._filter(cv2.multiply(level.doubled, difference, dst=product), 4)
        term = scratch(1, mean.shape)
        cv2.subtract(variance, cv2.multiply(mean, mean, dst=term), dst=variance)
        cv2.subtract(total, cv2.multiply(level.doubled_mean, mean, dst=term), dst=total)
        cv2.add(total, level.base, dst=total)
        cv2.add(total, variance, dst=total)
        return cv2.divide(variance, total, dst=term), mean

    def _filter(self, values: Plane, number: int) -> Plane:
        return _whole_windows(
            cv2.sepFilter2D(values, -1, _TAPS, _TAPS, dst=self._scratch(number, values.shape))
        )


def _channel_means(values: Plane) -> Plane:
    return np.array(cv2.mean(values)[:3])


def _ssim_by_channel(level: _Level, loss: Plane, mean_difference: Plane) -> Plane:
    """Return the mean of luminance times structure for each channel."""
    mean = level.mean
    decoded_mean = mean - mean_difference
    power = mean * mean + decoded_mean * decoded_mean
    luminance_loss = cv2.divide(cv2.multiply(mean_difference, mean_difference), power + np.float32(_C1))
    # 1 - (1 - a)(1 - b), kept small until the mean is taken.
    return 1 - _channel_means(luminance_loss + loss - luminance_loss * loss)


class Ssim:
    """SSIM of red, green and blue, averaged: 11x11 Gaussian of sigma 1.5, whole windows only."""

    identity = MetricIdentity(
        "ssim",
        "codecarena",
        "1",
        "RGB, Gaussian 11x11 sigma 1.5, valid windows (pytorch_msssim.ssim)",
    )
    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts(
        "SSIM", decimals=4, lowest=-1.0, highest=1.0, perfect=1.0, curve_scale="decibel", default_order=4
    )

    def __init__(self) -> None:
        self._structure = _Structure()

    def prepare(self, original: Picture) -> object:
        """Return the original's local means and variances."""
        check_size("ssim", original.pixels, 2 * _RADIUS + 1)
        return _prepare(original.pixels, 1)

    def score(self, prepared: object, decoded: Image) -> float:
        """Return SSIM, 1 for equal pixels; as `pytorch_msssim.ssim` with data_range 255."""
        original = cast("_Prepared", prepared)
        check_pair("ssim", original.pixels, decoded)
        level = original.levels[0]
        difference = self._structure.difference(original.pixels, decoded)
        return float(_ssim_by_channel(level, *self._structure.loss(level, difference)).mean())


class MsSsim:
    """MS-SSIM of red, green and blue over five scales, averaged over channels; at least 161 pixels a side.

    Wang, Simoncelli, Bovik: Multiscale structural similarity for image quality assessment (Asilomar 2003);
    windows, padding and clipping as in pytorch_msssim 1.0.0 with data_range 255.
    """

    identity = MetricIdentity(
        "ms-ssim",
        "codecarena",
        "1",
        "RGB, Gaussian 11x11 sigma 1.5, valid windows, five scales (pytorch_msssim.ms_ssim)",
    )
    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts(
        "MS-SSIM", decimals=4, lowest=0.0, highest=1.0, perfect=1.0, curve_scale="decibel", default_order=3
    )

    def __init__(self) -> None:
        self._structure = _Structure()

    def prepare(self, original: Picture) -> object:
        """Return the original's pyramid of local means and variances, about 48 bytes a pixel."""
        check_size("ms-ssim", original.pixels, 2 * _RADIUS * 2**4 + 1)
        return _prepare(original.pixels, len(_WEIGHTS))

    def score(self, prepared: object, decoded: Image) -> float:
        """Return MS-SSIM, 1 for equal pixels."""
        original = cast("_Prepared", prepared)
        check_pair("ms-ssim", original.pixels, decoded)
        difference = self._structure.difference(original.pixels, decoded)
        value = np.ones(3)
        for level, weight in zip(original.levels[:-1], _WEIGHTS[:-1], strict=True):
            loss, _ = self._structure.loss(level, difference)
            value *= np.maximum(1 - _channel_means(loss), 0) ** weight
            difference = _halve(difference)
        last = original.levels[-1]
        similarity = _ssim_by_channel(last, *self._structure.loss(last, difference))
        return float((value * np.maximum(similarity, 0) ** _WEIGHTS[-1]).mean())
