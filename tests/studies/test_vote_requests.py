"""What a vote request must hold, when its display is proven, which pairs come next and where breaks stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from giving import LONG_AGO, course_of, give, rater_of, rows_of
from studying import enter, invite, open_study, plan, vote_request

from codecarena.studies.ledger.trials import TrialLedger
from codecarena.studies.records.messages import Break, Done, SessionError, VoteRequest
from codecarena.studies.session import trials
from codecarena.studies.session.schedule import Item, SessionPlan
from codecarena.studies.session.session import RaterService

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


@pytest.mark.parametrize("presentation", ["flip", "no-reference"])
def test_a_display_is_proven_when_every_picture_was_read_back_as_it_is(
    tmp_path: Path, ledger: TrialLedger, presentation: str
) -> None:
    open_study(tmp_path, trials=f'presentation = "{presentation}"', pictures=1)
    [trial] = give(ledger, *invite(tmp_path), [Item("main", 0, False)])
    session_plan = course_of(ledger)
    material = session_plan.known.material
    # Shown with its second stimulus left.
    right = {"first": material.stimuli[1].shown_sha256, "second": material.stimuli[0].shown_sha256}
    if presentation != "no-reference":
        right["reference"] = material.contents[0].reference_sha256
    assert set(trials.pictures(session_plan, trial)) == set(right)

    def proof(checksums: dict[str, str]) -> str:
        return trials.proof(session_plan, trial, VoteRequest(trial.token, "some-uuid", "first", 1, checksums))

    assert proof(right) == "proven"
    for slot in right:
        assert proof({**right, slot: "0" * 64}) == proof({**right, slot: "f" * 64}) == "unproven"
        assert proof({name: sha256 for name, sha256 in right.items() if name != slot}) == "unproven"
    swapped = {**right, "first": right["second"], "second": right["first"]}
    assert proof(swapped) == proof({}) == "unproven"


def test_a_simulated_vote_says_so_whatever_was_read_back(tmp_path: Path, ledger: TrialLedger) -> None:
    open_study(tmp_path, top="simulated = true", pictures=1)
    [trial] = give(ledger, *invite(tmp_path), [Item("main", 0, True)])
    session_plan = course_of(ledger)
    for checksums in ({}, trials.pictures(session_plan, trial)):
        assert (
            trials.proof(session_plan, trial, VoteRequest(trial.token, "some-uuid", "first", 1, checksums))
            == "simulated"
        )


# Vote requests


def test_a_vote_that_cannot_be_valid_is_refused(tmp_path: Path) -> None:
    open_study(tmp_path, trials="allow_no_preference = false", pictures=1)
    service = RaterService(str(tmp_path))
    session = enter(service, *invite(tmp_path))
    table: list[tuple[dict[str, object], bool]] = [
        ({"answer": "none"}, False),
        ({"answer": "skip"}, False),
        ({"response_ms": 0.0}, True),
        ({"response_ms": -0.001}, False),
        ({"response_ms": float("inf")}, False),
        ({"response_ms": float("nan")}, False),
        ({"response_ms": 86_400_001.0}, False),
        ({"response_ms": 1e300}, False),
        ({"client_uuid": "a3bb189e-8bf9-3888-9912-ace4e6543002"}, True),
        ({"client_uuid": "=HYPERLINK(1)"}, False),
        ({"client_uuid": "{a3bb189e-8bf9-3888-9912-ace4e6543002}"}, False),
        ({"client_uuid": "a3bb189e8bf938889912ace4e6543002"}, False),
        ({"client_uuid": ""}, False),
        ({"display": {"x": "y" * (16384 - len('{"x": ""}'))}}, True),
        ({"display": {"x": "y" * (16385 - len('{"x": ""}'))}}, False),
    ]
    for changed, taken in table:
        due = service.next_trial(session)
        sent = dataclasses.replace(vote_request(due), **changed)
        if taken:
            assert not service.vote(session, sent).repeated
            continue
        with pytest.raises(SessionError, match="not_understood") as refused:
            service.vote(session, sent)
        assert refused.value.status == 422
        assert service.next_trial(session) == due
    with pytest.raises(SessionError, match="stopped"):  # a day is understood, and has not passed
        service.vote(session, dataclasses.replace(vote_request(due), response_ms=86_400_000))
    service.close()
    assert len(rows_of(tmp_path, "SELECT id FROM study_votes")) == 3  # as many as were taken


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("", ("first", "second", "none")),
        ("allow_no_preference = false", ("first", "second")),
        ("time_limit_ms = 1000", ("first", "second", "none", "skip")),
        ("allow_no_preference = false\ntime_limit_ms = 1000", ("first", "second", "skip")),
    ],
)
def test_no_preference_and_skip_are_answers_where_the_plan_has_them(
    session_plan: SessionPlan, text: str, answers: tuple[str, ...]
) -> None:
    assert trials.answers(dataclasses.replace(session_plan, plan=plan(trials=text))) == answers


# Which pairs come next


def test_who_has_had_a_pair_is_not_given_it_again_and_gets_as_many_as_the_plan_says(
    tmp_path: Path, ledger: TrialLedger
) -> None:
    open_study(
        tmp_path,
        conditions=3,
        pictures=2,
        trials=BARE,
        design="pairs_per_rater = 4",
        raters="[stopping]\nvotes_per_pair = 1",
    )
    session_plan = course_of(ledger)
    seen = []
    [invitation] = invite(tmp_path)
    rater = rater_of(ledger, invitation)
    ledger.add_trials(rater, 0, LONG_AGO, lambda context: seen.append(context) or [])
    [context] = seen
    generator = np.random.default_rng(1)
    # A repeat and a golden trial count for nothing; pair 5 has more than its vote.
    past = [Item("main", 0, True), Item("repeat", 1, True), Item("golden", 3, True), Item("main", 2, True)]
    context = dataclasses.replace(context, given=np.array([0, 0, 0, 0, 0, 2]))
    for _ in range(20):
        rows = [choice.pair for choice in trials.choices(session_plan, context, past, generator)]
        assert len(rows) == 2  # four, of which two are done
        assert set(rows) <= {1, 3, 4}
    assert len(trials.choices(session_plan, context, past[1:], generator)) == 3


@pytest.mark.parametrize(("break_every", "breaks"), [(0, []), (2, [2, 4]), (3, [3]), (5, [5]), (6, [])])
def test_a_break_comes_after_so_many_trials_and_none_before_the_first_or_after_the_last(
    tmp_path: Path, break_every: int, breaks: list[int]
) -> None:
    trials_table = BARE.replace("break_every = 0", f"break_every = {break_every}\nbreak_seconds = 7")
    open_study(tmp_path, conditions=3, pictures=2, trials=trials_table)
    service = RaterService(str(tmp_path))
    session = enter(service, *invite(tmp_path))
    pauses, place, step = [], 0, service.next_trial(session)
    while not isinstance(step, Done):
        if isinstance(step, Break):
            assert (step.seconds, step.progress.total) == (7, 6)
            pauses.append(step.progress.done)
            assert service.next_trial(session) == step
            step = service.end_break(session)
            continue
        assert (step.progress.done, step.progress.total) == (place, 6)
        assert service.end_break(session) == step  # there is none to end
        upcoming = service.upcoming(session)
        assert (upcoming.progress.done if upcoming else 6) == place + 1
        place += 1
        step = service.vote(session, vote_request(step)).following
    service.close()
    assert place == 6
    assert pauses == breaks
    assert (step.progress.done, step.progress.total) == (6, 6)


def test_nobody_votes_on_the_trial_of_somebody_else(tmp_path: Path) -> None:
    open_study(tmp_path, pictures=1)
    service = RaterService(str(tmp_path))
    sessions = [enter(service, invitation) for invitation in invite(tmp_path, 2)]
    dues = [service.next_trial(session) for session in sessions]
    for session, due in zip(sessions, reversed(dues), strict=True):
        with pytest.raises(SessionError, match="unknown_trial"):
            service.vote(session, vote_request(due))
    service.close()
    assert rows_of(tmp_path, "SELECT id FROM study_votes") == []


@pytest.mark.parametrize("rule", ["", "[stopping]\nvotes_per_pair = 9"])
def test_a_session_given_in_blocks_is_told_its_whole_length(tmp_path: Path, rule: str) -> None:
    blocks = 'name = "swiss"\npairs_per_rater = 6\nblock = 2'
    open_study(tmp_path, trials=BARE.replace("training = 0", "training = 1"), design=blocks, raters=rule)
    service = RaterService(str(tmp_path))
    session = enter(service, *invite(tmp_path))
    assert service.welcome(session).progress.total == 7
    assert service.next_trial(session).progress.total == 7
    service.close()
