"""Every column of every export holds its own number: rows by hand, of cells that differ in all."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from report_rows import BUTTERAUGLI, CELL, MS_SSIM, PSNR, text_columns, texts, values
from stored_cells import part_of

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.records.rows import Score, ScoredCell, Verdict
from codecarena.bench.store.imports import Published
from codecarena.reports.files.compressai import results
from codecarena.reports.files.export import cell_rows, write
from codecarena.reports.tables.published_table import published_table
from codecarena.reports.tables.rate_table import rate_table
from codecarena.reports.tables.seed_table import seed_table

ROW = {
    "image_set": "drawn", "picture": "otter.png", "kind": "ai-generated", "generator": "SDXL Turbo",
    "affinity": "same generator family", "codec": "latent(steps=4)", "codec_id": "latent-id",
    "family": "generative", "toy": True, "imported": False, "probe": False, "quality": 0.75, "seed": 5,
    "pixels": 484, "bits_per_pixel": 2.0, "rate_kind": "bytes", "bitstream_bytes": 121, "header_bytes": 7,
    "payload_bytes": 101, "side_bytes": 13, "encode_seconds": 0.3, "decode_seconds": 1.3,
    "contended": True, "lossless": False, "verified": "differs", "isolation": "unshare",
    "encoder_repeats": False, "picture_sha256": "original", "bitstream_sha256": "bits",
    "decoded_sha256": "decoded", "butteraugli": 2.5, "psnr": 31.25,
}  # fmt: skip


def cell(picture: str, quality: float, size: int, psnr: float | None = 30.0, **changes: Any) -> ScoredCell:
    """Return a cell of a picture of 800 pixels, or of 1,600 where its name is in capitals."""
    scores = {PSNR.metric_id: Score(psnr, lossless=psnr is None)} | changes.pop("scores", {})
    return replace(
        CELL, image_set="photos", picture=f"{picture}.png", picture_sha256=picture, kind="natural",
        pixel_count=1600 if picture.isupper() else 800, quality=quality, bitstream_bytes=size, scores=scores,
        seed=None, toy=False, picture_generator=None, codec_generator=None, verdict=None,
        **changes,
    )  # fmt: skip


def test_every_column_of_a_cell_holds_its_own_number(make_store: Callable) -> None:
    (row,) = cell_rows(make_store([CELL], metrics=(PSNR, BUTTERAUGLI)))
    assert row == ROW
    assert list(row) == list(ROW)


def test_what_a_cell_does_not_have_is_empty(make_store: Callable) -> None:
    bare = replace(
        CELL, imported=True, bitstream_sha256="", decoded_sha256="original", encode_seconds=(),
        decode_seconds=(), verdict=None, picture_generator=None, contended=False, toy=False, probe=True,
        scores={PSNR.metric_id: Score(None, lossless=True)},
    )  # fmt: skip
    empty = dict.fromkeys((
        "header_bytes", "payload_bytes", "side_bytes", "encode_seconds", "decode_seconds", "verified",
        "isolation", "encoder_repeats", "bitstream_sha256", "generator", "psnr", "butteraugli",
    ))  # fmt: skip
    (row,) = cell_rows(make_store([bare], metrics=(PSNR, BUTTERAUGLI)))
    changed = {
        "imported": True, "contended": False, "toy": False, "probe": True, "affinity": "none",
        "lossless": True, "decoded_sha256": "original",
    }  # fmt: skip
    assert row == ROW | empty | changed


def test_identities_of_one_name_are_columns_of_their_own(make_store: Callable) -> None:
    newer = replace(PSNR, metric_id="newer", version="0.2")
    both = replace(CELL, scores={PSNR.metric_id: Score(31.0), "newer": Score(32.0)})
    (row,) = cell_rows(make_store([both], metrics=(PSNR, newer, BUTTERAUGLI)))
    assert row["psnr (codecarena 0.1)"] == 31.0
    assert row["psnr (codecarena 0.2)"] == 32.0
    assert row["butteraugli"] is None
    assert "psnr" not in row


def test_cells_as_files(make_store: Callable, tmp_path: Path) -> None:
    import pandas as pd

    store = make_store([CELL], metrics=(PSNR, BUTTERAUGLI))
    assert write(store, "csv", tmp_path / "cells.csv") == "1 row"
    with (tmp_path / "cells.csv").open() as opened:
        (row,) = csv.DictReader(opened)
    assert row == {name: str(value) for name, value in ROW.items()}
    assert write(store, "parquet", tmp_path / "cells.parquet") == "1 row"
    assert pd.read_parquet(tmp_path / "cells.parquet").to_dict("records") == [ROW]
    assert write(store, "json", tmp_path / "cells.json", "cells") == "1 row"
    assert json.loads((tmp_path / "cells.json").read_text()) == [ROW]


def test_tables_as_files(make_store: Callable, tmp_path: Path) -> None:
    store = make_store([cell("a", 1, 100), cell("a", 2, 200, 32.0)], metrics=(PSNR,))
    assert write(store, "csv", tmp_path / "rates.csv", "rates") == "2 rows of 1 table"
    with (tmp_path / "rates.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    assert [row["table"] for row in rows] == ["Rates · photos"] * 2
    assert [float(row["mean_bits_per_pixel"]) for row in rows] == [1.0, 2.0]
    assert write(store, "json", tmp_path / "board.json", at="bpp=2") == "1 row of 1 table"
    (document,) = json.loads((tmp_path / "board.json").read_text())
    assert document["title"] == "Scores at 2.0 bits per pixel · photos"
    assert write(store, "csv", tmp_path / "board.csv", "leaderboard", at="bpp=2") == "1 row of 1 table"
    with (tmp_path / "board.csv").open() as opened:
        (row,) = csv.DictReader(opened)
    assert float(row[f"scores.{PSNR.metric_id}.median"]) == 32.0
    assert write(store, "latex", tmp_path / "rates.tex", "rates") == "2 rows of 1 table"
    assert (tmp_path / "rates.tex").read_text().startswith(r"\begin{table*}")


@pytest.mark.parametrize(
    ("form", "what", "message"),
    [
        ("xls", None, "cannot export 'xls'; expected csv, parquet, json, latex or compressai"),
        ("csv", "votes", "--what 'votes': expected cells, leaderboard, rates or seeds"),
        ("latex", "cells", "a row a cell is no table for a page"),
        ("csv", "seeds", "the store holds nothing for the table seeds"),
    ],
)
def test_an_export_that_cannot_be_says_why(
    make_store: Callable, tmp_path: Path, form: str, what: str | None, message: str
) -> None:
    store = make_store([cell("a", 1, 100)], metrics=(PSNR,))
    with pytest.raises(AnalysisError, match=message):
        write(store, form, tmp_path / "out", what)


@pytest.mark.parametrize(("form", "what"), [("csv", None), ("compressai", None), ("csv", "rates")])
def test_an_empty_store_exports_nothing(make_store: Callable, tmp_path: Path, form: str, what: str) -> None:
    with pytest.raises(AnalysisError, match="holds no"):
        write(make_store(), form, tmp_path / "out", what)


def test_a_file_that_cannot_be_written_is_named(make_store: Callable, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match=r"cannot write .*missing"):
        write(make_store([CELL], metrics=(PSNR,)), "csv", tmp_path / "missing" / "cells.csv")


def in_two_sizes() -> list[ScoredCell]:
    """Setting 9 is cheap: 1 and 0.5 bits per pixel; setting 2 is dear: 3 and 2."""
    return [
        cell("a", 9, 100, 30, encode_seconds=(0.6, 0.1, 0.2), decode_seconds=(1.0, 9.0, 2.0), header_bytes=3,
             payload_bytes=90, side_bytes=7, scores={MS_SSIM.metric_id: Score(0.90)}),
        cell("B", 9, 100, 32, encode_seconds=(0.4,), decode_seconds=(4.0,), header_bytes=5,
             payload_bytes=82, side_bytes=13, scores={MS_SSIM.metric_id: Score(0.94)}),
        cell("a", 2, 300, 40, encode_seconds=(0.5,), decode_seconds=(5.0,), header_bytes=3,
             payload_bytes=280, side_bytes=17, scores={MS_SSIM.metric_id: Score(0.98)}),
        cell("B", 2, 400, 44, encode_seconds=(0.7,), decode_seconds=(8.0,), header_bytes=5,
             payload_bytes=376, side_bytes=19, scores={MS_SSIM.metric_id: Score(0.99)}),
    ]  # fmt: skip


def test_compressai_files_hold_means_by_rising_rate(make_store: Callable, tmp_path: Path) -> None:
    store = make_store(in_two_sizes(), metrics=(PSNR, MS_SSIM, BUTTERAUGLI))
    assert write(store, "compressai", tmp_path) == "1 file"
    document = json.loads((tmp_path / "photos" / "latent_steps=4.json").read_text())
    numbers = document.pop("results")
    assert document == {
        "name": "latent(steps=4)",
        "description": "latent(steps=4), by codecarena; means over 2 pictures of photos",
        "meta": {
            "dataset": "photos", "pictures": 2, "pictures_left_out": [], "qualities": [9, 2],
            "imported": False, "rate_kind": "bytes", "contended_times": True,
            "metrics": {"psnr-rgb": "codecarena 0.1", "ms-ssim-rgb": "codecarena 0.2"},
        },
    }  # fmt: skip
    assert list(numbers) == ["bpp", "ms-ssim-rgb", "psnr-rgb", "encoding_time", "decoding_time"]
    for name, expected in {
        "bpp": [0.75, 2.5],
        "psnr-rgb": [31, 42],
        "ms-ssim-rgb": [0.92, 0.985],
        "encoding_time": [0.3, 0.6],  # of a's three repeats the median, 0.2
        "decoding_time": [3.0, 6.5],
    }.items():
        assert numbers[name] == pytest.approx(expected), name


def test_compressai_leaves_out_what_it_cannot_say(make_store: Callable) -> None:
    small, *rest = in_two_sizes()
    untimed = [replace(small, decode_seconds=(), contended=False)]
    untimed += [replace(other, contended=False, decode_seconds=()) if other.quality == 9 else other
                for other in rest]  # fmt: skip
    lossless = cell("a", 1, 500, None), cell("B", 1, 900, 50)
    probe = cell("a", 9, 50, 20, probe=True, codec_id="other", codec="other")
    part = part_of(make_store([*untimed, *lossless, probe], metrics=(PSNR,)))
    (content,) = results(part).files.values()
    assert content["meta"]["qualities"] == [9, 2]
    assert content["results"].keys() == {"bpp", "psnr-rgb", "encoding_time"}
    nothing = results(part_of(make_store(lossless[:1], metrics=(PSNR,))))
    assert (nothing.files, nothing.notes) == (
        {},
        ("latent(steps=4): no file, as it gives every picture back identical.",),
    )
    quiet = [replace(cell, contended=False, imported=True) for cell in in_two_sizes()]
    (content,) = results(part_of(make_store(quiet, metrics=(PSNR,)))).files.values()
    assert content["meta"]["contended_times"] is False
    assert content["meta"]["imported"] is True


def test_compressai_keeps_two_identities_of_a_name_apart(make_store: Callable) -> None:
    newer = replace(PSNR, metric_id="newer-identity")
    both = [replace(cell, scores={**cell.scores, "newer-identity": Score(20.0)}) for cell in in_two_sizes()]
    (content,) = results(part_of(make_store(both, metrics=(PSNR, newer)))).files.values()
    assert content["results"]["psnr-rgb newer-"] == [20.0, 20.0]
    assert content["results"]["psnr-rgb psnr-i"] == [31, 42]


def test_rates_of_a_set_and_what_the_bytes_are_for(make_store: Callable) -> None:
    cells = [*in_two_sizes(), cell("C", 2, 1, codec="gone", codec_id="gone", probe=True)]
    cells = [
        replace(cell, verdict=Verdict("failed", "none", None)) if cell.quality == 9 else cell
        for cell in cells
    ]
    table = rate_table(part_of(make_store(cells, metrics=(PSNR,))))
    assert table.title == "Rates · photos"
    assert texts(table) == [
        # All of 200 bytes over all of 2,400 pixels; the parts are means of the two pictures.
        ["latent(steps=4) ✗", "9", "0.75", "0.67", "4", "86", "10", "2/3"],
        ["latent(steps=4) ✗", "2", "2.50", "2.33", "4", "328", "18", "2/3"],
    ]
    assert text_columns(table) == ["Codec"]
    assert values(table)[0] == pytest.approx([None, 9, 0.75, 2 / 3, 4, 86, 10, 2])
    assert len(table.notes) == 2
    assert table.notes[1].startswith("✗ latent(steps=4): 2 of 4 bitstreams")
    record = table.rows[0].record
    assert (record["header_bytes"], record["payload_bytes"], record["side_bytes"]) == (4, 86, 10)
    toys = [replace(cell, toy=True, imported=True) for cell in in_two_sizes()]
    toy = rate_table(part_of(make_store(toys, metrics=(PSNR,))))
    assert texts(toy)[0] == ["latent(steps=4) (toy) (imported)", "9", "0.75", "0.67", "–", "–", "–", "2/2"]


def test_what_the_seed_changes(make_store: Callable) -> None:
    scores = {"a": (30.0, 32.0, 34.0), "B": (40.0, 43.0)}
    cells = [
        replace(cell(picture, 4.5, 100, score), seed=seed)
        for picture, of_seeds in scores.items()
        for seed, score in enumerate(of_seeds)
    ]
    table = seed_table(part_of(make_store([*cells, cell("C", 4.5, 7, 99)], metrics=(PSNR,))), [PSNR])
    assert table is not None
    # Within: (8 + 4.5) / 3 = 4.1667. Means 32 and 41.5: 45.125, less 4.1667 times the mean of 1/3 and 1/2.
    assert texts(table) == [
        ["latent(steps=4)", "4.5", "0.75", "PSNR", "36.75", "2.04", "6.59", "4.00", "2.5", "2"]
    ]
    assert text_columns(table) == ["Codec", "Metric"]
    expected = [36.75, math.sqrt(12.5 / 3), math.sqrt(45.125 - 12.5 / 3 * 5 / 12), 4.0, 2.5, 2.0]
    assert values(table)[0][4:] == pytest.approx(expected)
    assert values(table)[0][:4] == [None, 4.5, 0.75, None]
    single_seed = seed_table(part_of(make_store(cells[:3], metrics=(PSNR,))), [PSNR])
    assert single_seed is not None
    assert texts(single_seed)[0][6] == "–"
    assert seed_table(part_of(make_store([cells[0], cells[3]], metrics=(PSNR,))), [PSNR]) is None


def test_published_means_beside_a_codec_of_ours(make_store: Callable) -> None:
    sizes, scores = (10, 20, 40, 80), (30, 33, 36, 39)
    expected = [
        cell(picture, place, size, score, codec="jpeg", codec_id="jpeg-id")
        for picture in "ab"
        for place, (size, score) in enumerate(zip(sizes, scores, strict=True))
    ]

    def published(codec: str, factor: float, up: float, image_set: str = "photos") -> list[Published]:
        return [
            Published(image_set, codec, factor * size / 100, {"psnr": score + up, "vmaf": 7.0}, None, 3, 5,
                      f"a paper on {codec}")
            for size, score in zip(sizes, scores, strict=True)
        ]  # fmt: skip

    points = [
        *published("far", 1, 100), *published("dearer", 1.25, 0), *published("half", 0.5, 0),
        *published("shifted", 2, 3), *published("elsewhere", 0.1, 0, "kodak"), *published("thin", 2, 3.09),
    ]  # fmt: skip
    points = [replace(point, rate_kind="estimated") if point.codec == "half" else point for point in points]
    part = part_of(make_store(expected, metrics=(PSNR, MS_SSIM)))
    table = published_table(part, points, [PSNR], "jpeg-id")
    assert table is not None
    assert table.title == "Published, against jpeg · photos"
    assert "jpeg is its mean over 2 pictures measured here" in table.notes[0]
    assert texts(table) == [
        ["half (estimated)", "PSNR", "−50.0", "100", "4", "0.050…0.40", "a paper on half"],
        # 33.09 to 39 of 30 to 42.09 dB are less than half; 0.03 octaves fewer bits.
        ["thin", "PSNR", "−2.1*", "48", "4", "0.20…1.60", "a paper on thin"],
        # Both reach 33 to 39 dB, 6 of the 12 dB that they span, and need as many bits for them.
        ["shifted", "PSNR", "0.0", "50", "4", "0.20…1.60", "a paper on shifted"],
        ["dearer", "PSNR", "+25.0", "100", "4", "0.12…1.00", "a paper on dearer"],
        ["far", "PSNR", "– no overlap", "–", "4", "0.10…0.80", "a paper on far"],
    ]
    assert [note for note in table.notes if note.startswith("*")] == [
        "* The two curves share less than half of the range they span together."
    ]
    assert [note for note in table.notes if note.startswith("(estimated) half: ")]
    assert text_columns(table) == ["Published codec", "Metric", "Rate range, bits/pixel", "Source"]
    assert values(table)[0][2:6] == pytest.approx([-50.0, 100.0, 4.0, 0.05])
    record = table.rows[0].record
    assert {**record, "bd_rate_percent": round(record["bd_rate_percent"], 6)} == {
        "codec": "half", "metric": "psnr", "anchor": "jpeg", "bd_rate_percent": -50.0, "reason": None,
        "overlap": 1.0, "points": 4, "lowest_rate": 0.05, "highest_rate": 0.4, "rate_kind": "estimated",
        "provenance": "a paper on half",
    }  # fmt: skip
    assert published_table(part, published("elsewhere", 1, 0, "kodak"), [PSNR], None) is None
    with pytest.raises(AnalysisError, match="nothing was measured here on photos"):
        published_table(part_of(make_store([], metrics=(PSNR,))), points, [PSNR], None)
    usual = published_table(part, points, [PSNR], None)
    assert usual is not None
    assert usual.title == "Published, against jpeg · photos"


def test_means_over_pictures_are_of_the_pictures_that_the_codec_finished(make_store: Callable) -> None:
    unfinished = cell("c", 9, 800, 10, encode_seconds=(90.0,), decode_seconds=(90.0,))
    part = part_of(make_store([*in_two_sizes(), unfinished], metrics=(PSNR,)))
    (content,) = results(part).files.values()
    assert content["meta"]["pictures"] == 2
    assert content["results"]["psnr-rgb"] == [fmean((30, 32)), fmean((40, 44))]
    assert content["results"]["encoding_time"] == pytest.approx([0.3, 0.6])
