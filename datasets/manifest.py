"""Turn a TOML manifest into a description of an image set, and hold what a set found on this machine is."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from .validation import explain_validation

Kind: TypeAlias = Literal["natural", "ai-generated"]


class DatasetError(Exception):
    """An image set cannot be described, found or fetched; the message says what to do."""


@dataclass(frozen=True, slots=True)
class PixelsIdentity:
    """What tells a picture's pixels from any other's."""

    sha256: str
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class LocalPicture:
    """One picture of a set, on this machine."""

    name: str
    """Its file name below the set's folder, with slashes; unique in the set."""
    path: Path
    kind: Kind
    caption: str | None
    """A description of the picture, the prompt of a generated one."""
    text: str | None
    """Strings known to be rendered in the picture."""
    generator: str | None
    """The model that made a generated picture."""
    licence: str
    source: str
    """Where the picture comes from, for a reader."""
    sha256: str | None
    """Hash that the file's bytes must have; None where nothing is known."""
    pixels: PixelsIdentity | None = None
    """Which pixels a file of that hash holds, where the manifest says so."""


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Pictures that are measured together, all of them on this machine."""

    name: str
    kind: Kind
    licence: str
    source: str
    pictures: tuple[LocalPicture, ...]


def _safe_path(value: str) -> str:
    path = PurePosixPath(value)
    leaves = path.is_absolute() or ".." in path.parts or not path.name
    if leaves or value != str(path) or set(value) & set('\\:*?"<>|\0'):
        raise ValueError("expected a relative path with slashes that stays in its folder")
    return value


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("expected an address that starts with https:// or http://")
    return value


RelativePath: TypeAlias = Annotated[str, Field(min_length=1), AfterValidator(_safe_path)]
WebAddress: TypeAlias = Annotated[str, AfterValidator(_web_address)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PictureEntry(_Table):
    """One ``[[pictures]]`` table."""

    file: RelativePath
    """Name below the set's folder."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Of the file's bytes; needed to fetch it."""
    pixels_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Of its pixels, by `pixels.pixels_sha256`; with the size, saves decoding the file to plan a run."""
    width: Annotated[int, Field(gt=0)] | None = None
    height: Annotated[int, Field(gt=0)] | None = None
    url: WebAddress | None = None
    """Where this file lies, if not at a base address under its own name."""
    package: RelativePath | None = None
    """Folder of an installed package that ships the file: ``skimage/data``."""
    kind: Kind | None = None
    """If not the set's."""
    caption: str | None = None
    prompt: str | None = None
    text: str | None = None
    generator: str | None = None
    seed: int | None = None
    licence: str | None = None
    """If not the set's."""
    source: str | None = None
    """If not the set's site."""

    @model_validator(mode="after")
    def _pixels_are_told_whole(self) -> PictureEntry:
        told = [value is not None for value in (self.pixels_sha256, self.width, self.height)]
        if any(told) and not (all(told) and self.sha256):
            raise ValueError("pixels_sha256, width, height and sha256 go together")
        return self

    @property
    def pixels(self) -> PixelsIdentity | None:
        """Which pixels the file holds, if the manifest says so."""
        if self.pixels_sha256 is None or self.height is None or self.width is None:
            return None
        return PixelsIdentity(self.pixels_sha256, self.height, self.width)


class Manifest(_Table):
    """A described image set."""

    name: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._-]*$")]
    title: str
    kind: Kind
    licence: str
    citation: str
    site: WebAddress
    """Where a reader finds the set."""
    base_urls: tuple[WebAddress, ...] = ()
    """Addresses that the file names are appended to, tried in order."""
    pictures: tuple[PictureEntry, ...]

    @model_validator(mode="after")
    def _has_unique_files(self) -> Manifest:
        if not self.pictures:
            raise ValueError("expected at least one [[pictures]] table")
        files = [entry.file for entry in self.pictures]
        twice = sorted({file for file in files if files.count(file) > 1})
        if twice:
            raise ValueError(f"pictures named twice: {', '.join(twice)}")
        return self

    def local(self, entry: PictureEntry, path: Path) -> LocalPicture:
        """Return one of its pictures as found at a path, the set's values filled in."""
        return LocalPicture(
            name=entry.file,
            path=path,
            kind=entry.kind or self.kind,
            caption=entry.caption or entry.prompt,
            text=entry.text,
            generator=entry.generator,
            licence=entry.licence or self.licence,
            source=entry.source or self.site,
            sha256=entry.sha256,
            pixels=entry.pixels,
        )


def load_manifest(path: Path) -> Manifest:
    """Return the manifest in a TOML file.

    Raises:
        DatasetError: The file cannot be read, is not TOML, or describes no set; it names each wrong key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # TOML and UTF-8 errors
        raise DatasetError(f"{path}: not a TOML file: {error}") from error
    try:
        return Manifest.model_validate(table)
    except ValidationError as error:
        raise DatasetError(explain_validation(path, Manifest, error)) from None
