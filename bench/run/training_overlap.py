"""Warn where a codec was trained on pictures of a suite."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor

from ...datasets.description.overlap import Print, shared, training_prints
from ..store.writer import StoreWriter
from .picture_contents import store_prints
from .plan import PlannedCodec, PlannedPicture

_NAMED = 3


def training_notes(
    pictures: Sequence[PlannedPicture],
    codecs: Iterable[PlannedCodec],
    store: StoreWriter,
    executor: Executor,
) -> list[str]:
    """Return a warning for each codec of codecarena that meets pictures it was trained on.

    Args:
        pictures: Of a suite.
        codecs: Those of the suite that loaded; where none says what it was trained on, no picture is read.
        store: Has the perceptual hashes of pictures, and receives those of new ones.
        executor: Its threads wait for workers.
    """
    trained = [(codec, folders) for codec in codecs if (folders := _folders(codec.info.trained_on))]
    if not trained:
        return []
    paths = {picture.sha256: str(picture.picture.path) for picture in pictures}
    prints = store_prints(paths, store, executor)
    meets: dict[tuple[str, ...], list[str]] = {}
    notes: list[str] = []
    here = {
        f"{picture.image_set}/{picture.picture.name}": Print(
            picture.picture.sha256, picture.sha256, prints[picture.sha256]
        )
        for picture in pictures
        if picture.sha256 in prints
    }
    for codec, folders in trained:
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
