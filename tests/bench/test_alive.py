"""A run is alive while its lock file is held or, on another machine, while it says so in the store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from codecarena import liveness
from codecarena.bench.store import writer as writer_module
from codecarena.bench.store.tables.schema import RunTable
from codecarena.bench.store.writer import StoreWriter, now

LONG_AGO = "2020-01-01T00:00:00.000+00:00"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StoreWriter]:
    """A store with a run."""
    store = StoreWriter(str(tmp_path / "arena"))
    assert store.begin_run("suite", "text", {"cpu": "fast"}, 3, 5) == 1
    yield store
    store.close()


def statuses(store: StoreWriter) -> list[str]:
    return [run.status for run in store.runs()]


def stored_statuses(store: StoreWriter) -> list[str]:
    with store.reading() as connection:
        return list(connection.scalars(select(RunTable.status).order_by(RunTable.id.desc())))


def test_a_run_is_alive_as_long_as_its_lock_is_held_and_then_counts_as_killed(store: StoreWriter) -> None:
    lock = store.blobs.run_lock_path(1)
    store.write(lambda connection: connection.execute(update(RunTable).values(seen_at=LONG_AGO)))
    assert (liveness.is_held(lock), statuses(store)) == (True, ["running"]), "it may have slept"
    # As when its process is killed: what held the lock is gone, and the file stays.
    store._heartbeats[1].stop()
    lock.touch()
    lock.write_text(liveness._boot())
    store.write(lambda connection: connection.execute(update(RunTable).values(seen_at=now())))
    assert (statuses(store), stored_statuses(store)) == (["killed"], ["running"])
    store.begin_run("suite", "text", {"cpu": "slow"}, 1, 1)
    assert stored_statuses(store) == ["running", "killed"]
    store.end_run(2, "finished")
    assert not store.blobs.run_lock_path(2).exists()
    assert statuses(store) == ["finished", "killed"]


@pytest.mark.parametrize("lock", ["of another machine", "absent"])
def test_a_run_of_another_machine_is_alive_as_long_as_it_says_so(store: StoreWriter, lock: str) -> None:
    """Nobody asks whether a process of that number runs: in another container, it is another one."""
    store._heartbeats[1].stop()
    if lock != "absent":
        store.blobs.run_lock_path(1).write_text("another boot")
    for seen_at, status in ((now(), "running"), (LONG_AGO, "killed"), (None, "killed")):
        change = update(RunTable).values(seen_at=seen_at)
        store.write(lambda connection, change=change: connection.execute(change))
        assert statuses(store) == [status]


def test_a_run_says_again_and_again_that_it_is_alive(
    store: StoreWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "BEAT_SECONDS", 0.01)
    run_id = store.begin_run("suite", "text", {"cpu": "fast"}, 1, 1)
    query = select(RunTable.seen_at, RunTable.started_at).where(RunTable.id == run_id)
    for _ in range(500):
        with store.reading() as connection:
            seen_at, started_at = connection.execute(query).one()
        if seen_at > started_at:
            break
        time.sleep(0.01)
    assert seen_at > started_at
    store.end_run(run_id, "finished")
