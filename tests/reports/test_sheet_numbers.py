"""Which settings, pictures and crops a contact sheet shows, and what its captions say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from report_rows import BUTTERAUGLI, CELL, MS_SSIM, PSNR

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.records.rows import Score, ScoredCell, Verdict
from codecarena.reports.files.contact_sheet import Band, Pick, Sheet, plan
from codecarena.reports.files.page_pictures import page_sheet
from codecarena.reports.files.sheet_drawing import captions, why_empty, window


def cell(codec: str, picture: str, size: int, **changes: Any) -> ScoredCell:
    """Return a cell of 800 pixels: 100 bytes are 1 bit per pixel."""
    known: dict[str, Any] = {"family": "classic", "toy": False, "pixel_count": 800, "verdict": None}
    return replace(
        CELL, image_set="photos", picture=f"{picture}.png", picture_sha256=picture, codec=codec,
        codec_id=f"{codec}-id", bitstream_bytes=size, decoded_sha256=f"{codec} {picture} {size}",
        quality=float(size), **{**known, **changes},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sizes", "at", "shown", "nearest"),
    [
        ((50, 200), "bpp=0.9", 50, 0.5),  # 0.9 / 0.5 is nearer 1 than 2 / 0.9
        ((50, 200), "bpp=1.1", 200, 2.0),
        ((50, 800), "bpp=1", 50, 0.5),  # exactly the factor of two
        ((49, 800), "bpp=1", None, 0.49),
        ((201, 800), "bpp=1", None, 2.01),
        ((900,), "bpp=1", None, 9.0),  # though it is the only setting there is
        ((), "bpp=1", None, None),
    ],
)
def test_which_setting_stands_for_a_codec(
    make_store: Callable, sizes: tuple[int, ...], at: str, shown: int | None, nearest: float | None
) -> None:
    cells = [
        *(cell("zip", "a", size) for size in sizes),
        *(cell("zip", "b", size) for size in (1, 2)),
        cell("ref", "a", 100),
    ]
    band = plan(make_store(cells, metrics=(PSNR,)), at=at, pictures=["a"]).bands[0]
    pick = next(pick for pick in band.picks if pick.codec == "zip")
    assert (pick.cell and pick.cell.bitstream_bytes, pick.nearest_rate) == (shown, nearest)


def test_a_sheet_puts_families_in_order_and_names_imported_codecs(make_store: Callable) -> None:
    cells = [
        cell("apple", "a", 100, family="generative"), cell("pear", "a", 100, family="learned", toy=True),
        cell("zip", "a", 100), cell("kiwi", "a", 100, imported=True), cell("zip", "b", 100),
        cell("zip", "e", 100), cell("zip", "d", 100), cell("zip", "c", 100),
    ]  # fmt: skip
    sheet = plan(make_store(cells, metrics=(BUTTERAUGLI, PSNR, MS_SSIM)), at="bpp=1")
    assert [band.picture for band in sheet.bands] == ["a.png", "b.png", "c.png", "d.png"]
    assert [(pick.codec, pick.toy) for pick in sheet.bands[0].picks] == [
        ("kiwi (imported)", False), ("zip", False), ("pear", True), ("apple", False),
    ]  # fmt: skip
    assert [pick.nearest_rate for pick in sheet.bands[1].picks] == [None, 1.0, None, None]
    assert sheet.metrics == (PSNR, BUTTERAUGLI)
    assert (sheet.image_set, sheet.bits_per_pixel) == ("photos", 1.0)
    assert len(sheet.cells) == 7
    chosen = plan(make_store(cells, metrics=(PSNR,)), at="bpp=1", pictures=["d", "b.png"], codecs=["zip"])
    assert [band.picture for band in chosen.bands] == ["d.png", "b.png"]
    assert [pick.codec for band in chosen.bands for pick in band.picks] == ["zip", "zip"]


def test_the_usual_rate_of_a_sheet(make_store: Callable) -> None:
    classic = [cell("zip", "a", size) for size in (10, 30, 60)] + [
        cell("jpeg", "a", 55),
        cell("jpeg", "b", 49),
    ]
    store = make_store(classic, metrics=(PSNR,))
    # Zip on a, jpeg on a and on b all come near 0.5 and 0.75: the first of them.
    assert plan(store).bits_per_pixel == 0.5
    learned = [cell("net", "a", 90, family="learned"), cell("net", "b", 130, family="learned"),
               cell("net", "b", 700, family="learned", probe=True)]  # fmt: skip
    # Both learned results, and all three of zip and jpeg, lie within a factor of two of 0.75 as of 0.9.
    assert plan(make_store([*classic, *learned], metrics=(PSNR,))).bits_per_pixel == 0.9
    assert plan(make_store(learned, metrics=(PSNR,))).bits_per_pixel == pytest.approx(1.1)
    toy = cell("small", "a", 300, toy=True)
    assert plan(make_store([*classic, toy], metrics=(PSNR,))).bits_per_pixel == 3.0
    only_probe = make_store([cell("net", "b", 700, family="learned", probe=True)], metrics=(PSNR,))
    assert plan(only_probe).bits_per_pixel == 7.0


@pytest.mark.parametrize("at", ["psnr=30", "bpp=0", "bpp=-1", "bpp=inf"])
def test_a_sheet_is_matched_by_a_rate_above_0(make_store: Callable, at: str) -> None:
    with pytest.raises(AnalysisError, match="expected bpp=NUMBER"):
        plan(make_store([cell("zip", "a", 100)], metrics=(PSNR,)), at=at)


def test_captions_and_reasons() -> None:
    assert captions(CELL, [PSNR, BUTTERAUGLI, MS_SSIM]) == [
        "2.00 bpp · PSNR 31.25 dB",
        "Butteraugli 2.50",
        "MS-SSIM –",
    ]
    lossless = replace(
        CELL, scores={PSNR.metric_id: Score(None, lossless=True)}, verdict=Verdict("failed", "x", None)
    )
    assert captions(lossless, [PSNR]) == ["2.00 bpp · PSNR lossless"]
    assert captions(CELL, []) == ["2.00 bpp"]
    assert why_empty(Pick("zip", False, None, None), 1.0) == "no result for this picture"
    assert why_empty(Pick("zip", False, None, 4.25), 0.5) == (
        "no setting within a factor of 2 of 0.50 bpp; the nearest has 4.2 bpp"
    )


def test_the_window_is_where_the_detail_is() -> None:
    pixels = np.full((40, 60, 3), 90, np.uint8)
    pixels[25:30, 41:46] = np.arange(25, dtype=np.uint8).reshape(5, 5, 1) * 7 % 23 + 80
    left, top, right, bottom = window(pixels, 8)
    assert (right - left, bottom - top) == (8, 8)
    assert left <= 41
    assert right >= 46
    assert top <= 25
    assert bottom >= 30
    # One hard edge counts less than texture: a step of 200 as much as one of 24.
    edge = np.zeros((8, 40, 3), np.uint8)
    edge[:, 5:12] = 200
    edge[:, 25::2] = 23
    assert window(edge, 8)[0] >= 24


def test_a_page_shows_whole_rows_while_there_is_room() -> None:
    random = np.random.default_rng(5)
    pixels = {name: random.integers(0, 256, (30, 20, 3), dtype=np.uint8) for name in ("a", "b", "zip a 100")}
    picks = (
        Pick("zip", True, cell("zip", "a", 100), 1.0), Pick("gone", False, cell("gone", "a", 100), 1.0),
        Pick("far", False, None, 4.0),
    )  # fmt: skip
    sheet = Sheet(
        "photos", 1.0, (Band("a.png", "a", picks), Band("b.png", "b", ()), Band("c.png", "c", ())), (PSNR,)
    )
    missing = {"gone a 100": "the decoder changed", "c": "the file is gone"}
    page = page_sheet(sheet, pixels, missing)
    assert [strip.picture for strip in page.strips] == ["a.png", "b.png"]
    assert (page.image_set, page.rate, page.left_out) == ("photos", "1.0", ("c.png: the file is gone",))
    first = page.strips[0]
    assert (first.width, first.height, first.place) == (
        20,
        30,
        "20 × 30 pixels from column 0, row 0, of 20 × 30",
    )
    assert [(shot.name, bool(shot.source), shot.toy) for shot in first.shots] == [
        ("original", True, False), ("zip", True, True), ("gone", False, False), ("far", False, False),
    ]  # fmt: skip
    assert first.shots[1].lines == ("1.00 bpp · PSNR 31.25 dB",)
    assert first.shots[2].lines == ("1.00 bpp · PSNR 31.25 dB", "the decoder changed")
    assert first.shots[3].lines == ("no setting within a factor of 2 of 1.0 bpp; the nearest has 4.0 bpp",)
    sizes = [sum(len(shot.source) for shot in strip.shots) for strip in page.strips]
    exact = page_sheet(sheet, pixels, missing, sum(sizes))
    assert [strip.picture for strip in exact.strips] == ["a.png", "b.png"]
    less = page_sheet(sheet, pixels, missing, sum(sizes) - 1)
    assert [strip.picture for strip in less.strips] == ["a.png"]
    assert less.left_out[0] == "b.png: no room in a page of this size"
    none = page_sheet(sheet, pixels, {}, sizes[1])
    assert [strip.picture for strip in none.strips] == ["b.png"]
    assert none.left_out[1] == "c.png: not there"
