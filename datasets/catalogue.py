"""Turn a set's name, a manifest or a folder into the pictures found on this machine."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from .download import data_folder, picture_path, shortened
from .manifest import DatasetError, ImageSet, Kind, LocalPicture, Manifest, PictureEntry, load_manifest
from .pixels import EXTENSIONS

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


def open_set(reference: str, data: Path | None = None) -> ImageSet:
    """Return a set whose pictures are all on this machine.

    Args:
        reference: A known name, the path of a manifest, or a folder; a known name wins over a folder of
            that name. A folder without a ``manifest.toml`` is all pictures in it and below, sorted by path,
            hidden ones left out, taken as natural. A manifest's pictures are looked for beside it, then in
            ``DATA/SET/``.
        data: The data folder; None takes ``CODECARENA_DATA`` or the user's.

    Raises:
        DatasetError: There is no such set, or files are missing; the message says which and what to do.
    """
    path = _manifest_path(reference)
    if path is not None:
        return _described(load_manifest(path), path.parent, data_folder(data), reference)
    folder = Path(reference).expanduser()
    if not folder.is_dir():
        raise DatasetError(_unknown(reference))
    return _plain_folder(folder.resolve())


def _built_in() -> dict[str, Path]:
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}


def _manifest_path(reference: str) -> Path | None:
    if reference in _built_in():
        return _built_in()[reference]
    path = Path(reference).expanduser()
    if path.suffix == ".toml":
        return path
    return path / FOLDER_MANIFEST if (path / FOLDER_MANIFEST).is_file() else None


def _unknown(reference: str) -> str:
    near = difflib.get_close_matches(reference, _built_in(), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known sets: {', '.join(_built_in())}"
    return f"{reference!r} is no known image set, folder of pictures or manifest (.toml); {hint}"


def _known_set(manifest: Manifest, data: Path) -> KnownSet:
    present = sum(_is_present(entry, data / manifest.name) for entry in manifest.pictures)
    count = len(manifest.pictures)
    return KnownSet(manifest.name, manifest.title, manifest.kind, manifest.licence, count, present)


def _is_present(entry: PictureEntry, folder: Path) -> bool:
    try:
        return picture_path(entry, folder).is_file()
    except DatasetError:
        return False


def _described(manifest: Manifest, beside: Path, data: Path, reference: str) -> ImageSet:
    home = data / manifest.name
    found = {entry: _first_path(entry, (beside, home)) for entry in manifest.pictures}
    missing = [entry.file for entry, path in found.items() if not path.is_file()]
    if missing:
        raise DatasetError(
            f"set {manifest.name!r}: {len(missing)} of {len(found)} pictures are not in {home}/ "
            f"({shortened(missing)}); `codecarena sets fetch {reference}` fetches them, or place them there"
        )
    pictures = tuple(manifest.local(entry, path) for entry, path in found.items())
    return ImageSet(manifest.name, manifest.kind, manifest.licence, manifest.site, pictures)


def _first_path(entry: PictureEntry, folders: tuple[Path, Path]) -> Path:
    """Return the picture's path in the first folder that has it, else in the last."""
    paths = [picture_path(entry, folder) for folder in folders]
    return next((path for path in paths if path.is_file()), paths[-1])


def _plain_folder(folder: Path) -> ImageSet:
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS]
    pictures = tuple(
        LocalPicture(
            name.as_posix(), folder / name, "natural", None, None, None, "unknown", str(folder), None
        )
        for name in sorted(names)
        if (folder / name).is_file() and not any(part.startswith(".") for part in name.parts)
    )
    if not pictures:
        raise DatasetError(f"{folder}: no pictures in it or below (looked for {', '.join(EXTENSIONS)})")
    return ImageSet(folder.name, "natural", "unknown", str(folder), pictures)
