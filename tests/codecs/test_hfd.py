"""HFD on small random networks: the path of the bytes, the seeds, the tiles, the groups and the refusals."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from codecarena.codecs import contract, pretrained, registry
from codecarena.codecs.base import CodecError, Picture
from codecarena.codecs.generative.hfd import decoder, diffusion, flow
from codecarena.codecs.generative.hfd.network import DetailNetwork


@pytest.fixture(scope="module")
def network() -> DetailNetwork:
    """A random network whose output is not zero."""
    torch.manual_seed(1)
    made = DetailNetwork(rates=3).eval().requires_grad_(False)
    torch.nn.init.normal_(made.unet.leave.weight, std=0.05)
    torch.nn.init.normal_(made.mean.leave.weight, std=0.05)
    made.covariances.copy_(torch.tensor([0.2, 0.1, 0.05])[:, None, None] ** 2 * torch.eye(3))
    return made


def coarse(height: int, width: int) -> torch.Tensor:
    pixels = contract.photograph(height, width)
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())[None].float() / 127.5 - 1


def save(network: DetailNetwork, path: Path, said: dict[str, str]) -> None:
    save_file(network.state_dict(), path, {pretrained.METADATA_KEY: json.dumps(said)})


def unchanged(state: torch.Tensor, _time: float) -> torch.Tensor:
    return state


def how(mode: decoder.Mode = "flow", *, steps: int = 2, groups: bool = False) -> decoder.Sampling:
    return decoder.Sampling(mode, steps, 0.2, 1.0, groups)


@pytest.mark.parametrize(("mode", "height", "width"), [("flow", 592, 160), ("diffusion", 160, 656)])
def test_tiles_equal_the_whole(
    network: DetailNetwork, mode: decoder.Mode, height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rough = coarse(height, width)
    whole = decoder.Detail(network).draw(rough, 1.0, how(mode), seed=3)
    monkeypatch.setattr(decoder, "TILE", 128)
    tiled = decoder.Detail(network).draw(rough, 1.0, how(mode), seed=3)
    assert float((tiled - whole).abs().max()) < 1e-3
    assert float((whole - rough).abs().mean()) > 1e-3


@pytest.mark.parametrize("groups", [False, True], ids=["whole", "groups"])
@pytest.mark.parametrize("mode", ["flow", "diffusion"])
def test_the_state_stays_where_the_network_is(
    network: DetailNetwork, mode: decoder.Mode, groups: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device without numbers stands in for a GPU: what mixes it with the CPU raises."""
    there = copy.deepcopy(network).to("meta")
    brought_back: list[torch.device] = []
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: brought_back.append(tensor.device) or tensor)
    drawn = decoder.Detail(there).draw(coarse(96, 320), 1.0, how(mode, steps=3, groups=groups), seed=3)
    assert brought_back == [torch.device("meta")]
    assert drawn.shape == (1, 3, 96, 320)


@pytest.mark.parametrize("mode", ["flow", "diffusion"])
def test_one_seed_is_bit_equal_and_two_differ(network: DetailNetwork, mode: decoder.Mode) -> None:
    rough = coarse(49, 67)
    first, again, other = (
        decoder.Detail(network).draw(rough, 0.5, how(mode), seed=seed) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == rough.shape


@pytest.mark.parametrize("mode", ["flow", "diffusion"])
def test_groups_leave_no_seams(
    network: DetailNetwork, mode: decoder.Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "PATCH", 64)
    rough = coarse(192, 192)
    drawn = decoder.Detail(network).draw(rough, 1.0, how(mode, steps=4, groups=True), seed=3)
    for pixels in (drawn, drawn.mT):
        steps = pixels.diff(dim=3).abs().mean((0, 1, 2))
        borders = steps[[63, 127]].mean()
        interior = torch.cat([steps[60:63], steps[64:67], steps[124:127], steps[128:131]]).mean()
        assert float((borders / interior - 1).abs()) < 0.05


def test_a_perfect_velocity_leads_to_the_original() -> None:
    original, rough = coarse(32, 32), coarse(32, 32) * 0.9
    begun = flow.start(rough, torch.tensor(0.1), 0.2, torch.randn(rough.shape))
    ended = flow.sample(lambda *_: original - begun, begun, 5, unchanged)
    assert torch.allclose(ended, original, atol=1e-5)


@pytest.mark.parametrize("steps", [1, 8, 32])
@pytest.mark.parametrize("start", [1.0, 0.5])
def test_a_perfect_prediction_leads_to_the_residual(steps: int, start: float) -> None:
    residual = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))

    def predict(state: torch.Tensor, time: float) -> torch.Tensor:
        alpha, sigma = diffusion.signal_and_noise(torch.tensor(time), 0.5)
        noise = (state - alpha * residual) / sigma
        return alpha * noise - sigma * residual

    drawn = diffusion.sample(
        predict,
        torch.randn(residual.shape),
        steps,
        0.5,
        start,
        0.3,
        lambda: torch.randn(residual.shape),
        unchanged,
    )
    assert torch.allclose(drawn, residual, atol=0.02)


@pytest.mark.parametrize(("shift", "share"), [(1.0, 0.13), (0.5, 0.24), (0.25, 0.43)])
def test_the_shift_moves_the_schedule_towards_less_noise(shift: float, share: float) -> None:
    alpha, sigma = diffusion.signal_and_noise(torch.linspace(0.0005, 0.9995, 1000), shift)
    ratio = sigma / alpha
    assert float(ratio.median()) == pytest.approx(shift, rel=0.01)
    # How much of the time has little noise: the figures are arithmetic, from the definition of the schedule.
    assert float((ratio < 0.2).float().mean()) == pytest.approx(share, abs=0.01)


def test_diffusers_follows_the_same_schedule() -> None:
    betas = diffusion.betas(0.5, 1.0)
    alpha, _ = diffusion.signal_and_noise(torch.arange(1, 1001) / 1000, 0.5)
    kept = np.cumprod(1 - betas)
    assert np.allclose(kept[:-5], alpha.double().square().numpy()[:-5], atol=1e-4)


class TestStreams:
    """The embedded decoders' streams, and what is refused."""

    def test_the_stream_is_the_autoencoders_and_a_few_bytes(self) -> None:
        picture = Picture(contract.photograph())
        first, second = registry.create("hyperprior"), registry.create("hfd")
        for quality in (1, 2.5, 6):
            assert 0 < len(second.encode(picture, quality)) - len(first.encode(picture, quality)) <= 16

    def test_the_settings_travel_in_the_stream(self) -> None:
        stream = registry.create("hfd", {"steps": 1, "seed": 7}).encode(Picture(contract.photograph()), 2)
        plain = registry.create("hfd")
        other = registry.create("hfd", {"steps": 3, "noise": 0.4, "seed": 1})
        assert np.array_equal(plain.decode(stream), other.decode(stream))
        assert not np.array_equal(plain.decode(stream), plain.decode(stream, seed=8))

    @pytest.mark.parametrize("name", ["hfd", "layered"])
    def test_seeds_out_of_range_are_refused(self, name: str) -> None:
        codec = registry.create(name)
        stream = codec.encode(Picture(contract.photograph(20, 20)), 2)
        for seed in (-1, 2**32, 2**70):
            with pytest.raises(CodecError, match="'seed' must lie between 0 and 4294967295"):
                codec.decode(stream, seed=seed)

    def test_a_flow_decoder_refuses_a_diffusion_stream(self) -> None:
        stream = registry.create("hfd", {"mode": "diffusion"}).encode(Picture(contract.photograph()), 2)
        with pytest.raises(CodecError, match="made for the weights"):
            registry.create("hfd").decode(stream)

    def test_a_decoder_of_another_autoencoder_is_refused(
        self, tmp_path: Path, network: DetailNetwork
    ) -> None:
        path = tmp_path / "decoder.safetensors"
        said = {"mode": "flow", "rates": "3", "autoencoder": "hyperprior", "qualities": "1,2,3"}
        save(network, path, {**said, "autoencoder_weights": "00" * 6})
        with pytest.raises(CodecError, match="trained on pictures of the weights 000000000000"):
            registry.create("hfd", {"decoder": str(path)})
        pretrained.load.cache_clear()
        save(network, path, {**said, "autoencoder": "zoo"})
        with pytest.raises(CodecError, match="of the autoencoder 'zoo', not of 'hyperprior'"):
            registry.create("hfd", {"decoder": str(path)})

    def test_a_decoder_for_the_zoo_is_asked_for_before_the_zoo(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else its weights would be fetched first, only to be refused."""
        monkeypatch.delenv("CODECARENA_ALLOW_DOWNLOADS", raising=False)
        with pytest.raises(CodecError, match=r"of 'zoo'. Train a decoder for it: .*training hfd --autoenc"):
            registry.create("hfd", {"autoencoder": "zoo", "arch": "mbt2018-mean"})

    @pytest.mark.parametrize(
        "given",
        [{"steps": 101}, {"noise": 0.5}, {"mode": "gan"}, {"start": 0.0}, {"seed": -1}, {"groups": "yes"}],
        ids=str,
    )
    def test_parameters_out_of_range_are_refused(self, given: dict[str, registry.Value]) -> None:
        with pytest.raises(CodecError, match="must"):
            registry.create("hfd", given)
