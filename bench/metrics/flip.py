"""Score pictures by FLIP: the mean error that is seen when flipping between two pictures."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Literal, cast

import flip_evaluator
import numpy as np
from numpy.typing import NDArray

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .pixels import check_pair

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture

_PIXELS_PER_DEGREE = 67.02064514160156
"""The package's default: 0.7 m from a 0.7 m wide screen of 3840 pixels; defaults may change."""


class Flip:
    """Mean LDR-FLIP error at 67 pixels per degree.

    Andersson, Nilsson, Akenine-Möller, Oskarsson, Åström, Fairchild: FLIP (HPG 2020).
    """

    identity = MetricIdentity(
        "flip", "flip-evaluator", version("flip-evaluator"), "sRGB, 67 pixels per degree"
    )
    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("FLIP", decimals=3, better="lower", lowest=0.0, highest=1.0, perfect=0.0)

    def prepare(self, original: Picture) -> NDArray[np.float32]:
        """Return the original in 0 to 1."""
        return _unit(original.pixels)

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the mean error, 0 for equal pixels, at most 1."""
        original = cast("NDArray[np.float32]", prepared)
        check_pair("flip", cast("Image", original), decoded)
        options = {"ppd": _PIXELS_PER_DEGREE}
        _, mean, _ = flip_evaluator.evaluate(
            original, _unit(decoded), "LDR", applyMagma=False, parameters=options
        )
        return float(mean)


def _unit(pixels: Image) -> NDArray[np.float32]:
    return pixels.astype(np.float32) / np.float32(255)
