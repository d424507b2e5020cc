"""`run --match` finds each codec's setting for a rate or score, stores its probes, and asks nothing twice."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import cv2
import pytest
from engines import at_rate, compare
from skimage.data import astronaut

from arena import call, command, run_record, write_pictures
from codecarena.bench.store.store import Store

SUITE = """
name = "matched"
sets = "./pictures"
metrics = ["psnr", "ciede2000"]
[[codecs]]
name = "jpeg"
qualities = [20, 80]
[[codecs]]
name = "webp"
qualities = [20, 80]
"""
TARGET = 2.0
"""Bits per pixel."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    for index in range(4):
        pixels = astronaut()[100 * index :, 100:][:64, :96]
        cv2.imwrite(str(tmp_path / "pictures" / f"{index}.png"), pixels[..., ::-1])
    (tmp_path / "suite.toml").write_text(SUITE)
    return tmp_path


def match(folder: Path, target: str, *words: str) -> dict[str, Any]:
    """Run the searches and return their record."""
    ended = call("run", "suite.toml", "-j", "1", "--match", target, "--json", *words, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def measured(folder: Path) -> int:
    """Return how many encodes the store ever saw."""
    if not (folder / "arena" / "arena.db").exists():
        return 0
    with sqlite3.connect(folder / "arena" / "arena.db") as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'measurements'").fetchone():
            return 0
        return connection.execute("SELECT count(*) FROM measurements").fetchone()[0]


def test_a_rate_is_matched_on_every_picture_and_never_encoded_for_twice(folder: Path) -> None:
    record = match(folder, f"bpp={TARGET}")
    assert record["complete"]
    assert len(record["matches"]) == 8
    store = Store(str(folder / "arena"))
    cells = store.cells()
    assert record["encoded"] == len(cells) == sum(entry["encodes"] for entry in record["matches"])
    assert all(cell.probe for cell in cells)
    for row in store.matches("pictures"):
        own = [cell for cell in cells if (cell.codec, cell.picture) == (row.codec, row.picture)]
        (chosen,) = [entry for entry in own if entry.quality == row.match.quality]
        assert row.match.achieved == pytest.approx(chosen.bits_per_pixel)
        assert row.match.probes == row.match.encodes == len(own)
        assert len(chosen.scores) == 2, "the setting that was found has every metric"
        assert not any(entry.scores for entry in own if entry is not chosen), (
            "probes for a rate are not scored"
        )

    ended = call("score", "suite.toml", "-j", "1", "--metric", "ssim", "--json", folder=folder)
    assert ended.returncode == 0, ended.stderr
    scored = {
        (cell.codec, cell.picture, cell.quality): len(cell.scores) == 3 and cell.probe
        for cell in store.cells()
    }
    matched = [(row.codec, str(row.picture), row.match.quality) for row in store.matches("pictures")]
    assert all(scored[entry] for entry in matched), (
        "what was found gets further metrics too, and stays a probe"
    )
    assert sum(scored.values()) < len(cells)

    again = match(folder, f"bpp={TARGET}")
    assert again["encoded"] == 0
    assert {(entry["codec"], entry["picture"], entry["quality"]) for entry in again["matches"]} == {
        (entry["codec"], entry["picture"], entry["quality"]) for entry in record["matches"]
    }
    assert [match.match.encodes for match in store.matches("pictures")] == [
        match.match.probes for match in store.matches("pictures")
    ], "what the first search asked for is still told"


@pytest.mark.parametrize(("metric", "target"), [("psnr", 30.0), ("ciede2000", 4.0)])
def test_a_score_is_matched_whichever_way_is_better(folder: Path, metric: str, target: float) -> None:
    run_record("suite.toml", folder=folder)
    record = match(folder, f"{metric}={target:g}", "--only", "codec=jpeg")
    store = Store(str(folder / "arena"))
    ids = {metric.name: metric.metric_id for metric in store.metrics()}
    for entry in record["matches"]:
        assert entry["ended"] in ("nearest", "exact")
        values = {
            cell.quality: cell.scores[ids[metric]].value
            for cell in store.cells()
            if cell.codec == "jpeg" and cell.picture == entry["picture"]
        }
        distances = {quality: abs(value - target) for quality, value in values.items() if value is not None}
        assert entry["quality"] == min(distances, key=lambda quality: distances[quality])
        assert entry["achieved"] == values[entry["quality"]]
        assert min(values.values()) < target < max(values.values())
    probes = [cell for cell in store.cells() if cell.probe]
    assert all(ids[metric] in cell.scores for cell in probes)


def test_one_setting_is_found_for_a_set(folder: Path) -> None:
    by_mean = match(folder, f"bpp={TARGET}", "--match-set")["matches"]
    by_total = match(folder, f"total-bpp={TARGET}", "--match-set")["matches"]
    by_bytes = match(folder, f"bytes={TARGET * 64 * 96 * 4 / 8}", "--match-set")["matches"]
    assert len(by_mean) == 2
    cells = Store(str(folder / "arena")).cells()
    for entry, total, size in zip(by_mean, by_total, by_bytes, strict=True):
        assert entry["quality"] == total["quality"] == size["quality"], (
            "pictures of one size: the same question"
        )
        rates = [
            cell.bits_per_pixel
            for cell in cells
            if (cell.codec, cell.quality) == (entry["codec"], entry["quality"])
        ]
        assert len(rates) == entry["pictures"] == 4
        assert entry["achieved"] == pytest.approx(sum(rates) / 4)
        assert size["achieved"] == pytest.approx(sum(rates) * 64 * 96 / 8)


def test_a_target_out_of_range_ends_at_the_nearest_end_and_says_so(folder: Path) -> None:
    record = match(folder, "bytes=1")
    assert {entry["ended"] for entry in record["matches"]} == {"out of range"}
    rows = at_rate(
        Store(str(folder / "arena")).cells(),
        Store(str(folder / "arena")).metrics(),
        TARGET,
        matches=Store(str(folder / "arena")).matches("pictures"),
    )
    assert rows == [], "a codec that was only searched for another target is not shown at this one"


def test_probes_stay_off_mean_curves_until_a_suite_asks_for_them(folder: Path) -> None:
    run_record("suite.toml", folder=folder)
    store = Store(str(folder / "arena"))
    psnr = next(metric for metric in store.metrics() if metric.name == "psnr")
    before = compare(store.cells(), psnr).curves
    # One setting on all pictures: it would be a point of the ladder, were it no probe.
    record = match(folder, f"bpp={TARGET}", "--match-set")
    match(folder, f"bpp={TARGET}")
    assert any(entry["encodes"] for entry in record["matches"])
    assert compare(store.cells(), psnr).curves == before

    quality = next(entry["quality"] for entry in record["matches"] if entry["codec"] == "jpeg")
    (folder / "suite.toml").write_text(SUITE.replace("[20, 80]", f"[20, {quality:g}, 80]", 1))
    before_encodes = measured(folder)
    run_record("suite.toml", folder=folder)
    assert measured(folder) == before_encodes, "what a search measured is not measured again"
    jpeg = next(cell.codec_id for cell in store.cells() if cell.codec == "jpeg")
    assert [point.setting for point in compare(store.cells(), psnr).curves[jpeg].points] == sorted(
        {20, quality, 80}
    )


def test_the_leaderboard_shows_what_was_achieved(folder: Path) -> None:
    match(folder, f"bpp={TARGET}", "--only", "codec=jpeg")
    run_record("suite.toml", "--only", "codec=webp", folder=folder)
    ended = call("leaderboard", "--at", f"bpp={TARGET}", "--json", folder=folder)
    (table,) = json.loads(ended.stdout)
    rows = {row["codec"]: row for row in table["rows"]}
    assert rows["jpeg"]["achieved_bits_per_pixel"]["pictures"] == 4
    assert rows["webp"]["achieved_bits_per_pixel"] is None
    shown = call("leaderboard", "--at", f"bpp={TARGET}", folder=folder).stdout
    assert "Achieved" in shown


def test_a_search_that_was_killed_goes_on_where_it_was(folder: Path) -> None:
    write_pictures(folder / "more", 12, size=64)
    (folder / "suite.toml").write_text(SUITE.replace("./pictures", "./more"))
    words = command("run", "suite.toml", "--match", f"bpp={4 * TARGET}", "--workers", "2")
    for encodes in (5, 20):
        runner = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while runner.poll() is None and measured(folder) < encodes:
            time.sleep(0.02)
        runner.kill()
        runner.wait()
    record = match(folder, f"bpp={4 * TARGET}")
    assert record["complete"]
    cells = Store(str(folder / "arena")).cells()
    assert measured(folder) == len(cells), "no cell was encoded twice"
    assert len(Store(str(folder / "arena")).matches("more")) == 24


@pytest.mark.parametrize("target", ["bpp", "bpp=-1", "bpp=x", "psrn=30", "total-bpp=0.25", "=3"])
def test_a_target_that_cannot_be_read_is_refused_with_a_hint(folder: Path, target: str) -> None:
    ended = call("run", "suite.toml", "-j", "1", "--match", target, folder=folder)
    assert ended.returncode == 2
    assert "--match" in ended.stderr
    assert "Traceback" not in ended.stderr
