"""Leaderboards of reports and papers: with places, what people said and what decoding costs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stored_cells import part_of
from zoo import zoo_of

from codecarena.bench.store.store import Store
from codecarena.reports.files import complete_boards as boards
from codecarena.reports.files.complete_boards import complete_boards, labelled
from codecarena.reports.files.export import write
from codecarena.reports.tables.leaderboard_columns import Cost
from codecarena.reports.tables.table import Column, Table
from codecarena.studies.analysis.results import HumanValue


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return zoo_of(tmp_path_factory.mktemp("zoo") / "arena")


@pytest.fixture
def known(zoo: Store, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give every codec a cost, and people an opinion of it; return the codecs' ids by label."""
    ids = {grid.codec.label: grid.codec.codec_id for grid in part_of(zoo, "zoo").grids}
    values = tuple(
        HumanValue(label, codec_id, label, 1.0, place - 1.5, None, 0)
        for place, (label, codec_id) in enumerate(sorted(ids.items()))
    )
    study = SimpleNamespace(
        pictures=tuple(part_of(zoo, "zoo").pictures), values=values, simulated=False, label="tea", votes=480,
        analysis=SimpleNamespace(scale=SimpleNamespace(unit="JOD")),
    )  # fmt: skip
    costs = {codec_id: Cost(None, 12.5, None, 3_000_000) for codec_id in ids.values()}
    monkeypatch.setattr(boards, "stored_results", lambda _: (study,))
    monkeypatch.setattr(boards, "costs", lambda *_: costs)
    monkeypatch.setattr(Store, "has_studies", lambda _: True)
    return ids


def column(table: Table, title: str) -> list[str]:
    place = [column.title for column in table.columns].index(title)
    return [row.entries[place].text for row in table.rows]


def test_place_people_and_cost_stand_in_a_table_of_bd_rates(zoo: Store, known: dict[str, str]) -> None:
    (board, *_) = complete_boards(zoo, part_of(zoo, "zoo"), metrics=["psnr"], anchor="zip")
    assert board.label == "leaderboard-zoo"
    places = [text.split(" ")[0] for text in column(board, "Place")]
    assert sorted(places[: len(known)]) == [str(place) for place in range(1, len(known) + 1)]
    # The best BD-rate has the first place.
    rates = [row.record["bd_rate"] for row in board.rows]
    percents = [next(iter(rate.values()))["percent"] for rate in rates]
    assert places == [str(sorted(percents).index(percent) + 1) for percent in percents]
    said = dict(zip(sorted(known), ("−1.50", "−0.50", "+0.50"), strict=True))
    labels = [row.entries[0].text.split(" ")[0] for row in board.rows]
    assert column(board, "People") == [said[label] for label in labels]
    assert column(board, "Decode") == ["12.5"] * len(known)
    assert column(board, "Decoder") == ["3.00"] * len(known)


@pytest.mark.parametrize("at", ["bpp=1", "psnr=35"])
def test_tables_at_a_rate_or_score_have_no_places(zoo: Store, known: dict[str, str], at: str) -> None:
    tables = complete_boards(zoo, part_of(zoo, "zoo"), metrics=["psnr"], at=at)
    titles = [column.title for column in tables[0].columns]
    assert "Place" not in titles
    assert "People" in titles
    assert titles.count("Decode") <= 1
    assert tables[0].label == "leaderboard-zoo"


def test_an_export_has_them_too(zoo: Store, known: dict[str, str], tmp_path: Path) -> None:
    out: Any = tmp_path / "board.tex"
    write(zoo, "latex", out, metrics=["psnr"], anchor="zip")
    text = out.read_text()
    assert r"\label{tab:leaderboard-zoo}" in text
    assert "Place" in text
    assert r"People, JOD" in text or r"People,\\JOD" in text
    assert r"Decode,\\ms/MP" in text


def test_labels_of_several_tables_are_numbered() -> None:
    tables = [Table(title, (Column("A"),), ()) for title in ("x", "y", "z")]
    assert [table.label for table in labelled(tables, "Speed", "My Zoo")] == [
        "speed-my-zoo", "speed-my-zoo-2", "speed-my-zoo-3",
    ]  # fmt: skip
