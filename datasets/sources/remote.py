"""Download pictures of a Hugging Face data set or behind an fsspec address, one at a time."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, get_args
from urllib.parse import parse_qsl

from pydantic import ValidationError

from ..manifest import DatasetError, Kind, Manifest, PictureEntry, load_manifest
from ..manifest_toml import write_manifest
from ..pixels import EXTENSIONS, MAX_FILE_BYTES
from ..validation import explain_validation

PROTOCOLS = ("abfs", "az", "gcs", "gs", "hf", "http", "https", "s3", "tar", "zip")
"""Of fsspec; those that read this machine's own files are left out: a folder needs none."""

_WRITTEN_EVERY = 50
_OPTIONS = {"kind", "split", "column", "caption", "config", "revision", "first"}


@dataclass(frozen=True, slots=True)
class Remote:
    """Where pictures are read from."""

    reference: str
    address: str
    """A data set's name after ``hf:``, or fsspec's URL, perhaps with a pattern."""
    hugging_face: bool
    split: str = "train"
    column: str = "image"
    caption: str | None = None
    """The column of captions or prompts."""
    config: str | None = None
    revision: str | None = None
    kind: Kind = "natural"
    first: int | None = None
    """How many pictures at most."""

    @property
    def name(self) -> str:
        """The set's name: the reference without what no name may hold, and a part of its hash."""
        plain = re.sub(r"[^a-z0-9._]+", "-", self.address.lower()).strip("-._")[-48:].strip("-._")
        return f"{plain}-{hashlib.sha256(self.reference.encode()).hexdigest()[:8]}"


def parse(reference: str) -> Remote | None:
    """Return what such as ``hf:owner/name?split=test&first=100`` or ``s3://...`` means, None for others.

    Raises:
        DatasetError: It is one, of a kind that is not read, or with an unknown option.
    """
    hugging_face = reference.startswith("hf:") and not reference.startswith("hf://")
    if not hugging_face and "://" not in reference:
        return None
    address, _, query = reference.removeprefix("hf:" if hugging_face else "").partition("?")
    options = dict(parse_qsl(query))
    if not hugging_face:
        parts = [link.partition("://") for link in address.split("::")]
        if refused := [name for name, mark, _ in parts if not mark or name.lower() not in PROTOCOLS]:
            raise DatasetError(f"{reference!r}: {refused[0]!r} is not read; expected {', '.join(PROTOCOLS)}")
    if unknown := sorted(set(options) - _OPTIONS):
        raise DatasetError(
            f"{reference!r}: unknown option {unknown[0]!r}; known: {', '.join(sorted(_OPTIONS))}"
        )
    first = options.pop("first", None)
    if first is not None and (not first.isdigit() or not int(first)):
        raise DatasetError(f"{reference!r}: first: expected a number of pictures, got {first!r}")
    kind = options.pop("kind", "natural")
    if kind not in get_args(Kind):
        raise DatasetError(f"{reference!r}: kind: expected {' or '.join(get_args(Kind))}, got {kind!r}")
    chosen: dict[str, Any] = {**options, "kind": kind, "first": int(first) if first else None}
    return Remote(reference, address, hugging_face, **chosen)


def manifest_path(remote: Remote, data: Path) -> Path:
    """Return where the manifest of what was read lies."""
    return data / remote.name / "manifest.toml"


def read(
    remote: Remote, data: Path, progress: Callable[[str, int, int], None] | None = None
) -> tuple[Path, ...]:
    """Return the paths of all pictures after reading those that are not here yet, one at a time.

    However large the set, one picture is in memory. The bytes are kept as they are; what is here already is
    not read again.

    Args:
        remote: The address, parsed.
        data: Folder of the image sets; the pictures go into one of their own in it.
        progress: Called with the set's name, the bytes read so far, and 0: their total is not known.

    Raises:
        DatasetError: The address cannot be read, or holds something else than pictures.
    """
    path, read_bytes = manifest_path(remote, data), 0
    entries = {picture.file: picture for picture in load_manifest(path).pictures} if path.is_file() else {}
    known = {file for file in entries if (path.parent / file).is_file()}
    try:
        for count, (name, content, caption) in enumerate(_pictures(remote, known), 1):
            if content is not None:
                entries[name] = _store(path.parent, name, content, caption)
                read_bytes += len(content)
            if count % _WRITTEN_EVERY == 0:
                write_manifest(_manifest(remote, list(entries.values())), path)
            if progress:
                progress(remote.name, read_bytes, 0)
            if count == remote.first:
                break
    except DatasetError:
        raise
    except ValidationError as error:
        raise DatasetError(explain_validation(Path(remote.reference), PictureEntry, error)) from None
    except Exception as error:  # file systems and Hugging Face raise what they like
        raise DatasetError(f"{remote.reference!r} cannot be read: {type(error).__name__}: {error}") from error
    if not entries:
        raise DatasetError(f"{remote.reference!r}: no pictures there, or the place cannot be reached")
    write_manifest(_manifest(remote, list(entries.values())), path)
    return tuple(path.parent / file for file in entries)


def _pictures(remote: Remote, known: set[str]) -> Iterator[tuple[str, bytes | None, str | None]]:
    """Yield name, bytes and caption of each picture; no bytes of those that are known."""
    if remote.hugging_face:
        yield from _of_hugging_face(remote, known)
    else:
        yield from _of_file_system(remote, known)


def _of_hugging_face(remote: Remote, known: set[str]) -> Iterator[tuple[str, bytes | None, str | None]]:
    try:
        import datasets as hugging_face
    except ImportError as error:
        raise DatasetError("hf: needs Hugging Face's datasets: install codecarena[sources]") from error
    rows = hugging_face.load_dataset(
        remote.address, remote.config, split=remote.split, revision=remote.revision, streaming=True
    )
    rows = rows.decode(False)  # the files themselves; also makes the columns known
    columns = rows.column_names or []
    for wanted in (remote.column, remote.caption):
        if wanted and columns and wanted not in columns:
            raise DatasetError(f"{remote.reference!r}: no column {wanted!r}; there are {', '.join(columns)}")
    stems = {PurePosixPath(name).stem: name for name in known}
    for index, row in enumerate(rows):
        stem = f"{index:07d}"
        caption = str(row[remote.caption]) if remote.caption and row[remote.caption] is not None else None
        if stem in stems:
            yield stems[stem], None, caption
            continue
        content = _cell_bytes(row[remote.column])
        if content is None:
            raise DatasetError(f"{remote.reference!r}: row {index} holds no picture in {remote.column!r}")
        yield stem + _suffix(content, f"row {index}"), content, caption


# Any: what a row holds depends on the data set.
def _cell_bytes(cell: Any) -> bytes | None:
    """Return a picture's file, which stands in its row or as a file of its own on the hub."""
    if not isinstance(cell, dict):
        return None
    content, path = cell.get("bytes"), str(cell.get("path") or "")
    # Rows are written by others: they must not name files of this machine, nor hosts.
    if content is None and path.rpartition("::")[2].startswith("hf://"):
        import fsspec

        with fsspec.filesystem("hf").open(path, "rb") as opened:
            return opened.read(MAX_FILE_BYTES + 1)
    return content


def _of_file_system(remote: Remote, known: set[str]) -> Iterator[tuple[str, bytes | None, str | None]]:
    try:
        import fsspec
    except ImportError as error:
        raise DatasetError("addresses need fsspec: install codecarena[sources]") from error
    from .s3 import ensure_s3

    ensure_s3()
    files = fsspec.open_files(remote.address, "rb")
    paths = [PurePosixPath(str(file.path)) for file in files]
    # Below the folder that all are in: two folders may hold files of one name.
    top = os.path.commonpath([path.parent for path in paths] or ["."])
    for opened_file, path in zip(files, paths, strict=True):
        name = path.relative_to(top).as_posix()
        if PurePosixPath(name).suffix.lower() not in EXTENSIONS:
            continue
        if name in known:
            yield name, None, None
            continue
        with opened_file as opened:
            yield name, opened.read(MAX_FILE_BYTES + 1), None


def _store(folder: Path, name: str, content: bytes, caption: str | None) -> PictureEntry:
    """Write a picture's bytes under its name, whole or not at all."""
    if len(content) > MAX_FILE_BYTES:
        raise DatasetError(f"{name}: more than the {MAX_FILE_BYTES} bytes allowed")
    _suffix(content, name)
    entry = PictureEntry(file=name, sha256=hashlib.sha256(content).hexdigest(), caption=caption)
    part = folder / f"{name}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    part.replace(folder / name)
    return entry


def _suffix(content: bytes, what: str) -> str:
    """Return the file name's ending that a picture's format has.

    Raises:
        DatasetError: The bytes are no picture.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            return f".{(image.format or 'png').lower()}".replace("jpeg", "jpg").replace("mpo", "jpg")
    except (OSError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{what}: no picture ({error})") from error


def _manifest(remote: Remote, entries: list[PictureEntry]) -> Manifest:
    return Manifest.model_validate(
        {
            "name": remote.name,
            "title": f"{len(entries)} pictures of {remote.reference}",
            "kind": remote.kind,
            "licence": "unknown",
            "citation": remote.reference,
            "pictures": entries,
        }
    )
