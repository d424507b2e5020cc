"""Bound how fast a server's log grows: what strangers cause is told a few times a minute, then counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

MOST_LINES = 10
"""Of one kind in a window."""
WINDOW_SECONDS = 60.0


class LogLimit(logging.Filter):
    """Lets through so many records a minute from each place in the code, and counts the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to count, by a clock whose seconds only grow."""
        super().__init__()
        self._clock = clock
        self._windows: dict[tuple[str, int], tuple[float, int]] = {}
        """By the place that logs: when its window began, and how many records there were."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written; asked by several handlers it counts once."""
        decided = record.__dict__.get("within_limit")
        if decided is None:
            decided = record.__dict__["within_limit"] = self._counts(record)
        return bool(decided)

    def _counts(self, record: logging.LogRecord) -> bool:
        now, place = self._clock(), (record.pathname, record.lineno)
        began, count = self._windows.get(place, (now, 0))
        if now - began >= WINDOW_SECONDS:
            if count > MOST_LINES:
                more = f"{record.getMessage()} (and {count - MOST_LINES} like it were left out before)"
                record.msg, record.args = more, None
            began, count = now, 0
        self._windows[place] = (began, count + 1)
        return count < MOST_LINES


def limit_logs() -> None:
    """Put one limit before every handler that there is."""
    limit = LogLimit()
    loggers = (logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict)))
    handlers = {handler for logger in loggers for handler in logger.handlers}
    if logging.lastResort:
        handlers.add(logging.lastResort)
    for handler in handlers:
        handler.addFilter(limit)
