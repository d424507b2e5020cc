"""Hold what the command line hands to the pages: parts of the benchmark that reports do not import."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..studies.organise import Bench

_bench: list[Bench] = []


def hand_in(bench: Bench | None) -> None:
    """Give the pages what prepares and scores the pictures of a study; None takes it away."""
    _bench[:] = [] if bench is None else [bench]


def bench() -> Bench | None:
    """Return what prepares and scores the pictures of a study, where pages are served by the command line."""
    return _bench[0] if _bench else None
