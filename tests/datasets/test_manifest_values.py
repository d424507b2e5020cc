"""What each key of a manifest becomes in a picture, which of two values wins, and what goes with what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from codecarena.datasets.manifest import (
    DatasetError,
    LocalPicture,
    Manifest,
    PictureEntry,
    PixelsIdentity,
    Provenance,
    Rendering,
    Sampling,
    has_controls,
    load_manifest,
)

HEAD: dict[str, Any] = {"name": "s", "title": "t", "kind": "natural", "licence": "CC0", "citation": "c"}
SET = HEAD | {"site": "https://set.example/", "generator": "model of the set"}
HASH, OTHER = "a" * 64, "b" * 64
ENTRY = {
    "file": "a/b.png",
    "sha256": HASH,
    "pixels_sha256": OTHER,
    "width": 30,
    "height": 20,
    "url": "https://file.example/b.png",
    "kind": "ai-generated",
    "caption": "what is seen",
    "prompt": "what was asked for",
    "text": "OPEN",
    "generator": "model of the picture",
    "model_version": "v2",
    "negative_prompt": "blur",
    "seed": 7,
    "guidance": 3.5,
    "steps": 28,
    "workflow": "{}",
    "licence": "MIT",
    "source": "a friend",
}


def local(entry: dict[str, Any], **of_set: Any) -> LocalPicture:
    manifest = Manifest.model_validate({**SET, **of_set, "pictures": [entry]})
    return manifest.local(manifest.pictures[0], Path("here.png"))


def test_every_key_of_a_picture_arrives_and_wins_over_the_sets() -> None:
    assert local(ENTRY) == LocalPicture(
        name="a/b.png",
        path=Path("here.png"),
        kind="ai-generated",
        caption="what is seen",
        text="OPEN",
        generator="model of the picture",
        licence="MIT",
        source="a friend",
        sha256=HASH,
        pixels=PixelsIdentity(OTHER, height=20, width=30),
        provenance=Provenance(
            model_version="v2",
            prompt="what was asked for",
            negative_prompt="blur",
            seed=7,
            guidance=3.5,
            steps=28,
            workflow="{}",
            url="https://file.example/b.png",
        ),
    )


def test_a_picture_that_says_nothing_takes_what_the_set_says() -> None:
    picture = local({"file": "a.png"})
    assert (picture.kind, picture.generator, picture.licence) == ("natural", "model of the set", "CC0")
    assert (picture.source, picture.sha256, picture.pixels) == ("https://set.example/", None, None)
    assert (picture.caption, picture.text, picture.provenance) == (None, None, Provenance())
    assert local({"file": "a.png"}, site=None).source == "unknown"
    assert local({"file": "a.png"}, generator=None).generator is None


def test_a_prompt_is_the_caption_where_there_is_no_other() -> None:
    picture = local({"file": "a.png", "prompt": "a cat"})
    assert (picture.caption, picture.provenance.prompt) == ("a cat", "a cat")
    assert local({"file": "a.png", "caption": "a dog"}).provenance.prompt is None


def test_the_seed_of_a_sampled_picture_is_the_one_it_is_sampled_with() -> None:
    assert local({"file": "a.png", "seed": 3, "sample": {"seed": 5}}).provenance.seed == 5


RENDER = {"font": "Sans.ttf", "size_pixels": 20}


@pytest.mark.parametrize(
    ("keys", "made_here"),
    [
        ({}, False),
        ({"text": "A", "render": RENDER}, True),
        ({"sample": {"seed": 1}}, True),
        ({"text": "A", "sample": {"seed": 1}}, True),
    ],
)
def test_a_picture_that_is_drawn_or_sampled_is_made_here(keys: dict[str, Any], made_here: bool) -> None:
    assert PictureEntry(file="a.png", **keys).made_here is made_here


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"render": RENDER}, "render goes with text"),
        ({"render": RENDER, "text": "A", "sha256": HASH}, "render goes with text"),
        ({"render": RENDER, "text": "A", "url": "https://a.example/a"}, "render goes with text"),
        ({"render": RENDER, "text": "A", "package": "skimage/data"}, "render goes with text"),
        ({"sample": {"seed": 1}, "text": "A", "render": RENDER}, "sample does not go with"),
        ({"sample": {"seed": 1}, "sha256": HASH}, "sample does not go with"),
        ({"sample": {"seed": 1}, "url": "https://a.example/a"}, "sample does not go with"),
        ({"sample": {"seed": 1}, "package": "skimage/data"}, "sample does not go with"),
        ({"sha256": HASH, "width": 1, "height": 1}, "go together"),
        ({"sha256": HASH, "pixels_sha256": HASH, "height": 1}, "go together"),
        ({"sha256": HASH, "pixels_sha256": HASH, "width": 1}, "go together"),
        ({"pixels_sha256": HASH, "width": 1, "height": 1}, "go together"),
        ({"sha256": HASH, "pixels_sha256": HASH, "width": 0, "height": 1}, "greater than 0"),
        ({"sha256": HASH, "pixels_sha256": HASH, "width": 1, "height": 0}, "greater than 0"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"seed": 2**64}, "less than 18446744073709551616"),
        ({"steps": -1}, "greater than or equal to 0"),
        ({"guidance": float("nan")}, "finite"),
        ({"perceptual": "0" * 15}, "match pattern"),
    ],
)
def test_keys_of_a_picture_that_do_not_go_together_are_refused(keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PictureEntry(file="a.png", **keys)


def test_the_largest_and_smallest_values_are_taken() -> None:
    PictureEntry(file="a.png", seed=2**64 - 1, steps=0, sha256=HASH, pixels_sha256=HASH, width=1, height=1)
    PictureEntry(file="a.png", seed=0)


@pytest.mark.parametrize(
    ("model", "key", "taken", "refused"),
    [
        (Rendering, "size_pixels", (6, 400), (5, 401)),
        (Rendering, "width", (1, 8192), (0, 8193)),
        (Rendering, "height", (1, 8192), (0, 8193)),
        (Sampling, "seed", (0, 2**63 - 1), (-1, 2**63)),
        (Sampling, "width", (32, 2048), (0, 33, 2080)),
        (Sampling, "height", (32, 2048), (0, 48, 2080)),
    ],
)
def test_numbers_end_where_the_documentation_says(
    model: type[Rendering | Sampling], key: str, taken: tuple[int, ...], refused: tuple[int, ...]
) -> None:
    least = RENDER if model is Rendering else {"seed": 1}
    for value in taken:
        assert getattr(model.model_validate(least | {key: value}), key) == value
    for value in refused:
        with pytest.raises(ValidationError):
            model.model_validate(least | {key: value})


def test_what_is_drawn_or_sampled_has_a_size_without_being_asked() -> None:
    drawn, sampled = Rendering.model_validate(RENDER), Sampling(seed=1)
    assert (drawn.width, drawn.height, drawn.ink, drawn.paper) == (512, 256, "#000000", "#ffffff")
    assert (sampled.width, sampled.height) == (512, 512)


ARCHIVE = {"url": "https://a.example/a.zip"}


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"of": "kodak"}, "of and only go together"),
        ({"only": ["a.png"], "count": 1}, "of and only go together"),
        ({"of": "kodak", "only": ["a.png"], "pictures": [{"file": "a.png"}]}, "expected one of"),
        ({"archives": [ARCHIVE], "pictures": [{"file": "a.png"}]}, "expected one of"),
        ({"of": "kodak", "only": ["a.png"], "archives": [ARCHIVE]}, "expected one of"),
        ({}, "at least one"),
        ({"count": 0}, "greater than 0"),
        ({"count": 1, "site": "https://a@b.example/"}, "without a user"),
        ({"count": 1, "site": "https://"}, "names a host"),
        ({"count": 1, "site": "https://[/"}, "names a host"),
        ({"count": 1, "name": ".hidden"}, "match pattern"),
        ({"count": 1, "listing": "../x.csv"}, "match pattern"),
    ],
)
def test_a_set_is_described_in_one_way(keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Manifest.model_validate(HEAD | keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"count": 1},
        {"archives": [ARCHIVE]},
        {"of": "kodak", "only": ["a.png"]},
        {"pictures": [{"file": "a"}]},
    ],
)
def test_each_of_the_ways_is_enough(keys: dict[str, Any]) -> None:
    assert Manifest.model_validate(HEAD | keys).role == "evaluation"


@pytest.mark.parametrize(
    ("name", "controls"),
    [("plain name ü", False), ("tab\t", True), ("line\u2028", True), ("part\u2029", True), ("\ud800", True)],
)
def test_a_name_with_control_characters_is_told(name: str, controls: bool) -> None:
    assert has_controls(name) is controls


@pytest.mark.parametrize("file", ["a/b.png", "a b.png", "ä.png", ".hidden", "a..b.png"])
def test_paths_inside_of_the_folder_are_taken(file: str) -> None:
    assert PictureEntry(file=file).file == file


@pytest.mark.parametrize("file", [" a", "a ", "a\nb", "a/", "./a", "a*", "a|b", 'a"b', "a?b"])
def test_paths_that_some_system_reads_otherwise_are_refused(file: str) -> None:
    with pytest.raises(ValidationError, match=r"expected a (relative )?path"):
        PictureEntry(file=file)


LISTED = 'name = "s"\ntitle = "t"\nkind = "natural"\nlicence = "?"\ncitation = "?"\nlisting = "s.csv"\n'


def test_a_listing_beside_the_manifest_gives_its_pictures_and_empty_cells_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(LISTED)
    (tmp_path / "s.csv").write_text("file,width,prompt,seed\na.png,,a cat,5\nb.png,,,\n")
    first, second = load_manifest(tmp_path / "s.toml").pictures
    assert (first.file, first.prompt, first.seed, first.width) == ("a.png", "a cat", 5, None)
    assert (second.file, second.prompt, second.seed) == ("b.png", None, None)


def test_a_listing_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(LISTED)
    with pytest.raises(DatasetError, match=r"its listing .*s\.csv: cannot be read"):
        load_manifest(tmp_path / "s.toml")


def test_pictures_that_the_manifest_lists_itself_need_no_listing(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(LISTED + '[[pictures]]\nfile = "a.png"\n')
    assert [picture.file for picture in load_manifest(tmp_path / "s.toml").pictures] == ["a.png"]
