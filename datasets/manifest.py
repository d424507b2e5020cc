"""Read and check manifests of image sets, and the records of a set that is on this machine."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..text_file import TextFileError, parse_toml, read_table, read_text
from .validation import explain_validation

Kind: TypeAlias = Literal["natural", "ai-generated", "composite", "drawn", "unknown"]
"""What a picture is: a photograph or scan, made by a trained model, partly made by one, drawn by hand or by a
program, or of an origin that its marks leave open."""


class DatasetError(Exception):
    """An image set cannot be described, found or fetched; the message says what to do."""


@dataclass(frozen=True, slots=True)
class PixelsIdentity:
    """Identifies a picture's pixels."""

    sha256: str
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a picture came to be, as far as it is known."""

    model_version: str | None = None
    """Which weights of the generator: a revision, a file name or a hash."""
    prompt: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    guidance: float | None = None
    """Scale of classifier-free guidance, or the value that a distilled model is given."""
    steps: int | None = None
    workflow: str | None = None
    """The generator's own record of how it made the picture, as it wrote it."""
    url: str | None = None
    """Where the file was fetched."""
    denoising_strength: float | None = None
    """Of a picture that began with another one: 1 leaves nothing of that, 0 all."""


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
    provenance: Provenance = field(default_factory=Provenance)


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Pictures that are measured together, all of them on this machine."""

    name: str
    kind: Kind
    licence: str
    source: str
    pictures: tuple[LocalPicture, ...]
    notes: tuple[str, ...] = ()
    """What whoever measures on it should know: what its folder holds beside its pictures."""


def has_controls(name: str) -> bool:
    """Whether a name holds what breaks a line of a lock file, commands a terminal or is half a letter."""
    return any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name)


def _safe_path(value: str) -> str:
    path = PurePosixPath(value)
    leaves = path.is_absolute() or ".." in path.parts or not path.name
    if leaves or value != str(path) or set(value) & set('\\:*?"<>|'):
        raise ValueError("expected a relative path with slashes that stays in its folder")
    if has_controls(value) or value != value.strip():
        raise ValueError("expected a path without control characters, and no blanks at its ends")
    return value


def _web_address(value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ValueError("expected an address that starts with https:// or http://")
    try:
        named = urlsplit(value).hostname
    except ValueError:
        named = None
    if not named or "@" in urlsplit(value).netloc:
        raise ValueError("expected an address that names a host, without a user")
    return value


RelativePath: TypeAlias = Annotated[str, Field(min_length=1), AfterValidator(_safe_path)]
WebAddress: TypeAlias = Annotated[str, AfterValidator(_web_address)]
Sha256: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Seed: TypeAlias = Annotated[int, Field(ge=0, lt=2**64)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rendering(_Table):
    """How a picture of text is drawn: its ``text`` line by line, from the top left, on plain paper."""

    font: Annotated[str, Field(pattern=r"^[\w.-]+\.(ttf|otf)$")]
    """File name of an installed font."""
    size_pixels: Annotated[int, Field(ge=6, le=400)]
    """Of the font's em square."""
    ink: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")] = "#000000"
    paper: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")] = "#ffffff"
    width: Annotated[int, Field(gt=0, le=8192)] = 512
    height: Annotated[int, Field(gt=0, le=8192)] = 256


class Sampling(_Table):
    """How a picture is sampled on this machine by the project's own toy generator, from its ``caption``."""

    seed: Annotated[int, Field(ge=0, lt=2**63)]
    width: Annotated[int, Field(gt=0, le=2048, multiple_of=32)] = 512
    height: Annotated[int, Field(gt=0, le=2048, multiple_of=32)] = 512


class History(_Table):
    """What a picture went through before, as `description.history.measure_history` measures it."""

    file_format: str
    jpeg_quality: float
    blocks_of_8: float
    blocks_of_4: float
    chroma_half: bool
    enlargement: float


class ArchiveEntry(_Table):
    """One ``[[archives]]`` table: a zip or tar file whose pictures are the set."""

    url: WebAddress
    sha256: Sha256 | None = None
    """Of the archive; pinned by the first download where nobody has published it."""
    members: str = "*"
    """Which members are pictures of the set, as a shell pattern on their path; others are not unpacked."""
    prompts: str | None = None
    """Pattern of JSON members that map file names to prompts, as DiffusionDB's do."""


class PictureEntry(_Table):
    """One ``[[pictures]]`` table."""

    file: RelativePath
    """Name below the set's folder."""
    sha256: Sha256 | None = None
    """Of the file's bytes; pinned by the first download where it is not known."""
    pixels_sha256: Sha256 | None = None
    """Of its pixels, by `pixels.pixels_sha256`; with the size, saves decoding the file to plan a run."""
    width: Annotated[int, Field(gt=0)] | None = None
    height: Annotated[int, Field(gt=0)] | None = None
    perceptual: Annotated[str, Field(pattern="^[0-9a-f]{16}$")] | None = None
    """Of its pixels, by `perceptual.perceptual_hash`: finds near-duplicates."""
    url: WebAddress | None = None
    """Where this file lies, if not at a base address under its own name."""
    package: RelativePath | None = None
    """Folder of an installed package that ships the file: ``skimage/data``."""
    kind: Kind | None = None
    """If not the set's."""
    caption: str | None = None
    prompt: str | None = None
    text: str | None = None
    render: Rendering | None = None
    """How the picture is drawn on this machine from ``text``, where it is no file to fetch."""
    sample: Sampling | None = None
    """How the picture is sampled on this machine, where it is no file to fetch."""
    generator: str | None = None
    model_version: str | None = None
    negative_prompt: str | None = None
    seed: Seed | None = None
    guidance: Annotated[float, Field(allow_inf_nan=False)] | None = None
    steps: Annotated[int, Field(ge=0)] | None = None
    denoising_strength: Annotated[float, Field(ge=0, le=1)] | None = None
    """Of a picture that began with another one."""
    workflow: str | None = None
    history: History | None = None
    """What it went through before."""
    licence: str | None = None
    """If not the set's."""
    source: str | None = None
    """If not the set's site."""

    @model_validator(mode="after")
    def _pixels_are_told_whole(self) -> PictureEntry:
        given = [value is not None for value in (self.pixels_sha256, self.width, self.height)]
        if any(given) and not (all(given) and self.sha256):
            raise ValueError("pixels_sha256, width, height and sha256 go together")
        return self

    @model_validator(mode="after")
    def _rendered_pictures_are_no_files(self) -> PictureEntry:
        if self.render is not None and (not self.text or self.sha256 or self.url or self.package):
            raise ValueError("render goes with text, and not with sha256, url or package")
        if self.sample is not None and (self.render or self.sha256 or self.url or self.package):
            raise ValueError("sample does not go with render, sha256, url or package")
        return self

    @property
    def made_here(self) -> bool:
        """Whether this machine makes the picture."""
        return self.render is not None or self.sample is not None

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
    site: WebAddress | None = None
    """Where a reader finds the set."""
    hashes: str | None = None
    """What is known of the files' hashes and from where, for a reader."""
    role: Literal["evaluation", "training"] = "evaluation"
    generator: str | None = None
    """The model that made all pictures, where it is one."""
    base_urls: tuple[WebAddress, ...] = ()
    """Addresses that the file names are appended to, tried in order."""
    redirects: tuple[str, ...] = ()
    """Other hosts that the addresses may lead on to; all others are refused."""
    archives: tuple[ArchiveEntry, ...] = ()
    count: Annotated[int, Field(gt=0)] | None = None
    """How many pictures the set has, where they are not listed."""
    listing: Annotated[str, Field(pattern=r"^[\w.-]+\.csv$")] | None = None
    """A CSV file beside this one whose columns are keys of a picture; instead of ``[[pictures]]``."""
    pictures: tuple[PictureEntry, ...] = ()
    folder: Annotated[str, Field(min_length=1)] | None = None
    """Where the pictures lie, if neither beside this file nor in the data folder; relative to this file."""
    of: Annotated[str, Field(min_length=1)] | None = None
    """Another set that this one is a part of."""
    only: tuple[RelativePath, ...] = ()
    """The names of that set's pictures that are in this one."""

    @model_validator(mode="after")
    def _lists_or_counts(self) -> Manifest:
        if (self.of is None) != (not self.only):
            raise ValueError("of and only go together")
        ways = [bool(self.pictures), bool(self.archives), self.of is not None]
        if sum(ways) > 1:
            raise ValueError("expected one of: [[pictures]] tables, [[archives]] tables, or a part of a set")
        if not any(ways) and self.count is None:
            raise ValueError("expected at least one [[pictures]] table, or archives, or a count")
        return self

    @model_validator(mode="after")
    def _has_unique_files(self) -> Manifest:
        counts = Counter(entry.file for entry in self.pictures)
        twice = sorted(file for file, count in counts.items() if count > 1)
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
            generator=entry.generator or self.generator,
            licence=entry.licence or self.licence,
            source=entry.source or self.site or "unknown",
            sha256=entry.sha256,
            pixels=entry.pixels,
            provenance=Provenance(
                model_version=entry.model_version,
                prompt=entry.prompt,
                negative_prompt=entry.negative_prompt,
                seed=entry.sample.seed if entry.sample else entry.seed,
                guidance=entry.guidance,
                steps=entry.steps,
                denoising_strength=entry.denoising_strength,
                workflow=entry.workflow,
                url=entry.url,
            ),
        )


def load_manifest(path: Path) -> Manifest:
    """Return the manifest in a TOML file.

    Raises:
        DatasetError: The file cannot be read, is not TOML, or describes no set; it names each wrong key.
    """
    try:
        table = parse_toml(read_text(path), path)
    except TextFileError as error:
        raise DatasetError(str(error)) from error
    try:
        return Manifest.model_validate(_with_listing(table, path))
    except ValidationError as error:
        raise DatasetError(explain_validation(path, Manifest, error)) from None


def _with_listing(table: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a manifest's table with the pictures of its listing, if it names one beside it."""
    name = table.get("listing")
    if not isinstance(name, str) or "/" in name or "pictures" in table:
        return table
    beside = path.parent / name
    try:
        rows = read_table(beside, set(PictureEntry.model_fields)).rows
    except TextFileError as error:
        raise DatasetError(f"{path}: its listing {error}") from error
    return table | {"pictures": [{key: value for key, value in row.cells.items() if value} for row in rows]}
