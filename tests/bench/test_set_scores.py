"""`codecarena score-set` on a small store: whole sets only, nothing twice, nothing stale."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from arena import call, run_record
from codecarena.bench.records.identities import SetMetricIdentity
from codecarena.bench.sets.registry import create
from codecarena.bench.store.set_scores import SetScore, pools, set_metric_id, set_scores
from codecarena.bench.store.store import Store
from codecarena.datasets.pixels import read_pixels

pytestmark = pytest.mark.xdist_group("set scores")

SUITE = """
name = "small"
sets = ["./pictures"]
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = [{qualities}]
"""


def write_suite(folder: Path, qualities: str) -> None:
    (folder / "suite.toml").write_text(SUITE.format(qualities=qualities))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three photographs as JPEG at two qualities, both metrics without weights computed."""
    folder = tmp_path_factory.mktemp("arena")
    (folder / "pictures").mkdir()
    for name in ("astronaut", "coffee", "chelsea"):
        pixels = getattr(data, name)()[:300, :390]
        cv2.imwrite(str(folder / "pictures" / f"{name}.png"), pixels[..., ::-1])
    # Wide enough for the second grid.
    cv2.imwrite(str(folder / "pictures/large.png"), data.astronaut()[:400, :400, ::-1])
    write_suite(folder, "10, 80")
    status, _ = run_record("suite.toml", "-j", "1", folder=folder)
    assert status == 0
    return folder


def records(folder: Path, *words: str) -> tuple[int, list[dict[str, object]], str]:
    ended = call("score-set", "suite.toml", "-m", "swd", "-m", "spectrum", "--json", *words, folder=folder)
    return ended.returncode, json.loads(ended.stdout), ended.stderr


def test_sets_are_scored_once_with_all_that_says_how(folder: Path) -> None:
    status, rows, _ = records(folder)
    assert status == 0
    assert [(row["quality"], row["metric"]) for row in rows] == [
        (quality, name) for quality in (10, 80) for name in sorted(("swd", "spectrum"), key=identity_of)
    ]
    assert all((row["pictures"], row["views"], row["tile_pixels"]) == (4, 5, 256) for row in rows)
    for name in ("swd", "spectrum"):
        low, high = (row["value"] for row in rows if row["metric"] == name)
        assert low > high > 0  # type: ignore[operator]
    before = stamps(folder)
    assert records(folder)[1] == rows
    assert stamps(folder) == before


def identity_of(name: str) -> str:
    return set_metric_id(create(name).identity)


def stamps(folder: Path) -> list[str]:
    import sqlite3

    with sqlite3.connect(folder / "arena/arena.db") as connection:
        return sorted(row[0] for row in connection.execute("SELECT created_at FROM set_scores"))


def test_stored_values_are_those_of_the_pictures(folder: Path) -> None:
    records(folder)
    store = Store(str(folder / "arena"))
    metric = create("swd")
    originals = [read_pixels(Path(path)) for _, path in sorted(store.picture_paths().items())]
    for pool in pools(store):
        cells = sorted(pool.cells, key=lambda cell: cell.picture_sha256)
        decoded = [read_pixels(store.blobs.decoded_path(cell.decoded_sha256)) for cell in cells]
        sides = [[tile for entry in side for tile in cut(entry)] for side in (originals, decoded)]
        expected = metric.distance(*(metric.describer.describe(side) for side in sides))
        outcome = [
            score.value for score in set_scores(store) if (score.pool, score.metric.name) == (pool, "swd")
        ]
        assert outcome == [pytest.approx(expected, rel=1e-6)]


def cut(pixels: np.ndarray) -> list[np.ndarray]:
    """Return the tiles of these pictures: one, and a second at 128, 128 where both sides have 384."""
    outcome = [pixels[:256, :256]]
    return [*outcome, pixels[128:384, 128:384]] if min(pixels.shape[:2]) >= 384 else outcome


def test_a_setting_that_lacks_a_picture_is_not_scored_and_said_so(folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(folder, tmp_path / "copy")
    write_suite(folder, "10, 80, 40")
    run_record("suite.toml", "--limit", "3", folder=folder)
    status, rows, notes = records(folder)
    assert status == 1
    assert {row["quality"] for row in rows} == {10, 80}
    assert "jpeg 40 on pictures has 3 of 4 pictures and is not scored" in notes


def test_a_changed_picture_takes_the_old_distance_away(folder: Path) -> None:
    records(folder)
    store = Store(str(folder / "arena"))
    assert len(set_scores(store)) == 4
    cell = pools(store)[0].cells[0]
    import sqlite3

    with sqlite3.connect(folder / "arena/arena.db") as connection:
        where = (cell.picture_sha256, cell.quality)
        change = "UPDATE measurements SET decoded_sha256 = ? WHERE picture_sha256 = ? AND quality = ?"
        connection.execute(change, ("0" * 64, *where))
        connection.commit()
        assert len(set_scores(store)) == 2
        connection.execute(change, (cell.decoded_sha256, *where))
        connection.commit()
    assert len(set_scores(store)) == 4


def test_few_views_make_fid_doubtful_and_kid_not(folder: Path) -> None:
    pool = pools(Store(str(folder / "arena")))[0]

    def doubtful(name: str, views: int) -> bool:
        return SetScore(pool, SetMetricIdentity(name, "1", "x", None, 256, 128), 1.0, views).doubtful

    assert (doubtful("fid", 2047), doubtful("fid", 2048), doubtful("fid-whole", 24), doubtful("kid", 24)) == (
        True,
        False,
        True,
        False,
    )


def test_the_table_names_sets_and_tiles(folder: Path) -> None:
    shown = call("score-set", "suite.toml", "-m", "spectrum", folder=folder).stdout
    assert "pictures: distances between sets, lower is better" in shown
    assert "spectrum: 5 tiles of 256 pixels, second grid shifted by 128 of 4 pictures" in " ".join(
        shown.split()
    )


def test_an_unknown_metric_is_one_sentence(folder: Path) -> None:
    ended = call("score-set", "suite.toml", "-m", "psnr", folder=folder)
    assert ended.returncode == 2
    assert "no metric of sets is named 'psnr'" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_empty_store_says_what_to_run(folder: Path) -> None:
    ended = call("score-set", "suite.toml", "-m", "swd", "--store", "empty", folder=folder)
    assert ended.returncode == 2
    assert "run a suite first" in ended.stderr
    assert not (folder / "empty").exists()
