"""The embedded gained hyperprior as a codec, at any rate of its ladder."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING

import torch

from ...home_folder import expanded
from .. import pretrained
from ..base import CodecError, CodecInfo, QualityScale, RateParts, check_image, check_quality
from ..bitstream import Header, Kind, check_claim, pad_payload, seal, unseal
from .gained import GainedHyperprior
from .latents import HyperCoder, in_double
from .library import compressai_version
from .transform import TransformCoder, place

if TYPE_CHECKING:
    from torch import Tensor

    from ..base import Image, Picture
    from ..pretrained import Weights

_STEPS = 20
"""Settings between two rates that the network was trained for."""
_TILE, _HALO = 1024, 192
"""Pixels. The transforms see up to 160 pixels about one of theirs."""


class Hyperprior:
    """A mean-scale hyperprior with gains: small weights of our own, one network for the whole ladder.

    Whole qualities are the rates it was trained for, others lie between two of them.

    Args:
        weights: A file that ``codecs.training hyperprior`` wrote; empty for the one that comes along.
        device: Of the transforms, as torch calls it; entropy coding stays on the CPU.
        dtype: Of the transforms: ``float32`` or ``bfloat16``.
    """

    def __init__(self, weights: str = "", device: str = "cpu", dtype: str = "float32") -> None:
        self.weights = pretrained.load(expanded(weights)) if weights else pretrained.embedded("hyperprior")
        self._where = place(device, dtype)
        network = load(self.weights)
        self._coder = latent_coder(network)
        # The gains stay in float32 on the CPU: encoder and decoder divide by what the other multiplied by.
        self._transforms = self._where.move(network.g_a), self._where.move_decoder(network.g_s)
        self._network = network
        rates = len(network.log_gain)
        self.info = CodecInfo(
            "hyperprior",
            f"2; compressai {compressai_version}, torch {torch.__version__}",
            "learned",
            tuple(float(rate + 1) for rate in range(rates)),
            QualityScale("rate", 1, rates, 1 / _STEPS),
            tolerance_levels=self._where.tolerance_levels,
            toy=True,
            weights_sha256=self.weights.sha256,
            weights_bytes=self.weights.byte_count,
            trained_on=self.weights.metadata.get("trained_on"),
        )
        self._at = cache(self._coder_at)

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the sealed strings of a picture."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        height, width = picture.pixels.shape[:2]
        setting = round((quality - 1) * _STEPS)
        header = Header(Kind.HYPERPRIOR, width, height, self.weights.id)
        payload = bytes([setting]) + self._at(setting).encode(picture.pixels)
        return seal(header, pad_payload(header, payload))

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:  # noqa: ARG002
        """Return the pixels."""
        header, payload = unseal(bitstream, Kind.HYPERPRIOR, self.weights.id)
        check_claim(header, payload)
        setting = setting_of(payload, len(self.info.qualities))
        return self._at(setting).decode(payload[1:], header.width, header.height)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return the header with the rate, and the strings with their checksums."""
        unseal(bitstream, Kind.HYPERPRIOR)
        header_bytes = min(len(bitstream), Kind.HYPERPRIOR.header_bytes + 1)
        return RateParts(header_bytes, len(bitstream) - header_bytes)

    def quality_of(self, payload: bytes) -> float:
        """Return the quality that a stream's payload was encoded at."""
        return 1 + setting_of(payload, len(self.info.qualities)) / _STEPS

    def weights_id(self, quality: float) -> bytes:  # noqa: ARG002
        """Return the id of the weights, one for all qualities."""
        return self.weights.id

    def _coder_at(self, setting: int) -> TransformCoder:
        forward, back = self._transforms
        rate = torch.tensor([setting / _STEPS])
        gain, inverse = (factors.to(self._where.device) for factors in self._network.gains(rate))

        def analysis(pixels: Tensor) -> Tensor:
            return forward(pixels - 0.5).float() * gain

        def synthesis(latents: Tensor) -> Tensor:
            return back((latents.float() * inverse).to(self._where.dtype)).float() + 0.5

        return TransformCoder(analysis, synthesis, self._coder, self._where, _TILE, _HALO)


def setting_of(payload: bytes, rates: int) -> int:
    """Return the setting that a payload begins with.

    Raises:
        CodecError: There is none, or it lies beyond the ladder.
    """
    last = (rates - 1) * _STEPS
    if not payload or payload[0] > last:
        raise CodecError(f"hyperprior stream is damaged: expected a rate of 0 to {last}, got {payload[:1]!r}")
    return payload[0]


def load(weights: Weights) -> GainedHyperprior:
    """Return the network of a file.

    Raises:
        CodecError: It holds another network, or none whose tables of probabilities are complete.
    """
    network = GainedHyperprior(*(weights.number(key) for key in ("narrow", "wide", "rates")))
    try:
        network.load_state_dict(weights.tensors())
    except (RuntimeError, ValueError, KeyError) as error:
        raise CodecError(f"{weights.path} holds no hyperprior: {str(error)[:200]}") from error
    return network.eval().requires_grad_(False)


def latent_coder(network: GainedHyperprior) -> HyperCoder:
    """Return what turns the network's latents into bytes."""
    # Copies: the transforms may move to another device, the entropy model stays.
    kept = copy.deepcopy(network)
    synthesis = in_double(kept.h_s)

    def parameters(hyper: Tensor) -> tuple[Tensor, Tensor | None]:
        made: Tensor = synthesis(hyper)
        scales, means = made.chunk(2, 1)
        return scales, means

    channels = network.log_gain.shape[1]
    return HyperCoder(
        kept.entropy_bottleneck, kept.gaussian_conditional, channels, kept.hyper_latents, parameters
    )
