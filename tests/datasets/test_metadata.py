"""What pictures say of themselves, in every form that the readers know, and damaged."""

from __future__ import annotations

import csv
import json
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from codecarena.datasets.description import file_texts
from codecarena.datasets.description.metadata import Metadata, read_metadata

PARAMETERS = (
    "a lighthouse, (storm:1.2)\nsecond line\nNegative prompt: blurry, text\n"
    "Steps: 28, Sampler: DPM++ 2M, CFG scale: 6.5, Seed: 12345678901, Size: 512x512, Model hash: 6ce0161689, "
    'Model: v1-5-pruned, Lora hashes: "a: 1, b: 2", Version: v1.7.0'
)
GRAPH = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "folder/model_x.safetensors"}},
    "2": {"class_type": "PrimitiveString", "inputs": {"value": "a red fox"}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"text": ["2", 0], "clip": ["1", 1]}},
    "4": {"class_type": "FluxGuidance", "inputs": {"guidance": 3.5, "conditioning": ["3", 0]}},
    "5": {"class_type": "BasicGuider", "inputs": {"conditioning": ["4", 0], "model": ["1", 0]}},
    "6": {"class_type": "RandomNoise", "inputs": {"noise_seed": 2**64 - 1}},
    "7": {"class_type": "BasicScheduler", "inputs": {"steps": 20}},
    "8": {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {"guider": ["5", 0], "noise": ["6", 0], "sigmas": ["7", 0]},
    },
    "9": {"class_type": "CLIPTextEncode", "inputs": {"text": "never used", "clip": ["1", 1]}},
}
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmp:CreatorTool="Painter 3"
 Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">a quiet street</rdf:li></rdf:Alt></dc:description>
<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">CC0</rdf:li></rdf:Alt></dc:rights>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def png(folder: Path, **texts: str) -> Path:
    info = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        info.add_itxt(key, value, zip=True)
    Image.new("RGB", (16, 16)).save(folder / "one.png", pnginfo=info)
    return folder / "one.png"


def check_parameters(metadata: Metadata) -> None:
    message = metadata.provenance
    assert (metadata.kind, metadata.generator) == ("ai-generated", "v1-5-pruned")
    assert message.prompt == "a lighthouse, (storm:1.2)\nsecond line"
    assert message.negative_prompt == "blurry, text"
    assert (message.seed, message.guidance, message.steps) == (12345678901, 6.5, 28)
    assert message.model_version == "v1-5-pruned 6ce0161689"
    assert message.workflow == PARAMETERS


def test_a_comfyui_graph_is_followed_to_the_text_that_was_used(tmp_path: Path) -> None:
    metadata = read_metadata(png(tmp_path, prompt=json.dumps(GRAPH), workflow="{}"))
    message = metadata.provenance
    assert (metadata.kind, metadata.generator) == ("ai-generated", "model_x")
    assert message.prompt == "a red fox"
    assert (message.seed, message.guidance, message.steps) == (2**64 - 1, 3.5, 20)
    assert json.loads(message.workflow or "") == GRAPH


def test_automatic1111_writes_a_png_text(tmp_path: Path) -> None:
    check_parameters(read_metadata(png(tmp_path, parameters=PARAMETERS)))


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_automatic1111_writes_an_exif_user_comment(tmp_path: Path, suffix: str, order: str) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + PARAMETERS.encode(order)
    path = tmp_path / f"one.{suffix}"
    Image.new("RGB", (16, 16)).save(path, exif=exif)
    check_parameters(read_metadata(path))


def test_comfyui_writes_webp_files_with_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = f"Prompt:{json.dumps(GRAPH)}"
    Image.new("RGB", (16, 16)).save(tmp_path / "one.webp", exif=exif)
    assert read_metadata(tmp_path / "one.webp").provenance.prompt == "a red fox"


def test_invokeai_writes_a_table(tmp_path: Path) -> None:
    table = {"positive_prompt": "a jar", "seed": 7, "cfg_scale": 2, "steps": 9, "model": {"name": "sdxl"}}
    metadata = read_metadata(png(tmp_path, invokeai_metadata=json.dumps(table)))
    assert (metadata.generator, metadata.provenance.prompt, metadata.provenance.seed) == ("sdxl", "a jar", 7)


@pytest.mark.parametrize("suffix", ["jpg", "webp", "png"])
def test_xmp_says_that_a_model_made_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"one.{suffix}"
    if suffix == "png":
        png(tmp_path, **{"XML:com.adobe.xmp": XMP})
    else:
        Image.new("RGB", (16, 16)).save(path, xmp=XMP.encode())
    metadata = read_metadata(path)
    assert (metadata.kind, metadata.generator) == ("ai-generated", "Painter 3")
    assert (metadata.caption, metadata.licence) == ("a quiet street", "CC0")


def test_exif_describes_a_photograph(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "Harbour at dusk"
    Image.new("RGB", (16, 16)).save(tmp_path / "one.jpg", exif=exif)
    metadata = read_metadata(tmp_path / "one.jpg")
    assert (metadata.kind, metadata.generator, metadata.caption) == (None, None, "Harbour at dusk")


@pytest.mark.parametrize(
    "texts",
    [
        {"prompt": "{"},
        {"prompt": "[1, 2]"},
        {"prompt": json.dumps({"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0]}}})},
        {"prompt": "[" * 100_000},
        {"parameters": "Steps: , Seed: x"},
        {"sd-metadata": "7"},
        {"XML:com.adobe.xmp": "<x:xmpmeta"},
        {"XML:com.adobe.xmp": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'},
    ],
)
def test_text_that_is_none_of_these_forms_does_no_harm(tmp_path: Path, texts: dict[str, str]) -> None:
    assert read_metadata(png(tmp_path, **texts)).provenance.prompt is None


@pytest.mark.parametrize(("key", "text"), [("parameters", PARAMETERS), ("XML:com.adobe.xmp", XMP)])
def test_texts_are_looked_into_up_to_a_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, text: str
) -> None:
    path = png(tmp_path, **{key: text})
    assert file_texts.MAX_TEXT == 2**20
    monkeypatch.setattr(file_texts, "MAX_TEXT", len(text))
    assert read_metadata(path).kind == "ai-generated"
    monkeypatch.setattr(file_texts, "MAX_TEXT", len(text) - 1)
    assert read_metadata(path) == Metadata()


def test_text_behind_the_pixels_of_a_png_counts(tmp_path: Path) -> None:
    path = png(tmp_path)
    whole, chunk = path.read_bytes(), b"tEXtparameters\0" + PARAMETERS.encode()
    end = whole.index(b"IEND") - 4
    length, check = (len(chunk) - 4).to_bytes(4), zlib.crc32(chunk).to_bytes(4)
    path.write_bytes(whole[:end] + length + chunk + check + whole[end:])
    check_parameters(read_metadata(path))


@pytest.mark.parametrize(("tag", "key"), [(0x010F, "Workflow"), (0x0110, "prompt")])
def test_tags_of_the_cameras_maker_and_model_may_hold_a_graph(tmp_path: Path, tag: int, key: str) -> None:
    exif = Image.Exif()
    exif[tag] = f"{key}:{json.dumps(GRAPH)}"
    Image.new("RGB", (16, 16)).save(tmp_path / "one.webp", exif=exif)
    assert read_metadata(tmp_path / "one.webp").provenance.prompt == "a red fox"
    exif[tag] = f"other:{json.dumps(GRAPH)}"
    Image.new("RGB", (16, 16)).save(tmp_path / "one.webp", exif=exif)
    assert read_metadata(tmp_path / "one.webp") == Metadata()


def test_what_is_no_picture_has_no_metadata(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"one\.png: metadata cannot be read"):
        read_metadata(tmp_path / "one.png")


def test_the_prompt_of_every_comfyui_example_is_found(test_data: Path) -> None:
    with (test_data / "aigc" / "index.csv").open(newline="", encoding="utf-8") as opened:
        rows = [row for row in csv.DictReader(opened) if "ComfyUI_examples" in row["source_repo"]]
    assert len(rows) == 15
    for row in rows:
        metadata = read_metadata(test_data / "aigc" / row["file"])
        assert row["prompt"] in (metadata.provenance.prompt or ""), row["file"]
        assert metadata.kind == "ai-generated", row["file"]
        assert all(name in row["note"] for name in (metadata.provenance.model_version or "?").split("; "))
