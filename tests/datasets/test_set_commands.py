"""What the commands about image sets hand on, print and end with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arena import call
from codecarena.datasets.description import describe, descriptors, overlap
from codecarena.datasets.description.describe import Description, Finding
from codecarena.datasets.description.overlap import Print
from codecarena.datasets.generated import generate
from codecarena.datasets.generated.generate import Order
from codecarena.datasets.manifest import Manifest, load_manifest
from codecarena.datasets.sets import subset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with five small pictures in ``mine``."""
    (tmp_path / "mine").mkdir()
    for level in range(5):
        Image.fromarray(np.full((8, 8, 3), 40 * level, np.uint8)).save(tmp_path / "mine" / f"{level}.png")
    return tmp_path


PLAIN = Order("m", ("a fox", "a jar"), (0,))


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ([], PLAIN),
        (
            "--seeds 3 --first-seed 7 --steps 9 --guidance 2.5 --width 64 --height 96 --batch 4 "
            "--revision v1 --device cuda --dtype bfloat16 --licence MIT",
            Order("m", PLAIN.prompts, (7, 8, 9), 9, 2.5, 64, 96, 4, "v1", "cuda", "bfloat16", "MIT"),
        ),
    ],
)
def test_generate_hands_on_every_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: Any, order: Order
) -> None:
    asked: list[Any] = []

    def make_set(*given: Any) -> tuple[int, Path]:
        asked.append(given[:2])
        return 6, Path("out/manifest.toml")

    monkeypatch.setattr(generate, "make_set", make_set)
    (tmp_path / "prompts.txt").write_text("a fox\na jar\n")
    more = words.split() if isinstance(words, str) else words
    ended = call("sets", "generate", "prompts.txt", "--model", "m", "--out", "out", *more, folder=tmp_path)
    assert (ended.returncode, asked) == (0, [(order, Path("out"))]), ended.stderr
    assert ended.stdout.strip() == "6 pictures made; the set is out/manifest.toml"


REFUSED = (
    "--seeds 0",
    "--first-seed -1",
    "--steps 0",
    "--guidance -1",
    "--width 7",
    "--height 7",
    "--batch 0",
)


@pytest.mark.parametrize("option", REFUSED)
def test_generate_refuses_numbers_that_mean_nothing(tmp_path: Path, option: str) -> None:
    (tmp_path / "prompts.txt").write_text("a fox\n")
    words = ["prompts.txt", "--model", "m", "--out", "out", *option.split()]
    ended = call("sets", "generate", *words, folder=tmp_path)
    assert ended.returncode == 2
    assert f"'{option.split()[0]}'" in ended.stderr


@pytest.mark.parametrize(
    ("words", "count", "seed"),
    [([], 8, 1), (["-k", "2"], 2, 1), (["--count", "1", "--seed", "0"], 1, 0), (["--seed", "5"], 8, 5)],
)
def test_pick_prints_the_picked_pictures_in_order(
    folder: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], count: int, seed: int
) -> None:
    asked: list[Any] = []

    def pick(described: list[dict[str, float]], *given: int) -> tuple[int, ...]:
        asked.append((len(described), *given))
        return 3, 0

    monkeypatch.setattr(subset, "pick", pick)
    monkeypatch.setattr(descriptors, "describe_pixels", lambda pixels: {"level": float(pixels[0, 0, 0]) / 7})
    ended = call("sets", "pick", "mine", "--json", *words, folder=folder)
    assert asked == [(5, count, seed)]
    assert json.loads(ended.stdout) == [
        {"picture": "3.png", "level": 120 / 7},
        {"picture": "0.png", "level": 0.0},
    ]
    shown = call("sets", "pick", "mine", "--out", "few.toml", *words, folder=folder).stdout
    assert f"{count} of 5 pictures of mine" in " ".join(shown.split())
    assert [line.split() for line in shown.splitlines() if ".png" in line] == [
        ["3.png", "17.1"],
        ["0.png", "0"],
    ]
    assert 'written to few.toml; in a suite: sets = "few.toml"' in shown
    assert load_manifest(folder / "few.toml").only == ("3.png", "0.png")


def test_check_counts_pictures_once_however_many_they_look_like(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = {
        "mine": {"a": Print("1", "1", "0" * 16), "b": Print("2", "2", "f" * 16)},
        "other": {
            "c": Print("1", "1", "0" * 16),
            "d": Print("3", "3", "0" * 15 + "1"),
            "e": Print("4", "4", "0f" * 8),
        },
    }
    training = {name: Print("5", "5", "3" * 16) for name in "tu"}
    monkeypatch.setattr(overlap, "prints", lambda pictures: prints[pictures[0].path.parent.name])
    monkeypatch.setattr(overlap, "training_prints", lambda: training)
    (folder / "other").mkdir()
    Image.new("RGB", (8, 8)).save(folder / "other" / "c.png")
    ended = call("sets", "check", "mine", "other", folder=folder)
    assert ended.returncode == 1
    assert ended.stdout.splitlines() == [
        "a and c: same file, 0 of 64 bits differ",
        "a and d: looks the same, 1 of 64 bits differ",
        "1 of 2 pictures of mine are in other (3 pictures)",
    ]
    record = json.loads(call("sets", "check", "mine", "other", "--json", folder=folder).stdout)
    assert record[1] == {"picture": "a", "other": "d", "how": "looks the same", "bits": 1}
    alone = call("sets", "check", "mine", folder=folder)
    assert alone.returncode == 0
    assert alone.stdout == (
        "0 of 2 pictures of mine are in the training data of the shipped weights (2 pictures)\n"
    )


def manifest() -> Manifest:
    pictures = [{"file": "0.png", "prompt": "a fox"}, {"file": "1.png"}, {"file": "2.png", "prompt": ""}]
    head = {"name": "mine", "title": "t", "kind": "natural", "licence": "?", "citation": "?"}
    return Manifest.model_validate(head | {"pictures": pictures})


def test_describe_tells_findings_and_counts_what_says_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    findings = (
        Finding("0.png", "small", "8x8"),
        Finding("1.png", "unknown origin", "says nothing"),
        Finding("2.png", "unknown origin", "says nothing"),
    )
    asked: list[dict[str, Any]] = []

    def look(_: Path, *, progress: object, **given: Any) -> Description:
        asked.append(given)
        return Description(manifest(), findings, "2 AI-generated (ComfyUI 2)")

    monkeypatch.setattr(describe, "describe", look)
    ended = call("sets", "describe", "mine", folder=folder)
    assert ended.stdout.splitlines() == [
        "small: 0.png 8x8",
        "marked in the files: 2 AI-generated (ComfyUI 2)",
        "2 pictures without a word of a generator, taken as natural; --kind says more",
        "3 pictures, 2 with a prompt, described in mine/manifest.toml",
    ]
    assert load_manifest(folder / "mine" / "manifest.toml").folder is None
    words = [
        "--name",
        "n",
        "--kind",
        "natural",
        "--licence",
        "l",
        "--citation",
        "c",
        "--site",
        "https://a.example",
    ]
    ended = call("sets", "describe", "mine", *words, "--out", "set.toml", "--json", folder=folder)
    assert json.loads(ended.stdout)["findings"][0] == {
        "picture": "0.png",
        "concern": "small",
        "detail": "8x8",
    }
    assert load_manifest(folder / "set.toml").folder == str(folder / "mine")
    assert asked == [
        {"name": None, "kind": None, "licence": "unknown", "citation": "unknown", "site": None},
        {"name": "n", "kind": "natural", "licence": "l", "citation": "c", "site": "https://a.example"},
    ]
    again = call("sets", "describe", "mine", folder=folder)
    assert (again.returncode, len(asked)) == (2, 2)
    assert "mine/manifest.toml is there already; --force replaces it, --out names another" in again.stderr
    assert call("sets", "describe", "mine", "--force", folder=folder).returncode == 0
