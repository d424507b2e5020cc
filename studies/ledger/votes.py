"""Read a study's votes and progress: rows in, columns for the statistics and records for exports out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import and_, case, func, select
from sqlalchemy.orm import aliased

from ...bench.store.tables.study_tables import (
    ConditionTable,
    ContentTable,
    PairTable,
    RaterTable,
    StimulusTable,
    TombstoneTable,
    TrialTable,
    VoteTable,
)
from ..design.plan import StudyPlan
from ..records.records import RaterStatus, Status, StoredVote, StudyRow
from ..scale.votes import FIRST_WON, NO_PREFERENCE, SECOND_WON, Kind, VoteRecord, Votes, from_records
from .imports import facts_of
from .ledger import Ledger, Line

KINDS = {
    "main": Kind.PLAIN,
    "training": Kind.TRAINING,
    "golden": Kind.GOLDEN,
    "repeat": Kind.REPEAT,
    "identical": Kind.IDENTICAL,
}
"""A trial's kind as the statistics know it."""


def stored_votes(ledger: Ledger, study: StudyRow, rater: str | None = None) -> list[StoredVote]:
    """Return every vote of a study with everything that is known of it, oldest first; or of one rater."""
    extra = (
        VoteTable.proof,
        VoteTable.received_at,
        VoteTable.client_uuid,
        VoteTable.display,
        TrialTable.position,
        TrialTable.probability,
        (TrialTable.first_id == PairTable.first_id).label("pair_first_is_first"),
    )
    query = _joined(study, *extra).join(PairTable, PairTable.id == TrialTable.pair_id)
    if rater is not None:
        query = query.where(RaterTable.name == rater)
    return [_stored(row) for row in ledger.rows(query)]


def votes_of(
    ledger: Ledger, study: StudyRow, plan: StudyPlan | None = None, *, proven_only: bool = False
) -> Votes:
    """Return a study's votes as columns; trials that ended without an answer are left out.

    Args:
        ledger: Where the votes are.
        study: Which.
        plan: Its plan; it says whether the question asks for the better or the worse picture. None for an
            import, whose answers name the better one.
        proven_only: Whether to leave out votes whose display was not proven.
    """
    first = SECOND_WON if plan and plan.trials.asks == "worse" else FIRST_WON
    outcome = {"first": first, "second": -first, "none": NO_PREFERENCE}
    query = _joined(study).where(VoteTable.answer.in_(outcome))
    if proven_only:
        query = query.where(VoteTable.proof == "proven")
    records = [
        VoteRecord(
            row.rater,
            row.content,
            row.first,
            row.second,
            outcome[row.answer],
            KINDS[row.kind],
            float("nan") if row.response_ms is None else row.response_ms / 1000,
        )
        for row in ledger.rows(query)
    ]
    seen = {name for record in records for name in (record.first, record.second)}
    names = ledger.rows(
        select(ConditionTable.name)
        .where(ConditionTable.study_id == study.study_id)
        .order_by(ConditionTable.place)
    )
    sided, raters_known = facts_of(study) if study.state == "imported" else (True, True)
    return from_records(
        records,
        conditions=[row.name for row in names if row.name in seen],
        sided=sided,
        raters_known=raters_known,
    )


def vote_rows(ledger: Ledger, study: StudyRow) -> Iterator[bytes]:
    """Yield all rows that a scale depends on: the votes of a study with their trials, oldest first."""
    answered = (VoteTable.rater_id, VoteTable.answer, VoteTable.response_ms, VoteTable.proof)
    asked = (TrialTable.kind, TrialTable.pair_id, TrialTable.first_id, TrialTable.second_id)
    query = (
        select(VoteTable.id, *answered, *asked)
        .join(TrialTable, TrialTable.id == VoteTable.trial_id)
        .where(VoteTable.study_id == study.study_id)
        .order_by(VoteTable.id)
    )
    for row in ledger.rows(query):
        yield repr(tuple(row)).encode()


# Any: a query's type lists its columns, which differ.
def _joined(study: StudyRow, *extra: Any) -> Any:
    """Return the query of a study's votes with the names of all that they are about."""
    left, right = aliased(StimulusTable), aliased(StimulusTable)
    first, second = aliased(ConditionTable), aliased(ConditionTable)
    columns = (
        RaterTable.name.label("rater"),
        ContentTable.name.label("content"),
        first.name.label("first"),
        second.name.label("second"),
        TrialTable.kind,
        VoteTable.answer,
        VoteTable.response_ms,
    )
    return (
        select(*columns, *extra)
        .select_from(VoteTable)
        .join(TrialTable, TrialTable.id == VoteTable.trial_id)
        .join(RaterTable, RaterTable.id == VoteTable.rater_id)
        .join(left, left.id == TrialTable.first_id)
        .join(right, right.id == TrialTable.second_id)
        .join(first, first.id == left.condition_id)
        .join(second, second.id == right.condition_id)
        .join(ContentTable, ContentTable.id == left.content_id)
        .where(VoteTable.study_id == study.study_id)
        .order_by(VoteTable.id)
    )


def _stored(row: Line) -> StoredVote:
    known = row.kind in ("golden", "training")
    return StoredVote(
        row.rater,
        row.content,
        row.first,
        row.second,
        row.answer,
        row.kind,
        bool(row.pair_first_is_first) if known else None,
        row.position,
        row.probability,
        row.response_ms,
        row.proof,
        row.received_at,
        row.client_uuid,
        row.display,
    )


def status(ledger: Ledger, study: StudyRow) -> Status:
    """Return how far a study is."""
    study_id = study.study_id
    counted = select(VoteTable.rater_id, func.count().label("votes")).where(VoteTable.study_id == study_id)
    per_rater = counted.group_by(VoteTable.rater_id).subquery()
    raters = ledger.rows(
        select(
            RaterTable.name, RaterTable.stage, per_rater.c.votes, RaterTable.joined_at, RaterTable.finished_at
        )
        .outerjoin(per_rater, per_rater.c.rater_id == RaterTable.id)
        .where(RaterTable.study_id == study_id)
        .order_by(RaterTable.id)
    )
    main = and_(PairTable.study_id == study_id, PairTable.kind == "main")
    totals = func.count(), func.min(PairTable.votes), func.max(PairTable.votes)
    pairs, fewest, most = ledger.row(select(*totals).where(main))
    of_pairs = VoteTable.study_id == study_id, TrialTable.kind == "main"
    trials = TrialTable.id == VoteTable.trial_id
    votes = ledger.row(select(func.count()).select_from(VoteTable).join(TrialTable, trials).where(*of_pairs))[
        0
    ]
    unproven = func.sum(case((VoteTable.proof == "unproven", 1), else_=0))
    withdrawn = select(func.count(), func.sum(TombstoneTable.votes)).where(
        TombstoneTable.study_id == study_id
    )
    gone, gone_votes = ledger.row(withdrawn)
    return Status(
        study,
        tuple(RaterStatus(rater[0], rater[1], rater[2] or 0, rater[3], rater[4]) for rater in raters),
        votes,
        pairs,
        fewest or 0,
        most or 0,
        ledger.row(select(unproven).where(VoteTable.study_id == study_id))[0] or 0,
        gone,
        gone_votes or 0,
    )
