"""Stores of other versions: released ones keep all rows through a migration; others are refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import giving
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from released_stores import VERSIONS, add_migration, restore

from arena import call

# Tables whose modules are not imported are not in the metadata.
from codecarena.bench.store import opening
from codecarena.bench.store.database import DATABASE_NAME, StoreError, StoreVersionError
from codecarena.bench.store.plan_store import PlanStore
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables import picture_tables, schema, study_tables, timing_tables  # noqa: F401
from codecarena.bench.store.writer import StoreWriter

ALTERED = """
with op.batch_alter_table("measurements") as batch:
    batch.add_column(sa.Column("note", sa.Text(), nullable=False, server_default="none"))
    batch.alter_column("load_seconds", existing_type=sa.Double(), nullable=True)
with op.batch_alter_table("study_raters") as batch:
    batch.alter_column("breaks", existing_type=sa.Integer(), nullable=True)
"""
"""Of tables with rows: other tables' rows refer to them, and they to other tables'."""


def rows_of(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(folder / DATABASE_NAME) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names}
    connection.close()
    return rows


def dump_of(folder: Path) -> list[str]:
    with sqlite3.connect(folder / DATABASE_NAME) as connection:
        lines = list(connection.iterdump())
    connection.close()
    return lines


def test_every_released_schema_is_kept_with_rows_in_every_table(tmp_path: Path) -> None:
    scripts = ScriptDirectory(str(opening.MIGRATIONS))
    assert sorted(script.revision for script in scripts.walk_revisions()) == VERSIONS
    assert scripts.get_current_head() == schema.HEAD == VERSIONS[-1]
    restore(schema.HEAD, tmp_path)
    rows = rows_of(tmp_path)
    assert set(rows) == {*schema.Base.metadata.tables, "alembic_version"}
    assert [name for name, kept in rows.items() if not kept] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_released_store_becomes_one_of_today_with_all_its_rows(tmp_path: Path, version: str) -> None:
    location = restore(version, tmp_path)
    before = {name: len(rows) for name, rows in rows_of(tmp_path).items()}
    assert opening.upgrade(str(tmp_path)) == version
    assert opening.upgrade(str(tmp_path)) == schema.HEAD
    writer = StoreWriter(str(tmp_path))
    with writer.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.Base.metadata) == []
    writer.close()
    after = {name: len(rows) for name, rows in rows_of(tmp_path).items()}
    # Tables that came later are empty.
    assert after == dict.fromkeys(after, 0) | before
    assert location.file == tmp_path / DATABASE_NAME


def test_a_released_store_shows_its_numbers(tmp_path: Path) -> None:
    restore(VERSIONS[0], tmp_path)
    store = Store(str(tmp_path))
    cells = store.cells()
    store.close()
    (replaced,) = giving.rows_of(
        tmp_path, "SELECT count(*) FROM measurements WHERE superseded_at IS NOT NULL"
    )
    assert (len(cells), *replaced) == (13, 2)
    # What was stored before rates could be estimated are the bytes of bitstreams.
    assert {cell.rate_kind for cell in cells} == {"bytes"}
    assert {cell.codec for cell in cells} == {"codec0", "codec1"}
    shown = call("study", "status", "--store", str(tmp_path), "--json", folder=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert '"votes": 4' in shown.stdout


def test_tables_with_rows_that_others_refer_to_are_altered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore(schema.HEAD, tmp_path)
    before = rows_of(tmp_path)
    add_migration(tmp_path, ALTERED, monkeypatch)
    opening.upgrade(str(tmp_path))
    after = rows_of(tmp_path)
    assert after["alembic_version"] == [("test0002",)]
    assert after["measurements"] == [(*row, "none") for row in before["measurements"]]
    changed = ("alembic_version", "measurements")
    assert {name: rows for name, rows in after.items() if name not in changed} == {
        name: rows for name, rows in before.items() if name not in changed
    }
    # The index that allows one current row a cell still overlooks replaced ones.
    (index,) = (line for line in dump_of(tmp_path) if "INDEX uq_measurements_cell" in line)
    assert "WHERE superseded_at IS NULL" in index


def test_references_are_minded_again_after_a_migration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore(schema.HEAD, tmp_path)
    add_migration(tmp_path, ALTERED, monkeypatch)
    opening.upgrade(str(tmp_path))
    writer = StoreWriter(str(tmp_path))
    with writer.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    with pytest.raises(Exception, match="FOREIGN KEY"), writer.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM machines")
    writer.close()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('op.execute("DELETE FROM machines")', "first in row 1 of .* to one of machines; this is a defect"),
        (f'{ALTERED}\nop.execute("SELECT no_such_column FROM runs")', "no such column"),
    ],
    ids=["rows that refer to nothing", "a mistake in the middle"],
)
def test_a_migration_that_fails_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, message: str
) -> None:
    restore(schema.HEAD, tmp_path)
    before = dump_of(tmp_path)
    add_migration(tmp_path, body, monkeypatch)
    with pytest.raises(StoreError, match=message):
        opening.upgrade(str(tmp_path))
    assert dump_of(tmp_path) == before


def test_an_older_store_is_read_from_a_copy_and_upgraded_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "arena"
    folder.mkdir()
    restore(schema.HEAD, folder)
    numbers = call("leaderboard", "--json", folder=tmp_path).stdout
    before = dump_of(folder)
    add_migration(tmp_path, ALTERED, monkeypatch)
    command = f"codecarena store upgrade --store {folder}"

    shown = call("leaderboard", "--json", folder=tmp_path)
    assert (shown.returncode, shown.stdout) == (0, numbers)
    store = Store(str(folder))
    assert store.caution == (
        f"{folder / DATABASE_NAME} has tables of version {schema.HEAD}: it is read from a copy in version "
        f"test0002 and cannot be written; to upgrade it, with all its rows: {command}"
    )
    assert caplog.messages == [store.caution], "said once a process"
    store.close()
    for words in (("run", "quick"), ("study", "invite", "study"), ("score", "quick", "-m", "ssim")):
        ended = call(*words, folder=tmp_path)
        assert (ended.returncode, ended.stdout) == (2, "")
        (line,) = ended.stderr.splitlines()
        assert line.endswith(f"writes test0002; to upgrade it, with all its rows: {command}")
    assert dump_of(folder) == before

    ended = call("store", "upgrade", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert f"was upgraded from version {schema.HEAD} to test0002; all its rows are kept" in ended.stdout
    assert "has tables of version test0002 already" in call("store", "upgrade", folder=tmp_path).stdout
    assert call("leaderboard", "--json", folder=tmp_path).stdout == numbers
    store = Store(str(folder))
    assert store.caution == ""
    store.close()
    StoreWriter(str(folder)).close()


def test_a_copy_is_made_anew_when_the_older_store_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "arena"
    folder.mkdir()
    restore(schema.HEAD, folder)
    add_migration(tmp_path, ALTERED, monkeypatch)
    first = Store(str(folder))
    with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection, connection:
        connection.execute("UPDATE runs SET suite = 'changed'")
    second = Store(str(folder))
    assert {run.suite for run in second.runs()} == {"changed"} != {run.suite for run in first.runs()}


def test_a_store_that_lacks_columns_of_its_version_is_refused_and_kept(tmp_path: Path) -> None:
    restore(schema.HEAD, tmp_path)
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection, connection:
        connection.execute("ALTER TABLE metrics DROP COLUMN curve_scale")
        connection.execute("ALTER TABLE metrics DROP COLUMN title")
    before = dump_of(tmp_path)
    for opened in (Store, StoreWriter, PlanStore):
        with pytest.raises(StoreVersionError, match=r"its table metrics lacks .*title.*; export it"):
            opened(str(tmp_path))
    assert dump_of(tmp_path) == before


def test_a_store_that_lacked_columns_before_it_is_upgraded_is_refused_and_kept(tmp_path: Path) -> None:
    restore(VERSIONS[0], tmp_path)
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection, connection:
        connection.execute("ALTER TABLE metrics DROP COLUMN curve_scale")
    before = dump_of(tmp_path)
    for ask in (opening.upgrade, Store):
        with pytest.raises(StoreVersionError, match="its table metrics lacks curve_scale") as caught:
            ask(str(tmp_path))
        assert str(caught.value).startswith(str(tmp_path / DATABASE_NAME))
    assert dump_of(tmp_path) == before


@pytest.mark.parametrize("opened", [Store, StoreWriter, opening.upgrade])
def test_another_programs_database_is_left_alone(tmp_path: Path, opened: Callable[[str], object]) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    before = dump_of(tmp_path)
    with pytest.raises(StoreError, match="is another program's database: it has the table 'songs'"):
        opened(str(tmp_path))
    assert dump_of(tmp_path) == before


@pytest.mark.parametrize("version", opening.UNRELEASED)
@pytest.mark.parametrize("opened", [Store, StoreWriter])
def test_a_store_from_before_the_first_release_is_refused_and_kept(
    tmp_path: Path, opened: type[Store] | type[StoreWriter], version: str
) -> None:
    restore(VERSIONS[0], tmp_path)
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()
    before = dump_of(tmp_path)
    with pytest.raises(StoreVersionError, match=f"before the first release .*{version}.* export it"):
        opened(str(tmp_path))
    assert dump_of(tmp_path) == before


@pytest.mark.parametrize(
    "words", [("leaderboard",), ("run", "quick"), ("study", "status"), ("report", "a.html")]
)
def test_commands_refuse_an_older_store_in_one_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    restore(VERSIONS[0], tmp_path)
    with sqlite3.connect(tmp_path / DATABASE_NAME) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0005'")
    connection.close()
    ended = call(*words, "--store", str(tmp_path), folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"codecarena: {tmp_path / DATABASE_NAME} was made by a codecarena from before")
