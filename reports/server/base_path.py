"""Serve an app below a path such as ``/arena``, as a reverse proxy shows it beside other programs."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SEGMENTS = re.compile(r"(/[A-Za-z0-9._~-]*[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
"""Characters that every browser and proxy leaves as they are; no segment is ``.`` or ``..``."""


def normalised(base_path: str) -> str:
    """Return a base path without a slash at its end; empty for the root.

    Raises:
        ValueError: It is no path, or one that a browser or a proxy may rewrite.
    """
    path = base_path.rstrip("/")
    if path and not _SEGMENTS.fullmatch(path):
        raise ValueError(
            f"--base-path: expected a path such as /arena, of letters, digits and - . _ ~, got {base_path!r}"
        )
    return path


class WithoutBasePath:
    """ASGI middleware: takes the base path off requests, for those within that ask which address it is.

    A proxy may have taken it off already. Cookies for the whole host are confined to the path.
    """

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        self.app = app
        self.base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on; the path alone is answered by the way to the page that it means."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == self.base_path:
            query = scope["query_string"].decode("latin-1")
            way = RedirectResponse(f"{self.base_path}/{f'?{query}' if query else ''}")
            await way(scope, receive, send)
        elif scope["path"].startswith(f"{self.base_path}/"):
            inner = {**scope, "path": scope["path"].removeprefix(self.base_path)}
            await self.app(inner, receive, self._confining_cookies(send))
        else:
            await self.app(scope, receive, self._confining_cookies(send))

    def _confining_cookies(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                cookies = headers.getlist("set-cookie")
                del headers["set-cookie"]
                for cookie in cookies:
                    confined = re.sub(r"(?i)(;\s*path=)/(?=;|$)", rf"\g<1>{self.base_path}/", cookie)
                    headers.append("set-cookie", confined)
            await send(message)

        return sending


class WithBasePath:
    """ASGI middleware: tells an app that makes addresses, such as Streamlit's, below which path it lies."""

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        self.app = app
        self.base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on with the path as the browser has it, as ASGI's ``root_path`` wants it."""
        if scope["type"] in ("http", "websocket"):
            scope = {**scope, "path": self.base_path + scope["path"], "root_path": self.base_path}
        await self.app(scope, receive, send)
