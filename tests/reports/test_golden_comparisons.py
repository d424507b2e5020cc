"""Duels, fronts, points and kinds of pictures: every number by hand, codecs never in order of quality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from metric_rows import metric_row
from report_rows import CELL, PSNR, TIMED, Answers, text_columns, texts, values
from stored_cells import part_of

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.analysis.intervals import Interval
from codecarena.bench.analysis.kind_effect import KindRow, KindSplit, Level, Order, Reversal
from codecarena.bench.analysis.mean_curves import MeanCurve
from codecarena.bench.analysis.significance import HeadToHead
from codecarena.bench.records.rows import Failure, Score, ScoredCell
from codecarena.bench.store.timings import Side
from codecarena.reports.tables import digits
from codecarena.reports.tables.comparisons import comparison_tables, pareto_table, points_table, win_table
from codecarena.reports.tables.evidence import MARKS
from codecarena.reports.tables.kinds import kind_table, kind_tables
from codecarena.reports.tables.table import Table

NO_ENDS = Interval(None, None, "fewer than 5 pictures")


def compared(*labels: str, done: dict[str, int] | None = None, toys: Sequence[str] = ()) -> Any:
    """Return all codecs under a metric, those with a curve first named."""
    done_by_id = {f"{label}-id": 8 for label in labels} | {
        f"{late_id}-id": count for late_id, count in (done or {}).items()
    }
    codecs = [
        SimpleNamespace(codec_id=codec_id, label=codec_id[:-3], toy=codec_id[:-3] in toys)
        for codec_id in done_by_id
    ]
    return SimpleNamespace(
        codecs=codecs, curves=dict.fromkeys([f"{label}-id" for label in labels], MeanCurve(())),
        common=frozenset(range(8)), of_pictures=10, done=done_by_id,
    )  # fmt: skip


def duel(
    test: str, anchor: str, wins: int, losses: int, pictures: int, verdict: Any, percent: float
) -> HeadToHead:
    ends = Interval(percent - 3, percent + 2)
    return HeadToHead(f"{test}-id", f"{anchor}-id", percent, ends, wins, losses, pictures, 0.0125, verdict)


def test_wins_of_every_two_codecs() -> None:
    comparison = compared("avif", "jpeg", "webp", "zip", done={"late": 3}, toys=["webp"])
    duels = [
        duel("avif", "jpeg", 5, 2, 7, "better", -20.0),
        duel("avif", "webp", 1, 6, 8, "worse", 25.0),
        duel("jpeg", "webp", 3, 4, 8, "not shown", 4.0),
        HeadToHead("avif-id", "zip-id", None, NO_ENDS, 0, 0, 0, None, None),
        duel("jpeg", "zip", 6, 2, 8, None, -9.0),
        duel("webp", "zip", 8, 0, 8, "better", -50.0),
    ]
    table = win_table(Answers(image_set="kodak"), PSNR, comparison, duels)
    assert table.title == "Wins by PSNR · kodak"
    assert [column.title for column in table.columns] == ["Codec", "1", "2", "3", "4"]
    assert [column.help for column in table.columns[1:]] == ["webp (toy)", "avif", "jpeg", "zip"]
    # Shown better less shown worse: webp 2, avif 0, jpeg -1, zip -1; wins less losses: jpeg 0, zip -12.
    assert texts(table) == [
        ["1 webp (toy)", "·", "6▼", "4", "8▼"],
        ["2 avif", "1▲", "·", "5/7▼", "–"],
        ["3 jpeg", "3", "2/7▲", "·", "6"],
        ["4 zip", "0▲", "–", "2", "·"],
    ]
    assert text_columns(table) == ["Codec"]
    assert values(table)[1] == [None, 1 / 8, None, 5 / 7, None]
    assert "of the 8 pictures that all compared codecs finished" in table.notes[0]
    assert table.notes[-1] == "Not compared: late finished 3 of 10 pictures."
    first = table.rows[0].record
    assert (first["codec"], first["codec_id"]) == ("webp (toy)", "webp-id")
    assert [opponent["codec"] for opponent in first["against"]] == ["avif", "jpeg", "zip"]
    assert table.rows[1].record["against"][1] == {
        "codec": "jpeg", "codec_id": "jpeg-id", "wins": 5, "losses": 2, "pictures": 7,
        "bd_rate_percent": -20.0, "interval_95": (-23.0, -18.0), "no_interval_because": None,
        "p_value_holm": 0.0125, "verdict": "better",
    }  # fmt: skip
    none = table.rows[1].record["against"][2]
    assert (none["interval_95"], none["no_interval_because"]) == (None, "fewer than 5 pictures")


def test_a_codec_with_more_wins_stands_first_where_no_difference_is_shown() -> None:
    duels = [duel("avif", "jpeg", 3, 5, 8, "not shown", 1.0)]
    table = win_table(Answers(), PSNR, compared("avif", "jpeg"), duels)
    assert [row[0] for row in texts(table)] == ["1 jpeg", "2 avif"]


def test_a_codec_that_is_worse_than_others_stands_last() -> None:
    duels = [
        duel("avif", "jpeg", 8, 0, 8, "worse", 9.0),
        duel("avif", "webp", 8, 0, 8, "worse", 9.0),
        duel("jpeg", "webp", 3, 5, 8, "not shown", 1.0),
    ]
    table = win_table(Answers(), PSNR, compared("avif", "jpeg", "webp"), duels)
    assert [row[0] for row in texts(table)] == ["1 webp", "2 jpeg", "3 avif"]


def test_marks_point_down_for_fewer_bits() -> None:
    assert MARKS == {"better": "▼", "worse": "▲", "not shown": "", None: ""}


LADDERS = {
    # Bytes of a picture of 800 pixels (100 bytes are 1 bit per pixel), score and decode milliseconds.
    "zebra": [(25, 30.0, 8.0), (100, 36.0, 9.0)],
    "apple": [(50, 31.0, 2.0), (125, 35.0, 1.0)],
    "mango": [(75, 30.5, 1.0), (150, 36.0, 16.0)],
}


def ladders(better: str = "higher", pictures: int = 6) -> list[ScoredCell]:
    sign = 1 if better == "higher" else -1
    return [
        replace(
            CELL, image_set="photos", picture=f"{picture}.png", picture_sha256=f"{picture}", kind="natural",
            pixel_count=800, codec=codec, codec_id=f"{codec}-id", quality=place + 1.5, seed=None, toy=False,
            bitstream_bytes=size, scores={PSNR.metric_id: Score(sign * score)}, picture_generator=None,
            codec_generator=None, verdict=None,
        )
        for codec, ladder in LADDERS.items()
        for place, (size, score, _) in enumerate(ladder)
        for picture in range(pictures)
    ]  # fmt: skip


def timed() -> list[Any]:
    """Return the decode times, of all but the dear setting of zebra."""
    side = {
        (codec, place): Side((milliseconds * 0.0008,), (0.5,))
        for codec, ladder in LADDERS.items()
        for place, (_, _, milliseconds) in enumerate(ladder)
        if (codec, place) != ("zebra", 1)
    }
    return [
        replace(
            TIMED, codec=codec, codec_id=f"{codec}-id", quality=place + 1.5, pixel_count=800_000,
            timing=replace(TIMED.timing, decode=decode),
        )
        for (codec, place), decode in side.items()
    ]  # fmt: skip


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_the_front_of_rate_and_score(make_store: Callable, better: Any) -> None:
    metric = replace(PSNR, better=better)
    part = part_of(make_store(ladders(better), metrics=(metric,)))
    table = pareto_table(part, metric, part.comparison(metric))
    sign = "" if better == "higher" else "−"
    # mango's first is dearer and worse than apple's; apple's second than zebra's; mango's second only dearer.
    assert texts(table) == [
        ["zebra", "1.5", "0.25", f"{sign}30.00", "100"],
        ["apple", "1.5", "0.50", f"{sign}31.00", "100"],
        ["zebra", "2.5", "1.00", f"{sign}36.00", "100"],
    ]
    assert [column.heading for column in table.columns] == [
        "Codec", "Setting", "Rate, bits/pixel", "PSNR, dB", "On the front, %",
    ]  # fmt: skip
    assert "beats in rate or score; means over the 6 pictures" in table.notes[0]
    assert table.notes[0].endswith("3 settings beaten.")
    assert table.notes[1].startswith("Without decode time")
    assert table.rows[1].record == {
        "codec": "apple", "codec_id": "apple-id", "setting": 1.5, "bits_per_pixel": pytest.approx(0.5),
        "score": pytest.approx(31.0 if better == "higher" else -31.0), "decode_seconds_per_megapixel": None,
        "front_share": 1.0,
    }  # fmt: skip


def test_the_front_of_rate_score_and_decode_time(make_store: Callable) -> None:
    part = part_of(make_store(ladders(), metrics=(PSNR,)))
    table = pareto_table(part, PSNR, part.comparison(PSNR), timed())
    assert texts(table) == [
        ["zebra", "1.5", "0.25", "30.00", "8.00", "100"],
        ["apple", "1.5", "0.50", "31.00", "2.00", "100"],
        ["mango", "1.5", "0.75", "30.50", "1.00", "100"],
        ["apple", "2.5", "1.25", "35.00", "1.00", "100"],
        ["mango", "2.5", "1.50", "36.00", "16.0", "100"],
    ]
    assert [column.heading for column in table.columns[4:]] == ["Decode, ms/MP", "On the front, %"]
    assert text_columns(table) == ["Codec"]
    assert values(table)[0] == pytest.approx([None, 1.5, 0.25, 30.0, 0.008, 1.0])
    assert "beats in rate, score or decode time" in table.notes[0]
    assert table.notes[0].endswith("0 settings beaten.")
    assert table.notes[1] == "Settings without a row of the timing pass are left out."
    assert table.rows[4].record["decode_seconds_per_megapixel"] == pytest.approx(0.016)


def test_every_point_with_the_pictures_that_it_is_of(make_store: Callable) -> None:
    cells = [
        replace(cell, bitstream_bytes=cell.bitstream_bytes + int(cell.picture_sha256),
                scores={PSNR.metric_id: Score(cell.scores[PSNR.metric_id].value + int(cell.picture_sha256))})
        for cell in ladders(pictures=3)
    ]  # fmt: skip
    part = part_of(make_store(cells, [failed("3")], metrics=(PSNR,)))
    table = points_table(part, PSNR, part.comparison(PSNR))
    # Pictures 0, 1 and 2: on average a byte and a dB more.
    assert texts(table) == [
        ["apple", "1.5", "0.51", "32.00", "3/4"],
        ["apple", "2.5", "1.26", "36.00", "3/4"],
        ["mango", "1.5", "0.76", "31.50", "3/4"],
        ["mango", "2.5", "1.51", "37.00", "3/4"],
        ["zebra", "1.5", "0.26", "31.00", "3/4"],
        ["zebra", "2.5", "1.01", "37.00", "3/4"],
    ]
    assert text_columns(table) == ["Codec"]
    assert table.title == "Points of PSNR · photos"
    record = table.rows[3].record
    assert (record["codec"], record["setting"], record["bits_per_pixel"], record["score"]) == (
        "mango", 2.5, pytest.approx(1.51), pytest.approx(37.0),
    )  # fmt: skip
    assert (record["pictures"], record["of_pictures"]) == (3, 4)
    assert record["bits_per_pixel_interval_95"] is None


def test_intervals_of_a_point_are_of_its_rate_and_of_its_score(make_store: Callable) -> None:
    cells = [
        replace(cell, bitstream_bytes=cell.bitstream_bytes + int(cell.picture_sha256))
        for cell in ladders(pictures=6)
    ]
    part = part_of(make_store(cells, metrics=(PSNR,)))
    _, _, table = comparison_tables(part, PSNR, points=True)
    record = table.rows[0].record
    low, high = record["bits_per_pixel_interval_95"]
    assert low < record["bits_per_pixel"] < high
    assert record["score_interval_95"] == pytest.approx((31.0, 31.0))  # alike on all pictures
    assert texts(table)[0][3] == "31.00 (31.00…31.00)"
    assert texts(table)[0][2] == f"{digits.rate(0.525)} ({digits.rate(low)}…{digits.rate(high)})"
    assert len(comparison_tables(part, PSNR)) == 2


def failed(picture: str) -> Failure:
    return Failure("photos", f"{picture}.png", picture, "zebra-id", "zebra", 9.0, None, None, "crash",
                   "encode", 1, "", "", "2026-01-01T00:00:00", False)  # fmt: skip


def test_codecs_without_a_common_picture_cannot_be_compared(make_store: Callable) -> None:
    apart = [cell for cell in ladders() if (cell.codec == "zebra") == (int(cell.picture_sha256) < 3)]
    part = part_of(make_store(apart, metrics=(PSNR,)))
    with pytest.raises(AnalysisError, match="no picture of photos has psnr scores of all compared codecs"):
        comparison_tables(part, PSNR)


def split(**changes: Any) -> KindSplit:
    rows = (
        KindRow("webp-id", "webp", "none", Level(5, -20.04, Interval(-25.0, -15.0)),
                Level(7, -40.06, Interval(-45.5, -35.0)), -25.02, Interval(-30.0, -19.9), 0.049),
        KindRow("avif-id", "avif", "none", Level(5, 3.0, NO_ENDS), Level(7, 4.0, NO_ENDS), 1.0,
                Interval(-2.0, 3.0), 0.0501),
        KindRow("diffuse-id", "diffuse", "same weights", Level(5, None, Interval(None, None, "no overlap")),
                Level(2, 9.0, Interval(None, None, "undefined in 7% of resamples"))),
        KindRow("empty-id", "empty", "none", Level(0, 1.0, Interval(None, None, "unseen")),
                Level(0, None, Interval(None, None, "no picture")), 5.0, None, None),
    )  # fmt: skip
    order = Order(0.0301, 4, 0.333, Interval(-0.333, 1.0), (
        Reversal("webp", "avif", -4.0, 5.0, 0.0125), Reversal("avif", "diffuse", -1.0, 2.0, 0.051),
    ))  # fmt: skip
    known: dict[str, Any] = {
        "metric": PSNR, "anchor": "jpeg", "anchor_id": "jpeg-id", "natural_pictures": 5,
        "generated_pictures": 7, "set_aside": 2, "other_kinds": {}, "of_pictures": 19, "rows": rows,
        "not_compared": ("late",),
        "order": order, "statement": None,
    }  # fmt: skip
    return KindSplit(**{**known, **changes})


def kinds(split: KindSplit, toys: Sequence[str] = ()) -> Table:
    comparison = compared("avif", "diffuse", "webp", toys=toys)
    return kind_table(Answers(comparisons={PSNR.metric_id: comparison}, image_set="photos + made"), split)


def test_natural_and_generated_pictures_each_stand_under_their_own_heading() -> None:
    table = kinds(split(), toys=["diffuse"])
    assert table.title == "Natural against AI-generated: BD-rate against jpeg by PSNR · photos + made"
    assert [column.heading for column in table.columns] == [
        "Codec", "Affinity", "Natural, %", "AI-generated, %", "Difference, %", "p", "Pictures",
    ]  # fmt: skip
    assert texts(table) == [
        ["webp", "none", "−20.0 (−25.0…−15.0)", "−40.1 (−45.5…−35.0)", "−25.0 (−30.0…−19.9)", "0.049*",
         "5 + 7"],
        ["avif", "none", "+3.0", "+4.0", "+1.0 (−2.0…+3.0)", "0.050", "5 + 7"],
        ["diffuse (toy)", "same weights", "– no overlap", "+9.0", "–", "–", "5 + 2"],
        ["empty", "none", "+1.0", "– no picture", "–", "–", "0 + 0"],
    ]  # fmt: skip
    assert text_columns(table) == ["Codec", "Affinity"]
    assert values(table)[0] == [None, None, -20.04, -40.06, -25.02, 0.049, None]
    record = table.rows[0].record
    assert (record["codec"], record["anchor"], record["metric"]) == ("webp", "jpeg", "psnr")
    assert (record["natural"]["percent"], record["generated"]["percent"]) == (-20.04, -40.06)
    assert record["order"]["tau"] == 0.333
    used, matters, changes, reversal, aside, *rest = table.notes
    assert used == (
        "Minus: fewer bits than jpeg at equal score. Of 5 natural and 7 AI-generated pictures that all "
        "compared codecs finished, of 19 tried; in brackets 95 % intervals, each kind resampled on its own."
    )
    assert matters.startswith("Does the kind matter? p = 0.030: some codec's BD-rate depends on the kind of ")
    assert matters.endswith("corrected for all 3 codecs (max-T).")
    assert changes == (
        "Does the order change? Kendall's tau of the two orders of 4 codecs is 0.33 (−0.33…1.00); 2 pairs in "
        "another order, 1 of them shown."
    )
    assert reversal == "webp against avif: −4.0 % on natural, +5.0 % on AI-generated pictures (p = 0.013)."
    assert aside.startswith("2 AI-generated pictures in no test")
    assert rest == [
        "No interval: fewer than 5 pictures.",
        "No interval: undefined in 7% of resamples.",
        "Not compared: late finished too few pictures.",
        digits.TOY_NOTE,
    ]


def test_what_the_order_says_where_nothing_is_shown() -> None:
    reversals = tuple(Reversal(f"a{place}", "b", -1.0, 2.0, None) for place in range(5))
    notes = kinds(split(order=Order(0.0501, 4, -1.0, NO_ENDS, reversals))).notes
    assert "p = 0.050: not shown that any depends on the kind" in notes[1]
    assert "is −1.00 (0.00…0.00); 5 pairs in another order, 0 of them shown." in notes[2]
    assert notes[3:6] == tuple(
        f"a{place} against b: −1.0 % on natural, +2.0 % on AI-generated pictures." for place in range(3)
    )
    assert not notes[6].startswith("a3")
    steady = kinds(split(order=Order(0.5, 3, 1.0, NO_ENDS, ()), set_aside=0, not_compared=())).notes
    assert steady[2].endswith("; no pair in another order.")
    assert not any("in no test" in note or note.startswith("Not compared") for note in steady)
    none = kinds(split(order=None, statement="toy set"))
    assert none.notes[0] == "toy set"
    assert "Does the" not in " ".join(none.notes)
    assert none.rows[0].record["order"] is None
    assert none.rows[0].record["statement"] == "toy set"


def test_kinds_need_both_kinds_and_a_score(make_store: Callable) -> None:
    natural = ladders()
    with pytest.raises(AnalysisError, match=r"stored: natural$"):
        kind_tables(make_store(natural, metrics=(PSNR,)))
    both = [replace(cell, kind="ai-generated") if cell.picture_sha256 > "2" else cell for cell in natural]
    bare = [replace(cell, scores={}) for cell in both]
    with pytest.raises(AnalysisError, match="has a score yet"):
        kind_tables(make_store(bare, metrics=(PSNR,)))
    port = metric_row("port", "psnr-y", "elsewhere", "2", "Y", "higher", None)
    (table,) = kind_tables(make_store(both, metrics=(PSNR, port)), anchor="zebra")
    assert table.title.endswith("BD-rate against zebra by PSNR · photos")
    two = [replace(cell, image_set="made") if cell.kind == "ai-generated" else cell for cell in both]
    (joined,) = kind_tables(make_store(two, metrics=(PSNR,)), anchor="zebra")
    assert joined.title.endswith(" · made + photos")
    assert [row.record["natural"]["pictures"] for row in joined.rows] == [3, 3]


def test_a_part_of_one_kind_has_failures_and_matches_of_its_pictures_only(make_store: Callable) -> None:
    both = [replace(cell, kind="ai-generated") if cell.picture_sha256 > "2" else cell for cell in ladders()]
    store = make_store(both, [failed("1"), failed("4"), failed("unseen")], metrics=(PSNR,))
    by_kind = {kind: part_of(store, kind=kind) for kind in (None, "natural", "ai-generated")}
    shown = {kind: {failure.picture_sha256 for failure in part.failures} for kind, part in by_kind.items()}
    assert shown == {None: {"1", "4", "unseen"}, "natural": {"1"}, "ai-generated": {"4"}}
    assert [part.scope for part in by_kind.values()] == [
        "photos | every kind", "photos | natural", "photos | ai-generated",
    ]  # fmt: skip
