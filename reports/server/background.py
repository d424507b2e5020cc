"""Compute slow answers in the background, so that a page has them when it asks again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from ...bench.store.derived_cache import AnswerKind, Derived
from ...bench.store.store import Store
from ..tables.evidence import Pending

Answer = TypeVar("Answer")

PATIENCE_SECONDS = 0.15
"""What is there so soon is shown at once: a small store's page is not drawn twice."""
REST_SECONDS = 1.0
"""How long no page is to have been drawn before the next thing begins that no page waits for."""
MOST_REST_SECONDS = 10.0
"""On a server where pages are drawn all the time, it begins all the same."""
MOST_KEPT = 512
"""Answers that stay in memory, for stores that nobody may write to."""


class Background:
    """Answers of one store: kept ones at once, others computed one after the other in the background.

    What is computed goes to the store's table ``derived`` in one short transaction, if the store can be
    written, so that the command line and the next server find it.
    """

    def __init__(self, store: Store) -> None:
        self._derived = Derived(store)
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="intervals")
        # Any: answers of every type.
        self._asked: dict[tuple[str, bytes], Future[Any]] = {}
        self._drawn_at = 0.0

    def yield_to_pages(self) -> None:
        """Yield the GIL to the page being rendered."""
        self._drawn_at = time.monotonic()

    def answer(
        self, kind: AnswerKind[Answer], question: str, rows: Iterable[bytes], compute: Callable[[], Answer]
    ) -> Answer:
        """Return an answer.

        Args:
            kind: Which computation.
            question: What tells it apart from others of its kind.
            rows: All that the answer depends on, in a fixed order.
            compute: Called in the background where no answer is kept.

        Raises:
            Pending: It is being computed.
        """
        row_bytes = list(rows)
        key = question, b"".join(row_bytes)
        with self._lock:
            asked = self._asked.get(key)
        if asked is None:
            kept = self._derived.recall(kind, question, row_bytes)
            if kept is not None:
                self._keep(key, _done(kept))
                return kept
            asked = self._begin(key, lambda: self._derived.answer(kind, question, row_bytes, compute))
        if not asked.done():
            raise Pending(question)
        return self._result(key, asked)

    def done(self, work: Callable[[], object], *name: str) -> bool:
        """Return whether some work has been done; the first call has it done after the pages being drawn.

        Args:
            work: Called once for its name.
            name: Unique among what is being computed.
        """

        def finish() -> bool:
            work()
            return True

        key = " | ".join(("work", *name)), b""
        with self._lock:
            asked = self._asked.get(key)
        asked = asked or self._begin(key, finish, awaited=False)
        return asked.done() and self._result(key, asked)

    @property
    def waiting(self) -> bool:
        """Whether something is being computed."""
        with self._lock:
            return any(not future.done() for future in self._asked.values())

    def _begin(
        self, key: tuple[str, bytes], work: Callable[[], Answer], *, awaited: bool = True
    ) -> Future[Answer]:
        """Have something computed, and wait a moment for it where it is awaited and comes next."""
        comes_next = awaited and not self.waiting
        asked = self._worker.submit(work if comes_next else lambda: self._between_pages(work))
        self._keep(key, asked)
        if comes_next:
            wait([asked], PATIENCE_SECONDS)
        return asked

    def _between_pages(self, work: Callable[[], Answer]) -> Answer:
        latest = time.monotonic() + MOST_REST_SECONDS
        while (now := time.monotonic()) < min(latest, self._drawn_at + REST_SECONDS):
            time.sleep(min(latest, self._drawn_at + REST_SECONDS) - now)
        return work()

    def _result(self, key: tuple[str, bytes], asked: Future[Answer]) -> Answer:
        """Return what came out; what failed is tried again when somebody asks again."""
        try:
            return asked.result()
        except Exception:
            with self._lock:
                self._asked.pop(key, None)
            raise

    def _keep(self, key: tuple[str, bytes], answer: Future[Any]) -> None:
        with self._lock:
            self._asked[key] = answer
            while len(self._asked) > MOST_KEPT:
                del self._asked[next(iter(self._asked))]


def _done(answer: Answer) -> Future[Answer]:
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future
