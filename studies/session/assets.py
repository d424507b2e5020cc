"""Serve static files from memory, compressed once for all who fetch them.

A page of Streamlit's is some sixty modules. Read from the disk for each visit they cost the server four times
as much as everything else that a joining rater asks for.
"""

from __future__ import annotations

import gzip
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

TEXTS = {".js": "text/javascript", ".json": "application/json", ".css": "text/css"}
"""What is worth compressing; fonts and pictures are compressed already."""
LASTING = {"Cache-Control": "public, immutable, max-age=31536000"}
"""For files whose names hold their hash, as Streamlit itself marks them."""


@dataclass(frozen=True)
class Asset:
    """One file."""

    content: bytes
    media_type: str
    compressed: bytes | None
    """The same in gzip; None for what would not get smaller."""

    @classmethod
    def read(cls, path: Path) -> Asset:
        """Return a file as it is now."""
        guessed = TEXTS.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        content = path.read_bytes()
        return cls(content, guessed, gzip.compress(content, 6) if path.suffix in TEXTS else None)

    def response(self, asked: Headers, headers: Mapping[str, str]) -> Response:
        """Return the file for a browser that said what it reads."""
        if self.compressed is None:
            return Response(self.content, media_type=self.media_type, headers=headers)
        said = {**headers, "Vary": "Accept-Encoding"}
        if "gzip" not in asked.get("accept-encoding", ""):
            return Response(self.content, media_type=self.media_type, headers=said)
        return Response(
            self.compressed, media_type=self.media_type, headers={**said, "Content-Encoding": "gzip"}
        )


class KeptFiles:
    """ASGI middleware: answers for the files of one folder, leaves everything else to the app."""

    def __init__(self, app: ASGIApp, folder: Path, prefix: str) -> None:
        """Name the folder's files; each is read when it is first asked for.

        Args:
            app: What answers all else.
            folder: Where the files lie, in folders of their own or not.
            prefix: What their addresses begin with, as ``/static/``.
        """
        self.app = app
        # Only names found here are served: no path of a request reaches the file system.
        self._paths = {
            prefix + path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
        }
        self._read: dict[Path, Asset] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = scope["type"] == "http" and scope["method"] == "GET"
        path = self._paths.get(scope["path"]) if asked else None
        if path is None:
            await self.app(scope, receive, send)
            return
        if path not in self._read:
            self._read[path] = await to_thread.run_sync(Asset.read, path)
        response = self._read[path].response(Headers(scope=scope), LASTING)
        await response(scope, receive, send)
