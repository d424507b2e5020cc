"""A picture that comes back identical costs itself, in the comparisons of the codec that did it alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engines import OfColumns, OfRecords, compare, leaderboard, split_by_kind
from scored_cells import PSNR, ladder_cells

from codecarena.bench.analysis.curve_batches import CurveBatch, log_rate_differences
from codecarena.bench.analysis.intervals import zero_test
from codecarena.bench.analysis.leaderboard import LOSSLESS, NO_COMMON_PICTURE, why_no_bd_rates
from codecarena.bench.analysis.mean_curves import finite_part
from codecarena.bench.analysis.pareto import pareto_points
from codecarena.bench.analysis.significance import (
    Paired,
    against_anchor,
    head_to_heads,
    point_evidence,
    rank_ranges,
)
from codecarena.bench.records.rows import ScoredCell

PHOTOS = tuple(f"photo{place}" for place in range(6))
IDENTICAL = [(0.01 * step, None) for step in (1, 2, 3, 4)]
"""A white slide."""


def curve(factor: float, seed: int) -> dict[str, list[tuple[float, float | None]]]:
    """Return curves of the photographs at about a multiple of a common rate."""
    detail = np.random.default_rng(1).normal(0, 0.4, len(PHOTOS))
    gain = np.random.default_rng(seed).normal(0, 0.1, len(PHOTOS))
    return {
        name: [
            (
                float(factor * 0.2 * 2**step * np.exp(detail[place] + gain[place])),
                28.0 + 3 * step - detail[place],
            )
            for step in range(4)
        ]
        for place, name in enumerate(PHOTOS)
    }


JPEG, WEBP, AVIF = curve(1.0, 2), curve(0.8, 3), curve(0.6, 4)
NEVER_LOSSLESS = [(0.001 * 2**step, 40.0 + 3 * step) for step in range(4)]


def stored(**slides: list[tuple[float, float | None]]) -> list[ScoredCell]:
    """Return three codecs' cells of the photographs, and of a slide where one is given."""
    curves = {"jpeg": JPEG, "webp": WEBP, "avif": AVIF}
    return [
        cell
        for codec, of_codec in curves.items()
        for cell in ladder_cells(codec, of_codec | ({"slide": slides[codec]} if codec in slides else {}))
    ]


@pytest.mark.parametrize("engine", [OfRecords, OfColumns])
def test_a_slide_that_is_identical_for_all_changes_no_bd_rate(engine) -> None:
    without = engine.leaderboard(stored(), PSNR, "jpeg")
    slide = engine.leaderboard(stored(jpeg=IDENTICAL, webp=IDENTICAL, avif=IDENTICAL), PSNR, "jpeg")
    assert [row.bd_rate for row in slide.rows] == [row.bd_rate for row in without.rows]
    assert [row.codec.label for row in slide.rows] == ["avif", "webp", "jpeg"]
    assert (without.common_pictures, slide.common_pictures) == (6, 7)
    for row in slide.rows:
        assert (row.pictures, row.left_out, row.lossless_settings) == (6, {"slide"}, ())
        assert row.pictures_with_bd_rate == 6


def test_nor_an_interval_a_test_a_place_a_front_or_a_point() -> None:
    cells = stored(), stored(jpeg=IDENTICAL, webp=IDENTICAL, avif=IDENTICAL)
    without, slide = (Paired(compare(of_store, PSNR), PSNR) for of_store in cells)
    assert against_anchor(slide, "id-jpeg") == against_anchor(without, "id-jpeg")
    assert rank_ranges(slide, "id-jpeg") == rank_ranges(without, "id-jpeg")
    assert head_to_heads(slide) == head_to_heads(without)
    assert pareto_points(slide, PSNR) == pareto_points(without, PSNR)
    assert point_evidence(slide) == point_evidence(without)
    assert sum(point.on_front for point in pareto_points(slide, PSNR)) == 4


@pytest.mark.parametrize("engine", [OfRecords, OfColumns])
def test_a_picture_costs_only_the_codecs_that_give_it_back_identical(engine) -> None:
    board = engine.leaderboard(stored(jpeg=NEVER_LOSSLESS, webp=NEVER_LOSSLESS, avif=IDENTICAL), PSNR, "jpeg")
    rows = {row.codec.label: row for row in board.rows}
    assert {label: (row.pictures, set(row.left_out)) for label, row in rows.items()} == {
        "jpeg": (7, set()),
        "webp": (7, set()),
        "avif": (6, {"slide"}),
    }
    plain = {row.codec.label: row for row in engine.leaderboard(stored(), PSNR, "jpeg").rows}
    assert rows["avif"].bd_rate == plain["avif"].bd_rate
    assert rows["webp"].bd_rate != plain["webp"].bd_rate


def test_a_pairs_interval_is_of_its_own_pictures_and_places_are_of_one_resample() -> None:
    comparison = compare(stored(jpeg=NEVER_LOSSLESS, webp=NEVER_LOSSLESS, avif=IDENTICAL), PSNR)
    paired = Paired(comparison, PSNR)
    assert len(paired.pictures) == 7
    assert paired.pictures_of(("id-jpeg", "id-avif")) == set(PHOTOS)
    slim, full = paired.against("id-jpeg", "id-avif"), paired.against("id-jpeg", "id-webp")
    assert (slim.groups[0].pictures, full.groups[0].pictures) == (6, 7)
    alone = Paired(compare(stored(), PSNR), PSNR)
    evidence = against_anchor(paired, "id-jpeg")["id-avif"]
    assert evidence.interval == against_anchor(alone, "id-jpeg")["id-avif"].interval
    # Together, a resample's weight of the slide is shared out among the others.
    kept = np.array([picture != "slide" for picture in paired.pictures])
    means = []
    for codec in ("id-jpeg", "id-avif"):
        table = comparison.table(codec, list(PHOTOS), [10.0, 20.0, 30.0, 40.0])
        weights = paired.resampling.weights[:, kept]
        weights = weights / weights.sum(axis=1, keepdims=True)
        means.append(CurveBatch(weights @ table.rates, weights @ table.scores))
    jointly = paired.against("id-jpeg", "id-avif", jointly=True)
    np.testing.assert_allclose(jointly.draws, log_rate_differences(*means)[1:])
    assert jointly.estimate == pytest.approx(slim.estimate)
    assert jointly.groups[0].pictures == 6


def test_a_codec_that_is_lossless_nearly_everywhere_takes_nobodys_pictures() -> None:
    near = {name: points if name == "photo0" else IDENTICAL for name, points in curve(2.0, 5).items()}
    cells = [*stored(), *ladder_cells("near", near)]
    plain = {row.codec.label: row.bd_rate for row in leaderboard(stored(), PSNR, "jpeg").rows}
    board = leaderboard(cells, PSNR, "jpeg")
    rows = {row.codec.label: row for row in board.rows}
    assert {label: rows[label].bd_rate for label in plain} == plain
    assert (rows["near"].pictures, rows["near"].bd_rate.percent is None) == (1, False)
    shared = board.comparison.shared
    assert (shared.pictures, shared.codec_ids) == (set(PHOTOS), {"id-jpeg", "id-webp", "id-avif"})
    paired, alone = (Paired(compare(of_store, PSNR), PSNR) for of_store in (cells, stored()))
    assert pareto_points(paired, PSNR) == pareto_points(alone, PSNR)
    assert against_anchor(paired, "id-jpeg")["id-near"].interval.reason == "fewer than 5 pictures"


def test_more_slides_than_photographs_leave_the_photographs() -> None:
    curves = {"jpeg": JPEG, "webp": WEBP}
    slides = {f"slide{place}": [*IDENTICAL[:3], (0.04, 60.0)] for place in range(9)}
    cells = [cell for codec, of_codec in curves.items() for cell in ladder_cells(codec, of_codec | slides)]
    plain = [row.bd_rate for row in leaderboard(stored(), PSNR, "jpeg").rows if row.codec.label != "avif"]
    assert [row.bd_rate for row in leaderboard(cells, PSNR, "jpeg").rows] == plain


def test_codecs_that_share_no_lossy_picture_and_lossless_ones_have_a_reason() -> None:
    halves = [dict.fromkeys(PHOTOS[:3], IDENTICAL), dict.fromkeys(PHOTOS[3:], IDENTICAL)]
    cells = [*ladder_cells("jpeg", JPEG | halves[0]), *ladder_cells("webp", WEBP | halves[1])]
    cells += ladder_cells("png", dict.fromkeys(PHOTOS, IDENTICAL[:1]))
    board = leaderboard(cells, PSNR, "jpeg")
    assert {row.codec.label: row.bd_rate.reason for row in board.rows} == {
        "jpeg": None,
        "webp": NO_COMMON_PICTURE,
        "png": LOSSLESS,
    }
    paired = Paired(board.comparison, PSNR)
    assert (against_anchor(paired, "id-jpeg"), rank_ranges(paired, "id-jpeg")) == ({}, {})
    assert zero_test(paired.against("id-jpeg", "id-webp")).interval.reason == "no pictures"
    assert why_no_bd_rates(board) == (
        "no two codecs have a BD-rate against jpeg; png: lossless; webp: no common picture"
    )
    assert len(board.comparison.shared.codec_ids) == 1


def test_natural_against_generated_is_without_the_slide_too() -> None:
    def kinds(cells: list[ScoredCell]) -> list[ScoredCell]:
        return [
            replace(cell, kind="ai-generated") if cell.picture_sha256 in PHOTOS[3:] else cell
            for cell in cells
        ]

    without = split_by_kind(kinds(stored()), PSNR, "jpeg")
    slide = split_by_kind(kinds(stored(jpeg=IDENTICAL, webp=IDENTICAL, avif=IDENTICAL)), PSNR, "jpeg")
    assert slide.rows == without.rows
    assert [row.natural.pictures for row in slide.rows] == [3, 3]


YES, NO = True, False


@pytest.mark.parametrize(
    ("finite", "pictures", "settings"),
    [
        ([[YES, YES], [YES, YES]], "11", "11"),
        ([[NO, NO], [YES, YES]], "01", "11"),  # a blank picture
        ([[YES, NO], [YES, NO], [YES, YES]], "111", "10"),
        ([[YES, NO], [YES, YES]], "01", "11"),  # as large a share of the pictures as of settings
        ([[YES, YES, NO], [YES, YES, NO], [YES, YES, YES]], "111", "110"),  # lossless on two of three
        ([[YES, YES, NO], [YES, YES, YES], [YES, YES, YES]], "011", "111"),
        ([[YES, YES, YES, NO], [YES, YES, YES, YES]], "11", "1110"),
        ([[NO, NO], [NO, NO]], "00", "00"),
        ([[YES, NO, NO], [YES, NO, NO], [YES, NO, NO], [YES, YES, YES]], "1111", "100"),
    ],
)
def test_what_is_averaged(finite: list[list[bool]], pictures: str, settings: str) -> None:
    masks = finite_part(np.array(finite))
    assert tuple("".join(str(int(flag)) for flag in mask) for mask in masks) == (pictures, settings)
