"""Six photographs and a white slide that both codecs give back identical, in every table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_rows import CELL, MS_SSIM, PSNR, texts
from stored_cells import part_of

from codecarena.bench.records.rows import Score, ScoredCell
from codecarena.bench.store.store import Store
from codecarena.reports.files.export import write
from codecarena.reports.files.report import report
from codecarena.reports.tables.comparisons import comparison_tables
from codecarena.reports.tables.evidence import curve_points
from codecarena.reports.tables.leaderboard_tables import leaderboard_tables, rate_points

SLIDE = "slide.png"
LEFT_OUT = (
    "BD-rate of webp: over 6 of 7 pictures, without slide.png: identical to the original at some setting of "
    "the codec or of jpeg."
)


def cell(codec: str, picture: str, setting: int, rate: float, psnr: float | None) -> ScoredCell:
    similarity = Score(1.0, lossless=True) if psnr is None else Score(1 - 10 ** (-psnr / 20))
    return replace(
        CELL, image_set="photos", picture=picture, picture_sha256=picture, kind="natural", seed=None,
        codec=codec, codec_id=f"{codec}-id", family="classic", toy=False, quality=setting,
        picture_generator=None, codec_generator=None, verdict=None, pixel_count=10**6,
        bitstream_bytes=round(rate * 10**6 / 8), decoded_sha256=f"{codec} {picture} {setting}",
        scores={PSNR.metric_id: Score(psnr, psnr is None), MS_SSIM.metric_id: similarity},
    )  # fmt: skip


def cells(slide: bool) -> list[ScoredCell]:
    gains = np.random.default_rng(4).normal(0, 0.1, (2, 6))
    stored = [
        cell(
            codec, f"photo{place}.png", setting, 0.1 * 2**setting * factor * np.exp(gain), 28.0 + 3 * setting
        )
        for codec, factor, of_codec in (("jpeg", 1.0, gains[0]), ("webp", 0.7, gains[1]))
        for place, gain in enumerate(of_codec)
        for setting in range(4)
    ]
    blank = [cell(codec, SLIDE, setting, 0.01, None) for codec in ("jpeg", "webp") for setting in range(4)]
    return [*stored, *blank * slide]


@pytest.fixture(params=[PSNR, MS_SSIM], ids=["unbounded", "bounded"])
def stores(make_store: Callable, request: pytest.FixtureRequest) -> tuple[Store, Store]:
    return tuple(make_store(cells(slide), metrics=(request.param,)) for slide in (False, True))


def test_the_leaderboard_stays_and_names_the_slide(stores: tuple[Store, Store]) -> None:
    (without,), (slide,) = (leaderboard_tables(store) for store in stores)
    assert slide.title == without.title
    for column in (0, 1, 2, 4, 5):
        assert [row[column] for row in texts(slide)] == [row[column] for row in texts(without)]
    assert [row[3].replace(" of 6/7", "") for row in texts(slide)] == [row[3] for row in texts(without)]
    assert LEFT_OUT in slide.notes
    record = slide.rows[0].record["bd_rate"]
    (of_metric,) = record.values()
    assert (of_metric["pictures"], of_metric["common_pictures"]) == (6, 7)
    assert of_metric["pictures_left_out"] == [SLIDE]
    assert of_metric["verdict"] == "better"


def test_the_front_the_wins_and_the_points_are_of_the_photographs(stores: tuple[Store, Store]) -> None:
    without, slide = (part_of(store) for store in stores)
    tables = [comparison_tables(part, part.metrics[0], points=True) for part in (without, slide)]
    for place, at in ((0, None), (1, None), (2, -1)):
        here, there = (
            [[text.replace("/6", "") for text in row[:at]] for row in texts(of_store[place])]
            for of_store in tables
        )
        assert here == there
    wins, front, points = tables[1]
    assert any("4 settings beaten" in note for note in front.notes)
    assert (
        "BD-rates of jpeg, webp: over 6 of 7 pictures, without slide.png: identical to the original at some "
        "setting of the codec." in wins.notes
    )
    for table in (front, points):
        assert (
            "Means over 6 of 7 pictures, without slide.png: identical to the original at some setting of a "
            "codec." in table.notes
        )
    assert rate_points(slide, slide.metrics[0])[1] == 6
    of_charts = [
        rate_points(part, part.metrics[0], curve_points(part, part.metrics[0])) for part in (without, slide)
    ]
    assert of_charts[0] == of_charts[1]


def test_compressais_files_and_the_report_keep_both_codecs(
    stores: tuple[Store, Store], tmp_path: Path
) -> None:
    folders = tmp_path / "without", tmp_path / "slide"
    notes: list[str] = []
    for store, folder in zip(stores, folders, strict=True):
        assert write(store, "compressai", folder, note=notes.append) == "2 files"
    for codec in ("jpeg", "webp"):
        without, slide = (json.loads((folder / "photos" / f"{codec}.json").read_text()) for folder in folders)
        assert slide["results"] == without["results"]
        assert (slide["meta"]["pictures"], slide["meta"]["pictures_left_out"]) == (6, [SLIDE])
        assert f"{codec}: means over 6 of 7 pictures, without slide.png" in " ".join(notes)
    (curves,) = (part for part in report(stores[1]).sections if part.title.startswith("Rate and"))
    assert any("without slide.png" in line for line in curves.lines)


def test_why_a_table_is_of_scores_at_a_rate(make_store: Callable) -> None:
    low = [
        replace(coded, codec="webp", codec_id="webp-id", scores={PSNR.metric_id: Score(9.0 + coded.quality)})
        for coded in cells(slide=False)
        if coded.codec == "jpeg"
    ]
    jpeg = [coded for coded in cells(slide=False) if coded.codec == "jpeg"]
    (table,) = leaderboard_tables(make_store([*jpeg, *low], metrics=(PSNR,)))
    assert table.title.startswith("Scores at")
    assert table.notes[0] == (
        "Scores at a rate, as there are no BD-rates to compare by: webp and jpeg share no score."
    )
    (asked,) = leaderboard_tables(make_store([*jpeg, *low], metrics=(PSNR,)), at="bpp=0.5")
    assert not any("as there are no BD-rates" in note for note in asked.notes)


def test_codecs_that_share_too_few_pictures_are_named_and_take_none_away(make_store: Callable) -> None:
    usual = cells(slide=False)
    near = [
        cell("near", f"photo{place}.png", setting, 2.0 + setting, 30.0 + 3 * setting if place == 0 else None)
        for place in range(6)
        for setting in range(4)
    ]
    png = [cell("png", f"photo{place}.png", 0, 9.0, None) for place in range(6)]
    part = part_of(make_store([*usual, *near, *png], metrics=(PSNR,)))
    _, front = comparison_tables(part, PSNR)
    assert {row[0] for row in texts(front)} == {"webp"}
    assert "Not among them: near, which is lossy at all its settings on 1 of 6 pictures only." in front.notes
    assert "Not among them: png, which is lossless." in front.notes
    points, pictures = rate_points(part, PSNR)
    assert ({point.codec for point in points}, pictures) == ({"jpeg", "webp"}, 6)
    (table, *_) = leaderboard_tables(make_store([*usual, *near, *png], metrics=(PSNR,)), anchor="jpeg")
    rows = {row[0]: row for row in texts(table)}
    assert rows["png"][1] == "– lossless"
    assert any(
        note.startswith("BD-rate of near: over 1 of 6 pictures, without photo1.png, photo2.png, photo3.png")
        for note in table.notes
    )
