"""Times and needs stand under their own headings: rows by hand, of timings that differ in everything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from report_rows import PSNR, TIMED, TIMING, summary, text_columns, texts, values

from codecarena.bench.analysis.curves import BdRate
from codecarena.bench.analysis.leaderboard import BdRow, Leaderboard
from codecarena.bench.store.timings import Footprint, Side, TimingRow
from codecarena.reports.charts.chart_points import TradePoint
from codecarena.reports.charts.trades import absent, trades
from codecarena.reports.tables import digits, speed
from codecarena.reports.tables.comparisons import decode_seconds
from codecarena.reports.tables.leaderboard_columns import Cost, costs, with_costs
from codecarena.reports.tables.table import Column, Entry, Row, Summary, Table

NARROW = "\N{NARROW NO-BREAK SPACE}"
LARGER = replace(
    TIMED, picture="b.png", picture_sha256="b", pixel_count=400_000,
    timing=replace(
        TIMING, bitstream_bytes=200_000, load_seconds=2.5, empty_mib=43.0,
        encode=Side((0.8,), (1.0,), peak_mib=300.0, peak_gpu_mib=900.0),
        decode=Side((0.2,), (0.3,), peak_mib=290.0, peak_gpu_mib=1500.0),
    ),
)  # fmt: skip
"""4 bits per pixel; a second is 2,500 ms a megapixel."""
JPEG = replace(
    TIMED, codec_id="jpeg-id", codec="jpeg", family="classic",
    timing=replace(
        TIMING, bitstream_bytes=25_000, encode=Side((0.02, 0.03, 0.01), (0.012, 0.013, 0.014), peak_mib=60.0),
        decode=Side((0.004, 0.005, 0.006), (0.0025, 0.003, 0.001), peak_mib=50.0), load_seconds=0.25,
        empty_mib=40.0,
    ),
)  # fmt: skip
"""1 bit per pixel; 100 ms to encode and 25 ms to decode a megapixel, of the CPU 65 and 12.5."""
FOOTPRINTS = {("latent-id", "desk"): Footprint(3_200_000, 4_500_000, "torch", {"weights": {"w": 1}})}
MACHINES: dict[str, Mapping[str, Any]] = {
    "desk": {"cpu": "Ryzen", "cores": 16, "gpus": ["H200"]},
    "lap": {"cpu": "M2", "cores": 1},
}


@pytest.fixture
def tables_of(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that gives the speed tables of a store that holds these timings."""

    def tables(rows: list[TimingRow], opened: Mapping[Any, Footprint] = FOOTPRINTS) -> list[Table]:
        monkeypatch.setattr(
            speed, "timings", lambda _, name: [row for row in rows if name in (None, row.image_set)]
        )
        monkeypatch.setattr(speed, "machines", lambda _: MACHINES)
        monkeypatch.setattr(speed, "footprints", lambda _: opened)
        return speed.speed_tables(None)  # type: ignore[arg-type]

    return tables


def test_speed_on_a_machine_with_a_gpu(tables_of: Any) -> None:
    table, _ = tables_of([LARGER, TIMED, JPEG])
    assert table.title == "Speed on 2 threads of Ryzen, 16 cores, H200 · photos"
    assert [column.heading for column in table.columns] == [
        "Codec", "Rate, bits/pixel",
        "Encode, MP/s", "Encode, ms/MP", "Encode, CPU ms/MP", "Encode, GPU ms/MP",
        "Decode, MP/s", "Decode, ms/MP", "Decode, CPU ms/MP", "Decode, GPU ms/MP", "Cells",
    ]  # fmt: skip
    assert texts(table) == [
        ["jpeg", "1.00", "10.0", "100 (100…100)", "65.0", "–", "40.0", "25.0 (25.0…25.0)", "12.5", "–", "1"],
        # Encode takes 1,500 and 2,000 ms a megapixel, decode 400 and 500; CPU 3,000 and 2,500, 550 and 750.
        ["latent", "3.00", "0.571", f"1{NARROW}750 (1{NARROW}500…2{NARROW}000)", f"2{NARROW}750", "100",
         "2.22", "450 (400…500)", "650", "150", "2"],
    ]  # fmt: skip
    assert text_columns(table) == ["Codec"]
    assert values(table)[1] == pytest.approx(
        [None, 3.0, 1000 / 1750, 1750, 2750, 100, 1000 / 450, 450, 650, 150, 2]
    )
    assert table.notes == (speed.SPREAD,)
    record = table.rows[0].record
    assert {name: record[name] for name in ("codec", "codec_id", "image_set", "machine_id", "threads")} == {
        "codec": "jpeg", "codec_id": "jpeg-id", "image_set": "photos", "machine_id": "desk", "threads": 2,
    }  # fmt: skip
    assert record["loaded"] == 0
    assert [(cell["picture"], cell["quality"], cell["pixels"]) for cell in record["cells"]] == [
        ("a.png", 3.0, 200_000)
    ]
    assert record["cells"][0]["decode"]["cpu_seconds"] == (0.0025, 0.003, 0.001)


@pytest.mark.parametrize(("cells", "shown"), [(19, "100 (10.0…190)"), (20, "105 (19.5…190)")])
def test_ends_of_few_cells_are_their_least_and_greatest(tables_of: Any, cells: int, shown: str) -> None:
    # 10, 20, 30, ... ms to encode a megapixel.
    rows = [
        replace(JPEG, timing=replace(JPEG.timing, encode=Side((0.002 * place,), (0.01,))))
        for place in range(1, cells + 1)
    ]
    (row,) = tables_of(rows)[0].rows
    assert row.entries[3].text == shown
    assert "of fewer than 20 cells minimum…maximum" in speed.SPREAD


def test_memory_and_decoder_on_a_machine_with_a_gpu(tables_of: Any) -> None:
    _, table = tables_of([LARGER, TIMED, JPEG])
    assert table.title == "Memory and decoder on 2 threads of Ryzen, 16 cores, H200 · photos"
    assert [column.heading for column in table.columns] == [
        "Codec", "Load, s", "Encode peak, MiB", "Decode peak, MiB", "Encode peak, GPU MiB",
        "Decode peak, GPU MiB", "Encode, kMAC/pixel", "Decode, kMAC/pixel", "Weights, MB", "Libraries, MB",
        "Runtime",
    ]  # fmt: skip
    assert texts(table) == [
        ["jpeg", "0.250", "60.0", "50.0", "–", "–", "–", "–", "–", "–", "–"],
        # The largest peak of the two cells; 34.08 and 26.06 million multiply-accumulates of 200,000 pixels.
        ["latent", "2.10", "310", "290", f"1{NARROW}100", f"1{NARROW}500", "0.170", "0.130", "3.20", "4.50",
         "torch"],
    ]  # fmt: skip
    assert table.notes[0].startswith(
        "Peak memory is of the whole process, 41.0 MiB of which an empty one has."
    )
    assert text_columns(table) == ["Codec", "Runtime"]
    assert values(table)[1] == pytest.approx(
        [None, 2.1, 310, 290, 1100, 1500, 0.1704, 0.1303, 3.2, 4.5, None]
    )
    record = table.rows[1].record
    assert (record["footprint"]["weights_bytes"], record["footprint"]["library_bytes"]) == (
        3_200_000,
        4_500_000,
    )
    assert len(record["cells"]) == 2
    assert table.rows[0].record["footprint"] is None


def test_without_a_gpu_there_are_no_columns_of_one(tables_of: Any) -> None:
    there = replace(JPEG, machine_id="lap", threads=1)
    timed, needs = tables_of([there], {("jpeg-id", "lap"): Footprint(0, 10_000, "", {})})
    assert timed.title == "Speed on 1 thread of M2, 1 core · photos"
    assert len(timed.columns) == 9
    assert texts(timed) == [
        ["jpeg", "1.00", "10.0", "100 (100…100)", "65.0", "40.0", "25.0 (25.0…25.0)", "12.5", "1"]
    ]
    assert len(needs.columns) == 9
    assert texts(needs) == [["jpeg", "0.250", "60.0", "50.0", "–", "–", "0", "0.0100", "–"]]


def test_a_table_is_of_one_set_machine_and_number_of_threads(tables_of: Any) -> None:
    places = [("photos", "lap", 2), ("photos", "desk", 8), ("photos", "desk", 2), ("art", "lap", 1)]
    rows = [
        replace(JPEG, image_set=name, machine_id=machine, threads=threads)
        for name, machine, threads in places
    ]
    titles = [table.title.removeprefix("Speed on ") for table in tables_of(rows)[::2]]
    assert titles == [
        "1 thread of M2, 1 core · art",
        "2 threads of Ryzen, 16 cores, H200 · photos",
        "8 threads of Ryzen, 16 cores, H200 · photos",
        "2 threads of M2, 1 core · photos",
    ]


def test_a_loaded_machine_and_a_toy_are_named(tables_of: Any) -> None:
    busy = replace(LARGER, timing=replace(LARGER.timing, loaded=True))
    table, needs = tables_of([TIMED, busy, replace(JPEG, toy=True)])
    # Of two cells the quiet one counts.
    assert [row[0] for row in texts(table)] == ["jpeg (toy)", "latent"]
    assert [row[-1] for row in texts(table)] == ["1", "1"]
    assert [row.record["loaded"] for row in table.rows] == [0, 1]
    left_out = (
        "1 cell left out: other programs ran meanwhile, and the codec has others timed at a quiet moment."
    )
    assert table.notes == (speed.SPREAD, left_out, digits.TOY_NOTE)
    assert needs.notes[1:] == (digits.TOY_NOTE,)
    table, needs = tables_of([busy, replace(JPEG, toy=True)])
    assert [row[0] for row in texts(table)] == ["jpeg (toy)", "latent ‡"]
    assert [row[0] for row in texts(needs)] == ["jpeg (toy)", "latent ‡"]
    assert table.notes == (speed.SPREAD, speed.LOADED_NOTE, digits.TOY_NOTE)


def test_what_a_codec_costs_is_of_quiet_rows_of_the_place_that_timed_most() -> None:
    elsewhere = replace(JPEG, codec_id="latent-id", machine_id="lap")
    busy = replace(LARGER, timing=replace(LARGER.timing, loaded=True))
    latent = costs([elsewhere, TIMED, LARGER, busy, busy, busy], FOOTPRINTS)["latent-id"]
    assert latent.encode_milliseconds == pytest.approx(1750)
    assert latent.decode_milliseconds == pytest.approx(450)
    assert latent.decode_cpu_milliseconds == pytest.approx(650)
    assert latent.decoder_bytes == 7_700_000
    one_place = costs([TIMED, LARGER, JPEG], {})
    assert one_place["latent-id"] == Cost(1750, 450, pytest.approx(650), None)  # type: ignore[arg-type]
    assert one_place["jpeg-id"] == Cost(100, 25, pytest.approx(12.5), None)  # type: ignore[arg-type]
    assert costs([], {}) == {}


def test_a_decoder_is_that_of_the_machine_that_timed_it() -> None:
    opened = {("jpeg-id", machine): Footprint(30, size, "", {})
              for machine, size in (("ant", 1), ("desk", 12), ("lap", 5))}  # fmt: skip
    assert costs([JPEG], opened)["jpeg-id"].decoder_bytes == 42
    assert costs([replace(JPEG, machine_id="ant")], opened)["jpeg-id"].decoder_bytes == 31
    assert costs([], opened)["jpeg-id"].decoder_bytes == 35


def test_a_codec_timed_under_load_only_is_marked() -> None:
    busy = replace(JPEG, timing=replace(JPEG.timing, loaded=True))
    (jpeg,) = costs([busy], {("jpeg-id", "desk"): Footprint(30, 12, "", {})}).values()
    assert jpeg == Cost(100, 25, pytest.approx(12.5), 42, loaded=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("busy", [[], ["a"], ["a", "b"], ["a", "b", "jpeg"]])
def test_leaderboard_and_table_of_speeds_have_the_same_times(tables_of: Any, busy: list[str]) -> None:
    rows = [
        replace(row, timing=replace(row.timing, loaded=name in busy))
        for name, row in (("a", TIMED), ("b", LARGER), ("jpeg", JPEG))
    ]
    table, _ = tables_of(rows)
    titles = [column.heading for column in table.columns]
    board = Table(
        "Board", (Column("Codec", numeric=False),),
        tuple(Row((Entry(name),), {"codec_id": f"{name}-id"}) for name in ("jpeg", "latent")),
    )  # fmt: skip
    of_codecs = costs(rows, {})
    beside = with_costs(board, of_codecs)
    in_speeds = {str(row.record["codec_id"]): row for row in table.rows}
    for row in beside.rows:
        speeds = in_speeds[str(row.record["codec_id"])]
        cost = of_codecs[str(row.record["codec_id"])]
        expected = {
            "Encode, ms/MP": cost.encode_milliseconds,
            "Decode, ms/MP": cost.decode_milliseconds,
            "Decode, CPU ms/MP": cost.decode_cpu_milliseconds,
        }
        assert {name: speeds.entries[titles.index(name)].value for name in expected} == expected
        assert row.entries[1].value == cost.decode_milliseconds
        assert (speed.LOADED in speeds.entries[0].text) == (speed.LOADED in row.entries[1].text)
    marked = [str(row.record["codec_id"]) for row in beside.rows if speed.LOADED in row.entries[1].text]
    assert marked == [*["jpeg-id"] * ("jpeg" in busy), *["latent-id"] * ("b" in busy)]
    assert (speed.LOADED_NOTE in beside.notes) == (speed.LOADED_NOTE in table.notes) == bool(marked)
    assert [row.record["loaded"] for row in in_speeds.values()].count(0) == 2 - len({*busy} & {"a", "jpeg"})


def test_costs_beside_a_leaderboard() -> None:
    table = Table(
        "Board",
        (Column("Codec", numeric=False),),
        tuple(Row((Entry(name),), {"codec_id": f"{name}-id"}) for name in ("latent", "jpeg", "new")),
    )
    costs = {"latent-id": Cost(1750.0, 450.0, 650.0, 7_700_000), "jpeg-id": Cost(100.0, 25.0, 10.0, None)}
    beside = with_costs(table, costs)
    assert [column.heading for column in beside.columns] == ["Codec", "Decode, ms/MP", "Decoder, MB"]
    assert texts(beside) == [["latent", "450", "7.70"], ["jpeg", "25.0", "–"], ["new", "–", "–"]]
    assert values(beside)[0] == [None, 450.0, 7.7]
    assert beside.rows[2].entries[1].hint.startswith("Not timed with the others")
    sizes_only = with_costs(table, {"jpeg-id": Cost(None, None, 10.0, 0)})
    assert [column.heading for column in sizes_only.columns] == ["Codec", "Decoder, MB"]
    assert texts(sizes_only)[1] == ["jpeg", "0"]
    assert with_costs(table, {}) is table


@pytest.mark.parametrize(
    ("best", "other", "said"),
    [
        (
            "latent",
            "jpeg",
            " latent takes 18 times as long to decode as jpeg: 450 against 25.0 ‡ ms per megapixel.",
        ),
        (
            "jpeg",
            "latent",
            " jpeg decodes 18 times as fast as latent: 25.0 ‡ against 450 ms per megapixel.",
        ),
        ("latent", "new", " latent decodes in 450 ms per megapixel."),
        ("latent", "", " latent decodes in 450 ms per megapixel."),
        ("new", "jpeg", ""),
    ],
)
def test_what_decoding_costs_is_said_of_the_best_codec(best: str, other: str, said: str) -> None:
    names = ("latent", "jpeg", "new")
    rows = tuple(Row((Entry(name),), {"codec_id": f"{name}-id", "codec": name}) for name in names)
    summary = Summary("Best.", f"{best}-id", f"{other}-id" if other else "")
    table = Table("Board", (Column("Codec", numeric=False),), rows, summary=summary)
    times = {"latent-id": Cost(None, 450.0, 1.0, None), "jpeg-id": Cost(None, 25.0, 1.0, None, loaded=True)}
    shown = with_costs(table, times).summary
    assert shown is not None
    assert shown.text == f"Best.{said}"


def test_decode_time_of_a_front_is_of_quiet_rows_of_the_place_that_timed_most() -> None:
    other_setting = replace(TIMED, quality=5.0, timing=JPEG.timing)
    busy = [replace(JPEG, machine_id="lap", threads=place, timing=replace(JPEG.timing, loaded=True))
            for place in (1, 1, 1, 1, 1)]  # fmt: skip
    few = [replace(JPEG, threads=1), replace(JPEG, machine_id="lap")]
    assert decode_seconds([*few, *busy, TIMED, LARGER, other_setting]) == pytest.approx(
        {("latent-id", 3.0): 0.45, ("latent-id", 5.0): 0.025}
    )


PERCENTS = {"slow": -40.0, "fast": -10.0, "worse": -5.0, "untimed": -60.0, "none": None}
BOARD = Leaderboard(
    PSNR, "jpeg", "jpeg-id", 6,
    tuple(
        BdRow(summary(label), BdRate(percent, None if percent is not None else "no overlap"), None, 0, ())
        for label, percent in PERCENTS.items()
    ),
    comparison=None,  # type: ignore[arg-type]
)  # fmt: skip


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        # Codec, cost and whether nothing is both cheaper and better.
        ("decode", [("fast", 2.0, True), ("worse", 3.0, False), ("slow", 9.0, True)]),
        ("encode", [("worse", 1.0, True), ("slow", 8.0, True), ("fast", 20.0, False)]),
        ("decode-cpu", [("fast", 4.0, True), ("slow", 5.0, True), ("worse", 6.0, False)]),
        ("decoder", [("slow", 1.5, True), ("fast", 7.5, False), ("worse", 8.5, False)]),
    ],
)
def test_savings_over_costs(by: str, expected: list[tuple[str, float, bool]]) -> None:
    footprints = {
        "slow-id": Cost(8.0, 9.0, 5.0, 1_500_000), "fast-id": Cost(20.0, 2.0, 4.0, 7_500_000),
        "worse-id": Cost(1.0, 3.0, 6.0, 8_500_000), "none-id": Cost(0.1, 0.1, 0.1, 1),
        "untimed-id": Cost(None, None, None, None),
    }  # fmt: skip
    assert trades(BOARD, footprints, by) == [
        TradePoint(label, cost, PERCENTS[label], on_front) for label, cost, on_front in expected
    ]
    assert trades(BOARD, {}, by) == []


def test_codecs_that_the_chart_lacks_are_named_with_the_reason() -> None:
    costs = {
        "slow-id": Cost(8.0, 9.0, 5.0, 1_500_000), "fast-id": Cost(20.0, 2.0, 4.0, 7_500_000, loaded=True),
        "worse-id": Cost(None, None, None, 8_500_000),
    }  # fmt: skip
    assert [point.codec for point in trades(BOARD, costs, "decode")] == ["slow"]
    assert absent(BOARD, costs, "decode") == [
        "Not in the chart: fast: timed while other programs ran, which is no speed.",
        "Not in the chart: worse, untimed: not timed there.",
        "Not in the chart: none: no BD-rate (no overlap).",
    ]
    # Time of the processor hardly suffers, and the size of a decoder not at all.
    assert [point.codec for point in trades(BOARD, costs, "decode-cpu")] == ["fast", "slow"]
    assert absent(BOARD, costs, "decoder") == [
        "Not in the chart: untimed: what the decoder opens was not counted.",
        "Not in the chart: none: no BD-rate (no overlap).",
    ]
