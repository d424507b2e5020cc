"""Stable Diffusion as the layered codec's decoder: pipelines of random weights, saved and loaded for real.

diffusers takes seconds to load, and every worker imports this file: tests import it.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

if importlib.util.find_spec("diffusers") is None:
    pytest.skip("diffusers is not installed", allow_module_level=True)

import torch
from tiny_diffusion import MAKERS, SMALL, STANDING, Maker, adapters, controlnets, layers, save_models

from codecarena.codecs.base import CodecError, Picture
from codecarena.codecs.contract import largest_difference, photograph
from codecarena.codecs.generative.layered.codec import Layered
from codecarena.codecs.generative.layered.coding.layers import LayerDecoder, Layers, canvas_size
from codecarena.codecs.generative.layered.decoding.decoders import DECODERS


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session", params=MAKERS)
def decoder(request: pytest.FixtureRequest, models: Path) -> LayerDecoder:
    return MAKERS[request.param](models)


def paint(decoder: LayerDecoder, layers_given: Layers, seed: int) -> np.ndarray:
    """What a decoder paints by its own settings."""
    return decoder.decode(layers_given, seed, decoder.settings)


@pytest.mark.parametrize(
    "kinds",
    [
        "caption",
        "caption edges",
        "caption skeletons",
        "caption edges colours",
        "caption skeletons colours",
        "caption colours",
    ],
)
def test_each_layer_steers_and_the_seed_decides_the_rest(decoder: LayerDecoder, kinds: str) -> None:
    painted = paint(decoder, layers(kinds), seed=7)
    assert painted.shape == (64, 64, 3)
    assert painted.dtype == np.uint8
    assert painted.flags.c_contiguous
    np.testing.assert_array_equal(painted, paint(decoder, layers(kinds), seed=7))
    assert (painted != paint(decoder, layers(kinds), seed=8)).any()
    for kind in kinds.split():
        assert (painted != paint(decoder, layers(kinds, changed=kind), seed=7)).any(), kind


def test_layers_add_up(decoder: LayerDecoder) -> None:
    streams = ("caption", "caption edges", "caption edges colours", "caption colours", "caption skeletons")
    painted = {paint(decoder, layers(kinds), seed=7).tobytes() for kinds in streams}
    assert len(painted) == len(streams)


def test_stream_without_any_layer_decodes(decoder: LayerDecoder) -> None:
    empty = paint(decoder, Layers(64, 64), seed=7)
    assert (empty != paint(decoder, layers("caption"), seed=7)).any()


def test_scale_zero_is_as_if_the_layer_were_not_there(models: Path) -> None:
    deaf = adapters(models, structure_scale=0.0, colour_scale=0.0)
    painted = paint(deaf, layers("caption edges colours"), seed=7)
    np.testing.assert_array_equal(painted, paint(deaf, layers("caption"), seed=7))


@pytest.mark.parametrize(("width", "height"), [(768, 512), (512, 768), (1, 1), (3000, 7)])
def test_canvas_has_the_aspect_of_the_picture(models: Path, width: int, height: int) -> None:
    area = 192 * 128
    decoder = adapters(models, canvas_area=area, steps=1)
    across, down = canvas_size(width, height, area)
    painted = paint(decoder, layers("caption skeletons colours", width=width, height=height), seed=1)
    assert painted.shape == (down, across, 3)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_schedulers_take_different_ways(models: Path, make: Maker) -> None:
    from codecarena.codecs.generative.layered.decoding.stable_diffusion import SCHEDULERS

    conditions = layers("caption edges colours")
    painted = [paint(make(models, scheduler=name, steps=4), conditions, 1).tobytes() for name in SCHEDULERS]
    assert len(set(painted)) == len(SCHEDULERS)


def test_caption_is_cut_to_what_the_text_encoder_reads(decoder: LayerDecoder) -> None:
    long = "an old barn " * 40
    longer = Layers(64, 64, caption=long + "by the sea")
    painted = paint(decoder, Layers(64, 64, caption=long), seed=3)
    np.testing.assert_array_equal(painted, paint(decoder, longer, seed=3))


def test_caption_may_hold_anything(decoder: LayerDecoder) -> None:
    odd = "caf\u00e9 \N{SNOWMAN} <|endoftext|> \0 \n" + "x" * 500
    assert paint(decoder, Layers(64, 64, caption=odd), seed=3).shape == (64, 64, 3)


FACES = {
    "t2i-adapter": ("base", "sketch_adapter", "pose_adapter", "colour_adapter"),
    "controlnet": ("base", "edge_controlnet", "pose_controlnet"),
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("structure", ["canny", "openpose"])
def test_pictures_go_through_the_stream(models: Path, tmp_path: Path, face: str, structure: str) -> None:
    options = {name: str(models / name) for name in FACES[face]} | SMALL | {"edge_rows": 32}
    if structure == "openpose":
        points = [number for x, y in STANDING for number in (x * 75, y * 50, 0.9)]
        path = tmp_path / "people.json"
        path.write_text(json.dumps({"people": [{"pose_keypoints_2d": points}]}))
        options |= {"keypoints": str(path)}
    codec = Layered(decoder=face, structure=structure, **options)
    assert codec.info.stochastic
    assert not codec.info.toy
    picture = Picture(photograph(50, 75), caption="a red barn")
    streams = [codec.encode(picture, quality) for quality in (1, 2, 3)]
    painted = [codec.decode(stream) for stream in streams]
    assert {pixels.shape for pixels in painted} == {(50, 75, 3)}
    assert len({pixels.tobytes() for pixels in painted}) == 3
    np.testing.assert_array_equal(painted[2], codec.decode(streams[2], seed=0))
    assert (painted[2] != codec.decode(streams[2], seed=1)).any()


def test_control_maps_are_what_the_networks_were_trained_on() -> None:
    from codecarena.codecs.generative.layered.decoding.diffusion import control_maps

    maps = control_maps(layers("edges skeletons colours"), 192, 128)
    assert all(pixels.shape == (128, 192, 3) for pixels in maps.values())
    assert set(np.unique(maps["edges"])) == {0, 255}
    assert maps["edges"][4 * 8 : 5 * 8, 2 * 12 : 14 * 12].min() == 255
    assert maps["edges"].mean() == pytest.approx(255 * 12 / 256)
    assert maps["skeletons"].any()
    assert (maps["colours"][:64, :96] == (10, 90, 90)).all()
    assert (maps["colours"][64:] == 90).all()


def test_strength_decides_what_is_left_of_the_colours(models: Path) -> None:
    bright = Layers(64, 64, caption="x", colours=np.full((2, 2, 3), 250, np.uint8))
    dark = Layers(64, 64, caption="x", colours=np.full((2, 2, 3), 5, np.uint8))

    def difference(strength: float) -> float:
        decoder = controlnets(models, strength=strength, steps=10)
        return float(np.abs(paint(decoder, bright, 1).astype(float) - paint(decoder, dark, 1)).mean())

    assert difference(0.2) > 2 * difference(1.0)


def test_network_that_was_left_out_is_named(models: Path) -> None:
    decoder = adapters(models, pose_adapter="none", colour_adapter="none")
    with pytest.raises(CodecError, match="skeletons"):
        paint(decoder, layers("caption skeletons"), 1)
    with pytest.raises(CodecError, match="colours"):
        paint(decoder, layers("caption edges colours"), 1)
    assert paint(decoder, layers("caption edges"), 1).shape == (64, 64, 3)


@pytest.mark.parametrize(
    "option",
    [
        {"steps": 0},
        {"steps": 101},
        {"guidance": float("nan")},
        {"scheduler": "euler"},
        {"dtype": "float64"},
        {"canvas_area": 10**9},
        {"structure_scale": -1.0},
        {"device": "cuda:99"},
        {"device": "no such device"},
    ],
    ids=str,
)
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_parameters_out_of_range_are_refused(models: Path, make: Maker, option: dict[str, object]) -> None:
    with pytest.raises(CodecError, match=next(iter(option))):
        make(models, **option)


def test_strength_that_leaves_no_step_is_refused(models: Path) -> None:
    with pytest.raises(CodecError, match="strength"):
        controlnets(models, strength=0.3)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_nothing_is_printed_and_no_switch_is_left_turned(
    models: Path, make: Maker, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    from transformers.utils.logging import is_progress_bar_enabled

    logging.disable(logging.DEBUG)
    before = (warnings.filters.copy(), is_progress_bar_enabled())
    try:
        paint(make(models), layers("caption edges colours"), 1)
        assert logging.root.manager.disable == logging.DEBUG
    finally:
        logging.disable(logging.NOTSET)
    assert (warnings.filters, is_progress_bar_enabled()) == before
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


NEAR = {"float32": 1.0, "float16": 6.0}
"""Mean difference in 8-bit levels from float32 on the CPU; another seed's picture is 40 away."""

FRESH = """
import sys, warnings
warnings.simplefilter("error")
from codecarena.codecs.generative.layered.codec import Layered
from codecarena.codecs.generative.layered.decoding.diffusion import adapter_decoder
from codecarena.codecs.generative.layered.coding.layers import Layers
names = ("base", "sketch_adapter", "pose_adapter", "colour_adapter")
options = {name: f"{sys.argv[1]}/{name}" for name in names}
decoder = adapter_decoder(**options, steps=2, canvas_area=64 * 64)
painted = decoder.decode(Layers(64, 64, caption="a red barn"), 7, decoder.settings)
sys.stdout.buffer.write(painted.tobytes())
"""


@pytest.mark.long
def test_fresh_process_paints_the_same_and_is_silent(models: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", FRESH, str(models)], capture_output=True, check=False)
    assert ended.stderr.decode() == ""
    painted = paint(adapters(models), layers("caption"), 7)
    fresh = np.frombuffer(ended.stdout, np.uint8).reshape(painted.shape)
    # Another process may sum in another order.
    assert largest_difference(fresh, painted) <= DECODERS["t2i-adapter"].tolerance_levels


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_half_precision_paints_nearly_the_same(models: Path, make: Maker) -> None:
    conditions = layers("caption edges colours")
    halved = paint(make(models, dtype="float16"), conditions, 7)
    assert np.abs(halved - paint(make(models), conditions, 7).astype(float)).mean() < NEAR["float16"]


@pytest.mark.gpu
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("dtype", NEAR)
def test_gpu_paints_the_same_twice(models: Path, make: Maker, dtype: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("gpu: no CUDA device")
    conditions = layers("caption edges colours")
    decoder = make(models, device="cuda", dtype=dtype)
    painted = paint(decoder, conditions, 7)
    np.testing.assert_array_equal(painted, paint(decoder, conditions, 7))
    assert (painted != paint(decoder, conditions, 8)).any()
    assert np.abs(painted - paint(make(models), conditions, 7).astype(float)).mean() < NEAR[dtype]
