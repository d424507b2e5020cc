"""What pixels tell of an earlier JPEG or enlargement: tables, steps, grids and limits worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.fft import idctn

from codecarena.datasets.description import history
from codecarena.datasets.description.history import JpegTrace, jpeg_file_quality, jpeg_trace, upscaling

LOW = [(row, column) for row in range(4) for column in range(4) if row + column]


def table_of(quality: int, folder: Path) -> np.ndarray:
    """Return the luminance table that libjpeg writes at a quality, by Pillow."""
    path = folder / f"{quality}.jpg"
    Image.new("L", (8, 8)).save(path, quality=quality)
    with Image.open(path) as image:
        return np.array(image.quantization[0]).reshape(8, 8)  # type: ignore[attr-defined]


def test_the_tables_and_qualities_are_those_of_libjpeg(tmp_path: Path) -> None:
    for quality in range(1, 101):
        np.testing.assert_array_equal(history._table(quality), table_of(quality, tmp_path))
        assert jpeg_file_quality(tmp_path / f"{quality}.jpg") == quality


def test_the_quality_of_a_file_is_that_of_its_luminance(tmp_path: Path) -> None:
    flat, steep = [7] * 64, [40] * 64
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", qtables=[[1] * 64, steep])
    assert jpeg_file_quality(tmp_path / "a.jpg") == 100
    Image.new("RGB", (8, 8)).save(tmp_path / "b.jpg", qtables=[flat, [1] * 64])
    assert jpeg_file_quality(tmp_path / "b.jpg") != 100


def test_a_file_that_is_no_jpeg_has_no_quality(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.mpo", "MPO", save_all=True, quality=40)
    assert jpeg_file_quality(tmp_path / "a.png") is None
    assert jpeg_file_quality(tmp_path / "none.jpg") is None
    assert jpeg_file_quality(tmp_path / "a.mpo") == 40


def coded(table: np.ndarray, rows: int = 8, columns: int = 8) -> np.ndarray:
    """Return grey pixels of blocks whose low coefficients lie on one or two steps of a table, either side."""
    random = np.random.default_rng(3)
    blocks = np.zeros((rows * columns, 8, 8))
    for row, column in LOW:
        many = random.choice([-2, -1, 1, 2], rows * columns)
        blocks[:, row, column] = many * table[row, column]
    pixels = idctn(blocks, axes=(1, 2), norm="ortho") + 128
    whole = pixels.reshape(rows, columns, 8, 8).swapaxes(1, 2).reshape(rows * 8, columns * 8)
    return np.repeat(whole.round().clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)


def test_the_smallest_picture_that_is_looked_at_has_64_pixels_a_side(tmp_path: Path) -> None:
    pixels = coded(table_of(74, tmp_path))
    assert pixels.shape == (64, 64, 3)
    assert jpeg_trace(pixels) == JpegTrace((0, 0), 74)
    wide = coded(table_of(74, tmp_path), 8, 9)
    assert jpeg_trace(wide[1:]) is None
    assert jpeg_trace(wide.swapaxes(0, 1)[:, 1:]) is None


def test_each_step_stands_with_its_frequency(tmp_path: Path) -> None:
    table = table_of(74, tmp_path)
    luma = history._luma(coded(table, 9, 10))
    assert history._steps(luma, (0, 0)) == {place: table[place] for place in LOW}
    assert history._quality_of_steps({place: table[place] for place in LOW}) == 74


@pytest.mark.parametrize(("offset", "opposite"), [((0, 0), (4, 4)), ((1, 6), (5, 2)), ((7, 5), (3, 1))])
def test_what_gathers_as_well_on_the_opposite_grid_is_no_step(
    monkeypatch: pytest.MonkeyPatch, offset: tuple[int, int], opposite: tuple[int, int]
) -> None:
    here, elsewhere = np.zeros((60, 8, 8)), np.zeros((60, 8, 8))
    here[:] = 12 * np.sign(np.arange(60) % 2 - 0.5)[:, None, None]
    elsewhere[:, 1, 3] = elsewhere[:, 3, 3] = elsewhere[:, 2, 2] = 12
    monkeypatch.setattr(history, "_coefficients", lambda _, place: {offset: here, opposite: elsewhere}[place])
    expected = {place: 12 for place in LOW if place not in ((1, 3), (3, 3), (2, 2))}
    assert history._steps(np.zeros((9, 9)), offset) == expected


@pytest.mark.parametrize(
    ("best", "elsewhere", "kept"),
    [
        ((12, 0.61), 0.3, True),
        ((12, 0.6), 0.0, False),
        ((12, 0.9), 0.59, True),
        ((12, 0.9), 0.61, False),
        ((0, 0.9), 0.0, False),
    ],
)
def test_a_step_is_believed_where_it_is_much_clearer_than_elsewhere(
    monkeypatch: pytest.MonkeyPatch, best: tuple[int, float], elsewhere: float, kept: bool
) -> None:
    monkeypatch.setattr(history, "_best_step", lambda _: best)
    monkeypatch.setattr(history, "_score", lambda *_: elsewhere)
    steps = history._steps(np.zeros((64, 64)), (0, 0))
    assert steps == (dict.fromkeys(LOW, 12) if kept else {})


def on_multiples(step: float, count: int = 60) -> np.ndarray:
    """Return values at one and two steps, on both sides of zero."""
    return step * np.resize([1, -1, 2, -2], count)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (on_multiples(12), 12),
        (on_multiples(3), 3),
        (on_multiples(63), 63),
        (on_multiples(70), 35),
        (np.resize([2.0, -2.0], 60), 0),  # of steps below 3 rounded pixels keep no sign
        (np.zeros(100), 0),
        (on_multiples(12, 59), 0),
    ],
)
def test_the_step_is_the_largest_whose_multiples_are_met(values: np.ndarray, expected: int) -> None:
    assert history._best_step(values) == (expected, pytest.approx(float(expected > 0)))


@pytest.mark.parametrize(("clearness", "step"), [(0.91, 12), (0.89, 6)])
def test_a_larger_step_is_taken_where_it_is_a_tenth_less_clear_at_most(
    monkeypatch: pytest.MonkeyPatch, clearness: float, step: int
) -> None:
    scores = {6: 1.0, 12: clearness}
    monkeypatch.setattr(history, "_score", lambda _, tried: scores.get(tried, 0.0))
    assert history._best_step(np.zeros(1)) == (step, scores[step])


def test_the_score_is_the_mean_cosine_of_60_values_or_more_beyond_the_middle_of_a_step() -> None:
    assert history._score(on_multiples(10), 10) == pytest.approx(1.0)
    assert history._score(on_multiples(10, 59), 10) == 0.0
    assert history._score(np.full(60, 15.0), 10) == pytest.approx(-1.0)
    mixed = np.concatenate([np.full(45, -10.0), np.full(15, 12.5)])
    assert history._score(mixed, 10) == pytest.approx(0.75)
    # Values up to six tenths of a step say nothing.
    assert history._score(np.concatenate([on_multiples(10), np.full(99, 5.9)]), 10) == pytest.approx(1.0)
    assert history._score(np.full(60, 6.0), 10) == 0.0
    assert history._score(np.full(60, 6.25), 10) == pytest.approx(np.cos(1.25 * np.pi))


@pytest.mark.parametrize(("step", "is_recognised"), [(12, True), (13, False)])
def test_a_quality_is_told_where_its_table_misses_by_one_and_a_tenth_at_most(
    monkeypatch: pytest.MonkeyPatch, step: int, is_recognised: bool
) -> None:
    # Against a table of tens, twelve misses by 2 and may by 2.2; thirteen misses by 3 and may by 2.3.
    monkeypatch.setattr(history, "_table", lambda quality: np.full((8, 8), 10.0 if quality == 33 else 99.0))
    quality = history._quality_of_steps({(0, 1): step, (1, 0): step})
    assert quality == (33 if is_recognised else None)


@pytest.mark.parametrize("quality", [1, 98])  # 99 and 100 have the same low steps as 98
def test_steps_are_compared_with_the_tables_of_all_qualities(quality: int) -> None:
    table = history._table(quality)
    assert history._quality_of_steps({place: int(table[place]) for place in LOW}) == quality


@pytest.mark.parametrize(
    ("steps_of", "expected"),
    [
        ({(3, 5): 5, (0, 0): 9}, (3, 5)),
        ({(3, 5): 4, (0, 0): 5}, (0, 0)),
        ({(3, 5): 4, (0, 0): 4}, None),
    ],
)
def test_five_steps_are_a_trace_on_the_grid_that_is_seen_or_else_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, steps_of: dict[tuple[int, int], int], expected: tuple[int, int] | None
) -> None:
    monkeypatch.setattr(history, "_grid", lambda _: (3, 5))
    monkeypatch.setattr(history, "_steps", lambda _, place: dict.fromkeys(LOW[: steps_of[place]], 12))
    trace = jpeg_trace(np.zeros((64, 64, 3), np.uint8))
    assert (trace.offset if trace else None) == expected
    assert jpeg_trace(np.zeros((63, 64, 3), np.uint8)) is None
    assert jpeg_trace(np.zeros((64, 63, 3), np.uint8)) is None


def stairs(length: int, first: int, height: float) -> np.ndarray:
    """Return values that go up and down by a height every eight places, from the first on."""
    return height * ((np.arange(length) - first) // 8 % 2)


@pytest.mark.parametrize("place", [(0, 0), (3, 6), (7, 1), (2, 5)])
def test_the_grid_is_where_neighbours_jump(place: tuple[int, int]) -> None:
    luma = stairs(80, place[0], 2.0)[:, None] + stairs(88, place[1], 2.0)
    assert history._grid(luma) == place


@pytest.mark.parametrize(("height", "place"), [(0.75, 5), (0.85, 2)])
def test_an_edge_of_the_picture_counts_no_more_than_eight_levels(height: float, place: int) -> None:
    # Ten borders of blocks, together 7.5 or 8.5 levels, against one edge of 200.
    luma = np.repeat(stairs(83, 2, height)[:, None], 83, axis=1)
    luma[45:] += 200
    assert history._grid(luma)[0] == place


@pytest.mark.parametrize("lines", [(1, 2), (2, 3)])
def test_a_slope_is_no_jump(lines: tuple[int, int]) -> None:
    # The pixels around a border may differ as much as those beside it.
    luma = np.repeat(np.cumsum(np.full(80, 3.0))[:, None], 80, axis=1)
    luma[40 + lines[0] :] += 1
    assert history._grid(luma)[0] == (40 + lines[0]) % 8


def test_coefficients_are_those_of_each_block_of_the_grid() -> None:
    luma = np.full((3 + 16, 5 + 24), 128.0)
    luma[3:11, 5:13] += 1  # all of the first block
    luma[11:19, 21:29] += np.cos(np.pi * (2 * np.arange(8) + 1) / 16)[:, None]  # one wave down the last one
    outcome = history._coefficients(luma, (3, 5))
    expected = np.zeros((6, 8, 8))
    expected[0, 0, 0] = 8
    expected[5, 1, 0] = 4 * np.sqrt(2)
    np.testing.assert_allclose(outcome, expected, atol=1e-9)


def test_luma_weighs_the_channels_as_jpeg_does() -> None:
    pixels = np.array([[[100, 0, 0], [0, 100, 0], [0, 0, 100]]], np.uint8)
    np.testing.assert_allclose(history._luma(pixels), [[29.9, 58.7, 11.4]])


@pytest.mark.parametrize(
    ("lost", "factor"),
    [
        ({2: 1.0, 3: 2.41}, 2),
        ({2: 1.0, 3: 2.39}, None),
        ({3: 1.0, 4: 1.59}, 3),
        ({3: 1.0, 4: 1.57}, None),
        ({4: 1.0, 6: 1.91}, 4),
        ({4: 1.0, 6: 1.89}, None),
        # What is hardly lost at all counts as a twentieth of a level.
        ({2: 0.01, 3: 0.121}, 2),
        ({2: 0.01, 3: 0.119}, None),
        ({2: 1.0, 3: 2.5, 4: 4.1}, 3),
        ({2: 1.0, 3: 2.5, 4: 3.0, 6: 5.8}, 4),
    ],
)
def test_the_factor_is_the_largest_beyond_which_much_more_is_lost(
    monkeypatch: pytest.MonkeyPatch, lost: dict[int, float], factor: int | None
) -> None:
    def lost_by(_: Any, by: int) -> float:
        return lost.get(by, 9.0 if by < min(lost) else 0.0)

    monkeypatch.setattr(history, "_lost", lost_by)
    assert upscaling(np.zeros((64, 64, 3), np.uint8)) == factor
    assert upscaling(np.zeros((63, 64, 3), np.uint8)) is None
    assert upscaling(np.zeros((64, 63, 3), np.uint8)) is None


def test_what_is_lost_is_a_root_mean_square_in_levels() -> None:
    rows, columns = np.zeros((32, 48), np.float32), np.zeros((32, 48), np.float32)
    rows[::2] = columns[:, ::2] = 6
    assert history._lost(rows, 2) == pytest.approx(3.0)  # all that is left is the mean
    assert history._lost(columns, 2) == pytest.approx(3.0)
    uneven = np.repeat(np.array([[0, 0, 0, 8]], np.float32), 4, axis=0)
    assert history._lost(uneven, 100) == pytest.approx(np.sqrt(12))
