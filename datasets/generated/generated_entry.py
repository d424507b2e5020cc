"""Make the file of a manifest's entry that this machine draws from text, or samples."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from ..manifest import DatasetError, PictureEntry, Sampling
from ..png_file import save_png
from . import text_pictures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_NO_SAMPLER = "{} is sampled on this machine, which takes torch: install codecarena[learned]"


class Sampler(Protocol):
    """What samples pictures; the rooms above give one that knows the shipped weights."""

    @property
    def generator(self) -> str:
        """Name of the generator, with its weights in it."""
        ...

    @property
    def method(self) -> str:
        """How it samples, for its pictures' paths: another method is another picture."""
        ...

    def sample(self, caption: str | None, how: Sampling) -> NDArray[np.uint8]:
        """Return a picture, (height, width, 3), sRGB; the same each time."""
        ...


def place(entry: PictureEntry, folder: Path, sampler: Sampler | None) -> Path:
    """Return where a picture that is made here lies: under a name that says what its pixels depend on.

    Args:
        entry: A manifest's entry with a ``render`` or ``sample``.
        folder: The set's folder.
        sampler: Makes sampled pictures; None refuses them.

    Raises:
        DatasetError: What it is made with is not here.
    """
    if entry.sample is None:
        return text_pictures.place(entry, folder)
    if sampler is None:
        raise DatasetError(_NO_SAMPLER.format(entry.file))
    made_of = [sampler.generator, sampler.method, entry.caption, entry.sample.model_dump()]
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    named = PurePosixPath(entry.file)
    return folder / "sampled" / named.with_stem(f"{named.stem}-{digest[:12]}")


def make(entry: PictureEntry, path: Path, sampler: Sampler | None) -> None:
    """Write a picture; the file appears under its name only when all of it is there.

    Args:
        entry: A manifest's entry with a ``render`` or ``sample``.
        path: Where to, as `place` returns it.
        sampler: Makes sampled pictures; None refuses them.

    Raises:
        DatasetError: What it is made with is not here, or the folder cannot be written.
    """
    if entry.sample is None:
        text_pictures.draw(entry, path)
        return
    if sampler is None:
        raise DatasetError(_NO_SAMPLER.format(entry.file))
    from PIL import Image

    save_png(Image.fromarray(sampler.sample(entry.caption, entry.sample)), path)
