"""When a study ends: a pair that has its votes is asked no more; who withdrew may come again as anybody."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from studying import enter, invite, open_study, work_through

from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.votes import status
from codecarena.studies.records.messages import Done, Panel, SessionError, Trial
from codecarena.studies.session.session import RaterService

PLAIN = "training = 1\ngolden = 0\nidentical = 0\nrepeats = 0.0\nbreak_every = 0"


def limited(votes: int) -> str:
    return f"[stopping]\nvotes_per_pair = {votes}"


def votes_of_pairs(store: Path) -> list[int]:
    with closing(Ledger(str(store), read_only=True)) as ledger:
        rows = ledger.rows(text("SELECT votes FROM study_pairs WHERE kind = 'main' ORDER BY id"))
        return [row[0] for row in rows]


def test_nobody_is_let_in_once_every_pair_has_its_votes(tmp_path: Path) -> None:
    open_study(tmp_path, trials=PLAIN, raters=limited(2))
    service = RaterService(str(tmp_path))
    first, second, third = invite(tmp_path, 3)
    for invitation in (first, second):
        assert len(work_through(service, enter(service, invitation))) == 13
    with pytest.raises(SessionError, match=r"^full$"):
        service.join(third)
    assert votes_of_pairs(tmp_path) == [2] * 12
    # A withdrawal takes votes away, so there is room again.
    assert service.withdraw(first) == 13
    work_through(service, enter(service, third))
    assert votes_of_pairs(tmp_path) == [2] * 12
    service.close()


def test_pairs_being_looked_at_count_and_a_rater_gets_what_is_left(tmp_path: Path) -> None:
    """Three at a time: two have eight of twelve pairs each, so eight of 24 votes are left for the third."""
    design = 'name = "balanced-incomplete"\npairs_per_rater = 8'
    open_study(tmp_path, trials=PLAIN, design=design, raters=limited(2))
    service = RaterService(str(tmp_path))
    sessions = [enter(service, invitation) for invitation in invite(tmp_path, 3)]
    steps = [service.next_trial(session) for session in sessions]
    [late] = invite(tmp_path)
    with pytest.raises(SessionError, match=r"^full$"):
        service.join(late)
    totals = [step.progress.total for step in steps if isinstance(step, Trial)]
    answered = [len(work_through(service, session)) for session in sessions]
    assert totals == answered
    assert sum(answered) == 24 + 3
    assert votes_of_pairs(tmp_path) == [2] * 12
    service.close()


@pytest.mark.parametrize("design", ["swiss", "asap"])
def test_an_adaptive_design_is_held_to_it_as_well(tmp_path: Path, design: str) -> None:
    plan = f'name = "{design}"\npairs_per_rater = 6\nblock = 3'
    open_study(tmp_path, trials=PLAIN, design=plan, raters=limited(1))
    service = RaterService(str(tmp_path))
    for invitation in invite(tmp_path, 2):
        work_through(service, enter(service, invitation))
    assert votes_of_pairs(tmp_path) == [1] * 12
    service.close()


def test_who_comes_back_too_late_is_not_asked_what_others_have_answered(tmp_path: Path) -> None:
    open_study(tmp_path, trials=PLAIN, design="lease_minutes = 0.00001", raters=limited(1))
    service = RaterService(str(tmp_path))
    away, other = (enter(service, invitation) for invitation in invite(tmp_path, 2))
    step = service.next_trial(away)
    assert isinstance(step, Trial)
    assert len(work_through(service, other)) == 13
    after = service.next_trial(away)
    assert isinstance(after, Trial)
    assert after.training
    done = work_through(service, away)
    assert [trial.training for trial, _ in done] == [True]
    assert isinstance(done[-1][1].following, Done)
    assert votes_of_pairs(tmp_path) == [1] * 12
    service.close()


def test_who_withdrew_from_a_panel_may_come_again_and_is_nobody_known(tmp_path: Path) -> None:
    """To refuse them, something of theirs would have to be kept; their votes would not count twice."""
    open_study(tmp_path, trials=PLAIN, raters='panel = "prolific"')
    service = RaterService(str(tmp_path))
    panel = Panel("participant-1", "study", "session")
    session = service.join_panel("small", panel).session_token
    service.consent(session, "1", agreed=True, of_age=True)
    work_through(service, session)
    assert service.join_panel("small", panel).stage == "done"
    assert service.withdraw(session) == 13
    again = service.join_panel("small", panel)
    assert again.stage == "consent"
    with closing(Ledger(str(tmp_path), read_only=True)) as ledger:
        progress = status(ledger, ledger.study("small"))
    assert (progress.votes, progress.withdrawn, progress.withdrawn_votes) == (0, 1, 13)
    assert len(progress.raters) == 1
    service.consent(again.session_token, "1", agreed=True, of_age=True)
    assert len(work_through(service, again.session_token)) == 13
    assert votes_of_pairs(tmp_path) == [1] * 12
    service.close()
