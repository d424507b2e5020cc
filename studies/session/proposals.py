"""Compute in the background which pairs an adaptive study asks for next."""

from __future__ import annotations

import logging
import threading
from time import monotonic

import numpy as np

from ..design.design import find_design
from ..ledger.trials import TrialLedger
from .schedule import SessionPlan
from .trials import votes_wanted

PERIOD_SECONDS = 3.0
"""How often it is looked whether votes have come."""
log = logging.getLogger(__name__)


class Pairing:
    """One thread that keeps the proposals of all adaptive studies fresh."""

    def __init__(self, ledger: TrialLedger) -> None:
        self._ledger = ledger
        self._session_plans: dict[int, SessionPlan] = {}
        self._seen: dict[int, int] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def watch(self, session_plan: SessionPlan) -> None:
        """Keep this study's proposals fresh from now on."""
        with self._lock:
            self._session_plans.setdefault(session_plan.known.study.study_id, session_plan)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pairing", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread after what it is at."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            began = monotonic()
            for session_plan in list(self._session_plans.values()):
                try:
                    self.refresh(session_plan)
                except Exception:
                    # Raters are given random pairs meanwhile; the next round tries again.
                    log.exception("no new pairs for study %s", session_plan.known.study.name)
            # At most half of a processor: the raters' requests need theirs.
            self._stop.wait(max(PERIOD_SECONDS, monotonic() - began))

    def refresh(self, session_plan: SessionPlan) -> bool:
        """Return whether pairs were proposed: votes have come since the last time, or none are left."""
        study = session_plan.known.study
        newest, left = self._ledger.progress_of(study)
        if left and self._seen.get(study.study_id) == newest:
            return False
        ids = [session_plan.known.pair_ids[index] for index in session_plan.main]
        pair_totals = self._ledger.pair_totals(study, ids)
        if session_plan.plan.trials.asks == "worse":
            pair_totals = pair_totals.turned()
        generator = np.random.default_rng([session_plan.plan.seed, newest])
        wanted = pair_totals.given < votes_wanted(session_plan)
        if not wanted.any():
            return False
        design = find_design(session_plan.plan.design.name)
        chosen = design.choose(session_plan.pairs, pair_totals, wanted, len(ids), generator)
        # What raters were given while the batch was computed is reserved for them.
        given = self._ledger.pair_totals(study, ids).given
        free = [choice.pair for choice in chosen if given[choice.pair] <= pair_totals.given[choice.pair]]
        self._ledger.propose(study, [ids[pair] for pair in free])
        self._seen[study.study_id] = newest
        return True
