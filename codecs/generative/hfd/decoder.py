"""Draw the detail that a coarse picture lacks: both HFD decoders over a picture of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as functional
from torch import Tensor

from ...devices import inference
from ...tiles import in_tiles, spans
from . import diffusion, flow
from .network import MULTIPLE, DetailNetwork

Mode = Literal["flow", "diffusion"]
TILE, HALO = 768, 128
"""Pixels. What the network sees beyond a halo of 128 changes nothing that a byte could hold."""
PATCH, CONTEXT = 256, 64
"""Pixels of a patch of a group, and of the finished neighbours around it that it sees."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the detail is drawn; all of it travels in the stream."""

    mode: Mode
    steps: int
    noise: float
    """Flow: deviation of the start's noise in residual deviations. Diffusion: eta, 0 to 1."""
    start: float
    """Diffusion: the time the path begins at, above 0 to 1. The flow has no use for it."""
    groups: bool
    """Whether patches are drawn group after group, later ones in view of earlier ones."""


DEFAULTS: dict[Mode, Sampling] = {
    "flow": Sampling("flow", 4, flow.DEFAULT_NOISE, 1.0, groups=False),
    "diffusion": Sampling("diffusion", 64, 0.0, 1.0, groups=False),
}
"""How much detail they draw is right for the embedded weights: gradients as energetic as an original's."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A decoder with its network.

    Args:
        network: On its device, in its number format.
        shift: Of the diffusion's schedule.
    """

    network: DetailNetwork
    shift: float = diffusion.DEFAULT_SHIFT

    @inference()
    def draw(self, coarse: Tensor, rate: float, how: Sampling, seed: int) -> Tensor:
        """Return the picture with its detail, of the shape of the coarse one, not clamped.

        The noise is drawn on the CPU for the whole picture and cut for each tile, so that neither the device
        nor the tiling changes it. Tiles are joined again after every call of the network.

        Args:
            coarse: The autoencoder's picture, (1, 3, height, width), -1 to 1, on the CPU.
            rate: Of the autoencoder, 0 for its first.
            how: See `Sampling`.
            seed: Of all noise.
        """
        height, width = coarse.shape[2:]
        there = coarse.to(self._like.device)
        padded = functional.pad(there, (0, -width % MULTIPLE, 0, -height % MULTIPLE), mode="replicate")
        generator = torch.Generator("cpu").manual_seed(seed)

        def fresh(shape: torch.Size) -> Tensor:
            return self._tinted(torch.randn(shape, generator=generator), rate)

        seen = torch.cat([padded, self._predicted_mean(padded, rate)], 1)

        def path(part: Tensor, noise: Tensor, finished: Finished | None) -> Tensor:
            return self._path(part, noise, finished, rate, how, lambda: fresh(noise.shape))

        gaussian = fresh(padded.shape)
        drawn = _grouped(path, seen, gaussian) if how.groups else path(seen, gaussian, None)
        return drawn[:, :, :height, :width].cpu()

    def _path(
        self,
        seen: Tensor,
        gaussian: Tensor,
        finished: Finished | None,
        rate: float,
        how: Sampling,
        fresh: Callable[[], Tensor],
    ) -> Tensor:
        coarse, mean = seen[:, :3], seen[:, 3:]
        deviation = self._deviation(rate)
        if how.mode == "flow":
            begun = flow.start(coarse, deviation, how.noise, gaussian)
            known = finished and KnownRegion(finished.mask, begun, finished.picture)
            return flow.sample(
                lambda state, time: self._predict(state, seen, time, rate, how) * deviation,
                begun,
                how.steps,
                lambda state, time: known.flow(state, time) if known else state,
            )
        residual = finished and KnownRegion(finished.mask, gaussian, (finished.picture - coarse) / deviation)
        drawn = diffusion.sample(
            lambda state, time: self._predict(state, seen, time, rate, how),
            gaussian,
            how.steps,
            self.shift,
            how.start,
            how.noise,
            fresh,
            lambda state, time: residual.diffusion(state, time, self.shift) if residual else state,
            mean,
        )
        return coarse + drawn * deviation

    def _predict(self, state: Tensor, seen: Tensor, time: float, rate: float, how: Sampling) -> Tensor:
        """Return the flow's velocity or the diffusion's v of a state, in view of coarse picture and mean."""

        def of_part(part: Tensor) -> Tensor:
            parts = part[:, :3], part[:, 3:6], part[:, 6:]
            if how.mode == "flow":
                return flow.velocity(
                    self.network, *parts, self._scalar(time), self._scalar(rate), self._scalar(how.noise)
                )
            return diffusion.prediction(
                self.network, *parts, self._scalar(time), self._scalar(rate), self.shift
            )

        return self._in_tiles(of_part, torch.cat([state, seen], 1))

    def _predicted_mean(self, coarse: Tensor, rate: float) -> Tensor:
        return self._in_tiles(lambda part: self.network.predict_mean(part, self._scalar(rate)), coarse)

    def _in_tiles(self, network: Callable[[Tensor], Tensor], whole: Tensor) -> Tensor:
        """Return what the network makes of a picture, in float32 whatever the network computes in."""
        return in_tiles(lambda part: network(part.to(self._like.dtype)).float(), whole, TILE, HALO)

    @property
    def _like(self) -> Tensor:
        """A tensor on the network's device, in its number format."""
        return self.network.unet.enter.weight

    def _scalar(self, value: float) -> Tensor:
        return torch.tensor([value], device=self._like.device)

    def _tinted(self, white: Tensor, rate: float) -> Tensor:
        return self.network.tint(white.to(self._like.device), self._scalar(rate))

    def _deviation(self, rate: float) -> Tensor:
        return self.network.deviation(self._scalar(rate))


@dataclass(frozen=True, slots=True)
class Finished:
    """What earlier groups have drawn of a window."""

    mask: Tensor
    """(1, 1, height, width), true where the picture is finished."""
    picture: Tensor
    """(1, 3, height, width), -1 to 1."""


@dataclass(frozen=True, slots=True)
class KnownRegion:
    """Both ends of the path where the picture is finished already."""

    mask: Tensor
    begun: Tensor
    ended: Tensor

    def flow(self, state: Tensor, time: float) -> Tensor:
        """Return the state with the straight path's own where it is known."""
        return torch.where(self.mask, torch.lerp(self.begun, self.ended, time), state)

    def diffusion(self, state: Tensor, time: float, shift: float) -> Tensor:
        """Return the state with the noised residual where it is known.

        Args:
            state: The noisy residual, (1, 3, height, width).
            time: Of the diffusion, 0 for no noise to 1 for noise alone.
            shift: See `diffusion.log_snr`.
        """
        alpha, sigma = diffusion.signal_and_noise(torch.tensor(time), shift)
        return torch.where(self.mask, alpha * self.ended + sigma * self.begun, state)


Path = Callable[[Tensor, Tensor, Finished | None], Tensor]
"""Coarse picture with the mean, noise and what is finished of it, to the drawn picture."""


def _grouped(path: Path, seen: Tensor, gaussian: Tensor) -> Tensor:
    """Return the picture drawn in four groups of patches, as a chessboard of two colours each way.

    Patches of a group do not touch, so that they may be drawn side by side; those of later groups see the
    finished ones around them. The grouping for large pictures is HFD's; patch, context and order are ours.
    """
    drawn = seen[:, :3].clone()
    mask = torch.zeros_like(seen[:, :1], dtype=torch.bool)
    for top, bottom, left, right in _patches(*seen.shape[2:]):
        window = (
            slice(None),
            slice(None),
            slice(max(0, top - CONTEXT), bottom + CONTEXT),
            slice(max(0, left - CONTEXT), right + CONTEXT),
        )
        made = path(seen[window], gaussian[window], Finished(mask[window], drawn[window]))
        above, before = top - max(0, top - CONTEXT), left - max(0, left - CONTEXT)
        inner = made[:, :, above : above + bottom - top, before : before + right - left]
        drawn[:, :, top:bottom, left:right] = inner
        mask[:, :, top:bottom, left:right] = True
    return drawn


def _patches(height: int, width: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield top, bottom, left and right of each patch, group after group."""
    rows, columns = list(spans(height, PATCH)), list(spans(width, PATCH))
    for group in ((0, 0), (1, 1), (0, 1), (1, 0)):
        for top, bottom in rows[group[0] :: 2]:
            for left, right in columns[group[1] :: 2]:
                yield top, bottom, left, right
