"""Score pictures by their peak signal-to-noise ratio in decibels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, cast

import cv2
import numpy as np

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .pixels import check_pair, luma

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture

_PEAK = 255.0


def decibels(mean_squared_error: float, peak: float = _PEAK) -> float:
    """Return 10 log10(peak^2 / error), infinite for an error of zero."""
    return 10 * math.log10(peak * peak / mean_squared_error) if mean_squared_error > 0 else math.inf


class Psnr:
    """PSNR over red, green and blue: one mean squared error over all three channels, peak 255."""

    identity = MetricIdentity("psnr", "codecarena", "1", "RGB")
    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("PSNR", "dB", 2, lowest=0.0, perfect=math.inf, default_order=5)

    def prepare(self, original: Picture) -> Image:
        """Return the pixels as they are."""
        return original.pixels

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the PSNR in decibels, infinite for equal pixels."""
        original = cast("Image", prepared)
        check_pair("psnr", original, decoded)
        # Of 8-bit input OpenCV sums integers: the same value as float64 arithmetic, to the last digit.
        return decibels(cv2.norm(original, decoded, cv2.NORM_L2SQR) / original.size)


class PsnrLuma:
    """PSNR of luma: 0.299 R + 0.587 G + 0.114 B over the full range, not rounded, peak 255."""

    identity = MetricIdentity("psnr-y", "codecarena", "1", "Y BT.601 full range")
    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("PSNR-Y", "dB", 2, lowest=0.0, perfect=math.inf)

    def prepare(self, original: Picture) -> Image:
        """Return the pixels as they are."""
        return original.pixels

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the PSNR in decibels, infinite for equal luma."""
        original = cast("Image", prepared)
        check_pair("psnr-y", original, decoded)
        # Luma is linear, so the luma of the difference is the difference of the lumas.
        difference = cv2.subtract(original, decoded, dtype=cv2.CV_32F)
        return decibels(float(np.mean(luma(difference) ** 2)))
