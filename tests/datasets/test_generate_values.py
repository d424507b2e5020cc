"""What a set is generated from, and by which names, hashes and words it is known."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from codecarena.datasets import generate
from codecarena.datasets.generate import Order, model_version, read_prompts
from codecarena.datasets.manifest import DatasetError, PictureEntry


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
