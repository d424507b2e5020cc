"""The HFD codec: an autoencoder's stream, decoded to a picture whose lost detail is drawn again.

After Hoogeboom, Agustsson, Mentzer, Versari, Toderici, Theis, "High-Fidelity Image Compression with
Score-based Generative Models" (2023, arXiv 2305.18231). No code or weights of it are public. Ours are its
stated design: every bit is the autoencoder's; a diffusion model or a rectified flow draws the detail, with
less noise than text-to-image models use. Networks, schedules' numbers and step counts are our own.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, cast

import torch

from ....home_folder import expanded
from ... import pretrained
from ...base import (
    CodecError,
    CodecInfo,
    MissingBackendError,
    RateParts,
    check_choice,
    check_image,
    check_quality,
    check_range,
)
from ...bitstream import LARGEST_SEED, Header, Kind, Reader, check_claim, seal, seed_of, unseal
from ...learned.transform import place
from ...planes import to_pixels, to_planes
from .autoencoder import KINDS, Autoencoder, check_name, open_codec
from .decoder import DEFAULTS, Detail, Mode, Sampling
from .diffusion import DEFAULT_SHIFT
from .flow import LARGEST_NOISE
from .network import DetailNetwork

if TYPE_CHECKING:
    from ...base import Image, Picture
    from ...learned.transform import Placement
    from ...pretrained import Weights

MODES: tuple[Mode, ...] = ("flow", "diffusion")
MOST_STEPS = 100
_UNITS = 250
"""Of noise and start, which take a byte each."""
_SETTINGS_BYTES = 4


class Hfd:
    """An autoencoder's stream, four bytes more, and a decoder that draws the detail from a seed.

    Args:
        mode: ``flow`` (rectified flow, few steps) or ``diffusion`` (many).
        steps: Of the decoder, 1 to 100; 0 for 4 (flow) or 64 (diffusion).
        noise: Flow: noise at the start in deviations of the autoencoder's error, 0 to 0.4. Diffusion: eta,
            from 0 (nothing drawn on the way) to 1. None for 0.34 and 0.
        start: Diffusion: the time its path begins at, above 0 to 1; less keeps more of the coarse picture.
        groups: Whether large pictures are drawn in groups of patches that see those before them; else in
            tiles that equal the whole.
        autoencoder: ``hyperprior`` or ``zoo``.
        autoencoder_weights: A file of the user's own instead of the embedded or published ones.
        arch: Architecture of the zoo's autoencoder.
        decoder: A file that ``codecs.training`` wrote; empty for the embedded one. It names the
            autoencoder's weights that it was trained for, and is refused for others.
        seed: The decoder's, in the stream.
        device: As torch calls it.
        dtype: Of the networks: ``float32`` or ``bfloat16``.
    """

    def __init__(
        self,
        mode: str = "flow",
        steps: int = 0,
        noise: float | None = None,
        start: float = 1.0,
        groups: bool = False,
        autoencoder: str = "hyperprior",
        autoencoder_weights: str = "",
        arch: str = "",
        decoder: str = "",
        seed: int = 0,
        device: str = "cpu",
        dtype: str = "float32",
    ) -> None:
        check_choice("mode", mode, MODES)
        most_noise = LARGEST_NOISE if mode == "flow" else 1.0
        default = DEFAULTS[cast("Mode", mode)]
        chosen_noise = default.noise if noise is None else noise
        check_range("steps", steps, 0, MOST_STEPS, whole=True)
        check_range("noise", chosen_noise, 0, most_noise)
        check_range("start", start, 1 / _UNITS, 1)
        check_range("seed", seed, 0, LARGEST_SEED, whole=True)
        check_choice("groups", groups, (False, True))
        if mode == "diffusion" and importlib.util.find_spec("diffusers") is None:
            raise MissingBackendError("hfd's diffusion needs diffusers: install codecarena[generative]")
        self._seed = seed
        self._how = Sampling(
            cast("Mode", mode), steps or default.steps, _rounded(chosen_noise), _rounded(start), groups
        )
        self.weights = pretrained.load(expanded(decoder)) if decoder else pretrained.embedded(f"hfd_{mode}")
        check_choice("autoencoder", autoencoder, KINDS)
        check_name(autoencoder, self.weights)  # before the autoencoder is fetched in vain
        qualities = self.weights.metadata.get("qualities", "all")
        coarse = open_codec(autoencoder, autoencoder_weights, arch, qualities, device, dtype)
        self._autoencoder = Autoencoder.of_decoder(autoencoder, coarse, self.weights)
        where = place(device, dtype)
        self._detail = load(self.weights, mode)
        _place(self._detail.network, where)
        first = coarse.info
        self.info = CodecInfo(
            "hfd",
            f"2; {first.name} {first.version}",
            "generative",
            self._autoencoder.qualities,
            first.scale,
            stochastic=mode == "diffusion" or self._how.noise > 0,
            tolerance_levels=8 if where.dtype == torch.float32 else 32,
            toy=not decoder,
            weights_sha256=self.weights.sha256,
            weights_bytes=self.weights.byte_count + first.weights_bytes,
            trained_on=self.weights.metadata.get("trained_on"),
        )

    def encode(self, picture: Picture, quality: float) -> bytes:
        """Return the autoencoder's strings behind a header of ours."""
        check_quality(self.info, quality)
        check_image(picture.pixels)
        height, width = picture.pixels.shape[:2]
        header = Header(Kind.HFD, width, height, self.weights.id, self._seed)
        payload = self._autoencoder.encode(picture, quality)
        return seal(header, _pack(self._how) + payload)

    def decode(self, bitstream: bytes, seed: int | None = None) -> Image:
        """Return the autoencoder's picture with detail drawn from the seed."""
        header, payload = unseal(bitstream, Kind.HFD, self.weights.id)
        check_claim(header, payload)
        reader = Reader(payload)
        how = _unpack(reader.take(_SETTINGS_BYTES))
        if how.mode != self._how.mode:
            raise CodecError(f"this stream asks for the {how.mode} decoder, this one is the {self._how.mode}")
        coarse, rate = self._autoencoder.decode(reader.rest(), header.width, header.height)
        planes = to_planes(coarse)[None].float() / 127.5 - 1
        drawn = self._detail.draw(planes, rate, how, seed_of(header, seed))
        return to_pixels(drawn[0], -1)

    def breakdown(self, bitstream: bytes) -> RateParts:
        """Return the header with the decoder's settings, and the autoencoder's payload."""
        unseal(bitstream, Kind.HFD)
        header_bytes = min(len(bitstream), Kind.HFD.header_bytes + _SETTINGS_BYTES)
        return RateParts(header_bytes, len(bitstream) - header_bytes)


def load(weights: Weights, mode: str) -> Detail:
    """Return the decoder of a file.

    Raises:
        CodecError: It holds no decoder of this mode.
    """
    if weights.metadata.get("mode") != mode:
        raise CodecError(f"{weights.path} holds no {mode} decoder but {weights.metadata.get('mode')!r}")
    network = DetailNetwork(weights.number("rates"))
    try:
        network.load_state_dict(weights.tensors())
    except (RuntimeError, ValueError, KeyError) as error:
        raise CodecError(f"{weights.path} holds no HFD decoder: {str(error)[:200]}") from error
    return Detail(network.requires_grad_(False), float(weights.metadata.get("shift", DEFAULT_SHIFT)))


def _place(network: DetailNetwork, where: Placement) -> None:
    """Move a network; how far its residual spreads stays in float32, whatever the convolutions run in."""
    network.to(where.device).eval()
    for part in (network.mean, network.unet):
        where.move_decoder(part)


def _pack(how: Sampling) -> bytes:
    mode = MODES.index(how.mode) + len(MODES) * how.groups
    return bytes([mode, how.steps, round(how.noise * _UNITS), round(how.start * _UNITS)])


def _unpack(settings: bytes) -> Sampling:
    mode, steps, noise, start = settings
    how = Sampling(MODES[mode % len(MODES)], steps, noise / _UNITS, start / _UNITS, groups=mode >= len(MODES))
    known = mode < 2 * len(MODES) and 1 <= steps <= MOST_STEPS and 1 <= start <= _UNITS
    if not known or how.noise > (LARGEST_NOISE if how.mode == "flow" else 1):
        raise CodecError(f"hfd stream is damaged: its decoder's settings are {settings.hex()}")
    return how


def _rounded(share: float) -> float:
    return round(share * _UNITS) / _UNITS
