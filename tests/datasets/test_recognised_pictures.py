"""Which pictures of two sets are told to be the same, exactly or nearly, by hashes written out by hand."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from codecarena.datasets import perceptual
from codecarena.datasets.description.overlap import (
    Print,
    Shared,
    listed_prints,
    print_of,
    prints,
    shared,
    training_prints,
)
from codecarena.datasets.manifest import DatasetError, LocalPicture, Manifest
from codecarena.datasets.perceptual import near_pairs, perceptual_hash
from codecarena.datasets.pixels import pixels_sha256

ZEROS, ONES, HALF = "0" * 16, "f" * 16, "0f" * 8


def differing(base: str, bits: int) -> str:
    """Return a hash that differs from another in so many bits, from the last one on."""
    return f"{int(base, 16) ^ (1 << bits) - 1:016x}"


@pytest.mark.parametrize("chunk", [1, 2, 3, 256])
def test_near_duplicates_are_named_in_whichever_chunk_of_rows_they_stand(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(perceptual, "_CHUNK", chunk)
    hashes = {"a": ZEROS, "b": ONES, "c": HALF, "d": differing(ONES, 3), "e": HALF}
    assert near_pairs(hashes) == [("b", "d", 3), ("c", "e", 0)]
    others = {"x": differing(HALF, 5), "y": ZEROS}
    assert near_pairs(hashes, others) == [("a", "y", 0), ("c", "x", 5), ("e", "x", 5)]
    assert near_pairs(others, hashes) == [("x", "c", 5), ("x", "e", 5), ("y", "a", 0)]
    assert near_pairs({}, others) == []


def test_two_hashes_may_differ_in_eight_bits_of_64_and_not_in_nine() -> None:
    assert near_pairs({"a": HALF}, {"b": differing(HALF, 8)}) == [("a", "b", 8)]
    assert near_pairs({"a": HALF}, {"b": differing(HALF, 9)}) == []
    assert near_pairs({"a": HALF}, {"b": differing(HALF, 9)}, bits=9) == [("a", "b", 9)]
    assert near_pairs({"a": ZEROS}, {"b": ONES}, bits=64) == [("a", "b", 64)]


def test_the_perceptual_hash_tells_a_mirrored_picture_and_not_an_enlarged_or_brighter_one() -> None:
    rows, columns = np.mgrid[:64, :96]
    waves = 100 + 40 * np.sin(columns / 9) + 30 * np.cos(rows / 7 + columns / 20)
    pixels = np.repeat(waves.astype(np.uint8)[..., None], 3, axis=2)
    same = [pixels.repeat(2, axis=0).repeat(2, axis=1), pixels + 30]
    assert [near_pairs({"a": perceptual_hash(pixels)}, {"b": perceptual_hash(entry)}) for entry in same] == [
        [("a", "b", 0)]
    ] * 2
    assert near_pairs({"a": perceptual_hash(pixels)}, {"b": perceptual_hash(pixels[:, ::-1].copy())}) == []


PICTURE = Print("f1", "p1", ZEROS)


@pytest.mark.parametrize(
    ("other", "how"),
    [
        (Print("f1", "p1", ZEROS), "same file"),
        (Print("f2", "p1", ZEROS), "same pixels"),
        (Print(None, "p1", ZEROS), "same pixels"),
        (Print("f2", "p2", ZEROS), "looks the same"),
        (Print(None, None, ZEROS), "looks the same"),
    ],
)
def test_a_shared_picture_is_told_by_the_closest_likeness(other: Print, how: str) -> None:
    assert shared({"mine": PICTURE}, {"theirs": other}) == [Shared("mine", "theirs", how, 0)]


def test_what_is_unknown_of_both_is_no_likeness() -> None:
    unknown = Print(None, None, ZEROS)
    assert shared({"a": unknown}, {"b": unknown}) == [Shared("a", "b", "looks the same", 0)]
    assert shared({"a": unknown}, {"b": Print(None, None, ONES)}) == []


def test_a_picture_is_shared_once_for_each_picture_of_the_other_set_that_looks_like_it() -> None:
    there = {
        "copy": Print("f1", "p1", ZEROS),
        "far": Print("f3", "p3", HALF),
        "near": Print("f2", "p2", differing(ZEROS, 1)),
    }
    assert shared({"far": Print("f9", "p9", ONES), "mine": PICTURE}, there) == [
        Shared("mine", "copy", "same file", 0),
        Shared("mine", "near", "looks the same", 1),
    ]


def local(path: Path, sha256: str | None = None) -> LocalPicture:
    return LocalPicture(f"set/{path.name}", path, "natural", None, None, None, "CC0", "here", sha256)


def test_the_print_of_a_file_has_its_bytes_and_its_pixels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    file_sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    expected = Print(file_sha256, pixels_sha256(pixels), perceptual_hash(pixels))
    assert print_of(path) == expected
    assert prints([local(path, file_sha256)]) == {"set/a.png": expected}
    with pytest.raises(DatasetError, match="expected sha256 0000"):
        prints([local(path, "0" * 64)])


def test_a_manifest_lists_prints_of_the_pictures_whose_perceptual_hash_it_knows() -> None:
    head = {"name": "s", "title": "s", "kind": "natural", "licence": "?", "citation": "?"}
    known = {"sha256": "1" * 64, "pixels_sha256": "2" * 64, "width": 3, "height": 4, "perceptual": HALF}
    manifest = Manifest.model_validate({**head, "pictures": [{"file": "a.png", **known}, {"file": "b.png"}]})
    assert listed_prints(manifest) == {"a.png": Print("1" * 64, "2" * 64, HALF)}


def test_the_training_pictures_may_be_those_of_a_few_folders() -> None:
    everything, few = training_prints(), training_prints(["bsds500"])
    assert {name for name in everything if name.startswith("bsds500/")} == set(few)
    assert 0 < len(few) < len(everything)
    assert training_prints([]) == {}
