"""Who made a picture, by the marks that programs, cameras and services leave in its file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from codecarena.datasets.description.describe import describe
from codecarena.datasets.description.file_texts import unicode_text
from codecarena.datasets.description.metadata import Metadata, read_metadata
from codecarena.datasets.sets.catalogue import open_set

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
SETTINGS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 12, Size: 512x512, Model: dreamshaper_8"
Mark = tuple[str | None, str | None, str | None]


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (64, 72, 3), dtype=np.uint8))


def png(folder: Path, name: str = "a.png", **texts: str) -> Metadata:
    info = PngInfo()
    for key, value in texts.items():
        info.add_itxt(key.replace("_dash_", "-").replace("__", " "), value)
    picture().save(folder / name, pnginfo=info)
    return read_metadata(folder / name)


def with_exif(folder: Path, suffix: str, tags: dict[int, Any]) -> Metadata:
    exif = Image.Exif()
    for tag, value in tags.items():
        (exif.get_ifd(0x8769) if tag == 0x9286 else exif)[tag] = value
    picture().save(folder / f"a.{suffix}", exif=exif)
    return read_metadata(folder / f"a.{suffix}")


def mark(said: Metadata) -> Mark:
    return said.kind, said.generator, said.provenance.prompt


def a1111(extra: str = "") -> str:
    return f"a fox\nNegative prompt: blur\n{SETTINGS}{extra}"


@pytest.mark.parametrize(
    ("extra", "kind", "strength"),
    [
        ("", "ai-generated", None),
        (", Denoising strength: 0.4, Hires upscale: 2, Hires upscaler: Latent", "ai-generated", None),
        (", Denoising strength: 0.4, Version: v1.6.0", "composite", 0.4),
        (", Denoising strength: 1, Version: v1.6.0", "ai-generated", 1),
        (", Denoising strength: 1, Mask blur: 4, Inpaint area: Only masked", "composite", 1),
        (", Operations: txt2img; hires, Denoising strength: 0.5, App: SD.Next", "ai-generated", None),
        (", Operations: img2img, Denoising strength: 0.5, App: SD.Next", "composite", 0.5),
        (", Version: v1.9\nTemplate: a {fox|cat}\nNegative Template: blur", "ai-generated", None),
    ],
)
def test_automatic1111_and_its_forks_say_whether_a_picture_was_there_before(
    tmp_path: Path, extra: str, kind: str, strength: float | None
) -> None:
    said = png(tmp_path, parameters=a1111(extra))
    assert mark(said) == (kind, "dreamshaper_8", "a fox")
    assert said.provenance.denoising_strength == strength


def test_a_distilled_models_own_guidance_counts(tmp_path: Path) -> None:
    said = png(tmp_path, parameters="a fox\nSteps: 20, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 5")
    assert said.provenance.guidance == 3.5


@pytest.mark.parametrize("order", ["utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("start", ["一", "女孩", "a fox", "Ā", "一一一一一一"])
@pytest.mark.parametrize("little_endian", [True, False])
def test_the_byte_order_of_a_user_comment_is_that_of_all_its_letters(
    order: str, start: str, little_endian: bool
) -> None:
    text = f"{start}, 杰作\nNegative prompt: 低质量\n{SETTINGS}"
    assert unicode_text(text.encode(order), little_endian) == text


def test_without_plain_letters_the_order_of_the_exif_block_counts() -> None:
    text = "女孩在海边"
    assert unicode_text(text.encode("utf-16-le"), True) == text
    assert unicode_text(text.encode("utf-16-be"), False) == text
    assert unicode_text("\ufeff女孩".encode("utf-16-le"), False) == "女孩"


NOVELAI = {"prompt": "1girl, fox", "steps": 28, "scale": 5.0, "seed": 42, "uc": "lowres"}
SWARM = {"prompt": "fox", "model": "OfficialStableDiffusion/sd_xl_base_1.0", "seed": 1, "cfgscale": 7.0}
DREAM = '"fox in snow [bad]" -s 50 -S 12 -W 512 -H 512 -C 7.5 -A k_lms'
OLD_INVOKE = {"prompt": [{"prompt": "fox in snow [bad]", "weight": 1}], "seed": 12, "type": "txt2img"}
EASY = {"prompt": "fox", "seed": "7", "use_stable_diffusion_model": "models/sd-v1-5.safetensors"}


@pytest.mark.parametrize(
    ("texts", "expected", "strength"),
    [
        (
            {
                "parameters": json.dumps({"prompt": "fox", "base_model": "juggernautXL.safetensors"}),
                "fooocus_scheme": "fooocus",
            },
            ("ai-generated", "juggernautXL", "fox"),
            None,
        ),
        ({"parameters": json.dumps({"sui_image_params": SWARM})}, ("ai-generated", "sd_xl_base_1.0", "fox"),
        None), (
            {"parameters": json.dumps({"sui_image_params": SWARM | {"initimagecreativity": 0.6}})},
            ("composite", "sd_xl_base_1.0", "fox"),
            0.6,
        ),
        (
            {"Software": "NovelAI", "Source": "Stable Diffusion XL 9CC2", "Comment": json.dumps(NOVELAI)},
            ("ai-generated", "NovelAI", "1girl, fox"),
            None,
        ),
        (
            {"Software": "NovelAI", "Comment": json.dumps(NOVELAI | {"strength": 0.7, "noise": 0})},
            ("composite", "NovelAI", "1girl, fox"),
            0.7,
        ),
        (
            {
                "Software": "NovelAI",
                "Comment": json.dumps(
                    NOVELAI | {"strength": 0.7, "request_type": "PromptGenerateRequest"}
                ),
            },
            ("ai-generated", "NovelAI", "1girl, fox"),
            None,
        ),
        ({"Dream": DREAM}, ("ai-generated", "InvokeAI", "fox in snow"), None),
        ({"Dream": f"{DREAM} -I photo.png -f 0.3"}, ("composite", "InvokeAI", "fox in snow"), 0.3),
        (
            {"sd_dash_metadata": json.dumps({"model_weights": "sd-1.5", "image": OLD_INVOKE})},
            ("ai-generated", "sd-1.5", "fox in snow"),
            None,
        ),
        (
            {
                "sd_dash_metadata": json.dumps(
                    {"model_weights": "sd-1.5", "image": OLD_INVOKE | {"type": "img2img", "strength": 0.5}}
                )
            },
            ("composite", "sd-1.5", "fox in snow"),
            0.5,
        ),
        (
            {
                "invokeai_metadata": json.dumps(
                    {"generation_mode": "flux_img2img", "positive_prompt": "fox", "strength": 0.4,
                     "model": {"name": "FLUX.1 dev"}}
                )
            },
            ("composite", "FLUX.1 dev", "fox"),
            0.4,
        ),
        (
            {
                "invokeai_metadata": json.dumps(
                    {"generation_mode": "sdxl_txt2img", "positive_prompt": "fox", "strength": 0.75,
                     "model": {"model_name": "sdxl"}}
                )
            },
            ("ai-generated", "sdxl", "fox"),
            None,
        ),
        (EASY, ("ai-generated", "sd-v1-5", "fox"), None),
        (EASY | {"prompt_strength": "0.8"}, ("composite", "sd-v1-5", "fox"), 0.8),
        (
            {"Prompt": "fox", "Stable__Diffusion__model": "sd-v1-4", "Seed": "3"},
            ("ai-generated", "sd-v1-4", "fox"),
            None,
        ),
        (
            {"Description": "a fox --ar 16:9 --v 6.1 Job ID: 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"},
            ("ai-generated", "Midjourney 6.1", "a fox"),
            None,
        ),
        (
            {"Description": "a fox Job ID: 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"},
            ("ai-generated", "Midjourney", "a fox"),
            None,
        ),
        ({"Description": "a fox --ar 16:9"}, (None, None, None), None),
    ],
)  # fmt: skip
def test_each_program_is_read_in_its_own_form(
    tmp_path: Path, texts: dict[str, str], expected: Mark, strength: float | None
) -> None:
    said = png(tmp_path, **texts)
    assert mark(said) == expected
    assert said.provenance.denoising_strength == strength


def test_programs_that_write_no_png_use_exif(tmp_path: Path) -> None:
    comment = b"ASCII\0\0\0" + json.dumps({"sui_image_params": SWARM}).encode()
    assert mark(with_exif(tmp_path, "jpg", {0x9286: comment})) == ("ai-generated", "sd_xl_base_1.0", "fox")
    table = json.dumps({"prompt": "fox", "base_model": "juggernautXL", "version": "Fooocus v2.5"})
    exif = Image.Exif()
    exif[0x9286], exif[0x0131], exif[0x927C] = table, "Fooocus v2.5", "fooocus"
    picture().save(tmp_path / "fooocus.webp", exif=exif)
    assert mark(read_metadata(tmp_path / "fooocus.webp")) == ("ai-generated", "juggernautXL", "fox")
    easy = b"UNICODE\0" + json.dumps(EASY).encode("utf-16-be")
    assert mark(with_exif(tmp_path, "webp", {0x9286: easy})) == ("ai-generated", "sd-v1-5", "fox")
    novelai = {"Software": "NovelAI", "Comment": json.dumps(NOVELAI)}
    said = with_exif(tmp_path, "webp", {0x9286: b"ASCII\0\0\0" + json.dumps(novelai).encode()})
    assert mark(said) == ("ai-generated", "NovelAI", "1girl, fox")


@pytest.mark.parametrize(("how", "kind"), [("txt2img", "ai-generated"), ("img2img", "composite")])
def test_flux_says_by_exif_what_it_did(tmp_path: Path, how: str, kind: str) -> None:
    tags = {0x0131: f"AI generated;{how};flux-dev", 0x010F: "Black Forest Labs", 0x0110: "flux-dev"}
    assert mark(with_exif(tmp_path, "jpg", tags)) == (kind, "flux-dev", None)
    assert mark(with_exif(tmp_path, "jpg", tags | {0x010E: "a fox"})) == (kind, "flux-dev", "a fox")
    camera = {0x0131: "Lightroom", 0x010F: "Canon", 0x0110: "EOS R5"}
    assert mark(with_exif(tmp_path, "jpg", camera)) == (None, None, None)


def packet(body: str = "", attributes: str = "") -> str:
    spaces = {
        "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
        "xmp": "http://ns.adobe.com/xap/1.0/",
        "exif": "http://ns.adobe.com/exif/1.0/",
    }
    named = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {named} {attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
    )


def element(value: str) -> str:
    return f"<Iptc4xmpExt:DigitalSourceType>{value}</Iptc4xmpExt:DigitalSourceType>"


@pytest.mark.parametrize(
    ("term", "kind"),
    [
        ("trainedAlgorithmicMedia", "ai-generated"),
        ("compositeWithTrainedAlgorithmicMedia", "composite"),
        ("compositeSynthetic", "composite"),
        ("algorithmicMedia", "drawn"),
        ("digitalCreation", "drawn"),
        ("digitalCapture", "natural"),
        ("screenCapture", "unknown"),
        ("noSuchTerm", None),
    ],
)
@pytest.mark.parametrize(
    "write",
    [
        lambda term: packet(attributes=f'Iptc4xmpExt:DigitalSourceType="{SOURCE}{term}"'),
        lambda term: packet(element(f"{SOURCE}{term}")),
        lambda term: packet(f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{SOURCE}{term}"/>'),
        lambda term: packet(element(f"digsrctype:{term}")),
        lambda term: packet(attributes=f'Iptc4xmpExt:DigitalSourcetype="{SOURCE}{term}/"'),
    ],
    ids=["attribute", "element", "resource", "qcode", "another spelling"],
)  # fmt: skip
def test_iptcs_terms_are_read_in_every_spelling(
    tmp_path: Path, write: Callable[[str], str], term: str, kind: str | None
) -> None:
    assert png(tmp_path, **{"XML:com.adobe.xmp": write(term)}).kind == kind


def test_draw_things_writes_a_table_into_its_xmp(tmp_path: Path) -> None:
    for strength, kind in ((1, "ai-generated"), (0.6, "composite")):
        table = {"c": "a fox", "uc": "blur", "model": "sd_v1.5_f16.ckpt", "seed": 9, "strength": strength}
        escaped = json.dumps(table).replace('"', "&quot;")
        xmp = packet(f"<exif:UserComment>{escaped}</exif:UserComment>", 'xmp:CreatorTool="Draw Things"')
        said = png(tmp_path, **{"XML:com.adobe.xmp": xmp})
        assert mark(said) == (kind, "sd_v1.5_f16", "a fox")
        assert said.provenance.denoising_strength == (0.6 if kind == "composite" else None)


def test_marks_that_contradict_each_other_leave_the_kind_unknown(tmp_path: Path) -> None:
    def both(term: str) -> Metadata:
        xmp = packet(attributes=f'Iptc4xmpExt:DigitalSourceType="{SOURCE}{term}"')
        return png(tmp_path, **{"parameters": a1111(), "XML:com.adobe.xmp": xmp})

    assert (both("trainedAlgorithmicMedia").kind, both("trainedAlgorithmicMedia").marks) == (
        "ai-generated",
        ("AUTOMATIC1111", "IPTC"),
    )
    assert both("compositeWithTrainedAlgorithmicMedia").kind == "composite"
    assert both("digitalCapture").kind == "unknown"


def test_a_plain_folder_is_opened_with_what_its_files_say(tmp_path: Path) -> None:
    png(tmp_path, "a.png", parameters=a1111())
    png(tmp_path, "b.png", parameters=a1111(", Denoising strength: 0.4"))
    png(tmp_path, "c.png")
    (tmp_path / "d.png").write_bytes(b"nothing")
    opened = open_set(str(tmp_path))
    kinds = {picture.name: picture.kind for picture in opened.pictures}
    assert kinds == {"a.png": "ai-generated", "b.png": "composite", "c.png": "natural", "d.png": "natural"}
    first = opened.pictures[0]
    assert (first.generator, first.caption, first.provenance.seed) == ("dreamshaper_8", "a fox", 12)
    assert opened.notes == (
        "marked in the files: 1 AI-generated (AUTOMATIC1111 1), 1 composite (AUTOMATIC1111 1); "
        "2 pictures without a mark, taken as natural",
    )


def test_describe_tells_of_pictures_that_are_in_no_test(tmp_path: Path) -> None:
    png(tmp_path, "a.png", parameters=a1111(", Denoising strength: 0.4"))
    png(tmp_path, "b.png", **{"XML:com.adobe.xmp": packet(attributes=f'p="{SOURCE}"')})
    xmp = packet(attributes=f'Iptc4xmpExt:DigitalSourceType="{SOURCE}digitalCapture"')
    png(tmp_path, "c.png", **{"parameters": a1111(), "XML:com.adobe.xmp": xmp})
    outcome = describe(tmp_path)
    kinds = [(finding.picture, finding.detail) for finding in outcome.findings if finding.concern == "kind"]
    assert kinds == [
        (
            "a.png",
            "is composite by its marks (AUTOMATIC1111), another picture changed with denoising strength 0.4",
        ),
        ("c.png", "its marks leave open what it is (AUTOMATIC1111 and IPTC)"),
    ]
    entries = {entry.file: entry for entry in outcome.manifest.pictures}
    assert (entries["a.png"].kind, entries["a.png"].denoising_strength) == ("composite", 0.4)
    assert (entries["b.png"].kind, entries["c.png"].kind) == (None, "unknown")
    shutil.rmtree(tmp_path)


def test_half_a_letter_and_impossible_numbers_of_a_file_reach_no_store(tmp_path: Path) -> None:
    table = '{"positive_prompt": "a\\ud800b\\u0000c", "seed": %s, "steps": 9}' % ("9" * 30)
    said = png(tmp_path, invokeai_metadata=table).provenance
    assert (said.prompt, said.seed, said.steps) == ("a?bc", None, 9)
