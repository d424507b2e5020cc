from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from as_columns import kept_by
from sqlalchemy import delete, func, select, update
from unwritable import unwritable

from codecarena.bench.analysis.intervals import Interval
from codecarena.bench.analysis.significance import Evidence, against_anchor
from codecarena.bench.records.rows import Failure, Score, ScoredCell
from codecarena.bench.store import derived_cache as module
from codecarena.bench.store.derived_cache import AnswerKind, Derived
from codecarena.bench.store.store import Store
from codecarena.bench.store.tables.schema import DerivedTable
from codecarena.bench.store.writer import StoreWriter

CELL = ScoredCell(
    "set", "a.png", "sha-a", "natural", 100, "id", "jpeg", "classic", False, 10.0, None, 50, "", "", (0.1,),
    (0.1,), True, {"m": Score(30.0)},
)  # fmt: skip
FAILURE = Failure(
    "set", "a.png", "sha-a", "id", "jpeg", 10.0, None, None, "error", "encode", 1, "", "", "", False
)
ANSWER = {"id": Evidence(Interval(-2.5, 1 / 3), Interval(None, None, "no value"), 0.01, "better")}


class Counted:
    """Computes an answer and counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, Evidence]:
        self.calls += 1
        return ANSWER


KIND = AnswerKind(dict[str, Evidence], (against_anchor,))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    StoreWriter(str(tmp_path)).close()
    return Store(str(tmp_path))


def ask(store: Store, compute: Counted, cell: ScoredCell = CELL, question: str = "q") -> dict[str, Evidence]:
    rows = kept_by([cell], [FAILURE], "m")
    return Derived(store).answer(KIND, question, rows, compute)


def kept(store: Store) -> int:
    with store.engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(DerivedTable)) or 0


def test_an_answer_is_computed_once_and_comes_back_equal(store: Store) -> None:
    compute = Counted()
    assert ask(store, compute) == ask(store, compute) == ANSWER
    assert (compute.calls, kept(store)) == (1, 1)


@pytest.mark.parametrize(
    "changed",
    [
        replace(CELL, scores={"m": Score(30.000000001)}),
        replace(CELL, bitstream_bytes=51),
        replace(CELL, quality=11.0),
        replace(CELL, kind="ai-generated"),
        replace(CELL, picture_generator="FLUX.1-dev"),
        replace(CELL, probe=True),
    ],
)
def test_an_answer_of_other_rows_is_never_shown_and_goes(store: Store, changed: ScoredCell) -> None:
    compute = Counted()
    ask(store, compute)
    ask(store, compute, changed)
    assert (compute.calls, kept(store)) == (2, 1)


def test_what_does_not_matter_to_an_answer_does_not_make_it_stale(store: Store) -> None:
    compute = Counted()
    ask(store, compute)
    ask(store, compute, replace(CELL, scores={"m": Score(30.0), "other": Score(1.0)}, encode_seconds=(9.0,)))
    assert compute.calls == 1


def test_a_change_of_the_method_makes_an_answer_stale(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = Counted()
    ask(store, compute)
    monkeypatch.setattr(module, "source_sha256", lambda _: "of another source")
    ask(store, compute)
    assert (compute.calls, kept(store)) == (2, 1)


def test_questions_keep_apart_and_dropping_them_costs_only_time(store: Store) -> None:
    compute = Counted()
    ask(store, compute, question="one")
    ask(store, compute, question="two")
    assert kept(store) == 2
    writer = StoreWriter(str(store.location.blobs.parent))
    writer.write(lambda connection: connection.execute(delete(DerivedTable)))
    assert ask(store, compute, question="one") == ANSWER
    assert compute.calls == 3
    writer.write(
        lambda connection: connection.execute(update(DerivedTable).values(value={"answer": {"id": 5}}))
    )
    writer.close()
    assert ask(store, compute, question="one") == ANSWER


def test_a_store_that_may_only_be_read_still_answers(store: Store) -> None:
    compute = Counted()
    with unwritable(store.location.blobs.parent):
        assert [ask(store, compute) for _ in range(2)] == [ANSWER] * 2
    assert compute.calls == 2


def test_a_failed_attempt_is_part_of_the_rows() -> None:
    assert kept_by([CELL], [FAILURE], "m") != kept_by([CELL], [replace(FAILURE, settled=True)], "m")
