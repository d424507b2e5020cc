"""What each column and key of another tool's file becomes, and how a wrong place is named."""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from codecarena.bench.records.identities import MetricIdentity
from codecarena.bench.records.messages import Describe, Described, Failed, Outcome
from codecarena.bench.run import import_results
from codecarena.bench.run.foreign_results import (
    Content,
    InterchangeError,
    PublishedPoint,
    Reconstruction,
    read,
)
from codecarena.bench.run.import_results import ImportOptions, Report, _Import, same_names


@pytest.mark.parametrize(
    ("size", "unit", "expected"),
    [
        (7, "bytes", 7),
        (6.1, "bytes", 7),
        (6.000001, "bytes", 6),
        (16, "bits", 2),
        (17, "bits", 3),
        (0.5, "bpp", 10),  # of 160 pixels
        (0.501, "bpp", 11),
        (1e-9, "bpp", 1),
    ],
)
def test_a_bitstream_has_whole_bytes(size: float, unit: str, expected: int) -> None:
    row = Reconstruction(2, "a", Path("a.png"), "c", size, unit, 0.0, None, None, None)
    assert row.bitstream_bytes(160) == expected


def written(folder: Path, text: str, name: str = "file.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_row_of_reconstructions_is_read_column_by_column(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "picture,decoded,codec,bits,bpp,quality,seed,encode_seconds,decode_seconds,note\n"
        "a,a/b.png,mine,80,9,3.5,7,1.5,2.5,x\n"
        "b,/c.png,theirs,90,9,,,,,\n",
    )
    content = read(path)
    assert content == Content(
        reconstructions=(
            Reconstruction(2, "a", tmp_path / "a/b.png", "mine", 80.0, "bits", 3.5, 7, 1.5, 2.5),
            Reconstruction(3, "b", Path("/c.png"), "theirs", 90.0, "bits", 0.0, None, None, None),
        ),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    assert [reconstruction.codec for reconstruction in read(path, codec="wanted").reconstructions] == [
        "wanted"
    ] * 2
    path.write_text("\ufeffpicture,decoded,codec,bpp,bytes\na,b.png,c,9,80\n")
    (row,) = read(path).reconstructions
    assert (row.size, row.unit, row.picture) == (80.0, "bytes", "a")


HEAD = "picture,decoded,bytes,codec,quality,seed\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("picture,decoded\na,b\n", "one of bytes, bits, bpp; it has picture, decoded"),
        ("decoded,bytes\na,1\n", "expected the columns picture"),
        (HEAD, "no rows"),
        (HEAD + "a,b,1,,,\n", "line 2: no codec"),
        (HEAD + "a,b,1,c,,\n,b,1,c,,\n", "line 3: expected a picture, its decoded file and bytes above 0"),
        (HEAD + "a,,1,c,,\n", "line 2: expected a picture"),
        (HEAD + "a,b,,c,,\n", "line 2: expected a picture"),
        (HEAD + "a,b,0,c,,\n", "line 2: expected a picture"),
        (HEAD + "a,b,nan,c,,\n", "line 2, bytes: expected a number, got 'nan'"),
        (HEAD + "a,b,1,c,x,\n", "line 2, quality: expected a number, got 'x'"),
        (HEAD + "a,b,1,c,1,\na,b,1,d,1,\na,b,1,c,2,\na,e,5,c,1.0,\n", "line 5: c on a stands in line 2"),
        (HEAD + "a,b,1,c,1,\na,b,1,c,1,0\na,b,1,c,1,0\n", "line 4: c on a stands in line 3 already"),
        ("", "its columns are none"),
        ("a,b\n1,2\n", "its columns are a, b"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named_by_its_line(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InterchangeError, match=re.escape(reason)) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))


def test_means_take_our_names_and_scales(tmp_path: Path) -> None:
    text = "{},bpp,PSNR,psnr-rgb,ms_ssim,ms-ssim-db-rgb,quality,encoding_time,decoding_time,fid\n"
    path = written(
        tmp_path, text.format("model,dataset") + "m,d,0.5,,30,0.9,,4,1.5,2.5,7\nn,d,1,1,,,10,,,,\n"
    )
    first, second = read(path).points
    assert first == PublishedPoint("d", "m", 0.5, {"psnr": 30.0, "ms-ssim": 0.9, "fid": 7.0}, 4.0, 1.5, 2.5)
    assert second.scores == {"PSNR": 1.0, "ms-ssim": pytest.approx(0.9)}
    assert (second.quality, second.encode_seconds, second.decode_seconds) == (None, None, None)
    (wanted, _) = read(path, "set", "codec").points
    assert (wanted.image_set, wanted.codec) == ("set", "codec")
    path.write_text("codec,image_set,bpp,psnr\nc,s,1,30\n")
    assert read(path).points == (PublishedPoint("s", "c", 1.0, {"psnr": 30.0}),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("model,bpp\nm,1\n", "line 2: expected columns 'model' and 'dataset', or --codec and --set"),
        ("dataset,bpp\nd,1\n", "line 2: expected columns"),
        ("model,dataset,bpp\nm,d,1\nm,d,\n", "line 3: no bpp"),
        ("model,dataset,bpp,fid\nm,d,1,inf\n", "line 2, fid: expected a number, got 'inf'"),
        ("model,dataset,bpp,psnr\nm,d,1,-inf\n", "line 2, psnr: expected a number, got '-inf'"),
        ("model,dataset,bpp,vmaf\nm,d,1,inf\n", "line 2, vmaf: expected a number, got 'inf'"),
        ("model,dataset,bpp\nm,d,-0.1\n", "line 2, bpp: expected more than 0, got -0.1"),
        ("model,dataset,bpp\nm,d,0\n", "line 2, bpp: expected more than 0, got 0"),
        ("model,dataset,bpp,psnr\nm,d,1,-3\n", "line 2, psnr: -3 is outside its range, at least 0"),
        (
            "model,dataset,bpp,ms_ssim\nm,d,1,14\n",
            "line 2, ms_ssim: 14 is outside its range, 0 to 1; of values in decibels call the column "
            "ms-ssim-db-rgb",
        ),
        ("model,dataset,bpp,ms-ssim\nm,d,1,-1\n", "line 2, ms-ssim: -1 is outside its range, 0 to 1"),
        ("model,dataset,bpp,vmaf\nm,d,1,104\n", "line 2, vmaf: 104 is outside its range, 0 to 100"),
    ],
)
def test_a_wrong_mean_is_named_by_its_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InterchangeError, match=re.escape(reason)):
        read(written(tmp_path, text))


RESULTS = {
    "bpp": [0.5, 0.25],
    "psnr-rgb": [30, 28],
    "encoding_time": [1.5, 2.5],
    "decoding_time": [3.5, 4.5],
}


def compressai(**changed: Any) -> dict[str, Any]:
    meta = {"dataset": "kodak", "qualities": [2, 1], "source": "a paper", "url": "https://a.example"}
    return {"name": "hyper", "description": "ours", "results": RESULTS, "meta": meta, **changed}


def test_compressais_lists_become_points_in_order_of_their_rates(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps(compressai()), "file.JSON")
    content = read(path)
    assert content == Content(
        points=(
            PublishedPoint("kodak", "hyper", 0.25, {"psnr": 28.0}, 1.0, 2.5, 4.5),
            PublishedPoint("kodak", "hyper", 0.5, {"psnr": 30.0}, 2.0, 1.5, 3.5),
        ),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        origin="ours; a paper; https://a.example",
    )
    (point, _) = read(path, "set", "codec").points
    assert (point.image_set, point.codec) == ("set", "codec")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ([], "expected an object with results.bpp, a list"),
        ({"results": []}, "expected an object with results.bpp, a list"),
        (compressai(results={"bpp": 1}), "expected an object with results.bpp, a list"),
        (compressai(name=None), "name the --codec: the file has no name"),
        (compressai(meta={}), "name the --set: the file does not say its image set"),
        (compressai(meta=7), "name the --set: the file does not say its image set"),
        (compressai(results=RESULTS | {"x": [1]}), "results.x: expected a list of 2 numbers"),
        (compressai(results=RESULTS | {"x": 1}), "results.x: expected a list of 2 numbers"),
        (
            compressai(results=RESULTS | {"ms-ssim": [0.9, 14.0]}),
            "results, place 1, ms-ssim: 14 is outside its range, 0 to 1",
        ),
        (compressai(results=RESULTS | {"bpp": [0.5, -0.1]}), "place 1, bpp: expected more than 0, got -0.1"),
        (compressai(results=RESULTS | {"x": [1, None]}), "results, place 1, x: expected a number, got None"),
        (compressai(meta={"dataset": "d", "qualities": [1]}), "results.quality: expected a list of 2"),
    ],
)
def test_a_wrong_list_is_named_by_its_key(tmp_path: Path, content: Any, reason: str) -> None:
    with pytest.raises(InterchangeError, match=re.escape(reason)):
        read(written(tmp_path, json.dumps(content), "file.json"))


def test_a_point_of_identical_pictures_is_kept_without_the_scores_that_have_no_number(tmp_path: Path) -> None:
    """CompressAI writes Infinity as the PSNR of a lossless point."""
    results = {
        "bpp": [0.5, 8.0],
        "psnr-rgb": [30.0, math.inf],
        "ms-ssim-rgb": [0.9, 1.0],
        "ms-ssim-db-rgb": [10.0, math.inf],
    }
    lossy, lossless = read(written(tmp_path, json.dumps(compressai(results=results)), "file.json")).points
    assert lossy.scores == {"psnr": 30.0, "ms-ssim": pytest.approx(0.9)}
    assert (lossless.bits_per_pixel, lossless.scores) == (8.0, {"ms-ssim": 1.0})


def test_what_is_no_json_and_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(InterchangeError, match="not JSON"):
        read(written(tmp_path, "{", "file.json"))
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("bytes.csv", "none.csv"):
        with pytest.raises(InterchangeError, match=rf"{name}: cannot be read"):
            read(tmp_path / name)


def test_single_pictures_become_means_of_what_all_of_them_have(tmp_path: Path) -> None:
    files = {
        "a-m-1": {"bpp": 1.0, "psnr": 30.0, "fid": 1.0},
        "b-m-1": {"bpp": 2.0, "psnr": 34.0},
        "a-m-2": {"bpp": 0.5, "psnr": 28.0},
        "b-m-2": {"bpp": 0.25, "psnr": 27.0},
    }
    for name, results in files.items():
        written(tmp_path, json.dumps({"source": name[0], "name": "m", "results": results}), f"x/{name}.json")
    content = read(tmp_path, "kodak")
    assert content.points == (
        PublishedPoint("kodak", "m", 0.375, {"psnr": 27.5}),
        PublishedPoint("kodak", "m", 1.5, {"psnr": 32.0}),
    )
    assert content.origin == "means of 2 pictures' files"
    bodies = b"".join((tmp_path / "x" / f"{name}.json").read_bytes() for name in sorted(files))
    assert content.sha256 == hashlib.sha256(bodies).hexdigest()
    assert {point.codec for point in read(tmp_path, "kodak", "wanted").points} == {"wanted"}


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a-m", compressai(), "expected one picture's results"),
        ("a-m", {"source": "a", "name": "m"}, "expected one picture's results"),
        ("a-m", [1], "expected one picture's results"),
        ("a-m", {"name": "m", "results": {"bpp": 1}}, "expected a source, a name, and SOURCE-MODEL.json"),
        ("a-m", {"source": "a", "results": {"bpp": 1}}, "expected a source, a name"),
        ("b-m", {"source": "a", "name": "m", "results": {"bpp": 1}}, "expected a source, a name"),
        ("a-m", {"source": "a", "name": "m", "results": {"bpp": "x"}}, "a-m.json, bpp: expected a number"),
        ("a-m", {"source": "a", "name": "m", "results": {"psnr": 1}}, "m: no bpp"),
    ],
)
def test_a_wrong_file_of_a_single_picture_is_named(
    tmp_path: Path, name: str, content: Any, reason: str
) -> None:
    written(tmp_path, json.dumps(content), f"{name}.json")
    with pytest.raises(InterchangeError, match=re.escape(reason)):
        read(tmp_path, "kodak")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InterchangeError, match="holds no JSON files"):
        read(tmp_path, "kodak")


# Bringing pictures into a store.


def an_import(**fields: Any) -> _Import:
    made = _Import.__new__(_Import)
    made.image_set = "kodak"
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("named", "meant"),
    [("a.png", "a.png"), ("a.jpg", "a.jpg"), ("b", "b.png"), ("x/b.webp", "b.png"), ("c/d.png", "c/d.png")],
)
def test_a_row_means_the_picture_of_its_name_or_the_one_of_its_stem(named: str, meant: str) -> None:
    made = an_import(pictures={name: name for name in ("a.png", "a.jpg", "b.png", "c/d.png")})
    assert made.original(SimpleNamespace(picture=named), "here") == meant  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ("a", "'a' may be 2 pictures of the set kodak: a.png, a.jpg; write the one that is meant"),
        ("a.webp", "'a.webp' may be 2 pictures of the set kodak: a.png, a.jpg; write the one"),
        ("k.png", "'k.png' may be 2 pictures of the set kodak: x/k.png, y/k.png; write the one"),
        ("e", "the set kodak has no picture 'e'; it has a.png, a.jpg, b, x/k.png, y/k.png"),
    ],
)
def test_a_row_that_means_no_picture_or_two_is_refused(named: str, reason: str) -> None:
    made = an_import(pictures=dict.fromkeys(("a.png", "a.jpg", "b", "x/k.png", "y/k.png")))
    with pytest.raises(InterchangeError, match=re.escape(reason)):
        made.original(SimpleNamespace(picture=named), "here")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("plain\\k01.png", ["k01.png"]),
        ("C:\\sets\\plain\\k01.png", ["k01.png"]),
        ("./sub/k01.png", ["sub/k01.png"]),
        ("sub\\k02.png", ["sub/k02.png"]),
        ("other\\sub\\k02.bmp", ["sub/k02.png"]),
        ("K03.PNG", ["k03.png"]),
        ("cafe\u0301.png", ["caf\xe9.png"]),
        ("k02", ["sub/k02.png", "top/k02.png"]),
        ("k04", []),
    ],
)
def test_names_that_other_systems_write_mean_the_same_picture(wanted: str, meant: list[str]) -> None:
    names = ["k01.png", "sub/k01.png", "sub/k02.png", "top/k02.png", "k03.png", "caf\xe9.png"]
    assert same_names(wanted, names) == meant


def test_a_table_saved_on_windows_names_the_files_that_are_here(tmp_path: Path) -> None:
    (tmp_path / "q1").mkdir()
    (tmp_path / "q1" / "a.png").touch()
    saved = "picture;decoded;bytes;seed\r\nplain\\a.png;q1\\a.png;7;1.0\r\n".encode("utf-16")
    (tmp_path / "list.csv").write_bytes(saved)
    (row,) = read(tmp_path / "list.csv", codec="theirs").reconstructions
    assert (row.decoded, row.size, row.seed) == (tmp_path / "q1" / "a.png", 7, 1)


def test_pictures_are_scored_by_the_metrics_of_the_sets_other_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(job: Describe, _: object) -> Outcome:
        (name,) = job.metrics
        if name == "ssim":
            return Outcome(described=[Described(name, error="no library")])
        return Outcome(described=[Described(name, identity=MetricIdentity(name, "x", "1", "RGB"))])

    monkeypatch.setattr(import_results.pool, "supervise", describe)
    metrics = [SimpleNamespace(metric_id=f"id-{name}", name=name) for name in ("ciede2000", "ssim", "psnr")]
    scored = {"kodak": {"id-psnr", "id-ssim"}, "other": set[str]()}
    monkeypatch.setattr(import_results, "scored_metrics", lambda _, image_set: scored[image_set])
    store = SimpleNamespace(
        metrics=lambda: metrics,
        add_metric=lambda described: f"id of {described.what}",
    )
    made, report = an_import(store=store, options=ImportOptions()), Report()
    assert made.metric_ids(report) == {"psnr": "id of psnr"}
    assert report.notes == ["metric ssim: no library"]
    made.options = ImportOptions(metrics=("ciede2000",))
    assert made.metric_ids(report) == {"ciede2000": "id of ciede2000"}
    made.options, made.image_set = ImportOptions(), "other"
    assert made.metric_ids(report) == {"psnr": "id of psnr", "ms-ssim": "id of ms-ssim"}
    made.options = ImportOptions(metrics=("pnsr",))
    with pytest.raises(InterchangeError, match="did you mean 'psnr'"):
        made.metric_ids(report)


def test_a_picture_is_scored_by_what_it_lacks_and_failures_are_named() -> None:
    checked: Any = SimpleNamespace(
        codec="theirs",
        original=SimpleNamespace(sha256="sha-a", path="/a.png"),
        row=SimpleNamespace(decoded_sha256="pixels", key=SimpleNamespace(codec_id="id", quality=3.0)),
    )
    store = SimpleNamespace(blobs=SimpleNamespace(folder="/blobs"))
    have = {("sha-a", "pixels", "psnr-id"), ("sha-b", "pixels", "ssim-id"), ("sha-a", "other", "ssim-id")}
    cell = an_import(store=store).cell(checked, {"psnr": "psnr-id", "ssim": "ssim-id"}, have)
    assert (cell.metrics, cell.quality, cell.seed, cell.blobs) == (("ssim",), 3.0, None, "/blobs")
    assert cell.stored is not None
    assert (cell.stored.bitstream_sha256, cell.stored.decoded_sha256) == ("", "pixels")
    failed = [Failed("error", "score", "no", "ssim"), Failed("crash", "load", "died")]
    assert list(import_results._failures(checked, Outcome(failed=failed))) == [
        "theirs on /a.png: not scored by ssim: no",
        "theirs on /a.png: not scored: died",
    ]
