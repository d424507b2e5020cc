"""Bound what open connections cost: how many there are, and how long each may take to say what it wants."""

from __future__ import annotations

import asyncio
import resource
from typing import Any, cast

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEADER_SECONDS = 10.0
"""From a connection, or the first byte of another request, to the end of the request's head."""
BODY_SECONDS = 30.0
"""From there to the end of its body: votes are small."""
ANSWER_SECONDS = 300.0
"""From there until the answer has been taken: who never reads holds a picture in memory."""
MOST_CONNECTIONS, MOST_WAITING = 4000, 1024
"""Open at one time; and those that the system keeps until they are accepted. Who finds no room among these
tries again after a second, then after three and seven."""


def room() -> tuple[int, int]:
    """Raise the limit of open files if allowed; return how many connections fit, and how many may wait.

    All that wait are accepted at once, before the first of too many is closed: they need files as well.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + 2 * MOST_WAITING
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    files = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft)
    waiting = min(MOST_WAITING, files // 4)
    return files - 2 * waiting, waiting


class BoundedConnection(H11Protocol):
    """An HTTP connection that is closed where it waits too long, or first of all where there are too many."""

    most = MOST_CONNECTIONS
    """Open connections of the server, web sockets among them."""

    # Any: as uvicorn calls it.
    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Begin with nothing asked."""
        super().__init__(*arguments, **named)
        self.waits_for = ""
        """``head``, ``body`` or ``answer``; empty where it rests between two requests."""
        self.waiting_since = self.loop.time()
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; close another one that waits where there are too many."""
        super().connection_made(transport)
        self._wait_for("head")
        if len(self.connections) > self.most:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; what trickles in has no more time for it."""
        before = self._asked()
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return
        asked = self._asked()
        if asked is None or asked.response_complete:
            wanted = "head"
        else:
            wanted = "body" if asked.more_body else "answer"
        if wanted != self.waits_for or asked is not before:
            self._wait_for(wanted)

    # Any: uvicorn's event of h11.
    def handle_websocket_upgrade(self, event: Any) -> None:
        """Hand the connection over to a web socket, which has pings."""
        self._wait_for("")
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """Rest until another request comes, or uvicorn closes the connection, which waits for its reader."""
        self._wait_for("answer" if self.transport.get_write_buffer_size() else "")
        super().on_response_complete()
        asked = self._asked()
        if asked is not None and asked.more_body and not self.transport.is_closing():
            self.transport.close()  # it was refused before it was sent: nobody reads the rest

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._wait_for("")
        super().connection_lost(exc)

    def _asked(self) -> RequestResponseCycle | None:
        """Return the newest request; uvicorn's type leaves out that there is none at first."""
        return cast("RequestResponseCycle | None", self.cycle)

    def _wait_for(self, wanted: str) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self.waits_for, self.waiting_since = wanted, self.loop.time()
        seconds = {"head": HEADER_SECONDS, "body": BODY_SECONDS, "answer": ANSWER_SECONDS}.get(wanted)
        if seconds:
            self._deadline = self.loop.call_later(seconds, self._end)

    def _end(self) -> None:
        asked = self._asked()
        written = asked is not None and asked.response_complete and not self.transport.get_write_buffer_size()
        if self.waits_for != "answer" or not written:
            self.transport.abort()

    def _make_room(self) -> None:
        """Close the connection that has been silent longest, one that has never asked for anything first."""
        silent = [
            connection
            for connection in self.connections
            if isinstance(connection, BoundedConnection) and connection.waits_for != "answer"
        ]
        if silent:
            least = min(silent, key=lambda each: (each._asked() is not None, each.waiting_since))
            self.connections.discard(least)
            least.transport.abort()
