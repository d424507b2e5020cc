"""Three studies of one store: what is read, counted, changed or removed of one is none of another's."""

from __future__ import annotations

from pathlib import Path

import pytest
from giving import LATER, LONG_AGO, cast_vote, course_of, give, rater_of, rows_of
from studying import invite, plan, text

from codecarena.bench.store.writer import StoreWriter
from codecarena.studies.design.plan import REFERENCE
from codecarena.studies.design.selection import pairs_of
from codecarena.studies.ledger.trials import TrialLedger
from codecarena.studies.ledger.votes import status, stored_votes, vote_rows, votes_of
from codecarena.studies.records.records import Condition, Content, Stimulus, StudyMaterial
from codecarena.studies.session.schedule import Item
from codecarena.studies.session.session import RaterService

NAMES = ("before", "small", "after")
ITEMS = [Item("main", 0, True), Item("main", 1, True), Item("main", 2, True), Item("golden", 3, True)]
# Of the four trials of each of three raters so many are answered.
ANSWERED = {"before": (1, 2, 3), "small": (2, 3, 4), "after": (3, 4, 4)}


def material(name: str) -> StudyMaterial:
    """Return three codings of one picture and its original, under the study's own names."""
    conditions = (*(Condition(f"{name}{n}", f"{name}{n}", name, f"q={n}") for n in range(3)),)
    conditions = (*conditions, Condition(REFERENCE, None, None, None, is_reference=True))
    stimuli = tuple(Stimulus(0, place, None, None if place == 3 else 0.1 + place) for place in range(4))
    pairs = pairs_of(plan(trials="training = 0\ngolden = 1"), conditions, stimuli)
    return StudyMaterial(conditions, (Content(name),), stimuli, pairs)


class Store:
    """Three studies; the votes came in another order than the studies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = TrialLedger(str(folder))
        for name in NAMES:
            self.ledger.keep(name, text(), f"seal of {name}", "planned", material(name))
        self.invitations = {name: invite(folder, 3, study=name) for name in NAMES}
        for name in ("small", "after", "before"):
            for invitation, answered in zip(self.invitations[name], ANSWERED[name], strict=True):
                self.ledger.begin_session(rater_of(self.ledger, invitation), f"session {invitation}")
                for trial in give(self.ledger, invitation, ITEMS, study=name)[:answered]:
                    cast_vote(self.ledger, trial, "first")

    def counts(self, table: str) -> list[int]:
        """Return how many rows of a table belong to each rater, in order."""
        query = (
            f"SELECT (SELECT count(*) FROM {table} WHERE rater_id = r.id) FROM study_raters r ORDER BY r.id"
        )
        return [row[0] for row in rows_of(self.folder, query)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store that nobody changes."""
    return Store(tmp_path_factory.mktemp("three"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_study_is_known_by_its_name_with_its_own_material(kept: Store) -> None:
    assert [study.name for study in kept.ledger.studies()] == list(NAMES)
    for name in NAMES:
        study = kept.ledger.study(name)
        assert (study.name, study.sha256) == (name, f"seal of {name}")
        assert kept.ledger.known(study).material == material(name)
    assert kept.ledger.find("nobody") is None


def test_votes_and_counts_are_of_one_study(kept: Store) -> None:
    expected = {"before": (6, 6, 1, 3), "small": (9, 8, 2, 3), "after": (11, 9, 3, 3)}
    for name, (votes, main, fewest, most) in expected.items():
        study = kept.ledger.study(name)
        assert len(stored_votes(kept.ledger, study)) == len(list(vote_rows(kept.ledger, study))) == votes
        columns = votes_of(kept.ledger, study)
        assert len(columns) == votes
        assert columns.pictures == (name,)
        assert columns.conditions[:3] == (f"{name}0", f"{name}1", f"{name}2")
        counted = status(kept.ledger, study)
        assert (counted.votes, counted.fewest_votes, counted.most_votes) == (main, fewest, most)
        assert (counted.pairs, counted.unproven, counted.withdrawn) == (3, votes, 0)
        assert [rater.votes for rater in counted.raters] == list(ANSWERED[name])


def test_the_standing_of_pairs_is_of_one_study(kept: Store) -> None:
    wins = {"before": [3, 2, 1], "small": [3, 3, 2], "after": [3, 3, 3]}
    newest = {"small": 9, "after": 20, "before": 26}
    for name in NAMES:
        study, ids = kept.ledger.study(name), course_of(kept.ledger, name).known.pair_ids[:3]
        pair_totals = kept.ledger.pair_totals(study, ids)
        assert pair_totals.first_won.tolist() == wins[name]
        # Each rater has voted on each pair or is looking at it.
        assert pair_totals.given.tolist() == [3, 3, 3]
        assert kept.ledger.progress_of(study) == (newest[name], 0)
        assert not kept.ledger.wants_votes(study.study_id, 3)
        assert kept.ledger.wants_votes(study.study_id, 4)


def test_trials_and_golden_answers_are_of_one_rater(kept: Store) -> None:
    for name in NAMES:
        for invitation, answered in zip(kept.invitations[name], ANSWERED[name], strict=True):
            rater = rater_of(kept.ledger, invitation)
            assert kept.ledger.rater_by_session(f"session {invitation}") == rater
            assert (rater.state, rater.study_id) == ("planned", kept.ledger.study(name).study_id)
            due = kept.ledger.due(rater.rater_id, 9)
            assert [trial.position for trial in due] == list(range(answered, 4))
            assert {(trial.rater_id, trial.study_id) for trial in due} <= {(rater.rater_id, rater.study_id)}
            assert [kept.ledger.trial(trial.token) for trial in due] == due
            assert kept.ledger.trials_given(rater.rater_id) == 4
            passed = (1, 1) if answered == 4 else (0, 0)
            assert kept.ledger.golden_record(rater.rater_id, "first") == passed


def test_what_is_not_known_is_nobody_s(kept: Store) -> None:
    for place in range(8):
        token = f"unknown {place}"
        assert kept.ledger.rater_by_invitation(token) is None
        assert kept.ledger.rater_by_session(token) is None
        assert kept.ledger.trial(token) is None
        assert kept.ledger.withdraw(token) is None


def test_a_state_and_a_log_are_of_one_study(store: Store) -> None:
    ledger = store.ledger
    ledger.set_state(ledger.study("small"), "open")
    ledger.log(ledger.study("small"), "noted", {"count": 3})
    assert [study.state for study in ledger.studies()] == ["planned", "open", "planned"]
    states = [rater_of(ledger, invitation).state for name in NAMES for invitation in store.invitations[name]]
    assert states == ["planned"] * 3 + ["open"] * 3 + ["planned"] * 3
    events = [[what for _, what, _ in ledger.events(study)] for study in ledger.studies()]
    assert events == [["planned"], ["planned", "open", "noted"], ["planned"]]


def test_each_study_has_its_own_plan_at_one_rater_service(tmp_path: Path) -> None:
    StoreWriter(str(tmp_path)).close()
    service = RaterService(str(tmp_path))
    for name in NAMES:
        asking = text().replace("A small study", f"Study {name}")
        service.ledger.keep(name, asking, "seal", "open", material(name))
    for name in NAMES:
        [invitation] = invite(tmp_path, study=name)
        session = service.join(invitation).session_token
        assert service.welcome(session).title == f"Study {name}"
    service.close()


def test_where_a_rater_stands_is_of_one_rater(store: Store) -> None:
    ledger = store.ledger
    for name, done in (("before", 1), ("small", 2), ("after", 3)):
        for invitation in store.invitations[name][:done]:
            ledger.set_rater(rater_of(ledger, invitation), stage="done")
    assert [ledger.finished_raters(study.study_id) for study in ledger.studies()] == [1, 2, 3]
    middle = rater_of(ledger, store.invitations["small"][1])
    ledger.add_environment(middle, {"night": "off"}, "trials")
    assert [ledger.finished_raters(study.study_id) for study in ledger.studies()] == [1, 1, 3]
    assert store.counts("study_environments") == [0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_a_lease_is_renewed_or_taken_back_of_one_rater(store: Store) -> None:
    ledger = store.ledger
    rater = rater_of(ledger, store.invitations["small"][0]).rater_id
    for name in NAMES:
        for invitation in store.invitations[name]:
            ledger.renew_leases(rater_of(ledger, invitation).rater_id, LONG_AGO)
    # What has its vote is not looked at any more.
    query = "SELECT count(*) FROM study_trials WHERE lease_until = '{}'"
    assert rows_of(store.folder, query.format(LONG_AGO)) == [(36 - 26,)]
    # Two votes on the third pair: the first rater of "small" is asked no more.
    before = store.counts("study_trials")
    ledger.take_back(rater, 2)
    assert store.counts("study_trials") == [count - (place == 3) for place, count in enumerate(before)]
    ledger.renew_leases(rater, "2002")
    assert rows_of(store.folder, "SELECT DISTINCT rater_id FROM study_trials WHERE lease_until = '2002'") == [
        (rater,)
    ]
    assert rows_of(store.folder, query.format(LATER)) == [(26,)]


def test_proposals_are_of_one_study(store: Store) -> None:
    ledger = store.ledger
    for count, name in ((2, "small"), (3, "after"), (1, "before")):
        ledger.propose(ledger.study(name), course_of(ledger, name).known.pair_ids[:count])
    assert [ledger.progress_of(study)[1] for study in ledger.studies()] == [1, 2, 3]
    [invitation] = invite(store.folder, study="small")
    seen = []
    ledger.add_trials(rater_of(ledger, invitation), 0, LATER, lambda context: seen.append(context) or [])
    [context] = seen
    ids = course_of(ledger, "small").known.pair_ids
    assert context.proposals == ids[:2]
    assert (context.pair_ids.tolist(), context.past) == (list(ids[:3]), ())
    assert context.balance.tolist() == [3, 3, 3]
    ledger.propose(ledger.study("small"), ids[2:3])
    assert [ledger.progress_of(study)[1] for study in ledger.studies()] == [1, 1, 3]


def test_a_withdrawal_takes_one_rater_of_one_study(store: Store) -> None:
    ledger = store.ledger
    gone = store.invitations["small"][1]
    tables = ("study_votes", "study_trials", "study_sessions")
    before = {table: store.counts(table) for table in tables}
    assert ledger.withdraw(gone) == 3
    for table in tables:
        assert store.counts(table) == before[table][:4] + before[table][5:]
    counted = [status(ledger, study) for study in ledger.studies()]
    assert [(progress.votes, progress.withdrawn, progress.withdrawn_votes) for progress in counted] == [
        (6, 0, 0),
        (5, 1, 3),
        (9, 0, 0),
    ]
    balances = rows_of(store.folder, "SELECT balance FROM study_pairs WHERE kind = 'main' ORDER BY id")
    assert [row[0] for row in balances] == [3] * 3 + [2] * 3 + [3] * 3
