"""Networks compute in bfloat16 where the processor can, and what chooses tables and means never does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from canvas import small_canvas

from codecarena.codecs import registry
from codecarena.codecs.base import MissingBackendError, Picture
from codecarena.codecs.contract import largest_difference, photograph
from codecarena.codecs.devices import find_dtype
from codecarena.codecs.learned.hyperprior import Hyperprior

pytestmark = pytest.mark.usefixtures("any_processor_multiplies_in_bfloat16")


@pytest.fixture(scope="module", autouse=True)
def canvas() -> Iterator[None]:
    with small_canvas(64 * 64):
        yield


FEWER_BITS: list[tuple[str, dict[str, registry.Value]]] = [
    ("hyperprior", {}),
    ("hfd", {"steps": 1}),
    ("hfd", {"steps": 2, "mode": "diffusion"}),
    ("layered", {"steps": 1, "guidance": 1.0}),
]


@pytest.mark.slow("convolutions in bfloat16 are slow on a CPU without instructions for them")
@pytest.mark.parametrize(("name", "parameters"), FEWER_BITS)
def test_networks_of_fewer_bits_still_code(name: str, parameters: dict[str, registry.Value]) -> None:
    """Either side may compute in bfloat16: what chooses tables and means does so in float32 or double."""
    if missing := registry.find(name).missing:
        pytest.skip(missing)
    whole, fewer = (registry.create(name, parameters | {"dtype": dtype}) for dtype in ("float32", "bfloat16"))
    picture = Picture(photograph(48, 64))
    quality = whole.info.qualities[-1]
    bitstream = fewer.encode(picture, quality)
    assert registry.create(name, parameters | {"dtype": "bfloat16"}).encode(picture, quality) == bitstream
    decoded = [codec.decode(bitstream).astype(float) for codec in (whole, fewer, fewer)]
    assert np.array_equal(decoded[1], decoded[2])
    assert largest_difference(whole.decode(bitstream), fewer.decode(bitstream)) > 0  # it is handed over
    assert np.abs(decoded[0] - decoded[1]).max() <= fewer.info.tolerance_levels
    assert fewer.info.tolerance_levels > whole.info.tolerance_levels
    assert np.sqrt(np.square(decoded[0] - decoded[1]).mean()) < 2


@pytest.mark.parametrize("name", ["hyperprior", "hfd", "latent", "layered"])
def test_a_codec_says_that_the_processor_has_no_bfloat16(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32 it decodes such streams all the same: see the test of networks of fewer bits."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "avx512_f": True})
    with pytest.raises(
        MissingBackendError, match=r"'bfloat16' cannot be used here.*'float32' decodes its str"
    ):
        registry.create(name, {"dtype": "bfloat16"})


@pytest.mark.parametrize("flag", ["avx512_bf16", "amx_bf16", "bf16"])
def test_each_kind_of_processor_that_has_bfloat16_is_known(
    flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {flag: True})
    assert find_dtype("bfloat16", torch.device("cpu")) is torch.bfloat16
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {flag: False, "amx_tile": True})
    with pytest.raises(MissingBackendError):
        find_dtype("bfloat16", torch.device("cpu"))
    assert find_dtype("bfloat16", torch.device("meta")) is torch.bfloat16  # another device has its own
    assert find_dtype("float16", torch.device("cpu")) is torch.float16
    monkeypatch.delattr(torch.cpu, "get_capabilities")  # an older PyTorch cannot tell
    with pytest.raises(MissingBackendError):
        find_dtype("bfloat16", torch.device("cpu"))


def test_what_chooses_tables_and_means_keeps_its_precision_in_bfloat16() -> None:
    def formats(network: torch.nn.Module) -> set[torch.dtype]:
        return {tensor.dtype for tensor in network.state_dict().values() if tensor.is_floating_point()}

    codec = Hyperprior(dtype="bfloat16")
    assert [formats(transform) for transform in codec._transforms] == [{torch.bfloat16}] * 2
    kept = codec._coder._analysis.__self__  # a method of the network that codes latents
    assert torch.bfloat16 not in formats(kept)
    scales, means = codec._coder._parameters(torch.zeros(1, kept.h_a[-1].out_channels, 4, 4).double())
    assert means is not None
    assert {scales.dtype, means.dtype} == {torch.float64}
