"""What a rater's answers are taken for: feedback, golden trials, sides evened out, wins, proven displays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from giving import LONG_AGO, cast_vote, course_of, give, rater_of, rows_of
from studying import enter, invite, open_study, plan, vote_request, work_through

from codecarena.studies.ledger.trials import TrialLedger
from codecarena.studies.records.messages import Answer, Done, Trial
from codecarena.studies.records.records import TrialRow
from codecarena.studies.session import trials
from codecarena.studies.session.schedule import Item, SessionPlan
from codecarena.studies.session.session import RaterService

ASKS = ("better", "worse")
BARE = "training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.0\nbreak_every = 0\n"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[TrialLedger]:
    opened = TrialLedger(str(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def session_plan(tmp_path: Path, ledger: TrialLedger) -> SessionPlan:
    open_study(tmp_path, pictures=1)
    return course_of(ledger)


def index_of(ledger: TrialLedger, kind: str) -> int:
    """Return the place of the study's first pair of a kind."""
    return next(at for at, pair in enumerate(course_of(ledger).known.material.pairs) if pair.kind == kind)


@pytest.mark.parametrize(
    ("asks", "first_left", "right"),
    [
        ("better", True, "first"),
        ("better", False, "second"),
        ("worse", True, "second"),
        ("worse", False, "first"),
    ],
)
def test_practice_agrees_with_who_names_the_original_or_where_asked_the_coding(
    session_plan: SessionPlan, asks: str, first_left: bool, right: str
) -> None:
    """The first of a practice pair is the original: it is the better one, the other the worse."""
    asking = dataclasses.replace(session_plan, plan=plan(trials=f'asks = "{asks}"'))
    new = trials.new_trial(asking, Item("training", session_plan.training[0], first_left))
    trial = TrialRow(1, 1, 1, 0, new.token, "training", new.pair_id, new.first_id, new.second_id, LONG_AGO)
    for answer in ("first", "second", "none", "skip"):
        feedback = trials.feedback(asking, trial, answer)
        assert feedback == ("agrees" if answer == right else "look-again")
        assert trials.feedback(asking, dataclasses.replace(trial, kind="golden"), answer) is None


@pytest.mark.parametrize("asks", ASKS)
def test_the_receipt_of_a_practice_vote_carries_its_feedback(tmp_path: Path, asks: str) -> None:
    """Who names the original is right where the better one is asked for; other trials tell nothing."""
    open_study(tmp_path, trials=f'asks = "{asks}"', pictures=1)
    service = RaterService(str(tmp_path))
    session_plan = course_of(service.ledger)
    session = enter(service, *invite(tmp_path))
    step, feedback_of = service.next_trial(session), []
    while isinstance(step, Trial):
        row = service.ledger.trial(step.trial)
        receipt = service.vote(
            session, vote_request(step, "first" if trials.item_of(session_plan, row).first_left else "second")
        )
        feedback_of.append((row.kind, receipt.feedback))
        step = receipt.following
    service.close()
    training = ("training", "agrees" if asks == "better" else "look-again")
    assert feedback_of[:2] == [training, training]
    assert {feedback for _, feedback in feedback_of[2:]} == {None}


@pytest.mark.parametrize("asks", ASKS)
def test_a_golden_trial_is_right_on_either_side_and_a_tie_is_not(
    tmp_path: Path, ledger: TrialLedger, asks: str
) -> None:
    open_study(tmp_path, trials=f'asks = "{asks}"\ntime_limit_ms = 5000', pictures=1)
    first, second = invite(tmp_path, 2)
    golden, main = index_of(ledger, "golden"), index_of(ledger, "main")
    answers: tuple[Answer, ...] = ("first", "second", "none", "skip")
    items = [Item("golden", golden, left) for left in (True, False) for _ in answers]
    # The original stands left in the first four: six answers are no pass, two are.
    for trial, answer in zip(give(ledger, first, items), answers * 2, strict=True):
        cast_vote(ledger, trial, answer)
    assert ledger.golden_record(rater_of(ledger, first).rater_id, "first") == (8, 2)
    assert ledger.golden_record(rater_of(ledger, first).rater_id, "second") == (8, 2)
    # Only the original, three times, of them twice on the left; a plain trial is none of them.
    items = [Item("golden", golden, left) for left in (True, False, True)] + [Item("main", main, True)]
    for trial, answer in zip(give(ledger, second, items), ("first", "second", "first", "first"), strict=True):
        cast_vote(ledger, trial, answer)
    assert ledger.golden_record(rater_of(ledger, second).rater_id, "first") == (3, 3)
    assert ledger.golden_record(rater_of(ledger, second).rater_id, "second") == (3, 0)
    assert ledger.golden_record(0, "first") == (0, 0)


@pytest.mark.parametrize(
    ("asks", "original", "coded", "code"),
    [
        ("better", 3, 0, "PASSED"),
        ("better", 2, 1, "PASSED"),  # exactly the rate that is asked for
        ("better", 1, 2, "FAILED"),
        ("better", 2, 0, "PASSED"),
        ("better", 1, 0, "FAILED"),  # the others are ties
        ("worse", 0, 3, "PASSED"),
        ("worse", 1, 2, "PASSED"),
        ("worse", 2, 1, "FAILED"),
        ("worse", 0, 1, "FAILED"),
    ],
)
def test_who_fails_the_golden_trials_gets_the_code_for_that(
    tmp_path: Path, asks: str, original: int, coded: int, code: str
) -> None:
    """Of three golden trials so many for the original, so many for the coded one, the rest none."""
    codes = 'completion_code = "PASSED"\nfailed_checks_code = "FAILED"\n'
    rate = f"[exclusion]\ngolden_pass_rate = {2 / 3!r}"
    open_study(
        tmp_path, conditions=2, pictures=1, trials=BARE.replace("golden = 0", f'golden = 3\nasks = "{asks}"'),
        raters=codes + rate,
    )  # fmt: skip
    service = RaterService(str(tmp_path))
    session = enter(service, *invite(tmp_path))
    session_plan = course_of(service.ledger)
    step, left = service.next_trial(session), {"original": original, "coded": coded, "none": 3}
    while isinstance(step, Trial):
        row = service.ledger.trial(step.trial)
        answer: Answer = "none"
        if row.kind == "golden":
            wanted = next(answer for answer, count in left.items() if count)
            left[wanted] -= 1
            original_left = trials.item_of(session_plan, row).first_left
            answer = (
                "none"
                if wanted == "none"
                else "first"
                if original_left == (wanted == "original")
                else "second"
            )
        step = service.vote(session, vote_request(step, answer)).following
    service.close()
    assert isinstance(step, Done)
    assert (step.outcome, step.completion_code) == ("complete", code)


def test_without_a_golden_answer_nobody_has_failed(tmp_path: Path) -> None:
    codes = 'completion_code = "DONE"\nfailed_checks_code = "FAILED"'
    open_study(tmp_path, conditions=2, pictures=1, trials=BARE, raters=codes)
    service = RaterService(str(tmp_path))
    session = enter(service, *invite(tmp_path))
    [(_, receipt)] = work_through(service, session)
    service.close()
    assert receipt.following.completion_code == "DONE"


# Sides and counts of pairs


def pair_rows(store: Path) -> list[tuple[int, int]]:
    """Return votes and balance of each pair of the design, in order."""
    return rows_of(store, "SELECT votes, balance FROM study_pairs WHERE kind = 'main' ORDER BY id")


def test_each_trial_given_leans_its_pair_and_a_withdrawal_undoes_votes_and_sides(
    tmp_path: Path, ledger: TrialLedger
) -> None:
    open_study(tmp_path, conditions=3, pictures=1)
    stays, goes = invite(tmp_path, 2)
    repeat, golden = Item("repeat", 0, False), Item("golden", index_of(ledger, "golden"), True)
    for trial in give(ledger, stays, [Item("main", 0, True), Item("main", 1, True), Item("main", 2, False)])[
        :2
    ]:
        cast_vote(ledger, trial, "first")
    before = [(1, 1), (1, 1), (0, -1)]
    assert pair_rows(tmp_path) == before
    given = give(
        ledger, goes, [golden, Item("main", 0, True), Item("main", 1, False), repeat, Item("main", 2, False)]
    )
    for trial in given[:4]:
        cast_vote(ledger, trial, "second")
    # The repeat and the golden trial are no votes on their pairs, nor do they even out sides.
    assert pair_rows(tmp_path) == [(2, 2), (2, 0), (0, -2)]
    assert rows_of(tmp_path, "SELECT sum(votes), sum(balance) FROM study_pairs WHERE kind != 'main'") == [
        (0, 0)
    ]
    assert ledger.withdraw(goes) == 4
    assert pair_rows(tmp_path) == before


def test_lapsed_trials_of_full_pairs_are_taken_back_with_their_sides(
    tmp_path: Path, ledger: TrialLedger
) -> None:
    open_study(tmp_path, conditions=3, pictures=1)
    away, other = invite(tmp_path, 2)
    for trial in give(ledger, other, [Item("main", 0, True), Item("main", 1, True)]):
        cast_vote(ledger, trial, "first")
    golden = Item("golden", index_of(ledger, "golden"), True)
    mine = [
        Item("main", 0, False),
        Item("main", 1, True),
        Item("main", 2, True),
        Item("repeat", 1, False),
        golden,
    ]
    give(ledger, away, mine, until=LONG_AGO)
    assert pair_rows(tmp_path) == [(1, 0), (1, 2), (0, 1)]
    rater = rater_of(ledger, away).rater_id
    ledger.take_back(rater, 2)  # no pair has two votes
    assert len(ledger.due(rater, 99)) == 5
    ledger.take_back(rater_of(ledger, other).rater_id, 1)  # somebody else's
    assert len(ledger.due(rater, 99)) == 5
    ledger.take_back(rater, 1)
    left = [(trial.kind, trial.position) for trial in ledger.due(rater, 99)]
    assert left == [("main", 2), ("golden", 4)]
    assert pair_rows(tmp_path) == [(1, 1), (1, 1), (0, 1)]
    assert len(rows_of(tmp_path, "SELECT id FROM study_votes")) == 2


def test_a_trial_whose_lease_runs_is_not_taken_back(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, conditions=2, pictures=1)
    present, other = invite(tmp_path, 2)
    give(ledger, present, [Item("main", 0, True)])
    [trial] = give(ledger, other, [Item("main", 0, True)])
    cast_vote(ledger, trial, "first")
    ledger.take_back(rater_of(ledger, present).rater_id, 1)
    assert len(ledger.due(rater_of(ledger, present).rater_id)) == 1
    assert pair_rows(tmp_path) == [(1, 2)]


def test_wins_count_on_whichever_side_they_stood_and_ties_and_skips_for_nobody(
    tmp_path: Path, ledger: TrialLedger
) -> None:
    """Pair 0: the first stimulus wins 1 left + 2 right, the second 2 right + 1 left, 1 tie, 1 skip."""
    open_study(tmp_path, conditions=3, pictures=1, trials="time_limit_ms = 1000")
    [invitation] = invite(tmp_path)
    table: list[tuple[int, bool, Answer]] = [
        (0, True, "first"), (0, False, "second"), (0, False, "second"),
        (0, True, "second"), (0, True, "second"), (0, False, "first"),
        (0, True, "none"), (0, False, "skip"),
        (1, False, "second"), (1, False, "none"), (1, True, "none"),
    ]  # fmt: skip
    items = [Item("main", pair, left) for pair, left, _ in table]
    for trial, (*_, answer) in zip(give(ledger, invitation, items), table, strict=True):
        cast_vote(ledger, trial, answer)
    for kind in ("repeat", "training", "golden"):
        [trial] = give(ledger, invitation, [Item(kind, 0, True)])
        cast_vote(ledger, trial, "first")
    give(ledger, invitation, [Item("main", 1, True), Item("repeat", 2, True)])
    give(ledger, invitation, [Item("main", 2, True)], until=LONG_AGO)
    study, ids = ledger.study("small"), course_of(ledger).known.pair_ids[:3]
    pair_totals = ledger.pair_totals(study, ids)
    assert pair_totals.first_won.tolist() == [3, 1, 0]
    assert pair_totals.second_won.tolist() == [3, 0, 0]
    assert pair_totals.ties.tolist() == [1, 2, 0]
    # Votes, and of those that wait only the trial of the design whose lease runs.
    assert pair_totals.given.tolist() == [8, 4, 0]
    assert ledger.wants_votes(study.study_id, 1)
    assert not ledger.wants_votes(study.study_id, 0)


def test_pairs_are_wanted_until_each_has_its_votes(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, conditions=3, pictures=1)
    [invitation] = invite(tmp_path)
    study_id = ledger.study("small").study_id
    for pair in range(3):
        assert ledger.wants_votes(study_id, 1)
        give(ledger, invitation, [Item("main", pair, True)])
    assert not ledger.wants_votes(study_id, 1)
    assert ledger.wants_votes(study_id, 2)


def test_proposals_are_replaced_and_each_is_given_once(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, conditions=3, pictures=1)
    study, ids = ledger.study("small"), course_of(ledger).known.pair_ids
    assert ledger.progress_of(study) == (0, 0)
    ledger.propose(study, ids[:2])
    ledger.propose(study, [ids[2], ids[0]])
    assert ledger.progress_of(study) == (0, 2)
    [invitation] = invite(tmp_path)
    seen = []
    rater = rater_of(ledger, invitation)
    ledger.add_trials(rater, 0, LONG_AGO, lambda context: seen.append(context.proposals) or [])
    assert seen == [(ids[2], ids[0])]
    [trial] = give(ledger, invitation, [Item("main", 2, True)])
    assert rows_of(tmp_path, "SELECT pair_id FROM study_proposals") == [(ids[0],)]
    cast_vote(ledger, trial, "first")
    assert ledger.progress_of(study) == (1, 1)
    ledger.propose(study, [])
    assert ledger.progress_of(study) == (1, 0)


def test_trials_are_added_once_for_what_a_caller_has_seen(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, conditions=3, pictures=1)
    [invitation] = invite(tmp_path)
    rater, session_plan = rater_of(ledger, invitation), course_of(ledger)
    for _ in range(2):  # two tabs, both of which saw none
        ledger.add_trials(
            rater,
            0,
            LONG_AGO,
            lambda _: [trials.new_trial(session_plan, Item("main", pair, True)) for pair in (0, 1)],
        )
    assert [trial.position for trial in ledger.due(rater.rater_id, 9)] == [0, 1]
    assert ledger.trials_given(rater.rater_id) == 2
    assert ledger.due(rater.rater_id, 1)[0].lease_until == LONG_AGO
