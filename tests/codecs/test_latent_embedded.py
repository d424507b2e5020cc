"""The latent codec on networks built like the embedded ones, with random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from codecarena.codecs import bitstream
from codecarena.codecs.base import CodecError, Picture
from codecarena.codecs.contract import SIZES, photograph
from codecarena.codecs.generative.autoencoder import LatentAutoencoder
from codecarena.codecs.generative.latent.backends import Denoising, Identity
from codecarena.codecs.generative.latent.codec import LatentCodec, from_levels, to_levels
from codecarena.codecs.generative.latent.embedded import TILE, EmbeddedBackend
from codecarena.codecs.generative.latent_flow import LatentFlow


def random_backend(dtype: torch.dtype = torch.float32) -> EmbeddedBackend:
    """Return the backend with weights drawn anew, those that start at zero too."""
    torch.manual_seed(4)
    networks = LatentAutoencoder(32, 48), LatentFlow((16, 24, 32))
    for network in networks:
        for name, weight in network.named_parameters():
            if weight.dim() > 1 and not bool(weight.any()):
                torch.nn.init.normal_(weight, std=0.05)
            assert bool(weight.any()) or name.endswith("bias"), name
    identity = Identity("ab" * 32, 1, "nothing", toy=True)
    return EmbeddedBackend(networks[0].to(dtype).eval(), networks[1].eval(), identity)


@pytest.fixture
def codec(monkeypatch: pytest.MonkeyPatch) -> LatentCodec:
    monkeypatch.setattr(EmbeddedBackend, "load", lambda _device, dtype: random_backend(dtype))
    return LatentCodec()


def test_it_says_what_it_is(codec: LatentCodec) -> None:
    assert codec.info.toy
    assert not codec.info.stochastic
    assert codec.info.qualities == (4, 5, 6, 7, 8)


def test_512_pixels_are_no_more_than_5120_bytes_of_payload(codec: LatentCodec) -> None:
    lengths = [len(codec.encode(Picture(photograph(512, 512)), bits)) for bits in codec.info.qualities]
    assert lengths == sorted(set(lengths))
    assert lengths[-1] - bitstream.Kind.LATENT.header_bytes <= 5120 + 24


def test_any_size_survives(codec: LatentCodec) -> None:
    for height, width in SIZES:
        pixels = np.ascontiguousarray(photograph()[:height, :width])
        assert codec.decode(codec.encode(Picture(pixels), 8)).shape == pixels.shape


def test_tiles_give_the_whole() -> None:
    """Three tiles along one side, for encoder and decoder; the flow has tiles of its own."""
    backend = random_backend()
    width = 8 * (3 * TILE - 5)
    pixels = torch.rand(1, 3, 64, width, generator=torch.Generator().manual_seed(0)) * 2 - 1
    latents = backend.encode(pixels, None)
    with torch.inference_mode():
        whole = backend._autoencoder.encode(pixels)
        assert float((latents - whole).abs().max()) < 1e-3
        assert float((backend.decode(latents) - backend._autoencoder.decode(latents)).abs().max()) < 1e-3
        assert float(latents.std()) > 0.1


def test_bytes_of_latents_go_from_bound_to_bound() -> None:
    latents = np.linspace(-4, 4, 999, dtype=np.float32).reshape(1, -1, 1)
    levels = to_levels(latents, 3.0)
    assert levels.min() == 0
    assert levels.max() == 255
    inside = np.abs(latents) <= 3
    assert np.abs(from_levels(levels, 3.0) - latents)[inside].max() <= 3 / 255 + 1e-6


def test_denoising_keeps_any_shape_and_is_told_the_error() -> None:
    backend = random_backend()
    latents = torch.randn(1, 4, 5, 7, generator=torch.Generator().manual_seed(0))
    low, high = (backend.denoise(latents, Denoising(2, rms, 0)) for rms in (0.1, 0.4))
    assert low.shape == high.shape == latents.shape
    assert not torch.equal(low, high)
    assert torch.equal(low, backend.denoise(latents, Denoising(2, 0.1, 99)))


def test_published_denoising_is_refused() -> None:
    with pytest.raises(CodecError, match="Stable Diffusion"):
        random_backend().denoise(torch.zeros(1, 4, 4, 4), Denoising(2, None, 0))


def test_foreign_parameters_are_refused(codec: LatentCodec) -> None:
    assert codec.info.name == "latent"
    for wrong in ({"faithful": True}, {"posterior": "sample"}, {"weights": "x/y"}, {"denoiser": "x/y"}):
        with pytest.raises(CodecError):
            LatentCodec(**wrong)


@pytest.mark.usefixtures("any_processor_multiplies_in_bfloat16")
def test_half_precision_decodes_the_same_stream(codec: LatentCodec) -> None:
    stream = codec.encode(Picture(photograph()), 8)
    half = LatentCodec(dtype="bfloat16")
    difference = np.abs(half.decode(stream).astype(int) - codec.decode(stream))
    assert 0 < difference.max() <= half.info.tolerance_levels
