"""Score pictures by ColorVideoVDP, in just-objectionable differences."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, Literal, cast

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .pixels import check_pair, check_size

if TYPE_CHECKING:
    from ...codecs.base import Image, Picture

_SMALLEST_SIDE = 8


class ColorVideoVdp:
    """ColorVideoVDP on its display model ``standard_4k``: 30 inches seen from 0.75 m, 75 pixels per degree.

    Mantiuk, Hanji, Ashraf, Asano, Chapiro: ColorVideoVDP (SIGGRAPH 2024).
    """

    needs: Literal["pair", "decoded"] = "pair"
    facts = MetricFacts("ColorVideoVDP", "JOD", 2, highest=10.0, perfect=10.0)
    name: ClassVar = "cvvdp"
    _display: ClassVar = "standard_4k"

    def __init__(self) -> None:
        import pycvvdp
        import torch

        # The processor gives the same digits on every machine; a graphics card does not.
        self._model = pycvvdp.cvvdp(display_name=self._display, quiet=True, device=torch.device("cpu"))
        seen = f"DKL, display {self._display}"
        self.identity = MetricIdentity(self.name, "pycvvdp", version("cvvdp"), seen)

    def prepare(self, original: Picture) -> Image:
        """Return the pixels as they are."""
        check_size(self.name, original.pixels, _SMALLEST_SIDE)
        return original.pixels

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the quality in JOD: 10 for equal pixels, one less for each step that 75 % of people see."""
        original = cast("Image", prepared)
        check_pair(self.name, original, decoded)
        quality, _ = self._model.predict(decoded, original, dim_order="HWC")
        return float(quality.item())


class ColorVideoVdpFullHd(ColorVideoVdp):
    """ColorVideoVDP on its display model ``standard_fhd``: 24 inches from 0.6 m, 38 pixels per degree."""

    facts = replace(ColorVideoVdp.facts, title="ColorVideoVDP FHD")
    name: ClassVar = "cvvdp-fhd"
    _display: ClassVar = "standard_fhd"
