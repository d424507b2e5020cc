"""Tables at a rate and at a score with differences from an anchor, and two codecs rate by rate."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_rows import CELL, PSNR, texts
from stored_cells import part_of

from arena import call
from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.records.rows import Score, ScoredCell
from codecarena.bench.store.store import Store
from codecarena.reports.tables.anchor_differences import by_rate_table
from codecarena.reports.tables.leaderboard_tables import leaderboard_tables
from codecarena.reports.tables.table import Table

LOSS = np.random.default_rng(5).normal(0, 0.4, 8)


def curve(
    codec: str, gains: float | np.ndarray, per_octave: float = 0.0, low: float = 0.0625, first: int = 0
) -> list[ScoredCell]:
    """Return cells at four rates from a low one on, 3 dB an octave, of pictures that become ever easier.

    Args:
        codec: Label.
        gains: Of each of the eight pictures at half a bit per pixel, dB.
        per_octave: Further gain for each octave above that.
        low: Cheapest rate.
        first: Place of the first picture that there is.
    """
    of_pictures = np.broadcast_to(gains, 8)
    return [
        replace(
            CELL, image_set="photos", picture=f"p{place}.png", picture_sha256=f"p{place}", kind="natural",
            seed=None, codec=codec, codec_id=f"{codec}-id", family="classic", toy=False, quality=step,
            picture_generator=None, codec_generator=None, verdict=None, pixel_count=10**8,
            bitstream_bytes=round(rate * 10**8 / 8), decoded_sha256=f"{codec} {place} {step}",
            scores={
                PSNR.metric_id: Score(
                    float(33 + (3 + per_octave) * np.log2(rate / 0.5) + 5 * place + of_pictures[place])
                )
            },
        )
        for place in range(first, 8)
        for step, rate in enumerate(low * 4.0 ** np.arange(4))
    ]  # fmt: skip


CELLS = [
    *curve("jpeg", 0.0),
    # Better by 2 dB at half a bit per pixel, by less the higher the rate is.
    *curve("soft", 2.0 + LOSS, per_octave=-0.8),
    # On the easiest five pictures alone it is there, a decibel below JPEG on each: the best median.
    *curve("easy", -1.0, first=3),
    *curve("dear", 9.0, low=1.0),
]


@pytest.fixture
def store(make_store: Callable) -> Store:
    return make_store(CELLS, metrics=(PSNR,))


def rows_of(table: Table) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in texts(table)}


def test_at_a_rate_codecs_stand_by_their_difference_from_the_anchor(store: Store) -> None:
    (table,) = leaderboard_tables(store, at="bpp=0.5", anchor="jpeg")
    titles = [column.heading for column in table.columns]
    assert titles[:4] == ["Codec", "PSNR, dB", "Against jpeg, dB", "Both"]
    rows = rows_of(table)
    # By medians, easy would be first.
    assert list(rows) == ["soft", "jpeg", "easy", "dear"]
    medians = {row.record["codec"]: row.record["scores"][PSNR.metric_id]["median"] for row in table.rows}
    assert medians["easy"] > medians["soft"] > medians["jpeg"]
    assert rows["jpeg"][1:3] == ["anchor", "–"]
    assert (rows["dear"][1], rows["dear"][2]) == ("–", "0")
    assert rows["soft"][1].startswith(f"+{2 + LOSS.mean():.2f}▲ (")
    assert rows["easy"][1].startswith("−1.00▼")
    assert (rows["soft"][2], rows["easy"][2]) == ("8", "5")
    against = table.rows[0].record["against"][PSNR.metric_id]
    assert against["mean_difference"] == pytest.approx(2 + LOSS.mean())
    assert (against["against"], against["pictures"], against["wins"], against["verdict"]) == (
        "jpeg",
        8,
        8,
        "better",
    )
    low, high = against["interval_95"]
    assert low < 2 + LOSS.mean() < high


def said(table: Table) -> str:
    """Return the sentence that stands above a table."""
    assert table.summary is not None
    assert table.sentences == (table.summary.text, *table.notes)
    return table.summary.text


def test_the_best_codec_is_named_with_the_next_and_whether_they_differ(
    store: Store, make_store: Callable
) -> None:
    (table,) = leaderboard_tables(store, at="bpp=0.5", anchor="easy")
    assert said(table).startswith("Best by PSNR at 0.50 bits per pixel: soft. The next, jpeg: −")
    assert said(table).endswith("on the 8 pictures that both reach; the difference is significant.")
    near = curve("twin", 0.3 * (-1.0) ** np.arange(8))
    (table,) = leaderboard_tables(make_store([*CELLS[:32], *near], metrics=(PSNR,)), at="bpp=0.5")
    assert "no difference is shown" in said(table)
    few = [cell for cell in CELLS[:64] if cell.picture_sha256 < "p3"]
    (table,) = leaderboard_tables(make_store(few, metrics=(PSNR,)), at="bpp=0.5")
    assert said(table).endswith(
        "(no interval: fewer than 5 pictures) on the 3 pictures that both reach; too few for a test."
    )


def test_at_a_score_the_codec_of_the_fewest_bits_is_named(make_store: Callable) -> None:
    made = make_store([*CELLS[:32], *curve("near", 0.5)], metrics=(PSNR,))
    (table,) = leaderboard_tables(made, at="psnr=50", anchor="jpeg")
    # Half a decibel at 3 dB an octave.
    assert said(table) == (
        f"Fewest bits for PSNR 50.00 dB: near. The next, jpeg: +{100 * (2 ** (0.5 / 3) - 1):.1f} % (no "
        "interval: fewer than 5 pictures) on the 4 pictures that both reach; too few for a test."
    )


def test_at_a_score_it_is_the_rate_in_percent(store: Store) -> None:
    (table,) = leaderboard_tables(store, at="psnr=45", anchor="jpeg")
    assert [row.record["codec"] for row in table.rows if row.pinned] == ["jpeg"]
    assert [column.heading for column in table.columns][1:4] == [
        "Rate, bits/pixel",
        "Against jpeg, %",
        "Both",
    ]
    easy = next(row.record for row in table.rows if row.record["codec"] == "easy")["against"]
    # A decibel at 3 dB an octave.
    assert easy["mean_difference"] == pytest.approx(100 * (2 ** (1 / 3) - 1), abs=1e-4)
    assert easy["losses"] == easy["pictures"] > 0


def test_two_codecs_rate_by_rate(store: Store, tmp_path: Path) -> None:
    part = part_of(store)
    table = by_rate_table(part, PSNR, ("soft", "jpeg"))
    assert table.title == "soft against jpeg, rate by rate, by PSNR · photos"
    shown = {row[0]: row[1:] for row in texts(table)}
    assert list(shown) == ["0.12", "0.25", "0.5", "1", "2", "4"]
    assert shown["0.5"][0].startswith(f"+{2 + LOSS.mean():.2f}▲")
    assert shown["0.5"][1:] == ["8/8", "8/8"]
    assert "better at 0.12, 0.25, 0.5, 1" in table.notes[0]
    turned = by_rate_table(part, PSNR, ("jpeg", "soft"))
    assert "worse at 0.12, 0.25, 0.5, 1" in turned.notes[0]
    for here, there in zip(table.rows, turned.rows, strict=True):
        assert here.record["mean_difference"] == pytest.approx(-there.record["mean_difference"])
        assert here.record["p_value_holm"] == pytest.approx(there.record["p_value_holm"])
    with pytest.raises(AnalysisError, match="expected two codecs to compare, got 'jpeg' twice"):
        by_rate_table(part, PSNR, ("jpeg", "jpeg"))
    with pytest.raises(AnalysisError, match="did you mean 'jpeg'"):
        by_rate_table(part, PSNR, ("soft", "jpg"))


def test_codecs_that_share_no_rate_say_so(make_store: Callable) -> None:
    cells = [
        *curve("low", 0.0, low=0.001),
        *curve("high", 0.0, low=1.0),
    ]
    table = by_rate_table(part_of(make_store(cells, metrics=(PSNR,))), PSNR, ("low", "high"))
    assert table.rows == ()
    assert table.notes[0].startswith("On no picture both reach any of 0.03, 0.06")


def test_on_the_command_line(store: Store, tmp_path: Path) -> None:
    shown = call(
        "compare",
        "--between",
        "soft",
        "jpeg",
        "--store",
        store.location.store_option,
        "--json",
        folder=tmp_path,
    )
    assert shown.returncode == 0, shown.stderr
    by_metric, table, by_picture = json.loads(shown.stdout)
    assert [row["metric"] for row in by_metric["rows"]] == ["psnr"]
    assert by_metric["notes"][0].startswith("By PSNR, soft needs fewer bits than jpeg: BD-rate ")
    assert [row["picture_sha256"] for row in by_picture["rows"]] == [
        row["picture_sha256"] for row in sorted(by_picture["rows"], key=lambda row: row["bd_rate_percent"])
    ]
    assert [row["bits_per_pixel"] for row in table["rows"]] == [0.12, 0.25, 0.5, 1.0, 2.0, 4.0]
    assert {row["against"] for row in table["rows"]} == {"jpeg"}
