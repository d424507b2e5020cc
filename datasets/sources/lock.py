"""Keep the hashes of a first download in a lock file that every later download must match."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...text_file import TextFileError, read_lines
from ..manifest import DatasetError

_HEAD = (
    "# Hashes pinned when this set was first fetched or placed here; delete this file to trust what is there."
)
_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<name>\S.*)")


@dataclass(frozen=True, slots=True)
class Lock:
    """The pinned hashes of a set: as ``sha256sum`` writes them, ``DATA/SET.lock``."""

    path: Path
    hashes: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of files by their name in the set, and of archives by their address."""

    @property
    def files(self) -> dict[str, str]:
        """The pinned files, without the archives they came in."""
        return {name: sha256 for name, sha256 in self.hashes.items() if "://" not in name}


def read_lock(data: Path, name: str) -> Lock:
    """Return the pinned hashes of a set; none where it was never fetched.

    Raises:
        DatasetError: The file is there and is no lock file.
    """
    path = data / f"{name}.lock"
    if not path.exists():
        return Lock(path)
    try:
        lines = read_lines(path)
    except TextFileError as error:
        raise DatasetError(str(error)) from error
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        entry = _LINE.fullmatch(line)
        if entry is None:
            raise DatasetError(
                f"{path}:{number}: expected a sha256, two blanks and a name, got {line[:80]!r}"
            )
        hashes[entry["name"]] = entry["sha256"]
    return Lock(path, hashes)


def pin(data: Path, name: str, hashes: Mapping[str, str]) -> Lock:
    """Return the lock with more hashes in it, written at once or not at all.

    Args:
        data: Folder of the image sets, where lock files lie.
        name: The set's name.
        hashes: SHA-256 by file name or address.

    Raises:
        DatasetError: One is pinned already with another value.
    """
    data.mkdir(parents=True, exist_ok=True)
    with _alone(data):
        lock = read_lock(data, name)
        for what, sha256 in hashes.items():
            if lock.hashes.get(what, sha256) != sha256:
                raise DatasetError(differs(lock, what, sha256))
        merged = {**lock.hashes, **hashes}
        if merged != lock.hashes:
            lines = [_HEAD, *(f"{sha256}  {what}" for what, sha256 in sorted(merged.items()))]
            beside = lock.path.with_name(lock.path.name + ".part")
            beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
            beside.replace(lock.path)
    return Lock(lock.path, merged)


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Let one process at a time write locks in a folder."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def differs(lock: Lock, what: str, sha256: str) -> str:
    """Return a sentence on a file that is not the pinned one.

    Args:
        lock: The lock, which has the name.
        what: File name or address.
        sha256: The hash that came, 64 hex digits.
    """
    return (
        f"{what}: expected sha256 {lock.hashes[what]}, as pinned in {lock.path} by an earlier download, got "
        f"{sha256}; if the set was meant to change, delete that file and fetch again"
    )
