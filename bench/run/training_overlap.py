"""Describe a suite's pictures, and warn where a codec was trained on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ...datasets.description.descriptors import describe_pixels
from ...datasets.description.overlap import Print, shared, training_prints
from ...datasets.perceptual import perceptual_hash
from ...datasets.pixels import PictureError, read_pixels
from ..store.pictures import Content, add_contents, known_prints
from ..store.writer import StoreWriter
from .plan import PlannedCodec, PlannedPicture

_NAMED = 3


def store_contents(pictures: Iterable[PlannedPicture], store: StoreWriter, workers: int) -> dict[str, str]:
    """Return the perceptual hash of every picture, after describing those that are new to the store.

    Files that can no longer be read are left out: whoever measures them says so.

    Args:
        pictures: Of a suite.
        store: Receives perceptual hashes and descriptors.
        workers: Threads that read pictures.
    """
    once = {picture.sha256: picture for picture in pictures}
    known = known_prints(store, once)
    with ThreadPoolExecutor(workers) as readers:
        unknown = (picture for sha256, picture in once.items() if sha256 not in known)
        new = [content for content in readers.map(_content, unknown) if content]
    add_contents(store, new)
    return known | {content.picture_sha256: content.perceptual for content in new}


def training_notes(
    pictures: Sequence[PlannedPicture], codecs: Iterable[PlannedCodec], prints: dict[str, str]
) -> list[str]:
    """Return a warning for each codec of codecarena that meets pictures it was trained on.

    Args:
        pictures: Of a suite.
        codecs: Those of the suite that loaded.
        prints: Perceptual hashes by the hash of the pixels, as `store_contents` returns them.
    """
    meets: dict[tuple[str, ...], list[str]] = {}
    notes: list[str] = []
    here = {
        f"{picture.image_set}/{picture.picture.name}": Print(
            picture.picture.sha256, picture.sha256, prints[picture.sha256]
        )
        for picture in pictures
        if picture.sha256 in prints
    }
    for codec in codecs:
        folders = _folders(codec.info.trained_on)
        if not folders:
            continue
        if folders not in meets:
            meets[folders] = sorted({overlap.picture for overlap in shared(here, training_prints(folders))})
        if names := meets[folders]:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            notes.append(
                f"codec {codec.label} was trained on pictures of this suite; its results on them mislead: "
                f"{', '.join(names[:_NAMED])}{more}"
            )
    return notes


def _folders(trained_on: str | None) -> tuple[str, ...]:
    """Return the folders of training pictures in a text such as ``679 pictures: bsds500, ...``."""
    _, colon, names = (trained_on or "").partition(": ")
    return tuple(sorted(re.split(r",\s*", names))) if colon else ()


def _content(picture: PlannedPicture) -> Content | None:
    try:
        pixels = read_pixels(picture.picture.path, picture.picture.sha256)
    except PictureError:
        return None
    return Content(picture.sha256, perceptual_hash(pixels), describe_pixels(pixels))
