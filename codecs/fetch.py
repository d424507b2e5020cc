"""Find the file of published weights by name, or download it and check its hash."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import tempfile
import urllib.request
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..home_folder import expanded
from ..system_errors import reason
from .base import MissingBackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ALLOW_DOWNLOADS = "CODECARENA_ALLOW_DOWNLOADS"
"""Environment variable that, set to 1, lets weights be fetched."""
TIMEOUT_SECONDS = 30.0
"""Longest silence of a server."""

_CHUNK_BYTES = 2**20


def weights_folder() -> Path:
    """Return the folder of fetched weights: ``CODECARENA_WEIGHTS``, else one in the user's cache."""
    if named := os.environ.get("CODECARENA_WEIGHTS"):
        return expanded(named)
    import platformdirs

    return platformdirs.user_cache_path("codecarena", appauthor=False) / "weights"


def allowed() -> bool:
    """Return whether the user lets weights be fetched: they are large and have licences of their own."""
    return os.environ.get(ALLOW_DOWNLOADS) == "1"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hex digits."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def combined_sha256(digests: Iterable[bytes]) -> str:
    """Return the SHA-256, 64 hex digits, of digests one after another."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def identify(paths: Iterable[Path]) -> tuple[str, int]:
    """Return one SHA-256 over the digests of weight files, in their order, and the sum of their bytes.

    Raises:
        MissingBackendError: A file cannot be read.
    """
    digests: list[bytes] = []
    byte_count = 0
    for path in paths:
        try:
            status = path.stat()
            digests.append(_digest(path, status.st_size, status.st_mtime_ns))
        except OSError as error:
            raise MissingBackendError(f"cannot read the weights {path}: {reason(error)}") from error
        byte_count += status.st_size
    return combined_sha256(digests), byte_count


@cache  # by size and time of change too: a file may be replaced while the process lives
def _digest(path: Path, _size: int, _changed_ns: int) -> bytes:
    return bytes.fromhex(file_sha256(path))


def fetch(
    name: str,
    addresses: Sequence[str],
    sha256: str,
    folder: Path | None = None,
    elsewhere: Sequence[Path] = (),
    origin: str = "",
) -> Path:
    """Return the path of a weights file, after fetching it where it is not there.

    A file appears under its name only when all of it is there and its hash is right. One that is there with
    another hash is never overwritten.

    Args:
        name: Of the file.
        addresses: Where it is published, in the order they are tried.
        sha256: Of the file; its first digits where no more are known.
        folder: Where it belongs; None for `weights_folder`.
        elsewhere: Folders that are searched, too.
        origin: Whose weights they are, for the message.

    Raises:
        MissingBackendError: It is not there and cannot be downloaded, or is another file; the message says
            what to place where.
    """
    path = (folder or weights_folder()) / name
    for candidate in (path, *(other_folder / name for other_folder in elsewhere)):
        if candidate.is_file():
            return _checked(candidate, sha256)
    failures: list[str] = []
    for address in addresses:
        if not allowed():
            failures.append(f"  {address}: not tried, {ALLOW_DOWNLOADS}=1 lets it be fetched")
            continue
        try:
            _download(address, path, sha256)
            return path
        # http.client's own errors are no OSErrors; a wrong hash and a bad address are ValueErrors.
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures.append(f"  {address}: {reason(error)}")
    whose = f", of {origin}," if origin else ""
    raise MissingBackendError(
        f"the weights {name}{whose} are not there and cannot be fetched:\n{_listed(failures)}\n"
        f"place the file, whose sha256 begins with {sha256}, in {path.parent}/ "
        "or name its folder in CODECARENA_WEIGHTS"
    )


def pipeline_folder(
    ids: Sequence[str], local: str = "", allow: Sequence[str] | None = None, revision: str | None = None
) -> Path:
    """Return the folder of a pretrained pipeline: a local one, one in the cache, or one fetched now.

    Args:
        ids: Names on the Hugging Face hub, the original first, then its mirrors. Each is looked for in
            `weights_folder` and in the hub's cache before any is fetched, so that no other revision
            comes in unasked.
        local: A folder to take instead; it must be there.
        allow: Patterns of the files that are needed; None for all.
        revision: A branch, tag or commit; None for the main branch.

    Raises:
        MissingBackendError: No one has it; the message lists every name that was tried, and why not.
    """
    if local:
        folder = expanded(local)
        if folder.is_dir():
            return folder
        raise MissingBackendError(f"expected the folder of a pretrained pipeline, {folder} is none")
    for name in ids:
        if (placed := weights_folder() / name).is_dir():
            return placed
    failures: list[str] = []
    for local_only in (True, False) if allowed() else (True,):
        failures.clear()
        for name in ids:
            snapshot = _snapshot(name, allow, revision, local_only)
            if isinstance(snapshot, Path):
                return snapshot
            failures.append(f"  {name}: {snapshot}")
    raise MissingBackendError(
        f"the pretrained pipeline {ids[0]} is not there and cannot be fetched:\n{_listed(failures)}\n"
        + ("" if allowed() else f"set {ALLOW_DOWNLOADS}=1 to let it be fetched, or ")
        + f"place {_needed(allow)} in {weights_folder() / ids[0]}/, "
        "or give their folder as a parameter of the codec"
    )


def pipeline_name(folder: Path) -> str | None:
    """Return the hub's name, owner/name, of a folder that `pipeline_folder` found; None for any other."""
    if folder.is_relative_to(weights_folder()):
        return folder.relative_to(weights_folder()).as_posix()
    cached = re.search(r"/models--([^/]+?)--([^/]+)/snapshots/", folder.as_posix())
    return "/".join(cached.groups()) if cached else None


def _needed(allow: Sequence[str] | None) -> str:
    return f"its files ({', '.join(allow)})" if allow else "its files"


def _listed(failures: Sequence[str]) -> str:
    return "\n".join(failures) or "  no address is known"


def _checked(path: Path, sha256: str) -> Path:
    actual_sha256 = file_sha256(path)
    if not actual_sha256.startswith(sha256):
        raise MissingBackendError(
            f"{path} is not the file expected: its sha256 should begin with {sha256}, it is {actual_sha256}; "
            "delete or move it, then try again"
        )
    return path


def _download(address: str, path: Path, sha256: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own: two processes may fetch the same file at once, and each begins anew.
    handle, name = tempfile.mkstemp(suffix=".part", prefix=f"{path.name}.", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as opened:
            actual_sha256 = _stream(address, opened.write)
        if not actual_sha256.startswith(sha256):
            raise ValueError(f"expected a file whose sha256 begins with {sha256}, got {actual_sha256}")
        part.chmod(0o644)  # the temporary file was the owner's alone, but weights folders are shared
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _stream(address: str, write: Callable[[bytes], int]) -> str:
    """Return the SHA-256 of what lies at an address, after writing it."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer:
        expected = answer.headers.get("Content-Length")
        count = 0
        while chunk := answer.read(_CHUNK_BYTES):
            count += write(chunk)
            digest.update(chunk)
    if expected is not None and count != int(expected):
        raise OSError(f"cut off after {count} of {expected} bytes")
    return digest.hexdigest()


def _snapshot(name: str, allow: Sequence[str] | None, revision: str | None, local_only: bool) -> Path | str:
    """Return the folder of a repository, or why there is none."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        return "huggingface_hub is not installed"
    try:
        patterns = list(allow) if allow else None
        return Path(
            snapshot_download(name, revision=revision, allow_patterns=patterns, local_files_only=local_only)
        )
    # httpx's errors are none of OSError; a bad name is a ValueError. Whatever it is, the next may have it.
    except Exception as error:
        if local_only and isinstance(error, FileNotFoundError):
            return "not in the hub's cache"
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
