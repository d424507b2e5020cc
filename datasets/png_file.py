"""Write PNG files that are there whole or not at all."""

from __future__ import annotations

import glob
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .manifest import DatasetError

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo


PART = ".part"
"""What a file's name ends with until all of it is there."""


def save_png(image: Image.Image, path: Path, text: PngInfo | None = None) -> None:
    """Write a PNG under its name once all of it is written beside it.

    Args:
        image: The picture.
        path: Where to; its folder is made.
        text: Text chunks to write into the file.

    Raises:
        DatasetError: The folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside, start = path.parent, f"{path.name}."
        with tempfile.NamedTemporaryFile(dir=beside, prefix=start, suffix=PART, delete=False) as file:
            image.save(file, "PNG", pnginfo=text)
        Path(file.name).chmod(0o644)  # the temporary file was the owner's alone, but data folders are shared
        Path(file.name).replace(path)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written ({error.strerror}); name another --data") from error


def remove_beginnings(path: Path) -> None:
    """Remove what a killed process began to write of a picture; no other may be writing it now."""
    for begun in path.parent.glob(f"{glob.escape(path.name)}.*{PART}"):
        begun.unlink(missing_ok=True)
