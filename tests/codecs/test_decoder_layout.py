"""On a CPU decoders run with their channels last: as before to a level, and encoders write the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import networks
import pytest
import torch
from canvas import small_canvas

from codecarena.codecs import registry
from codecarena.codecs.base import Codec, Picture
from codecarena.codecs.contract import largest_difference, photograph
from codecarena.codecs.devices import in_fast_layout
from codecarena.codecs.generative.latent.embedded import EmbeddedBackend
from codecarena.codecs.learned.hyperprior import Hyperprior
from codecarena.codecs.learned.transform import place
from codecarena.codecs.learned.zoo import load_rate

CASES = ("hfd", "hyperprior", "latent", "layered", "zoo")


def has_channels_last(network: torch.nn.Module) -> bool:
    """Whether each convolution that sees more than one pixel has its channels last."""
    weights = [weight for weight in network.parameters() if weight.dim() == 4 and min(weight.shape[1:]) > 1]
    assert weights
    last = {weight.is_contiguous(memory_format=torch.channels_last) for weight in weights}
    assert len(last) == 1
    return last.pop()


def created(name: str, checkpoint: Path) -> Codec:
    parameters: dict[str, registry.Value] = {"steps": 2} if name == "layered" else {}
    if name == "zoo":
        parameters = {"checkpoint": networks.save(networks.showing("mbt2018-mean"), checkpoint)}
    return registry.create(name, parameters)


@pytest.mark.parametrize("name", CASES)
def test_pixels_are_those_of_the_plain_layout_to_a_level(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Picture(photograph(97, 131))
    with small_canvas():
        fast = created(name, tmp_path / "checkpoint.pth")
        monkeypatch.setattr(torch, "channels_last", torch.contiguous_format)
        plain = created(name, tmp_path / "checkpoint.pth")
        best = fast.info.qualities[-1]
        stream = plain.encode(picture, best)
        assert fast.encode(picture, best) == stream
        assert largest_difference(fast.decode(stream), plain.decode(stream)) <= 1


def test_decoders_have_it_and_what_writes_bytes_has_not(tmp_path: Path) -> None:
    forward, back = Hyperprior()._transforms
    assert (has_channels_last(forward), has_channels_last(back)) == (False, True)
    coder = Hyperprior()._coder
    assert not has_channels_last(coder._analysis.__self__.h_a)
    path = Path(networks.save(networks.showing("mbt2018"), tmp_path / "checkpoint.pth"))
    transforms = load_rate(path, "mbt2018", place("cpu", "float32")).coder
    assert not has_channels_last(transforms.analysis)
    assert has_channels_last(transforms.synthesis)
    assert not has_channels_last(transforms.coder._hyper_synthesis)
    backend = EmbeddedBackend.load("cpu", torch.float32)
    assert not has_channels_last(backend._autoencoder.encoder)
    assert has_channels_last(backend._autoencoder.decoder)
    assert has_channels_last(backend._flow)


def test_another_device_keeps_its_layout() -> None:
    network = torch.nn.Conv2d(4, 8, 3, device="meta")
    assert not has_channels_last(in_fast_layout(network))


@contextmanager
def arithmetic() -> Iterator[set[tuple[bool, bool, bool]]]:
    """Note, whenever a network runs, whether gradients, TF32 and cuDNN's choice of algorithms are on."""
    seen: set[tuple[bool, bool, bool]] = set()

    def note(*_: object) -> None:
        cudnn = torch.backends.cudnn
        seen.add((not torch.is_inference_mode_enabled(), cudnn.allow_tf32, not cudnn.deterministic))

    handle = torch.nn.modules.module.register_module_forward_pre_hook(note)
    try:
        yield seen
    finally:
        handle.remove()


@pytest.mark.parametrize("name", CASES)
def test_networks_run_as_exactly_on_a_gpu_as_on_a_cpu(name: str, tmp_path: Path) -> None:
    """CPU only: what is proven is what PyTorch is told, not what a GPU makes of it."""
    codec = created(name, tmp_path / "checkpoint.pth")
    with arithmetic() as seen:
        codec.decode(codec.encode(Picture(photograph(64, 96)), codec.info.qualities[-1]))
    assert seen == {(False, False, False)}
    assert torch.backends.cudnn.allow_tf32  # what it was before
