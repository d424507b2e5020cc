"""A PostgreSQL server that restarts again and again costs a run and a study nothing but time."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from measuring import INFO
from postgresql import Server, new_database, programs
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import OperationalError
from studying import enter, invite, open_study, vote_request

from arena import run_record, write_pictures
from codecarena.bench.records.cells import CellKey, Saved
from codecarena.bench.records.messages import Failed, Identified, Measured, Outcome
from codecarena.bench.store import database_errors
from codecarena.bench.store.database import StoreError
from codecarena.bench.store.database_errors import patiently
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables.schema import AttemptTable, MeasurementTable, RunTable
from codecarena.bench.store.tables.study_tables import SessionTable, TrialTable, VoteTable
from codecarena.bench.store.writer import StoreWriter
from codecarena.codecs.base import RateParts
from codecarena.studies.ledger.trials import UNREACHABLE
from codecarena.studies.records.messages import Break, Trial
from codecarena.studies.session.session import RaterService

pytestmark = [
    pytest.mark.skipif(programs() is None, reason="no PostgreSQL server: apt-get install postgresql"),
    pytest.mark.xdist_group("postgresql"),
]
pytest.importorskip("psycopg", reason="no psycopg: pip install codecarena[postgresql]")

Result = TypeVar("Result")
RESTARTS = 10
SLOW = '''
import os, time
from pathlib import Path
from codecarena.codecs.classic.jpeg import Jpeg
class Slow(Jpeg):
    """Takes its time; the last setting of a picture waits until the server has restarted often enough."""
    def encode(self, picture, quality):
        time.sleep(0.09)
        waits = quality == 20 and tuple(picture.pixels[0, 0]) == (1, 2, 3)
        while waits and not Path(os.environ["RESTARTED"]).exists():
            time.sleep(0.05)
        return super().encode(picture, quality)
'''
TRIALS = "training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.0\nbreak_every = 1000\nminimum_view_ms = 0"


@pytest.fixture
def url(postgresql_process: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an empty database; blobs go to a folder of the test."""
    monkeypatch.setenv("CODECARENA_BLOBS", str(tmp_path / "blobs"))
    return new_database(postgresql_process.address)


def wait_for(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; give up after a minute."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("waited a minute in vain")


def insist(ask: Callable[[], Result]) -> Result:
    """Return an answer as a rater's browser does: what the database refuses is asked again."""
    for _ in range(600):
        try:
            return ask()
        except UNREACHABLE:
            time.sleep(0.1)
    raise AssertionError("asked for a minute in vain")


@pytest.mark.slow("the server restarts ten times")
@pytest.mark.scaled
def test_ten_restarts_cost_a_run_no_row_and_a_study_no_vote(
    url: str,
    postgresql_process: Server,
    tmp_path: Path,
    tenth: Callable[[int], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site, restarted, settings = tmp_path / "site", tmp_path / "restarted", 10
    (site / "slow-1.dist-info").mkdir(parents=True)
    (site / "slow_codec.py").write_text(SLOW)
    (site / "slow-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: slow\nVersion: 1\n")
    entry_points = "[codecarena.codecs]\nslow = slow_codec:Slow\n"
    (site / "slow-1.dist-info" / "entry_points.txt").write_text(entry_points)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("RESTARTED", str(restarted))
    monkeypatch.setenv("CODECARENA_STORE", url)
    cells = tenth(2000)
    write_pictures(tmp_path / "pictures", cells // settings, marked=0)
    listed = ", ".join(str(11 + place) for place in range(settings))
    suite = 'name = "slow"\nsets = "./pictures"\nmetrics = ["psnr"]\n[[codecs]]\nname = "slow"\n'
    (tmp_path / "suite.toml").write_text(f"{suite}qualities = [{listed}]\n")
    open_study(url, trials=TRIALS)
    raters = tenth(50)
    tokens, service = invite(url, raters), RaterService(url)

    def restart() -> None:
        wait_for(lambda: (tmp_path / "blobs" / "bitstreams").exists())
        for turn in range(RESTARTS):
            time.sleep(0.5)
            postgresql_process.restart(("fast", "immediate")[turn % 2])
        restarted.touch()

    def rate(token: str) -> int:
        session = insist(lambda: enter(service, token))
        step, votes = insist(lambda: service.next_trial(session)), 0
        while isinstance(step, Trial | Break):
            if isinstance(step, Break):
                step = insist(lambda: service.end_break(session))
                continue
            time.sleep(0.3)
            if votes == 20:
                wait_for(restarted.exists)
            request = vote_request(step)
            step, votes = insist(partial(service.vote, session, request)).following, votes + 1
        return votes

    with ThreadPoolExecutor(raters + 1) as executor:
        restarting = executor.submit(restart)
        given = [executor.submit(rate, token) for token in tokens]
        status, record = run_record("suite.toml", "--workers", "2", folder=tmp_path, process=True)
        restarting.result()
        votes = [rater.result() for rater in given]
    service.close()
    assert (status, record["completed"], record["failed"], record["without_result"]) == (0, cells, 0, 0)
    with closing(Store(url)) as store, store.reading() as connection:
        measured = connection.execute(select(MeasurementTable.superseded_at)).scalars().all()
        assert measured == [None] * cells
        assert [run.status for run in store.runs()] == ["finished"]
        assert all(len(cell.scores) == 1 for cell in store.cells())
        stored = Counter(connection.scalars(select(VoteTable.rater_id)))
        assert sorted(stored.values()) == sorted(votes)
        assert connection.scalars(select(TrialTable.id).where(TrialTable.answered_at.is_(None))).all() == []


def lose_the_next_commit(writer: StoreWriter) -> None:
    """Let the next transaction be stored, and the server be gone before it says so."""

    commits: list[int] = []

    def commit(connection: Connection) -> None:
        commits.append(1)
        if len(commits) > 1:
            return
        lost = connection.connection.dbapi_connection
        assert lost is not None
        lost.commit()
        lost.close()

    event.listen(writer.engine, "commit", commit)


MEASURED = Measured("bits", RateParts(1, 2, 3), 6, "pixels", (1.0,), (2.0,), 0.5)


def test_what_was_stored_as_the_server_went_away_is_not_stored_twice(url: str) -> None:
    with closing(StoreWriter(url)) as writer:
        writer.add_files([(Identified("/a.png", "sha", 20, 30), 1, 2)])
        writer.add_codec("codec-id", INFO, "label", {})
        lose_the_next_commit(writer)
        lost_machine = {"cpu": "fast"}
        writer.begin_run("before", "", lost_machine, 1, 1)
        lose_the_next_commit(writer)
        run_id = writer.begin_run("suite", "", lost_machine, 1, 1)
        key = CellKey("sha", "codec-id", 4.0, -1)
        first = Saved(key, run_id, None, {}, False, False)
        writer.save([(first, Outcome(measured=MEASURED))])
        failure = Failed("error", "score", "no", "psnr")
        for _ in range(2):
            lose_the_next_commit(writer)
            again = Saved(key, run_id, None, {}, False, True)
            writer.save([(again, Outcome(measured=MEASURED, failed=[failure]))])
        with writer.reading() as connection:
            counts = [
                connection.scalar(select(func.count()).select_from(table))
                for table in (RunTable, MeasurementTable, AttemptTable)
            ]
            current = select(func.count()).where(MeasurementTable.superseded_at.is_(None))
            assert (counts, connection.scalar(current)) == ([2, 3, 2], 1)


def test_a_vote_stored_as_the_server_went_away_is_asked_for_again_and_counts_once(url: str) -> None:
    open_study(url, trials=TRIALS)
    (token,), service = invite(url), RaterService(url)
    writer = service.ledger._writer
    assert writer is not None
    lose_the_next_commit(writer)
    with pytest.raises(StoreError, match="went away while something was stored"):
        enter(service, token)
    session = enter(service, token)
    step = service.next_trial(session)
    assert isinstance(step, Trial)
    request = vote_request(step)
    lose_the_next_commit(writer)
    with pytest.raises(StoreError, match="went away while something was stored"):
        service.vote(session, request)
    assert service.vote(session, request).repeated
    tables = VoteTable, SessionTable
    counts = [service.ledger.row(select(func.count()).select_from(table))[0] for table in tables]
    service.close()
    assert counts == [1, 2]


def test_a_query_lost_on_the_way_is_asked_again(url: str, postgresql_process: Server) -> None:
    StoreWriter(url).close()
    with closing(Store(url)) as store, store.reading() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
        postgresql_process.restart("immediate")
        assert connection.scalar(text("SELECT 2")) == 2
        assert store.runs() == []


def test_a_server_that_stays_away_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_errors, "LONGEST_PAUSE_SECONDS", 0.01)
    tries: list[int] = []

    def refuse() -> None:
        tries.append(1)
        raise OperationalError("SELECT 1", {}, Exception("connection failed: refused"))

    with pytest.raises(StoreError) as caught:
        patiently(refuse, "the store", None, restart_seconds=0.05)
    assert str(caught.value) == (
        "the store has not answered for 0.05 s (connection failed: refused); what had finished is stored: "
        "start the database, then give the same command again"
    )
    assert len(tries) > 2
    with pytest.raises(OperationalError):
        patiently(refuse, "the store", None)
