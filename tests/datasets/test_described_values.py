"""What is said of a picture that spoils a comparison, and how files are drawn, sampled and written."""

from __future__ import annotations

import hashlib
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from codecarena.datasets.description import describe
from codecarena.datasets.description.describe import Finding, _concerns, _duplicates
from codecarena.datasets.description.history import JpegTrace, Traces
from codecarena.datasets.description.index_file import Index, read_index
from codecarena.datasets.description.metadata import Metadata
from codecarena.datasets.generated import generated_entry, text_pictures
from codecarena.datasets.manifest import (
    DatasetError,
    ImageSet,
    LocalPicture,
    Manifest,
    PictureEntry,
    Sampling,
    load_manifest,
)
from codecarena.datasets.manifest_toml import _value, manifest_text, write_manifest
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.png_file import remove_beginnings, save_png
from codecarena.datasets.sets.subsets import write_subset

SEEN = np.zeros((256, 300, 3), np.uint8)
OF_JPEG = "is a JPEG file, quality about 85: it favours JPEG at this rate"
BEFORE = "was JPEG compressed before"
LOSSY = "was coded with loss before: it lies in blocks as of WebP, AVIF or HEIC"
ORIGIN = ("unknown origin", "says nothing of a generator: taken as natural")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, []),
        ({"quality": 85}, [("jpeg", OF_JPEG)]),
        # The trace of an earlier compression is looked for where the file itself is no JPEG.
        ({"quality": 85, "trace": JpegTrace((0, 0), 60)}, [("jpeg", OF_JPEG)]),
        ({"trace": JpegTrace((0, 0), 60)}, [("jpeg", f"{BEFORE}, quality about 60")]),
        ({"trace": JpegTrace((5, 2), None)}, [("jpeg", f"{BEFORE} on the grid at 2,5")]),
        ({"trace": JpegTrace((0, 3), 60)}, [("jpeg", f"{BEFORE}, quality about 60 on the grid at 3,0")]),
        ({"factor": 3}, [("upscaled", "seems to be enlarged about 3 times, or is out of focus")]),
        ({"pixels": SEEN[:255]}, [("small", "300x255, a side below 256 pixels")]),
        ({"pixels": SEEN[:, :255]}, [("small", "255x256, a side below 256 pixels")]),
        ({"quality": 95.0, "file_format": 0.0}, [("jpeg", f"{BEFORE}, quality about 95 or more")]),
        ({"blocks_of_4": 6.0}, [("lossy", LOSSY)]),
        ({"blocks_of_8": 5.0}, [("lossy", LOSSY)]),
        ({"blocks_of_4": 5.9, "blocks_of_8": 4.9}, []),
        ({"kind": None}, [ORIGIN]),
        ({"kind": None, "said": Metadata(kind="ai-generated")}, []),
        ({"kind": None, "named": True}, []),
    ],
)  # fmt: skip
def test_each_concern_has_its_sentence(known: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    values = {
        "file_format": known.get("file_format", float("quality" in known)),
        "jpeg_quality": known.get("quality", 100.0),
        "enlargement": float(known.get("factor", 1)),
        "blocks_of_4": known.get("blocks_of_4", 0.0),
        "blocks_of_8": known.get("blocks_of_8", 0.0),
    }
    traces = Traces(values, known.get("trace"))
    pixels, said = known.get("pixels", SEEN), known.get("said", Metadata())
    outcome = _concerns(traces, "a", pixels, said, known.get("kind", "natural"), known.get("named", False))
    assert list(outcome) == [Finding("a", concern, detail) for concern, detail in expected]  # type: ignore[arg-type]


def seen(file: str, pixels: str, perceptual: str) -> PictureEntry:
    size = {"sha256": pixels * 64, "pixels_sha256": pixels * 64, "width": 1, "height": 1}
    return PictureEntry(file=file, perceptual=perceptual, **size)  # type: ignore[arg-type]


def test_copies_are_told_of_the_first_and_near_ones_of_each_that_is_no_copy() -> None:
    zeros, near, far = "0" * 16, f"{7:016x}", "f" * 16
    entries = [seen("a", "1", zeros), seen("b", "1", zeros), seen("c", "2", near), seen("d", "3", far)]
    assert list(_duplicates(entries)) == [
        Finding("b", "duplicate", "has the pixels of a"),
        Finding("c", "near-duplicate", "looks like a (3 of 64 bits differ)"),
        Finding("c", "near-duplicate", "looks like b (3 of 64 bits differ)"),
    ]


@pytest.mark.parametrize(("folder", "name"), [("My Set!", "my-set"), ("._a_b-", "a_b"), ("--", "set")])
def test_a_set_is_named_like_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    assert describe._set_name(tmp_path / folder) == name


def test_the_columns_of_an_index_that_are_keys_of_a_picture_are_read(tmp_path: Path) -> None:
    columns = ("file", "caption", "width", "height", "render", "sample", "package", "seed", "other")
    assert read_index(tmp_path, ["a.png"]) == Index()
    (tmp_path / "index.csv").write_text(f"{','.join(columns)}\na.png,x,1,1,1,1,1,,y\n")
    assert read_index(tmp_path, ["a.png"]).rows == {"a.png": {"caption": "x"}}
    (tmp_path / "index.csv").write_bytes(b"file\n\xff\n")
    with pytest.raises(
        DatasetError, match=r"index\.csv: cannot be read \(line 2: expected UTF-8, got the byte 0xff"
    ):
        read_index(tmp_path, ["a.png"])


# Drawn text.


def drawn_entry(text: str = "Exit\nÜ 12", **render: Any) -> PictureEntry:
    keys = {"font": "DejaVuSans.ttf", "size_pixels": 20, "width": 120, "height": 70}
    keys |= {"ink": "#102030", "paper": "#f0e0d0", **render}
    return PictureEntry.model_validate({"file": "x/a.png", "text": text, "render": keys})


@pytest.fixture
def font() -> Path:
    try:
        return text_pictures.find_font("DejaVuSans.ttf")
    except DatasetError as error:
        pytest.skip(str(error))


def test_lines_stand_one_size_from_the_left_and_a_size_and_four_tenths_apart(
    font: Path, tmp_path: Path
) -> None:
    text_pictures.draw(drawn_entry(), tmp_path / "a.png")
    expected = Image.new("RGB", (120, 70), "#f0e0d0")
    pen = ImageDraw.Draw(expected)
    letters = ImageFont.truetype(font, 20, layout_engine=ImageFont.Layout.BASIC)
    pen.text((20, 10), "Exit", font=letters, fill="#102030")
    pen.text((20, 10 + 28), "Ü 12", font=letters, fill="#102030")
    assert np.array_equal(read_pixels(tmp_path / "a.png"), np.asarray(expected))


@pytest.mark.parametrize(("size", "fits"), [((62, 32), True), ((61, 32), False), ((62, 31), False)])
def test_a_line_may_end_at_the_pictures_edge(size: tuple[int, int], fits: bool) -> None:
    render = drawn_entry(width=size[0], height=size[1]).render
    assert render is not None
    if fits:
        text_pictures._check_fits("a.png", "Exit", (20, 10, 62, 32), render)
        return
    said = f"a.png: the line 'Exit' ends at 62,32, outside of the picture of {size[0]}x{size[1]}"
    with pytest.raises(DatasetError, match=said):
        text_pictures._check_fits("a.png", "Exit", (20, 10, 62, 32), render)


def test_the_users_folder_of_fonts_goes_before_the_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("own/deep", "system"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "A.ttf").touch()
    (tmp_path / "system" / "B.otf").touch()
    monkeypatch.setattr(text_pictures, "SYSTEM_FONTS", (str(tmp_path / "system"),))
    monkeypatch.setenv("CODECARENA_FONTS", str(tmp_path / "own"))
    assert text_pictures.find_font("A.ttf") == tmp_path / "own" / "deep" / "A.ttf"
    assert text_pictures.find_font("B.otf") == tmp_path / "system" / "B.otf"
    with pytest.raises(
        DatasetError, match=r"the font X\.ttf is not installed; name its folder in CODECARENA_FONTS"
    ):
        text_pictures.find_font("X.ttf")
    monkeypatch.delenv("CODECARENA_FONTS")
    assert text_pictures.find_font("A.ttf") == tmp_path / "system" / "A.ttf"


def test_a_drawn_picture_lies_under_a_hash_of_all_that_it_depends_on(
    font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_pictures, "_libraries", lambda: ("11.0", "2.13"))
    entry = drawn_entry()
    assert entry.render is not None
    made_of = [
        1,
        entry.text,
        entry.render.model_dump(),
        hashlib.sha256(font.read_bytes()).hexdigest(),
        "11.0",
        "2.13",
    ]
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]
    assert generated_entry.place(entry, tmp_path, None) == tmp_path / f"drawn-{digest}" / "x" / "a.png"


class Sampler:
    generator, method = "toy 1", "layout 1"

    def sample(self, caption: str | None, how: Sampling) -> np.ndarray:
        return np.full((how.height, how.width, 3), len(caption or ""), np.uint8)


def test_a_sampled_picture_lies_under_a_hash_of_generator_method_caption_and_sampling(tmp_path: Path) -> None:
    entry = PictureEntry.model_validate(
        {"file": "x/a.png", "caption": "a fox", "sample": {"seed": 3, "width": 32, "height": 64}}
    )
    made_of = ["toy 1", "layout 1", "a fox", {"seed": 3, "width": 32, "height": 64}]
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]
    path = generated_entry.place(entry, tmp_path, Sampler())
    assert path == tmp_path / "sampled" / "x" / f"a-{digest}.png"
    generated_entry.make(entry, path, Sampler())
    pixels = read_pixels(path)
    assert (pixels.shape, int(pixels[0, 0, 0])) == ((64, 32, 3), 5)
    for call in (
        lambda: generated_entry.place(entry, tmp_path, None),
        lambda: generated_entry.make(entry, path, None),
    ):
        with pytest.raises(DatasetError, match=r"x/a\.png is sampled on this machine, which takes torch"):
            call()


# Written files.


def test_a_picture_is_there_whole_and_readable_and_what_was_begun_of_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a[1].png"
    save_png(Image.new("RGB", (3, 2)), path)
    assert (path.stat().st_mode & 0o777, [path.name for path in path.parent.iterdir()]) == (
        0o644,
        ["a[1].png"],
    )
    kept = ("b.png.x.part", "a1.png.x.part", "a[1].png.part-tag")
    for name in (*kept, "a[1].png.x.part", "a[1].png..part"):
        (path.parent / name).touch()
    remove_beginnings(path)
    assert {path.name for path in path.parent.iterdir()} == {*kept, "a[1].png"}
    with pytest.raises(DatasetError, match=r"b\.png: cannot be written \(.*\); name another --data"):
        save_png(Image.new("RGB", (3, 2)), path / "b.png")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": [True, "x"]}, '{ a = 1, b = [true, "x"] }'),
        ((1.5, 2), "[1.5, 2]"),
        ('q"\\\n\x7f\u00fc', '"q\\"\\\\\\n\\u007f\u00fc"'),
    ],
)
def test_values_are_written_as_toml(value: Any, text: str) -> None:
    assert _value(value) == text
    assert tomllib.loads(f"a = {text}")["a"] == (list(value) if isinstance(value, tuple) else value)


HEAD: dict[str, Any] = {"name": "s", "title": "t", "kind": "natural", "licence": "CC0", "citation": "c"}


def test_a_manifest_is_written_without_what_it_does_not_say_nor_what_its_listing_says(tmp_path: Path) -> None:
    pictures = [{"file": "a.png"}, {"file": "b.png", "seed": 3}]
    head = 'name = "s"\ntitle = "t"\nkind = "natural"\nlicence = "CC0"\ncitation = "c"\n'
    text = '\n[[pictures]]\nfile = "a.png"\n\n[[pictures]]\nfile = "b.png"\nseed = 3\n'
    manifest = Manifest.model_validate(HEAD | {"pictures": pictures})
    assert manifest_text(manifest) == head + text
    listed = Manifest.model_validate(HEAD | {"pictures": pictures, "listing": "s.csv"})
    assert manifest_text(listed) == f'{head}listing = "s.csv"\n'
    archived = Manifest.model_validate(HEAD | {"archives": [{"url": "https://a.example/x.zip"}]})
    assert manifest_text(archived) == f'{head}\n[[archives]]\nurl = "https://a.example/x.zip"\n'
    write_manifest(manifest, tmp_path / "deep" / "s.toml")
    assert load_manifest(tmp_path / "deep" / "s.toml") == manifest
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["s.toml"]
    with pytest.raises(DatasetError, match=r"x\.toml: cannot be written \(.*\); name another --out"):
        write_manifest(manifest, tmp_path / "deep" / "s.toml" / "x.toml")


@pytest.mark.parametrize("by_path", [True, False])
def test_a_part_of_a_set_names_the_set_and_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_path: bool
) -> None:
    picture = LocalPicture("a.png", Path("a.png"), "natural", None, None, None, "CC0", "here", None)
    whole = ImageSet("whole", "ai-generated", "MIT", "https://a.example", (picture,) * 5)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    write_subset(whole, "mine" if by_path else "kodak", ["b.png", "a.png"], tmp_path / "Few.toml")
    assert load_manifest(tmp_path / "Few.toml") == Manifest(
        name="few",
        title="2 of the 5 pictures of whole",
        kind="ai-generated",
        licence="MIT",
        citation="see whole",
        of=str(tmp_path / "mine") if by_path else "kodak",
        only=("b.png", "a.png"),
    )
