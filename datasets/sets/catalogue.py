"""Open image sets: find the pictures of a set's name, a manifest or a folder on this machine."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...counts import counted
from ...home_folder import expanded
from ...visible_text import visible
from ..description.metadata import Metadata, read_metadata, summary
from ..folder import INDEX, check_name, look_into, shortened
from ..generated import generated_entry
from ..generated.generated_entry import Sampler
from ..manifest import DatasetError, ImageSet, Kind, LocalPicture, Manifest, PictureEntry, load_manifest
from ..pixels import EXTENSIONS
from ..sources import prompts, remote
from ..sources.download import data_folder, picture_path
from ..sources.lock import read_lock

FOLDER_MANIFEST = "manifest.toml"
"""Name of the file that describes the folder it lies in."""


@dataclass(frozen=True, slots=True)
class KnownSet:
    """What a list of the known sets shows."""

    name: str
    summary: str
    kind: Kind
    licence: str
    count: int
    """Pictures in the set."""
    present: int
    """Those of them whose file is on this machine; contents are not looked at."""


def names(data: Path | None = None) -> tuple[KnownSet, ...]:
    """Return the sets that come with codecarena, by name; no picture is opened.

    Args:
        data: The data folder; None takes ``CODECARENA_DATA`` or the user's.
    """
    folder = data_folder(data)
    return tuple(_known_set(load_manifest(path), folder) for path in _built_in().values())


def find_manifest(reference: str) -> Manifest:
    """Return the manifest of a known set, in a TOML file, or of a folder that holds a ``manifest.toml``.

    Raises:
        DatasetError: There is no such set, or the file does not describe one.
    """
    path = _manifest_path(reference)
    if path is None:
        raise DatasetError(_unknown(reference))
    return load_manifest(path)


def open_set(reference: str, data: Path | None = None, sampler: Sampler | None = None) -> ImageSet:
    """Return a set whose pictures are all on this machine.

    Args:
        reference: A known name, the path of a manifest, a folder, or an address that was fetched (see
            `remote`); a known name wins over a folder of that name. A folder without a ``manifest.toml`` is
            all pictures in it and below, sorted by path, hidden ones left out, of the kind that their files
            are marked with, else taken as natural. A manifest's pictures are looked for beside it, then in
            ``DATA/SET/``.
        data: The data folder; None takes ``CODECARENA_DATA`` or the user's.
        sampler: Makes the pictures that are sampled here.

    Raises:
        DatasetError: There is no such set, files are missing, or a folder's name is not UTF-8; the message
            says which and what to do.
    """
    opened = _open_set(reference, data, sampler)
    for picture in opened.pictures:
        check_name(picture.path.parent)
    return opened


def _open_set(reference: str, data: Path | None, sampler: Sampler | None) -> ImageSet:
    """Return a set; see `open_set`."""
    path = _manifest_path(reference)
    if path is None and (there := remote.parse(reference)) is not None:
        path = remote.manifest_path(there, data_folder(data))
        if not path.is_file():
            raise DatasetError(
                f"{reference!r} is not here yet: `codecarena sets fetch '{reference}'` reads it"
            )
    if path is not None:
        manifest, folder = load_manifest(path), data_folder(data)
        if manifest.of is not None:
            return _part(manifest, manifest.of, folder, sampler)
        if not manifest.pictures:
            return _as_placed(manifest, folder, reference)
        beside = path.parent / expanded(manifest.folder or "")
        return _described(manifest, beside, folder, reference, sampler)
    folder = expanded(reference)
    if not folder.is_dir():
        raise DatasetError(_unknown(reference))
    return _plain_folder(folder.resolve())


def _built_in() -> dict[str, Path]:
    return {path.stem: path for path in sorted(Path(__file__).parents[1].glob("*.toml"), key=_stem)}


def _stem(path: Path) -> str:
    return path.stem


def _manifest_path(reference: str) -> Path | None:
    if reference in _built_in():
        return _built_in()[reference]
    path = expanded(reference)
    if path.suffix == ".toml":
        return path
    return path / FOLDER_MANIFEST if (path / FOLDER_MANIFEST).is_file() else None


def _unknown(reference: str) -> str:
    near = difflib.get_close_matches(reference, _built_in(), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known sets: {', '.join(_built_in())}"
    return f"{reference!r} is no known image set, folder of pictures or manifest (.toml); {hint}"


def _known_set(manifest: Manifest, data: Path) -> KnownSet:
    if manifest.pictures:
        present = sum(_is_present(entry, data / manifest.name) for entry in manifest.pictures)
    else:
        present = len(look_into(data / manifest.name).pictures)
    count = len(manifest.pictures) or manifest.count or present
    return KnownSet(manifest.name, manifest.title, manifest.kind, manifest.licence, count, present)


def _is_present(entry: PictureEntry, folder: Path) -> bool:
    try:
        # What this machine can make is as good as here.
        return entry.sample is not None or picture_path(entry, folder).is_file() or entry.made_here
    except DatasetError:
        return False


def _described(
    manifest: Manifest, beside: Path, data: Path, reference: str, sampler: Sampler | None
) -> ImageSet:
    home = data / manifest.name
    paths = {entry: _first_path(entry, (beside, home), sampler) for entry in manifest.pictures}
    for entry, path in paths.items():
        if entry.made_here and not path.is_file():
            generated_entry.make(entry, path, sampler)
    missing = [entry.file for entry, path in paths.items() if not path.is_file()]
    if missing:
        raise DatasetError(_absent(manifest, missing, len(paths), home, reference))
    pinned = read_lock(data, manifest.name).files
    pictures = tuple(
        _with_pin(manifest.local(entry, path), pinned if path.is_relative_to(home) else {})
        for entry, path in paths.items()
    )
    if sampler is not None:
        pictures = tuple(
            replace(picture, generator=sampler.generator)
            if entry.sample and not picture.generator
            else picture
            for picture, entry in zip(pictures, paths, strict=True)
        )
    return ImageSet(manifest.name, manifest.kind, manifest.licence, manifest.site or "unknown", pictures)


def _part(manifest: Manifest, of: str, data: Path, sampler: Sampler | None) -> ImageSet:
    """Return the named pictures of another set."""
    path = _manifest_path(of)
    if path is not None and load_manifest(path).of is not None:
        raise DatasetError(f"set {manifest.name!r} is a part of {of!r}, which is itself only a part of a set")
    whole = {picture.name: picture for picture in open_set(of, data, sampler).pictures}
    if unknown := [name for name in manifest.only if name not in whole]:
        raise DatasetError(f"set {manifest.name!r}: {of!r} has no pictures {shortened(unknown)}")
    pictures = tuple(whole[name] for name in manifest.only)
    return ImageSet(manifest.name, manifest.kind, manifest.licence, manifest.site or "unknown", pictures)


def _with_pin(picture: LocalPicture, pinned: Mapping[str, str]) -> LocalPicture:
    return replace(picture, sha256=picture.sha256 or pinned.get(picture.name))


def _as_placed(manifest: Manifest, data: Path, reference: str) -> ImageSet:
    """Return a set whose manifest does not list its pictures: those that were unpacked or placed."""
    home = data / manifest.name
    pinned = read_lock(data, manifest.name).files
    contents = look_into(home)
    names = [name for name in pinned if Path(name).suffix.lower() in EXTENSIONS] or contents.pictures
    missing = [name for name in names if not (home / name).is_file()]
    if missing or not names:
        count = manifest.count or len(names)
        raise DatasetError(_absent(manifest, missing, count, home, reference))
    prompt_tables = prompts.read_tables(home, [name for name in pinned if name.endswith(".json")])
    # Files that are here have the names that they have, also those that no manifest may hold.
    entries = [
        PictureEntry.model_validate(
            {"file": "placed", "sha256": pinned.get(name), **prompt_tables.get(Path(name).name, {})}
        ).model_copy(update={"file": name})
        for name in names
    ]
    pictures = tuple(manifest.local(entry, home / entry.file) for entry in entries)
    return ImageSet(
        manifest.name, manifest.kind, manifest.licence, manifest.site or "unknown", pictures, contents.notes
    )


def _absent(manifest: Manifest, missing: list[str], count: int, home: Path, reference: str) -> str:
    which = f" ({shortened(missing)})" if missing else ""
    many = f"{len(missing)} of {count}" if missing else "all"
    return (
        f"set {manifest.name!r}: {many} pictures are not in {home}/{which}; "
        f"`codecarena sets fetch {reference}` fetches them, or place them there"
    )


def _first_path(entry: PictureEntry, folders: tuple[Path, Path], sampler: Sampler | None) -> Path:
    """Return the picture's path in the first folder that has it, else in the last."""
    paths = [picture_path(entry, folder, sampler) for folder in folders]
    return next((path for path in paths if path.is_file()), paths[-1])


def _plain_folder(folder: Path) -> ImageSet:
    check_name(folder)
    contents = look_into(folder)
    if not contents.pictures:
        looked_for = f"{folder}: no pictures in it or below (looked for {', '.join(EXTENSIONS)})"
        raise DatasetError("\n".join([looked_for, *contents.notes]))
    marked = {name: _marked(folder / name) for name in contents.pictures}
    pictures = tuple(
        LocalPicture(
            name, folder / name, said.kind or "natural", said.caption or said.provenance.prompt, None,
            said.generator, said.licence or "unknown", str(folder), None, provenance=said.provenance,
        )
        for name, said in marked.items()
    )  # fmt: skip
    notes = (*contents.notes, *_marks_note(marked.values()), *_index_note(folder))
    return ImageSet(visible(folder.name), "natural", "unknown", str(folder), pictures, notes)


def _marked(path: Path) -> Metadata:
    """Return what a picture's file says of itself; nothing where that cannot be read."""
    try:
        return read_metadata(path)
    except ValueError:
        return Metadata()


def _marks_note(marked: Collection[Metadata]) -> tuple[str, ...]:
    kinds = summary(marked)
    unmarked = sum(said.kind is None for said in marked)
    others = f"; {counted(unmarked, 'picture')} without a mark, taken as natural" if unmarked else ""
    return (f"marked in the files: {kinds}{others}",) if kinds else ()


def _index_note(folder: Path) -> tuple[str, ...]:
    """Return a sentence on a table beside the pictures that has no effect before the folder is described."""
    if not any(path.name.lower() == INDEX for path in folder.iterdir()):
        return ()
    return (
        f"its {INDEX} counts once `codecarena sets describe {folder}` has made a manifest; "
        "until then pictures without a mark in their file are taken as natural",
    )
