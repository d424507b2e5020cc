"""Remove rows for good: a plan that nobody took part in, and all of a rater who withdraws."""

from __future__ import annotations

from sqlalchemy import Connection, case, delete, insert, select, update

from ...bench.store.derived_cache import forget
from ...bench.store.tables.study_tables import (
    ConditionTable,
    ContentTable,
    EnvironmentTable,
    PairTable,
    ProposalTable,
    RaterTable,
    SessionTable,
    StimulusTable,
    StudyEventTable,
    StudyTable,
    TombstoneTable,
    TrialTable,
    VoteTable,
)
from ...bench.store.writer import now

UNCOUNTED = ("left-out", "stopped")
"""Stages of raters whose votes no pair counts: who breaks a rule of the plan, whose times cannot be true."""


def remove_study(connection: Connection, study_id: int) -> None:
    """Delete a study that nobody has taken part in."""
    rater_ids = select(RaterTable.id).where(RaterTable.study_id == study_id)
    connection.execute(delete(SessionTable).where(SessionTable.rater_id.in_(rater_ids)))
    for table in (RaterTable, ProposalTable, PairTable, StimulusTable, ContentTable, ConditionTable):
        connection.execute(delete(table).where(table.study_id == study_id))
    connection.execute(delete(StudyEventTable).where(StudyEventTable.study_id == study_id))
    connection.execute(delete(StudyTable).where(StudyTable.id == study_id))


def erase_rater(connection: Connection, rater_id: int, study_id: int) -> int:
    """Delete everything about a rater and return how many votes that were.

    Args:
        connection: Inside a transaction that the caller ends.
        rater_id: Row of the rater.
        study_id: Row of the study, for the tombstone and the kept results to drop.
    """
    given = select(TrialTable.pair_id, TrialTable.first_id, TrialTable.answered_at).where(
        TrialTable.rater_id == rater_id, TrialTable.kind == "main"
    )
    counts = (
        connection.execute(select(RaterTable.stage).where(RaterTable.id == rater_id)).scalar()
        not in UNCOUNTED
    )
    for pair_id, first_id, answered_at in connection.execute(given).all():
        undone = update(PairTable).where(PairTable.id == pair_id)
        turn = case((PairTable.first_id == first_id, 1), else_=-1)
        votes = PairTable.votes - (1 if answered_at and counts else 0)
        connection.execute(undone.values(votes=votes, balance=PairTable.balance - turn))
    gone = connection.execute(delete(VoteTable).where(VoteTable.rater_id == rater_id)).rowcount
    for table in (TrialTable, EnvironmentTable, SessionTable):
        connection.execute(delete(table).where(table.rater_id == rater_id))
    connection.execute(delete(RaterTable).where(RaterTable.id == rater_id))
    row = {"study_id": study_id, "votes": gone, "withdrawn_at": now()}
    connection.execute(insert(TombstoneTable).values(row))
    forget(connection, results_question(study_id))
    return gone


def results_question(study_id: int) -> str:
    """Return what a study's kept results answer: they name raters, so a withdrawal drops them."""
    return f"study {study_id}"
