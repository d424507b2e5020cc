"""Read prompt, model, seed and settings from the graph that ComfyUI writes into its pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from ..manifest import Provenance

Node: TypeAlias = Mapping[str, Any]
# A graph is what the file holds: its inputs are any JSON.

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
MAX_DEPTH = 64


def read(text: str) -> tuple[str | None, Provenance] | None:
    """Return the model and how a picture was made, of ComfyUI's JSON; None where it is none.

    The prompt is all text that flows into the positive sides of the samplers, in the order of the graph: a
    picture may be drawn in several passes, or in parts.
    """
    try:
        graph = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(graph, dict):
        return None
    nodes = {str(key): node for key, node in graph.items() if _is_node(node)}
    if not nodes:
        return None
    samplers = [key for key in nodes if _sides(nodes[key])]
    drawn = [text for key in samplers for text in _texts(nodes, (_sides(nodes[key]) or (None, None))[0])]
    pushed = [text for key in samplers for text in _texts(nodes, (_sides(nodes[key]) or (None, None))[1])]
    prompt, against = list(dict.fromkeys(drawn)) or _any_texts(nodes), list(dict.fromkeys(pushed))
    model = _first(nodes, _MODEL_KEYS, str)
    provenance = Provenance(
        model_version="; ".join(sorted(set(_all(nodes, _MODEL_KEYS, str)))) or None,
        prompt="\n".join(prompt) or None,
        negative_prompt="\n".join(against) or None,
        seed=_first(nodes, _SEED_KEYS, int),
        guidance=_float(_first(nodes, ("guidance",), (int, float)) or _first(nodes, ("cfg",), (int, float))),
        steps=_first(nodes, ("steps",), int),
        workflow=text,
    )
    return _without_suffix(model), provenance


def _is_node(node: object) -> bool:
    return isinstance(node, dict) and "class_type" in node and isinstance(node.get("inputs"), dict)


def _sides(node: Node) -> tuple[str | None, str | None] | None:
    """Return the nodes whose text a sampler is drawn to and pushed from; None for what samples nothing."""
    inputs, kind = node["inputs"], str(node["class_type"])
    if "ampler" in kind and ("positive" in inputs or "guider" in inputs):
        return _link(inputs.get("positive")) or _link(inputs.get("guider")), _link(inputs.get("negative"))
    return None


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


def _all(nodes: Mapping[str, Node], names: tuple[str, ...], kind: Any) -> Iterator[Any]:
    for node in nodes.values():
        for name in names:
            value = node["inputs"].get(name)
            if isinstance(value, kind) and not isinstance(value, bool):
                yield value


def _first(nodes: Mapping[str, Node], names: tuple[str, ...], kind: Any) -> Any:
    return next(_all(nodes, names, kind), None)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _without_suffix(model: Any) -> str | None:
    return str(model).replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or None if model else None
