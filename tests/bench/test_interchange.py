"""What other tools wrote comes in, what we measured goes out, and neither pretends to be the other."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from arena import call, run_record, write_pictures
from codecarena.bench.run.foreign_results import InterchangeError, read
from codecarena.bench.run.import_results import ImportOptions, import_file
from codecarena.bench.store.imports import provenances, read_published
from codecarena.bench.store.store import Store
from codecarena.bench.store.writer import StoreWriter
from codecarena.bench.verify import decoder_view
from codecarena.bench.worker.changed_files import FolderChanges

pytestmark = pytest.mark.xdist_group("interchange")

SUITE = """
name = "mine"
sets = "./pictures"
metrics = ["psnr", "ms-ssim"]
[[codecs]]
name = "jpeg"
qualities = [10, 30, 50, 70, 90]
[[codecs]]
name = "webp"
qualities = [10, 30, 50, 70, 90]
"""
SIZE = 192
"""MS-SSIM needs 161 pixels."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interchange")
    write_pictures(folder / "pictures", 2, size=SIZE)
    (folder / "suite.toml").write_text(SUITE)
    status, record = run_record("suite.toml", folder=folder)
    assert status == 0, record
    return folder


def printed(folder: Path, *words: str | Path) -> str:
    ended = call(*words, folder=folder)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def elsewhere(ran: Path) -> Path:
    """Somebody's codec: what JPEG gives, blurred, with sizes of its own, as a CSV."""
    made = ran / "theirs"
    made.mkdir()
    lines = ["picture,decoded,bytes,quality,encode_seconds"]
    for name in ("picture0000", "picture0001.png"):
        original = cv2.imread(str(ran / "pictures" / f"{Path(name).stem}.png"))
        for quality in (20, 60, 95):
            _, coded = cv2.imencode(".jpg", original, [cv2.IMWRITE_JPEG_QUALITY, quality])
            path = made / f"{Path(name).stem}-{quality}.png"
            cv2.imwrite(str(path), cv2.imdecode(coded, cv2.IMREAD_COLOR))
            lines.append(f"{name},{path.name},{coded.size},{quality},0.5")
    (made / "theirs.csv").write_text("\n".join(lines) + "\n")
    words = ("--set", "./pictures", "--codec", "theirs", "--origin", "a paper of 2031")
    said = printed(ran, "import", made / "theirs.csv", *words)
    assert said.startswith("6 of 6 pictures new, 12 scores added")
    return made / "theirs.csv"


def test_imported_pictures_are_scored_by_our_metrics(ran: Path, elsewhere: Path) -> None:
    store = Store(str(ran / "arena"))
    cells = [cell for cell in store.cells() if cell.codec == "theirs"]
    metrics = {metric.metric_id: metric.name for metric in store.metrics()}
    computed = {
        cell.quality: cell
        for cell in store.cells()
        if cell.codec == "jpeg" and cell.picture == cells[0].picture
    }
    (provenance,) = provenances(store).values()
    store.close()
    assert len(cells) == 6
    assert "a paper of 2031" in provenance
    assert "theirs.csv, sha256 " in provenance
    for cell in cells:
        assert cell.imported
        assert cell.bitstream_sha256 == ""
        assert {metrics[score] for score in cell.scores} == {"psnr", "ms-ssim"}
    assert computed
    assert not any(our.imported for our in computed.values())
    original = cv2.imread(str(ran / "pictures" / cells[0].picture)).astype(float)
    decoded = cv2.imread(str(elsewhere.parent / f"{Path(cells[0].picture).stem}-20.png"))
    psnr = 10 * np.log10(255**2 / np.mean((original - decoded) ** 2))
    first = next(cell for cell in cells if cell.quality == 20 and cell.picture == cells[0].picture)
    outcome = next(score.value for entry, score in first.scores.items() if metrics[entry] == "psnr")
    assert outcome == pytest.approx(psnr, abs=1e-9)


def test_the_same_file_again_adds_nothing_and_a_metric_later_only_scores(
    ran: Path, elsewhere: Path, tmp_path: Path
) -> None:
    ran = shutil.copytree(ran, tmp_path / "copy")
    words = ("import", elsewhere, "--set", "./pictures", "--codec", "theirs", "--origin", "a paper of 2031")
    assert printed(ran, *words).startswith("0 of 6 pictures new, 0 scores added")
    assert printed(ran, *words, "-m", "ssim").startswith("0 of 6 pictures new, 6 scores added")


def test_the_tables_mark_what_was_imported(ran: Path, elsewhere: Path) -> None:
    board = printed(ran, "leaderboard", "--anchor", "jpeg", "-m", "psnr")
    assert "theirs (imported)" in board
    assert "a paper of 2031" in board
    rates: list[dict[str, Any]] = json.loads(printed(ran, "rates", "--json"))[0]["rows"]
    parts = {row["codec"]: row["header_bytes"] for row in rates}
    assert parts["theirs"] is None
    assert parts["jpeg"] > 0
    printed(ran, "export", "csv", "cells.csv")
    with (ran / "cells.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["codec"] == "theirs"]
    assert {row["imported"] for row in rows} == {"True"}
    assert {row["bitstream_sha256"] for row in rows} == {""}
    assert {row["payload_bytes"] for row in rows} == {""}


def test_a_contact_sheet_shows_imported_pictures(ran: Path, elsewhere: Path) -> None:
    printed(ran, "sheet", "sheet.png", "--at", "bpp=2")
    assert cv2.imread(str(ran / "sheet.png")) is not None


def test_a_suite_and_a_verification_leave_imported_rows_alone(
    ran: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Looking through the folders of the system for what encoders left there takes seconds.
    monkeypatch.setattr(decoder_view, "appeared", lambda *_: FolderChanges())
    status, record = run_record("suite.toml", folder=ran)
    assert (status, record["planned"]) == (0, 0)
    ended = json.loads(call("verify", "suite.toml", "--json", "--no-encode", folder=ran).stdout)
    assert {entry["codec"] for entry in ended["codecs"]} == {"jpeg", "webp"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("picture,decoded\nx,y\n", "one of bytes, bits, bpp"),
        ("picture,decoded,bytes\npicture0000,none.png,10\n", "line 2"),
        ("picture,decoded,bytes\nkodim01,picture0000-20.png,10\n", "no picture 'kodim01'"),
        ("picture,decoded,bytes\npicture0000,small.png,10\n", "is 16x16"),
        ("picture,decoded,bytes\npicture0000,picture0000-20.png,ten\n", "expected a number, got 'ten'"),
        ("picture,decoded,bytes\n" + "picture0000,picture0000-20.png,10\n" * 2, "stands in line 2 already"),
        ("name,size\na,1\n", "CompressAI's JSON"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_whole(
    ran: Path, elsewhere: Path, content: str, said: str
) -> None:
    folder = elsewhere.parent
    cv2.imwrite(str(folder / "small.png"), np.zeros((16, 16, 3), np.uint8))
    (folder / "bad.csv").write_text(content)
    store = StoreWriter(str(ran / "arena"))
    options = ImportOptions(str(ran / "pictures"), "bad", workers=1)
    with pytest.raises(InterchangeError, match=re.escape(said)):
        import_file(folder / "bad.csv", store, options, lambda _done, _total: None)
    assert "bad" not in {cell.codec for cell in store.cells()}
    store.close()


def test_a_file_that_does_not_fit_gets_a_sentence(ran: Path, elsewhere: Path) -> None:
    ended = call("import", elsewhere, "--codec", "theirs", folder=ran)
    assert ended.returncode == 2
    assert "--set" in ended.stderr
    assert "defect" not in ended.stderr


def test_our_results_come_back_from_compressais_format(ran: Path) -> None:
    """Exported, imported as published, compared with the codec they came from: no difference."""
    printed(ran, "export", "compressai", "results")
    content = json.loads((ran / "results" / "pictures" / "jpeg.json").read_text())
    assert set(content["results"]) >= {"bpp", "psnr-rgb", "ms-ssim-rgb", "encoding_time"}
    assert {len(entry) for entry in content["results"].values()} == {5}
    assert content["results"]["bpp"] == sorted(content["results"]["bpp"])
    said = printed(ran, "import", ran / "results" / "pictures" / "jpeg.json", "--codec", "somebody's jpeg")
    assert said.startswith("5 published points stored")
    rows = json.loads(printed(ran, "published", "--anchor", "jpeg", "--json"))[0]["rows"]
    rows = [row for row in rows if row["codec"] == "somebody's jpeg"]
    assert {row["metric"] for row in rows} >= {"psnr", "ms-ssim"}
    for row in rows:
        assert row["bd_rate_percent"] == pytest.approx(0, abs=1e-6)
    shown = printed(ran, "published", "--anchor", "webp", "-m", "psnr")
    assert "somebody's jpeg" in shown
    assert "jpeg.json, sha256" in shown or "by codecarena" in shown


def test_compressais_own_file_is_read(test_data: Path) -> None:
    content = read(test_data / "published" / "compressai_kodak" / "jpeg2000.json", "kodak")
    assert len(content.points) == 19
    rates = [point.bits_per_pixel for point in content.points]
    assert rates == sorted(rates)
    assert rates[0] == pytest.approx(0.1258, abs=1e-4)
    assert content.points[0].scores["psnr"] == pytest.approx(26.440, abs=1e-3)
    assert content.points[0].scores["ms-ssim"] == pytest.approx(0.8782, abs=1e-4)
    assert content.points[0].encode_seconds is not None


def test_compressais_files_of_single_pictures_become_means(tmp_path: Path) -> None:
    """As `eval_model --per-image` writes them: PICTURE-MODEL.json, one number a metric."""

    def write(picture: str, model: str, **results: float) -> Path:
        path = tmp_path / f"{picture}-{model}.json"
        content = {"source": picture, "name": "hyper", "description": "Inference (ans)", "results": results}
        path.write_text(json.dumps(content))
        return path

    for picture, rate in (("kodim01", 0.2), ("kodim02", 0.4)):
        write(picture, "hyper-mse-1", bpp=rate, **{"psnr-rgb": 30.0 + rate, "ms-ssim-rgb": 0.9})
        last = write(picture, "hyper-mse-2", bpp=2 * rate, **{"psnr-rgb": 33.0, "encoding_time": 0.5})
    points = read(tmp_path, "kodak").points
    assert [(point.codec, point.bits_per_pixel) for point in points] == [
        ("hyper", pytest.approx(0.3)),
        ("hyper", pytest.approx(0.6)),
    ]
    assert points[0].scores == {"psnr": pytest.approx(30.3), "ms-ssim": pytest.approx(0.9)}
    assert points[1].encode_seconds == 0.5
    with pytest.raises(InterchangeError, match="import the folder"):
        read(last, "kodak")
    with pytest.raises(InterchangeError, match="--set"):
        read(tmp_path)
    last.unlink()
    with pytest.raises(InterchangeError, match="hyper-mse-2 lacks kodim02"):
        read(tmp_path, "kodak")


def test_a_table_of_means_is_read_with_its_gaps(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_text(
        "model,dataset,bpp,fid,ms_ssim,psnr\n"
        "A,kodak,0.044,,0.846,24.73\n"
        "A,div2k,0.044,18.5,0.880,25.50\n"
        "B,kodak,0.014,,0.760,23.14\n"
    )
    points = read(path).points
    assert [(point.codec, point.image_set) for point in points] == [
        ("A", "kodak"),
        ("A", "div2k"),
        ("B", "kodak"),
    ]
    assert points[0].scores == {"ms-ssim": 0.846, "psnr": 24.73}
    assert points[1].scores["fid"] == 18.5
    path.write_text("model,dataset,bpp\nA,kodak,much\n")
    with pytest.raises(InterchangeError, match="line 2"):
        read(path)


def test_decibels_of_ms_ssim_become_ms_ssim(tmp_path: Path) -> None:
    path = tmp_path / "paper.json"
    content = {"name": "p", "results": {"bpp": [0.5], "ms-ssim-db-rgb": [15.0]}}
    path.write_text(json.dumps(content))
    (point,) = read(path, "kodak").points
    assert point.scores == {"ms-ssim": pytest.approx(1 - 10**-1.5)}
    with pytest.raises(InterchangeError, match="--set"):
        read(path)


def test_published_points_of_a_set_are_replaced_not_doubled(ran: Path) -> None:
    path = ran / "twice.csv"
    path.write_text("model,dataset,bpp,psnr\nZ,pictures,1,30\nZ,pictures,2,33\n")
    printed(ran, "import", path)
    path.write_text("model,dataset,bpp,psnr\nZ,pictures,1,31\n")
    printed(ran, "import", path)
    store = Store(str(ran / "arena"))
    points = [point for point in read_published(store) if point.codec == "Z"]
    store.close()
    assert [point.scores for point in points] == [{"psnr": 31.0}]


def test_tables_go_out_as_latex_json_csv_and_parquet(ran: Path) -> None:
    printed(ran, "export", "latex", "board.tex", "--anchor", "jpeg", "-m", "psnr")
    page = (ran / "board.tex").read_text()
    assert r"\begin{tabular}" in page
    # BD-rates, and below them where codecs without a curve stand at their own bytes.
    assert page.count(r"\toprule") == page.count(r"\bottomrule") == 2
    body = page.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert "jpeg & anchor" in body
    assert "−" not in page
    assert all(line.count("&") == body.splitlines()[1].count("&") for line in body.splitlines()[1:-1] if line)
    printed(ran, "export", "json", "board.json", "--anchor", "jpeg")
    rows = json.loads((ran / "board.json").read_text())[0]["rows"]
    assert {row["codec"] for row in rows} >= {"jpeg", "webp"}
    for form in ("csv", "parquet"):
        printed(ran, "export", form, f"rates.{form}", "--what", "rates")
    frames = [
        pd.read_csv(ran / "rates.csv", float_precision="round_trip"),
        pd.read_parquet(ran / "rates.parquet"),
    ]
    for frame in frames:
        assert {"mean_bits_per_pixel", "total_bits_per_pixel", "header_bytes"} <= set(frame.columns)
    assert frames[0]["total_bits_per_pixel"].tolist() == frames[1]["total_bits_per_pixel"].tolist()
    ended = call("export", "latex", "cells.tex", "--what", "cells", folder=ran)
    assert ended.returncode == 2
    assert "--what leaderboard" in ended.stderr
