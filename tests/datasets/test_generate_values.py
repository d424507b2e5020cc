"""What a set is generated from, and by which names, hashes and words it is known."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from codecarena.datasets.generated import generate
from codecarena.datasets.generated.generate import Order, make_set, model_version, read_prompts
from codecarena.datasets.manifest import DatasetError, PictureEntry, load_manifest
from codecarena.datasets.perceptual import perceptual_hash
from codecarena.datasets.pixels import pixels_sha256, read_pixels


def test_an_order_leaves_the_settings_to_the_model() -> None:
    order = Order("m", ("a",), (1,))
    assert (order.steps, order.guidance, order.width, order.height, order.revision) == (None,) * 5
    assert (order.batch, order.device, order.dtype, order.licence) == (1, "cpu", "float32", "unknown")


def test_each_prompt_is_painted_from_each_seed() -> None:
    jobs = list(generate._jobs(Order("m", ("a fox", "a jar"), (7, 12))))
    assert [(job.file, job.prompt, job.seed) for job in jobs] == [
        ("00001-7.png", "a fox", 7),
        ("00001-12.png", "a fox", 12),
        ("00002-7.png", "a jar", 7),
        ("00002-12.png", "a jar", 12),
    ]


def test_prompts_are_the_lines_that_are_not_empty_and_no_remarks(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("# two\n\n  a fox \n\t\n#\na jar # not a remark\n")
    assert read_prompts(path) == ("a fox", "a jar # not a remark")


@pytest.mark.parametrize(("count", "taken"), [(0, False), (1, True), (3, True), (4, False)])
def test_there_may_be_so_many_prompts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, taken: bool
) -> None:
    monkeypatch.setattr(generate, "MAX_PROMPTS", 3)
    path = tmp_path / "prompts.txt"
    path.write_text("a fox\n" * count)
    if taken:
        assert len(read_prompts(path)) == count
        return
    with pytest.raises(DatasetError, match=f"expected 1 to 3 prompts, one a line, got {count}"):
        read_prompts(path)


def test_a_model_in_a_folder_is_known_by_the_names_and_bytes_of_its_files(tmp_path: Path) -> None:
    files = {"model_index.json": b"{}", "unet/a.safetensors": b"weights", "vae/b.bin": b"more"}
    files |= {"tokenizer/merges.txt": b"a b", "tokenizer/c.model": b"words"}
    others = {"README.md": b"read me", ".gitattributes": b"", "sample.png": b"picture"}
    for name, content in (files | others).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "scheduler.json").mkdir()
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(name.encode() + hashlib.sha256(files[name]).digest())
    order = Order(str(tmp_path), ("a",), (1,))
    assert model_version(order) == f"sha256 of files {digest.hexdigest()}"


@pytest.mark.parametrize(
    ("folder", "name"), [("My Set", "my-set"), ("a_b.c-1", "a_b.c-1"), ("_x_", "x"), ("--", "generated")]
)
def test_a_set_is_named_like_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    order = Order("owner/model", ("a",), (1,), licence="CC0")
    entries = [PictureEntry(file="a.png")]
    manifest = generate._manifest(order, tmp_path / folder, entries)
    assert (manifest.name, manifest.kind, manifest.licence) == (name, "ai-generated", "CC0")
    assert (manifest.generator, manifest.citation) == ("owner/model", "owner/model")
    assert manifest.title == "Pictures of owner/model, made on this machine"
    assert manifest.pictures == tuple(entries)


@pytest.mark.parametrize("use", [model_version, generate._Pipeline])
def test_without_diffusers_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, use: Any
) -> None:
    for module in ("diffusers.pipelines.pipeline_utils", "diffusers.pipelines.auto_pipeline"):
        monkeypatch.setitem(sys.modules, module, None)  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match=r"generating needs diffusers: install codecarena\[generative\]"):
        use(Order("owner/model", ("a",), (1,)))


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return the files of each batch that a made-up pipeline was asked for; a seed is a level of red."""
    batches: list[list[str]] = []

    class Pipeline:
        def __init__(self, order: Order) -> None:
            self.order = order

        def paint(self, jobs: Sequence[Any]) -> list[Image.Image]:
            batches.append([job.file for job in jobs])
            return [Image.new("RGB", (24, 16), (job.seed, len(job.prompt), 0)) for job in jobs]

    def workflow(order: Order) -> str:
        return json.dumps({"width": order.width, "height": order.height, "dtype": order.dtype})

    monkeypatch.setattr(generate, "_Pipeline", Pipeline)
    monkeypatch.setattr(generate, "_workflow", workflow)
    monkeypatch.setattr(generate, "model_version", lambda order: f"version of {order.model}")
    return batches


FIVE = Order("m", ("a fox", "a jar", "x", "y", "z"), (7,), 9, 2.5, 24, 16, batch=2)


def test_pictures_are_painted_batch_by_batch_and_those_that_are_here_are_kept(
    painted: list[list[str]], tmp_path: Path
) -> None:
    steps: list[tuple[int, int]] = []
    assert make_set(FIVE, tmp_path, lambda *step: steps.append(step)) == (5, tmp_path / "manifest.toml")
    files = [f"{place:05d}-7.png" for place in range(1, 6)]
    assert painted == [files[:2], files[2:4], files[4:]]
    assert steps == [(2, 5), (4, 5), (5, 5)]
    entries = load_manifest(tmp_path / "manifest.toml").pictures
    assert [entry.file for entry in entries] == files
    pixels = read_pixels(tmp_path / files[1])
    assert entries[1] == PictureEntry(
        file=files[1],
        sha256=hashlib.sha256((tmp_path / files[1]).read_bytes()).hexdigest(),
        pixels_sha256=pixels_sha256(pixels),
        width=24,
        height=16,
        perceptual=perceptual_hash(pixels),
        prompt="a jar",
        seed=7,
        generator="m",
        model_version="version of m",
        guidance=2.5,
        steps=9,
        workflow='{"width": 24, "height": 16, "dtype": "float32"}',
    )
    assert make_set(FIVE, tmp_path)[0] == 0
    (tmp_path / files[3]).unlink()
    (tmp_path / f"{files[3]}.x.part").touch()
    painted.clear()
    assert make_set(FIVE, tmp_path)[0] == 1
    assert painted == [[files[3]]]
    assert load_manifest(tmp_path / "manifest.toml").pictures == entries
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "n"},
        {"steps": 8},
        {"guidance": 2.0},
        {"width": 32},
        {"height": 32},
        {"dtype": "float16"},
        {"prompts": ("another", *FIVE.prompts[1:])},
    ],
)
def test_a_set_of_other_settings_is_not_gone_on_with(
    painted: list[list[str]], tmp_path: Path, changed: dict[str, Any]
) -> None:
    make_set(replace(FIVE, prompts=FIVE.prompts[:1]), tmp_path)
    with pytest.raises(DatasetError, match=r"00001-7\.png was made in another way \(another prompt"):
        make_set(replace(FIVE, **changed), tmp_path)
    # More prompts or seeds, another batch or licence are no other way.
    assert make_set(replace(FIVE, seeds=(7, 8), batch=9, licence="MIT"), tmp_path)[0] == 9
    assert painted[-1][0] == "00001-8.png"
