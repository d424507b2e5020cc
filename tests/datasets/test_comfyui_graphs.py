"""A ComfyUI graph is walked back from the saved picture, whatever else is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from codecarena.datasets.description.metadata import Metadata, read_metadata


def png(folder: Path, name: str = "a.png", **texts: str) -> Metadata:
    info = PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    Image.new("RGB", (64, 64)).save(folder / name, pnginfo=info)
    return read_metadata(folder / name)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


LOADED = node("LoadImage", image="DSC0001.png")
ENCODED = {"9": LOADED, "5": node("VAEEncode", pixels=["9", 0], vae=["4", 2])}
SAVE = node("SaveImage", images=["8", 0], filename_prefix="ComfyUI")
DECODE = node("VAEDecode", samples=["3", 0], vae=["4", 2])
GRAPH = {
    "4": node("CheckpointLoaderSimple", ckpt_name="SD15\\dreamshaper_8.safetensors"),
    "5": node("EmptyLatentImage", width=512, height=512, batch_size=1),
    "6": node("CLIPTextEncode", text="a fox", clip=["4", 1]),
    "7": node("CLIPTextEncode", text="blur", clip=["4", 1]),
    "8": DECODE,
    "10": SAVE,
}


def sampler(seed: Any = 7, latent: str = "5", **inputs: Any) -> dict[str, Any]:
    usual = {"positive": ["6", 0], "negative": ["7", 0], "denoise": 1, "steps": 20, "cfg": 8}
    return node("KSampler", model=["4", 0], seed=seed, latent_image=[latent, 0], **(usual | inputs))


UPSCALED = {"11": node("LatentUpscale", samples=["3", 0]), "12": sampler(99, "11", denoise=0.5)}
PREVIEWED = {
    "20": sampler(1000, "21"),
    "21": node("EmptyLatentImage", width=64, height=64),
    "22": node("VAEDecode", samples=["20", 0]),
    "23": node("PreviewImage", images=["22", 0]),
}
MASKED = {"5": node("SetLatentNoiseMask", samples=["13", 0], mask=["9", 1]), "13": ENCODED["5"], "9": LOADED}


@pytest.mark.parametrize(
    ("graph", "kind", "seed", "strength"),
    [
        (GRAPH | {"3": sampler()}, "ai-generated", 7, None),
        # What the graph holds besides, in whatever order, made nothing of the saved picture.
        (PREVIEWED | GRAPH | {"3": sampler()}, "ai-generated", 7, None),
        ({"0": node("FaceDetailer", seed=1, model=["4", 0], positive=["6", 0])} | GRAPH | {"3": sampler()},
         "ai-generated", 7, None),
        (GRAPH | {"3": sampler(["14", 0]), "14": node("Seed (rgthree)", seed=42)}, "ai-generated", 42, None),
        # A second pass over the graph's own picture.
        (GRAPH | UPSCALED | {"3": sampler(), "8": node("VAEDecode", samples=["12", 0])},
         "ai-generated", 7, None),
        (GRAPH | ENCODED | {"3": sampler(denoise=0.2)}, "composite", 7, 0.2),
        (GRAPH | ENCODED | {"3": sampler(denoise=["15", 0]), "15": node("Float", value=0.3)},
         "composite", 7, 0.3),
        (GRAPH | ENCODED | {"3": sampler(denoise=1)}, "ai-generated", 7, None),
        (GRAPH | MASKED | {"3": sampler(denoise=1)}, "composite", 7, 1.0),
        (GRAPH | ENCODED | UPSCALED | {"3": sampler(denoise=0.2), "8": node("VAEDecode", samples=["12", 0])},
         "composite", 7, 0.2),
        # A photograph that only steers the picture, or lends its size, is no part of it.
        (GRAPH | {"3": sampler(positive=["16", 0]), "9": LOADED,
                  "16": node("ControlNetApplyAdvanced", positive=["6", 0], image=["9", 0])},
         "ai-generated", 7, None),
        (GRAPH | {"3": sampler(), "9": LOADED, "17": node("GetImageSize", image=["9", 0]),
                  "5": node("EmptyLatentImage", width=["17", 0], height=["17", 1])},
         "ai-generated", 7, None),
        # A generated picture pasted into a photograph.
        (GRAPH | {"3": sampler(), "9": LOADED, "10": node("SaveImage", images=["18", 0]),
                  "18": node("ImageCompositeMasked", destination=["9", 0], source=["8", 0])},
         "composite", 7, None),
        # A model that is shown the photograph and told how to change it.
        (GRAPH | {"3": sampler(positive=["16", 0]), "9": LOADED, "19": node("VAEEncode", pixels=["9", 0]),
                  "16": node("ReferenceLatent", conditioning=["6", 0], latent=["19", 0])},
         "composite", 7, None),
        ({"1": LOADED, "2": node("ImageScaleBy", image=["1", 0]), "3": node("SaveImage", images=["2", 0])},
         None, None, None),
        ({"1": LOADED, "2": node("ImageUpscaleWithModel", image=["1", 0], upscale_model=["4", 0]),
          "4": node("UpscaleModelLoader", model_name="4x.pth"), "3": node("SaveImage", images=["2", 0])},
         None, None, None),
        ({"1": node("OpenAIDalle3", prompt="a fox", seed=3), "3": node("SaveImage", images=["1", 0])},
         "ai-generated", 3, None),
        ({"1": node("SomethingElse", strength=1), "3": node("SaveImage", images=["1", 0])},
         "unknown", None, None),
    ],
)  # fmt: skip
def test_a_comfyui_graph_is_walked_back_from_the_picture_that_was_saved(
    tmp_path: Path, graph: dict[str, Any], kind: str | None, seed: int | None, strength: float | None
) -> None:
    said = png(tmp_path, prompt=json.dumps(graph), workflow='{"nodes": [], "links": []}')
    assert (said.kind, said.provenance.seed, said.provenance.denoising_strength) == (kind, seed, strength)
    if "3" in graph and graph["3"]["class_type"] == "KSampler":
        assert (said.generator, said.provenance.prompt, said.provenance.negative_prompt) == (
            "dreamshaper_8",
            "a fox",
            "blur",
        )


def test_of_several_saved_pictures_the_files_name_says_which_one_it_is(tmp_path: Path) -> None:
    graph = GRAPH | ENCODED | {"3": sampler(denoise=0.5)}
    graph |= {"30": node("SaveImage", images=["9", 0], filename_prefix="out/before_%date%")}
    text = json.dumps(graph)
    assert png(tmp_path, "ComfyUI_00001_.png", prompt=text).kind == "composite"
    assert png(tmp_path, "before_00001_.png", prompt=text).kind is None
    assert png(tmp_path, "renamed.png", prompt=text).kind == "unknown"


def test_the_drawing_of_a_graph_alone_leaves_the_kind_unknown(tmp_path: Path) -> None:
    said = png(tmp_path, workflow='{"nodes": [{"id": 1, "type": "KSampler"}], "links": [], "version": 0.4}')
    assert (said.kind, said.generator, said.marks) == ("unknown", "ComfyUI", ("ComfyUI",))
