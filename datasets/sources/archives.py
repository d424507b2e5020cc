"""Unpack the pictures of an untrusted zip or tar file into a folder, or nothing at all."""

from __future__ import annotations

import fnmatch
import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Self

from ..manifest import has_controls

MAX_MEMBERS = 50_000
MAX_MEMBER_BYTES = 2**30
MAX_BYTES = 2**36
"""Of all unpacked members together, 64 GiB."""
MAX_RATIO = 200
"""Unpacked over packed bytes of members over a mebibyte; pictures hardly shrink, bombs do a thousandfold."""

_MEBIBYTE = 2**20
_ZIP_ENCRYPTED = 0x1
_ZIP_HEADER_BYTES = 30
"""Of a member's own header, before its name."""
_TAR_WORDS = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
"""Headers of tar files whose text is read into memory whole."""


class ArchiveError(Exception):
    """An archive is refused; the message says which member and why."""


class _Header(tarfile.TarInfo):
    """A tar header that is refused before a bomb in its own text is unpacked."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if header.type in _TAR_WORDS and header.size > _MEBIBYTE:
            raise ArchiveError(f"a header of {header.size} bytes: a bomb")
        return header


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    unpacked_bytes: int
    packed_bytes: int | None
    """None where members are not packed one by one."""
    open: Callable[[], IO[bytes] | None]


def unpack(
    archive: Path, folder: Path, patterns: Iterable[str], suffixes: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the names of the members that were unpacked below a folder, in order.

    All members are looked at before the first is unpacked, and none is in the folder before the last is
    whole: what is refused leaves nothing behind.

    Args:
        archive: A zip or (compressed) tar file.
        folder: Where to; it need not exist.
        patterns: Shell patterns on a member's path; those that fit one are unpacked.
        suffixes: And of these, in lower case, only names that end so.

    Raises:
        ArchiveError: It is no archive, is damaged, or holds what no set of pictures needs.
    """
    wanted = tuple(patterns)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=folder.parent))
    try:
        with _members(archive) as members:
            chosen = [member for member in members if _is_wanted(member.name, wanted, suffixes)]
            if not chosen:
                raise ArchiveError(f"none of its {len(members)} members fits {', '.join(wanted)}")
            for unpacked in chosen:
                _write(unpacked, staging / unpacked.name)
        for unpacked in chosen:
            (folder / unpacked.name).parent.mkdir(parents=True, exist_ok=True)
            (staging / unpacked.name).replace(folder / unpacked.name)
    except ArchiveError:
        raise
    # Unpackers raise whatever they like on hostile bytes, zlib and lzma classes of their own.
    except Exception as error:
        raise ArchiveError(f"damaged or of an unknown kind ({error})") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return tuple(member.name for member in chosen)


@contextmanager
def _members(archive: Path) -> Generator[list[_Member]]:
    """Open an archive and yield its files, all of them harmless."""
    size = archive.stat().st_size
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            yield _checked(_of_zip(opened, size), size)
        return
    try:
        tar = tarfile.open(archive, tarinfo=_Header)  # noqa: SIM115 - closed below
    except tarfile.ReadError as error:
        raise ArchiveError("neither a zip nor a tar file") from error
    with tar:
        yield _checked(_of_tar(tar, size), size)


def _of_zip(opened: zipfile.ZipFile, archive_bytes: int) -> Generator[_Member]:
    _refuse_shared_bytes(opened, archive_bytes)
    for info in opened.infolist():
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError(f"its member {info.filename!r} is a link or a device")
        if info.flag_bits & _ZIP_ENCRYPTED:
            raise ArchiveError(f"its member {info.filename!r} is encrypted")
        _check_name(info.filename)
        if not info.is_dir():
            yield _Member(
                str(PurePosixPath(info.filename)),
                info.file_size,
                info.compress_size,
                lambda member=info: opened.open(member),
            )


def _refuse_shared_bytes(opened: zipfile.ZipFile, archive_bytes: int) -> None:
    """Raise where members overlap: a small file that unpacks to millions of copies of its bytes.

    Fifield, "A better zip bomb", USENIX WOOT (2019).
    """
    end = 0
    for info in sorted(opened.infolist(), key=lambda member: member.header_offset):
        if info.header_offset < end:
            raise ArchiveError(f"its member {info.filename!r} shares its bytes with another: a bomb")
        end = info.header_offset + _ZIP_HEADER_BYTES + info.compress_size
        if end > archive_bytes:
            raise ArchiveError(f"its member {info.filename!r} reaches beyond the archive's end")


def _of_tar(opened: tarfile.TarFile, archive_bytes: int) -> Generator[_Member]:
    for info in opened:  # reads the headers one by one: a bomb is refused before its end is seen
        if not (info.isreg() or info.isdir()):
            raise ArchiveError(f"its member {info.name!r} is a link or a device")
        if info.issparse():
            raise ArchiveError(f"its member {info.name!r} is a sparse file")
        _check_name(info.name)
        if not info.isdir():
            if info.size > max(_MEBIBYTE, archive_bytes * MAX_RATIO):
                raise ArchiveError(f"its member {info.name!r} unpacks to {info.size} bytes: a bomb")
            yield _Member(
                str(PurePosixPath(info.name)), info.size, None, lambda member=info: opened.extractfile(member)
            )


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    drive = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or ".." in path.parts or "\\" in name or drive or not name.strip("./"):
        raise ArchiveError(f"its member {name!r} leaves the folder")
    if has_controls(name) or name != name.strip() or len(name.encode(errors="replace")) > 1000:
        raise ArchiveError(f"its member {name[:80]!r} has no usable name")


def _checked(members: Iterable[_Member], archive_bytes: int) -> list[_Member]:
    """Return the members once they are few and small enough, and no two of one name."""
    # Many little bombs are one: each may unpack to a mebibyte out of nothing.
    most = min(MAX_BYTES, 64 * _MEBIBYTE + MAX_RATIO * archive_bytes)
    checked: list[_Member] = []
    seen: set[str] = set()
    total = 0
    for member in members:
        checked.append(member)
        total += member.unpacked_bytes
        if len(checked) > MAX_MEMBERS:
            raise ArchiveError(f"more than the {MAX_MEMBERS} members allowed")
        if member.unpacked_bytes > MAX_MEMBER_BYTES or total > most:
            raise ArchiveError(f"its members unpack to more than allowed at {member.name!r}: a bomb")
        if (
            member.packed_bytes is not None
            and member.unpacked_bytes > _MEBIBYTE + MAX_RATIO * member.packed_bytes
        ):
            raise ArchiveError(f"its member {member.name!r} unpacks to {member.unpacked_bytes} bytes: a bomb")
        key = member.name.casefold()
        if key in seen:
            raise ArchiveError(f"two members are called {member.name!r}")
        seen.add(key)
    return checked


def _is_wanted(name: str, patterns: tuple[str, ...], suffixes: tuple[str, ...]) -> bool:
    path = PurePosixPath(name)
    # macOS adds a file of its own to each picture's; hidden files are never part of a set.
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
    fits = any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    return fits and not hidden and path.suffix.lower() in suffixes


def _write(member: _Member, path: Path) -> None:
    """Write one member; one that is longer than it says is refused at its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = member.open()
    if source is None:
        raise ArchiveError(f"its member {member.name!r} cannot be read")
    left = member.unpacked_bytes
    with source, path.open("xb") as file:
        while chunk := source.read(_MEBIBYTE):
            left -= len(chunk)
            if left < 0:
                raise ArchiveError(f"its member {member.name!r} is longer than it says")
            file.write(chunk)
    if left:
        raise ArchiveError(f"its member {member.name!r} is cut off")
