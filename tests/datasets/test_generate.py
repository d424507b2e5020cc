"""Sets out of diffusers pipelines, built from configurations with random weights."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arena import call, command
from codecarena.codecs.quiet import quiet
from codecarena.datasets.generated.generate import Order, make_set, read_prompts
from codecarena.datasets.manifest import DatasetError, load_manifest
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import open_set

pytestmark = [
    # Not importorskip: diffusers takes seconds to load, and every worker collects this file.
    pytest.mark.skipif(find_spec("diffusers") is None, reason="missing: install codecarena[learned]"),
    pytest.mark.xdist_group("diffusers"),
]

PROMPTS = ("a red barn", "the open sea")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny Stable Diffusion in diffusers' layout."""
    from tiny_diffusion import save_models

    folder = save_models(tmp_path_factory.mktemp("models")) / "base"
    index = {
        "_class_name": "StableDiffusionPipeline",
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "scheduler": ["diffusers", "PNDMScheduler"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "requires_safety_checker": False,
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet():
        yield


def order(model: Path, **changed: object) -> Order:
    plain = Order(str(model), PROMPTS, (3, 4), steps=2, guidance=5.0, width=64, height=64, batch=2)
    return replace(plain, **changed)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def two(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a set of both prompts painted from seed 3; a test that adds to it takes a copy."""
    folder = tmp_path_factory.mktemp("two") / "set"
    with quiet():
        assert make_set(order(model, seeds=(3,)), folder)[0] == 2
    return folder


def test_each_prompt_is_painted_from_each_seed(model: Path, tmp_path: Path) -> None:
    made, path = make_set(order(model), tmp_path / "set")
    assert (made, path) == (4, tmp_path / "set" / "manifest.toml")
    opened = open_set(str(tmp_path / "set"))
    assert (opened.name, opened.kind) == ("set", "ai-generated")
    assert [(picture.caption, picture.provenance.seed) for picture in opened.pictures] == [
        (prompt, seed) for prompt in PROMPTS for seed in (3, 4)
    ]
    for picture in opened.pictures:
        assert read_pixels(picture.path, picture.sha256).shape == (64, 64, 3)
        assert picture.generator == str(model)
        assert (picture.provenance.model_version or "").startswith("sha256 of files ")
        assert (picture.provenance.steps, picture.provenance.guidance) == (2, 5.0)
    assert len({picture.sha256 for picture in opened.pictures}) == 4


def test_what_is_there_is_kept_and_what_is_lost_is_made_again_the_same(
    model: Path, two: Path, tmp_path: Path
) -> None:
    shutil.copytree(two, tmp_path / "set")
    first = {path.name: path.read_bytes() for path in (tmp_path / "set").glob("*.png")}
    assert len(first) == 2
    assert make_set(order(model), tmp_path / "set")[0] == 2
    assert make_set(order(model), tmp_path / "set")[0] == 0
    lost = tmp_path / "set" / sorted(first)[0]
    lost.unlink()
    assert make_set(order(model, batch=1), tmp_path / "set")[0] == 1
    manifest = load_manifest(tmp_path / "set" / "manifest.toml")
    assert len(manifest.pictures) == 4
    # Another batch may round otherwise: a level here and there.
    before = np.asarray(Image.open(io.BytesIO(first[lost.name])), dtype=np.int16)
    assert np.abs(read_pixels(lost).astype(np.int16) - before).max() <= 2


def test_an_interruption_loses_no_finished_batch(model: Path, tmp_path: Path) -> None:
    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        make_set(order(model), tmp_path / "set", stop)
    assert len(load_manifest(tmp_path / "set" / "manifest.toml").pictures) == 2
    assert make_set(order(model), tmp_path / "set")[0] == 2


def test_a_killed_command_goes_on_where_it_was(model: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("a red barn\n")
    out = tmp_path / "set"
    sizes = ["--steps", "2", "--width", "64", "--height", "64", "--seeds", "12", "--batch", "1"]
    words = ["sets", "generate", "prompts.txt", "--model", str(model), *sizes, "--out", str(out)]
    process = subprocess.Popen(
        command(*words), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    manifest = out / "manifest.toml"
    while not manifest.exists() or manifest.read_text().count("[[pictures]]") < 2:
        assert process.poll() is None, "it ended before it was killed"
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = [picture.file for picture in load_manifest(manifest).pictures]
    assert 2 <= len(kept) < 12
    # As if the kill had come while a picture was written.
    (out / kept[0]).replace(out / f"{kept[0]}.begun.part")
    ended = call(*words, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert f"{13 - len(kept)} pictures made" in ended.stdout
    opened = open_set(str(out)).pictures
    assert sorted(entry.provenance.seed for entry in opened) == list(range(12))
    assert {path.name for path in out.iterdir()} == {path.path.name for path in opened} | {"manifest.toml"}
    for entry in opened:
        assert read_pixels(entry.path, entry.sha256).shape == (64, 64, 3)


@pytest.mark.parametrize(
    "changed", [{"steps": 3}, {"guidance": 1.0}, {"prompts": ("another",)}, {"width": 32}]
)
def test_what_was_made_in_another_way_is_not_mixed_in(
    model: Path, two: Path, changed: dict[str, object]
) -> None:
    held = {path.name: path.read_bytes() for path in two.iterdir()}
    with pytest.raises(DatasetError, match="made in another way"):
        make_set(order(model, **changed), two)
    assert {path.name: path.read_bytes() for path in two.iterdir()} == held


def test_the_command_makes_a_set(model: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("# two\na red barn\n\nthe open sea\n")
    words = ["--steps", "2", "--width", "64", "--height", "64", "--seeds", "1", "--out", tmp_path / "set"]
    ended = call(
        "sets", "generate", tmp_path / "prompts.txt", "--model", model, *map(str, words), folder=tmp_path
    )
    assert ended.returncode == 0, ended.stderr
    assert "2 pictures made" in ended.stdout
    assert len(open_set(str(tmp_path / "set")).pictures) == 2


def test_mistakes_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n")
    with pytest.raises(DatasetError, match="one a line, got 0"):
        read_prompts(tmp_path / "empty.txt")
    (tmp_path / "model").mkdir()
    with pytest.raises(DatasetError, match="cannot be loaded"):
        make_set(Order(str(tmp_path / "model"), PROMPTS, (0,)), tmp_path / "set")
    assert not (tmp_path / "set").exists()
