from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from metric_rows import metric_row, named
from stored_cells import part_of

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.records.rows import Score
from codecarena.reports.tables import digits
from codecarena.reports.tables.leaderboard_tables import (
    OperatingPoint,
    failures_table,
    leaderboard_tables,
    parse_operating_point,
    rate_points,
)
from codecarena.reports.tables.markup import html_table
from codecarena.reports.tables.selection import choose_metrics
from codecarena.reports.tables.table import (
    Column,
    Entry,
    Row,
    Table,
    as_json,
    in_order,
    without_columns,
)


def texts(table: Table) -> dict[str, list[str]]:
    return {row.entries[0].text: [entry.text for entry in row.entries[1:]] for row in table.rows}


@pytest.mark.parametrize("view", [{"anchor": "webp"}, {"at": "bpp=1"}, {"at": "psnr=30"}])
def test_a_toy_is_named_in_every_view_with_a_note(arena_cells, make_store, view: dict[str, str]) -> None:
    toys = [replace(cell, toy=cell.codec == "jpeg") for cell in arena_cells]
    (table,) = leaderboard_tables(make_store(toys), **view)
    assert {"jpeg (toy)", "webp"} <= texts(table).keys()
    assert {row.record["codec"]: row.record["toy"] for row in table.rows}["jpeg"] is True
    assert digits.TOY_NOTE in table.notes
    (plain,) = leaderboard_tables(make_store(arena_cells), **view)
    assert digits.TOY_NOTE not in plain.notes


def test_bd_rate_of_one_metric_in_detail(arena_cells, broken, make_store) -> None:
    store = make_store(arena_cells, broken)
    (table,) = leaderboard_tables(store, anchor="jpeg", metrics=["psnr"])
    assert [column.heading for column in table.columns] == [
        "Codec", "BD-rate, %", "BD-PSNR, dB", "Mean of pictures, %", "Shared range, dB", "Overlap, %",
        "Pictures", "Rate range, bits/pixel",
    ]  # fmt: skip
    rows = texts(table)
    assert list(rows) == ["webp", "jpeg", "jpeg(subsampling=444)", "<b>broken</b>"]
    assert rows["webp"][0].startswith("−")
    assert rows["jpeg"][0] == "anchor"
    assert rows["<b>broken</b>"][0] == "– crash in encode"
    assert rows["<b>broken</b>"][5] == "0/2"
    assert "2 pictures that all compared codecs finished" in table.notes[0]
    assert "<b>broken</b>: 2 attempts failed." in table.notes


def test_bd_rate_of_every_metric_side_by_side_and_its_records(arena_cells, make_store) -> None:
    tables = leaderboard_tables(make_store(arena_cells), anchor="jpeg")
    assert [column.title for column in tables[0].columns[1:3]] == ["PSNR", "mean-difference"]
    (document,) = json.loads(json.dumps(as_json(tables)))
    webp = next(row for row in document["rows"] if row["codec"] == "webp")
    bd_rate = webp["bd_rate"]["0123456789abcdef"]
    assert bd_rate["percent"] < -20
    assert bd_rate["shared_range"][0] < bd_rate["shared_range"][1]
    assert (bd_rate["common_pictures"], webp["of_pictures"]) == (2, 2)


def test_at_a_rate_and_at_a_score(arena_cells, make_store) -> None:
    store = make_store(arena_cells)
    (at_rate,) = leaderboard_tables(store, at="bpp=0.5")
    assert next(iter(texts(at_rate))) == "webp"
    (at_score,) = leaderboard_tables(store, at="psnr=32")
    assert at_score.title == "Cost of PSNR 32.00 dB · photos"
    assert [column.heading for column in at_score.columns[1:6]] == [
        "Rate, bits/pixel",
        "Against jpeg, %",
        "Both",
        "File, kB",
        "Encode, ms",
    ]
    assert texts(at_score)["webp"][4].endswith("†")
    assert any(note.startswith("†") for note in at_score.notes)
    record = next(row.record for row in at_score.rows if row.record["codec"] == "webp")
    assert record["encode_seconds"]["contended"] is True
    assert record["bits_per_pixel"]["pictures"] == 2


def test_the_default_view_is_at_a_rate_where_a_codec_shares_no_range(arena_cells, make_store) -> None:
    assert leaderboard_tables(make_store(arena_cells))[0].title.startswith("BD-rate against jpeg")
    low = [
        replace(cell, codec="tiny", codec_id="tiny", scores={key: Score((score.value or 0) - 30)
                for key, score in cell.scores.items()})
        for cell in arena_cells
        if cell.codec == "jpeg"
    ]  # fmt: skip
    assert leaderboard_tables(make_store([*arena_cells, *low]))[0].title.startswith("Scores at 0.50")


def test_identities_of_one_name_have_columns_of_their_own(arena_cells, make_store) -> None:
    port = metric_row("port", "psnr", "elsewhere", "2", "RGB", "higher", None)
    both = [
        replace(cell, scores={**cell.scores, "port": cell.scores["0123456789abcdef"]}) for cell in arena_cells
    ]
    store = make_store(both, metrics=(*make_store().metrics(), port))
    (table,) = leaderboard_tables(store, anchor="jpeg", metrics=["psnr"])
    assert [column.title for column in table.columns[1:3]] == [
        "PSNR (codecarena 0.1.0)",
        "PSNR (elsewhere 2)",
    ]
    assert len(leaderboard_tables(store, at="psnr=32")) == 2


def test_sets_never_mix(arena_cells, make_store) -> None:
    other = [replace(cell, image_set="other") for cell in arena_cells]
    store = make_store([*arena_cells, *other])
    assert [table.title.split(" · ")[1] for table in leaderboard_tables(store)] == ["other", "photos"]
    assert len(leaderboard_tables(store, image_set="other")) == 1


def test_kind_narrows_cells_and_failures(arena_cells, broken, make_store) -> None:
    mixed = [replace(cell, kind="ai-generated") if cell.picture == "coffee" else cell for cell in arena_cells]
    part = part_of(make_store(mixed, broken), kind="natural")
    assert {part.columns.pictures[place].name for place in part.columns.picture} == {"astronaut"}
    assert {failure.picture for failure in part.failures} == {"astronaut"}


def test_questions_that_cannot_be_answered_say_what_could_be(arena_cells, make_store) -> None:
    store = make_store(arena_cells)
    with pytest.raises(AnalysisError, match="did you mean 'psnr'"):
        leaderboard_tables(store, metrics=["pnsr"])
    with pytest.raises(AnalysisError, match="no image set 'kodak'; stored: photos"):
        leaderboard_tables(store, image_set="kodak")
    with pytest.raises(AnalysisError, match="expected bpp=NUMBER"):
        leaderboard_tables(store, at="0.25")
    with pytest.raises(AnalysisError, match="has a score yet"):
        leaderboard_tables(make_store([replace(cell, scores={}) for cell in arena_cells], metrics=()))
    assert leaderboard_tables(make_store()) == []


def test_parse_at() -> None:
    assert parse_operating_point("ssimulacra2=70") == OperatingPoint("ssimulacra2", 70.0)


def test_a_name_stands_for_its_python_port_only_where_the_program_is_absent() -> None:
    port = metric_row("p", "ssimulacra2-py", "ssimulacra2", "0.3", "XYB", "higher", 100.0)
    program = metric_row("l", "ssimulacra2", "libjxl", "0.11", "XYB", "higher", 100.0)
    assert choose_metrics([port], ["ssimulacra2"]) == [port]
    assert choose_metrics([port, program], ["ssimulacra2"]) == [program]


def test_chart_points_are_the_mean_curves(arena_cells, make_store) -> None:
    part = part_of(make_store(arena_cells))
    (psnr,) = (metric for metric in part.metrics if metric.name == "psnr")
    points, pictures = rate_points(part, psnr)
    assert (len(points), pictures) == (15, 2)
    (webp,) = [point for point in points if point.codec == "webp" and point.setting == 50]
    cells = [cell for cell in arena_cells if cell.codec == "webp" and cell.quality == 50]
    assert webp.bits_per_pixel == pytest.approx(sum(cell.bits_per_pixel for cell in cells) / 2)
    assert 20 < part.usual_score(psnr) < 45


def test_failures_are_gathered_and_settled_ones_left_out(arena_cells, broken, make_store) -> None:
    # The codec gave a result at another setting in the end.
    later = replace(arena_cells[0], codec=broken[0].codec, codec_id=broken[0].codec_id, quality=20.0)
    part = part_of(make_store([later], [*broken, replace(broken[0], quality=20.0)]))
    (row,) = failures_table(part).rows
    assert [entry.text for entry in row.entries] == [
        "<b>broken</b>", "crash in encode", "the encoder died of signal 11", "2",
    ]  # fmt: skip


def test_names_are_text_in_html(arena_cells, broken, make_store) -> None:
    page = html_table(leaderboard_tables(make_store(arena_cells, broken), anchor="jpeg")[0])
    assert "&lt;b&gt;broken&lt;/b&gt;" in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (digits.percent(-35.84), "−35.8"),
        (digits.percent(4.0), "+4.0"),
        (digits.p_equals(0.0301), "p = 0.030"),
        (digits.p_equals(0.0004), "p < 0.001"),
        (digits.percent(-0.04), "0.0"),
        (digits.rate(0.2567), "0.26"),
        (digits.rate(0.0567), "0.057"),
        (digits.significant(1234.5), "1\u202f234"),
        (digits.significant(0.01234), "0.0123"),
        (digits.score(named("ms-ssim"), 0.98765), "0.9877"),
        (digits.score(named("pyiqa:niqe"), 4.56789), "4.568"),
    ],
)
def test_digits(text: str, expected: str) -> None:
    assert text == expected


def sortable(*rows: tuple[str, float | None, bool]) -> Table:
    columns = (Column("Codec", numeric=False), Column("Rate", "bits"), Column("Pictures"))
    entries = [(Entry(name), Entry(f"{value}", value), Entry("1", 1.0)) for name, value, _ in rows]
    return Table(
        "t", columns,
        tuple(Row(cells, pinned=pinned) for cells, (_, _, pinned) in zip(entries, rows, strict=True)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("", ["jpeg", "c10", "C2", "b", "a"]),
        # Numbers in a name by their size, letters in any case.
        ("0", ["jpeg", "a", "b", "C2", "c10"]),
        ("-0", ["jpeg", "c10", "C2", "b", "a"]),
        # What has no number stays below; equal ones stay as they came, whichever way.
        ("1", ["jpeg", "a", "c10", "C2", "b"]),
        ("-1", ["jpeg", "c10", "C2", "a", "b"]),
    ],
)
def test_rows_in_the_order_of_a_page(order: str, names: list[str]) -> None:
    table = sortable(
        ("c10", 2.0, False),
        ("C2", 2.0, False),
        ("b", math.nan, False),
        ("jpeg", 9.0, True),
        ("a", -1.0, False),
    )
    assert [row.entries[0].text for row in in_order(table, order).rows] == names


def test_columns_that_are_left_out() -> None:
    table = without_columns(sortable(("a", 1.0, False)), ["Rate, bits", "Codec", "unknown"])
    assert [column.heading for column in table.columns] == ["Codec", "Pictures"]
    assert [entry.text for entry in table.rows[0].entries] == ["a", "1"]
