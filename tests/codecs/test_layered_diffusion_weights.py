"""Weights of Stable Diffusion and its companions are found, loaded whole, known by their hash, or refused.

diffusers takes seconds to load, and every worker imports this file: tests import it.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

if importlib.util.find_spec("diffusers") is None:
    pytest.skip("diffusers is not installed", allow_module_level=True)

import torch
from safetensors.torch import load_file, save_file
from tiny_diffusion import SMALL, adapters, layers, save_models

from codecarena.codecs.base import CodecError, MissingBackendError
from codecarena.codecs.generative.published import TRAINED_ON
from codecarena.codecs.quiet import quiet


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_models(tmp_path_factory.mktemp("models"))


def test_weights_are_known_by_all_files_that_were_loaded(models: Path, tmp_path: Path) -> None:
    names = ("base/text_encoder/model", *(f"base/{part}/diffusion_pytorch_model" for part in ("unet", "vae")))
    others = (f"{kind}_adapter/diffusion_pytorch_model" for kind in ("sketch", "pose", "colour"))
    files = [models / f"{name}.safetensors" for name in (*names, *others)]
    first = adapters(models)
    assert first.weights_bytes == sum(path.stat().st_size for path in files)
    assert first.weights_sha256 == adapters(models).weights_sha256
    assert len(bytes.fromhex(first.weights_sha256)) == 32
    assert not first.toy
    assert first.trained_on is None
    assert "diffusers" in first.version
    without = adapters(models, pose_adapter="none")
    assert without.weights_bytes == first.weights_bytes - files[4].stat().st_size
    changed = shutil.copytree(models / "colour_adapter", tmp_path / "colour")
    weights = load_file(changed / "diffusion_pytorch_model.safetensors")
    next(iter(weights.values())).add_(1.0)
    save_file(weights, changed / "diffusion_pytorch_model.safetensors", metadata={"format": "pt"})
    other = adapters(models, colour_adapter=str(changed))
    assert other.weights_bytes == first.weights_bytes
    assert other.weights_sha256 != first.weights_sha256


def test_published_ids_are_searched_in_order(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from codecarena.codecs.generative.layered.decoding.diffusion import adapter_decoder

    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.snapshot_download", _no_hub)
    shutil.copytree(models / "base", tmp_path / "sd-legacy/stable-diffusion-v1-5")
    for kind in ("canny", "openpose", "color"):
        source = {"canny": "sketch", "openpose": "pose", "color": "colour"}[kind]
        shutil.copytree(models / f"{source}_adapter", tmp_path / f"TencentARC/t2iadapter_{kind}_sd14v1")
    published = adapter_decoder(**SMALL)
    local = adapters(models)
    assert published.trained_on == TRAINED_ON
    assert published.weights_sha256 == local.weights_sha256
    chosen = adapter_decoder(base="nobody/nothing, sd-legacy/stable-diffusion-v1-5", **SMALL)
    assert chosen.trained_on is None
    assert chosen.weights_sha256 == local.weights_sha256


@pytest.mark.parametrize(
    ("decoder", "canny", "soft"),
    [
        ("t2i-adapter", "TencentARC/t2iadapter_canny_sd14v1", "TencentARC/t2iadapter_sketch_sd14v1"),
        ("controlnet", "lllyasviel/control_v11p_sd15_canny", "lllyasviel/control_v11p_sd15_softedge"),
    ],
)
def test_edges_are_drawn_over_by_what_was_trained_on_such_edges(
    decoder: str, canny: str, soft: str, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind's network is the first that is missing here, so that the error names what is asked for."""
    from codecarena.codecs.generative.layered.decoding import decoders

    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.snapshot_download", _no_hub)
    for structure, wanted in (("canny", canny), ("pidinet", soft), ("hed", soft)):
        with pytest.raises(MissingBackendError, match=f"pretrained pipeline {wanted} is not there"):
            decoders.create(decoder, {"base": str(models / "base")}, structure, "cpu", "float32")


@pytest.mark.parametrize("missing", ["base", "sketch_adapter", "colour_adapter"])
def test_folder_that_is_not_there_is_named(models: Path, tmp_path: Path, missing: str) -> None:
    with pytest.raises(MissingBackendError, match="nowhere"):
        adapters(models, **{missing: str(tmp_path / "nowhere")})


def test_ids_that_cannot_be_had_are_named(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODECARENA_WEIGHTS", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.snapshot_download", _no_hub)
    with pytest.raises(MissingBackendError) as caught:
        adapters(models, pose_adapter="some/pose, other/pose")
    assert "some/pose" in str(caught.value)
    assert "other/pose" in str(caught.value)
    with pytest.raises(MissingBackendError, match="CompVis/stable-diffusion-v1-4"):
        adapters(models, base="")


def _no_hub(name: str, **options: object) -> str:
    raise OSError("no network in this test")


def test_folder_without_a_pipeline_says_what_it_lacks(models: Path, tmp_path: Path) -> None:
    part = shutil.copytree(models / "base", tmp_path / "part")
    shutil.rmtree(part / "vae")
    with pytest.raises(MissingBackendError, match="not there: vae"):
        adapters(models, base=str(part))
    with pytest.raises(MissingBackendError, match="no weights in"):
        adapters(models, sketch_adapter=str(part))


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_parameters_are_never_made_up(models: Path, tmp_path: Path, part: str) -> None:
    base = shutil.copytree(models / "base", tmp_path / "base")
    (path,) = (base / part).glob("*.safetensors")
    weights = load_file(path)
    del weights[sorted(weights)[0]]
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(CodecError, match="lacks 1 of the model's parameters"):
        adapters(models, base=str(base))


def test_damaged_weights_are_refused(models: Path, tmp_path: Path) -> None:
    adapter = shutil.copytree(models / "sketch_adapter", tmp_path / "adapter")
    path = adapter / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CodecError, match="does not load"):
        adapters(models, sketch_adapter=str(adapter))


def test_weights_of_2022_load_to_the_same_picture(models: Path, tmp_path: Path) -> None:
    """Pickled tensors, under the names that they had when Stable Diffusion was published."""
    base = shutil.copytree(models / "base", tmp_path / "base")
    adapter = shutil.copytree(models / "sketch_adapter", tmp_path / "adapter")
    _age(base / "text_encoder/model.safetensors", "pytorch_model.bin", _old_text_name)
    _age(base / "vae/diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin", _old_vae_name)
    _age(adapter / "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin", str)
    old = adapters(models, base=str(base), sketch_adapter=str(adapter))
    conditions = layers("caption edges")
    new = adapters(models)
    np.testing.assert_array_equal(
        old.decode(conditions, 5, old.settings), new.decode(conditions, 5, new.settings)
    )


def _age(path: Path, name: str, rename: Callable[[str], str]) -> None:
    weights = {rename(key): value for key, value in load_file(path).items()}
    torch.save(weights, path.with_name(name))
    path.unlink()


def _old_text_name(name: str) -> str:
    return "text_model." + name.removeprefix("text_model.")


def _old_vae_name(name: str) -> str:
    new = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for now, then in new.items():
        name = name.replace(f".{now}.", f".{then}.") if ".attentions." in name else name
    return name


def test_adapters_that_do_not_fit_together_are_refused(models: Path, tmp_path: Path) -> None:
    from diffusers.models.adapter import T2IAdapter

    with quiet():
        T2IAdapter(channels=[32, 64, 64, 64]).save_pretrained(tmp_path / "deeper")
    with pytest.raises(CodecError, match="do not work together"):
        adapters(models, colour_adapter=str(tmp_path / "deeper"))


def test_network_of_another_base_is_refused(models: Path, tmp_path: Path) -> None:
    from diffusers.models.adapter import T2IAdapter

    with quiet():
        T2IAdapter(channels=[16, 16, 16]).save_pretrained(tmp_path / "narrow")
    decoder = adapters(models, pose_adapter=str(tmp_path / "narrow"))
    with pytest.raises(CodecError, match="StableDiffusionAdapterPipeline fails"):
        decoder.decode(layers("caption skeletons"), 1, decoder.settings)


def test_pixels_that_are_no_numbers_are_refused(models: Path, tmp_path: Path) -> None:
    base = shutil.copytree(models / "base", tmp_path / "base")
    path = base / "vae/diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    weights["decoder.conv_out.bias"][0] = float("inf")
    save_file(weights, path)
    decoder = adapters(models, base=str(base))
    with pytest.raises(CodecError, match="not finite"):
        decoder.decode(layers("caption"), 1, decoder.settings)
