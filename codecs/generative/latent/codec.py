"""The latent codec: palettised latents of an autoencoder, denoised before they are decoded.

Source: Bühlmann's article on compression by Stable Diffusion, Towards AI, September 2022. The ladder of
palettes, the start of the denoiser matched to the measured error, any size but 512 x 512 and every backend
but Stable Diffusion are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from ...base import (
    CodecError,
    CodecInfo,
    QualityScale,
    check_choice,
    check_image,
    check_quality,
    check_range,
)
from ...bitstream import LARGEST_SEED, WEIGHTS_ID_BYTES, Header, Kind, seal, seed_of, unseal
from .backends import Denoising
from .loading import load
from .palette import quantise, uniform
from .payload import MOST_STEPS, PUBLISHED, Layout, Payload, error_code, error_of, parts, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ...base import Image, Picture, RateParts
    from .backends import Backend
    from .palette import Levels

BITS = (4.0, 5.0, 6.0, 7.0, 8.0)
"""The ladder: palettes of 16 to 256 vectors."""
_PUBLISHED_STEPS = 2
_TOLERANCE = {"float32": 2, "float16": 16, "bfloat16": 32}
"""Levels; not measured between machines, set above what rounding in that format can do."""


class LatentCodec:
    """An autoencoder's latents in 8 bits, then in a dithered palette; quality is bits to an index.

    Latents of four channels get a palette of 2 ** quality vectors. Those of any other number (DC-AE) are
    rounded to 2 ** quality equal steps, value by value: a palette of vectors that long would outweigh them.

    Args:
        backend: ``embedded``, ``stable-diffusion``, ``taesd`` or ``dc-ae``.
        weights: A folder, or hub ids to try in turn with commas between; empty for the backend's own list.
        denoiser: The same, of the Stable Diffusion pipeline that denoises for ``taesd``; empty for none.
        faithful: Bühlmann's pipeline with Stable Diffusion: 256 entries, two denoising steps from a fixed
            start. Otherwise the start is matched to the error that the encoder measured.
        posterior: ``mode``, or ``sample`` for a draw from Stable Diffusion's encoder, by the seed.
        dithering: Share of the palette's error handed to neighbours, 0 to 1.
        steps: Denoising steps where not faithful, 0 to 127; 0 decodes the latents as they are.
        seed: Default seed of the faithful decoder, and of ``posterior = "sample"``.
        device: As PyTorch names it.
        dtype: ``float32``, ``float16`` or ``bfloat16``, of the networks alone.
    """

    def __init__(
        self,
        backend: str = "embedded",
        weights: str = "",
        denoiser: str = "",
        faithful: bool = False,
        posterior: str = "mode",
        dithering: float = 1.0,
        steps: int = 2,
        seed: int = 0,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        check_choice("faithful", faithful, (False, True))
        check_choice("posterior", posterior, ("mode", "sample"))
        check_choice("steps", steps, range(MOST_STEPS + 1))
        check_range("dithering", dithering, 0, 1)
        check_range("seed", seed, 0, LARGEST_SEED, whole=True)
        if (faithful or posterior == "sample") and backend != "stable-diffusion":
            raise CodecError(
                f"faithful and posterior='sample' need backend 'stable-diffusion', got {backend!r}"
            )
        self._backend = load(backend, weights, denoiser, device, dtype)
        self._faithful, self._dithering, self._seed = faithful, float(dithering), seed
        self._posterior_seed = seed if posterior == "sample" else None
        self._steps = _PUBLISHED_STEPS if faithful else steps if self._backend.denoises else 0
        self.info = _describe(self._backend, faithful, dtype)

    @property
    def _weights_id(self) -> bytes:
        return bytes.fromhex(self._backend.identity.sha256)[:WEIGHTS_ID_BYTES]

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the bitstream: header, settings, palette and indices."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        height, width = picture.pixels.shape[:2]
        header = Header(Kind.LATENT, width, height, self._weights_id, self._seed if self._faithful else 0)
        layout = Layout.of(header, self._backend.factor, self._backend.channels)
        padded = _padded(picture.pixels, self._backend.factor)
        latents = _to_numpy(self._backend.encode(_to_tensor(padded), self._posterior_seed))
        payload = self._quantised(latents, 2 ** round(quality), layout)
        return seal(header, payload.pack(header, layout))

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:
        """Return the pixels; only faithful streams draw from the seed.

        Args:
            bitstream: What ``encode`` returned.
            seed: 0 to 2 ** 32 - 1; None takes the seed in the stream.
        """
        header, body = unseal(bitstream, Kind.LATENT, self._weights_id)
        layout = Layout.of(header, self._backend.factor, self._backend.channels)
        payload = unpack(header, body, layout)
        latents = _to_latents(payload.levels(layout), self._backend.bound)
        if payload.steps:
            rms = None if payload.error == PUBLISHED else error_of(payload.error)
            how = Denoising(payload.steps, rms, seed_of(header, seed))
            latents = self._backend.denoise(latents, how)
        return _to_pixels(self._backend.decode(latents), header)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return header and settings, indices as payload, and the palette as side information.

        Of a deflated body the palette gets the share it had before.
        """
        header, body = unseal(bitstream, Kind.LATENT, self._weights_id)
        return parts(header, body, Layout.of(header, self._backend.factor, self._backend.channels))

    def _quantised(self, latents: NDArray[np.float32], entries: int, layout: Layout) -> Payload:
        """Return palette and indices of latents (height, width, channels), and what error they leave."""
        levels = to_levels(latents, self._backend.bound)
        if not layout.has_palette:
            rounded = np.rint(levels * ((entries - 1) / 255)).astype(np.uint8).transpose(2, 0, 1)
            return Payload(uniform(entries), np.ascontiguousarray(rounded), 1, 0)
        palette, indices = quantise(levels, entries, self._dithering)
        if self._faithful:
            whole = np.pad(palette, ((0, entries - len(palette)), (0, 0)))
            return Payload(whole, indices, PUBLISHED, self._steps)
        error = from_levels(palette[indices], self._backend.bound) - latents
        return Payload(palette, indices, error_code(float(np.sqrt(np.mean(error**2)))), self._steps)


def to_levels(latents: NDArray[np.float32], bound: float) -> Levels:
    """Return latents in 256 equal steps from minus to plus the bound; those beyond are clipped.

    For Stable Diffusion this is Bühlmann's ``floor(255 clamp(z / (255 * 0.18215) + 0.5) + 0.5)`` of the
    latents before they are scaled to unit variance.
    """
    share = latents.astype(np.float64) / (2 * bound) + 0.5
    return np.floor(255 * share.clip(0, 1) + 0.5).astype(np.uint8)


def from_levels(levels: Levels, bound: float) -> NDArray[np.float32]:
    """Return the latents that 8-bit levels stand for."""
    return ((levels / 255 - 0.5) * (2 * bound)).astype(np.float32)


def _describe(backend: Backend, faithful: bool, dtype: str) -> CodecInfo:
    identity = backend.identity
    ladder = BITS[-1:] if faithful else BITS
    return CodecInfo(
        "latent",
        f"2 torch {torch.__version__} {backend.version}",
        "generative",
        ladder,
        QualityScale("bits", ladder[0], ladder[-1]),
        stochastic=faithful,
        tolerance_levels=_TOLERANCE[dtype],
        toy=identity.toy,
        weights_sha256=identity.sha256,
        weights_bytes=identity.byte_count,
        trained_on=identity.trained_on,
        generator=identity.generator,
    )


def _padded(pixels: Image, factor: int) -> Image:
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, -height % factor), (0, -width % factor), (0, 0)), mode="edge")


def _to_tensor(pixels: Image) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]


def _to_numpy(latents: Tensor) -> NDArray[np.float32]:
    array = np.ascontiguousarray(latents[0].permute(1, 2, 0).numpy())
    if not np.isfinite(array).all():
        raise CodecError("the encoder's latents are not finite; float16 may be too small for these weights")
    return array


def _to_latents(levels: Levels, bound: float) -> Tensor:
    return torch.from_numpy(from_levels(levels, bound)).permute(2, 0, 1)[None]


def _to_pixels(decoded: Tensor, header: Header) -> Image:
    cropped = decoded[0, :, : header.height, : header.width].permute(1, 2, 0).numpy()
    if not np.isfinite(cropped).all():
        raise CodecError("the decoded pixels are not finite; float16 may be too small for these weights")
    return np.ascontiguousarray(np.rint((cropped + 1) * 127.5).clip(0, 255).astype(np.uint8))
