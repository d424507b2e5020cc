"""The zoo's networks code what CompressAI itself codes, in our streams, and survive damage."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from pathlib import Path

import networks
import numpy as np
import pytest
import torch
from fresh_process import BuiltInContract

from codecarena.codecs import bitstream, contract
from codecarena.codecs.base import CodecError, MissingBackendError, Picture
from codecarena.codecs.learned import strings, zoo
from codecarena.codecs.learned.library import model_urls
from codecarena.codecs.learned.transform import place
from codecarena.codecs.learned.zoo import ARCHITECTURES, Zoo
from codecarena.codecs.tiles import in_tiles

PICTURE = Picture(contract.photograph(97, 131))


@pytest.fixture(autouse=True)
def _downloads_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODECARENA_ALLOW_DOWNLOADS", "1")


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A checkpoint of a small random network of each architecture."""
    folder = tmp_path_factory.mktemp("zoo")
    return {arch: networks.save(networks.untrained(arch), folder / f"{arch}.pth") for arch in ARCHITECTURES}


class _ZooContract(BuiltInContract):
    codec_name = "zoo"
    arch = ""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def checkpoint(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        path = tmp_path_factory.mktemp("showing") / f"{cls.arch}.pth"
        cls.parameters = {"arch": cls.arch, "checkpoint": networks.save(networks.showing(cls.arch), path)}


class TestFactorized(_ZooContract):
    arch = "bmshj2018-factorized"


class TestMeanScaleHyperprior(_ZooContract):
    arch = "mbt2018-mean"


class TestAutoregressive(_ZooContract):
    arch = "mbt2018"


def _compressai(arch: str, checkpoint: str) -> tuple[list[bytes], np.ndarray]:
    """Return the strings and pixels that CompressAI's own ``compress`` and ``decompress`` make."""
    network = zoo.model_architectures[arch].from_state_dict(torch.load(checkpoint)).eval()
    height, width = PICTURE.pixels.shape[:2]
    padded = np.pad(PICTURE.pixels, ((0, -height % 64), (0, -width % 64), (0, 0)), "edge")
    with torch.inference_mode():
        coded = network.compress(torch.from_numpy(padded).permute(2, 0, 1)[None] / 255)
        made = network.decompress(coded["strings"], coded["shape"])["x_hat"][0, :, :height, :width]
    pixels = (made * 255).round().byte().permute(1, 2, 0).numpy()
    return [string[0] for string in reversed(coded["strings"])], pixels


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_strings_and_pixels_are_compressais_own(arch: str, checkpoints: dict[str, str]) -> None:
    codec = Zoo(arch, checkpoint=checkpoints[arch])
    stream = codec.encode(PICTURE, 1)
    expected, pixels = _compressai(arch, checkpoints[arch])
    assert len(expected[-1]) > 100, "the network codes nothing"
    assert stream.endswith(strings.pack_strings(expected))
    assert len(stream) <= 20 + 1 + 4 + 2 + sum(map(len, expected))
    assert np.abs(codec.decode(stream).astype(int) - pixels).max() <= 1


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_tiles_equal_the_whole(arch: str, checkpoints: dict[str, str]) -> None:
    coder = zoo.load_rate(Path(checkpoints[arch]), arch, place("cpu", "float32")).coder
    pixels = torch.rand(1, 3, 64, 960, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = coder.analysis(pixels)
        assert (in_tiles(coder.analysis, pixels, 64, coder.halo) - whole).abs().max() < 1e-3
        made = coder.synthesis(whole)
        assert (in_tiles(coder.synthesis, whole, 4, coder.halo // 16) - made).abs().max() < 1e-3


@pytest.mark.parametrize("arch", ["mbt2018-mean", "mbt2018"])
def test_many_symbols_go_into_several_strings(
    arch: str, checkpoints: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = Zoo(arch, checkpoint=checkpoints[arch])
    whole = codec.encode(PICTURE, 1)
    pixels = codec.decode(whole)
    monkeypatch.setattr(strings, "SEGMENT_SYMBOLS", 100)
    parted = codec.encode(PICTURE, 1)
    assert len(parted) > len(whole) + 40
    assert np.array_equal(codec.decode(parted), pixels)
    with pytest.raises(CodecError):
        codec.decode(whole)


def test_each_quality_has_its_own_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoints: dict[str, str]
) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    for quality in (2, 5):
        path = Path(networks.save(networks.untrained("mbt2018-mean", quality), tmp_path / "new.pth"))
        name = f"mbt2018-mean-{quality}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth.tar"
        path.rename(tmp_path / name)
        monkeypatch.setitem(model_urls["mbt2018-mean"]["mse"], quality, f"https://example.invalid/{name}")
    codec = Zoo(qualities="5,2")
    assert codec.info.qualities == (2.0, 5.0)
    assert codec.info.scale.best == 8
    streams = [codec.encode(PICTURE, quality) for quality in (2, 5)]
    assert streams[0][10:16] != streams[1][10:16]
    for stream in streams:
        assert codec.decode(stream).shape == PICTURE.pixels.shape
    with pytest.raises(CodecError, match=r"quality 3 is not loaded, only 2, 5.*qualities"):
        codec.encode(PICTURE, 3)
    with pytest.raises(CodecError, match="quality 5 is not loaded, only 2"):
        Zoo(qualities="2").decode(streams[1])
    with pytest.raises(CodecError, match="made for the weights"):
        Zoo(checkpoint=checkpoints["mbt2018-mean"]).decode(_requalified(streams[0], 0))


def _requalified(stream: bytes, index: int) -> bytes:
    header, payload = bitstream.unseal(stream, bitstream.Kind.ZOO)
    return bitstream.seal(header, bytes([index]) + payload[1:])


def test_offline_message_names_file_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setitem(
        model_urls["mbt2018"]["mse"], 3, "http://127.0.0.1:9/models/mbt2018-3-22901978.pth.tar"
    )
    with pytest.raises(MissingBackendError) as caught:
        Zoo("mbt2018", qualities="3")
    for words in ("mbt2018-3-22901978.pth.tar", "CompressAI", "22901978", str(tmp_path / "weights")):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"arch": "mbt"}, "'arch' must be one of bmshj2018-factorized"),
        ({"metric": "psnr"}, "'metric' must be one of"),
        ({"qualities": "1-3"}, "'qualities' must be 'all' or like"),
        ({"qualities": "9"}, "expected 1 to 8, got 9"),
        ({"arch": "cheng2020-attn", "qualities": "7"}, "expected 1 to 6, got 7"),
        ({"checkpoint": "nowhere.pth"}, "cannot read the checkpoint nowhere.pth"),
        ({"device": "gramophone"}, "'device': 'gramophone' cannot be used"),
        ({"device": "meta"}, "'device': 'meta' cannot be used"),
        ({"dtype": "int8"}, "'dtype' must be one of float32, bfloat16"),
    ],
)
def test_wrong_parameters_are_told(parameters: dict[str, str], words: str) -> None:
    with pytest.raises(CodecError, match=words):
        Zoo(**parameters)


class _Harm:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return (Path.touch, (Path("harm"),))  # type: ignore[return-value]


def test_checkpoints_that_are_none_are_refused(
    tmp_path: Path, checkpoints: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "some.pth"

    def refusal(content: object, arch: str = "mbt2018-mean") -> str:
        torch.save(content, path)
        with pytest.raises(CodecError) as caught:
            Zoo(arch, checkpoint=str(path))
        return str(caught.value)

    good = torch.load(checkpoints["mbt2018-mean"])
    assert "cannot read" in refusal({"state_dict": _Harm()})
    assert not (tmp_path / "harm").exists()
    assert "named tensors" in refusal([1, 2])
    assert "named tensors" in refusal({"epoch": 3})
    assert "holds no mbt2018-mean" in refusal({"weight": torch.zeros(3)})
    assert "holds no cheng2020-anchor" in refusal(good, "cheng2020-anchor")
    assert "update()" in refusal(zoo.model_architectures["mbt2018-mean"](8, 12).state_dict())
    for change in (lambda cdf: cdf.mul_(2), lambda cdf: cdf.fill_(0), lambda cdf: cdf[:, 1].sub_(1)):
        bad = copy.deepcopy(good)
        change(bad["gaussian_conditional._quantized_cdf"])
        assert "probability table" in refusal(bad)
    bad = copy.deepcopy(good)
    bad["entropy_bottleneck._cdf_length"] += 2**20
    assert "probability table" in refusal(bad)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(CodecError, match="cannot read"):
        Zoo(checkpoint=str(path))


def test_training_scripts_checkpoints_load(tmp_path: Path, checkpoints: dict[str, str]) -> None:
    path = tmp_path / "checkpoint.pth.tar"
    state = torch.load(checkpoints["mbt2018-mean"])
    torch.save({"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in state.items()}}, path)
    plain = Zoo(checkpoint=checkpoints["mbt2018-mean"])
    wrapped = Zoo(checkpoint=str(path))
    assert wrapped.encode(PICTURE, 1)[20:] == plain.encode(PICTURE, 1)[20:]
    assert wrapped.info.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def _compiled(name: str) -> str:
    """Return what torch.compile of each part of a network makes of a tensor's name."""
    part, _, rest = name.partition(".")
    return f"{part}._orig_mod.{rest}"


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize(
    "rename",
    [
        lambda name: name,
        lambda name: f"_orig_mod.{name}",
        lambda name: f"module._orig_mod.{name}",
        lambda name: f"_orig_mod.module.{name}",
        _compiled,
    ],
)
def test_checkpoints_of_compiled_networks_load(
    tmp_path: Path, checkpoints: dict[str, str], key: str, rename: Callable[[str], str]
) -> None:
    """As torch.compile names them, and as catalyst keeps them beside an optimizer's state."""
    path = tmp_path / "checkpoint.pth"
    state = torch.load(checkpoints["mbt2018-mean"])
    renamed = {rename(name): tensor for name, tensor in state.items()}
    torch.save({"optimizer_state_dict": {"state": {}}, key: renamed, "epoch": 3}, path)
    plain, wrapped = (
        Zoo(checkpoint=str(checkpoint_path)) for checkpoint_path in (checkpoints["mbt2018-mean"], path)
    )
    expected = plain.decode(plain.encode(PICTURE, 1))
    assert np.array_equal(wrapped.decode(wrapped.encode(PICTURE, 1)), expected)


def test_a_checkpoint_that_holds_a_tensor_twice_is_refused(
    tmp_path: Path, checkpoints: dict[str, str]
) -> None:
    path = tmp_path / "twice.pth"
    state = torch.load(checkpoints["mbt2018-mean"])
    torch.save(state | {"_orig_mod.g_a.0.weight": state["g_a.0.weight"] + 1}, path)
    with pytest.raises(CodecError, match=r"twice\.pth holds 'g_a\.0\.weight' twice"):
        Zoo(checkpoint=str(path))


def test_latents_that_are_no_numbers_are_refused(tmp_path: Path, checkpoints: dict[str, str]) -> None:
    state = torch.load(checkpoints["mbt2018-mean"])
    for value in (float("nan"), 1e12):
        state["g_a.6.bias"].fill_(value)
        torch.save(state, tmp_path / "bad.pth")
        with pytest.raises(CodecError, match="no numbers or not below"):
            Zoo(checkpoint=str(tmp_path / "bad.pth")).encode(PICTURE, 1)


def test_symbols_that_differ_are_seen(checkpoints: dict[str, str]) -> None:
    """Another machine's rounding of the scales would desynchronise the range decoder; here it is forced."""
    codec = Zoo(checkpoint=checkpoints["mbt2018-mean"])
    header, payload = bitstream.unseal(codec.encode(PICTURE, 1), bitstream.Kind.ZOO)
    for position in (1, 2, 3, 4, 30, len(payload) - 30):
        damaged = bytearray(payload)
        damaged[position] ^= 16
        with pytest.raises(CodecError, match="checksum"):
            codec.decode(bitstream.seal(header, bytes(damaged)))


@pytest.mark.gpu
def test_gpu_streams_decode_on_the_cpu(checkpoints: dict[str, str]) -> None:
    if not torch.cuda.is_available():
        pytest.skip("gpu: no CUDA device")
    for arch in ("mbt2018-mean", "cheng2020-attn"):
        on_gpu, on_cpu = (
            Zoo(arch, checkpoint=checkpoints[arch], device=device) for device in ("cuda", "cpu")
        )
        stream = on_gpu.encode(PICTURE, 1)
        difference = np.abs(on_gpu.decode(stream).astype(int) - on_cpu.decode(stream))
        assert difference.max() <= on_gpu.info.tolerance_levels
