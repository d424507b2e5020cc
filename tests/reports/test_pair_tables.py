"""One codec against another: by metric, rate by rate, picture by picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from report_rows import CELL, PSNR, texts, values
from stored_cells import part_of

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.records.rows import Score, ScoredCell
from codecarena.bench.store.store import Store
from codecarena.reports.tables.anchor_differences import pair_tables
from codecarena.reports.tables.leaderboard_columns import Cost, with_decode_times

GAINS = np.array([3.0, 3.0, 3.0, 3.0, 3.0, 0.0, -3.0])
"""Decibels that one codec has more than the other on each of seven pictures, at 3 dB an octave."""


def curve(codec: str, gains: np.ndarray) -> list[ScoredCell]:
    return [
        replace(
            CELL, image_set="photos", picture=f"p{place}.png", picture_sha256=f"p{place}", kind="natural",
            seed=None, codec=codec, codec_id=f"{codec}-id", family="classic", toy=False, quality=step,
            picture_generator=None, codec_generator=None, verdict=None, pixel_count=10**8,
            bitstream_bytes=round(rate * 10**8 / 8), decoded_sha256=f"{codec} {place} {step}",
            scores={PSNR.metric_id: Score(float(33 + 3 * np.log2(rate / 0.5) + gain))},
        )
        for place, gain in enumerate(gains)
        for step, rate in enumerate(0.125 * 2.0 ** np.arange(5))
    ]  # fmt: skip


@pytest.fixture
def store(make_store: Callable) -> Store:
    return make_store([*curve("jpeg", 0 * GAINS), *curve("mine", GAINS)], metrics=(PSNR,))


def test_two_codecs(store: Store) -> None:
    part = part_of(store, "photos")
    by_metric, by_rate, by_picture = pair_tables(part, [PSNR], ("mine", "jpeg-id"))
    assert by_metric.title == "mine against jpeg · photos"
    ((name, bd_rate, quality, won, pictures),) = texts(by_metric)
    # The mean gain of 12/7 dB is 4/7 of an octave.
    assert values(by_metric)[0][1:3] == pytest.approx([100 * (2 ** (-4 / 7) - 1), 12 / 7], abs=1e-3)
    assert (name, bd_rate[:5], won, pictures) == ("PSNR", "−32.7", "5/7", "7")
    assert quality.startswith("+1.71 (")
    assert quality.endswith(" dB")
    assert by_metric.summary is not None
    assert by_metric.summary.text.startswith(
        "By PSNR, mine needs fewer bits than jpeg: BD-rate −32.7 % against jpeg (95 % −"
    )
    record = by_metric.rows[0].record
    assert (record["wins"], record["pictures_compared"], record["bd_quality_unit"]) == (5, 7, "dB")
    assert record["interval_95"] is not None
    assert by_rate.title.startswith("mine against jpeg, rate by rate, by PSNR")
    assert texts(by_picture) == [
        *([f"p{place}.png", "−50.0", "mine"] for place in range(5)),
        ["p5.png", "0.0", "both"],
        ["p6.png", "+100.0", "jpeg"],
    ]
    assert by_picture.rows[6].record["picture_sha256"] == "p6"


def test_the_other_way_round_it_needs_more(store: Store) -> None:
    by_metric, _, by_picture = pair_tables(part_of(store, "photos"), [PSNR], ("jpeg", "mine"))
    assert by_metric.summary is not None
    assert by_metric.summary.text.startswith("By PSNR, jpeg needs more bits than mine: BD-rate +48.6 %")
    assert texts(by_picture)[0] == ["p6.png", "−50.0", "jpeg"]


def test_what_each_decodes_in_is_said(store: Store) -> None:
    by_metric, *_ = pair_tables(part_of(store, "photos"), [PSNR], ("mine", "jpeg"))
    costs = {f"{name}-id": Cost(None, time, None, None) for name, time in (("mine", 30.0), ("jpeg", 12.0))}
    timed = with_decode_times(by_metric, costs, {"mine-id": "mine", "jpeg-id": "jpeg"})
    assert timed.summary is not None
    assert timed.summary.text.endswith(
        " mine takes 2.5 times as long to decode as jpeg: 30.0 against 12.0 ms per megapixel."
    )


def test_codecs_without_curves_in_common_have_rows_that_say_so(make_store: Callable) -> None:
    far = [replace(cell, scores={PSNR.metric_id: Score(90.0 + cell.quality)}) for cell in curve("far", GAINS)]
    part = part_of(make_store([*curve("jpeg", 0 * GAINS), *far], metrics=(PSNR,)), "photos")
    by_metric, _, by_picture = pair_tables(part, [PSNR], ("far", "jpeg"))
    assert [texts(by_metric)[0][place] for place in (1, 3)] == ["– no overlap", "–"]
    assert by_metric.summary is None
    assert by_picture.rows == ()
    with pytest.raises(AnalysisError, match="expected two codecs to compare"):
        pair_tables(part, [PSNR], ("far", "far"))
