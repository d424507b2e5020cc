"""Fetch the files of a manifest into the data folder: downloaded, checked, never half there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from ...home_folder import expanded
from ...system_errors import reason
from ..folder import look_into, shortened
from ..generated import generated_entry
from ..generated.generated_entry import Sampler
from ..manifest import ArchiveEntry, DatasetError, Manifest, PictureEntry
from ..pixels import EXTENSIONS
from .archives import ArchiveError, unpack
from .builtin import installed_folder
from .lock import Lock, differs, pin, read_lock
from .transfer import Progress, TransferError, Wanted, fetch_file

MAX_ARCHIVE_BYTES = 2**36


def data_folder(option: Path | None = None) -> Path:
    """Return the folder that holds the image sets: the option, else ``CODECARENA_DATA``, else the user's."""
    if option is not None:
        return expanded(option)
    if named := os.environ.get("CODECARENA_DATA"):
        return expanded(named)
    import platformdirs

    return platformdirs.user_data_path("codecarena", appauthor=False)


def picture_path(entry: PictureEntry, folder: Path, sampler: Sampler | None = None) -> Path:
    """Return where a picture belongs: in the package that ships it, else in the set's folder.

    Args:
        entry: The picture's entry in its manifest.
        folder: The set's folder.
        sampler: Makes sampled pictures; their path depends on what they are sampled with.

    Raises:
        DatasetError: The package that ships it, or what it is made with, is not here.
    """
    if entry.made_here:
        return generated_entry.place(entry, folder, sampler)
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
    manifest: Manifest,
    data: Path,
    progress: Progress | None = None,
    base_url: str | None = None,
    sampler: Sampler | None = None,
) -> tuple[Path, ...]:
    """Return the paths of a set's pictures after downloading those that are not there.

    A file appears under its name only when all of it is there and its hash is right. One that is there
    with another hash is never overwritten. After a failure, the next call goes on where this one stopped.
    What has no published hash is pinned in ``DATA/SET.lock``, and must be the same from then on.

    Args:
        manifest: Of the set to fetch; one that is a part of another set is refused.
        data: The data folder; files go to ``DATA/SET/FILE``.
        progress: Called with each file's name, the bytes that are there, and how many it will have.
        base_url: A mirror to use instead of the manifest's addresses.
        sampler: Makes the pictures that are sampled here.

    Raises:
        DatasetError: A file cannot be had or is not the right one.
    """
    if base_url is not None and not base_url.startswith(("https://", "http://")):
        raise DatasetError(f"mirror {base_url!r}: expected an address that starts with https:// or http://")
    if manifest.of is not None:
        raise DatasetError(f"set {manifest.name!r} is a part of {manifest.of!r}: fetch that set")
    fetched = _Fetch(manifest, data, progress, base_url, sampler)
    if manifest.pictures:
        return tuple(fetched.picture(entry) for entry in manifest.pictures)
    if manifest.archives:
        return tuple(
            dict.fromkeys(path for archive in manifest.archives for path in fetched.archive(archive))
        )
    return fetched.by_hand()


class _Fetch:
    """One call of `fetch`."""

    def __init__(
        self,
        manifest: Manifest,
        data: Path,
        progress: Progress | None,
        base_url: str | None,
        sampler: Sampler | None,
    ) -> None:
        self.manifest, self.data, self.folder = manifest, data, data / manifest.name
        self.progress, self.base_url, self.sampler = progress, base_url, sampler
        self.lock = read_lock(data, manifest.name)

    def picture(self, entry: PictureEntry) -> Path:
        """Return the path of a picture that is there now."""
        path = picture_path(entry, self.folder, self.sampler)
        known = entry.sha256 or self.lock.hashes.get(entry.file)
        if path.exists():
            sha256 = _sha256(path)
            if known not in (None, sha256):
                raise DatasetError(_not_the_one(path, entry, self.lock, sha256))
            self._pin(entry, sha256)
            return path
        if entry.made_here:
            generated_entry.make(entry, path, self.sampler)
            return path
        bases = self.manifest.base_urls if self.base_url is None else (self.base_url,)
        below = [f"{base.rstrip('/')}/{quote(entry.file)}" for base in bases]
        addresses = [entry.url, *below] if entry.url and self.base_url is None else below
        self._pin(entry, self._first(addresses, path, known, entry.file, 2**30))
        return path

    def archive(self, entry: ArchiveEntry) -> list[Path]:
        """Return the paths of an archive's pictures; one that was unpacked before is not fetched again."""
        here = self.lock.files
        if entry.url in self.lock.hashes and all((self.folder / name).is_file() for name in here):
            self._check_all(here)
            return [self.folder / name for name in here if _is_picture(name)]
        name = PurePosixPath(urlsplit(entry.url).path).name or "archive"
        path = self.data / f".{self.manifest.name}-{name}"
        known = entry.sha256 or self.lock.hashes.get(entry.url)
        mirrored = f"{self.base_url.rstrip('/')}/{quote(name)}" if self.base_url else entry.url
        try:
            # One that is there was whole when the call before this one was killed.
            whole = path.is_file() and known in (None, _sha256(path))
            sha256 = _sha256(path) if whole else self._first([mirrored], path, known, name, MAX_ARCHIVE_BYTES)
            patterns = [entry.members] + ([entry.prompts] if entry.prompts else [])
            suffixes = (*EXTENSIONS, ".json") if entry.prompts else EXTENSIONS
            unpacked = unpack(path, self.folder, patterns, suffixes)
        except ArchiveError as error:
            raise DatasetError(
                f"set {self.manifest.name!r}: {name} from {mirrored} is refused: {error}"
            ) from error
        finally:
            # What was refused is of no use, and what was unpacked is no longer; a part of it stays.
            path.unlink(missing_ok=True)
        hashes = {name: _sha256(self.folder / name) for name in unpacked}
        self.lock = pin(self.data, self.manifest.name, {**hashes, entry.url: sha256})
        return [self.folder / name for name in unpacked if _is_picture(name)]

    def by_hand(self) -> tuple[Path, ...]:
        """Return the paths of pictures that the user placed here, from now on pinned."""
        contents = look_into(self.folder)
        names = contents.pictures
        if not names:
            reasons = [
                "  it has no address that a program may fetch it from",
                *(f"  {note}" for note in contents.notes),
            ]
            raise DatasetError(self._advice(reasons, []))
        hashes = {name: _sha256(self.folder / name) for name in names}
        missing = sorted(set(self.lock.files) - set(names))
        if missing:
            raise DatasetError(f"{self.folder}: {len(missing)} pinned files are gone: {shortened(missing)}")
        self.lock = pin(self.data, self.manifest.name, hashes)
        return tuple(self.folder / name for name in names)

    def _pin(self, entry: PictureEntry, sha256: str) -> None:
        if entry.sha256 is None and entry.package is None and not entry.made_here:
            self.lock = pin(self.data, self.manifest.name, {entry.file: sha256})

    def _check_all(self, hashes: dict[str, str]) -> None:
        for name, expected in hashes.items():
            if (sha256 := _sha256(self.folder / name)) != expected:
                raise DatasetError(f"{self.folder}: {differs(self.lock, name, sha256)}")

    def _first(self, urls: list[str], path: Path, sha256: str | None, name: str, most: int) -> str:
        """Return the hash of a file from the first address that has it."""
        failures: list[str] = []
        for url in urls:
            wanted = Wanted(url, path, sha256, name, self.manifest.redirects, most)
            try:
                return fetch_file(wanted, self.progress)
            except (OSError, ValueError, TransferError) as error:  # requests' errors are OSErrors
                failures.append(f"  {url}: {reason(error)}")
        raise DatasetError(self._advice(failures or ["  the manifest gives no address"], [name]))

    def _advice(self, failures: list[str], names: list[str]) -> str:
        entries = self.manifest.pictures
        missing = [
            entry.file for entry in entries if not picture_path(entry, self.folder, self.sampler).exists()
        ]
        count = f"; {len(missing)} missing: {shortened(missing)}" if missing else ""
        what = f"{names[0]} could not be fetched" if names else "its pictures are not here"
        tried = "\n".join(failures)
        site = self.manifest.site or "where you have them from"
        return (
            f"set {self.manifest.name!r}: {what}:\n{tried}\n"
            f"try again later, name a mirror, or get the files from {site} and place them in "
            f"{self.folder}/{count}"
        )


def _is_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in EXTENSIONS


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error


def _not_the_one(path: Path, entry: PictureEntry, lock: Lock, sha256: str) -> str:
    if entry.sha256 is None:
        return f"{path}: {differs(lock, entry.file, sha256)}"
    return (
        f"{path}: is there but is not the file of the manifest: expected sha256 {entry.sha256}, "
        f"got {sha256}; delete or move it, then fetch again"
    )
