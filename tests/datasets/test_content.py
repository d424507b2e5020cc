"""Descriptors, the picker, and the search for pictures that two sets share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from arena import call
from codecarena.datasets.description import descriptors
from codecarena.datasets.description.overlap import print_of, prints, shared, training_prints
from codecarena.datasets.manifest import DatasetError, load_manifest
from codecarena.datasets.perceptual import near_pairs, perceptual_hash
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import open_set
from codecarena.datasets.sets.subset import pick

RNG = np.random.default_rng(3)


def plain(colour: tuple[int, int, int], side: int = 64) -> NDArray[np.uint8]:
    return np.full((side, side, 3), colour, np.uint8)


def test_a_plain_picture_has_nothing_on_it() -> None:
    outcome = descriptors.describe_pixels(plain((128, 128, 128)))
    assert set(outcome) == set(descriptors.DESCRIPTORS)
    assert not any(outcome.values())


def test_descriptors_of_pictures_whose_answer_is_known() -> None:
    halves = plain((0, 0, 0))
    halves[:, 32:] = 255
    assert descriptors.entropy(halves) == pytest.approx(1.0)
    # A vertical step of 255: Sobel gives 4 * 255 on two columns of the 62 inside.
    share = 2 / 62
    assert descriptors.spatial_information(halves) == pytest.approx(1020 * np.sqrt(share * (1 - share)))
    assert descriptors.edge_density(halves) == pytest.approx(1 / 64, abs=1 / 64)
    # One red picture: no spread, the means are 255 and 127.5.
    assert descriptors.colourfulness(plain((255, 0, 0))) == pytest.approx(0.3 * np.hypot(255, 127.5))
    noise = RNG.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    assert descriptors.entropy(noise) > 7
    assert descriptors.spatial_information(noise) > 100


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (7, 5)])
def test_the_smallest_pictures_have_descriptors(shape: tuple[int, int]) -> None:
    outcome = descriptors.describe_pixels(RNG.integers(0, 256, (*shape, 3), dtype=np.uint8))
    assert all(np.isfinite(value) for value in outcome.values())


@pytest.mark.scaled
def test_text_is_told_from_photographs(
    kodak: list[Path], tmp_path: Path, tenth: Callable[[int], int]
) -> None:
    """Of all pictures under `make long`, else of every third."""
    step = 1 if tenth(10) == 10 else 3
    try:
        drawn = open_set("text", tmp_path).pictures[::step]
    except DatasetError as error:
        pytest.skip(str(error))
    texts = [descriptors.text_share(read_pixels(path.path)) for path in drawn]
    photographs = [descriptors.text_share(read_pixels(path)) for path in kodak[::step]]
    assert len(texts) == len(photographs) == 24 // step
    assert min(texts) > 0.02
    assert sum(share > 0.02 for share in photographs) <= 1  # a wall of like windows


def test_faces_are_counted(kodak: list[Path]) -> None:
    assert descriptors.face_count(read_pixels(kodak[3])) == 1
    assert descriptors.face_count(read_pixels(kodak[0])) == 0


def test_the_perceptual_hash_is_what_it_says() -> None:
    pixels = np.repeat(RNG.integers(0, 256, (32, 32, 1), dtype=np.uint8), 3, axis=2)
    low = dctn(pixels[..., 0].astype(float), norm="ortho")[:8, :8]
    bits = (low > np.median(low.ravel()[1:])).ravel()
    bits[0] = False
    assert perceptual_hash(pixels) == np.packbits(bits).tobytes().hex()
    assert perceptual_hash(plain((7, 7, 7))) == "0" * 16


def test_near_pairs_are_all_that_differ_little() -> None:
    values = RNG.integers(0, 2**63, 600, dtype=np.int64)
    values[500:] = values[:100] ^ (1 << RNG.integers(0, 60, 100))
    hashes = {str(index): f"{value:016x}" for index, value in enumerate(values)}
    expected = [
        (str(a), str(b), bits)
        for a in range(600)
        for b in range(a + 1, 600)
        if (bits := int(values[a] ^ values[b]).bit_count()) <= 8
    ]
    assert near_pairs(hashes) == expected
    assert len(expected) >= 100


def test_scaled_and_coded_copies_are_found_and_others_are_not(kodak: list[Path], tmp_path: Path) -> None:
    copies = {}
    for index, path in enumerate(kodak[:8]):
        image = Image.fromarray(read_pixels(path))
        small = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
        small.save(tmp_path / f"{index}.jpg", quality=60)
        copies[path.name] = print_of(tmp_path / f"{index}.jpg")
    originals = prints(open_set(str(kodak[0].parent)).pictures)
    assert {(cell.picture, cell.other, cell.how) for cell in shared(originals, copies)} == {
        (name, name, "looks the same") for name in copies
    }
    assert {entry.how for entry in shared(originals, originals)} == {"same file"}
    assert len(shared(originals, originals)) == len(kodak)


def test_picks_cover_what_there_is_and_follow_the_seed() -> None:
    corners = [{"a": float(x), "b": float(y)} for x in (0, 9) for y in (0, 9)]
    crowd = [{"a": 4 + entry / 100, "b": 4 + entry / 90} for entry in range(40)]
    described = [*crowd, *corners]
    chosen = pick(described, 5, seed=1)
    assert len(set(chosen)) == 5
    assert set(range(40, 44)) <= set(chosen)
    assert pick(described, 5, seed=1) == chosen
    assert {pick(described, 1, seed=seed)[0] for seed in range(30)} > {chosen[0]}
    assert pick([{"a": 1.0}, {}, {"a": 1.0}], 3, seed=0)
    with pytest.raises(DatasetError, match="asked for 45 of 44"):
        pick(described, 45)


def test_a_picked_set_is_a_part_of_its_set(
    test_data: Path, kodak: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Which are picked is shown above; faces and lines of text take most of the time of describing.
    monkeypatch.setattr(descriptors, "describe_pixels", lambda pixels: {"mean": float(pixels.mean())})
    words = ["sets", "pick", "kodak", "--data", test_data, "-k", "3", "--seed", "2", "--out", "few.toml"]
    ended = call(*words, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    few = open_set(str(tmp_path / "few.toml"), test_data)
    assert few.name == "few"
    assert [picture.path for picture in few.pictures] == [
        kodak[0].parent / name for name in load_manifest(tmp_path / "few.toml").only
    ]
    part = (tmp_path / "few.toml").read_text().replace('"kodak"', f'"{tmp_path / "few.toml"}"')
    (tmp_path / "fewer.toml").write_text(part)
    with pytest.raises(DatasetError, match="itself only a part"):
        open_set(str(tmp_path / "fewer.toml"), test_data)


def test_the_training_pictures_are_recognised(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "train" / "bsds500" / "test_100007.jpg"
    Image.open(source).save(tmp_path / "mine.png")
    Image.new("RGB", (64, 64)).save(tmp_path / "plain.png")
    ended = call("sets", "check", ".", folder=tmp_path)
    assert ended.returncode == 1
    assert "mine.png and bsds500/test_100007.jpg: looks the same, 0 of 64 bits differ" in ended.stdout
    assert "1 of 2 pictures" in ended.stdout
    assert len(training_prints()) == 701
    assert len(training_prints(["cid22_training"])) == 201
