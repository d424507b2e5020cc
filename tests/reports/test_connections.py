"""A server with many connections: who asks for something is answered, whatever others hold open."""

from __future__ import annotations

import http.client
import logging
import resource
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import uvicorn
from browsing import free_port
from imported import ROOT
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from codecarena.reports.server import connections, log_limit
from codecarena.reports.server.connections import BoundedConnection, room
from codecarena.reports.server.log_limit import LogLimit


async def _echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


async def _caller(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.client and request.client.host} {request.headers['host']}")


async def _listen(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())


async def _much(_: Request) -> PlainTextResponse:
    return PlainTextResponse(b"x" * 2**24)


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve on a port with short deadlines, and room for eight connections."""
    for name in ("HEADER_SECONDS", "BODY_SECONDS", "ANSWER_SECONDS"):
        monkeypatch.setattr(connections, name, 1.0)
    monkeypatch.setattr(BoundedConnection, "most", 8)
    routes = [
        Route("/", _echo, methods=["POST"]), Route("/much", _much), Route("/caller", _caller),
        WebSocketRoute("/listen", _listen),
    ]  # fmt: skip
    app = Starlette(routes=routes)
    number = free_port()
    config = uvicorn.Config(
        app,
        port=number,
        http=BoundedConnection,
        backlog=128,
        log_level="error",
        lifespan="off",
        ws="websockets-sansio",
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield number
    server.should_exit = True
    thread.join()


def opened(port: int, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(sent)
    return connection


def closes(connection: socket.socket) -> bool:
    """Return whether the server closes a connection, without an answer, within a minute."""
    with closing(connection):
        try:
            return connection.recv(1) == b""
        except ConnectionResetError:
            return True


def asks(port: int) -> bytes:
    """Return the answer to a request that somebody in earnest sends."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("POST", "/", b"vote")
        return client.getresponse().read()


HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"


def test_idle_connections_are_closed_and_who_asks_is_answered(port: int) -> None:
    idle = [opened(port, sent) for sent in (b"", b"POST", HEAD, HEAD + b"\r\nvo") for _ in range(2)]
    assert asks(port) == b"vote"  # the ninth: one of those that only wait makes room
    for connection in idle:
        assert closes(connection)
    assert asks(port) == b"vote"


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except ConnectionResetError:
        return False


def test_more_connections_than_there_is_room_for_stop_nobody(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 600.0)
    held: list[socket.socket] = []
    for _ in range(5):
        held += [opened(port) for _ in range(40)]
        assert asks(port) == b"vote"
        assert sum(map(is_open, held)) <= BoundedConnection.most
    for connection in held:
        connection.close()


def test_bytes_that_trickle_in_buy_no_time(port: int) -> None:
    connection = opened(port, HEAD)
    began = time.monotonic()
    with pytest.raises((BrokenPipeError, ConnectionResetError)):  # noqa: PT012 - until it is closed
        while time.monotonic() < began + 60:
            connection.sendall(b"X-Slow: 1\r\n")
            time.sleep(0.05)
    connection.close()


def test_a_second_request_on_a_connection_has_its_own_time(port: int) -> None:
    connection = opened(port, HEAD + b"\r\nvote")
    answer = b""
    while not answer.endswith(b"vote"):
        answer += connection.recv(4096)
    connection.sendall(HEAD)
    assert closes(connection)


def test_who_does_not_read_an_answer_holds_it_for_a_while_only(port: int) -> None:
    connection = opened(port, b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
    time.sleep(2)
    with closing(connection):
        got = 0
        try:
            while piece := connection.recv(2**20):
                got += len(piece)
        except ConnectionResetError:
            pass
    assert got < 2**24


def test_the_rest_of_what_was_refused_is_not_read(port: int) -> None:
    connection = opened(port, b"PUT /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 104857600\r\n\r\n")
    sent = 0
    with closing(connection), suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(100):
            connection.sendall(bytes(2**20))
            sent += 2**20
    assert sent < 2**25


@pytest.mark.parametrize(
    ("soft", "hard", "raised", "most", "waiting"),
    [
        (1024, 524_288, 6048, 4000, 1024),
        (1024, 1024, 1024, 512, 256),
        (1024, 4096, 4096, 2048, 1024),
        (20_000, 20_000, None, 4000, 1024),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None, 4000, 1024),
    ],
)
def test_as_many_connections_are_held_as_there_are_files_for(
    soft: int, hard: int, raised: int | None, most: int, waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(connections.resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(connections.resource, "setrlimit", lambda _, pair: limits.append(pair))
    assert room() == (most, waiting)
    assert limits == ([] if raised is None else [(raised, hard)])


@pytest.fixture
def proxy(port: int, tmp_path: Path) -> Iterator[int]:
    """Put nginx before the server, with the file of the documentation."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed (Debian: apt install nginx-light)")
    number = free_port()
    site = (ROOT / "docs" / "nginx.conf").read_text()
    for old, new in (("listen 80;", f"listen 127.0.0.1:{number};"), ("127.0.0.1:8501", f"127.0.0.1:{port}")):
        assert old in site
        site = site.replace(old, new)
    places = "\n".join(
        f"{kind}_temp_path {tmp_path / kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid {tmp_path}/pid;\nerror_log {tmp_path}/log;\n"
        f"events {{ worker_connections 512; }}\nhttp {{\n{places}\n{site}\n}}\n"
    )
    running = subprocess.Popen([nginx, "-e", tmp_path / "log", "-c", tmp_path / "nginx.conf"])
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", number))):
            break
        assert running.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.05)
    yield number
    running.terminate()
    running.wait()


def test_the_documented_nginx_tells_who_asks_and_refuses_what_no_page_sends(proxy: int) -> None:
    def ask(method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        client = http.client.HTTPConnection("127.0.0.1", proxy, timeout=60, source_address=("127.0.0.9", 0))
        with closing(client):
            client.request(method, path, body, {"X-Forwarded-For": "192.0.2.66", "Host": "arena.example"})
            answer = client.getresponse()
            return answer.status, answer.read()

    assert ask("GET", "/caller") == (200, b"127.0.0.9 arena.example")
    assert ask("POST", "/", b"vote") == (200, b"vote")
    assert ask("POST", "/", b"x" * 200_000)[0] == 413
    with connect(f"ws://127.0.0.1:{proxy}/listen", proxy=None) as listening:
        listening.send("heard")
        assert listening.recv(60) == "heard"


@pytest.fixture
def lines() -> Iterator[tuple[Callable[[], None], list[str], list[float]]]:
    """Return what logs a line of one kind, what was written, and the clock."""
    written: list[str] = []
    seconds = [0.0]
    logger = logging.getLogger("a log of the tests")
    handlers: list[logging.Handler] = []
    limit = LogLimit(lambda: seconds[0])

    class Keeping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(record.getMessage())

    for _ in range(2):  # as where a logger and the one above it both write
        handlers.append(Keeping())
        handlers[-1].addFilter(limit)
        logger.addHandler(handlers[-1])
    yield lambda: logger.error("accept failed for %s", "somebody"), written, seconds
    for handler in handlers:
        logger.removeHandler(handler)


def test_a_kind_of_line_is_written_ten_times_a_minute_and_then_counted(
    lines: tuple[Callable[[], None], list[str], list[float]],
) -> None:
    log, written, seconds = lines
    for _ in range(1000):
        log()
    assert written == ["accept failed for somebody"] * 10 * 2
    seconds[0] = log_limit.WINDOW_SECONDS
    log()
    assert written[20:] == ["accept failed for somebody (and 990 like it were left out before)"] * 2
