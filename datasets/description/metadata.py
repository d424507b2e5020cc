"""Read how a picture was made from what its file says of it, by one table of programs and standards."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from ..manifest import Kind, Provenance
from . import comfyui, content_credentials, generators
from .file_texts import FileTexts, read_file_texts
from .source_types import Marked, combined, kind_of_source

LARGEST_SEED = 2**64
_PLAIN_TEXT = {0: None} | dict.fromkeys(range(0xD800, 0xE000), "?")
"""JSON may hold halves of letters, which no file of text can, and NUL, which no database takes."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of the picture in it."""

    generator: str | None = None
    """The model or program that made a generated picture."""
    kind: Marked = None
    """None where nothing in the file tells."""
    marks: tuple[str, ...] = ()
    """Names of the programs and standards that say so."""
    caption: str | None = None
    licence: str | None = None
    provenance: Provenance = field(default_factory=Provenance)


PROGRAMS: dict[str, Callable[[FileTexts], tuple[Marked, str | None, Provenance] | None]] = {
    "ComfyUI": comfyui.read,
    "SwarmUI": generators.swarmui,
    "Fooocus": generators.fooocus,
    "AUTOMATIC1111": generators.automatic1111,
    "InvokeAI": generators.invokeai,
    "NovelAI": generators.novelai,
    "Easy Diffusion": generators.easy_diffusion,
    "Draw Things": generators.draw_things,
    "Midjourney": generators.midjourney,
    "FLUX": generators.flux,
}
"""What reads each program's own record: kind, model and how the picture was made; None where there is none.

The first that fits counts: SwarmUI keeps ComfyUI's graph only where it is asked to, forks of AUTOMATIC1111
write its settings beside their own.
"""


def read_metadata(path: Path) -> Metadata:
    """Return what a picture file says of itself.

    The first program of `PROGRAMS` that fits says how the picture was made; C2PA and IPTC add to it. Nothing
    is trusted further than to be shown: it is text that anybody may have written.

    Raises:
        ValueError: The file is no picture, or its metadata is damaged or larger than a decoder opens.
    """
    return of_texts(read_file_texts(path))


def of_texts(file: FileTexts) -> Metadata:
    """Return what the texts of a file say of its picture."""
    metadata = _of_program(file)
    if file.credentials:
        credentials = content_credentials.read(file.credentials)
        metadata = _with_mark(metadata, "C2PA", credentials.kind, credentials.generator)
    return _storable(_with_xmp(metadata, file.xmp))


def summary(described: Iterable[Metadata]) -> str:
    """Return how many pictures are marked as what, and by whom: ``3 AI-generated (ComfyUI 2, C2PA 1)``.

    Nothing where no picture is marked.
    """
    by_kind: dict[Kind, dict[str, int]] = {}
    counts: dict[Kind, int] = {}
    for metadata in described:
        if metadata.kind is not None:
            counts[metadata.kind] = counts.get(metadata.kind, 0) + 1
            for mark in metadata.marks:
                of_kind = by_kind.setdefault(metadata.kind, {})
                of_kind[mark] = of_kind.get(mark, 0) + 1
    return ", ".join(
        f"{count} {_TITLES.get(kind, kind)} ({', '.join(f'{mark} {n}' for mark, n in by_kind[kind].items())})"
        for kind, count in sorted(counts.items())
    )


_TITLES = {"ai-generated": "AI-generated"}


def _of_program(file: FileTexts) -> Metadata:
    for program, read in PROGRAMS.items():
        if (made := read(file)) is not None:
            kind, generator, provenance = made
            generator = generator or (program if kind not in (None, "natural") else None)
            return Metadata(generator, kind, (program,), provenance=provenance)
    description = file.texts.get("ImageDescription") or file.texts.get("Description") or ""
    return Metadata(caption=description.strip() or None)


def _with_mark(metadata: Metadata, mark: str, kind: Marked, generator: str | None) -> Metadata:
    """Return metadata with the kind that a further mark says."""
    if kind is None:
        return metadata
    both = combined((metadata.kind, kind))
    made = generator if both in ("ai-generated", "composite") else None
    return replace(metadata, kind=both, marks=(*metadata.marks, mark), generator=metadata.generator or made)


def _with_xmp(metadata: Metadata, xmp: bytes) -> Metadata:
    """Return metadata with what an XMP packet adds: description, rights, IPTC's digital source type."""
    said = generators.xmp_values(xmp)
    if not said:
        return metadata
    tool = said.get("aisystemused") or said.get("creatortool")
    metadata = _with_mark(metadata, "IPTC", kind_of_source(said.get("digitalsourcetype", "")), tool)
    provenance = metadata.provenance
    return replace(
        metadata,
        caption=metadata.caption or said.get("description") or None,
        licence=metadata.licence or said.get("usageterms") or said.get("rights") or None,
        provenance=replace(provenance, prompt=provenance.prompt or said.get("aipromptinformation") or None),
    )


def _storable(metadata: Metadata) -> Metadata:
    """Return metadata without what neither manifest nor store can hold: a seed of a thousand digits."""
    provenance = metadata.provenance
    seed, steps, guidance = provenance.seed, provenance.steps, provenance.guidance
    provenance = replace(
        provenance,
        **_plain(provenance),
        seed=seed if seed is not None and 0 <= seed < LARGEST_SEED else None,
        steps=steps if steps is not None and 0 <= steps < 2**31 else None,
        guidance=guidance if guidance is not None and math.isfinite(guidance) else None,
    )
    return replace(metadata, **_plain(metadata), provenance=provenance)


def _plain(record: Metadata | Provenance) -> dict[str, str | None]:
    values = {entry.name: getattr(record, entry.name) for entry in fields(record)}
    return {
        name: value.translate(_PLAIN_TEXT) or None for name, value in values.items() if isinstance(value, str)
    }
