"""Read the records that programs write into the pictures they generate, each in its own form.

Every reader returns the picture's kind, its model and how it was made, or None where the file has no record
of its program. A picture that began as another one is composite, unless nothing of that one was kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias
from xml.etree import ElementTree

from ..manifest import Kind, Provenance
from .file_texts import FileTexts
from .source_types import Marked

Made: TypeAlias = tuple[Marked, str | None, Provenance]
# What a record holds is any JSON.
Table: TypeAlias = Mapping[str, Any]

_SETTING = re.compile(r'\s*([\w ./-]+):\s*("(?:\\.|[^"\\])*"|[^,\n]*)(?:,|\n|$)')
_SETTINGS_LINE = re.compile(r"(?:^|\n)Steps: ")
_NEGATIVE = re.compile(r"(?:^|\n)Negative prompt:")
_HIRES = ("Hires", "First pass size", "Second pass")
_MASK = ("Mask", "Inpaint", "Masked")
_DREAM_OPTION = re.compile(r"\s-(\w+)\s+(\S+)")
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_JOB = re.compile(r"\s*Job ID: ([0-9a-f-]{36})", re.IGNORECASE)
_VERSION = re.compile(r"--(v|niji)\s+([\d.]+)")


def automatic1111(file: FileTexts) -> Made | None:
    """Return what AUTOMATIC1111's web UI and its forks write: prompt, negative prompt, a line of settings.

    PNG text ``parameters``; elsewhere EXIF's user comment. A second pass over the program's own picture has a
    denoising strength too, and says that it is one.
    """
    keys = ("parameters", "UserComment", "comment")
    text = next((file.texts[key] for key in keys if _SETTINGS_LINE.search(file.texts.get(key, ""))), None)
    if text is None:
        return None
    start = [match.start() for match in _SETTINGS_LINE.finditer(text)][-1]
    said, settings = text[:start], text[start:].lstrip("\n")
    against = _NEGATIVE.search(said)
    prompt, negative = (said[: against.start()], said[against.end() :]) if against else (said, "")
    values = {setting[1].strip(): setting[2].strip('" ') for setting in _SETTING.finditer(settings)}
    model = values.get("Model") or None
    strength = _number(values.get("Denoising strength"))
    second_pass = any(key.startswith(_HIRES) for key in values)
    masked = any(key.startswith(_MASK) for key in values)
    operations = values.get("Operations", "")
    began = masked or (strength is not None and not second_pass)
    if operations:  # SD.Next names what was done
        began = any(name in operations for name in ("img2img", "inpaint", "outpaint"))
    provenance = Provenance(
        model_version=" ".join(part for part in (model, values.get("Model hash")) if part) or None,
        prompt=_text(prompt),
        negative_prompt=_text(negative),
        seed=_whole(values.get("Seed")),
        guidance=_number(_first(values, ("Distilled CFG Scale", "CFG scale", "CFG Scale", "Guidance Scale"))),
        steps=_whole(values.get("Steps")),
        denoising_strength=strength if began else None,
        workflow=text,
    )
    return _kind(began, strength, masked), model, provenance


def swarmui(file: FileTexts) -> Made | None:
    """Return what SwarmUI writes: a table ``sui_image_params``."""
    for key in ("parameters", "UserComment"):
        table = _table(file.texts.get(key)).get("sui_image_params")
        if isinstance(table, dict):
            creativity = _number(table.get("initimagecreativity"))
            masked = table.get("maskimage") is not None
            return _of_table(
                file.texts[key], table, _base_name(table.get("model")), creativity, masked=masked,
                prompt=("prompt",), negative=("negativeprompt",), guidance=("cfgscale", "fluxguidancescale"),
            )  # fmt: skip
    return None


def fooocus(file: FileTexts) -> Made | None:
    """Return what Fooocus writes in its own scheme: a table with a ``base_model``."""
    for key in ("parameters", "UserComment", "Comment", "comment"):
        table = _table(file.texts.get(key))
        if {"base_model", "Base Model"} & table.keys() or "Fooocus" in str(table.get("version", "")):
            model = _base_name(_first(table, ("base_model", "Base Model")))
            return _of_table(
                file.texts[key], table, model, None, prompt=("prompt", "Prompt"),
                negative=("negative_prompt", "Negative Prompt"), seed=("seed", "Seed"),
                guidance=("guidance_scale", "Guidance Scale"), steps=("steps", "Steps"),
            )  # fmt: skip
    return None


def invokeai(file: FileTexts) -> Made | None:
    """Return what InvokeAI writes: a table since version 3, another in version 2, a command before."""
    texts = file.texts
    for key in ("invokeai_metadata", "invokeai"):
        table = _table(texts.get(key))
        if table:
            mode = str(table.get("generation_mode") or "")
            began = any(name in mode for name in ("img2img", "inpaint", "outpaint"))
            strength = _number(_first(table, ("strength", "img2img_strength"))) if began else None
            return _of_table(
                texts[key], table, _model(table.get("model")), strength, began=began,
                masked="paint" in mode, prompt=("positive_prompt", "prompt"),
                guidance=("cfg_scale", "guidance"),
            )  # fmt: skip
    if outer := _table(texts.get("sd-metadata")):
        table = outer.get("image")
        table = table if isinstance(table, dict) else outer
        began = table.get("type") == "img2img"
        strength = _number(table.get("strength")) if began else None
        prompt, negative = _bracketed(table.get("prompt"))
        fields = {**table, "prompt": prompt, "negative_prompt": negative}
        model = outer.get("model_weights") or _model(outer.get("model"))
        return _of_table(texts["sd-metadata"], fields, _text(model), strength, began=began)
    return _of_dream(texts["Dream"]) if "Dream" in texts else None


def novelai(file: FileTexts) -> Made | None:
    """Return what NovelAI writes: ``Software``, ``Source`` and a table in ``Comment``; one table in WebP."""
    texts: Table = {**_table(file.texts.get("UserComment")), **file.texts}
    table = _table(texts.get("Comment"))
    if "NovelAI" not in f"{texts.get('Software')} {texts.get('Source')}" or not table:
        return None
    request = str(table.get("request_type", ""))
    masked = "Infill" in request
    strength = _number(table.get("strength"))
    began = "Img2Img" in request or masked or (not request and strength is not None)
    kind, model, provenance = _of_table(
        str(texts["Comment"]), table, "NovelAI", strength if began else None, began=began, masked=masked,
        negative=("uc",), guidance=("scale",),
    )  # fmt: skip
    prompt = provenance.prompt or _text(texts.get("Description"))
    return kind, model, replace(provenance, model_version=_text(texts.get("Source")), prompt=prompt)


def easy_diffusion(file: FileTexts) -> Made | None:
    """Return what Easy Diffusion writes: keys of PNG text, or a table in EXIF, in one of two spellings."""
    for table in (file.texts, _table(file.texts.get("UserComment"))):
        model = _first(table, ("use_stable_diffusion_model", "Stable Diffusion model"))
        if model is not None:
            strength = _number(_first(table, ("prompt_strength", "Prompt Strength")))
            return _of_table(
                json.dumps(dict(table), ensure_ascii=False), table, _base_name(model), strength,
                prompt=("prompt", "Prompt"), negative=("negative_prompt", "Negative Prompt"),
                seed=("seed", "Seed"), guidance=("guidance_scale", "Guidance Scale"),
                steps=("num_inference_steps", "Steps"),
            )  # fmt: skip
    return None


def draw_things(file: FileTexts) -> Made | None:
    """Return what Draw Things writes: a table in the user comment of its XMP packet."""
    said = xmp_values(file.xmp)
    if "Draw Things" not in said.get("creatortool", ""):
        return None
    text = said.get("usercomment", "")
    strength = _number(_table(text).get("strength"))
    return _of_table(
        text, _table(text), _base_name(_table(text).get("model")),
        strength if strength is not None and strength < 1 else None,
        prompt=("c",), negative=("uc",), guidance=("scale",),
    )  # fmt: skip


def midjourney(file: FileTexts) -> Made | None:
    """Return what Midjourney writes: the prompt, its options and the job's id as a description."""
    said = xmp_values(file.xmp)
    texts = (file.texts.get("Description"), file.texts.get("ImageDescription"), said.get("description"))
    text = next((text for text in texts if text and _JOB.search(text)), None)
    if text is None:
        return None
    whole = _JOB.split(text)[0]
    version = _VERSION.search(whole)
    name = f"Midjourney {'Niji ' if version[1] == 'niji' else ''}{version[2]}" if version else "Midjourney"
    prompt = re.split(r"\s--\w", whole, maxsplit=1)[0]
    return "ai-generated", name, Provenance(prompt=_text(prompt), workflow=text)


def flux(file: FileTexts) -> Made | None:
    """Return what FLUX's reference code and what is derived from it write: EXIF's ``Software``.

    It is ``AI generated;txt2img;flux-dev``; the prompt is there only where it was asked for.
    """
    mark, *rest = file.texts.get("Software", "").split(";")
    if mark.strip().lower() != "ai generated":
        return None
    model = file.texts.get("Model") or (rest[1] if len(rest) > 1 else None)
    began = bool(rest) and rest[0] not in ("txt2img", "")
    prompt = _text(file.texts.get("ImageDescription"))
    return _kind(began, None), model, Provenance(model_version=model, prompt=prompt)


def xmp_values(xmp: bytes) -> dict[str, str]:
    """Return the values of an XMP packet by the name of their property, without its schema, in lower case.

    A value may stand as an attribute, an element's text, or an address in ``rdf:resource``.
    """
    # Entities are of no use in XMP, and the classic way to blow up a parser.
    if not xmp.strip() or b"<!DOCTYPE" in xmp or b"<!ENTITY" in xmp:
        return {}
    try:
        root = ElementTree.fromstring(xmp.strip(b"\0 \n\r\t"))
    except ElementTree.ParseError:
        return {}
    values: dict[str, str] = {}
    for node in root.iter():
        pairs = [(key.rpartition("}")[2], value) for key, value in node.attrib.items()]
        if not node.tag.startswith(_RDF):
            address = next((value for key, value in pairs if key == "resource"), "")
            pairs.append((node.tag.rpartition("}")[2], "".join(node.itertext()).strip() or address))
        for key, value in pairs:
            if text := " ".join(value.split()):
                values.setdefault(key.lower(), text)
    return values


def _of_dream(text: str) -> Made:
    """Return what InvokeAI 1 writes: the prompt in quotes and options of a command."""
    prompt, _, rest = text.lstrip('"').partition('"')
    options = dict(_DREAM_OPTION.findall(rest))
    drawn, against = _bracketed(prompt)
    began = "I" in options
    strength = _number(options.get("f")) if began else None
    provenance = Provenance(
        prompt=drawn,
        negative_prompt=against,
        seed=_whole(options.get("S")),
        guidance=_number(options.get("C")),
        steps=_whole(options.get("s")),
        denoising_strength=strength,
        workflow=text,
    )
    return _kind(began, strength), None, provenance


def _of_table(
    text: str,
    table: Table,
    model: str | None,
    strength: float | None,
    *,
    began: bool | None = None,
    masked: bool = False,
    prompt: tuple[str, ...] = ("prompt",),
    negative: tuple[str, ...] = ("negative_prompt",),
    seed: tuple[str, ...] = ("seed",),
    guidance: tuple[str, ...] = ("cfg_scale",),
    steps: tuple[str, ...] = ("steps",),
) -> Made:
    """Return what a table says under these keys; a strength is that of a picture that it began with."""
    began = strength is not None or masked if began is None else began
    provenance = Provenance(
        model_version=model,
        prompt=_text(_first(table, prompt)),
        negative_prompt=_text(_first(table, negative)),
        seed=_whole(_first(table, seed)),
        guidance=_number(_first(table, guidance)),
        steps=_whole(_first(table, steps)),
        denoising_strength=strength if began else None,
        workflow=text,
    )
    return _kind(began, strength, masked), model, provenance


def _kind(began: bool, strength: float | None, masked: bool = False) -> Kind:
    """Return the kind of a generated picture.

    Args:
        began: Whether with another picture.
        strength: How much noise hid that one; at 1 nothing was left of it.
        masked: Whether a part of it was kept.
    """
    return "composite" if began and (masked or strength is None or strength < 1) else "ai-generated"


def _bracketed(prompt: object) -> tuple[str | None, str | None]:
    """Return an early InvokeAI's prompt and what stands in its brackets, the negative prompt."""
    if isinstance(prompt, list):
        prompt = ", ".join(str(part.get("prompt", "")) for part in prompt if isinstance(part, dict))
    text = str(prompt or "")
    against = ", ".join(re.findall(r"\[([^\]]*)\]", text))
    return _text(re.sub(r"\s*\[[^\]]*\]", "", text)), _text(against)


def _model(model: object) -> str | None:
    if isinstance(model, dict):
        model = model.get("model_name") or model.get("name")
    return _text(model)


def _base_name(model: object) -> str | None:
    """Return a model's name without its folders and its file's ending."""
    name = str(model or "").replace("\\", "/").rpartition("/")[2]
    return re.sub(r"\.(safetensors|ckpt|gguf|pth?|sft)$", "", name) or None


def _table(text: object) -> dict[str, Any]:
    """Return the table in a JSON text; nothing where it is none."""
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return {}
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _first(table: Table, keys: Iterable[str]) -> Any:
    return next((table[key] for key in keys if table.get(key) is not None), None)


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(str(value)) if number is not None and str(value).isdecimal() else None


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
