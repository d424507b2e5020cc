"""Trials of a test's own choosing: which pair, on which side, so that the meaning of each answer is known."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from codecarena.bench.store.store import Store
from codecarena.studies.design.plan import parse
from codecarena.studies.ledger.ledger import Ledger
from codecarena.studies.ledger.trials import TrialLedger
from codecarena.studies.records.messages import Answer, VoteRequest
from codecarena.studies.records.records import RaterRow, TrialRow
from codecarena.studies.session.schedule import Item, SessionPlan, build_session_plan
from codecarena.studies.session.trials import new_trial

LATER = "2999-01-01T00:00:00.000+00:00"
LONG_AGO = "2001-01-01T00:00:00.000+00:00"


def course_of(ledger: Ledger, name: str = "small") -> SessionPlan:
    study = ledger.study(name)
    return build_session_plan(parse(study.plan, Path(name)), ledger.known(study))


def rater_of(ledger: Ledger, invitation: str) -> RaterRow:
    rater = ledger.rater_by_invitation(invitation)
    assert rater is not None
    return rater


def give(
    ledger: TrialLedger, invitation: str, items: Sequence[Item], *, until: str = LATER, study: str = "small"
) -> list[TrialRow]:
    """Give a rater these trials next, in this order, and return them."""
    rater, session_plan = rater_of(ledger, invitation), course_of(ledger, study)
    given = ledger.trials_given(rater.rater_id)
    ledger.add_trials(rater, given, until, lambda _: [new_trial(session_plan, item) for item in items])
    return [trial for trial in ledger.due(rater.rater_id, 1000) if trial.position >= given]


def cast_vote(
    ledger: TrialLedger,
    trial: TrialRow,
    answer: Answer,
    response_ms: float = 812.5,
    proof: str = "unproven",
    **display: Any,
) -> None:
    """Store a vote on a trial that is due."""
    vote_request = VoteRequest(trial.token, str(uuid.uuid4()), answer, response_ms, display=display)
    ledger.vote(trial, vote_request, proof)


def rows_of(store: Path, query: str) -> list[tuple[Any, ...]]:
    """Return what a query in SQL finds."""
    opened = Store(str(store))
    with opened.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    opened.close()
    return rows
