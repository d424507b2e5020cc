"""Turn the votes of an adaptive study into the pairs to ask for next, in the background."""

from __future__ import annotations

import logging
import threading
from time import monotonic

import numpy as np

from ..design.design import find_design
from ..ledger.trials import TrialLedger
from .schedule import Course
from .trials import votes_wanted

PERIOD_SECONDS = 3.0
"""How often it is looked whether votes have come."""
log = logging.getLogger(__name__)


class Pairing:
    """One thread that keeps the proposals of all adaptive studies fresh."""

    def __init__(self, ledger: TrialLedger) -> None:
        self._ledger = ledger
        self._courses: dict[int, Course] = {}
        self._seen: dict[int, int] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def watch(self, course: Course) -> None:
        """Keep this study's proposals fresh from now on."""
        with self._lock:
            self._courses.setdefault(course.known.study.study_id, course)
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
            for course in list(self._courses.values()):
                try:
                    self.refresh(course)
                except Exception:
                    # Raters are given random pairs meanwhile; the next round tries again.
                    log.exception("no new pairs for study %s", course.known.study.name)
            # At most half of a processor: the raters' requests need theirs.
            self._stop.wait(max(PERIOD_SECONDS, monotonic() - began))

    def refresh(self, course: Course) -> bool:
        """Return whether pairs were proposed: votes have come since the last time, or none are left."""
        study = course.known.study
        newest, left = self._ledger.progress_of(study)
        if left and self._seen.get(study.study_id) == newest:
            return False
        ids = [course.known.pair_ids[index] for index in course.main]
        standing = self._ledger.standing(study, ids)
        if course.plan.trials.asks == "worse":
            standing = standing.turned()
        generator = np.random.default_rng([course.plan.seed, newest])
        wanted = standing.given < votes_wanted(course)
        if not wanted.any():
            return False
        design = find_design(course.plan.design.name)
        chosen = design.choose(course.pairs, standing, wanted, len(ids), generator)
        # What raters were given while the batch was computed is reserved for them.
        given = self._ledger.standing(study, ids).given
        free = [choice.pair for choice in chosen if given[choice.pair] <= standing.given[choice.pair]]
        self._ledger.propose(study, [ids[pair] for pair in free])
        self._seen[study.study_id] = newest
        return True
