"""The latent codec on Stable Diffusion, TAESD and DC-AE, as pipelines of random weights in folders."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any, ClassVar

import latent_pipelines
import numpy as np
import pytest
import torch
from fresh_process import BuiltInContract

from codecarena.codecs import bitstream, registry
from codecarena.codecs.base import Codec, CodecError, Image, MissingBackendError, Picture
from codecarena.codecs.contract import photograph
from codecarena.codecs.generative.latent import denoiser, loading
from codecarena.codecs.generative.latent.backends import Denoising
from codecarena.codecs.generative.latent.codec import LatentCodec, from_levels, to_levels
from codecarena.codecs.generative.latent.payload import SETTINGS_BYTES
from codecarena.codecs.generative.published import STABLE_DIFFUSION

MAKERS = {
    "stable-diffusion": latent_pipelines.stable_diffusion,
    "taesd": latent_pipelines.taesd,
    "dc-ae": latent_pipelines.dc_ae,
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return a folder of tiny random networks for each backend."""
    root = tmp_path_factory.mktemp("pipelines")
    return {name: str(make(root / name)) for name, make in MAKERS.items()}


def squares(pixels: Image) -> np.ndarray:
    return pixels.reshape(12, 8, 17, 8, 3).mean((1, 3))


class LatentContract(BuiltInContract):
    """The contract, for networks that lie in a folder of this test run."""

    codec_name = "latent"
    given: ClassVar[dict[str, registry.Value]]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def in_folder(cls, folders: dict[str, str]) -> None:
        """Put the folder among the parameters."""
        cls.parameters = {**cls.given, "weights": folders[str(cls.given["backend"])]}
        if "denoiser" in cls.given:
            cls.parameters["denoiser"] = folders["stable-diffusion"]

    def test_picture_comes_back_the_right_way_up(self, codec: Codec, ladder: list[bytes]) -> None:
        """As for any codec, but with means of squares: random features show no texture."""
        original = photograph()
        decoded = squares(codec.decode(ladder[-1]))
        error = np.abs(decoded - squares(original)).mean()
        for wrong in (original[::-1], original[:, ::-1], original[..., ::-1]):
            assert error < np.abs(decoded - squares(wrong)).mean()


class TestStableDiffusion(LatentContract):
    given: ClassVar = {"backend": "stable-diffusion"}


@pytest.mark.long
class TestFaithful(LatentContract):
    given: ClassVar = {"backend": "stable-diffusion", "faithful": True, "posterior": "sample", "seed": 7}


@pytest.mark.long
class TestTaesd(LatentContract):
    given: ClassVar = {"backend": "taesd", "dithering": 0.5}


@pytest.mark.long
class TestTaesdDenoised(LatentContract):
    given: ClassVar = {"backend": "taesd", "denoiser": "stable-diffusion", "steps": 4}


@pytest.mark.long
class TestDeepCompression(LatentContract):
    given: ClassVar = {"backend": "dc-ae"}


@pytest.fixture(scope="module")
def faithful(folders: dict[str, str]) -> LatentCodec:
    return LatentCodec("stable-diffusion", folders["stable-diffusion"], faithful=True)


@pytest.fixture(scope="module")
def matched(folders: dict[str, str]) -> LatentCodec:
    return LatentCodec("stable-diffusion", folders["stable-diffusion"])


def test_faithful_payload_is_5120_bytes_before_deflating(faithful: LatentCodec) -> None:
    for pixels in (photograph(512, 512), np.zeros((512, 512, 3), np.uint8)):
        stream = faithful.encode(Picture(pixels), 8)
        body = stream[bitstream.Kind.LATENT.header_bytes + SETTINGS_BYTES :]
        deflated = stream[bitstream.Kind.LATENT.header_bytes + 2] & 1
        assert len(zlib.decompress(body) if deflated else body) == 5120
        assert len(stream) - bitstream.Kind.LATENT.header_bytes <= 5120 + 24


def test_faithful_levels_are_the_published_formula(folders: dict[str, str]) -> None:
    """8 bits of the latents as the autoencoder gives them, before they are scaled."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    vae = AutoencoderKL.from_pretrained(Path(folders["stable-diffusion"]) / "vae")
    pixels = torch.from_numpy(photograph(64, 64).astype(np.float32) / 255 * 2 - 1).permute(2, 0, 1)[None]
    with torch.inference_mode():
        unscaled = vae.encode(pixels).latent_dist.mode()[0].numpy().astype(np.float64)
    published = np.floor(255 * np.clip(unscaled / (255 * 0.18215) + 0.5, 0, 1) + 0.5)
    backend = loading.load("stable-diffusion", folders["stable-diffusion"], "", "cpu", "float32")
    levels = to_levels(backend.encode(pixels, None)[0].numpy(), backend.bound)
    assert np.mean(levels == published) > 0.999  # a value may lie on an edge between two levels
    assert len(np.unique(levels)) > 50
    back = (published / 255 - 0.5) * 255 * 0.18215 * 0.18215
    assert np.allclose(from_levels(published.astype(np.uint8), backend.bound), back, atol=1e-5)


def test_published_denoising_is_diffusers_own(folders: dict[str, str]) -> None:
    """Two of 66 steps of DDIM at eta 0.9, the noise drawn from the seed."""
    backend: Any = loading.load("stable-diffusion", folders["stable-diffusion"], "", "cpu", "float32")
    latents = torch.randn(1, 4, 8, 12, generator=torch.Generator().manual_seed(3))
    denoised = backend.denoise(latents, Denoising(2, None, 5))
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    scheduler = DDIMScheduler.from_pretrained(
        Path(folders["stable-diffusion"]) / "scheduler", clip_sample=False, timestep_spacing="leading"
    )
    scheduler.set_timesteps(1000 // 15)
    draws = torch.Generator().manual_seed(5)
    times = scheduler.timesteps[-int(66 * 0.04) :]
    assert times.tolist() == [16, 1]
    with torch.inference_mode():
        for time in times:
            predicted = backend._denoiser._predict(latents, int(time))
            latents = scheduler.step(predicted, int(time), latents, eta=0.9, generator=draws).prev_sample
    assert torch.allclose(denoised, latents, atol=1e-5)


def test_matched_denoising_starts_where_the_noise_is_as_large(folders: dict[str, str]) -> None:
    """The time of 0.188, the error of 256 entries on proxy latents, is 36 on Stable Diffusion's betas."""
    backend: Any = loading.load("stable-diffusion", folders["stable-diffusion"], "", "cpu", "float32")
    seen: list[int] = []
    inner = backend._denoiser
    predict = inner._predict
    inner._predict = lambda latents, time: seen.append(time) or predict(latents, time)
    for rms, start in ((0.188, 36), (0.327, 93), (0.412, 130)):
        seen.clear()
        backend.denoise(torch.zeros(1, 4, 8, 8), Denoising(3, rms, 0))
        assert seen == [start, round(start * 2 / 3), round(start / 3)]


def test_ddim_step_with_the_true_noise_goes_all_the_way() -> None:
    clean, noise = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    noisy = 0.8**0.5 * clean + 0.2**0.5 * noise
    assert torch.allclose(denoiser.step(noisy, noise, 0.8, 1.0, 0.0, 0.0), clean, atol=1e-5)


def test_error_in_the_stream_is_what_the_palette_left(matched: LatentCodec) -> None:
    errors = [matched.encode(Picture(photograph(128, 128)), bits)[25] for bits in matched.info.qualities]
    assert errors == sorted(errors, reverse=True)
    assert len(set(errors)) == 5


def test_seeds_of_the_faithful_decoder(faithful: LatentCodec, matched: LatentCodec) -> None:
    stream = faithful.encode(Picture(photograph()), 8)
    assert np.array_equal(faithful.decode(stream), faithful.decode(stream, seed=0))
    assert np.array_equal(faithful.decode(stream, seed=2**32 - 1), faithful.decode(stream, seed=2**32 - 1))
    assert not np.array_equal(faithful.decode(stream, seed=0), faithful.decode(stream, seed=1))
    # Stream and weights alone say how to decode, whatever the decoder would have written.
    assert np.array_equal(matched.decode(stream), faithful.decode(stream))


def test_steps_travel_in_the_stream(folders: dict[str, str], matched: LatentCodec) -> None:
    none = LatentCodec("stable-diffusion", folders["stable-diffusion"], steps=0)
    plain, cleaned = (codec.encode(Picture(photograph()), 4) for codec in (none, matched))
    assert np.array_equal(matched.decode(plain), none.decode(plain))
    assert np.array_equal(none.decode(cleaned), matched.decode(cleaned))
    assert not np.array_equal(none.decode(plain), none.decode(cleaned))


def reseal(stream: bytes, payload: bytes, width: int = 136, height: int = 96) -> bytes:
    header, _ = bitstream.unseal(stream, bitstream.Kind.LATENT)
    forged = bitstream.Header(header.kind, width, height, header.weights_id, header.seed)
    return bitstream.seal(forged, payload)


def test_forged_streams_with_right_checksums_are_refused(matched: LatentCodec) -> None:
    stream = matched.encode(Picture(photograph()), 8)
    _, payload = bitstream.unseal(stream, bitstream.Kind.LATENT)
    assert np.array_equal(matched.decode(reseal(stream, payload)), matched.decode(stream))
    for width, height in ((1, 1), (136, 104), (13_000, 13_000), (2**24 - 1, 1)):
        with pytest.raises(CodecError):
            matched.decode(reseal(stream, payload, width, height))
    for cut in (0, 1, 2, 3, 500):
        with pytest.raises(CodecError):
            matched.decode(reseal(stream, payload[:cut]))


def test_other_weights_are_refused(folders: dict[str, str], matched: LatentCodec) -> None:
    stream = matched.encode(Picture(photograph()), 4)
    with pytest.raises(CodecError, match="made for the weights"):
        LatentCodec("taesd", folders["taesd"]).decode(stream)


def unreachable(name: str, **_: object) -> str:
    raise OSError(f"no network to fetch {name}")


def test_hub_ids_are_tried_in_turn_and_the_message_names_them(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    placed = tmp_path / "mirror" / "tiny"
    placed.parent.mkdir()
    placed.symlink_to(folders["taesd"])
    assert LatentCodec("taesd", "nobody/gone, mirror/tiny").info.weights_bytes > 0
    with pytest.raises(MissingBackendError, match="nobody/gone"):
        LatentCodec("taesd", "nobody/gone")
    with pytest.raises(MissingBackendError) as raised:
        LatentCodec("stable-diffusion")
    assert [id_ for id_ in STABLE_DIFFUSION.ids if id_ in str(raised.value)] == [*STABLE_DIFFUSION.ids]


def test_folder_without_a_pipeline_is_a_missing_backend(folders: dict[str, str], tmp_path: Path) -> None:
    for folder in (str(tmp_path), str(tmp_path / "none"), folders["taesd"]):
        with pytest.raises(MissingBackendError):
            LatentCodec("stable-diffusion", folder)


def test_weights_that_lack_tensors_are_refused(folders: dict[str, str], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    source = Path(folders["taesd"])
    (tmp_path / "config.json").write_bytes((source / "config.json").read_bytes())
    name = "diffusion_pytorch_model.safetensors"
    tensors = load_file(source / name)
    tensors.pop(next(iter(tensors)))
    save_file(tensors, tmp_path / name, {"format": "pt"})
    with pytest.raises(CodecError, match="lacks tensors"):
        LatentCodec("taesd", str(tmp_path))


@pytest.mark.parametrize(
    "wrong",
    [
        {"backend": "vqgan"},
        {"dtype": "float8"},
        {"device": "abacus"},
        {"steps": 128},
        {"steps": -1},
        {"dithering": 1.5},
        {"dithering": float("nan")},
        {"seed": -1},
        {"seed": 1.0},
        {"posterior": "mean"},
        {"backend": "taesd", "faithful": True},
        {"backend": "dc-ae", "posterior": "sample"},
        {"denoiser": "someone/something"},
    ],
    ids=str,
)
def test_wrong_parameter_is_refused(wrong: dict[str, Any], folders: dict[str, str]) -> None:
    backend = wrong.get("backend", "stable-diffusion")
    given = {"backend": backend, "weights": folders.get(backend, ""), **wrong}
    with pytest.raises(CodecError):
        LatentCodec(**given)


def test_picture_of_several_tiles_survives(folders: dict[str, str]) -> None:
    tall = np.tile(photograph()[:, :40], (9, 1, 1))  # tiles of Stable Diffusion have 768 rows
    for backend in MAKERS:
        codec = LatentCodec(backend, folders[backend])
        assert codec.decode(codec.encode(Picture(tall), 8)).shape == tall.shape


@pytest.mark.usefixtures("any_processor_multiplies_in_bfloat16")
def test_number_format_changes_the_networks_alone(folders: dict[str, str], matched: LatentCodec) -> None:
    stream = matched.encode(Picture(photograph()), 8)
    half = LatentCodec("stable-diffusion", folders["stable-diffusion"], dtype="bfloat16")
    difference = np.abs(half.decode(stream).astype(int) - matched.decode(stream))
    assert 0 < difference.max() <= half.info.tolerance_levels


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="gpu: no CUDA device")
def test_stream_of_a_gpu_in_half_precision_decodes_on_a_cpu(
    folders: dict[str, str], matched: LatentCodec
) -> None:
    folder = folders["stable-diffusion"]
    half = LatentCodec("stable-diffusion", folder, device="cuda", dtype="float16", faithful=True)
    stream = half.encode(Picture(photograph()), 8)
    assert np.array_equal(half.decode(stream, seed=1), half.decode(stream, seed=1))
    difference = np.abs(half.decode(stream, seed=1).astype(int) - matched.decode(stream, seed=1))
    assert difference.max() <= half.info.tolerance_levels


def test_settings_stand_behind_the_header(matched: LatentCodec) -> None:
    entries, error, steps = struct.unpack("BBB", matched.encode(Picture(photograph()), 5)[24:27])
    assert entries + 1 == 32
    assert error > 0
    assert steps >> 1 == 2
