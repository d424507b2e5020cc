"""Draw pictures of known text with a font of this machine, the same wherever the font is."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ...home_folder import expanded
from ..manifest import DatasetError, PictureEntry, Rendering
from ..png_file import save_png

if TYPE_CHECKING:
    from PIL import ImageFont

FONTS = "CODECARENA_FONTS"
"""Environment variable: a folder of fonts that is searched before the system's."""
SYSTEM_FONTS = ("~/.local/share/fonts", "~/.fonts", "/usr/local/share/fonts", "/usr/share/fonts")
_PACKAGES = {"DejaVu": "fonts-dejavu-core", "Liberation": "fonts-liberation", "Noto": "fonts-noto-core"}
"""Debian's packages, by how their files' names begin."""
_VERSION = 1
"""Of the layout; grows when other pixels come out."""
_LINE = 1.4
"""Distance of lines over the font's size; the margin is one size."""


def place(entry: PictureEntry, folder: Path) -> Path:
    """Return where a drawn picture lies: below a folder named after all that its pixels depend on.

    Another text, font, size or version of the drawing library is another path, so a picture that is there
    is never out of date.

    Raises:
        DatasetError: Its font is not installed.
    """
    render = _rendering(entry)
    drawn = [_VERSION, entry.text, render.model_dump(), _sha256(find_font(render.font)), *_libraries()]
    digest = hashlib.sha256(json.dumps(drawn, sort_keys=True).encode()).hexdigest()
    return folder / f"drawn-{digest[:12]}" / entry.file


def draw(entry: PictureEntry, path: Path) -> None:
    """Write a picture of its text; the file appears under its name only when all of it is there.

    Raises:
        DatasetError: The font is not installed, the text does not fit, or the folder cannot be written.
    """
    from PIL import Image, ImageDraw

    render = _rendering(entry)
    font = _font(render)
    picture = Image.new("RGB", (render.width, render.height), render.paper)
    pen = ImageDraw.Draw(picture)
    for count, line in enumerate((entry.text or "").splitlines()):
        corner = (render.size_pixels, render.size_pixels // 2 + round(count * _LINE * render.size_pixels))
        _check_fits(entry.file, line, pen.textbbox(corner, line, font=font), render)
        pen.text(corner, line, font=font, fill=render.ink)
    save_png(picture, path)


def find_font(name: str) -> Path:
    """Return the path of an installed font.

    Raises:
        DatasetError: It is not installed; says which Debian package has it.
    """
    # First in the folder that the user names.
    own = os.environ.get(FONTS)
    for folder in (own, *SYSTEM_FONTS) if own else SYSTEM_FONTS:
        if (path := _fonts(str(expanded(folder))).get(name)) is not None:
            return path
    package = next((package for begin, package in _PACKAGES.items() if name.startswith(begin)), None)
    install = f"install Debian's {package}, or " if package else ""
    raise DatasetError(f"the font {name} is not installed; {install}name its folder in {FONTS}")


@cache
def _fonts(folder: str) -> dict[str, Path]:
    return {path.name: path for path in sorted(Path(folder).rglob("*.[ot]tf"))}


@cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _libraries() -> tuple[str | None, ...]:
    import PIL
    from PIL import features

    return PIL.__version__, features.version_module("freetype2")


def _font(render: Rendering) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    # The basic layout is in every Pillow; the other one needs a library that may not be there.
    path, basic = find_font(render.font), ImageFont.Layout.BASIC
    return ImageFont.truetype(path, render.size_pixels, layout_engine=basic)


def _rendering(entry: PictureEntry) -> Rendering:
    assert entry.render is not None, "only pictures with a rendering are drawn"
    return entry.render


def _check_fits(file: str, line: str, box: tuple[float, float, float, float], render: Rendering) -> None:
    if box[2] > render.width or box[3] > render.height:
        raise DatasetError(
            f"{file}: the line {line!r} ends at {box[2]:.0f},{box[3]:.0f}, outside of the picture of "
            f"{render.width}x{render.height}; break it or make the picture larger"
        )
