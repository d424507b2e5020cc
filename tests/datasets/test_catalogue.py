"""Sets by name, by manifest and by folder, as found on this machine."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from codecarena.datasets.manifest import DatasetError
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets import catalogue
from codecarena.datasets.sources import builtin, download

MANIFEST = """
name = "own"
title = "One picture"
kind = "ai-generated"
licence = "CC0"
citation = "none"
site = "https://example.org/"

[[pictures]]
file = "one.png"
"""


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (1, 2, 3)).save(path, "png")
    return path


def test_the_photographs_are_here_and_are_what_the_manifest_says() -> None:
    photos = catalogue.open_set("photos")
    assert 6 <= len(photos.pictures) <= 8
    for picture in photos.pictures:
        pixels = read_pixels(picture.path, picture.sha256)
        assert 0.1e6 < pixels.shape[0] * pixels.shape[1] < 0.5e6
        assert picture.kind == "natural"
        assert "scikit" not in picture.licence
        assert picture.caption


def test_the_photographs_are_found_without_importing_their_packages() -> None:
    script = (
        "import sys; from codecarena.datasets.sets.catalogue import names, open_set; "
        "open_set('photos'); names(); "
        "print(sorted({'skimage', 'sklearn', 'scipy', 'torch', 'pooch', 'requests'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_package_that_is_not_installed_is_named(tmp_path: Path) -> None:
    text = MANIFEST + 'package = "no_such_package/pictures"\n'
    (tmp_path / "own.toml").write_text(text)
    assert builtin.installed_folder("no_such_package/pictures") is None
    with pytest.raises(
        DatasetError, match="comes with the Python package no_such_package, which is not installed"
    ):
        catalogue.open_set(str(tmp_path / "own.toml"), tmp_path)


def test_kodak_is_found_in_the_data_folder(test_data: Path, kodak: list[Path]) -> None:
    opened = catalogue.open_set("kodak", test_data)
    assert [picture.path for picture in opened.pictures] == kodak
    assert [picture.sha256 for picture in opened.pictures] == [
        hashlib.sha256(p.read_bytes()).hexdigest() for p in kodak
    ]


def test_kodak_is_found_through_the_environment(
    test_data: Path, kodak: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODECARENA_DATA", str(test_data))
    assert len(catalogue.open_set("kodak").pictures) == len(kodak)


def test_missing_files_come_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        catalogue.open_set("kodak", tmp_path)
    message = str(caught.value)
    assert "24 of 24 pictures" in message
    assert "kodim01.png" in message
    assert "and 19 more" in message
    assert "codecarena sets fetch kodak" in message
    assert f"{tmp_path / 'kodak'}/" in message


def test_the_list_tells_what_is_here(tmp_path: Path) -> None:
    picture(tmp_path / "kodak" / "kodim07.png")
    known = {name.name: name for name in catalogue.names(tmp_path)}
    assert (known["kodak"].count, known["kodak"].present, known["kodak"].kind) == (24, 1, "natural")
    assert known["photos"].present == known["photos"].count


def test_shipped_manifests_are_named_like_their_files() -> None:
    for path in Path(catalogue.__file__).parent.glob("*.toml"):
        manifest = catalogue.find_manifest(path.stem)
        assert manifest.name == path.stem
        assert all(entry.sha256 or entry.made_here for entry in manifest.pictures)
        assert manifest.licence
        assert manifest.citation
        assert manifest.site or all(entry.made_here for entry in manifest.pictures)
        assert manifest.pictures or manifest.count
        assert manifest.hashes or not (manifest.archives or manifest.listing or manifest.count)


def test_the_registry_has_the_sets_that_the_field_uses() -> None:
    known = {name.name: name.kind for name in catalogue.names()}
    natural = {
        "kodak",
        "clic2020-professional",
        "clic2020-mobile",
        "clic2025",
        "div2k",
        "tecnick",
        "mcmaster",
    }
    natural |= {"imagecompression-info", "cid22", "mucped23", "train"}
    generated = {"diffusiondb", "agiqa-3k", "aigciqa2023", "synthbuster", "comfyui-examples", "toy"}
    assert natural <= {name for name, kind in known.items() if kind == "natural"}
    assert generated <= {name for name, kind in known.items() if kind == "ai-generated"}


def test_the_comfyui_examples_are_the_files_that_the_manifest_means(test_data: Path) -> None:
    manifest = catalogue.find_manifest("comfyui-examples")
    assert len(manifest.pictures) == 15
    for entry in manifest.pictures:
        data = (test_data / "aigc" / entry.file).read_bytes()
        assert hashlib.sha256(data).hexdigest() == entry.sha256


def test_pictures_placed_by_hand_are_pinned_when_they_are_fetched(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no address .*\n.*https://testimages\.org/ and place them in"):
        download.fetch(catalogue.find_manifest("tecnick"), tmp_path)
    first = picture(tmp_path / "tecnick" / "a.png")
    assert download.fetch(catalogue.find_manifest("tecnick"), tmp_path) == (first,)
    assert catalogue.open_set("tecnick", tmp_path).pictures[0].sha256 is not None
    Image.new("RGB", (4, 3)).save(first)
    with pytest.raises(DatasetError, match=r"a\.png: expected sha256 .* as pinned in"):
        download.fetch(catalogue.find_manifest("tecnick"), tmp_path)


def test_a_folder_is_a_set(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for name in ("b.PNG", "a.png", "below/c.jpeg", ".hidden/d.png", ".e.png"):
        picture(folder / name)
    (folder / "notes.txt").write_text("no picture")
    opened = catalogue.open_set(str(folder))
    assert [picture.name for picture in opened.pictures] == ["a.png", "b.PNG", "below/c.jpeg"]
    assert (opened.name, opened.kind, opened.licence) == ("mine", "natural", "unknown")
    assert all(picture.path.is_file() and picture.sha256 is None for picture in opened.pictures)


def test_the_working_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "mine" / "a.png")
    monkeypatch.chdir(tmp_path / "mine")
    assert catalogue.open_set(".").name == "mine"


def test_a_folder_may_describe_itself(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text(MANIFEST)
    picture(tmp_path / "one.png")
    picture(tmp_path / "not-listed.png")
    for reference in (tmp_path, tmp_path / "manifest.toml"):
        opened = catalogue.open_set(str(reference), tmp_path / "data")
        assert (opened.name, opened.kind, [picture.name for picture in opened.pictures]) == (
            "own",
            "ai-generated",
            ["one.png"],
        )


def test_a_manifest_elsewhere_finds_its_pictures_in_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(MANIFEST)
    expected = picture(tmp_path / "data" / "own" / "one.png")
    opened = catalogue.open_set(str(tmp_path / "own.toml"), tmp_path / "data")
    assert opened.pictures[0].path == expected


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no pictures in it or below .*\.png"):
        catalogue.open_set(str(tmp_path))


@pytest.mark.parametrize("find", [catalogue.open_set, catalogue.find_manifest])
@pytest.mark.parametrize(
    ("name", "hint"), [("kodac", "did you mean 'kodak'"), ("zzz", "known sets: .*kodak, .*photos, ")]
)
def test_unknown_names_come_with_the_nearest(find: object, name: str, hint: str) -> None:
    assert callable(find)
    with pytest.raises(DatasetError, match=hint):
        find(name)


def test_the_data_folder_is_the_option_then_the_environment_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODECARENA_DATA", str(tmp_path / "named"))
    assert download.data_folder(tmp_path / "option") == tmp_path / "option"
    assert download.data_folder() == tmp_path / "named"
    monkeypatch.delenv("CODECARENA_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    if sys.platform == "linux":
        assert download.data_folder() == tmp_path / "share" / "codecarena"
