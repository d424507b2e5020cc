"""Archives from a web server on this machine: unpacked where harmless, else refused without a trace."""

from __future__ import annotations

import copy
import gzip
import hashlib
import io
import json
import stat
import struct
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fileserver import FileServer
from PIL import Image

from codecarena.datasets.manifest import DatasetError, Manifest, load_manifest
from codecarena.datasets.pixels import PictureError, read_pixels
from codecarena.datasets.sets.catalogue import open_set
from codecarena.datasets.sources import archives
from codecarena.datasets.sources.download import fetch

Files = dict[str, bytes]


def png(red: int) -> bytes:
    whole = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 0, 0)).save(whole, "PNG")
    return whole.getvalue()


PICTURES = {"set/a.png": png(1), "set/below/b.png": png(2)}


def zipped(files: Files) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, body in files.items():
            opened.writestr(name, body)
    return whole.getvalue()


def tarred(files: Files, *more: tarfile.TarInfo) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as opened:
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            opened.addfile(info, io.BytesIO(body))
        for info in more:
            opened.addfile(info, io.BytesIO(bytes(info.size)))
    return whole.getvalue()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FileServer({}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def manifest(server: FileServer, archive: bytes, **more: object) -> Manifest:
    server.files["set.zip"] = archive
    fields = {"name": "trial", "title": "An archive", "kind": "natural", "licence": "CC0", "citation": "none"}
    entry = {"url": f"{server.url}set.zip", "members": "set/*.png", **more}
    return Manifest.model_validate(fields | {"archives": [entry]})


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_the_pictures_of_an_archive_are_the_set(
    server: FileServer, tmp_path: Path, pack: Callable[[Files], bytes]
) -> None:
    others = {"set/read.me": b"text", "__MACOSX/set/._a.png": b"no picture", "other/c.png": png(3)}
    described = manifest(server, pack({**PICTURES, **others}))
    paths = fetch(described, tmp_path)
    assert {path.relative_to(tmp_path / "trial").as_posix() for path in paths} == set(PICTURES)
    assert files_below(tmp_path) == {"trial.lock", "trial/set/a.png", "trial/set/below/b.png"}
    assert fetch(described, tmp_path) == paths
    assert len(server.asked) == 1


def test_an_unpacked_set_opens_with_pinned_hashes_and_prompts(server: FileServer, tmp_path: Path) -> None:
    table = {"a.png": {"p": "a red square", "se": 7, "c": 12.0, "st": 50, "sa": "k_lms"}}
    files = {**PICTURES, "set/part.json": json.dumps(table).encode()}
    described = manifest(server, zipped(files), prompts="set/part.json")
    fetch(described, tmp_path)
    path = tmp_path / "trial.toml"
    path.write_text(
        'name = "trial"\ntitle = "t"\nkind = "natural"\nlicence = "CC0"\ncitation = "none"\n'
        f'[[archives]]\nurl = "{server.url}set.zip"\nprompts = "set/part.json"\n'
    )
    first, second = open_set(str(path), tmp_path).pictures
    assert (first.caption, first.provenance.seed, first.provenance.guidance) == ("a red square", 7, 12.0)
    assert second.caption is None
    assert first.sha256 == hashlib.sha256(PICTURES["set/a.png"]).hexdigest()


def test_a_picture_that_was_changed_after_unpacking_is_named(server: FileServer, tmp_path: Path) -> None:
    described = manifest(server, zipped(PICTURES))
    fetch(described, tmp_path)
    (tmp_path / "trial/set/a.png").write_bytes(png(9))
    with pytest.raises(DatasetError, match=r"set/a\.png: expected sha256 .* as pinned in"):
        fetch(described, tmp_path)


def test_an_archive_of_another_hash_is_refused(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="not the file of the manifest"):
        fetch(manifest(server, zipped(PICTURES), sha256="0" * 64), tmp_path)
    assert files_below(tmp_path) == set()


def linked_zip() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as opened:
        opened.writestr("set/a.png", png(1))
        link = zipfile.ZipInfo("set/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(link, "/etc/passwd")
    return whole.getvalue()


def linked_tar(kind: bytes) -> bytes:
    info = tarfile.TarInfo("set/link.png")
    info.type, info.linkname = kind, "/etc/passwd"
    return tarred(PICTURES, info)


def zip_of_false_size() -> bytes:
    """Return a zip whose directory says that a member is shorter than it is."""
    packed = bytearray(zipped({"set/a.png": bytes(50_000)}))
    directory = packed.rindex(b"PK\x01\x02")
    packed[directory + 24 : directory + 28] = (1000).to_bytes(4, "little")
    return bytes(packed)


def damaged_zip() -> bytes:
    packed = bytearray(zipped(PICTURES))
    packed[60] ^= 0xFF
    return bytes(packed)


def zip_of_mode(mode: int) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as opened:
        opened.writestr("set/a.png", png(1))
        special = zipfile.ZipInfo("set/special.png")
        special.external_attr = (mode | 0o666) << 16
        opened.writestr(special, b"")
    return whole.getvalue()


def overlapping_zip() -> bytes:
    """Return a zip with a hundred names for the same packed bytes."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("set/a.png", png(1) * 1000)
        (first,) = opened.filelist
        for index in range(100):
            again = copy.copy(first)
            again.filename = f"set/{index}.png"
            opened.filelist.append(again)
        opened._didModify = True  # type: ignore[attr-defined]
    return whole.getvalue()


def zip_of_zip64_lies() -> bytes:
    """Return a zip whose directory says, in 64 bits, that a member has 2^40 bytes here and unpacked."""
    plain = bytearray(zipped({"set/a.png": png(1)}))
    start = plain.rindex(b"PK\x01\x02")
    lie = struct.pack("<HHQQ", 1, 16, 2**29, 2**40)
    plain[start + 20 : start + 28] = b"\xff" * 8
    plain[start + 30 : start + 32] = len(lie).to_bytes(2, "little")
    name_end = start + 46 + len("set/a.png")
    plain[name_end:name_end] = lie
    end = plain.rindex(b"PK\x05\x06")
    size = int.from_bytes(plain[end + 12 : end + 16], "little") + len(lie)
    plain[end + 12 : end + 16] = size.to_bytes(4, "little")
    return bytes(plain)


def many_little_bombs() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as opened:
        for index in range(200):
            opened.writestr(f"set/{index}.png", bytes(1_000_000))
    return whole.getvalue()


def tar_of_long_header(kind: bytes) -> bytes:
    """Return a tar whose header's own text, of 50 MB, unpacks from a few kilobytes."""
    words = tarfile.TarInfo("././@Header")
    words.type, words.size = kind, 50_000_000
    whole = io.BytesIO()
    with gzip.GzipFile(fileobj=whole, mode="wb") as packed:
        packed.write(words.tobuf(tarfile.USTAR_FORMAT) + b"9" * words.size)
    return whole.getvalue()


SEVEN_ZIP, RAR = b"7z\xbc\xaf\x27\x1c" + bytes(200), b"Rar!\x1a\x07\x01\x00" + bytes(200)

HOSTILE = {
    "path escape": (lambda: zipped({**PICTURES, "../../evil.png": png(1)}), "leaves the folder"),
    "absolute path": (lambda: tarred({**PICTURES, "/tmp/evil.png": png(1)}), "leaves the folder"),
    "backslashes": (lambda: zipped({**PICTURES, "..\\evil.png": png(1)}), "leaves the folder|no usable name"),
    "drive": (lambda: zipped({**PICTURES, "C:evil.png": png(1)}), "leaves the folder"),
    "control letters": (lambda: tarred({**PICTURES, "set/\x1b[2J.png": png(1)}), "no usable name"),
    "zip link": (linked_zip, "link or a device"),
    "tar symlink": (lambda: linked_tar(tarfile.SYMTYPE), "link or a device"),
    "tar hard link": (lambda: linked_tar(tarfile.LNKTYPE), "link or a device"),
    "tar device": (lambda: linked_tar(tarfile.CHRTYPE), "link or a device"),
    "zip pipe": (lambda: zip_of_mode(stat.S_IFIFO), "link or a device"),
    "zip device": (lambda: zip_of_mode(stat.S_IFBLK), "link or a device"),
    "zip of members that overlap": (overlapping_zip, "shares its bytes with another"),
    "zip64 sizes that are lies": (zip_of_zip64_lies, "beyond the archive's end"),
    "many little bombs": (many_little_bombs, "a bomb"),
    "tar with a huge pax header": (lambda: tar_of_long_header(tarfile.XHDTYPE), "a header of 50000000"),
    "tar with a huge global header": (lambda: tar_of_long_header(tarfile.XGLTYPE), "a header of 50000000"),
    "tar with a huge long name": (
        lambda: tar_of_long_header(tarfile.GNUTYPE_LONGNAME),
        "a header of 50000000",
    ),
    "long name": (lambda: zipped({**PICTURES, f"set/{'n' * 4096}.png": png(1)}), "no usable name"),
    "name of two lines": (lambda: tarred({**PICTURES, "set/a\u2028b.png": png(1)}), "no usable name"),
    "backslashes and a drive": (
        lambda: tarred({**PICTURES, "C:\\Windows\\a.png": png(1)}),
        "leaves the folder",
    ),
    "names that differ in case": (
        lambda: tarred({**PICTURES, "set/A.PNG": png(1)}),
        "two members are called",
    ),
    "a 7z file": (lambda: SEVEN_ZIP, "neither a zip nor a tar file"),
    "a rar file": (lambda: RAR, "neither a zip nor a tar file"),
    "archives in an archive": (
        lambda: zipped({"set/inner.zip": zipped(PICTURES)}),
        "none of its 1 members fits",
    ),
    "tar pipe": (lambda: linked_tar(tarfile.FIFOTYPE), "link or a device"),
    "zip bomb": (lambda: zipped({**PICTURES, "set/big.png": bytes(40_000_000)}), "a bomb"),
    "tar bomb": (lambda: tarred({**PICTURES, "set/big.png": bytes(40_000_000)}), "a bomb"),
    "two of one name": (lambda: zipped({**PICTURES, "SET/A.png": png(1)}), "two members are called"),
    "longer than it says": (zip_of_false_size, "longer than it says|cut off|damaged"),
    "damaged": (damaged_zip, "damaged"),
    "cut off": (lambda: tarred(PICTURES)[:-60], "damaged|neither"),
    "no archive": (lambda: b"<html>please sign in</html>", "neither a zip nor a tar file"),
    "nothing wanted": (lambda: zipped({"elsewhere/a.png": png(1)}), "none of its 1 members fits"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused_and_leave_nothing_behind(
    server: FileServer, tmp_path: Path, name: str
) -> None:
    make, reason = HOSTILE[name]
    data = tmp_path / "below" / "data"
    with pytest.raises(DatasetError, match=rf"set 'trial': set.zip from .* is refused: .*({reason})"):
        fetch(manifest(server, make()), data)
    assert files_below(tmp_path) == set()


def test_one_member_too_many_is_refused(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shown at a lower limit: an archive of fifty thousand takes longer to write than to refuse."""
    assert archives.MAX_MEMBERS == 50_000
    monkeypatch.setattr(archives, "MAX_MEMBERS", 500)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as opened:
        for index in range(501):
            opened.writestr(f"set/{index}.png", b"")
    with pytest.raises(DatasetError, match="more than the 500 members allowed"):
        fetch(manifest(server, whole.getvalue()), tmp_path)
    assert files_below(tmp_path) == set()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('url = "file:///etc/passwd"', "starts with https:// or http://"),
        ('url = "https://user:word@example.org/a.zip"', "without a user"),
        ('url = "https:///a.zip"', "names a host"),
        ('url = "https://example.org/a.zip"\nsha256 = "abc"', "archives.0.sha256"),
        ('url = "https://example.org/a.zip"\nunpack_to = "/"', "unknown key"),
        ('url = "https://example.org/a.zip', "not TOML"),
        ("url = " + "[" * 100_000, "not TOML"),
    ],
)
def test_hostile_manifests_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "trial.toml"
    head = 'name = "trial"\ntitle = "t"\nkind = "natural"\nlicence = "CC0"\ncitation = "none"\n'
    path.write_text(f"{head}[[archives]]\n{text}\n")
    with pytest.raises(DatasetError, match=reason):
        load_manifest(path)


@pytest.mark.parametrize("name", ["a\\u0000.png", "a\\n.png", "\\u001b[2J.png", "a\\u2028b.png", " a.png"])
def test_names_that_break_lines_are_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "trial.toml"
    head = 'name = "trial"\ntitle = "t"\nkind = "natural"\nlicence = "CC0"\ncitation = "none"\n'
    path.write_text(f'{head}[[pictures]]\nfile = "{name}"\n')
    with pytest.raises(DatasetError, match="control characters"):
        load_manifest(path)


def test_a_picture_of_a_hundred_thousand_pixels_square_is_refused_unread(tmp_path: Path) -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(PictureError, match=r"huge\.png: claims more than the 134217728 pixels"):
        read_pixels(tmp_path / "huge.png")


def test_a_listing_outside_of_its_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trial.toml"
    head = 'name = "trial"\ntitle = "t"\nkind = "natural"\nlicence = "CC0"\ncitation = "none"\n'
    for listing in ("../secret.csv", "/etc/passwd"):
        path.write_text(f'{head}listing = "{listing}"\n')
        with pytest.raises(DatasetError, match="listing"):
            load_manifest(path)
