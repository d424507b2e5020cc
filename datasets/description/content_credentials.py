"""Read who made a picture from its Content Credentials (C2PA): claim generator, actions, source types."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..manifest import Kind
from .source_types import Marked, combined, kind_of_source

# What a claim holds is any CBOR.
Fields: TypeAlias = Mapping[str, Any]

MAX_DEPTH = 16
"""Of ingredients of ingredients, and of boxes in boxes."""
_SOURCE_TYPE = re.compile(rb"digitalsourcetype/(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a file's Content Credentials say; their signature is not checked."""

    kind: Marked = None
    generator: str | None = None
    """The program that a trained model made it in, or a part of it."""


@dataclass(frozen=True, slots=True)
class _Manifest:
    claim: Fields
    actions: tuple[Fields, ...]
    ingredients: tuple[Fields, ...]


def read(store: bytes) -> Credentials:
    """Return what a manifest store says of the picture that it lies in.

    The last manifest is about the picture. An action that created it says its source; where it was opened
    instead, the manifest of its parent does. A picture into which another kind was placed, or that a trained
    model edited, is composite. A store whose boxes cannot be read is searched for source types.

    Source: C2PA Technical Specification 2.2, 10.3 and 18; ISO/IEC 19566-5 (JUMBF).

    Args:
        store: Its JUMBF boxes.
    """
    manifests: dict[str, _Manifest] = {}
    for label, body in _superboxes(store):
        if label == "c2pa":
            manifests = {name: _manifest(inner) for name, inner in _superboxes(body)}
    if not any(manifest.claim or manifest.actions for manifest in manifests.values()):
        return Credentials(_mixed(kind_of_source(term.decode()) for term in _SOURCE_TYPE.findall(store)))
    active = list(manifests)[-1]
    return Credentials(_kind(active, manifests), _generator(active, manifests))


def _kind(label: str, manifests: Mapping[str, _Manifest], depth: int = 0) -> Marked:
    manifest = manifests.get(label)
    if manifest is None or depth > MAX_DEPTH:
        return None
    sources: list[tuple[object, Marked]] = [
        (action.get("action"), _source(action)) for action in manifest.actions
    ]
    made = combined(kind for name, kind in sources if name == "c2pa.created")
    changed: set[Marked] = {kind for name, kind in sources if name != "c2pa.created"}
    of_relation: dict[str, list[Marked]] = {}
    for ingredient in manifest.ingredients:
        kind = _kind(_manifest_of(ingredient), manifests, depth + 1)
        of_relation.setdefault(str(ingredient.get("relationship")), []).append(kind)
    made = made or combined(of_relation.get("parentOf", ()))
    placed: set[Marked] = set(of_relation.get("componentOf", ()))
    if made is None:
        return _mixed(changed | placed)
    # An edit by hand changes no kind, and says that it is one by a source type of its own.
    by_model: list[Marked] = [kind for kind in changed if kind in ("ai-generated", "composite")]
    return _mixed([made, *by_model, *placed])


def _mixed(kinds: Iterable[Marked]) -> Marked:
    """Return the kind of a picture that parts of these kinds are in."""
    marked: set[Kind] = {kind for kind in kinds if kind is not None}
    known: list[Kind] = [kind for kind in marked if kind != "unknown"]
    if len(known) > 1:
        return "composite"
    return next(iter(known or marked), None)


def _generator(label: str, manifests: Mapping[str, _Manifest], depth: int = 0) -> str | None:
    """Return the program of the first action that a trained model did, here or in an ingredient."""
    manifest = manifests.get(label)
    if manifest is None or depth > MAX_DEPTH:
        return None
    for action in manifest.actions:
        if _source(action) in ("ai-generated", "composite"):
            claim = manifest.claim
            agents = (
                action.get("softwareAgent"),
                claim.get("claim_generator_info"),
                claim.get("claim_generator"),
            )
            return next((agent for agent in map(_name, agents) if agent), None)
    made = (_generator(_manifest_of(ingredient), manifests, depth + 1) for ingredient in manifest.ingredients)
    return next((agent for agent in made if agent), None)


def _name(agent: object) -> str | None:
    """Return a program's name: text, a table with a name, or a list of such tables."""
    if isinstance(agent, list):
        agent = agent[0] if agent else None
    if isinstance(agent, Mapping):
        agent = agent.get("name")
    return agent.strip() or None if isinstance(agent, str) else None


def _source(action: Fields) -> Marked:
    parameters = action.get("parameters")
    inner = parameters.get("digitalSourceType") if isinstance(parameters, Mapping) else None
    term = action.get("digitalSourceType") or inner
    return kind_of_source(term) if isinstance(term, str) else None


def _manifest_of(ingredient: Fields) -> str:
    """Return the label of an ingredient's own manifest: ``self#jumbf=/c2pa/LABEL``."""
    link = ingredient.get("activeManifest") or ingredient.get("c2pa_manifest")
    address = link.get("url") if isinstance(link, Mapping) else None
    return str(address).rpartition("/c2pa/")[2].split("/")[0] if address else ""


def _manifest(body: bytes) -> _Manifest:
    claim: Fields = {}
    actions: list[Fields] = []
    ingredients: list[Fields] = []
    for label, inner in _superboxes(body):
        if label.startswith("c2pa.claim"):
            claim = next(_tables(inner), {})
        for assertion, content in _superboxes(inner) if label == "c2pa.assertions" else ():
            for table in _tables(content):
                if assertion.startswith("c2pa.actions"):
                    listed = table.get("actions")
                    listed = listed if isinstance(listed, list) else []
                    actions += [action for action in listed if isinstance(action, Mapping)]
                elif assertion.startswith("c2pa.ingredient"):
                    ingredients.append(table)
    return _Manifest(claim, tuple(actions), tuple(ingredients))


def _tables(content: bytes) -> Iterator[Fields]:
    """Yield the CBOR and JSON tables in a superbox's content."""
    import json

    import cbor2

    for kind, body in _boxes(content):
        try:
            table = cbor2.loads(body) if kind == b"cbor" else json.loads(body) if kind == b"json" else None
        except (cbor2.CBORDecodeError, ValueError, RecursionError):
            continue
        if isinstance(table, Mapping):
            yield table


def _superboxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the label and content of each superbox: its first box describes it."""
    for kind, body in _boxes(data):
        if kind != b"jumb":
            continue
        description_kind, description = next(_boxes(body), (b"", b""))
        if description_kind == b"jumd" and len(description) > 17 and description[16] & 2:
            label = description[17:].partition(b"\0")[0].decode("utf-8", "replace")
            yield label, body[8 + len(description) :]


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of each box; one that claims more than there is ends them."""
    place = 0
    while place + 8 <= len(data):
        length, header = int.from_bytes(data[place : place + 4]), 8
        if length == 1:
            length, header = int.from_bytes(data[place + 8 : place + 16]), 16
        length = length or len(data) - place
        if length < header or place + length > len(data):
            return
        yield data[place + 4 : place + 8], data[place + header : place + length]
        place += length
