"""Code pixels with a learned transform coder: analysis, latent coder, synthesis."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as functional

from ..base import CodecError
from ..devices import find_device, find_dtype, in_fast_layout, inference
from ..planes import to_pixels, to_planes
from ..tiles import in_tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from torch import Tensor, nn

    from ..base import Image
    from .latents import LatentCoder

DOWNSAMPLING = 16
"""Sides of a picture over those of its latents, in every model here."""
PADDING = 64
"""Padded sides are a multiple of this: those of the hyper-latents are a quarter of the latents'."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the transforms run, and in which arithmetic; entropy models run on the CPU whatever it is."""

    device: torch.device
    dtype: torch.dtype

    @property
    def tolerance_levels(self) -> int:
        """How far this arithmetic on two machines may differ, in 8-bit levels; bfloat16 has 8 bits itself."""
        return 1 if self.dtype == torch.float32 else 8

    def move(self, module: nn.Module) -> nn.Module:
        """Return the module, moved here for inference."""
        return module.to(self.device, self.dtype).eval()

    def move_decoder(self, module: nn.Module) -> nn.Module:
        """Return a module that makes pixels, moved here and in the layout that is fast here."""
        return in_fast_layout(self.move(module))


def place(device: str, dtype: str) -> Placement:
    """Return the place that two parameters of a codec name.

    Raises:
        MissingBackendError: There is no such device here, or it does not compute in this type.
        CodecError: There is no such type.
    """
    # Squares of activations, which GDN takes, leave the range of float16.
    processor = find_device(device)
    return Placement(processor, find_dtype(dtype, processor, halves=False))


@dataclass(frozen=True, slots=True)
class TransformCoder:
    """A pair of transforms about a latent coder.

    Large pictures go through the transforms in tiles with a halo; see `tiles.in_tiles`.
    """

    analysis: Callable[[Tensor], Tensor]
    """Pixels (1, 3, height, width), 0 to 1, to latents of a sixteenth of the sides."""
    synthesis: Callable[[Tensor], Tensor]
    coder: LatentCoder
    where: Placement
    tile: int
    """Side of a tile in pixels; a multiple of `DOWNSAMPLING`."""
    halo: int
    """Pixels about a tile that the networks see; a multiple of `DOWNSAMPLING`."""

    def encode(self, pixels: Image) -> bytes:
        """Return the payload of a picture of any size."""
        with inference(), _torch_errors():
            padded = _padded(pixels).to(self.where.device, self.where.dtype)
            latents = in_tiles(self.analysis, padded, self.tile, self.halo)
            return self.coder.encode(latents.float().cpu())[0]

    def decode(self, payload: bytes, width: int, height: int) -> Image:
        """Return the pixels of a payload.

        Args:
            payload: As `encode` wrote it.
            width: Of the picture, pixels.
            height: Of the picture, pixels.

        Raises:
            CodecError: The payload is damaged, or the synthesis made no numbers of it.
        """
        rows, columns = _padded_side(height) // DOWNSAMPLING, _padded_side(width) // DOWNSAMPLING
        with inference(), _torch_errors():
            latents = self.coder.decode(payload, rows, columns).to(self.where.device, self.where.dtype)
            made = in_tiles(self.synthesis, latents, self.tile // DOWNSAMPLING, self.halo // DOWNSAMPLING)[
                0, :, :height, :width
            ]
            return to_pixels(made, 0)


@contextmanager
def _torch_errors() -> Generator[None]:
    """Raise what torch raises, out of memory above all, as `CodecError`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        raise CodecError(f"torch failed: {str(error).splitlines()[0] if str(error) else error!r}") from error


def _padded_side(side: int) -> int:
    return -(-side // PADDING) * PADDING


def _padded(pixels: Image) -> Tensor:
    """Return pixels (1, 3, height, width), 0 to 1, with the last row and column repeated to full sides."""
    height, width = pixels.shape[:2]
    planes = to_planes(pixels)[None].float() / 255
    return functional.pad(
        planes, (0, _padded_side(width) - width, 0, _padded_side(height) - height), mode="replicate"
    )
