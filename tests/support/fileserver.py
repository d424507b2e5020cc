"""A web server on this machine that serves files in parts, slowly or wrongly as asked."""

from __future__ import annotations

import hashlib
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


class FileServer(ThreadingHTTPServer):
    """Serves ``files`` by path; the other attributes say how."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes], handler: type[BaseHTTPRequestHandler] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), handler or Handler)
        self.files = files
        self.redirects: dict[str, str] = {}
        self.pause_seconds = 0.0
        self.tags = True
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, str | None]] = []
        """Path and range of each request."""
        self.sent_bytes = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    """Answers what is asked for by path, whole or in part."""

    server: FileServer

    def name(self) -> str:
        """Return which of the files is asked for."""
        return unquote(urlsplit(self.path).path).removeprefix("/")

    def headers_of(self, body: bytes | None) -> dict[str, str]:
        """Return further headers of a file, or of the answer that it is not here."""
        return {}

    def finish_without_body(self) -> None:
        for name, value in self.headers_of(None).items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, reply: object) -> None:
        """Send what JSON can tell."""
        self.answer_bytes(json.dumps(reply).encode(), "application/json")

    def answer_bytes(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Range"]))
        if self.path in self.server.redirects:
            self.send_response(302)
            self.send_header("Location", self.server.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = self.server.files.get(self.name())
        if body is None:
            self.send_response(404)
            self.finish_without_body()
            return
        self._send(body)

    def do_HEAD(self) -> None:
        body = self.server.files.get(self.name())
        self.server.asked.append((self.path, None))
        if body is None:
            self.send_response(404)
            self.finish_without_body()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
        for name, value in self.headers_of(body).items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, body: bytes) -> None:
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        start, end = self._range(tag, len(body))
        if start is not None and start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(body)}")
        self.send_header("Content-Length", str(end - (start or 0)))
        if self.server.tags:
            self.send_header("ETag", tag)
        for name, value in (self.server.headers | self.headers_of(body)).items():
            self.send_header(name, value)
        self.end_headers()
        for place in range(start or 0, end, 4096):
            part = body[place : min(place + 4096, end)]
            try:
                self.wfile.write(part)
            except OSError:  # whoever asked was killed
                return
            self.server.sent_bytes += len(part)
            time.sleep(self.server.pause_seconds)

    def _range(self, tag: str, length: int) -> tuple[int | None, int]:
        """Return the first byte that is asked for, None for the whole file, and the one after the last."""
        wanted = self.headers["Range"]
        if wanted is None or self.headers.get("If-Range", tag) != tag:
            return None, length
        start, _, last = wanted.removeprefix("bytes=").partition("-")
        return int(start), min(int(last) + 1, length) if last else length

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
