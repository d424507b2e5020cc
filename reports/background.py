"""Turn questions that take long into answers that are there when a page asks again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from ..bench.store.derived import Derived
from ..bench.store.store import Store
from .evidence import Pending

Answer = TypeVar("Answer")

MOST_KEPT = 512
"""Answers that stay in memory, for stores that nobody may write to."""


class Background:
    """Answers of one store: kept ones at once, others computed one after the other beside the pages.

    What is computed goes to the store's table ``derived`` in one short transaction, if the store can be
    written, so that the command line and the next server find it.
    """

    def __init__(self, store: Store) -> None:
        self._derived = Derived(store)
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="intervals")
        # Any: answers of every type.
        self._asked: dict[tuple[str, bytes], Future[Any]] = {}

    def answer(
        self, kind: type[Answer], question: str, rows: Iterable[bytes], compute: Callable[[], Answer]
    ) -> Answer:
        """Return an answer.

        Raises:
            Pending: It is being computed.
        """
        told = list(rows)
        key = question, b"".join(told)
        with self._lock:
            asked = self._asked.get(key)
        if asked is None:
            kept = self._derived.recall(kind, question, told)
            if kept is not None:
                self._keep(key, _done(kept))
                return kept
            asked = self._worker.submit(self._derived.answer, kind, question, told, compute)
            self._keep(key, asked)
        if not asked.done():
            raise Pending(question)
        return asked.result()

    @property
    def waiting(self) -> bool:
        """Whether something is being computed."""
        with self._lock:
            return any(not one.done() for one in self._asked.values())

    def _keep(self, key: tuple[str, bytes], answer: Future[Any]) -> None:
        with self._lock:
            self._asked[key] = answer
            while len(self._asked) > MOST_KEPT:
                del self._asked[next(iter(self._asked))]


def _done(answer: Answer) -> Future[Answer]:
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future
