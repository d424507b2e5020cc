"""Score pictures by ColorVideoVDP, in just-objectionable differences, with an original prepared once.

The numbers are those of `pycvvdp`, by its own functions. Its loop holds contrast, sensitivity and masking of
a whole picture, some 500 bytes a pixel. Here a picture's light and the differences of each band are made in
strips of rows, with the rows about them that are looked at, so that they do not grow with the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, cast

from ..records.identities import MetricIdentity
from ..records.metric_facts import MetricFacts
from .pixels import check_pair, check_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from ...codecs.base import Image, Picture

    Levels: TypeAlias = list[Tensor]
    """A Gaussian pyramid of light in DKL, each level (1, 3, 1, height, width), the finest first."""

_SMALLEST_SIDE = 8
STRIP_PIXELS = 2**17
_TOGETHER_PIXELS = 2**17
"""Planes of more are reduced one by one: a third of the memory, and roundings that show in few pixels."""
_LEAST_ROWS = 16
_DARKEST = 0.01
_STRONGEST = 1000.0
"""Least background, in cd/m2, and most contrast, as in `pycvvdp.lpyr_dec.weber_contrast_pyr`."""
_BASE_FREQUENCY = 0.1
"""Cycles per degree that stand for the coarsest level, as in `pycvvdp.cvvdp.process_block_of_frames`."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    pixels: Image
    levels: Levels


@dataclass(frozen=True, slots=True)
class _Strip:
    """Some rows of a level; the first of each range is even, so that the next level has a row for it."""

    own: slice
    seen: slice
    """Its own and those about them that are looked at."""
    inner: slice
    """Its own among those that it sees."""


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

    def prepare(self, original: Picture) -> object:
        """Return the original's pyramid of light, 16 bytes a pixel."""
        check_size(self.name, original.pixels, _SMALLEST_SIDE)
        return _Prepared(original.pixels, self._levels(original.pixels))

    def score(self, prepared: object, decoded: Image) -> float:
        """Return the quality in JOD: 10 for equal pixels, one less for each step that 75 % of people see.

        It agrees with ``pycvvdp.cvvdp.predict`` to 1e-6.
        """
        import torch

        original = cast("_Prepared", prepared)
        check_pair(self.name, original.pixels, decoded)
        levels = self._levels(decoded)
        last = len(levels) - 1
        bands = [self._band(number, levels, original.levels) for number in range(last)]
        bands.append(self._base_band(levels[last], original.levels[last]))
        differences = torch.stack(bands, dim=-1)[None, :, None]  # batch, channel, frame, band
        return float(self._model.do_pooling_and_jods(differences).item())

    def _levels(self, pixels: Image) -> Levels:
        import torch

        height, width = pixels.shape[:2]
        finest = torch.empty((1, 3, 1, height, width))
        for strip in _strips(height, width):
            encoded = torch.from_numpy(pixels[strip.own].transpose(2, 0, 1).copy())[None, :, None] / 255
            light = self._model.display_photometry.source_2_target_colorspace(encoded, "DKLd65")
            finest[..., strip.own, :] = cast("Tensor", light)
        pyramid, levels = self._pyramid(finest), [finest]
        while len(levels) < pyramid.get_band_count():
            at_once = 1 if levels[-1][0, 0].numel() > _TOGETHER_PIXELS else 3
            parts = [pyramid.gausspyr_reduce(part) for part in levels[-1].split(at_once, dim=1)]
            levels.append(torch.cat(parts, dim=1))
        return levels

    # Any: pycvvdp has no types.
    def _pyramid(self, finest: Tensor) -> Any:
        from pycvvdp.lpyr_dec import weber_contrast_pyr

        height, width = finest.shape[-2:]
        return weber_contrast_pyr(width, height, self._model.pix_per_deg, finest.device, "weber_g1")

    def _band(self, number: int, levels: Levels, originals: Levels) -> Tensor:
        """Return how far apart a band of two pictures is to the eye: each channel's norm over its pixels."""
        import torch

        pyramid = self._pyramid(levels[0])
        frequency = pyramid.get_freqs()[number]
        height, width = levels[number].shape[-2:]
        total = torch.zeros(3, dtype=torch.float64)
        for strip in _strips(height, width, halo=self._model.pu_padsize):
            contrasts = [
                _contrast(pyramid, pair[number], pair[number + 1], strip.seen) for pair in (levels, originals)
            ]
            (made, _), (original, background) = contrasts
            gain = 1 if number == 0 else 2
            sensitivity = self._sensitivity(frequency, background)
            masked = self._model.apply_masking_model(gain * made, gain * original, sensitivity)
            total += self._sum(masked[..., strip.inner, :])
        return self._norm(total, height * width)

    def _base_band(self, level: Tensor, original: Tensor) -> Tensor:
        """Return the same for the coarsest level, whose background is its mean."""
        backgrounds = [
            values[:, :1].clamp(min=_DARKEST).mean(dim=(-1, -2), keepdim=True) for values in (level, original)
        ]
        made, reference = (
            (values / background).clamp(max=_STRONGEST)
            for values, background in zip((level, original), backgrounds, strict=True)
        )
        difference = (made - reference).abs() * self._sensitivity(_BASE_FREQUENCY, backgrounds[1])
        return self._norm(self._sum(difference), level.shape[-2] * level.shape[-1])

    def _sensitivity(self, frequency: float, background: Tensor) -> Tensor:
        """Return the contrast sensitivity of the three channels on a background, in cd/m2."""
        import torch

        model, logarithm = self._model, background.log10()
        correction = 10.0 ** (model.sensitivity_correction / 20.0)
        channels = [
            model.csf.sensitivity(frequency, model.omega[0], logarithm, channel, model.csf_sigma) * correction
            for channel in range(3)
        ]
        return torch.cat(channels, dim=1)

    def _sum(self, differences: Tensor) -> Tensor:
        import torch
        from pycvvdp.cvvdp_metric import safe_pow

        return safe_pow(differences, self._model.beta).sum(dim=(0, 2, 3, 4), dtype=torch.float64)

    def _norm(self, total: Tensor, count: int) -> Tensor:
        from pycvvdp.cvvdp_metric import safe_pow

        return safe_pow(total.float() / count, 1 / self._model.beta)


class ColorVideoVdpFullHd(ColorVideoVdp):
    """ColorVideoVDP on its display model ``standard_fhd``: 24 inches from 0.6 m, 38 pixels per degree."""

    facts = replace(ColorVideoVdp.facts, title="ColorVideoVDP FHD")
    name: ClassVar = "cvvdp-fhd"
    _display: ClassVar = "standard_fhd"


def _strips(height: int, width: int, halo: int = 0) -> Iterator[_Strip]:
    rows = max(STRIP_PIXELS // width // 2 * 2, _LEAST_ROWS)
    halo += halo % 2
    for top in range(0, height, rows):
        bottom, first = min(top + rows, height), max(0, top - halo)
        seen = slice(first, min(bottom + halo, height))
        yield _Strip(slice(top, bottom), seen, slice(top - first, bottom - first))


def _contrast(pyramid: Any, level: Tensor, coarser: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
    """Return some rows of a band's contrast, and their background's luminance."""
    height, width = level.shape[-2:]
    # A row is expanded from three at most, and at an edge from what pycvvdp repeats beyond it.
    first, last = max(0, rows.start // 2 - 1), rows.stop // 2 + 1
    full_rows = min(2 * last, height) - 2 * first
    expanded = pyramid.gausspyr_expand(coarser[..., first:last, :], [full_rows, width])
    expanded = expanded[..., rows.start - 2 * first : rows.stop - 2 * first, :]
    background = expanded[:, :1].clamp(min=_DARKEST)
    return ((level[..., rows, :] - expanded) / background).clamp(max=_STRONGEST), background
