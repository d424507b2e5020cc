"""Let raters in: who has an invitation, and who comes from a panel."""

from __future__ import annotations

from collections.abc import Callable

from ..ledger import identity, participants
from ..ledger.trials import TrialLedger
from ..records.messages import Joined, Panel, SessionError
from ..records.records import RaterRow, StudyRow
from .schedule import SessionPlan
from .welcome import stage_of

LONGEST_ID = 200
"""Characters of each of a panel's parameters."""


class Admission:
    """Gives sessions to raters, and to no more new ones than the plan has places for."""

    def __init__(self, ledger: TrialLedger, session_plan_of: Callable[[int], SessionPlan]) -> None:
        """Remember where raters are kept.

        Args:
            ledger: Where raters and their sessions are.
            session_plan_of: Returns the session plan of a study by its row id.
        """
        self._ledger = ledger
        self._session_plan_of = session_plan_of

    def by_invitation(self, invitation: str) -> Joined:
        """Return a new session of the rater whose invitation this is.

        Raises:
            SessionError: 404 unknown or withdrawn; 410 the study takes no raters now.
        """
        rater = self._ledger.rater_by_invitation(invitation)
        if rater is None:
            raise SessionError("unknown_invitation", 404)
        _refuse_unless_open(rater.state)
        if rater.stage == "consent":
            self._refuse_where_full(rater.study_id)
        return self._begin(rater)

    def from_panel(self, study: str, panel: Panel, earlier: str = "") -> Joined:
        """Return a new session of a panel's participant.

        Args:
            study: Our name of the study.
            panel: The panel's parameters.
            earlier: Token of an earlier session, as the browser keeps it.

        Raises:
            SessionError: 404 no such study or panels not admitted; 403 only listed participants are; 409
                somebody else came first under this id; 410 the study takes no raters now; 422 no id.
        """
        stored = self._ledger.find(study)
        if stored is None or stored.state == "imported":
            raise SessionError("unknown_study", 404)
        _refuse_unless_open(stored.state)
        rules = self._session_plan_of(stored.study_id).plan.raters
        if rules.panel == "none":
            raise SessionError("unknown_study", 404)
        if not panel.participant:
            raise SessionError("no_participant", 422)
        if max(map(len, (panel.participant, panel.study, panel.session))) > LONGEST_ID:
            raise SessionError("not_understood", 422, f"expected ids of at most {LONGEST_ID} characters")
        rater = self._ledger.rater_by_participant(stored.study_id, identity.participant_hash(stored, panel))
        if rater is None and rules.participants == "invited":
            raise SessionError("not_listed", 403)
        # Nothing is kept of somebody for whom there is no place.
        if rater is None or rater.stage == "consent":
            self._refuse_where_full(stored.study_id)
        rater = rater or self._added(stored, panel)
        hashed = identity.panel_record(stored, panel)
        if not participants.claim(self._ledger, rater, hashed) and not participants.comes_back(
            self._ledger, rater, hashed, earlier
        ):
            raise SessionError("taken", 409)
        return self._begin(rater)

    def _added(self, study: StudyRow, panel: Panel) -> RaterRow:
        key = identity.participant_hash(study, panel)
        self._ledger.add_raters([{**identity.new_rater(study), "participant_hash": key}])
        rater = self._ledger.rater_by_participant(study.study_id, key)
        assert rater is not None
        return rater

    def _begin(self, rater: RaterRow) -> Joined:
        token = identity.new_token()
        self._ledger.begin_session(rater, token)
        return Joined(token, stage_of(rater))

    def _refuse_where_full(self, study_id: int) -> None:
        """Raise `SessionError` where enough have finished, or every pair has its votes."""
        rules = self._session_plan_of(study_id).plan.stopping
        enough = rules.raters and self._ledger.finished_raters(study_id) >= rules.raters
        if enough or (rules.votes_per_pair and not self._ledger.wants_votes(study_id, rules.votes_per_pair)):
            raise SessionError("full", 410)


def _refuse_unless_open(state: str) -> None:
    # A plan that is not sealed may still be replaced: nothing of it is read before.
    if state != "open":
        raise SessionError("closed" if state == "closed" else "not_open", 410)
