"""Stores of pictures on this machine that speak as the Hugging Face hub and S3 do, as far as reading goes."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from fileserver import FileServer, Handler

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(FileServer):
    """Serves ``files`` as the data set ``owner/set``."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files, _HubHandler)


class Bucket(FileServer):
    """Serves ``files`` as the objects of a bucket, listed two at a time."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(files, _BucketHandler)


class _HubHandler(Handler):
    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        tree = f"/api/datasets/owner/set/tree/{COMMIT}"
        if path.startswith("/api/datasets/owner/set/revision/") or path == "/api/datasets/owner/set":
            files = [{"rfilename": name} for name in self.server.files]
            self.answer({"id": "owner/set", "sha": COMMIT, "siblings": files, "private": False, "tags": []})
        elif path.startswith(tree):
            below = unquote(path.removeprefix(tree)).strip("/")
            self.answer(self._tree(below, recursive=query.get("recursive", ["false"])[0].lower() == "true"))
        else:
            super().do_GET()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        if "/paths-info/" not in self.path:
            self.send_error(404)
            return
        form = json.loads(body) if body.startswith("{") else parse_qs(body)
        paths = form["paths"] if isinstance(form["paths"], list) else [form["paths"]]
        known = {entry["path"]: entry for entry in self._tree("", recursive=True)}
        self.answer([known[path] for path in paths if path in known])

    def name(self) -> str:
        path = super().name()
        for revision in (COMMIT, "main"):
            path = path.removeprefix(f"datasets/owner/set/resolve/{revision}/")
        return path

    def headers_of(self, body: bytes | None) -> dict[str, str]:
        return {"X-Repo-Commit": COMMIT} | ({} if body else {"X-Error-Code": "EntryNotFound"})

    def _tree(self, below: str, *, recursive: bool) -> list[dict[str, object]]:
        """Return files and folders below a folder, as the hub tells them."""
        entries: dict[str, dict[str, object]] = {}
        start = f"{below}/" if below else ""
        for name, body in self.server.files.items():
            if not name.startswith(start):
                continue
            parts = name.removeprefix(start).split("/")
            for count in range(1, len(parts)):
                folder = start + "/".join(parts[:count])
                entries[folder] = {"type": "directory", "oid": "0" * 40, "size": 0, "path": folder}
            oid = hashlib.sha1(body).hexdigest()
            entries[name] = {"type": "file", "oid": oid, "size": len(body), "path": name}
        if recursive:
            return list(entries.values())
        return [entry for path, entry in entries.items() if "/" not in path.removeprefix(start)]


class _BucketHandler(Handler):
    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._list(unquote(urlsplit(self.path).path).strip("/"), query)
        else:
            super().do_GET()

    def _list(self, bucket: str, query: dict[str, list[str]]) -> None:
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        after = query.get("continuation-token", [""])[0]
        keys = [file.removeprefix(f"{bucket}/") for file in sorted(self.server.files)]
        keys = [key for key in keys if key.startswith(prefix)]
        folders: set[str] = set()
        if delimiter:
            folders = {
                prefix + key.removeprefix(prefix).split("/")[0] + "/"
                for key in keys
                if "/" in key[len(prefix) :]
            }
            keys = [key for key in keys if "/" not in key[len(prefix) :]]
        left = [key for key in keys if key > after]
        lines = [
            f"<Contents><Key>{escape(entry)}</Key><Size>{len(self.server.files[f'{bucket}/{entry}'])}</Size>"
            "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
            for entry in left[:2]
        ]
        lines += [
            f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>"
            for folder in sorted(folders)
        ]
        more = len(left) > 2
        token = f"<NextContinuationToken>{escape(left[1])}</NextContinuationToken>" if more else ""
        count = len(left[:2]) + len(folders)
        self.answer_bytes(
            f"<ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<KeyCount>{count}</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{''.join(lines)}</ListBucketResult>".encode(),
            "application/xml",
        )
