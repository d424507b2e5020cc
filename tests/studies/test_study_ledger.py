"""What the ledger keeps of a study, what replaces and removes it, and which pairs the background asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from giving import LONG_AGO, cast_vote, course_of, give, rater_of, rows_of
from sqlalchemy import text as sql
from studying import enter, invite, open_study, text

from codecarena.bench.store.database import StoreError
from codecarena.studies.design.design import Choice, PairTotals
from codecarena.studies.design.plan import REFERENCE
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.trials import NotDueError, TrialLedger
from codecarena.studies.records.records import Condition, Content, Pair, Stimulus, StudyMaterial
from codecarena.studies.session import proposals
from codecarena.studies.session.proposals import Pairing
from codecarena.studies.session.schedule import Item
from codecarena.studies.session.session import RaterService

MATERIAL = StudyMaterial(
    (
        Condition("webp q=5", "w", "webp", "q=5"),
        Condition("jpeg q=9", "j", "jpeg", "q=9"),
        Condition(REFERENCE, None, None, None, is_reference=True),
    ),
    (
        Content("z/1", "z", "natural", "whole1", "part1", 3, 4, 50, 60),
        Content("a/2", "a", "ai-generated", "whole2", "part2", 5, 6, 70, 80),
    ),
    (
        Stimulus(1, 0, 5, 0.25, "decoded1", "shown1"),
        Stimulus(0, 1, 9, 0.5, "decoded2", "shown2"),
        Stimulus(1, 1, 9, 0.75, "decoded3", "shown3"),
        Stimulus(1, 2, None, None, "whole2", "part2"),
    ),
    (Pair("main", 2, 0), Pair("golden", 3, 0), Pair("identical", 1, 1)),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[TrialLedger]:
    opened = TrialLedger(str(tmp_path))
    yield opened
    opened.close()


def test_material_comes_back_as_it_was_kept(ledger: TrialLedger) -> None:
    ledger.keep("first", text(), "seal1", "planned", MATERIAL)
    ledger.keep("second", text(), "seal2", "planned", MATERIAL)
    for name in ("first", "second"):
        known = ledger.known(ledger.study(name))
        assert known.material == MATERIAL
        assert len(known.stimulus_ids) == 4
        assert len(known.pair_ids) == 3
    first, second = (ledger.known(ledger.study(name)) for name in ("first", "second"))
    assert not set(first.pair_ids) & set(second.pair_ids)
    assert [study.name for study in ledger.studies()] == ["first", "second"]
    assert first.study.salt != second.study.salt
    assert len(bytes.fromhex(first.study.salt)) == 32


def test_the_seal_is_over_names_originals_pictures_and_pairs() -> None:
    assert MATERIAL.lines() == [
        "condition webp q=5",
        "condition jpeg q=9",
        "condition original",
        "reference z/1 part1",
        "reference a/2 part2",
        "stimulus 1 0 shown1",
        "stimulus 0 1 shown2",
        "stimulus 1 1 shown3",
        "stimulus 1 2 part2",
        "pair main 2 0",
        "pair golden 3 0",
        "pair identical 1 1",
    ]


def test_a_plan_is_replaced_until_it_is_opened(tmp_path: Path, ledger: TrialLedger) -> None:
    ledger.keep("other", text(), "seal0", "planned", MATERIAL)
    ledger.keep("small", text(), "seal1", "planned", MATERIAL)
    ledger.keep("third", text(), "seal3", "planned", MATERIAL)
    [invitation] = invite(tmp_path)
    ledger.begin_session(rater_of(ledger, invitation), "token")
    ledger.propose(ledger.study("small"), ledger.known(ledger.study("small")).pair_ids[:1])
    ledger.keep("small", text(), "seal2", "planned", MATERIAL)
    assert [study.sha256 for study in ledger.studies()] == ["seal0", "seal3", "seal2"]
    assert ledger.rater_by_invitation(invitation) is None
    # Of three studies of the same material nothing is left over, and nothing of the other is gone.
    counts = {
        "conditions": 9,
        "contents": 6,
        "stimuli": 12,
        "pairs": 9,
        "raters": 0,
        "sessions": 0,
        "proposals": 0,
    }
    for table, count in counts.items():
        assert rows_of(tmp_path, f"SELECT count(*) FROM study_{table}") == [(count,)], table
    events = [[what for _, what, _ in ledger.events(study)] for study in ledger.studies()]
    assert events == [["planned"]] * 3
    for state in ("open", "closed"):
        ledger.set_state(ledger.study("small"), state)
        with pytest.raises(StoreError, match=f"'small' is {state}, its plan is sealed"):
            ledger.keep("small", text(), "seal3", "planned", MATERIAL)


def test_a_ledger_to_read_writes_nothing_and_names_the_studies_there_are(
    tmp_path: Path, ledger: TrialLedger
) -> None:
    reader = Ledger(str(tmp_path), read_only=True)
    with pytest.raises(StoreError, match="there are: none yet: codecarena study init"):
        reader.study("small")
    ledger.keep("one", text(), "seal", "planned", MATERIAL)
    ledger.keep("two", text(), "seal", "planned", MATERIAL)
    with pytest.raises(StoreError, match="no study 'small' in this store; there are: one, two"):
        reader.study("small")
    with pytest.raises(StoreError, match="opened to be read"):
        reader.set_state(reader.study("one"), "open")
    assert reader.find("small") is None
    reader.close()


def test_a_participant_is_added_once_a_study_and_invitations_always(
    tmp_path: Path, ledger: TrialLedger
) -> None:
    ledger.keep("one", text(), "seal", "planned", MATERIAL)
    ledger.keep("two", text(), "seal", "planned", MATERIAL)
    first, two = (study.study_id for study in ledger.studies())
    come = (
        *((two, "c", "p"), (first, "a", "p"), (first, "b", "p"), (two, "f", "o"), (first, "g", "q")),
        *((first, "d", None), (first, "e", None), (first, "h", "o"), (two, "i", "q")),
    )
    rows: list[dict[str, Any]] = [
        {"study_id": study, "name": name, "withdrawal_sha256": name, "participant_hash": participant}
        for study, name, participant in come
    ]
    ledger.add_raters(rows)
    names = rows_of(tmp_path, "SELECT name FROM study_raters ORDER BY id")
    assert [row[0] for row in names] == ["c", "a", "f", "g", "d", "e", "h", "i"]
    known = {
        (study, participant): rater.name
        for study in (first, two)
        for participant in ("o", "p", "q")
        if (rater := ledger.rater_by_participant(study, participant))
    }
    assert list(known.values()) == ["h", "a", "g", "f", "c", "i"]
    rater = ledger.rater_by_participant(two, "p")
    assert rater is not None
    assert (rater.name, rater.stage, rater.state, rater.breaks) == ("c", "consent", "planned", 0)
    assert ledger.rater_by_participant(two, "m") is None
    assert ledger.finished_raters(first) == 0
    ledger.set_rater(rater, stage="done")
    assert (ledger.finished_raters(first), ledger.finished_raters(two)) == (0, 1)


def test_a_withdrawal_takes_the_rater_of_the_token_and_nobody_else(
    tmp_path: Path, ledger: TrialLedger
) -> None:
    open_study(tmp_path, pictures=1)
    stays, goes = invite(tmp_path, 2)
    for invitation, token in ((stays, "kept"), (goes, "gone")):
        ledger.begin_session(rater_of(ledger, invitation), token)
        ledger.add_environment(rater_of(ledger, invitation), {"who": token}, "trials")
        give(ledger, invitation, [Item("main", 0, True), Item("main", 1, True)])
    assert ledger.withdraw("gone") == 0
    assert ledger.withdraw("gone") is None
    assert ledger.rater_by_session("kept") == rater_of(ledger, stays)
    assert rater_of(ledger, stays).stage == "trials"
    for table, count in {"raters": 1, "sessions": 1, "environments": 1, "trials": 2, "tombstones": 1}.items():
        assert rows_of(tmp_path, f"SELECT count(*) FROM study_{table}") == [(count,)], table


def test_what_a_withdrawal_deletes_is_overwritten_in_the_file(ledger: TrialLedger) -> None:
    assert ledger.write(lambda connection: connection.execute(sql("PRAGMA secure_delete")).scalar_one()) == 1


def test_a_vote_waits_for_its_turn_and_a_uuid_stands_for_one_trial(
    tmp_path: Path, ledger: TrialLedger
) -> None:
    open_study(tmp_path, pictures=1)
    [invitation] = invite(tmp_path)
    first, second = give(ledger, invitation, [Item("main", 0, True), Item("main", 1, True)])
    with pytest.raises(NotDueError, match="another trial comes first"):
        cast_vote(ledger, second, "first")
    cast_vote(ledger, first, "first", 12.5, "proven", toggles=3)
    assert [trial.position for trial in ledger.due(first.rater_id)] == [1]
    assert ledger.trials_given(first.rater_id) == 2
    assert ledger.trials_given(first.rater_id + 1) == 0
    stored = rows_of(tmp_path, "SELECT answer, response_ms, proof, display FROM study_votes")
    assert stored == [("first", 12.5, "proven", '{"toggles": 3}')]
    answered = rows_of(tmp_path, "SELECT answered_at IS NOT NULL FROM study_trials ORDER BY position")
    assert answered == [(1,), (0,)]


def test_sides_even_out_whichever_of_a_pair_was_stored_first(tmp_path: Path, ledger: TrialLedger) -> None:
    """The first of the only plain pair is a later row than its second."""
    ledger.keep("small", text(), "seal", "open", MATERIAL)
    first_invitation, other = invite(tmp_path, 2)
    query = "SELECT balance FROM study_pairs WHERE kind = 'main'"

    def balance() -> int:
        return rows_of(tmp_path, query)[0][0]

    [trial] = give(ledger, first_invitation, [Item("main", 0, True)])
    cast_vote(ledger, trial, "first")
    assert balance() == 1
    trials = give(ledger, other, [Item("main", 0, False)] * 3, until=LONG_AGO)
    assert balance() == -2
    cast_vote(ledger, trials[0], "second")
    pair_totals = ledger.pair_totals(ledger.study("small"), course_of(ledger).known.pair_ids[:1])
    assert (pair_totals.first_won.tolist(), pair_totals.second_won.tolist()) == ([2], [0])
    ledger.take_back(rater_of(ledger, other).rater_id, 2)
    assert balance() == 0
    ledger.withdraw(other)
    assert balance() == 1
    ledger.withdraw(first_invitation)
    assert balance() == 0


# The background of adaptive designs


class Wishful:
    """Wants every open pair, in order; notes what it was told."""

    adaptive = True

    def __init__(self) -> None:
        self.calls: list[tuple[PairTotals, list[bool], int]] = []

    def choose(
        self, pairs: Any, pair_totals: PairTotals, open_pairs: Any, count: int, _: Any
    ) -> list[Choice]:
        assert len(pairs) == count
        self.calls.append((pair_totals, open_pairs.tolist(), count))
        return [Choice(int(row), 1.0) for row in np.flatnonzero(open_pairs)]


def test_pairs_are_proposed_anew_once_votes_have_come_or_none_are_left(
    tmp_path: Path, ledger: TrialLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    design = Wishful()
    monkeypatch.setattr(proposals, "find_design", lambda _: design)
    open_study(
        tmp_path, conditions=3, pictures=1, design='name = "swiss"\npairs_per_rater = 3',
        raters="[stopping]\nvotes_per_pair = 1",
    )  # fmt: skip
    [invitation] = invite(tmp_path)
    session_plan, background = course_of(ledger), Pairing(ledger)
    ids = session_plan.known.pair_ids
    query = "SELECT pair_id FROM study_proposals ORDER BY id"
    assert background.refresh(session_plan)
    assert [row[0] for row in rows_of(tmp_path, query)] == list(ids[:3])
    # Nothing has come since.
    assert not background.refresh(session_plan)
    # Being given out is no vote, but takes the proposal away.
    [trial, again] = give(ledger, invitation, [Item("main", 1, False), Item("main", 1, False)])
    assert not background.refresh(session_plan)
    # Two votes are more than the one that is wanted.
    cast_vote(ledger, trial, "second")
    cast_vote(ledger, again, "second")
    assert background.refresh(session_plan)
    assert [row[0] for row in rows_of(tmp_path, query)] == [ids[0], ids[2]]
    pair_totals, open_pairs, count = design.calls[-1]
    assert (open_pairs, count) == ([True, False, True], 3)
    # The first of the pair stood right and was chosen.
    assert (pair_totals.given.tolist(), pair_totals.first_won.tolist()) == ([0, 2, 0], [0, 2, 0])
    assert (pair_totals.second_won.tolist(), pair_totals.ties.tolist()) == ([0, 0, 0], [0, 0, 0])
    ledger.propose(session_plan.known.study, [])
    assert background.refresh(session_plan)
    # A pair that has its votes is asked no more, and where all have, nothing is proposed.
    give(ledger, invitation, [Item("main", 0, True), Item("main", 2, True)])
    assert not background.refresh(session_plan)
    assert len(design.calls) == 3


def test_a_rater_without_an_open_pair_is_done(tmp_path: Path) -> None:
    bare = "training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.0"
    open_study(tmp_path, conditions=2, pictures=1, trials=bare, raters="[stopping]\nvotes_per_pair = 1")
    service = RaterService(str(tmp_path))
    first, second = invite(tmp_path, 2)
    session, other = enter(service, first), enter(service, second)
    service.next_trial(session)
    # The only pair is being looked at.
    end = service.next_trial(other)
    assert (end.step, end.progress.done) == ("done", 0)
    assert len(service.ledger.due(rater_of(service.ledger, first).rater_id)) == 1
    service.close()
