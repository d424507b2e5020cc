"""Rates that an entropy model estimates are never taken for the bytes of a bitstream."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import pytest

from arena import call, run_record, write_pictures
from codecarena.bench.run.foreign_results import InterchangeError, read
from codecarena.bench.store.imports import read_published
from codecarena.bench.store.store import Store

pytestmark = pytest.mark.xdist_group("rate kinds")

SUITE = """
name = "mine"
sets = "./pictures"
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = [10, 30, 60, 90]
"""
ESTIMATED = "Inference (entropy-estimation)"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rates")
    write_pictures(folder / "pictures", 2, size=48)
    (folder / "suite.toml").write_text(SUITE)
    status, record = run_record("suite.toml", folder=folder)
    assert status == 0, record
    return folder


def printed(folder: Path, *words: str | Path) -> str:
    ended = call(*words, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def compressai(path: Path, name: str, description: str, psnr: float = 26.0, **meta: str) -> Path:
    """Write what CompressAI's ``eval_model`` writes; the scores begin at this PSNR."""
    scores = [psnr + 2.5 * step for step in range(4)]
    results = {"psnr-rgb": scores, "bpp": [1.3, 1.9, 2.9, 4.5], "encoding_time": [0.1] * 4}
    content: dict[str, Any] = {"name": name, "description": description, "results": results}
    path.write_text(json.dumps(content | ({"meta": meta} if meta else {})))
    return path


@pytest.mark.parametrize(
    ("description", "kind"),
    [
        (ESTIMATED, "estimated"),
        ("Inference (Entropy Estimation)", "estimated"),
        ("Inference (ans)", "bytes"),
        ("", "bytes"),
    ],
)
def test_compressai_says_by_its_description_whether_rates_are_estimates(
    tmp_path: Path, description: str, kind: str
) -> None:
    file = compressai(tmp_path / "a.json", "a", description)
    assert {point.rate_kind for point in read(file, "photos").points} == {kind}
    for asked in ("bytes", "estimated"):
        assert {point.rate_kind for point in read(file, "photos", rate_kind=asked).points} == {asked}


def test_single_pictures_files_and_our_own_exports_say_it_too(tmp_path: Path) -> None:
    for picture in ("p1", "p2"):
        for model, description in (("q1", ESTIMATED), ("q2", "Inference (ans)")):
            content = {"source": picture, "name": "m", "description": description, "results": {"bpp": 0.5}}
            (tmp_path / f"{picture}-{model}.json").write_text(json.dumps(content))
    assert [point.rate_kind for point in read(tmp_path, "photos").points] == ["estimated", "bytes"]
    own = tmp_path / "own"
    own.mkdir()
    file = compressai(own / "a.json", "a", "by codecarena", rate_kind="estimated", dataset="photos")
    assert {point.rate_kind for point in read(file).points} == {"estimated"}


def test_a_table_of_means_declares_each_row(tmp_path: Path) -> None:
    (tmp_path / "means.csv").write_text(
        "model,dataset,bpp,psnr,rate_kind\na,photos,0.5,30,estimated\na,photos,0.7,32,BYTES\nb,photos,1,30,\n"
    )
    assert [point.rate_kind for point in read(tmp_path / "means.csv").points] == [
        "estimated",
        "bytes",
        "bytes",
    ]
    (tmp_path / "means.csv").write_text("model,dataset,bpp,psnr,rate_kind\na,photos,0.5,30,guessed\n")
    with pytest.raises(
        InterchangeError, match=r"line 2, rate_kind: expected bytes or estimated; got 'guessed'"
    ):
        read(tmp_path / "means.csv")


def test_published_estimates_are_marked_beside_their_bd_rates(ran: Path) -> None:
    store = Store(str(ran / "arena"))
    lowest = min(score.value or 0 for cell in store.cells() for score in cell.scores.values())
    store.close()
    file = compressai(ran / "est.json", "model", ESTIMATED, lowest)
    said = printed(ran, "import", file, "--set", "./pictures")
    assert said.splitlines() == [
        "4 of 4 rates are estimates, sizes of no bitstream: marked (estimated) wherever they stand",
        "4 published points stored; compare them with codecarena published",
    ]
    real = compressai(ran / "real.json", "real", "Inference (ans)", lowest)
    assert "estimates" not in printed(ran, "import", real, "--set", "./pictures")
    store = Store(str(ran / "arena"))
    assert {(point.codec, point.rate_kind) for point in read_published(store)} == {
        ("model", "estimated"), ("real", "bytes"),
    }  # fmt: skip
    store.close()
    (table,) = json.loads(printed(ran, "published", "--json"))
    assert {row["codec"]: row["rate_kind"] for row in table["rows"]} == {
        "model": "estimated",
        "real": "bytes",
    }
    assert all(row["bd_rate_percent"] is not None for row in table["rows"])
    shown = printed(ran, "published")
    assert "model (estimated)" in shown
    assert "real (estimated)" not in shown
    assert "(estimated) model: rates that an entropy model estimates, sizes of no bitstream" in shown
    wrong = call("import", real, "--set", "./pictures", "--rates", "guessed", folder=ran)
    assert (wrong.returncode, "--rates 'guessed': expected bytes or estimated" in wrong.stderr) == (2, True)


@pytest.fixture(scope="module")
def theirs(ran: Path) -> Path:
    """Return a table of pictures that somebody decoded, with rates that they estimated."""
    lines = ["picture,decoded,bpp,quality,rate_kind"]
    for original in sorted((ran / "pictures").glob("*.png")):
        for quality in (20, 50, 95):
            _, coded = cv2.imencode(".jpg", cv2.imread(str(original)), [cv2.IMWRITE_JPEG_QUALITY, quality])
            name = f"{original.stem}-{quality}-decoded.png"
            cv2.imwrite(str(ran / name), cv2.imdecode(coded, cv2.IMREAD_COLOR))
            lines.append(f"{original.name},{name},{coded.size * 8 / 48**2},{quality},estimated")
    (ran / "theirs.csv").write_text("\n".join(lines) + "\n")
    printed(ran, "import", ran / "theirs.csv", "--set", "./pictures", "--codec", "theirs")
    return ran / "theirs.csv"


def test_pictures_with_estimated_rates_are_marked_in_tables_and_exports(ran: Path, theirs: Path) -> None:
    cells = Store(str(ran / "arena")).cells()
    assert {(cell.codec, cell.rate_kind) for cell in cells} == {("jpeg", "bytes"), ("theirs", "estimated")}
    for words in (("leaderboard",), ("leaderboard", "--at", "bpp=5"), ("rates",)):
        shown = printed(ran, *words)
        assert "theirs (imported) (estimated)" in shown, words
        assert "(estimated) theirs: rates that an entropy model estimates" in shown, words
        assert "jpeg (estimated)" not in shown
    printed(ran, "export", "csv", "cells.csv")
    with (ran / "cells.csv").open(newline="") as lines:
        kinds = {(row["codec"], row["rate_kind"]) for row in csv.DictReader(lines)}
    assert kinds == {("jpeg", "bytes"), ("theirs", "estimated")}
    printed(ran, "export", "compressai", "files")
    for codec, kind in (("jpeg", "bytes"), ("theirs", "estimated")):
        (file,) = (ran / "files").rglob(f"*{codec}*.json")
        assert json.loads(file.read_text())["meta"]["rate_kind"] == kind


def test_a_bd_rate_against_estimates_is_an_estimate(ran: Path, theirs: Path) -> None:
    def kinds(anchor: str) -> dict[str, str]:
        (table,) = json.loads(printed(ran, "leaderboard", "--anchor", anchor, "-m", "psnr", "--json"))[:1]
        return {
            row["codec"]: bd_rate["rate_kind"] for row in table["rows"] for bd_rate in row["bd_rate"].values()
        }

    assert kinds("jpeg") == {"jpeg": "bytes", "theirs": "estimated"}
    assert kinds("theirs") == {"jpeg": "estimated", "theirs": "estimated"}


def test_a_kind_that_is_declared_anew_replaces_the_rows(ran: Path, theirs: Path) -> None:
    words = ("import", theirs, "--set", "./pictures", "--codec", "theirs")
    assert "0 of 6 pictures new" in printed(ran, *words)
    assert "6 of 6 pictures new" in printed(ran, *words, "--rates", "bytes")
    assert "(estimated) theirs" not in printed(ran, "leaderboard")
    assert "6 of 6 pictures new" in printed(ran, *words)
