"""Streams decode where vectors are shorter: one process for each instruction set decodes with every codec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networks
import numpy as np
import pytest
import torch
from canvas import small_canvas
from fresh_process import FreshProcess

from codecarena.codecs import instruction_sets, registry
from codecarena.codecs.base import Picture
from codecarena.codecs.contract import largest_difference, photograph
from codecarena.codecs.instruction_sets import OLDER, InstructionSet
from codecarena.codecs.learned.library import EntropyBottleneck, GaussianConditional
from codecarena.codecs.learned.made_tables import exact_scales, remake_tables
from codecarena.codecs.learned.transform import place
from codecarena.codecs.learned.zoo import ARCHITECTURES, load_rate

CASES: list[tuple[str, dict[str, registry.Value]]] = [
    ("hfd", {}),
    ("hyperprior", {}),
    ("latent", {}),
    ("layered", {"steps": 2}),
    ("layered", {"decoder": "sketch"}),
]
"""Codecs with weights of their own; those of zoo and illm are tested by latents and tables below."""

DECODE_LATENTS = """
import numpy, torch
from codecarena.codecs.learned.transform import place
from codecarena.codecs.learned.zoo import load_rate
from pathlib import Path
path, arch, payload, height, width, saved = arguments
coder = load_rate(Path(path), arch, place("cpu", "float32")).coder.coder
with torch.inference_mode():
    numpy.save(saved, coder.decode(bytes.fromhex(payload), height, width).numpy())
"""

MADE_TABLES = """
import numpy, torch
from codecarena.codecs.learned.library import EntropyBottleneck, GaussianConditional
from codecarena.codecs.learned.made_tables import remake_tables
random = numpy.random.default_rng(0)
bottleneck, gaussians = EntropyBottleneck(320), GaussianConditional(None)
with torch.no_grad():
    for values in (*bottleneck.matrices, *bottleneck.factors, *bottleneck.biases):
        values.copy_(torch.from_numpy(random.random(values.shape) * 2 - 0.5))
    bottleneck.quantiles.copy_(torch.from_numpy((2 + 30 * random.random((320, 1, 1))) * (-1, 0, 1)))
bottleneck.update()
gaussians.update_scale_table(torch.exp(torch.linspace(-2.2072749, 5.5451775, 64)))
for model in (bottleneck, gaussians):
    remake_tables(model)
answer = [model.quantized_cdf.tolist() for model in (bottleneck, gaussians)]
answer += gaussians.scale_table.float().tolist()
"""


@pytest.fixture(scope="module", params=OLDER, ids=lambda older: older.name)
def older(request: pytest.FixtureRequest) -> InstructionSet:
    return request.param


@pytest.fixture(scope="module")
def older_process(older: InstructionSet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshProcess]:
    """Return the process that decodes under an instruction set; skip where that changes no sum."""
    process = FreshProcess(tmp_path_factory.mktemp("older"), older)
    if process.run("from codecarena.codecs.instruction_sets import arithmetic; answer = arithmetic()") == (
        instruction_sets.arithmetic()
    ):
        process.close()
        pytest.skip(f"by design: {instruction_sets.not_tested(older)}")
    yield process
    process.close()


@pytest.mark.parametrize(("name", "parameters"), CASES, ids=str)
def test_every_codec_decodes_alike(
    name: str, parameters: dict[str, registry.Value], older_process: FreshProcess
) -> None:
    with small_canvas():
        codec = registry.create(name, parameters)
        best = codec.info.qualities[-1]
        streams = [codec.encode(Picture(photograph(97, 131)), best)]
        here = [codec.decode(stream) for stream in streams]
    there = older_process.decode(name, parameters, streams, on_small_canvas=True)
    for expected, pixels in zip(here, there, strict=True):
        assert largest_difference(expected, pixels) <= codec.info.tolerance_levels


@pytest.mark.parametrize("arch", [arch for arch in ARCHITECTURES if arch != "cheng2020-attn"])
def test_many_latents_decode_alike(
    arch: str, older: InstructionSet, older_process: FreshProcess, tmp_path: Path
) -> None:
    """In float32 a scale near a threshold chooses another table: so many latents have some of them."""
    one_by_one = arch in ("mbt2018", "cheng2020-anchor")
    height, width = (24, 32) if one_by_one else (128, 192)
    path = Path(networks.save(networks.untrained(arch), tmp_path / "checkpoint.pth"))
    coder = load_rate(path, arch, place("cpu", "float32")).coder.coder
    channels = 8 if arch.startswith("cheng") else 12
    latents = 8 * torch.randn(1, channels, height, width, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        payload, decoded = coder.encode(latents)
    saved = tmp_path / "latents.npy"
    older_process.run(DECODE_LATENTS, str(path), arch, payload.hex(), height, width, str(saved))
    assert np.array_equal(np.load(saved), decoded.numpy()), older.name


def test_tables_that_a_file_lacks_are_made_alike(older_process: FreshProcess) -> None:
    """MS-ILLM's published files hold none: every process makes them."""
    names: dict[str, Any] = {}
    exec(MADE_TABLES, names)
    assert older_process.run(MADE_TABLES) == names["answer"]


def test_made_tables_are_those_of_the_library_to_a_count() -> None:
    torch.manual_seed(7)
    bottleneck, gaussians = EntropyBottleneck(40), GaussianConditional(None)
    bottleneck.update()
    scales = torch.exp(torch.linspace(float(np.log(0.11)), float(np.log(256)), 64))
    gaussians.update_scale_table(scales)
    for model in (bottleneck, gaussians):
        table, length, offset = (
            values.clone() for values in (model.quantized_cdf, model.cdf_length, model.offset)
        )
        remake_tables(model)
        assert torch.equal(model.cdf_length, length)
        assert torch.equal(model.offset, offset)
        differing = (model.quantized_cdf != table).any(1)
        assert differing.float().mean() < 0.1
        widths, expected = (np.diff(rows.numpy(), axis=1)[:, :-1] for rows in (model.quantized_cdf, table))
        assert np.abs(widths - expected).max() <= 2


def test_scales_are_made_anew_only_where_they_are_a_geometric_series() -> None:
    exact = 0.11 * (256 / 0.11) ** (np.arange(64) / 63)
    rounded = torch.tensor(exact, dtype=torch.float32)
    assert np.abs(exact_scales(rounded).numpy() / exact - 1).max() < 1e-12
    other = torch.tensor([0.5, 1.0, 3.0, 7.0])
    assert exact_scales(other).tolist() == other.tolist()


def test_a_process_is_asked_whether_the_settings_change_anything() -> None:
    nothing = InstructionSet("nothing", {"CODECARENA_NO_SUCH_VARIABLE": "1"})
    assert not instruction_sets.changes_arithmetic(nothing)
    assert "not tested" in instruction_sets.not_tested(nothing)
