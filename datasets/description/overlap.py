"""Find the pictures that two image sets share, exactly or nearly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..manifest import DatasetError, LocalPicture, Manifest, load_manifest
from ..perceptual import near_pairs, perceptual_hash
from ..pixels import PictureError, pixels_sha256, read_pixels

TRAINING = Path(__file__).parents[1] / "train.toml"
"""What the weights that come with the package were trained on: hashes, no pictures."""


@dataclass(frozen=True, slots=True)
class Print:
    """What is needed to recognise a picture."""

    file_sha256: str | None
    pixels_sha256: str | None
    perceptual: str


@dataclass(frozen=True, slots=True)
class Shared:
    """A picture of one set that another set has as well."""

    picture: str
    other: str
    how: Literal["same file", "same pixels", "looks the same"]
    bits: int
    """Of 64 in which the perceptual hashes differ."""


def prints(pictures: Iterable[LocalPicture]) -> dict[str, Print]:
    """Return what each picture of a set is recognised by; every file is read.

    Raises:
        DatasetError: A file is no picture, or not the one of the manifest.
    """
    return {picture.name: print_of(picture.path, picture.sha256) for picture in pictures}


def print_of(path: Path, sha256: str | None = None) -> Print:
    """Return what the picture in a file is recognised by.

    Raises:
        DatasetError: The file is no picture, or has another hash than this one.
    """
    try:
        pixels = read_pixels(path, sha256)
    except PictureError as error:
        raise DatasetError(str(error)) from error
    file_sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Print(file_sha256, pixels_sha256(pixels), perceptual_hash(pixels))


def listed_prints(manifest: Manifest) -> dict[str, Print]:
    """Return what the pictures of a manifest are recognised by, without their files; only those it knows."""
    return {
        picture.file: Print(picture.sha256, picture.pixels_sha256, picture.perceptual)
        for picture in manifest.pictures
        if picture.perceptual is not None
    }


def training_prints(folders: Iterable[str] | None = None) -> dict[str, Print]:
    """Return what the training pictures of the shipped weights are recognised by.

    Args:
        folders: Of the training set; None takes all.
    """
    chosen = None if folders is None else set(folders)
    training = listed_prints(load_manifest(TRAINING))
    return {
        name: print_ for name, print_ in training.items() if chosen is None or name.split("/")[0] in chosen
    }


def shared(first: Mapping[str, Print], second: Mapping[str, Print]) -> list[Shared]:
    """Return the pictures of the first set that the second has, once for each picture there.

    Near-duplicates are recognised by `perceptual_hash`: copies that were scaled or coded again are found;
    crops, turned and mirrored ones are not.
    """
    pairs: list[Shared] = []
    here, there = ({name: print_.perceptual for name, print_ in side.items()} for side in (first, second))
    for name, other, bits in near_pairs(here, there):
        pairs.append(Shared(name, other, _how(first[name], second[other]), bits))
    return pairs


def _how(first: Print, second: Print) -> Literal["same file", "same pixels", "looks the same"]:
    if first.file_sha256 is not None and first.file_sha256 == second.file_sha256:
        return "same file"
    if first.pixels_sha256 is not None and first.pixels_sha256 == second.pixels_sha256:
        return "same pixels"
    return "looks the same"
