"""Answer raters' requests: store what they send and return what to show next.

One `RaterService` serves all raters of all open studies of a store. Its methods are synchronous, thread-safe
(an ASGI route runs them in a thread pool) and short. A rater's position is in the database, so a reload or
another day resumes at the exact trial, and the server may die at any moment. Addresses: ``/?invite=TOKEN``
for an invitation, ``/?study=NAME&PROLIFIC_PID=...&STUDY_ID=...&SESSION_ID=...`` for a panel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, cast

import numpy as np

from ...bench.store.writer import now
from ..analysis.screening import excluded, fewer_than
from ..design.design import find_design
from ..design.plan import StudyPlan, parse
from ..ledger import identity
from ..ledger.trials import NotDueError, TrialContext, TrialLedger
from ..ledger.votes import stored_votes
from ..records.messages import (
    DISPLAY_BYTES,
    Answer,
    Break,
    Done,
    Joined,
    NextStep,
    NotYet,
    Panel,
    Progress,
    SessionError,
    Stage,
    Trial,
    VoteReceipt,
    VoteRequest,
    Welcome,
)
from ..records.records import NewTrial, RaterRow, TrialRow
from . import trials
from .admission import Admission
from .answer_times import are_possible
from .proposals import Pairing
from .schedule import SessionPlan, build_session_plan, next_items
from .welcome import before_trials, done_of, stage_of, welcome_of


class RaterService:
    """Answers raters; one per server process."""

    def __init__(self, store: str = "arena") -> None:
        """Open the store to write.

        Args:
            store: A folder or a database URL.

        Raises:
            StoreError: There is no store, or it does not open.
        """
        self.ledger = TrialLedger(store, make=False)
        self._pairing = Pairing(self.ledger)
        self._session_plans: dict[int, SessionPlan] = {}
        self._lock = Lock()
        self._admission = Admission(self.ledger, self._session_plan)

    def close(self) -> None:
        """Give back the connections."""
        self._pairing.stop()
        self.ledger.close()

    # Coming in

    def join(self, invitation: str) -> Joined:
        """Return a new session of the rater whose invitation this is; see `Admission.by_invitation`."""
        return self._admission.by_invitation(invitation)

    def join_panel(self, study: str, panel: Panel, earlier: str = "") -> Joined:
        """Return a session of the panel's participant, who is known by salted hashes only.

        Args:
            study: Our name of the study.
            panel: The panel's parameters; the same participant always is the same rater.
            earlier: Token of an earlier session: an id alone lets nobody in who comes second.

        Raises:
            SessionError: See `Admission.from_panel`.
        """
        return self._admission.from_panel(study, panel, earlier)

    def welcome(self, session_token: str) -> Welcome:
        """Return the texts and questions of the study and where the rater stands."""
        rater = self._rater(session_token)
        progress = Progress(self._answered(rater), self._total(rater))
        return welcome_of(self._session_plan(rater.study_id), rater, stage_of(rater), progress)

    # Before the trials; each returns where the rater stands then

    def consent(
        self,
        session_token: str,
        version: str,
        *,
        agreed: bool,
        of_age: bool,
        accepts_presentation: bool = False,
    ) -> Stage:
        """Store that the rater agreed to this version of the text and is old enough, or declined.

        Args:
            session_token: The session.
            version: Of the consent text that was read.
            agreed: False declines.
            of_age: Whether the rater is as old as the plan asks for; else the rater is screened out.
            accepts_presentation: Whether the presentation itself is accepted; who does not declines, where
                it needs a consent of its own.

        Raises:
            SessionError: 409 another version is in force: show the welcome again.
        """
        rater = self._rater(session_token)
        session_plan = self._session_plan(rater.study_id)
        plan = session_plan.plan
        if rater.stage != "consent":
            return stage_of(rater)
        if version != plan.consent.version:
            raise SessionError("consent_changed", 409)
        stage: Stage = "screening" if plan.raters.screening else before_trials(session_plan)
        if not agreed or (plan.trials.shown_as.needs_consent and not accepts_presentation):
            stage = "declined"
        elif not of_age:
            stage = "screened-out"
        answers = {"of_age": of_age, "accepts_presentation": accepts_presentation}
        consent = {"consent_version": version, "consented_at": now()} if agreed else {}
        self.ledger.set_rater(rater, stage=stage, **answers, **consent)
        return stage

    def screening(self, session_token: str, answers: Mapping[str, str]) -> Stage:
        """Store the answers to the screening questions, by key; a rater who is not meant is screened out.

        Raises:
            SessionError: 422 a question is not answered, or not with one of its answers.
        """
        rater = self._rater(session_token)
        if rater.stage != "screening":
            return stage_of(rater)
        session_plan = self._session_plan(rater.study_id)
        questions = session_plan.plan.raters.screening
        kept = {question.key: answers.get(question.key, "") for question in questions}
        for question in questions:
            if kept[question.key] not in question.answers:
                raise SessionError("unanswered", 422, question.question)
        meant = all(kept[question.key] in (question.accepted or question.answers) for question in questions)
        stage = before_trials(session_plan) if meant else "screened-out"
        self.ledger.set_rater(rater, stage=stage, answers=kept)
        return stage

    def calibration(self, session_token: str, record: Mapping[str, Any]) -> Stage:
        """Store card calibration, colour plates, answers on the surroundings and what the browser tells.

        May be called again (another screen, another day): every record is kept, with its time.

        Args:
            session_token: The session.
            record: JSON of at most `DISPLAY_BYTES`; the form is the page's.
        """
        rater = self._rater(session_token)
        if rater.stage not in ("calibration", "trials"):
            return stage_of(rater)
        if len(json.dumps(record)) > DISPLAY_BYTES:
            raise SessionError("not_understood", 422, f"expected a record of at most {DISPLAY_BYTES} bytes")
        self.ledger.add_environment(rater, record, "trials")
        return "trials" if rater.state == "open" else "closed"

    # Trials

    def next_trial(self, session_token: str) -> NextStep:
        """Return the trial to show now, a break, the end, or what comes before the trials.

        Until the trial is answered, every call from every tab returns the same trial with the same tokens.
        """
        rater = self._rater(session_token)
        if wanted := self._session_plan(rater.study_id).plan.stopping.votes_per_pair:
            # Not after a vote: another one may be on its way from a browser that was offline.
            self.ledger.take_back(rater.rater_id, wanted)
        return self._step(rater)

    def upcoming(self, session_token: str) -> Trial | None:
        """Return the trial after the present one, for its pictures to be fetched; None if not known."""
        rater = self._rater(session_token)
        if stage_of(rater) != "trials":
            return None
        due = self.ledger.due(rater.rater_id)
        after = due if due and self._pauses(rater, due[0]) else due[1:]
        return self._shown(rater, after[0]) if after else None

    def stimulus(self, token: str) -> bytes:
        """Return the PNG behind a `Shown.token`.

        Nothing but size, sRGB tag and pixels is inside; all of a trial have the same number of bytes.

        Raises:
            SessionError: 404.
        """
        trial = self.ledger.trial(token[: identity.TRIAL_CHARACTERS])
        if trial is None:
            raise SessionError("unknown_picture", 404)
        png = trials.png(self._session_plan(trial.study_id), self.ledger.store.blobs, trial, token)
        if png is None:
            raise SessionError("unknown_picture", 404)
        return png

    def vote(self, session_token: str, vote_request: VoteRequest) -> VoteReceipt:
        """Store a vote and return once it is committed.

        A trial takes one vote whatever is clicked: sent twice, from two tabs or with another answer, the
        first stands and the receipt tells it.

        Raises:
            SessionError: 404 no trial of this rater; 409 not the trial that is due, or times that cannot be
                true, which end the rater's visits; 410 study closed; 422 not an answer of this trial, or a
                record that is too long.
        """
        rater = self._rater(session_token)
        trial = self.ledger.trial(vote_request.trial)
        if trial is None or trial.rater_id != rater.rater_id:
            raise SessionError("unknown_trial", 404)
        if rater.stage == "stopped":
            raise SessionError("stopped", 409)
        if rater.state != "open":
            raise SessionError("closed", 410)
        session_plan = self._session_plan(rater.study_id)
        trials.check(session_plan, vote_request)
        self._check_times(rater, session_plan.plan, trial, vote_request)
        try:
            stands = self.ledger.vote(trial, vote_request, trials.proof(session_plan, trial, vote_request))
        except NotDueError as error:
            raise SessionError("not_due", 409, str(error)) from error
        answer = cast("Answer", stands.answer)
        feedback = trials.feedback(session_plan, trial, answer)
        following = self._step(rater)
        return VoteReceipt(trial.token, stands.client_uuid, answer, stands.repeated, feedback, following)

    def end_break(self, session_token: str) -> NextStep:
        """Record that the rater goes on after a break and return what comes next."""
        rater = self._rater(session_token)
        due = self.ledger.due(rater.rater_id, 1)
        if due and self._pauses(rater, due[0]):
            break_every = self._session_plan(rater.study_id).plan.trials.break_every
            self.ledger.set_rater(rater, breaks=due[0].position // break_every)
            rater = self._rater(session_token)
        return self._step(rater)

    # Going

    def withdraw(self, token: str) -> int:
        """Erase a rater's votes and identity in one transaction and return how many votes there were.

        Args:
            token: Session token, invitation or withdrawal code.

        Raises:
            SessionError: 404 nobody is known by it (any more).
        """
        erased = self.ledger.withdraw(token.strip())
        if erased is None:
            raise SessionError("unknown_code", 404)
        return erased

    # Inside

    def _check_times(
        self, rater: RaterRow, plan: StudyPlan, trial: TrialRow, vote_request: VoteRequest
    ) -> None:
        """End a rater's visits where the votes claim more time than has passed; raise `SessionError` then."""
        times = self.ledger.answer_times(rater.rater_id)
        if plan.simulated or trial.trial_id in times.trial_ids:  # sent again: it was checked before
            return
        claimed = (*times.claimed_ms, vote_request.response_ms)
        if not are_possible(claimed, times.received, datetime.fromisoformat(now()), times.began):
            self.ledger.end_uncounted(rater, "stopped")
            raise SessionError("stopped", 409)

    def _rater(self, session_token: str) -> RaterRow:
        rater = self.ledger.rater_by_session(session_token)
        if rater is None:
            raise SessionError("unknown_session", 404)
        return rater

    def _session_plan(self, study_id: int) -> SessionPlan:
        """Return a study's session plan; its plan is sealed, so it is read once."""
        with self._lock:
            if study_id not in self._session_plans:
                study = next(study for study in self.ledger.studies() if study.study_id == study_id)
                plan = parse(study.plan, Path(study.name))
                self._session_plans[study_id] = build_session_plan(plan, self.ledger.known(study))
            return self._session_plans[study_id]

    def _answered(self, rater: RaterRow) -> int:
        """Return how many trials have a vote: they are answered in order."""
        due = self.ledger.due(rater.rater_id, 1)
        return due[0].position if due else self.ledger.trials_given(rater.rater_id)

    def _step(self, rater: RaterRow) -> NextStep:
        stage = stage_of(rater)
        if stage in ("consent", "screening", "calibration"):
            return NotYet(stage)
        if stage != "trials":
            return self._end(rater, stage)
        due = self._due(rater)
        session_plan = self._session_plan(rater.study_id)
        if not due:
            study = session_plan.known.study
            if excluded(session_plan.plan, stored_votes(self.ledger, study, rater.name)):
                self.ledger.end_uncounted(rater, "left-out")
            else:
                self.ledger.set_rater(rater, stage="done", finished_at=now())
            return self._end(rater, "done")
        if self._pauses(rater, due[0]):
            progress = Progress(due[0].position, self._total(rater))
            return Break(session_plan.plan.trials.break_seconds, progress)
        return self._shown(rater, due[0])

    def _shown(self, rater: RaterRow, trial: TrialRow) -> Trial:
        return trials.shown(self._session_plan(rater.study_id), trial, self._total(rater))

    def _total(self, rater: RaterRow) -> int:
        """Return how many trials a rater's session has: fewer where pairs have their votes already."""
        session_plan = self._session_plan(rater.study_id)
        limited = session_plan.plan.stopping.votes_per_pair is not None
        if not limited or find_design(session_plan.plan.design.name).adaptive:
            return session_plan.length
        return self.ledger.trials_given(rater.rater_id) or session_plan.length

    def _pauses(self, rater: RaterRow, due: TrialRow) -> bool:
        break_every = self._session_plan(rater.study_id).plan.trials.break_every
        due_for_break = break_every > 0 and due.position % break_every == 0
        return due_for_break and due.position // break_every > rater.breaks

    def _due(self, rater: RaterRow) -> list[TrialRow]:
        """Return the trial to show and the one after it, given or their lease renewed if need be."""
        session_plan = self._session_plan(rater.study_id)
        due = self.ledger.due(rater.rater_id)
        lease = timedelta(minutes=session_plan.plan.design.lease_minutes)
        if len(due) < 2:
            given = due[-1].position + 1 if due else self.ledger.trials_given(rater.rater_id)
            if given < session_plan.length:
                self._give(rater, session_plan, given, _at(lease))
                return self.ledger.due(rater.rater_id)
        if due and due[0].lease_until < _at(lease / 2):
            self.ledger.renew_leases(rater.rater_id, _at(lease))
        return due

    def _give(self, rater: RaterRow, session_plan: SessionPlan, given: int, until: str) -> None:
        generator = np.random.default_rng([session_plan.plan.seed, rater.rater_id, given])
        if find_design(session_plan.plan.design.name).adaptive:
            self._pairing.watch(session_plan)

        def compose(context: TrialContext) -> list[NewTrial]:
            past = [trials.item_of(session_plan, trial) for trial in context.past]
            choices = trials.choices(session_plan, context, past, generator)
            if not choices:  # every pair that is left has its votes
                return []
            items = next_items(session_plan, past, choices, context.balance, generator)
            return [trials.new_trial(session_plan, item) for item in items]

        self.ledger.add_trials(rater, given, until, compose)

    def _end(self, rater: RaterRow, stage: Stage) -> Done:
        answered = self._answered(rater)
        progress = Progress(answered, answered if stage == "done" else self._total(rater))
        session_plan = self._session_plan(rater.study_id)
        plan = session_plan.plan
        failed = bool(plan.raters.failed_checks_code) and self._fails_checks(rater, plan)
        return done_of(session_plan, rater, stage, progress, failed_checks=failed)

    def _fails_checks(self, rater: RaterRow, plan: StudyPlan) -> bool:
        """Whether the golden trials say that a rater did not look."""
        right_answer = "first" if plan.trials.asks == "better" else "second"
        answered, right = self.ledger.golden_record(rater.rater_id, right_answer)
        return fewer_than(right, plan.exclusion.golden_pass_rate, answered)


def _at(ahead: timedelta) -> str:
    """Return a time from now, as the store writes times."""
    return (datetime.now(UTC) + ahead).isoformat(timespec="milliseconds")
