"""The records of docs/benchmarks say at which commit they were made, and what makes them out of date."""

from __future__ import annotations

from pathlib import Path

import pytest
import record_age

FOLDER = Path(__file__).parents[1] / "docs" / "benchmarks"


def made_by_scripts() -> list[Path]:
    listed = [record for record in FOLDER.glob("*.md") if record.with_suffix(".py").exists()]
    return [record for record in listed if record.stem not in record_age.OF_TESTS]


def test_each_record_names_its_commit() -> None:
    listed = made_by_scripts()
    assert len(listed) > 10
    assert [record.name for record in listed if not record_age.STAMP.search(record.read_text())] == []


def test_what_a_record_measures_is_there_and_in_the_product() -> None:
    for record in made_by_scripts():
        named = record_age.files_run_by(record.with_suffix(".py"))
        assert all((record_age.ROOT / name).is_file() for name in named), record.name
        assert set(record_age.measured(record)) >= {record_age.ROOT / name for name in named}
        assert record_age.measured(record), f"{record.name}: nothing that could make it out of date"
    kodak = record_age.measured(FOLDER / "kodak_jpeg_speed.md")
    assert record_age.ROOT / "bench" / "worker" / "measure.py" in kodak, "what the worker imports counts"


def test_only_code_makes_a_record_old() -> None:
    source = "import os\nLIMIT = 3\ndef call():\n    return LIMIT\n"
    same = "from os import path\n\nLIMIT = 3  # why\n\ndef call():\n    'Say.'\n    return LIMIT\n"
    assert record_age.code_of(source) == record_age.code_of(same)
    assert record_age.code_of(source) != record_age.code_of(source.replace("3", "4"))


def test_a_record_is_compared_with_the_files_of_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "speed.md"
    record.write_text("# Speed\n\nMade at commit `0123456789`.\n")
    files = [record_age.ROOT / name for name in ("__init__.py", "plugins.py")]
    monkeypatch.setattr(record_age, "measured", lambda _: files)
    monkeypatch.setattr(record_age, "_blobs_at", {"0123456789": {"__init__.py": "one"}}.__getitem__)
    monkeypatch.setattr(record_age, "_blobs_today", lambda: {"__init__.py": "one", "plugins.py": "two"})
    assert record_age.changed_since(record) == ["plugins.py"], "it was not there yet"
    record.write_text("# Speed\n")
    assert record_age.changed_since(record) is None
