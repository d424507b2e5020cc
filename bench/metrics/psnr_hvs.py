"""Score pictures by PSNR-HVS and PSNR-HVS-M: errors weighted by contrast sensitivity, masking."""

from __future__ import annotations

import contextlib
import io
import math
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .pixels import LastPair, Plane, check_pair, check_size, luma
from .psnr import decibels

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture

# The package prints advice about torch while it is imported.
with contextlib.redirect_stdout(io.StringIO()):
    import psnr_hvsm

_BLOCK = 8
_LARGEST_WEIGHT = 2.573509
"""Of the contrast sensitivities, that of the second coarsest horizontal wave."""
_LOWEST_DECIBELS = decibels(_LARGEST_WEIGHT**2, peak=1.0)
"""Where black and white change places in that wave: below zero, because it counts more than once."""


def _unit_luma(pixels: Image) -> Plane:
    """Return luma in 0 to 1 of the whole blocks; like the authors' program, it leaves the rest out."""
    height, width = (side // _BLOCK * _BLOCK for side in pixels.shape[:2])
    return luma(pixels[:height, :width]) / 255


def _errors(original: Image, decoded: Image) -> tuple[float, float]:
    """Return the weighted mean squared errors, without and with masking."""
    # The compiled one is twice as fast; both give the same ten digits.
    backend = psnr_hvsm.BACKENDS.get("cpp", psnr_hvsm.BACKENDS["numpy"])
    measure = backend["hvs_hvsm_mse"]
    plain, masked = measure(_unit_luma(original), _unit_luma(decoded))
    return float(plain), float(masked)


_last_errors = LastPair(_errors)


class PsnrHvs:
    """PSNR-HVS: contrast sensitivity on 8x8 blocks of luma; Egiazarian and others (VPQM 2006)."""

    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("PSNR-HVS", "dB", 2, lowest=_LOWEST_DECIBELS, perfect=math.inf)
    name: ClassVar = "psnr-hvs"
    _which: ClassVar = 0

    def __init__(self) -> None:
        self.identity = MetricIdentity(self.name, "psnr_hvsm", version("psnr_hvsm"), "Y BT.601 full range")

    def prepare(self, original: Picture) -> Image:
        """Return the pixels as they are."""
        check_size(self.name, original.pixels, _BLOCK)
        return original.pixels

    def score(self, prepared: object, decoded: Image) -> float:
        """Return decibels, infinite for equal luma; PSNR-HVS-M also where every error is masked."""
        original = cast("Image", prepared)
        check_pair(self.name, original, decoded)
        return decibels(_last_errors(original, decoded)[self._which], peak=1.0)


class PsnrHvsM(PsnrHvs):
    """PSNR-HVS-M: the same after subtracting what masking hides; Ponomarenko and others (VPQM 2007)."""

    facts = replace(PsnrHvs.facts, title="PSNR-HVS-M")
    name: ClassVar = "psnr-hvs-m"
    _which: ClassVar = 1
