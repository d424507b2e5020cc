"""What generators write into their pictures, field by field, and what a folder's description makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from codecarena.datasets.description import comfyui
from codecarena.datasets.description.describe import Finding, describe
from codecarena.datasets.description.file_texts import FileTexts, exif_text
from codecarena.datasets.description.generators import automatic1111, invokeai
from codecarena.datasets.description.metadata import Metadata, of_texts
from codecarena.datasets.manifest import DatasetError, Provenance
from codecarena.datasets.perceptual import perceptual_hash
from codecarena.datasets.pixels import pixels_sha256


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def graph(**nodes: dict[str, Any]) -> tuple[str | None, Provenance]:
    made = comfyui.of_graph(json.dumps(nodes))
    assert made is not None
    return made[1], replace(made[2], workflow=None)


SAMPLER = node(
    "KSampler", positive=["yes", 0], negative=["no", 0], seed=7, cfg=6, steps=28, model=["load", 0]
)
TEXTS = {"yes": node("CLIPTextEncode", text=" a fox "), "no": node("CLIPTextEncode", text="blur")}
LOAD = node("CheckpointLoaderSimple", ckpt_name="dir\\model_x.v2.safetensors")


def test_a_graph_says_model_prompts_seed_guidance_and_steps() -> None:
    assert graph(load=LOAD, sampler=SAMPLER, **TEXTS) == (
        "model_x.v2",
        Provenance(
            model_version="dir\\model_x.v2.safetensors",
            prompt="a fox",
            negative_prompt="blur",
            seed=7,
            guidance=6.0,
            steps=28,
        ),
    )


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        # A distilled model's own guidance goes before the scale of classifier-free guidance.
        (
            {
                "sampler": SAMPLER | {"inputs": SAMPLER["inputs"] | {"positive": ["flux", 0]}},
                "flux": node("FluxGuidance", guidance=3.5),
            },
            {"guidance": 3.5},
        ),
        # What flows into no sampler made nothing.
        ({"flux": node("FluxGuidance", guidance=3.5), "sampler": SAMPLER}, {"guidance": 6.0}),
        ({"noise": node("RandomNoise", noise_seed=9), "sampler": SAMPLER}, {"seed": 7}),
        (
            {"a": node("Switch", seed=True, steps=True, cfg=False)},
            {"seed": None, "steps": None, "guidance": None},
        ),
        ({"a": node("KSampler", seed="7", steps=2.5)}, {"seed": None, "steps": None}),
        (
            {
                "a": node("UNETLoader", unet_name="b.gguf"),
                "b": node("X", gguf_name="a.gguf"),
                "c": node("Y", ckpt_name="b.gguf"),
            },
            {"model_version": "a.gguf; b.gguf"},
        ),
    ],
)
def test_the_first_of_several_values_counts(nodes: dict[str, Any], expected: dict[str, Any]) -> None:
    drawn = graph(**nodes)[1]
    assert {name: getattr(drawn, name) for name in expected} == expected


def test_the_prompt_is_what_flows_into_the_positive_side_deepest_first_and_once() -> None:
    nodes = {
        "1": node("CLIPTextEncode", text="first"),
        "2": node("CLIPTextEncode", text="second"),
        "3": node("ConditioningCombine", conditioning_1=["1", 0], conditioning_2=["2", 0]),
        "4": node("KSampler", positive=["3", 0], negative=["5", 0]),
        "5": node("CLIPTextEncode", text="never"),
        "6": node("KSamplerAdvanced", positive=["7", 0]),
        "7": node("TextEncodeAgain", conditioning=["2", 0], text=["8", 0]),
        "8": node("String", value="third"),
    }
    drawn = graph(**nodes)[1]
    assert (drawn.prompt, drawn.negative_prompt) == ("first\nsecond\nthird", "never")


def test_where_no_sampler_says_which_text_counts_the_first_encoder_does() -> None:
    nodes = {
        "1": node("Other", text="no"),
        "2": node("CLIPTextEncode", text="yes"),
        "3": node("CLIPTextEncode", text="no"),
    }
    assert graph(**nodes)[1].prompt == "yes"
    assert graph(only=node("KSampler", seed=1)) == (None, Provenance(seed=1))
    aside = node("ControlNetApply", positive=["3", 0], guider=["3", 0])
    assert graph(aside=aside, **nodes)[1].prompt == "yes"


def chain(length: int, by: str) -> dict[str, Any]:
    """Return a graph whose text lies so many links behind its sampler."""
    links = {str(place): node("Pass", **{by: [str(place + 1), 0]}) for place in range(length)}
    return {"sampler": node("KSampler", positive=["0", 0]), **links, str(length): node("Text", text="deep")}


@pytest.mark.parametrize("link", [["yes"], ["yes", 0, 0], "yes", 7])
def test_a_link_is_a_node_and_its_output(link: object) -> None:
    assert graph(sampler=node("KSampler", positive=link), yes=node("Text", text="a fox"))[1].prompt is None


@pytest.mark.parametrize("by", ["conditioning", "text"])
def test_texts_are_followed_for_64_links_and_no_further(by: str) -> None:
    assert graph(**chain(64, by))[1].prompt == "deep"
    assert graph(**chain(65, by))[1].prompt is None
    assert graph(sampler=node("KSampler", positive=["a", 0]), a=node("Text", **{by: ["a", 0]}))[1] == (
        Provenance()
    )
    assert graph(a=node("KSampler", positive=["a", 0]))[1].prompt is None


@pytest.mark.parametrize(
    "text", ["{", "[1]", "7", "{}", '{"1": 2}', '{"1": {"class_type": "A"}}', '{"1": {"inputs": {}}}']
)
def test_other_json_is_no_graph(text: str) -> None:
    assert comfyui.of_graph(text) is None


SETTINGS = "Steps: 28, CFG scale: 6.5, Seed: 12, Model hash: 6ce, Model: v1-5"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"a fox\nNegative prompt: blur\n{SETTINGS}", ("a fox", "blur", 12, 6.5, 28, "v1-5 6ce")),
        (f"a fox\n{SETTINGS}", ("a fox", None, 12, 6.5, 28, "v1-5 6ce")),
        (SETTINGS, (None, None, 12, 6.5, 28, "v1-5 6ce")),
        ("a fox\nSteps: 3, Model: m,\nSeed: 4, CFG scale: 2", ("a fox", None, 4, 2.0, 3, "m")),
        ("a fox\nSteps: x, Seed: -1, CFG scale: y", ("a fox", None, None, None, None, None)),
        ('a fox\nSteps: 3, Note: "a, Seed: 9", Seed: 4', ("a fox", None, 4, None, 3, None)),
    ],
)
def test_settings_of_automatic1111_are_told_apart(text: str, expected: tuple[Any, ...]) -> None:
    outcome = automatic1111(FileTexts(texts={"parameters": text}))
    assert outcome is not None
    kind, generator, message = outcome
    assert (
        message.prompt,
        message.negative_prompt,
        message.seed,
        message.guidance,
        message.steps,
        message.model_version,
    ) == expected
    assert (kind, message.workflow) == ("ai-generated", text)
    assert generator == (expected[-1].split()[0] if expected[-1] else None)


@pytest.mark.parametrize(
    ("model", "name"),
    [({"model_name": "a", "name": "b"}, "a"), ({"name": "b"}, "b"), ("c", "c"), (None, None), ({}, None)],
)
def test_a_table_of_invokeai_is_read_field_by_field(model: Any, name: str | None) -> None:
    table = {
        "prompt": " old ",
        "negative_prompt": "blur",
        "seed": 7,
        "cfg_scale": 2,
        "steps": 9,
        "model": model,
    }
    text = json.dumps(table)
    outcome = invokeai(FileTexts(texts={"invokeai_metadata": text}))
    assert outcome == ("ai-generated", name, Provenance(name, "old", "blur", 7, 2.0, 9, text))
    newer = invokeai(FileTexts(texts={"invokeai_metadata": json.dumps(table | {"positive_prompt": "new"})}))
    assert newer is not None
    assert newer[2].prompt == "new"


def test_the_first_known_form_counts() -> None:
    texts = {
        "prompt": json.dumps({"sampler": SAMPLER, **TEXTS}),
        "parameters": f"b\n{SETTINGS}",
        "invokeai_metadata": json.dumps({"prompt": "c"}),
        "ImageDescription": " d ",
        "Description": "e",
    }
    message = []
    for key in ("prompt", "parameters", "invokeai_metadata"):
        outcome = of_texts(FileTexts(texts=texts))
        message.append((outcome.generator, outcome.provenance.prompt))
        del texts[key]
    assert message == [("ComfyUI", "a fox"), ("v1-5", "b"), ("InvokeAI", "c")]
    assert of_texts(FileTexts(texts=texts)) == Metadata(caption="d")
    assert of_texts(FileTexts(texts={"Description": "e"})) == Metadata(caption="e")
    assert of_texts(FileTexts(texts={"parameters": "none of ours"})) == Metadata()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain\0 ", "plain"),
        (b"ASCII\0\0\0plain\0", "plain"),
        (bytes(8) + b"plain", "plain"),
        (b"UNICODE\0" + "plain".encode("utf-16-le"), "plain"),
        (b"UNICODE\0" + "plain".encode("utf-16-be"), "plain"),
        (b"no code here", "no code here"),
        (7, ""),
    ],
)
def test_a_user_comment_names_its_encoding(value: object, text: str) -> None:
    assert exif_text(value) == text


def xmp(**said: str) -> bytes:
    attributes = " ".join(f'p:{key}="{value}"' for key, value in said.items())
    return f'<x xmlns:p="urn:p" {attributes}/>'.encode()


def test_xmp_adds_what_is_not_known_and_takes_nothing_away() -> None:
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/"
    made = xmp(
        DigitalSourceType=f"{source}trainedAlgorithmicMedia", AISystemUsed="Painter", CreatorTool="Editor"
    )
    assert of_texts(FileTexts(xmp=made)) == Metadata("Painter", "ai-generated", ("IPTC",))
    photograph = xmp(
        DigitalSourceType=f"{source}digitalCapture", CreatorTool="Editor", description="d", rights="r"
    )
    assert of_texts(FileTexts(xmp=photograph)) == Metadata(None, "natural", ("IPTC",), "d", "r")
    own = {"parameters": f"prompt\n{SETTINGS}"}
    other = xmp(CreatorTool="x", description="x", UsageTerms="x", AIPromptInformation="x")
    assert of_texts(FileTexts(texts=own, xmp=other)) == replace(
        of_texts(FileTexts(texts=own)), caption="x", licence="x"
    )
    said = xmp(
        UsageTerms="u", rights="r", AIPromptInformation="p", CreatorTool="t",
        DigitalSourceType="trainedAlgorithmicMedia",
    )  # fmt: skip
    assert of_texts(FileTexts(xmp=said)) == Metadata(
        "t", "ai-generated", ("IPTC",), None, "u", Provenance(prompt="p")
    )


def written(path: Path, seed: int, size: tuple[int, int] = (260, 300), **texts: str) -> np.ndarray:
    """Write a PNG of noise with texts in it."""
    info = PngInfo()
    for key, value in texts.items():
        info.add_itxt(key, value)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, pnginfo=info)
    return pixels


def test_a_described_picture_has_every_key_and_a_table_beside_it_wins(tmp_path: Path) -> None:
    pixels = written(tmp_path / "a.png", 1, parameters=f"a fox\nNegative prompt: blur\n{SETTINGS}")
    (tmp_path / "index.csv").write_text("file,seed,licence,width,unknown\na.png,99,CC0,5,x\n,1,,,\n")
    progress: list[tuple[int, int]] = []
    described = describe(tmp_path, name="mine", licence="MIT", progress=lambda *done: progress.append(done))
    (entry,) = described.manifest.pictures
    assert entry.pixels is not None
    assert (entry.pixels.height, entry.pixels.width) == (260, 300)
    assert (entry.pixels_sha256, entry.perceptual) == (pixels_sha256(pixels), perceptual_hash(pixels))
    assert (entry.prompt, entry.negative_prompt, entry.seed) == ("a fox", "blur", 99)
    assert (entry.guidance, entry.steps, entry.licence) == (6.5, 28, "CC0")
    assert (entry.generator, entry.model_version, entry.kind) == ("v1-5", "v1-5 6ce", None)
    manifest = described.manifest
    assert (manifest.name, manifest.kind, manifest.licence) == ("mine", "ai-generated", "MIT")
    assert manifest.title == "1 picture of a folder, described by codecarena"
    nameless = Finding("index.csv", "index", "names what is no picture of the folder: nothing (line 3)")
    assert (described.findings, progress) == ((nameless,), [(1, 1)])


@pytest.mark.parametrize(
    ("generated", "plain", "kind", "overall"),
    [
        (1, 1, None, "natural"),
        (2, 1, None, "ai-generated"),
        (1, 2, None, "natural"),
        (0, 1, "ai-generated", "ai-generated"),
    ],
)
def test_a_set_is_of_the_kind_that_most_of_its_pictures_are(
    tmp_path: Path, generated: int, plain: int, kind: Any, overall: str
) -> None:
    for place in range(generated):
        written(tmp_path / f"g{place}.png", place, parameters=SETTINGS)
    for place in range(plain):
        written(tmp_path / f"p{place}.png", 9 + place)
    manifest = describe(tmp_path, kind=kind).manifest
    assert manifest.kind == overall
    assert [picture.kind or overall for picture in manifest.pictures] == ["ai-generated"] * generated + [
        kind or "natural"
    ] * plain
    many = f"{generated + plain} pictures" if generated + plain > 1 else "1 picture"
    assert manifest.title.startswith(f"{many} of")


def test_each_concern_says_what_was_found_in_the_order_of_the_pictures(tmp_path: Path) -> None:
    pixels = written(tmp_path / "b.png", 1, (255, 300))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    (tmp_path / "c.png").write_bytes(b"nothing")
    written(tmp_path / "d.png", 2, (256, 256))
    Image.fromarray(np.zeros((300, 256, 3), np.uint8)).save(tmp_path / "e.jpg", quality=75)
    origin = "says nothing of a generator: taken as natural"
    small = "300x255, a side below 256 pixels"
    outcome = [finding for finding in describe(tmp_path).findings if finding.concern != "upscaled"]
    assert outcome == [
        Finding("a.png", "small", small),
        Finding("a.png", "unknown origin", origin),
        Finding("b.png", "duplicate", "has the pixels of a.png"),
        Finding("b.png", "small", small),
        Finding("b.png", "unknown origin", origin),
        Finding("c.png", "unreadable", outcome[5].detail),
        Finding("d.png", "unknown origin", origin),
        Finding("e.jpg", "jpeg", "is a JPEG file, quality about 75: it favours JPEG at this rate"),
        Finding("e.jpg", "unknown origin", origin),
    ]
    assert outcome[5].detail.startswith("no picture in a known format")


def test_a_folder_of_nothing_that_can_be_measured_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(
        DatasetError, match="none of its 1 picture can be measured: no picture in a known format"
    ):
        describe(tmp_path)
