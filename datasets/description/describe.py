"""Describe a folder of pictures in a manifest, and note what its owner should know before measuring on it."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from ...counts import counted
from ...visible_text import visible
from ..folder import INDEX, look_into, shortened
from ..manifest import DatasetError, Kind, Manifest, PictureEntry
from ..perceptual import near_pairs, perceptual_hash
from ..pixels import PictureError, pixels_sha256, read_pixels
from ..validation import explain_validation
from .block_grids import GRID_FOUND
from .history import FILE_FORMATS, NO_JPEG, SMALLEST_SIDE, Traces, measure_history
from .index_file import Index, read_index
from .metadata import Metadata, read_metadata, summary

Concern = Literal[
    "unreadable",
    "duplicate",
    "near-duplicate",
    "jpeg",
    "lossy",
    "upscaled",
    "small",
    "unknown origin",
    "left out",
    "index",
    "metadata",
    "kind",
]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about one picture that bears on what may be measured with it."""

    picture: str
    concern: Concern
    detail: str


@dataclass(frozen=True, slots=True)
class Description:
    """A folder, described."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    marks: str
    """How many pictures are marked as what, and by whom; empty where none is."""


@dataclass(frozen=True, slots=True)
class _Seen:
    entry: PictureEntry
    said: Metadata
    findings: tuple[Finding, ...]


def describe(
    folder: Path,
    *,
    name: str | None = None,
    kind: Kind | None = None,
    licence: str = "unknown",
    citation: str = "unknown",
    site: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Description:
    """Return a manifest of all pictures in a folder and below, with findings in the order of the pictures.

    What the files say of themselves is taken over, and what an ``index.csv`` in the folder says wins over it.

    Args:
        folder: Folder whose pictures are described; those in folders below it count.
        name: Of the set; None takes the folder's name.
        kind: Of the pictures that say nothing of a generator; natural if absent.
        licence: Of the pictures that say none.
        citation: Of the set.
        site: Where a reader finds the set.
        progress: Told how many pictures are done, of how many.

    Raises:
        DatasetError: There is no such folder, or no picture in it that can be measured.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    contents = look_into(folder)
    names = contents.pictures
    if not names:
        raise DatasetError("\n".join([f"{folder}: no pictures in it or below", *contents.notes]))
    index = read_index(folder, names)
    seen: list[_Seen] = []
    unreadable: list[Finding] = []
    for count, file in enumerate(names, 1):
        try:
            seen.append(_look(folder, file, index.rows.get(file, {}), kind))
        except PictureError as error:
            unreadable.append(Finding(file, "unreadable", str(error).removeprefix(f"{folder / file}: ")))
        if progress:
            progress(count, len(names))
    if not seen:
        raise DatasetError(
            f"{folder}: none of its {counted(len(names), 'picture')} can be measured: {unreadable[0].detail}"
        )
    entries = [picture.entry for picture in seen]
    manifest = _manifest(entries, name or _set_name(folder), kind, licence, citation, site)
    findings = [
        *(Finding(visible(name), "left out", reason) for name, reason in contents.left_out.items()),
        *_about_index(index, seen),
        *unreadable,
        *_duplicates(entries),
        *(finding for picture in seen for finding in picture.findings),
    ]
    in_order = tuple(sorted(findings, key=lambda finding: finding.picture))
    return Description(manifest, in_order, summary(picture.said for picture in seen))


def _manifest(
    entries: Sequence[PictureEntry],
    name: str,
    kind: Kind | None,
    licence: str,
    citation: str,
    site: str | None,
) -> Manifest:
    """Return the manifest of pictures whose own kind is left out where it is the set's."""
    counts: Counter[Kind] = Counter(entry.kind for entry in entries if entry.kind is not None)
    most, count = counts.most_common(1)[0]
    overall: Kind = kind or (most if 2 * count > len(entries) else "natural")
    plain = [entry.model_copy(update={"kind": None}) if entry.kind == overall else entry for entry in entries]
    many = f"{len(entries)} picture" + ("s" if len(entries) > 1 else "")
    return Manifest.model_validate(
        {
            "name": name,
            "title": f"{many} of a folder, described by codecarena",
            "kind": overall,
            "licence": licence,
            "citation": citation,
            "site": site,
            "pictures": plain,
        }
    )


def _look(folder: Path, file: str, indexed: Mapping[str, str], kind: Kind | None) -> _Seen:
    """Return one picture's entry and what to know of it."""
    path = folder / file
    pixels = read_pixels(path)
    said, problem = _metadata(path)
    provenance, traces = said.provenance, measure_history(path, pixels)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    if indexed.get("sha256", sha256) != sha256:
        raise DatasetError(f"{path}: {INDEX} says sha256 {indexed['sha256']}, the file has {sha256}")
    entry: dict[str, Any] = {
        "file": file,
        "sha256": sha256,
        "pixels_sha256": pixels_sha256(pixels),
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "perceptual": perceptual_hash(pixels),
        "caption": said.caption,
        "generator": said.generator,
        "model_version": provenance.model_version,
        "prompt": provenance.prompt,
        "negative_prompt": provenance.negative_prompt,
        "seed": provenance.seed,
        "guidance": provenance.guidance,
        "steps": provenance.steps,
        "denoising_strength": provenance.denoising_strength,
        "workflow": provenance.workflow,
        "history": _history(traces.descriptors),
        "licence": said.licence,
        **indexed,
    }
    by_model = said.kind if said.kind in ("ai-generated", "composite") else None
    named = "ai-generated" if indexed.get("generator") else None
    entry["kind"] = indexed.get("kind") or by_model or named or said.kind or kind or "natural"
    described = _entry(
        folder, {key: value for key, value in entry.items() if value is not None}, set(indexed)
    )
    findings = list(_concerns(traces, file, pixels, said, kind, bool(indexed.keys() & {"kind", "generator"})))
    if problem:
        findings.append(Finding(file, "metadata", f"is not looked into: {problem}"))
    return _Seen(described, said, tuple(findings))


# Any: values of a picture's keys.
def _entry(folder: Path, values: dict[str, Any], indexed: set[str]) -> PictureEntry:
    """Return an entry without what its file says that no manifest may hold: a seed of a thousand digits.

    Raises:
        DatasetError: It is the index beside the pictures that says so.
        PictureError: The file's name is none that a manifest may hold.
    """
    # JSON may hold halves of letters, which no file of text can.
    clean = {
        key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for key, value in values.items()
    }
    try:
        return PictureEntry.model_validate(clean)
    except ValidationError as error:
        wrong = {str(error["loc"][0]) for error in error.errors() if error["loc"]}
        if "file" in wrong:
            raise PictureError("no manifest can hold its name; give it a plain one") from None
        if not wrong or wrong & indexed:
            raise DatasetError(explain_validation(folder / INDEX, PictureEntry, error)) from None
    return PictureEntry.model_validate({key: value for key, value in clean.items() if key not in wrong})


def _metadata(path: Path) -> tuple[Metadata, str | None]:
    """Return what a picture's file says of it, or nothing and why that cannot be read."""
    try:
        return read_metadata(path), None
    except ValueError as error:  # its pixels are fine, and only they are measured
        return Metadata(), str(error).removeprefix(f"{path}: ")


def _concerns(
    traces: Traces, file: str, pixels: Any, said: Metadata, kind: Kind | None, named: bool
) -> Iterator[Finding]:
    height, width = pixels.shape[:2]
    yield from _about_history(traces, file)
    if min(height, width) < SMALLEST_SIDE:
        yield Finding(file, "small", f"{width}x{height}, a side below {SMALLEST_SIDE} pixels")
    if said.kind in ("composite", "drawn", "unknown"):
        yield Finding(file, "kind", _about_kind(said.kind, said))
    if kind is None and said.kind is None and not named:
        yield Finding(file, "unknown origin", "says nothing of a generator: taken as natural")


def _about_history(traces: Traces, file: str) -> Iterator[Finding]:
    values, trace = traces.descriptors, traces.jpeg
    quality = values["jpeg_quality"]
    if values.get("file_format") == FILE_FORMATS.index("jpeg"):
        yield Finding(
            file, "jpeg", f"is a JPEG file, quality about {quality:g}: it favours JPEG at this rate"
        )
    elif trace is not None:
        about = f", quality about {trace.quality}" if trace.quality else ""
        at = f" on the grid at {trace.offset[1]},{trace.offset[0]}" if any(trace.offset) else ""
        yield Finding(file, "jpeg", f"was JPEG compressed before{about}{at}")
    elif quality < NO_JPEG:
        yield Finding(file, "jpeg", f"was JPEG compressed before, quality about {quality:g} or more")
    elif any(values[f"blocks_of_{side}"] >= least for side, least in GRID_FOUND.items()):
        yield Finding(file, "lossy", "was coded with loss before: it lies in blocks as of WebP, AVIF or HEIC")
    if values["enlargement"] > 1:
        factor = f"{values['enlargement']:g}"
        yield Finding(file, "upscaled", f"seems to be enlarged about {factor} times, or is out of focus")


def _history(descriptors: Mapping[str, float]) -> dict[str, Any]:
    """Return descriptors as a manifest has them; the size stands there already."""
    values: dict[str, Any] = {name: round(value, 2) for name, value in descriptors.items()}
    values.pop("megapixels")
    place = int(descriptors.get("file_format", -1))
    return values | {
        "file_format": FILE_FORMATS[place] if place >= 0 else "unknown",
        "chroma_half": bool(values.get("chroma_half")),
    }


def _about_kind(kind: Kind, said: Metadata) -> str:
    """Return why a picture is in no test of natural against AI-generated."""
    by = " and ".join(said.marks)
    if kind == "unknown":
        return f"its marks leave open what it is ({by})"
    strength = said.provenance.denoising_strength
    how = f", another picture changed with denoising strength {strength:g}" if strength is not None else ""
    return f"is {kind} by its marks ({by}){how}"


def _about_index(index: Index, seen: Sequence[_Seen]) -> Iterator[Finding]:
    """Yield what of the table beside the pictures has no effect, though its writer may think so."""
    if index.strangers:
        detail = f"names what is no picture of the folder: {shortened(list(index.strangers))}"
        yield Finding(INDEX, "index", detail)
    concerns = {finding.concern for picture in seen for finding in picture.findings}
    if index.without_kind and "unknown origin" in concerns:
        yield Finding(INDEX, "index", index.without_kind)


def _duplicates(entries: Sequence[PictureEntry]) -> Iterator[Finding]:
    """Yield a finding on each picture that is a copy, or nearly one, of another before it."""
    by_pixels: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        by_pixels[str(entry.pixels_sha256)].append(entry.file)
    for first, *copies in by_pixels.values():
        for copy in copies:
            yield Finding(copy, "duplicate", f"has the pixels of {first}")
    pixels = {entry.file: entry.pixels_sha256 for entry in entries}
    for first, second, bits in near_pairs({entry.file: str(entry.perceptual) for entry in entries}):
        if pixels[first] != pixels[second]:
            yield Finding(second, "near-duplicate", f"looks like {first} ({bits} of 64 bits differ)")


def _set_name(folder: Path) -> str:
    """Return a folder's name with what no set's name may hold replaced."""
    return re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-._") or "set"
