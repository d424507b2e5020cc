"""Say which pictures a folder holds, by one rule for whoever asks, and what in it is left out and why."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..visible_text import visible
from .manifest import DatasetError, has_controls
from .pixels import EXTENSIONS

INDEX = "index.csv"
"""A table beside the pictures, of what somebody knows about them; `codecarena sets describe` reads it."""
NOT_READ = frozenset(
    (
        *(".heic", ".heif", ".hif", ".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf", ".jph", ".jhc", ".jxl"),
        *(".jxr", ".wdp", ".hdp", ".tga", ".vda", ".dds", ".pcx", ".psd", ".psb", ".xcf", ".svg", ".svgz"),
        *(".exr", ".hdr", ".pfm", ".pam", ".qoi", ".bpg", ".flif", ".apng", ".jpe", ".dib", ".ico", ".icns"),
        *(".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".raw", ".yuv", ".y4m", ".eps"),
        *(".avifs", ".heics", ".mp4", ".mov", ".webm", ".mkv", ".avi"),
    )
)
"""Endings of pictures and films that are not read, in lower case."""
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b")
"""Bytes that texts do not hold, but for those in UTF-16."""
SNIFFED_BYTES = 512
SHOWN_NAMES = 5


@dataclass(frozen=True, slots=True)
class FolderContents:
    """What a folder holds."""

    pictures: tuple[str, ...]
    """Names of the pictures in it and below, with slashes, sorted."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Why something is no picture of the folder, by its name: files and linked folders, sorted."""

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each reason for which something is left out: how many, which, why."""
        by_reason: dict[str, list[str]] = {}
        for name, reason in self.left_out.items():
            by_reason.setdefault(reason, []).append(name)
        return tuple(
            f"{len(names)} left out, {reason}: {shortened([visible(name) for name in names])}"
            for reason, names in by_reason.items()
        )


def look_into(folder: Path) -> FolderContents:
    """Return the pictures in a folder and below, through links too, and what is left out of it.

    A picture is a file that ends with one of `EXTENSIONS`. What is hidden is left out without a word, as are
    files of text; everything else that is no picture is left out and named.
    """
    pictures: list[str] = []
    left_out: dict[str, str] = {}
    for name, path, reason in _walk(folder):
        reason = reason or _reason(name, path)
        if reason is None:
            pictures.append(name)
        elif reason:
            left_out[name] = reason
    return FolderContents(tuple(sorted(pictures)), dict(sorted(left_out.items())))


def check_name(folder: Path) -> None:
    """Raise `DatasetError` where a folder's path is not UTF-8, which neither manifest nor store can hold."""
    if _is_half_a_letter(str(folder)):
        raise DatasetError(f"{folder}: the folder's name is not UTF-8; rename it")


def comparable(name: str) -> str:
    """Return a picture's name as somebody's table has it in the form in which folders here hold the same one.

    Windows writes backslashes, macOS takes accents from their letters.
    """
    composed = unicodedata.normalize("NFC", name.strip().replace("\\", "/"))
    return composed.removeprefix("./")


def shortened(names: list[str], most: int = SHOWN_NAMES) -> str:
    """Return the first few of some names as text, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _walk(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield the name and path of every file, and why it is left out where its folder already says so.

    Folders that are reached by links come after all others: where a folder lies below as well, it counts
    there, and the link to it is left out. So is a link to a folder that it lies in itself.
    """
    waiting, linked = [("", folder)], list[tuple[str, Path]]()
    seen: set[tuple[int, int]] = set()
    while waiting or linked:
        below, path = waiting.pop() if waiting else linked.pop(0)
        try:
            status = path.stat()
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield below.rstrip("/"), path, f"a folder that cannot be read ({error.strerror})"
            continue
        if (status.st_dev, status.st_ino) in seen:
            yield below.rstrip("/"), path, "a link to a folder whose pictures are counted already"
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = below + entry.name
            beneath = Path(entry.path)
            if not beneath.is_dir():
                yield name, beneath, ""
            elif beneath.is_symlink():
                linked.append((f"{name}/", beneath))
            else:
                waiting.append((f"{name}/", beneath))


def _reason(name: str, path: Path) -> str | None:
    """Return why a file is no picture of its folder, without a word where it is text; None if it is."""
    ending = path.suffix.lower()
    if not path.exists():
        return "a link to nothing"
    if not path.is_file():
        return "neither file nor folder"
    if ending in NOT_READ:
        return "of a format that is not read (convert to PNG)"
    if ending not in EXTENSIONS:
        return "" if _is_text(path) else "with an ending that is no picture's"
    if _is_half_a_letter(name):
        return "with a name that is not UTF-8 (rename)"
    if has_controls(name):
        return "with a control character in the name (rename)"
    return None


def _is_half_a_letter(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False


def _is_text(path: Path) -> bool:
    """Whether a file begins as text; one that cannot be read counts as none."""
    try:
        with path.open("rb") as opened:
            head = opened.read(SNIFFED_BYTES)
    except OSError:
        return False
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or not _CONTROLS.intersection(head)
