"""docs/metrics.md has a row for every metric of ours, and says what the metric declares."""

from __future__ import annotations

import pytest
from metric_page import PAGE, page_rows

from codecarena.bench.metrics.registry import entries, facts_of

ROWS = page_rows()
OURS = [name for name, entry in entries().items() if entry.plugin is None and not name.startswith("pyiqa:")]


def test_every_metric_has_its_row_and_every_row_its_metric() -> None:
    assert sorted(ROWS) == sorted(OURS)


def test_every_metric_is_explained() -> None:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("- `")]
    assert [name for name in OURS if not any(f"`{name}`" in line.split(":")[0] for line in lines)] == []


@pytest.mark.parametrize("name", OURS)
def test_direction_range_and_perfect_value_are_those_of_the_page(name: str) -> None:
    """Asked of the class, so that no weights are needed."""
    facts, row = facts_of(name), ROWS[name]
    if facts is None:
        pytest.skip(f"{name}: {entries()[name].missing}")
    assert (facts.better, facts.perfect) == (row.better, row.perfect)
    assert (round(facts.lowest, 1), round(facts.highest, 1)) == (row.lowest, row.highest)
