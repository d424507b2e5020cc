"""Limit how often requests come from one address and in one rater's visit, in tables of bounded size."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MOST_KEYS = 20_000
"""Addresses, or visits, that a table remembers; the one that has been quiet longest makes room."""


class Rates:
    """Gives out turns: so many at once, then so many a second, to each of whom it is asked about.

    Nothing is written anywhere, and who stays quiet is forgotten.
    """

    def __init__(
        self, at_once: float, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Set the limits.

        Args:
            at_once: Turns that somebody who was quiet has.
            per_second: How fast they come back.
            clock: Returns seconds that only grow.
        """
        self._seconds_each = 1 / per_second
        self._seconds_ahead = at_once / per_second
        self._clock = clock
        self._turn = Lock()
        self._paid_until: OrderedDict[str, float] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        """Whether somebody is remembered."""
        return key in self._paid_until

    def wait_seconds(self, key: str) -> float:
        """Take a turn and return 0, or return in how many seconds there is one."""
        with self._turn:
            now = self._clock()
            paid = max(self._paid_until.get(key, now), now) + self._seconds_each
            wait = paid - now - self._seconds_ahead
            if wait > 1e-9:
                return wait
            self._keep(key, paid)
            return 0.0

    def remember(self, key: str) -> None:
        """Know somebody from now on, without a turn."""
        with self._turn:
            self._keep(key, self._paid_until.get(key, 0.0))

    def _keep(self, key: str, paid_until: float) -> None:
        self._paid_until[key] = paid_until
        self._paid_until.move_to_end(key)
        if len(self._paid_until) > MOST_KEYS:
            self._paid_until.popitem(last=False)


class RequestLimits:
    """What a server of raters' pages lets through.

    Many raters may sit behind one address: only who is not known yet counts for it, that is who joins, and
    whose visit this server has not seen. Who is under way has turns of their own, whatever others there do.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to count, by a clock whose seconds only grow."""
        # A class of 60 that opens its links at once is let in at once; more have to wait for seconds.
        self._newcomers = Rates(60, 4, clock)
        # A trial of a quick rater is a request or two in a second.
        self._visits = Rates(60, 10, clock)
        # 200 raters behind one address who see the three pictures of a trial every three seconds.
        self._pictures = Rates(1200, 300, clock)

    def wait_seconds(self, address: str, session: str) -> float:
        """Return 0 where a request may be answered, else for how many seconds none is.

        Args:
            address: Where it comes from.
            session: Token of the visit, empty of who joins.
        """
        if session in self._visits:
            return self._visits.wait_seconds(session)
        return self._newcomers.wait_seconds(network_of(address))

    def picture_wait_seconds(self, address: str) -> float:
        """Return 0 where a picture may be sent to an address, else for how many seconds none is."""
        return self._pictures.wait_seconds(network_of(address))

    def know(self, session: str) -> None:
        """Remember a visit that the rater service has begun or answered."""
        if session:
            self._visits.remember(session)


def network_of(address: str) -> str:
    """Return what one household or office has: an address of IPv4, the first half of one of IPv6.

    >>> network_of("192.0.2.7"), network_of("2001:db8:1:2:3::4"), network_of("testclient")
    ('192.0.2.7', '2001:db8:1:2::', 'testclient')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
