"""Give trials to raters and take their votes: the part of the ledger that a rater's requests use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, and_, bindparam, case, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from ...bench.store.database import Reading, StoreError
from ...bench.store.tables.study_tables import PairTable, ProposalTable, RaterTable, TrialTable, VoteTable
from ...bench.store.writer import now
from ..design.design import IntArray, PairTotals
from ..records.messages import VoteRequest
from ..records.records import NewTrial, RaterRow, StudyRow, TrialRow
from .erasure import UNCOUNTED
from .ledger import Ledger

UNREACHABLE = (StoreError, SQLAlchemyError)
"""What is raised where the database does not answer, or only after too long."""
_TRIAL = (
    TrialTable.id,
    TrialTable.rater_id,
    TrialTable.study_id,
    TrialTable.position,
    TrialTable.token,
    TrialTable.kind,
    TrialTable.pair_id,
    TrialTable.first_id,
    TrialTable.second_id,
    TrialTable.lease_until,
)
_waiting = and_(TrialTable.rater_id == bindparam("rater"), TrialTable.answered_at.is_(None))
# Statements of every request are made once: to put one together takes longer than to run it.
_DUE = select(*_TRIAL).where(_waiting).order_by(TrialTable.position).limit(bindparam("limit"))
_BY_TOKEN = select(*_TRIAL).where(TrialTable.token == bindparam("token"))
_VOTE_OF_TRIAL = select(VoteTable.client_uuid, VoteTable.answer).where(
    VoteTable.trial_id == bindparam("trial")
)
_FIRST_WAITING = select(func.min(TrialTable.position)).where(_waiting)
_TIMES = (
    select(VoteTable.trial_id, VoteTable.response_ms, VoteTable.received_at)
    .where(VoteTable.rater_id == bindparam("rater"))
    .order_by(VoteTable.id)
)
_BEGAN = select(RaterTable.consented_at).where(RaterTable.id == bindparam("rater"))
_BY_UUID = select(VoteTable.id).where(VoteTable.client_uuid == bindparam("client_uuid"))
_ADD_VOTE = insert(VoteTable)
_ANSWERED = (
    update(TrialTable).where(TrialTable.id == bindparam("trial")).values(answered_at=bindparam("answered"))
)
_ADD_TO_BALANCE = (
    update(PairTable)
    .where(PairTable.id == bindparam("pair"))
    .values(balance=PairTable.balance + case((PairTable.first_id == bindparam("left"), 1), else_=-1))
)
_REMOVE_FROM_BALANCE = (
    update(PairTable)
    .where(PairTable.id == bindparam("pair"))
    .values(balance=PairTable.balance - case((PairTable.first_id == bindparam("left"), 1), else_=-1))
)
_INCREMENT_VOTES = (
    update(PairTable).where(PairTable.id == bindparam("pair")).values(votes=PairTable.votes + 1)
)


@dataclass(frozen=True, slots=True, eq=False)
class TrialContext:
    """What trials are chosen from, read in the transaction that stores the choice."""

    pair_ids: IntArray
    """Row ids of the design's pairs, in order."""
    given: IntArray
    """Votes and running leases of each."""
    balance: IntArray
    """Over all raters: trials with the pair's first left, less those with it right."""
    proposals: tuple[int, ...]
    """Pair ids that an adaptive design wants next, in order."""
    past: tuple[TrialRow, ...]
    """This rater's trials, in order."""


@dataclass(frozen=True, slots=True)
class VoteState:
    """The vote that stands for a trial."""

    client_uuid: str
    answer: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """What a rater's votes say of their times, and when the server had them."""

    trial_ids: tuple[int, ...]
    """In the order of the votes; so the others."""
    claimed_ms: tuple[float, ...]
    received: tuple[datetime, ...]
    began: datetime | None
    """When the rater agreed to take part."""


class NotDueError(Exception):
    """A vote for a trial that is not the rater's next; or a UUID that stands for another trial."""


class TrialLedger(Ledger):
    """The ledger with the queries and writes of the rater service."""

    restart_seconds = 2.0
    """A rater's browser asks again by itself, and must not wait in a queue behind others meanwhile."""

    def due(self, rater_id: int, limit: int = 2) -> list[TrialRow]:
        """Return a rater's next trials that have no vote."""
        return [TrialRow(*row) for row in self.rows(_DUE, {"rater": rater_id, "limit": limit})]

    def trial(self, token: str) -> TrialRow | None:
        """Return the trial of this token."""
        row = self.row(_BY_TOKEN, {"token": token})
        return TrialRow(*row) if row else None

    def trials_given(self, rater_id: int) -> int:
        """Return how many trials a rater has been given."""
        last = self.row(select(func.max(TrialTable.position)).where(TrialTable.rater_id == rater_id))
        return 0 if last is None or last[0] is None else last[0] + 1

    def renew_leases(self, rater_id: int, until: str) -> None:
        """Keep a rater's given trials reserved."""
        waiting = and_(TrialTable.rater_id == rater_id, TrialTable.answered_at.is_(None))
        change = update(TrialTable).where(waiting).values(lease_until=until)
        self.write(lambda connection: connection.execute(change))

    def add_trials(
        self, rater: RaterRow, given: int, until: str, compose: Callable[[TrialContext], Sequence[NewTrial]]
    ) -> None:
        """Store further trials of a rater, chosen and stored in one transaction.

        Args:
            rater: Whose.
            given: How many trials the rater had when the caller looked; nothing happens where another
                request has added some since.
            until: When the leases end.
            compose: Chooses; must be quick, for it holds up other writers. It may choose none.
        """

        def work(connection: Connection) -> None:
            past = connection.execute(
                select(*_TRIAL).where(TrialTable.rater_id == rater.rater_id).order_by(TrialTable.position)
            ).all()
            if len(past) != given:
                return
            context = _trial_context(connection, rater.study_id, tuple(TrialRow(*row) for row in past))
            new = compose(context)
            if not new:
                return
            shared = {"study_id": rater.study_id, "rater_id": rater.rater_id, "lease_until": until}
            rows = [{**asdict(trial), **shared, "position": given + place} for place, trial in enumerate(new)]
            connection.execute(insert(TrialTable), rows)
            sides = [{"pair": trial.pair_id, "left": trial.first_id} for trial in new if trial.kind == "main"]
            if sides:
                connection.execute(_ADD_TO_BALANCE, sides)
            used = [side["pair"] for side in sides if side["pair"] in context.proposals]
            connection.execute(
                delete(ProposalTable).where(
                    ProposalTable.study_id == rater.study_id, ProposalTable.pair_id.in_(used)
                )
            )

        self.write(work)

    def wants_votes(self, study_id: int, votes_per_pair: float) -> bool:
        """Whether any pair has fewer votes and running leases than this."""
        with self.store.reading() as connection:
            return bool((_trial_context(connection, study_id, ()).given < votes_per_pair).any())

    def take_back(self, rater_id: int, votes_per_pair: float) -> None:
        """Delete a rater's given trials whose lease has ended and whose pair has its votes from others."""
        filled = select(PairTable.id).where(PairTable.votes >= votes_per_pair)
        lapsed = and_(
            TrialTable.rater_id == rater_id,
            TrialTable.answered_at.is_(None),
            TrialTable.lease_until < now(),
            TrialTable.pair_id.in_(filled),
        )

        if not self.row(select(func.count()).where(lapsed))[0]:
            return

        def work(connection: Connection) -> None:
            mains = select(TrialTable.pair_id, TrialTable.first_id).where(lapsed, TrialTable.kind == "main")
            sides = [{"pair": pair, "left": first} for pair, first in connection.execute(mains).all()]
            if sides:
                connection.execute(_REMOVE_FROM_BALANCE, sides)
            # A repeat without its first trial would say nothing.
            connection.execute(delete(TrialTable).where(lapsed, TrialTable.kind.in_(("main", "repeat"))))

        self.write(work)

    def vote(self, trial: TrialRow, vote_request: VoteRequest, proof: str) -> VoteState:
        """Return the vote that stands for a trial once it is committed: this one, or the one before it.

        Args:
            trial: Must be the one that is due.
            vote_request: Answer, times and what the browser drew, with its UUID.
            proof: What the checksums of the drawn pixels show.

        Raises:
            NotDueError: An earlier trial waits for its vote, or the UUID stands for another trial's vote.
        """
        row = {
            "study_id": trial.study_id,
            "rater_id": trial.rater_id,
            "trial_id": trial.trial_id,
            "client_uuid": vote_request.client_uuid,
            "answer": vote_request.answer,
            "response_ms": vote_request.response_ms,
            "proof": proof,
            "display": dict(vote_request.display),
            "received_at": now(),
        }

        parameters = {"trial": trial.trial_id, "pair": trial.pair_id, "answered": row["received_at"]}

        def work(connection: Connection) -> VoteState:
            stands = connection.execute(_VOTE_OF_TRIAL, parameters).first()
            if stands:
                return VoteState(stands.client_uuid, stands.answer, repeated=True)
            _check_due(connection, trial, vote_request.client_uuid)
            connection.execute(_ADD_VOTE, row)
            connection.execute(_ANSWERED, parameters)
            if trial.kind == "main":
                connection.execute(_INCREMENT_VOTES, parameters)
            return VoteState(vote_request.client_uuid, vote_request.answer, repeated=False)

        return self.write(work)

    def answer_times(self, rater_id: int) -> AnswerTimes:
        """Return the times of a rater's votes."""
        votes = self.rows(_TIMES, {"rater": rater_id})
        row = self.row(_BEGAN, {"rater": rater_id})
        return AnswerTimes(
            tuple(vote.trial_id for vote in votes),
            tuple(vote.response_ms or 0.0 for vote in votes),
            tuple(datetime.fromisoformat(vote.received_at) for vote in votes),
            datetime.fromisoformat(row[0]) if row and row[0] else None,
        )

    def end_uncounted(self, rater: RaterRow, stage: str) -> None:
        """End a rater's visits and give the place back: others are asked for the votes on the same pairs.

        The votes stay. Nothing happens where it was done before.

        Args:
            rater: Whose place it is.
            stage: One of `UNCOUNTED`.
        """

        def work(connection: Connection) -> None:
            end = update(RaterTable).where(
                RaterTable.id == rater.rater_id, RaterTable.stage.not_in(UNCOUNTED)
            )
            if not connection.execute(end.values(stage=stage, finished_at=now())).rowcount:
                return
            answered = select(TrialTable.pair_id).where(
                TrialTable.rater_id == rater.rater_id,
                TrialTable.kind == "main",
                TrialTable.answered_at.is_not(None),
            )
            asked_again = update(PairTable).where(PairTable.id.in_(answered))
            connection.execute(asked_again.values(votes=PairTable.votes - 1))
            waiting = and_(TrialTable.rater_id == rater.rater_id, TrialTable.answered_at.is_(None))
            connection.execute(update(TrialTable).where(waiting).values(lease_until=now()))

        self.write(work)

    def golden_record(self, rater_id: int, wanted: str) -> tuple[int, int]:
        """Return how many golden trials a rater has answered, and how many of them rightly.

        Args:
            rater_id: Whose.
            wanted: ``first`` where the question asks for the better one: then the right answer is the side
                that the pair's first stimulus was on; ``second`` where it asks for the worse.
        """
        right_side = case((TrialTable.first_id == PairTable.first_id, "first"), else_="second")
        right = VoteTable.answer == right_side if wanted == "first" else VoteTable.answer != right_side
        decided = VoteTable.answer.in_(("first", "second"))
        query = (
            select(func.count(), func.sum(case((and_(decided, right), 1), else_=0)))
            .join(TrialTable, TrialTable.id == VoteTable.trial_id)
            .join(PairTable, PairTable.id == TrialTable.pair_id)
            .where(VoteTable.rater_id == rater_id, TrialTable.kind == "golden")
        )
        row = self.row(query)
        return (row[0], row[1] or 0) if row else (0, 0)

    # Adaptive designs

    def pair_totals(self, study: StudyRow, pair_ids: Sequence[int]) -> PairTotals:
        """Return votes, leases and answers of each pair; reads all votes, so it is for the background.

        Whoever was named counts as the winner: `PairTotals.turned` is for a question that asks for the worse.
        """
        left_won = and_(TrialTable.first_id == PairTable.first_id, VoteTable.answer == "first")
        right_won = and_(TrialTable.first_id != PairTable.first_id, VoteTable.answer == "second")
        first_won = left_won | right_won
        tie = VoteTable.answer == "none"
        decided = VoteTable.answer.in_(("first", "second"))
        sums = (
            func.sum(case((first_won, 1), else_=0)),
            func.sum(case((and_(decided, ~first_won), 1), else_=0)),
            func.sum(case((tie, 1), else_=0)),
        )
        query = (
            select(TrialTable.pair_id, *sums)
            .join(TrialTable, TrialTable.id == VoteTable.trial_id)
            .join(PairTable, PairTable.id == TrialTable.pair_id)
            .where(VoteTable.study_id == study.study_id, TrialTable.kind == "main")
            .group_by(TrialTable.pair_id)
        )
        place = {pair_id: index for index, pair_id in enumerate(pair_ids)}
        columns = np.zeros((3, len(pair_ids)), np.int64)
        for pair_id, *counts in self.rows(query):
            columns[:, place[pair_id]] = counts
        with self.store.reading() as connection:
            given = _trial_context(connection, study.study_id, ()).given
        return PairTotals(given, columns[0], columns[1], columns[2])

    def propose(self, study: StudyRow, pair_ids: Sequence[int]) -> None:
        """Replace what an adaptive design wants compared next."""

        def work(connection: Connection) -> None:
            connection.execute(delete(ProposalTable).where(ProposalTable.study_id == study.study_id))
            rows = [{"study_id": study.study_id, "pair_id": pair_id} for pair_id in pair_ids]
            if rows:
                connection.execute(insert(ProposalTable), rows)

        self.write(work)

    def progress_of(self, study: StudyRow) -> tuple[int, int]:
        """Return the newest vote's row id and how many proposals are left."""
        newest = self.row(select(func.max(VoteTable.id)).where(VoteTable.study_id == study.study_id))
        left = self.row(select(func.count()).where(ProposalTable.study_id == study.study_id))
        return (newest[0] or 0 if newest else 0), (left[0] if left else 0)


def _check_due(connection: Connection, trial: TrialRow, client_uuid: str) -> None:
    first = connection.execute(_FIRST_WAITING, {"rater": trial.rater_id}).scalar_one()
    if first != trial.position:
        raise NotDueError("another trial comes first")
    if connection.execute(_BY_UUID, {"client_uuid": client_uuid}).first():
        raise NotDueError("this client UUID stands for the vote of another trial")


def _trial_context(
    connection: Connection | Reading, study_id: int, past: tuple[TrialRow, ...]
) -> TrialContext:
    main_pairs = and_(PairTable.study_id == study_id, PairTable.kind == "main")
    pairs = connection.execute(
        select(PairTable.id, PairTable.votes, PairTable.balance).where(main_pairs).order_by(PairTable.id)
    ).all()
    columns = np.array([tuple(row) for row in pairs], np.int64).reshape(-1, 3)
    given = columns[:, 1].copy()
    leased = (
        select(TrialTable.pair_id, func.count())
        .where(TrialTable.study_id == study_id, TrialTable.answered_at.is_(None))
        .where(TrialTable.lease_until > now(), TrialTable.kind == "main")
        .group_by(TrialTable.pair_id)
    )
    place = {int(pair_id): index for index, pair_id in enumerate(columns[:, 0])}
    for pair_id, count in connection.execute(leased):
        given[place[pair_id]] += count
    proposals = select(ProposalTable.pair_id).where(ProposalTable.study_id == study_id)
    wanted = tuple(connection.scalars(proposals.order_by(ProposalTable.id)))
    return TrialContext(columns[:, 0], given, columns[:, 2], wanted, past)
