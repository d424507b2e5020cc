"""Read kind, prompt, model, seed and settings from the graph that ComfyUI writes into its pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath
from typing import Any, Literal, TypeAlias

from ..manifest import Provenance
from .file_texts import FileTexts
from .source_types import Marked, combined

Node: TypeAlias = Mapping[str, Any]
# A graph is what the file holds: its inputs are any JSON.
Content: TypeAlias = Literal["loaded", "ai-generated", "composite"]

_TEXT_KEYS = (
    *("text", "text_g", "text_l", "clip_l", "clip_g", "t5xxl", "bert", "mt5xl", "llama", "prompt"),
    *("user_prompt", "system_prompt", "string", "value", "wildcard_text", "positive"),
)
_MODEL_KEYS = ("ckpt_name", "unet_name", "model_name", "gguf_name")
_SEED_KEYS = ("seed", "noise_seed")
_FLOW_KEYS = (
    *("positive", "conditioning", "guider", "conditioning_1", "conditioning_2", "conditioning_to"),
    "conditioning_from",
)
_PIXEL_KEY = re.compile(
    r"image|img|pixels|samples|latent|frames|destination|source|background|foreground"
    r"|^(|input|any|anything|value|data|on_true|on_false)_?\d*$"
)
_OTHER_KEY = re.compile(r"mask|size|width|height|count|seed|batch")
_TEXT_NODE = re.compile(r"TextEncode|String|Text|Primitive")
_EDITING = re.compile(r"ReferenceLatent|ImageEdit|Pix2Pix|Kontext")
"""Nodes through which a model is shown the picture that it changes."""
_PICTURE_FILE = re.compile(r"\.(png|jpe?g|webp|avif|bmp|tiff?|gif)\b", re.IGNORECASE)
MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class _Walk:
    """What lies on the way from a saved picture back to where its pixels began."""

    parts: frozenset[Content] = frozenset()
    samplers: tuple[str, ...] = ()
    """Nearest to the beginning first."""
    strength: float | None = None
    """With which a sampler changed a loaded picture."""
    masked: bool = False


def read(file: FileTexts) -> tuple[Marked, str | None, Provenance] | None:
    """Return kind, model and how a picture was made, of a file that ComfyUI saved.

    The graph stands in PNG text; in WebP files in EXIF tags of the camera's maker and model, behind its
    name. A file with the editor's drawing of the graph alone says that ComfyUI saved it, and no more.
    """
    texts = {key.lower(): value for key, value in file.texts.items() if key.lower() in ("prompt", "workflow")}
    for tag in ("Make", "Model", "ImageDescription"):
        key, colon, value = file.texts.get(tag, "").partition(":")
        if colon and key.lower() in ("prompt", "workflow"):
            texts.setdefault(key.lower(), value)
    for key in ("prompt", "workflow"):
        if key in texts and (made := of_graph(texts[key], file.name)) is not None:
            return made
    drawing = _json(texts.get("workflow", ""))
    if isinstance(drawing.get("nodes"), list) and "links" in drawing:
        return "unknown", None, Provenance(workflow=texts["workflow"])
    return None


def of_graph(text: str, name: str = "") -> tuple[Marked, str | None, Provenance] | None:
    """Return kind, model and how a picture was made, of ComfyUI's JSON; None where it is none.

    The graph is walked back from the node that saved the picture, and only what lies on that way counts. Its
    samplers make the picture: those of an empty latent an AI-generated one, those of a loaded picture a
    composite one, unless at full strength nothing of it is left. Without any sampler the graph has only
    changed a loaded picture, and says nothing of its kind. The prompt is all text that flows into the
    positive sides of the samplers, the first sampler's first; it has the seed and the settings.

    Args:
        text: What the file holds under ``prompt``.
        name: The file's, for graphs that save several pictures: nodes name how theirs begin.
    """
    graph = _json(text)
    nodes = {str(key): node for key, node in graph.items() if _is_node(node)}
    if not nodes:
        return None
    walks = [_walk(nodes, key) for key in _ends(nodes, name)]
    samplers = list(dict.fromkeys(key for walk in walks for key in walk.samplers))
    kind = _kind(walks)
    near = list(_upstream(nodes, samplers[:1])) if samplers else list(nodes.values())
    sampling_nodes = list(_upstream(nodes, samplers)) if samplers else near
    drawn = [text for key in samplers for text in _texts(nodes, _side(nodes[key], ("positive", "guider")))]
    pushed = [text for key in samplers for text in _texts(nodes, _side(nodes[key], ("negative",)))]
    prompt = list(dict.fromkeys(drawn)) or ([] if samplers else _any_texts(nodes))
    guidance = _first(nodes, near, ("guidance",), (int, float))
    if guidance is None:
        guidance = _first(nodes, near, ("cfg",), (int, float))
    provenance = Provenance(
        model_version="; ".join(sorted(set(_values(nodes, sampling_nodes, _MODEL_KEYS, str)))) or None,
        prompt="\n".join(prompt) or None,
        negative_prompt="\n".join(dict.fromkeys(pushed)) or None,
        seed=_first(nodes, near, _SEED_KEYS, int),
        guidance=None if guidance is None else float(guidance),
        steps=_first(nodes, near, ("steps",), int),
        denoising_strength=next((walk.strength for walk in walks), None) if kind == "composite" else None,
        workflow=text,
    )
    model = _first(nodes, near, _MODEL_KEYS, str) if kind is not None else None
    return kind, _without_suffix(model), provenance


def _json(text: str) -> dict[str, Any]:
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _is_node(node: object) -> bool:
    return isinstance(node, dict) and "class_type" in node and isinstance(node.get("inputs"), dict)


def _ends(nodes: Mapping[str, Node], name: str) -> list[str]:
    """Return the nodes that may have saved the picture; samplers that lead nowhere in a graph without any."""
    linked = {link for node in nodes.values() for link in map(_link, node["inputs"].values()) if link}
    for what in ("Save", "Preview"):
        saving = [key for key, node in nodes.items() if what in str(node["class_type"]) and _pixels(node)]
        if saving:
            named = [key for key in saving if _saves_as(nodes[key], name)]
            return named or saving
    for is_end in (_names_sampler, _samples):
        if ends := [key for key, node in nodes.items() if key not in linked and is_end(node)]:
            return ends
    return []


def _saves_as(node: Node, name: str) -> bool:
    prefix = node["inputs"].get("filename_prefix")
    if not isinstance(prefix, str):
        return False
    fixed = PureWindowsPath(prefix.partition("%")[0]).name
    return bool(fixed) and name.startswith(fixed)


def _names_sampler(node: Node) -> bool:
    inputs = node["inputs"]
    return "ampler" in str(node["class_type"]) and bool(
        {"positive", "guider", "latent_image", "model", *_SEED_KEYS} & inputs.keys()
    )


def _samples(node: Node) -> bool:
    """Whether a node makes pixels or latents by a model: a sampler, or what is one by its inputs."""
    inputs = node["inputs"].keys()
    return _names_sampler(node) or ({"positive", "model"} <= inputs and bool({*_SEED_KEYS, "steps"} & inputs))


def _asks_a_service(node: Node) -> bool:
    """Whether a node has its picture made elsewhere from a prompt."""
    return "prompt" in node["inputs"] and not _TEXT_NODE.search(str(node["class_type"]))


def _pixels(node: Node) -> list[str]:
    """Return the nodes that a node's pixels or latents come from."""
    return [
        link
        for key, value in node["inputs"].items()
        if (link := _link(value)) and _PIXEL_KEY.search(key) and not _OTHER_KEY.search(key)
    ]


def _loads(node: Node) -> bool:
    return "Load" in str(node["class_type"]) or any(
        isinstance(value, str) and _PICTURE_FILE.search(value) for value in node["inputs"].values()
    )


def _walk(nodes: Mapping[str, Node], key: str, seen: frozenset[str] = frozenset()) -> _Walk:
    """Return what lies on the way back from a node."""
    if key not in nodes or key in seen or len(seen) > MAX_DEPTH:
        return _Walk()
    node, kind = nodes[key], str(nodes[key]["class_type"])
    before = [_walk(nodes, link, seen | {key}) for link in _pixels(node)]
    walk = _Walk(
        frozenset[Content]().union(*(way.parts for way in before)),
        tuple(dict.fromkeys(sampler for way in before for sampler in way.samplers)),
        next((way.strength for way in before if way.strength is not None), None),
        "NoiseMask" in kind or "Inpaint" in kind or any(way.masked for way in before),
    )
    if _samples(node):
        return _through_sampler(nodes, key, walk)
    if _asks_a_service(node):
        return replace(walk, parts=frozenset({"composite" if walk.parts else "ai-generated"}))
    if not walk.parts and not before and _loads(node):
        return replace(walk, parts=frozenset({"loaded"}))
    return walk


def _through_sampler(nodes: Mapping[str, Node], key: str, walk: _Walk) -> _Walk:
    """Return a walk with what a sampler makes of the pixels before it."""
    edited = any(
        _EDITING.search(str(shown["class_type"])) and any(_walk(nodes, link).parts for link in _pixels(shown))
        for shown in _upstream(nodes, [key])
    )
    strength = _strength(nodes, key)
    kept = edited or ("loaded" in walk.parts and (walk.masked or strength < 1)) or "composite" in walk.parts
    return _Walk(
        frozenset({"composite" if kept else "ai-generated"}),
        (*walk.samplers, key),
        strength if "loaded" in walk.parts else walk.strength,
        walk.masked,
    )


def _strength(nodes: Mapping[str, Node], key: str) -> float:
    """Return how much of what is before it a sampler replaces by noise, 0 to 1."""
    near = list(_upstream(nodes, [key]))
    start, steps = _first(nodes, near, ("start_at_step",), int), _first(nodes, near, ("steps",), int)
    if start and steps:
        return max(0.0, 1 - start / steps)
    denoise = _first(nodes, near, ("denoise",), (int, float))
    return 1.0 if denoise is None else min(max(float(denoise), 0.0), 1.0)


def _kind(walks: list[_Walk]) -> Marked:
    """Return the kind of a picture that one of these walks leads to; None where it was only loaded."""
    kinds: set[Marked] = set()
    for walk in walks:
        mixed = len(walk.parts) > 1 or "composite" in walk.parts
        kinds.add("composite" if mixed else "ai-generated" if "ai-generated" in walk.parts else None)
    if not any(walk.parts for walk in walks) or (None in kinds and len(kinds) > 1):
        return "unknown"
    return combined(kinds)


def _upstream(nodes: Mapping[str, Node], keys: list[str]) -> Iterator[Node]:
    """Yield nodes and all that flows into them but for pixels and latents, nearest first."""
    seen, waiting = set(keys), list(keys)
    while waiting:
        node = nodes[waiting.pop(0)]
        yield node
        own = set(_pixels(node)) if _samples(node) else set[str]()
        for link in map(_link, node["inputs"].values()):
            if link is not None and link in nodes and link not in seen and link not in own:
                seen.add(link)
                waiting.append(link)


def _side(node: Node, keys: tuple[str, ...]) -> str | None:
    return next((link for key in keys if (link := _link(node["inputs"].get(key)))), None)


def _link(value: object) -> str | None:
    """Return the node that an input comes from: links are lists of a node's id and its output."""
    return str(value[0]) if isinstance(value, list) and len(value) == 2 else None


def _texts(nodes: Mapping[str, Node], key: str | None, depth: int = 0) -> Iterator[str]:
    """Yield the texts that flow into a node, deepest first."""
    if key is None or key not in nodes or depth > MAX_DEPTH:
        return
    inputs = nodes[key]["inputs"]
    for name in _FLOW_KEYS:
        yield from _texts(nodes, _link(inputs.get(name)), depth + 1)
    for name in _TEXT_KEYS:
        value = inputs.get(name)
        if isinstance(value, str) and value.strip():
            yield value.strip()
        elif name != "positive":
            yield from _texts(nodes, _link(value), depth + 1)


def _any_texts(nodes: Mapping[str, Node]) -> list[str]:
    """Return the text of the first encoder, where no sampler says which one counts."""
    encoders = [key for key, node in nodes.items() if "TextEncode" in str(node["class_type"])]
    return list(dict.fromkeys(_texts(nodes, encoders[0]))) if encoders else []


def _values(
    nodes: Mapping[str, Node], chosen: list[Node], names: tuple[str, ...], kind: Any
) -> Iterator[Any]:
    """Yield the values of this type that nodes have under these names, also those that are linked in."""
    for node in chosen:
        for name in names:
            value = node["inputs"].get(name)
            linked = nodes.get(_link(value) or "")
            if linked is not None:
                inputs = linked["inputs"]
                value = next(
                    (inputs[key] for key in (name, *_SEED_KEYS, "value", "int") if key in inputs), None
                )
            if isinstance(value, kind) and not isinstance(value, bool):
                yield value


def _first(nodes: Mapping[str, Node], chosen: list[Node], names: tuple[str, ...], kind: Any) -> Any:
    return next(_values(nodes, chosen, names, kind), None)


def _without_suffix(model: Any) -> str | None:
    return str(model).replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or None if model else None
