"""Turn a manifest into files in the data folder: downloaded, checked, never half there."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import quote

from .builtin import installed_folder
from .manifest import DatasetError, Manifest, PictureEntry

if TYPE_CHECKING:
    from pooch.typing import Downloader

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a file's name, the bytes that are here and the bytes in all (0 while unknown)."""

TIMEOUT_SECONDS = 30.0
"""Longest silence of a server."""

_CHUNK_BYTES = 2**16


def data_folder(option: Path | None = None) -> Path:
    """Return the folder that holds the image sets: the option, else ``CODECARENA_DATA``, else the user's."""
    if option is not None:
        return option.expanduser()
    if named := os.environ.get("CODECARENA_DATA"):
        return Path(named).expanduser()
    import platformdirs

    return platformdirs.user_data_path("codecarena", appauthor=False)


def picture_path(entry: PictureEntry, folder: Path) -> Path:
    """Return where a picture belongs: in the package that ships it, else in the set's folder.

    Raises:
        DatasetError: The package that ships it is not installed, or does not ship it.
    """
    if entry.package is None:
        return folder / entry.file
    package = entry.package.split("/")[0]
    shipped = installed_folder(entry.package)
    if shipped is None:
        raise DatasetError(f"{entry.file} comes with the Python package {package}, which is not installed")
    if not (shipped / entry.file).is_file():
        raise DatasetError(f"{shipped / entry.file} is missing from the package {package}; reinstall it")
    return shipped / entry.file


def fetch(
    manifest: Manifest, data: Path, progress: Progress | None = None, base_url: str | None = None
) -> tuple[Path, ...]:
    """Return the paths of a set's pictures after downloading those that are not there.

    A file appears under its name only when all of it is there and its hash is right. One that is there
    with another hash is never overwritten. After a failure, the next call goes on where this one stopped.

    Args:
        manifest: The set.
        data: The data folder; files go to ``DATA/SET/FILE``.
        progress: Told of each file as it grows.
        base_url: A mirror to use instead of the manifest's addresses.

    Raises:
        DatasetError: A file cannot be had, is not the right one, or has no known hash.
    """
    if base_url is not None and not base_url.startswith(("https://", "http://")):
        raise DatasetError(f"mirror {base_url!r}: expected an address that starts with https:// or http://")
    return tuple(_fetch_one(manifest, entry, data, progress, base_url) for entry in manifest.pictures)


def _fetch_one(
    manifest: Manifest, entry: PictureEntry, data: Path, progress: Progress | None, base_url: str | None
) -> Path:
    path = picture_path(entry, data / manifest.name)
    if path.exists():
        _check_present(path, entry)
        return path
    if entry.sha256 is None:
        raise DatasetError(
            f"set {manifest.name!r}: {entry.file} has no sha256 in the manifest, so a download cannot be "
            f"checked; place the file at {path} yourself"
        )
    failures: list[str] = []
    for url in _addresses(manifest, entry, base_url):
        try:
            _download(url, path, entry, progress)
            return path
        # requests' errors are OSErrors; pooch raises ValueError for a wrong hash.
        except (OSError, ValueError) as error:
            failures.append(f"  {url}: {error}")
    raise DatasetError(_by_hand(manifest, entry, data, failures))


def _check_present(path: Path, entry: PictureEntry) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    if entry.sha256 is not None and found != entry.sha256:
        raise DatasetError(
            f"{path}: is there but is not the file of the manifest: expected sha256 {entry.sha256}, "
            f"got {found}; delete or move it, then fetch again"
        )


def _addresses(manifest: Manifest, entry: PictureEntry, base_url: str | None) -> list[str]:
    bases = manifest.base_urls if base_url is None else (base_url,)
    below = [f"{base.rstrip('/')}/{quote(entry.file)}" for base in bases]
    return [entry.url, *below] if entry.url and base_url is None else below


def _download(url: str, path: Path, entry: PictureEntry, progress: Progress | None) -> None:
    import pooch  # a tenth of a second, and only downloads need it

    pooch.get_logger().setLevel(logging.WARNING)  # it writes to the screen on its own
    # pooch's manual allows any object as the bar, and its own downloader as a downloader; its types do not.
    bar = cast("bool", _Bar(entry.file, progress) if progress else False)
    downloader = pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK_BYTES, timeout=TIMEOUT_SECONDS)
    # Downloads to a temporary name beside the path and renames only when the hash is right.
    pooch.retrieve(
        url,
        known_hash=f"sha256:{entry.sha256}",
        fname=path.name,
        path=path.parent,
        downloader=cast("Downloader", downloader),
    )
    path.chmod(0o644)  # the temporary file was the owner's alone, but data folders are shared


def _by_hand(manifest: Manifest, entry: PictureEntry, data: Path, failures: list[str]) -> str:
    folder = data / manifest.name
    missing = [one.file for one in manifest.pictures if not picture_path(one, folder).exists()]
    tried = "\n".join(failures) or "  the manifest gives no address"
    return (
        f"set {manifest.name!r}: {entry.file} could not be fetched:\n{tried}\n"
        f"try again later, name a mirror, or get the files from {manifest.site} and place them in {folder}/; "
        f"{len(missing)} missing: {shortened(missing)}"
    )


def shortened(names: list[str], most: int = 5) -> str:
    """Return the first few of some names as text, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


class _Bar:
    """What pooch asks of a progress bar, turned into calls of a `Progress`.

    pooch counts in whole chunks, then resets and counts the total once more when a file is complete.
    """

    def __init__(self, name: str, progress: Progress) -> None:
        self.name = name
        self.progress = progress
        self.total = 0
        self.done_bytes = 0

    def update(self, count: int) -> None:
        self.done_bytes += count
        self.progress(self.name, min(self.done_bytes, self.total or self.done_bytes), self.total)

    def reset(self) -> None:
        """Do nothing: what is counted beyond the total is not shown."""

    def close(self) -> None:
        """Do nothing: the caller owns the display."""
