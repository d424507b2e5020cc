"""Download a file of a known hash, going on where an earlier attempt was cut off."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias
from urllib.parse import urljoin, urlsplit

from ..png_file import PART

if TYPE_CHECKING:
    from requests import Response

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a file's name, the bytes that are here and the bytes in all (0 while unknown)."""

TIMEOUT_SECONDS = 30.0
"""Longest silence of a server."""
TAG = ".part-tag"
"""Beside it: the version that the server gave the file, so that two versions are never mixed."""

_CHUNK_BYTES = 2**16
_REDIRECTS = 5
_CUTS = 5
"""How often in a row a connection may break without a new byte."""


class TransferError(Exception):
    """A file cannot be had from an address; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to get."""

    url: str
    path: Path
    sha256: str | None
    """None takes what comes: the caller pins it."""
    name: str
    """What to call it to the user."""
    hosts: tuple[str, ...] = ()
    """Hosts that the address may lead on to, beside its own."""
    max_bytes: int = 2**30


def fetch_file(wanted: Wanted, progress: Progress | None = None) -> str:
    """Return the SHA-256 of a file's bytes once all of it is there under its name.

    Bytes are appended to a ``.part`` file beside it; the next call asks for the rest of them only. One whose
    hash is wrong in the end is deleted, and got once more from its beginning if it was resumed.

    Raises:
        TransferError: The address does not give the file.
        OSError: The folder cannot be written.
    """
    wanted.path.parent.mkdir(parents=True, exist_ok=True)
    part = _beside(wanted.path, PART)
    with _only_one(part) as file:
        resumed = _get(wanted, file, progress)
        sha256 = _sha256(part)
        if sha256 != wanted.sha256 is not None and resumed:
            _begin_again(file, wanted.path)
            _get(wanted, file, progress)
            sha256 = _sha256(part)
        if wanted.sha256 not in (None, sha256):
            _discard(wanted.path)
            raise TransferError(
                f"not the file of the manifest: expected sha256 {wanted.sha256}, got {sha256}"
            )
        file.flush()
        os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(wanted.path)
    _beside(wanted.path, TAG).unlink(missing_ok=True)
    return sha256


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


@contextlib.contextmanager
def _only_one(part: Path) -> Generator[IO[bytes]]:
    """Open the partial file for one process; the lock goes with the process, however that ends."""
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise TransferError(f"another process is fetching {part}") from error
        try:
            yield file
        finally:
            if part.is_file() and not part.stat().st_size:
                part.unlink()


def _get(wanted: Wanted, file: IO[bytes], progress: Progress | None) -> bool:
    """Append what is missing; return whether some of it was there before."""
    import requests

    tag = _beside(wanted.path, TAG)
    if wanted.sha256 is None and not tag.is_file():
        file.truncate(0)  # without a hash or a version nobody could tell that two files were mixed
    began, cuts = file.seek(0, os.SEEK_END), 0
    with requests.Session() as session:
        while True:
            before = file.seek(0, os.SEEK_END)
            try:
                if _append(session, wanted, file, progress):
                    return began > 0
            # A connection that breaks in the middle; asking for a host that is not there is one as well.
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                cuts = cuts + 1 if file.seek(0, os.SEEK_END) == before else 0
                if cuts >= _CUTS or (before == 0 and cuts):
                    raise
            file.flush()


def _append(session: object, wanted: Wanted, file: IO[bytes], progress: Progress | None) -> bool:
    """Ask once for the bytes that are missing; return whether the file is complete."""
    have = file.seek(0, os.SEEK_END)
    with contextlib.closing(_ask(session, wanted, have)) as answer:
        if answer.status_code == 416 and have:  # The file ends here, or is shorter than what we have.
            if _total(answer) == have:
                return True
            _begin_again(file, wanted.path)
            return False
        _check_answer(answer, wanted)
        if answer.status_code == 200:
            _begin_again(file, wanted.path)
            have = 0
        elif _first_byte(answer) != have:
            raise TransferError(f"asked for bytes from {have}, got {answer.headers.get('Content-Range')!r}")
        total = _total(answer) or have + int(answer.headers.get("Content-Length", 0))
        _remember_version(answer, wanted.path)
        for chunk in answer.iter_content(_CHUNK_BYTES):
            file.write(chunk)
            file.flush()
            have += len(chunk)
            if have > wanted.max_bytes:
                _discard(wanted.path)
                raise TransferError(f"more than the {wanted.max_bytes} bytes allowed")
            if progress:
                progress(wanted.name, have, total)
        return not total or have >= total


def _ask(session: object, wanted: Wanted, have: int) -> Response:
    """Return the answer behind redirects, each to a host that the manifest allows."""
    import requests

    assert isinstance(session, requests.Session)
    # Compressed on the way, ranges would be of other bytes.
    headers = {"Accept-Encoding": "identity"}
    tag = _beside(wanted.path, TAG)
    if have:
        headers["Range"] = f"bytes={have}-"
        if tag.is_file():
            headers["If-Range"] = tag.read_text()
    url = wanted.url
    for _ in range(_REDIRECTS):
        answer = session.get(
            url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
        if not answer.is_redirect:
            return answer
        answer.close()
        url = _followed(url, answer.headers["Location"], wanted)
    raise TransferError(f"led on more than {_REDIRECTS} times")


def _followed(url: str, location: str, wanted: Wanted) -> str:
    """Return where an answer leads on to.

    Raises:
        TransferError: To another host than the manifest allows, to no web address, or out of encryption.
    """
    target = urljoin(url, location)
    parts, own = urlsplit(target), urlsplit(wanted.url)
    if parts.scheme not in ("https", "http") or (urlsplit(url).scheme == "https" != parts.scheme):
        raise TransferError(f"leads on to {target!r}, which is not followed")
    if parts.netloc != own.netloc and parts.hostname not in (own.hostname, *wanted.hosts):
        raise TransferError(
            f"leads on to the host {parts.hostname}, which the manifest's redirects do not name"
        )
    return target


def _check_answer(answer: Response, wanted: Wanted) -> None:
    if answer.status_code not in (200, 206):
        raise TransferError(f"{answer.status_code} {answer.reason}")
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise TransferError(f"sent {answer.headers['Content-Encoding']}-compressed, which was not asked for")
    if max(_total(answer), int(answer.headers.get("Content-Length", 0))) > wanted.max_bytes:
        raise TransferError(f"more than the {wanted.max_bytes} bytes allowed")


def _first_byte(answer: Response) -> int:
    """Return where a part of a file begins; -1 where the server does not say."""
    said = answer.headers.get("Content-Range", "").removeprefix("bytes ").split("-")[0]
    return int(said) if said.isdigit() else -1


def _total(answer: Response) -> int:
    """Return the length of the whole file that a part is of; 0 where the server does not say."""
    said = answer.headers.get("Content-Range", "").rpartition("/")[2]
    return int(said) if said.isdigit() else 0


def _remember_version(answer: Response, path: Path) -> None:
    """Keep the server's name of this version; a weak one promises too little to join bytes by it."""
    version = answer.headers.get("ETag") or answer.headers.get("Last-Modified")
    if version and not version.startswith("W/"):
        _beside(path, TAG).write_text(version)


def _begin_again(file: IO[bytes], path: Path) -> None:
    file.truncate(0)
    _beside(path, TAG).unlink(missing_ok=True)


def _discard(path: Path) -> None:
    for suffix in (PART, TAG):
        _beside(path, suffix).unlink(missing_ok=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
