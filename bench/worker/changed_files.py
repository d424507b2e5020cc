"""Find the files that appeared or changed while encoders ran, so that decoders can be kept from them.

A cheating encoder can leave a picture in a file, in the names of empty ones, or with a program that listens
on a socket. A folder in which anything of the kind appeared is made anew from its older entries.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CACHE = "__pycache__"
"""Python writes these folders by itself; a decoder gets them empty."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """A folder to make anew."""

    folder: Path
    older: tuple[str, ...]
    """Names of what it held before; the rest is left out."""


@dataclass(slots=True)
class FolderChanges:
    """What appeared in some folders."""

    renewed: list[Renewed] = field(default_factory=list)
    """Outer folders first."""
    files: list[Path] = field(default_factory=list)
    """What is left out of them, but for Python's caches."""

    def add(self, other: FolderChanges) -> None:
        """Add what appeared in other folders."""
        self.renewed += other.renewed
        self.files += other.files


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds since 1970 between which encoders ran."""

    start: float
    end: float

    def __contains__(self, moment: float) -> bool:
        return self.start <= moment <= self.end


def appeared(folders: Iterable[Path], span: Span, covered: Iterable[Path] = ()) -> FolderChanges:
    """Return what appeared or changed in these folders within a span of time, and how to leave it out.

    By the kernel's time of change, which no program sets: it also moves when a file is renamed, or its
    attributes are written. Sockets and pipes are left out whatever their age, since what they lead to lives
    now.

    Args:
        folders: Real paths, none inside another; files among them are passed over.
        span: When encoders ran.
        covered: Real paths that are hidden anyway; they are not looked into.
    """
    scan = _FolderScan(span, frozenset(map(str, covered)))
    changes = FolderChanges()
    for folder in folders:
        if folder.is_dir() and str(folder) not in scan.covered:
            changes.add(scan.into(str(folder))[0])
    return changes


@dataclass(frozen=True, slots=True)
class _FolderScan:
    span: Span
    covered: frozenset[str]

    def into(self, folder: str) -> tuple[FolderChanges, bool]:
        """Return what appeared in a folder and below it, and whether it holds anything older."""
        below, older, newer = FolderChanges(), list[str](), list[str]()
        try:
            with os.scandir(folder) as listed:
                entries = list(listed)
        except OSError:
            return below, True
        for entry in entries:
            (newer if self.is_new(entry, below) else older).append(entry.name)
        if not newer:
            return below, bool(older)
        here = FolderChanges([Renewed(Path(folder), tuple(older))])
        here.files += [Path(folder, name) for name in newer]
        here.add(below)
        return here, bool(older)

    def is_new(self, entry: os.DirEntry[str], below: FolderChanges) -> bool:
        """Return whether an entry appeared; what appeared inside one that did not goes to ``below``."""
        if entry.path in self.covered:
            return False
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            return True
        if not stat.S_ISDIR(status.st_mode):
            plain = stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)
            return not plain or status.st_ctime in self.span
        if entry.name == CACHE:
            if self.changed(entry.path, status.st_ctime):
                below.renewed.append(Renewed(Path(entry.path), ()))
            return False
        inside, holds_older = self.into(entry.path)
        if not holds_older and status.st_ctime in self.span:
            return True
        below.add(inside)
        return False

    def changed(self, cache: str, own_time: float) -> bool:
        """Return whether one of Python's caches, or anything in it, changed."""
        if own_time in self.span:
            return True
        with os.scandir(cache) as entries:
            return any(entry.stat(follow_symlinks=False).st_ctime in self.span for entry in entries)


def outermost(paths: Iterable[Path]) -> Sequence[Path]:
    """Return the real paths of what exists, without those that lie inside others."""
    outer: list[Path] = []
    for path in sorted({Path(os.path.realpath(path)) for path in paths}):
        if path.exists() and not any(path.is_relative_to(folder) for folder in outer):
            outer.append(path)
    return outer
