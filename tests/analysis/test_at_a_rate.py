"""Codecs at one rate or one score against one of them, on the pictures on which both are there."""

from __future__ import annotations

import numpy as np
import pytest
from as_columns import columns_of
from scipy import stats
from scored_cells import DELTA, PSNR, cell, ladder_cells

from codecarena.bench.analysis import codec_grids
from codecarena.bench.analysis.at_target import entrants
from codecarena.bench.analysis.differences import (
    Difference,
    differences_at_rate,
    differences_at_score,
    differences_by_rate,
)
from codecarena.bench.analysis.intervals import holm
from codecarena.bench.records.rows import Match, MatchRow, MetricRow, Score, ScoredCell

PICTURES = tuple(f"p{place}" for place in range(8))
LOSS = np.random.default_rng(5).normal(0, 0.5, len(PICTURES))


def lines(gain: float, low: float, high: float, spread: float = 1.0) -> dict[str, list[tuple[float, float]]]:
    """Return curves of PSNR 30 + 3 log2(rate) + gain, from one rate to another."""
    return {
        name: [
            (rate, 30 + 3 * np.log2(rate) + gain + spread * LOSS[place] + 5 * place)
            for rate in np.geomspace(low, high, 4)
        ]
        for place, name in enumerate(PICTURES)
    }


# What reaches the rate on the easy pictures alone has the better median, and is worse on each of them.
EASY = {name: points for name, points in lines(-1.0, 0.1, 2.0, 0).items() if name in PICTURES[4:]} | {
    name: points for name, points in lines(-1.0, 1.0, 2.0, 0).items() if name in PICTURES[:4]
}
STORED = [
    *ladder_cells("jpeg", lines(0.0, 0.1, 2.0, 0)),
    *ladder_cells("avif", lines(2.0, 0.1, 2.0)),
    *ladder_cells("easy", EASY),
    *ladder_cells("far", lines(0.0, 4.0, 8.0)),
]


def at(
    cells: list[ScoredCell], target: float, against: str = "jpeg", metric: MetricRow = PSNR, *,
    score: bool = False,
    matches: tuple[MatchRow, ...] = (),
) -> dict[str, Difference]:  # fmt: skip
    columns, column = columns_of(cells, metric.metric_id)
    grids = codec_grids.grids(columns)
    kind = metric.metric_id if score else "bpp"
    entered, _, _ = entrants(columns, grids, (), matches, kind, target)
    of = differences_at_score if score else differences_at_rate
    return {name[3:]: row for name, row in of(entered, column, metric, target, f"id-{against}").items()}


def test_means_are_over_the_pictures_of_both_and_say_how_many() -> None:
    rows = at(STORED, 0.5)
    assert {name: row.pictures for name, row in rows.items()} == {"avif": 8, "easy": 4, "far": 0}
    assert rows["avif"].mean == pytest.approx(2 + LOSS.mean())
    assert rows["easy"].mean == pytest.approx(-1)
    assert (rows["far"].mean, rows["far"].verdict, rows["far"].interval.reason) == (None, None, "no pictures")
    assert (rows["easy"].wins, rows["easy"].losses) == (0, 4)
    assert rows["easy"].interval.reason == "fewer than 5 pictures"


def test_the_interval_is_about_students_and_the_verdict_holms() -> None:
    row = at(STORED, 0.5)["avif"]
    low, high = stats.t.interval(0.95, 7, 2 + LOSS.mean(), stats.sem(LOSS))
    assert (row.interval.low, row.interval.high) == (
        pytest.approx(low, abs=0.15),
        pytest.approx(high, abs=0.15),
    )
    assert (row.verdict, row.wins) == ("better", 8)
    turned = at(STORED, 0.5, against="avif")["jpeg"]
    assert (turned.mean, turned.verdict) == (pytest.approx(-row.mean), "worse")
    noise = [(f"c{place}", np.random.default_rng(place).normal(0.35, 0.5, 8)) for place in range(6)]
    cells = list(STORED[:32])
    for name, gains in noise:
        curves = {
            picture: [(rate, score + gains[place]) for rate, score in points]
            for place, (picture, points) in enumerate(lines(0.0, 0.1, 2.0, 0).items())
        }
        cells += ladder_cells(name, curves)
    family = at(cells, 0.5)
    alone = [at([*cells[:32], *(own for own in cells if own.codec == name)], 0.5)[name] for name, _ in noise]
    expected = holm([row.p_value for row in alone])
    assert [family[name].p_value for name, _ in noise] == pytest.approx(expected)


def test_less_is_better_turns_the_verdict() -> None:
    def turned(cells: list[ScoredCell]) -> list[ScoredCell]:
        return [
            cell(coded.codec, coded.picture_sha256, coded.quality, rate=coded.bits_per_pixel,
                 scores={DELTA.metric_id: Score(100 - (coded.scores[PSNR.metric_id].value or 0))})
            for coded in cells
        ]  # fmt: skip

    row = at(turned(STORED), 0.5, metric=DELTA)["avif"]
    assert (row.verdict, row.wins, row.mean) == ("better", 8, pytest.approx(-2 - LOSS.mean()))


def test_costs_of_a_score_are_ratios_of_rates_on_the_pictures_of_both() -> None:
    # 2 dB at 3 dB an octave.
    row = at(STORED, 48.0, score=True)["avif"]
    reached = [place for place in range(8) if 0.1 <= 2 ** ((48 - 30 - 5 * place) / 3) <= 2.0]
    both = [place for place in reached if 0.1 <= 2 ** ((46 - 30 - 5 * place - LOSS[place]) / 3) <= 2.0]
    assert row.pictures == len(both) > 0
    expected = [-(2 + LOSS[place]) / 3 * np.log(2) for place in both]
    assert row.mean == pytest.approx(np.mean(expected), abs=1e-6)
    assert (row.wins, row.losses) == (len(both), 0)


def test_a_searched_setting_stands_for_itself() -> None:
    searched = [cell("seek", name, 5.0, rate=0.5, score=40.0, probe=True) for name in PICTURES]
    matches = tuple(
        MatchRow(
            Match("picture", "set", name, 1, "id-seek", "bpp", None, 0.5, 5.0, 0.5, 1, 1, "exact"),
            name,
            "seek",
        )
        for name in PICTURES
    )
    row = at([*STORED, *searched], 0.5, matches=matches)["seek"]
    jpeg = [30 + 3 * np.log2(0.5) + 5 * place for place in range(8)]
    assert (row.pictures, row.mean) == (8, pytest.approx(40 - np.mean(jpeg)))


def test_rate_by_rate_a_codec_is_better_below_a_crossing_and_worse_above_it() -> None:
    # Two decibels an octave against three: even at half a bit per pixel.
    flat = {
        name: [
            (rate, 29 + 2 * np.log2(rate) + 0.1 * LOSS[place] + 5 * place)
            for rate in np.geomspace(0.1, 2.0, 4)
        ]
        for place, name in enumerate(PICTURES)
    }
    columns, column = columns_of([*STORED, *ladder_cells("flat", flat)], PSNR.metric_id)
    entered, _, _ = entrants(columns, codec_grids.grids(columns), (), (), "bpp", 0.5)
    rates = (0.05, 0.25, 0.5, 1.0, 4.0)
    rows = differences_by_rate(entered, column, PSNR, rates, ("id-flat", "id-jpeg"))
    assert [row.pictures for row in rows] == [0, 8, 8, 8, 0]
    means = [row.mean for row in rows[1:4]]
    assert means == pytest.approx([gain + 0.1 * LOSS.mean() for gain in (1, 0, -1)], abs=1e-6)
    assert [row.verdict for row in rows] == [None, "better", "not shown", "worse", None]
    alone = [
        differences_by_rate(entered, column, PSNR, (rate,), ("id-flat", "id-jpeg"))[0].p_value
        for rate in rates
    ]
    assert [row.p_value for row in rows] == holm(alone), "of all rates, not of all codecs"
    turned = differences_by_rate(entered, column, PSNR, rates, ("id-jpeg", "id-flat"))
    assert [row.verdict for row in turned] == [None, "worse", "not shown", "better", None]
