"""Who is compared, who stands last, which view opens: at exactly half of the pictures and beside it."""

from __future__ import annotations

import pytest
from engines import OfColumns, OfRecords
from scored_cells import DELTA, PSNR, cell, failure, ladder_cells

from codecarena.bench.analysis.at_target import rank
from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.analysis.intervals import Spread
from codecarena.bench.analysis.leaderboard import COMMON_RATES
from codecarena.bench.records.rows import Score, ScoredCell

CURVE = [(0.2, 28.0), (0.4, 31.0), (0.8, 34.0), (1.6, 37.0)]


@pytest.fixture(params=[OfRecords, OfColumns])
def engine(request: pytest.FixtureRequest):
    return request.param


def on(codec: str, pictures: str, factor: float = 1.0, **changes: object) -> list[ScoredCell]:
    """A codec at a multiple of the usual rates, on pictures of one letter each."""
    points = [(factor * rate, score) for rate, score in CURVE]
    return ladder_cells(codec, dict.fromkeys(pictures, points), **changes)


@pytest.mark.parametrize(
    ("pictures", "failed", "compared"),
    [("abcd", "", True), ("ab", "", True), ("a", "", False), ("ab", "e", False), ("abc", "ef", True)],
)
def test_half_of_the_pictures_that_were_tried_is_enough_to_be_compared(
    engine, pictures: str, failed: str, compared: bool
) -> None:
    failures = [failure("nobody", picture) for picture in failed]
    comparison = engine.compare([*on("z", "abcd"), *on("a", pictures)], PSNR, failures)
    assert comparison.of_pictures == 4 + len(failed)
    assert ("id-a" in comparison.curves) == compared
    assert comparison.common == set(pictures if compared else "abcd")
    assert comparison.done == {"id-z": 4, "id-a": len(pictures)}


def test_pictures_that_hold_nothing_for_the_metric_are_in_no_total(engine) -> None:
    nothing = {PSNR.metric_id: Score(None, applicable=False)}
    stored = [*on("z", "abcd"), *on("a", "ab")]
    stored += [cell("z", picture, 10.0, rate=0.2, scores=nothing) for picture in "ef"]
    assert engine.compare(stored, PSNR).of_pictures == 4
    assert "id-a" in engine.compare(stored, PSNR).curves


def test_the_reasons_why_a_row_is_empty(engine) -> None:
    stored = [
        *on("m", "abcd"), *on("z", "ab"), *on("few", "c"), *on("other half", "cd"),
        *on("blind", "abcd", scores={}),
    ]  # fmt: skip

    def reasons(anchor: str) -> dict[str, str | None]:
        return {row.codec.label: row.bd_rate.reason for row in engine.leaderboard(stored, PSNR, anchor).rows}

    assert reasons("m") == {
        "m": "no common picture", "z": "no common picture", "few": "1 of 4 pictures",
        "other half": "no common picture", "blind": "no psnr yet",
    }  # fmt: skip
    assert reasons("few")["z"] == "no anchor curve"
    row = engine.leaderboard(stored, PSNR, "m").rows[0]
    assert (row.mean_of_pictures, row.pictures_with_bd_rate, row.lossless_settings) == (None, 0, ())


def test_pictures_whose_curves_do_not_meet_are_in_no_mean_of_pictures(engine) -> None:
    high = [(rate, score + 30) for rate, score in CURVE]
    stored = [
        *ladder_cells("z", {"a": CURVE, "b": high}), *on("m", "ab", 2.0), *on("k", "ab", 4.0),
    ]  # fmt: skip
    rows = {row.codec.label: row for row in engine.leaderboard(stored, PSNR, "m").rows}
    assert (rows["z"].mean_of_pictures, rows["z"].pictures_with_bd_rate) == (pytest.approx(-50), 1)
    assert (rows["k"].mean_of_pictures, rows["k"].pictures_with_bd_rate) == (pytest.approx(100), 2)


@pytest.mark.parametrize(
    ("median", "pictures", "sign", "expected"),
    [
        (3.0, 4, 1.0, (0, 3.0)),
        (3.0, 2, 1.0, (0, 3.0)),
        (3.0, 1, 1.0, (1, 3.0)),
        (3.0, 2, -1.0, (0, -3.0)),
    ],
)
def test_a_codec_that_reaches_the_target_on_half_of_four_pictures_is_not_last(
    median: float, pictures: int, sign: float, expected: tuple[int, float]
) -> None:
    assert rank(Spread(median, 1.0, 9.0, pictures), 4, sign) == expected
    assert rank(None, 4, sign) > rank(Spread(1e9, 1.0, 9.0, 1), 4, abs(sign))


def test_at_a_rate_the_best_median_is_first_and_every_metric_has_its_own(engine) -> None:
    def scores(psnr: float, delta: float) -> dict[str, Score]:
        return {PSNR.metric_id: Score(psnr), DELTA.metric_id: Score(delta)}

    stored: list[ScoredCell] = []
    for codec, psnr, delta in (("m", 30.0, 2.0), ("z", 33.0, 4.0), ("a", 28.0, 1.0)):
        for picture in "ab":
            stored.append(cell(codec, picture, 10.0, rate=0.25, scores=scores(psnr, delta)))
            stored.append(cell(codec, picture, 20.0, rate=1.0, scores=scores(psnr + 4, delta / 2)))
    by_psnr, by_delta = engine.at_rate(stored, [PSNR, DELTA], 0.5), engine.at_rate(stored, [DELTA, PSNR], 0.5)
    assert [row.codec.label for row in by_psnr] == ["z", "m", "a"]
    assert [row.codec.label for row in by_delta] == ["a", "m", "z"]
    # Half a bit is the middle between a quarter and one, in log rate.
    medians = {key: outcome and outcome.median for key, outcome in by_psnr[1].scores.items()}
    assert medians == pytest.approx({PSNR.metric_id: 32.0, DELTA.metric_id: 1.5})
    assert by_psnr[1].achieved is None


def test_costs_at_a_score_are_of_the_pictures_that_reach_it(engine) -> None:
    stored = [
        *on("z", "ab", 0.5, contended=False, encode_seconds=(3.0, 9.0, 1.0)),
        *ladder_cells("z", {"c": [(0.1, 40.0), (0.2, 44.0)]}, contended=True),
        *on("a", "abc", 1.0, contended=True),
    ]  # fmt: skip
    first, second = engine.at_score(stored, PSNR, 31.0)
    assert (first.codec.label, second.codec.label) == ("z", "a")
    # The contended picture does not reach the score: its times are in no cost.
    assert (first.contended, second.contended) == (False, True)
    assert first.bits_per_pixel is not None
    assert first.bitstream_bytes is not None
    assert first.encode_seconds is not None
    assert (first.bits_per_pixel.median, first.bits_per_pixel.pictures) == (pytest.approx(0.2), 2)
    assert first.bitstream_bytes.median == pytest.approx(0.2 * 10**8 / 8)
    assert first.encode_seconds.median == pytest.approx(3.0)


def test_a_codec_that_failed_everywhere_stands_last_without_a_cost(engine) -> None:
    rows = engine.at_score([*on("z", "ab"), *on("a", "b", 9.0)], PSNR, 31.0, [failure("m", "c")])
    # The one picture of a is less than half of the three.
    assert [row.codec.label for row in rows] == ["z", "a", "m"]
    last = rows[-1]
    assert (last.codec.reason, last.bits_per_pixel, last.bitstream_bytes, last.encode_seconds) == (
        "timeout in encode", None, None, None,
    )  # fmt: skip
    assert not last.contended
    assert last.codec.of_pictures == 3
    with pytest.raises(AnalysisError, match="expected a rate above 0 bits per pixel, got -2"):
        engine.at_rate(on("z", "a"), [PSNR], -2.0)


def test_the_view_without_an_overlap_is_the_rate_that_most_curves_reach(engine) -> None:
    apart = ladder_cells("k", {"a": [(0.3, 1.0), (0.6, 2.0)]})
    few = [*on("m", "a"), *apart]
    # Both curves reach a half; a quarter, and three quarters, one of them.
    assert engine.choose_view(few, PSNR).bits_per_pixel == 0.5
    high = ladder_cells("z", {"b": [(1.0, 50.0), (2.0, 60.0)], "c": [(1.0, 50.0), (2.0, 60.0)]})
    # 1 and 1.5 bits have three curves each: the lower of equals.
    assert engine.choose_view([*few, *high], PSNR).bits_per_pixel == 1.0
    # A single codec has no BD-rate but its own.
    assert engine.choose_view(on("m", "a"), PSNR).anchor is None
    assert engine.choose_view([*on("m", "a"), *on("z", "a", 2.0)], PSNR).anchor == "m"
    assert list(COMMON_RATES) == sorted(COMMON_RATES)


def test_the_usual_anchor_is_plain_jpeg_then_any_jpeg_then_the_longest_ladder(engine) -> None:
    longest = ladder_cells("z", {"a": [*CURVE, (3.2, 40.0)]})
    progressive, plain = on("jpeg(progressive=True)", "a"), on("jpeg", "a")
    assert engine.default_anchor([*longest, *progressive, *plain]) == "jpeg"
    assert engine.default_anchor([*longest, *progressive]) == "jpeg(progressive=True)"
    assert engine.default_anchor([*on("jpegli", "a"), *longest, *on("a", "a")]) == "z"
