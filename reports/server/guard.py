"""Refuse what no page needs before Streamlit sees it, and send headers by which browsers protect visitors."""

from __future__ import annotations

import ipaddress
import socket
from collections import Counter
from collections.abc import Iterable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from ...studies.session.rates import network_of

HEADERS: Mapping[str, str] = {
    # Streamlit's page has styles and scripts within it, and its charts are compiled in the browser.
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    # An invitation is part of a page's address: no other site is told it.
    "Referrer-Policy": "no-referrer",
}
SHUT = ("/_stcore/upload_file", "/_stcore/metrics", "/_stcore/script-health-check", "/app/static")
"""Beginnings of Streamlit's own addresses that none of the pages uses."""
RATERS_OPEN = (
    "/study/", "/static/", "/_stcore/stream", "/_stcore/health", "/_stcore/host-config",
    "/_stcore/bidi-components/", "/media/", "/favicon.png", "/manifest.json", "/index.html",
)  # fmt: skip
"""Beginnings of the addresses that raters' pages are made of, beside the page itself."""
METHODS = ("GET", "HEAD", "POST", "OPTIONS")
MOST_SOCKETS, MOST_SOCKETS_OF_NETWORK = 1000, 300
"""Web sockets that are open at one time: each is a session of Streamlit's."""


class Guard:
    """ASGI middleware: lets through what the pages are made of, asked for by a name that is this server's."""

    def __init__(self, app: ASGIApp, host_names: Iterable[str] = (), *, raters: bool = False) -> None:
        """Guard an app.

        Args:
            app: What answers the requests that are let through.
            host_names: Under which the server may be asked, beside its addresses, ``localhost`` and the
                machine's own name: elsewhere a page of another site could read it by a name that it makes
                lead here.
            raters: Whether only raters' pages are served. Without host names they are open by any name.
        """
        self.app = app
        self.raters = raters
        self._sockets: Counter[str] = Counter()
        named = tuple(host_names)
        self.any_name = raters and not named
        self.host_names = {name.lower().rstrip(".") for name in (*named, "localhost", socket.gethostname())}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")
        if not self.is_own(host):
            named = host_name(host)[:60]
            text = (
                f"This server does not know itself as {named!r}; whoever runs it can add the name: "
                "codecarena serve --host-name NAME"
            )
            await self._refuse(scope, receive, send, 421, text)
        elif not self.is_open(scope["path"]) or scope.get("method", "GET") not in METHODS:
            await self._refuse(scope, receive, send, 404, "Not found")
        elif scope["type"] == "websocket":
            await self._listen(scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send))

    async def _listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a web socket on, unless there are too many."""
        network = network_of((scope.get("client") or ("",))[0])
        full = self._sockets.total() >= MOST_SOCKETS or self._sockets[network] >= MOST_SOCKETS_OF_NETWORK
        if full:
            await WebSocketClose(1013)(scope, receive, send)  # try again later
            return
        self._sockets[network] += 1
        try:
            await self.app(scope, receive, _with_headers(send))
        finally:
            self._sockets[network] -= 1
            self._sockets = +self._sockets  # without those that have none left

    def is_own(self, host: str) -> bool:
        """Whether a request's ``Host`` names this server: by an address or by a name it knows."""
        if self.any_name:
            return True
        name = host_name(host)
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self.host_names
        return True

    def is_open(self, path: str) -> bool:
        """Whether any page has a use for an address."""
        if path.startswith(SHUT):
            return False
        return not self.raters or path == "/" or path.startswith(RATERS_OPEN)

    @staticmethod
    async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, text: str) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            await PlainTextResponse(text, status)(scope, receive, _with_headers(send))


def host_name(host: str) -> str:
    """Return the name or address in a ``Host`` header, in lower case, without its port.

    >>> host_name("[::1]:8501"), host_name("Arena.example.:80"), host_name("127.0.0.1")
    ('::1', 'arena.example', '127.0.0.1')
    """
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].rstrip(".")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
