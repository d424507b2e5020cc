"""The columnar reading of a store gives the very tables that its records give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from as_columns import kept_by
from row_oracle.selections import slice_of
from sqlalchemy import delete, insert
from synthetic_store import fill, sha

from codecarena.bench.analysis.coverage import AnalysisError
from codecarena.bench.store.columns import read_columns
from codecarena.bench.store.derived_cache import AnswerKind, Derived
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables.picture_tables import DescriptorTable
from codecarena.bench.store.tables.schema import MemberTable, ScoreTable
from codecarena.bench.store.writer import StoreWriter
from codecarena.reports.tables import at_target_tables, leaderboards
from codecarena.reports.tables.evidence import kind_split
from codecarena.reports.tables.kinds import kind_table, kind_tables
from codecarena.reports.tables.leaderboard_tables import rate_points
from codecarena.reports.tables.selection import Selection, StoredColumns
from codecarena.reports.tables.table import Table


@pytest.fixture(scope="module")
def odd_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Seeds, probes, gaps, lossless settings, inapplicable scores, failures and equal rates, at random."""
    folder = tmp_path_factory.mktemp("odd") / "arena"
    fill(folder, pictures=24, codecs=5, settings=5, metrics=("psnr", "ms-ssim", "butteraugli"), odd=True)
    return Store(str(folder))


def text(table: Table) -> list[list[str]]:
    rows = [[entry.text for entry in row.entries] for row in table.rows]
    return [[table.title], *rows, list(table.notes)]


@pytest.mark.parametrize("kind", [None, "natural", "ai-generated"])
def test_every_table_is_the_same(odd_store: Store, kind) -> None:
    source = StoredColumns(odd_store, "synthetic")
    columns, records = Selection(source, kind), slice_of(odd_store, "synthetic", kind)
    for metric in columns.metrics:
        anchor = records.usual_anchor
        assert columns.usual_anchor == anchor
        assert columns.usual_score(metric) == records.usual_score(metric)
        assert columns.opening_view(metric) == records.opening_view(metric)
        assert text(leaderboards.bd_table(columns, [metric], anchor)) == text(
            leaderboards.bd_table(records, [metric], anchor)
        )
        score = records.usual_score(metric)
        assert text(at_target_tables.at_score_table(columns, metric, score)) == text(
            at_target_tables.at_score_table(records, metric, score)
        )
        points, pictures = rate_points(records, metric)
        column_points, our_pictures = rate_points(columns, metric)
        assert pictures == our_pictures
        assert [replace(point, bits_per_pixel=0, score=0) for point in column_points] == [
            replace(point, bits_per_pixel=0, score=0) for point in points
        ]
        np.testing.assert_allclose(
            [point.score for point in column_points], [point.score for point in points], rtol=1e-12
        )
    for rate in (0.1, 0.5, 2.0):
        assert text(at_target_tables.at_rate_table(columns, columns.metrics, rate)) == text(
            at_target_tables.at_rate_table(records, columns.metrics, rate)
        )


def test_natural_against_generated_is_the_same(odd_store: Store) -> None:
    source = StoredColumns(odd_store, "synthetic")
    columns, records = Selection(source), slice_of(odd_store, "synthetic")
    metric = columns.metrics[0]
    tables = [
        kind_table(selection, kind_split(selection, metric, "codec0", "pchip"))
        for selection in (columns, records)
    ]
    assert text(tables[0]) == text(tables[1])


def test_an_answer_kept_by_one_reading_is_found_by_the_other(odd_store: Store) -> None:
    columns, records = Selection(StoredColumns(odd_store, "synthetic")), slice_of(odd_store, "synthetic")
    for metric in columns.metrics:
        known = kept_by(records.cells, records.failures, metric.metric_id)
        assert list(columns.rows(metric)) == known
    metric = columns.metrics[0]
    known = kept_by(records.cells, records.failures, metric.metric_id)
    kind = AnswerKind(list[int], (Selection,))
    Derived(odd_store).answer(kind, "question", known, lambda: [7])
    assert Derived(odd_store).recall(kind, "question", columns.rows(metric)) == [7]


def test_any_changed_score_changes_the_rows(odd_store: Store) -> None:
    cells = odd_store.cells("synthetic")
    metric_id = next(iter(cells[0].scores))
    known = list(kept_by(cells, [], metric_id))
    original = cells[0]
    scores = {**original.scores, metric_id: replace(original.scores[metric_id], value=12.5)}
    assert list(kept_by([replace(original, scores=scores), *cells[1:]], [], metric_id)) != known
    assert list(kept_by([replace(original, bitstream_bytes=7), *cells[1:]], [], metric_id)) != known
    assert list(kept_by(cells[::-1], [], metric_id)) == known


def test_all_sets_together(odd_store: Store) -> None:
    columns = read_columns(odd_store)
    cells = odd_store.cells()
    assert len(columns.measurement) == len({(c.codec_id, c.picture_sha256, c.quality, c.seed) for c in cells})


def test_a_store_without_results(tmp_path: Path) -> None:
    fill(tmp_path / "arena", pictures=0, codecs=1, settings=1, metrics=("psnr",))
    source = StoredColumns(Store(str(tmp_path / "arena")), None)
    assert not source.scored
    part = Selection(source)
    assert part.usual_anchor is None
    assert not part.affinities()


def test_a_condition_on_pictures_reaches_every_column(tmp_path: Path) -> None:
    fill(tmp_path / "arena", pictures=6, codecs=2, settings=3, metrics=("psnr", "ssim"))
    busy = {sha("picture", place) for place in (1, 4)}
    rows = [
        {"picture_sha256": sha("picture", place), "name": "edge_density", "value": 0.5 * (place in (1, 4))}
        for place in range(6)
    ]
    only_once = sha("metric", "ssim")[:16]
    writer = StoreWriter(str(tmp_path / "arena"))
    writer.write(lambda connection: connection.execute(insert(DescriptorTable), rows))
    # One metric has scores of the other pictures alone.
    scored = ScoreTable.original_sha256.in_(busy), ScoreTable.metric_id == only_once
    writer.write(lambda connection: connection.execute(delete(ScoreTable).where(*scored)))
    writer.close()
    for image_set in ("synthetic", None):
        source = StoredColumns(Store(str(tmp_path / "arena"), where="edge_density>0.1"), image_set)
        part = Selection(source)
        assert part.pictures == busy
        assert len(part.columns.measurement) == 2 * 2 * 3
        assert [metric.name for metric in part.metrics] == ["psnr"]
        comparison = part.comparison(part.metrics[0])
        assert (comparison.of_pictures, comparison.common) == (2, busy)
        assert part.scores(part.metrics[0]).known.all()


def test_a_picture_of_two_kinds_is_refused_in_all_sets_together(tmp_path: Path) -> None:
    fill(tmp_path / "arena", pictures=4, codecs=2, settings=3, metrics=("psnr",))
    row = {
        "image_set": "another", "name": "same.png", "picture_sha256": sha("picture", 1),
        "kind": "ai-generated", "path": "",
    }  # fmt: skip
    writer = StoreWriter(str(tmp_path / "arena"))
    writer.write(lambda connection: connection.execute(insert(MemberTable).values(row)))
    writer.close()
    store = Store(str(tmp_path / "arena"))
    with pytest.raises(AnalysisError, match="natural in one image set and AI-generated in another"):
        kind_tables(store, anchor="codec0")
    assert len(kind_tables(store, anchor="codec0", image_set="synthetic")) == 1
