"""A picture that holds nothing of what a metric measures: no score, no failure, no place in the coverage."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from engines import compare
from skimage import data

from arena import call, run_record
from codecarena.bench.records.rows import Score
from codecarena.bench.store.store import Store

pytestmark = pytest.mark.xdist_group("inapplicable")

SUITE = """
name = "faces"
sets = ["./pictures"]
metrics = ["psnr", "face-ssim"]
[[codecs]]
name = "jpeg"
qualities = [10, 60]
[[codecs]]
name = "png"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of one picture with a face and three without."""
    folder = tmp_path_factory.mktemp("arena")
    (folder / "pictures").mkdir()
    cv2.imwrite(str(folder / "pictures/face.png"), data.astronaut()[:256, 96:352, ::-1])
    for level in (60, 120, 180):
        cv2.imwrite(str(folder / f"pictures/grey{level}.png"), np.full((64, 64, 3), level, np.uint8))
    (folder / "suite.toml").write_text(SUITE)
    status, report = run_record("suite.toml", "-j", "1", folder=folder)
    assert (status, report["failed"]) == (0, 0)
    return folder


def test_it_is_stored_as_done_and_is_not_tried_again(folder: Path) -> None:
    status, report = run_record("suite.toml", folder=folder)
    assert status == 0
    assert report["done_before"] == 12
    assert Store(str(folder / "arena")).failures() == []


def test_readers_tell_it_from_a_lossless_picture(folder: Path) -> None:
    store = Store(str(folder / "arena"))
    face, psnr = (
        {metric.name: metric.metric_id for metric in store.metrics()}[name] for name in ("face-ssim", "psnr")
    )
    cells = {(cell.picture, cell.codec): cell.scores for cell in store.cells()}
    assert cells["grey60.png", "png"][face] == Score(None, False, applicable=False)
    assert cells["grey60.png", "png"][psnr] == Score(None, True)
    assert cells["face.png", "png"][face] == Score(pytest.approx(1), True)


def test_means_and_coverage_are_over_the_pictures_with_a_face(folder: Path) -> None:
    store = Store(str(folder / "arena"))
    metric = next(metric for metric in store.metrics() if metric.name == "face-ssim")
    comparison = compare(store.cells(), metric)
    assert comparison.of_pictures == 1
    assert len(comparison.common) == 1
    jpeg = next(codec.codec_id for codec in comparison.codecs if codec.label == "jpeg")
    low, high = (point.score for point in comparison.curves[jpeg].points)
    assert 0 < low < high < 1


def test_the_leaderboard_shows_it(folder: Path) -> None:
    shown = call("leaderboard", "-m", "face-ssim", "--at", "bpp=0.6", folder=folder)
    assert shown.returncode == 0, shown.stderr


def test_a_search_leaves_them_out(folder: Path) -> None:
    words = ("run", "suite.toml", "--match", "face-ssim=0.9", "--only", "codec=jpeg", "-j", "1", "--json")
    alone = call(*words, folder=folder)
    outcome = {
        entry["picture"]: entry for entry in json.loads(alone.stdout)["matches"] if "achieved" in entry
    }
    assert list(outcome) == ["face.png"], "elsewhere no setting has a score"
    assert outcome["face.png"]["achieved"] == pytest.approx(0.9, abs=0.02)
    (of_set,) = json.loads(call(*words, "--match-set", folder=folder).stdout)["matches"]
    assert of_set["achieved"] == outcome["face.png"]["achieved"]


@pytest.fixture(scope="module")
def greys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of pictures that a metric was asked about and that hold nothing for it: scoring says so."""
    folder = tmp_path_factory.mktemp("greys")
    (folder / "pictures").mkdir()
    for place, level in enumerate((60, 120)):
        ramp = np.add.outer(np.arange(64), np.arange(64) * (place + 1)) % 40 + level
        cv2.imwrite(str(folder / f"pictures/grey{level}.png"), np.repeat(ramp[..., None], 3, axis=2))
    suite = SUITE.replace(', "face-ssim"', "").replace("[10, 60]", "[10, 60, 90]")
    (folder / "suite.toml").write_text(suite + '[[codecs]]\nname = "webp"\nqualities = [10, 60, 90]\n')
    assert call("run", "suite.toml", "-j", "1", folder=folder).returncode == 0
    ended = call("score", "suite.toml", "-m", "face-ssim", "-j", "1", folder=folder)
    assert ended.returncode == 0, ended.stderr
    assert (
        "face-ssim: no score of 14 of these cells: their pictures hold nothing that it measures."
        in ended.stdout
    )
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("leaderboard",),
        ("leaderboard", "--anchor", "jpeg"),
        ("leaderboard", "--at", "bpp=1"),
        ("compare",),
        ("export", "latex", "board.tex"),
        ("export", "csv", "board.csv", "--what", "leaderboard"),
        ("export", "compressai", "results"),
        ("report", "report.html"),
    ],
    ids=" ".join,
)
def test_tables_are_of_the_metrics_that_have_scores(greys: Path, words: tuple[str, ...]) -> None:
    shown = call(*words, folder=greys)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "face" not in shown.stdout.lower()


@pytest.mark.parametrize(
    "words",
    [
        ("leaderboard", "-m", "face-ssim"),
        ("leaderboard", "--at", "face-ssim=0.5"),
        ("compare", "-m", "face-ssim"),
        ("export", "latex", "board.tex", "-m", "face-ssim"),
    ],
    ids=" ".join,
)
def test_asked_for_it_alone_they_say_why_there_is_none(greys: Path, words: tuple[str, ...]) -> None:
    shown = call(*words, folder=greys)
    assert shown.returncode == 2, shown.stdout
    assert "has a score by face-ssim: it is not scored yet, or the pictures hold nothing" in " ".join(
        shown.stderr.split()
    )
    both = call("leaderboard", "-m", "psnr", "-m", "face-ssim", folder=greys)
    assert both.returncode == 0
    assert "No picture of the set has a score by" in " ".join(both.stdout.split())
