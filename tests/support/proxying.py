"""A reverse proxy that shows a server below a path and answers nothing beside it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from browsing import free_port


@contextmanager
def proxy(port: int, base_path: str, *, takes_it_off: bool) -> Iterator[str]:
    """Show a server of this machine below a path until the block ends; yield the URL of its first page.

    Args:
        port: Of the server.
        base_path: Such as ``/arena``.
        takes_it_off: Whether the server is asked without the path.
    """
    listening = socket.create_server(("127.0.0.1", free_port()))

    def accept() -> None:
        with suppress(OSError):  # it is closed at the end
            while True:
                visitor, _ = listening.accept()
                threading.Thread(target=serve, args=(visitor,), daemon=True).start()

    def serve(visitor: socket.socket) -> None:
        with visitor, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                more = visitor.recv(65536)
                if not more:
                    return
                head += more
            line, _, rest = head.partition(b"\r\n")
            method, path, version = line.split(b" ")
            inner = path.removeprefix(base_path.encode())
            if inner == path or inner[:1] not in (b"", b"/", b"?"):
                visitor.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            asked = inner if takes_it_off and inner.startswith(b"/") else path
            # One request a connection, or a web socket: what follows need not be read.
            if b"upgrade: websocket" not in rest.lower():
                rest = b"Connection: close\r\n" + rest.replace(b"Connection: keep-alive\r\n", b"")
            with socket.create_connection(("127.0.0.1", port)) as server:
                server.sendall(b" ".join((method, asked, version)) + b"\r\n" + rest)
                back = threading.Thread(target=pump, args=(server, visitor), daemon=True)
                back.start()
                pump(visitor, server)
                back.join()

    threading.Thread(target=accept, daemon=True).start()
    with listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{base_path}"


def pump(source: socket.socket, target: socket.socket) -> None:
    """Hand bytes on until one side ends."""
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
