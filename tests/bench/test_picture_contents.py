"""What a run keeps of its pictures, results on some of them, and the warning about training pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from engines import split_by_kind
from PIL import Image

from arena import call, run_record
from codecarena.bench.analysis.kind_effect import TOY_SET
from codecarena.bench.run.toy_pictures import ToySampler, _conditions, layout
from codecarena.bench.store.pictures import descriptors, provenance
from codecarena.bench.store.store import Store
from codecarena.bench.worker import pool
from codecarena.datasets.manifest import Sampling
from codecarena.datasets.pixels import read_pixels
from codecarena.datasets.sets.catalogue import find_manifest, open_set

pytestmark = pytest.mark.xdist_group("picture contents")

SUITE = """
name = "trial"
sets = ["./mine", "toy-few"]
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = [20, 50, 80]
[[codecs]]
name = "webp"
qualities = [20, 50, 80]
"""
MANIFEST = """
name = "mine"
title = "Two"
kind = "natural"
licence = "CC0"
citation = "none"
[[pictures]]
file = "grey.png"
[[pictures]]
file = "vivid.png"
prompt = "a vivid picture"
seed = 18446744073709551615
guidance = 4.5
workflow = "{}"
"""


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store of two small pictures and the toy ones."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("arena")
    (folder / "mine").mkdir()
    rng = np.random.default_rng(1)
    grey = np.repeat(rng.integers(0, 256, (96, 96, 1), dtype=np.uint8), 3, axis=2)
    Image.fromarray(grey).save(folder / "mine" / "grey.png")
    vivid = rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)
    Image.fromarray(vivid).save(folder / "mine" / "vivid.png")
    (folder / "mine" / "manifest.toml").write_text(MANIFEST)
    (folder / "suite.toml").write_text(SUITE)
    status, record = run_record("suite.toml", "--data", "data", folder=folder)
    assert (status, record["complete"]) == (0, True), record
    return folder


def test_descriptors_are_found_out_at_the_first_question_and_once_for_all_stores(
    arena: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("first", "second"):
        shutil.copytree(arena / "arena", tmp_path / name)
        assert descriptors(Store(str(tmp_path / name))) == {}, "a run without such a codec describes nothing"
    ended = call(
        "leaderboard",
        "--store",
        str(tmp_path / "first"),
        "--set",
        "mine",
        "--where",
        "entropy>1",
        folder=tmp_path,
    )
    assert ended.returncode == 0, ended.stderr
    store = Store(str(tmp_path / "first"))
    known = descriptors(store)
    outcome = {cell.picture: known[cell.picture_sha256] for cell in store.cells("mine")}
    assert len(known) == len(outcome) == 2, "of the other set nothing was asked"
    assert outcome["grey.png"]["colourfulness"] == 0
    assert outcome["vivid.png"]["colourfulness"] > 100
    # What this user's other stores know needs no worker and no file.
    monkeypatch.setattr(pool, "supervise", None)
    call(
        "leaderboard",
        "--store",
        str(tmp_path / "second"),
        "--set",
        "mine",
        "--where",
        "entropy>1",
        folder=tmp_path,
    )
    assert descriptors(Store(str(tmp_path / "second"))) == known


def test_pictures_that_cannot_be_described_are_named(
    arena: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copytree(arena / "arena", tmp_path / "arena")
    moved = arena / "mine" / "grey.png"
    moved.rename(tmp_path / "grey.png")
    try:
        ended = call("leaderboard", "--set", "mine", "--where", "entropy>1", folder=tmp_path)
    finally:
        (tmp_path / "grey.png").rename(moved)
    assert ended.returncode == 0
    assert "1 picture without descriptors, so --where leaves them out:" in ended.stderr
    assert str(moved) in ended.stderr
    assert "1 of 1 picture" in ended.stdout or "1 picture" in ended.stdout


def test_provenance_is_stored(arena: Path) -> None:
    store = Store(str(arena / "arena"))
    message = provenance(store, "mine")["vivid.png"]
    assert (message["prompt"], message["seed"], message["guidance"]) == (
        "a vivid picture",
        str(2**64 - 1),
        4.5,
    )
    assert message["workflow"] == "{}"


def test_results_can_be_sliced_by_what_is_on_the_pictures(arena: Path) -> None:
    call("leaderboard", "--set", "mine", "--where", "entropy>1", folder=arena)
    for where, names in (
        ("colourfulness>100", {"vivid.png"}),
        ("colourfulness<=0 and entropy>7", {"grey.png"}),
        ("entropy>8.5", set()),
    ):
        assert {cell.picture for cell in Store(str(arena / "arena"), where=where).cells("mine")} == names
    ended = call("leaderboard", "--set", "mine", "--where", "colourfulness>100", folder=arena)
    assert ended.returncode == 0, ended.stderr
    assert "1 picture" in ended.stdout.replace("1 of 1 picture", "1 picture")
    empty = call("leaderboard", "--where", "entropy>8.5", folder=arena)
    assert "No stored picture fits 'entropy>8.5'" in empty.stdout


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("colorfulness>1", "did you mean 'colourfulness'"),
        ("entropy", "expected such as text_share>0.1"),
        ("entropy>high", "expected a number, got 'high'"),
        ("entropy>1; drop table pictures", "expected such as"),
    ],
)
def test_a_condition_that_is_none_is_named(arena: Path, where: str, reason: str) -> None:
    ended = call("leaderboard", "--where", where, folder=arena)
    assert ended.returncode == 2
    assert reason in ended.stderr


def test_with_the_toy_set_alone_nothing_is_said_of_the_kinds(arena: Path) -> None:
    store = Store(str(arena / "arena"))
    cells = store.cells()
    assert {cell.picture_generator for cell in cells if cell.image_set == "toy-few"} == {
        ToySampler().generator
    }
    (metric,) = (metric for metric in store.metrics() if metric.name == "psnr")
    split = split_by_kind(cells, metric, "jpeg")
    assert (split.statement, split.generated_pictures, split.set_aside) == (TOY_SET, 0, 4)
    assert TOY_SET in call("leaderboard", "--split", "kind", "--anchor", "jpeg", folder=arena).stdout


def test_the_codecs_that_decode_with_the_toy_weights_say_so() -> None:
    pytest.importorskip("torch")
    from codecarena.codecs.registry import create

    for name in ("latent", "layered"):
        assert create(name, {}).info.generator == ToySampler().generator


def test_a_toy_picture_is_sampled_the_same_each_time(arena: Path) -> None:
    pictures = open_set("toy-few", arena / "data", ToySampler()).pictures
    assert {read_pixels(picture.path).shape for picture in pictures} == {(256, 256, 3)}
    assert {picture.generator for picture in pictures} == {ToySampler().generator}
    assert len({picture.path.read_bytes() for picture in pictures}) == len(pictures) == 4
    order = find_manifest("toy-few").pictures[0]
    assert order.sample is not None
    again = ToySampler().sample(order.caption, order.sample)
    np.testing.assert_array_equal(again, read_pixels(pictures[0].path))


@pytest.mark.parametrize(("name", "count", "side"), [("toy", 16, 512), ("toy-few", 4, 256)])
def test_each_toy_picture_has_a_seed_of_its_own(name: str, count: int, side: int) -> None:
    samples = [picture.sample for picture in find_manifest(name).pictures]
    assert len({sample.seed for sample in samples if sample}) == len(samples) == count
    assert {(sample.width, sample.height) for sample in samples if sample} == {(side, side)}


@pytest.mark.long
def test_the_whole_toy_set_is_sampled(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pictures = open_set("toy", tmp_path, ToySampler()).pictures
    assert {read_pixels(picture.path).shape for picture in pictures} == {(512, 512, 3)}
    assert {picture.generator for picture in pictures} == {ToySampler().generator}
    assert all(picture.provenance.seed is not None for picture in pictures)
    assert len({picture.path.read_bytes() for picture in pictures}) == len(pictures) == 16


def test_the_layout_follows_the_seed() -> None:
    first, second = layout(Sampling(seed=1)), layout(Sampling(seed=2))
    assert all(
        np.array_equal(entry, other) for entry, other in zip(first, layout(Sampling(seed=1)), strict=True)
    )
    assert not np.array_equal(first[0], second[0])
    assert first[0].shape == (32, 32, 3)
    assert first[1].shape == (128, 128)


# Colours in 8 bits and edges in one, row by row, of two layouts of version 1: a picture's path names the
# version, so that a layout that comes out otherwise needs another number there.
LAYOUTS = {
    (7, 96, 64): (
        "b07789a572839a6a79916472865d6c695c5b718e68578c5d5383534e784d3f77442f713b409d544a94563f8a4d378344"
        "427a554372564399524a8f594a8554367f433d784e40704f",
        "00000000000000000000000f0000301fffc0e0000000000000003f00004100004003c040026040034040018061000032",
    ),
    (11, 64, 128): (
        "492e67492d67492d674f3169482961472a62492d61482a6443295d442a59472959442b5e43265854335a5d38585e3659"
        "3a31494a41495d46576e75722b652e2c632a2b632b406a4c265a28285d29285f2a254f2c25542625592725592423512a",
        "0000000000000000000000000000000000000000000000000000000007ff180018000f0301fcfff020b8000e00030001"
        "00010001000100010001000100010000",
    ),
}


@pytest.mark.parametrize(("seed", "width", "height"), LAYOUTS)
def test_the_layout_of_version_1_stays(seed: int, width: int, height: int) -> None:
    assert ToySampler.method == "layout 1, 16 steps, guidance 1.5"
    colours, edges = layout(Sampling(seed=seed, width=width, height=height))
    levels, bits = map(bytes.fromhex, LAYOUTS[seed, width, height])
    assert colours.shape == (height // 16, width // 16, 3)
    np.testing.assert_allclose(255 * colours.ravel(), list(levels), atol=0.51)
    assert edges.shape == (height // 4, width // 4)
    assert np.packbits(edges.astype(bool)).tobytes() == bits


def test_a_toy_picture_is_painted_from_its_layout_and_caption() -> None:
    torch = pytest.importorskip("torch")
    how = Sampling(seed=7, width=64, height=64)
    colours, edges = layout(how)
    made, silent = (_conditions(caption, how, torch.zeros(1, 4, 8, 8)) for caption in ("a fox", None))
    # Colours from -1 to 1 and their mask, then edges; stretched to the latents, with the same means.
    assert made.maps[0, :3].mean((1, 2)).numpy() == pytest.approx(2 * colours.mean((0, 1)) - 1, abs=1e-6)
    assert (made.maps[0, 3] == 1).all()
    assert float(made.maps[0, 4:8].mean()) == pytest.approx(edges.mean())
    assert made.text.any()
    assert not silent.text.any()


def test_a_run_warns_of_a_codec_that_meets_its_training_pictures(test_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    source = test_data / "train" / "bsds500" / "test_100007.jpg"
    (tmp_path / "mine").mkdir()
    Image.open(source).crop((0, 0, 480, 320)).save(tmp_path / "mine" / "known.png")
    (tmp_path / "suite.toml").write_text(
        'name = "trial"\nsets = ["./mine"]\nmetrics = ["psnr"]\n'
        '[[codecs]]\nname = "hyperprior"\nqualities = [2]\n[[codecs]]\nname = "jpeg"\nqualities = [40]\n'
    )
    status, record = run_record("suite.toml", folder=tmp_path)
    assert status == 0, record
    (note,) = record["notes"]  # type: ignore[misc]
    assert "was trained on pictures of this suite" in note
    assert "hyperprior" in note
    assert "mine/known.png" in note


def test_quick_has_pictures_of_both_kinds() -> None:
    from codecarena.bench.run.suite import find, load

    suite = load(find("quick"))[0]
    kinds = {find_manifest(name).kind for name in (*suite.sets, *suite.optional_sets)}
    assert kinds == {"natural", "ai-generated"}
