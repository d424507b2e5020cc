"""Pictures drawn from known text: the same each time, never out of date, refused with the reason."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codecarena.datasets.generated import text_pictures
from codecarena.datasets.manifest import DatasetError, load_manifest
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import find_manifest, names, open_set
from codecarena.datasets.sources.download import fetch

MANIFEST = """
name = "signs"
title = "A sign"
kind = "natural"
licence = "CC0"
citation = "none"
site = "https://example.org/"

[[pictures]]
file = "sign.png"
text = "{text}"
render = {{ font = "{font}", size_pixels = {size}, width = 200, height = 64 }}
"""


@pytest.fixture(autouse=True)
def _fonts_are_here() -> None:
    try:
        text_pictures.find_font("DejaVuSans.ttf")
    except DatasetError as error:
        pytest.skip(str(error))


def manifest(folder: Path, text: str = "Exit 12", size: int = 24, font: str = "DejaVuSans.ttf") -> str:
    path = folder / "signs.toml"
    path.write_text(MANIFEST.format(text=text, size=size, font=font))
    return str(path)


def test_the_text_set_is_known_and_is_drawn_when_it_is_opened(tmp_path: Path) -> None:
    known = next(name for name in names(tmp_path) if name.name == "text")
    assert (known.count, known.present) == (24, 24)
    opened = open_set("text", tmp_path)
    assert len(opened.pictures) == 24
    for picture in opened.pictures:
        pixels = read_pixels(picture.path)
        assert pixels.shape == (256, 512, 3)
        assert picture.text
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 8
    assert not list(tmp_path.rglob("*.part"))


def test_drawing_again_gives_the_same_pixels(tmp_path: Path) -> None:
    first, second = (open_set("text", tmp_path / name) for name in ("one", "two"))
    for entry, other in zip(first.pictures, second.pictures, strict=True):
        assert np.array_equal(read_pixels(entry.path), read_pixels(other.path))


def test_what_is_drawn_already_is_left_alone(tmp_path: Path) -> None:
    path = open_set("text", tmp_path).pictures[0].path
    before = path.stat().st_mtime_ns
    assert open_set("text", tmp_path).pictures[0].path.stat().st_mtime_ns == before
    assert path in fetch(find_manifest("text"), tmp_path)
    assert path.stat().st_mtime_ns == before


def test_another_text_or_size_is_another_file(tmp_path: Path) -> None:
    data = tmp_path / "data"
    paths = {
        open_set(manifest(tmp_path, text, size), data).pictures[0].path
        for text, size in (("Exit 12", 24), ("Exit 13", 24), ("Exit 12", 20), ("Exit 12", 24))
    }
    assert len(paths) == 3
    assert all(path.is_file() for path in paths)


def test_a_font_that_is_not_here_is_named_with_its_package(tmp_path: Path) -> None:
    reference = manifest(tmp_path, font="NotoSansOld-Regular.ttf")
    message = r"NotoSansOld-Regular\.ttf is not installed; install Debian's fonts-noto-core, or name"
    with pytest.raises(DatasetError, match=message):
        open_set(reference, tmp_path / "data")
    with pytest.raises(DatasetError, match=message):
        fetch(load_manifest(Path(reference)), tmp_path / "data")


def test_a_folder_of_fonts_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "fonts"
    own.mkdir()
    (own / "Mine.ttf").write_bytes(text_pictures.find_font("DejaVuSans.ttf").read_bytes())
    monkeypatch.setenv("CODECARENA_FONTS", str(own))
    assert open_set(manifest(tmp_path, font="Mine.ttf"), tmp_path / "data").pictures[0].path.is_file()


def test_text_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"sign\.png: the line 'A very long sign' ends at .* 200x64; break it"
    ):
        open_set(manifest(tmp_path, "A very long sign", 40), tmp_path / "data")


def test_a_rendering_without_text_or_with_a_hash_is_refused(tmp_path: Path) -> None:
    for wrong in ('text = ""', f'text = "a"\nsha256 = "{"0" * 64}"'):
        reference = manifest(tmp_path)
        content = Path(reference).read_text().replace('text = "Exit 12"', wrong)
        Path(reference).write_text(content)
        with pytest.raises(DatasetError, match="render goes with text, and not with sha256"):
            open_set(reference, tmp_path)
