"""Manifests: what is accepted, and how each mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from codecarena.datasets import manifest
from codecarena.datasets.manifest import DatasetError, Manifest, PictureEntry, PixelsIdentity, load_manifest
from codecarena.datasets.pixels import pixels_sha256, read_pixels

HEAD = """
name = "trial"
title = "Two pictures"
kind = "ai-generated"
licence = "CC0"
citation = "none"
site = "https://example.org/"
base_urls = ["https://example.org/files/"]
"""
PICTURE = f"""
[[pictures]]
file = "a/one.png"
sha256 = "{"0" * 64}"
prompt = "a cat"
text = "OPEN"
generator = "model 1"
seed = 3
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trial.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistake(tmp_path: Path, text: str) -> str:
    """Return what the error says after the file's name."""
    path = written(tmp_path, text)
    with pytest.raises(DatasetError) as caught:
        load_manifest(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_picture_takes_the_values_of_its_set(tmp_path: Path) -> None:
    manifest = load_manifest(written(tmp_path, HEAD + PICTURE))
    picture = manifest.local(manifest.pictures[0], tmp_path / "one.png")
    assert (picture.name, picture.kind, picture.licence) == ("a/one.png", "ai-generated", "CC0")
    assert (picture.caption, picture.text, picture.generator) == ("a cat", "OPEN", "model 1")
    assert (picture.source, picture.sha256) == ("https://example.org/", "0" * 64)


def test_a_picture_may_differ_from_its_set(tmp_path: Path) -> None:
    own = 'kind = "natural"\nlicence = "MIT"\nsource = "a friend"\ncaption = "a dog"\n'
    manifest = load_manifest(written(tmp_path, HEAD + PICTURE + own))
    picture = manifest.local(manifest.pictures[0], tmp_path / "one.png")
    assert (picture.kind, picture.licence, picture.source) == ("natural", "MIT", "a friend")
    assert picture.caption == "a dog"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            HEAD + PICTURE.replace("sha256", "sha265"),
            "pictures.0.sha265: unknown key; did you mean 'sha256'?",
        ),
        (HEAD.replace("licence", "license") + PICTURE, "license: unknown key; did you mean 'licence'?"),
        (HEAD + PICTURE + "zzz = 1", "pictures.0.zzz: unknown key; known: file, sha256,"),
        (
            HEAD.replace("ai-generated", "synthetic") + PICTURE,
            "kind: Input should be 'natural', 'ai-generated', 'composite', 'drawn' or 'unknown'",
        ),
        (HEAD, "the file: expected at least one [[pictures]] table, or archives, or a count"),
        (HEAD + "pictures = []", "expected at least one [[pictures]] table"),
        (HEAD + PICTURE.replace("0" * 64, "abc"), "pictures.0.sha256: String should match"),
        (HEAD + PICTURE + PICTURE, "pictures named twice: a/one.png"),
        (HEAD + 'name = "again"', "not TOML: Cannot overwrite a value"),
        (HEAD.replace('"trial"', '"../trial"') + PICTURE, "name: String should match"),
    ],
)
def test_mistakes_name_file_key_and_remedy(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in mistake(tmp_path, text)


@pytest.mark.parametrize(
    ("letters", "shown"),
    [
        (78, f"got '{'x' * 78}'"),  # 80 with its quotes
        (79, f"got '{'x' * 76}..."),
    ],
)
def test_a_wrong_value_is_shown_up_to_80_letters(tmp_path: Path, letters: int, shown: str) -> None:
    text = HEAD + PICTURE.replace("0" * 64, "x" * letters)
    assert mistake(tmp_path, text).splitlines()[0].endswith(f", {shown}")


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    lines = mistake(
        tmp_path, HEAD.replace("title", "titel") + PICTURE.replace("prompt", "promt")
    ).splitlines()
    assert len(lines) == 3  # the missing title, the unknown titel, the unknown promt


@pytest.mark.parametrize(
    "file", ["../up.png", "/etc/passwd", "a/../../b.png", "a\\\\b.png", ".", "", "a//b.png", "c:x"]
)
def test_paths_that_leave_the_folder_are_refused(tmp_path: Path, file: str) -> None:
    assert "pictures.0.file: " in mistake(tmp_path, HEAD + PICTURE.replace("a/one.png", file))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x.png", "x.png"])
def test_addresses_are_web_addresses(tmp_path: Path, url: str) -> None:
    assert "starts with https:// or http://" in mistake(tmp_path, HEAD + PICTURE + f'url = "{url}"')


def test_files_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "noise.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match=r"noise\.toml: cannot be read \(no utf-16"):
        load_manifest(tmp_path / "noise.toml")
    with pytest.raises(DatasetError, match="No such file"):
        load_manifest(tmp_path / "absent.toml")


def test_the_documentation_names_every_key_and_its_example_loads(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "pictures.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    assert load_manifest(written(tmp_path, example)).name == "my-set"
    for key in (*Manifest.model_fields, *PictureEntry.model_fields):
        assert f"`{key}`" in page or f"\n{key} = " in page or f"[[{key}]]" in page, key


def test_the_pixels_that_kodak_promises_are_those_of_its_files(kodak: list[Path]) -> None:
    entries = load_manifest(Path(manifest.__file__).parent / "kodak.toml").pictures
    assert len(entries) == len(kodak)
    for entry, path in zip(entries, kodak, strict=True):
        pixels = read_pixels(path, entry.sha256)
        assert entry.pixels == PixelsIdentity(pixels_sha256(pixels), *pixels.shape[:2])


def test_pixels_are_told_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "set.toml"
    pixels = f'pixels_sha256 = "{"0" * 64}"'
    for message in (pixels, "width = 3", f"{pixels}\nwidth = 1\nheight = 1"):
        path.write_text(
            'name = "x"\ntitle = "x"\nkind = "natural"\nlicence = "x"\ncitation = "x"\n'
            f'site = "https://example.org"\n[[pictures]]\nfile = "a.png"\n{message}\n'
        )
        with pytest.raises(DatasetError, match="go together"):
            load_manifest(path)
