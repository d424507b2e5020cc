"""Read how a picture was made from its file's metadata: ComfyUI, AUTOMATIC1111, EXIF, XMP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from PIL import ExifTags, Image

from ...system_errors import reason
from ..manifest import Provenance
from . import comfyui

MAX_TEXT = 2**20
"""Longest text that is looked into, in characters."""

_AI_SOURCES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")
"""IPTC's terms for pictures that a trained model made, wholly or in part."""
_PARAMETER = re.compile(r'\s*([\w ./-]+):\s*("(?:\\.|[^"\\])*"|[^,]*)(?:,|$)')


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of the picture in it."""

    generator: str | None = None
    """The program or model that made a generated picture."""
    generated: bool = False
    """Whether the file says that a trained model made it."""
    caption: str | None = None
    licence: str | None = None
    provenance: Provenance = field(default_factory=Provenance)


def read_metadata(path: Path) -> Metadata:
    """Return what a picture file says of itself; the first of the known forms that fits.

    Nothing in it is trusted further than to be shown: it is text that anybody may have written.

    Raises:
        ValueError: The file is no picture, or its metadata is damaged or larger than a decoder opens.
    """
    try:
        with Image.open(path) as image:
            texts = {str(key): value for key, value in image.info.items() if isinstance(value, str)}
            if image.format == "PNG":
                image.load()  # text may stand behind the pixels
                texts |= {str(key): str(value) for key, value in getattr(image, "text", {}).items()}
            exif = _exif(image)
            xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: metadata cannot be read ({reason(error)})") from error
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    short = {key: value for key, value in texts.items() if len(value) <= MAX_TEXT}
    metadata = _of_texts({**exif, **short})
    return _with_xmp(metadata, xmp[:MAX_TEXT])


def _of_texts(texts: Mapping[str, str]) -> Metadata:
    for key in ("prompt", "workflow"):
        if key in texts and (made := comfyui.read(texts[key])) is not None:
            generator, provenance = made
            return Metadata(generator or "ComfyUI", True, provenance=provenance)
    for key in ("parameters", "UserComment"):
        if key in texts and "Steps: " in texts[key]:
            return _of_parameters(texts[key])
    for key in ("invokeai_metadata", "sd-metadata"):
        if key in texts and (invoke := _of_invoke(texts[key])) is not None:
            return invoke
    description = texts.get("ImageDescription") or texts.get("Description")
    return Metadata(caption=(description or "").strip() or None)


def _of_parameters(text: str) -> Metadata:
    """Return what AUTOMATIC1111's web UI writes: prompt, negative prompt, then a line of settings."""
    said, _, settings = text.rpartition("\n") if not text.startswith("Steps: ") else ("", "", text)
    if "Steps: " not in settings:  # other tools break the settings into lines
        said, _, rest = text.partition("\nSteps: ")
        settings = "Steps: " + rest
    prompt, _, negative = said.partition("Negative prompt:")
    values = {parameter[1].strip(): parameter[2].strip('" ') for parameter in _PARAMETER.finditer(settings)}
    model = values.get("Model")
    version = " ".join(part for part in (model, values.get("Model hash")) if part)
    provenance = Provenance(
        model_version=version or None,
        prompt=prompt.strip() or None,
        negative_prompt=negative.strip() or None,
        seed=_whole(values.get("Seed")),
        guidance=_number(values.get("CFG scale")),
        steps=_whole(values.get("Steps")),
        workflow=text,
    )
    return Metadata(model or "AUTOMATIC1111", True, provenance=provenance)


def _of_invoke(text: str) -> Metadata | None:
    """Return what InvokeAI writes: one JSON table."""
    try:
        table = json.loads(text)
    except ValueError:
        return None
    if not isinstance(table, dict):
        return None
    model: Any = table.get("model")
    name = model.get("model_name") or model.get("name") if isinstance(model, dict) else model
    provenance = Provenance(
        model_version=str(name) if name else None,
        prompt=_text(table.get("positive_prompt") or table.get("prompt")),
        negative_prompt=_text(table.get("negative_prompt")),
        seed=_whole(table.get("seed")),
        guidance=_number(table.get("cfg_scale")),
        steps=_whole(table.get("steps")),
        workflow=text,
    )
    return Metadata(str(name) if name else "InvokeAI", True, provenance=provenance)


def _exif(image: Image.Image) -> dict[str, str]:
    """Return the EXIF texts that say how a picture was made."""
    exif = image.getexif()
    tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    names = {ExifTags.Base.ImageDescription: "ImageDescription", ExifTags.Base.UserComment: "UserComment"}
    decoded = {name: _exif_text(tags[tag]) for tag, name in names.items() if tag in tags}
    # ComfyUI writes WebP files with "prompt:{...}" and "workflow:{...}" in tags of the camera's maker.
    for tag in (ExifTags.Base.Make, ExifTags.Base.Model):
        key, colon, value = _exif_text(exif.get(tag, "")).partition(":")
        if colon and key.lower() in ("prompt", "workflow"):
            decoded[key.lower()] = value
    return {name: value for name, value in decoded.items() if value}


def _exif_text(value: object) -> str:
    """Return an EXIF text; a user comment begins with eight bytes that name its encoding."""
    if isinstance(value, str):
        return value.strip("\0 ")
    if not isinstance(value, bytes):
        return ""
    code, body = value[:8], value[8:]
    if code == b"UNICODE\0":
        return body.decode("utf-16-le" if body[1:2] == b"\0" else "utf-16-be", "replace").strip("\0 ")
    if code in (b"ASCII\0\0\0", bytes(8)):
        return body.decode("utf-8", "replace").strip("\0 ")
    return value.decode("utf-8", "replace").strip("\0 ")


def _with_xmp(metadata: Metadata, xmp: bytes) -> Metadata:
    """Return metadata with what an XMP packet adds: description, rights, IPTC's digital source type."""
    # Entities are of no use in XMP, and the classic way to blow up a parser.
    if not xmp.strip() or b"<!DOCTYPE" in xmp or b"<!ENTITY" in xmp:
        return metadata
    try:
        root = ElementTree.fromstring(xmp.strip(b"\0 \n\r\t"))
    except ElementTree.ParseError:
        return metadata
    said: dict[str, str] = {}
    for node in root.iter():
        for key, value in [*node.attrib.items(), (node.tag, "".join(node.itertext()))]:
            said.setdefault(key.rpartition("}")[2], " ".join(value.split()))
    source = said.get("DigitalSourceType", "").rpartition("/")[2]
    generated = metadata.generated or source in _AI_SOURCES
    tool = said.get("AISystemUsed") or said.get("CreatorTool")
    return replace(
        metadata,
        generated=generated,
        generator=metadata.generator or (tool if generated else None) or None,
        caption=metadata.caption or said.get("description") or None,
        licence=metadata.licence or said.get("UsageTerms") or said.get("rights") or None,
        provenance=replace(
            metadata.provenance, prompt=metadata.provenance.prompt or said.get("AIPromptInformation") or None
        ),
    )


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(str(value)) if number is not None and str(value).isdigit() else None


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None
