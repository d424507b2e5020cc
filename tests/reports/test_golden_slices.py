"""A part of a store holds the pictures, codecs, failures and searches of that part, in the right order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from report_rows import BUTTERAUGLI, CELL, PSNR, text_columns, texts, values
from row_oracle.selections import slice_of
from stored_cells import store_of
from zoo import cells, failure, zoo_of

from codecarena.bench.records.rows import Score
from codecarena.bench.store.store import Store
from codecarena.reports.files.curve_files import as_csv, picture_points
from codecarena.reports.server.picture_choice import (
    Target,
    largest_gap_first,
    nearest_cells,
    numbers,
    numbers_table,
    panes,
    worst_first,
)
from codecarena.reports.tables import selection
from codecarena.reports.tables.kinds import dividing_pictures, points_by_kind, points_table
from codecarena.reports.tables.leaderboard_tables import RatePoint
from codecarena.reports.tables.selection import Selection, StoredColumns


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return zoo_of(tmp_path_factory.mktemp("zoo") / "arena")


@pytest.fixture(scope="module")
def source(zoo: Store) -> StoredColumns:
    return StoredColumns(zoo, "zoo")


def but_of(families: Sequence[str]) -> list[str]:
    """Return the ids of the codecs of other families than these; none where there are none."""
    of_family = {"zip-id": "classic", "latent-id": "generative", "hyper-id": "learned"}
    return [codec_id for codec_id, family in of_family.items() if families and family not in families]


def test_a_store_gives_back_the_cells_that_it_holds(zoo: Store) -> None:
    by_key = {(cell.codec, cell.picture, cell.quality): cell for cell in zoo.cells("zoo")}
    assert by_key == {(cell.codec, cell.picture, cell.quality): cell for cell in cells()}


@pytest.mark.parametrize(
    ("kind", "families", "codecs", "pictures", "failed", "targets"),
    [
        (
            None,
            (),
            {"zip", "latent", "hyper"},
            {"ant", "bee", "cat", "dog"},
            {"ant", "bee", "dog"},
            {1, 2, 3, 33.5},
        ),
        ("natural", (), {"zip", "latent", "hyper"}, {"ant", "cat"}, {"ant"}, {1, 3}),
        ("ai-generated", (), {"zip", "latent", "hyper"}, {"bee", "dog"}, {"bee", "dog"}, {2, 3, 33.5}),
        (None, ("learned",), {"hyper"}, {"ant", "bee", "cat", "dog"}, {"dog"}, {1, 2, 3, 33.5}),
        ("ai-generated", ("generative", "classic"), {"zip", "latent"}, {"bee", "dog"}, {"bee"}, {2, 3, 33.5}),
    ],
)
def test_a_part_holds_what_is_of_its_pictures_and_codecs(
    source: StoredColumns, kind: Any, families: Sequence[str], codecs: set[str], pictures: set[str],
    failed: set[str], targets: set[float],
) -> None:  # fmt: skip
    part = Selection(source, kind, but_of(families))
    expected = [
        (cell.codec, cell.picture, cell.quality)
        for cell in cells()
        if cell.codec in codecs and cell.picture_sha256 in pictures
    ]
    columns = part.columns
    measured = zip(columns.codec, columns.picture, columns.quality, strict=True)
    assert sorted(
        (columns.codecs[codec].label, columns.pictures[picture].name, quality)
        for codec, picture, quality in measured
    ) == sorted(expected)
    assert {grid.codec.label for grid in part.grids} == codecs
    assert {failure.picture_sha256 for failure in part.failures} == failed
    assert {match.match.target for match in part.matches} == targets
    assert part.scope == " | ".join(["zoo", kind or "every kind", *sorted(but_of(families))])


def test_a_failure_of_a_codec_without_any_result_stays_in_every_family(zoo: Store) -> None:
    source = StoredColumns(zoo, "zoo")
    source.failures = [failure("ant", "unseen"), failure("ant", "zip")]
    assert [failure.codec for failure in Selection(source, None, but_of(["learned"])).failures] == ["unseen"]


def test_what_a_source_holds(source: StoredColumns) -> None:
    assert source.kinds == ["ai-generated", "natural"]
    assert source.families == ["classic", "generative", "learned"]
    assert source.encode_seconds.tolist() == [0.3] * 24
    fresh = StoredColumns(source.store, None)
    assert not fresh.has_read(PSNR.metric_id)
    assert fresh.matches == []
    fresh.scores(PSNR.metric_id)
    assert fresh.has_read(PSNR.metric_id)
    assert not fresh.has_read(BUTTERAUGLI.metric_id)


def test_a_search_is_shown_where_it_was_for_the_very_target(source: StoredColumns) -> None:
    part = Selection(source)
    assert {row.codec.label for row in part.at_rate([PSNR], 1.0) if row.achieved} == {"zip"}
    assert not any(row.achieved for row in part.at_rate([PSNR], 1.1))
    assert any(row.achieved for row in part.at_score(PSNR, 33.5))
    assert not any(row.achieved for row in part.at_score(BUTTERAUGLI, 33.5))
    assert not any(row.achieved for row in Selection(source, "ai-generated").at_rate([PSNR], 1.0))


def test_costs_are_of_the_chosen_measurements(source: StoredColumns) -> None:
    (row,) = Selection(source, "natural", but_of(["classic"])).at_score(PSNR, 36.0)
    assert row.codec.label == "zip"
    assert row.encode_seconds is not None
    assert row.encode_seconds.median == pytest.approx(0.3)
    # ant reaches 36 dB at 2 bits per pixel; cat half way between 0.9 and 1.8, in logarithms.
    assert row.bits_per_pixel is not None
    assert row.bits_per_pixel.median == pytest.approx((2.0 + math.sqrt(0.9 * 1.8)) / 2)


def test_a_codec_and_a_picture_that_were_measured_together_are_a_pair() -> None:
    columns = SimpleNamespace(
        pictures=["a", "b", "c"], codec=np.array([2, 1, 0, 1, 1]), picture=np.array([1, 2, 2, 0, 2])
    )
    part: Any = SimpleNamespace(columns=columns)
    assert Selection._pairs(part) == [(0, 2), (1, 0), (1, 2), (2, 1)]


def test_a_failure_on_a_picture_of_two_names_is_told_once() -> None:
    def failed(image_set: str, picture: str, sha256: str) -> Any:
        return SimpleNamespace(image_set=image_set, picture=picture, picture_sha256=sha256)

    first, again = failed("park", "b", "same"), failed("park", "b", "same")
    others = [failed("park", "a", "same"), failed("park", "c", "same"), failed("zoo", "b", "same")]
    alone = failed("zoo", "d", "other")
    assert selection._once([first, *others, again, alone]) == [first, again, alone]


def test_times_and_byte_parts_are_read_once(source: StoredColumns) -> None:
    for name in ("encode_seconds", "decode_seconds", "byte_parts"):
        assert getattr(source, name) is getattr(source, name)


def test_affinity_counts_pictures_not_cells(source: StoredColumns, zoo: Store) -> None:
    expected = {("latent", "same generator family"): 1}
    assert Selection(source).affinities() == expected
    assert slice_of(zoo, "zoo").affinities() == expected
    assert Selection(source, "natural").affinities() == {}
    assert slice_of(zoo, "zoo", "natural").affinities() == {}


def test_the_usual_score_is_the_median_rounded(source: StoredColumns) -> None:
    # Of 30, 31, 33, 34, 35, 36, 37 and 39, each three times.
    assert Selection(source).usual_score(PSNR) == 34.5
    assert Selection(source, "natural").usual_score(BUTTERAUGLI) == 2.45
    assert Selection(source).usual_score(replace(PSNR, metric_id="unscored")) == 0.0


@pytest.mark.parametrize(
    ("metric", "target", "expected"),
    [
        # At 1 bit per pixel every cheap setting is the nearest one, at 2 every dear one.
        (PSNR, Target(1.0), [("bee", 30.0), ("dog", 31.0), ("ant", 33.0), ("cat", 35.0)]),
        (PSNR, Target(2.0), [("dog", 34.0), ("ant", 36.0), ("cat", 37.0), ("bee", 39.0)]),
        (BUTTERAUGLI, Target(1.0), [("bee", 3.0), ("dog", 2.9), ("ant", 2.7), ("cat", 2.5)]),
        (BUTTERAUGLI, Target(2.0), [("dog", 2.6), ("ant", 2.4), ("cat", 2.3), ("bee", 2.1)]),
        # Nearest 34.6 dB: ant 36, bee 39, cat 35, dog 34; nearest Butteraugli 2.6 likewise, but bee's 3.0.
        (BUTTERAUGLI, Target(34.6, PSNR), [("dog", 2.6), ("cat", 2.5), ("ant", 2.4), ("bee", 2.1)]),
        (PSNR, Target(2.6, BUTTERAUGLI), [("bee", 30.0), ("ant", 33.0), ("dog", 34.0), ("cat", 35.0)]),
    ],
)
def test_the_worst_picture_of_a_codec_stands_first(
    source: StoredColumns, metric: Any, target: Target, expected: list[tuple[str, float]]
) -> None:
    part = Selection(source)
    (grid,) = (grid for grid in part.grids if grid.codec.label == "zip")
    listed = worst_first(part, grid, metric, target)
    assert [name for name, _ in listed] == [f"{name}.png" for name, _ in expected]
    assert [score for _, score in listed] == pytest.approx([score for _, score in expected])


def test_pictures_without_a_score_come_last_by_name(tmp_path: Path) -> None:
    unscored = [
        replace(cell, scores={}) if cell.picture_sha256 in ("cat", "ant") and cell.codec == "zip" else cell
        for cell in cells()
    ]
    part = Selection(StoredColumns(store_of(tmp_path / "arena", unscored, (PSNR, BUTTERAUGLI)), "zoo"))
    (grid,) = (grid for grid in part.grids if grid.codec.label == "zip")
    listed = worst_first(part, grid, PSNR, Target(2.0))
    assert [name for name, _ in listed] == ["dog.png", "bee.png", "ant.png", "cat.png"]
    assert [math.isnan(score) for _, score in listed] == [False, False, True, True]


@pytest.mark.parametrize(
    ("metric", "target", "expected"),
    [
        # At 1 bit per pixel zip is at 1, 1.1, 0.9 and 0.8, hyper at 1, 2.2, 0.9 and 1.2: only ant matches.
        (PSNR, Target(1.0),
         [("ant", -3.0, True), ("dog", -3.0, False), ("cat", -2.0, False), ("bee", 0.0, False)]),
        (BUTTERAUGLI, Target(1.0),
         [("ant", -0.3, True), ("dog", -0.3, False), ("cat", -0.2, False), ("bee", 0.0, False)]),
    ],
)  # fmt: skip
def test_pictures_with_the_largest_gap_of_two_codecs_stand_first(
    source: StoredColumns, metric: Any, target: Target, expected: list[tuple[str, float, bool]]
) -> None:
    gaps = largest_gap_first(Selection(source), ("zip-id", "hyper-id"), metric, target)
    assert [(gap.picture, gap.difference, gap.is_fair) for gap in gaps] == [
        (f"{name}.png", pytest.approx(difference), is_fair) for name, difference, is_fair in expected
    ]


def test_settings_that_a_search_found_count_in_the_order(tmp_path: Path) -> None:
    bee = next(cell for cell in cells() if cell.picture_sha256 == "bee" and cell.codec == "zip")
    found_by_search = replace(
        bee, quality=1.1, probe=True, bitstream_bytes=100, bitstream_sha256="searched",
        decoded_sha256="searched", scores={PSNR.metric_id: Score(29.0)},
    )  # fmt: skip
    stored = store_of(tmp_path / "arena", [*cells(), found_by_search], (PSNR, BUTTERAUGLI))
    part = Selection(StoredColumns(stored, "zoo"))
    (grid,) = (grid for grid in part.grids if grid.codec.label == "zip")
    assert worst_first(part, grid, PSNR, Target(1.0))[0] == ("bee.png", 29.0)


@pytest.mark.parametrize(
    ("target", "hyper", "zip_"),
    [
        (Target(1.3), 120, 160),  # bits per pixel: 0.6 or 1.2; 0.8 or 1.6, nearer by ratio
        (Target(0.5), 60, 80),
        (Target(33.0, PSNR), 120, 160),
        (Target(32.0, PSNR), 60, 80),
        (Target(2.85, BUTTERAUGLI), 60, 80),
        (Target(2.65, BUTTERAUGLI), 120, 160),
    ],
)
def test_each_codec_is_shown_at_its_setting_nearest_the_target(
    zoo: Store, target: Target, hyper: int, zip_: int
) -> None:
    shown = nearest_cells(
        zoo, "zoo", "dog", {"zip-id": "zip", "none-id": "none", "hyper-id": "hyper"}, target
    )
    assert list(shown) == ["zip", "hyper"]
    assert (shown["hyper"].bitstream_bytes, shown["zip"].bitstream_bytes) == (hyper, zip_)
    assert {pane.picture_sha256 for pane in shown.values()} == {"dog"}


def test_distances_from_a_target_are_ratios_of_rates_and_differences_of_scores() -> None:
    rates, scores = np.array([0.5, 1.0, 4.0]), np.array([2.0, 3.5, 1.0])
    assert Target(1.0).distances(rates, scores) == pytest.approx(np.log([2.0, 1.0, 4.0]))
    assert Target(2.5, BUTTERAUGLI).distances(rates, scores) == pytest.approx([0.5, 1.0, 1.5])
    assert Target(2.0, PSNR).distances(rates, None) == pytest.approx(np.log([4.0, 2.0, 2.0]))


def test_pictures_are_shown_with_their_own_numbers() -> None:
    lossless = replace(CELL, scores={PSNR.metric_id: Score(None, lossless=True)}, toy=False, quality=7.0)
    nothing = replace(CELL, scores={PSNR.metric_id: Score(None, applicable=False)}, toy=False)
    shown = {"latent": CELL, "png": lossless, "text": nothing}
    assert [numbers(cell, [PSNR, BUTTERAUGLI]) for cell in shown.values()] == [
        "2.00 bpp · setting 0.75 · PSNR 31.25 dB · Butteraugli 2.50",
        "2.00 bpp · setting 7 · lossless",
        "2.00 bpp · setting 0.75",
    ]
    table = numbers_table(shown, [PSNR, BUTTERAUGLI], "Numbers", Target(1.9))
    assert [column.heading for column in table.columns] == [
        "Codec", "Rate, bits/pixel", "From 1.90 bpp", "File, kB", "Setting", "PSNR, dB", "Butteraugli",
    ]  # fmt: skip
    assert texts(table) == [
        ["latent (toy)", "2.00", "+5.3 %", "0.121", "0.75", "31.25", "2.50"],
        ["png", "2.00", "+5.3 %", "0.121", "7", "– lossless", "–"],
        ["text", "2.00", "+5.3 %", "0.121", "0.75", "–", "–"],
    ]
    assert text_columns(table) == ["Codec"]
    assert values(table)[0] == [None, 2.0, 2.0, 121.0, 0.75, 31.25, 2.5]
    assert {row.entries[2].tone for row in table.rows} == {"worse"}
    hints = [row.entries[5].hint for row in table.rows]
    assert hints == ["", "The pixels are the original's.", "The picture holds nothing to measure."]
    assert table.rows[1].entries[6].hint.startswith("Not scored")
    listed = panes("otter.png", "original", {"latent": CELL}, [PSNR], ["flip", "difference"],
                   Target(30.0, PSNR))  # fmt: skip
    assert [(picture.name, picture.address) for picture in listed] == [
        ("Original", "look/original/original"),
        ("latent", "look/decoded/original/decoded"),
        ("FLIP: latent", "look/map/flip/original/decoded"),
        ("Difference: latent", "look/map/difference/original/decoded"),
    ]
    assert listed[0].numbers == "otter.png"
    assert listed[1].numbers == "2.00 bpp · setting 0.75 · PSNR 31.25 dB · +1.25 dB from PSNR 30.00 dB"


def test_bd_rates_on_either_kind_are_of_the_pictures_of_that_kind(source: StoredColumns) -> None:
    points = points_by_kind(Selection(source), PSNR, "zip-id")
    assert points.keys() == {"hyper", "latent"}
    # On natural pictures hyper needs half the bits of zip.
    assert points["hyper"]["natural"] == pytest.approx(-50.0)
    # Of the AI-generated ones both codecs' mean curves: 1.4 and 2.8 against 0.95 and 1.9 bits per pixel.
    assert points["hyper"]["ai-generated"] == pytest.approx(100 * (1.4 / 0.95 - 1))
    assert points["latent"]["natural"] == pytest.approx(100 * ((125 + 90) / (100 + 90) - 1))
    assert points["latent"]["ai-generated"] == pytest.approx(100 * ((11 + 88) / (110 + 80) - 1))
    assert points_by_kind(Selection(source, "natural"), PSNR, "zip-id").keys() == {"hyper", "latent"}
    assert points_by_kind(Selection(source, "natural"), PSNR, "zip-id")["hyper"].keys() == {"natural"}
    assert points_by_kind(Selection(source), PSNR, "unknown") == {}
    table = points_table({"zeta": {"natural": -50.0}, "alpha": {"ai-generated": 12.5, "natural": 1.0}}, "T")
    assert [column.title for column in table.columns] == ["Codec", "Natural", "AI-generated"]
    assert texts(table) == [["alpha", "+1.0", "+12.5"], ["zeta", "−50.0", "–"]]
    assert text_columns(table) == ["Codec"]
    assert values(table) == [[None, 1.0, 12.5], [None, -50.0, None]]


def test_pictures_that_divide_a_codec_from_itself(source: StoredColumns) -> None:
    table = dividing_pictures(Selection(source), PSNR, "zip-id")
    # The median of four is half way between the middle ones, in logarithms.
    hyper, latent = math.sqrt(0.5 * 0.75), math.sqrt(1.0 * 1.1)
    usual = {"hyper": 100 * (hyper - 1), "latent": 100 * (latent - 1)}
    factors = {
        ("hyper", "ant"): 0.5, ("hyper", "bee"): 2.0, ("hyper", "cat"): 0.5, ("hyper", "dog"): 0.75,
        ("latent", "ant"): 1.25, ("latent", "bee"): 0.1, ("latent", "cat"): 1.0, ("latent", "dog"): 1.1,
    }  # fmt: skip
    far = {
        key: abs(math.log(factor / (hyper if key[0] == "hyper" else latent)))
        for key, factor in factors.items()
    }
    shown = [(row.record["codec"], row.record["picture"].removesuffix(".png")) for row in table.rows]
    assert [far[key] for key in shown] == pytest.approx(sorted(far.values(), reverse=True))
    assert shown[:2] == [("latent", "bee"), ("hyper", "bee")]
    assert text_columns(table) == ["Picture", "Kind", "Codec"]
    assert texts(table)[0] == ["bee.png", "AI-generated", "latent", "−90.0", "+4.9"]
    kinds = {row.entries[0].text: row.entries[1].text for row in table.rows}
    assert kinds == {
        "ant.png": "natural",
        "bee.png": "AI-generated",
        "cat.png": "natural",
        "dog.png": "AI-generated",
    }
    for row, (codec, picture) in zip(table.rows, shown, strict=True):
        assert row.entries[3].value == pytest.approx(100 * (factors[codec, picture] - 1))
        assert row.entries[4].value == pytest.approx(usual[codec])
    assert table.notes == ("BD-rate against zip by PSNR; the page Look shows them.",)
    assert dividing_pictures(Selection(source), PSNR, "unknown").rows == ()
    # Of two pictures a codec may differ from itself; of one it cannot.
    two = dividing_pictures(Selection(source, "natural"), PSNR, "zip-id")
    assert [row.record["codec"] for row in two.rows] == ["latent", "latent", "hyper", "hyper"]


def test_the_points_of_one_picture(source: StoredColumns) -> None:
    points = picture_points(Selection(source, None, but_of(["classic", "learned"])), PSNR, "dog.png")
    assert points == [
        RatePoint("hyper", 1.5, pytest.approx(0.6), 31.0, False, "hyper-id"),  # type: ignore[arg-type]
        RatePoint("hyper", 2.5, pytest.approx(1.2), 34.0, False, "hyper-id"),  # type: ignore[arg-type]
        RatePoint("zip", 1.5, pytest.approx(0.8), 31.0, False, "zip-id"),  # type: ignore[arg-type]
        RatePoint("zip", 2.5, pytest.approx(1.6), 34.0, False, "zip-id"),  # type: ignore[arg-type]
    ]
    assert picture_points(Selection(source), PSNR, "unknown.png") == []
    written = as_csv([RatePoint("a, b", 1.5, 0.25, 31.0, True, "id", 30.5, 31.75)], PSNR)
    assert written.decode().splitlines() == [
        "codec,codec_id,setting,bits_per_pixel,psnr,low_95,high_95,rate_kind",
        '"a, b",id,1.5,0.25,31.0,30.5,31.75,bytes',
    ]
