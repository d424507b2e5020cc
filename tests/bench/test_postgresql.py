"""The store on a PostgreSQL server: the same tables, rows and answers as on SQLite, and as many writers."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from postgresql import new_database, programs
from released_stores import VERSIONS, add_migration, restore_on_server
from sqlalchemy import create_engine, delete, select, text
from studying import enter, invite, open_study, vote_request, work_through
from synthetic_store import fill

from arena import call, command, write_pictures
from codecarena.bench.store import database, opening
from codecarena.bench.store.columns import read_columns, read_encode_seconds, read_scores
from codecarena.bench.store.database import StoreError, StoreVersionError
from codecarena.bench.store.derived_cache import AnswerKind, Derived, rows_of
from codecarena.bench.store.pictures import add_provenance, provenance
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables import schema
from codecarena.bench.store.tables.study_tables import PairTable, TrialTable, VoteTable
from codecarena.bench.store.writer import StoreWriter
from codecarena.datasets.manifest import LocalPicture, Provenance
from codecarena.studies.ledger.trials import TrialLedger
from codecarena.studies.ledger.votes import status, stored_votes
from codecarena.studies.records.messages import Trial
from codecarena.studies.session.session import RaterService

pytestmark = [
    pytest.mark.skipif(programs() is None, reason="no PostgreSQL server: apt-get install postgresql"),
    pytest.mark.xdist_group("postgresql"),
]
pytest.importorskip("psycopg", reason="no psycopg: pip install codecarena[postgresql]")

SUITE = """
name = "small"
sets = "./pictures"
metrics = ["psnr"]
[[codecs]]
name = "jpeg"
qualities = [10, 50, 90]
[[codecs]]
name = "webp"
qualities = [10, 50, 90]
"""


@pytest.fixture
def url(postgresql_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the address of an empty database; blobs go to a folder of the test."""
    monkeypatch.setenv("CODECARENA_BLOBS", str(tmp_path / "blobs"))
    return new_database(postgresql_server)


@pytest.mark.parametrize("replayed", [False, True], ids=["made at once", "by every migration"])
def test_a_store_has_the_tables_of_the_code(url: str, replayed: bool) -> None:
    if replayed:
        location = database.locate(url)
        engine = create_engine(location.database_url)
        opening.migrate(engine, location)
        engine.dispose()
    writer = StoreWriter(url)
    with writer.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.Base.metadata) == []
        assert context.get_current_revision() == schema.HEAD
    writer.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_released_store_is_migrated_with_all_its_rows(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    location = restore_on_server(version, url, tmp_path)
    body = """
with op.batch_alter_table("measurements") as batch:
    batch.add_column(sa.Column("note", sa.Text(), nullable=False, server_default="none"))
    batch.alter_column("load_seconds", existing_type=sa.Double(), nullable=True)
"""
    add_migration(tmp_path, body, monkeypatch)
    for opened in (Store, StoreWriter):
        with pytest.raises(StoreVersionError, match="codecarena store upgrade --store"):
            opened(url)
    assert opening.upgrade(url) == version
    writer = StoreWriter(url)
    with writer.engine.connect() as connection:
        counted = connection.execute(text("SELECT count(*), count(note) FROM measurements")).one()
        votes = connection.scalar(text("SELECT count(*) FROM study_votes"))
    writer.close()
    assert (tuple(counted), votes) == ((15, 15), 16)
    assert location.file is None


def test_a_migration_that_fails_leaves_the_store_as_it_was(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore_on_server(schema.HEAD, url, tmp_path)
    before = schema.HEAD
    add_migration(tmp_path, 'op.drop_table("study_votes")\nop.execute("DELETE FROM machines")', monkeypatch)
    with pytest.raises(StoreError, match=r"was not upgraded and is as it was: .*violates foreign key"):
        opening.upgrade(url)
    monkeypatch.setattr(opening, "HEAD", before)
    store = Store(url)
    with store.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM study_votes")) == 16
    store.close()


def test_a_store_from_before_the_first_release_is_refused_in_one_sentence(url: str, tmp_path: Path) -> None:
    StoreWriter(url).close()
    engine = create_engine(database.locate(url).database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0005'"))
    engine.dispose()
    for words in (("leaderboard",), ("run", "quick")):
        ended = call(*words, "--store", url, folder=tmp_path)
        assert (ended.returncode, ended.stdout) == (2, "")
        (line,) = ended.stderr.splitlines()
        assert line.startswith("codecarena: postgresql+psycopg://")
        assert "was made by a codecarena from before the first release" in line


def test_first_runs_at_the_same_moment_make_one_store(url: str) -> None:
    code = (
        "import sys; from codecarena.bench.store.writer import StoreWriter; StoreWriter(sys.argv[1]).close()"
    )
    starts = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(2)]
    assert [process.wait() for process in starts] == [0, 0]
    store = Store(url)
    assert store.cells() == []
    store.close()


def test_a_made_up_store_reads_the_same_from_both(url: str, tmp_path: Path) -> None:
    for place in (url, tmp_path):
        fill(place, pictures=6, codecs=3, settings=4, metrics=("psnr", "flip"), odd=True, before="100% ")
    stores = Store(url), Store(str(tmp_path))
    for ask in (Store.image_sets, Store.metrics, Store.runs, Store.failures, Store.codec_parameters):
        entry, other = (ask(store) for store in stores)
        assert entry == other
    by_key = [
        {(cell.picture, cell.codec_id, cell.quality, cell.seed): cell for cell in store.cells()}
        for store in stores
    ]
    assert by_key[0] == by_key[1]
    for metric in stores[0].metrics():
        prints = []
        for store in stores:
            columns = read_columns(store, "synthetic")
            assert len(read_encode_seconds(store, columns)) == len(columns.measurement)
            prints.append(list(rows_of(columns, read_scores(store, columns, metric.metric_id), [])))
        assert prints[0] == prints[1]
    for store in stores:
        store.close()


def test_an_answer_with_a_missing_number_is_kept(url: str) -> None:
    StoreWriter(url).close()
    store, calls = Store(url), []
    kind = AnswerKind(tuple[float, float], (read_columns,))

    def compute() -> tuple[float, float]:
        calls.append(1)
        return float("nan"), 2.0

    outcome = [Derived(store).answer(kind, "q", [b"row"], compute) for _ in range(2)]
    assert [str(entry) for entry in outcome] == ["(nan, 2.0)"] * 2
    assert len(calls) == 1
    store.close()


def test_zero_bytes_in_what_a_file_said_are_replaced(url: str) -> None:
    writer = StoreWriter(url)
    message = Provenance(prompt="a\0b", workflow='{"a": "\0"}')
    path = Path("/somewhere/a.png")
    picture = LocalPicture("a.png", path, "natural", None, None, None, "CC0", "none", None, None, message)
    add_provenance(writer, "set", [picture])
    assert provenance(writer, "set")["a.png"]["prompt"] == "a\ufffdb"
    writer.close()


def test_a_reader_cannot_write(url: str) -> None:
    StoreWriter(url).close()
    reader = Store(url)
    with pytest.raises(Exception, match="read-only"), reader.engine.begin() as connection:
        connection.execute(delete(schema.RunTable))
    reader.close()


def test_mistakes_are_named_and_passwords_are_not(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match="holds no store yet"):
        Store(url)
    nobody = "postgresql://me:secret@127.0.0.1:9/arena"
    with pytest.raises(StoreError, match="does not open as a store") as caught:
        StoreWriter(nobody)
    assert "secret" not in str(caught.value)
    address = database.locate(nobody).database_url.render_as_string(hide_password=False)
    assert address == "postgresql+psycopg://me:secret@127.0.0.1:9/arena"
    ended = call("leaderboard", "--store", nobody, folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Traceback" not in ended.stderr
    assert "secret" not in ended.stderr
    with pytest.raises(StoreError, match="expected a folder, sqlite:///FILE or postgresql://"):
        database.locate("mysql://me:secret@host/arena")
    monkeypatch.delenv("CODECARENA_BLOBS")
    with pytest.raises(StoreError, match="CODECARENA_BLOBS"):
        database.locate(url)


def test_two_runs_at_once_measure_each_cell_once_and_tables_are_those_of_sqlite(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pictures(tmp_path / "pictures", 3, size=64)
    (tmp_path / "small.toml").write_text(SUITE)
    monkeypatch.setenv("CODECARENA_STORE", url)
    words = command("run", "small.toml", "--workers", "1", "--json")
    runs = [
        subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in runs:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    again = json.loads(
        call("run", "small.toml", "-j", "1", "--json", folder=tmp_path).stdout.splitlines()[-1]
    )
    assert (again["cells"], again["done_before"], again["completed"]) == (18, 18, 0), again
    here = call("leaderboard", "--json", folder=tmp_path)
    assert here.returncode == 0, here.stderr
    monkeypatch.setenv("CODECARENA_STORE", str(tmp_path / "sqlite"))
    assert call("run", "small.toml", "-j", "1", folder=tmp_path).returncode == 0
    assert json.loads(here.stdout) == json.loads(call("leaderboard", "--json", folder=tmp_path).stdout)


TRIALS = "training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.0\nbreak_every = 1000\nminimum_view_ms = 0"


def test_raters_at_once_lose_no_vote_and_double_none(url: str) -> None:
    open_study(url, trials=TRIALS)
    tokens = invite(url, 6)
    services = [RaterService(url), RaterService(url)]  # as two processes would

    def rate(number: int) -> int:
        service = services[number % 2]
        return len(work_through(service, enter(service, tokens[number])))

    with ThreadPoolExecutor(6) as pool:
        given = list(pool.map(rate, range(6)))
    assert min(given) > 0
    ledger = TrialLedger(url)
    study = ledger.study("small")
    outcome = status(ledger, study)
    votes = ledger.row(select(text("count(*)")).select_from(VoteTable))[0]
    assert votes == sum(given) == len(stored_votes(ledger, study))
    counted = ledger.rows(select(PairTable.id, PairTable.votes))
    for pair_id, stored in counted:
        trials = ledger.rows(select(TrialTable.id).where(TrialTable.pair_id == pair_id))
        assert len(trials) == stored
    assert outcome.votes == votes
    ledger.close()
    for service in services:
        service.close()


def test_one_ballot_sent_many_times_at_once_counts_once(url: str) -> None:
    open_study(url, trials=TRIALS)
    (token,) = invite(url)
    service = RaterService(url)
    session = enter(service, token)
    step = service.next_trial(session)
    assert isinstance(step, Trial)
    sent, barrier = vote_request(step), threading.Barrier(8)

    def send(_: int) -> str:
        barrier.wait()
        return service.vote(session, sent).answer

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(8))) == {"first"}
    ledger = TrialLedger(url)
    assert len(ledger.rows(select(VoteTable.id))) == 1
    ledger.close()
    service.close()
