"""MS-ILLM's adapter loads networks as their repository gives them out, by torch.hub, and codes with them.

The repository here is a stand-in with the same names, parts and ``update``, and small random networks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from fresh_process import BuiltInContract

from codecarena.codecs import bitstream, contract
from codecarena.codecs.base import CodecError, MissingBackendError, Picture
from codecarena.codecs.learned.illm import Illm, published_name, tensors_sha256

PICTURE = Picture(contract.photograph(97, 131))

HUBCONF = """
dependencies = ["torch"]

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.models import CompressionModel
from torch import nn

LATENTS, HYPER = 12, 8
SPELLINGS = {"matrices.": "_matrix", "biases.": "_bias", "factors.": "_factor"}

def _up(channels_in, channels_out):
    return nn.ConvTranspose2d(channels_in, channels_out, 5, 2, 2, 1)


class Autoencoder(CompressionModel):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Conv2d(3, LATENTS, 16, stride=16)
        self.decoder = nn.ConvTranspose2d(LATENTS, 3, 16, stride=16)
        with torch.no_grad():  # four quarters of three planes, as means of their pixels
            for part in (self.encoder, self.decoder):
                part.weight.zero_()
                part.bias.zero_()
            for latent in range(LATENTS):
                top, left, plane = latent // 6 * 8, latent // 3 % 2 * 8, latent % 3
                self.encoder.weight[latent, plane, top : top + 8, left : left + 8] = SCALE / 64
                self.decoder.weight[latent, plane, top : top + 8, left : left + 8] = 1 / SCALE
        self.hyper_analysis = nn.Sequential(
            nn.Conv2d(LATENTS, HYPER, 3, padding=1), nn.ReLU(), nn.Conv2d(HYPER, HYPER, 5, 2, 2), nn.ReLU(),
            nn.Conv2d(HYPER, HYPER, 5, 2, 2),
        )
        self.hyper_synthesis_mean = nn.Sequential(_up(HYPER, HYPER), nn.ReLU(), _up(HYPER, LATENTS))
        self.hyper_synthesis_scale = nn.Sequential(_up(HYPER, HYPER), nn.ReLU(), _up(HYPER, LATENTS))
        self.hyper_bottleneck = EntropyBottleneck(HYPER)
        self.latent_bottleneck = GaussianConditional(None)


def _quality(number, pretrained, left_out="nothing"):
    global SCALE
    assert pretrained
    torch.manual_seed(number)
    SCALE = 10.0 * 2**number
    network = Autoencoder()
    published = {}  # with CompressAI 1.2.4, whose bottlenecks had other names for their tensors
    for name, tensor in network.state_dict().items():
        for today, then in SPELLINGS.items():
            name = name.replace(today, then)
        if left_out not in name:
            published[name] = tensor.clone()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    network.load_state_dict(published, strict=left_out == "nothing")
    return network


def msillm_quality_vlo2(pretrained=True, **kwargs):
    return _quality(0, pretrained)


def msillm_quality_1(pretrained=True, **kwargs):
    return _quality(1, pretrained)


def msillm_quality_5(pretrained=True, **kwargs):
    return torch.compile(_quality(1, pretrained))


def msillm_quality_3(pretrained=True, **kwargs):
    return _quality(3, pretrained)


def msillm_quality_6(pretrained=True, **kwargs):
    return _quality(1, pretrained, left_out="hyper_bottleneck._matrix2")


def msillm_quality_4(pretrained=True, **kwargs):
    return torch.nn.Identity()
"""


@pytest.fixture(autouse=True)
def _downloads_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODECARENA_ALLOW_DOWNLOADS", "1")


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("NeuralCompression")
    (folder / "hubconf.py").write_text(HUBCONF)
    return folder


class TestIllm(BuiltInContract):
    codec_name = "illm"

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def stand_in(cls, repository: Path) -> None:
        cls.parameters = {"repository": str(repository), "qualities": "0,1,3"}


def test_strings_are_those_of_the_networks_own_entropy_models(repository: Path) -> None:
    codec = Illm("3", str(repository))
    network = torch.hub.load(str(repository), "msillm_quality_3", source="local").eval()
    network.update()
    stream = codec.encode(PICTURE, 3)
    padded = np.pad(PICTURE.pixels, ((0, 31), (0, 61), (0, 0)), "edge")
    with torch.inference_mode():
        latents = network.encoder(torch.from_numpy(padded).permute(2, 0, 1)[None] / 255)
        hyper = network.hyper_analysis(latents)
        hyper_string = network.hyper_bottleneck.compress(hyper)
        hyper = network.hyper_bottleneck.decompress(hyper_string, hyper.shape[2:])
        indexes = network.latent_bottleneck.build_indexes(network.hyper_synthesis_scale(hyper))
        means = network.hyper_synthesis_mean(hyper)
        strings = network.latent_bottleneck.compress(latents, indexes, means)
    assert stream.endswith(strings[0])
    assert hyper_string[0] in stream
    assert len(stream) == 20 + 1 + 4 + 1 + len(hyper_string[0]) + len(strings[0])


def test_weights_are_known_by_their_tensors(repository: Path) -> None:
    network = torch.hub.load(str(repository), "msillm_quality_1", source="local")
    sha256, byte_count = tensors_sha256(network.state_dict())
    codec = Illm("1", str(repository))
    assert codec.info.weights_sha256 == sha256
    assert codec.info.weights_bytes == byte_count > 10_000
    two = Illm("1,3", str(repository))
    assert two.info.weights_bytes == 2 * byte_count
    assert two.info.weights_sha256 not in (None, sha256)
    stream = two.encode(PICTURE, 1)
    assert stream[10:16].hex() == sha256[:12]
    assert np.array_equal(codec.decode(stream), two.decode(stream))
    with pytest.raises(CodecError, match="quality 3 is not loaded, only 1"):
        codec.decode(two.encode(PICTURE, 3))
    header, payload = bitstream.unseal(stream, bitstream.Kind.ILLM)
    with pytest.raises(CodecError, match="made for the weights"):
        two.decode(bitstream.seal(header, bytes([4]) + payload[1:]))


def test_a_compiled_network_is_the_one_that_it_wraps(repository: Path) -> None:
    """torch.compile puts ``_orig_mod.`` before each name, which the weights' hash would follow."""
    plain, compiled = (Illm(repository=str(repository), qualities=quality) for quality in ("1", "5"))
    assert compiled.info.weights_sha256 == plain.info.weights_sha256


def test_qualities_have_their_published_names() -> None:
    names = ["vlo1", "vlo2", "1", "2", "3", "4", "5", "6"]
    assert [published_name(quality) for quality in range(-1, 7)] == [
        f"msillm_quality_{name}" for name in names
    ]


def test_what_cannot_be_loaded_is_told(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(MissingBackendError, match=r"msillm_quality_2 cannot be loaded(.|\n)*clone facebook"):
        Illm("2", str(repository))
    with pytest.raises(CodecError, match="no HiFiC autoencoder: it has no encoder, decoder"):
        Illm("4", str(repository))
    with pytest.raises(CodecError, match=r"bottleneck hyper_bottleneck, the\s+checkpoint lacks matrices\.2"):
        Illm("6", str(repository))
    # An address that answers nothing, and a cache with nothing in it.
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(
        MissingBackendError, match=r"msillm_quality_1 cannot be loaded from facebookresearch/Neural"
    ):
        Illm("1")


def test_nothing_is_asked_of_the_network_unless_it_is_allowed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.delenv("CODECARENA_ALLOW_DOWNLOADS")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "urlopen", refuse)
    with pytest.raises(MissingBackendError) as caught:
        Illm("1")
    for words in (
        "CODECARENA_ALLOW_DOWNLOADS=1 lets it be fetched",
        "clone facebookresearch/NeuralCompression",
    ):
        assert words in str(caught.value)


def test_the_hubs_cache_is_enough(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cached = tmp_path / "hub" / "facebookresearch_NeuralCompression_8e9c2ed56b3329b37e9b891f4ee2ad163f65c422"
    cached.mkdir(parents=True)
    (cached / "hubconf.py").write_text((repository / "hubconf.py").read_text())
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert Illm("1").info.weights_sha256 == Illm("1", str(repository)).info.weights_sha256
