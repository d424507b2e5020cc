"""Hold the answer times that a browser claims against the server's own clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

SLACK_SECONDS = 1.0
"""How much more than the time that has passed may be claimed: clocks are set right now and then."""


def are_possible(
    claimed_ms: Sequence[float], received: Sequence[datetime], now: datetime, began: datetime | None
) -> bool:
    """Return whether a rater can have looked as long as the votes say.

    A browser knows one trial beyond the one that is shown, and shows them one after the other. So it began
    with none of the last ``k`` trials before the vote that came ``k + 1`` places earlier had arrived, and not
    before the rater began; what is claimed for them fits into the time since then. Votes that were kept while
    the network was down arrive at once and pass: the time in which they were made has passed as well.

    Args:
        claimed_ms: Answer time of each vote of one rater in milliseconds, in order, the new one last.
        received: When the server had each of the earlier votes.
        now: When it has the new one.
        began: When the rater agreed to take part; None where nobody noted it.
    """
    arrivals = [*received, now]
    for earlier, later in pairwise(arrivals):
        if (later - earlier).total_seconds() < -SLACK_SECONDS:  # the server's clock was set back meanwhile
            return True
    claimed_seconds = 0.0
    for place in range(len(claimed_ms) - 1, -1, -1):
        claimed_seconds += claimed_ms[place] / 1000
        known_since = received[place - 2] if place >= 2 else began
        if known_since and claimed_seconds > (now - known_since).total_seconds() + SLACK_SECONDS:
            return False
    return True
