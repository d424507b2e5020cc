"""Components of variance and the points of searches, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engines import OfColumns, OfRecords
from row_oracle.matched import entrants, matched_points, scores_of
from scored_cells import DELTA, PSNR, cell, failure, ladder_cells

from codecarena.bench.analysis.seeds import components
from codecarena.bench.records.rows import Match, MatchRow, ScoredCell


@pytest.fixture(params=[OfRecords, OfColumns])
def engine(request: pytest.FixtureRequest):
    return request.param


def test_components_of_variance_are_those_of_one_way_random_effects() -> None:
    groups = [np.array([1.0, 3.0]), np.array([4.0, 6.0, 8.0]), np.array([10.0, 10.0])]
    # Squares within: 2, 8 and 0 over 1 + 2 + 1 degrees of freedom. Means 2, 6, 10 have a variance of 16, of
    # which the seeds explain 2.5 times the mean of 1/2, 1/3 and 1/2.
    assert components(groups) == pytest.approx((2.5, 16 - 2.5 * (4 / 3) / 3))
    assert components([np.array([1.0, 5.0])]) == (8.0, None)
    # Where seeds explain more than there is between pictures, nothing is left.
    assert components([np.array([0.0, 10.0]), np.array([1.0, 9.0])])[1] == 0.0


def decoded(
    picture: str, values: list[float | None], rate: float = 2.0, **changes: object
) -> list[ScoredCell]:
    return [
        cell("x", picture, 10.0, rate=rate, seed=seed, score=value, **changes)
        for seed, value in enumerate(values)
    ]


def test_seed_variances_of_a_codec(engine) -> None:
    stored = [
        *decoded("a", [31.0, 33.0], 2.0),
        *decoded("b", [34.0, 36.0, 38.0], 4.0),
        *decoded("one seed", [99.0], 50.0),
        *decoded("one left", [99.0, None], 50.0),
        cell("y", "a", 5.0, rate=0.1),
    ]
    (outcome,) = engine.seed_variances(stored, [PSNR, DELTA])
    assert (outcome.codec_id, outcome.codec, outcome.setting, outcome.metric_id, outcome.metric) == (
        "id-x", "x", 10.0, "m-psnr", "psnr",
    )  # fmt: skip
    assert (outcome.pictures, outcome.seeds, outcome.bits_per_pixel, outcome.mean) == pytest.approx(
        (2, 2.5, 3, 34)
    )
    # Within: (2 + 8) / 3. Between: means 32 and 36 have a variance of 8, less 10/3 times 5/12.
    assert outcome.within_deviation**2 == pytest.approx(10 / 3)
    assert outcome.between_deviation is not None
    assert outcome.between_deviation**2 == pytest.approx(8 - 10 / 3 * 5 / 12)
    assert outcome.largest_spread == 4.0


def test_seed_variances_stand_by_codec_and_rate(engine) -> None:
    stored = [
        replace(entry, quality=quality, codec=codec, codec_id=codec)
        for codec, quality, rate in (("z", 10.0, 1.0), ("a", 20.0, 0.5), ("a", 5.0, 3.0))
        for entry in decoded("p", [1.0, 2.0], rate)
    ]
    outcome = engine.seed_variances(stored, [PSNR])
    assert [(cell.codec, cell.setting) for cell in outcome] == [("a", 20.0), ("a", 5.0), ("z", 10.0)]
    assert outcome[0].between_deviation is None


def match(
    codec: str,
    quality: float,
    picture: str | None,
    kind: str = "bpp",
    target: float = 0.5,
    ended: str = "nearest",
) -> MatchRow:
    scope = "set" if picture is None else "picture"
    metric_id = None if kind == "bpp" else kind
    row = Match(
        scope, "set", picture, 1, f"id-{codec}", "bpp" if metric_id is None else "psnr", metric_id, target,
        quality, target, 4, 3, ended,
    )  # fmt: skip
    return MatchRow(row, picture and f"{picture}.png", codec)


STORED = [
    *ladder_cells("z", {"a": [(0.4, 30.0), (0.6, 32.0)], "b": [(0.5, 31.0), (0.9, 35.0)]}),
    *ladder_cells("k", {"a": [(0.3, 28.0), (0.7, 33.0)], "b": [(0.2, 27.0), (0.55, 34.0)]}, probe=True),
    *ladder_cells("m", {"a": [(0.1, 25.0), (1.0, 40.0)], "b": [(0.1, 25.0), (1.0, 40.0)]}),
]


def rates_of(points) -> dict[str, dict[str, float]]:
    return {
        codec: {name: entry.bits_per_pixel for name, entry in outcome.items()}
        for codec, outcome in points.items()
    }


def test_matched_points_are_at_each_pictures_own_setting() -> None:
    matches = [
        match("z", 20.0, "a"), match("z", 10.0, "b"), match("k", 20.0, "b"),
        match("k", 10.0, "a", ended="out of range"), match("m", 10.0, "a", target=0.25),
        match("m", 10.0, "b", kind=PSNR.metric_id),
    ]  # fmt: skip
    points = matched_points(STORED, matches, "bpp", 0.5)
    assert rates_of(points) == {"id-z": {"a": 0.6, "b": 0.5}, "id-k": {"b": 0.55}}
    assert rates_of(matched_points(STORED, matches, PSNR.metric_id, 0.5)) == {"id-m": {"b": 0.1}}
    assert matched_points(STORED, matches, "bpp", 0.6) == {}


def test_a_setting_of_the_whole_set_stands_where_no_picture_was_searched_alone() -> None:
    matches = [match("z", 20.0, None), match("m", 10.0, None), match("m", 20.0, "a")]
    points = matched_points(STORED, matches, "bpp", 0.5)
    assert rates_of(points) == {"id-z": {"a": 0.6, "b": 0.9}, "id-m": {"a": 1.0}}
    seeds = [*STORED, cell("z", "a", 20.0, rate=0.8, seed=4)]
    assert rates_of(matched_points(seeds, matches, "bpp", 0.5))["id-z"]["a"] == pytest.approx(0.7)


def test_codecs_of_probes_alone_enter_without_a_range_of_rates() -> None:
    matches = [match("z", 20.0, "a"), match("k", 20.0, "b")]
    entered, absent, total = entrants(STORED, [failure("gone", "c")], matches, "bpp", 0.5)
    assert (total, [entry.label for entry in absent]) == (3, ["gone"])
    by_label = {cell.codec.label: cell for cell in entered}
    assert list(by_label) == ["m", "z", "k"]
    assert by_label["m"].matched is None
    assert (by_label["z"].summary.pictures, by_label["z"].summary.lowest_rate) == (2, pytest.approx(0.45))
    probed = by_label["k"].summary
    assert (probed.pictures, probed.of_pictures, probed.lowest_rate, probed.highest_rate) == (
        0,
        3,
        None,
        None,
    )


def test_searched_settings_stand_in_the_tables_beside_curves(engine) -> None:
    matches = [match("z", 20.0, "a"), match("z", 10.0, "b"), match("k", 20.0, "a"), match("k", 20.0, "b")]
    rows = {row.codec.label: row for row in engine.at_rate(STORED, [PSNR], 0.5, [], matches)}
    # m is read off its curves: half a bit lies log10(5) of the way from 25 to 40 dB.
    medians = {label: row.scores[PSNR.metric_id] for label, row in rows.items()}
    assert {label: outcome and outcome.median for label, outcome in medians.items()} == pytest.approx(
        {"k": 33.5, "m": 25 + 15 * np.log10(5), "z": 31.5}
    )
    assert list(rows) == ["m", "k", "z"]
    assert rows["z"].achieved is not None
    assert rows["z"].achieved.median == pytest.approx(0.55)
    assert rows["m"].achieved is None
    matches = [match("z", 20.0, "a", PSNR.metric_id, 32.0), match("z", 10.0, "b", PSNR.metric_id, 32.0)]
    stored = [replace(cell, contended=cell.picture_sha256 == "b" and cell.quality == 20) for cell in STORED]
    costs = {row.codec.label: row for row in engine.at_score(stored, PSNR, 32.0, [], matches)}
    assert list(costs) == ["m", "z"]
    z, m = costs["z"], costs["m"]
    assert z.bits_per_pixel is not None
    assert z.achieved is not None
    assert z.encode_seconds is not None
    assert z.bitstream_bytes is not None
    assert (z.bits_per_pixel.median, z.achieved.median) == pytest.approx((0.55, 31.5))
    assert z.bitstream_bytes.median == pytest.approx(0.55 * 10**8 / 8)
    assert z.encode_seconds.median == pytest.approx(0.2)
    assert (z.contended, m.contended, m.achieved) == (False, True, None)


def test_scores_of_matched_points_leave_out_lossless_ones() -> None:
    stored = [
        cell("z", "a", score=30.0),
        cell("z", "b", score=None),
        cell("z", "c", scores={}),
        cell("z", "d"),
    ]
    points = matched_points(stored, [match("z", 10.0, None)], "bpp", 0.5)["id-z"]
    outcome = scores_of(points, PSNR)
    assert outcome is not None
    assert (outcome.median, outcome.pictures) == (31.0, 2)
    assert scores_of(points, DELTA) is None
