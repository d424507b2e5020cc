"""A folder described: what is taken over, what is found, and that the manifest reads back."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from arena import call
from codecarena.datasets.description.describe import describe
from codecarena.datasets.description.history import jpeg_trace, upscaling
from codecarena.datasets.manifest import DatasetError, Manifest, PictureEntry, load_manifest
from codecarena.datasets.manifest_toml import manifest_text, write_manifest
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import open_set


def jpeg_of(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    whole = io.BytesIO()
    Image.fromarray(pixels).save(whole, "JPEG", quality=quality)
    return np.asarray(Image.open(whole))


def concerns(folder: Path, **options: object) -> dict[str, set[str]]:
    outcome: dict[str, set[str]] = {}
    for finding in describe(folder, **options).findings:  # type: ignore[arg-type]
        outcome.setdefault(finding.picture, set()).add(finding.concern)
    return outcome


A_FEW = ("kolors_corgi.png", "sd1_robot_bar.png", "avt_sd_p22.png")


@pytest.mark.parametrize(
    "count", [3, pytest.param(27, marks=pytest.mark.long)], ids=["a few", "every one of them"]
)
def test_generated_pictures_are_described_by_one_command(test_data: Path, tmp_path: Path, count: int) -> None:
    with (test_data / "aigc" / "index.csv").open(newline="") as lines:
        index = csv.DictReader(lines)
        rows = [row for row in index if count == 27 or row["file"] in A_FEW]
    folder = tmp_path / "aigc"
    folder.mkdir()
    with (folder / "index.csv").open("w", newline="") as written:
        table = csv.DictWriter(written, index.fieldnames or ())
        table.writeheader()
        table.writerows(rows)
    for row in rows:
        shutil.copy(test_data / "aigc" / row["file"], folder)
    out = tmp_path / "aigc.toml"
    ended = call("sets", "describe", folder, "--out", out, "--json", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    prompts = {3: 2, 27: 20}[count]
    described = {"manifest": str(out), "pictures": count, "prompts": prompts, "marks": "", "findings": []}
    assert json.loads(ended.stdout) == described
    opened = open_set(str(out))
    assert (opened.name, opened.kind, len(opened.pictures)) == ("aigc", "ai-generated", count)
    assert {picture.kind for picture in opened.pictures} == {"ai-generated"}
    assert (
        next(picture for picture in opened.pictures if picture.name.startswith("kolors")).generator
        == "Kolors (DreamBooth)"
    )
    manifest = load_manifest(out)
    write_manifest(manifest, out)
    assert load_manifest(out) == manifest
    again = call("sets", "describe", folder, "--out", out, folder=tmp_path)
    assert (again.returncode, "--force replaces it" in again.stderr) == (2, True)


def test_strange_text_survives_in_a_manifest(tmp_path: Path) -> None:
    strange = 'quote " back \\ line\nfeed tab\t bell \x07 delete \x7f fox 🦊 彩虹 end'
    entry = PictureEntry(file="a.png", prompt=strange, seed=2**64 - 1, guidance=1e-7)
    fields = {"name": "s", "title": strange, "kind": "natural", "licence": "?", "citation": "?"}
    manifest = Manifest.model_validate({**fields, "pictures": [entry], "redirects": ["a.example"]})
    path = tmp_path / "s.toml"
    path.write_text(manifest_text(manifest), encoding="utf-8")
    assert load_manifest(path) == manifest


def test_what_spoils_a_comparison_is_found(kodak: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "My Pictures"
    folder.mkdir()
    pixels = read_pixels(kodak[4])
    shutil.copy(kodak[4], folder / "a.png")
    Image.fromarray(pixels).save(folder / "b-copy.png", compress_level=1)
    Image.fromarray(pixels).resize((600, 400)).save(folder / "c-smaller.png")
    Image.fromarray(jpeg_of(read_pixels(kodak[1]), 80)).save(folder / "d-was-jpeg.png")
    Image.fromarray(read_pixels(kodak[2])).save(folder / "e.jpg", quality=90)
    large = Image.fromarray(read_pixels(kodak[6])[:256, :384]).resize((768, 512), Image.Resampling.BICUBIC)
    large.save(folder / "f-enlarged.png")
    Image.fromarray(read_pixels(kodak[8])[:200, :300]).save(folder / "g-small.png")
    (folder / "h-broken.png").write_bytes(b"no picture")
    warnings_given = concerns(folder, kind="natural")
    assert warnings_given == {
        "b-copy.png": {"duplicate"},
        "c-smaller.png": {"near-duplicate"},
        "d-was-jpeg.png": {"jpeg"},
        "e.jpg": {"jpeg"},
        "f-enlarged.png": {"upscaled"},
        "g-small.png": {"small"},
        "h-broken.png": {"unreadable"},
    }
    assert describe(folder).manifest.name == "my-pictures"


@pytest.mark.scaled
def test_kodak_was_never_jpeg_nor_enlarged(kodak: list[Path], tenth: Callable[[int], int]) -> None:
    for path in kodak[:: 10 // tenth(10)]:
        pixels = read_pixels(path)
        assert jpeg_trace(pixels) is None, path.name
        assert upscaling(pixels) is None, path.name


@pytest.mark.parametrize("quality", [30, 60, 85, 90])
def test_the_table_of_an_earlier_jpeg_is_told_even_after_a_crop(kodak: list[Path], quality: int) -> None:
    pixels = jpeg_of(read_pixels(kodak[12]), quality)
    trace = jpeg_trace(pixels)
    assert trace is not None
    assert trace.offset == (0, 0)
    assert abs((trace.quality or 0) - quality) <= 2
    cropped = jpeg_trace(pixels[3:, 6:])
    assert cropped is None or cropped.offset == (5, 2)
    assert cropped is not None or quality > 60  # in this picture's texture; plainer ones tell more


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_the_factor_of_an_enlargement_is_told(kodak: list[Path], factor: int) -> None:
    small = Image.fromarray(read_pixels(kodak[0])[:256, :256])
    large = small.resize((256 * factor, 256 * factor), Image.Resampling.LANCZOS)
    assert upscaling(np.asarray(large)) == factor


def test_a_table_beside_the_pictures_that_names_other_files_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (300, 300)).save(tmp_path / "a.png")
    (tmp_path / "index.csv").write_text(f"file,sha256,generator\na.png,{'0' * 64},model 1\n")
    with pytest.raises(DatasetError, match=r"a\.png: index\.csv says sha256 0000"):
        describe(tmp_path)


def test_a_folder_that_is_none_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        describe(tmp_path / "absent")
    with pytest.raises(DatasetError, match="no pictures in it"):
        describe(tmp_path)


def picture_of_a_graph(path: Path, **inputs: object) -> None:
    """Write a PNG with ComfyUI's record of one sampler in it."""
    graph = {
        "1": {"class_type": "CLIPTextEncode", "inputs": {"text": "half a letter: \ud800"}},
        "2": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], **inputs}},
    }
    message = PngInfo()
    message.add_itxt("prompt", json.dumps(graph))
    pixels = np.random.default_rng(1).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, pnginfo=message)


@pytest.mark.parametrize("inputs", [{"seed": 10**40}, {"seed": -1}, {"cfg": float("inf")}, {"steps": -5}])
def test_what_no_manifest_can_hold_is_left_out(tmp_path: Path, inputs: dict[str, object]) -> None:
    picture_of_a_graph(tmp_path / "a.png", **inputs)
    ended = call("sets", "describe", tmp_path, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    (opened,) = open_set(str(tmp_path)).pictures
    assert opened.provenance.prompt == "half a letter: ?"
    assert (opened.provenance.seed, opened.provenance.guidance, opened.provenance.steps) == (None, None, None)


def test_an_index_that_cannot_be_is_named_and_a_name_that_cannot_be_is_reported(tmp_path: Path) -> None:
    picture_of_a_graph(tmp_path / "a.png")
    picture_of_a_graph(tmp_path / "b:c.png")
    assert concerns(tmp_path)["b:c.png"] == {"unreadable"}
    (tmp_path / "index.csv").write_text("file,seed\na.png,soon\n")
    with pytest.raises(DatasetError, match=r"index\.csv: seed: .*got 'soon'"):
        describe(tmp_path)
