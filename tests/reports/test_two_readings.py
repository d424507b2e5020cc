"""A store read as records and read as columns gives the same analysis, to the last field of every record.

The store is one of oddities: whatever the two readings could take for something else is in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from as_columns import kept_by
from odd_store import METRICS, codec_id, fill_oddly, original
from row_oracle.selections import RowSelection, slice_of
from sqlalchemy import Connection, delete, insert, update
from synthetic_store import fill, sha

from codecarena.bench.analysis.curves import Method
from codecarena.bench.analysis.rates import set_rates
from codecarena.bench.analysis.seeds import seed_variances
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables.schema import (
    AttemptTable,
    CodecTable,
    MeasurementTable,
    MemberTable,
    PictureTable,
)
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.tables import leaderboards
from codecarena.reports.tables.leaderboard_tables import failures_table, rate_points
from codecarena.reports.tables.selection import Selection, StoredColumns

ANCHOR = "quiet"
RATES = (0.1, 0.5)
"""At 0.5 the searched settings stand."""
SCORES = {"psnr": 33.0, "ms-ssim": 0.975, "butteraugli": 2.5}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("oddities") / "arena"
    fill_oddly(folder)
    return Store(str(folder))


@pytest.fixture(scope="module")
def source(store: Store) -> StoredColumns:
    return StoredColumns(store, "synthetic")


# object: records of any type.
def differences(left: object, right: object, place: str = "") -> Iterator[str]:
    """Yield where two records, tables or mappings of any depth differ by more than rounding."""
    if is_dataclass(left) and type(left) is type(right):
        for field in fields(left):
            name = field.name
            yield from differences(getattr(left, name), getattr(right, name), f"{place}.{name}")
    elif isinstance(left, Mapping) and isinstance(right, Mapping) and left.keys() == right.keys():
        for key, value in left.items():
            yield from differences(value, right[key], f"{place}[{key}]")
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple) and len(left) == len(right):
        for index, (first, second) in enumerate(zip(left, right, strict=True)):
            yield from differences(first, second, f"{place}[{index}]")
    elif isinstance(left, float) and isinstance(right, float):
        if not math.isclose(left, right, rel_tol=1e-12, abs_tol=1e-12) and not (
            math.isnan(left) and math.isnan(right)
        ):
            yield f"{place}: {left} and {right}"
    elif left != right:
        yield f"{place}: {left!r} and {right!r}"


# object: records of any type.
def assert_same(records: object, columns: object) -> None:
    assert list(differences(records, columns)) == []


def read_twice(source: StoredColumns, kind=None) -> tuple[RowSelection, Selection]:
    """Return a part of a store read as records, and as columns."""
    assert source.image_set is not None
    return slice_of(source.store, source.image_set, kind), Selection(source, kind)


def assert_same_answers(records: RowSelection, columns: Selection, anchor: str) -> None:
    for metric in columns.metrics:
        of_rows, of_columns = records.comparison(metric), columns.comparison(metric)
        for name in ("done", "of_pictures", "common", "curves"):
            assert_same(getattr(of_rows, name), getattr(of_columns, name))
        assert_same([codec.codec for codec in of_rows.codecs], of_columns.codecs)
        pictures = sorted(of_rows.common)
        assert len(pictures) > 1
        for codec in of_rows.curves:
            settings = of_rows.settings(codec, pictures)
            assert settings == of_columns.settings(codec, pictures)
            tables = [selection.table(codec, pictures, settings) for selection in (of_rows, of_columns)]
            np.testing.assert_allclose(tables[0].rates, tables[1].rates, rtol=1e-12)
            np.testing.assert_allclose(tables[0].scores, tables[1].scores, rtol=1e-12)
        assert_same(records.board(metric, anchor).rows, columns.board(metric, anchor).rows)
        assert_same(records.usual_score(metric), columns.usual_score(metric))
        score = SCORES[metric.name]
        assert_same(records.at_score(metric, score), columns.at_score(metric, score))
        assert_same(rate_points(records, metric), rate_points(columns, metric))
        assert_same(records.opening_view(metric), columns.opening_view(metric))
        known = kept_by(records.cells, records.failures, metric.metric_id)
        assert list(columns.rows(metric)) == known
    for rate in RATES:
        assert_same(records.at_rate(columns.metrics, rate), columns.at_rate(columns.metrics, rate))
    assert records.usual_anchor == columns.usual_anchor
    assert_same(failures_table(records), failures_table(columns))
    assert_same(records.set_rates(), set_rates(columns.columns, columns.grids, columns.byte_parts()))
    assert_same(
        records.seed_variances(columns.metrics),
        seed_variances(columns.columns, columns.metrics, columns.scores),
    )
    assert_same(dict(records.affinities()), columns.affinities())


@pytest.mark.parametrize("kind", [None, "natural", "ai-generated"])
def test_every_number_is_the_same(source: StoredColumns, kind) -> None:
    records, columns = read_twice(source, kind)
    assert sorted(metric.name for metric in columns.metrics) == sorted(METRICS)
    assert_same_answers(records, columns, ANCHOR)


def test_the_store_has_in_it_what_two_readings_could_take_apart(source: StoredColumns) -> None:
    records, _ = read_twice(source)
    psnr = next(metric for metric in records.all_metrics if metric.name == "psnr")
    comparison = records.comparison(psnr)
    done = {codec.label: comparison.done[codec.codec_id] for codec in comparison.codecs}
    compared = {codec.label for codec in comparison.codecs if codec.codec_id in comparison.curves}
    # 18 pictures were tried, one of them without any result; a 19th was only probed.
    assert (comparison.of_pictures, len(comparison.common)) == (18, 9)
    assert (done["z just half"], done["a bit less than half"], done["half a setting"]) == (9, 8, 8)
    assert "z just half" in compared
    assert not compared & {"a bit less than half", "half a setting", "unscored"}
    reasons = {row.codec.label: row.bd_rate.reason for row in records.board(psnr, ANCHOR).rows}
    assert reasons["failing"] == "crash in decode"
    assert reasons["a bit less than half"] == "8 of 18 pictures"
    assert [reasons[case] for case in ("falling", "one setting", "far below", "lossless", "unscored")] == [
        "one point", "one point", "no overlap", "lossless", "no psnr yet",
    ]  # fmt: skip
    failed = {row.codec.label: row.codec.failed for row in records.board(psnr, ANCHOR).rows}
    assert (failed["toy"], failed["psnr alone"], failed["quiet"], failed["failing"]) == (2, 1, 1, 5)
    costs = {row.codec.label: row for row in records.at_score(psnr, SCORES["psnr"])}
    searched = {
        name: row.bits_per_pixel and row.bits_per_pixel.pictures
        for name, row in costs.items()
        if row.achieved
    }
    # Everything at one setting; two pictures of three; of the pictures of the seeds one came back identical.
    assert searched == {"only probes": 17, "toy": 2, "seeds": 3}
    assert (costs["seeds"].achieved and costs["seeds"].achieved.pictures) == 2
    assert {name: row.contended for name, row in costs.items() if name.startswith("busy")} == {
        "busy once": True, "busy without a score": False, "busy out of reach": False,
    }  # fmt: skip
    assert costs["seeds"].contended
    assert costs["imported"].encode_seconds is None
    marks = {codec.label: codec.marks for codec in comparison.codecs}
    twice = marks["verified twice"]
    assert (twice.bitstreams, twice.verified, twice.isolated, twice.wrong) == (68, 3, 3, 0)
    assert (marks["toy"].wrong, marks["dipping"].isolated, marks["dipping"].encoder_varies) == (3, 0, True)
    assert marks["imported"].provenance == "theirs.csv"


@pytest.mark.parametrize("anchor", ["natural only", "lossless", "one setting", "seeds", "twin one"])
def test_an_odd_anchor_is_the_same(source: StoredColumns, anchor: str) -> None:
    records, columns = read_twice(source)
    metric = next(metric for metric in columns.metrics if metric.name == "psnr")
    rows = [selection.board(metric, codec_id(anchor)).rows for selection in (records, columns)]
    assert_same(*rows)
    reasons = {row.bd_rate.reason for row in rows[0]}
    assert (anchor == "natural only") == ("no anchor curve" in reasons)


@pytest.mark.parametrize("method", get_args(Method))
def test_every_method_is_the_same(source: StoredColumns, method: Method) -> None:
    records, columns = read_twice(source)
    metric = next(metric for metric in columns.metrics if metric.name == "butteraugli")
    assert_same(records.board(metric, ANCHOR, method).rows, columns.board(metric, ANCHOR, method).rows)


@pytest.fixture(scope="module")
def some_families(source: StoredColumns) -> tuple[RowSelection, Selection]:
    """Without the codec that is on AI-generated pictures alone."""
    records, _ = read_twice(source)
    families = ("learned", "generative")
    family = {cell.codec_id: cell.family for cell in records.cells}
    cells = [cell for cell in records.cells if cell.family in families]
    # Of a codec that never gave a result nobody knows the family.
    failures = [
        failure for failure in records.failures if family.get(failure.codec_id, families[0]) in families
    ]
    return replace(records, cells=cells, failures=failures), Selection(
        source, None, {codec_id for codec_id, name in family.items() if name not in families}
    )


def test_codecs_of_some_families_are_the_same(some_families: tuple[RowSelection, Selection]) -> None:
    assert_same_answers(*some_families, ANCHOR)


def test_natural_against_generated_is_the_same(some_families: tuple[RowSelection, Selection]) -> None:
    metric = next(metric for metric in some_families[1].metrics if metric.name == "psnr")
    of_rows, of_columns = (selection.split(metric, ANCHOR) for selection in some_families)
    assert_same(of_rows, of_columns)
    assert of_rows.order is not None
    assert {row.affinity for row in of_rows.rows} == {"none", "same generator family", "same weights"}


def test_the_table_with_its_evidence_is_the_same(source: StoredColumns) -> None:
    records, columns = read_twice(source, "natural")
    metric = next(metric for metric in columns.metrics if metric.name == "psnr")
    assert_same(*(leaderboards.bd_table(selection, [metric], ANCHOR) for selection in (records, columns)))


def changed(folder: Path, *statements) -> StoredColumns:
    """Return a small store after these statements."""
    fill(folder / "arena", pictures=4, codecs=2, settings=3, metrics=("psnr",))
    writer = StoreWriter(str(folder / "arena"))

    def change(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    writer.write(change)
    writer.close()
    return StoredColumns(Store(str(folder / "arena")), "synthetic")


def encode_medians(selection: RowSelection | Selection) -> list[float | None]:
    (metric,) = selection.all_metrics
    rows = selection.at_score(metric, 27.0)
    return [row.encode_seconds and round(row.encode_seconds.median, 9) for row in rows]


def second_seed(source: StoredColumns, encode_seconds: list[float]) -> StoredColumns:
    """Return the store with every cell decoded with one seed more."""
    cells = source.store.cells("synthetic")
    rows = [
        {
            "picture_sha256": cell.picture_sha256, "codec_id": cell.codec_id, "quality": cell.quality,
            "seed": 8, "run_id": 1, "bitstream_sha256": cell.bitstream_sha256,
            "bitstream_bytes": cell.bitstream_bytes, "header_bytes": 0, "payload_bytes": 0, "side_bytes": 0,
            "decoded_sha256": cell.decoded_sha256, "encode_seconds": encode_seconds,
            "decode_seconds": [0.1], "load_seconds": 0.1, "contended": True, "probe": False,
            "created_at": "2026-01-01T00:00:00+00:00",
        }
        for cell in cells
    ]  # fmt: skip
    writer = StoreWriter(source.store.location.store_option)
    writer.write(lambda connection: connection.execute(insert(MeasurementTable).values(rows)))
    writer.close()
    return StoredColumns(source.store, "synthetic")


def test_the_time_of_two_encodes_of_a_cell_is_their_mean(tmp_path: Path) -> None:
    records, columns = read_twice(second_seed(changed(tmp_path), [0.4]))
    # The two codecs took 10 and 20 ms the first time.
    assert encode_medians(records) == encode_medians(columns) == pytest.approx([0.205, 0.21])


@pytest.mark.parametrize("reading", ["records", "columns"])
def test_only_the_first_decode_of_a_bitstream_has_an_encode_time(tmp_path: Path, reading: str) -> None:
    records, columns = read_twice(second_seed(changed(tmp_path), []))
    assert encode_medians(records if reading == "records" else columns) == pytest.approx([0.01, 0.02])


@pytest.mark.parametrize("reading", ["records", "columns"])
def test_a_codec_that_was_never_timed_has_a_rate_and_no_time(tmp_path: Path, reading: str) -> None:
    records, columns = read_twice(changed(tmp_path, update(MeasurementTable).values(encode_seconds=[])))
    selection = records if reading == "records" else columns
    (metric,) = selection.all_metrics
    rows = selection.at_score(metric, 27.0)
    assert [row.encode_seconds for row in rows] == [None, None]
    assert all(row.bits_per_pixel and row.bits_per_pixel.pictures == 4 for row in rows)


@pytest.mark.parametrize("reading", ["records", "columns"])
def test_two_versions_of_a_codec_are_near_each_picture_once(tmp_path: Path, reading: str) -> None:
    generator = update(CodecTable).values(label="twin", generator="FLUX.1-dev")
    records, columns = read_twice(
        changed(tmp_path, generator, update(MemberTable).values(generator="FLUX.1-dev"))
    )
    selection = records if reading == "records" else columns
    assert dict(selection.affinities()) == {("twin", "same weights"): 4}


@pytest.mark.parametrize("reading", ["records", "columns"])
def test_a_picture_under_two_names_has_its_bitstreams_once(tmp_path: Path, reading: str) -> None:
    row = {
        "image_set": "synthetic",
        "name": "copy.png",
        "picture_sha256": original(1),
        "kind": "natural",
        "path": "",
    }
    records, columns = read_twice(changed(tmp_path, insert(MemberTable).values(row)))
    selection = records if reading == "records" else columns
    comparison = selection.comparison(selection.all_metrics[0])
    assert comparison.of_pictures == 4
    assert [codec.marks.bitstreams for codec in comparison.codecs] == [12, 12]


@pytest.mark.parametrize("reading", ["records", "columns"])
def test_the_opening_view_counts_pictures_on_which_everything_failed(tmp_path: Path, reading: str) -> None:
    # A codec has half of the four pictures that were measured, and less than half of the five tried: it is
    # not compared, and a leaderboard of the anchor alone is no view.
    few = MeasurementTable.picture_sha256.in_([original(0), original(1)])
    attempt = {
        "run_id": 1, "picture_sha256": original(4), "codec_id": sha("codec", 0)[:16], "quality": 10.0,
        "seed": -1, "outcome": "crash", "stage": "encode", "message": "", "stderr_tail": "",
        "created_at": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    member = {
        "image_set": "synthetic", "name": "hard.png", "picture_sha256": original(4), "kind": "natural",
        "path": "",
    }  # fmt: skip
    source = changed(
        tmp_path,
        delete(MeasurementTable).where(few, MeasurementTable.codec_id == sha("codec", 1)[:16]),
        insert(PictureTable).values(sha256=original(4), height=512, width=768),
        insert(MemberTable).values(member),
        insert(AttemptTable).values(attempt),
    )
    records, columns = read_twice(source)
    (metric,) = columns.metrics
    for selection in (records, columns):
        view = selection.opening_view(metric)
    assert (view.anchor, view.bits_per_pixel is None) == (None, False)
