"""What the server lets through, and what it tells every browser."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from codecarena.reports.server import guard
from codecarena.reports.server.guard import Guard


async def _answer(_: Any) -> PlainTextResponse:
    return PlainTextResponse("answered", headers={"Referrer-Policy": "same-origin"})


async def _listen(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("heard")
    await websocket.close()


def client(host_names: tuple[str, ...] = (), *, raters: bool = False) -> TestClient:
    """Return a browser's side of a guarded app that answers everything."""
    routes = [
        Route("/{path:path}", _answer, methods=["GET", "POST", "PUT", "DELETE"]),
        WebSocketRoute("/{path:path}", _listen),
    ]
    return TestClient(Guard(Starlette(routes=routes), host_names, raters=raters), "http://127.0.0.1:8501")


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1:8501", True),
        ("localhost", True),
        ("LOCALHOST.:80", True),
        ("[::1]:8501", True),
        ("192.168.1.7", True),
        ("lab.example:443", True),
        ("Lab.Example", True),
        ("machine", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("lab.example.evil.example:80", False),
        ("", False),
        ("[evil", False),
    ],
)
def test_only_names_of_its_own_are_answered(host: str, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard.socket, "gethostname", lambda: "machine")
    response = client(("lab.example",)).get("/", headers={"host": host})
    assert response.status_code == (200 if known else 421)
    if not known:
        assert "--host-name" in response.text
    assert client(raters=True).get("/", headers={"host": host}).status_code == 200, (
        "raters are invited by any name, where none is told"
    )
    named = client(("lab.example",), raters=True).get("/", headers={"host": host})
    assert named.status_code == response.status_code


SHUT_FOR_ALL = (
    "/_stcore/upload_file/session/file",
    "/_stcore/metrics",
    "/_stcore/script-health-check",
    "/app/static/x",
)


@pytest.mark.parametrize(
    ("path", "for_raters", "for_visitors"),
    [
        ("/", True, True),
        ("/study/vote", True, True),
        ("/study/picture/token", True, True),
        ("/static/js/a.js", True, True),
        ("/_stcore/health", True, True),
        ("/_stcore/host-config", True, True),
        ("/_stcore/bidi-components/a/b.js", True, True),
        ("/favicon.png", True, True),
        ("/leaderboard", False, True),
        ("/look/original/sha", False, True),
        ("/component/x", False, True),
        ("/studies", False, True),
        *((path, False, False) for path in SHUT_FOR_ALL),
    ],
)
def test_what_no_page_needs_is_not_there(path: str, for_raters: bool, for_visitors: bool) -> None:
    for raters, is_open in ((True, for_raters), (False, for_visitors)):
        assert client(raters=raters).get(path).status_code == (200 if is_open else 404)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_nothing_is_put_or_deleted(method: str) -> None:
    for path in ("/", "/study/vote", "/_stcore/upload_file/session/file"):
        assert client(raters=True).request(method, path).status_code == 404


def test_sockets_are_guarded_too() -> None:
    own = {"host": "127.0.0.1:8501"}
    with client().websocket_connect("/_stcore/stream", headers=own) as socket:
        assert socket.receive_text() == "heard"
    for path, host, raters in (("/other", "127.0.0.1", True), ("/_stcore/stream", "evil.example", False)):
        with (
            pytest.raises(WebSocketDisconnect),
            client(raters=raters).websocket_connect(path, headers={"host": host}),
        ):
            pass


@pytest.mark.parametrize(
    ("path", "host"), [("/", "127.0.0.1"), ("/nothing", "127.0.0.1"), ("/", "evil.example")]
)
def test_every_answer_carries_the_headers(path: str, host: str) -> None:
    headers = client(raters=path != "/").get(path, headers={"host": host}).headers
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    own = "same-origin" if (path, host) == ("/", "127.0.0.1") else "no-referrer"
    assert headers["referrer-policy"] == own, "a route's own header stands"


def test_one_network_holds_so_many_sockets_and_leaves_room_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "MOST_SOCKETS_OF_NETWORK", 2)
    monkeypatch.setattr(guard, "MOST_SOCKETS", 3)

    async def hold(websocket: WebSocket) -> None:
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            await websocket.receive_text()

    app = Guard(Starlette(routes=[WebSocketRoute("/_stcore/stream", hold)]), raters=True)

    def open_socket(address: str) -> Any:
        return TestClient(app, client=(address, 1)).websocket_connect("/_stcore/stream")

    with open_socket("192.0.2.7") as first, open_socket("192.0.2.7"):
        with pytest.raises(WebSocketDisconnect) as refused, open_socket("192.0.2.7"):
            pass
        with open_socket("192.0.2.8"), pytest.raises(WebSocketDisconnect), open_socket("192.0.2.9"):
            pass
        first.close()
        with open_socket("192.0.2.7"):
            pass
    assert refused.value.code == 1013
