"""Programs that take part in place of people: impossible times, quotas, and the ids of others."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from giving import rows_of
from studying import enter, invite, open_study, refusal

from codecarena.bench.store.writer import StoreWriter
from codecarena.studies.design.plan import PlanError
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.organise.organise import invite_participants
from codecarena.studies.records.messages import Done, Panel, SessionError, Trial, VoteRequest
from codecarena.studies.session.answer_times import are_possible
from codecarena.studies.session.session import RaterService

BARE = "training = 0\ngolden = 0\nidentical = 0\nrepeats = 0.0\nbreak_every = 0\n"
PANEL = 'panel = "prolific"\n'
START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """The server's clock, put forward by hand."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> str:
        return self.time.isoformat(timespec="milliseconds")

    def pass_seconds(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in ("studies.session.session", "studies.ledger.trials", "studies.ledger.ledger"):
        monkeypatch.setattr(f"codecarena.{module}.now", made.now)
    return made


@pytest.fixture
def service(tmp_path: Path) -> Iterator[RaterService]:
    StoreWriter(str(tmp_path)).close()
    opened = RaterService(str(tmp_path))
    yield opened
    opened.close()


def answer(trial: Trial, response_ms: float) -> VoteRequest:
    return VoteRequest(trial.trial, str(uuid.uuid4()), "first", response_ms)


def due(service: RaterService, session: str) -> Trial:
    step = service.next_trial(session)
    assert isinstance(step, Trial)
    return step


def stages(store: Path) -> list[str]:
    return [stage for (stage,) in rows_of(store, "SELECT stage FROM study_raters ORDER BY id")]


def take_part(service: RaterService, session: str, clock: Clock, took: float, claimed: float) -> str | None:
    """Answer all trials; return the completion code, None where the visit was ended."""
    step = service.next_trial(session)
    while isinstance(step, Trial):
        clock.pass_seconds(took)
        with suppress(SessionError):
            service.vote(session, answer(step, 1000 * claimed))
        step = service.next_trial(session)
    assert isinstance(step, Done)
    return step.completion_code


# Times


def times(*seconds: float) -> list[datetime]:
    return [START + timedelta(seconds=each) for each in seconds]


@pytest.mark.parametrize(
    ("claimed", "received", "possible"),
    [
        ([2.5], [3], True),
        ([2.5], [0.1], False),
        ([2.5, 2.5, 2.5], [3, 6, 9], True),
        # The last two were made while the network was down, and the answers arrive together.
        ([2.5, 2.5, 2.5], [3, 9, 9], True),
        # The third may have begun before the second's vote arrived, but not before the first's.
        ([2.5, 2.5, 2.5], [8, 8, 8.1], False),
        # Who waits first and then is quick claims what cannot be, although the total fits.
        ([2.5] * 5, [100, 100.1, 100.2, 100.3, 100.4], False),
        ([0.9] * 9, [100 + place / 10 for place in range(9)], False),
        # A little more than has passed is a clock that was set right.
        ([3.4], [2.5], True),
        # The server's clock was set back: nothing can be said.
        ([5, 5, 5], [3600, 3605, 10], True),
    ],
)  # fmt: skip
def test_times_fit_into_what_has_passed(claimed: list[float], received: list[float], possible: bool) -> None:
    *earlier, now = times(*received)
    assert are_possible([1000 * each for each in claimed], earlier, now, START) is possible


def test_without_a_beginning_only_the_time_between_votes_counts() -> None:
    assert are_possible([90_000.0], [], START, None)
    assert not are_possible([1.0, 1.0, 5000.0], times(0, 0), START, None)


@pytest.mark.parametrize(
    ("took", "claimed", "stops"), [(3.0, 2.5, False), (1 / 48, 2.5, True), (0.5, 0.9, True)]
)
def test_votes_that_claim_more_time_than_has_passed_end_the_visit_and_free_the_place(
    tmp_path: Path, service: RaterService, clock: Clock, took: float, claimed: float, stops: bool
) -> None:
    open_study(
        tmp_path, conditions=4, pictures=8, trials=BARE, raters="[stopping]\nraters = 1\nvotes_per_pair = 2"
    )
    first, two = invite(tmp_path, 2)
    session = enter(service, first)
    code = take_part(service, session, clock, took, claimed)
    assert (code is None) is stops
    assert stages(tmp_path)[0] == ("stopped" if stops else "done")
    votes = rows_of(tmp_path, "SELECT sum(votes) FROM study_pairs WHERE kind = 'main'")[0][0]
    assert votes == (0 if stops else 48)
    if not stops:
        assert refusal(service.join, two) == ("full", 410)
        return
    # Nothing more is taken from there, and somebody else gets the place.
    with pytest.raises(SessionError, match="stopped"):
        service.vote(
            session,
            VoteRequest(*rows_of(tmp_path, "SELECT max(token) FROM study_trials")[0], "u", "first", 1),
        )
    assert take_part(service, enter(service, two), clock, 3.0, 2.5)
    # What the pairs do not count any more is not taken from them again.
    service.withdraw(session)
    assert rows_of(tmp_path, "SELECT min(votes), max(votes) FROM study_pairs WHERE kind = 'main'") == [(1, 1)]


def test_a_vote_that_is_sent_again_counts_once(tmp_path: Path, service: RaterService, clock: Clock) -> None:
    open_study(tmp_path, pictures=1, trials=BARE)
    session = enter(service, *invite(tmp_path))
    clock.pass_seconds(3)
    sent = answer(due(service, session), 2500.0)
    receipts = [service.vote(session, sent) for _ in range(4)]
    assert [receipt.repeated for receipt in receipts] == [False, True, True, True]
    assert stages(tmp_path) == ["trials"]


# Quotas


def test_who_breaks_a_rule_of_the_plan_takes_no_place_and_is_not_told(
    tmp_path: Path, service: RaterService, clock: Clock
) -> None:
    rules = PANEL + "[exclusion]\nminimum_median_ms = 500\n[stopping]\nraters = 2\nvotes_per_pair = 2"
    open_study(tmp_path, conditions=2, pictures=2, trials=BARE, raters=rules)
    for place in range(17):
        session = service.join_panel("small", Panel(f"invented{place}")).session_token
        service.consent(session, "1", agreed=True, of_age=True)
        assert take_part(service, session, clock, 0.02, 0.02)
        assert service.welcome(session).stage == "done"
    assert stages(tmp_path) == ["left-out"] * 17
    for place in range(2):
        session = service.join_panel("small", Panel(f"person{place}")).session_token
        service.consent(session, "1", agreed=True, of_age=True)
        take_part(service, session, clock, 1, 0.9)
    assert stages(tmp_path)[17:] == ["done"] * 2
    assert refusal(service.join_panel, "small", Panel("late")) == ("full", 410)
    # Nothing is kept of who came too late, and the votes of those left out stay.
    assert len(stages(tmp_path)) == 19
    assert rows_of(tmp_path, "SELECT count(*) FROM study_votes") == [(19 * 2,)]


# Ids of others


def test_an_id_alone_lets_nobody_in_who_comes_second(tmp_path: Path, service: RaterService) -> None:
    open_study(tmp_path, pictures=1, raters=PANEL)
    person = Panel("5f3a", "study", "session7")
    first = service.join_panel("small", person).session_token
    for stranger in (Panel("5f3a"), Panel("5f3a", "study", "other"), Panel("5f3a", "study")):
        assert refusal(service.join_panel, "small", stranger) == ("taken", 409)
        assert refusal(service.join_panel, "small", stranger, "guessed") == ("taken", 409)
        other = service.join_panel("small", Panel("77", "study", "session8")).session_token
        assert refusal(service.join_panel, "small", stranger, other) == ("taken", 409)
    # The same link again, or the same browser.
    service.join_panel("small", person)
    service.join_panel("small", dataclasses.replace(person, session="another day"), first)
    # Without a number of the session the browser is all there is.
    alone = service.join_panel("small", Panel("88")).session_token
    assert refusal(service.join_panel, "small", Panel("88")) == ("taken", 409)
    service.join_panel("small", Panel("88"), alone)
    assert len(stages(tmp_path)) == 3


def test_only_participants_of_the_list_are_let_in(tmp_path: Path, service: RaterService) -> None:
    open_study(tmp_path, pictures=1, raters=PANEL + 'participants = "invited"\n')
    ledger = Ledger(str(tmp_path))
    listed = tmp_path / "participants.txt"
    for ids, new in (("5f3a\n 77\r\n\n5f3a", 2), ("77\n88\n", 1)):
        listed.write_text(ids)
        assert invite_participants(ledger, "small", listed) == new
    listed.unlink()
    with pytest.raises(PlanError, match="cannot be read"):
        invite_participants(ledger, "small", listed)
    ledger.close()
    assert refusal(service.join_panel, "small", Panel("invented")) == ("not_listed", 403)
    session = service.join_panel("small", Panel("77", session="s")).session_token
    assert service.welcome(session).stage == "consent"
    assert refusal(service.join_panel, "small", Panel("77", session="t")) == ("taken", 409)
    assert rows_of(tmp_path, "SELECT count(*), count(joined_at) FROM study_raters") == [(3, 1)]
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert not any(b"5f3a" in path.read_bytes() for path in files)


def test_an_id_of_any_length_is_not_kept(tmp_path: Path, service: RaterService) -> None:
    open_study(tmp_path, pictures=1, raters=PANEL)
    assert refusal(service.join_panel, "small", Panel("x" * 201)) == ("not_understood", 422)
    assert stages(tmp_path) == []
